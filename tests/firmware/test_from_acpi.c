// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* From tables to a finished machine: who is served by what, under which id. */
#include "machine/from_acpi.h"

#include "function_maker.h"
#include "iort_maker.h"
#include "sweep.h"

#include "firmware/dmar.h"

#define RID(bus, device, function) ((bus) << 8 | (device) << 3 | (function))

static void add_table(struct ward_acpi_tables *tables, const char *name, struct table *t)
{
	struct ward_error error = { "" };

	finish_table(t);
	if (ward_acpi_tables_add(tables, name, t->bytes, t->size, &error))
		fail_msg("refused: %s", error.text);
}

static void devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
		    const struct ward_kernel_evidence *evidence)
{
	assert_int_equal(ward_from_acpi_devices(builder, tables, evidence), 0);
}

/* Links, finishes the machine and gives the tables back. */
static struct ward_machine *linked(struct ward_builder *builder, struct ward_acpi_tables *tables)
{
	assert_int_equal(ward_from_acpi_links(builder, tables), 0);
	ward_acpi_tables_finish(tables);
	return finished(builder);
}

static void start_dmar(struct table *t, uint8_t flags)
{
	start_table(t, "DMAR");
	put(t, 1, 38);
	put(t, 1, flags);
	put(t, 8, 0);
	put(t, 2, 0);
}

/* A structure with room for scopes of one step each. */
static void put_unit(struct table *t, uint16_t type, uint8_t flags, uint16_t segment,
		     unsigned int scopes)
{
	static const uint16_t lengths[] = { 16, 24, 8 };

	put(t, 2, type);
	put(t, 2, lengths[type] + 8u * scopes);
	put(t, 2, type == WARD_DMAR_RMRR ? 0 : flags);
	put(t, 2, segment);
}

static void put_scope(struct table *t, uint8_t type, uint8_t bus, uint8_t device, uint8_t function)
{
	put(t, 1, type);
	put(t, 1, 8);
	put(t, 2, 0);
	put(t, 1, 0);
	put(t, 1, bus);
	put(t, 1, device);
	put(t, 1, function);
}

/* dmar0: graphics; dmar1: what is below 1c.0, and segment 1's 2.0; dmar2: the rest of segment 0. */
static void make_dmar(struct table *t)
{
	start_dmar(t, 1);
	put_unit(t, WARD_DMAR_DRHD, 0, 0, 1);
	put(t, 8, 0xfed90000);
	put_scope(t, WARD_DMAR_ENDPOINT, 0, 2, 0);
	put_unit(t, WARD_DMAR_DRHD, 1, 0, 0);
	put(t, 8, 0xfed92000);
	put_unit(t, WARD_DMAR_DRHD, 0, 0, 3);
	put(t, 8, 0xfed91000);
	put_scope(t, WARD_DMAR_BRIDGE, 0, 0x1c, 0);
	put_scope(t, WARD_DMAR_IOAPIC, 0, 0x1f, 0);
	put_scope(t, WARD_DMAR_ENDPOINT, 0, 9, 0);
	put_unit(t, WARD_DMAR_RMRR, 0, 0, 2);
	put(t, 8, 0x7d000000);
	put(t, 8, 0x7dffffff);
	put_scope(t, WARD_DMAR_ENDPOINT, 0, 2, 0);
	put_scope(t, WARD_DMAR_BRIDGE, 0, 0x1c, 0);
}

static void add_intel_functions(struct ward_builder *builder)
{
	struct ward_function vf;

	add_at(builder, 0, RID(0, 2, 0), 0x030000, NULL);
	add_endpoint(builder, 0, RID(0, 3, 0));
	add_bridge(builder, 0, RID(0, 0x1c, 0), 2, 4);
	add_endpoint(builder, 0, RID(0, 0x1f, 0));
	add_bridge(builder, 0, RID(2, 0, 0), 3, 4);
	add_endpoint(builder, 0, RID(3, 0, 0));
	add_endpoint(builder, 1, RID(0, 2, 0));
	ward_function_init(&vf);
	vf.address = (struct ward_address){ 0, ward_rid(RID(0, 4, 0)) };
	/* A VF elsewhere than its PF is served as its PF is. */
	vf.physfn = ward_builder_find(builder, (struct ward_address){ 0, ward_rid(RID(3, 0, 0)) });
	assert_int_equal(ward_builder_add_function(builder, &vf, NULL), 0);
}

