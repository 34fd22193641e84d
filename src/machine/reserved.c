// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Reserved regions of one function: what firmware and the kernel say, and what its IOMMU brings
 * along. Architecture's share is that of Linux: drivers/iommu/intel/iommu.c, amd/iommu.c,
 * arm/arm-smmu-v3/arm-smmu-v3.c, arm/arm-smmu/arm-smmu.c and virtio-iommu.c, in each the function
 * that fills get_resv_regions.
 */
#include <doorward/machine.h>

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"

/* HyperTransport's own addresses: AMD's IOMMUs never see a DMA to them. */
#define AMD_HT_START 0xfd00000000u
#define AMD_HT_LAST 0xffffffffffu

struct reserved_list {
	struct ward_reserved *all;
	size_t count, capacity;
};

static int add(struct reserved_list *list, struct ward_range range, enum ward_region_kind kind)
{
	void *all = list->all;
	int err = ward_array_reserve(&all, &list->capacity, list->count + 1, sizeof(*list->all));

	if (err < 0)
		return err;
	list->all = all;
	list->all[list->count++] = (struct ward_reserved){ .range = range, .kind = kind };
	return 0;
}

static bool has_id(const struct ward_function *f, ward_rid_t rid)
{
	if (ward_rid_raw(f->address.rid) == ward_rid_raw(rid))
		return true;
	for (unsigned int i = 0; i < f->aliases; i++)
		if (ward_rid_raw(f->alias[i]) == ward_rid_raw(rid))
			return true;
	return false;
}

/* Functions that an IOMMU sees under one id are in one space, and so are their regions. */
static bool share_space(const struct ward_function *a, const struct ward_function *b)
{
	if (a->kind != WARD_FUNCTION_PCI || b->kind != WARD_FUNCTION_PCI)
		return false;
	if (a->address.segment != b->address.segment)
		return false;
	if (has_id(a, b->address.rid))
		return true;
	for (unsigned int i = 0; i < b->aliases; i++)
		if (has_id(a, b->alias[i]))
			return true;
	return false;
}

static bool applies(const struct ward_machine *machine, const struct ward_region *region,
		    uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];

	if (region->group != WARD_NONE && region->group == f->group)
		return true;
	return region->function < machine->functions_count &&
	       (region->function == function ||
		share_space(f, &machine->functions[region->function]));
}

/*
 * The kernel's list of a group holds architecture's share, too; that it has an MSI window tells
 * such a list from rows that were made by hand.
 */
static bool is_complete(const struct reserved_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->all[i].kind == WARD_REGION_MSI || list->all[i].kind == WARD_REGION_SW_MSI)
			return true;
	return false;
}

static int add_x86_window(struct reserved_list *list)
{
	return add(list, (struct ward_range){ WARD_X86_MSI_START, WARD_X86_MSI_LAST },
		   WARD_REGION_MSI);
}

static int add_of_iommu(struct reserved_list *list, const struct ward_machine *machine,
			enum ward_iommu_kind kind)
{
	int err;

	switch (kind) {
	case WARD_IOMMU_VTD:
		return add_x86_window(list);
	case WARD_IOMMU_AMD:
		err = add_x86_window(list);
		return err ? err
			   : add(list, (struct ward_range){ AMD_HT_START, AMD_HT_LAST },
				 WARD_REGION_RESERVED);
	case WARD_IOMMU_VIRTIO:
		/* On x86 the device has to tell of the window (virtio 1.3, 5.13.6.7 T_MSI). */
		if (machine->arch == WARD_ARCH_X86)
			return add_x86_window(list);
		break;
	case WARD_IOMMU_SMMUV3:
	case WARD_IOMMU_SMMUV2:
		break;
	case WARD_IOMMU_OTHER:
		return 0;
	}
	return add(list, (struct ward_range){ WARD_SW_MSI_START, WARD_SW_MSI_LAST },
		   WARD_REGION_SW_MSI);
}

static int add_architecture(struct reserved_list *list, const struct ward_machine *machine,
			    const struct ward_function *f)
{
	bool unknown = f->stream.iommu == WARD_NONE && f->iommu_known == WARD_UNKNOWN;
	int err = 0;

	/* Which IOMMU is not known: whatever any of them reserves. */
	for (uint32_t i = 0; i < machine->iommus_count && !err; i++)
		if (unknown || f->stream.iommu == i)
			err = add_of_iommu(list, machine, machine->iommus[i].kind);
	/* The root complex takes writes there for interrupts, with or without an IOMMU. */
	return err || machine->arch != WARD_ARCH_X86 ? err : add_x86_window(list);
}

static int compare(const void *a, const void *b)
{
	const struct ward_reserved *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->range.start < y->range.start ? -1 : x->range.start > y->range.start;
}

static int compare_starts(const void *a, const void *b)
{
	const struct ward_reserved *x = a, *y = b;

	if (x->range.start != y->range.start)
		return x->range.start < y->range.start ? -1 : 1;
	return compare(a, b);
}

/* Those of one kind that overlap or touch become one; kinds stay apart. */
static void merge(struct reserved_list *list)
{
	size_t kept = 0;

	qsort(list->all, list->count, sizeof(*list->all), compare);
	for (size_t i = 1; i < list->count; i++) {
		struct ward_reserved *last = &list->all[kept];
		const struct ward_reserved *next = &list->all[i];

		if (next->kind == last->kind &&
		    (last->range.last == UINT64_MAX || next->range.start <= last->range.last + 1)) {
			if (next->range.last > last->range.last)
				last->range.last = next->range.last;
		} else {
			list->all[++kept] = *next;
		}
	}
	if (list->count)
		list->count = kept + 1;
	qsort(list->all, list->count, sizeof(*list->all), compare_starts);
}

int ward_machine_reserved(const struct ward_machine *machine, uint32_t function,
			  struct ward_reserved **ret_reserved, uint32_t *ret_count)
{
	struct reserved_list list = { 0 };
	int err = 0;

	if (function >= machine->functions_count)
		return -EINVAL;
	list.all = ward_alloc_array(1, sizeof(*list.all));
	if (!list.all)
		return -ENOMEM;
	list.capacity = 1;
	for (uint32_t i = 0; i < machine->regions_count && !err; i++)
		if (applies(machine, &machine->regions[i], function))
			err = add(&list, machine->regions[i].range, machine->regions[i].kind);
	if (!err && !is_complete(&list))
		err = add_architecture(&list, machine, &machine->functions[function]);
	if (err) {
		free(list.all);
		return err;
	}
	merge(&list);
	*ret_reserved = list.all;
	*ret_count = (uint32_t)list.count;
	return 0;
}
