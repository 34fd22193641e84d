// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Where a message leads: nothing translates, one stage does, or two, and what can be wrong in each. */
#include "dma/nested_guest.h"

#include <doorward/resolve.h>

#define ITS 0x08080000ull /* of the guest; its translater page is not in our stage 2 yet */
#define TRANSLATER (ITS + 0x10040)
#define ITS2 0x080a0000ull
#define V2M 0x08020000ull
#define PHYSICAL 0x20200000ull /* the page of the host's ITS */
#define CHOSEN 0x8040201040ull /* what the guest writes into a vector: IOVA's page */
#define LEAF (TABLE(3) + 8)

enum { ITS_FRAME, ITS2_FRAME, V2M_FRAME, HOST_FRAME };

static const struct ward_doorbell_frame frames[] = {
	[ITS_FRAME] = { { TRANSLATER, TRANSLATER + 3 }, 7 },
	[ITS2_FRAME] = { { ITS2 + 0x10040, ITS2 + 0x10043 }, 8 },
	[V2M_FRAME] = { { V2M + 0x40, V2M + 0x43 }, 9 },
	[HOST_FRAME] = { { PHYSICAL + 0x40, PHYSICAL + 0x43 }, 10 },
};

static struct ward_resolve_options question(const struct ward_space *space)
{
	return (struct ward_resolve_options){
		.size = sizeof(struct ward_resolve_options),
		.space = space,
		.pasid = WARD_PASID_NONE,
		.frames = frames,
		.frames_count = sizeof(frames) / sizeof(frames[0]),
		.controller = WARD_NONE,
	};
}

static struct ward_resolution resolution;

static int ask(const struct ward_resolve_options *options, uint64_t address)
{
	const struct ward_message message = { ward_iova(address), 5 };

	memset(&resolution, 0x55, sizeof(resolution));
	return ward_doorbell_resolve(options, &message, &resolution);
}

static void expect(int code, int expected, enum ward_resolution_end end, uint32_t frame,
		   uint64_t address)
{
	assert_int_equal(code, expected);
	assert_int_equal(resolution.end, end);
	assert_int_equal(resolution.frame, frame);
	assert_int_equal(resolution.address, address);
}

static void expect_text(uint64_t address, const char *text)
{
	const struct ward_message message = { ward_iova(address), 5 };
	char said[WARD_RESOLUTION_TEXT];

	ward_resolution_format(&resolution, &message, said);
	assert_string_equal(said, text);
}

static void test_options(void **state)
{
	const struct ward_doorbell_frame empty = { WARD_RANGE_EMPTY, 0 };
	struct ward_resolve_options options = question(NULL);

	(void)state;
	options.size++;
	assert_int_equal(ask(&options, TRANSLATER), -EINVAL);
	options = question(NULL);
	options.frames = NULL;
	assert_int_equal(ask(&options, TRANSLATER), -EINVAL);
	options = question(NULL);
	options.frames = &empty;
	options.frames_count = 1;
	assert_int_equal(ask(&options, TRANSLATER), -EINVAL);
	options = question(NULL);
	options.frames_of = WARD_FRAMES_EMULATED + 1;
	assert_int_equal(ask(&options, TRANSLATER), -EINVAL);
	assert_int_equal(resolution.steps_count, 0x55555555);
	options = question(NULL);
	options.frames_count = 0;
	expect(ask(&options, TRANSLATER), -ENOENT, WARD_RESOLVED_MEMORY, WARD_NONE, TRANSLATER);
}

