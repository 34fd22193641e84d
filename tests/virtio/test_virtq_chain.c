// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * From descriptors to pieces of memory: chains as drivers make them, and random ones as a naive
 * walker reads them, byte by byte.
 */
#include "ring.h"

#include <errno.h>
#include <sys/mman.h>

#define ENTRIES 8u

static void check_piece(const struct ring *ring, const struct iovec *piece, uint64_t address,
			uint64_t size)
{
	assert_ptr_equal(piece->iov_base, ring_byte(ring, address));
	assert_int_equal(piece->iov_len, size);
}

static void pop(struct ring *ring, struct ward_virtq_buffer *ret_buffer)
{
	struct ward_virtq_info info;

	ring_offer(ring, 0);
	if (ward_virtq_pop(ring->queue, ret_buffer)) {
		ward_virtq_info(ring->queue, &info);
		fail_msg("%s", info.error.text);
	}
	assert_int_equal(ret_buffer->head, 0);
}

static void push(struct ring *ring)
{
	assert_int_equal(ward_virtq_push(ring->queue, 0, 0), 0);
}

static void sizes(const struct ward_virtq_buffer *buffer, uint32_t readable_count,
		  uint64_t readable_size, uint32_t writable_count, uint64_t writable_size)
{
	assert_int_equal(buffer->readable_count, readable_count);
	assert_int_equal(buffer->readable_size, readable_size);
	assert_int_equal(buffer->writable_count, writable_count);
	assert_int_equal(buffer->writable_size, writable_size);
}

/* As long as the queue; the order of descriptors in the table means nothing. */
static void longest_chain(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, 0);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		uint32_t index = i * 5 % ENTRIES, flags = i < 3 ? 0 : RING_F_WRITE;

		ring_describe(&ring, index, RING_BUFFER + 0x100 * i, i + 1,
			      flags | (i < ENTRIES - 1 ? RING_F_NEXT : 0), (i + 1) * 5 % ENTRIES);
	}
	pop(&ring, &buffer);
	sizes(&buffer, 3, 1 + 2 + 3, 5, 4 + 5 + 6 + 7 + 8);
	for (uint32_t i = 0; i < 3; i++)
		check_piece(&ring, &buffer.readable[i], RING_BUFFER + 0x100 * i, i + 1);
	for (uint32_t i = 3; i < ENTRIES; i++)
		check_piece(&ring, &buffer.writable[i - 3], RING_BUFFER + 0x100 * i, i + 1);
	ring_finish(&ring);
}

static void one_direction_only(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, 0);
	ring_describe(&ring, 0, RING_READ_ONLY + 7, 9, 0, RING_NO_NEXT);
	pop(&ring, &buffer);
	sizes(&buffer, 1, 9, 0, 0);
	check_piece(&ring, buffer.readable, RING_READ_ONLY + 7, 9);
	push(&ring);
	ring_describe(&ring, 0, UINT64_MAX - 8, 9, RING_F_WRITE, RING_NO_NEXT);
	pop(&ring, &buffer);
	sizes(&buffer, 0, 0, 1, 9);
	check_piece(&ring, buffer.writable, UINT64_MAX - 8, 9);
	ring_finish(&ring);
}

/* No bytes are nowhere, wherever they say they are. */
static void descriptors_without_bytes(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, 0);
	ring_describe(&ring, 0, RING_HOLE, 0, RING_F_NEXT, 1);
	ring_describe(&ring, 1, RING_BUFFER, 5, RING_F_NEXT, 2);
	ring_describe(&ring, 2, UINT64_MAX, 0, RING_F_NEXT, 3);
	ring_describe(&ring, 3, RING_READ_ONLY, 0, RING_F_NEXT | RING_F_WRITE, 4);
	ring_describe(&ring, 4, RING_BUFFER, 6, RING_F_WRITE, RING_NO_NEXT);
	pop(&ring, &buffer);
	sizes(&buffer, 1, 5, 1, 6);
	push(&ring);
	ring_describe(&ring, 0, 0, 0, 0, RING_NO_NEXT);
	pop(&ring, &buffer);
	sizes(&buffer, 0, 0, 0, 0);
	ring_finish(&ring);
}

