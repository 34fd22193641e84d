// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * From the head of a chain to pieces of memory (virtio 1.3, 2.7.4, 2.7.5). Descriptors without bytes
 * are nothing, wherever they say they are.
 */
#include "virtio/virtq.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>

/* Drivers make no longer chains (virtio 1.3, 2.7.5.2). */
#define CHAIN_BYTES_MAX (UINT64_C(1) << 32)

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

/* An indirect table. */
struct table {
	const uint64_t *host; /* NULL: it has to be read piece by piece */
	uint64_t address;
	uint32_t count;
};

/* A chain as far as it was walked. */
struct walk {
	uint32_t descriptors; /* of those that can have bytes */
	uint32_t pieces, readable;
	uint64_t size, readable_size;
	bool writable; /* a writable descriptor was met */
};

static struct descriptor decode(const uint64_t words[2])
{
	uint64_t word = le64toh(words[1]);

	return (struct descriptor){
		.address = le64toh(words[0]),
		.length = (uint32_t)word,
		.flags = (uint16_t)(word >> 32),
		.next = (uint16_t)(word >> 48),
	};
}

static struct descriptor read_descriptor(const uint64_t *at)
{
	uint64_t words[2] = {
		__atomic_load_n(&at[0], __ATOMIC_RELAXED),
		__atomic_load_n(&at[1], __ATOMIC_RELAXED),
	};

	return decode(words);
}

static int find_region(struct ward_virtq *queue, uint64_t address)
{
	if (queue->region.host && ward_range_has(queue->region.range, address))
		return 0;
	if (ward_memory_find(queue->memory, address, &queue->region))
		return 0;
	return ward_virtq_broken(queue, "a buffer is at 0x%" PRIx64 ", where there is no memory",
				 address);
}

/* Pieces for the bytes of a descriptor, one for each region that they are in. */
static int add_pieces(struct ward_virtq *queue, struct walk *walk, uint64_t address, uint64_t last,
		      bool write)
{
	for (;;) {
		const struct ward_memory_region *region = &queue->region;
		uint64_t end;

		if (find_region(queue, address))
			return -EBADMSG;
		if (write && region->read_only)
			return ward_virtq_broken(queue,
						 "a buffer to be written is at 0x%" PRIx64
						 ", which is read-only",
						 address);
		if (walk->pieces == queue->pieces_max)
			return ward_virtq_broken(queue, "a buffer has more than %u pieces",
						 queue->pieces_max);
		end = last < region->range.last ? last : region->range.last;
		queue->pieces[walk->pieces++] = (struct iovec){
			.iov_base = region->host + (address - region->range.start),
			.iov_len = end - address + 1,
		};
		if (end == last)
			return 0;
		address = end + 1;
	}
}

/* Takes in one descriptor that is not INDIRECT. */
static int add(struct ward_virtq *queue, struct walk *walk, const struct descriptor *descriptor)
{
	bool write = descriptor->flags & VIRTQ_WRITE;
	uint64_t address = descriptor->address, length = descriptor->length;
	uint64_t last = address + length - 1;
	int code;

	if (++walk->descriptors > queue->entries)
		return ward_virtq_broken(queue, "a chain is longer than the queue of %u entries",
					 queue->entries);
	if (!write && walk->writable)
		return ward_virtq_broken(queue, "a readable descriptor is after a writable one");
	walk->writable = write;
	if (length == 0)
		return 0;
	if (last < address)
		return ward_virtq_broken(queue, "a buffer at 0x%" PRIx64 " wraps", address);
	walk->size += length;
	if (walk->size > CHAIN_BYTES_MAX)
		return ward_virtq_broken(queue, "a chain has more than 2^32 bytes");
	code = add_pieces(queue, walk, address, last, write);
	if (!write) {
		walk->readable = walk->pieces;
		walk->readable_size = walk->size;
	}
	return code;
}

static int find_table(struct ward_virtq *queue, const struct descriptor *descriptor,
		      struct table *ret_table)
{
	uint64_t address = descriptor->address;
	uint32_t length = descriptor->length;
	struct ward_range range;
	const unsigned char *host;

	if (!queue->indirect)
		return ward_virtq_broken(queue, "an indirect descriptor was not negotiated");
	if (descriptor->flags & VIRTQ_NEXT)
		return ward_virtq_broken(queue, "an indirect descriptor has a next one");
	if (length == 0 || length % VIRTQ_DESCRIPTOR_SIZE)
		return ward_virtq_broken(queue, "an indirect table has %u bytes", length);
	if (ward_range_make(address, length, &range))
		return ward_virtq_broken(queue, "an indirect table at 0x%" PRIx64 " wraps",
					 address);
	*ret_table = (struct table){
		.address = address,
		.count = length / VIRTQ_DESCRIPTOR_SIZE,
	};
	if (find_region(queue, address))
		return -EBADMSG;
	/* Nothing says that a table is aligned, or in one region. */
	host = queue->region.host + (address - queue->region.range.start);
	if (range.last <= queue->region.range.last && ((uintptr_t)host & 7) == 0)
		ret_table->host = (const uint64_t *)(const void *)host;
	return 0;
}

