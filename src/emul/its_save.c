// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Tables out to memory and back, as KVM does it (vgic_its_save_tables_v0 and what it calls): devices and
 * events are where their ids say, each with the distance to the next one, collections are a list
 * that ends with an entry that is not valid. Profile ARCHITECTURE has written all entries before,
 * collections where their ids say, and distances count for nothing.
 */
#include "emul/its_state.h"

#include <errno.h>

#define PAGE 0x10000u

/* Entries looked at while restoring: what a guest's tables can make us do. */
#define ENTRIES_MAX (1u << 24)

static uint64_t distance(const struct its_node *node)
{
	return node->next ? node->next->key - node->key : 0;
}

static int write_entry(const struct ward_its *its, uint64_t address, uint64_t entry)
{
	return ward_memory_write_u64(its->options.memory, address, entry);
}

/* An event whose collection was taken away is lost: no entry can say so. */
static int save_events(const struct ward_its *its, struct its_device *device)
{
	ward_its_list_sort(&device->events);
	for (struct its_node *node = device->events; node; node = node->next) {
		const struct its_event *event = (const struct its_event *)node;
		const struct its_collection *collection = atomic_load(&event->collection);
		uint64_t address, entry = 0;

		if (collection)
			entry = ward_its_interrupt_entry(event->intid, its_icid(its, collection),
							 distance(node));
		if (ward_its_event_entry(device, its_event_id(event), &address) ||
		    write_entry(its, address, entry))
			return -EFAULT;
	}
	return 0;
}

static int save_devices(struct ward_its *its)
{
	ward_its_list_sort(&its->device_list);
	for (struct its_node *node = its->device_list; node; node = node->next) {
		struct its_device *device = (struct its_device *)node;
		uint64_t address;
		int code;

		if (ward_its_table_entry(its, ITS_DEVICES, (uint32_t)node->key, &address))
			return -EINVAL;
		code = save_events(its, device);
		if (code)
			return code;
		if (write_entry(its, address, ward_its_device_entry(device, distance(node))))
			return -EFAULT;
	}
	return 0;
}

static int save_collections(const struct ward_its *its)
{
	uint64_t ids = ward_its_table_ids(its->reg.baser[ITS_COLLECTIONS]), address;
	uint32_t saved = 0;

	for (uint32_t icid = 0; icid < ITS_ICIDS; icid++) {
		const struct its_collection *collection = &its->collections[icid];

		if (!collection->known)
			continue;
		if (ward_its_table_entry(its, ITS_COLLECTIONS, saved, &address))
			return -EINVAL;
		if (write_entry(its, address,
				ward_its_collection_entry(icid,
							  its_target_cpu(&collection->target))))
			return -EFAULT;
		saved++;
	}
	if (saved == ids)
		return 0;
	return ward_its_table_entry(its, ITS_COLLECTIONS, saved, &address) ||
			       write_entry(its, address, 0)
		       ? -EFAULT
		       : 0;
}

int ward_its_save_tables(struct ward_its *its)
{
	int code = 0;

	if (!its->kvm)
		return 0;
	if (its->reg.baser[ITS_DEVICES] & ITS_VALID)
		code = save_devices(its);
	if (!code && (its->reg.baser[ITS_COLLECTIONS] & ITS_VALID))
		code = save_collections(its);
	return code;
}

/* A walk over entries. take: <0 an error; 0 that was the last one; else how far on the next one is. */
struct scan {
	struct ward_its *its;
	struct its_device *device; /* of events */
	int64_t (*take)(struct scan *scan, uint32_t id, uint64_t entry);
	uint32_t left; /* of ENTRIES_MAX */
};

/* 0 the last one was there; 1 it was not; or an error. */
static int walk(struct scan *scan, uint64_t address, uint64_t count, uint32_t first_id)
{
	for (uint64_t i = 0; i < count;) {
		uint64_t entry;
		int64_t next;

		if (scan->left-- == 0)
			return -EINVAL;
		if (ward_memory_read_u64(scan->its->options.memory, address + i * ITS_ENTRY_BYTES,
					 &entry))
			return -EFAULT;
		next = scan->take(scan, first_id + (uint32_t)i, entry);
		if (next <= 0)
			return (int)next;
		i += (uint64_t)next;
	}
	return 1;
}

static int64_t restore_event(struct scan *scan, uint32_t id, uint64_t entry)
{
	struct ward_its *its = scan->its;
	struct its_collection *collection = &its->collections[entry & 0xffff];
	uint32_t intid = (uint32_t)(entry >> 16), next = its->kvm ? (uint32_t)(entry >> 48) : 1;
	uint64_t address;
	int code;

	if (intid == 0)
		return 1;
	if (intid < WARD_GIC_FIRST_LPI || intid > ward_gic_last_lpi(its->options.gic))
		return -EINVAL;
	if (its->kvm &&
	    (!collection->known || ward_its_event_entry(scan->device, id + next, &address)))
		return -EINVAL;
	code = ward_its_add_event(its, scan->device, id, intid, collection);
	return code ? code : (int64_t)next;
}

