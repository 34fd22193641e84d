// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Nested spaces: every fault at every place where it can happen, and what leads where. */
#include "dma/nested_guest.h"

#include "base/fault.h"

static void unmap(uint64_t gpa, uint64_t length)
{
	assert_int_equal(ward_space_unmap(guest.parent, ward_iova(gpa), ward_iova(gpa + length - 1),
					  WARD_UNMAP_SPLIT, NULL),
			 0);
}

/* Puts something else in the place of one page of the stage 2. */
static void remap(uint64_t gpa, uint32_t access)
{
	unmap(gpa, PAGE);
	if (access)
		map(gpa, PAGE, gpa, access, WARD_NORMAL);
}

static uint64_t lead(ward_pasid_t pasid, uint64_t iova, uint32_t access)
{
	struct ward_translation translation;
	struct ward_fault fault;

	if (ward_space_translate(guest.space, NULL, pasid, ward_iova(iova), access, &translation,
				 &fault))
		fail_msg("fault %d stage %d level %d class %d gpa %llx", (int)fault.reason,
			 fault.stage, fault.level, (int)fault.fault_class,
			 (unsigned long long)ward_gpa_raw(fault.gpa));
	return ward_target_raw(translation.target);
}

static void expect_fault(ward_pasid_t pasid, uint64_t iova, uint32_t access,
			 enum ward_fault_reason reason, unsigned int stage, int level,
			 enum ward_fault_class fault_class, uint64_t gpa)
{
	struct ward_translation translation = { .access = 0x55 };
	struct ward_fault fault = { 0 };

	assert_int_equal(ward_space_translate(guest.space, NULL, pasid, ward_iova(iova), access,
					      &translation, &fault),
			 -EFAULT);
	assert_int_equal(translation.access, 0x55);
	assert_int_equal(fault.reason, reason);
	assert_int_equal(fault.stage, stage);
	assert_int_equal(fault.level, level);
	assert_int_equal(fault.fault_class, fault_class);
	assert_int_equal(ward_gpa_raw(fault.gpa), gpa);
	assert_int_equal(ward_iova_raw(fault.iova), iova);
	assert_int_equal(fault.access, access);
}

static void test_leads(void **state)
{
	struct ward_translation translation;

	(void)state;
	assert_int_equal(lead(WARD_PASID_NONE, IOVA, WARD_READ), DATA + 0x230);
	assert_int_equal(ward_space_translate(guest.space, NULL, WARD_PASID_NONE, ward_iova(IOVA),
					      WARD_WRITE, &translation, NULL),
			 0);
	assert_int_equal(translation.access, WARD_READ | WARD_WRITE);
	assert_int_equal(translation.type, WARD_NORMAL);
	assert_int_equal(translation.input.start, IOVA & ~0xfffull);
	assert_int_equal(translation.input.last, IOVA | 0xfff);
	/* Nothing is kept, and nothing is allocated. */
	ward_fault_arm(1);
	assert_int_equal(lead(WARD_PASID_NONE, IOVA, WARD_READ), DATA + 0x230);
	assert_false(ward_fault_hit());
	ward_fault_arm(0);
	put(TABLE(3) + 8, (DATA + PAGE) | 0x443);
	assert_int_equal(lead(WARD_PASID_NONE, IOVA, WARD_READ), DATA + PAGE + 0x230);
}

#define STEPS_MAX 32

struct steps {
	struct ward_walk_step step[STEPS_MAX];
	unsigned int count;
};

static void keep_step(void *context, const struct ward_walk_step *step)
{
	struct steps *steps = context;

	assert_true(steps->count < STEPS_MAX);
	steps->step[steps->count++] = *step;
}