static void dmar_scopes_say_who_serves(void **state)
{
	struct ward_builder *builder = new_builder(WARD_ARCH_X86);
	struct ward_acpi_tables tables = { 0 };
	struct ward_machine *machine;
	struct table t;

	(void)state;
	make_dmar(&t);
	add_table(&tables, "DMAR", &t);
	devices(builder, &tables, NULL);
	add_intel_functions(builder);
	machine = linked(builder, &tables);
	assert_int_equal(machine->firmware_iommu, WARD_YES);
	assert_int_equal(machine->iommus_count, 3);
	assert_string_equal(machine->iommus[2].name, "dmar2");
	assert_true(ward_pa_raw(machine->iommus[2].base) == 0xfed91000);
	assert_string_equal(iommu_of(machine, 0, RID(0, 2, 0)), "dmar0");
	assert_string_equal(iommu_of(machine, 0, RID(0, 3, 0)), "dmar1");
	assert_string_equal(iommu_of(machine, 0, RID(0, 0x1f, 0)), "dmar1");
	assert_string_equal(iommu_of(machine, 0, RID(0, 0x1c, 0)), "dmar2");
	assert_string_equal(iommu_of(machine, 0, RID(2, 0, 0)), "dmar2");
	assert_string_equal(iommu_of(machine, 0, RID(3, 0, 0)), "dmar2");
	assert_string_equal(iommu_of(machine, 0, RID(0, 4, 0)), "dmar2");
	assert_string_equal(iommu_of(machine, 1, RID(0, 2, 0)), "none");
	assert_int_equal(ward_sid_raw(at(machine, 0, RID(3, 0, 0))->stream.sid), RID(3, 0, 0));
	ward_machine_destroy(machine);
}

static void rmrrs_are_regions_of_functions(void **state)
{
	struct ward_builder *builder = new_builder(WARD_ARCH_X86);
	struct ward_acpi_tables tables = { 0 };
	struct ward_machine *machine;
	struct table t;

	(void)state;
	make_dmar(&t);
	add_table(&tables, "DMAR", &t);
	devices(builder, &tables, NULL);
	add_intel_functions(builder);
	machine = linked(builder, &tables);
	/* 00:02.0 and, by the bridge, 00:1c.0, 02:00.0, 03:00.0. */
	assert_int_equal(machine->regions_count, 4);
	for (uint32_t i = 0; i < machine->regions_count; i++) {
		const struct ward_region *region = &machine->regions[i];
		bool graphics = machine->functions[region->function].class_code == 0x030000;

		assert_true(region->range.start == 0x7d000000 && region->range.last == 0x7dffffff);
		assert_int_equal(region->kind,
				 graphics ? WARD_REGION_DIRECT_RELAXABLE : WARD_REGION_DIRECT);
		assert_string_equal(region->source, "DMAR RMRR");
	}
	ward_machine_destroy(machine);
}

static void a_path_leads_through_bridges(void **state)
{
	struct ward_builder *builder = new_builder(WARD_ARCH_X86);
	struct ward_acpi_tables tables = { 0 };
	struct ward_machine *machine;
	struct table t;

	(void)state;
	start_dmar(&t, 0);
	put(&t, 2, WARD_DMAR_DRHD);
	put(&t, 2, 16 + 12 + 10);
	put(&t, 4, 0);
	put(&t, 8, 0xfed90000);
	put(&t, 4, 0x00000c01); /* 00:1c.0, 00.0 of what is behind, 00.0 again */
	put(&t, 8, 0x00000000001c0000);
	put(&t, 4, 0x00000a01); /* 00:03.0 is no bridge: leads nowhere */
	put(&t, 6, 0x000000030000);
	add_table(&tables, "DMAR", &t);
	devices(builder, &tables, NULL);
	add_intel_functions(builder);
	machine = linked(builder, &tables);
	assert_string_equal(iommu_of(machine, 0, RID(3, 0, 0)), "dmar0");
	assert_string_equal(iommu_of(machine, 0, RID(2, 0, 0)), "none");
	assert_string_equal(iommu_of(machine, 0, RID(0, 3, 0)), "none");
	ward_machine_destroy(machine);
}

