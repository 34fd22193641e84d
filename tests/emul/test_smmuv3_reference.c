// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Random tables of both stages against a slow reference: where requests lead, how they fault, and
 * that the second answer, from the caches, is the first one.
 */
#include "emul/smmuv3_machine.h"

/* One gpa space of 1 MiB, which stage 2 puts elsewhere; the tables of stage 1 lie in it. */
#define GPA 0x40000000ull
#define POOL_SIZE 0x100000ull
#define POOL1 (RAM + 0x100000)
#define POOL2 (RAM + 0x200000)

struct shape {
	unsigned int granule, ia, level;
};

static const unsigned int tg0[] = { 0, 2, 1 };

static struct shape random_shape(uint64_t *random, unsigned int low, unsigned int high)
{
	unsigned int kind = (unsigned int)(ref_random(random) % 3);
	struct shape shape = { .granule = 12 + 2 * kind };

	shape.ia = low + (unsigned int)(ref_random(random) % (high - low + 1));
	shape.level = 3 - (shape.ia - 1 - shape.granule) / (shape.granule - 3);
	return shape;
}

/* Stage 2 that leads the 1 MiB at GPA to POOL1, but for some mischief, with 32 to 36 bits. */
static void make_stage2(uint64_t *random, struct ref_world *world)
{
	struct shape shape = random_shape(random, 32, 36);
	unsigned int shift, stride = shape.granule - 3;
	uint64_t at = POOL2, next = POOL2 + 0x10000, entry;

	memset(box.bytes + (POOL2 - RAM), 0, POOL_SIZE);
	/* Down to the one last table that GPA's pages stand in. */
	for (unsigned int level = shape.level; level < 3; level++, at = next, next += 0x10000) {
		shift = shape.granule + (3 - level) * stride;
		put(at + (GPA >> shift & ((1u << (level == shape.level ? 16 : stride)) - 1)) * 8,
		    next | 3);
	}
	for (uint64_t page = 0; page < POOL_SIZE >> shape.granule; page++) {
		uint64_t index = ((GPA >> shape.granule) + page) & ((1u << stride) - 1);

		entry = POOL1 + (page << shape.granule);
		if (ref_chance(random, 16))
			entry |= 1ull << 45;
		/* 00 in the last bits but one: invalid; attributes and access at random */
		entry |= ref_chance(random, 16) ? ref_random(random) & 3 : 3;
		entry |= ref_chance(random, 16) ? 0 : 1 << 10;
		entry |= ref_chance(random, 12) ? 0 : 1 << 6;
		entry |= ref_chance(random, 4) ? 0 : 1 << 7;
		entry |= ref_chance(random, 4) ? (ref_random(random) & 0xf) << 2 : 0xf << 2;
		put(at + index * 8, entry);
	}
	world->ste[2] = 7 | (uint64_t)(64 - shape.ia) << 32 |
			(uint64_t)((shape.granule == 12 ? 2 : 3) - shape.level) << 38 |
			(uint64_t)tg0[(shape.granule - 12) / 2] << 46 | 4ull << 48 | 1ull << 51 |
			1ull << 58;
	world->ste[2] |= ref_chance(random, 8) ? 1ull << 53 : 0;
	world->ste[2] |= ref_chance(random, 3) ? 1ull << 54 : 0;
	world->ste[3] = POOL2;
	world->protects = world->ste[2] >> 54 & 1;
}

static struct shape make_stage1(uint64_t *random, struct ref_world *world, uint64_t base)
{
	struct shape shape = random_shape(random, 25, 48);
	uint64_t page = ref_random(random) % (POOL_SIZE / PAGE) * PAGE, word0;

	ref_fill(random, 1, shape.granule, box.bytes + (POOL1 - RAM), base, POOL_SIZE);
	word0 = 1ull << 30 | 1ull << 31 | (ref_random(random) % 6) << 32 | 1ull << 41 | 3ull << 45 |
		3ull << 48;
	word0 |= (64 - shape.ia) | tg0[(shape.granule - 12) / 2] << 6;
	word0 |= ref_chance(random, 3) ? 1ull << 38 : 0;
	word0 |= ref_chance(random, 8) ? 1ull << 35 : 0;
	put(POOL1 + page, word0);
	put(POOL1 + page + 8,
	    (base + (ref_random(random) % (POOL_SIZE >> shape.granule) << shape.granule)) |
		    (ref_chance(random, 4) ? 2 : 0));
	put(POOL1 + page + 24, 0xf4bb000c0844ff04);
	world->cd_table = base + page;
	return shape;
}

static uint8_t event_id(const struct ref_end *end)
{
	switch (end->reason) {
	case WARD_FAULT_CONTEXT:
		return 0x0a;
	case WARD_FAULT_TABLE:
		return end->stage == 0 ? 0x09 : 0x0b;
	case WARD_FAULT_TRANSLATION:
		return 0x10;
	case WARD_FAULT_ADDRESS_SIZE:
		return 0x11;
	case WARD_FAULT_ACCESS_FLAG:
		return 0x12;
	default:
		return 0x13;
	}
}

