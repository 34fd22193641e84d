// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "dma/ste.h"

#include <errno.h>
#include <string.h>

#include "dma/attributes.h"

/* STE.Config[2:0], and what its bits mean when bit 2 is set. */
#define CONFIG_TRANSLATES 4u
#define CONFIG_STAGE1 1u
#define CONFIG_STAGE2 2u

static inline uint64_t bits(uint64_t word, unsigned int high, unsigned int low)
{
	return word >> low & (UINT64_MAX >> (63 - high + low));
}

/* Bits high:low in place: the way addresses stand in a word. */
static inline uint64_t bits_in_place(uint64_t word, unsigned int high, unsigned int low)
{
	return bits(word, high, low) << low;
}

static inline bool fits(uint64_t address, unsigned int address_bits)
{
	return address_bits >= 64 || address >> address_bits == 0;
}

static inline unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* IPS and S2PS; 7 is reserved and bounded by what is implemented. */
static unsigned int size_bits(uint64_t encoded)
{
	static const uint8_t sizes[] = { 32, 36, 40, 42, 44, 48, 52, 52 };

	return sizes[encoded & 7];
}

/* Bits a stage puts out: only the 64 KiB granule goes beyond 48 (no LPA2). */
static unsigned int output_bits(uint64_t encoded, unsigned int granule_shift,
				const struct ward_smmu_features *features)
{
	unsigned int most = least(size_bits(encoded), features->output_bits);

	return granule_shift == 16 ? most : least(most, 48);
}

/* Shift of a granule, or 0: reserved, or not implemented. shifts: what each encoding means. */
static unsigned int granule(const uint8_t shifts[4], uint64_t encoded,
			    const struct ward_smmu_features *features)
{
	unsigned int shift = shifts[encoded & 3];

	switch (shift) {
	case 12:
		return features->granules & WARD_GRANULE_4K ? shift : 0;
	case 14:
		return features->granules & WARD_GRANULE_16K ? shift : 0;
	case 16:
		return features->granules & WARD_GRANULE_64K ? shift : 0;
	default:
		return 0;
	}
}

static const uint8_t tg0_shifts[4] = { 12, 16, 14, 0 }; /* TG0 and S2TG */
static const uint8_t tg1_shifts[4] = { 0, 14, 12, 16 };

static unsigned int config(const uint64_t *ste)
{
	return (unsigned int)bits(ste[0], 3, 1);
}

static bool uses(const uint64_t *ste, unsigned int stage)
{
	return (config(ste) & (CONFIG_TRANSLATES | stage)) == (CONFIG_TRANSLATES | stage);
}

static unsigned int stage2_input_bits(const uint64_t *ste)
{
	return 64 - (unsigned int)bits(ste[2], 37, 32);
}

/* The start level that S2SL0 asks for. */
static int stage2_level(const uint64_t *ste)
{
	int sl0 = (int)bits(ste[2], 39, 38);

	return granule(tg0_shifts, bits(ste[2], 47, 46),
		       &(struct ward_smmu_features){ .granules = 7 }) == 12
		       ? 2 - sl0
		       : 3 - sl0;
}

static bool bad_valid(const uint64_t *ste, const struct ward_smmu_features *features)
{
	(void)features;
	return !(ste[0] & 1);
}

static bool bad_stage1(const uint64_t *ste, const struct ward_smmu_features *features)
{
	(void)ste;
	return !features->stage1;
}

static bool bad_stage2(const uint64_t *ste, const struct ward_smmu_features *features)
{
	(void)ste;
	return !features->stage2;
}

/* EL1 is the only world there is; with stage 2 the field is not looked at. */
static bool bad_strw(const uint64_t *ste, const struct ward_smmu_features *features)
{
	(void)features;
	return !uses(ste, CONFIG_STAGE2) && bits(ste[1], 31, 30) != 0;
}

/* S1CDMax is not looked at without SubstreamIDs. */
static unsigned int s1cdmax(const uint64_t *ste, const struct ward_smmu_features *features)
{
	return features->substream_bits == 0 ? 0 : (unsigned int)bits(ste[0], 63, 59);
}

