// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Reserved regions from where they are told (tables of firmware, the kernel's group, the kind of
 * IOMMU) to where they count: conflicts with mappings are refused at attach and at map, whichever
 * comes second.
 */
#include <doorward/attach.h>
#include <doorward/doorbell.h>
#include <doorward/machine.h>

#include "firmware/function_maker.h"
#include "firmware/iort_maker.h"
#include "machine/from_acpi.h"

#include "firmware/dmar.h"

#define PAGE 0x1000u
#define CARD 0x18u /* 00:03.0 */

static void put_dmar(struct table *t)
{
	start_table(t, "DMAR");
	put(t, 1, 38);
	put(t, 1, 1);
	put(t, 8, 0);
	put(t, 2, 0);
	/* One unit for all. */
	put(t, 2, WARD_DMAR_DRHD);
	put(t, 2, 16);
	put(t, 2, 1);
	put(t, 2, 0);
	put(t, 8, 0xfed90000);
	put(t, 2, WARD_DMAR_RMRR);
	put(t, 2, 32);
	put(t, 4, 0);
	put(t, 8, 0x7d000000);
	put(t, 8, 0x7dffffff);
	/* Scope: an endpoint, one step. */
	put(t, 2, 0x0801);
	put(t, 4, 0);
	put(t, 1, CARD >> 3);
	put(t, 1, CARD & 7);
}

static void put_iort(struct table *t, uint32_t flags)
{
	size_t smmu;

	start_iort(t);
	smmu = put_smmuv3(t, 0x9050000, 4, 0, 70, 0, 0);
	put_root_complex(t, 0, 0, 1);
	put_map(t, 0, 0xffff, 0, smmu, 0);
	put_rmr(t, flags, 0x7d000000, 0x1000000, 1);
	put_map(t, 0, 0, CARD, smmu, 1);
}

static void put_iort_firm(struct table *t)
{
	put_iort(t, 0);
}

static void put_iort_relaxable(struct table *t)
{
	put_iort(t, 1);
}

static void put_ivrs(struct table *t, uint32_t memory)
{
	start_table(t, "IVRS");
	put(t, 4, 0);
	put(t, 8, 0);
	put(t, 4, 0x00201010);
	put(t, 4, 0x00400002);
	put(t, 8, 0xfeb80000);
	put(t, 8, 0);
	put(t, 4, 0x00000003); /* all of the segment */
	put(t, 4, 0x00ffff04);
	put(t, 4, memory);
	put(t, 2, CARD);
	put(t, 2, 0);
	put(t, 8, 0);
	put(t, 8, 0x7d000000);
	put(t, 8, 0x1000000);
}

static void put_ivrs_unity(struct table *t)
{
	put_ivrs(t, 0x00200121);
}

static void put_ivrs_exclusion(struct table *t)
{
	put_ivrs(t, 0x00200921);
}

/* Where a region comes from, and what of it may be mapped. */
struct source {
	const char *table; /* of firmware, or NULL */
	void (*fill)(struct table *t);
	enum ward_arch arch;
	uint32_t class_code;
	bool group; /* the kernel's group says it */
	struct ward_reserved reserved;
	bool to_itself, to_others;
};

#define MEMORY                         \
	{                              \
		0x7d000000, 0x7dffffff \
	}

