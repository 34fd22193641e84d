// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A driver of VT-d in legacy mode (specification 9.1 to 9.3 tables, 6.5.2 queue, 11.4 registers). */
#include "irq.h"

#include "base/fault.h"
#include "emul/vtd.h"

#include <errno.h>

#define REG_GCMD 0x18u
#define REG_GSTS 0x1cu
#define REG_RTADDR 0x20u
#define REG_FSTS 0x34u
#define REG_IQT 0x88u
#define REG_IQA 0x90u
#define REG_IRTA 0xb8u

#define GCMD_TE 0x80000000u
#define GCMD_SRTP 0x40000000u
#define GCMD_QIE 0x04000000u
#define GCMD_IRE 0x02000000u
#define GCMD_SIRTP 0x01000000u
#define FSTS_IQE 0x10u
#define FSTS_ICE 0x20u
#define FSTS_ITE 0x40u

#define PAGE 4096u
#define IRTE_BYTES 16u
#define IRTA_SIZE 7u /* 2^(7 + 1) entries */
#define QUEUE_ENTRIES 256u
#define ENTRY_WORDS 2u
#define ENTRY_PRESENT 1u
#define TT_UNTRANSLATED 0u
#define TT_WITH_DEVICE_TLB 1u
#define TT_PASS_THROUGH 2u
#define AW_48 2u

#define INV_CONTEXT 0x1u
#define INV_IOTLB 0x2u
#define INV_DEVICE 0x3u
#define INV_INTERRUPT 0x4u
#define INTERRUPT_INDEX (1u << 4) /* one entry */
#define INV_WAIT 0x5u
#define GLOBAL (1u << 4)
#define DOMAIN (2u << 4)
#define DEVICE (3u << 4)
#define DRAIN (3u << 6) /* reads and writes that are on their way */
#define WAIT_STATUS (1u << 5)

static void put(struct ward_model_iommu *iommu, uint32_t offset, unsigned int size, uint64_t value)
{
	ward_vtd_write(iommu->u.vtd.hardware, offset, size, value);
}

static void submit(struct ward_model_iommu *iommu, uint64_t word0, uint64_t word1)
{
	uint64_t at = iommu->u.vtd.queue + iommu->u.vtd.tail * 16u;

	ward_memory_write_u64(iommu->model->memory, at, word0);
	ward_memory_write_u64(iommu->model->memory, at + 8, word1);
	iommu->u.vtd.tail = (iommu->u.vtd.tail + 1) % QUEUE_ENTRIES;
	put(iommu, REG_IQT, 8, (uint64_t)iommu->u.vtd.tail << 4);
}

/* Waits for all before it. False: a device did not answer in time (FSTS.ITE). */
static bool wait(struct ward_model_iommu *iommu)
{
	uint64_t status;

	submit(iommu, INV_WAIT | WAIT_STATUS | 1ull << 32, iommu->u.vtd.status);
	ward_vtd_read(iommu->u.vtd.hardware, REG_FSTS, 4, &status);
	put(iommu, REG_FSTS, 4, status & (FSTS_ITE | FSTS_ICE | FSTS_IQE));
	return !(status & FSTS_ITE);
}

static int create_hardware(struct ward_model_iommu *iommu)
{
	const struct ward_vtd_options options = {
		.memory = iommu->model->memory,
		.address_bits = 48,
		.output_bits = 48,
		.ats = iommu->model->facts->iommus[iommu->index].ats != WARD_NO,
		.remaps_interrupts =
			iommu->model->facts->iommus[iommu->index].remaps_interrupts != WARD_NO,
		.invalidate_device = ward_model_answers,
		.context = iommu,
	};
	struct ward_vtd *hardware;
	int code = ward_vtd_create(&options, &hardware);

	if (code)
		return code;
	iommu->u.vtd.hardware = hardware;
	ward_emul_set_iommu(iommu->model->emul, iommu->index, &ward_vtd_iommu, hardware);
	return 0;
}

static int create(struct ward_model_iommu *iommu, uint32_t last_sid)
{
	struct ward_table_pages *pages = iommu->model->pages;
	int code = last_sid > UINT16_MAX ? -EINVAL : create_hardware(iommu);

	if (!code)
		code = ward_table_pages_alloc(pages, PAGE, &iommu->u.vtd.root);
	if (!code)
		code = ward_table_pages_alloc(pages, PAGE, &iommu->u.vtd.queue);
	if (!code)
		code = ward_table_pages_alloc(pages, 64, &iommu->u.vtd.status);
	return code;
}

/* The context table of a bus; its entries are not present, which blocks. */
static int prepare(struct ward_model_iommu *iommu, struct ward_model_stream *stream)
{
	struct ward_memory *memory = iommu->model->memory;
	uint32_t sid = ward_sid_raw(stream->sid);
	uint64_t at = iommu->u.vtd.root + (sid >> 8) * 16u, table;
	int code = ward_memory_read_u64(memory, at, &table);

	if (!code && !(table & ENTRY_PRESENT)) {
		code = ward_table_pages_alloc(iommu->model->pages, PAGE, &table);
		if (!code)
			code = ward_memory_write_u64(memory, at, table | ENTRY_PRESENT);
	}
	if (!code)
		stream->entry_at = (table & ~(uint64_t)(PAGE - 1)) + (sid & 0xff) * 16u;
	return code;
}