/* The doorbell: normal memory to the guest, device to us, and device in the end. */
static void test_doorbell(void **state)
{
	struct ward_translation translation;
	struct ward_fault fault;
	struct steps steps = { .count = 0 };
	ward_gpa_t gpa;
	const struct {
		unsigned int stage;
		int level;
		uint64_t input, entry_at, output;
	} expected[] = {
		{ 2, -1, CONTEXT, 0, CONTEXT },
		{ 0, -1, 0, CONTEXT, TABLE(0) },
		{ 2, -1, TABLE(0), 0, TABLE(0) },
		{ 1, 0, 0xeeee0040, TABLE(0), TABLE(1) },
		{ 2, -1, TABLE(1) + 24, 0, TABLE(1) + 24 },
		{ 1, 1, 0xeeee0040, TABLE(1) + 24, TABLE(2) },
		{ 2, -1, TABLE(2) + 0x177 * 8, 0, TABLE(2) + 0x177 * 8 },
		{ 1, 2, 0xeeee0040, TABLE(2) + 0x177 * 8, TABLE(3) },
		{ 2, -1, TABLE(3) + 0xe0 * 8, 0, TABLE(3) + 0xe0 * 8 },
		{ 1, 3, 0xeeee0040, TABLE(3) + 0xe0 * 8, 0x80900040 },
		{ 2, -1, 0x80900040, 0, 0x20200040 },
	};

	(void)state;
	put(TABLE(0), TABLE(1) | 3);
	put(TABLE(1) + 24, TABLE(2) | 3);
	put(TABLE(2) + 0x177 * 8, TABLE(3) | 3);
	put(TABLE(3) + 0xe0 * 8, 0x80900000 | 0x443);
	/* Which doorbell it is can be told before it is mapped at stage 2. */
	assert_int_equal(ward_space_stage1(guest.space, WARD_PASID_NONE, ward_iova(0xeeee0040),
					   WARD_WRITE, &gpa, &fault),
			 0);
	assert_int_equal(ward_gpa_raw(gpa), 0x80900040);
	expect_fault(WARD_PASID_NONE, 0xeeee0040, WARD_WRITE, WARD_FAULT_TRANSLATION, 2,
		     WARD_NO_LEVEL, WARD_CLASS_INPUT, 0x80900040);
	map(0x80900000, 0x10000, 0x20200000, WARD_WRITE, WARD_DEVICE_NGNRE);
	assert_int_equal(ward_space_translate(guest.space, NULL, WARD_PASID_NONE,
					      ward_iova(0xeeee0040), WARD_WRITE, &translation,
					      &fault),
			 0);
	assert_int_equal(ward_target_raw(translation.target), 0x20200040);
	assert_int_equal(translation.type, WARD_DEVICE_NGNRE);
	assert_int_equal(translation.access, WARD_WRITE);
	/* Of the 64 KiB, one page is the guest's. */
	assert_int_equal(translation.input.start, 0xeeee0000);
	assert_int_equal(translation.input.last, 0xeeee0fff);

	assert_int_equal(ward_space_walk(guest.space, WARD_PASID_NONE, ward_iova(0xeeee0040),
					 WARD_WRITE, keep_step, &steps, &translation, &fault),
			 0);
	assert_int_equal(steps.count, sizeof(expected) / sizeof(expected[0]));
	for (unsigned int i = 0; i < steps.count; i++) {
		assert_int_equal(steps.step[i].stage, expected[i].stage);
		assert_int_equal(steps.step[i].level, expected[i].level);
		assert_int_equal(steps.step[i].input, expected[i].input);
		assert_int_equal(steps.step[i].entry_at, expected[i].entry_at);
		assert_int_equal(steps.step[i].output, expected[i].output);
	}
	assert_int_equal(ward_target_raw(translation.target), 0x20200040);
	/* Reading is not what the page is for. */
	expect_fault(WARD_PASID_NONE, 0xeeee0040, WARD_READ, WARD_FAULT_PERMISSION, 2,
		     WARD_NO_LEVEL, WARD_CLASS_INPUT, 0x80900040);
}

