// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The command queue and its commands (IHI 0070, chapter 4): a table, one small handler each. */
#include "emul/smmuv3_state.h"

#define COMMAND_SIZE 16u

/* CMDQ_CONS.ERR */
enum command_error {
	CERROR_NONE,
	CERROR_ILL,
	CERROR_ABT,
	CERROR_ATC_INV_SYNC,
};

/* What must be implemented for a command to be legal. */
#define NEEDS_STAGE1 0x1u
#define NEEDS_STAGE2 0x2u
#define NEEDS_ATS 0x4u
#define IS_SECURE_SELECT 0x8u /* bit 10, SSec, must be clear in a non-secure queue */
#define HAS_GRANULE 0x10u     /* TG, for a range or a level */

struct command {
	uint8_t opcode;
	uint8_t needs;
	enum command_error (*run)(struct ward_smmuv3 *smmu, const uint64_t *words);
};

static uint32_t command_sid(const uint64_t *words)
{
	return (uint32_t)(words[0] >> 32);
}

static uint32_t command_ssid(const uint64_t *words)
{
	return words[0] >> 12 & 0xfffff;
}

/* A hint, not taken: nothing is fetched before it is needed. */
static enum command_error prefetch(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	(void)smmu;
	(void)words;
	return CERROR_NONE;
}

static enum command_error cfgi_ste(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	ward_smmuv3_forget_stes(&smmu->cache, command_sid(words), command_sid(words));
	return CERROR_NONE;
}

/* 2^(Range+1) aligned StreamIDs; Range 31 is CFGI_ALL. */
static enum command_error cfgi_ste_range(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	unsigned int range = words[1] & 0x1f;
	uint32_t below = range == 31 ? UINT32_MAX : (2u << range) - 1;
	uint32_t first = command_sid(words) & ~below;

	ward_smmuv3_forget_stes(&smmu->cache, first, first | below);
	return CERROR_NONE;
}

static enum command_error cfgi_cd(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	ward_smmuv3_forget_contexts(&smmu->cache, ward_sid(command_sid(words)),
				    command_ssid(words));
	return CERROR_NONE;
}

static enum command_error cfgi_cd_all(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	ward_smmuv3_forget_contexts(&smmu->cache, ward_sid(command_sid(words)), WARD_NONE);
	return CERROR_NONE;
}

#define ALL_STAGE1 (WARD_TLB_STAGE1 | WARD_TLB_BOTH)
#define EVERYWHERE ((struct ward_range){ 0, UINT64_MAX })

/* Without stage 2 there are no VMIDs; entries have 0 then. */
static uint16_t command_vmid(const struct ward_smmuv3 *smmu, const uint64_t *words)
{
	return smmu->options.features.stage2 ? (uint16_t)(words[0] >> 32) : 0;
}

static uint16_t command_asid(const uint64_t *words)
{
	return (uint16_t)(words[0] >> 48);
}

/* A granule with neither a range nor a level is reserved; level 1 of 16 KiB pages is none. */
static bool useless_granule(const uint64_t *words)
{
	unsigned int granule = words[1] >> 10 & 3, level = words[1] >> 8 & 3;
	bool has_level = level != 0 && !(granule == 2 && level == 1);

	return granule != 0 && !has_level && (words[0] & (0x1full << 12 | 0x1full << 20)) == 0;
}

/* One address, or, with TG, (NUM + 1) << SCALE pages (IDR3.RIL). */
static struct ward_range command_range(const uint64_t *words, uint64_t address)
{
	unsigned int granule = words[1] >> 10 & 3, scale = words[0] >> 20 & 0x1f;
	uint64_t length, num = words[0] >> 12 & 0x1f;
	struct ward_range range = { address, address | 0xfff };

	if (granule == 0)
		return range;
	/* 4, 16, 64 KiB: at most 2^(16 + 5 + 31) bytes */
	length = (num + 1) << (scale + 10 + 2 * granule);
	if (ward_range_make(address, length, &range))
		range.last = UINT64_MAX;
	return range;
}

