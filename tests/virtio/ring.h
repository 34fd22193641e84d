/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest's memory with one split queue in it, and what its driver does there. Fields are written
 * and read as a driver does on another CPU: one atomic access each, little-endian.
 */
#ifndef TESTS_VIRTIO_RING_H
#define TESTS_VIRTIO_RING_H

#include <doorward/memory.h>
#include <doorward/virtq.h>

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Memory: the main part, one that touches it, one to be read only that touches that; the end. */
#define RING_MAIN 0x10000u
#define RING_MAIN_LAST 0x1fffffu
#define RING_NEXT 0x200000u
#define RING_NEXT_LAST 0x20ffffu
#define RING_READ_ONLY 0x210000u
#define RING_READ_ONLY_LAST 0x21ffffu
#define RING_HOLE 0x220000u
#define RING_TOP UINT64_C(0xfffffffffffff000)

/* In the main part. */
#define RING_DESCRIPTORS 0x10000u
#define RING_AVAILABLE 0x100000u
#define RING_USED 0x120000u
#define RING_TABLE 0x180000u
#define RING_BUFFER 0x1a0000u

#define RING_NO_NEXT 0u
#define RING_F_NEXT 1u
#define RING_F_WRITE 2u
#define RING_F_INDIRECT 4u

struct ring {
	struct ward_memory *memory;
	struct ward_virtq *queue;
	unsigned char *main; /* bytes of the main part */
	uint32_t entries, features;
	uint16_t next; /* the driver's available index */
};

static inline void ring_memory(struct ring *ring)
{
	const struct {
		struct ward_range range;
		uint32_t flags;
	} parts[] = {
		{ { RING_MAIN, RING_MAIN_LAST }, 0 },
		{ { RING_NEXT, RING_NEXT_LAST }, 0 },
		{ { RING_READ_ONLY, RING_READ_ONLY_LAST }, WARD_MEMORY_READ_ONLY },
		{ { RING_TOP, UINT64_MAX }, 0 },
	};

	memset(ring, 0, sizeof(*ring));
	assert_int_equal(ward_memory_create(&ring->memory), 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		assert_int_equal(ward_memory_add(ring->memory, parts[i].range, parts[i].flags,
						 NULL),
				 0);
	ring->main = ward_memory_at(ring->memory, parts[0].range, true);
	assert_non_null(ring->main);
}

static inline struct ward_virtq_options ring_options(const struct ring *ring, uint32_t entries,
						     uint32_t features)
{
	return (struct ward_virtq_options){
		.size = sizeof(struct ward_virtq_options),
		.memory = ring->memory,
		.descriptors = ward_gpa(RING_DESCRIPTORS),
		.available = ward_gpa(RING_AVAILABLE),
		.used = ward_gpa(RING_USED),
		.entries = entries,
		.features = features,
	};
}

static inline void ring_start(struct ring *ring, uint32_t entries, uint32_t features)
{
	struct ward_virtq_options options;

	ring_memory(ring);
	options = ring_options(ring, entries, features);
	ring->entries = entries;
	ring->features = features;
	assert_int_equal(ward_virtq_create(&options, &ring->queue, NULL), 0);
}

/* The queue goes on elsewhere. */
static inline void ring_restore(struct ring *ring, uint16_t next_available, uint16_t next_used)
{
	struct ward_virtq_options options = ring_options(ring, ring->entries, ring->features);

	options.next_available = next_available;
	options.next_used = next_used;
	ward_virtq_destroy(ring->queue);
	assert_int_equal(ward_virtq_create(&options, &ring->queue, NULL), 0);
	ring->next = next_available;
}

static inline void ring_finish(struct ring *ring)
{
	ward_virtq_destroy(ring->queue);
	ward_memory_destroy(ring->memory);
}

static inline void *ring_at(const struct ring *ring, uint64_t address)
{
	return ring->main + (address - RING_MAIN);
}

static inline uint16_t ring_read16(const struct ring *ring, uint64_t address)
{
	return le16toh(__atomic_load_n((const uint16_t *)ring_at(ring, address), __ATOMIC_SEQ_CST));
}

static inline uint32_t ring_read32(const struct ring *ring, uint64_t address)
{
	return le32toh(__atomic_load_n((const uint32_t *)ring_at(ring, address), __ATOMIC_RELAXED));
}

static inline void ring_write16(const struct ring *ring, uint64_t address, uint32_t value)
{
	__atomic_store_n((uint16_t *)ring_at(ring, address), htole16((uint16_t)value),
			 __ATOMIC_SEQ_CST);
}

static inline void ring_describe_at(const struct ring *ring, uint64_t at, uint64_t address,
				    uint64_t length, uint32_t flags, uint32_t next)
{
	uint64_t words[2] = {
		htole64(address),
		htole64((uint32_t)length | (uint64_t)flags << 32 | (uint64_t)next << 48),
	};

	assert_int_equal(ward_memory_write(ring->memory, at, words, sizeof(words)), 0);
}

static inline void ring_describe(const struct ring *ring, uint32_t index, uint64_t address,
				 uint64_t length, uint32_t flags, uint32_t next)
{
	ring_describe_at(ring, RING_DESCRIPTORS + 16 * (uint64_t)index, address, length, flags,
			 next);
}

/* Makes a head available; the device sees it when the index is written. */
static inline void ring_place(struct ring *ring, uint32_t head)
{
	ring_write16(ring, RING_AVAILABLE + 4 + 2 * (ring->next & (ring->entries - 1)), head);
	ring->next++;
}

static inline void ring_offer(struct ring *ring, uint32_t head)
{
	ring_place(ring, head);
	ring_write16(ring, RING_AVAILABLE + 2, ring->next);
}

static inline void ring_set_flags(const struct ring *ring, uint32_t flags)
{
	ring_write16(ring, RING_AVAILABLE, flags);
}

static inline void ring_set_used_event(const struct ring *ring, uint32_t event)
{
	ring_write16(ring, RING_AVAILABLE + 4 + 2 * ring->entries, event);
}

static inline uint16_t ring_used_flags(const struct ring *ring)
{
	return ring_read16(ring, RING_USED);
}

static inline uint16_t ring_used_index(const struct ring *ring)
{
	return ring_read16(ring, RING_USED + 2);
}

static inline uint16_t ring_available_event(const struct ring *ring)
{
	return ring_read16(ring, RING_USED + 4 + 8 * ring->entries);
}

static inline uint32_t ring_used_head(const struct ring *ring, uint32_t slot)
{
	return ring_read32(ring, RING_USED + 4 + 8 * (slot & (ring->entries - 1)));
}

static inline uint32_t ring_used_length(const struct ring *ring, uint32_t slot)
{
	return ring_read32(ring, RING_USED + 8 + 8 * (slot & (ring->entries - 1)));
}

/* Where a byte of guest memory is in this process. */
static inline const unsigned char *ring_byte(const struct ring *ring, uint64_t address)
{
	return ward_memory_at(ring->memory, (struct ward_range){ address, address }, false);
}

#endif
