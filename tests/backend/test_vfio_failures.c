// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What the backend over VFIO does when the kernel refuses, at any request, or says odd things. */
#include "../../backend/linux/uapi.h"
#include "fake_vfio.h"

#include <doorward/backend.h>
#include <doorward/irq.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define IOVA 0x100000u

static int setup(void **state)
{
	(void)state;
	fake_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_remove();
	return 0;
}

static struct ward_backend *make(void)
{
	struct ward_backend *backend = NULL;

	assert_int_equal(ward_backend_vfio_group(fake.devfd, fake.sysfd, &backend, NULL), 0);
	return backend;
}

static struct ward_space *space_of(struct ward_backend *backend)
{
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED };
	struct ward_space *space = NULL;

	assert_int_equal(ward_backend_space(backend, &options, &space), 0);
	return space;
}

static int map(struct ward_space *space, uint64_t iova)
{
	const struct ward_mapping mapping = { .start = ward_iova(iova),
					      .last = ward_iova(iova + 0xfff),
					      .target = ward_target(0x10000),
					      .access = WARD_READ,
					      .type = WARD_NORMAL };

	return ward_space_map(space, &mapping);
}

static struct ward_device *open_device(struct ward_backend *backend, const char *name)
{
	struct ward_device *device = NULL;

	(void)ward_device_open(backend, name, &device, NULL);
	return device;
}

/* Interrupts on, moved, an address of their own, and left as they are for the close. */
static void interrupt(struct ward_device *device)
{
	const int32_t fds[] = { 0, 1, -1 };
	const ward_iova_t iova = ward_iova(0xfee00000);
	struct ward_irq_set set = {
		.flags = WARD_IRQ_TRIGGER | WARD_IRQ_DATA_EVENTFD,
		.index = WARD_IRQS_MSIX,
		.count = 3,
		.data = fds,
		.data_size = sizeof(fds),
	};
	struct ward_host_irq irq;

	(void)ward_device_set_irqs(device, &set);
	set.count = 2;
	set.start = 1;
	(void)ward_device_set_irqs(device, &set);
	(void)ward_device_set_messages(device, WARD_MESSAGE_OVERRIDE, WARD_IRQS_MSIX, 0, 1, &iova,
				       NULL);
	(void)ward_device_set_irqs(device, &set);
	(void)ward_device_irq(device, WARD_IRQS_MSIX, 0, &irq);
}

/* All calls there are; each may be refused, and what was opened is closed. */
static void live_and_die(void)
{
	static const char *const names[] = { "0000:01:00.0", "0000:01:00.1", "0000:02:00.0" };
	struct ward_backend *backend = make();
	struct ward_space *one = space_of(backend), *two = space_of(backend);
	struct ward_device *device[3];

	(void)map(one, IOVA);
	(void)map(two, IOVA);
	(void)map(two, 2 * IOVA);
	for (unsigned int i = 0; i < 3; i++) {
		device[i] = open_device(backend, names[i]);
		if (device[i])
			(void)ward_device_attach(device[i], WARD_PASID_NONE, one);
	}
	(void)map(one, 2 * IOVA);
	(void)ward_space_unmap(one, ward_iova(IOVA), ward_iova(IOVA + 0xfff), 0, NULL);
	if (device[1])
		(void)ward_device_detach(device[1], WARD_PASID_NONE);
	if (device[0])
		(void)ward_device_attach(device[0], WARD_PASID_NONE, two);
	if (device[0])
		interrupt(device[0]);
	if (device[0])
		(void)ward_device_reset(device[0]);
	/* Whatever went before, spaces are made and asked after a device is gone. */
	ward_device_close(device[0]);
	(void)map(one, 3 * IOVA);
	(void)map(two, 3 * IOVA);
	ward_device_close(device[1]);
	ward_device_close(device[2]);
	(void)map(one, 4 * IOVA);
	(void)map(two, 4 * IOVA);
	ward_space_destroy(one);
	ward_space_destroy(two);
	ward_backend_destroy(backend);
}

static void nothing_is_left(void **unused)
{
	static const int errors[] = { EIO, ENOMEM, ENODEV };

	(void)unused;
	for (unsigned int kind = 0; kind < 6; kind++) {
		unsigned int before = fake_descriptors();
		unsigned long nth = 0;

		do {
			fake.fails_in = ++nth;
			fake.failed = false;
			fake.fails_on = kind & 1;
			fake.error = errors[kind / 2];
			live_and_die();
			assert_int_equal(fake_descriptors(), before);
		} while (fake.failed);
		assert_true(nth > 50);
	}
}

