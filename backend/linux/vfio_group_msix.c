// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The hardware's MSI-X table. vfio-pci hides it from read and write, but lets it be mapped where a region
 * has the capability MSIX_MAPPABLE (Linux 4.16): what a message can do is then for the IOMMU and the
 * interrupt controller to say. Table: PCI 3.0, 6.8.2.
 */
#include "vfio_group.h"

#include "base/error.h"
#include "base/fault.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CONFIG 7u
#define COMMAND 0x04u
#define COMMAND_MEMORY 0x2u
#define FIRST_CAPABILITY 0x34u
#define ID_POWER 0x01u
#define ID_MSIX 0x11u
#define ENTRY_WORDS 4u
#define ENTRY_BYTES 16u
#define CONTROL_MASKED 0x1u
/* The kernel says how much it needs; more than this it never does. */
#define INFO_BYTES_MAX 65536u

static int read_config(const struct ward_vfio_device *device, uint32_t offset, void *ret_bytes,
		       size_t size)
{
	return pread(device->fd, ret_bytes, size,
		     (off_t)(device->region[CONFIG].offset + offset)) == (ssize_t)size
		       ? 0
		       : -EIO;
}

static uint16_t config16(const struct ward_vfio_device *device, uint32_t offset)
{
	uint16_t word = 0;

	return read_config(device, offset, &word, sizeof(word)) ? 0 : le16toh(word);
}

/* 0: there is none. A chain has at most 48 members. */
static uint32_t capability(const struct ward_vfio_device *device, uint8_t id)
{
	uint32_t at = config16(device, FIRST_CAPABILITY) & 0xfcu;

	for (int i = 0; i < 48 && at; i++) {
		uint16_t head = config16(device, at);

		if ((head & 0xff) == id)
			return at;
		at = head >> 8 & 0xfcu;
	}
	return 0;
}

/* Whether a region lets its MSI-X table be mapped. */
static int check_mappable(const struct ward_vfio_device *device, uint32_t bar)
{
	struct vfio_region_info *region = NULL;
	uint32_t size = sizeof(*region);
	int code = -EIO;

	for (int tries = 0; tries < 3 && size <= INFO_BYTES_MAX; tries++) {
		uint32_t room = size;

		free(region);
		region = ward_alloc(size);
		if (!region)
			return -ENOMEM;
		region->argsz = size;
		region->index = bar;
		if (ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, region) < 0)
			break;
		size = region->argsz;
		if (size > room)
			continue;
		code = region->flags & VFIO_REGION_INFO_FLAG_MMAP &&
				       region->flags & VFIO_REGION_INFO_FLAG_CAPS &&
				       ward_vfio_find_capability(region, room, region->cap_offset,
								 VFIO_REGION_INFO_CAP_MSIX_MAPPABLE)
			       ? 0
			       : -EOPNOTSUPP;
		break;
	}
	free(region);
	return code;
}

static int map_table(struct ward_vfio_device *device, uint32_t bar, uint32_t offset, uint32_t count)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), start = offset & ~(page - 1);
	uint64_t end = offset + (uint64_t)count * ENTRY_BYTES;
	uint64_t size = (end - start + page - 1) & ~(page - 1);
	struct ward_vfio_table *table = &device->table;
	void *mapped;

	if (bar > 5 || end > device->region[bar].size)
		return -EOPNOTSUPP;
	mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, device->fd,
		      (off_t)(device->region[bar].offset + start));
	if (mapped == MAP_FAILED)
		return errno == ENOMEM ? -ENOMEM : -EOPNOTSUPP;
	table->mapped = mapped;
	table->mapped_size = size;
	table->entries = (volatile uint32_t *)(table->mapped + (offset - start));
	table->count = count;
	return 0;
}

static int look(struct ward_vfio_device *device)
{
	uint32_t at = capability(device, ID_MSIX), where = 0;
	int code;

	if (!at || read_config(device, at + 4, &where, sizeof(where)))
		return -EOPNOTSUPP;
	where = le32toh(where);
	code = check_mappable(device, where & 7);
	if (code)
		return code;
	device->table.power = capability(device, ID_POWER);
	return map_table(device, where & 7, where & ~7u, (config16(device, at + 2) & 0x7ffu) + 1);
}

