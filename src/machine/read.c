// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Reads a machine and its state from a root directory, in the order of ward_machine_read below.
 * What an attacker's tree can make of it is a strange machine or a refusal, never more.
 */
#include "machine/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "machine/machine.h"
#include "machine/read_files.h"

#define CLASS_IOMMU 0x0806u

static int read_all(struct ward_reading *reading)
{
	static int (*const steps[])(struct ward_reading *) = {
		ward_read_irqs,
		ward_read_host,
		ward_read_iommus,
		ward_read_judge_remapping,
		ward_read_groups,
		ward_read_firmware_devices,
		ward_read_iommus_add,
		ward_read_functions,
		ward_read_functions_add,
		ward_read_firmware_links,
		ward_read_platform,
		ward_read_settle_iommus,
		ward_read_settle_controllers,
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && err == 0; i++)
		err = steps[i](reading);
	return err;
}

/* Ordinals of functions become indexes. */
static void take_indexes(struct ward_reading *reading, const struct ward_machine *machine)
{
	for (size_t i = 0; i < reading->pci_count; i++)
		reading->seen[i].ordinal =
			ward_machine_find(machine, reading->seen[i].function.address);
}

/* msi_bus of a bridge is about what is below it, of any other function about itself. */
static bool msi_forbidden(const struct ward_machine *machine, const bool *bus_off, uint32_t index)
{
	uint32_t bridge = machine->functions[index].parent;

	if (machine->functions[index].header_type == 0 && bus_off[index])
		return true;
	for (; bridge != WARD_NONE; bridge = machine->functions[bridge].parent)
		if (bus_off[bridge])
			return true;
	return false;
}

static int fill_msi_off(const struct ward_reading *reading, struct ward_state *state)
{
	const struct ward_machine *machine = state->machine;
	bool nomsi = ward_read_option(reading, "pci", "nomsi");
	struct ward_arena arena = { 0 };
	bool *bus_off;

	bus_off = ward_arena_alloc(&arena, machine->functions_count);
	if (!bus_off)
		return -ENOMEM;
	for (size_t i = 0; i < reading->pci_count; i++)
		bus_off[reading->seen[i].ordinal] = reading->seen[i].msi_bus_off;
	for (uint32_t i = 0; i < machine->functions_count; i++)
		if (machine->functions[i].kind == WARD_FUNCTION_PCI)
			state->functions[i].msi_off = nomsi || msi_forbidden(machine, bus_off, i);
	ward_arena_finish(&arena);
	return 0;
}

static int fill_function(struct ward_arena *texts, const struct ward_seen *seen,
			 struct ward_state *state)
{
	const struct ward_function *f = &state->machine->functions[seen->ordinal];
	struct ward_function_state *to = &state->functions[seen->ordinal];

	to->irq_mode = seen->mode;
	to->intx_irq = f->intx_pin || f->config_size == 0 ? seen->irq : 0;
	if (seen->driver_override) {
		to->driver_override = ward_arena_strdup(texts, seen->driver_override);
		if (!to->driver_override)
			return -ENOMEM;
	}
	/* An IOMMU that is a function of its own has no driver, and is the kernel's all the same. */
	if (!seen->driver && f->class_code >> 8 == CLASS_IOMMU)
		to->owner = (struct ward_owner){ .kind = WARD_OWNER_HOST };
	return ward_state_bind(state, seen->ordinal, seen->driver);
}

static int make_state(struct ward_reading *reading, struct ward_machine *machine,
		      struct ward_state **ret_state)
{
	struct ward_state *state;
	int err;

	err = ward_state_create(machine, &state);
	if (err < 0)
		return err;
	for (size_t i = 0; i < reading->seen_count && err == 0; i++)
		err = fill_function(&ward_machine_storage(machine)->arena, &reading->seen[i],
				    state);
	if (err == 0)
		err = fill_msi_off(reading, state);
	if (err == 0)
		err = ward_read_vectors(reading, machine, state);
	if (err < 0) {
		ward_state_destroy(state);
		return err;
	}
	*ret_state = state;
	return 0;
}

static int read_machine(struct ward_reading *reading, struct ward_machine **ret_machine,
			struct ward_state **ret_state)
{
	struct ward_machine *machine;
	struct ward_state *state;
	int err;

	err = read_all(reading);
	if (err < 0)
		return ward_fail(reading->error, err, "reading the machine failed: %s",
				 strerror(-err));
	if (!reading->has_pci && !ward_builder_machine(reading->builder)->functions_count)
		return ward_fail(reading->error, -ENOENT,
				 "there is neither /%s nor a platform device: not the root of a "
				 "machine",
				 WARD_DIR_PCI);
	err = ward_builder_finish(reading->builder, &machine, reading->error);
	reading->builder = NULL;
	if (err < 0)
		return err;
	take_indexes(reading, machine);
	err = make_state(reading, machine, &state);
	if (err < 0) {
		ward_machine_destroy(machine);
		return ward_fail(reading->error, err, "out of memory");
	}
	*ret_machine = machine;
	*ret_state = state;
	return 0;
}

static void finish(struct ward_reading *reading)
{
	ward_read_firmware_finish(reading);
	ward_builder_destroy(reading->builder);
	ward_tree_close(&reading->tree);
	ward_arena_finish(&reading->arena);
	free(reading->irqs);
	free(reading->iommus);
	free(reading->iommu_bases);
	free(reading->groups);
	free(reading->seen);
}

int ward_machine_read(int dirfd, const struct ward_read_options *options,
		      struct ward_machine **ret_machine, struct ward_state **ret_state,
		      struct ward_error *ret_error)
{
	struct ward_reading reading = { .error = ret_error,
					.plain_apic = WARD_NONE,
					.unknown_frame = WARD_NONE };
	int err;

	if (options && options->size != sizeof(*options))
		return ward_fail(ret_error, -EINVAL, "options of an unknown size");
	reading.wake = options && options->wake;
	reading.tables.apic = WARD_NONE;
	err = ward_tree_open(dirfd, options, &reading.tree);
	if (err < 0)
		return ward_fail(ret_error, err, "cannot read the root directory: %s",
				 strerror(-err));
	err = ward_builder_create(&reading.builder);
	if (err < 0)
		ward_fail(ret_error, err, "out of memory");
	else
		err = read_machine(&reading, ret_machine, ret_state);
	finish(&reading);
	return err;
}