/* The new space does not fit, and the old one does not come back: blocked, and said so. */
static void moving_back_fails(void **unused)
{
	struct ward_backend *backend = make();
	struct ward_space *old = space_of(backend), *new = space_of(backend);
	struct ward_device *device = open_device(backend, "0000:01:00.0");

	(void)unused;
	assert_int_equal(map(old, IOVA), 0);
	assert_int_equal(map(new, IOVA), 0);
	assert_int_equal(map(new, 2 * IOVA), 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, old), 0);
	assert_int_equal(fake_mappings(), 1);
	/* Once: as it was. */
	fake.fails_request = VFIO_IOMMU_MAP_DMA;
	fake.error = ENOMEM;
	fake.fails_in = 2;
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, new), -ENOMEM);
	assert_int_equal(fake_mappings(), 1);
	fake.fails_in = 2;
	fake.fails_on = true;
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, new), -EIO);
	fake.fails_in = 0;
	assert_int_equal(fake_mappings(), 0);
	/* A part of the old space would be a third thing. */
	assert_int_equal(map(old, 2 * IOVA), 0);
	assert_int_equal(fake_mappings(), 0);
	assert_int_equal(ward_device_detach(device, WARD_PASID_NONE), 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, old), 0);
	assert_int_equal(fake_mappings(), 2);
	ward_device_close(device);
	ward_space_destroy(old);
	ward_space_destroy(new);
	ward_backend_destroy(backend);
}

static void refuse(unsigned long request, unsigned long from)
{
	fake.fails_request = request;
	fake.error = EIO;
	fake.fails_on = true;
	fake.fails_in = from;
}

/* What the kernel does not take out of a container stays there, and nothing is mapped beside it. */
static void not_emptied(void **unused)
{
	struct ward_backend *backend = make();
	struct ward_space *old = space_of(backend), *new = space_of(backend);
	struct ward_device *a = open_device(backend, "0000:01:00.0");
	struct ward_device *b = open_device(backend, "0000:01:00.1");

	(void)unused;
	assert_int_equal(map(old, IOVA), 0);
	assert_int_equal(map(new, 2 * IOVA), 0);
	assert_int_equal(map(new, 3 * IOVA), 0);
	/* Into the first space: the second mapping fails, and so does all that follows. */
	refuse(0, 2);
	assert_int_equal(ward_device_attach(a, WARD_PASID_NONE, new), -EIO);
	assert_int_equal(fake_mappings(), 1);
	assert_int_equal(ward_device_attach(a, WARD_PASID_NONE, old), -EIO);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, old), -EBUSY);
	assert_int_equal(ward_device_detach(a, WARD_PASID_NONE), -EIO);
	assert_int_equal(fake_mappings(), 1);
	fake.fails_in = 0;
	assert_int_equal(ward_device_detach(a, WARD_PASID_NONE), 0);
	assert_int_equal(ward_device_detach(a, WARD_PASID_NONE), -ENOENT);
	assert_int_equal(fake_mappings(), 0);
	/* A move that does not begin. */
	assert_int_equal(ward_device_attach(a, WARD_PASID_NONE, old), 0);
	refuse(VFIO_IOMMU_UNMAP_DMA, 1);
	assert_int_equal(ward_device_attach(a, WARD_PASID_NONE, new), -ENODEV);
	assert_int_equal(map(old, 4 * IOVA), 0);
	assert_int_equal(fake_mappings(), 2);
	/* Its container stays with the other one, who goes into it when it is empty. */
	ward_device_close(a);
	assert_int_equal(fake_mappings(), 2);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, new), -EIO);
	fake.fails_in = 0;
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, new), 0);
	assert_int_equal(fake_mappings(), 2);
	ward_device_close(b);
	ward_space_destroy(old);
	ward_space_destroy(new);
	ward_backend_destroy(backend);
}