/*
 * The table, ready to be touched. Without memory decoding, or in a deep power state, the kernel takes
 * the mapping away, and to touch it would end the process (SIGBUS).
 */
static int ready(struct ward_vfio_device *device)
{
	struct ward_vfio_table *table = &device->table;

	if (!table->looked || table->code == -ENOMEM) {
		table->code = look(device);
		table->looked = true;
	}
	if (table->code)
		return table->code;
	if (!(config16(device, COMMAND) & COMMAND_MEMORY))
		return -EIO;
	return table->power && config16(device, table->power + 4) & 3u ? -EIO : 0;
}

static ward_iova_t address_at(volatile const uint32_t *entry)
{
	return ward_iova((uint64_t)le32toh(entry[1]) << 32 | le32toh(entry[0]));
}

int ward_vfio_table_read(struct ward_vfio_device *device, uint32_t vector,
			 struct ward_message *ret_message)
{
	volatile const uint32_t *entry;
	int code = ready(device);

	if (code)
		return code;
	if (vector >= device->table.count)
		return -EIO;
	entry = device->table.entries + (size_t)vector * ENTRY_WORDS;
	ret_message->address = address_at(entry);
	ret_message->data = le32toh(entry[2]);
	return 0;
}

static void put_address(volatile uint32_t *entry, ward_iova_t address)
{
	uint64_t raw = ward_iova_raw(address);

	entry[0] = htole32((uint32_t)raw);
	entry[1] = htole32((uint32_t)(raw >> 32));
}

/*
 * An entry may be changed only while it is masked: a function may have its message in a cache. What is
 * raised meanwhile is pending, and goes out when the mask bit is as it was.
 */
int ward_vfio_table_write(struct ward_vfio_device *device, uint32_t vector, ward_iova_t address)
{
	volatile uint32_t *entry;
	uint32_t control;
	ward_iova_t old;
	int code = ready(device);

	if (code)
		return code;
	if (vector >= device->table.count)
		return -EIO;
	entry = device->table.entries + (size_t)vector * ENTRY_WORDS;
	old = address_at(entry);
	control = entry[3];
	entry[3] = control | htole32(CONTROL_MASKED);
	put_address(entry, address);
	if (address_at(entry) != address) {
		put_address(entry, old);
		code = -EIO;
	}
	entry[3] = control;
	return code;
}

/* One vector whose address was replaced, after the kernel may have written its entry. */
static int replace_one(struct ward_vfio_device *device, uint32_t number)
{
	struct ward_vfio_vector *vector = &device->irqs[WARD_IRQS_MSIX].vector[number];
	struct ward_message message;
	int code = ward_vfio_table_read(device, number, &message);

	if (code || message.address == vector->address)
		return code;
	if (message.address == vector->kernels)
		return ward_vfio_table_write(device, number, vector->address);
	/* The kernel has moved the interrupt (x86, another CPU): what was checked holds no more. */
	vector->replaced = false;
	device->replaced--;
	return 0;
}

int ward_vfio_replace_again(struct ward_vfio_device *device, uint32_t start, uint32_t count)
{
	const struct ward_vfio_vectors *vectors = &device->irqs[WARD_IRQS_MSIX];

	if (!device->replaced || !(config16(device, COMMAND) & COMMAND_MEMORY))
		return 0;
	for (uint32_t i = start; i - start < count && i < vectors->count; i++)
		if (vectors->vector[i].replaced && replace_one(device, i))
			return -EIO;
	return 0;
}

