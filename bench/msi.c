// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What an MSI costs on its way, part by part.
 *
 *	bench-msi [PART]...
 *
 * One JSON document. Times are nanoseconds of CPU time for one call, unless their name says else.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "msi.h"

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "its", bench_its },
	{ "routes", bench_routes },
	{ "wiring", bench_wiring },
};

#define COUNT (sizeof(parts) / sizeof(parts[0]))

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return argc < 2;
}

int main(int argc, char **argv)
{
	printf("{\n  \"bench\": \"msi\"");
	for (size_t i = 0; i < COUNT; i++) {
		if (!wanted(parts[i].name, argc, argv))
			continue;
		printf(",\n  \"%s\": ", parts[i].name);
		fflush(stdout);
		parts[i].run();
	}
	printf("\n}\n");
	return 0;
}