/* Stage-1 addresses are kept with the bits above 55 all like bit 55. */
static struct ward_range command_va(const uint64_t *words)
{
	uint64_t address = words[1] & ~0xfffull;

	if (address >> 55 & 1)
		address |= 0xffull << 56;
	else
		address &= UINT64_MAX >> 8;
	return command_range(words, address);
}

static enum command_error tlbi_nh_all(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	const struct ward_smmuv3_tlb_filter filter = {
		.kinds = ALL_STAGE1,
		.any_asid = true,
		.vmid = command_vmid(smmu, words),
		.input = EVERYWHERE,
	};

	ward_smmuv3_tlb_forget(&smmu->cache, &filter);
	return CERROR_NONE;
}

static enum command_error tlbi_nh_asid(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	const struct ward_smmuv3_tlb_filter filter = {
		.kinds = ALL_STAGE1,
		.keeps_global = true,
		.vmid = command_vmid(smmu, words),
		.asid = command_asid(words),
		.input = EVERYWHERE,
	};

	ward_smmuv3_tlb_forget(&smmu->cache, &filter);
	return CERROR_NONE;
}

static enum command_error tlbi_nh_va(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	const struct ward_smmuv3_tlb_filter filter = {
		.kinds = ALL_STAGE1,
		.vmid = command_vmid(smmu, words),
		.asid = command_asid(words),
		.input = command_va(words),
	};

	ward_smmuv3_tlb_forget(&smmu->cache, &filter);
	return CERROR_NONE;
}

static enum command_error tlbi_nh_vaa(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	const struct ward_smmuv3_tlb_filter filter = {
		.kinds = ALL_STAGE1,
		.any_asid = true,
		.vmid = command_vmid(smmu, words),
		.input = command_va(words),
	};

	ward_smmuv3_tlb_forget(&smmu->cache, &filter);
	return CERROR_NONE;
}

static enum command_error tlbi_s12_vmall(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	const struct ward_smmuv3_tlb_filter filter = {
		.kinds = ALL_STAGE1 | WARD_TLB_STAGE2,
		.any_asid = true,
		.vmid = command_vmid(smmu, words),
		.input = EVERYWHERE,
	};

	ward_smmuv3_tlb_forget(&smmu->cache, &filter);
	return CERROR_NONE;
}

/* Entries of both stages in one survive: who unmaps under a nested stage 1 sends NH_ALL, too. */
static enum command_error tlbi_s2_ipa(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	const struct ward_smmuv3_tlb_filter filter = {
		.kinds = WARD_TLB_STAGE2,
		.any_asid = true,
		.vmid = command_vmid(smmu, words),
		.input = command_range(words, words[1] & 0x000ffffffffff000),
	};

	ward_smmuv3_tlb_forget(&smmu->cache, &filter);
	return CERROR_NONE;
}

static enum command_error tlbi_nsnh_all(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	const struct ward_smmuv3_tlb_filter filter = {
		.kinds = ALL_STAGE1 | WARD_TLB_STAGE2,
		.any_asid = true,
		.any_vmid = true,
		.input = EVERYWHERE,
	};

	(void)words;
	ward_smmuv3_tlb_forget(&smmu->cache, &filter);
	return CERROR_NONE;
}

/* Size: log2 of pages of 4 KiB, aligned; 52 is everything. */
static enum command_error atc_inv(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	unsigned int size = words[1] & 0x3f;
	uint64_t below = size >= 52 ? UINT64_MAX : (0x1000ull << size) - 1;
	struct ward_range range = { words[1] & ~0xfffull & ~below, words[1] | below };

	if (smmu->options.invalidate_device &&
	    !smmu->options.invalidate_device(smmu->options.context, ward_sid(command_sid(words)),
					     range))
		smmu->invalidation_lost = true;
	return CERROR_NONE;
}

/* Everything is complete as soon as it is done. Completion signals: wires and events, not here. */
static enum command_error sync(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	if ((words[0] >> 12 & 3) == 3)
		return CERROR_ILL;
	if (smmu->invalidation_lost) {
		smmu->invalidation_lost = false;
		return CERROR_ATC_INV_SYNC;
	}
	return CERROR_NONE;
}