struct remapping_case {
	bool dmar;
	uint8_t flags;
	bool complete;
	enum ward_tri chips;
	uint64_t ecap; /* 0: not known */
	enum ward_tri isolates;
};

static void remapping_is_decided_by_evidence(void **state)
{
	static const struct remapping_case cases[] = {
		{ true, 1, true, WARD_YES, 0xc, WARD_YES },
		{ true, 1, true, WARD_NO, 0xc, WARD_NO },
		{ true, 1, true, WARD_UNKNOWN, 0xc, WARD_UNKNOWN },
		{ true, 1, true, WARD_UNKNOWN, 0x4, WARD_NO },
		{ true, 1, true, WARD_UNKNOWN, 0, WARD_UNKNOWN },
		{ true, 0, true, WARD_UNKNOWN, 0, WARD_NO },
		{ true, 0, false, WARD_UNKNOWN, 0, WARD_UNKNOWN },
		{ false, 0, true, WARD_UNKNOWN, 0, WARD_NO },
		{ false, 0, false, WARD_UNKNOWN, 0, WARD_UNKNOWN },
		{ false, 0, false, WARD_YES, 0, WARD_YES },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct remapping_case *c = &cases[i];
		struct ward_kernel_iommu iommu = { "dmar0", 0, c->ecap, c->ecap != 0 };
		struct ward_kernel_evidence evidence = { true, &iommu, c->dmar, c->chips };
		struct ward_builder *builder = new_builder(WARD_ARCH_X86);
		struct ward_acpi_tables tables = { .complete = c->complete };
		const struct ward_controller *apic;
		struct ward_machine *machine;
		struct table t;

		start_dmar(&t, c->flags);
		put_unit(&t, WARD_DMAR_DRHD, 1, 0, 0);
		put(&t, 8, 0xfed90000);
		if (c->dmar)
			add_table(&tables, "DMAR", &t);
		devices(builder, &tables, &evidence);
		add_endpoint(builder, 0, 0);
		machine = linked(builder, &tables);
		assert_int_equal(machine->controllers_count, 1);
		apic = &machine->controllers[0];
		assert_int_equal(apic->isolates, c->isolates);
		assert_int_equal(apic->kind, c->isolates == WARD_NO
						     ? WARD_CONTROLLER_X86_APIC
						     : WARD_CONTROLLER_X86_REMAPPING);
		assert_true(apic->doorbells[0].start == 0xfee00000 &&
			    apic->doorbells[0].last == 0xfeefffff);
		assert_int_equal(at(machine, 0, 0)->controller, 0);
		if (c->dmar)
			assert_int_equal(machine->iommus[0].remaps_interrupts, c->isolates);
		ward_machine_destroy(machine);
	}
}

static void the_kernel_says_what_it_uses(void **state)
{
	struct ward_kernel_iommu used[] = { { "dmar1", 0, 0xc, true } };
	struct ward_kernel_evidence evidence = { true, used, 1, WARD_YES };
	struct ward_builder *builder = new_builder(WARD_ARCH_X86);
	struct ward_acpi_tables tables = { .complete = true };
	struct ward_machine *machine;
	struct table t;

	(void)state;
	start_dmar(&t, 1);
	put_unit(&t, WARD_DMAR_DRHD, 1, 0, 0);
	put(&t, 8, 0xfed90000);
	put_unit(&t, WARD_DMAR_DRHD, 1, 1, 0);
	put(&t, 8, 0xfed91000);
	put_unit(&t, WARD_DMAR_ATSR, 1, 0, 0);
	add_table(&tables, "DMAR", &t);
	devices(builder, &tables, &evidence);
	machine = linked(builder, &tables);
	assert_int_equal(machine->iommus[0].active, WARD_NO);
	assert_int_equal(machine->iommus[0].ats, WARD_UNKNOWN);
	assert_int_equal(machine->iommus[1].active, WARD_YES);
	assert_int_equal(machine->iommus[1].ats, WARD_YES);
	ward_machine_destroy(machine);
}

