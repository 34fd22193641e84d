// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The MSI-X table of a real device through its BAR: what is written there is where messages go, until
 * the kernel writes it. A page of memory stands for the address of a guest: a message that arrives
 * there was translated by the IOMMU, and raises nothing.
 * Arguments: 0000:02:00.0, an e1000e.
 */
#include "contracts.h"
#include "devices.h"

#include "../../backend/device.h"
#include "../../backend/linux/vfio_group.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#define PAGE 0x1000u
#define IOVA 0x2000000u
#define SLOT 0x40u
#define VECTORS 3u

static struct {
	struct ward_backend *backend;
	struct ward_space *space;
	struct ward_device *device;
	unsigned char *page;
	int32_t eventfd[VECTORS];
	bool failed;
} rig;

static void expect(bool met, const char *text)
{
	if (met)
		return;
	contract_says(NULL, text);
	rig.failed = true;
}

static void done(const char *name)
{
	contract_done(name, rig.failed);
	rig.failed = false;
}

static int trigger(uint32_t start, uint32_t count, const int32_t *fds)
{
	const struct ward_irq_set set = {
		.flags = WARD_IRQ_TRIGGER | (fds ? WARD_IRQ_DATA_EVENTFD : WARD_IRQ_DATA_NONE),
		.index = WARD_IRQS_MSIX,
		.start = start,
		.count = count,
		.data = fds,
		.data_size = fds ? count * sizeof(*fds) : 0,
	};

	return ward_device_set_irqs(rig.device, &set);
}

/* Waits for it, for up to two seconds. */
static bool rings(uint32_t vector)
{
	struct pollfd one = { .fd = rig.eventfd[vector], .events = POLLIN };
	eventfd_t count;

	return poll(&one, 1, 2000) == 1 && eventfd_read(one.fd, &count) == 0;
}

static bool is_silent(uint32_t vector)
{
	eventfd_t count;

	device_settle();
	return eventfd_read(rig.eventfd[vector], &count) < 0 && errno == EAGAIN;
}

static uint32_t take_written(void)
{
	volatile uint32_t *slot = (volatile uint32_t *)(void *)(rig.page + SLOT);
	uint32_t value;

	for (int i = 0; i < 400 && *slot == UINT32_MAX; i++)
		device_settle();
	value = *slot;
	*slot = UINT32_MAX;
	return value;
}

static struct ward_host_irq irq_of(uint32_t vector)
{
	struct ward_host_irq irq = { 0 };

	expect(ward_device_irq(rig.device, WARD_IRQS_MSIX, vector, &irq) == 0,
	       "a vector cannot be looked at");
	return irq;
}

static bool open_rig(const char *name)
{
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };
	struct ward_mapping mapping = { .start = ward_iova(IOVA),
					.last = ward_iova(IOVA + PAGE - 1),
					.access = WARD_READ | WARD_WRITE,
					.type = WARD_NORMAL };

	rig.backend = contract_backend();
	rig.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!rig.backend || rig.page == MAP_FAILED)
		return false;
	memset(rig.page, 0xff, PAGE);
	mapping.target = ward_target((uintptr_t)rig.page);
	for (uint32_t i = 0; i < VECTORS; i++)
		rig.eventfd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return ward_backend_space(rig.backend, &options, &rig.space) == 0 &&
	       ward_space_map(rig.space, &mapping) == 0 &&
	       ward_device_open(rig.backend, name, &rig.device, NULL) == 0 &&
	       device_ready(rig.device) &&
	       ward_device_attach(rig.device, WARD_PASID_NONE, rig.space) == 0;
}

static void vectors_ring(void)
{
	expect(trigger(0, VECTORS, rig.eventfd) == 0, "vectors cannot be enabled");
	for (uint32_t i = 0; i < VECTORS; i++) {
		expect(device_raise(rig.device, WARD_IRQS_MSIX, i), "the device cannot raise");
		expect(rings(i), "an interrupt does not arrive");
		expect(irq_of(i).message_known, "the message is not known");
	}
	expect(is_silent(0) && is_silent(1) && is_silent(2), "another vector rings as well");
	done("vectors of the table ring");
}