static int64_t restore_device(struct scan *scan, uint32_t id, uint64_t entry)
{
	struct ward_its *its = scan->its;
	uint8_t bits = (uint8_t)((entry & 0x1f) + 1);
	uint64_t itt = (entry >> 5 & 0xfffffffffff) << 8;
	struct scan events = { .its = its, .take = restore_event, .left = scan->left };
	int code;

	if (!(entry & ITS_VALID))
		return 1;
	if (id >= atomic_load(&its->device_ids) || bits > its->options.event_bits)
		return -EINVAL;
	code = ward_its_add_device(its, id, itt, bits);
	if (code)
		return code;
	events.device = its_find_device(its, id);
	code = walk(&events, itt, 1ull << bits, 0);
	scan->left = events.left;
	if (code < 0)
		return code;
	return its->kvm ? (int64_t)(entry >> 49 & 0x3fff) : 1;
}

/* An entry of the first level: one page of devices. */
static int64_t restore_page(struct scan *scan, uint32_t index, uint64_t entry)
{
	uint64_t baser = scan->its->reg.baser[ITS_DEVICES];
	uint32_t ids = ward_its_page_bytes(baser) / ITS_ENTRY_BYTES;
	struct scan devices = { .its = scan->its, .take = restore_device, .left = scan->left };
	int code;

	/* Pages for ids that are none are not looked into; the tables of guests may be that large. */
	if (!(entry & ITS_VALID) || (uint64_t)index * ids >= atomic_load(&scan->its->device_ids))
		return 1;
	code = walk(&devices, ward_its_page_address(baser, entry), ids, index * ids);
	scan->left = devices.left;
	return code;
}

static int restore_devices(struct ward_its *its)
{
	uint64_t baser = its->reg.baser[ITS_DEVICES];
	struct scan scan = { .its = its, .take = restore_device, .left = ENTRIES_MAX };
	int code;

	if (baser & ITS_INDIRECT)
		scan.take = restore_page;
	code = walk(&scan, ward_its_table_address(baser),
		    ward_its_table_bytes(baser) / ITS_ENTRY_BYTES, 0);
	return code < 0 ? code : 0;
}

static int64_t restore_collection(struct scan *scan, uint32_t index, uint64_t entry)
{
	struct ward_its *its = scan->its;
	uint64_t cpu = its->kvm ? (uint32_t)(entry >> 16) : entry >> 16 & 0xfffffffff;
	struct its_collection *collection = &its->collections[entry & 0xffff];
	bool mapped = !its->kvm || cpu != WARD_NONE;

	if (!(entry & ITS_VALID))
		return its->kvm ? 0 : 1;
	if (mapped && cpu >= ward_gic_cpus(its->options.gic))
		return -EINVAL;
	if (its->kvm ? (entry & 0xffff) >= ward_its_table_ids(its->reg.baser[ITS_COLLECTIONS])
		     : (entry & 0xffff) != index)
		return -EINVAL;
	if (collection->known)
		return -EEXIST;
	collection->known = its->kvm;
	atomic_store(&collection->target.cpu, mapped ? (uint32_t)cpu + 1 : 0);
	return 1;
}

static int restore_collections(struct ward_its *its)
{
	uint64_t baser = its->reg.baser[ITS_COLLECTIONS], ids = ward_its_table_ids(baser);
	struct scan scan = { .its = its, .take = restore_collection, .left = ENTRIES_MAX };
	/* ARCHITECTURE: there are no more ids than that, however large the table is. */
	int code = walk(&scan, ward_its_table_address(baser), ids < ITS_ICIDS ? ids : ITS_ICIDS, 0);

	return code < 0 ? code : 0;
}

static bool has_mappings(const struct ward_its *its)
{
	for (uint32_t i = 0; i < ITS_ICIDS; i++) {
		const struct its_collection *collection = &its->collections[i];

		if (collection->known || its_target_cpu(&collection->target) != WARD_NONE)
			return true;
	}
	return its->device_list;
}

int ward_its_restore_tables(struct ward_its *its)
{
	int code = 0;

	if (has_mappings(its))
		return -EEXIST;
	if (its->reg.baser[ITS_COLLECTIONS] & ITS_VALID)
		code = restore_collections(its);
	if (!code && (its->reg.baser[ITS_DEVICES] & ITS_VALID))
		code = restore_devices(its);
	if (code) {
		ward_its_forget_devices(its);
		ward_its_forget_collections(its);
	}
	return code;
}
