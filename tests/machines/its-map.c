// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Reads tables of KVM's revision 0, independently of src/emul: from entry to entry by their distance, as who
 * restores does (Linux Documentation/virt/kvm/devices/arm-vgic-its.rst).
 */
#include "its-pair.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE_ROW (UINT64_C(1) << 60)
#define COLLECTION_ROW (UINT64_C(2) << 60)
#define PAGE 0x10000u
#define PAGE_ENTRIES (PAGE / 8)

/* false: not in memory. */
static bool word_at(const struct guest *guest, uint64_t address, uint64_t *ret_word)
{
	if (address < GUEST_MEMORY || address - GUEST_MEMORY > GUEST_BYTES - 8)
		return false;
	memcpy(ret_word, guest->memory + (address - GUEST_MEMORY), 8);
	*ret_word = le64toh(*ret_word);
	return true;
}

static void add(struct map *map, uint64_t key, uint64_t value)
{
	if (map->count == MAP_ROWS) {
		map->full = true;
		return;
	}
	map->rows[map->count++] = (struct map_row){ key, value };
}

static void read_events(struct map *map, const struct guest *guest, uint32_t device, uint64_t dte)
{
	uint64_t itt = (dte >> 5 & 0xfffffffffff) << 8, count = UINT64_C(2) << (dte & 0x1f), entry;

	for (uint64_t event = 0; event < count && word_at(guest, itt + event * 8, &entry);) {
		uint32_t intid = (uint32_t)(entry >> 16);

		if (!intid) {
			event++;
			continue;
		}
		add(map, (uint64_t)device << 32 | event, entry & 0xffffffffffff);
		if (!(entry >> 48))
			return;
		event += entry >> 48;
	}
}

static void read_devices(struct map *map, const struct guest *guest, uint64_t table, uint32_t first,
			 uint32_t count)
{
	uint64_t entry;

	for (uint32_t i = 0; i < count && word_at(guest, table + i * 8ull, &entry);) {
		uint32_t next = entry >> 49 & 0x3fff;

		if (!(entry >> 63)) {
			i++;
			continue;
		}
		add(map, DEVICE_ROW | (first + i), entry & 0x1ffffffffffff);
		read_events(map, guest, first + i, entry);
		if (!next)
			return;
		i += next;
	}
}

static int by_key(const void *left, const void *right)
{
	const struct map_row *a = left, *b = right;

	return a->key < b->key ? -1 : a->key > b->key;
}

void map_read(struct map *map, const struct guest *guest, const struct plan *plan)
{
	uint64_t entry;

	map->count = 0;
	map->full = false;
	if (plan->device_pages) {
		read_devices(map, guest, DEVICE_TABLE, 0, plan->device_pages * PAGE_ENTRIES);
	} else {
		for (uint32_t i = 0; i < PAGE_ENTRIES; i++) {
			if (word_at(guest, DEVICE_TABLE + i * 8ull, &entry) && entry >> 63)
				read_devices(map, guest, entry & 0xfffffffff0000, i * PAGE_ENTRIES,
					     PAGE_ENTRIES);
		}
	}
	for (uint32_t i = 0; i < PAGE_ENTRIES; i++) {
		if (!word_at(guest, COLLECTION_TABLE + i * 8ull, &entry) || !(entry >> 63))
			break;
		add(map, COLLECTION_ROW | (entry & 0xffff), entry >> 16 & 0xfffffffff);
	}
	qsort(map->rows, map->count, sizeof(map->rows[0]), by_key);
}

static void say_row(const char *whose, const struct map_row *row)
{
	uint64_t id = row->key & ~(UINT64_C(3) << 60);

	if (row->key & COLLECTION_ROW)
		pair_say("%s: collection %#llx goes to CPU %#llx", whose, (unsigned long long)id,
			 (unsigned long long)row->value);
	else if (row->key & DEVICE_ROW)
		pair_say("%s: device %#llx is %#llx", whose, (unsigned long long)id,
			 (unsigned long long)row->value);
	else
		pair_say("%s: device %#llx event %#llx is LPI %llu, collection %#llx", whose,
			 (unsigned long long)(id >> 32), (unsigned long long)(id & UINT32_MAX),
			 (unsigned long long)(row->value >> 16),
			 (unsigned long long)(row->value & 0xffff));
}

bool map_same(const struct map *kvm, const struct map *own)
{
	static const struct map_row none = { UINT64_MAX, 0 };

	if (kvm->full || own->full) {
		pair_say("tables with more than %u entries", MAP_ROWS);
		return false;
	}
	for (uint32_t i = 0; i < kvm->count || i < own->count; i++) {
		const struct map_row *a = i < kvm->count ? &kvm->rows[i] : &none;
		const struct map_row *b = i < own->count ? &own->rows[i] : &none;

		if (a->key == b->key && a->value == b->value)
			continue;
		if (a->key <= b->key)
			say_row("KVM alone has", a);
		if (b->key <= a->key)
			say_row("ours alone has", b);
		return false;
	}
	return true;
}
