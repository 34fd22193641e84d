// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "machine/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

uint32_t ward_machine_find(const struct ward_machine *machine, struct ward_address address)
{
	uint32_t low = 0, high = machine->functions_count;

	/* Platform devices stand behind all PCI functions. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct ward_function *f = &machine->functions[middle];

		if (f->kind == WARD_FUNCTION_PCI && ward_address_compare(f->address, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == machine->functions_count)
		return WARD_NONE;
	if (machine->functions[low].kind != WARD_FUNCTION_PCI ||
	    ward_address_compare(machine->functions[low].address, address) != 0)
		return WARD_NONE;
	return low;
}

static bool function_is_called(const struct ward_function *function, const char *name)
{
	if (strcmp(function->name, name) == 0)
		return true;
	for (uint32_t i = 0; i < function->names_count; i++) {
		if (strcmp(function->names[i], name) == 0)
			return true;
	}
	return false;
}

uint32_t ward_machine_find_name(const struct ward_machine *machine, const char *name)
{
	struct ward_address address;

	if (ward_address_parse(name, &address) == 0) {
		uint32_t found = ward_machine_find(machine, address);

		if (found != WARD_NONE)
			return found;
	}
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		if (function_is_called(&machine->functions[i], name))
			return i;
	}
	return WARD_NONE;
}

static int copy_array(const void *from, uint32_t count, size_t size, void *ret_copy)
{
	void *copy = ward_alloc_array(count, size);

	if (!copy)
		return -ENOMEM;
	if (count)
		memcpy(copy, from, count * size);
	memcpy(ret_copy, &copy, sizeof(copy));
	return 0;
}

int ward_machine_copy(const struct ward_machine *machine, struct ward_machine **ret_machine)
{
	struct ward_machine_storage *storage = ward_alloc(sizeof(*storage));
	struct ward_machine *copy;
	int err = -ENOMEM;

	if (!storage)
		return -ENOMEM;
	copy = &storage->machine;
	*copy = *machine;
	copy->functions = NULL;
	copy->buses = NULL;
	copy->iommus = NULL;
	copy->controllers = NULL;
	copy->groups = NULL;
	copy->regions = NULL;
	copy->remarks = NULL;
	copy->id_maps = NULL;
	copy->segments = NULL;
#define COPY(name) \
	copy_array(machine->name, machine->name##_count, sizeof(*copy->name), &copy->name)
	if (COPY(functions) || COPY(buses) || COPY(iommus) || COPY(controllers) || COPY(groups) ||
	    COPY(regions) || COPY(segments) || COPY(remarks) || COPY(id_maps))
		goto err_destroy;
#undef COPY
	*ret_machine = copy;
	return 0;

err_destroy:
	ward_machine_destroy(copy);
	return err;
}

void ward_machine_destroy(struct ward_machine *machine)
{
	if (!machine)
		return;
	free(machine->functions);
	free(machine->buses);
	free(machine->iommus);
	free(machine->controllers);
	free(machine->groups);
	free(machine->regions);
	free(machine->segments);
	free(machine->remarks);
	free(machine->id_maps);
	ward_arena_finish(&ward_machine_storage(machine)->arena);
	free(ward_machine_storage(machine));
}
