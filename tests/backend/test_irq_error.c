// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Errors of a device, told by eventfd. */
#include "irq_rig.h"

/* Whoever has a device of an error domain open is told that it froze, once; and a fault tells, too. */
static void frozen_is_told(void **state)
{
	const char *others[] = { CARD, "02:00.0" };
	struct ward_device *device[2];
	uint32_t function[2];
	struct rig rig = { 0 };
	int fd[2];

	(void)state;
	irq_controllers(&rig.make, ON_ITS);
	for (unsigned int i = 0; i < 2; i++)
		root_port(&rig.make, i ? "00:02.0" : "00:01.0", i + 1, ACS_ON);
	for (unsigned int i = 0; i < 2; i++)
		irq_card(endpoint(&rig.make, others[i]), 1, 1);
	rig_start(&rig);
	for (unsigned int i = 0; i < 2; i++) {
		device[i] = rig_open(&rig, others[i]);
		function[i] = rig_function(&rig, others[i]);
		fd[i] = new_eventfd();
		assert_int_equal(set_fds(device[i], WARD_IRQS_ERROR, 0, 1, &fd[i]), 0);
	}
	assert_int_equal(ward_model_error_domain(rig.backend, function, 2, true), 0);
	/* In no space every DMA is a fault. */
	assert_int_equal(rig_dma(&rig, CARD, 0x1000, true, NULL, 4).end, WARD_DMA_FAULT);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(rung(fd[i]), 1);
	assert_int_equal(ward_model_freeze(rig.backend, function[1]), 0);
	assert_int_equal(rung(fd[0]) + rung(fd[1]), 0);
	assert_int_equal(ward_model_thaw(rig.backend, function[0]), 0);
	ward_device_close(device[0]);
	assert_int_equal(ward_model_freeze(rig.backend, function[1]), 0);
	assert_int_equal(rung(fd[0]), 0);
	assert_int_equal(rung(fd[1]), 1);
	ward_device_close(device[1]);
	for (unsigned int i = 0; i < 2; i++)
		close(fd[i]);
	rig_end(&rig);
}

/* A device that does not answer the last invalidation freezes while it is closed. */
static void frozen_by_its_close(void **state)
{
	const struct ward_model_temper temper = { .ignores_invalidations = true };
	struct ward_function *card;
	struct ward_device *device;
	struct ward_space *space;
	struct rig rig = { 0 };
	int fd = new_eventfd();

	(void)state;
	irq_controllers(&rig.make, ON_ITS);
	root_port(&rig.make, "00:01.0", 1, ACS_ON);
	card = endpoint(&rig.make, CARD);
	irq_card(card, 1, 1);
	card->ats_enabled = true;
	rig_start(&rig);
	device = rig_open(&rig, CARD);
	assert_int_equal(set_fds(device, WARD_IRQS_ERROR, 0, 1, &fd), 0);
	space = rig_space(&rig, WARD_SPACE_UNMANAGED);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), 0);
	assert_int_equal(rig_map(space, 0x1000, RAM), 0);
	ward_model_set_temper(rig.backend, &temper);
	ward_device_close(device);
	assert_int_equal(rung(fd), 0);
	ward_space_destroy(space);
	close(fd);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frozen_is_told),
		cmocka_unit_test(frozen_by_its_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
