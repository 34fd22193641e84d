// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* MSI and MSI-X registers: the bits of the capabilities, masks, pending bits, and by chance. */
#include <errno.h>

#include "vector_reference.h"

#include "sweep.h"

#define ADDRESS 0x0000000180200040ull

struct seen {
	struct ref_sent sent[REF_SENT];
	unsigned int count;
	unsigned int changes;
	uint32_t first, last;
	unsigned int sent_at_change;
	struct ward_vectors *vectors;
};

static struct seen seen;

static void send(void *context, uint32_t vector, const struct ward_message *message)
{
	assert_ptr_equal(context, &seen);
	seen.sent[seen.count++ % REF_SENT] = (struct ref_sent){
		.vector = vector,
		.data = message->data,
		.address = ward_iova_raw(message->address),
	};
}

static void changed(void *context, uint32_t first, uint32_t last)
{
	assert_ptr_equal(context, &seen);
	seen.changes++;
	seen.first = first;
	seen.last = last;
	seen.sent_at_change = seen.count;
}

static struct ward_vectors *make(uint8_t msi, bool wide, bool masks, uint16_t msix)
{
	const struct ward_vectors_options options = {
		.size = sizeof(options),
		.msi_vectors = msi,
		.msi_64 = wide,
		.msi_masks = masks,
		.msix_vectors = msix,
		.msix_table = 0x2001,
		.msix_pba = 0x3004,
		.send = send,
		.changed = changed,
		.context = &seen,
	};

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(ward_vectors_create(&options, &seen.vectors), 0);
	return seen.vectors;
}

static void put(enum ward_vector_registers which, uint32_t offset, uint64_t value, size_t size)
{
	assert_int_equal(ward_vectors_write(seen.vectors, which, offset, &value, size), 0);
}

static uint64_t get(enum ward_vector_registers which, uint32_t offset, size_t size)
{
	uint64_t value = 0;

	assert_int_equal(ward_vectors_read(seen.vectors, which, offset, &value, size), 0);
	return value;
}

static struct ward_vector vector_of(uint32_t vector)
{
	struct ward_vector now;

	assert_int_equal(ward_vectors_get(seen.vectors, vector, &now), 0);
	return now;
}

static void expect_sent(unsigned int count, uint32_t vector, uint64_t address, uint32_t data)
{
	assert_int_equal(seen.count, count);
	assert_int_equal(seen.sent[count - 1].vector, vector);
	assert_int_equal(seen.sent[count - 1].address, address);
	assert_int_equal(seen.sent[count - 1].data, data);
}

static void test_options(void **state)
{
	static const struct {
		uint8_t msi;
		uint16_t msix;
		uint32_t table, pba;
		int code;
	} rows[] = {
		{ 0, 0, 0, 0, 0 },
		{ 32, 2048, 5, 5, 0 },
		{ 3, 0, 0, 0, -EINVAL },
		{ 64, 0, 0, 0, -EINVAL },
		{ 255, 0, 0, 0, -EINVAL },
		{ 0, 2049, 0, 0, -EINVAL },
		{ 1, 1, 0x1006, 0, -EINVAL },
		{ 1, 1, 0, 7, -EINVAL },
		{ 1, 0, 6, 7, 0 },
	};
	struct ward_vectors *vectors = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_vectors_options options = {
			.size = sizeof(options),
			.msi_vectors = rows[i].msi,
			.msix_vectors = rows[i].msix,
			.msix_table = rows[i].table,
			.msix_pba = rows[i].pba,
		};

		assert_int_equal(ward_vectors_create(&options, &vectors), rows[i].code);
		if (rows[i].code == 0)
			ward_vectors_destroy(vectors);
		options.size--;
		assert_int_equal(ward_vectors_create(&options, &vectors), -EINVAL);
	}
	ward_vectors_destroy(NULL);
}

