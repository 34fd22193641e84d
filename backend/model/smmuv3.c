// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A driver of SMMUv3 (Arm IHI 0070): chapter 5 for entries, 4 for commands, 6 for registers. */
#include "state.h"

#include "emul/smmuv3.h"

#include <errno.h>

#define REG_CR0 0x20u
#define REG_CR1 0x28u
#define REG_CR2 0x2cu
#define REG_GERROR 0x60u
#define REG_GERRORN 0x64u
#define REG_STRTAB_BASE 0x80u
#define REG_STRTAB_BASE_CFG 0x88u
#define REG_CMDQ_BASE 0x90u
#define REG_CMDQ_PROD 0x98u
#define REG_CMDQ_CONS 0x9cu
#define REG_EVENTQ_BASE 0xa0u
#define REG_EVENTQ_PROD 0x100a8u
#define REG_EVENTQ_CONS 0x100acu

#define CR0_SMMUEN 0x1u
#define CR0_EVENTQEN 0x4u
#define CR0_CMDQEN 0x8u
#define CR0_ATSCHK 0x10u
#define CR1_WRITE_BACK 0xd75u /* tables and queues: inner shareable, write-back */
#define CR2_RECINVSID 0x2u
#define ERROR_ATC 3u /* CMDQ_CONS.ERR: CERROR_ATC_INV_SYNC */

/* Commands go one by one and events are few, so queues are small: machines are made often. */
#define COMMAND_BITS 3u
#define EVENT_BITS 4u

#define STE_BYTES 64u
#define STE_WORDS 8u
#define STE_VALID 1u
#define CONFIG_ABORT 0u
#define CONFIG_BYPASS 4u
#define CONFIG_STAGE1 1u
#define CONFIG_STAGE2 6u
#define CONFIG_NESTED 7u

#define CFGI_STE 0x03u
#define CFGI_ALL 0x04u
#define TLBI_NSNH_ALL 0x30u
#define TLBI_S12_VMALL 0x28u
#define ATC_INV 0x40u
#define SYNC 0x46u

static void put(struct ward_model_iommu *iommu, uint32_t offset, unsigned int size, uint64_t value)
{
	ward_smmuv3_write(iommu->u.smmu.hardware, offset, size, value);
}

static void command(struct ward_model_iommu *iommu, uint64_t word0, uint64_t word1)
{
	uint64_t slot = iommu->u.smmu.prod & ((1u << COMMAND_BITS) - 1);
	uint64_t at = iommu->u.smmu.commands + slot * 16;

	ward_memory_write_u64(iommu->model->memory, at, word0);
	ward_memory_write_u64(iommu->model->memory, at + 8, word1);
	iommu->u.smmu.prod = (iommu->u.smmu.prod + 1) & ((2u << COMMAND_BITS) - 1);
	put(iommu, REG_CMDQ_PROD, 4, iommu->u.smmu.prod);
}

/* False: a device did not answer. The SYNC that said so is taken again once that is acknowledged. */
static bool sync(struct ward_model_iommu *iommu)
{
	uint64_t cons, error;

	command(iommu, SYNC, 0);
	ward_smmuv3_read(iommu->u.smmu.hardware, REG_CMDQ_CONS, 4, &cons);
	if ((cons >> 24 & 0x7f) != ERROR_ATC)
		return true;
	ward_smmuv3_read(iommu->u.smmu.hardware, REG_GERROR, 4, &error);
	put(iommu, REG_GERRORN, 4, error);
	return false;
}

static int create_hardware(struct ward_model_iommu *iommu)
{
	const struct ward_iommu *facts = &iommu->model->facts->iommus[iommu->index];
	const struct ward_smmuv3_options options = {
		.memory = iommu->model->memory,
		.features = { .output_bits = 48,
			      .granules = WARD_GRANULE_4K | WARD_GRANULE_16K | WARD_GRANULE_64K,
			      .substream_bits = 20,
			      .two_level_contexts = true,
			      .stage1 = true,
			      .stage2 = true },
		.stream_bits = iommu->u.smmu.stream_bits,
		.command_bits = COMMAND_BITS,
		.event_bits = EVENT_BITS,
		.ats = facts->ats != WARD_NO,
		.invalidate_device = ward_model_answers,
		.context = iommu,
	};
	struct ward_smmuv3 *hardware;
	int code = ward_smmuv3_create(&options, &hardware);

	if (code)
		return code;
	iommu->u.smmu.hardware = hardware;
	ward_emul_set_iommu(iommu->model->emul, iommu->index, &ward_smmuv3_iommu, hardware);
	return 0;
}

