// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* GICv2m frames: registers, messages, and who gets which SPIs. */
#include <errno.h>

#include <doorward/gicv2m.h>

#include "emul/gic_rig.h"
#include "sweep.h"

struct frames {
	struct gic_rig rig;
	struct ward_gicv2m *frames[2];
};

static void start(struct frames *frames)
{
	rig_start(&frames->rig, WARD_GIC_V2, 1, 0);
	assert_int_equal(ward_gicv2m_create(frames->rig.gic, 81, 21, &frames->frames[0]), 0);
	assert_int_equal(ward_gicv2m_create(frames->rig.gic, 128, 128, &frames->frames[1]), 0);
	for (uint32_t i = 32; i < 256; i++)
		rig_enable(&frames->rig, i, true);
}

static void finish(struct frames *frames)
{
	ward_gicv2m_destroy(frames->frames[0]);
	ward_gicv2m_destroy(frames->frames[1]);
	ward_gicv2m_destroy(NULL);
	rig_finish(&frames->rig);
}

static void only_spis_of_the_gic(void **state)
{
	static const uint32_t wrong[][2] = {
		{ 31, 1 },   { 31, 4 },	 { 256, 1 },	     { 32, 0 },
		{ 32, 225 }, { 255, 2 }, { 32, UINT32_MAX }, { 0, 64 }
	};
	struct ward_gicv2m *frame = NULL;
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V2, 1, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(ward_gicv2m_create(rig.gic, wrong[i][0], wrong[i][1], &frame),
				 -EINVAL);
	assert_null(frame);
	assert_int_equal(ward_gicv2m_create(rig.gic, 32, 224, &frame), 0);
	ward_gicv2m_destroy(frame);
	rig_finish(&rig);
}

static int make(void *context)
{
	struct gic_rig *rig = context;
	struct ward_gicv2m *frame;
	int code = ward_gicv2m_create(rig->gic, 32, 8, &frame);

	if (!code)
		ward_gicv2m_destroy(frame);
	return code;
}

static void creation_fails_whole(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V2, 1, 0);
	assert_int_equal(test_sweep(make, &rig), 1);
	rig_finish(&rig);
}

static void registers_read(void **state)
{
	struct frames frames;
	uint32_t value = 7;

	(void)state;
	start(&frames);
	for (uint32_t offset = 0; offset < WARD_GICV2M_BYTES; offset += 4) {
		uint32_t expected = offset == 0x8     ? 81u << 16 | 21
				    : offset == 0xfcc ? 0x05700000
						      : 0;

		assert_int_equal(ward_gicv2m_read(frames.frames[0], offset, &value, 4), 0);
		assert_int_equal(le32toh(value), expected);
	}
	value = 7;
	assert_int_equal(ward_gicv2m_read(frames.frames[0], 0x8, &value, 2), -EINVAL);
	assert_int_equal(ward_gicv2m_read(frames.frames[0], 0x8, &value, 8), -EINVAL);
	assert_int_equal(ward_gicv2m_read(frames.frames[0], 0xa, &value, 4), -EINVAL);
	assert_int_equal(ward_gicv2m_read(frames.frames[0], 0x1000, &value, 4), -EINVAL);
	assert_int_equal(value, 7);
	finish(&frames);
}

static void write(struct frames *frames, uint32_t offset, uint64_t data, size_t size,
		  enum ward_interrupt_reason expected)
{
	uint64_t before = ward_gicv2m_dropped(frames->frames[0]);
	struct ward_interrupt interrupt;

	data = htole64(data);
	ward_gicv2m_write(frames->frames[0], offset, &data, size, &interrupt);
	assert_int_equal(interrupt.reason, expected);
	assert_int_equal(interrupt.end, expected ? WARD_INTERRUPT_IGNORED : WARD_INTERRUPT_PENDING);
	assert_int_equal(interrupt.cpu, expected ? WARD_NONE : 0);
	assert_int_equal(ward_gicv2m_dropped(frames->frames[0]) - before, expected ? 1 : 0);
}

static void messages_raise_the_frames_own(void **state)
{
	struct frames frames;

	(void)state;
	start(&frames);
	write(&frames, 0x40, 81, 4, WARD_REASON_NONE);
	rig_expect_take(&frames.rig, 0, 81);
	write(&frames, 0x40, 101, 2, WARD_REASON_NONE);
	rig_expect_take(&frames.rig, 0, 101);
	/* Of two bytes, the rest of the register is not looked at. */
	write(&frames, 0x40, 0xffff0000 | 90, 2, WARD_REASON_NONE);
	rig_expect_take(&frames.rig, 0, 90);
	write(&frames, 0x40, 80, 4, WARD_REASON_DATA);
	write(&frames, 0x40, 102, 4, WARD_REASON_DATA);
	write(&frames, 0x40, 128, 2, WARD_REASON_DATA); /* the other frame's */
	write(&frames, 0x40, 0x10000 | 90, 4, WARD_REASON_DATA);
	write(&frames, 0x40, 0x400 | 90, 4, WARD_REASON_DATA);
	write(&frames, 0x40, 90, 1, WARD_REASON_SIZE);
	write(&frames, 0x40, 90, 8, WARD_REASON_SIZE);
	write(&frames, 0x42, 90, 2, WARD_REASON_SIZE);
	write(&frames, 0x44, 90, 4, WARD_REASON_SIZE);
	write(&frames, 0x8, 90, 4, WARD_REASON_SIZE);
	write(&frames, 0x1000, 90, 4, WARD_REASON_SIZE);
	rig_expect_idle(&frames.rig, 0);
	assert_int_equal(ward_gicv2m_dropped(frames.frames[0]), 11);
	assert_int_equal(ward_gicv2m_dropped(frames.frames[1]), 0);
	finish(&frames);
}