/* A run of contiguous entries: as wide as both stages go, and told like any other leaf. */
static void test_contiguous(void **state)
{
	struct ward_translation translation;
	struct ward_fault fault;
	struct steps steps = { .count = 0 };

	(void)state;
	for (uint64_t i = 0; i < 16; i++)
		put(TABLE(3) + i * 8, (0x80900000 + i * PAGE) | 0x443 | 1ull << 52);
	map(0x80900000, 0x8000, 0x20200000, WARD_READ, WARD_NORMAL);
	assert_int_equal(ward_space_walk(guest.space, WARD_PASID_NONE, ward_iova(IOVA), WARD_READ,
					 keep_step, &steps, &translation, &fault),
			 0);
	assert_int_equal(ward_target_raw(translation.target), 0x20201230);
	assert_int_equal(translation.input.start, IOVA & ~0xffffull);
	assert_int_equal(translation.input.last, (IOVA & ~0xffffull) + 0x7fff);
	assert_int_equal(steps.count, 11);
}

/* What can be wrong with the table of each level, as seen by either stage. */
static void test_faults_of_tables(void **state)
{
	(void)state;
	for (int level = 0; level < 4; level++) {
		uint64_t at = TABLE(level) + 8,
			 good = level < 3 ? TABLE(level + 1) | 3 : DATA | 0x443;

		put(at, 0);
		expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_TRANSLATION, 1, level,
			     WARD_CLASS_INPUT, 0);
		put(at, good | 1ull << 40);
		expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_ADDRESS_SIZE, 1, level,
			     WARD_CLASS_INPUT, 0);
		put(at, good);
		remap(TABLE(level), 0);
		expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_TRANSLATION, 2,
			     WARD_NO_LEVEL, WARD_CLASS_TABLE, at);
		map(TABLE(level), PAGE, TABLE(level), WARD_WRITE, WARD_NORMAL);
		expect_fault(WARD_PASID_NONE, IOVA, WARD_WRITE, WARD_FAULT_PERMISSION, 2,
			     WARD_NO_LEVEL, WARD_CLASS_TABLE, at);
		/* Reading is enough: nothing is written to tables. */
		remap(TABLE(level), WARD_READ);
		assert_int_equal(lead(WARD_PASID_NONE, IOVA, WARD_WRITE), DATA + 0x230);
	}
}

/* Stage 2 lets it through, but there is no memory. */
static void test_no_memory(void **state)
{
	uint64_t beyond = GUEST + GUEST_SIZE;

	(void)state;
	map(beyond, PAGE, beyond, WARD_READ, WARD_NORMAL);
	for (int level = 0; level < 3; level++) {
		struct ward_translation translation;
		struct ward_fault fault;

		put(TABLE(level) + 8, beyond | 3);
		expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_TABLE, 1, level + 1,
			     WARD_CLASS_TABLE, 0);
		assert_int_equal(ward_space_translate(guest.space, NULL, WARD_PASID_NONE,
						      ward_iova(IOVA), WARD_READ, &translation,
						      &fault),
				 -EFAULT);
		assert_int_equal(fault.fetch, beyond + 8);
		put(TABLE(level) + 8, TABLE(level + 1) | 3);
	}
	guest.stage1.contexts = ward_gpa(beyond);
	nest();
	expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_TABLE, 0, WARD_NO_LEVEL,
		     WARD_CLASS_CONTEXT, 0);
}

static void test_faults_of_context(void **state)
{
	(void)state;
	put(CONTEXT, CONTEXT_WORD0 & ~0x80000000ull);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_CONTEXT, 0, WARD_NO_LEVEL,
		     WARD_CLASS_INPUT, 0);
	put(CONTEXT, CONTEXT_WORD0);
	remap(CONTEXT, WARD_WRITE);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_PERMISSION, 2, WARD_NO_LEVEL,
		     WARD_CLASS_CONTEXT, CONTEXT);
	remap(CONTEXT, 0);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_TRANSLATION, 2, WARD_NO_LEVEL,
		     WARD_CLASS_CONTEXT, CONTEXT);
	map(CONTEXT, PAGE, CONTEXT, WARD_READ, WARD_NORMAL);
	assert_int_equal(lead(WARD_PASID_NONE, IOVA, WARD_READ), DATA + 0x230);
}