static unsigned int bits_for(uint32_t last)
{
	unsigned int bits = 1;

	while (bits < 32 && last >> bits)
		bits++;
	return bits;
}

/* One level for up to 64 streams (4 KiB), else two, with second levels where there are streams. */
static int create(struct ward_model_iommu *iommu, uint32_t last_sid)
{
	struct ward_table_pages *pages = iommu->model->pages;
	unsigned int bits = bits_for(last_sid), split = 0;
	uint64_t size = (uint64_t)STE_BYTES << bits;
	int code;

	if (bits > 6) {
		split = bits <= 16 ? 6 : bits <= 20 ? 8 : 10;
		size = 8ull << (bits - split);
	}
	iommu->u.smmu.stream_bits = (uint8_t)bits;
	iommu->u.smmu.split = (uint8_t)split;
	code = create_hardware(iommu);
	if (!code)
		code = ward_table_pages_alloc(pages, size < 64 ? 64 : size, &iommu->u.smmu.table);
	if (!code)
		code = ward_table_pages_alloc(pages, 16u << COMMAND_BITS, &iommu->u.smmu.commands);
	if (!code)
		code = ward_table_pages_alloc(pages, 32u << EVENT_BITS, &iommu->u.smmu.events);
	return code;
}

static int second_level(struct ward_model_iommu *iommu, uint64_t at, uint64_t *ret_table)
{
	unsigned int split = iommu->u.smmu.split;
	struct ward_memory *memory = iommu->model->memory;
	uint64_t descriptor;
	int code = ward_memory_read_u64(memory, at, &descriptor);

	if (!code && !descriptor) {
		code = ward_table_pages_alloc(iommu->model->pages, (uint64_t)STE_BYTES << split,
					      &descriptor);
		/* Span: 2^(Span - 1) entries. */
		descriptor |= split + 1;
		if (!code)
			code = ward_memory_write_u64(memory, at, descriptor);
	}
	if (!code)
		*ret_table = descriptor & ~0x3full;
	return code;
}

static int prepare(struct ward_model_iommu *iommu, struct ward_model_stream *stream)
{
	uint64_t sid = ward_sid_raw(stream->sid), table = iommu->u.smmu.table;
	unsigned int split = iommu->u.smmu.split;
	int code;

	if (split) {
		code = second_level(iommu, table + (sid >> split) * 8, &table);
		if (code)
			return code;
		sid &= (1u << split) - 1;
	}
	stream->entry_at = table + sid * STE_BYTES;
	return ward_memory_write_u64(iommu->model->memory, stream->entry_at,
				     STE_VALID | CONFIG_ABORT << 1);
}

static void enable(struct ward_model_iommu *iommu)
{
	unsigned int bits = iommu->u.smmu.stream_bits, split = iommu->u.smmu.split;
	uint32_t cr0 = CR0_CMDQEN;

	put(iommu, REG_CR0, 4, 0);
	put(iommu, REG_CR1, 4, CR1_WRITE_BACK);
	put(iommu, REG_CR2, 4, CR2_RECINVSID);
	put(iommu, REG_STRTAB_BASE, 8, iommu->u.smmu.table);
	put(iommu, REG_STRTAB_BASE_CFG, 4, (split ? 1u << 16 : 0) | split << 6 | bits);
	put(iommu, REG_CMDQ_BASE, 8, iommu->u.smmu.commands | COMMAND_BITS);
	put(iommu, REG_CMDQ_PROD, 4, 0);
	put(iommu, REG_CMDQ_CONS, 4, 0);
	put(iommu, REG_CR0, 4, cr0);
	command(iommu, CFGI_ALL, 31);
	command(iommu, TLBI_NSNH_ALL, 0);
	sync(iommu);
	put(iommu, REG_EVENTQ_BASE, 8, iommu->u.smmu.events | EVENT_BITS);
	put(iommu, REG_EVENTQ_PROD, 4, 0);
	put(iommu, REG_EVENTQ_CONS, 4, 0);
	cr0 |= CR0_EVENTQEN;
	put(iommu, REG_CR0, 4, cr0);
	put(iommu, REG_CR0, 4, cr0 | CR0_ATSCHK | CR0_SMMUEN);
}

static unsigned int used_words(const uint64_t *ste)
{
	unsigned int config = ste[0] >> 1 & 7;

	if (!(ste[0] & STE_VALID) || config < CONFIG_BYPASS)
		return 0x1;
	if (config == CONFIG_BYPASS)
		return 0x3;
	/* S2VMID tags stage 1 as well. */
	return config & 2 ? 0xf : 0x7;
}

