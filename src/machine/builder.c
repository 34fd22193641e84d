// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "machine/builder.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"

/* More than any machine has; keeps every index and every product of sizes in 32 bits. */
#define FUNCTIONS_MAX (1u << 20)
#define NAMES_MAX 64
#define ID_MAPS_MAX (1u << 20)
#define SEGMENTS_MAX (1u << 20)

int ward_builder_create(struct ward_builder **ret_builder)
{
	struct ward_builder *builder = ward_alloc(sizeof(*builder));

	if (!builder)
		return -ENOMEM;
	builder->storage = ward_alloc(sizeof(*builder->storage));
	if (!builder->storage) {
		free(builder);
		return -ENOMEM;
	}
	builder->storage->machine.page_size = 4096;
	*ret_builder = builder;
	return 0;
}

void ward_function_init(struct ward_function *ret_function)
{
	*ret_function = (struct ward_function){
		.bus = WARD_NONE,
		.parent = WARD_NONE,
		.bridge = { .bus = WARD_NONE,
			    .memory = WARD_RANGE_EMPTY,
			    .prefetchable = WARD_RANGE_EMPTY },
		.pcie_type = WARD_PCIE_NONE,
		.physfn = WARD_NONE,
		.stream = { .iommu = WARD_NONE },
		.controller = WARD_NONE,
		.group = WARD_NONE,
		.pe = WARD_NONE,
	};
	for (size_t i = 0; i < sizeof(ret_function->bar) / sizeof(ret_function->bar[0]); i++)
		ret_function->bar[i].range = WARD_RANGE_EMPTY;
}

struct ward_machine *ward_builder_machine(struct ward_builder *builder)
{
	return &builder->storage->machine;
}

/* Replaces *text by a copy of the machine's own; NULL stays NULL. */
static int own_text(struct ward_builder *builder, const char **text)
{
	if (*text && !(*text = ward_arena_strdup(&builder->storage->arena, *text)))
		return -ENOMEM;
	return 0;
}

int ward_builder_set_host(struct ward_builder *builder, enum ward_arch arch,
			  const char *kernel_release, const char *command_line, uint64_t page_size)
{
	struct ward_machine *machine = ward_builder_machine(builder);

	if (page_size != 4096 && page_size != 16384 && page_size != 65536)
		return -EINVAL;
	if (own_text(builder, &kernel_release) || own_text(builder, &command_line))
		return -ENOMEM;
	machine->arch = arch;
	machine->kernel_release = kernel_release;
	machine->command_line = command_line;
	machine->page_size = page_size;
	return 0;
}

static size_t address_hash(struct ward_address address)
{
	uint64_t key = (uint64_t)address.segment << 16 | ward_rid_raw(address.rid);

	return (size_t)(key * 0x9e3779b97f4a7c15u >> 32);
}

/* The slot of an address: its own, or the empty one where it belongs. */
static size_t find_slot(const struct ward_builder *builder, struct ward_address address)
{
	const struct ward_function *functions = builder->storage->machine.functions;
	size_t slot = address_hash(address) & (builder->slots_count - 1);

	while (builder->slots[slot] &&
	       ward_address_compare(functions[builder->slots[slot] - 1].address, address) != 0)
		slot = (slot + 1) & (builder->slots_count - 1);
	return slot;
}

uint32_t ward_builder_find(const struct ward_builder *builder, struct ward_address address)
{
	size_t slot;

	if (!builder->slots_count)
		return WARD_NONE;
	slot = find_slot(builder, address);
	return builder->slots[slot] ? builder->slots[slot] - 1 : WARD_NONE;
}

/* Keeps the table at most half full. */
static int grow_slots(struct ward_builder *builder)
{
	const struct ward_machine *machine = &builder->storage->machine;
	uint32_t *old = builder->slots;
	size_t old_count = builder->slots_count, count = old_count ? old_count * 2 : 64;

	if ((machine->functions_count + 1) * 2 <= old_count)
		return 0;
	builder->slots = ward_alloc_array(count, sizeof(*builder->slots));
	if (!builder->slots) {
		builder->slots = old;
		return -ENOMEM;
	}
	builder->slots_count = count;
	for (size_t i = 0; i < old_count; i++) {
		if (old[i])
			builder->slots[find_slot(builder, machine->functions[old[i] - 1].address)] =
				old[i];
	}
	free(old);
	return 0;
}