static bool bad_s1cdmax(const uint64_t *ste, const struct ward_smmu_features *features)
{
	return s1cdmax(ste, features) > features->substream_bits;
}

static bool bad_s1fmt(const uint64_t *ste, const struct ward_smmu_features *features)
{
	return s1cdmax(ste, features) != 0 && bits(ste[0], 5, 4) != 0 &&
	       !features->two_level_contexts;
}

static bool bad_s1stalld(const uint64_t *ste, const struct ward_smmu_features *features)
{
	(void)features;
	return bits(ste[1], 27, 27) != 0;
}

/* With stage 2, a context pointer beyond its input faults there. */
static bool bad_s1contextptr(const uint64_t *ste, const struct ward_smmu_features *features)
{
	return !uses(ste, CONFIG_STAGE2) &&
	       !fits(bits_in_place(ste[0], 51, 6), features->output_bits);
}

/* Split-stage ATS (2) is not implemented; 3 is reserved, and as good as 0. */
static bool bad_eats(const uint64_t *ste, const struct ward_smmu_features *features)
{
	(void)features;
	return (uses(ste, CONFIG_STAGE1) || uses(ste, CONFIG_STAGE2)) && bits(ste[1], 29, 28) == 2;
}

static bool bad_s2aa64(const uint64_t *ste, const struct ward_smmu_features *features)
{
	(void)features;
	return bits(ste[2], 51, 51) == 0;
}

/* S2ENDI, S2HD, S2HA, S2S */
static bool bad_s2flags(const uint64_t *ste, const struct ward_smmu_features *features)
{
	(void)features;
	return bits(ste[2], 52, 52) != 0 || bits(ste[2], 57, 55) != 0;
}

static bool bad_s2tg(const uint64_t *ste, const struct ward_smmu_features *features)
{
	return granule(tg0_shifts, bits(ste[2], 47, 46), features) == 0;
}

/* An IPA has as many bits as OAS, there being no AArch32 tables. */
static bool bad_s2t0sz(const uint64_t *ste, const struct ward_smmu_features *features)
{
	unsigned int shift = granule(tg0_shifts, bits(ste[2], 47, 46), features);
	unsigned int input = stage2_input_bits(ste);

	return input < 25 || input > features->output_bits || (shift != 16 && input > 48);
}

/* Levels that begin above what the physical address size needs do not exist (DDI 0487 D8.2.8). */
static bool bad_s2sl0(const uint64_t *ste, const struct ward_smmu_features *features)
{
	unsigned int shift = granule(tg0_shifts, bits(ste[2], 47, 46), features);
	int level = stage2_level(ste);
	unsigned int below, input = stage2_input_bits(ste);

	if (level < 0 || level > 3 || (level == 3 && shift == 12))
		return true;
	if (level == 0 && (shift != 12 || features->output_bits <= 42))
		return true;
	if (level == 1 && ((shift == 14 && features->output_bits <= 40) ||
			   (shift == 16 && features->output_bits <= 42)))
		return true;
	/* Between two entries and sixteen tables. */
	below = shift + (3u - (unsigned int)level) * (shift - 3);
	return input < below + 1 || input > below + shift - 3 + 4;
}

static bool bad_s2ttb(const uint64_t *ste, const struct ward_smmu_features *features)
{
	unsigned int shift = granule(tg0_shifts, bits(ste[2], 47, 46), features);

	return !fits(bits_in_place(ste[3], 51, 4),
		     output_bits(bits(ste[2], 50, 48), shift, features));
}

/* What makes a stream table entry illegal, in this order; a rule may trust those before it. */
static const struct ste_rule {
	unsigned int stage; /* looked at by configurations with this stage; 0: by all */
	bool (*bad)(const uint64_t *ste, const struct ward_smmu_features *features);
} ste_rules[] = {
	{ 0, bad_valid },
	{ CONFIG_STAGE1, bad_stage1 },
	{ CONFIG_STAGE2, bad_stage2 },
	{ CONFIG_STAGE1, bad_strw },
	{ CONFIG_STAGE1, bad_s1cdmax },
	{ CONFIG_STAGE1, bad_s1fmt },
	{ CONFIG_STAGE1, bad_s1stalld },
	{ CONFIG_STAGE1, bad_s1contextptr },
	{ 0, bad_eats },
	{ CONFIG_STAGE2, bad_s2aa64 },
	{ CONFIG_STAGE2, bad_s2flags },
	{ CONFIG_STAGE2, bad_s2tg },
	{ CONFIG_STAGE2, bad_s2t0sz },
	{ CONFIG_STAGE2, bad_s2sl0 },
	{ CONFIG_STAGE2, bad_s2ttb },
};

