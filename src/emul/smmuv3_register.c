// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Registers (IHI 0070 chapter 6): a table, one row each. */
#include "emul/smmuv3_state.h"

#include <errno.h>

/* When software may write. */
enum writable {
	NEVER,
	ALWAYS,
	SMMU_OFF,
	COMMANDS_OFF,
	EVENTS_OFF,
};

struct register_row {
	uint32_t offset;
	uint8_t size; /* 4, or 8 that may be accessed by halves */
	uint8_t writable;
	uint16_t field;
	uint64_t mask; /* bits that software may write */
	void (*written)(struct ward_smmuv3 *smmu, uint64_t old);
};

static void cr0_written(struct ward_smmuv3 *smmu, uint64_t old)
{
	uint64_t on = smmu->reg.cr0 & ~old;

	if (!smmu->options.ats)
		smmu->reg.cr0 &= ~(uint64_t)WARD_CR0_ATSCHK;
	if (on & WARD_CR0_EVENTQEN)
		ward_smmuv3_events_start(smmu);
	if (on & WARD_CR0_CMDQEN)
		ward_smmuv3_run_commands(smmu);
}

/* Taken only with Update set, which then reads 0 at once. */
static void gbpa_written(struct ward_smmuv3 *smmu, uint64_t old)
{
	if (smmu->reg.gbpa & WARD_GBPA_UPDATE)
		smmu->reg.gbpa &= ~(uint64_t)WARD_GBPA_UPDATE;
	else
		smmu->reg.gbpa = old;
}

static void commands_written(struct ward_smmuv3 *smmu, uint64_t old)
{
	(void)old;
	ward_smmuv3_run_commands(smmu);
}

#define FIELD(name) offsetof(struct ward_smmuv3_registers, name)
/* Index, wrap and (in the event queue) overflow bits of PROD and CONS. */
#define INDEX 0x000fffffu
#define BASE 0x400fffffffffffffull

static const struct register_row rows[] = {
	{ 0x000, 4, NEVER, FIELD(idr[0]), 0, NULL },
	{ 0x004, 4, NEVER, FIELD(idr[1]), 0, NULL },
	{ 0x008, 4, NEVER, FIELD(idr[2]), 0, NULL },
	{ 0x00c, 4, NEVER, FIELD(idr[3]), 0, NULL },
	{ 0x010, 4, NEVER, FIELD(idr[4]), 0, NULL },
	{ 0x014, 4, NEVER, FIELD(idr[5]), 0, NULL },
	{ 0x018, 4, NEVER, FIELD(zero), 0, NULL }, /* IIDR */
	{ 0x01c, 4, NEVER, FIELD(aidr), 0, NULL },
	{ 0x020, 4, ALWAYS, FIELD(cr0), 0x1d, cr0_written },
	{ 0x024, 4, NEVER, FIELD(cr0), 0, NULL }, /* CR0ACK: effective at once */
	{ 0x028, 4, SMMU_OFF, FIELD(cr1), 0xfff, NULL },
	{ 0x02c, 4, SMMU_OFF, FIELD(cr2), 0x6, NULL }, /* no E2H */
	{ 0x040, 4, NEVER, FIELD(zero), 0, NULL },     /* STATUSR */
	{ 0x044, 4, ALWAYS, FIELD(gbpa), 0x801f3f1f, gbpa_written },
	{ 0x050, 4, ALWAYS, FIELD(irq_ctrl), 0x5, NULL },
	{ 0x054, 4, NEVER, FIELD(irq_ctrl), 0, NULL }, /* IRQ_CTRLACK */
	{ 0x060, 4, NEVER, FIELD(gerror), 0, NULL },
	{ 0x064, 4, ALWAYS, FIELD(gerrorn), 0x1fd, commands_written },
	{ 0x068, 8, NEVER, FIELD(zero), 0, NULL }, /* GERROR_IRQ_CFG0..2: no MSIs */
	{ 0x070, 4, NEVER, FIELD(zero), 0, NULL },
	{ 0x074, 4, NEVER, FIELD(zero), 0, NULL },
	{ 0x080, 8, SMMU_OFF, FIELD(strtab_base), BASE & ~0x3full, NULL },
	{ 0x088, 4, SMMU_OFF, FIELD(strtab_base_cfg), 0x307ff, NULL },
	{ 0x090, 8, COMMANDS_OFF, FIELD(cmdq_base), BASE, NULL },
	{ 0x098, 4, ALWAYS, FIELD(cmdq_prod), INDEX, commands_written },
	{ 0x09c, 4, COMMANDS_OFF, FIELD(cmdq_cons), INDEX | 0x7f000000, NULL },
	{ 0x0a0, 8, EVENTS_OFF, FIELD(eventq_base), BASE, NULL },
	{ 0x0b0, 8, NEVER, FIELD(zero), 0, NULL }, /* EVENTQ_IRQ_CFG0..2 */
	{ 0x0b8, 4, NEVER, FIELD(zero), 0, NULL },
	{ 0x0bc, 4, NEVER, FIELD(zero), 0, NULL },
	{ 0x100a8, 4, EVENTS_OFF, FIELD(eventq_prod), INDEX | WARD_QUEUE_OVERFLOW, NULL },
	{ 0x100ac, 4, ALWAYS, FIELD(eventq_cons), INDEX | WARD_QUEUE_OVERFLOW,
	  ward_smmuv3_events_read },
};

