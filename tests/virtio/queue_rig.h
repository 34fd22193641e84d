/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest's memory with one split queue in it, and what its driver does there. Fields are written
 * and read as a driver does on another CPU: one atomic access each, little-endian.
 */
#ifndef TESTS_VIRTIO_QUEUE_RIG_H
#define TESTS_VIRTIO_QUEUE_RIG_H

#include <doorward/memory.h>
#include <doorward/virtq.h>

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Memory: the main part, one that touches it, one to be read only that touches that; the end. */
#define RIG_MAIN 0x10000u
#define RIG_MAIN_LAST 0x1fffffu
#define RIG_NEXT 0x200000u
#define RIG_NEXT_LAST 0x20ffffu
#define RIG_READ_ONLY 0x210000u
#define RIG_READ_ONLY_LAST 0x21ffffu
#define RIG_HOLE 0x220000u
#define RIG_TOP UINT64_C(0xfffffffffffff000)

/* In the main part. */
#define RIG_DESCRIPTORS 0x10000u
#define RIG_AVAILABLE 0x100000u
#define RIG_USED 0x120000u
#define RIG_TABLE 0x180000u
#define RIG_BUFFER 0x1a0000u

#define RIG_NO_NEXT 0u
#define RIG_F_NEXT 1u
#define RIG_F_WRITE 2u
#define RIG_F_INDIRECT 4u

struct rig {
	struct ward_memory *memory;
	struct ward_virtq *queue;
	unsigned char *main; /* bytes of the main part */
	uint32_t entries, features;
	uint16_t next; /* the driver's available index */
};

static inline void rig_memory(struct rig *rig)
{
	const struct {
		struct ward_range range;
		uint32_t flags;
	} parts[] = {
		{ { RIG_MAIN, RIG_MAIN_LAST }, 0 },
		{ { RIG_NEXT, RIG_NEXT_LAST }, 0 },
		{ { RIG_READ_ONLY, RIG_READ_ONLY_LAST }, WARD_MEMORY_READ_ONLY },
		{ { RIG_TOP, UINT64_MAX }, 0 },
	};

	memset(rig, 0, sizeof(*rig));
	assert_int_equal(ward_memory_create(&rig->memory), 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		assert_int_equal(ward_memory_add(rig->memory, parts[i].range, parts[i].flags, NULL),
				 0);
	rig->main = ward_memory_at(rig->memory, parts[0].range, true);
	assert_non_null(rig->main);
}

static inline struct ward_virtq_options rig_options(const struct rig *rig, uint32_t entries,
						    uint32_t features)
{
	return (struct ward_virtq_options){
		.size = sizeof(struct ward_virtq_options),
		.memory = rig->memory,
		.descriptors = ward_gpa(RIG_DESCRIPTORS),
		.available = ward_gpa(RIG_AVAILABLE),
		.used = ward_gpa(RIG_USED),
		.entries = entries,
		.features = features,
	};
}

static inline void rig_start(struct rig *rig, uint32_t entries, uint32_t features)
{
	struct ward_virtq_options options;

	rig_memory(rig);
	options = rig_options(rig, entries, features);
	rig->entries = entries;
	rig->features = features;
	assert_int_equal(ward_virtq_create(&options, &rig->queue, NULL), 0);
}

/* The queue goes on elsewhere. */
static inline void rig_restore(struct rig *rig, uint16_t next_available, uint16_t next_used)
{
	struct ward_virtq_options options = rig_options(rig, rig->entries, rig->features);

	options.next_available = next_available;
	options.next_used = next_used;
	ward_virtq_destroy(rig->queue);
	assert_int_equal(ward_virtq_create(&options, &rig->queue, NULL), 0);
	rig->next = next_available;
}

static inline void rig_finish(struct rig *rig)
{
	ward_virtq_destroy(rig->queue);
	ward_memory_destroy(rig->memory);
}

static inline void *rig_at(const struct rig *rig, uint64_t address)
{
	return rig->main + (address - RIG_MAIN);
}

static inline uint16_t rig_read16(const struct rig *rig, uint64_t address)
{
	return le16toh(__atomic_load_n((const uint16_t *)rig_at(rig, address), __ATOMIC_SEQ_CST));
}

static inline uint32_t rig_read32(const struct rig *rig, uint64_t address)
{
	return le32toh(__atomic_load_n((const uint32_t *)rig_at(rig, address), __ATOMIC_RELAXED));
}

static inline void rig_write16(const struct rig *rig, uint64_t address, uint32_t value)
{
	__atomic_store_n((uint16_t *)rig_at(rig, address), htole16((uint16_t)value),
			 __ATOMIC_SEQ_CST);
}

static inline void rig_describe_at(const struct rig *rig, uint64_t at, uint64_t address,
				   uint64_t length, uint32_t flags, uint32_t next)
{
	uint64_t words[2] = {
		htole64(address),
		htole64((uint32_t)length | (uint64_t)flags << 32 | (uint64_t)next << 48),
	};

	assert_int_equal(ward_memory_write(rig->memory, at, words, sizeof(words)), 0);
}

static inline void rig_describe(const struct rig *rig, uint32_t index, uint64_t address,
				uint64_t length, uint32_t flags, uint32_t next)
{
	rig_describe_at(rig, RIG_DESCRIPTORS + 16 * (uint64_t)index, address, length, flags, next);
}

/* Makes a head available; the device sees it when the index is written. */
static inline void rig_ring(struct rig *rig, uint32_t head)
{
	rig_write16(rig, RIG_AVAILABLE + 4 + 2 * (rig->next & (rig->entries - 1)), head);
	rig->next++;
}

static inline void rig_offer(struct rig *rig, uint32_t head)
{
	rig_ring(rig, head);
	rig_write16(rig, RIG_AVAILABLE + 2, rig->next);
}

static inline void rig_set_flags(const struct rig *rig, uint32_t flags)
{
	rig_write16(rig, RIG_AVAILABLE, flags);
}

static inline void rig_set_used_event(const struct rig *rig, uint32_t event)
{
	rig_write16(rig, RIG_AVAILABLE + 4 + 2 * rig->entries, event);
}

static inline uint16_t rig_used_flags(const struct rig *rig)
{
	return rig_read16(rig, RIG_USED);
}

static inline uint16_t rig_used_index(const struct rig *rig)
{
	return rig_read16(rig, RIG_USED + 2);
}

static inline uint16_t rig_available_event(const struct rig *rig)
{
	return rig_read16(rig, RIG_USED + 4 + 8 * rig->entries);
}

static inline uint32_t rig_used_head(const struct rig *rig, uint32_t slot)
{
	return rig_read32(rig, RIG_USED + 4 + 8 * (slot & (rig->entries - 1)));
}

static inline uint32_t rig_used_length(const struct rig *rig, uint32_t slot)
{
	return rig_read32(rig, RIG_USED + 8 + 8 * (slot & (rig->entries - 1)));
}

/* Where a byte of guest memory is in this process. */
static inline const unsigned char *rig_byte(const struct rig *rig, uint64_t address)
{
	return ward_memory_at(rig->memory, (struct ward_range){ address, address }, false);
}

#endif
