// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Stream table entries and context descriptors: a good one of each kind, and then one field of it
 * wrong at a time. Also what memory types mean.
 */
#include "dma/attributes.h"
#include "dma/ste.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct ward_smmu_features everything = {
	.output_bits = 44,
	.granules = WARD_GRANULE_4K | WARD_GRANULE_16K | WARD_GRANULE_64K,
	.substream_bits = 16,
	.two_level_contexts = true,
	.stage1 = true,
	.stage2 = true,
};

static void put(uint64_t *words, unsigned int word, unsigned int high, unsigned int low,
		uint64_t value)
{
	uint64_t mask = (UINT64_MAX >> (63 - high + low)) << low;

	words[word] = (words[word] & ~mask) | (value << low & mask);
}

/* Both stages: PASIDs of 4 bits, 40 bits in at stage 2, from level 1 in 4 KiB granule. */
static void good_ste(uint64_t *words)
{
	memset(words, 0, WARD_STE_BYTES);
	put(words, 0, 0, 0, 1);
	put(words, 0, 3, 1, 7);
	put(words, 0, 51, 6, 0x123456000 >> 6);
	put(words, 0, 63, 59, 4);
	put(words, 1, 1, 0, 2); /* S1DSS */
	put(words, 1, 29, 28, 1);
	put(words, 2, 15, 0, 0xbeef);
	put(words, 2, 37, 32, 24);
	put(words, 2, 39, 38, 1);
	put(words, 2, 50, 48, 4);
	put(words, 2, 51, 51, 1);
	put(words, 2, 58, 58, 1);
	put(words, 3, 51, 4, 0x45678000 >> 4);
}

#define ABORT 0x01u
#define BYPASS 0x10u
#define STAGE1 0x20u
#define STAGE2 0x40u
#define NESTED 0x80u
#define ALL (BYPASS | STAGE1 | STAGE2 | NESTED)
#define ANY_STAGE1 (STAGE1 | NESTED)
#define ANY_STAGE2 (STAGE2 | NESTED)

/* A value that makes the entry illegal in these configurations, and in no other. */
static const struct wrong_field {
	const char *name;
	uint8_t word, high, low;
	uint64_t value;
	unsigned int illegal;
} wrong_ste_fields[] = {
	{ "V clear", 0, 0, 0, 0, ALL | ABORT },
	{ "S1Fmt reserved", 0, 5, 4, 3, 0 },
	{ "S1Fmt 4K", 0, 5, 4, 1, 0 },
	{ "S1Fmt 64K", 0, 5, 4, 2, 0 },
	{ "S1ContextPtr beyond OAS", 0, 51, 6, 1ull << 38, STAGE1 },
	{ "S1ContextPtr the last", 0, 51, 6, (1ull << 38) - 1, 0 },
	{ "S1CDMax the most", 0, 63, 59, 16, 0 },
	{ "S1CDMax too many", 0, 63, 59, 17, ANY_STAGE1 },
	{ "S1DSS reserved", 1, 1, 0, 3, 0 },
	{ "S1STALLD", 1, 27, 27, 1, ANY_STAGE1 },
	{ "EATS split", 1, 29, 28, 2, STAGE1 | STAGE2 | NESTED },
	{ "EATS reserved", 1, 29, 28, 3, 0 },
	{ "STRW EL2", 1, 31, 30, 2, STAGE1 },
	{ "STRW reserved", 1, 31, 30, 3, STAGE1 },
	{ "S2T0SZ beyond IAS", 2, 37, 32, 19, ANY_STAGE2 },
	{ "S2T0SZ too small a table", 2, 37, 32, 40, ANY_STAGE2 },
	{ "S2T0SZ 63", 2, 37, 32, 63, ANY_STAGE2 },
	{ "S2T0SZ sixteen tables do", 2, 37, 32, 21, 0 },
	{ "S2T0SZ one more bit does not", 2, 37, 32, 20, ANY_STAGE2 },
	{ "S2SL0 level 2 of 40 bits", 2, 39, 38, 0, ANY_STAGE2 },
	{ "S2SL0 level 0", 2, 39, 38, 2, 0 },
	{ "S2SL0 3", 2, 39, 38, 3, ANY_STAGE2 },
	{ "S2TG reserved", 2, 47, 46, 3, ANY_STAGE2 },
	{ "S2TG 16K level 2", 2, 47, 46, 2, 0 },
	{ "S2TG 64K level 2", 2, 47, 46, 1, 0 },
	{ "S2AA64 clear", 2, 51, 51, 0, ANY_STAGE2 },
	{ "S2ENDI", 2, 52, 52, 1, ANY_STAGE2 },
	{ "S2AFFD", 2, 53, 53, 1, 0 },
	{ "S2PTW", 2, 54, 54, 1, 0 },
	{ "S2HD", 2, 55, 55, 1, ANY_STAGE2 },
	{ "S2HA", 2, 56, 56, 1, ANY_STAGE2 },
	{ "S2S", 2, 57, 57, 1, ANY_STAGE2 },
	{ "S2TTB beyond OAS", 3, 51, 4, 1ull << 40, ANY_STAGE2 },
	{ "S2TTB the last", 3, 51, 4, (1ull << 40) - 1, 0 },
	{ "S2PS reserved", 2, 50, 48, 7, 0 },
};

