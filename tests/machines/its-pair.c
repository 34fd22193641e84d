// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Tells two guests the same, and compares them. */
#include "its-pair.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CTLR 0x0u
#define IIDR 0x4u
#define TYPER 0x8u
#define CBASER 0x80u
#define CWRITER 0x88u
#define CREADR 0x90u
#define BASER(n) (0x100u + (n)*8u)
#define VALID (UINT64_C(1) << 63)
#define INDIRECT (UINT64_C(1) << 62)
#define PAGES_64K (UINT64_C(2) << 8)

#define GICR_CTLR 0x0u
#define GICR_TYPER 0x8u
#define GICR_PROPBASER 0x70u
#define GICR_PENDBASER 0x78u
#define PTZ (UINT64_C(1) << 62)
/* Addresses and sizes: what memory is to be cached is not kept the same. */
#define BASE_MASK UINT64_C(0x000ffffffffff01f)

static bool is_quiet;

void pair_quiet(bool quiet)
{
	is_quiet = quiet;
}

void pair_say(const char *format, ...)
{
	va_list arguments;

	if (is_quiet)
		return;
	va_start(arguments, format);
	printf("# ");
	vprintf(format, arguments);
	printf("\n");
	va_end(arguments);
}

static struct guest *guest_of(struct pair *pair, unsigned int which)
{
	return which ? &pair->own : &pair->kvm;
}

static void put_word(struct guest *guest, uint64_t address, uint64_t value)
{
	value = htole64(value);
	memcpy(guest->memory + (address - GUEST_MEMORY), &value, sizeof(value));
}

/* The first level: pages for DeviceIDs 0 to 16383 and 65536 on; one outside memory for 57344 on. */
static void fill_memory(struct guest *guest, const struct plan *plan)
{
	uint32_t random = plan->seed;

	if (!plan->device_pages) {
		put_word(guest, DEVICE_TABLE, VALID | (DEVICE_TABLE + 0x10000));
		put_word(guest, DEVICE_TABLE + 8, VALID | (DEVICE_TABLE + 0x20000));
		put_word(guest, DEVICE_TABLE + 7 * 8, VALID | (GUEST_MEMORY + 0x10000000));
		put_word(guest, DEVICE_TABLE + 8 * 8, VALID | (DEVICE_TABLE + 0x30000));
	}
	for (uint32_t cpu = 0; cpu < GUEST_CPUS && plan->seeds_pending; cpu++) {
		random = random * 1664525u + 1013904223u;
		put_word(guest, PEND(cpu) + FIRST_LPI / 8, random >> 8);
	}
}

static int set_up_redistributors(struct guest *guest, const struct plan *plan, uint64_t flags)
{
	int code = 0;

	for (uint32_t cpu = 0; cpu < GUEST_CPUS && !code; cpu++) {
		uint64_t table = cpu == plan->no_table_cpu ? 0 : PEND(cpu);

		code = guest->ops->redist_write(guest, cpu, GICR_PROPBASER,
						PROP | (plan->lpi_bits - 1), 8);
		if (!code)
			code = guest->ops->redist_write(guest, cpu, GICR_PENDBASER, table | flags,
							8);
		if (!code && cpu != plan->off_cpu)
			code = guest->ops->redist_write(guest, cpu, GICR_CTLR, 1, 4);
	}
	return code;
}

/* All but GITS_CTLR. */
static int set_up_its(struct guest *guest, const struct plan *plan, uint32_t reader)
{
	uint64_t devices = VALID | PAGES_64K | DEVICE_TABLE;
	int (*write)(struct guest *, uint32_t, uint64_t, unsigned int) = guest->ops->its_write;
	int code;

	devices |= plan->device_pages ? plan->device_pages - 1 : INDIRECT;
	code = write(guest, CBASER, VALID | QUEUE, 8);
	if (!code)
		code = write(guest, BASER(0), devices, 8);
	if (!code)
		code = write(guest, BASER(1), VALID | PAGES_64K | COLLECTION_TABLE, 8);
	if (!code)
		code = write(guest, CREADR, reader, 8);
	if (!code)
		code = write(guest, CWRITER, reader, 8);
	return code;
}

