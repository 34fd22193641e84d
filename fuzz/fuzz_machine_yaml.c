/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Descriptions of machines: whatever stands there, it is refused with a sentence that begins with the
 * name and a line, or a machine comes out whose facts hold together and that can be judged.
 */
#include "app/machine_yaml.h"

#include <doorward/isolation.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_machine(const struct app_machine *read)
{
	const struct ward_machine *machine = read->machine;
	struct ward_isolation *isolation;

	require(read->memory_count >= 1);
	require(read->state->machine == machine);
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];

		require(f->controller == WARD_NONE || f->controller < machine->controllers_count);
		require(f->stream.iommu == WARD_NONE || f->stream.iommu < machine->iommus_count);
		require(f->group == WARD_NONE || f->group < machine->groups_count);
		require(f->physfn == WARD_NONE || f->physfn < machine->functions_count);
	}
	require(ward_isolation_create(machine, read->state, &isolation) == 0);
	ward_isolation_destroy(isolation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ward_error error = { "" };
	struct app_machine read;
	struct app_yaml yaml;
	int code;

	code = app_yaml_load("m.yaml", (const char *)data, size, &app_machine_schema, &yaml,
			     &error);
	if (code == 0) {
		code = app_machine_build(yaml.data, &yaml, "", &read, &error);
		app_yaml_finish(&yaml);
	}
	if (code == 0) {
		check_machine(&read);
		app_machine_finish(&read);
	} else {
		unsigned int line = 0;

		require(sscanf(error.text, "m.yaml:%u: ", &line) == 1 && line >= 1);
	}
	return 0;
}
