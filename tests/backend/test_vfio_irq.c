// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Interrupts over VFIO: what goes to the kernel, what is remembered of it, and the MSI-X table. What the
 * kernel makes of it is for the contract in the test machines.
 */
#include "../../backend/device.h"
#include "../../backend/linux/vfio_group.h"
#include "fake_vfio.h"

#include <doorward/backend.h>
#include <doorward/irq.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define EVENTFDS 4
#define CONFIG 7u
#define TABLE_BAR 1u

struct rig {
	struct ward_backend *backend;
	struct ward_space *space;
	struct ward_device *device;
	int32_t eventfd[EVENTFDS];
};

static struct rig rig;

static int setup(void **state)
{
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };

	(void)state;
	fake_make();
	memset(&rig, 0, sizeof(rig));
	for (unsigned int i = 0; i < EVENTFDS; i++)
		rig.eventfd[i] = eventfd(0, EFD_CLOEXEC);
	if (ward_backend_vfio_group(fake.devfd, fake.sysfd, &rig.backend, NULL) ||
	    ward_backend_space(rig.backend, &options, &rig.space) ||
	    ward_device_open(rig.backend, "0000:01:00.0", &rig.device, NULL))
		return -1;
	return ward_device_attach(rig.device, WARD_PASID_NONE, rig.space);
}

static int teardown(void **state)
{
	(void)state;
	ward_device_close(rig.device);
	ward_space_destroy(rig.space);
	ward_backend_destroy(rig.backend);
	for (unsigned int i = 0; i < EVENTFDS; i++)
		close(rig.eventfd[i]);
	fake_remove();
	return 0;
}

static int trigger(uint32_t index, uint32_t start, uint32_t count, const int32_t *fds)
{
	const struct ward_irq_set set = {
		.flags = WARD_IRQ_TRIGGER | (fds ? WARD_IRQ_DATA_EVENTFD : WARD_IRQ_DATA_NONE),
		.index = index,
		.start = start,
		.count = count,
		.data = fds,
		.data_size = fds ? count * sizeof(*fds) : 0,
	};

	return ward_device_set_irqs(rig.device, &set);
}

static struct ward_host_irq irq_of(uint32_t index, uint32_t vector)
{
	struct ward_host_irq irq = { 0 };

	assert_int_equal(ward_device_irq(rig.device, index, vector, &irq), 0);
	return irq;
}

static int override(uint32_t start, uint32_t count, uint64_t first, struct ward_error *ret_why)
{
	ward_iova_t iovas[FAKE_MSIX];

	for (uint32_t i = 0; i < count; i++)
		iovas[i] = ward_iova(first + i * 16);
	return ward_device_set_messages(rig.device, WARD_MESSAGE_OVERRIDE, WARD_IRQS_MSIX, start,
					count, iovas, ret_why);
}

/* What is there when a nested guest chose: checked addresses of one space are the kernel's here. */
static void pretend(uint32_t vector, uint64_t address)
{
	struct ward_vfio_device *device = rig.device->context;
	struct ward_vfio_vector *at = &device->irqs[WARD_IRQS_MSIX].vector[vector];

	at->address = ward_iova(address);
	assert_int_equal(ward_vfio_table_write(device, vector, at->address), 0);
}

static void describes(void **unused)
{
	static const uint32_t counts[] = { 1, 4, FAKE_MSIX, 0, 1 };
	struct ward_irq_info info;

	(void)unused;
	for (uint32_t i = 0; i < WARD_IRQS_COUNT; i++) {
		assert_int_equal(ward_device_irq_info(rig.device, i, &info), 0);
		assert_int_equal(info.count, counts[i]);
		assert_int_equal(info.flags, counts[i] ? WARD_IRQ_INFO_EVENTFD : 0);
	}
	assert_int_equal(ward_device_irq_info(rig.device, WARD_IRQS_COUNT, &info), -EINVAL);
	fake.fails_in = 1;
	fake.error = ENODEV;
	assert_int_equal(ward_device_irq_info(rig.device, 0, &info), -EIO);
}