static void pieces_end_with_their_regions(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, 0);
	ring_describe(&ring, 0, RING_NEXT - 3, 0x10000 + 8, RING_F_NEXT, 1);
	ring_describe(&ring, 1, RING_NEXT - 1, 2, RING_F_WRITE, RING_NO_NEXT);
	pop(&ring, &buffer);
	sizes(&buffer, 3, 0x10000 + 8, 2, 2);
	check_piece(&ring, &buffer.readable[0], RING_NEXT - 3, 3);
	check_piece(&ring, &buffer.readable[1], RING_NEXT, 0x10000);
	check_piece(&ring, &buffer.readable[2], RING_READ_ONLY, 5);
	check_piece(&ring, &buffer.writable[0], RING_NEXT - 1, 1);
	check_piece(&ring, &buffer.writable[1], RING_NEXT, 1);
	ring_finish(&ring);
}

/* Memory of very many regions: at some point it is too much, and nothing is written beyond. */
static void too_many_pieces(void **state)
{
	struct ward_virtq_buffer buffer;
	uint32_t most = 2 * 2 + 64;
	struct ring ring;

	(void)state;
	ring_start(&ring, 2, 0);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(ward_memory_add(ring.memory,
						 (struct ward_range){ RING_HOLE + i,
								      RING_HOLE + i },
						 0, NULL),
				 0);
	ring_describe(&ring, 0, RING_HOLE, most - 1, RING_F_NEXT, 1);
	ring_describe(&ring, 1, RING_HOLE + 99, 1, RING_F_WRITE, RING_NO_NEXT);
	pop(&ring, &buffer);
	sizes(&buffer, most - 1, most - 1, 1, 1);
	for (uint32_t i = 0; i < most - 1; i++)
		check_piece(&ring, &buffer.readable[i], RING_HOLE + i, 1);
	push(&ring);
	ring_describe(&ring, 0, RING_HOLE, most, RING_F_NEXT, 1);
	ring_offer(&ring, 0);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -EBADMSG);
	ring_finish(&ring);
}

/* 2^32 bytes, and one more; they are only ever pointed to. */
static void largest_chain(void **state)
{
	struct ward_range range = { UINT64_C(1) << 40, (UINT64_C(1) << 40) + UINT32_MAX };
	void *bytes = mmap(NULL, (size_t)UINT32_MAX + 1, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct ward_virtq_buffer buffer;
	struct ward_virtq_info info;
	struct ring ring;

	(void)state;
	assert_ptr_not_equal(bytes, MAP_FAILED);
	ring_start(&ring, ENTRIES, 0);
	assert_int_equal(ward_memory_add(ring.memory, range, 0, bytes), 0);
	ring_describe(&ring, 0, range.start, UINT32_MAX, RING_F_NEXT, 1);
	ring_describe(&ring, 1, range.last, 1, RING_F_WRITE, RING_NO_NEXT);
	pop(&ring, &buffer);
	sizes(&buffer, 1, UINT32_MAX, 1, 1);
	push(&ring);
	ring_describe(&ring, 1, range.last - 1, 2, RING_F_WRITE, RING_NO_NEXT);
	ring_offer(&ring, 0);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -EBADMSG);
	ward_virtq_info(ring.queue, &info);
	assert_non_null(strstr(info.error.text, "2^32"));
	ring_finish(&ring);
	munmap(bytes, (size_t)UINT32_MAX + 1);
}

/* Two descriptors, the second one first in the table. */
static void make_table(struct ring *ring, uint64_t at)
{
	ring_describe_at(ring, at, RING_BUFFER, 20, RING_F_NEXT, 2);
	ring_describe_at(ring, at + 16, RING_HOLE, 1, 0, RING_NO_NEXT);
	ring_describe_at(ring, at + 32, RING_BUFFER + 64, 4, RING_F_WRITE, RING_NO_NEXT);
}