/* Nothing translates: the address is the guest physical one. */
static void test_bypassed(void **state)
{
	const struct ward_space_options identity = {
		.size = sizeof(identity),
		.kind = WARD_SPACE_IDENTITY,
	};
	struct ward_space *spaces[2] = { NULL, NULL };

	(void)state;
	assert_int_equal(ward_space_create(&identity, &spaces[1]), 0);
	for (unsigned int i = 0; i < 2; i++) {
		struct ward_resolve_options options = question(spaces[i]);

		expect(ask(&options, TRANSLATER), 0, WARD_RESOLVED, ITS_FRAME, TRANSLATER);
		assert_int_equal(resolution.steps_count, 0);
		expect_text(TRANSLATER, "0x8090040 -> doorbell 0");
		expect(ask(&options, V2M + 0x43), 0, WARD_RESOLVED, V2M_FRAME, V2M + 0x43);
		expect(ask(&options, V2M + 0x44), -ENOENT, WARD_RESOLVED_MISPLACED, V2M_FRAME,
		       V2M + 0x44);
		expect_text(V2M + 0x44,
			    "0x8020044 -> beside the register of doorbell 2, in its page");
		expect(ask(&options, V2M + 0x3f), -ENOENT, WARD_RESOLVED_MISPLACED, V2M_FRAME,
		       V2M + 0x3f);
		expect(ask(&options, V2M + 0xfff), -ENOENT, WARD_RESOLVED_MISPLACED, V2M_FRAME,
		       V2M + 0xfff);
		expect(ask(&options, V2M + 0x1000), -ENOENT, WARD_RESOLVED_MEMORY, WARD_NONE,
		       V2M + 0x1000);
		expect_text(V2M + 0x1000, "0x8021000 -> there is no doorbell");
		expect(ask(&options, UINT64_MAX), -ENOENT, WARD_RESOLVED_MEMORY, WARD_NONE,
		       UINT64_MAX);
	}
	ward_space_destroy(spaces[1]);
}

/* Several controllers: only one of them is the function's own. */
static void test_controllers(void **state)
{
	/* Two controllers in one page, and one register that two have. */
	static const struct ward_doorbell_frame crowd[] = {
		{ { 0x1040, 0x1043 }, 1 },
		{ { 0x1080, 0x1083 }, 2 },
		{ { 0x1080, 0x1083 }, 3 },
	};
	struct ward_resolve_options options = question(NULL);

	(void)state;
	options.controller = 8;
	expect(ask(&options, ITS2 + 0x10040), 0, WARD_RESOLVED, ITS2_FRAME, ITS2 + 0x10040);
	expect(ask(&options, TRANSLATER), -EPERM, WARD_RESOLVED_FOREIGN, ITS_FRAME, TRANSLATER);
	expect_text(TRANSLATER, "0x8090040 -> doorbell 0, which is another controller's");
	expect(ask(&options, TRANSLATER + 4), -ENOENT, WARD_RESOLVED_MISPLACED, ITS_FRAME,
	       TRANSLATER + 4);
	options.frames = crowd;
	options.frames_count = 3;
	options.controller = 3;
	expect(ask(&options, 0x1080), 0, WARD_RESOLVED, 2, 0x1080);
	options.controller = 1;
	expect(ask(&options, 0x1080), -EPERM, WARD_RESOLVED_FOREIGN, 1, 0x1080);
	expect(ask(&options, 0x1040), 0, WARD_RESOLVED, 0, 0x1040);
	expect(ask(&options, 0x1084), -ENOENT, WARD_RESOLVED_MISPLACED, 0, 0x1084);
}

/* One stage: the target is the address, and the page must be writable. */
static void test_plain(void **state)
{
	struct ward_resolve_options options = question(guest.parent);
	const struct ward_space_options blocked = {
		.size = sizeof(blocked),
		.kind = WARD_SPACE_BLOCKED,
	};
	struct ward_space *space;

	(void)state;
	map(0x8000000, PAGE, PHYSICAL, WARD_WRITE, WARD_DEVICE_NGNRE);
	map(0x8001000, PAGE, PHYSICAL, WARD_READ, WARD_DEVICE_NGNRE);
	expect(ask(&options, 0x8000040), 0, WARD_RESOLVED, HOST_FRAME, PHYSICAL + 0x40);
	assert_int_equal(resolution.steps_count, 1);
	expect_text(0x8000040, "0x8000040 -> stage 2: 0x20200040 -> doorbell 3");
	expect(ask(&options, 0x8000080), -ENOENT, WARD_RESOLVED_MISPLACED, HOST_FRAME,
	       PHYSICAL + 0x80);
	expect(ask(&options, 0x8001040), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE, 0);
	assert_int_equal(resolution.fault.reason, WARD_FAULT_PERMISSION);
	expect_text(0x8001040, "0x8001040 -> fault: write to 0x8001040: stage 2 does not let it at "
			       "0x8001040");
	expect(ask(&options, 0x8002040), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE, 0);
	assert_int_equal(resolution.fault.reason, WARD_FAULT_TRANSLATION);
	/* What a guest sees is not what a host's function writes to. */
	expect(ask(&options, TRANSLATER), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE, 0);
	assert_int_equal(ward_space_create(&blocked, &space), 0);
	options = question(space);
	expect(ask(&options, 0x8000040), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE, 0);
	assert_int_equal(resolution.fault.reason, WARD_FAULT_BLOCKED);
	ward_space_destroy(space);
}

