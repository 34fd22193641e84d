// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * APICs, and the entries of remapping tables as Linux writes them (facts of
 * drivers/iommu/intel/irq_remapping.c, set_msi_sid): which writers an entry admits is worked out from
 * the plan.
 */
#include "controllers_parts.h"

#include <errno.h>

#include "emul/vtd.h"

#define CPUS 2u
#define WINDOW WARD_X86_MSI_START
/* Vector n of functions; all others are the host's. */
#define FIRST_VECTOR 0x40u
#define HOST_VECTOR 0xefu

/* VT-d: registers, GCMD's switches, a table of 256 entries. */
#define GCMD 0x18u
#define IRTA 0xb8u
#define SIRTP (1u << 24)
#define IRE (1u << 25)
#define CFI (1u << 23)
#define ENTRIES 256u
#define ENTRY_BYTES 16u
#define TABLE_SIZE 7u /* 2^(7 + 1) entries */
#define VERIFY_ID (UINT64_C(1) << 18)
#define VERIFY_BUS (UINT64_C(2) << 18)

#define REMAPPABLE 0x10u
#define SUBHANDLE 0x08u
#define HANDLE(n) (((n)&0x7fffu) << 5 | ((n) >> 15 & 1) << 2)

/* The entry of an IOAPIC, which is the host's. */
#define HOST_ENTRY 0u
#define IOAPIC_ID 0xf0ffu

/* Entries of a function: two, side by side. */
static uint32_t entry_of(uint32_t function)
{
	return 2 * function + 1;
}

/* SID, SQ and SVT of a function's entries: the ids of the plan in Linux's order. */
static uint64_t source_check(const struct plan *plan, uint32_t function)
{
	const struct plan_function *f = &plan->functions[function];
	uint16_t ids[PLAN_IDS], last;
	uint32_t count = plan_ids(plan, function, ids), same_bus = 0, above;
	uint8_t last_bus = f->bus; /* of the function that the last id is reported for */

	for (uint32_t i = 0; i < count; i++)
		same_bus += i == 0 || ids[i] >> 8 == ids[i - 1] >> 8;
	last = ids[count - 1];
	for (above = f->parent; above != WARD_NONE; above = plan->functions[above].parent) {
		uint16_t id;

		if (plan_bridge_id(&plan->functions[above], &id))
			last_bus = plan->functions[above].bus;
	}
	if (last >> 8 != last_bus)
		return VERIFY_BUS | (last & 0xff00u) | f->bus;
	if (count >= 2 && same_bus == count)
		return VERIFY_BUS | (uint64_t)f->bus << 8 | f->bus;
	return VERIFY_ID | (last_bus != f->bus ? last : plan_rid(f));
}

static int write_host(struct controllers *c, uint64_t table)
{
	uint64_t entry[2] = { 1 | (uint64_t)HOST_VECTOR << 16,
			      c->plan->no_check ? 0 : VERIFY_ID | IOAPIC_ID };

	return ward_memory_write(c->memory, table + HOST_ENTRY * ENTRY_BYTES, entry, sizeof(entry));
}

static int write_entries(struct controllers *c, uint64_t table, uint32_t function)
{
	uint64_t entry[2] = { 1 | (uint64_t)(FIRST_VECTOR + function) << 16 |
				      (uint64_t)(function % CPUS) << 40,
			      c->plan->no_check ? 0 : source_check(c->plan, function) };
	uint64_t at = table + (uint64_t)entry_of(function) * ENTRY_BYTES;
	int err = ward_memory_write(c->memory, at, entry, sizeof(entry));

	return err ? err : ward_memory_write(c->memory, at + ENTRY_BYTES, entry, sizeof(entry));
}