static const struct source sources[] = {
	{ "DMAR",
	  put_dmar,
	  WARD_ARCH_X86,
	  0x020000,
	  false,
	  { MEMORY, WARD_REGION_DIRECT },
	  true,
	  false },
	{ "DMAR",
	  put_dmar,
	  WARD_ARCH_X86,
	  0x030000,
	  false,
	  { MEMORY, WARD_REGION_DIRECT_RELAXABLE },
	  true,
	  true },
	{ "IORT",
	  put_iort_firm,
	  WARD_ARCH_ARM64,
	  0x020000,
	  false,
	  { MEMORY, WARD_REGION_DIRECT },
	  true,
	  false },
	{ "IORT",
	  put_iort_relaxable,
	  WARD_ARCH_ARM64,
	  0x020000,
	  false,
	  { MEMORY, WARD_REGION_DIRECT_RELAXABLE },
	  true,
	  true },
	{ "IVRS",
	  put_ivrs_unity,
	  WARD_ARCH_X86,
	  0x020000,
	  false,
	  { MEMORY, WARD_REGION_DIRECT },
	  true,
	  false },
	{ "IVRS",
	  put_ivrs_exclusion,
	  WARD_ARCH_X86,
	  0x020000,
	  false,
	  { MEMORY, WARD_REGION_RESERVED },
	  false,
	  false },
	/* What the kinds of IOMMU bring along. */
	{ "DMAR",
	  put_dmar,
	  WARD_ARCH_X86,
	  0x020000,
	  false,
	  { { 0xfee00000, 0xfeefffff }, WARD_REGION_MSI },
	  false,
	  false },
	{ "IVRS",
	  put_ivrs_unity,
	  WARD_ARCH_X86,
	  0x020000,
	  false,
	  { { 0xfee00000, 0xfeefffff }, WARD_REGION_MSI },
	  false,
	  false },
	{ "IVRS",
	  put_ivrs_unity,
	  WARD_ARCH_X86,
	  0x020000,
	  false,
	  { { 0xfd00000000, 0xffffffffff }, WARD_REGION_RESERVED },
	  false,
	  false },
	{ "IORT",
	  put_iort_firm,
	  WARD_ARCH_ARM64,
	  0x020000,
	  false,
	  { { 0x8000000, 0x80fffff }, WARD_REGION_SW_MSI },
	  false,
	  false },
	/* What the kernel says of the group, each kind. */
	{ NULL, NULL, WARD_ARCH_X86, 0, true, { MEMORY, WARD_REGION_DIRECT }, true, false },
	{ NULL, NULL, WARD_ARCH_X86, 0, true, { MEMORY, WARD_REGION_DIRECT_RELAXABLE }, true, true },
	{ NULL, NULL, WARD_ARCH_X86, 0, true, { MEMORY, WARD_REGION_RESERVED }, false, false },
	{ NULL,
	  NULL,
	  WARD_ARCH_ARM64,
	  0,
	  true,
	  { { 0x8090000, 0x809ffff }, WARD_REGION_MSI },
	  false,
	  false },
	{ NULL,
	  NULL,
	  WARD_ARCH_ARM64,
	  0,
	  true,
	  { { 0x8000000, 0x80fffff }, WARD_REGION_SW_MSI },
	  false,
	  false },
};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

static struct ward_machine *make_machine(const struct source *source)
{
	struct ward_builder *builder = new_builder(source->arch);
	struct ward_acpi_tables tables = { .complete = true };
	struct ward_function f;
	struct table t;

	if (source->table) {
		struct ward_error error = { "" };

		source->fill(&t);
		finish_table(&t);
		if (ward_acpi_tables_add(&tables, source->table, t.bytes, t.size, &error))
			fail_msg("%s refused: %s", source->table, error.text);
	}
	assert_int_equal(ward_from_acpi_devices(builder, &tables, NULL), 0);
	ward_function_init(&f);
	f.address.rid = ward_rid(CARD);
	f.class_code = source->class_code;
	if (source->group) {
		struct ward_region region = { .range = source->reserved.range,
					      .kind = source->reserved.kind,
					      .function = WARD_NONE,
					      .source = "kernel" };
		struct ward_kernel_group group = { .number = 5 };

		assert_int_equal(ward_builder_add_group(builder, &group, &f.group), 0);
		region.group = f.group;
		assert_int_equal(ward_builder_add_region(builder, &region), 0);
	}
	assert_int_equal(ward_builder_add_function(builder, &f, NULL), 0);
	assert_int_equal(ward_from_acpi_links(builder, &tables), 0);
	ward_acpi_tables_finish(&tables);
	return finished(builder);
}

/* A function with its regions, and a table of who is where. */
struct fixture {
	struct ward_machine *machine;
	struct ward_reserved *reserved;
	uint32_t count;
	struct ward_attach_table *table;
	struct ward_requester who;
};

