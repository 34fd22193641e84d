// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A controller of a kind that nobody has seen before: it does not tell writers apart, and takes
 * messages at three places. It is in no table of the analysis, and needs none: what is said of it
 * follows from its doorbells, as it does for a GICv2m frame.
 */
#include "isolate/spaces.h"

#include <doorward/memory.h>

#include "emul/machine.h"

#define PLACES 3

static const uint64_t places[PLACES] = { 0x9000000, 0x9450000, 0x9801000 };

/* Cards 1 and 2 use the one of interest, 3 an ITS, 4 a frame beside its last place. */
static void four_cards(struct make *m, enum ward_controller_kind kind, uint64_t page)
{
	struct ward_controller *c;

	make_empty(m, WARD_ARCH_ARM64, page);
	make_iommu(m, WARD_IOMMU_SMMUV3);
	c = make_controller(m, kind, WARD_NO, places[0], 0x1000);
	c->pool = 7;
	if (kind == WARD_CONTROLLER_OTHER) {
		for (uint32_t i = 1; i < PLACES; i++)
			c->doorbells[i] = (struct ward_range){ places[i], places[i] + 0xfff };
		c->doorbells_count = PLACES;
	}
	make_controller(m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x9a00000, 0x10000);
	make_controller(m, WARD_CONTROLLER_GICV2M, WARD_NO, places[2] + 0x1000, 0x1000);
	root_port(m, "00:01.0", 1, ACS_ON)->msix = false;
	root_port(m, "00:02.0", 2, ACS_ON)->msix = false;
	root_port(m, "00:03.0", 3, ACS_ON)->msix = false;
	root_port(m, "00:04.0", 4, ACS_ON)->msix = false;
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0");
	endpoint(m, "03:00.0")->controller = 1;
	endpoint(m, "04:00.0")->controller = 2;
}

static bool together(const struct make *m, const char *a, const char *b)
{
	return ward_partition_of(m->isolation, at(m, a)) ==
	       ward_partition_of(m->isolation, at(m, b));
}

static void reach_and_partitions(void **unused)
{
	struct make m;

	(void)unused;
	four_cards(&m, WARD_CONTROLLER_OTHER, 4096);
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "sure");
	assert_string_equal(RAISES(&m, "01:00.0", "03:00.0"), "no");
	assert_string_equal(RAISES(&m, "01:00.0", "04:00.0"), "no");
	assert_string_equal(RAISES(&m, "04:00.0", "01:00.0"), "no");
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "no");
	assert_true(together(&m, "01:00.0", "02:00.0"));
	assert_false(together(&m, "01:00.0", "03:00.0"));
	assert_false(together(&m, "01:00.0", "04:00.0"));
	make_free(&m);
	/* A page of 64 KiB holds its last place and the frame: they are one doorbell. */
	four_cards(&m, WARD_CONTROLLER_OTHER, 65536);
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "04:00.0"), "sure");
	assert_string_equal(RAISES(&m, "04:00.0", "02:00.0"), "sure");
	assert_string_equal(RAISES(&m, "04:00.0", "03:00.0"), "no");
	assert_true(together(&m, "01:00.0", "04:00.0"));
	assert_false(together(&m, "01:00.0", "03:00.0"));
	make_free(&m);
}

/* Whoever has any of its places mapped rings it. */
static void through_spaces(void **unused)
{
	for (uint32_t i = 0; i < PLACES; i++) {
		struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
		struct ward_space *beside = space_of(WARD_SPACE_UNMANAGED);
		struct make m;

		(void)unused;
		four_cards(&m, WARD_CONTROLLER_OTHER, 4096);
		make_done(&m);
		mapped(space, 0x100000, places[i], 0x1000, WARD_WRITE);
		mapped(beside, 0x100000, places[i] - 0x1000, 0x1000, WARD_WRITE);
		put(&m, "03:00.0", beside);
		assert_string_equal(RAISES(&m, "03:00.0", "01:00.0"), "no");
		put(&m, "03:00.0", space);
		assert_string_equal(RAISES(&m, "03:00.0", "01:00.0"), "sure");
		assert_string_equal(RAISES(&m, "03:00.0", "02:00.0"), "sure");
		assert_string_equal(RAISES(&m, "03:00.0", "04:00.0"), "no");
		make_free(&m);
		ward_space_destroy(space);
		ward_space_destroy(beside);
	}
}