static int alloc(struct frames *frames, enum ward_gicv2m_policy policy, uint32_t parent,
		 uint32_t count, uint32_t frame, uint32_t intid)
{
	uint32_t got_frame = 99, got_intid = 99;
	int code =
		ward_gicv2m_alloc(frames->frames, 2, policy, parent, count, &got_frame, &got_intid);

	assert_int_equal(got_frame, code ? 99 : frame);
	assert_int_equal(got_intid, code ? 99 : intid);
	return code;
}

static void allocation_is_aligned_and_first_fit(void **state)
{
	struct frames frames;

	(void)state;
	start(&frames);
	/* 81 to 101: the INTID is a multiple, not the place in the frame. */
	assert_int_equal(alloc(&frames, WARD_GICV2M_FIRST_FIT, 0, 4, 0, 84), 0);
	assert_int_equal(alloc(&frames, WARD_GICV2M_FIRST_FIT, 0, 1, 0, 81), 0);
	assert_int_equal(alloc(&frames, WARD_GICV2M_FIRST_FIT, 0, 2, 0, 82), 0);
	assert_int_equal(alloc(&frames, WARD_GICV2M_FIRST_FIT, 0, 8, 0, 88), 0);
	/* 96 to 101 hold no 8: the next frame; then 4 fit again. */
	assert_int_equal(alloc(&frames, WARD_GICV2M_FIRST_FIT, 1, 8, 1, 128), 0);
	assert_int_equal(alloc(&frames, WARD_GICV2M_FIRST_FIT, 1, 4, 0, 96), 0);
	assert_int_equal(alloc(&frames, WARD_GICV2M_BY_PARENT, 0, 4, 0, 0), -ENOSPC);
	assert_int_equal(alloc(&frames, WARD_GICV2M_BY_PARENT, 1, 1, 1, 136), 0);
	assert_int_equal(alloc(&frames, WARD_GICV2M_BY_PARENT, 0, 1, 0, 100), 0);
	ward_gicv2m_free(frames.frames[0], 84, 4);
	assert_int_equal(alloc(&frames, WARD_GICV2M_BY_PARENT, 0, 4, 0, 84), 0);
	assert_int_equal(alloc(&frames, WARD_GICV2M_BY_PARENT, 1, 128, 0, 0), -ENOSPC);
	finish(&frames);
}

static void wrong_requests_are_refused(void **state)
{
	static const uint32_t counts[] = { 0, 3, 5, 6, 7, 31, 0xffffffff };
	struct frames frames;

	(void)state;
	start(&frames);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		assert_int_equal(alloc(&frames, WARD_GICV2M_FIRST_FIT, 0, counts[i], 0, 0),
				 -EINVAL);
	assert_int_equal(alloc(&frames, WARD_GICV2M_BY_PARENT, 2, 1, 0, 0), -EINVAL);
	assert_int_equal(alloc(&frames, WARD_GICV2M_FIRST_FIT, 2, 256, 0, 0), -ENOSPC);
	assert_int_equal(alloc(&frames, WARD_GICV2M_FIRST_FIT, 2, 0x80000000, 0, 0), -ENOSPC);
	/* Giving back what is not the frame's changes nothing. */
	ward_gicv2m_free(frames.frames[0], 128, 4);
	ward_gicv2m_free(frames.frames[0], 100, UINT32_MAX);
	assert_int_equal(alloc(&frames, WARD_GICV2M_FIRST_FIT, 0, 1, 0, 81), 0);
	finish(&frames);
}

/* Every size, again and again, until nothing is left: none is given twice, and all are given. */
static void all_are_given_once(void **state)
{
	(void)state;
	for (uint32_t count = 1; count <= 128; count *= 2) {
		bool given[256] = { false };
		uint32_t frame, intid, got = 0, expected = 0;
		struct frames frames;

		start(&frames);
		while (!ward_gicv2m_alloc(frames.frames, 2, WARD_GICV2M_FIRST_FIT, 0, count, &frame,
					  &intid)) {
			assert_int_equal(intid % count, 0);
			for (uint32_t i = intid; i < intid + count; i++) {
				assert_true(frame ? i >= 128 && i < 256 : i >= 81 && i < 102);
				assert_false(given[i]);
				given[i] = true;
			}
			got++;
		}
		for (uint32_t i = 0; i < 256; i += count)
			expected += (i >= 81 && i + count <= 102) || i >= 128;
		assert_int_equal(got, expected);
		finish(&frames);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_spis_of_the_gic),
		cmocka_unit_test(creation_fails_whole),
		cmocka_unit_test(registers_read),
		cmocka_unit_test(messages_raise_the_frames_own),
		cmocka_unit_test(allocation_is_aligned_and_first_fit),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(all_are_given_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