static void no_table_means_no_iommu(void **state)
{
	for (unsigned int complete = 0; complete < 2; complete++) {
		struct ward_builder *builder = new_builder(WARD_ARCH_X86);
		struct ward_acpi_tables tables = { .complete = complete };
		struct ward_machine *machine;

		(void)state;
		devices(builder, &tables, NULL);
		add_endpoint(builder, 7, 0x10);
		machine = linked(builder, &tables);
		assert_int_equal(machine->firmware_iommu, complete ? WARD_NO : WARD_UNKNOWN);
		assert_string_equal(iommu_of(machine, 7, 0x10), complete ? "none" : "unknown");
		ward_machine_destroy(machine);
	}
}

static void a_broken_table_leaves_things_unknown(void **state)
{
	struct ward_builder *builder = new_builder(WARD_ARCH_X86);
	struct ward_acpi_tables tables = { .complete = true };
	struct ward_machine *machine;
	struct table t;

	(void)state;
	make_dmar(&t);
	finish_table(&t);
	t.bytes[50] = 0;
	t.bytes[51] = 0;
	assert_int_equal(ward_acpi_tables_add(&tables, "DMAR", t.bytes, t.size, NULL), -EBADMSG);
	assert_true(tables.iommu_broken);
	devices(builder, &tables, NULL);
	add_endpoint(builder, 0, 0x10);
	machine = linked(builder, &tables);
	assert_int_equal(machine->firmware_iommu, WARD_YES);
	assert_string_equal(iommu_of(machine, 0, 0x10), "unknown");
	assert_int_equal(machine->controllers[0].isolates, WARD_UNKNOWN);
	ward_machine_destroy(machine);
}

static void make_ivrs(struct table *t)
{
	start_table(t, "IVRS");
	put(t, 4, 0);
	put(t, 8, 0);
	put(t, 4, 0x00301010);
	put(t, 4, 0x00400002);
	put(t, 8, 0xfeb80000);
	put(t, 8, 0);
	put(t, 4, 0x00000803); /* 00:01.0 to 00:1f.7 */
	put(t, 4, 0x0000ff04);
	put(t, 4, 0x00030042); /* 03:00.0 is seen as 02:00.0 */
	put(t, 4, 0x00020000);
	put(t, 8, 0); /* padding */
	put(t, 4, 0x00200921);
	put(t, 2, RID(0, 2, 0));
	put(t, 2, 0);
	put(t, 8, 0);
	put(t, 8, 0x70000000);
	put(t, 8, 0x1000);
	put(t, 4, 0x00200121);
	put(t, 2, RID(0, 3, 0));
	put(t, 2, 0);
	put(t, 8, 0);
	put(t, 8, 0x71000000);
	put(t, 8, 0x1000);
}