/* Tables are aligned to their size; lower bits of the base are not looked at. */
static void set_root(struct ward_table *table, uint64_t base)
{
	table->root = base & ~(ward_table_root_size(table) - 1);
}

static void decode_stage1(const uint64_t *ste, struct ward_stage1 *stage1)
{
	/* What is reserved behaves as 0. */
	static const enum ward_context_layout layouts[] = {
		WARD_CONTEXTS_LINEAR,
		WARD_CONTEXTS_TWO_LEVEL_4K,
		WARD_CONTEXTS_TWO_LEVEL_64K,
		WARD_CONTEXTS_LINEAR,
	};
	static const enum ward_stage1_default defaults[] = {
		WARD_STAGE1_DEFAULT_FAULT,
		WARD_STAGE1_DEFAULT_BYPASS,
		WARD_STAGE1_DEFAULT_CONTEXT0,
		WARD_STAGE1_DEFAULT_FAULT,
	};

	stage1->kind = WARD_STAGE1_TABLES;
	stage1->contexts = ward_gpa(bits_in_place(ste[0], 51, 6));
	stage1->pasid_bits = (uint8_t)s1cdmax(ste, &stage1->features);
	if (stage1->pasid_bits == 0)
		return;
	stage1->layout = layouts[bits(ste[0], 5, 4)];
	stage1->without_pasid = defaults[bits(ste[1], 1, 0)];
}

static void decode_stage2(const uint64_t *ste, const struct ward_smmu_features *features,
			  struct ward_ste *ret_ste)
{
	unsigned int shift = granule(tg0_shifts, bits(ste[2], 47, 46), features);

	ret_ste->has_stage2 = true;
	ret_ste->stage2 = (struct ward_table){
		.format = &ward_format_arm_stage2,
		.granule_shift = (uint8_t)shift,
		.input_bits = (uint8_t)stage2_input_bits(ste),
		.output_bits = (uint8_t)output_bits(bits(ste[2], 50, 48), shift, features),
		.start_level = (int8_t)stage2_level(ste),
		.stage = 2,
		.access_flag_off = bits(ste[2], 53, 53) != 0,
		.high_bits = features->output_bits > 48,
	};
	set_root(&ret_ste->stage2, bits_in_place(ste[3], 51, 4));
	ret_ste->protects_tables = bits(ste[2], 54, 54) != 0;
	ret_ste->records = bits(ste[2], 58, 58) != 0;
}

int ward_ste_decode(const uint64_t words[WARD_STE_WORDS], const struct ward_smmu_features *features,
		    struct ward_ste *ret_ste)
{
	struct ward_ste ste = { .stage1 = { .kind = WARD_STAGE1_BYPASS, .features = *features } };

	/* Of an entry that aborts, nothing else is looked at. */
	if ((words[0] & 1) && config(words) < CONFIG_TRANSLATES) {
		ste.stage1.kind = WARD_STAGE1_ABORT;
		*ret_ste = ste;
		return 0;
	}
	for (size_t i = 0; i < sizeof(ste_rules) / sizeof(ste_rules[0]); i++) {
		const struct ste_rule *rule = &ste_rules[i];

		if ((rule->stage == 0 || uses(words, rule->stage)) && rule->bad(words, features))
			return -EINVAL;
	}
	if (uses(words, CONFIG_STAGE1))
		decode_stage1(words, &ste.stage1);
	if (uses(words, CONFIG_STAGE2))
		decode_stage2(words, features, &ste);
	ste.ats = config(words) != CONFIG_TRANSLATES && bits(words[1], 29, 28) == 1;
	if (config(words) != CONFIG_TRANSLATES && features->stage2)
		ste.vmid = (uint16_t)bits(words[2], 15, 0);
	ste.overrides_type = bits(words[1], 36, 36) != 0;
	ste.type = ward_type_from_memattr((unsigned int)bits(words[1], 35, 32));
	*ret_ste = ste;
	return 0;
}