static void test_ste_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong_ste_fields) / sizeof(wrong_ste_fields[0]); i++) {
		const struct wrong_field *field = &wrong_ste_fields[i];

		for (unsigned int config = 0; config < 8; config++) {
			uint64_t words[WARD_STE_WORDS];
			struct ward_ste ste;
			bool illegal = field->illegal & (config < 4 ? ABORT : 1u << config);

			good_ste(words);
			put(words, 0, 3, 1, config);
			assert_int_equal(ward_ste_decode(words, &everything, &ste), 0);
			put(words, field->word, field->high, field->low, field->value);
			if (ward_ste_decode(words, &everything, &ste) != (illegal ? -EINVAL : 0))
				fail_msg("%s, Config %u: %s", field->name, config,
					 illegal ? "taken" : "refused");
		}
	}
}

static void test_s2ttb_within_s2ps(void **state)
{
	uint64_t words[WARD_STE_WORDS];
	struct ward_ste ste;

	(void)state;
	good_ste(words);
	put(words, 2, 50, 48, 0); /* 32 bits */
	put(words, 3, 51, 4, 0xffffe000 >> 4);
	assert_int_equal(ward_ste_decode(words, &everything, &ste), 0);
	assert_int_equal(ste.stage2.output_bits, 32);
	put(words, 3, 51, 4, 0x100000000 >> 4);
	assert_int_equal(ward_ste_decode(words, &everything, &ste), -EINVAL);
}

/* What is not implemented makes entries that use it illegal. */
static void test_ste_features(void **state)
{
	static const struct {
		const char *name;
		struct ward_smmu_features features;
		unsigned int illegal, format;
	} rows[] = {
		{ "no stage 1", { 44, 7, 16, true, false, true }, ANY_STAGE1, 0 },
		{ "no stage 2", { 44, 7, 16, true, true, false }, ANY_STAGE2, 0 },
		{ "no PASIDs", { 44, 7, 0, true, true, true }, 0, 0 },
		{ "no PASIDs, two-level tables", { 44, 7, 0, false, true, true }, 0, 1 },
		{ "no two-level tables, one used", { 44, 7, 16, false, true, true }, ANY_STAGE1, 1 },
		{ "no two-level tables, none used", { 44, 7, 16, false, true, true }, 0, 0 },
		{ "16K only", { 44, 2, 16, true, true, true }, ANY_STAGE2, 0 },
		/* Of 40 bits from level 0 there is none with 40 bits of memory. */
		{ "40 bits", { 40, 7, 16, true, true, true }, 0, 0 },
		{ "36 bits", { 36, 7, 16, true, true, true }, ANY_STAGE2, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned int config = 4; config < 8; config++) {
			uint64_t words[WARD_STE_WORDS];
			struct ward_ste ste;
			bool illegal = rows[i].illegal & 1u << config;

			good_ste(words);
			put(words, 0, 3, 1, config);
			put(words, 0, 5, 4, rows[i].format);
			if (ward_ste_decode(words, &rows[i].features, &ste) !=
			    (illegal ? -EINVAL : 0))
				fail_msg("%s, Config %u: %s", rows[i].name, config,
					 illegal ? "taken" : "refused");
		}
	}
}

