// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The tree of mappings: random changes against an array of bytes, its shape after each of them. */
#include "dma/tree_change.h"

#include "sweep.h"

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES 4096u

struct oracle {
	uint64_t value[BYTES];	/* of each address; 0: nothing */
	uint16_t number[BYTES]; /* of the entry it belongs to; parts of one keep it */
};

static uint64_t random_below(uint64_t *state, uint64_t bound)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % bound;
}

static unsigned int check_node(const struct ward_node *node, unsigned int height, uint64_t start,
			       uint64_t last)
{
	unsigned int entries = 0;
	uint64_t from = start;

	assert_true(node->count > 0);
	if (height == 0) {
		assert_true(node->count <= WARD_LEAF_MAX);
		for (unsigned int i = 0; i < node->count; i++) {
			assert_true(from <= node->leaf.start[i]);
			assert_true(node->leaf.start[i] <= node->leaf.last[i]);
			assert_true(node->leaf.last[i] <= last);
			from = node->leaf.last[i] + 1;
		}
		return (unsigned int)node->count;
	}
	assert_true(node->count <= WARD_INNER_MAX);
	for (unsigned int i = 0; i < node->count; i++) {
		uint64_t bound = i + 1 < node->count ? ward_inner_bound(node, i) : last;

		assert_true(from <= bound && bound <= last);
		entries += check_node(ward_inner_child(node, i), height - 1, from, bound);
		from = bound + 1;
	}
	return entries;
}

static void check_shape(const struct ward_tree *tree)
{
	uintptr_t root = atomic_load(&tree->root);

	if (!root) {
		assert_int_equal(tree->count, 0);
		assert_int_equal(tree->bytes, 0);
		return;
	}
	assert_int_equal(check_node(ward_root_node(root), ward_root_height(root), 0, UINT64_MAX),
			 tree->count);
}

static void check_contents(const struct ward_tree *tree, const struct oracle *oracle)
{
	struct ward_tree_entry entry;
	uint64_t covered = 0;

	for (uint64_t i = 0; i < BYTES; i++) {
		bool found = ward_tree_find(tree, i, &entry);

		assert_int_equal(found, oracle->value[i] != 0);
		if (!found)
			continue;
		covered++;
		assert_int_equal(entry.value + (i - entry.start), oracle->value[i]);
		assert_true(entry.start == 0 ||
			    oracle->number[entry.start - 1] != oracle->number[i]);
		assert_true(entry.last == BYTES - 1 ||
			    oracle->number[entry.last + 1] != oracle->number[i]);
	}
	assert_int_equal(tree->bytes, covered);
}

/* next and previous from each address. */
static void check_walks(const struct ward_tree *tree, const struct oracle *oracle)
{
	for (uint64_t i = 0; i < BYTES; i += 7) {
		struct ward_tree_entry entry;
		uint64_t after = i, before = i;

		while (after < BYTES && !oracle->value[after])
			after++;
		assert_int_equal(ward_tree_next(tree, i, &entry), after < BYTES);
		if (after < BYTES)
			assert_true(entry.start <= after && after <= entry.last);
		while (before > 0 && !oracle->value[before])
			before--;
		assert_int_equal(ward_tree_previous(tree, i, &entry), oracle->value[before] != 0);
		if (oracle->value[before])
			assert_true(entry.start <= before && before <= entry.last);
	}
}

static void try_insert(struct ward_tree *tree, struct oracle *oracle, uint64_t start,
		       uint64_t length, uint16_t number)
{
	struct ward_tree_entry there, entry = { start, start + length - 1, (number + 1) * 100000u };
	struct ward_tree_place place;

	if (entry.last >= BYTES)
		return;
	for (uint64_t i = start; i <= entry.last; i++) {
		if (oracle->value[i])
			return;
	}
	/* Both ways: with a place that was looked up, and without. */
	if (number % 2) {
		(void)ward_tree_look(tree, start, &place, &there);
		assert_int_equal(ward_tree_prepare(tree), 0);
		ward_tree_insert_at(tree, &place, &entry);
	} else {
		assert_int_equal(ward_tree_prepare(tree), 0);
		ward_tree_insert(tree, &entry);
	}
	for (uint64_t i = start; i <= entry.last; i++) {
		oracle->value[i] = entry.value + (i - start);
		oracle->number[i] = number;
	}
}