static void test_permissions(void **state)
{
	struct ward_translation translation;

	(void)state;
	/* Stage 1 read-only over nothing: stage 1 is asked first. */
	put(TABLE(3) + 8, DATA | 0x4c3);
	remap(DATA, 0);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_WRITE, WARD_FAULT_PERMISSION, 1, 3,
		     WARD_CLASS_INPUT, 0);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_TRANSLATION, 2, WARD_NO_LEVEL,
		     WARD_CLASS_INPUT, DATA + 0x230);
	/* Only what both let through. */
	map(DATA, PAGE, DATA, WARD_READ | WARD_WRITE, WARD_NORMAL);
	assert_int_equal(ward_space_translate(guest.space, NULL, WARD_PASID_NONE, ward_iova(IOVA),
					      WARD_READ, &translation, NULL),
			 0);
	assert_int_equal(translation.access, WARD_READ);
	put(TABLE(3) + 8, DATA | 0x443);
	remap(DATA, WARD_READ);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_WRITE, WARD_FAULT_PERMISSION, 2, WARD_NO_LEVEL,
		     WARD_CLASS_INPUT, DATA + 0x230);
	/* APTable forbids for all below, unless HAD0 says that tables forbid nothing. */
	remap(DATA, WARD_READ | WARD_WRITE);
	put(TABLE(1) + 8, TABLE(2) | 3 | 1ull << 62);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_WRITE, WARD_FAULT_PERMISSION, 1, 3,
		     WARD_CLASS_INPUT, 0);
	put(CONTEXT + 8, TABLE(0) | 2);
	assert_int_equal(lead(WARD_PASID_NONE, IOVA, WARD_WRITE), DATA + 0x230);
	/* Pages of the kernel's alone are nothing to a device. */
	put(TABLE(3) + 8, DATA | 0x403);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_PERMISSION, 1, 3,
		     WARD_CLASS_INPUT, 0);
	/* The access flag, and AFFD. */
	put(TABLE(3) + 8, DATA | 0x43);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_ACCESS_FLAG, 1, 3,
		     WARD_CLASS_INPUT, 0);
	put(CONTEXT, CONTEXT_WORD0 | 1ull << 35);
	assert_int_equal(lead(WARD_PASID_NONE, IOVA, WARD_READ), DATA + 0x230);
	/* WXN: what can be written is not executed. */
	put(CONTEXT, CONTEXT_WORD0 | 1ull << 36);
	put(TABLE(3) + 8, DATA | 0x443);
	remap(DATA, WARD_READ | WARD_WRITE | WARD_EXEC);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_EXEC, WARD_FAULT_PERMISSION, 1, 3,
		     WARD_CLASS_INPUT, 0);
	put(CONTEXT, CONTEXT_WORD0);
	assert_int_equal(lead(WARD_PASID_NONE, IOVA, WARD_EXEC), DATA + 0x230);
}