static void enable(struct ward_model_iommu *iommu)
{
	put(iommu, REG_RTADDR, 8, iommu->u.vtd.root);
	put(iommu, REG_GCMD, 4, GCMD_SRTP);
	put(iommu, REG_IQT, 8, 0);
	put(iommu, REG_IQA, 8, iommu->u.vtd.queue);
	put(iommu, REG_GCMD, 4, GCMD_QIE);
	submit(iommu, INV_CONTEXT | GLOBAL, 0);
	submit(iommu, INV_IOTLB | GLOBAL | DRAIN, 0);
	wait(iommu);
	put(iommu, REG_GCMD, 4, GCMD_QIE | GCMD_TE);
}

static unsigned int used_words(const uint64_t *entry)
{
	return entry[0] & ENTRY_PRESENT ? 0x3 : 0x1;
}

static void make_entry(const struct ward_model_stream *stream, uint64_t *entry)
{
	struct ward_model_space *tables = ward_model_tables(stream->space);

	if (!stream->space || stream->space->kind == WARD_SPACE_BLOCKED)
		return;
	entry[0] = ENTRY_PRESENT;
	entry[1] = AW_48 | (uint64_t)stream->tag << 8;
	if (tables)
		entry[0] |= tables->table.root |
			    (stream->ats ? TT_WITH_DEVICE_TLB : TT_UNTRANSLATED) << 2;
	else
		entry[0] |= TT_PASS_THROUGH << 2;
}

struct flush_context {
	struct ward_model_iommu *iommu;
	const struct ward_model_stream *stream;
};

static void forget_entry(void *context)
{
	const struct flush_context *flush = context;

	submit(flush->iommu,
	       INV_CONTEXT | DEVICE | (uint64_t)flush->stream->tag << 16 |
		       (uint64_t)ward_sid_raw(flush->stream->sid) << 32,
	       0);
	wait(flush->iommu);
}

static void set_entry(struct ward_model_iommu *iommu, struct ward_model_stream *stream)
{
	struct flush_context flush = { iommu, stream };
	const struct ward_model_entry entry = {
		.memory = iommu->model->memory,
		.at = stream->entry_at,
		.words = ENTRY_WORDS,
		.used = used_words,
		.blocked = 0,
		.flush = forget_entry,
		.context = &flush,
	};
	uint64_t words[ENTRY_WORDS] = { 0 };

	make_entry(stream, words);
	ward_model_entry_replace(&entry, words);
}

static void flush(struct ward_model_iommu *iommu, const struct ward_model_stream *stream,
		  struct ward_range range)
{
	(void)range;
	submit(iommu, INV_IOTLB | DOMAIN | DRAIN | (uint64_t)stream->tag << 16, 0);
	wait(iommu);
}

/* S: the address is that of a range of a power of two, told by its lowest clear bit from 12 on. */
static bool flush_device(struct ward_model_iommu *iommu, const struct ward_model_stream *stream,
			 struct ward_range range)
{
	uint64_t word1 = range.start & ~(uint64_t)(PAGE - 1);
	unsigned int size = 0;

	while (size < 51 && (range.start ^ range.last) >> 12 >> size)
		size++;
	if (size)
		word1 = (word1 & ~(((uint64_t)PAGE << size) - 1)) |
			((((uint64_t)PAGE << size) - 1) >> 1 & ~(uint64_t)(PAGE - 1)) | 1;
	submit(iommu, INV_DEVICE | (uint64_t)ward_sid_raw(stream->sid) << 32, word1);
	return wait(iommu);
}

int ward_model_vtd_remapping(struct ward_model_iommu *iommu)
{
	uint64_t table;
	int code =
		ward_table_pages_alloc(iommu->model->pages, WARD_MODEL_IRTES * IRTE_BYTES, &table);

	if (code)
		return code;
	iommu->u.vtd.irtes = ward_alloc_array(WARD_MODEL_IRTES, 1);
	if (!iommu->u.vtd.irtes)
		return -ENOMEM;
	iommu->u.vtd.irt = table;
	put(iommu, REG_IRTA, 8, table | IRTA_SIZE);
	put(iommu, REG_GCMD, 4, GCMD_QIE | GCMD_TE | GCMD_SIRTP);
	submit(iommu, INV_INTERRUPT, 0);
	wait(iommu);
	put(iommu, REG_GCMD, 4, GCMD_QIE | GCMD_TE | GCMD_IRE);
	return 0;
}

/* What the entry is goes last in and first out: it is whole whenever it is present. */
void ward_model_vtd_set_irte(struct ward_model_iommu *iommu, uint32_t index, uint64_t word0,
			     uint64_t word1)
{
	uint64_t at = iommu->u.vtd.irt + index * IRTE_BYTES;

	ward_memory_write_u64(iommu->model->memory, at, 0);
	ward_memory_write_u64(iommu->model->memory, at + 8, word1);
	ward_memory_write_u64(iommu->model->memory, at, word0);
	submit(iommu, INV_INTERRUPT | INTERRUPT_INDEX | (uint64_t)index << 32, 0);
	wait(iommu);
}

const struct ward_model_driver ward_model_vtd = {
	.format = &ward_format_vtd_stage2,
	.create = create,
	.prepare = prepare,
	.enable = enable,
	.set_entry = set_entry,
	.flush = flush,
	.flush_device = flush_device,
};
