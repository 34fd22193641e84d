// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Tables in memory: where entries are, and what is in them (KVM's layout, revision 0). */
#include "emul/its_state.h"

#include <errno.h>

/* Field `next`: distances that are larger are capped, and lead to an entry that is not valid. */
#define DEVICE_NEXT_MAX 0x3fffu
#define EVENT_NEXT_MAX 0xffffu

/* GITS_BASER.Page_Size; 3 is reserved and means the same as 2. */
uint32_t ward_its_page_bytes(uint64_t baser)
{
	static const uint32_t bytes[] = { 0x1000, 0x4000, 0x10000, 0x10000 };

	return bytes[baser >> 8 & 3];
}

uint64_t ward_its_table_bytes(uint64_t baser)
{
	return ((baser & 0xff) + 1) * ward_its_page_bytes(baser);
}

/* With pages of 64 KiB, bits 15:12 are bits 51:48 of the address. */
uint64_t ward_its_table_address(uint64_t baser)
{
	uint32_t page = ward_its_page_bytes(baser);
	uint64_t address = baser & 0x0000fffffffff000 & ~(page - 1ull);

	return page == 0x10000 ? address | (baser >> 12 & 0xf) << 48 : address;
}

uint64_t ward_its_page_address(uint64_t baser, uint64_t entry)
{
	return entry & 0x000ffffffffff000 & ~(ward_its_page_bytes(baser) - 1ull);
}

uint64_t ward_its_table_ids(uint64_t baser)
{
	uint64_t entries = ward_its_table_bytes(baser) / ITS_ENTRY_BYTES;

	if (!(baser & ITS_VALID))
		return 0;
	/* Entries of the first level are as large as the others. */
	return baser & ITS_INDIRECT ? entries * (ward_its_page_bytes(baser) / ITS_ENTRY_BYTES)
				    : entries;
}

bool ward_its_in_memory(const struct ward_its *its, uint64_t address)
{
	struct ward_range range = { address, address + ITS_ENTRY_BYTES - 1 };

	return ward_memory_at(its->options.memory, range, false);
}

int ward_its_table_entry(const struct ward_its *its, enum its_table table, uint32_t id,
			 uint64_t *ret_address)
{
	uint64_t baser = its->reg.baser[table], address = ward_its_table_address(baser), first;
	uint32_t page_entries = ward_its_page_bytes(baser) / ITS_ENTRY_BYTES;

	if (id >= ward_its_table_ids(baser))
		return -ERANGE;
	if (baser & ITS_INDIRECT) {
		address += (uint64_t)(id / page_entries) * ITS_ENTRY_BYTES;
		if (ward_memory_read_u64(its->options.memory, address, &first))
			return -EFAULT;
		if (!(first & ITS_VALID))
			return -ERANGE;
		address = ward_its_page_address(baser, first);
		id %= page_entries;
	}
	*ret_address = address + (uint64_t)id * ITS_ENTRY_BYTES;
	return 0;
}

int ward_its_event_entry(const struct its_device *device, uint32_t event, uint64_t *ret_address)
{
	if (event >> (device->bits - 1) > 1)
		return -ERANGE;
	*ret_address = device->itt + (uint64_t)event * ITS_ENTRY_BYTES;
	return 0;
}

uint64_t ward_its_device_entry(const struct its_device *device, uint64_t next)
{
	return ITS_VALID | (next < DEVICE_NEXT_MAX ? next : DEVICE_NEXT_MAX) << 49 |
	       device->itt >> 8 << 5 | (device->bits - 1u);
}

uint64_t ward_its_interrupt_entry(uint32_t intid, uint32_t icid, uint64_t next)
{
	return (next < EVENT_NEXT_MAX ? next : EVENT_NEXT_MAX) << 48 | (uint64_t)intid << 16 | icid;
}

uint64_t ward_its_collection_entry(uint32_t icid, uint32_t cpu)
{
	return ITS_VALID | (uint64_t)cpu << 16 | icid;
}
