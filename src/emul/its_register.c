// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Registers (IHI 0069, 12.18 to 12.20): a table, one row each. */
#include "emul/its_state.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum access {
	RES0,
	RO,
	RW,
	RW_OFF, /* written only while the ITS is not enabled */
	WO,
};

struct register_row {
	uint32_t offset;
	uint8_t size; /* 4, or 8 that may be accessed by halves */
	uint8_t access;
	uint16_t field;
	uint64_t mask; /* bits that software may write */
	void (*written)(struct ward_its *its, uint64_t old);
};

#define TYPE_DEVICES 1ull
#define TYPE_COLLECTIONS 4ull
#define BASER_TYPE 56
#define BASER_ENTRY_SIZE 48
#define BASER_INNER 59
#define BASER_OUTER 53
#define BASER_SHARE 10
#define BASER_PAGE_64K (2ull << 8)

static void ctlr_written(struct ward_its *its, uint64_t old)
{
	/* KVM does not switch on what has no tables or queue. */
	if (its->kvm && !(old & ITS_ENABLED) &&
	    !(its->reg.baser[ITS_DEVICES] & its->reg.baser[ITS_COLLECTIONS] & its->reg.cbaser &
	      ITS_VALID))
		its->reg.ctlr = old;
	atomic_store(&its->enabled, its->reg.ctlr & ITS_ENABLED);
	if (old & ~its->reg.ctlr & ITS_ENABLED)
		ward_readers_wait(its->options.readers);
	ward_its_run_commands(its);
}

static void statusr_written(struct ward_its *its, uint64_t old)
{
	its->reg.statusr = old & ~its->reg.statusr;
}

/* What KVM makes of attributes (vgic_sanitise_*): never outer shareable, always cacheable inside. */
static uint64_t sanitise(uint64_t reg)
{
	uint64_t inner = reg >> BASER_INNER & 7, outer = reg >> BASER_OUTER & 7;

	if ((reg >> BASER_SHARE & 3) == 2)
		reg ^= 3ull << BASER_SHARE;
	if (inner < 2)
		reg = (reg & ~(7ull << BASER_INNER)) | 3ull << BASER_INNER;
	if (outer > 1)
		reg &= ~(7ull << BASER_OUTER);
	return reg;
}

static void cbaser_written(struct ward_its *its, uint64_t old)
{
	(void)old;
	if (its->kvm)
		its->reg.cbaser = sanitise(its->reg.cbaser) & ~0xf000ull;
	its->reg.creadr = 0;
	/* So does KVM. Elsewhere GITS_CWRITER keeps what it has. */
	if (its->kvm)
		its->reg.cwriter = 0;
}

static void cwriter_written(struct ward_its *its, uint64_t old)
{
	bool retry = its->reg.cwriter & ITS_RETRY;

	its->reg.cwriter &= ITS_OFFSET;
	if (its->kvm && its->reg.cwriter >= ward_its_queue_bytes(its))
		its->reg.cwriter = old;
	if (retry)
		its->reg.creadr &= ~(uint64_t)ITS_STALLED;
	ward_its_run_commands(its);
}

static void count_device_ids(struct ward_its *its)
{
	uint64_t ids = ward_its_table_ids(its->reg.baser[ITS_DEVICES]);
	uint64_t most = 1ull << its->options.device_bits;

	atomic_store(&its->device_ids, ids < most ? ids : most);
}

static void devices_written(struct ward_its *its, uint64_t old)
{
	uint64_t *reg = &its->reg.baser[ITS_DEVICES];

	if (its->kvm)
		*reg = (sanitise(*reg) & ~(3ull << 8)) | BASER_PAGE_64K;
	count_device_ids(its);
	if (its->kvm ? !(*reg & ITS_VALID) : *reg != old)
		ward_its_forget_devices(its);
}