/* Sizes, and what the control word says, of all four layouts. */
static void test_layouts(void **state)
{
	static const struct {
		bool wide, masks;
		uint32_t size, data_at, masks_at, control;
	} rows[] = {
		{ false, false, 10, 8, 0, 0x0006 },
		{ true, false, 14, 12, 0, 0x0086 },
		{ false, true, 20, 8, 12, 0x0106 },
		{ true, true, 24, 12, 16, 0x0186 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t two;
		uint8_t one;

		make(8, rows[i].wide, rows[i].masks, 0);
		assert_int_equal(get(WARD_MSI_CAPABILITY, 0, 2), 0x0005);
		assert_int_equal(get(WARD_MSI_CAPABILITY, 2, 2), rows[i].control);
		assert_int_equal(ward_vectors_read(seen.vectors, WARD_MSI_CAPABILITY,
						   rows[i].size - 2, &two, 2),
				 0);
		assert_int_equal(ward_vectors_read(seen.vectors, WARD_MSI_CAPABILITY, rows[i].size,
						   &one, 1),
				 -EINVAL);
		for (uint32_t at = 0; at < rows[i].size; at++)
			put(WARD_MSI_CAPABILITY, at, 0xff, 1);
		assert_int_equal(get(WARD_MSI_CAPABILITY, 0, 2), 0x0005);
		assert_int_equal(get(WARD_MSI_CAPABILITY, 2, 2), rows[i].control | 0x31);
		assert_int_equal(get(WARD_MSI_CAPABILITY, 4, 4), 0xfffffffc);
		if (rows[i].wide)
			assert_int_equal(get(WARD_MSI_CAPABILITY, 8, 4), 0xffffffff);
		assert_int_equal(get(WARD_MSI_CAPABILITY, rows[i].data_at, 2), 0xffff);
		if (rows[i].masks) {
			assert_int_equal(get(WARD_MSI_CAPABILITY, rows[i].data_at + 2, 2), 0);
			assert_int_equal(get(WARD_MSI_CAPABILITY, rows[i].masks_at, 4), 0xff);
			assert_int_equal(get(WARD_MSI_CAPABILITY, rows[i].masks_at + 4, 4), 0);
		}
		ward_vectors_destroy(seen.vectors);
	}
}

static void test_msix_layout(void **state)
{
	(void)state;
	make(0, false, false, 65);
	assert_int_equal(get(WARD_MSIX_CAPABILITY, 0, 4), 0x00400011);
	assert_int_equal(get(WARD_MSIX_CAPABILITY, 4, 4), 0x2001);
	assert_int_equal(get(WARD_MSIX_CAPABILITY, 8, 4), 0x3004);
	for (uint32_t at = 0; at < 12; at++)
		put(WARD_MSIX_CAPABILITY, at, 0xff, 1);
	assert_int_equal(get(WARD_MSIX_CAPABILITY, 0, 4), 0xc0400011);
	assert_int_equal(get(WARD_MSIX_CAPABILITY, 4, 4), 0x2001);
	assert_int_equal(get(WARD_MSIX_CAPABILITY, 8, 4), 0x3004);
	assert_int_equal(get(WARD_MSIX_TABLE, 64 * 16 + 8, 8), 0x100000000);
	put(WARD_MSIX_TABLE, 64 * 16, UINT64_MAX, 8);
	put(WARD_MSIX_TABLE, 64 * 16 + 8, UINT64_MAX, 8);
	assert_int_equal(get(WARD_MSIX_TABLE, 64 * 16, 8), 0xfffffffffffffffc);
	assert_int_equal(get(WARD_MSIX_TABLE, 64 * 16 + 8, 8), 0x1ffffffff);
	put(WARD_MSIX_PBA, 8, UINT64_MAX, 8);
	assert_int_equal(get(WARD_MSIX_PBA, 8, 8), 0);
	ward_vectors_destroy(seen.vectors);
	make(0, false, false, 64);
	assert_int_equal(get(WARD_MSIX_PBA, 0, 8), 0);
	assert_int_equal(ward_vectors_write(seen.vectors, WARD_MSIX_PBA, 8, "", 4), -EINVAL);
	ward_vectors_destroy(seen.vectors);
}

/* Accesses that registers do not have, one at a time. */
static void test_accesses(void **state)
{
	static const struct {
		enum ward_vector_registers which;
		uint32_t offset;
		size_t size;
	} rows[] = {
		{ WARD_MSI_CAPABILITY, 0, 3 },
		{ WARD_MSI_CAPABILITY, 0, 8 },
		{ WARD_MSI_CAPABILITY, 0, 0 },
		{ WARD_MSI_CAPABILITY, 1, 2 },
		{ WARD_MSI_CAPABILITY, 2, 4 },
		{ WARD_MSI_CAPABILITY, 24, 1 },
		{ WARD_MSI_CAPABILITY, ~3u, 4 },
		{ WARD_MSIX_CAPABILITY, 12, 4 },
		{ WARD_MSIX_CAPABILITY, 0, 8 },
		{ WARD_MSIX_TABLE, 0, 1 },
		{ WARD_MSIX_TABLE, 0, 2 },
		{ WARD_MSIX_TABLE, 4, 8 },
		{ WARD_MSIX_TABLE, 2, 4 },
		{ WARD_MSIX_TABLE, 65 * 16, 4 },
		{ WARD_MSIX_TABLE, 0, 16 },
		{ WARD_MSIX_TABLE, UINT32_MAX & ~7u, 8 },
		{ WARD_MSIX_PBA, 16, 8 },
		{ WARD_MSIX_PBA, 16, 4 },
		{ WARD_MSIX_PBA, 0, 2 },
		{ (enum ward_vector_registers)4, 0, 4 },
		{ (enum ward_vector_registers) ~0u, 0, 4 },
	};
	uint8_t bytes[16] = { 0x55 };

	(void)state;
	make(32, true, true, 65);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ward_vectors_read(seen.vectors, rows[i].which, rows[i].offset,
						   bytes, rows[i].size),
				 -EINVAL);
		assert_int_equal(bytes[0], 0x55);
		assert_int_equal(ward_vectors_write(seen.vectors, rows[i].which, rows[i].offset,
						    bytes, rows[i].size),
				 -EINVAL);
	}
	ward_vectors_destroy(seen.vectors);
	make(0, false, false, 0);
	for (unsigned int which = 0; which < 4; which++)
		assert_int_equal(ward_vectors_read(seen.vectors, which, 0, bytes, 4), -EINVAL);
	assert_int_equal(ward_vectors_raise(seen.vectors, 0), -EINVAL);
	ward_vectors_reset(seen.vectors);
	assert_int_equal(seen.changes, 0);
	ward_vectors_destroy(seen.vectors);
}