/* As bytes: what the kernel gets is its structure, and no data more than it needs. */
static void passes_on(void **unused)
{
	const unsigned char yes_no[4] = { 1, 0, 1, 9 };
	struct ward_irq_set set = {
		.flags = WARD_IRQ_TRIGGER | WARD_IRQ_DATA_BOOL,
		.index = WARD_IRQS_MSI,
		.start = 1,
		.count = 3,
		.data = yes_no,
		.data_size = sizeof(yes_no),
	};
	struct vfio_irq_set seen;

	(void)unused;
	assert_int_equal(ward_device_set_irqs(rig.device, &set), 0);
	memcpy(&seen, fake.set, sizeof(seen));
	assert_int_equal(seen.argsz, sizeof(seen) + 3);
	assert_int_equal(seen.flags, VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_BOOL);
	assert_int_equal(seen.index, VFIO_PCI_MSI_IRQ_INDEX);
	assert_int_equal(seen.start, 1);
	assert_int_equal(seen.count, 3);
	assert_memory_equal(fake.set + sizeof(seen), yes_no, 3);
	assert_int_equal(trigger(WARD_IRQS_MSI, 2, 2, rig.eventfd), 0);
	memcpy(&seen, fake.set, sizeof(seen));
	assert_int_equal(seen.argsz, sizeof(seen) + 2 * sizeof(int32_t));
	assert_memory_equal(fake.set + sizeof(seen), rig.eventfd, 2 * sizeof(int32_t));
	set = (struct ward_irq_set){ .flags = WARD_IRQ_UNMASK | WARD_IRQ_DATA_NONE,
				     .index = WARD_IRQS_INTX,
				     .count = 1 };
	assert_int_equal(ward_device_set_irqs(rig.device, &set), 0);
	memcpy(&seen, fake.set, sizeof(seen));
	assert_int_equal(seen.flags, VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_NONE);
}

static void remembers(void **unused)
{
	const int32_t bad[3] = { rig.eventfd[3], 9999, rig.eventfd[3] }, off = -1;

	(void)unused;
	assert_false(irq_of(WARD_IRQS_MSIX, 0).allocated);
	assert_int_equal(irq_of(WARD_IRQS_MSIX, 0).eventfd, -1);
	assert_int_equal(trigger(WARD_IRQS_MSIX, 1, 3, rig.eventfd), 0);
	assert_true(irq_of(WARD_IRQS_MSIX, 0).allocated);
	assert_int_equal(irq_of(WARD_IRQS_MSIX, 0).eventfd, -1);
	for (uint32_t i = 1; i < 4; i++) {
		struct ward_host_irq irq = irq_of(WARD_IRQS_MSIX, i);

		assert_true(irq.allocated);
		assert_int_equal(irq.eventfd, rig.eventfd[i - 1]);
		assert_true(irq.message_known);
		assert_false(irq.prepared);
		assert_int_equal(ward_iova_raw(irq.message.address), 0xfee00000 + i * 16);
		assert_int_equal(irq.message.data, 0x40 + i);
		assert_int_equal(irq.number, WARD_NONE);
		assert_int_equal(irq.controller, WARD_NONE);
	}
	assert_false(irq_of(WARD_IRQS_MSIX, 4).allocated);
	/* A vector that comes later is alone (dynamic MSI-X). */
	assert_int_equal(trigger(WARD_IRQS_MSIX, 6, 1, rig.eventfd), 0);
	assert_true(irq_of(WARD_IRQS_MSIX, 6).allocated);
	assert_false(irq_of(WARD_IRQS_MSIX, 5).allocated);
	assert_int_equal(trigger(WARD_IRQS_MSIX, 2, 1, &off), 0);
	assert_int_equal(irq_of(WARD_IRQS_MSIX, 2).eventfd, -1);
	assert_true(irq_of(WARD_IRQS_MSIX, 2).allocated);
	/* Gone up to the one that was refused. */
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 3, bad), -EBADF);
	assert_int_equal(irq_of(WARD_IRQS_MSIX, 0).eventfd, -1);
	assert_int_equal(irq_of(WARD_IRQS_MSIX, 1).eventfd, -1);
	assert_int_equal(irq_of(WARD_IRQS_MSIX, 3).eventfd, rig.eventfd[2]);
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 0, NULL), 0);
	for (uint32_t i = 0; i < FAKE_MSIX; i++)
		assert_false(irq_of(WARD_IRQS_MSIX, i).allocated);
	/* A first enable that fails leaves nothing. */
	assert_int_equal(trigger(WARD_IRQS_MSI, 0, 3, bad), -EBADF);
	assert_false(irq_of(WARD_IRQS_MSI, 0).allocated);
	assert_int_equal(irq_of(WARD_IRQS_MSI, 0).eventfd, -1);
	/* VFIO hides what MSI writes. */
	assert_int_equal(trigger(WARD_IRQS_MSI, 0, 1, rig.eventfd), 0);
	assert_false(irq_of(WARD_IRQS_MSI, 0).message_known);
}