static void collections_written(struct ward_its *its, uint64_t old)
{
	uint64_t *reg = &its->reg.baser[ITS_COLLECTIONS];

	if (its->kvm)
		*reg = (sanitise(*reg) & ~(3ull << 8)) | BASER_PAGE_64K;
	if (its->kvm ? !(*reg & ITS_VALID) : *reg != old)
		ward_its_forget_collections(its);
}

#define FIELD(name) offsetof(struct its_registers, name)
#define ZERO FIELD(zero)
/* Valid, attributes, address, page size, number of pages. */
#define BASER_MASK 0xb8e0ffffffffffffull
#define CBASER_MASK 0xb8effffffffffcffull

static const struct register_row rows[] = {
	{ 0x0000, 4, RW, FIELD(ctlr), ITS_ENABLED, ctlr_written },
	{ 0x0004, 4, RO, FIELD(iidr), 0, NULL },
	{ 0x0008, 8, RO, FIELD(typer), 0, NULL },
	{ 0x0010, 4, RO, ZERO, 0, NULL }, /* MPAMIDR: no MPAM */
	{ 0x0014, 4, RO, ZERO, 0, NULL }, /* PARTIDR */
	{ 0x0018, 4, RO, ZERO, 0, NULL }, /* MPIDR: no vPEs */
	{ 0x0040, 4, RW, FIELD(statusr), ITS_RRD | ITS_WRD | ITS_RWOD | ITS_WROD, statusr_written },
	{ 0x0048, 8, RO, ZERO, 0, NULL }, /* UMSIR: not reported */
	{ 0x0080, 8, RW_OFF, FIELD(cbaser), CBASER_MASK, cbaser_written },
	{ 0x0088, 8, RW, FIELD(cwriter), ITS_OFFSET | ITS_RETRY, cwriter_written },
	{ 0x0090, 8, RO, FIELD(creadr), 0, NULL },
	{ 0x0100, 8, RW_OFF, FIELD(baser[0]), BASER_MASK | ITS_INDIRECT, devices_written },
	{ 0x0108, 8, RW_OFF, FIELD(baser[1]), BASER_MASK, collections_written },
	{ 0x0110, 8, RO, ZERO, 0, NULL }, /* BASER<2> to <7>: no tables */
	{ 0x0118, 8, RO, ZERO, 0, NULL },
	{ 0x0120, 8, RO, ZERO, 0, NULL },
	{ 0x0128, 8, RO, ZERO, 0, NULL },
	{ 0x0130, 8, RO, ZERO, 0, NULL },
	{ 0x0138, 8, RO, ZERO, 0, NULL },
	{ WARD_ITS_TRANSLATER, 4, WO, ZERO, 0, NULL }, /* messages have a DeviceID, this has none */
};

/* PIDR4 at 0xffd0 to CIDR3 at 0xfffc. GICv3, Arm's part numbers, 64 KiB. */
static const uint8_t ids[] = { 0x40, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1 };
#define IDS 0xffd0u

static const struct register_row *find(uint32_t offset)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (offset - rows[i].offset < rows[i].size)
			return &rows[i];
	}
	return NULL;
}

static int check(uint32_t offset, size_t size)
{
	if ((size != 4 && size != 8) || offset % size != 0 || offset >= WARD_ITS_BYTES)
		return -EINVAL;
	return 0;
}

/* KVM has no GITS_STATUSR. */
static void report(struct ward_its *its, uint32_t bit)
{
	if (!its->kvm)
		its->reg.statusr |= bit;
}

static uint64_t value_of(const struct ward_its *its, const struct register_row *row)
{
	uint64_t value = *(const uint64_t *)((const char *)&its->reg + row->field);
	bool waits = (its->reg.creadr & ITS_OFFSET) != its->reg.cwriter;

	if (row->field == FIELD(ctlr) && (!waits || (!its->kvm && !(value & ITS_ENABLED))))
		value |= ITS_QUIESCENT;
	return value;
}