/* Wherever it lies: unaligned, across regions, at the end of addresses, in read-only memory. */
static void indirect_tables(void **state)
{
	static const uint64_t places[] = {
		RING_TABLE,	RING_TABLE + 8,	 RING_TABLE + 1,  RING_NEXT - 48,
		RING_NEXT - 24, RING_NEXT - 16,	 RING_NEXT - 1,	  RING_NEXT - 41,
		RING_NEXT,	UINT64_MAX - 47, RING_BUFFER + 5,
	};
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, WARD_VIRTQ_INDIRECT);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		/* The WRITE flag of the descriptor that refers to it means nothing. */
		uint32_t flags = RING_F_INDIRECT | (i & 1 ? RING_F_WRITE : 0);

		ring_describe(&ring, 0, places[i], 48, flags, ENTRIES);
		make_table(&ring, places[i]);
		pop(&ring, &buffer);
		sizes(&buffer, 1, 20, 1, 4);
		check_piece(&ring, buffer.readable, RING_BUFFER, 20);
		check_piece(&ring, buffer.writable, RING_BUFFER + 64, 4);
		push(&ring);
	}
	ring_finish(&ring);
}

/* Others before it; as many as the queue has, of both kinds together. */
static void a_table_ends_a_chain(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	for (uint32_t before = 0; before < ENTRIES; before++) {
		ring_start(&ring, ENTRIES, WARD_VIRTQ_INDIRECT);
		for (uint32_t i = 0; i < before; i++)
			ring_describe(&ring, i, RING_BUFFER + 16 * i, 16, RING_F_NEXT, i + 1);
		ring_describe(&ring, before, RING_TABLE, 16 * (ENTRIES - before),
			      RING_F_INDIRECT | RING_F_WRITE, RING_NO_NEXT);
		for (uint32_t i = before; i < ENTRIES; i++)
			ring_describe_at(&ring, RING_TABLE + 16 * (i - before),
					 RING_BUFFER + 16 * i, 16,
					 i < ENTRIES - 1 ? RING_F_NEXT : RING_F_WRITE,
					 i - before + 1);
		pop(&ring, &buffer);
		sizes(&buffer, ENTRIES - 1, 16 * (ENTRIES - 1), 1, 16);
		for (uint32_t i = 0; i < ENTRIES - 1; i++)
			check_piece(&ring, &buffer.readable[i], RING_BUFFER + 16 * i, 16);
		ring_finish(&ring);
	}
}

/* A table may be longer than the queue, and what is not in the chain not even there. */
static void a_table_with_room(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, WARD_VIRTQ_INDIRECT);
	ring_describe(&ring, 0, RING_TABLE, 0xfffffff0, RING_F_INDIRECT, RING_NO_NEXT);
	ring_describe_at(&ring, RING_TABLE, RING_BUFFER, 20, RING_F_NEXT, 0x2fff);
	ring_describe_at(&ring, RING_TABLE + 0x2fff * 16, RING_BUFFER + 32, 4, RING_F_WRITE,
			 RING_NO_NEXT);
	pop(&ring, &buffer);
	sizes(&buffer, 1, 20, 1, 4);
	ring_finish(&ring);
}

/* What a chain comes to, byte by byte: addresses, and whether they are written. */
#define BYTES_MAX 0x4000u

struct reference {
	uint64_t address[BYTES_MAX];
	bool write[BYTES_MAX];
	uint32_t count, descriptors;
	bool writable, makes_sense;
};

struct seen {
	uint64_t address;
	uint32_t length, flags, next;
};