bool pair_open(struct pair *pair, const struct plan *plan)
{
	int code;

	memset(pair, 0, sizeof(*pair));
	pair->plan = *plan;
	code = guest_open_kvm(&pair->kvm);
	if (code) {
		pair_say("KVM's guest cannot be had: %s", strerror(-code));
		return false;
	}
	code = guest_open_own(&pair->own);
	if (code) {
		pair_say("our guest cannot be had: %s", strerror(-code));
		pair->kvm.ops->close(&pair->kvm);
		return false;
	}
	for (unsigned int i = 0; i < 2 && !code; i++) {
		struct guest *guest = guest_of(pair, i);

		fill_memory(guest, plan);
		code = set_up_redistributors(guest, plan, PTZ);
		if (!code)
			code = set_up_its(guest, plan, 0);
		if (!code)
			code = guest->ops->its_write(guest, CTLR, 1, 4);
		pair->on = true;
		if (code)
			pair_say("registers of guest %u cannot be written: %s", i, strerror(-code));
	}
	if (code)
		pair_close(pair);
	return !code;
}

void pair_close(struct pair *pair)
{
	pair->kvm.ops->close(&pair->kvm);
	pair->own.ops->close(&pair->own);
}

bool pair_command(struct pair *pair, const uint64_t *words)
{
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int word = 0; word < 4; word++)
			put_word(guest_of(pair, i), QUEUE + pair->writer + word * 8, words[word]);
	}
	pair->writer = (pair->writer + 32) % QUEUE_BYTES;
	return !pair->own.ops->its_write(&pair->own, CWRITER, pair->writer, 8);
}

bool pair_run(struct pair *pair)
{
	return !pair->kvm.ops->its_write(&pair->kvm, CWRITER, pair->writer, 8);
}

bool pair_message(struct pair *pair, uint32_t device, uint32_t event)
{
	int kvm = pair->kvm.ops->message(&pair->kvm, device, event);
	int own = pair->own.ops->message(&pair->own, device, event);

	if (kvm != own)
		pair_say("a message of device %#x, event %#x: KVM %d, ours %d", device, event, kvm,
			 own);
	return kvm == own;
}

bool pair_enable(struct pair *pair, bool on)
{
	pair->on = on;
	return !pair->kvm.ops->its_write(&pair->kvm, CTLR, on, 4) &&
	       !pair->own.ops->its_write(&pair->own, CTLR, on, 4);
}

bool pair_write(struct pair *pair, uint32_t offset, uint64_t value, unsigned int size)
{
	int kvm = pair->kvm.ops->its_write(&pair->kvm, offset, value, size);
	int own = pair->own.ops->its_write(&pair->own, offset, value, size);

	if (!kvm != !own)
		pair_say("%#llx written to register %#x: KVM %d, ours %d",
			 (unsigned long long)value, offset, kvm, own);
	return !kvm == !own;
}

static bool registers_agree(struct pair *pair)
{
	static const struct {
		uint32_t offset;
		uint8_t size;
		uint64_t mask;
	} rows[] = {
		{ CTLR, 4, UINT64_MAX },     { IIDR, 4, 0xfff },
		{ TYPER, 8, UINT64_MAX },    { CBASER, 8, UINT64_MAX },
		{ CWRITER, 8, UINT64_MAX },  { CREADR, 8, UINT64_MAX },
		{ BASER(0), 8, UINT64_MAX }, { BASER(1), 8, UINT64_MAX },
		{ BASER(2), 8, UINT64_MAX }, { 0xffe8, 4, UINT64_MAX },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t kvm = 0, own = 0;
		int code = pair->kvm.ops->its_read(&pair->kvm, rows[i].offset, &kvm, rows[i].size);

		if (!code)
			code = pair->own.ops->its_read(&pair->own, rows[i].offset, &own,
						       rows[i].size);
		if (!code && (kvm & rows[i].mask) == (own & rows[i].mask))
			continue;
		pair_say("register %#x: KVM %#llx, ours %#llx, %s", rows[i].offset,
			 (unsigned long long)kvm, (unsigned long long)own, strerror(-code));
		return false;
	}
	return true;
}

static bool redistributors_agree(struct pair *pair)
{
	static const struct {
		uint32_t offset;
		uint8_t size;
		uint64_t mask;
	} rows[] = {
		{ GICR_CTLR, 4, 1 },
		{ GICR_TYPER, 8, UINT64_MAX },
		{ GICR_PROPBASER, 8, BASE_MASK },
		{ GICR_PENDBASER, 8, BASE_MASK | PTZ },
	};

	for (unsigned int i = 0; i < GUEST_CPUS * 4; i++) {
		uint32_t cpu = i / 4;
		uint64_t kvm = 0, own = 0;
		int code = pair->kvm.ops->redist_read(&pair->kvm, cpu, rows[i % 4].offset, &kvm,
						      rows[i % 4].size);

		if (!code)
			code = pair->own.ops->redist_read(&pair->own, cpu, rows[i % 4].offset, &own,
							  rows[i % 4].size);
		if (!code && (kvm & rows[i % 4].mask) == (own & rows[i % 4].mask))
			continue;
		pair_say("redistributor %u register %#x: KVM %#llx, ours %#llx, %s", cpu,
			 rows[i % 4].offset, (unsigned long long)kvm, (unsigned long long)own,
			 strerror(-code));
		return false;
	}
	return true;
}

