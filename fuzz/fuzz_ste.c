// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Stream table entries, context descriptors, and whole walks over tables of an enemy. An input is a
 * header, the words of an entry, and then records (where, value) that are put into 64 KiB of memory.
 * What is there is walked as the stage 1 of a nested space and by an emulated SMMU, which must agree
 * with itself: cached or not, told or not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dma/ste.h"
#include "emul/smmuv3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE 0x40000000ull
#define SIZE 0x10000ull
#define PAGE 0x1000ull
#define STREAMS (BASE + 0xf000) /* 16 entries, and then the queues */
#define COMMANDS (BASE + 0xf400)
#define EVENTS (BASE + 0xf800)
#define SID 3u
#define STEPS_MAX 64u

/* As in the input, little-endian. */
struct header {
	uint8_t output_bits, granules, substream_bits, flags;
	uint32_t pasid; /* more than 20 bits: none */
	uint64_t iova;
	uint16_t holes; /* bit n: page n of memory is not in the space */
	uint16_t read_only, write_only;
	uint16_t command; /* kind of command in between */
	uint64_t ste[WARD_STE_WORDS];
};

#define FLAG_TWO_LEVEL 0x01u
#define FLAG_WRITE 0x02u
#define FLAG_LAYOUT_SHIFT 2
#define FLAG_DEFAULT_SHIFT 4
#define FLAG_TRANSLATED 0x40u

struct record {
	uint16_t at; /* in 8 bytes */
	uint64_t value;
} __attribute__((packed));

static uint8_t bytes[SIZE];

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool is_size(unsigned int bits)
{
	static const uint8_t sizes[] = { 32, 36, 40, 42, 44, 48, 52 };

	return memchr(sizes, (int)bits, sizeof(sizes)) != NULL;
}

static void check_table(const struct ward_table *table, const struct ward_smmu_features *features)
{
	unsigned int below;

	require(table->format && (table->stage == 1 || table->stage == 2));
	require(table->granule_shift == 12 || table->granule_shift == 14 ||
		table->granule_shift == 16);
	require(features->granules & 1u << (table->granule_shift - 12) / 2);
	require(table->start_level >= 0 && table->start_level <= 3);
	require(table->input_bits >= 25 && table->input_bits <= 52);
	require(table->output_bits <= features->output_bits);
	require(table->root >> table->output_bits == 0);
	require(table->root % ward_table_root_size(table) == 0);
	below = ward_table_shift(table, table->start_level);
	require(table->input_bits > below);
	require(table->input_bits - below <=
		ward_table_stride(table) + (table->stage == 2 ? 4 : 0));
}

static void check_words(const uint64_t *words, const struct ward_smmu_features *features)
{
	struct ward_stage1 stage1;
	struct ward_context context;
	struct ward_ste ste;
	int code = ward_ste_decode(words, features, &ste);

	require(code == 0 || code == -EINVAL);
	require(ward_stage1_from_ste(words, features, &stage1) ==
		(code == 0 && !ste.has_stage2 ? 0 : -EINVAL));
	if (code == 0) {
		require(ste.stage1.pasid_bits <= features->substream_bits);
		if (ste.has_stage2)
			check_table(&ste.stage2, features);
	}
	code = ward_context_decode(words, features, &context);
	require(code == 0 || code == -EINVAL);
	for (unsigned int i = 0; code == 0 && i < 2; i++) {
		if (!context.disabled[i])
			check_table(&context.half[i], features);
	}
}

static struct ward_space *make_parent(const struct header *header)
{
	const struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_UNMANAGED,
	};
	struct ward_space *parent;

	if (ward_space_create(&options, &parent))
		return NULL;
	for (unsigned int i = 0; i < 16; i++) {
		const struct ward_mapping mapping = {
			.start = ward_iova(BASE + i * PAGE),
			.last = ward_iova(BASE + i * PAGE + PAGE - 1),
			.target = ward_target(0x80000000 + i * PAGE),
			.access = header->read_only >> i & 1	? WARD_READ
				  : header->write_only >> i & 1 ? WARD_WRITE
								: WARD_READ | WARD_WRITE,
			.type = i & 1 ? WARD_NORMAL : WARD_DEVICE_NGNRE,
		};

		if (!(header->holes >> i & 1) && ward_space_map(parent, &mapping)) {
			ward_space_destroy(parent);
			return NULL;
		}
	}
	return parent;
}

