// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Reserved regions of a function: from firmware and kernel, from neighbours, from architecture. */
#include "isolate/make.h"

#include "sweep.h"

#define X86_WINDOW                                          \
	{                                                   \
		{ 0xfee00000, 0xfeefffff }, WARD_REGION_MSI \
	}
#define HT_WINDOW                                                    \
	{                                                            \
		{ 0xfd00000000, 0xffffffffff }, WARD_REGION_RESERVED \
	}
#define SOFTWARE_WINDOW                                      \
	{                                                    \
		{ 0x8000000, 0x80fffff }, WARD_REGION_SW_MSI \
	}

static void is(const struct ward_machine *machine, const char *name,
	       const struct ward_reserved *expected, uint32_t count)
{
	struct ward_reserved *reserved = NULL;
	uint32_t got = 0;

	assert_int_equal(ward_machine_reserved(machine, at_of(machine, name), &reserved, &got), 0);
	for (uint32_t i = 0; i < got && i < count; i++)
		if (reserved[i].range.start != expected[i].range.start ||
		    reserved[i].range.last != expected[i].range.last ||
		    reserved[i].kind != expected[i].kind)
			fail_msg("%s: region %u is %#jx-%#jx kind %d", name, i,
				 (uintmax_t)reserved[i].range.start,
				 (uintmax_t)reserved[i].range.last, (int)reserved[i].kind);
	assert_int_equal(got, count);
	free(reserved);
}

#define IS(machine, name, ...)                                           \
	is(machine, name, (const struct ward_reserved[]){ __VA_ARGS__ }, \
	   sizeof((const struct ward_reserved[]){ __VA_ARGS__ }) / sizeof(struct ward_reserved))

static void add_region(struct make *m, const char *function, uint64_t start, uint64_t last,
		       enum ward_region_kind kind)
{
	region(m, function, kind);
	m->regions[m->regions_count - 1].range = (struct ward_range){ start, last };
}