/* Stage 1 leads to the guest's doorbell, and the page of it is, or is not, in stage 2. */
static void test_nested(void **state)
{
	struct ward_resolve_options real, emulated, host;

	(void)state;
	put(LEAF, (TRANSLATER & ~0xfffull) | 0x443);
	real = emulated = host = question(guest.space);
	real.frames_of = WARD_FRAMES_GUEST;
	emulated.frames_of = WARD_FRAMES_EMULATED;
	expect(ask(&real, CHOSEN), -EFAULT, WARD_RESOLVED_DANGLING, WARD_NONE, TRANSLATER);
	assert_int_equal(resolution.fault.reason, WARD_FAULT_TRANSLATION);
	expect_text(CHOSEN, "0x8040201040 -> stage 1 level 3: 0x8090040 -> stage 2: nothing is "
			    "mapped there");
	expect(ask(&host, CHOSEN), -EFAULT, WARD_RESOLVED_DANGLING, WARD_NONE, TRANSLATER);
	expect(ask(&emulated, CHOSEN), 0, WARD_RESOLVED, ITS_FRAME, TRANSLATER);
	expect_text(CHOSEN, "0x8040201040 -> stage 1 level 3: 0x8090040 -> doorbell 0");
	map(TRANSLATER & ~0xfffull, PAGE, PHYSICAL, WARD_WRITE, WARD_DEVICE_NGNRE);
	expect(ask(&real, CHOSEN), 0, WARD_RESOLVED, ITS_FRAME, TRANSLATER);
	assert_int_equal(resolution.steps_count, 11);
	assert_int_equal(resolution.steps[10].input, TRANSLATER);
	assert_int_equal(resolution.steps[10].output, PHYSICAL + 0x40);
	expect_text(CHOSEN, "0x8040201040 -> stage 1 level 3: 0x8090040 -> stage 2: 0x20200040 -> "
			    "doorbell 0");
	expect(ask(&emulated, CHOSEN), 0, WARD_RESOLVED, ITS_FRAME, TRANSLATER);
	expect(ask(&host, CHOSEN), 0, WARD_RESOLVED, HOST_FRAME, PHYSICAL + 0x40);
	host.controller = 7;
	expect(ask(&host, CHOSEN), -EPERM, WARD_RESOLVED_FOREIGN, HOST_FRAME, PHYSICAL + 0x40);
	real.controller = 8;
	expect(ask(&real, CHOSEN), -EPERM, WARD_RESOLVED_FOREIGN, ITS_FRAME, TRANSLATER);
	/* Beside the register: a real write goes into the page all the same. */
	expect(ask(&real, CHOSEN + 4), -ENOENT, WARD_RESOLVED_MISPLACED, ITS_FRAME, TRANSLATER + 4);
	expect(ask(&emulated, CHOSEN + 4), -ENOENT, WARD_RESOLVED_MISPLACED, ITS_FRAME,
	       TRANSLATER + 4);
}

static void unmap_page(uint64_t gpa)
{
	assert_int_equal(ward_space_unmap(guest.parent, ward_iova(gpa), ward_iova(gpa + PAGE - 1),
					  0, NULL),
			 0);
}