static bool tables_agree(struct pair *pair)
{
	static struct map kvm, own;
	int kvm_code = pair->kvm.ops->save_tables(&pair->kvm);
	int own_code = pair->own.ops->save_tables(&pair->own);

	if (kvm_code != own_code) {
		pair_say("saving tables: KVM %d, ours %d", kvm_code, own_code);
		return false;
	}
	map_read(&kvm, &pair->kvm, &pair->plan);
	map_read(&own, &pair->own, &pair->plan);
	return map_same(&kvm, &own);
}

static unsigned int pending_bit(const struct guest *guest, uint32_t cpu, uint32_t intid)
{
	return guest->memory[PEND(cpu) - GUEST_MEMORY + intid / 8] >> intid % 8 & 1;
}

/*
 * LPIs that are mapped; of others neither has a say. What is left over from the last time is taken out
 * first: KVM writes bits of LPIs that are mapped, and no others. Where a table is not in memory, KVM
 * looks at it when an LPI goes to that CPU, we when the CPU has LPIs on. And where LPIs are off, KVM has
 * pending ones that we keep until they go elsewhere.
 */
static bool pending_agrees(struct pair *pair)
{
	int kvm_code, own_code;

	if (pair->plan.no_table_cpu < GUEST_CPUS)
		return true;
	for (uint32_t i = 0; i < 2 * GUEST_CPUS; i++)
		memset(guest_of(pair, i % 2)->memory + (PEND(i / 2) - GUEST_MEMORY), 0, 0x2000);
	kvm_code = pair->kvm.ops->save_pending(&pair->kvm);
	own_code = pair->own.ops->save_pending(&pair->own);
	if (kvm_code != own_code) {
		pair_say("saving pending bits: KVM %d, ours %d", kvm_code, own_code);
		return false;
	}
	for (uint32_t intid = FIRST_LPI; intid < 1u << LPI_BITS; intid++) {
		for (uint32_t cpu = 0; cpu < GUEST_CPUS; cpu++) {
			unsigned int kvm = pending_bit(&pair->kvm, cpu, intid);
			unsigned int own = pending_bit(&pair->own, cpu, intid);

			if (kvm == own || cpu == pair->plan.off_cpu ||
			    !guest_has_lpi(&pair->own, intid))
				continue;
			pair_say("LPI %u is pending at CPU %u: KVM %u, ours %u", intid, cpu, kvm,
				 own);
			return false;
		}
	}
	return true;
}

bool pair_agrees(struct pair *pair, bool saves)
{
	if (!registers_agree(pair) || !redistributors_agree(pair))
		return false;
	if (!saves)
		return true;
	/* KVM cannot save an event without a collection (it looks for its number). */
	if (!guest_has_orphans(&pair->own) && !tables_agree(pair))
		return false;
	return pending_agrees(pair);
}

/*
 * A new guest with the memory of another. Pending bits are looked for when an LPI is mapped: what else is
 * in the tables is nobody's.
 */
static int restore(struct guest *guest, const struct pair *pair, const struct guest *from)
{
	int code;

	memcpy(guest->memory, from->memory, GUEST_BYTES);
	code = set_up_redistributors(guest, &pair->plan, PTZ);
	if (!code)
		code = set_up_its(guest, &pair->plan, pair->writer);
	return code;
}

bool pair_swaps(struct pair *pair)
{
	struct pair next = { .plan = pair->plan, .writer = pair->writer };
	int kvm_code, own_code;

	if (guest_has_orphans(&pair->own))
		return true;
	kvm_code = guest_open_kvm(&next.kvm);
	own_code = guest_open_own(&next.own);
	if (kvm_code || own_code)
		return false;
	kvm_code = restore(&next.kvm, pair, &pair->own);
	own_code = restore(&next.own, pair, &pair->kvm);
	if (kvm_code || own_code) {
		pair_say("registers for restoring: KVM %d, ours %d", kvm_code, own_code);
		return false;
	}
	pair_close(pair);
	*pair = next;
	kvm_code = pair->kvm.ops->restore_tables(&pair->kvm);
	own_code = pair->own.ops->restore_tables(&pair->own);
	if (kvm_code != own_code) {
		pair_say("restoring what the other saved: KVM %d, ours %d", kvm_code, own_code);
		return false;
	}
	if (!pair_enable(pair, true))
		return false;
	return kvm_code || pair_agrees(pair, true);
}
