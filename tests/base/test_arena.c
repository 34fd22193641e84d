// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "base/arena.h"

#include <string.h>

#include "sweep.h"

static void pieces_are_zeroed_and_apart(void **state)
{
	struct ward_arena arena = { 0 };
	char *first = ward_arena_alloc(&arena, 100), *second = ward_arena_alloc(&arena, 100);
	size_t i;

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	for (i = 0; i < 100; i++)
		assert_int_equal(second[i], 0);
	memset(first, 0xff, 100);
	assert_int_equal(second[0], 0);
	assert_int_equal((uintptr_t)first % _Alignof(max_align_t), 0);
	assert_int_equal((uintptr_t)second % _Alignof(max_align_t), 0);
	ward_arena_finish(&arena);
	assert_null(arena.blocks);
}

static void a_piece_larger_than_a_block_is_whole(void **state)
{
	struct ward_arena arena = { 0 };
	size_t size = 1 << 20;
	char *piece = ward_arena_alloc(&arena, size);

	(void)state;
	assert_non_null(piece);
	piece[0] = piece[size - 1] = 1;
	ward_arena_finish(&arena);
}

static void texts_are_copied(void **state)
{
	struct ward_arena arena = { 0 };
	char text[] = "0000:00:1c.0";
	char *copy = ward_arena_strdup(&arena, text);

	(void)state;
	text[0] = 'x';
	assert_string_equal(copy, "0000:00:1c.0");
	assert_string_equal(ward_arena_printf(&arena, "%s-%d", "group", 7), "group-7");
	ward_arena_finish(&arena);
}

static int fill(void *context)
{
	struct ward_arena arena = { 0 };
	int i, code = 0;

	(void)context;
	for (i = 0; i < 5 && code == 0; i++)
		if (!ward_arena_alloc(&arena, 100000) || !ward_arena_strdup(&arena, "text"))
			code = -ENOMEM;
	ward_arena_finish(&arena);
	return code;
}

static void a_failed_allocation_leaves_nothing(void **state)
{
	(void)state;
	assert_true(test_sweep(fill, NULL) >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_and_apart),
		cmocka_unit_test(a_piece_larger_than_a_block_is_whole),
		cmocka_unit_test(texts_are_copied),
		cmocka_unit_test(a_failed_allocation_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
