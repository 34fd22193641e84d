// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "iort_maker.h"

#include "sweep.h"

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_iort *iort;
	int code = ward_iort_parse(bytes, size, &iort, ret_error);

	if (!code)
		ward_iort_destroy(iort);
	return code;
}

static struct ward_iort *parsed(struct table *t)
{
	struct ward_error error = { "" };
	struct ward_iort *iort = NULL;

	finish_table(t);
	if (ward_iort_parse(t->bytes, t->size, &iort, &error))
		fail_msg("refused: %s", error.text);
	return iort;
}

struct offsets {
	size_t its, smmu, smmuv3, smmuv3_map, root, root_map, named, pmcg, rmr, iwb, other;
};

static struct offsets make(struct table *t)
{
	struct offsets o;

	start_iort(t);
	o.its = put_its_group(t, 9);
	o.smmu = start_node(t, 3, 0, 60, 0);
	put(t, 8, 0xe0000000);
	put(t, 8, 0x10000);
	put(t, 4, 3);
	for (unsigned int i = 0; i < 6; i++)
		put(t, 4, 0);
	o.smmuv3 = put_smmuv3(t, 0x9050000, 4, 1, 0, 1, 2);
	o.smmuv3_map = put_map(t, 0, 0xffff, 0x10000, o.its, 0);
	put_map(t, 0, 0, 0x77, o.its, 1);
	o.root = put_root_complex(t, 2, 1, 1);
	o.root_map = put_map(t, 0x100, 0xff, 0x500, o.smmuv3, 0);
	o.named = put_named(t, "\\_SB.A0", 1);
	put_map(t, 0, 0, 0x42, o.smmuv3, 1);
	o.pmcg = start_node(t, 5, 1, 40, 1);
	put(t, 8, 0x9060000);
	put(t, 4, 0);
	put(t, 4, o.smmuv3);
	put(t, 8, 0);
	put_map(t, 0, 0, 0x99, o.its, 1);
	o.rmr = put_rmr(t, 1, 0x80000000, 0x20000, 1);
	put_map(t, 0, 3, 0x500, o.smmuv3, 0);
	o.iwb = start_node(t, 7, 0, 26, 0);
	put(t, 8, 0x2f000000);
	put(t, 2, 0);
	o.other = start_node(t, 0x55, 0, 16, 0);
	finish_table(t);
	return o;
}

static void all_nodes_are_read(void **state)
{
	struct ward_iort *iort;
	struct table t;

	(void)state;
	make(&t);
	iort = parsed(&t);
	assert_int_equal(iort->nodes_count, 9);
	assert_int_equal(iort->nodes[0].type, WARD_IORT_ITS_GROUP);
	assert_int_equal(iort->nodes[0].its_group.ids_count, 1);
	assert_int_equal(iort->ids[0], 9);
	assert_true(iort->nodes[1].smmu.base == 0xe0000000);
	assert_int_equal(iort->nodes[1].smmu.model, 3);
	assert_true(iort->nodes[2].smmuv3.base == 0x9050000);
	assert_int_equal(iort->nodes[2].maps_count, 2);
	assert_int_equal(iort->nodes[3].root_complex.segment, 2);
	assert_int_equal(iort->nodes[3].root_complex.ats, 1);
	assert_int_equal(iort->maps[iort->nodes[3].first_map].output, 2);
	assert_string_equal(iort->nodes[4].named_component.name, "\\_SB.A0");
	assert_int_equal(iort->nodes[5].pmcg.node, 2);
	assert_int_equal(iort->nodes[6].rmr.ranges_count, 1);
	assert_true(iort->ranges[0].start == 0x80000000 && iort->ranges[0].last == 0x8001ffff);
	assert_true(iort->nodes[7].iwb_base == 0x2f000000);
	ward_iort_destroy(iort);
}

