// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "contracts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} contracts[] = {
	{ "vfio", vfio_contract }, { "irq", irq_contract }, { "table", table_contract },
	{ "kvm", kvm_contract },   { "way", whole_way },
};

static int count;

void contract_says(struct contract *contract, const char *text)
{
	(void)contract;
	printf("# %s\n", text);
}

void contract_done(const char *name, bool failed)
{
	printf("%sok %s\n", failed ? "not " : "", name);
	fflush(stdout);
	count++;
}

struct ward_backend *contract_backend(void)
{
	struct ward_backend *backend = NULL;
	struct ward_error why = { "" };
	int code = ward_backend_vfio_group(open("/dev", O_DIRECTORY | O_CLOEXEC),
					   open("/sys", O_DIRECTORY | O_CLOEXEC), &backend, &why);

	if (code)
		printf("# %s: %s\n", strerrorname_np(-code), why.text);
	return backend;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(contracts) / sizeof(contracts[0]); i++) {
		int code;

		if (strcmp(argv[1], contracts[i].name) != 0)
			continue;
		code = contracts[i].run(argc - 2, argv + 2);
		if (!code)
			printf("1..%d\n", count);
		return code;
	}
	return 2;
}
