// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The contract of backends on the model, once over an SMMUv3 and once over VT-d. */
#include "model_rig.h"

#include "contract.h"

/* Where the test's pages are. */
#define AT (RAM + 0x10000)

struct model_contract {
	struct contract contract;
	struct rig rig;
	unsigned char carried[CONTRACT_BYTES];
};

static struct model_contract *current;

static void start(struct contract *contract, struct ward_device *device)
{
	(void)contract;
	memset(current->carried, 0, sizeof(current->carried));
	(void)device;
}

static void copy(struct contract *contract, struct ward_device *device, uint64_t from, uint64_t to)
{
	unsigned char read[CONTRACT_BYTES];
	struct ward_dma_result result;

	(void)device;
	result = rig_dma(&current->rig, contract->name, from, false, read, sizeof(read));
	if (result.end == WARD_DMA_MEMORY)
		memcpy(current->carried, read, sizeof(read));
	rig_dma(&current->rig, contract->name, to, true, current->carried, sizeof(read));
}

static void failed(struct contract *contract, const char *text)
{
	(void)contract;
	fail_msg("%s", text);
}

static int setup(void **state, void (*make)(struct make *m), struct ward_range window)
{
	char path[4096];

	current = calloc(1, sizeof(*current));
	assert_non_null(current);
	make(&current->rig.make);
	root_port(&current->rig.make, "00:1c.0", 1, ACS_ON);
	endpoint(&current->rig.make, "01:00.0");
	region(&current->rig.make, "01:00.0", WARD_REGION_RESERVED);
	rig_start(&current->rig);
	current->contract = (struct contract){
		.column = "model",
		.backend = current->rig.backend,
		.name = "0000:01:00.0",
		.memory = current->rig.ram + (AT - RAM),
		.target = ward_target(AT),
		.window = window,
		.start = start,
		.copy = copy,
		.failed = failed,
	};
	snprintf(path, sizeof(path), "%s/docs/backends.md", getenv("DOORWARD_SOURCE"));
	assert_true(contract_read_differences(&current->contract, path));
	*state = &current->contract;
	return 0;
}

/* The software window may hold doorbells; what is reserved may hold nothing. */
static int setup_smmuv3(void **state)
{
	return setup(state, make_arm_its, (struct ward_range){ 0x7f000000, 0x7fffffff });
}

static int setup_vtd(void **state)
{
	return setup(state, make_x86, (struct ward_range){ WARD_X86_MSI_START, WARD_X86_MSI_LAST });
}

static int teardown(void **state)
{
	(void)state;
	rig_end(&current->rig);
	free(current);
	current = NULL;
	return 0;
}

static const struct contract_case *case_now;

static void run_case(void **state)
{
	const struct contract_case *one = case_now++;

	(void)state;
	one->run(&current->contract);
	if (current->rig.misuses && strcmp(one->name, "what the backend refuses by itself") != 0 &&
	    strcmp(one->name, "attaching and detaching") != 0)
		fail_msg("%u times the model saw a mistake of the library", current->rig.misuses);
	current->rig.misuses = 0;
}

int main(void)
{
	struct CMUnitTest tests[32] = { { 0 } };
	static char names[2][32][96];
	size_t count = 0;
	int failures;

	while (contract_cases[count].name)
		count++;
	for (unsigned int kind = 0; kind < 2; kind++)
		for (size_t i = 0; i < count; i++)
			snprintf(names[kind][i], sizeof(names[kind][i]), "%s: %s",
				 kind ? "VT-d" : "SMMUv3", contract_cases[i].name);
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){ .name = names[0][i], .test_func = run_case };
	case_now = contract_cases;
	failures = _cmocka_run_group_tests("smmuv3", tests, count, setup_smmuv3, teardown);
	for (size_t i = 0; i < count; i++)
		tests[i].name = names[1][i];
	case_now = contract_cases;
	return failures + _cmocka_run_group_tests("vtd", tests, count, setup_vtd, teardown);
}