static void put_stage1(const struct ward_stage1 *stage1, uint64_t *ste)
{
	ste[0] |= CONFIG_STAGE1 << 1 | (uint64_t)stage1->layout << 4 |
		  (ward_gpa_raw(stage1->contexts) & 0x000fffffffffffc0) |
		  (uint64_t)stage1->pasid_bits << 59;
	/* S1DSS, and contexts are write-back, inner shareable (S1CIR, S1COR, S1CSH). */
	ste[1] |= (uint64_t)stage1->without_pasid | 1u << 2 | 1u << 4 | 3u << 6;
}

/*
 * 4 KiB granule, 48 bits from level 0 on (S2T0SZ 16, S2SL0 2), write-back, inner shareable, S2PS 48
 * bits, S2AA64, S2R: faults are recorded.
 */
static void put_stage2(const struct ward_table *table, uint64_t *ste)
{
	ste[0] |= CONFIG_STAGE2 << 1;
	ste[3] = table->root;
}

#define STE2_GEOMETRY                                                                   \
	(16ull << 32 | 2ull << 38 | 1ull << 40 | 1ull << 42 | 3ull << 44 | 5ull << 48 | \
	 1ull << 51 | 1ull << 58)
#define STE1_INCOMING_SHARE (1ull << 44)
#define STE1_EATS (1ull << 28)

static void make_entry(const struct ward_model_stream *stream, uint64_t *ste)
{
	struct ward_model_space *space = stream->space;

	ste[0] = STE_VALID;
	ste[1] = STE1_INCOMING_SHARE | (stream->ats ? STE1_EATS : 0);
	ste[2] = STE2_GEOMETRY | stream->tag;
	if (!space || space->kind == WARD_SPACE_BLOCKED)
		return;
	if (space->kind == WARD_SPACE_IDENTITY) {
		ste[0] |= CONFIG_BYPASS << 1;
		return;
	}
	if (space->kind == WARD_SPACE_NESTED) {
		if (space->stage1.kind == WARD_STAGE1_ABORT)
			return;
		if (space->stage1.kind == WARD_STAGE1_TABLES)
			put_stage1(&space->stage1, ste);
	}
	put_stage2(&ward_model_tables(space)->table, ste);
}

struct flush_context {
	struct ward_model_iommu *iommu;
	const struct ward_model_stream *stream;
};

static void forget_entry(void *context)
{
	const struct flush_context *flush = context;

	command(flush->iommu, CFGI_STE | (uint64_t)ward_sid_raw(flush->stream->sid) << 32, 1);
	sync(flush->iommu);
}

static void set_entry(struct ward_model_iommu *iommu, struct ward_model_stream *stream)
{
	struct flush_context flush = { iommu, stream };
	const struct ward_model_entry entry = {
		.memory = iommu->model->memory,
		.at = stream->entry_at,
		.words = STE_WORDS,
		.used = used_words,
		.blocked = STE_VALID | CONFIG_ABORT << 1,
		.flush = forget_entry,
		.context = &flush,
	};
	uint64_t ste[STE_WORDS] = { 0 };

	make_entry(stream, ste);
	ward_model_entry_replace(&entry, ste);
}

/* Everything of the stream's own tag: both stages, and what was kept of both in one. */
static void flush(struct ward_model_iommu *iommu, const struct ward_model_stream *stream,
		  struct ward_range range)
{
	(void)range;
	command(iommu, TLBI_S12_VMALL | (uint64_t)stream->tag << 32, 0);
	sync(iommu);
}

/* After the SYNC of the IOMMU's own caches, or the device would fetch the old from there. */
static bool flush_device(struct ward_model_iommu *iommu, const struct ward_model_stream *stream,
			 struct ward_range range)
{
	unsigned int size = 0;

	/* Naturally aligned powers of two; 52 is all there is. */
	while (size < 52 && (range.start ^ range.last) >> 12 >> size)
		size++;
	command(iommu, ATC_INV | (uint64_t)ward_sid_raw(stream->sid) << 32,
		(range.start & ~0xfffull) | size);
	return sync(iommu);
}

const struct ward_model_driver ward_model_smmuv3 = {
	.format = &ward_format_arm_stage2,
	.create = create,
	.prepare = prepare,
	.enable = enable,
	.set_entry = set_entry,
	.flush = flush,
	.flush_device = flush_device,
};