static bool reference_read(const struct ring *ring, uint64_t at, struct seen *ret_seen)
{
	uint64_t words[2];

	if (ward_memory_read(ring->memory, at, words, sizeof(words)))
		return false;
	ret_seen->address = le64toh(words[0]);
	ret_seen->length = (uint32_t)le64toh(words[1]);
	ret_seen->flags = (uint32_t)(le64toh(words[1]) >> 32) & 0xffff;
	ret_seen->next = (uint32_t)(le64toh(words[1]) >> 48);
	return true;
}

static bool reference_is_there(uint64_t address, bool write)
{
	if (address >= RING_READ_ONLY && address <= RING_READ_ONLY_LAST)
		return !write;
	return (address >= RING_MAIN && address <= RING_NEXT_LAST) || address >= RING_TOP;
}

static bool reference_add(struct reference *reference, const struct seen *seen)
{
	bool write = seen->flags & RING_F_WRITE;

	if (++reference->descriptors > ENTRIES || (reference->writable && !write))
		return false;
	reference->writable = write;
	for (uint64_t i = 0; i < seen->length; i++) {
		if (seen->address + i < seen->address)
			return false;
		if (!reference_is_there(seen->address + i, write))
			return false;
		assert_true(reference->count < BYTES_MAX);
		reference->address[reference->count] = seen->address + i;
		reference->write[reference->count++] = write;
	}
	return true;
}

static bool reference_indirect(const struct ring *ring, struct reference *reference,
			       const struct seen *table)
{
	struct seen seen = { .next = 0 };

	if (!(ring->features & WARD_VIRTQ_INDIRECT) || (table->flags & RING_F_NEXT))
		return false;
	if (table->length == 0 || table->length % 16 != 0)
		return false;
	if (table->address + table->length - 1 < table->address)
		return false;
	do {
		if (seen.next >= table->length / 16 ||
		    !reference_read(ring, table->address + 16 * (uint64_t)seen.next, &seen) ||
		    (seen.flags & RING_F_INDIRECT) || !reference_add(reference, &seen))
			return false;
	} while (seen.flags & RING_F_NEXT);
	return true;
}

static bool reference_walk(const struct ring *ring, struct reference *reference)
{
	struct seen seen = { .next = 0 };

	do {
		if (seen.next >= ENTRIES ||
		    !reference_read(ring, RING_DESCRIPTORS + 16 * (uint64_t)seen.next, &seen))
			return false;
		if (seen.flags & RING_F_INDIRECT)
			return reference_indirect(ring, reference, &seen);
		if (!reference_add(reference, &seen))
			return false;
	} while (seen.flags & RING_F_NEXT);
	return true;
}

static uint32_t next_random(uint32_t *state, uint32_t below)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) % below;
}

/* Mostly right, so that chains get long; each kind of wrong once in a while. */
static void random_descriptor(const struct ring *ring, uint32_t *random, uint64_t at,
			      uint32_t index, uint32_t count, bool indirect)
{
	static const uint64_t places[] = {
		RING_BUFFER, RING_BUFFER,	  RING_BUFFER,	  RING_BUFFER,	   RING_BUFFER,
		RING_BUFFER, RING_BUFFER,	  RING_NEXT - 60, RING_NEXT,	   RING_NEXT,
		RING_TOP,    RING_READ_ONLY - 70, RING_BUFFER,	  UINT64_MAX - 90,
	};
	bool odd = next_random(random, 24) == 0;
	uint64_t address = places[next_random(random, sizeof(places) / sizeof(*places))];
	uint32_t length = next_random(random, 100), next = index + 1, flags;

	flags = index >= count / 2 ? RING_F_WRITE : 0;
	if (next < count && next_random(random, 8))
		flags |= RING_F_NEXT;
	if (odd && next_random(random, 2))
		flags ^= 1u << next_random(random, 3);
	if (odd && next_random(random, 2))
		next = next_random(random, 12);
	if (odd && next_random(random, 6) == 0)
		address = next_random(random, 2) ? RING_HOLE - 10 : RING_MAIN - 3;
	if (indirect && next_random(random, 5) == 0) {
		flags = RING_F_INDIRECT | (next_random(random, 2) ? RING_F_WRITE : 0);
		flags |= next_random(random, 30) ? 0 : RING_F_NEXT;
		address = RING_TABLE + (next_random(random, 3) ? 0 : 16);
		length = 16 * (1 + next_random(random, ENTRIES)) + !next_random(random, 30);
	}
	ring_describe_at(ring, at, address + next_random(random, 4), length, flags, next);
	/* A table has to be where it is looked for. */
	if (flags & RING_F_INDIRECT)
		ring_describe_at(ring, at, address, length, flags, next);
}