/* TTB1, TBI, EPD, and addresses between the halves. */
static void test_halves(void **state)
{
	const uint64_t upper = IOVA | 0xffff000000000000;
	const uint64_t tbi0 = 1ull << 38, tbi1 = 1ull << 39, epd0 = 1ull << 14, epd1 = 1ull << 30;
	const uint64_t word0 = (CONTEXT_WORD0 & ~epd1) | 16ull << 16 | 2ull << 22;

	(void)state;
	put(CONTEXT, word0);
	put(CONTEXT + 16, TABLE(8));
	put(TABLE(8) + 8, TABLE(1) | 3);
	assert_int_equal(lead(WARD_PASID_NONE, upper, WARD_READ), DATA + 0x230);
	/* Another table there shows that it is the one used. */
	put(TABLE(8) + 8, 0);
	expect_fault(WARD_PASID_NONE, upper, WARD_READ, WARD_FAULT_TRANSLATION, 1, 0,
		     WARD_CLASS_INPUT, 0);
	assert_int_equal(lead(WARD_PASID_NONE, IOVA, WARD_READ), DATA + 0x230);
	put(TABLE(8) + 8, TABLE(1) | 3);
	for (unsigned int bit = 48; bit < 64; bit++) {
		put(CONTEXT, word0);
		expect_fault(WARD_PASID_NONE, IOVA | 1ull << bit, WARD_READ, WARD_FAULT_TRANSLATION,
			     1, 0, WARD_CLASS_INPUT, 0);
		expect_fault(WARD_PASID_NONE, upper & ~(1ull << bit), WARD_READ,
			     WARD_FAULT_TRANSLATION, 1, 0, WARD_CLASS_INPUT, 0);
		put(CONTEXT, word0 | tbi0 | tbi1);
		if (bit < 56) {
			expect_fault(WARD_PASID_NONE, IOVA | 1ull << bit, WARD_READ,
				     WARD_FAULT_TRANSLATION, 1, 0, WARD_CLASS_INPUT, 0);
			continue;
		}
		assert_int_equal(lead(WARD_PASID_NONE, IOVA | 1ull << bit, WARD_READ),
				 DATA + 0x230);
		assert_int_equal(lead(WARD_PASID_NONE, upper & ~(1ull << bit), WARD_READ),
				 DATA + 0x230);
	}
	put(CONTEXT, word0 | tbi1);
	expect_fault(WARD_PASID_NONE, IOVA | 1ull << 60, WARD_READ, WARD_FAULT_TRANSLATION, 1, 0,
		     WARD_CLASS_INPUT, 0);
	put(CONTEXT, word0 | epd0);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_TRANSLATION, 1, 0,
		     WARD_CLASS_INPUT, 0);
	assert_int_equal(lead(WARD_PASID_NONE, upper, WARD_READ), DATA + 0x230);
	put(CONTEXT, word0 | epd1);
	expect_fault(WARD_PASID_NONE, upper, WARD_READ, WARD_FAULT_TRANSLATION, 1, 0,
		     WARD_CLASS_INPUT, 0);
	/* T0SZ 25: one level less, one bit of reach. */
	put(CONTEXT, (CONTEXT_WORD0 & ~0x3full) | 25);
	put(CONTEXT + 8, TABLE(1));
	assert_int_equal(lead(WARD_PASID_NONE, IOVA & 0x7fffffffff, WARD_READ), DATA + 0x230);
	expect_fault(WARD_PASID_NONE, IOVA, WARD_READ, WARD_FAULT_TRANSLATION, 1, 0,
		     WARD_CLASS_INPUT, 0);
}

static void expect_no_context(uint32_t pasid)
{
	expect_fault(ward_pasid(pasid), IOVA, WARD_READ, WARD_FAULT_PASID, 0, WARD_NO_LEVEL,
		     WARD_CLASS_INPUT, 0);
}

static void test_pasids(void **state)
{
	(void)state;
	/* One context: no PASID is any good. */
	expect_no_context(0);
	expect_no_context(1);
	guest.stage1.pasid_bits = 4;
	put_context(CONTEXT + 15 * 64);
	nest();
	assert_int_equal(lead(ward_pasid(15), IOVA, WARD_READ), DATA + 0x230);
	assert_int_equal(lead(ward_pasid(0), IOVA, WARD_READ), DATA + 0x230);
	expect_no_context(16);
	expect_no_context(0xfffff);
	expect_no_context(UINT32_MAX - 1);
	/* Without PASID, there is a context of its own, none, or no stage 1. */
	expect_no_context(UINT32_MAX);
	guest.stage1.without_pasid = WARD_STAGE1_DEFAULT_CONTEXT0;
	nest();
	assert_int_equal(lead(WARD_PASID_NONE, IOVA, WARD_READ), DATA + 0x230);
	expect_no_context(0);
	expect_fault(ward_pasid(1), IOVA, WARD_READ, WARD_FAULT_CONTEXT, 0, WARD_NO_LEVEL,
		     WARD_CLASS_INPUT, 0);
	guest.stage1.without_pasid = WARD_STAGE1_DEFAULT_BYPASS;
	nest();
	assert_int_equal(lead(WARD_PASID_NONE, DATA + 5, WARD_READ), DATA + 5);
	expect_fault(WARD_PASID_NONE, 1ull << 43, WARD_READ, WARD_FAULT_TRANSLATION, 2,
		     WARD_NO_LEVEL, WARD_CLASS_INPUT, 1ull << 43);
	expect_fault(WARD_PASID_NONE, 1ull << 44, WARD_READ, WARD_FAULT_ADDRESS_SIZE, 1,
		     WARD_NO_LEVEL, WARD_CLASS_INPUT, 0);
	assert_int_equal(lead(ward_pasid(0), IOVA, WARD_READ), DATA + 0x230);
}