int ward_stage1_from_ste(const uint64_t ste[8], const struct ward_smmu_features *features,
			 struct ward_stage1 *ret_stage1)
{
	struct ward_ste decoded;

	/* What a guest may have is a stage 1; a stage 2 of its own has no place in ours. */
	if (ward_ste_decode(ste, features, &decoded) || decoded.has_stage2)
		return -EINVAL;
	*ret_stage1 = decoded.stage1;
	return 0;
}

/* Where the fields of the two halves of a context stand in word 0; TTB0 in word 1, TTB1 in 2. */
static const struct half_fields {
	uint8_t size, granule, disabled;
	const uint8_t *shifts;
	uint8_t ignores_top, word;
} half_fields[2] = {
	{ .size = 0, .granule = 6, .disabled = 14, tg0_shifts, .ignores_top = 38, .word = 1 },
	{ .size = 16, .granule = 22, .disabled = 30, tg1_shifts, .ignores_top = 39, .word = 2 },
};

static int decode_half(const uint64_t *words, const struct half_fields *fields,
		       const struct ward_smmu_features *features, struct ward_table *ret_table)
{
	unsigned int shift, size = (unsigned int)bits(words[0], fields->size + 5u, fields->size);
	uint64_t base = bits_in_place(words[fields->word], 51, 4);
	struct ward_table table = { .format = &ward_format_arm_stage1, .stage = 1 };
	unsigned int concatenated;
	int level;

	shift = granule(fields->shifts, bits(words[0], fields->granule + 1u, fields->granule),
			features);
	if (shift == 0 || size < 16 || size > 39)
		return -EINVAL;
	table.granule_shift = (uint8_t)shift;
	table.input_bits = (uint8_t)(64 - size);
	table.output_bits = (uint8_t)output_bits(bits(words[0], 34, 32), shift, features);
	table.mair = words[3];
	table.access_flag_off = bits(words[0], 35, 35) != 0;
	table.write_never_exec = bits(words[0], 36, 36) != 0;
	table.high_bits = features->output_bits > 48;
	table.hierarchy_off = bits(words[fields->word], 1, 1) != 0;
	if (!fits(base, table.output_bits))
		return -EINVAL;
	if (ward_table_start(table.format, shift, table.input_bits, table.output_bits, &level,
			     &concatenated))
		return -EINVAL;
	table.start_level = (int8_t)level;
	set_root(&table, base);
	*ret_table = table;
	return 0;
}

int ward_context_decode(const uint64_t words[WARD_CONTEXT_WORDS],
			const struct ward_smmu_features *features, struct ward_context *ret_context)
{
	struct ward_context context = { 0 };
	bool valid = bits(words[0], 31, 31), big_endian = bits(words[0], 15, 15),
	     aarch64 = bits(words[0], 41, 41), stalls = bits(words[0], 44, 44),
	     aborts = bits(words[0], 46, 46);

	/* HD and HA, bits 43:42: no hardware update of flags. */
	if (!valid || big_endian || !aarch64 || stalls || !aborts || bits(words[0], 43, 42) != 0)
		return -EINVAL;
	for (unsigned int i = 0; i < 2; i++) {
		const struct half_fields *fields = &half_fields[i];

		context.disabled[i] = bits(words[0], fields->disabled, fields->disabled);
		context.ignores_top[i] = bits(words[0], fields->ignores_top, fields->ignores_top);
		/* Its table and sizes are not looked at. */
		if (context.disabled[i])
			continue;
		if (decode_half(words, fields, features, &context.half[i]))
			return -EINVAL;
	}
	context.asid = (uint16_t)bits(words[0], 63, 48);
	context.records = bits(words[0], 45, 45) != 0;
	*ret_context = context;
	return 0;
}
