// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * LPIs: pending bits of each CPU, and the configuration they share (Arm IHI 0069, 5.1 and 6.2). What is
 * pending while LPIs are off waits in memory: it is read when they are switched on and written when
 * they are switched off.
 */
#include "emul/gic_state.h"

#include "base/fault.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#define CONFIGURATION_ENABLED 0x1u
#define PTZ (UINT64_C(1) << 62)
#define TABLE_BYTES 512u /* of a pending table, at once */

int ward_gic_lpis_create(struct ward_gic *gic)
{
	size_t words = (size_t)1 << gic->options.intid_bits >> 6;
	size_t some = (words + 63) / 64;

	gic->generation = 1;
	if (!gic->options.intid_bits)
		return 0;
	gic->configuration = ward_alloc_array(words * 64, sizeof(*gic->configuration));
	gic->claimed = ward_alloc_array(words, sizeof(*gic->claimed));
	if (!gic->configuration || !gic->claimed)
		return -ENOMEM;
	for (uint32_t i = 0; i < gic->options.cpus; i++) {
		gic->cpus[i].pending = ward_alloc_array(words + some, sizeof(uint64_t));
		if (!gic->cpus[i].pending)
			return -ENOMEM;
		gic->cpus[i].some = gic->cpus[i].pending + words;
	}
	return 0;
}

void ward_gic_lpis_destroy(struct ward_gic *gic)
{
	for (uint32_t i = 0; gic->cpus && i < gic->options.cpus; i++)
		free(gic->cpus[i].pending);
	free(gic->configuration);
	free(gic->claimed);
}

uint32_t ward_gic_cpus(const struct ward_gic *gic)
{
	return gic->options.cpus;
}

uint32_t ward_gic_last_lpi(const struct ward_gic *gic)
{
	return atomic_load(&gic->last_lpi);
}

bool ward_gic_lpis_on(const struct ward_gic *gic, uint32_t cpu)
{
	return cpu < gic->options.cpus && atomic_load(&gic->cpus[cpu].lpis_on);
}

static bool is_lpi(const struct ward_gic *gic, uint32_t intid)
{
	return intid >= WARD_GIC_FIRST_LPI && intid <= ward_gic_last_lpi(gic);
}

bool ward_gic_lpi_claim(struct ward_gic *gic, uint32_t intid)
{
	uint64_t bit = UINT64_C(1) << intid % 64;

	return is_lpi(gic, intid) && !(atomic_fetch_or(&gic->claimed[intid / 64], bit) & bit);
}

void ward_gic_lpi_unclaim(struct ward_gic *gic, uint32_t intid)
{
	atomic_fetch_and(&gic->claimed[intid / 64], ~(UINT64_C(1) << intid % 64));
}

/* Configuration of an LPI out of memory; what is not there is not enabled. */
static int read_configuration(const struct ward_gic *gic, uint32_t intid, uint8_t *ret_byte)
{
	uint64_t table = gic->propbaser & UINT64_C(0xffffffffff000);
	struct ward_range at = { table + (intid - WARD_GIC_FIRST_LPI),
				 table + (intid - WARD_GIC_FIRST_LPI) };
	const uint8_t *byte = ward_memory_at(gic->options.memory, at, false);

	*ret_byte = byte ? __atomic_load_n(byte, __ATOMIC_RELAXED) : 0;
	return byte ? 0 : -EFAULT;
}

/*
 * What is remembered, else what is in memory. Threads that raise may come here at once, and while
 * it is read anew: an entry of an older generation is replaced only if it is still the same, so
 * that what INV wrote stays.
 */
static uint8_t configuration(struct ward_gic *gic, uint32_t intid)
{
	uint64_t entry = atomic_load(&gic->configuration[intid]), generation;
	uint8_t byte;

	for (;;) {
		generation = atomic_load(&gic->generation);
		if (entry >> 8 == generation)
			return (uint8_t)entry;
		(void)read_configuration(gic, intid, &byte);
		if (atomic_compare_exchange_strong(&gic->configuration[intid], &entry,
						   generation << 8 | byte))
			return byte;
	}
}

