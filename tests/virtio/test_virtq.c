// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A split queue from its creation to its end: what it is made of, the indices and their wrap,
 * buffers that are out, and where it goes on after a save.
 */
#include "ring.h"

#include "sweep.h"

#include <errno.h>

static void nothing_is_available(void **state)
{
	struct ward_virtq_buffer buffer = { .head = 77 };
	struct ward_virtq_info info;
	struct ring ring;

	(void)state;
	ring_start(&ring, 8, 0);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -ENOENT);
	assert_int_equal(buffer.head, 77);
	assert_int_equal(ward_virtq_push(ring.queue, 0, 0), -EINVAL);
	assert_false(ward_virtq_notify(ring.queue));
	assert_int_equal(ring_used_index(&ring), 0);
	ward_virtq_info(ring.queue, &info);
	assert_int_equal(info.next_available, 0);
	assert_int_equal(info.next_used, 0);
	assert_false(info.broken);
	ring_finish(&ring);
	ward_virtq_destroy(NULL);
}

static void a_buffer_goes_there_and_back(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ward_virtq_info info;
	struct ring ring;

	(void)state;
	ring_start(&ring, 8, 0);
	ring_describe(&ring, 5, RING_BUFFER, 20, RING_F_NEXT, 2);
	ring_describe(&ring, 2, RING_BUFFER + 100, 4, RING_F_WRITE, RING_NO_NEXT);
	ring_offer(&ring, 5);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), 0);
	assert_int_equal(buffer.head, 5);
	assert_int_equal(buffer.readable_count, 1);
	assert_int_equal(buffer.readable_size, 20);
	assert_ptr_equal(buffer.readable[0].iov_base, ring_byte(&ring, RING_BUFFER));
	assert_int_equal(buffer.readable[0].iov_len, 20);
	assert_int_equal(buffer.writable_count, 1);
	assert_int_equal(buffer.writable_size, 4);
	assert_ptr_equal(buffer.writable[0].iov_base, ring_byte(&ring, RING_BUFFER + 100));
	assert_int_equal(buffer.writable[0].iov_len, 4);
	assert_int_equal(ring_used_index(&ring), 0);
	assert_int_equal(ward_virtq_push(ring.queue, buffer.head, 4), 0);
	assert_int_equal(ring_used_index(&ring), 1);
	assert_int_equal(ring_used_head(&ring, 0), 5);
	assert_int_equal(ring_used_length(&ring, 0), 4);
	assert_int_equal(ward_virtq_push(ring.queue, buffer.head, 4), -EINVAL);
	assert_int_equal(ring_used_index(&ring), 1);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -ENOENT);
	ward_virtq_info(ring.queue, &info);
	assert_int_equal(info.next_available, 1);
	assert_int_equal(info.next_used, 1);
	ring_finish(&ring);
}

/* Indices run through all of 16 bits more than once; sizes from the smallest to the largest. */
static void indices_wrap(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 256, WARD_VIRTQ_SIZE_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct ward_virtq_buffer buffer;
		uint32_t size = sizes[i];
		struct ring ring;

		ring_start(&ring, size, 0);
		for (uint32_t n = 0; n < 140000; n++) {
			uint32_t head = (n * 7) & (size - 1);

			ring_describe(&ring, head, RING_BUFFER + n % 1000, 8, 0, RING_NO_NEXT);
			ring_offer(&ring, head);
			assert_int_equal(ward_virtq_pop(ring.queue, &buffer), 0);
			assert_int_equal(buffer.head, head);
			assert_ptr_equal(buffer.readable[0].iov_base,
					 ring_byte(&ring, RING_BUFFER + n % 1000));
			assert_int_equal(ward_virtq_push(ring.queue, (uint16_t)head, n), 0);
			assert_int_equal(ring_used_index(&ring), (uint16_t)(n + 1));
			assert_int_equal(ring_used_head(&ring, n), head);
			assert_int_equal(ring_used_length(&ring, n), n);
		}
		assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -ENOENT);
		ring_finish(&ring);
	}
}

