/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the firmware fuzzers share. An ACPI table is tried as it is and then with signature, length
 * and checksum made right, so that mutations get behind the header; what is accepted goes through
 * the whole way to a finished machine.
 */
#ifndef FUZZ_FIRMWARE_H
#define FUZZ_FIRMWARE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/from_acpi.h"

#define FUZZ_ACPI_HEADER 36u

static inline void require(bool holds)
{
	if (!holds)
		abort();
}

static inline void add_fuzz_function(struct ward_builder *builder, uint32_t segment, uint32_t rid,
				     uint8_t secondary, uint32_t physfn)
{
	struct ward_function f;

	ward_function_init(&f);
	f.address = (struct ward_address){ segment, ward_rid(rid) };
	f.class_code = secondary ? 0x060400 : 0x030000;
	f.header_type = secondary != 0;
	f.bridge.secondary = secondary;
	f.bridge.subordinate = (uint8_t)(secondary + 1);
	f.physfn = physfn;
	ward_builder_add_function(builder, &f, NULL);
}

/* Functions that most tables can speak of. */
static inline void add_fuzz_functions(struct ward_builder *builder)
{
	for (uint32_t segment = 0; segment < 2; segment++) {
		uint32_t first = ward_builder_machine(builder)->functions_count;

		add_fuzz_function(builder, segment, 0x0010, 0, WARD_NONE);
		add_fuzz_function(builder, segment, 0x0018, 0, WARD_NONE);
		add_fuzz_function(builder, segment, 0x00e0, 2, WARD_NONE);
		add_fuzz_function(builder, segment, 0x0200, 3, WARD_NONE);
		add_fuzz_function(builder, segment, 0x0300, 0, WARD_NONE);
		add_fuzz_function(builder, segment, 0x00ff, 0, first + 1);
		add_fuzz_function(builder, segment, 0xff00, 0, WARD_NONE);
	}
}

/* Everything added so far must make a machine: no table may make it contradict itself. */
static inline void finish_fuzz_machine(struct ward_builder *builder)
{
	struct ward_machine *machine = NULL;

	require(ward_builder_finish(builder, &machine, NULL) == 0);
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];

		require(f->stream.iommu == WARD_NONE || f->iommu_known == WARD_YES);
		require(f->controller == WARD_NONE || f->controller_known == WARD_YES);
	}
	ward_machine_destroy(machine);
}

/* The table alone, and beside a MADT with controllers when there is one. */
static inline void fuzz_machine(const char *name, const uint8_t *table, size_t size,
				enum ward_arch arch)
{
	static const struct ward_kernel_iommu seen[] = { { "dmar0", 0xc, 0xc, true } };
	static const struct ward_kernel_evidence evidence = { true, seen, 1, WARD_UNKNOWN };
	struct ward_acpi_tables tables = { .complete = true };
	struct ward_builder *builder;

	if (ward_builder_create(&builder))
		return;
	ward_builder_set_host(builder, arch, NULL, NULL, 4096);
	require(ward_acpi_tables_add(&tables, name, table, size, NULL) == 0);
	require(ward_from_acpi_devices(builder, &tables, &evidence) == 0);
	add_fuzz_functions(builder);
	require(ward_from_acpi_links(builder, &tables) == 0);
	ward_acpi_tables_finish(&tables);
	finish_fuzz_machine(builder);
}

typedef int (*fuzz_parser)(const void *bytes, size_t size, struct ward_error *ret_error);

static inline void fuzz_once(fuzz_parser parse, const char *name, const uint8_t *table, size_t size,
			     enum ward_arch arch)
{
	struct ward_error error = { "" };
	int code = parse(table, size, &error);

	require(code == 0 || code == -EBADMSG);
	require(code == 0 || error.text[0]);
	if (code == 0)
		fuzz_machine(name, table, size, arch);
}

static inline int fuzz_table(fuzz_parser parse, const char *name, const uint8_t *data, size_t size,
			     enum ward_arch arch)
{
	/* Of exactly this size, so that reading past it is seen. */
	uint8_t *copy = malloc(size ? size : 1);
	uint8_t sum = 0;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	fuzz_once(parse, name, copy, size, arch);
	if (size >= FUZZ_ACPI_HEADER) {
		memcpy(copy, name, 4);
		for (unsigned int i = 0; i < 4; i++)
			copy[4 + i] = (uint8_t)(size >> (8 * i));
		copy[9] = 0;
		for (size_t i = 0; i < size; i++)
			sum = (uint8_t)(sum + copy[i]);
		copy[9] = (uint8_t)-sum;
		fuzz_once(parse, name, copy, size, arch);
	}
	free(copy);
	return 0;
}

#endif