static void bad_fields_are_refused(void **state)
{
	struct table t;
	struct offsets o = make(&t);

	(void)state;
	refuse(parse, &t, 36, 4, 10, "node 9 of 10 is cut short");
	refuse(parse, &t, 36, 4, 0xffffffff, "IORT at 0x24");
	refuse(parse, &t, 40, 4, 40, "inside the header");
	refuse(parse, &t, 40, 4, 0xfffffff0, "cut short");
	refuse(parse, &t, o.its + 1, 2, 0, "a node of 0 bytes");
	refuse(parse, &t, o.its + 1, 2, 15, "a node of 15 bytes");
	refuse(parse, &t, o.other + 1, 2, 17, "a node of 17 bytes");
	refuse(parse, &t, o.its + 1, 2, 19, "an ITS group has 19 bytes, needs 20");
	refuse(parse, &t, o.its + 16, 4, 2, "an ITS group of 2 ITSs");
	refuse(parse, &t, o.its + 16, 4, 0x40000000, "ITSs does not fit");
	refuse(parse, &t, o.smmu + 1, 2, 59, "an SMMU has 59 bytes");
	refuse(parse, &t, o.smmuv3 + 1, 2, 60, "SMMUv3 node of revision 4 has 60 bytes, needs 68");
	refuse(parse, &t, o.smmuv3 + 8, 4, 3, "3 mappings at 0x44 do not fit");
	refuse(parse, &t, o.smmuv3 + 8, 4, 0x0ccccccd, "mappings at 0x44 do not fit");
	refuse(parse, &t, o.smmuv3 + 12, 4, 12, "2 mappings at 0xc do not fit");
	refuse(parse, &t, o.smmuv3 + 12, 4, 0xfffffff0, "do not fit");
	refuse(parse, &t, o.smmuv3_map + 12, 4, 47, "leads to 0x2f, where no node starts");
	refuse(parse, &t, o.smmuv3_map + 12, 4, 0, "leads to 0x0");
	refuse(parse, &t, o.smmuv3_map + 12, 4, o.its + 1, "where no node starts");
	refuse(parse, &t, o.smmuv3_map + 12, 4, o.smmuv3,
	       "mapping 0 of an SMMUv3 leads to a node "
	       "of type 4");
	refuse(parse, &t, o.root_map + 12, 4, o.root, "leads to a node of type 2");
	refuse(parse, &t, o.root_map + 12, 4, o.named, "leads to a node of type 1");
	refuse(parse, &t, o.root_map, 4, 0xffffff01, "wraps");
	refuse(parse, &t, o.root_map + 8, 4, 0xffffff01, "wraps");
	refuse(parse, &t, o.root + 1, 2, 31, "a root complex has 31 bytes");
	refuse(parse, &t, o.named + 1, 2, 29, "a named component has 29 bytes");
	refuse(parse, &t, o.rmr + 20, 4, 0x10000000, "memory ranges at 0x1c do not fit");
	refuse(parse, &t, o.rmr + 24, 4, 16, "1 memory ranges at 0x10");
	refuse(parse, &t, o.rmr + 24, 4, 0xffffffff, "do not fit");
	refuse(parse, &t, o.rmr + 36, 8, 0, "a reserved memory range");
	refuse(parse, &t, o.rmr + 28, 8, UINT64_MAX, "a reserved memory range");
	refuse(parse, &t, o.pmcg + 1, 2, 20, "a PMCG has 20 bytes");
	refuse(parse, &t, o.iwb + 1, 2, 20, "an IWB has 20 bytes");
	/* A mapping may lead to a kind of node that is not known yet; the walk ends there. */
	accept_field(parse, &t, o.root_map + 12, 4, o.other);
	accept_field(parse, &t, o.smmuv3 + 12, 4, 0);
	accept_field(parse, &t, 36, 4, 9);
}

static void a_name_that_does_not_end_is_refused(void **state)
{
	struct ward_error error;
	struct table t;
	size_t at;

	(void)state;
	start_iort(&t);
	at = put_named(&t, "\\_SB.A0", 0);
	t.bytes[at + 36] = 'x';
	finish_table(&t);
	assert_int_equal(parse(t.bytes, t.size, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "name does not end"));
}

static void too_many_mappings_are_refused(void **state)
{
	uint32_t length = 36 + 20 * (WARD_IORT_MAPS_MAX + 1);
	uint8_t *bytes = calloc(1, 48 + length);
	struct ward_error error;

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, "IORT", 4);
	memcpy(bytes + 4, &(uint32_t){ 48 + length }, 4);
	bytes[36] = 1;
	bytes[40] = 48;
	bytes[48] = 2;
	memcpy(bytes + 49, &(uint16_t){ (uint16_t)length }, 2);
	memcpy(bytes + 56, &(uint32_t){ WARD_IORT_MAPS_MAX + 1 }, 4);
	bytes[60] = 36;
	fix_checksum(bytes, 48 + length);
	assert_int_equal(parse(bytes, 48 + length, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "more than can be followed"));
	free(bytes);
}