static void start(struct fixture *f, const struct source *source)
{
	bool found = false;

	f->machine = make_machine(source);
	f->who = (struct ward_requester){ 0, ward_sid(CARD), WARD_PASID_NONE };
	assert_int_equal(ward_machine_reserved(f->machine, 0, &f->reserved, &f->count), 0);
	for (uint32_t i = 0; i < f->count; i++)
		found |= f->reserved[i].kind == source->reserved.kind &&
			 f->reserved[i].range.start == source->reserved.range.start &&
			 f->reserved[i].range.last == source->reserved.range.last;
	if (!found)
		fail_msg("%s: the region is not among those of the function",
			 source->table ? source->table : "kernel");
	assert_int_equal(ward_attach_table_create(NULL, &f->table), 0);
}

static void stop(struct fixture *f)
{
	ward_attach_table_destroy(f->table);
	free(f->reserved);
	ward_machine_destroy(f->machine);
}

static struct ward_space *new_space(void)
{
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED };
	struct ward_space *space;

	assert_int_equal(ward_space_create(&options, &space), 0);
	return space;
}

static int attach(struct fixture *f, struct ward_space *space)
{
	return ward_attach(f->table, &f->who, space, f->reserved, f->count);
}

static int map(struct ward_space *space, uint64_t start, uint64_t last, uint64_t target)
{
	const struct ward_mapping mapping = { .start = ward_iova(start),
					      .last = ward_iova(last),
					      .target = ward_target(target),
					      .access = WARD_READ,
					      .type = WARD_NORMAL };

	return ward_space_map(space, &mapping);
}

/* Maps start..last, to itself or elsewhere, before or after the attach; what is refused, and how. */
static void try_map(const struct source *source, uint64_t start_at, uint64_t last, bool to_itself,
		    bool allowed)
{
	uint64_t target = to_itself ? start_at : 0x40000000;

	for (int attach_first = 0; attach_first < 2; attach_first++) {
		struct ward_space *space = new_space();
		struct fixture f;

		start(&f, source);
		if (attach_first) {
			assert_int_equal(attach(&f, space), 0);
			assert_int_equal(map(space, start_at, last, target), allowed ? 0 : -EINVAL);
			assert_ptr_equal(ward_attached(f.table, &f.who), space);
		} else {
			assert_int_equal(map(space, start_at, last, target), 0);
			assert_int_equal(attach(&f, space), allowed ? 0 : -EADDRINUSE);
			assert_ptr_equal(ward_attached(f.table, &f.who), allowed ? space : NULL);
		}
		ward_space_destroy(space);
		stop(&f);
	}
}

static void whichever_comes_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < SOURCES; i++) {
		const struct source *s = &sources[i];
		struct ward_range r = s->reserved.range;

		/* First page, last page, from before, to behind, all of it and more. */
		try_map(s, r.start, r.start + PAGE - 1, false, s->to_others);
		try_map(s, r.last - PAGE + 1, r.last, false, s->to_others);
		try_map(s, r.start - PAGE, r.start + PAGE - 1, false, s->to_others);
		try_map(s, r.last - PAGE + 1, r.last + PAGE, false, s->to_others);
		try_map(s, r.start - PAGE, r.last + PAGE, false, s->to_others);
		try_map(s, r.start, r.last, true, s->to_itself);
		try_map(s, r.start - PAGE, r.last + PAGE, true, s->to_itself);
		/* Just beside it. */
		try_map(s, r.start - PAGE, r.start - 1, false, true);
		try_map(s, r.last + 1, r.last + PAGE, false, true);
	}
}

