// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Step 2 of a DMA's way: the address in the space. No lock, no allocation. */
#include "dma/nested.h"
#include "dma/space.h"

#include <errno.h>

static int fault(struct ward_fault *ret_fault, enum ward_fault_reason reason, uint8_t stage,
		 ward_iova_t iova, uint32_t access)
{
	if (ret_fault) {
		*ret_fault = (struct ward_fault){
			.reason = reason,
			.fault_class = WARD_CLASS_INPUT,
			.stage = stage,
			.level = WARD_NO_LEVEL,
			.access = access,
			.iova = iova,
			.gpa = ward_gpa(stage == 2 ? ward_iova_raw(iova) : 0),
		};
	}
	return -EFAULT;
}

static int translate_identity(const struct ward_space *space, ward_iova_t iova, uint32_t access,
			      struct ward_translation *ret_translation,
			      struct ward_fault *ret_fault)
{
	if (!ward_range_has(space->aperture, ward_iova_raw(iova)))
		return fault(ret_fault, WARD_FAULT_ADDRESS_SIZE, 2, iova, access);
	*ret_translation = (struct ward_translation){
		.target = ward_target(ward_iova_raw(iova)),
		.access = WARD_READ | WARD_WRITE | WARD_EXEC,
		.type = WARD_NORMAL,
		.input = space->aperture,
	};
	return 0;
}

static int translate_mapped(const struct ward_space *space, ward_iova_t iova, uint32_t access,
			    struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	struct ward_tree_entry entry;

	if (!ward_tree_find(&space->tree, ward_iova_raw(iova), &entry))
		return fault(ret_fault, WARD_FAULT_TRANSLATION, 2, iova, access);
	if (access & ~ward_value_access(entry.value))
		return fault(ret_fault, WARD_FAULT_PERMISSION, 2, iova, access);
	*ret_translation = (struct ward_translation){
		.target = ward_target(ward_value_target(entry.value) +
				      (ward_iova_raw(iova) - entry.start)),
		.access = ward_value_access(entry.value),
		.type = ward_value_type(entry.value),
		.input = { entry.start, entry.last },
	};
	return 0;
}

int ward_space_translate(const struct ward_space *space, struct ward_reader *reader,
			 ward_pasid_t pasid, ward_iova_t iova, uint32_t access,
			 struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	switch (space->kind) {
	case WARD_SPACE_UNMANAGED:
	case WARD_SPACE_DYNAMIC:
		return translate_mapped(space, iova, access, ret_translation, ret_fault);
	case WARD_SPACE_IDENTITY:
		return translate_identity(space, iova, access, ret_translation, ret_fault);
	case WARD_SPACE_NESTED:
		return ward_nested_translate(&space->stage1, space->parent, reader, pasid, iova,
					     access, ret_translation, ret_fault);
	case WARD_SPACE_BLOCKED:
		break;
	}
	return fault(ret_fault, WARD_FAULT_BLOCKED, 0, iova, access);
}

bool ward_space_next(const struct ward_space *space, ward_iova_t from,
		     struct ward_mapping *ret_mapping)
{
	struct ward_tree_entry entry;

	if (!ward_tree_next(&space->tree, ward_iova_raw(from), &entry))
		return false;
	*ret_mapping = ward_space_mapping(&entry);
	return true;
}