/* All of a queue at once, given back in another order, and again from an index that wraps. */
static void a_full_queue(void **state)
{
	static const uint32_t sizes[] = { 1, 4, WARD_VIRTQ_SIZE_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct ward_virtq_buffer buffer;
		uint32_t size = sizes[i];
		struct ring ring;

		ring_start(&ring, size, 0);
		ring_restore(&ring, 65534, 65534);
		for (uint32_t round = 0; round < 3; round++) {
			uint16_t used = (uint16_t)(65534 + round * size);

			for (uint32_t n = 0; n < size; n++) {
				ring_describe(&ring, n, RING_BUFFER, 1, 0, RING_NO_NEXT);
				ring_place(&ring, n);
			}
			ring_write16(&ring, RING_AVAILABLE + 2, ring.next);
			for (uint32_t n = 0; n < size; n++)
				assert_int_equal(ward_virtq_pop(ring.queue, &buffer), 0);
			assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -ENOENT);
			for (uint32_t n = size; n-- > 0;) {
				assert_int_equal(ward_virtq_push(ring.queue, (uint16_t)n, 1), 0);
				assert_int_equal(ring_used_head(&ring, used++), n);
			}
			assert_int_equal(ward_virtq_push(ring.queue, 0, 1), -EINVAL);
			assert_int_equal(ring_used_index(&ring), used);
		}
		ring_finish(&ring);
	}
}

static void no_buffer_has_such_a_head(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	ring_start(&ring, 4, 0);
	ring_describe(&ring, 3, RING_BUFFER, 1, 0, RING_NO_NEXT);
	ring_offer(&ring, 3);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), 0);
	assert_int_equal(ward_virtq_push(ring.queue, 4, 0), -EINVAL);
	assert_int_equal(ring_used_index(&ring), 0);
	assert_int_equal(ward_virtq_push(ring.queue, 3, 0), 0);
	ring_finish(&ring);
}

/* Two are out when the queue is saved: they are pushed elsewhere, or popped there again. */
static void buffers_that_are_out_are_saved(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ward_virtq_info info;
	struct ring ring;

	(void)state;
	for (unsigned int again = 0; again < 2; again++) {
		ring_start(&ring, 4, 0);
		for (uint32_t n = 0; n < 3; n++) {
			ring_describe(&ring, n, RING_BUFFER, 1 + n, 0, RING_NO_NEXT);
			ring_offer(&ring, n);
			assert_int_equal(ward_virtq_pop(ring.queue, &buffer), 0);
		}
		assert_int_equal(ward_virtq_push(ring.queue, 0, 0), 0);
		ward_virtq_info(ring.queue, &info);
		assert_int_equal(info.next_available, 3);
		assert_int_equal(info.next_used, 1);
		ring_restore(&ring, again ? info.next_used : info.next_available, info.next_used);
		ring.next = 3;
		for (uint16_t n = 1; n < 3; n++) {
			if (again) {
				assert_int_equal(ward_virtq_pop(ring.queue, &buffer), 0);
				assert_int_equal(buffer.head, n);
			}
			assert_int_equal(ward_virtq_push(ring.queue, n, 0), 0);
		}
		assert_int_equal(ward_virtq_push(ring.queue, 3, 0), -EINVAL);
		assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -ENOENT);
		assert_int_equal(ring_used_index(&ring), 3);
		ring_finish(&ring);
	}
}