static void ivrs_entries_say_who_serves(void **state)
{
	struct ward_builder *builder = new_builder(WARD_ARCH_X86);
	struct ward_acpi_tables tables = { .complete = true };
	struct ward_machine *machine;
	struct table t;

	(void)state;
	make_ivrs(&t);
	add_table(&tables, "IVRS", &t);
	devices(builder, &tables, NULL);
	add_endpoint(builder, 0, 0);
	add_endpoint(builder, 0, RID(0, 2, 0));
	add_endpoint(builder, 0, RID(0, 3, 0));
	add_bridge(builder, 0, RID(0, 4, 0), 2, 3);
	add_bridge(builder, 0, RID(2, 0, 0), 3, 3);
	add_endpoint(builder, 0, RID(3, 0, 0));
	machine = linked(builder, &tables);
	assert_string_equal(machine->iommus[0].name, "ivhd0");
	assert_int_equal(machine->iommus[0].ats, WARD_YES);
	assert_string_equal(iommu_of(machine, 0, 0), "none");
	assert_string_equal(iommu_of(machine, 0, RID(0, 2, 0)), "ivhd0");
	assert_int_equal(ward_sid_raw(at(machine, 0, RID(0, 4, 0))->stream.sid), RID(0, 4, 0));
	assert_string_equal(iommu_of(machine, 0, RID(2, 0, 0)), "ivhd0");
	assert_int_equal(ward_sid_raw(at(machine, 0, RID(3, 0, 0))->stream.sid), RID(2, 0, 0));
	assert_int_equal(machine->regions_count, 2);
	assert_int_equal(machine->regions[0].kind, WARD_REGION_RESERVED);
	assert_int_equal(machine->regions[1].kind, WARD_REGION_DIRECT);
	assert_int_equal(machine->controllers[0].isolates, WARD_UNKNOWN);
	ward_machine_destroy(machine);
}

static void make_gic(struct table *t, unsigned int frames, unsigned int itss)
{
	start_table(t, "APIC");
	put(t, 8, 0);
	for (unsigned int i = 0; i < frames; i++) {
		put(t, 4, 0x180d);
		put(t, 4, i);
		put(t, 8, 0x8020000 + 0x1000 * i);
		put(t, 4, i == 0);
		put(t, 4, 0x00500040);
	}
	for (unsigned int i = 0; i < itss; i++) {
		put(t, 4, 0x140f);
		put(t, 4, 9 + i);
		put(t, 8, 0x8080000 + 0x40000 * i);
		put(t, 4, 0);
	}
}

/* What QEMU makes: the range to the SMMU says one id too many, the rest goes to the ITS. */
static void make_iort(struct table *t)
{
	size_t its[2], smmu;

	start_iort(t);
	its[0] = put_its_group(t, 9);
	its[1] = put_its_group(t, 10);
	smmu = put_smmuv3(t, 0x9050000, 4, 1, 0, 1, 2);
	put_map(t, 0, 0xffff, 0x100000, its[0], 0);
	put_map(t, 0, 0, 0x77, its[1], 1);
	put_root_complex(t, 0, 1, 2);
	put_map(t, 0x000, 0x700, 0x2000, smmu, 0);
	put_map(t, 0x700, 0xf8ff, 0x700, its[1], 0);
	put_named(t, "\\_SB.A0", 1);
	put_map(t, 0, 0, 0x42, smmu, 1);
	put_named(t, "\\_SB.A0", 0);
	put_rmr(t, 1, 0x80000000, 0x10000, 1);
	put_map(t, 0, 0, 0x2010, smmu, 0);
}