static bool is_ready(struct ward_gic *gic, uint32_t cpu, uint32_t intid)
{
	return atomic_load(&gic->cpus[cpu].lpis_on) &&
	       (atomic_load(&gic->ctlr) & GIC_CTLR_GROUP1) &&
	       (configuration(gic, intid) & CONFIGURATION_ENABLED);
}

static void announce(struct ward_gic *gic, uint32_t cpu, uint32_t intid)
{
	if (gic->options.raised && is_ready(gic, cpu, intid))
		gic->options.raised(gic->options.context, cpu, intid);
}

/* Sets a pending bit; true: it was not set. */
static bool add(struct gic_cpu *cpu, uint32_t intid)
{
	uint64_t bit = UINT64_C(1) << intid % 64, some = UINT64_C(1) << intid / 64 % 64;
	bool added = !(atomic_fetch_or(&cpu->pending[intid / 64], bit) & bit);

	if (added && !(atomic_load(&cpu->some[intid / 4096]) & some))
		atomic_fetch_or(&cpu->some[intid / 4096], some);
	return added;
}

bool ward_gic_lpi_remove(struct ward_gic *gic, uint32_t cpu, uint32_t intid)
{
	uint64_t bit = UINT64_C(1) << intid % 64;

	return atomic_fetch_and(&gic->cpus[cpu].pending[intid / 64], ~bit) & bit;
}

bool ward_gic_lpi_pending(const struct ward_gic *gic, uint32_t cpu, uint32_t intid)
{
	if (!is_lpi(gic, intid))
		return false;
	return atomic_load(&gic->cpus[cpu].pending[intid / 64]) >> intid % 64 & 1;
}

/* The first pending LPI from one on. */
static bool next(const struct ward_gic *gic, const struct gic_cpu *cpu, uint32_t *intid)
{
	uint32_t at = *intid, last = ward_gic_last_lpi(gic);

	while (at <= last) {
		uint64_t some = atomic_load(&cpu->some[at / 4096]) >> at / 64 % 64;
		uint64_t word;

		if (!(some & 1)) {
			at = some ? (at / 64 + (uint32_t)__builtin_ctzll(some)) * 64
				  : (at / 4096 + 1) * 4096;
			continue;
		}
		word = atomic_load(&cpu->pending[at / 64]) >> at % 64;
		if (word) {
			*intid = at + (uint32_t)__builtin_ctzll(word);
			return *intid <= last;
		}
		at = (at / 64 + 1) * 64;
	}
	return false;
}

/* Forgets words that hold nothing; only who takes does this, one at a time. */
static void tidy(const struct ward_gic *gic, struct gic_cpu *cpu)
{
	uint32_t words = (ward_gic_last_lpi(gic) + 64) / 64;

	for (uint32_t i = 0; i < (words + 63) / 64; i++) {
		uint64_t some = atomic_load(&cpu->some[i]);

		for (; some; some &= some - 1) {
			uint32_t word = i * 64 + (uint32_t)__builtin_ctzll(some);
			uint64_t bit = some & -some;

			if (atomic_load(&cpu->pending[word]))
				continue;
			atomic_fetch_and(&cpu->some[i], ~bit);
			/* Whoever set a bit before may have seen that there was no need to tell. */
			if (atomic_load(&cpu->pending[word]))
				atomic_fetch_or(&cpu->some[i], bit);
		}
	}
}

bool ward_gic_lpi_best(struct ward_gic *gic, uint32_t cpu, uint32_t *ret_intid,
		       uint8_t *ret_priority)
{
	struct gic_cpu *own = &gic->cpus[cpu];
	bool found = false;

	if (!atomic_load(&own->lpis_on))
		return false;
	tidy(gic, own);
	for (uint32_t intid = WARD_GIC_FIRST_LPI; next(gic, own, &intid); intid++) {
		uint8_t priority = configuration(gic, intid) & 0xfc;

		if (!is_ready(gic, cpu, intid) || (found && priority >= *ret_priority))
			continue;
		found = true;
		*ret_intid = intid;
		*ret_priority = priority;
	}
	return found;
}