static void kernels_address(void)
{
	const ward_iova_t kernels = irq_of(1).message.address;
	const ward_iova_t wrong = ward_iova(ward_iova_raw(kernels) + 0x1000);
	const ward_iova_t memory = ward_iova(IOVA + SLOT);
	struct ward_error why = { "" };

	expect(ward_device_set_messages(rig.device, WARD_MESSAGE_OVERRIDE, WARD_IRQS_MSIX, 1, 1,
					&kernels, &why) == 0,
	       "the address of the doorbell is refused");
	contract_says(NULL, why.text);
	expect(irq_of(1).prepared, "it is not said to be replaced");
	expect(device_raise(rig.device, WARD_IRQS_MSIX, 1) && rings(1), "it does not ring now");
	expect(ward_device_set_messages(rig.device, WARD_MESSAGE_OVERRIDE, WARD_IRQS_MSIX, 1, 1,
					&wrong, &why) == -EFAULT,
	       "a page beside it is not refused");
	contract_says(NULL, why.text);
	expect(ward_device_set_messages(rig.device, WARD_MESSAGE_OVERRIDE, WARD_IRQS_MSIX, 1, 1,
					&memory, &why) == -EFAULT,
	       "memory is not refused");
	contract_says(NULL, why.text);
	done("an address has to be that of the doorbell");
}

/* Past the check: what the check is for. */
static void goes_to_memory(void)
{
	struct ward_vfio_device *device = rig.device->context;

	expect(ward_vfio_table_write(device, 1, ward_iova(IOVA + SLOT)) == 0,
	       "the entry does not keep an address");
	expect(device_raise(rig.device, WARD_IRQS_MSIX, 1), "the device cannot raise");
	expect(take_written() == irq_of(1).message.data, "the message is not in memory");
	expect(is_silent(1), "it rings all the same");
	expect(device_raise(rig.device, WARD_IRQS_MSIX, 2) && rings(2),
	       "another vector does not ring any more");
	done("a message goes where its entry says");
}

static void comes_back(const char *name)
{
	expect(device_raise(rig.device, WARD_IRQS_MSIX, 1), "the device cannot raise");
	expect(take_written() == irq_of(1).message.data, "the message is not in memory");
	expect(is_silent(1), "it rings all the same");
	done(name);
}

static void stays(void)
{
	struct ward_vfio_device *device = rig.device->context;
	struct ward_device_info info = { 0 };
	uint16_t command = 0;

	/* As if it had been checked. */
	device->irqs[WARD_IRQS_MSIX].vector[1].address = ward_iova(IOVA + SLOT);
	expect(trigger(1, 1, &rig.eventfd[1]) == 0, "the vector cannot be set again");
	comes_back("an address stays when its vector is set again");
	(void)ward_device_info(rig.device, &info);
	if (!info.resets)
		return;
	expect(ward_device_reset(rig.device) == 0, "the device cannot be reset");
	expect(device_ready(rig.device), "the command register cannot be written");
	expect(ward_device_read(rig.device, 7, 4, &command, 2) == 0 && command & 2,
	       "memory is not decoded");
	comes_back("an address stays after a reset");
}

static void forgotten(void)
{
	expect(trigger(0, 0, NULL) == 0, "vectors cannot be disabled");
	expect(!irq_of(1).allocated && !irq_of(1).prepared, "a vector is still there");
	expect(trigger(0, VECTORS, rig.eventfd) == 0, "vectors cannot be enabled again");
	expect(!irq_of(1).prepared, "the address is still said to be replaced");
	expect(device_raise(rig.device, WARD_IRQS_MSIX, 1) && rings(1), "it does not ring now");
	done("an address goes when vectors are disabled");
}

int table_contract(int argc, char **argv)
{
	if (argc != 1)
		return 2;
	if (!open_rig(argv[0])) {
		contract_says(NULL, "the device cannot be used");
		return 1;
	}
	vectors_ring();
	kernels_address();
	goes_to_memory();
	stays();
	forgotten();
	ward_device_close(rig.device);
	ward_space_destroy(rig.space);
	ward_backend_destroy(rig.backend);
	return 0;
}