/* Start levels of stage 2, by granule, size and what is implemented. */
static void test_s2sl0(void **state)
{
	static const struct {
		uint8_t output_bits, granule, t0sz, sl0;
		int level; /* or -1: illegal */
	} rows[] = {
		{ 44, 0, 20, 2, 0 },  { 42, 0, 22, 2, -1 }, { 48, 0, 16, 2, 0 },
		{ 48, 0, 16, 1, -1 }, { 44, 0, 34, 1, -1 }, { 44, 0, 33, 1, 1 },
		{ 44, 0, 33, 0, 2 },  { 44, 0, 30, 0, 2 },  { 44, 0, 29, 0, -1 },
		{ 44, 2, 20, 2, 1 },  { 40, 2, 24, 2, -1 }, { 40, 2, 24, 1, 2 },
		{ 44, 2, 20, 3, -1 }, { 44, 2, 39, 0, 3 },  { 44, 1, 20, 2, 1 },
		{ 42, 1, 22, 2, -1 }, { 42, 1, 22, 1, 2 },  { 44, 1, 35, 1, -1 },
		{ 44, 1, 39, 0, 3 },  { 52, 1, 12, 2, 1 },  { 52, 0, 15, 2, -1 },
		{ 44, 0, 39, 0, 2 },  { 44, 0, 40, 0, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_smmu_features features = everything;
		uint64_t words[WARD_STE_WORDS];
		struct ward_ste ste;
		int code;

		features.output_bits = rows[i].output_bits;
		good_ste(words);
		put(words, 2, 37, 32, rows[i].t0sz);
		put(words, 2, 39, 38, rows[i].sl0);
		put(words, 2, 47, 46, rows[i].granule);
		code = ward_ste_decode(words, &features, &ste);
		if (code != (rows[i].level < 0 ? -EINVAL : 0) ||
		    (code == 0 && ste.stage2.start_level != rows[i].level))
			fail_msg("row %zu: %d", i, code);
	}
}

static void test_ste_values(void **state)
{
	uint64_t words[WARD_STE_WORDS];
	struct ward_ste ste;

	(void)state;
	good_ste(words);
	put(words, 1, 35, 32, 1);
	put(words, 1, 36, 36, 1);
	put(words, 2, 54, 53, 3);
	assert_int_equal(ward_ste_decode(words, &everything, &ste), 0);
	assert_int_equal(ste.stage1.kind, WARD_STAGE1_TABLES);
	assert_int_equal(ward_gpa_raw(ste.stage1.contexts), 0x123456000);
	assert_int_equal(ste.stage1.layout, WARD_CONTEXTS_LINEAR);
	assert_int_equal(ste.stage1.pasid_bits, 4);
	assert_int_equal(ste.stage1.without_pasid, WARD_STAGE1_DEFAULT_CONTEXT0);
	assert_int_equal(ste.stage1.features.output_bits, 44);
	assert_null(ste.stage1.memory);
	assert_true(ste.has_stage2 && ste.ats && ste.protects_tables && ste.records);
	assert_true(ste.overrides_type && ste.type == WARD_DEVICE_NGNRE);
	assert_int_equal(ste.vmid, 0xbeef);
	assert_int_equal(ste.stage2.input_bits, 40);
	assert_int_equal(ste.stage2.output_bits, 44);
	assert_int_equal(ste.stage2.start_level, 1);
	assert_int_equal(ste.stage2.granule_shift, 12);
	assert_int_equal(ste.stage2.stage, 2);
	assert_true(ste.stage2.access_flag_off);
	/* Two tables side by side: the base is aligned to both. */
	assert_int_equal(ste.stage2.root, 0x45678000);
	put(words, 3, 51, 4, 0x45679000 >> 4);
	assert_int_equal(ward_ste_decode(words, &everything, &ste), 0);
	assert_int_equal(ste.stage2.root, 0x45678000);

	/* Stage 1 alone carries the VMID, too. */
	put(words, 0, 3, 1, 5);
	assert_int_equal(ward_ste_decode(words, &everything, &ste), 0);
	assert_int_equal(ste.vmid, 0xbeef);
	assert_false(ste.has_stage2);
	/* What is reserved is as good as 0. */
	put(words, 0, 5, 4, 3);
	put(words, 1, 1, 0, 3);
	put(words, 1, 29, 28, 3);
	assert_int_equal(ward_ste_decode(words, &everything, &ste), 0);
	assert_int_equal(ste.stage1.layout, WARD_CONTEXTS_LINEAR);
	assert_int_equal(ste.stage1.without_pasid, WARD_STAGE1_DEFAULT_FAULT);
	assert_false(ste.ats);
	/* One context: layout and default say nothing. */
	put(words, 0, 63, 59, 0);
	put(words, 0, 5, 4, 3);
	put(words, 1, 1, 0, 3);
	assert_int_equal(ward_ste_decode(words, &everything, &ste), 0);
	assert_int_equal(ste.stage1.pasid_bits, 0);
	assert_int_equal(ste.stage1.layout, WARD_CONTEXTS_LINEAR);
}

static void test_stage1_from_ste(void **state)
{
	uint64_t words[WARD_STE_WORDS];
	struct ward_stage1 stage1 = { .pasid_bits = 77 };

	(void)state;
	good_ste(words);
	/* A guest's entry with a stage 2 is not ours to carry out. */
	assert_int_equal(ward_stage1_from_ste(words, &everything, &stage1), -EINVAL);
	put(words, 0, 3, 1, 6);
	assert_int_equal(ward_stage1_from_ste(words, &everything, &stage1), -EINVAL);
	assert_int_equal(stage1.pasid_bits, 77);
	put(words, 0, 3, 1, 5);
	assert_int_equal(ward_stage1_from_ste(words, &everything, &stage1), 0);
	assert_int_equal(stage1.kind, WARD_STAGE1_TABLES);
	assert_int_equal(stage1.pasid_bits, 4);
	put(words, 0, 3, 1, 4);
	assert_int_equal(ward_stage1_from_ste(words, &everything, &stage1), 0);
	assert_int_equal(stage1.kind, WARD_STAGE1_BYPASS);
	put(words, 0, 3, 1, 0);
	assert_int_equal(ward_stage1_from_ste(words, &everything, &stage1), 0);
	assert_int_equal(stage1.kind, WARD_STAGE1_ABORT);
	put(words, 0, 0, 0, 0);
	assert_int_equal(ward_stage1_from_ste(words, &everything, &stage1), -EINVAL);
}

/* Two halves: 48 bits of 4 KiB below, 42 bits of 64 KiB above. */
static void good_context(uint64_t *words)
{
	memset(words, 0, WARD_CONTEXT_BYTES);
	put(words, 0, 5, 0, 16);
	put(words, 0, 21, 16, 22);
	put(words, 0, 23, 22, 3);
	put(words, 0, 31, 31, 1);
	put(words, 0, 34, 32, 2); /* 40 bits */
	put(words, 0, 41, 41, 1);
	put(words, 0, 46, 45, 3);
	put(words, 0, 63, 48, 0xa51d);
	put(words, 1, 51, 4, 0x80001000 >> 4);
	put(words, 2, 51, 4, 0x80020000 >> 4);
	words[3] = 0xff44;
}

#define HALF0 1u
#define HALF1 2u

static const struct {
	const char *name;
	uint8_t word, high, low;
	uint64_t value;
	bool illegal;
	unsigned int halves; /* illegal only when one of these is enabled; 0: always */
} wrong_context_fields[] = {
	{ "V clear", 0, 31, 31, 0, true, 0 },
	{ "ENDI", 0, 15, 15, 1, true, 0 },
	{ "AA64 clear", 0, 41, 41, 0, true, 0 },
	{ "HD", 0, 42, 42, 1, true, 0 },
	{ "HA", 0, 43, 43, 1, true, 0 },
	{ "S", 0, 44, 44, 1, true, 0 },
	{ "A clear", 0, 46, 46, 0, true, 0 },
	{ "R clear", 0, 45, 45, 0, false, 0 },
	{ "ASET", 0, 47, 47, 1, false, 0 },
	{ "AFFD, WXN, UWXN, TBI, PAN", 0, 40, 35, 0x3f, false, 0 },
	{ "T0SZ 15", 0, 5, 0, 15, true, HALF0 },
	{ "T0SZ 0", 0, 5, 0, 0, true, HALF0 },
	{ "T0SZ 39", 0, 5, 0, 39, false, 0 },
	{ "T0SZ 40", 0, 5, 0, 40, true, HALF0 },
	{ "T0SZ 63", 0, 5, 0, 63, true, HALF0 },
	{ "T1SZ 15", 0, 21, 16, 15, true, HALF1 },
	{ "T1SZ 16", 0, 21, 16, 16, false, 0 },
	{ "T1SZ 40", 0, 21, 16, 40, true, HALF1 },
	{ "TG0 64K", 0, 7, 6, 1, false, 0 },
	{ "TG0 16K", 0, 7, 6, 2, false, 0 },
	{ "TG0 reserved", 0, 7, 6, 3, true, HALF0 },
	{ "TG1 reserved", 0, 23, 22, 0, true, HALF1 },
	{ "TG1 16K", 0, 23, 22, 1, false, 0 },
	{ "TG1 4K", 0, 23, 22, 2, false, 0 },
	{ "TTB0 beyond IPS", 1, 51, 4, 1ull << 36, true, HALF0 },
	{ "TTB0 the last", 1, 51, 4, (1ull << 36) - 1, false, 0 },
	{ "TTB1 beyond IPS", 2, 51, 4, 1ull << 36, true, HALF1 },
	{ "HAD0", 1, 1, 1, 1, false, 0 },
};

static void test_context_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong_context_fields) / sizeof(wrong_context_fields[0]);
	     i++) {
		for (unsigned int disabled = 0; disabled < 4; disabled++) {
			uint64_t words[WARD_CONTEXT_WORDS];
			struct ward_context context;
			unsigned int halves = wrong_context_fields[i].halves;
			bool illegal = wrong_context_fields[i].illegal &&
				       (halves == 0 || (halves & ~disabled));

			good_context(words);
			put(words, 0, 14, 14, disabled & 1);
			put(words, 0, 30, 30, disabled >> 1);
			assert_int_equal(ward_context_decode(words, &everything, &context), 0);
			put(words, wrong_context_fields[i].word, wrong_context_fields[i].high,
			    wrong_context_fields[i].low, wrong_context_fields[i].value);
			if (ward_context_decode(words, &everything, &context) !=
			    (illegal ? -EINVAL : 0))
				fail_msg("%s, disabled %u: %s", wrong_context_fields[i].name,
					 disabled, illegal ? "taken" : "refused");
		}
	}
}