static void start_msi(unsigned int granted_log2)
{
	put(WARD_MSI_CAPABILITY, 4, ADDRESS & 0xffffffff, 4);
	put(WARD_MSI_CAPABILITY, 8, ADDRESS >> 32, 4);
	put(WARD_MSI_CAPABILITY, 12, 0x4abd, 2);
	put(WARD_MSI_CAPABILITY, 2, 1 | granted_log2 << 4, 2);
}

/* Several messages: the low bits of the data are the vector's number, as many as are granted. */
static void test_messages(void **state)
{
	uint32_t count;

	(void)state;
	make(32, true, true, 0);
	assert_int_equal(ward_vectors_raise(seen.vectors, 0), -EOPNOTSUPP);
	assert_int_equal(ward_vectors_raise(seen.vectors, 32), -EINVAL);
	start_msi(0);
	assert_int_equal(ward_vectors_mode(seen.vectors, &count), WARD_VECTORS_MSI);
	assert_int_equal(count, 1);
	assert_int_equal(ward_vectors_raise(seen.vectors, 0), 1);
	expect_sent(1, 0, ADDRESS, 0x4abd);
	assert_int_equal(ward_vectors_raise(seen.vectors, 1), -EINVAL);
	assert_false(vector_of(1).enabled);
	assert_int_equal(vector_of(2).message.data, 0x4abd);
	start_msi(3);
	assert_int_equal(ward_vectors_raise(seen.vectors, 2), 1);
	expect_sent(2, 2, ADDRESS, 0x4aba);
	assert_int_equal(ward_vectors_raise(seen.vectors, 8), -EINVAL);
	start_msi(7);
	assert_int_equal(ward_vectors_mode(seen.vectors, &count), WARD_VECTORS_MSI);
	assert_int_equal(count, 32);
	assert_int_equal(get(WARD_MSI_CAPABILITY, 2, 2), 0x01db);
	assert_int_equal(ward_vectors_raise(seen.vectors, 31), 1);
	expect_sent(3, 31, ADDRESS, 0x4abf);
	ward_vectors_destroy(seen.vectors);
}