static void iort_says_streams_and_device_ids(void **state)
{
	struct ward_builder *builder = new_builder(WARD_ARCH_ARM64);
	struct ward_acpi_tables tables = { .complete = true };
	const struct ward_function *f;
	struct ward_machine *machine;
	struct table t;

	(void)state;
	make_gic(&t, 0, 2);
	add_table(&tables, "APIC", &t);
	make_iort(&t);
	add_table(&tables, "IORT", &t);
	devices(builder, &tables, NULL);
	add_endpoint(builder, 0, 0x10);
	add_endpoint(builder, 0, 0x700);
	add_endpoint(builder, 4, 0x10);
	machine = linked(builder, &tables);
	assert_int_equal(machine->controllers_count, 2);
	assert_string_equal(machine->controllers[0].name, "GICv3 ITS 0x08080000");
	assert_true(machine->controllers[0].doorbells[0].start == 0x8090000);
	assert_true(machine->controllers[0].doorbells[0].last == 0x809ffff);
	assert_int_equal(machine->controllers[0].isolates, WARD_YES);
	assert_int_equal(machine->controllers[1].firmware_id, 10);
	assert_true(machine->controllers[0].pool != machine->controllers[1].pool);
	assert_string_equal(machine->iommus[0].name, "smmu3.0x0000000009050000");
	assert_int_equal(machine->iommus[0].controller, 1);
	assert_int_equal(machine->iommus[0].ats, WARD_YES);
	f = at(machine, 0, 0x10);
	assert_int_equal(ward_sid_raw(f->stream.sid), 0x2010);
	assert_int_equal(ward_devid_raw(f->devid), 0x102010);
	assert_int_equal(f->controller, 0);
	assert_string_equal(iommu_of(machine, 0, 0x700), "none");
	assert_int_equal(at(machine, 0, 0x700)->controller, 1);
	assert_int_equal(ward_devid_raw(at(machine, 0, 0x700)->devid), 0x700);
	assert_string_equal(iommu_of(machine, 4, 0x10), "none");
	assert_string_equal(controller_of(machine, 4, 0x10), "none");
	/* The named component: once, though the table has it twice. */
	assert_int_equal(machine->functions_count, 4);
	f = &machine->functions[3];
	assert_int_equal(f->kind, WARD_FUNCTION_PLATFORM);
	assert_string_equal(f->name, "\\_SB.A0");
	assert_int_equal(ward_sid_raw(f->stream.sid), 0x42);
	assert_int_equal(ward_devid_raw(f->devid), 0x100042);
	assert_int_equal(machine->regions_count, 1);
	assert_int_equal(machine->regions[0].kind, WARD_REGION_DIRECT_RELAXABLE);
	assert_true(machine->regions[0].range.last == 0x8000ffff);
	ward_machine_destroy(machine);
}

static void a_single_mapping_gives_all_the_same_id(void **state)
{
	struct ward_builder *builder = new_builder(WARD_ARCH_ARM64);
	struct ward_acpi_tables tables = { .complete = true };
	struct ward_machine *machine;
	size_t its, smmu;
	struct table t;

	(void)state;
	make_gic(&t, 0, 1);
	add_table(&tables, "APIC", &t);
	start_iort(&t);
	its = put_its_group(&t, 9);
	smmu = put_smmuv3(&t, 0x9050000, 0, 0, 1, 0, 0);
	put_root_complex(&t, 0, 0, 1);
	put_map(&t, 0, 0, 0x55, its, 1);
	put_root_complex(&t, 1, 0, 2);
	put_map(&t, 0x20, 0x10, 0x60, smmu, 0);
	put_map(&t, 0, 0, 0x44, smmu, 1);
	add_table(&tables, "IORT", &t);
	devices(builder, &tables, NULL);
	for (uint32_t segment = 0; segment < 2; segment++) {
		add_endpoint(builder, segment, 0);
		add_endpoint(builder, segment, 0x28);
		add_endpoint(builder, segment, 0xff00);
	}
	machine = linked(builder, &tables);
	assert_int_equal(ward_devid_raw(at(machine, 0, 0)->devid), 0x55);
	assert_int_equal(ward_devid_raw(at(machine, 0, 0xff00)->devid), 0x55);
	assert_int_equal(ward_sid_raw(at(machine, 1, 0)->stream.sid), 0x44);
	assert_int_equal(ward_sid_raw(at(machine, 1, 0x28)->stream.sid), 0x68);
	assert_int_equal(ward_sid_raw(at(machine, 1, 0xff00)->stream.sid), 0x44);
	ward_machine_destroy(machine);
}