static void take_out(struct ward_tree *tree, struct oracle *oracle, uint64_t start, uint64_t last,
		     uint16_t number)
{
	struct ward_tree_place place;
	struct ward_tree_entry first;

	if (last >= BYTES)
		last = BYTES - 1;
	assert_int_equal(ward_tree_prepare(tree), 0);
	if (number % 2 && ward_tree_look(tree, start, &place, &first)) {
		uint64_t from = first.start > start && first.start <= last ? first.start : start;

		ward_tree_remove_at(tree, &place, (struct ward_range){ from, last });
	} else {
		ward_tree_remove(tree, (struct ward_range){ start, last });
	}
	memset(&oracle->value[start], 0, (last - start + 1) * sizeof(oracle->value[0]));
	/* What is cut in two is two entries from now on. */
	for (uint64_t i = last + 1; i < BYTES && i > last && oracle->value[i]; i++) {
		if (start > 0 && oracle->number[i] == oracle->number[start - 1])
			oracle->number[i] = number;
		else
			break;
	}
	for (uint64_t i = start; i <= last; i++)
		oracle->number[i] = 0;
}

static void random_changes(uint64_t seed, unsigned int steps, uint64_t longest, uint64_t hole)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));
	struct ward_tree tree;
	uint16_t number = 1;

	assert_non_null(oracle);
	ward_tree_init(&tree, NULL);
	for (unsigned int i = 0; i < steps; i++) {
		uint64_t start = random_below(&seed, BYTES);

		if (random_below(&seed, 4))
			try_insert(&tree, oracle, start, 1 + random_below(&seed, longest),
				   number++);
		else
			take_out(&tree, oracle, start, start + random_below(&seed, hole), number++);
		if (random_below(&seed, 5000) == 0)
			take_out(&tree, oracle, 0, BYTES - 1, number++);
		check_shape(&tree);
		if (i % 64 == 0) {
			check_contents(&tree, oracle);
			check_walks(&tree, oracle);
		}
	}
	check_contents(&tree, oracle);
	ward_tree_finish(&tree);
	free(oracle);
}

static void random_like_bytes(void **state)
{
	(void)state;
	random_changes(1, 8000, 1, 3);
	random_changes(2, 6000, 3, 2);
	random_changes(3, 6000, 8, 40);
	random_changes(4, 4000, 2, 900);
	random_changes(5, 4000, 200, 20);
}

/* Both ends of the address space. */
static void ends(void **state)
{
	const struct ward_tree_entry low = { 0, 0xfff, 0x1000 };
	const struct ward_tree_entry high = { UINT64_MAX - 0xfff, UINT64_MAX, 0x2000 };
	struct ward_tree_entry found;
	struct ward_tree tree;

	(void)state;
	ward_tree_init(&tree, NULL);
	assert_false(ward_tree_find(&tree, UINT64_MAX, &found));
	assert_int_equal(ward_tree_prepare(&tree), 0);
	ward_tree_insert(&tree, &low);
	assert_false(ward_tree_find(&tree, UINT64_MAX, &found));
	assert_int_equal(ward_tree_prepare(&tree), 0);
	ward_tree_insert(&tree, &high);
	assert_true(ward_tree_find(&tree, UINT64_MAX, &found));
	assert_int_equal(found.value, 0x2000);
	assert_true(ward_tree_previous(&tree, UINT64_MAX - 0x1000, &found));
	assert_int_equal(found.value, 0x1000);
	ward_tree_remove(&tree, (struct ward_range){ 1, UINT64_MAX - 2 });
	assert_int_equal(tree.count, 2);
	assert_int_equal(tree.bytes, 3);
	assert_true(ward_tree_find(&tree, 0, &found));
	assert_true(ward_tree_find(&tree, UINT64_MAX, &found));
	assert_int_equal(found.value, 0x2ffe);
	ward_tree_remove(&tree, (struct ward_range){ 0, UINT64_MAX });
	check_shape(&tree);
	ward_tree_finish(&tree);
}