static void architectures_have_their_windows(void **state)
{
	static const struct {
		enum ward_arch arch;
		enum ward_iommu_kind iommu;
		uint32_t count;
		struct ward_reserved expected[2];
	} rows[] = {
		{ WARD_ARCH_X86, WARD_IOMMU_VTD, 1, { X86_WINDOW } },
		{ WARD_ARCH_UNKNOWN, WARD_IOMMU_VTD, 1, { X86_WINDOW } },
		{ WARD_ARCH_X86, WARD_IOMMU_AMD, 2, { X86_WINDOW, HT_WINDOW } },
		{ WARD_ARCH_X86, WARD_IOMMU_VIRTIO, 1, { X86_WINDOW } },
		{ WARD_ARCH_X86, WARD_IOMMU_OTHER, 1, { X86_WINDOW } },
		{ WARD_ARCH_ARM64, WARD_IOMMU_SMMUV3, 1, { SOFTWARE_WINDOW } },
		{ WARD_ARCH_ARM64, WARD_IOMMU_SMMUV2, 1, { SOFTWARE_WINDOW } },
		{ WARD_ARCH_ARM64, WARD_IOMMU_VIRTIO, 1, { SOFTWARE_WINDOW } },
		{ WARD_ARCH_ARM64, WARD_IOMMU_OTHER, 0, { SOFTWARE_WINDOW } },
		{ WARD_ARCH_POWER, WARD_IOMMU_OTHER, 0, { SOFTWARE_WINDOW } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct make m;

		make_empty(&m, rows[i].arch, 4096);
		make_iommu(&m, rows[i].iommu);
		endpoint(&m, "01:00.0");
		make_done(&m);
		is(m.machine, "01:00.0", rows[i].expected, rows[i].count);
		make_free(&m);
	}
}

/* A window belongs to the IOMMU that serves the function; of an unknown one, all are possible. */
static void the_iommu_decides(void **state)
{
	struct make m;

	(void)state;
	make_empty(&m, WARD_ARCH_ARM64, 4096);
	make_iommu(&m, WARD_IOMMU_OTHER);
	make_iommu(&m, WARD_IOMMU_SMMUV3);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0")->stream.iommu = 1;
	endpoint(&m, "03:00.0")->stream.iommu = WARD_NONE;
	m.functions[m.count - 1].iommu_known = WARD_UNKNOWN;
	endpoint(&m, "04:00.0")->stream.iommu = WARD_NONE;
	make_done(&m);
	is(m.machine, "01:00.0", NULL, 0);
	IS(m.machine, "02:00.0", SOFTWARE_WINDOW);
	IS(m.machine, "03:00.0", SOFTWARE_WINDOW);
	is(m.machine, "04:00.0", NULL, 0);
	make_free(&m);
}

static void firmware_and_group_come_together(void **state)
{
	struct make m;

	(void)state;
	make_x86(&m);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0");
	endpoint(&m, "03:00.0");
	kernel_group(&m, 4, "01:00.0", "02:00.0");
	add_region(&m, "02:00.0", 0x7d000000, 0x7dffffff, WARD_REGION_DIRECT);
	add_region(&m, "01:00.0", 0x1000, 0x1fff, WARD_REGION_DIRECT_RELAXABLE);
	add_region(&m, NULL, 0x8000, 0x8fff, WARD_REGION_RESERVED);
	m.regions[2].group = 0;
	make_done(&m);
	IS(m.machine, "01:00.0", { { 0x1000, 0x1fff }, WARD_REGION_DIRECT_RELAXABLE },
	   { { 0x8000, 0x8fff }, WARD_REGION_RESERVED }, X86_WINDOW);
	IS(m.machine, "02:00.0", { { 0x8000, 0x8fff }, WARD_REGION_RESERVED },
	   { { 0x7d000000, 0x7dffffff }, WARD_REGION_DIRECT }, X86_WINDOW);
	IS(m.machine, "03:00.0", X86_WINDOW);
	make_free(&m);
}

/* Behind one requester id there is one space, and so the regions of all. */
static void shared_ids_share_regions(void **state)
{
	struct make m;

	(void)state;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(&m, "01:00.0", 2);
	conventional(&m, "02:01.0");
	conventional(&m, "02:02.0");
	endpoint(&m, "03:00.0");
	endpoint(&m, "0001:02:01.0");
	add_region(&m, "02:01.0", 0x7d000000, 0x7dffffff, WARD_REGION_DIRECT);
	make_done(&m);
	IS(m.machine, "02:02.0", { { 0x7d000000, 0x7dffffff }, WARD_REGION_DIRECT }, X86_WINDOW);
	IS(m.machine, "03:00.0", X86_WINDOW);
	IS(m.machine, "0001:02:01.0", X86_WINDOW);
	make_free(&m);
}

/* The kernel's own list holds what the architecture brings; a virtual IOMMU may differ. */
static void a_kernel_list_is_complete(void **state)
{
	struct make m;

	(void)state;
	make_empty(&m, WARD_ARCH_ARM64, 65536);
	make_iommu(&m, WARD_IOMMU_VIRTIO);
	endpoint(&m, "01:00.0");
	kernel_group(&m, 0, "01:00.0", NULL);
	add_region(&m, NULL, 0x8090000, 0x809ffff, WARD_REGION_MSI);
	m.regions[0].group = 0;
	make_done(&m);
	IS(m.machine, "01:00.0", { { 0x8090000, 0x809ffff }, WARD_REGION_MSI });
	make_free(&m);
}

static void merged_by_kind_and_sorted(void **state)
{
	struct make m;

	(void)state;
	make_empty(&m, WARD_ARCH_POWER, 65536);
	make_iommu(&m, WARD_IOMMU_OTHER);
	endpoint(&m, "01:00.0");
	add_region(&m, "01:00.0", 0x5000, 0x5fff, WARD_REGION_DIRECT);
	add_region(&m, "01:00.0", 0x4000, 0x4fff, WARD_REGION_DIRECT);
	add_region(&m, "01:00.0", 0x4800, 0x48ff, WARD_REGION_DIRECT);
	add_region(&m, "01:00.0", 0x4000, 0x9fff, WARD_REGION_RESERVED);
	add_region(&m, "01:00.0", 0x6001, 0x6fff, WARD_REGION_DIRECT);
	add_region(&m, "01:00.0", 0xfffffffffffff000, UINT64_MAX, WARD_REGION_RESERVED);
	add_region(&m, "01:00.0", 0xffffffffffffff00, UINT64_MAX, WARD_REGION_RESERVED);
	make_done(&m);
	IS(m.machine, "01:00.0", { { 0x4000, 0x5fff }, WARD_REGION_DIRECT },
	   { { 0x4000, 0x9fff }, WARD_REGION_RESERVED }, { { 0x6001, 0x6fff }, WARD_REGION_DIRECT },
	   { { 0xfffffffffffff000, UINT64_MAX }, WARD_REGION_RESERVED });
	make_free(&m);
}

static int ask(void *context)
{
	struct ward_reserved *reserved = NULL;
	uint32_t count;
	int err = ward_machine_reserved(context, 0, &reserved, &count);

	if (!err)
		free(reserved);
	else if (reserved)
		fail_msg("an output was written by a call that failed");
	return err;
}

static void refusals(void **state)
{
	struct ward_reserved *reserved = (void *)&reserved;
	uint32_t count = 7;
	struct make m;

	(void)state;
	make_empty(&m, WARD_ARCH_X86, 4096);
	make_iommu(&m, WARD_IOMMU_AMD);
	endpoint(&m, "01:00.0");
	make_done(&m);
	assert_int_equal(ward_machine_reserved(m.machine, 1, &reserved, &count), -EINVAL);
	assert_int_equal(ward_machine_reserved(m.machine, WARD_NONE, &reserved, &count), -EINVAL);
	assert_ptr_equal(reserved, &reserved);
	assert_int_equal(count, 7);
	assert_true(test_sweep(ask, m.machine) > 0);
	make_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(architectures_have_their_windows),
		cmocka_unit_test(the_iommu_decides),
		cmocka_unit_test(firmware_and_group_come_together),
		cmocka_unit_test(shared_ids_share_regions),
		cmocka_unit_test(a_kernel_list_is_complete),
		cmocka_unit_test(merged_by_kind_and_sorted),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
