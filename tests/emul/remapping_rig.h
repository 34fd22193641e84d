/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A VT-d that remaps, with one entry; and a message that is for it. */
#ifndef TESTS_EMUL_REMAPPING_RIG_H
#define TESTS_EMUL_REMAPPING_RIG_H

#include "emul/machines.h"
#include "emul/vtd.h"

#define TABLE 0x4000u
#define QUEUE 0x1000u
#define LAST 0xfffffu

#define GCMD 0x18u
#define GSTS 0x1cu
#define IRTA 0xb8u
#define QIE (1u << 26)
#define IRE (1u << 25)
#define SIRTP (1u << 24)
#define CFI (1u << 23)
#define EIME (1u << 11)
#define RECORD(n) (WARD_VTD_RECORD_OFFSET + (n)*16u)

#define REMAPPABLE 0x10u
#define SHV 0x8u
#define RID 0x108u

/* Entry: vector 0x41, xAPIC 2, of RID alone. */
#define LOW 0x0000020000410001u
#define HIGH (RID | 1ull << 18)
#define INDEX 5u

struct bench {
	struct ward_memory *memory;
	struct ward_vtd *vtd;
	unsigned int tail, records;
	struct ward_emul_message message;
	struct ward_apic_delivery delivery;
	struct ward_interrupt interrupt;
};

static inline void set(struct bench *b, uint32_t offset, unsigned int size, uint64_t value)
{
	assert_int_equal(ward_vtd_write(b->vtd, offset, size, value), 0);
}

static inline uint64_t reg(struct bench *b, uint32_t offset, unsigned int size)
{
	uint64_t value;

	assert_int_equal(ward_vtd_read(b->vtd, offset, size, &value), 0);
	return value;
}

static inline void put_entry(struct bench *b, uint64_t index, uint64_t low, uint64_t high)
{
	assert_int_equal(ward_memory_write_u64(b->memory, TABLE + index * 16, low), 0);
	assert_int_equal(ward_memory_write_u64(b->memory, TABLE + index * 16 + 8, high), 0);
}

/* Remapping on, with a table of 256 entries. */
static inline void start(struct bench *b, bool x2apic, uint64_t extra)
{
	struct ward_vtd_options options = {
		.address_bits = 39,
		.output_bits = 39,
		.remaps_interrupts = true,
		.x2apic = x2apic,
	};

	memset(b, 0, sizeof(*b));
	assert_int_equal(ward_memory_create(&b->memory), 0);
	options.memory = b->memory;
	assert_int_equal(ward_memory_add(b->memory, (struct ward_range){ 0, LAST }, 0, NULL), 0);
	assert_int_equal(ward_vtd_create(&options, &b->vtd), 0);
	put_entry(b, INDEX, LOW, HIGH);
	set(b, 0x90, 8, QUEUE);
	set(b, IRTA, 8, TABLE | 7 | extra);
	set(b, GCMD, 4, QIE | SIRTP);
	set(b, GCMD, 4, QIE | IRE);
	b->message = (struct ward_emul_message){
		.address = 0xfee00000u | REMAPPABLE | INDEX << 5,
		.data = 0xdeadbeef, /* not looked at without SHV */
		.size = 4,
		.rid = ward_rid(RID),
	};
}

static inline void finish(struct bench *b)
{
	ward_vtd_destroy(b->vtd);
	ward_memory_destroy(b->memory);
}

static inline int go(struct bench *b)
{
	return ward_vtd_remap(b->vtd, &b->message, &b->delivery, &b->interrupt);
}

#endif