void ward_gic_lpi_announce_all(struct ward_gic *gic, uint32_t cpu)
{
	if (!ward_gic_lpis_on(gic, cpu))
		return;
	for (uint32_t intid = WARD_GIC_FIRST_LPI; next(gic, &gic->cpus[cpu], &intid); intid++)
		announce(gic, cpu, intid);
}

void ward_gic_lpi_set(struct ward_gic *gic, uint32_t cpu, uint32_t intid,
		      struct ward_interrupt *ret_interrupt)
{
	struct ward_interrupt interrupt = { .end = WARD_INTERRUPT_IGNORED,
					    .number = intid,
					    .cpu = WARD_NONE };

	if (cpu >= gic->options.cpus) {
		interrupt.reason = WARD_REASON_NO_CPU;
	} else if (!is_lpi(gic, intid)) {
		interrupt.reason = WARD_REASON_LPI_RANGE;
	} else if (!atomic_load(&gic->cpus[cpu].lpis_on)) {
		interrupt.reason = WARD_REASON_LPIS_OFF;
	} else {
		interrupt.end = WARD_INTERRUPT_PENDING;
		interrupt.cpu = cpu;
		interrupt.cpus = 1;
		if (add(&gic->cpus[cpu], intid))
			announce(gic, cpu, intid);
	}
	if (ret_interrupt)
		*ret_interrupt = interrupt;
}

void ward_gic_lpi_clear(struct ward_gic *gic, uint32_t cpu, uint32_t intid)
{
	if (cpu < gic->options.cpus && is_lpi(gic, intid))
		(void)ward_gic_lpi_remove(gic, cpu, intid);
}

void ward_gic_lpi_move(struct ward_gic *gic, uint32_t from, uint32_t to, uint32_t intid)
{
	if (from >= gic->options.cpus || to >= gic->options.cpus || from == to ||
	    !is_lpi(gic, intid))
		return;
	if (ward_gic_lpi_remove(gic, from, intid) && add(&gic->cpus[to], intid))
		announce(gic, to, intid);
}

void ward_gic_lpi_move_all(struct ward_gic *gic, uint32_t from, uint32_t to)
{
	if (from >= gic->options.cpus || to >= gic->options.cpus || from == to ||
	    !gic->options.intid_bits)
		return;
	for (uint32_t intid = WARD_GIC_FIRST_LPI; next(gic, &gic->cpus[from], &intid); intid++)
		ward_gic_lpi_move(gic, from, to, intid);
}

int ward_gic_lpi_reload(struct ward_gic *gic, uint32_t cpu, uint32_t intid)
{
	/* Before the byte is read: GICR_INVALLR may come in between. */
	uint64_t entry = atomic_load(&gic->generation) << 8;
	uint8_t byte;
	int code;

	if (!is_lpi(gic, intid))
		return 0;
	code = read_configuration(gic, intid, &byte);
	atomic_store(&gic->configuration[intid], entry | byte);
	if (cpu < gic->options.cpus && ward_gic_lpi_pending(gic, cpu, intid))
		announce(gic, cpu, intid);
	return code;
}

/*
 * All LPIs of all CPUs are read anew: it is allowed, and which are a CPU's own the ITS knows. What is
 * pending is announced again, whether it was enabled before or not.
 */
int ward_gic_lpi_reload_all(struct ward_gic *gic, uint32_t cpu)
{
	uint8_t byte;

	(void)cpu;
	if (ward_gic_last_lpi(gic) < WARD_GIC_FIRST_LPI)
		return 0;
	atomic_fetch_add(&gic->generation, 1);
	for (uint32_t i = 0; i < gic->options.cpus; i++)
		ward_gic_lpi_announce_all(gic, i);
	return read_configuration(gic, ward_gic_last_lpi(gic), &byte);
}

static uint64_t pending_table(const struct gic_cpu *cpu)
{
	return cpu->pendbaser & UINT64_C(0xfffffffff0000);
}