/* Two containers in one space: refused by the second, a mapping is in neither. */
static void second_container_refuses(void **unused)
{
	struct ward_backend *backend = make();
	struct ward_space *space = space_of(backend);
	struct ward_device *a = open_device(backend, "0000:01:00.0");
	struct ward_device *b = open_device(backend, "0000:02:00.0");

	(void)unused;
	assert_int_equal(ward_device_attach(a, WARD_PASID_NONE, space), 0);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, space), 0);
	fake.fails_request = VFIO_IOMMU_MAP_DMA;
	fake.error = ENOMEM;
	fake.fails_in = 2;
	assert_int_equal(map(space, IOVA), -ENOMEM);
	assert_int_equal(fake_mappings(), 0);
	assert_int_equal(map(space, IOVA), 0);
	assert_int_equal(fake_mappings(), 2);
	/* The kernel's EIO is none of ours: that is when the first one does not give it back. */
	fake.error = EIO;
	fake.fails_in = 1;
	assert_int_equal(map(space, 2 * IOVA), -ENODEV);
	refuse(0, 2);
	assert_int_equal(map(space, 2 * IOVA), -EIO);
	assert_int_equal(fake_mappings(), 3);
	fake.fails_in = 0;
	assert_int_equal(ward_device_detach(b, WARD_PASID_NONE), 0);
	assert_int_equal(fake_mappings(), 1);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, space), 0);
	ward_device_close(a);
	assert_int_equal(fake_mappings(), 1);
	ward_device_close(b);
	ward_space_destroy(space);
	ward_backend_destroy(backend);
}

/* A refused attach takes nothing out of the space. */
static void refused_attach_changes_nothing(void **unused)
{
	struct ward_backend *backend = make();
	struct ward_space *space = space_of(backend);
	struct ward_device *device = open_device(backend, "0000:01:00.0");
	struct ward_reserved reserved;
	uint32_t cursor = 0;

	(void)unused;
	assert_int_equal(map(space, IOVA), 0);
	fake.fails_request = VFIO_IOMMU_MAP_DMA;
	fake.error = ENOMEM;
	fake.fails_in = 1;
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), -ENOMEM);
	assert_false(ward_space_reserved_next(space, &cursor, &reserved));
	assert_int_equal(map(space, 0xfee00000), 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), -EADDRINUSE);
	assert_int_equal(fake_mappings(), 0);
	ward_device_close(device);
	ward_space_destroy(space);
	ward_backend_destroy(backend);
}

static int open_code(struct ward_backend *backend, unsigned long request, int error,
		     struct ward_error *ret_why)
{
	struct ward_device *device = NULL;
	int code;

	fake.fails_request = request;
	fake.error = error;
	fake.fails_in = 1;
	code = ward_device_open(backend, "0000:01:00.0", &device, ret_why);
	fake.fails_in = 0;
	assert_null(device);
	return code;
}

static void open_says_why(void **unused)
{
	struct ward_backend *backend = make();
	struct ward_error why = { "" };

	(void)unused;
	assert_int_equal(open_code(backend, VFIO_GROUP_SET_CONTAINER, EPERM, &why), -EPERM);
	assert_int_equal(open_code(backend, VFIO_GROUP_SET_CONTAINER, EINVAL, &why), -EPERM);
	assert_non_null(strstr(why.text, "firmware"));
	assert_int_equal(open_code(backend, VFIO_GROUP_SET_CONTAINER, EBUSY, &why), -EBUSY);
	assert_int_equal(open_code(backend, VFIO_GROUP_SET_CONTAINER, ENODEV, &why), -ENODEV);
	assert_int_equal(open_code(backend, VFIO_GROUP_SET_CONTAINER, ENOMEM, &why), -ENOMEM);
	assert_int_equal(open_code(backend, VFIO_GROUP_SET_CONTAINER, EBADF, &why), -EIO);
	assert_int_equal(open_code(backend, VFIO_SET_IOMMU, EPERM, &why), -EPERM);
	assert_int_equal(open_code(backend, VFIO_GROUP_GET_DEVICE_FD, EACCES, &why), -EACCES);
	assert_non_null(strstr(why.text, "token"));
	fake.not_viable = true;
	assert_int_equal(open_code(backend, 1, 0, &why), -EPERM);
	fake.not_viable = false;
	ward_backend_destroy(backend);
}

static uint32_t holes_of(struct ward_backend *backend)
{
	struct ward_device *device = open_device(backend, "0000:01:00.0");
	struct ward_space *space = space_of(backend);
	struct ward_reserved reserved;
	uint32_t cursor = 0;

	if (!device) {
		ward_space_destroy(space);
		return UINT32_MAX;
	}
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), 0);
	while (ward_space_reserved_next(space, &cursor, &reserved))
		;
	ward_device_close(device);
	ward_space_destroy(space);
	return cursor;
}