static bool function_is_sound(const struct ward_function *f)
{
	if (f->kind == WARD_FUNCTION_PLATFORM)
		return f->name && f->name[0];
	if (f->kind != WARD_FUNCTION_PCI || f->header_type > 2 || f->class_code > 0xffffff)
		return false;
	if (f->msi && (f->msi_vectors < 1 || f->msi_vectors > 32))
		return false;
	if (f->msix && (f->msix_vectors < 1 || f->msix_vectors > 2048))
		return false;
	return f->intx_pin <= 4 && f->names_count <= NAMES_MAX && f->aliases <= WARD_ALIASES_MAX;
}

static int own_function_texts(struct ward_builder *builder, struct ward_function *f)
{
	struct ward_arena *arena = &builder->storage->arena;
	char text[WARD_ADDRESS_TEXT];
	const char **names;

	if (f->kind == WARD_FUNCTION_PCI) {
		ward_address_format(f->address, text);
		f->name = text;
	}
	if (own_text(builder, &f->name) || own_text(builder, &f->path) ||
	    own_text(builder, &f->alias_name) || own_text(builder, &f->acs.quirk_name) ||
	    own_text(builder, &f->controller_evidence) || own_text(builder, &f->iommu_evidence))
		return -ENOMEM;
	names = ward_arena_alloc(arena, f->names_count * sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (uint32_t i = 0; i < f->names_count; i++) {
		names[i] = f->names[i];
		if (own_text(builder, &names[i]))
			return -ENOMEM;
	}
	f->names = names;
	return 0;
}

int ward_builder_add_function(struct ward_builder *builder, const struct ward_function *function,
			      uint32_t *ret_ordinal)
{
	struct ward_machine *machine = ward_builder_machine(builder);
	struct ward_function copy = *function;
	void *functions = machine->functions;
	uint32_t ordinal = machine->functions_count;

	if (!function_is_sound(function) || ordinal == FUNCTIONS_MAX)
		return -EINVAL;
	if (function->kind == WARD_FUNCTION_PCI &&
	    ward_builder_find(builder, function->address) != WARD_NONE)
		return -EEXIST;
	if (own_function_texts(builder, &copy) || grow_slots(builder) ||
	    ward_array_reserve(&functions, &builder->functions_capacity, ordinal + 1u,
			       sizeof(*machine->functions)))
		return -ENOMEM;
	machine->functions = functions;
	machine->functions[ordinal] = copy;
	if (function->kind == WARD_FUNCTION_PCI)
		builder->slots[find_slot(builder, function->address)] = ordinal + 1;
	machine->functions_count++;
	if (ret_ordinal)
		*ret_ordinal = ordinal;
	return 0;
}

/* Appends one element to an array of the machine and counts it. */
static int append(void *array_pointer, size_t *capacity, uint32_t *count, const void *element,
		  size_t size, uint32_t *ret_ordinal)
{
	void *array;

	memcpy(&array, array_pointer, sizeof(array));
	if (ward_array_reserve(&array, capacity, *count + 1u, size))
		return -ENOMEM;
	memcpy(array_pointer, &array, sizeof(array));
	memcpy((char *)array + *count * size, element, size);
	if (ret_ordinal)
		*ret_ordinal = *count;
	(*count)++;
	return 0;
}

int ward_builder_add_iommu(struct ward_builder *builder, const struct ward_iommu *iommu,
			   uint32_t *ret_ordinal)
{
	struct ward_machine *machine = ward_builder_machine(builder);
	struct ward_iommu copy = *iommu;

	if (!iommu->name || (unsigned int)iommu->domains > WARD_DOMAINS_FIXED)
		return -EINVAL;
	if (own_text(builder, &copy.name))
		return -ENOMEM;
	return append(&machine->iommus, &builder->iommus_capacity, &machine->iommus_count, &copy,
		      sizeof(copy), ret_ordinal);
}

int ward_builder_add_controller(struct ward_builder *builder,
				const struct ward_controller *controller, uint32_t *ret_ordinal)
{
	struct ward_machine *machine = ward_builder_machine(builder);
	struct ward_controller copy = *controller;

	if (!controller->name || controller->doorbells_count == 0 ||
	    controller->doorbells_count > WARD_DOORBELL_RANGES)
		return -EINVAL;
	for (uint32_t i = 0; i < controller->doorbells_count; i++)
		if (ward_range_is_empty(controller->doorbells[i]))
			return -EINVAL;
	if (own_text(builder, &copy.name) || own_text(builder, &copy.evidence))
		return -ENOMEM;
	return append(&machine->controllers, &builder->controllers_capacity,
		      &machine->controllers_count, &copy, sizeof(copy), ret_ordinal);
}

int ward_builder_add_group(struct ward_builder *builder, const struct ward_kernel_group *group,
			   uint32_t *ret_ordinal)
{
	struct ward_machine *machine = ward_builder_machine(builder);

	return append(&machine->groups, &builder->groups_capacity, &machine->groups_count, group,
		      sizeof(*group), ret_ordinal);
}

int ward_builder_add_region(struct ward_builder *builder, const struct ward_region *region)
{
	struct ward_machine *machine = ward_builder_machine(builder);
	struct ward_region copy = *region;

	if (ward_range_is_empty(region->range))
		return -EINVAL;
	if (own_text(builder, &copy.source))
		return -ENOMEM;
	return append(&machine->regions, &builder->regions_capacity, &machine->regions_count, &copy,
		      sizeof(copy), NULL);
}

int ward_builder_add_segment(struct ward_builder *builder, const struct ward_mmio_segment *segment)
{
	struct ward_machine *machine = ward_builder_machine(builder);

	if (ward_range_is_empty(segment->range) || segment->pe == WARD_NONE ||
	    machine->segments_count == SEGMENTS_MAX)
		return -EINVAL;
	return append(&machine->segments, &builder->segments_capacity, &machine->segments_count,
		      segment, sizeof(*segment), NULL);
}

int ward_builder_add_id_map(struct ward_builder *builder, const struct ward_id_map *map)
{
	struct ward_id_map copy = *map;
	uint32_t count = (uint32_t)builder->maps_count;

	if (ward_rid_raw(map->first) > ward_rid_raw(map->last) ||
	    (ward_rid_raw(map->first) & ~map->mask) != 0 || count == ID_MAPS_MAX)
		return -EINVAL;
	if (own_text(builder, &copy.evidence))
		return -ENOMEM;
	if (append(&builder->maps, &builder->maps_capacity, &count, &copy, sizeof(copy), NULL))
		return -ENOMEM;
	builder->maps_count = count;
	return 0;
}

int ward_builder_remark(struct ward_builder *builder, const char *code, const char *format, ...)
{
	struct ward_machine *machine = ward_builder_machine(builder);
	struct ward_remark remark = { .code = code };
	va_list args;

	va_start(args, format);
	remark.text = ward_arena_vprintf(&builder->storage->arena, format, args);
	va_end(args);
	if (!remark.text || own_text(builder, &remark.code))
		return -ENOMEM;
	return append(&machine->remarks, &builder->remarks_capacity, &machine->remarks_count,
		      &remark, sizeof(remark), NULL);
}

int ward_builder_finish(struct ward_builder *builder, struct ward_machine **ret_machine,
			struct ward_error *ret_error)
{
	int err = ward_builder_link(builder, ret_error);

	if (err == -ENOMEM)
		ward_fail(ret_error, err, "out of memory");
	if (!err) {
		struct ward_machine *machine = ward_builder_machine(builder);

		machine->id_maps = builder->maps;
		machine->id_maps_count = (uint32_t)builder->maps_count;
		builder->maps = NULL;
		*ret_machine = machine;
		builder->storage = NULL;
	}
	ward_builder_destroy(builder);
	return err;
}

void ward_builder_destroy(struct ward_builder *builder)
{
	if (!builder)
		return;
	if (builder->storage)
		ward_machine_destroy(&builder->storage->machine);
	free(builder->maps);
	free(builder->sorted);
	free(builder->slots);
	free(builder);
}
