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

/* What no script of the contract can say. */
static void what_is_no_question(void **state)
{
	struct irq_fixture *f = irq_setup(ON_ITS);
	const struct ward_irq_set nothing = {
		.flags = WARD_IRQ_DATA_EVENTFD | WARD_IRQ_TRIGGER,
		.index = WARD_IRQS_MSIX,
		.count = 1,
		.data_size = sizeof(int32_t),
	};
	const ward_iova_t iova = ward_iova(WINDOW);

	(void)state;
	assert_int_equal(ward_device_set_irqs(f->card, NULL), -EINVAL);
	assert_int_equal(ward_device_set_irqs(f->card, &nothing), -EINVAL);
	assert_int_equal(ward_device_set_messages(f->card, (enum ward_message_way)2, WARD_IRQS_MSIX,
						  0, 1, &iova, NULL),
			 -EINVAL);
	assert_int_equal(ward_device_set_messages(f->card, WARD_MESSAGE_PREPARE, WARD_IRQS_MSIX, 0,
						  1, NULL, NULL),
			 -EINVAL);
	assert_int_equal(ward_model_intx(f->rig.backend, 999, true), -EINVAL);
	assert_int_equal(ward_model_raise(f->rig.backend, 999, WARD_IRQS_MSIX, 0,
					  &(struct ward_raise){ 0 }),
			 -EINVAL);
	assert_int_equal(ward_model_raise(f->rig.backend, rig_function(&f->rig, CARD),
					  WARD_IRQS_INTX, 0, &(struct ward_raise){ 0 }),
			 -EINVAL);
	irq_teardown(f);
}

static void write_command(struct ward_device *device, uint8_t high)
{
	const uint8_t command[2] = { 0x06, high };

	assert_int_equal(ward_device_write(device, 7, 4, command, sizeof(command)), 0);
}

/* Interrupt Disable holds the line back, from the loopback as well; taken away, it is told of. */
static void interrupt_disable(void **state)
{
	struct irq_fixture *f = irq_setup(ON_V2M);
	uint32_t card = rig_function(&f->rig, CARD);

	(void)state;
	/* It was high before anybody listened. */
	assert_int_equal(ward_model_intx(f->rig.backend, card, true), 0);
	write_command(f->card, 0x04);
	assert_int_equal(set_fds(f->card, WARD_IRQS_INTX, 0, 1, f->fd), 0);
	assert_int_equal(set_none(f->card, WARD_IRQS_INTX, WARD_IRQ_TRIGGER, 0, 1), 0);
	assert_int_equal(rung(f->fd[0]), 0);
	write_command(f->card, 0);
	assert_int_equal(rung(f->fd[0]), 1);
	/* What was masked when it was told of is unmasked by the bit that comes and goes. */
	write_command(f->card, 0);
	assert_int_equal(rung(f->fd[0]), 0);
	write_command(f->card, 0x04);
	write_command(f->card, 0);
	assert_int_equal(rung(f->fd[0]), 1);
	write_command(f->card, 0x04);
	assert_int_equal(set_none(f->card, WARD_IRQS_INTX, WARD_IRQ_UNMASK, 0, 1), 0);
	assert_int_equal(rung(f->fd[0]), 0);
	/* Frozen: nothing gets out; thawed, the line is what it was. */
	assert_int_equal(ward_model_freeze(f->rig.backend, card), 0);
	write_command(f->card, 0);
	assert_int_equal(rung(f->fd[0]), 0);
	assert_int_equal(ward_model_thaw(f->rig.backend, card), 0);
	assert_int_equal(rung(f->fd[0]), 1);
	/* Whoever opens it next hears of a line that is still high, and then of nothing. */
	ward_device_close(f->card);
	f->card = irq_open(&f->rig, CARD);
	assert_int_equal(set_fds(f->card, WARD_IRQS_INTX, 0, 1, f->fd + 1), 0);
	assert_int_equal(rung(f->fd[1]), 1);
	assert_int_equal(ward_model_intx(f->rig.backend, card, false), 0);
	assert_int_equal(set_none(f->card, WARD_IRQS_INTX, WARD_IRQ_UNMASK, 0, 1), 0);
	assert_int_equal(rung(f->fd[1]), 0);
	assert_int_equal(rung(f->fd[0]), 0);
	irq_teardown(f);
}

/* Nothing translates: the physical address of the doorbell, and it arrives. */
static void without_an_iommu(void **state)
{
	struct rig rig = { 0 };
	struct ward_device *card;
	struct ward_host_irq irq;
	int fd = new_eventfd();

	(void)state;
	irq_controllers(&rig.make, ON_ITS);
	rig.make.iommus[0].active = WARD_NO;
	irq_functions(&rig.make);
	rig_start(&rig);
	card = irq_open(&rig, CARD);
	assert_int_equal(set_fds(card, WARD_IRQS_MSIX, 0, 1, &fd), 0);
	irq = irq_of(card, WARD_IRQS_MSIX, 0);
	assert_int_equal(ward_iova_raw(irq.message.address), ITS_PAGE + 0x40);
	assert_int_equal(irq.controller, 0);
	assert_true(irq.number >= WARD_GIC_FIRST_LPI);
	raise_vector(&rig, CARD, WARD_IRQS_MSIX, 0);
	assert_int_equal(rung(fd), 1);
	ward_device_close(card);
	rig_end(&rig);
	close(fd);
}

/* Facts of which no hardware can be made, and functions of no controller: no vectors, and no harm. */
static void controllers_that_are_not_there(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < 4; way++) {
		struct rig rig = { 0 };
		struct ward_device *card;
		int fd = new_eventfd();

		irq_controllers(&rig.make, way == 1 ? ON_MBI : ON_V2M);
		rig.make.controllers[0].first_intid = way == 2 ? 8 : 1000;
		rig.make.controllers[0].intids = way == 3 ? UINT32_MAX : 100;
		irq_functions(&rig.make);
		if (way == 3)
			rig.make.functions[3].controller = WARD_NONE;
		rig_start(&rig);
		card = irq_open(&rig, CARD);
		assert_int_equal(set_fds(card, WARD_IRQS_MSIX, 0, 1, &fd), -ENOSPC);
		assert_int_equal(set_fds(card, WARD_IRQS_MSI, 0, 1, &fd), -ENOSPC);
		assert_int_equal(set_fds(card, WARD_IRQS_INTX, 0, 1, &fd), 0);
		ward_device_close(card);
		rig_end(&rig);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(msix_rings_its_eventfd),
		cmocka_unit_test(msi_rings_its_eventfd),
		cmocka_unit_test(what_is_no_question),
		cmocka_unit_test(interrupt_disable),
		cmocka_unit_test(without_an_iommu),
		cmocka_unit_test(controllers_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