/* One thing is wrong at a time. */
static void queues_that_are_none(void **state)
{
	enum {
		WRONG_SIZE,
		NO_MEMORY,
		NO_ENTRIES,
		NO_POWER,
		TOO_LARGE,
		WRONG_FEATURE,
		TOO_MANY_OUT,
		DESCRIPTORS_ALIGNED,
		AVAILABLE_ALIGNED,
		USED_ALIGNED,
		DESCRIPTORS_CROSS,
		DESCRIPTORS_WRAP,
		AVAILABLE_CROSSES,
		AVAILABLE_NOWHERE,
		USED_CROSSES,
		USED_READ_ONLY,
		CASES,
	};
	struct ring ring;

	(void)state;
	ring_memory(&ring);
	for (unsigned int i = 0; i < CASES; i++) {
		struct ward_virtq_options options = ring_options(&ring, 16, 0);
		struct ward_virtq *queue = (void *)&ring;
		struct ward_error error = { "" };
		int code = i >= DESCRIPTORS_CROSS ? -EFAULT : -EINVAL;

		options.size -= i == WRONG_SIZE;
		if (i == NO_MEMORY)
			options.memory = NULL;
		if (i >= NO_ENTRIES && i <= TOO_LARGE)
			options.entries = i == NO_ENTRIES ? 0 : i == NO_POWER ? 24 : 65536;
		if (i == WRONG_FEATURE)
			options.features = 4;
		if (i == TOO_MANY_OUT)
			options.next_used = 65535, options.next_available = 16;
		if (i == DESCRIPTORS_ALIGNED)
			options.descriptors = ward_gpa(RING_DESCRIPTORS + 8);
		if (i == AVAILABLE_ALIGNED)
			options.available = ward_gpa(RING_AVAILABLE + 1);
		if (i == USED_ALIGNED)
			options.used = ward_gpa(RING_USED + 2);
		if (i == DESCRIPTORS_CROSS)
			options.descriptors = ward_gpa(RING_NEXT - 16 * 15);
		if (i == DESCRIPTORS_WRAP)
			options.descriptors = ward_gpa(UINT64_MAX - 15);
		if (i == AVAILABLE_CROSSES)
			options.available = ward_gpa(RING_NEXT - 4 - 32);
		if (i == AVAILABLE_NOWHERE)
			options.available = ward_gpa(RING_HOLE);
		if (i == USED_CROSSES)
			options.used = ward_gpa(RING_NEXT - 4 - 128);
		if (i == USED_READ_ONLY)
			options.used = ward_gpa(RING_READ_ONLY);
		assert_int_equal(ward_virtq_create(&options, &queue, &error), code);
		assert_ptr_equal(queue, &ring);
		assert_true(strlen(error.text) > 0);
		assert_int_equal(ward_virtq_create(&options, &queue, NULL), code);
	}
	ring_finish(&ring);
}

/* Parts that end with their region, and rings that are read only where nothing is written. */
static void parts_may_fill_their_regions(void **state)
{
	struct ward_virtq_options options;
	struct ring ring;

	(void)state;
	ring_memory(&ring);
	options = ring_options(&ring, 16, 0);
	options.descriptors = ward_gpa(UINT64_MAX - 255);
	options.available = ward_gpa(RING_READ_ONLY_LAST + 1 - 6 - 32);
	options.used = ward_gpa(RING_NEXT - 4 - 132);
	assert_int_equal(ward_virtq_create(&options, &ring.queue, NULL), 0);
	ring_finish(&ring);
}

/* Memory of the caller at an odd address: fields could not be read in one access. */
static void parts_are_aligned_in_this_process(void **state)
{
	static _Alignas(16) unsigned char bytes[0x2001];
	struct ward_virtq_options options;
	struct ring ring;

	(void)state;
	ring_memory(&ring);
	assert_int_equal(ward_memory_add(ring.memory,
					 (struct ward_range){ RING_HOLE, RING_HOLE + 0x1fff }, 0,
					 bytes + 1),
			 0);
	options = ring_options(&ring, 16, 0);
	options.descriptors = ward_gpa(RING_HOLE);
	assert_int_equal(ward_virtq_create(&options, &ring.queue, NULL), -EINVAL);
	options = ring_options(&ring, 16, 0);
	options.available = ward_gpa(RING_HOLE);
	assert_int_equal(ward_virtq_create(&options, &ring.queue, NULL), -EINVAL);
	options = ring_options(&ring, 16, 0);
	options.used = ward_gpa(RING_HOLE);
	assert_int_equal(ward_virtq_create(&options, &ring.queue, NULL), -EINVAL);
	ring_finish(&ring);
}

static int make(void *context)
{
	const struct ring *ring = context;
	struct ward_virtq_options options = ring_options(ring, 16, 0);
	struct ward_virtq *queue;
	int code = ward_virtq_create(&options, &queue, NULL);

	if (!code)
		ward_virtq_destroy(queue);
	return code;
}

static void without_memory(void **state)
{
	struct ring ring;

	(void)state;
	ring_memory(&ring);
	assert_true(test_sweep(make, &ring) == 2);
	ring_finish(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_available),
		cmocka_unit_test(a_buffer_goes_there_and_back),
		cmocka_unit_test(indices_wrap),
		cmocka_unit_test(a_full_queue),
		cmocka_unit_test(no_buffer_has_such_a_head),
		cmocka_unit_test(buffers_that_are_out_are_saved),
		cmocka_unit_test(queues_that_are_none),
		cmocka_unit_test(parts_may_fill_their_regions),
		cmocka_unit_test(parts_are_aligned_in_this_process),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests_name("virtio/virtq", tests, NULL, NULL);
}
