// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Errors of devices on the model: who is frozen by what, and who is not. */
#include "model_rig.h"

#define IOVA 0x1000000ull

static void add_ats(struct make *m)
{
	for (uint32_t i = 0; i < m->count; i++) {
		if (m->functions[i].header_type)
			continue;
		m->functions[i].ats = WARD_YES;
		m->functions[i].ats_enabled = true;
	}
}

static void timeout_freezes_body(struct rig *rig)
{
	const struct ward_model_temper silent = { .ignores_invalidations = true }, well = { 0 };
	struct ward_device *a = rig_open(rig, "0000:01:00.0");
	struct ward_device *b = rig_open(rig, "0000:02:00.0");
	struct ward_space *one = rig_space(rig, WARD_SPACE_UNMANAGED);
	struct ward_space *two = rig_space(rig, WARD_SPACE_UNMANAGED);
	uint32_t function = rig_function(rig, "01:00.0");
	struct ward_error_state error;
	struct ward_device_info info;
	uint32_t word = 0;

	assert_int_equal(ward_device_attach(a, WARD_PASID_NONE, one), 0);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, two), 0);
	assert_int_equal(rig_map(one, IOVA, RAM), 0);
	assert_int_equal(rig_map(one, IOVA + 0x1000, RAM), 0);
	assert_int_equal(rig_map(two, IOVA, RAM), 0);
	/* A device that answers is not frozen. */
	assert_int_equal(ward_space_unmap(one, ward_iova(IOVA + 0x1000), ward_iova(IOVA + 0x1fff),
					  0, NULL),
			 0);
	assert_int_equal(ward_model_error(rig->backend, function, &error), -ENOENT);
	ward_model_set_temper(rig->backend, &silent);
	assert_int_equal(ward_space_unmap_all(one), 0);
	assert_int_equal(ward_model_error(rig->backend, function, &error), 0);
	assert_int_equal(error.cause, WARD_ERROR_TIMEOUT);
	assert_int_equal(error.function, function);
	ward_model_set_temper(rig->backend, &well);
	/* Its DMA goes nowhere even where something is mapped; its registers read all ones. */
	assert_int_equal(rig_map(one, IOVA, RAM), 0);
	assert_int_equal(rig_write(rig, "01:00.0", IOVA), WARD_DMA_FROZEN);
	assert_int_equal(ward_device_info(a, &info), 0);
	assert_true(info.frozen);
	assert_int_equal(ward_device_read(a, 7, 0, &word, 4), 0);
	assert_int_equal(word, UINT32_MAX);
	/* Others do not notice, and the IOMMU goes on taking commands. */
	assert_int_equal(rig_write(rig, "02:00.0", IOVA), WARD_DMA_MEMORY);
	assert_int_equal(ward_space_unmap_all(two), 0);
	assert_int_equal(rig_write(rig, "02:00.0", IOVA), WARD_DMA_FAULT);
	assert_int_equal(ward_model_thaw(rig->backend, function), 0);
	assert_int_equal(rig_write(rig, "01:00.0", IOVA), WARD_DMA_MEMORY);
	ward_device_close(a);
	ward_device_close(b);
	ward_space_destroy(one);
	ward_space_destroy(two);
}

static void timeout_freezes(void **unused)
{
	(void)unused;
	rig_on_both(add_ats, timeout_freezes_body);
}

/* Marvell 9123 does its DMA as function 1; the one that is meant by an id is not only its owner. */
static void add_alias(struct make *m)
{
	struct ward_function *f;

	root_port(m, "00:1f.0", 5, ACS_ON);
	f = endpoint(m, "05:00.0");
	f->vendor = 0x1b4b;
	f->device = 0x9123;
	endpoint(m, "05:00.1");
	add_ats(m);
}

static void timeout_freezes_all_of_an_id_body(struct rig *rig)
{
	const struct ward_model_temper silent = { .ignores_invalidations = true };
	struct ward_device *device = rig_open(rig, "0000:05:00.1");
	struct ward_space *space = rig_space(rig, WARD_SPACE_UNMANAGED);

	assert_int_equal(rig_map(space, IOVA, RAM), 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), 0);
	assert_int_equal(rig_write(rig, "05:00.1", IOVA), WARD_DMA_MEMORY);
	ward_model_set_temper(rig->backend, &silent);
	assert_int_equal(ward_space_unmap_all(space), 0);
	assert_int_equal(rig_write(rig, "05:00.1", IOVA), WARD_DMA_FROZEN);
	assert_int_equal(rig_write(rig, "05:00.0", IOVA), WARD_DMA_FROZEN);
	assert_int_equal(rig_write(rig, "01:00.0", IOVA), WARD_DMA_FAULT);
	ward_device_close(device);
	ward_space_destroy(space);
}

static void timeout_freezes_all_of_an_id(void **unused)
{
	(void)unused;
	rig_on_both(add_alias, timeout_freezes_all_of_an_id_body);
}

static void frozen_by_request_body(struct rig *rig)
{
	const uint32_t domain[] = { rig_function(rig, "01:00.0"), rig_function(rig, "02:00.0") };
	struct ward_device *device = rig_open(rig, "0000:01:00.0");
	struct ward_space *space = rig_space(rig, WARD_SPACE_UNMANAGED);
	struct ward_error_state error;

	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), 0);
	assert_int_equal(rig_map(space, IOVA, RAM), 0);
	assert_int_equal(ward_model_freeze(rig->backend, domain[0]), 0);
	assert_int_equal(rig_write(rig, "01:00.0", IOVA), WARD_DMA_FROZEN);
	assert_int_equal(rig_write(rig, "02:00.0", IOVA), WARD_DMA_FAULT);
	assert_int_equal(ward_model_error(rig->backend, domain[0], &error), 0);
	assert_int_equal(error.cause, WARD_ERROR_INJECTED);
	assert_int_equal(error.dropped_dma, 1);
	assert_int_equal(ward_model_thaw(rig->backend, domain[0]), 0);
	/* One domain, in which the fault of one freezes both. */
	assert_int_equal(ward_model_error_domain(rig->backend, domain, 2, true), 0);
	assert_int_equal(rig_write(rig, "02:00.0", IOVA), WARD_DMA_FAULT);
	assert_int_equal(rig_write(rig, "01:00.0", IOVA), WARD_DMA_FROZEN);
	assert_int_equal(ward_model_error(rig->backend, domain[0], &error), 0);
	assert_int_equal(error.cause, WARD_ERROR_DMA);
	assert_int_equal(error.function, domain[1]);
	assert_int_equal(ward_model_thaw(rig->backend, domain[1]), 0);
	assert_int_equal(rig_write(rig, "01:00.0", IOVA), WARD_DMA_MEMORY);
	ward_device_close(device);
	ward_space_destroy(space);
}

static void frozen_by_request(void **unused)
{
	(void)unused;
	rig_on_both(NULL, frozen_by_request_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timeout_freezes),
		cmocka_unit_test(timeout_freezes_all_of_an_id),
		cmocka_unit_test(frozen_by_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