static int read_indirect(struct ward_virtq *queue, const struct table *table, uint32_t index,
			 struct descriptor *ret_descriptor)
{
	uint64_t words[2], address = table->address + (uint64_t)VIRTQ_DESCRIPTOR_SIZE * index;

	if (table->host) {
		*ret_descriptor = read_descriptor(table->host + 2 * (size_t)index);
		return 0;
	}
	if (ward_memory_read(queue->memory, address, words, sizeof(words)))
		return ward_virtq_broken(queue,
					 "an indirect descriptor is at 0x%" PRIx64
					 ", where there is no memory",
					 address);
	*ret_descriptor = decode(words);
	return 0;
}

/* Walks an indirect table, the end of its chain, from its first descriptor. */
static int walk_indirect(struct ward_virtq *queue, struct walk *walk,
			 const struct descriptor *indirect)
{
	struct descriptor descriptor = { .next = 0 };
	struct table table = { .count = 0 };
	int code = find_table(queue, indirect, &table);

	if (code)
		return code;
	do {
		if (descriptor.next >= table.count)
			return ward_virtq_broken(queue, "descriptor %u of an indirect table of %u",
						 descriptor.next, table.count);
		code = read_indirect(queue, &table, descriptor.next, &descriptor);
		if (code)
			return code;
		if (descriptor.flags & VIRTQ_INDIRECT)
			return ward_virtq_broken(queue, "an indirect table has an indirect one");
		code = add(queue, walk, &descriptor);
	} while (!code && (descriptor.flags & VIRTQ_NEXT));
	return code;
}

static int walk_chain(struct ward_virtq *queue, struct walk *walk, uint16_t head)
{
	struct descriptor descriptor = { .next = head };
	int code;

	do {
		if (descriptor.next >= queue->entries)
			return ward_virtq_broken(queue, "descriptor %u of a queue of %u entries",
						 descriptor.next, queue->entries);
		descriptor = read_descriptor(queue->descriptors + 2 * (size_t)descriptor.next);
		if (descriptor.flags & VIRTQ_INDIRECT)
			return walk_indirect(queue, walk, &descriptor);
		code = add(queue, walk, &descriptor);
	} while (!code && (descriptor.flags & VIRTQ_NEXT));
	return code;
}

int ward_virtq_chain(struct ward_virtq *queue, uint16_t head, struct ward_virtq_buffer *ret_buffer)
{
	struct walk walk = { .descriptors = 0 };
	int code = walk_chain(queue, &walk, head);

	if (code)
		return code;
	*ret_buffer = (struct ward_virtq_buffer){
		.head = head,
		.readable = queue->pieces,
		.readable_count = walk.readable,
		.readable_size = walk.readable_size,
		.writable = queue->pieces + walk.readable,
		.writable_count = walk.pieces - walk.readable,
		.writable_size = walk.size - walk.readable_size,
	};
	return 0;
}

/* In this process, when it is all in the region that was the last; or NULL. */
static const void *nearby(const struct ward_virtq *queue, uint64_t address, uint32_t size)
{
	const struct ward_memory_region *region = &queue->region;

	if (!region->host || !ward_range_has(region->range, address) ||
	    region->range.last - address < size - 1)
		return NULL;
	return region->host + (address - region->range.start);
}

const void *ward_virtq_peek(const struct ward_virtq *queue, uint32_t ahead, uint32_t size)
{
	uint16_t at = (uint16_t)(queue->next_available + ahead), head;
	struct descriptor descriptor;

	/* A broken queue is never read again. */
	if (queue->broken || ahead >= (uint16_t)(queue->seen - queue->next_available))
		return NULL;
	head = le16toh(__atomic_load_n(&queue->available[2 + (at & (queue->entries - 1))],
				       __ATOMIC_RELAXED));
	if (head >= queue->entries)
		return NULL;
	descriptor = read_descriptor(queue->descriptors + 2 * (size_t)head);
	if (descriptor.flags & VIRTQ_INDIRECT) {
		const void *table = nearby(queue, descriptor.address, VIRTQ_DESCRIPTOR_SIZE);

		if (!table || (uintptr_t)table & 7)
			return NULL;
		descriptor = read_descriptor(table);
	}
	if (descriptor.flags & (VIRTQ_WRITE | VIRTQ_INDIRECT) || descriptor.length < size)
		return NULL;
	return nearby(queue, descriptor.address, size);
}