static void check_event(const struct ref_end *end, uint64_t iova, uint32_t access)
{
	static const uint64_t classes[] = {
		[WARD_CLASS_INPUT] = 2,
		[WARD_CLASS_TABLE] = 1,
		[WARD_CLASS_CONTEXT] = 0,
	};
	uint64_t words[4];
	uint8_t id = event_id(end);

	assert_true(next_event(words));
	assert_int_equal(words[0], id | (uint64_t)SID << 32);
	if (id < 0x0b)
		return;
	assert_int_equal(words[1] >> 35 & 1, access == WARD_READ);
	assert_int_equal(words[1] >> 39 & 1, end->stage == 2);
	assert_int_equal(words[1] >> 40 & 3, classes[end->class]);
	assert_int_equal(words[2], iova);
	if (id >= 0x10)
		assert_int_equal(words[3], end->stage == 2 ? end->gpa & ~0xfffull : 0);
}

static unsigned int compare(const struct ref_world *world, uint64_t iova, uint32_t access)
{
	struct ref_end end = ref_translate(world, UINT32_MAX, iova, access);
	int code = dma(SID, NO_PASID, iova, access);

	if (code != (end.ok ? 0 : -EFAULT))
		fail_msg("iova %llx: %d, reference %d (reason %d/%d stage %d/%d)",
			 (unsigned long long)iova, code, end.ok, (int)box.fault.reason, end.reason,
			 box.fault.stage, end.stage);
	if (code == 0) {
		no_event();
		assert_int_equal(ward_target_raw(box.translation.target), end.out);
		assert_int_equal(box.translation.access & 3, end.access & 3);
		assert_int_equal(box.translation.type, end.type);
		assert_true(ward_range_has(box.translation.input, iova));
		return 1u << 31;
	}
	if ((int)box.fault.reason != end.reason || box.fault.stage != end.stage ||
	    (int)box.fault.fault_class != end.class || ward_gpa_raw(box.fault.gpa) != end.gpa)
		fail_msg("iova %llx: reason %d/%d stage %d/%d class %d/%d gpa %llx/%llx",
			 (unsigned long long)iova, (int)box.fault.reason, end.reason,
			 box.fault.stage, end.stage, (int)box.fault.fault_class, end.class,
			 (unsigned long long)ward_gpa_raw(box.fault.gpa),
			 (unsigned long long)end.gpa);
	check_event(&end, iova, access);
	return 1u << end.reason;
}

static uint64_t random_iova(uint64_t *random, const struct shape *shape)
{
	uint64_t iova = ref_address(random, shape->granule, shape->ia);

	if (ref_chance(random, 8))
		iova ^= 1ull << (56 + ref_random(random) % 8);
	if (ref_chance(random, 32))
		iova ^= 1ull << (ref_random(random) % 64);
	return iova;
}

static void program(const struct ref_world *world, unsigned int config)
{
	put(ste_at(SID), 1 | config << 1 | world->cd_table);
	put(ste_at(SID) + 8, 0);
	put(ste_at(SID) + 16, world->ste[2]);
	put(ste_at(SID) + 24, world->ste[3]);
	done(0x04, 31);
	done(0x30, 0);
	sync();
}

static unsigned int rounds(uint64_t random, unsigned int config)
{
	struct ref_world world = {
		.memory = { box.bytes, RAM, RAM_SIZE },
		.reads_targets = true,
		.oas = 44,
		.stage2 = config == BOTH ? ref_ste_stage2 : NULL,
	};
	unsigned int seen = 0;

	for (unsigned int round = 0; round < 200; round++) {
		struct shape shape = make_stage1(&random, &world, config == BOTH ? GPA : POOL1);

		make_stage2(&random, &world);
		program(&world, config);
		for (unsigned int i = 0; i < 200; i++) {
			uint64_t iova = random_iova(&random, &shape);

			/* Thrice: walked, cached, and something else tried on what is cached. */
			seen |= compare(&world, iova, WARD_READ);
			seen |= compare(&world, iova, WARD_READ);
			seen |= compare(&world, iova, WARD_WRITE);
		}
	}
	return seen;
}

#define SEEN                                                                     \
	(1u << 31 | 1u << WARD_FAULT_TRANSLATION | 1u << WARD_FAULT_PERMISSION | \
	 1u << WARD_FAULT_ADDRESS_SIZE | 1u << WARD_FAULT_ACCESS_FLAG | 1u << WARD_FAULT_TABLE)

static void test_stage1(void **state)
{
	(void)state;
	assert_int_equal(rounds(0x51, ONE), SEEN);
}

/* No table that can be reached lies outside memory there. */
static void test_both(void **state)
{
	(void)state;
	assert_int_equal(rounds(0x12, BOTH) | 1u << WARD_FAULT_TABLE, SEEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(test_stage1),
		BOX_TEST(test_both),
	};

	return cmocka_run_group_tests_name("emul/smmuv3-reference", tests, NULL, NULL);
}