int ward_gic_lpi_load_pending(struct ward_gic *gic, uint32_t cpu, uint32_t intid)
{
	uint8_t byte, bit = (uint8_t)(1u << intid % 8);
	uint64_t address;
	int code;

	if (cpu >= gic->options.cpus || !is_lpi(gic, intid))
		return 0;
	address = pending_table(&gic->cpus[cpu]) + intid / 8;
	code = ward_memory_read(gic->options.memory, address, &byte, 1);
	if (code)
		return code;
	if (!(byte & bit)) {
		(void)ward_gic_lpi_remove(gic, cpu, intid);
		return 0;
	}
	if (add(&gic->cpus[cpu], intid))
		announce(gic, cpu, intid);
	byte &= (uint8_t)~bit;
	return ward_memory_write(gic->options.memory, address, &byte, 1);
}

/* The pending table as far as it has LPIs; bytes that are not in memory have none. */
static void load_table(struct ward_gic *gic, struct gic_cpu *cpu)
{
	uint32_t end = ward_gic_last_lpi(gic) / 8 + 1;
	uint8_t bytes[TABLE_BYTES];

	for (uint32_t at = WARD_GIC_FIRST_LPI / 8; at < end; at += TABLE_BYTES) {
		if (ward_memory_read(gic->options.memory, pending_table(cpu) + at, bytes,
				     sizeof(bytes)))
			continue;
		for (uint32_t i = 0; i < TABLE_BYTES * 8; i++) {
			if (bytes[i / 8] >> i % 8 & 1)
				(void)add(cpu, at * 8 + i);
		}
	}
}

/* Writes the pending table; empties: and what is written is pending here no more. */
static int save_table(struct ward_gic *gic, struct gic_cpu *cpu, bool empties)
{
	uint32_t end = ward_gic_last_lpi(gic) / 8 + 1;
	uint64_t words[TABLE_BYTES / 8];
	int result = 0;

	for (uint32_t at = WARD_GIC_FIRST_LPI / 8; at < end; at += TABLE_BYTES) {
		_Atomic uint64_t *pending = &cpu->pending[at / 8];
		int code;

		for (uint32_t i = 0; i < TABLE_BYTES / 8; i++)
			words[i] = htole64(empties ? atomic_exchange(&pending[i], 0)
						   : atomic_load(&pending[i]));
		code = ward_memory_write(gic->options.memory, pending_table(cpu) + at, words,
					 sizeof(words));
		if (code)
			result = code;
	}
	return result;
}

int ward_gic_save_pending(struct ward_gic *gic)
{
	for (uint32_t i = 0; i < gic->options.cpus; i++) {
		int code = 0;

		if (ward_gic_lpis_on(gic, i))
			code = save_table(gic, &gic->cpus[i], false);
		if (code)
			return code;
	}
	return 0;
}

void ward_gic_set_propbaser(struct ward_gic *gic, uint64_t value)
{
	uint32_t bits = (value & 0x1f) + 1;

	if (bits > gic->options.intid_bits)
		bits = gic->options.intid_bits;
	atomic_store(&gic->propbaser, value);
	/* What was read of another table counts no more. */
	atomic_fetch_add(&gic->generation, 1);
	atomic_store(&gic->last_lpi, (UINT32_C(1) << bits) - 1);
}

void ward_gic_set_lpis_on(struct ward_gic *gic, uint32_t cpu, bool on)
{
	struct gic_cpu *own = &gic->cpus[cpu];

	if (!gic->options.intid_bits || atomic_load(&own->lpis_on) == on)
		return;
	if (on) {
		if (!(own->pendbaser & PTZ))
			load_table(gic, own);
		atomic_store(&own->lpis_on, true);
		ward_gic_lpi_announce_all(gic, cpu);
		return;
	}
	atomic_store(&own->lpis_on, false);
	/* What comes too late for the table stays here, for the next time. */
	(void)save_table(gic, own, true);
	own->pendbaser &= ~PTZ;
}