static uint64_t read_register(struct ward_its *its, uint32_t offset, size_t size)
{
	const struct register_row *row = find(offset);
	uint64_t value;

	if (offset >= IDS && offset < IDS + sizeof(ids) * 4)
		return size == 4 ? ids[(offset - IDS) / 4] : 0;
	if (!row || row->access == WO || size > row->size) {
		report(its, row && row->access == WO ? ITS_RWOD : ITS_RRD);
		return 0;
	}
	value = value_of(its, row) >> (offset - row->offset) * 8;
	return size == 4 ? value & UINT32_MAX : value;
}

int ward_its_read(struct ward_its *its, uint32_t offset, void *ret_bytes, size_t size)
{
	uint64_t value;

	if (check(offset, size))
		return -EINVAL;
	value = htole64(read_register(its, offset, size));
	memcpy(ret_bytes, &value, size);
	return 0;
}

static void write_register(struct ward_its *its, uint32_t offset, size_t size, uint64_t value)
{
	const struct register_row *row = find(offset);
	unsigned int shift;
	uint64_t *field, old, mask;

	if (!row || size > row->size) {
		report(its, offset >= IDS && offset < IDS + sizeof(ids) * 4 ? ITS_WROD : ITS_WRD);
		return;
	}
	if (row->access == RO)
		report(its, ITS_WROD);
	if (row->mask == 0 || (row->access == RW_OFF && (its->reg.ctlr & ITS_ENABLED)))
		return;
	if (its->kvm && row->field == FIELD(statusr))
		return;
	shift = (offset - row->offset) * 8;
	/* KVM keeps reserved bits of GITS_CBASER. */
	mask = its->kvm && row->field == FIELD(cbaser) ? UINT64_MAX : row->mask;
	mask &= size == 4 ? (uint64_t)UINT32_MAX << shift : UINT64_MAX;
	field = (uint64_t *)((char *)&its->reg + row->field);
	old = *field;
	*field = (old & ~mask) | (value << shift & mask);
	/* Bits that are cleared by writing 1 are not cleared by what is not written. */
	if (row->field == FIELD(statusr))
		*field = value << shift & mask;
	row->written(its, old);
}

int ward_its_write(struct ward_its *its, uint32_t offset, const void *bytes, size_t size)
{
	uint64_t value = 0;

	if (check(offset, size))
		return -EINVAL;
	memcpy(&value, bytes, size);
	write_register(its, offset, size, le64toh(value));
	return 0;
}

int ward_its_set_creadr(struct ward_its *its, uint64_t value)
{
	if (its->reg.ctlr & ITS_ENABLED)
		return -EBUSY;
	if ((value & ~(uint64_t)(ITS_OFFSET | ITS_STALLED)) ||
	    (value & ITS_OFFSET) >= ward_its_queue_bytes(its) ||
	    ((value & ITS_STALLED) && !its->options.stalls))
		return -EINVAL;
	its->reg.creadr = value;
	return 0;
}

void ward_its_reset_registers(struct ward_its *its)
{
	uint64_t entry = (ITS_ENTRY_BYTES - 1ull) << BASER_ENTRY_SIZE;

	its->reg = (struct its_registers){ 0 };
	/* Arm; KVM's is 'K' of Arm, revision 0 of the tables. */
	its->reg.iidr = 0x43b | (its->kvm ? 0x4bu << 24 : 0);
	/* Physical LPIs; entries of 8 bytes; ids; RDbase is a CPU's number. */
	its->reg.typer = 1u | (ITS_ENTRY_BYTES - 1) << 4 | (its->options.event_bits - 1u) << 8 |
			 (its->options.device_bits - 1u) << 13;
	/* KVM: cacheable, inner shareable, pages of 64 KiB. */
	if (its->kvm)
		entry |= 3ull << BASER_INNER | 1ull << BASER_SHARE | BASER_PAGE_64K;
	its->reg.baser[ITS_DEVICES] = TYPE_DEVICES << BASER_TYPE | entry;
	its->reg.baser[ITS_COLLECTIONS] = TYPE_COLLECTIONS << BASER_TYPE | entry;
	atomic_store(&its->enabled, false);
	count_device_ids(its);
}