static void fewer(void **unused)
{
	(void)unused;
	fake.vectors_left = 2;
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 4, rig.eventfd), 2);
	assert_false(irq_of(WARD_IRQS_MSIX, 0).allocated);
}

static void errnos(void **unused)
{
	static const int same[] = { EINVAL, ENOTTY, EBADF, EBUSY, ENOSPC, ERANGE, ENODEV, ENOMEM };

	(void)unused;
	fake.fails_request = VFIO_DEVICE_SET_IRQS;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		fake.fails_in = 1;
		fake.error = same[i];
		assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 1, rig.eventfd), -same[i]);
	}
	fake.fails_in = 1;
	fake.error = EFAULT;
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 1, rig.eventfd), -EIO);
}

static void message_refused(void **unused)
{
	const ward_iova_t iova = ward_iova(0xfee00000);
	const struct ward_mapping memory = { .start = ward_iova(0x100000),
					     .last = ward_iova(0x100fff),
					     .target = ward_target(0x10000),
					     .access = WARD_READ | WARD_WRITE,
					     .type = WARD_NORMAL };
	struct ward_error why = { "" };

	(void)unused;
	assert_int_equal(ward_device_set_messages(rig.device, WARD_MESSAGE_PREPARE, WARD_IRQS_MSIX,
						  0, 1, &iova, &why),
			 -EOPNOTSUPP);
	assert_int_equal(ward_device_set_messages(rig.device, WARD_MESSAGE_OVERRIDE, WARD_IRQS_MSI,
						  0, 1, &iova, &why),
			 -EOPNOTSUPP);
	assert_int_equal(override(0, 1, 0xfee00000, &why), -EINVAL);
	assert_non_null(strstr(why.text, "not enabled"));
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 2, rig.eventfd), 0);
	assert_int_equal(override(1, 2, 0xfee00010, &why), -EINVAL);
	assert_int_equal(override(0, 2, 0xfee00010, &why), -EFAULT);
	assert_non_null(strstr(why.text, "vector 0, 0xfee00010: in the window"));
	assert_non_null(strstr(why.text, "0xfee00000"));
	assert_int_equal(override(0, 1, 0x100000, &why), -EFAULT);
	assert_non_null(strstr(why.text, "nothing is mapped"));
	assert_int_equal(ward_space_map(rig.space, &memory), 0);
	assert_int_equal(override(0, 1, 0x100040, &why), -EFAULT);
	assert_non_null(strstr(why.text, "memory"));
	assert_false(irq_of(WARD_IRQS_MSIX, 0).prepared);
	assert_int_equal(fake_table(0, 0), 0xfee00000);
	assert_int_equal(ward_device_detach(rig.device, WARD_PASID_NONE), 0);
	assert_int_equal(override(0, 1, 0xfee00000, &why), -EINVAL);
}

static void message_stays(void **unused)
{
	const uint16_t command = 6;
	struct ward_error why = { "" };

	(void)unused;
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 3, rig.eventfd), 0);
	assert_int_equal(override(1, 2, 0xfee00010, &why), 0);
	assert_true(irq_of(WARD_IRQS_MSIX, 1).prepared);
	assert_false(irq_of(WARD_IRQS_MSIX, 0).prepared);
	pretend(1, UINT64_C(0x123458000040));
	assert_int_equal(fake_table(1, 0), 0x58000040);
	assert_int_equal(fake_table(1, 1), 0x1234);
	assert_int_equal(fake_table(1, 2), 0x41);
	assert_int_equal(fake_table(1, 3), 0);
	/* The kernel writes its own each time; others are left alone. */
	assert_int_equal(trigger(WARD_IRQS_MSIX, 1, 1, rig.eventfd), 0);
	assert_int_equal(fake_table(1, 0), 0x58000040);
	assert_int_equal(fake_table(0, 0), 0xfee00000);
	assert_int_equal(ward_device_reset(rig.device), 0);
	assert_int_equal(fake_table(1, 0), 0x58000040);
	assert_true(irq_of(WARD_IRQS_MSIX, 1).prepared);
	/* A reset by way of config space. */
	fake_write(TABLE_BAR, 0x7f0 + 16, 0xfee00010);
	fake_write(TABLE_BAR, 0x7f0 + 20, 0);
	assert_false(irq_of(WARD_IRQS_MSIX, 1).prepared);
	assert_int_equal(ward_device_write(rig.device, CONFIG, 4, &command, sizeof(command)), 0);
	assert_int_equal(fake_table(1, 0), 0x58000040);
	/* Disabled: forgotten. */
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 0, NULL), 0);
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 3, rig.eventfd), 0);
	assert_int_equal(fake_table(1, 0), 0xfee00010);
	assert_false(irq_of(WARD_IRQS_MSIX, 1).prepared);
}