/* One of the questions asked of both kinds of machine. */
struct asked {
	const char *owner_of_2, *client, *functions;
	enum ward_answer answer;
	enum ward_grade grade;
};

static void have(struct make *m, const char *owner)
{
	if (owner && strcmp(owner, "host") == 0)
		bound(m, "02:00.0", "nvme");
	else if (owner)
		owned(m, "02:00.0", owner);
}

/* What a frame gets, word for word but for its name, the new kind gets. */
static void verdicts(void **unused)
{
	static const struct asked asked[] = {
		{ NULL, NULL, "01:00.0", WARD_SAFE, WARD_GRADE_EXCLUSIVE },
		{ "host", NULL, "01:00.0", WARD_UNSAFE, WARD_GRADE_SHARED_WITH_HOST },
		{ "db", NULL, "01:00.0", WARD_UNSAFE, WARD_GRADE_SHARED_WITH_OTHER },
		{ "web", "web", "01:00.0", WARD_SAFE, WARD_GRADE_SHARED_WITH_OWN },
		{ NULL, NULL, "01:00.0 02:00.0", WARD_SAFE, WARD_GRADE_EXCLUSIVE },
		{ "db", NULL, "03:00.0", WARD_SAFE, WARD_GRADE_ISOLATED },
		{ "db", NULL, "04:00.0", WARD_SAFE, WARD_GRADE_EXCLUSIVE },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		const struct ward_verdict *frame, *other;
		struct make a, b;

		four_cards(&a, WARD_CONTROLLER_GICV2M, 4096);
		four_cards(&b, WARD_CONTROLLER_OTHER, 4096);
		have(&a, asked[i].owner_of_2);
		have(&b, asked[i].owner_of_2);
		make_done(&a);
		make_done(&b);
		frame = judged(&a, WARD_POLICY_STRICT, asked[i].client, asked[i].functions);
		other = judged(&b, WARD_POLICY_STRICT, asked[i].client, asked[i].functions);
		assert_verdict(other, asked[i].answer, asked[i].grade);
		assert_verdict(other, frame->answer, frame->grade);
		assert_int_equal(other->findings_count, frame->findings_count);
		for (uint32_t k = 0; k < other->findings_count; k++) {
			assert_string_equal(other->findings[k].code, frame->findings[k].code);
			assert_int_equal(other->findings[k].weight, frame->findings[k].weight);
		}
		make_free(&a);
		make_free(&b);
	}
}

/* The software machine knows it as little: what is written to a place arrives at the controller. */
static void is_rung(void **unused)
{
	struct ward_memory *memory;
	struct ward_emul *emul;
	struct make m;

	(void)unused;
	four_cards(&m, WARD_CONTROLLER_OTHER, 4096);
	make_done(&m);
	assert_int_equal(ward_memory_create(&memory), 0);
	assert_int_equal(ward_emul_create(m.machine, memory, &emul), 0);
	for (uint32_t i = 0; i < PLACES; i++) {
		uint32_t data = 0x60 + i;
		struct ward_dma dma = {
			.pasid = WARD_PASID_NONE,
			.address = ward_iova(places[i] + 0x40),
			.write = true,
			.bytes = &data,
			.size = sizeof(data),
		};
		struct ward_dma_result result;

		assert_int_equal(ward_emul_dma(emul, at(&m, "01:00.0"), &dma, &result), 0);
		assert_int_equal(result.end, WARD_DMA_DOORBELL);
		assert_int_equal(result.index, 0);
		assert_true(result.target == places[i] + 0x40);
	}
	ward_emul_destroy(emul);
	ward_memory_destroy(memory);
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reach_and_partitions),
		cmocka_unit_test(through_spaces),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(is_rung),
	};

	return cmocka_run_group_tests_name("isolate/controller", tests, NULL, NULL);
}