static void frames_serve_all_when_there_is_no_its(void **state)
{
	for (unsigned int itss = 0; itss < 2; itss++) {
		struct ward_builder *builder = new_builder(WARD_ARCH_ARM64);
		struct ward_acpi_tables tables = { .complete = true };
		struct ward_machine *machine;
		struct table t;

		(void)state;
		make_gic(&t, 2, itss);
		add_table(&tables, "APIC", &t);
		devices(builder, &tables, NULL);
		add_endpoint(builder, 3, 0x10);
		machine = linked(builder, &tables);
		assert_string_equal(machine->controllers[0].name, "GICv2m frame 0x08020000");
		assert_true(machine->controllers[0].doorbells[0].start == 0x8020000);
		assert_true(machine->controllers[0].doorbells[0].last == 0x8020fff);
		assert_int_equal(machine->controllers[0].isolates, WARD_NO);
		assert_int_equal(machine->controllers[0].first_intid, 0x50);
		assert_int_equal(machine->controllers[0].intids, 0x40);
		assert_int_equal(machine->controllers[1].intids, 0);
		assert_int_equal(machine->controllers[1].pool, machine->controllers[0].pool);
		assert_string_equal(controller_of(machine, 3, 0x10),
				    itss ? "unknown" : "GICv2m frame 0x08020000");
		ward_machine_destroy(machine);
	}
}

static void amazon_frames_have_two_pages(void **state)
{
	struct ward_builder *builder = new_builder(WARD_ARCH_ARM64);
	struct ward_acpi_tables tables = { 0 };
	struct ward_machine *machine;
	struct table t;

	(void)state;
	make_gic(&t, 1, 0);
	memcpy(t.bytes + 10, "AMAZON", 6);
	add_table(&tables, "APIC", &t);
	devices(builder, &tables, NULL);
	machine = linked(builder, &tables);
	assert_true(machine->controllers[0].doorbells[0].last == 0x8021fff);
	ward_machine_destroy(machine);
}

static void make_viot(struct table *t)
{
	start_table(t, "VIOT");
	put(t, 2, 3);
	put(t, 2, 48);
	put(t, 8, 0);
	put(t, 4, 0x00100003);
	put(t, 2, 0);
	put(t, 2, 0x18);
	put(t, 8, 0);
	for (unsigned int i = 0; i < 2; i++) {
		put(t, 4, 0x00180001);
		put(t, 4, i ? 0x5000 : 0x100);
		put(t, 2, 0);
		put(t, 2, 1);
		put(t, 2, i ? 0x20 : 0x10);
		put(t, 2, i ? 0x2f : 0xff);
		put(t, 8, 48);
	}
}

static void viot_ranges_say_endpoint_ids(void **state)
{
	struct ward_builder *builder = new_builder(WARD_ARCH_X86);
	struct ward_acpi_tables tables = { .complete = true };
	struct ward_machine *machine;
	struct table t;

	(void)state;
	make_viot(&t);
	add_table(&tables, "VIOT", &t);
	devices(builder, &tables, NULL);
	add_endpoint(builder, 0, 0x08);
	add_endpoint(builder, 0, 0x10);
	add_endpoint(builder, 0, 0x18);
	add_endpoint(builder, 0, 0x28);
	add_endpoint(builder, 1, 0x18);
	add_endpoint(builder, 2, 0x18);
	machine = linked(builder, &tables);
	assert_string_equal(machine->iommus[0].name, "0000:00:03.0");
	assert_string_equal(iommu_of(machine, 0, 0x08), "none");
	assert_int_equal(ward_sid_raw(at(machine, 0, 0x10)->stream.sid), 0x100);
	/* It does not translate itself. */
	assert_string_equal(iommu_of(machine, 0, 0x18), "none");
	/* Of two ranges Linux finds the later one first. */
	assert_int_equal(ward_sid_raw(at(machine, 0, 0x28)->stream.sid), 0x5008);
	assert_string_equal(iommu_of(machine, 1, 0x18), "0000:00:03.0");
	assert_int_equal(ward_sid_raw(at(machine, 1, 0x18)->stream.sid), 0x10108);
	assert_string_equal(iommu_of(machine, 2, 0x18), "none");
	assert_int_equal(machine->controllers[0].isolates, WARD_NO);
	ward_machine_destroy(machine);
}