static void test_two_levels(void **state)
{
	(void)state;
	guest.stage1.pasid_bits = 8;
	guest.stage1.layout = WARD_CONTEXTS_TWO_LEVEL_4K;
	put(CONTEXT, 0);
	put(CONTEXT + 2 * 8, LEAF_TABLE | 1);
	put_context(LEAF_TABLE + 5 * 64);
	nest();
	assert_int_equal(lead(ward_pasid(2 * 64 + 5), IOVA, WARD_READ), DATA + 0x230);
	expect_no_context(64);
	expect_no_context(256);
	remap(LEAF_TABLE, 0);
	expect_fault(ward_pasid(2 * 64 + 5), IOVA, WARD_READ, WARD_FAULT_TRANSLATION, 2,
		     WARD_NO_LEVEL, WARD_CLASS_CONTEXT, LEAF_TABLE + 5 * 64);
	remap(CONTEXT, 0);
	expect_fault(ward_pasid(2 * 64 + 5), IOVA, WARD_READ, WARD_FAULT_TRANSLATION, 2,
		     WARD_NO_LEVEL, WARD_CLASS_CONTEXT, CONTEXT + 16);
	/* Leaves of 64 KiB: bits 15:12 of their address say nothing. */
	map(LEAF_TABLE, PAGE, LEAF_TABLE, WARD_READ, WARD_NORMAL);
	map(CONTEXT, PAGE, CONTEXT, WARD_READ, WARD_NORMAL);
	guest.stage1.pasid_bits = 11;
	guest.stage1.layout = WARD_CONTEXTS_TWO_LEVEL_64K;
	put(CONTEXT + 8, LEAF_TABLE | 0x3001);
	nest();
	assert_int_equal(lead(ward_pasid(1024 + 5), IOVA, WARD_READ), DATA + 0x230);
	expect_no_context(5);
}

static void test_kinds(void **state)
{
	struct ward_translation translation;
	struct ward_fault fault;
	ward_gpa_t gpa;

	(void)state;
	assert_int_equal(ward_space_walk(guest.parent, WARD_PASID_NONE, ward_iova(DATA), WARD_READ,
					 NULL, NULL, &translation, &fault),
			 -EINVAL);
	assert_int_equal(ward_space_stage1(guest.parent, WARD_PASID_NONE, ward_iova(DATA),
					   WARD_READ, &gpa, &fault),
			 -EINVAL);
	guest.stage1.kind = WARD_STAGE1_BYPASS;
	nest();
	assert_int_equal(lead(WARD_PASID_NONE, DATA, WARD_WRITE), DATA);
	expect_fault(ward_pasid(0), DATA, WARD_READ, WARD_FAULT_PASID, 0, WARD_NO_LEVEL,
		     WARD_CLASS_INPUT, 0);
	guest.stage1.kind = WARD_STAGE1_ABORT;
	nest();
	expect_fault(WARD_PASID_NONE, DATA, WARD_READ, WARD_FAULT_BLOCKED, 0, WARD_NO_LEVEL,
		     WARD_CLASS_INPUT, 0);
	assert_int_equal(ward_space_stage1(guest.space, WARD_PASID_NONE, ward_iova(DATA), WARD_READ,
					   &gpa, NULL),
			 -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NESTED_TEST(test_leads),
		NESTED_TEST(test_doorbell),
		NESTED_TEST(test_faults_of_tables),
		NESTED_TEST(test_no_memory),
		NESTED_TEST(test_faults_of_context),
		NESTED_TEST(test_permissions),
		NESTED_TEST(test_halves),
		NESTED_TEST(test_pasids),
		NESTED_TEST(test_two_levels),
		NESTED_TEST(test_kinds),
		NESTED_TEST(test_contiguous),
	};

	return cmocka_run_group_tests_name("dma/nested", tests, NULL, NULL);
}