static void count_step(void *context, const struct ward_walk_step *step)
{
	unsigned int *count = context;

	require(step->stage <= 2 && step->level >= WARD_NO_LEVEL && step->level <= 3);
	require(++*count <= STEPS_MAX);
}

/* Asked in three ways, a nested space gives one answer, and lets nothing through that may not be. */
static void check_space(const struct header *header, const struct ward_space *space)
{
	ward_pasid_t pasid = header->pasid >> 20 ? WARD_PASID_NONE : ward_pasid(header->pasid);
	ward_iova_t iova = ward_iova(header->iova);
	uint32_t access = header->flags & FLAG_WRITE ? WARD_WRITE : WARD_READ;
	struct ward_translation told, translation;
	struct ward_fault told_fault, fault;
	unsigned int steps = 0, page;
	ward_gpa_t gpa;
	int code = ward_space_translate(space, NULL, pasid, iova, access, &translation, &fault);

	require(ward_space_walk(space, pasid, iova, access, count_step, &steps, &told,
				&told_fault) == code);
	if (code) {
		require(code == -EFAULT && fault.reason == told_fault.reason &&
			fault.stage == told_fault.stage && fault.level == told_fault.level &&
			ward_iova_raw(fault.iova) == header->iova && fault.access == access);
		return;
	}
	require(ward_target_raw(translation.target) == ward_target_raw(told.target));
	require(ward_space_stage1(space, pasid, iova, access, &gpa, NULL) == 0);
	require(ward_gpa_raw(gpa) >= BASE && ward_gpa_raw(gpa) - BASE < SIZE);
	require(ward_target_raw(translation.target) == ward_gpa_raw(gpa) - BASE + 0x80000000);
	page = (unsigned int)((ward_gpa_raw(gpa) - BASE) / PAGE);
	require(!(header->holes >> page & 1));
	require(access == WARD_READ || !(header->read_only >> page & 1));
	require(!(access & ~translation.access));
	require(translation.type == WARD_DEVICE_NGNRE || page % 2 == 1 ||
		translation.type < WARD_DEVICE_NGNRE);
	require(ward_range_has(translation.input, header->iova));
	require(translation.input.last - translation.input.start < PAGE);
}

static void nested(const struct header *header, const struct ward_smmu_features *features,
		   const struct ward_memory *memory)
{
	const struct ward_stage1 stage1 = {
		.kind = WARD_STAGE1_TABLES,
		.contexts = ward_gpa(header->ste[0] & 0x000fffffffffffc0),
		.layout = (enum ward_context_layout)((header->flags >> FLAG_LAYOUT_SHIFT & 3) % 3),
		.pasid_bits = (uint8_t)(header->ste[0] >> 59),
		.without_pasid =
			(enum ward_stage1_default)((header->flags >> FLAG_DEFAULT_SHIFT & 3) % 3),
		.features = *features,
		.memory = memory,
	};
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_NESTED,
		.stage1 = &stage1,
	};
	struct ward_space *space;

	options.parent = make_parent(header);
	if (!options.parent)
		return;
	if (ward_space_create(&options, &space) == 0) {
		check_space(header, space);
		ward_space_destroy(space);
	}
	ward_space_destroy(options.parent);
}

static void put(uint64_t at, uint64_t value)
{
	memcpy(bytes + (at - BASE), &value, sizeof(value));
}

static void set(struct ward_smmuv3 *smmu, uint32_t offset, unsigned int size, uint64_t value)
{
	require(ward_smmuv3_write(smmu, offset, size, value) == 0);
}