/* Pending once, sent once, with the message of the moment it is set free. */
static void test_msi_pending(void **state)
{
	(void)state;
	make(4, true, true, 0);
	start_msi(2);
	put(WARD_MSI_CAPABILITY, 16, 0x6, 4);
	assert_true(vector_of(1).masked && vector_of(2).masked && !vector_of(0).masked);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(ward_vectors_raise(seen.vectors, 1), 0);
	assert_int_equal(ward_vectors_raise(seen.vectors, 2), 0);
	assert_int_equal(ward_vectors_raise(seen.vectors, 0), 1);
	assert_int_equal(get(WARD_MSI_CAPABILITY, 20, 4), 0x6);
	put(WARD_MSI_CAPABILITY, 20, 0, 4);
	assert_int_equal(get(WARD_MSI_CAPABILITY, 20, 4), 0x6);
	put(WARD_MSI_CAPABILITY, 12, 0x100, 2);
	put(WARD_MSI_CAPABILITY, 16, 0x4, 1);
	expect_sent(2, 1, ADDRESS, 0x101);
	assert_int_equal(seen.sent_at_change, 1);
	assert_int_equal(get(WARD_MSI_CAPABILITY, 20, 4), 0x4);
	/* Switched off, what is pending is gone. */
	put(WARD_MSI_CAPABILITY, 2, 0x20, 2);
	assert_int_equal(get(WARD_MSI_CAPABILITY, 20, 4), 0);
	put(WARD_MSI_CAPABILITY, 2, 0x21, 2);
	put(WARD_MSI_CAPABILITY, 16, 0, 1);
	assert_int_equal(seen.count, 2);
	ward_vectors_destroy(seen.vectors);
}

static void entry(uint32_t vector, uint64_t address, uint32_t data, bool masked)
{
	put(WARD_MSIX_TABLE, vector * 16, address, 8);
	put(WARD_MSIX_TABLE, vector * 16 + 8, data | (uint64_t)masked << 32, 8);
}

static void test_msix_pending(void **state)
{
	(void)state;
	make(1, false, false, 70);
	entry(69, ADDRESS, 0xdeadbeef, false);
	entry(3, ADDRESS + 4, 3, true);
	assert_int_equal(seen.changes, 0);
	assert_int_equal(ward_vectors_raise(seen.vectors, 69), -EOPNOTSUPP);
	put(WARD_MSIX_CAPABILITY, 2, 0xc000, 2);
	assert_int_equal(seen.changes, 1);
	assert_int_equal(seen.first, 0);
	assert_int_equal(seen.last, 69);
	assert_int_equal(ward_vectors_raise(seen.vectors, 69), 0);
	assert_int_equal(ward_vectors_raise(seen.vectors, 69), 0);
	assert_int_equal(ward_vectors_raise(seen.vectors, 3), 0);
	assert_int_equal(ward_vectors_raise(seen.vectors, 64), 0);
	assert_int_equal(ward_vectors_raise(seen.vectors, 70), -EINVAL);
	assert_int_equal(get(WARD_MSIX_PBA, 0, 8), 8);
	assert_int_equal(get(WARD_MSIX_PBA, 8, 4), 33);
	assert_true(vector_of(69).masked && vector_of(69).pending);
	/* Off and on again with the mask away: it was not forgotten. */
	put(WARD_MSIX_CAPABILITY, 2, 0x4000, 2);
	put(WARD_MSIX_CAPABILITY, 2, 0, 2);
	assert_int_equal(seen.count, 0);
	put(WARD_MSIX_CAPABILITY, 3, 0x80, 1);
	expect_sent(1, 69, ADDRESS, 0xdeadbeef);
	assert_int_equal(get(WARD_MSIX_PBA, 8, 4), 1);
	put(WARD_MSIX_TABLE, 3 * 16 + 12, 0, 4);
	expect_sent(2, 3, ADDRESS + 4, 3);
	/* A mask of the function set, and taken away again. */
	put(WARD_MSIX_CAPABILITY, 3, 0xc0, 1);
	for (uint32_t i = 8; i <= 64; i += 8) {
		entry(i, ADDRESS, i, false);
		assert_int_equal(ward_vectors_raise(seen.vectors, i), 0);
	}
	put(WARD_MSIX_CAPABILITY, 3, 0x80, 1);
	expect_sent(10, 64, ADDRESS, 64);
	assert_int_equal(get(WARD_MSIX_PBA, 0, 8), 0);
	put(WARD_MSIX_TABLE, 3 * 16 + 12, 1, 4);
	assert_int_equal(ward_vectors_raise(seen.vectors, 3), 0);
	/* Data and mask in one write: the new data goes out. */
	put(WARD_MSIX_TABLE, 3 * 16 + 8, 0x77, 8);
	expect_sent(11, 3, ADDRESS + 4, 0x77);
	assert_int_equal(seen.first, 3);
	assert_int_equal(seen.last, 3);
	assert_int_equal(seen.sent_at_change, 10);
	ward_vectors_destroy(seen.vectors);
}