/* Each place on the way where it can end, one at a time. */
static void test_nested_ends(void **state)
{
	struct ward_resolve_options real, emulated;

	(void)state;
	real = emulated = question(guest.space);
	real.frames_of = WARD_FRAMES_GUEST;
	emulated.frames_of = WARD_FRAMES_EMULATED;
	/* Guest memory is no doorbell. */
	expect(ask(&real, CHOSEN), -ENOENT, WARD_RESOLVED_MEMORY, WARD_NONE, DATA + 0x40);
	expect(ask(&emulated, CHOSEN), -ENOENT, WARD_RESOLVED_MEMORY, WARD_NONE, DATA + 0x40);
	/* A page that neither stage 2 nor any doorbell has. */
	put(LEAF, 0x9000000 | 0x443);
	expect(ask(&real, CHOSEN), -EFAULT, WARD_RESOLVED_DANGLING, WARD_NONE, 0x9000040);
	expect(ask(&emulated, CHOSEN), -EFAULT, WARD_RESOLVED_DANGLING, WARD_NONE, 0x9000040);
	/* Read-only in stage 1. */
	put(LEAF, (TRANSLATER & ~0xfffull) | 0x4c3);
	for (unsigned int i = 0; i < 2; i++) {
		expect(ask(i ? &real : &emulated, CHOSEN), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE,
		       0);
		assert_int_equal(resolution.fault.reason, WARD_FAULT_PERMISSION);
		assert_int_equal(resolution.fault.stage, 1);
		expect_text(CHOSEN, "0x8040201040 -> fault: write to 0x8040201040: stage 1 does "
				    "not let it at 0x8040201040 (level 3, entry at "
				    "0x40004008)");
	}
	/* Read-only in stage 2: a real function faults, for an emulated one it is no matter. */
	put(LEAF, (TRANSLATER & ~0xfffull) | 0x443);
	map(TRANSLATER & ~0xfffull, PAGE, PHYSICAL, WARD_READ, WARD_DEVICE_NGNRE);
	expect(ask(&real, CHOSEN), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE, 0);
	assert_int_equal(resolution.fault.reason, WARD_FAULT_PERMISSION);
	assert_int_equal(resolution.fault.stage, 2);
	expect(ask(&emulated, CHOSEN), 0, WARD_RESOLVED, ITS_FRAME, TRANSLATER);
	/* A page that may not be written is there all the same, and is no doorbell. */
	put(LEAF, 0x9000000 | 0x443);
	map(0x9000000, PAGE, DATA, WARD_READ, WARD_NORMAL);
	expect(ask(&emulated, CHOSEN), -ENOENT, WARD_RESOLVED_MEMORY, WARD_NONE, 0x9000040);
	unmap_page(0x9000000);
	/* Nothing in stage 1. */
	put(LEAF, 0);
	expect(ask(&emulated, CHOSEN), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE, 0);
	assert_int_equal(resolution.fault.stage, 1);
	/* Its tables are where stage 2 has nothing: that is no dangling mapping, but no mapping. */
	put(TABLE(2) + 8, 0x9000000 | 3);
	expect(ask(&emulated, CHOSEN), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE, 0);
	assert_int_equal(resolution.fault.fault_class, WARD_CLASS_TABLE);
	expect(ask(&real, CHOSEN), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE, 0);
	real.pasid = ward_pasid(1);
	expect(ask(&real, CHOSEN), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE, 0);
	assert_int_equal(resolution.fault.reason, WARD_FAULT_PASID);
}

/* A guest whose stage 1 is bypassed, or that has switched its function off. */
static void test_stage1_kinds(void **state)
{
	struct ward_resolve_options real;

	(void)state;
	map(TRANSLATER & ~0xfffull, PAGE, PHYSICAL, WARD_WRITE, WARD_DEVICE_NGNRE);
	guest.stage1.kind = WARD_STAGE1_BYPASS;
	nest();
	real = question(guest.space);
	real.frames_of = WARD_FRAMES_GUEST;
	expect(ask(&real, TRANSLATER), 0, WARD_RESOLVED, ITS_FRAME, TRANSLATER);
	expect_text(TRANSLATER, "0x8090040 -> stage 2: 0x20200040 -> doorbell 0");
	expect(ask(&real, ITS2 + 0x10040), -EFAULT, WARD_RESOLVED_DANGLING, WARD_NONE,
	       ITS2 + 0x10040);
	guest.stage1.kind = WARD_STAGE1_ABORT;
	nest();
	real.space = guest.space;
	expect(ask(&real, TRANSLATER), -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE, 0);
	assert_int_equal(resolution.fault.reason, WARD_FAULT_BLOCKED);
}

/* The answer of somebody else's making is printed all the same. */
static void test_text(void **state)
{
	(void)state;
	memset(&resolution, 0x55, sizeof(resolution));
	expect_text(0x40, "0x40 -> unknown end");
	resolution.end = WARD_RESOLVED_FAULT;
	resolution.steps_count = 0;
	expect_text(UINT64_MAX, "0xffffffffffffffff -> fault: execution at 0x5555555555555555: "
				"unknown fault 1431655765 (level 85, entry at 0x5555555555555555)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),	    cmocka_unit_test(test_bypassed),
		cmocka_unit_test(test_controllers), NESTED_TEST(test_plain),
		NESTED_TEST(test_nested),	    NESTED_TEST(test_nested_ends),
		NESTED_TEST(test_stage1_kinds),	    cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