static int ask(struct ward_smmuv3 *smmu, const struct header *header, bool probe,
	       struct ward_translation *ret_translation)
{
	const struct ward_emul_request request = {
		.sid = ward_sid(SID),
		.pasid = header->pasid >> 20 ? WARD_PASID_NONE : ward_pasid(header->pasid),
		.iova = ward_iova(header->iova),
		.access = header->flags & FLAG_WRITE ? WARD_WRITE : WARD_READ,
		.translated = header->flags & FLAG_TRANSLATED,
		.probe = probe,
	};
	struct ward_fault fault;

	return ward_smmuv3_iommu.translate(smmu, &request, ret_translation, &fault);
}

/* The same answer from memory and from caches, and again after commands of any kind. */
static void check_smmu(struct ward_smmuv3 *smmu, const struct header *header)
{
	struct ward_translation probed, walked, cached;
	struct ward_smmuv3_counts counts;
	int code;

	set(smmu, 0x02c, 4, 2);
	set(smmu, 0x080, 8, STREAMS);
	set(smmu, 0x088, 4, 4);
	set(smmu, 0x090, 8, COMMANDS | 3);
	set(smmu, 0x0a0, 8, EVENTS | 3);
	set(smmu, 0x020, 4, 0x1d);
	for (unsigned int i = 0; i < WARD_STE_WORDS; i++)
		put(STREAMS + SID * WARD_STE_BYTES + i * 8, header->ste[i]);
	code = ask(smmu, header, true, &probed);
	require(ask(smmu, header, false, &walked) == code);
	/* A fault writes its event, which may be a table. */
	if (code == 0) {
		require(ask(smmu, header, false, &cached) == 0);
		require(ward_target_raw(cached.target) == ward_target_raw(walked.target));
		require(ward_target_raw(cached.target) == ward_target_raw(probed.target));
		require(cached.access == walked.access && cached.type == walked.type);
		require(ward_range_has(cached.input, header->iova));
	}
	put(COMMANDS, header->command | (uint64_t)SID << 32);
	put(COMMANDS + 8, header->iova);
	set(smmu, 0x098, 4, header->command);
	(void)ask(smmu, header, false, &walked);
	ward_smmuv3_counts(smmu, &counts);
	require(counts.events <= 4 && counts.events_dropped <= 4);
}

static void emulated(const struct header *header, const struct ward_smmu_features *features,
		     struct ward_memory *memory)
{
	const struct ward_smmuv3_options options = {
		.memory = memory,
		.features = *features,
		.stream_bits = 4,
		.command_bits = 3,
		.event_bits = 3,
		.ats = true,
	};
	struct ward_smmuv3 *smmu;

	if (ward_smmuv3_create(&options, &smmu))
		return;
	check_smmu(smmu, header);
	ward_smmuv3_iommu.destroy(smmu);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ward_smmu_features features = { .stage1 = true, .stage2 = true };
	struct ward_memory *memory;
	struct header header;
	struct record record;

	if (size < sizeof(header))
		return 0;
	memcpy(&header, data, sizeof(header));
	features.output_bits = is_size(header.output_bits) ? header.output_bits : 44;
	features.granules = header.granules & 7;
	features.substream_bits = header.substream_bits % 21;
	features.two_level_contexts = header.flags & FLAG_TWO_LEVEL;
	check_words(header.ste, &features);
	memset(bytes, 0, sizeof(bytes));
	for (size_t at = sizeof(header); at + sizeof(record) <= size; at += sizeof(record)) {
		memcpy(&record, data + at, sizeof(record));
		put(BASE + (uint64_t)(record.at % (SIZE / 8)) * 8, record.value);
	}
	if (ward_memory_create(&memory))
		return 0;
	if (ward_memory_add(memory, (struct ward_range){ BASE, BASE + SIZE - 1 }, 0, bytes) == 0) {
		nested(&header, &features, memory);
		emulated(&header, &features, memory);
	}
	ward_memory_destroy(memory);
	return 0;
}