static void test_context_values(void **state)
{
	struct ward_smmu_features features = everything;
	uint64_t words[WARD_CONTEXT_WORDS];
	struct ward_context context;

	(void)state;
	good_context(words);
	put(words, 0, 36, 35, 3); /* AFFD, WXN */
	put(words, 0, 39, 39, 1); /* TBI1 */
	put(words, 2, 1, 1, 1);	  /* HAD1 */
	assert_int_equal(ward_context_decode(words, &everything, &context), 0);
	assert_int_equal(context.asid, 0xa51d);
	assert_true(context.records);
	assert_false(context.disabled[0] || context.disabled[1]);
	assert_true(!context.ignores_top[0] && context.ignores_top[1]);
	assert_int_equal(context.half[0].input_bits, 48);
	assert_int_equal(context.half[0].granule_shift, 12);
	assert_int_equal(context.half[0].start_level, 0);
	assert_int_equal(context.half[0].root, 0x80001000);
	assert_int_equal(context.half[0].output_bits, 40);
	assert_int_equal(context.half[0].mair, 0xff44);
	assert_true(context.half[0].access_flag_off && context.half[0].write_never_exec);
	assert_true(!context.half[0].hierarchy_off && context.half[1].hierarchy_off);
	assert_int_equal(context.half[1].input_bits, 42);
	assert_int_equal(context.half[1].granule_shift, 16);
	assert_int_equal(context.half[1].start_level, 2);
	assert_int_equal(context.half[1].root, 0x80020000);

	/* A granule that is not there. */
	features.granules = WARD_GRANULE_4K;
	assert_int_equal(ward_context_decode(words, &features, &context), -EINVAL);
	put(words, 0, 30, 30, 1);
	assert_int_equal(ward_context_decode(words, &features, &context), 0);
	assert_true(context.disabled[1]);
	/* OAS below IPS: the table must lie within it. */
	features.output_bits = 32;
	assert_int_equal(ward_context_decode(words, &features, &context), 0);
	assert_int_equal(context.half[0].output_bits, 32);
	put(words, 1, 51, 4, 0x100000000 >> 4);
	assert_int_equal(ward_context_decode(words, &features, &context), -EINVAL);
}