/* The kernel gave the vector another message: what was checked against the old one is given up. */
static void message_given_up(void **unused)
{
	(void)unused;
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 2, rig.eventfd), 0);
	assert_int_equal(override(0, 2, 0xfee00000, NULL), 0);
	fake.kernels = 0xfee10000;
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 1, rig.eventfd), 0);
	assert_int_equal(fake_table(0, 0), 0xfee10000);
	assert_false(irq_of(WARD_IRQS_MSIX, 0).prepared);
	assert_true(irq_of(WARD_IRQS_MSIX, 1).prepared);
	assert_int_equal(override(0, 1, 0xfee10000, NULL), 0);
	assert_true(irq_of(WARD_IRQS_MSIX, 0).prepared);
}

/* To touch the table then would end the process. */
static void not_decoding(void **unused)
{
	struct ward_error why = { "" };

	(void)unused;
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 2, rig.eventfd), 0);
	assert_int_equal(override(0, 1, 0xfee00000, &why), 0);
	fake_write(CONFIG, 4, 4);
	assert_int_equal(override(0, 1, 0xfee00000, &why), -EIO);
	assert_non_null(strstr(why.text, "decode"));
	assert_false(irq_of(WARD_IRQS_MSIX, 0).message_known);
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 1, rig.eventfd), 0);
	assert_int_equal(ward_device_reset(rig.device), 0);
	fake_write(CONFIG, 4, 6);
	assert_true(irq_of(WARD_IRQS_MSIX, 0).message_known);
	fake_write(CONFIG, 0x44, 3);
	assert_false(irq_of(WARD_IRQS_MSIX, 0).message_known);
	fake_write(CONFIG, 0x44, 0);
	assert_true(irq_of(WARD_IRQS_MSIX, 0).prepared);
}

static int table_code(void)
{
	struct ward_device *device = NULL;
	int32_t fd = rig.eventfd[0];
	int code;

	/* A table is looked for once for each open. */
	ward_device_close(rig.device);
	rig.device = NULL;
	fake.active = 0;
	assert_int_equal(ward_device_open(rig.backend, "0000:01:00.0", &device, NULL), 0);
	rig.device = device;
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, rig.space), 0);
	assert_int_equal(trigger(WARD_IRQS_MSIX, 0, 1, &fd), 0);
	code = override(0, 1, 0xfee00000, NULL);
	if (code == -EOPNOTSUPP)
		assert_false(irq_of(WARD_IRQS_MSIX, 0).message_known);
	return code;
}

static void no_table(void **unused)
{
	(void)unused;
	assert_int_equal(table_code(), 0);
	fake.table_hidden = true;
	assert_int_equal(table_code(), -EOPNOTSUPP);
	fake.table_hidden = false;
	fake.table_odd = true;
	assert_int_equal(table_code(), -EOPNOTSUPP);
	fake.table_odd = false;
	fake.region_grows = true;
	assert_int_equal(table_code(), -EIO);
	fake.region_grows = false;
	/* Beyond its BAR; in a BAR that cannot be; a chain that goes round; no capability. */
	fake_write(CONFIG, 0x54, 0xf90 | TABLE_BAR);
	assert_int_equal(table_code(), -EOPNOTSUPP);
	fake_write(CONFIG, 0x54, 0x7f0 | 6);
	assert_int_equal(table_code(), -EOPNOTSUPP);
	fake_write(CONFIG, 0x54, 0x7f0 | TABLE_BAR);
	fake_write(CONFIG, 0x40, 0x4001);
	assert_int_equal(table_code(), -EOPNOTSUPP);
	fake_write(CONFIG, 0x34, 0);
	assert_int_equal(table_code(), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(describes, setup, teardown),
		cmocka_unit_test_setup_teardown(passes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(remembers, setup, teardown),
		cmocka_unit_test_setup_teardown(fewer, setup, teardown),
		cmocka_unit_test_setup_teardown(errnos, setup, teardown),
		cmocka_unit_test_setup_teardown(message_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(message_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(message_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(not_decoding, setup, teardown),
		cmocka_unit_test_setup_teardown(no_table, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