/* Shown, and not sent; a mode of its own. */
static void test_shown(void **state)
{
	struct ward_vector now = { .enabled = false };

	(void)state;
	make(2, true, true, 4);
	assert_int_equal(ward_vectors_get(seen.vectors, 0, &now), -EINVAL);
	assert_int_equal(ward_vectors_set_pending(seen.vectors, 4, true), -EINVAL);
	start_msi(1);
	assert_int_equal(ward_vectors_get(seen.vectors, 2, &now), -EINVAL);
	assert_int_equal(ward_vectors_set_pending(seen.vectors, 2, true), -EINVAL);
	assert_int_equal(ward_vectors_set_pending(seen.vectors, 1, true), 0);
	assert_int_equal(get(WARD_MSI_CAPABILITY, 20, 4), 2);
	put(WARD_MSI_CAPABILITY, 16, 1, 4);
	put(WARD_MSI_CAPABILITY, 16, 0, 4);
	assert_int_equal(get(WARD_MSI_CAPABILITY, 20, 4), 2);
	/* Both on: MSI-X counts, and MSI was left. */
	put(WARD_MSIX_CAPABILITY, 2, 0x8000, 2);
	assert_int_equal(ward_vectors_mode(seen.vectors, NULL), WARD_VECTORS_MSIX);
	assert_int_equal(get(WARD_MSI_CAPABILITY, 20, 4), 0);
	entry(2, ADDRESS, 1, false);
	assert_int_equal(ward_vectors_set_pending(seen.vectors, 2, true), 0);
	assert_int_equal(ward_vectors_set_pending(seen.vectors, 4, true), -EINVAL);
	entry(2, ADDRESS, 2, false);
	assert_int_equal(get(WARD_MSIX_PBA, 0, 4), 4);
	assert_true(vector_of(2).pending);
	assert_int_equal(seen.count, 0);
	assert_int_equal(ward_vectors_set_pending(seen.vectors, 2, false), 0);
	assert_int_equal(get(WARD_MSIX_PBA, 0, 4), 0);
	assert_int_equal(ward_vectors_raise(seen.vectors, 3), 0);
	ward_vectors_reset(seen.vectors);
	assert_int_equal(get(WARD_MSIX_PBA, 0, 4), 0);
	assert_int_equal(get(WARD_MSIX_TABLE, 2 * 16 + 8, 8), 0x100000000);
	assert_int_equal(get(WARD_MSIX_CAPABILITY, 2, 2), 3);
	assert_int_equal(get(WARD_MSI_CAPABILITY, 2, 2), 0x0182);
	assert_int_equal(seen.count, 0);
	ward_vectors_destroy(seen.vectors);
}

static uint64_t chance_state;

/* Marsaglia's xorshift, 64 bits, with his shifts 13, 7, 17. */
static uint32_t chance(uint32_t below)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return (uint32_t)(chance_state >> 16) % below;
}

static struct ref_vectors ref;

static void compare(void)
{
	const struct {
		enum ward_vector_registers which;
		uint32_t size;
	} blocks[] = {
		{ WARD_MSI_CAPABILITY,
		  ref.has.msi_vectors == 0
			  ? 0
			  : (ref.has.msi_64 ? 14u : 10u) + (ref.has.msi_masks ? 10u : 0u) },
		{ WARD_MSIX_CAPABILITY, ref.has.msix_vectors ? 12 : 0 },
		{ WARD_MSIX_TABLE, ref.has.msix_vectors * 16u },
		{ WARD_MSIX_PBA, (ref.has.msix_vectors + 63u) / 64 * 8 },
	};

	for (size_t i = 0; i < 4; i++) {
		for (uint32_t at = 0; at < blocks[i].size; at += 4) {
			size_t size = blocks[i].size - at < 4 ? 2 : 4;

			assert_int_equal(get(blocks[i].which, at, size),
					 ref_word(&ref, blocks[i].which, at) &
						 (size == 2 ? 0xffffu : ~0u));
		}
	}
	assert_int_equal(ward_vectors_mode(seen.vectors, NULL), ref_mode(&ref));
	assert_int_equal(seen.count, ref.sent_count);
	assert_memory_equal(seen.sent, ref.sent, sizeof(ref.sent));
}