static void test_types(void **state)
{
	static const struct {
		uint8_t attribute;
		enum ward_memory_type type;
	} mair[] = {
		{ 0x00, WARD_DEVICE_NGNRNE }, { 0x04, WARD_DEVICE_NGNRE },
		{ 0x08, WARD_DEVICE_NGRE },   { 0x0c, WARD_DEVICE_GRE },
		{ 0x44, WARD_NORMAL_NC },     { 0xff, WARD_NORMAL },
		{ 0xf4, WARD_NORMAL_NC },     { 0xbb, WARD_NORMAL_WT },
		{ 0x33, WARD_NORMAL_WT },     { 0x77, WARD_NORMAL },
		{ 0xfb, WARD_NORMAL_WT },     { 0xf0, WARD_NORMAL },
		{ 0x40, WARD_NORMAL_NC },     { 0xa0, WARD_NORMAL_WT },
	};
	static const enum ward_memory_type memattr[] = {
		WARD_DEVICE_NGNRNE, WARD_DEVICE_NGNRE, WARD_DEVICE_NGRE, WARD_DEVICE_GRE,
		WARD_NORMAL_NC,	    WARD_NORMAL_NC,    WARD_NORMAL_NC,	 WARD_NORMAL_NC,
		WARD_NORMAL_NC,	    WARD_NORMAL_NC,    WARD_NORMAL_WT,	 WARD_NORMAL_WT,
		WARD_NORMAL_NC,	    WARD_NORMAL_NC,    WARD_NORMAL_WT,	 WARD_NORMAL,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mair) / sizeof(mair[0]); i++)
		assert_int_equal(ward_type_from_mair(mair[i].attribute), mair[i].type);
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(ward_type_from_memattr(i), memattr[i]);
	assert_int_equal(ward_type_combine(WARD_NORMAL, WARD_DEVICE_NGNRE), WARD_DEVICE_NGNRE);
	assert_int_equal(ward_type_combine(WARD_DEVICE_GRE, WARD_NORMAL), WARD_DEVICE_GRE);
	assert_int_equal(ward_type_combine(WARD_DEVICE_NGRE, WARD_DEVICE_GRE), WARD_DEVICE_NGRE);
	assert_int_equal(ward_type_combine(WARD_NORMAL_WT, WARD_NORMAL_NC), WARD_NORMAL_NC);
}