/* A move that is refused leaves everybody where they are, and the other space as it was. */
static void a_refused_move_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < SOURCES; i++) {
		struct ward_range r = sources[i].reserved.range;
		struct ward_space *from = new_space(), *to = new_space();
		struct ward_reserved reserved;
		struct ward_space_info info;
		uint32_t cursor = 0;
		struct fixture f;

		if (sources[i].to_others)
			goto next;
		start(&f, &sources[i]);
		assert_int_equal(attach(&f, from), 0);
		assert_int_equal(map(to, r.start, r.start + PAGE - 1, 0x40000000), 0);
		assert_int_equal(attach(&f, to), -EADDRINUSE);
		assert_ptr_equal(ward_attached(f.table, &f.who), from);
		assert_false(ward_space_reserved_next(to, &cursor, &reserved));
		ward_space_info(to, &info);
		assert_int_equal(info.users, 0);
		/* When what was in the way has gone, the move works. */
		assert_int_equal(ward_space_unmap_all(to), 0);
		assert_int_equal(attach(&f, to), 0);
		assert_ptr_equal(ward_attached(f.table, &f.who), to);
		assert_int_equal(map(to, r.start, r.start + PAGE - 1, 0x40000000), -EINVAL);
		stop(&f);
	next:
		ward_space_destroy(from);
		ward_space_destroy(to);
	}
}

/* Regions stay with the space when the function has left: who comes back finds them kept. */
static void regions_outlast_the_attachment(void **state)
{
	(void)state;
	for (size_t i = 0; i < SOURCES; i++) {
		struct ward_range r = sources[i].reserved.range;
		struct ward_space *space = new_space();
		struct fixture f;

		start(&f, &sources[i]);
		assert_int_equal(attach(&f, space), 0);
		assert_int_equal(ward_detach(f.table, &f.who), 0);
		assert_int_equal(map(space, r.start, r.start + PAGE - 1, 0x40000000),
				 sources[i].to_others ? 0 : -EINVAL);
		ward_space_destroy(space);
		stop(&f);
	}
}

/* One in a space already does not help the next: each brings its own regions. */
static void the_second_in_a_space_is_judged_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < SOURCES; i++) {
		struct ward_range r = sources[i].reserved.range;
		const struct ward_requester other = { 0, ward_sid(0x20), WARD_PASID_NONE };
		struct ward_space *space = new_space();
		struct fixture f;

		start(&f, &sources[i]);
		assert_int_equal(ward_attach(f.table, &other, space, NULL, 0), 0);
		assert_int_equal(map(space, r.start, r.start + PAGE - 1, 0x40000000), 0);
		assert_int_equal(attach(&f, space), sources[i].to_others ? 0 : -EADDRINUSE);
		assert_ptr_equal(ward_attached(f.table, &other), space);
		ward_space_destroy(space);
		stop(&f);
	}
}

/* In the window for doorbells there may be doorbells, before and after the attach. */
static void doorbells_are_at_home_in_the_window(void **state)
{
	struct ward_doorbell_options options = { .size = sizeof(options),
						 .way = WARD_DOORBELL_WINDOW,
						 .page_size = PAGE };
	const struct source *smmu = &sources[9];
	struct ward_space *space = new_space(), *taken = new_space();
	struct ward_doorbells *doorbells;
	struct ward_doorbell doorbell;
	struct fixture f;

	(void)state;
	assert_int_equal(smmu->reserved.kind, WARD_REGION_SW_MSI);
	start(&f, smmu);
	assert_int_equal(ward_doorbells_create(&options, &doorbells), 0);
	assert_int_equal(ward_doorbell_map(doorbells, space, ward_pa(0x20200040), ward_gpa(0),
					   &doorbell),
			 0);
	assert_int_equal(attach(&f, space), 0);
	assert_int_equal(ward_doorbell_map(doorbells, space, ward_pa(0x30300040), ward_gpa(0),
					   &doorbell),
			 0);
	/* An owner's page in the window keeps out both, whichever comes. */
	assert_int_equal(map(taken, 0x8010000, 0x8010fff, 0x40000000), 0);
	assert_int_equal(attach(&f, taken), -EADDRINUSE);
	assert_int_equal(ward_doorbell_map(doorbells, taken, ward_pa(0x20200040), ward_gpa(0),
					   &doorbell),
			 -EADDRINUSE);
	ward_space_destroy(space);
	ward_space_destroy(taken);
	ward_doorbells_destroy(doorbells);
	stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whichever_comes_second),
		cmocka_unit_test(a_refused_move_changes_nothing),
		cmocka_unit_test(regions_outlast_the_attachment),
		cmocka_unit_test(the_second_in_a_space_is_judged_too),
		cmocka_unit_test(doorbells_are_at_home_in_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