static int make_unit(struct controllers *c, uint32_t iommu)
{
	const struct plan *plan = c->plan;
	struct ward_vtd_options options = {
		.memory = c->memory,
		.address_bits = 48,
		.output_bits = 48,
		.remaps_interrupts = true,
	};
	uint64_t table = parts_table(c, ENTRIES * ENTRY_BYTES, 0x1000);
	uint32_t on = IRE | (plan->controllers[0].isolates ? 0 : CFI);
	int err = ward_vtd_create(&options, &c->units[iommu]);

	if (!err)
		err = write_host(c, table);
	for (uint32_t i = 0; i < plan->functions_count && !err; i++)
		if (plan->functions[i].present && plan->functions[i].iommu == iommu &&
		    plan_uses_messages(&plan->functions[i]))
			err = write_entries(c, table, i);
	if (!err)
		err = ward_vtd_write(c->units[iommu], IRTA, 8, table | TABLE_SIZE);
	if (!err)
		err = ward_vtd_write(c->units[iommu], GCMD, 4, SIRTP);
	return err ? err : ward_vtd_write(c->units[iommu], GCMD, 4, on);
}

/* What the APICs are told without remapping: vectors of all, and other ways to interrupt. */
static void add_plain(struct controllers *c)
{
	static const uint32_t vectors[] = { 0x10, 0x20, 0x80, HOST_VECTOR, 0xff };

	for (uint32_t i = 0; i < c->plan->functions_count; i++) {
		uint64_t cpu = (uint64_t)(i % CPUS) << 12;

		if (!c->vector_owner[FIRST_VECTOR + i] ||
		    c->vector_owner[FIRST_VECTOR + i] == OWNER_HOST)
			continue;
		parts_message(c, 0, WINDOW | cpu, FIRST_VECTOR + i, 4);
		parts_message(c, 0, WINDOW | 0xff000, FIRST_VECTOR + i, 4);
	}
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		parts_message(c, 0, WINDOW, vectors[i], 4);
	/* Lowest priority, SMI, NMI, INIT, as if by an 8259; by logical destination. */
	for (uint32_t mode = 1; mode < 8; mode++)
		parts_message(c, 0, WINDOW, HOST_VECTOR | mode << 8, 4);
	parts_message(c, 0, WINDOW | 0x100c, HOST_VECTOR, 4);
	parts_message(c, 0, WINDOW, HOST_VECTOR, 2);
	parts_message(c, 0, WINDOW, HOST_VECTOR, 8);
}

/* Every entry, by handle and by subhandle; entries that are not there. */
static void add_remapped(struct controllers *c)
{
	static const uint32_t odd[] = { 0, 255, 256, 0x7fff, 0x8000, 0xffff };

	for (uint32_t i = 0; i < c->plan->functions_count; i++) {
		uint32_t entry = entry_of(i);

		if (!c->plan->functions[i].present)
			continue;
		parts_message(c, 0, WINDOW | REMAPPABLE | HANDLE(entry), 0, 4);
		parts_message(c, 0, WINDOW | REMAPPABLE | SUBHANDLE | HANDLE(entry), 1, 4);
		parts_message(c, 0, WINDOW | REMAPPABLE | SUBHANDLE | HANDLE(0), entry, 4);
		parts_message(c, 0, WINDOW | REMAPPABLE | SUBHANDLE | HANDLE(0), entry | 0x10000,
			      4);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		parts_message(c, 0, WINDOW | REMAPPABLE | HANDLE(odd[i]), 0, 4);
		parts_message(c, 0, WINDOW | REMAPPABLE | SUBHANDLE | HANDLE(odd[i]), 1, 4);
	}
}

int parts_make_apics(struct controllers *c)
{
	const struct plan *plan = c->plan;
	struct ward_apics_options options = { .size = sizeof(options), .cpus = CPUS };
	bool remaps = plan->controllers[0].kind == WARD_CONTROLLER_X86_REMAPPING;
	int err = ward_apics_create(&options, &c->apics);

	for (uint32_t i = 0; i < 256; i++)
		c->vector_owner[i] = OWNER_HOST;
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->functions[i].present && plan_uses_messages(&plan->functions[i]))
			c->vector_owner[FIRST_VECTOR + i] = (uint8_t)(i + 1);
	for (uint32_t i = 0; i < plan->iommus_count && remaps && !err; i++)
		err = make_unit(c, i);
	if (err)
		return err;
	c->apic_controller = (struct ward_apic_controller){ c->apics, c->units, PLAN_IOMMUS };
	ward_emul_set_controller(c->emul, 0, &ward_apic_doorbell, &c->apic_controller);
	add_plain(c);
	if (remaps)
		add_remapped(c);
	return 0;
}