/* A write, with bits that matter more often than by chance. */
static void write_by_chance(void)
{
	enum ward_vector_registers which = chance(4);
	uint32_t ends[] = { 26, 14, ref.has.msix_vectors * 16u + 8, 24 };
	size_t size = 1u << chance(4);
	uint32_t offset =
		chance(3) ? chance(ends[which]) & ~((uint32_t)size - 1) : chance(ends[which]);
	uint64_t value = (uint64_t)chance(UINT32_MAX) << 32 | chance(UINT32_MAX);
	uint64_t now = 0;

	if (which == WARD_MSIX_TABLE && chance(2))
		value &= 0xfffffffefffffffe;
	if (which <= WARD_MSIX_CAPABILITY && chance(4) == 0) {
		offset = 2;
		size = 2;
	}
	if (ward_vectors_read(seen.vectors, which, offset, &now, size)) {
		assert_int_equal(ward_vectors_write(seen.vectors, which, offset, &value, size),
				 -EINVAL);
		return;
	}
	if (chance(8) == 0)
		value = now;
	ref_write(&ref, which, offset, (uint8_t *)&value, size);
	put(which, offset, value, size);
}

static void test_chance(void **state)
{
	static const uint16_t tables[] = { 0, 1, 5, 64, 65, 100 };

	(void)state;
	for (unsigned int round = 0; round < 60; round++) {
		chance_state = 0x9e3779b97f4a7c15 + round;
		memset(&ref, 0, sizeof(ref));
		ref.has = (struct ward_vectors_options){
			.msi_vectors = (uint8_t)((1u << chance(7)) & 0x3f),
			.msi_64 = chance(2),
			.msi_masks = chance(2),
			.msix_vectors = tables[chance(6)],
			.msix_table = 0x2001,
			.msix_pba = 0x3004,
		};
		make(ref.has.msi_vectors, ref.has.msi_64, ref.has.msi_masks, ref.has.msix_vectors);
		ref_reset(&ref);
		for (unsigned int i = 0; i < 400; i++) {
			uint32_t vector = chance(ref.has.msix_vectors + 34u);

			if (chance(2)) {
				write_by_chance();
			} else if (chance(100) == 0) {
				ward_vectors_reset(seen.vectors);
				ref_reset(&ref);
			} else {
				assert_int_equal(ward_vectors_raise(seen.vectors, vector),
						 ref_raise(&ref, vector));
			}
			if (i % 8 == 0)
				compare();
		}
		compare();
		ward_vectors_destroy(seen.vectors);
	}
}

static int create(void *context)
{
	const struct ward_vectors_options options = {
		.size = sizeof(options),
		.msi_vectors = 32,
		.msix_vectors = 2048,
	};
	struct ward_vectors *vectors;
	int code = ward_vectors_create(&options, &vectors);

	(void)context;
	if (code == 0)
		ward_vectors_destroy(vectors);
	return code;
}

static void test_no_memory(void **state)
{
	(void)state;
	assert_int_equal(test_sweep(create, NULL), 2);
}

/* Every reason has words of its own. */
static void test_reasons(void **state)
{
	(void)state;
	for (unsigned int i = 0; i <= WARD_REASON_TABLE; i++) {
		assert_non_null(ward_interrupt_reason_text(i));
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(ward_interrupt_reason_text(i),
						ward_interrupt_reason_text(j));
	}
	assert_string_equal(ward_interrupt_reason_text(WARD_REASON_TABLE + 1), "unknown reason");
	assert_string_equal(ward_interrupt_reason_text((enum ward_interrupt_reason) - 1),
			    "unknown reason");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),	     cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_msix_layout),  cmocka_unit_test(test_accesses),
		cmocka_unit_test(test_messages),     cmocka_unit_test(test_msi_pending),
		cmocka_unit_test(test_msix_pending), cmocka_unit_test(test_shown),
		cmocka_unit_test(test_chance),	     cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