static void ids_walk_to_smmu_and_its(void **state)
{
	struct ward_iort *iort;
	struct table t;
	uint32_t id = 0;

	(void)state;
	make(&t);
	iort = parsed(&t);
	assert_int_equal(ward_iort_walk(iort, 3, 0x180, WARD_IORT_IOMMUS, &id), 2);
	assert_int_equal(id, 0x580);
	assert_int_equal(ward_iort_walk(iort, 3, 0x180, WARD_IORT_ITS, &id), 0);
	assert_int_equal(id, 0x10580);
	id = 5;
	assert_int_equal(ward_iort_walk(iort, 3, 0xff, WARD_IORT_IOMMUS, &id), WARD_NONE);
	assert_int_equal(ward_iort_walk(iort, 3, 0x200, WARD_IORT_ITS, &id), WARD_NONE);
	assert_int_equal(id, 5);
	assert_int_equal(ward_iort_walk_single(iort, 4, 0, WARD_IORT_IOMMUS, &id), 2);
	assert_int_equal(id, 0x42);
	assert_int_equal(ward_iort_walk_single(iort, 4, 0, WARD_IORT_ITS, &id), 0);
	assert_int_equal(id, 0x10042);
	assert_int_equal(ward_iort_walk_single(iort, 4, 1, WARD_IORT_ITS, &id), WARD_NONE);
	/* A mapping of a root complex that is no single one has no id of its own. */
	assert_int_equal(ward_iort_walk_single(iort, 3, 0, WARD_IORT_ITS, &id), WARD_NONE);
	ward_iort_destroy(iort);
}

static void an_smmu_may_have_a_mapping_for_itself(void **state)
{
	struct ward_iort *iort;
	struct table t;
	uint32_t id;

	(void)state;
	make(&t);
	iort = parsed(&t);
	assert_int_equal(ward_iort_own_map(&iort->nodes[2]), 1);
	assert_int_equal(ward_iort_walk_single(iort, 2, 1, WARD_IORT_ITS, &id), 0);
	assert_int_equal(id, 0x77);
	/* All four interrupts wired: the index means nothing before revision 5. */
	iort->nodes[2].smmuv3.event_gsiv = iort->nodes[2].smmuv3.pri_gsiv = 1;
	assert_int_equal(ward_iort_own_map(&iort->nodes[2]), 1);
	iort->nodes[2].smmuv3.gerr_gsiv = iort->nodes[2].smmuv3.sync_gsiv = 1;
	assert_int_equal(ward_iort_own_map(&iort->nodes[2]), WARD_NONE);
	iort->nodes[2].revision = 5;
	assert_int_equal(ward_iort_own_map(&iort->nodes[2]), WARD_NONE);
	iort->nodes[2].smmuv3.flags = 0x10;
	assert_int_equal(ward_iort_own_map(&iort->nodes[2]), 1);
	iort->nodes[2].smmuv3.id_index = 2;
	assert_int_equal(ward_iort_own_map(&iort->nodes[2]), WARD_NONE);
	iort->nodes[2].revision = 0;
	assert_int_equal(ward_iort_own_map(&iort->nodes[2]), WARD_NONE);
	assert_int_equal(ward_iort_own_map(&iort->nodes[5]), 0);
	assert_int_equal(ward_iort_own_map(&iort->nodes[3]), WARD_NONE);
	ward_iort_destroy(iort);
}

/*
 * The first range says 0x101 ids (count 0x100, minus one not taken), so its last id is also the
 * first of the second range, which wins; the third range starts earlier and does not.
 */
static void counts_that_are_one_too_high_are_tolerated(void **state)
{
	struct ward_iort *iort;
	struct table t;
	size_t its, smmu;
	uint32_t id;

	(void)state;
	start_iort(&t);
	its = put_its_group(&t, 0);
	smmu = put_smmuv3(&t, 0, 0, 0, 1, 0, 0);
	put_root_complex(&t, 0, 0, 4);
	put_map(&t, 0x000, 0x100, 0x1000, smmu, 0);
	put_map(&t, 0x0f0, 0x20, 0x2000, smmu, 0);
	put_map(&t, 0x100, 0x100, 0x3000, its, 0);
	put_map(&t, 0x300, 0, 0x4000, smmu, 0);
	iort = parsed(&t);
	assert_int_equal(ward_iort_walk(iort, 2, 0xff, WARD_IORT_IOMMUS, &id), 1);
	assert_int_equal(id, 0x10ff);
	assert_int_equal(ward_iort_walk(iort, 2, 0x100, WARD_IORT_ITS, &id), 0);
	assert_int_equal(id, 0x3000);
	assert_int_equal(ward_iort_walk(iort, 2, 0x100, WARD_IORT_IOMMUS, &id), WARD_NONE);
	/* Nobody starts at the end of the third range: it is its own. */
	assert_int_equal(ward_iort_walk(iort, 2, 0x200, WARD_IORT_ITS, &id), 0);
	assert_int_equal(id, 0x3100);
	assert_int_equal(ward_iort_walk(iort, 2, 0x300, WARD_IORT_IOMMUS, &id), 1);
	assert_int_equal(id, 0x4000);
	ward_iort_destroy(iort);
}