/* In words, what is at an address that is not the doorbell; the space is as its mappings say. */
static int refuse_address(const struct ward_vfio_device *device, uint32_t vector,
			  ward_iova_t address, ward_iova_t kernels, struct ward_error *error)
{
	unsigned long long at = ward_iova_raw(address), doorbell = ward_iova_raw(kernels);
	const struct ward_space *space = device->group->space;
	struct ward_translation found;
	struct ward_reserved reserved;
	uint32_t cursor = 0;

	if (!space)
		return ward_fail(error, -EFAULT,
				 "vector %u, 0x%llx: the device is in no space: every DMA faults",
				 vector, at);
	while (ward_space_reserved_next(space, &cursor, &reserved))
		if (ward_range_has(reserved.range, at))
			return ward_fail(error, -EFAULT,
					 "vector %u, 0x%llx: in the window of doorbells, where the "
					 "kernel has the doorbell of this vector's controller at "
					 "0x%llx and nothing else for it",
					 vector, at, doorbell);
	if (ward_space_translate(space, NULL, WARD_PASID_NONE, address, WARD_WRITE, &found, NULL))
		return ward_fail(error, -EFAULT,
				 "vector %u, 0x%llx: nothing is mapped there: the DMA faults; the "
				 "doorbell is at 0x%llx",
				 vector, at, doorbell);
	return ward_fail(
		error, -EFAULT,
		"vector %u, 0x%llx: leads to memory, no doorbell; the doorbell is at 0x%llx",
		vector, at, doorbell);
}

/*
 * The doorbell page is mapped by the kernel, when it composes the message of a vector: so what
 * the kernel wrote into the table is the one address of this space that leads to the register of
 * the vector's own controller. On x86 another address of the window is another message.
 */
static int check_messages(struct ward_vfio_device *device, uint32_t start, uint32_t count,
			  const ward_iova_t *iovas, struct ward_error *error)
{
	struct ward_vfio_vectors *vectors = &device->irqs[WARD_IRQS_MSIX];

	for (uint32_t i = 0; i < count; i++) {
		struct ward_vfio_vector *vector;
		struct ward_message message;

		if (start + i >= vectors->count || !vectors->vector[start + i].allocated)
			return ward_fail(error, -EINVAL, "vector %u is not enabled", start + i);
		vector = &vectors->vector[start + i];
		if (!vector->replaced) {
			int code = ward_vfio_table_read(device, start + i, &message);

			if (code)
				return ward_fail(error, code == -ENOMEM ? code : -EIO,
						 "vector %u: its entry cannot be read", start + i);
			vector->kernels = message.address;
		}
		if (iovas[i] != vector->kernels)
			return refuse_address(device, start + i, iovas[i], vector->kernels, error);
	}
	return 0;
}

static void restore(struct ward_vfio_device *device, uint32_t start, uint32_t count)
{
	struct ward_vfio_vector *vector = device->irqs[WARD_IRQS_MSIX].vector + start;

	for (uint32_t i = 0; i < count; i++)
		(void)ward_vfio_table_write(device, start + i,
					    vector[i].replaced ? vector[i].address
							       : vector[i].kernels);
}

int ward_vfio_set_messages(void *context, enum ward_message_way way, uint32_t index, uint32_t start,
			   uint32_t count, const ward_iova_t *iovas, struct ward_error *ret_error)
{
	struct ward_vfio_device *device = context;
	struct ward_vfio_vector *vector;
	int code;

	if (way != WARD_MESSAGE_OVERRIDE)
		return ward_fail(ret_error, -EOPNOTSUPP,
				 "VFIO takes no addresses before vectors are enabled");
	if (index != WARD_IRQS_MSIX)
		return ward_fail(ret_error, -EOPNOTSUPP,
				 "VFIO hides the registers of MSI: only MSI-X has a table to map");
	code = ready(device);
	if (code == -EOPNOTSUPP)
		return ward_fail(ret_error, code, "VFIO does not let the MSI-X table be mapped");
	if (code)
		return ward_fail(ret_error, code,
				 code == -ENOMEM ? "no memory"
						 : "the device does not decode memory, or sleeps");
	code = check_messages(device, start, count, iovas, ret_error);
	if (code)
		return code;
	for (uint32_t i = 0; i < count; i++) {
		code = ward_vfio_table_write(device, start + i, iovas[i]);
		if (code) {
			restore(device, start, i);
			return ward_fail(ret_error, -EIO,
					 "vector %u: its entry does not keep what is written",
					 start + i);
		}
	}
	vector = device->irqs[WARD_IRQS_MSIX].vector + start;
	for (uint32_t i = 0; i < count; i++) {
		device->replaced += !vector[i].replaced;
		vector[i].replaced = true;
		vector[i].address = iovas[i];
	}
	return 0;
}

void ward_vfio_table_close(struct ward_vfio_table *table)
{
	if (table->mapped)
		munmap(table->mapped, table->mapped_size);
}