static void fill(struct ward_tree *tree, unsigned int count, unsigned int order)
{
	for (unsigned int i = 0; i < count; i++) {
		uint64_t page = order == 0 ? i : count - 1 - i;
		struct ward_tree_entry entry = { page << 13, (page << 13) + 0xfff, page };

		assert_int_equal(ward_tree_prepare(tree), 0);
		ward_tree_insert(tree, &entry);
	}
	check_shape(tree);
}

/* Addresses that come in order fill their nodes, upwards and downwards. */
static void in_order(void **state)
{
	const unsigned int count = 20000;

	(void)state;
	for (unsigned int order = 0; order < 2; order++) {
		struct ward_tree tree;
		size_t used;

		ward_tree_init(&tree, NULL);
		fill(&tree, count, order);
		used = tree.pool.nodes - ward_node_available(&tree.pool);
		assert_true(used < count / WARD_LEAF_MAX * 5 / 4);
		/* All at once, and all but the ends. */
		ward_tree_remove(&tree, (struct ward_range){ 1, ((count - 1) << 13) - 1 });
		check_shape(&tree);
		assert_int_equal(tree.count, 2);
		ward_tree_remove(&tree, (struct ward_range){ 0, UINT64_MAX });
		/* The memory went back. */
		assert_true(ward_tree_memory(&tree) < 16384);
		ward_tree_finish(&tree);
	}
}

/* What is left, wherever it is, does not keep the memory of all that was. */
static void memory_of_a_few(void **state)
{
	const unsigned int counts[] = { 600, 3000, 20000, 100000 };

	(void)state;
	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (unsigned int every = 10; every < counts[i]; every *= 7) {
			struct ward_tree_entry found;
			struct ward_tree tree;
			uint64_t full;

			ward_tree_init(&tree, NULL);
			fill(&tree, counts[i], 0);
			full = ward_tree_memory(&tree);
			for (uint64_t page = 0; page < counts[i]; page++) {
				const struct ward_range range = { page << 13,
								  (page << 13) + 0xfff };

				if (page % every)
					ward_tree_remove(&tree, range);
			}
			check_shape(&tree);
			assert_true(ward_tree_memory(&tree) <
				    6 * WARD_NODE_BYTES * (ward_node_used(&tree.pool) + 16));
			assert_true(every < 70 || ward_tree_memory(&tree) < full / 2);
			for (uint64_t page = 0; page < counts[i]; page++) {
				assert_int_equal(ward_tree_find(&tree, (page << 13) + 5, &found),
						 page % every == 0);
				assert_true(page % every || found.value == page);
			}
			/* Without anything to allocate, on from there. */
			ward_fault_arm(1);
			ward_tree_remove(&tree, (struct ward_range){ 0x1000, UINT64_MAX });
			check_shape(&tree);
			ward_fault_arm(0);
			ward_tree_remove(&tree, (struct ward_range){ 0, UINT64_MAX });
			assert_true(ward_tree_memory(&tree) < 16384);
			ward_tree_finish(&tree);
		}
	}
}

/* Removing goes on without an allocation, however much and in which order. */
static void remove_without_memory(void **state)
{
	uint64_t seed = 9;

	(void)state;
	for (unsigned int count = 1; count < 3000; count = count * 2 + 1) {
		struct ward_tree tree;

		ward_tree_init(&tree, NULL);
		fill(&tree, count, 0);
		while (tree.count > 0) {
			uint64_t start = random_below(&seed, count) << 13;

			ward_fault_arm(1);
			ward_tree_remove(&tree, (struct ward_range){ start, start + 0x5fff });
			check_shape(&tree);
		}
		ward_fault_arm(0);
		ward_tree_finish(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_like_bytes),
		cmocka_unit_test(ends),
		cmocka_unit_test(in_order),
		cmocka_unit_test(memory_of_a_few),
		cmocka_unit_test(remove_without_memory),
	};

	return cmocka_run_group_tests_name("dma/mapping-tree", tests, NULL, NULL);
}