/* Where the hardware has 52 bits, an entry of 64 KiB pages can speak of more than the stage puts out. */
static void test_high_bits(void **state)
{
	struct ward_smmu_features wide = everything;
	uint64_t words[WARD_STE_WORDS], entry = 0x80000000 | 1 << 12 | 3;
	struct ward_context context;
	struct ward_ste ste;

	(void)state;
	wide.output_bits = 52;
	good_context(words);
	put(words, 0, 7, 6, 1);
	put(words, 0, 34, 32, 5);
	assert_int_equal(ward_context_decode(words, &wide, &context), 0);
	assert_int_equal(context.half[0].output_bits, 48);
	assert_int_equal(context.half[0].format->address(&context.half[0], entry, 3),
			 1ull << 48 | 0x80000000);
	good_ste(words);
	put(words, 2, 47, 46, 1);
	put(words, 2, 50, 48, 5);
	assert_int_equal(ward_ste_decode(words, &wide, &ste), 0);
	assert_int_equal(ste.stage2.output_bits, 48);
	assert_int_equal(ste.stage2.format->address(&ste.stage2, entry, 3),
			 1ull << 48 | 0x80000000);
	assert_true(ste.stage2.format->leaf_allowed(&ste.stage2, 1));
	/* Where it has not, the bits say nothing. */
	assert_int_equal(ward_ste_decode(words, &everything, &ste), 0);
	assert_int_equal(ste.stage2.format->address(&ste.stage2, entry, 3), 0x80000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ste_fields),     cmocka_unit_test(test_s2ttb_within_s2ps),
		cmocka_unit_test(test_ste_features),   cmocka_unit_test(test_s2sl0),
		cmocka_unit_test(test_ste_values),     cmocka_unit_test(test_stage1_from_ste),
		cmocka_unit_test(test_context_fields), cmocka_unit_test(test_context_values),
		cmocka_unit_test(test_types),	       cmocka_unit_test(test_high_bits),
	};

	return cmocka_run_group_tests_name("dma/ste", tests, NULL, NULL);
}