static void what_is_known_already_is_left_alone(void **state)
{
	struct ward_builder *builder = new_builder(WARD_ARCH_X86);
	struct ward_acpi_tables tables = { .complete = true };
	struct ward_machine *machine;
	struct ward_function f;
	struct table t;

	(void)state;
	make_dmar(&t);
	add_table(&tables, "DMAR", &t);
	devices(builder, &tables, NULL);
	ward_function_init(&f);
	f.address.rid = ward_rid(RID(0, 3, 0));
	f.iommu_known = WARD_YES;
	f.controller_known = WARD_YES;
	assert_int_equal(ward_builder_add_function(builder, &f, NULL), 0);
	machine = linked(builder, &tables);
	assert_string_equal(iommu_of(machine, 0, RID(0, 3, 0)), "none");
	assert_string_equal(controller_of(machine, 0, RID(0, 3, 0)), "none");
	ward_machine_destroy(machine);
}

static void other_and_second_tables_are_passed_over(void **state)
{
	struct ward_acpi_tables tables = { 0 };
	const struct ward_madt *first;
	struct table t;

	(void)state;
	make_gic(&t, 1, 0);
	add_table(&tables, "APIC", &t);
	first = tables.madt;
	assert_int_equal(ward_acpi_tables_add(&tables, "APIC", "x", 1, NULL), 0);
	assert_int_equal(ward_acpi_tables_add(&tables, "DSDT", "x", 1, NULL), 0);
	assert_ptr_equal(tables.madt, first);
	assert_int_equal(ward_acpi_tables_add(&tables, "IVRS", "x", 1, NULL), -EBADMSG);
	ward_acpi_tables_finish(&tables);
	ward_acpi_tables_finish(&tables);
}

struct sweep_tables {
	struct table tables[5];
};

static int sweep(void *context)
{
	static const char *const names[] = { "APIC", "DMAR", "IVRS", "IORT", "VIOT" };
	struct sweep_tables *s = context;
	struct ward_acpi_tables tables = { .complete = true };
	struct ward_builder *builder;
	struct ward_function f;
	int code = ward_builder_create(&builder);

	if (code)
		return code;
	code = ward_builder_set_host(builder, WARD_ARCH_X86, NULL, NULL, 4096);
	for (unsigned int i = 0; i < 5 && !code; i++)
		code = ward_acpi_tables_add(&tables, names[i], s->tables[i].bytes,
					    s->tables[i].size, NULL);
	if (!code)
		code = ward_from_acpi_devices(builder, &tables, NULL);
	ward_function_init(&f);
	f.address.rid = ward_rid(RID(0, 2, 0));
	if (!code)
		code = ward_builder_add_function(builder, &f, NULL);
	if (!code)
		code = ward_from_acpi_links(builder, &tables);
	ward_acpi_tables_finish(&tables);
	ward_builder_destroy(builder);
	return code;
}

static void memory_may_end_anywhere(void **state)
{
	struct sweep_tables s;

	(void)state;
	make_gic(&s.tables[0], 1, 1);
	make_dmar(&s.tables[1]);
	make_ivrs(&s.tables[2]);
	make_iort(&s.tables[3]);
	make_viot(&s.tables[4]);
	for (unsigned int i = 0; i < 5; i++)
		finish_table(&s.tables[i]);
	assert_true(test_sweep(sweep, &s) > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dmar_scopes_say_who_serves),
		cmocka_unit_test(rmrrs_are_regions_of_functions),
		cmocka_unit_test(a_path_leads_through_bridges),
		cmocka_unit_test(remapping_is_decided_by_evidence),
		cmocka_unit_test(the_kernel_says_what_it_uses),
		cmocka_unit_test(no_table_means_no_iommu),
		cmocka_unit_test(a_broken_table_leaves_things_unknown),
		cmocka_unit_test(ivrs_entries_say_who_serves),
		cmocka_unit_test(iort_says_streams_and_device_ids),
		cmocka_unit_test(a_single_mapping_gives_all_the_same_id),
		cmocka_unit_test(frames_serve_all_when_there_is_no_its),
		cmocka_unit_test(amazon_frames_have_two_pages),
		cmocka_unit_test(viot_ranges_say_endpoint_ids),
		cmocka_unit_test(what_is_known_already_is_left_alone),
		cmocka_unit_test(other_and_second_tables_are_passed_over),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