static void check_spans(const struct ward_iort *iort, uint32_t node, uint32_t mask)
{
	struct ward_iort_span *spans;
	uint32_t count, next = 0;

	assert_int_equal(ward_iort_spans(iort, node, mask, &spans, &count), 0);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(spans[i].first, next);
		assert_true(spans[i].last >= spans[i].first);
		next = spans[i].last + 1;
		for (uint32_t rid = spans[i].first; rid <= spans[i].last; rid++) {
			uint32_t id = 0, expected = spans[i].output;

			if (!spans[i].constant)
				expected += rid - spans[i].first;
			assert_int_equal(ward_iort_walk(iort, node, rid, mask, &id), spans[i].node);
			if (spans[i].node != WARD_NONE)
				assert_int_equal(id, expected);
		}
	}
	assert_int_equal(next, 0x10000);
	free(spans);
}

/* Whatever the mappings are, spans say for each id what the walk says. */
static void spans_say_what_walks_say(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned int round = 0; round < 40; round++) {
		struct ward_iort *iort;
		struct table t;
		size_t its, smmu[2];
		uint32_t numbers[60];

		for (unsigned int i = 0; i < 60; i++) {
			seed = seed * 1664525 + 1013904223;
			numbers[i] = seed >> 8;
		}
		start_iort(&t);
		its = put_its_group(&t, 0);
		for (unsigned int i = 0; i < 2; i++) {
			smmu[i] = put_smmuv3(&t, 0, 1, 0, numbers[58] & 1, 0, 3);
			for (unsigned int k = 0; k < 3; k++)
				put_map(&t, numbers[i * 9 + k] & 0x3ff0,
					numbers[i * 9 + k + 3] & 0x7ff, numbers[i * 9 + k + 6], its,
					0);
		}
		put_root_complex(&t, 0, 0, 7);
		for (unsigned int k = 0; k < 7; k++)
			put_map(&t, numbers[20 + k] & 0x3ff0, numbers[30 + k] & 0x13ff,
				numbers[40 + k] & 0x3ff0, numbers[50 + k] & 4 ? its : smmu[k & 1],
				(numbers[50 + k] & 0x70) == 0);
		iort = parsed(&t);
		check_spans(iort, 3, WARD_IORT_IOMMUS);
		check_spans(iort, 3, WARD_IORT_ITS);
		ward_iort_destroy(iort);
	}
}

static void spans_are_few(void **state)
{
	struct ward_iort_span *spans;
	struct ward_iort *iort;
	uint32_t count;
	struct table t;

	(void)state;
	make(&t);
	iort = parsed(&t);
	assert_int_equal(ward_iort_spans(iort, 3, WARD_IORT_ITS, &spans, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(spans[1].first, 0x100);
	assert_int_equal(spans[1].last, 0x1ff);
	assert_int_equal(spans[1].node, 0);
	assert_int_equal(spans[1].output, 0x10500);
	free(spans);
	ward_iort_destroy(iort);
}

static void damage_is_read_or_refused(void **state)
{
	struct table t;

	(void)state;
	make(&t);
	cut_everywhere(parse, &t);
	change_everywhere(parse, &t);
}

static int sweep(void *context)
{
	const struct table *t = context;
	struct ward_iort_span *spans;
	struct ward_iort *iort;
	uint32_t count;
	int code = ward_iort_parse(t->bytes, t->size, &iort, NULL);

	if (code)
		return code;
	code = ward_iort_spans(iort, 3, WARD_IORT_ITS, &spans, &count);
	if (!code)
		free(spans);
	ward_iort_destroy(iort);
	return code;
}

static void memory_may_end_anywhere(void **state)
{
	struct table t;

	(void)state;
	make(&t);
	assert_true(test_sweep(sweep, &t) >= 7);
	ward_iort_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_nodes_are_read),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(a_name_that_does_not_end_is_refused),
		cmocka_unit_test(too_many_mappings_are_refused),
		cmocka_unit_test(ids_walk_to_smmu_and_its),
		cmocka_unit_test(an_smmu_may_have_a_mapping_for_itself),
		cmocka_unit_test(counts_that_are_one_too_high_are_tolerated),
		cmocka_unit_test(spans_say_what_walks_say),
		cmocka_unit_test(spans_are_few),
		cmocka_unit_test(damage_is_read_or_refused),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
