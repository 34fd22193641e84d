// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/machine_yaml.h"

#include "app/machine_yaml_build.h"
#include "app/memory.h"
#include "app/places.h"
#include "app/yaml_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RAM of a machine that says nothing of it. */
static struct ward_range memory_of(enum ward_arch arch)
{
	uint64_t start = arch == WARD_ARCH_ARM64 ? 0x40000000 : 0;

	return (struct ward_range){ start, start + 0x3fffffff };
}

static int compare_ranges(const void *left, const void *right)
{
	const struct ward_range *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

static int make_memory(struct app_machine_building *b, struct app_machine *machine)
{
	const struct app_machine_texts *from = &b->from->memory;

	machine->memory = app_alloc(from->count ? from->count : 1, sizeof(*machine->memory));
	machine->memory_count = from->count ? from->count : 1;
	machine->memory[0] = memory_of(b->from->arch);
	for (uint32_t i = 0; i < from->count; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%smemory[%u]", b->prefix, (unsigned int)i);
		if (!app_text_range(from->text[i], 0, &machine->memory[i]))
			return app_machine_fail(b, path,
						"\"%s\" is no range: write \"0x40000000+1 GiB\"",
						from->text[i]);
		for (uint32_t k = 0; k < i; k++)
			if (ward_range_overlaps(machine->memory[i], machine->memory[k]))
				return app_machine_fail(b, path, "memory[%u] has some of this, too",
							(unsigned int)k);
	}
	qsort(machine->memory, machine->memory_count, sizeof(*machine->memory), compare_ranges);
	return 0;
}

/* The builder says which function it means by its address; that is where the line comes from. */
static const char *path_meant(struct app_machine_building *b, const char *sentence)
{
	for (uint32_t i = 0; i < b->from->functions_count; i++) {
		char address[WARD_ADDRESS_TEXT];

		ward_address_format(b->keys[i].address, address);
		if (strstr(sentence, address))
			return app_machine_at(b, "functions", b->keys[i].ordinal, NULL);
	}
	return "";
}

static int make_machine(struct app_machine_building *b, struct ward_machine **ret_machine)
{
	struct ward_error said = { "" };
	int code = ward_builder_create(&b->builder);

	if (code)
		return app_machine_refused(b, "", code);
	code = app_machine_add_parts(b);
	if (!code)
		code = app_machine_add_functions(b);
	if (code) {
		ward_builder_destroy(b->builder);
		return code;
	}
	code = ward_builder_finish(b->builder, ret_machine, &said);
	if (code == -ENOMEM)
		return app_machine_refused(b, "", code);
	return code ? app_machine_fail(b, path_meant(b, said.text), "%s", said.text) : 0;
}

/* On x86 and POWER an IOMMU knows requester ids as they are; so does one of whom something is unknown. */
static bool is_direct(const struct app_machine_yaml *from)
{
	if (from->arch != WARD_ARCH_ARM64)
		return true;
	for (uint32_t i = 0; i < from->functions_count; i++) {
		const struct app_machine_function *f = &from->functions[i];

		if ((f->iommu && strcmp(f->iommu, "unknown") == 0) ||
		    (f->controller && strcmp(f->controller, "unknown") == 0))
			return true;
	}
	return false;
}

int app_machine_build(const struct app_machine_yaml *description, const struct app_yaml *yaml,
		      const char *path, struct app_machine *ret_machine,
		      struct ward_error *ret_error)
{
	struct app_machine_building b = {
		.from = description,
		.yaml = yaml,
		.prefix = path,
		.error = ret_error,
		.direct = is_direct(description),
	};
	struct app_machine machine = { 0 };
	int code = app_machine_survey(&b);

	if (!code)
		code = make_memory(&b, &machine);
	if (!code)
		code = make_machine(&b, &machine.machine);
	if (!code)
		code = app_machine_make_state(&b, machine.machine, &machine.state);
	app_machine_survey_finish(&b);
	if (code) {
		app_machine_finish(&machine);
		return code;
	}
	*ret_machine = machine;
	return 0;
}

/* Whoever hands a scenario in where a machine is wanted is not told of its fields. */
static int refused(const char *file, const char *bytes, size_t size, struct ward_error *error)
{
	const struct app_yaml raw = { .name = file, .bytes = bytes, .size = size };
	struct ward_error unused;
	struct app_places *places;

	if (app_yaml_check_events(&raw, &unused) == 0 &&
	    app_places_create(bytes, size, &places) == 0) {
		bool scenario = app_places_has(places, "steps");

		app_places_destroy(places);
		if (scenario)
			app_yaml_fail(&raw, error, "",
				      "this is a scenario, which \"doorward simulate\" plays; it "
				      "names its machine");
	}
	return -EBADMSG;
}

int app_machine_load(const char *file, struct app_machine *ret_machine,
		     struct ward_error *ret_error)
{
	struct app_yaml yaml;
	char *bytes;
	size_t size;
	int code = app_yaml_read(file, &bytes, &size, ret_error);

	if (code)
		return code;
	code = app_yaml_load(file, bytes, size, &app_machine_schema, &yaml, ret_error);
	if (code == -EBADMSG)
		code = refused(file, bytes, size, ret_error);
	if (!code) {
		code = app_machine_build(yaml.data, &yaml, "", ret_machine, ret_error);
		app_yaml_finish(&yaml);
	}
	free(bytes);
	return code;
}

void app_machine_finish(struct app_machine *machine)
{
	ward_state_destroy(machine->state);
	ward_machine_destroy(machine->machine);
	free(machine->memory);
	*machine = (struct app_machine){ 0 };
}