/* Lengths and offsets of a capability that cannot be true. */
static void lying_capabilities(void **unused)
{
	const uint32_t at = sizeof(struct vfio_iommu_type1_info), next = at + 4, ranges = at + 8;
	struct ward_backend *backend = make();
	uint32_t word;

	(void)unused;
	assert_int_equal(holes_of(backend), 1);
	memcpy(fake.info + ranges, (word = 3, &word), 4);
	assert_int_equal(holes_of(backend), UINT32_MAX);
	memcpy(fake.info + ranges, (word = UINT32_MAX, &word), 4);
	assert_int_equal(holes_of(backend), UINT32_MAX);
	/* Nothing is valid. */
	memcpy(fake.info + ranges, (word = 0, &word), 4);
	assert_int_equal(holes_of(backend), 1);
	/* Of another kind, and the chain goes nowhere, round, and back. */
	for (uint32_t lie = 0; lie < 5; lie++) {
		const uint32_t offsets[] = { 0, at, 1, UINT32_MAX, fake.info_size - 7 };

		fake_plain_info();
		fake.info[at] = 99;
		memcpy(fake.info + next, &offsets[lie], 4);
		assert_int_equal(holes_of(backend), 0);
	}
	fake_plain_info();
	memcpy(fake.info + offsetof(struct vfio_iommu_type1_info, cap_offset),
	       (word = UINT32_MAX, &word), 4);
	assert_int_equal(holes_of(backend), 0);
	fake_plain_info();
	fake.argsz_grows = true;
	assert_int_equal(holes_of(backend), UINT32_MAX);
	ward_backend_destroy(backend);
}

/* Addresses are chosen for a space before anybody is in it: where open groups can have them. */
static void narrow_iommu(void **unused)
{
	const uint32_t ranges = sizeof(struct vfio_iommu_type1_info) +
				sizeof(struct vfio_iommu_type1_info_cap_iova_range);
	const struct vfio_iova_range valid[] = { { 0, 0xfedfffff }, { 0xfef00000, 0x7fffffffff } };
	struct ward_space_options options = { .size = sizeof(options), .kind = WARD_SPACE_DYNAMIC };
	const struct ward_mapping page = { .last = ward_iova(0xfff),
					   .target = ward_target(0x10000),
					   .access = WARD_READ,
					   .type = WARD_NORMAL };
	struct ward_backend *backend = make();
	struct ward_space *space = NULL;
	struct ward_device *device;
	ward_iova_t at = ward_iova(0);

	(void)unused;
	memcpy(fake.info + ranges, valid, sizeof(valid));
	device = open_device(backend, "0000:01:00.0");
	assert_int_equal(ward_backend_space(backend, &options, &space), 0);
	assert_int_equal(ward_space_map_any(space, &page, ward_iova(UINT64_MAX), &at), 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), 0);
	assert_true(ward_iova_raw(at) == 0x7ffffff000);
	assert_int_equal(fake_mappings(), 1);
	ward_device_close(device);
	ward_space_destroy(space);
	ward_backend_destroy(backend);
}

static void space_without_a_backend(void **unused)
{
	struct ward_backend *backend = make();
	struct ward_space *space = space_of(backend);

	(void)unused;
	assert_int_equal(map(space, IOVA), 0);
	ward_backend_destroy(backend);
	assert_int_equal(map(space, 2 * IOVA), -EIO);
	assert_int_equal(ward_space_unmap_all(space), 0);
	ward_space_destroy(space);
}

/* The second of a group is where the first one is, before it was put anywhere. */
static void second_of_a_group(void **unused)
{
	struct ward_backend *backend = make();
	struct ward_space *one = space_of(backend), *two = space_of(backend);
	struct ward_device *a = open_device(backend, "0000:01:00.0");
	struct ward_device *b = open_device(backend, "0000:01:00.1");

	(void)unused;
	assert_non_null(b);
	assert_null(open_device(backend, "01:00.1"));
	assert_int_equal(map(one, IOVA), 0);
	assert_int_equal(ward_device_attach(a, WARD_PASID_NONE, one), 0);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, two), -EBUSY);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, one), 0);
	assert_int_equal(fake_mappings(), 1);
	assert_int_equal(ward_device_attach(a, WARD_PASID_NONE, two), -EBUSY);
	ward_device_close(a);
	assert_int_equal(fake_mappings(), 1);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, two), 0);
	assert_int_equal(fake_mappings(), 0);
	ward_device_close(b);
	ward_space_destroy(one);
	ward_space_destroy(two);
	ward_backend_destroy(backend);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(moving_back_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(not_emptied, setup, teardown),
		cmocka_unit_test_setup_teardown(second_container_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_attach_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(open_says_why, setup, teardown),
		cmocka_unit_test_setup_teardown(lying_capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(narrow_iommu, setup, teardown),
		cmocka_unit_test_setup_teardown(space_without_a_backend, setup, teardown),
		cmocka_unit_test_setup_teardown(second_of_a_group, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