static void check_part(const struct ring *ring, const struct reference *reference, bool write,
		       const struct iovec *pieces, uint32_t count, uint64_t size)
{
	uint32_t piece = 0;
	uint64_t within = 0, bytes = 0;

	for (uint32_t i = 0; i < reference->count; i++) {
		if (reference->write[i] != write)
			continue;
		assert_true(piece < count);
		assert_ptr_equal((const unsigned char *)pieces[piece].iov_base + within,
				 ring_byte(ring, reference->address[i]));
		bytes++;
		if (++within == pieces[piece].iov_len)
			piece++, within = 0;
	}
	assert_int_equal(piece, count);
	assert_int_equal(within, 0);
	assert_int_equal(bytes, size);
}

/* Whether the queue is whole after it. */
static bool compare(struct ring *ring)
{
	static struct reference reference;
	struct ward_virtq_buffer buffer;
	int code;

	reference.count = reference.descriptors = 0;
	reference.writable = false;
	reference.makes_sense = reference_walk(ring, &reference);
	ring_offer(ring, 0);
	code = ward_virtq_pop(ring->queue, &buffer);
	assert_int_equal(code, reference.makes_sense ? 0 : -EBADMSG);
	if (code)
		return false;
	check_part(ring, &reference, false, buffer.readable, buffer.readable_count,
		   buffer.readable_size);
	check_part(ring, &reference, true, buffer.writable, buffer.writable_count,
		   buffer.writable_size);
	push(ring);
	return true;
}

static void as_a_naive_walker(void **state)
{
	uint32_t random = 12345, whole = 0, broken = 0, long_ones = 0;
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, WARD_VIRTQ_INDIRECT);
	for (uint32_t round = 0; round < 20000; round++) {
		uint32_t count = 1 + next_random(&random, ENTRIES + 1);
		bool indirect = next_random(&random, 2);

		for (uint32_t i = 0; i < ENTRIES; i++)
			random_descriptor(&ring, &random, RING_DESCRIPTORS + 16 * i, i, count,
					  indirect);
		for (uint32_t i = 0; i < ENTRIES + 2; i++)
			random_descriptor(&ring, &random, RING_TABLE + 16 * i, i, count,
					  indirect && next_random(&random, 20) == 0);
		if (compare(&ring)) {
			whole++;
			long_ones += count > 4;
			continue;
		}
		broken++;
		ring_finish(&ring);
		ring_start(&ring, ENTRIES, next_random(&random, 4) ? WARD_VIRTQ_INDIRECT : 0);
	}
	/* Chains of all kinds were met. */
	assert_true(whole > 2000 && broken > 2000 && long_ones > 500);
	ring_finish(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_chain),
		cmocka_unit_test(one_direction_only),
		cmocka_unit_test(descriptors_without_bytes),
		cmocka_unit_test(pieces_end_with_their_regions),
		cmocka_unit_test(too_many_pieces),
		cmocka_unit_test(largest_chain),
		cmocka_unit_test(indirect_tables),
		cmocka_unit_test(a_table_ends_a_chain),
		cmocka_unit_test(a_table_with_room),
		cmocka_unit_test(as_a_naive_walker),
	};

	return cmocka_run_group_tests_name("virtio/virtq-chain", tests, NULL, NULL);
}
