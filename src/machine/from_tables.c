// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "machine/from_tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"

/* Behind the control page; GITS_TRANSLATER is in it (Arm IHI 0069, 12.18). */
#define ITS_TRANSLATION_OFFSET 0x10000u
#define ITS_TRANSLATION_SIZE 0x10000u

uint32_t *ward_ordinals_alloc(uint32_t count)
{
	uint32_t *ordinals = ward_alloc_array(count, sizeof(*ordinals));

	for (uint32_t i = 0; ordinals && i < count; i++)
		ordinals[i] = WARD_NONE;
	return ordinals;
}

int ward_add_frame(struct ward_builder *builder, uint64_t base, uint64_t size, uint32_t first_intid,
		   uint32_t intids, uint32_t firmware_id, const char *evidence,
		   uint32_t *ret_ordinal)
{
	char name[48];
	struct ward_controller frame = {
		.kind = WARD_CONTROLLER_GICV2M,
		.name = name,
		.isolates = WARD_NO,
		.first_intid = first_intid,
		.intids = intids,
		/* Linux takes a vector from the first frame that has one free: all are one pool. */
		.pool = 0,
		.firmware_id = firmware_id,
		.evidence = evidence,
		.doorbells_count = 1,
	};
	int err = ward_range_make(base, size, frame.doorbells);

	if (err)
		return err;
	snprintf(name, sizeof(name), "GICv2m frame 0x%08llx", (unsigned long long)base);
	return ward_builder_add_controller(builder, &frame, ret_ordinal);
}

int ward_add_its(struct ward_builder *builder, uint64_t base, uint32_t firmware_id,
		 enum ward_tri isolates, const char *evidence, uint32_t *ret_ordinal)
{
	char name[48];
	struct ward_controller its = {
		.kind = WARD_CONTROLLER_GICV3_ITS,
		.name = name,
		.isolates = isolates,
		.pool = ward_builder_machine(builder)->controllers_count,
		.firmware_id = firmware_id,
		.evidence = evidence,
		.doorbells_count = 1,
	};
	int err =
		ward_range_make(base + ITS_TRANSLATION_OFFSET, ITS_TRANSLATION_SIZE, its.doorbells);

	if (err)
		return err;
	snprintf(name, sizeof(name), "GICv3 ITS 0x%08llx", (unsigned long long)base);
	return ward_builder_add_controller(builder, &its, ret_ordinal);
}

int ward_add_row(struct ward_builder *builder, const struct ward_row *row)
{
	const struct ward_id_map map = {
		.kind = row->kind,
		.segment = row->segment,
		.first = ward_rid(row->first),
		.last = ward_rid(row->last),
		.mask = 0xffff,
		.target = row->target,
		.output_base = row->output,
		.evidence = row->evidence,
	};

	return ward_builder_add_id_map(builder, &map);
}

static int compare_listed(const void *a, const void *b)
{
	const struct ward_listed *x = a, *y = b;

	return ward_address_compare(x->address, y->address);
}

int ward_list_functions(struct ward_builder *builder, struct ward_listed **ret_list,
			uint32_t *ret_count)
{
	const struct ward_machine *machine = ward_builder_machine(builder);
	struct ward_listed *list = ward_alloc_array(machine->functions_count, sizeof(*list));
	uint32_t count = 0;

	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];

		if (f->kind != WARD_FUNCTION_PCI)
			continue;
		list[count++] = (struct ward_listed){
			.address = f->address,
			.function = i,
			.iommu = WARD_NONE,
			.id = ward_rid_raw(f->address.rid),
		};
	}
	if (count)
		qsort(list, count, sizeof(*list), compare_listed);
	*ret_list = list;
	*ret_count = count;
	return 0;
}

/* Both are served alike and seen under their own ids: one range may hold both. */
static bool are_alike(const struct ward_listed *a, const struct ward_listed *b)
{
	return a->address.segment == b->address.segment && a->iommu == b->iommu &&
	       a->id == ward_rid_raw(a->address.rid) && b->id == ward_rid_raw(b->address.rid);
}

int ward_add_listed(struct ward_builder *builder, const struct ward_listed *list, uint32_t count,
		    const char *evidence)
{
	uint32_t end;

	for (uint32_t i = 0; i < count; i = end) {
		struct ward_row row = {
			.kind = WARD_ID_MAP_IOMMU,
			.segment = list[i].address.segment,
			.first = ward_rid_raw(list[i].address.rid),
			.target = list[i].iommu,
			.output = list[i].id,
			.evidence = evidence,
		};
		int err;

		end = i + 1;
		while (end < count && are_alike(&list[i], &list[end]))
			end++;
		row.last = ward_rid_raw(list[end - 1].address.rid);
		err = ward_add_row(builder, &row);
		if (err)
			return err;
	}
	return 0;
}

int ward_each_segment(const struct ward_listed *list, uint32_t count,
		      int (*step)(uint32_t segment, void *context), void *context)
{
	for (uint32_t i = 0; i < count; i++) {
		int err;

		if (i > 0 && list[i].address.segment == list[i - 1].address.segment)
			continue;
		err = step(list[i].address.segment, context);
		if (err)
			return err;
	}
	return 0;
}
