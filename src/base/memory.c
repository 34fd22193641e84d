// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Regions lie sorted in an array and are found by halving it. There is no memory of the last hit:
 * it would be written by every reader.
 */
#include "base/memory.h"

#include "base/fault.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct region {
	struct ward_range range;
	unsigned char *host;
	void *owned; /* NULL: borrowed */
	uint32_t flags;
};

struct ward_memory {
	void *regions; /* of struct region, by address */
	size_t count, capacity;
};

static struct region *regions_of(const struct ward_memory *memory)
{
	return memory->regions;
}

/* Index of the first region that ends at or after address; count when there is none. */
static size_t lookup(const struct ward_memory *memory, uint64_t address)
{
	const struct region *regions = regions_of(memory);
	size_t low = 0, high = memory->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (regions[middle].range.last < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The region that address is in, or NULL. */
static const struct region *region_at(const struct ward_memory *memory, uint64_t address)
{
	size_t index = lookup(memory, address);
	const struct region *region;

	/* Without regions there is no array to point into. */
	if (index == memory->count)
		return NULL;
	region = regions_of(memory) + index;
	return region->range.start <= address ? region : NULL;
}

int ward_memory_create(struct ward_memory **ret_memory)
{
	struct ward_memory *memory = ward_alloc(sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	*ret_memory = memory;
	return 0;
}

void ward_memory_destroy(struct ward_memory *memory)
{
	size_t i;

	if (!memory)
		return;
	for (i = 0; i < memory->count; i++)
		free(regions_of(memory)[i].owned);
	free(memory->regions);
	free(memory);
}

/*
 * Memory of our own for a range. It is placed so that an address that is a multiple of 8 is one
 * in this process, too; what comes from the allocator is a multiple of 16.
 */
static int own_bytes(struct region *region)
{
	uint64_t length = region->range.last - region->range.start;

	if (length > SIZE_MAX / 2)
		return -ENOMEM;
	region->owned = ward_alloc((size_t)length + 1 + 8);
	if (!region->owned)
		return -ENOMEM;
	region->host = (unsigned char *)region->owned + (region->range.start & 7);
	return 0;
}

int ward_memory_add(struct ward_memory *memory, struct ward_range range, uint32_t flags, void *host)
{
	struct region made = { .range = range, .host = host, .flags = flags };
	struct region *at;
	size_t index;
	int code;

	if (ward_range_is_empty(range) || (flags & ~WARD_MEMORY_READ_ONLY))
		return -EINVAL;
	index = lookup(memory, range.start);
	if (index < memory->count && ward_range_overlaps(regions_of(memory)[index].range, range))
		return -EEXIST;
	if (memory->count >= WARD_MEMORY_REGIONS)
		return -ENOSPC;
	code = ward_array_reserve(&memory->regions, &memory->capacity, memory->count + 1,
				  sizeof(struct region));
	if (!code && !host)
		code = own_bytes(&made);
	if (code)
		return code;
	at = regions_of(memory) + index;
	memmove(at + 1, at, (memory->count - index) * sizeof(*at));
	*at = made;
	memory->count++;
	return 0;
}

int ward_memory_remove(struct ward_memory *memory, struct ward_range range)
{
	size_t index = lookup(memory, range.start);
	struct region *at;

	if (index == memory->count)
		return -ENOENT;
	at = regions_of(memory) + index;
	if (at->range.start != range.start || at->range.last != range.last)
		return -ENOENT;
	free(at->owned);
	memory->count--;
	memmove(at, at + 1, (memory->count - index) * sizeof(*at));
	return 0;
}

/* Whether all size bytes (at least 1) from address are there, and writable when write is set. */
static bool is_there(const struct ward_memory *memory, uint64_t address, uint64_t size, bool write)
{
	uint64_t last = address + (size - 1);
	size_t index = lookup(memory, address);

	if (last < address)
		return false;
	for (; index < memory->count; index++) {
		const struct region *region = regions_of(memory) + index;

		if (!ward_range_has(region->range, address))
			return false;
		if (write && (region->flags & WARD_MEMORY_READ_ONLY))
			return false;
		if (last <= region->range.last)
			return true;
		address = region->range.last + 1;
	}
	return false;
}

/*
 * Copies with accesses that are atomic one by one (relaxed): others write the same memory at the
 * same time, and what they write is theirs to order. Eight bytes that are aligned are one access.
 */
static void copy_out(unsigned char *to, const unsigned char *from, size_t size)
{
	while (size > 0) {
		if (size >= 8 && ((uintptr_t)from & 7) == 0) {
			uint64_t word = __atomic_load_n((const uint64_t *)(const void *)from,
							__ATOMIC_RELAXED);

			memcpy(to, &word, 8);
			to += 8, from += 8, size -= 8;
		} else {
			*to++ = __atomic_load_n(from++, __ATOMIC_RELAXED);
			size--;
		}
	}
}

static void copy_in(unsigned char *to, const unsigned char *from, size_t size)
{
	while (size > 0) {
		if (size >= 8 && ((uintptr_t)to & 7) == 0) {
			uint64_t word;

			memcpy(&word, from, 8);
			__atomic_store_n((uint64_t *)(void *)to, word, __ATOMIC_RELAXED);
			to += 8, from += 8, size -= 8;
		} else {
			__atomic_store_n(to++, *from++, __ATOMIC_RELAXED);
			size--;
		}
	}
}

/* How many of size bytes from address are in the region that address is in. */
static size_t part_of(const struct region *region, uint64_t address, size_t size)
{
	uint64_t left = region->range.last - address;

	return left < size - 1 ? (size_t)left + 1 : size;
}

int ward_memory_read(const struct ward_memory *memory, uint64_t address, void *ret_bytes,
		     size_t size)
{
	const struct region *region;
	unsigned char *to = ret_bytes;

	if (size == 0)
		return 0;
	if (!is_there(memory, address, size, false))
		return -EFAULT;
	for (region = regions_of(memory) + lookup(memory, address); size > 0; region++) {
		size_t part = part_of(region, address, size);

		copy_out(to, region->host + (address - region->range.start), part);
		to += part, address += part, size -= part;
	}
	return 0;
}

int ward_memory_write(struct ward_memory *memory, uint64_t address, const void *bytes, size_t size)
{
	const struct region *region;
	const unsigned char *from = bytes;

	if (size == 0)
		return 0;
	if (!is_there(memory, address, size, true))
		return -EFAULT;
	for (region = regions_of(memory) + lookup(memory, address); size > 0; region++) {
		size_t part = part_of(region, address, size);

		copy_in(region->host + (address - region->range.start), from, part);
		from += part, address += part, size -= part;
	}
	return 0;
}

/*
 * Where the eight bytes at an aligned address can be reached in one access, else NULL: they lie
 * across two regions, or the region was borrowed at a host address that is aligned otherwise.
 */
static uint64_t *word_at(const struct region *region, uint64_t address)
{
	unsigned char *host = region->host + (address - region->range.start);

	if (region->range.last - address < 7 || ((uintptr_t)host & 7) != 0)
		return NULL;
	return (uint64_t *)(void *)host;
}

int ward_memory_read_u64(const struct ward_memory *memory, uint64_t address, uint64_t *ret_value)
{
	const struct region *region;
	const uint64_t *word;
	uint64_t bytes;
	int code;

	if (address & 7)
		return -EINVAL;
	region = region_at(memory, address);
	if (!region)
		return -EFAULT;
	word = word_at(region, address);
	if (word) {
		/* Sequentially consistent, for tables whose readers rely on reader.h. */
		*ret_value = le64toh(__atomic_load_n(word, __ATOMIC_SEQ_CST));
		return 0;
	}
	code = ward_memory_read(memory, address, &bytes, sizeof(bytes));
	if (!code)
		*ret_value = le64toh(bytes);
	return code;
}

int ward_memory_write_u64(struct ward_memory *memory, uint64_t address, uint64_t value)
{
	const struct region *region;
	uint64_t bytes = htole64(value);
	uint64_t *word;

	if (address & 7)
		return -EINVAL;
	region = region_at(memory, address);
	if (!region || (region->flags & WARD_MEMORY_READ_ONLY))
		return -EFAULT;
	word = word_at(region, address);
	if (!word)
		return ward_memory_write(memory, address, &bytes, sizeof(bytes));
	__atomic_store_n(word, bytes, __ATOMIC_SEQ_CST);
	return 0;
}

void *ward_memory_at(const struct ward_memory *memory, struct ward_range range, bool write)
{
	const struct region *region;

	if (ward_range_is_empty(range))
		return NULL;
	region = region_at(memory, range.start);
	if (!region || range.last > region->range.last)
		return NULL;
	if (write && (region->flags & WARD_MEMORY_READ_ONLY))
		return NULL;
	return region->host + (range.start - region->range.start);
}

bool ward_memory_find(const struct ward_memory *memory, uint64_t address,
		      struct ward_memory_region *ret_region)
{
	const struct region *region = region_at(memory, address);

	if (!region)
		return false;
	*ret_region = (struct ward_memory_region){
		.range = region->range,
		.host = region->host,
		.read_only = region->flags & WARD_MEMORY_READ_ONLY,
	};
	return true;
}