/*
 * What is not in the table is illegal: commands of secure state and of EL2 (HYP 0), answers to page
 * requests (PRI 0) and to stalls (STALL_MODEL 1).
 */
static const struct command commands[] = {
	{ 0x01, IS_SECURE_SELECT, prefetch },
	{ 0x02, IS_SECURE_SELECT, prefetch },
	{ 0x03, IS_SECURE_SELECT, cfgi_ste },
	{ 0x04, IS_SECURE_SELECT, cfgi_ste_range },
	{ 0x05, IS_SECURE_SELECT | NEEDS_STAGE1, cfgi_cd },
	{ 0x06, IS_SECURE_SELECT | NEEDS_STAGE1, cfgi_cd_all },
	{ 0x10, NEEDS_STAGE1, tlbi_nh_all },
	{ 0x11, NEEDS_STAGE1, tlbi_nh_asid },
	{ 0x12, HAS_GRANULE | NEEDS_STAGE1, tlbi_nh_va },
	{ 0x13, HAS_GRANULE | NEEDS_STAGE1, tlbi_nh_vaa },
	{ 0x28, NEEDS_STAGE2, tlbi_s12_vmall },
	{ 0x2a, HAS_GRANULE | NEEDS_STAGE2, tlbi_s2_ipa },
	{ 0x30, 0, tlbi_nsnh_all },
	{ 0x40, IS_SECURE_SELECT | NEEDS_ATS, atc_inv },
	{ 0x46, 0, sync },
};

static enum command_error run(struct ward_smmuv3 *smmu, const uint64_t *words)
{
	const struct ward_smmu_features *features = &smmu->options.features;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *command = &commands[i];

		if (command->opcode != (words[0] & 0xff))
			continue;
		if (((command->needs & NEEDS_STAGE1) && !features->stage1) ||
		    ((command->needs & NEEDS_STAGE2) && !features->stage2) ||
		    ((command->needs & NEEDS_ATS) && !smmu->options.ats) ||
		    ((command->needs & IS_SECURE_SELECT) && (words[0] >> 10 & 1)) ||
		    ((command->needs & HAS_GRANULE) && useless_granule(words)))
			return CERROR_ILL;
		return command->run(smmu, words);
	}
	return CERROR_ILL;
}

/* One command. What goes wrong leaves CONS where it is and waits for software to acknowledge. */
static enum command_error run_next(struct ward_smmuv3 *smmu, unsigned int bits)
{
	uint64_t words[2], cons = smmu->reg.cmdq_cons;
	uint64_t at = ward_smmuv3_queue_entry(smmu->reg.cmdq_base, bits, cons, COMMAND_SIZE);
	enum command_error error;

	if (ward_memory_read_u64(smmu->options.memory, at, &words[0]) ||
	    ward_memory_read_u64(smmu->options.memory, at + 8, &words[1]))
		error = CERROR_ABT;
	else
		error = run(smmu, words);
	if (error == CERROR_NONE)
		cons = (cons + 1) & ((2u << bits) - 1);
	smmu->reg.cmdq_cons = (cons & 0xfffff) | (uint64_t)error << 24;
	if (error != CERROR_NONE)
		ward_smmuv3_raise(smmu, WARD_GERROR_CMDQ);
	return error;
}

void ward_smmuv3_run_commands(struct ward_smmuv3 *smmu)
{
	unsigned int bits = ward_smmuv3_queue_bits(smmu->reg.cmdq_base, smmu->options.command_bits);

	if (!(smmu->reg.cr0 & WARD_CR0_CMDQEN) ||
	    ((smmu->reg.gerror ^ smmu->reg.gerrorn) & WARD_GERROR_CMDQ))
		return;
	while (ward_smmuv3_queue_count(smmu->reg.cmdq_prod, smmu->reg.cmdq_cons, bits) != 0) {
		if (run_next(smmu, bits) != CERROR_NONE)
			break;
	}
}