static const struct register_row *find(uint32_t offset, unsigned int size)
{
	if ((size != 4 && size != 8) || offset % size != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct register_row *row = &rows[i];

		if (offset - row->offset < row->size)
			return size <= row->size ? row : NULL;
	}
	return NULL;
}

static bool may_write(const struct ward_smmuv3 *smmu, uint8_t writable)
{
	switch (writable) {
	case ALWAYS:
		return true;
	case SMMU_OFF:
		return !(smmu->reg.cr0 & WARD_CR0_SMMUEN);
	case COMMANDS_OFF:
		return !(smmu->reg.cr0 & WARD_CR0_CMDQEN);
	case EVENTS_OFF:
		return !(smmu->reg.cr0 & WARD_CR0_EVENTQEN);
	default:
		return false;
	}
}

int ward_smmuv3_read(struct ward_smmuv3 *smmu, uint32_t offset, unsigned int size,
		     uint64_t *ret_value)
{
	const struct register_row *row = find(offset, size);
	uint64_t value;

	*ret_value = 0;
	if (!row)
		return -EINVAL;
	value = *(const uint64_t *)((const char *)&smmu->reg + row->field);
	value >>= (offset - row->offset) * 8;
	*ret_value = size == 4 ? value & UINT32_MAX : value;
	return 0;
}

int ward_smmuv3_write(struct ward_smmuv3 *smmu, uint32_t offset, unsigned int size, uint64_t value)
{
	const struct register_row *row = find(offset, size);
	unsigned int shift;
	uint64_t *field, old, mask;

	if (!row)
		return -EINVAL;
	/* A register that cannot be written now ignores it. */
	if (!may_write(smmu, row->writable))
		return 0;
	shift = (offset - row->offset) * 8;
	mask = row->mask & (size == 4 ? (uint64_t)UINT32_MAX << shift : UINT64_MAX);
	field = (uint64_t *)((char *)&smmu->reg + row->field);
	old = *field;
	*field = (old & ~mask) | (value << shift & mask);
	if (row->written)
		row->written(smmu, old);
	return 0;
}

void ward_smmuv3_raise(struct ward_smmuv3 *smmu, uint64_t error)
{
	/* One that is active already stays as it is. */
	if (!((smmu->reg.gerror ^ smmu->reg.gerrorn) & error))
		smmu->reg.gerror ^= error;
}

static uint64_t oas(unsigned int output_bits)
{
	static const uint8_t sizes[] = { 32, 36, 40, 42, 44, 48, 52 };

	for (unsigned int i = 0; i < sizeof(sizes); i++) {
		if (output_bits <= sizes[i])
			return i;
	}
	return 6;
}

void ward_smmuv3_reset(struct ward_smmuv3 *smmu)
{
	const struct ward_smmuv3_options *options = &smmu->options;
	const struct ward_smmu_features *features = &options->features;

	smmu->reg = (struct ward_smmuv3_registers){ 0 };
	/* TTF 2, COHACC, ASID16, VMID16, TTENDIAN 2, STALL_MODEL 1, TERM_MODEL 1, ST_LEVEL 1 */
	smmu->reg.idr[0] = (uint64_t)features->stage2 | (uint64_t)features->stage1 << 1 | 2u << 2 |
			   1u << 4 | (options->ats ? 3u << 10 : 0) | 1u << 12 | 1u << 18 |
			   (uint64_t)features->two_level_contexts << 19 | 2u << 21 | 1u << 24 |
			   1u << 26 | 1u << 27;
	/* ATTR_TYPES_OVR */
	smmu->reg.idr[1] = options->stream_bits | (uint64_t)features->substream_bits << 6 |
			   (uint64_t)options->event_bits << 16 |
			   (uint64_t)options->command_bits << 21 | 1u << 27;
	smmu->reg.idr[3] = 1u << 2 | 1u << 10; /* HAD, RIL */
	smmu->reg.idr[5] = oas(features->output_bits) | (uint64_t)(features->granules & 7) << 4;
	smmu->reg.aidr = 0x02; /* 3.2 */
	smmu->reg.gbpa = 0x1000;
}
