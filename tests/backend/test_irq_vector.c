// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Host interrupts of the model: what a device raises gets to the eventfd of its vector, and no other. */
#include "irq_rig.h"

static void raise_each(struct irq_fixture *f, uint32_t index, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct ward_raise raised = raise_vector(&f->rig, CARD, index, i);
		uint32_t function, which, vector;

		assert_false(raised.masked);
		assert_int_equal(raised.dma.end, WARD_DMA_DOORBELL);
		if (raised.dma.interrupt.end != WARD_INTERRUPT_PENDING)
			fail_msg("machine %d, vector %u: %s", f->kind, i,
				 ward_interrupt_reason_text(raised.dma.interrupt.reason));
		assert_int_equal(ward_model_whose(f->rig.backend, raised.dma.index,
						  &raised.dma.interrupt, &function, &which,
						  &vector),
				 0);
		assert_int_equal(function, rig_function(&f->rig, CARD));
		assert_int_equal(which, index);
		assert_int_equal(vector, i);
		for (uint32_t at = 0; at < count; at++)
			assert_int_equal(rung(f->fd[at]), at == i);
	}
}

static void each_vector(struct irq_fixture *f, uint32_t index, uint32_t count)
{
	assert_int_equal(set_fds(f->card, index, 0, count, f->fd), 0);
	raise_each(f, index, count);
	assert_int_equal(disable(f->card, index), 0);
}

static void msix(struct irq_fixture *f)
{
	each_vector(f, WARD_IRQS_MSIX, 8);
	/* And again: everything was given back. */
	each_vector(f, WARD_IRQS_MSIX, 8);
}

static void msi(struct irq_fixture *f)
{
	uint32_t count = f->kind == ON_APIC ? 1 : 8;

	each_vector(f, WARD_IRQS_MSI, count);
	each_vector(f, WARD_IRQS_MSI, 1);
	if (f->kind != ON_APIC)
		each_vector(f, WARD_IRQS_MSI, 3);
}

static void msix_rings_its_eventfd(void **state)
{
	(void)state;
	on_each_machine(msix);
}

static void msi_rings_its_eventfd(void **state)
{
	(void)state;
	on_each_machine(msi);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(msix_rings_its_eventfd),
		cmocka_unit_test(msi_rings_its_eventfd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
