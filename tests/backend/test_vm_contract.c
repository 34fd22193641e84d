// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The contract of VMs on the model, once for each kind of guest. */
#include "vm_rig.h"

#include "vm_contract.h"

struct model_guest {
	struct vm_guest guest;
	struct vm_rig rig;
};

static unsigned int misuses;

static struct vm_rig *rig_of(struct vm_guest *guest)
{
	return &((struct model_guest *)(void *)guest)->rig;
}

static void misused(void *context, const char *how)
{
	(void)context;
	(void)how;
	misuses++;
}

static int make(struct vm_contract *contract, const struct ward_vm_options *options,
		struct vm_guest **ret_guest)
{
	struct model_guest *made = calloc(1, sizeof(*made));
	int code;

	assert_non_null(made);
	code = vm_rig_make(&made->rig, options);
	if (code) {
		free(made);
		return code;
	}
	ward_vm_model_police(made->rig.vm, misused, NULL);
	made->guest = (struct vm_guest){ .vm = made->rig.vm, .contract = contract };
	*ret_guest = &made->guest;
	return 0;
}

static int start(struct vm_guest *guest)
{
	return vm_rig_start(rig_of(guest));
}

static void end(struct vm_guest *guest)
{
	vm_rig_end(rig_of(guest));
	free(guest);
}

static void program(struct vm_guest *guest, uint32_t pin, uint32_t number, bool level)
{
	struct vm_rig *rig = rig_of(guest);

	if (rig->parts.gic)
		vm_rig_spi(rig, number, 0, level);
	else
		assert_int_equal(ward_vm_model_set_pin(guest->vm, pin,
						       number | (level ? 1u << 15 : 0)),
				 0);
}

static void map_event(struct vm_guest *guest, ward_devid_t device, uint32_t event, uint32_t lpi)
{
	vm_rig_map(rig_of(guest), ward_devid_raw(device), event, lpi, 0);
}

static bool pending(struct vm_guest *guest, uint32_t cpu, uint32_t number)
{
	struct vm_rig *rig = rig_of(guest);

	return rig->parts.gic ? ward_gic_is_pending(rig->parts.gic, cpu, number)
			      : ward_apics_is_pending(rig->parts.apics, cpu, number);
}

static void run(struct vm_guest *guest)
{
	assert_true(ward_vm_model_dispatch(guest->vm, rig_of(guest)->reader) >= 0);
}

static void take_and_end(struct vm_guest *guest, uint32_t number)
{
	struct vm_rig *rig = rig_of(guest);
	uint32_t taken = WARD_NONE;

	while (taken != number) {
		assert_int_equal(rig->parts.gic ? ward_gic_take(rig->parts.gic, 0, &taken)
						: ward_apics_take(rig->parts.apics, 0, &taken),
				 0);
		assert_int_equal(ward_vm_model_end(guest->vm, 0, taken), 0);
	}
}

static const struct vm_guest_ops ops = {
	.make = make,
	.start = start,
	.end = end,
	.program = program,
	.map_event = map_event,
	.pending = pending,
	.run = run,
	.take_and_end = take_and_end,
};

static void failed(struct contract *contract, const char *text)
{
	(void)contract;
	fail_msg("%s", text);
}

static const struct {
	enum ward_vm_controller controller;
	const char *name;
} kinds[] = {
	{ WARD_VM_X86, "x86" },	    { WARD_VM_X86_SPLIT, "split" }, { WARD_VM_GICV2, "GICv2" },
	{ WARD_VM_GICV3, "GICv3" }, { WARD_VM_GICV3_ITS, "ITS" },
};

static struct vm_contract contract;
static size_t kind_now;
static const struct vm_contract_case *case_now;

static int setup(void **state)
{
	char path[4096];

	(void)state;
	contract = (struct vm_contract){
		.controller = kinds[kind_now].controller,
		.ops = &ops,
		.table = { .column = "model", .failed = failed },
	};
	snprintf(path, sizeof(path), "%s/docs/interrupts.md", getenv("DOORWARD_SOURCE"));
	assert_true(contract_read_differences(&contract.table, path));
	vm_contract_begin(&contract);
	case_now = vm_contract_cases;
	return 0;
}

/* The text changes a route under a live irqfd once, to see what comes of it. */
static void run_case(void **state)
{
	const struct vm_contract_case *one = case_now++;

	(void)state;
	misuses = 0;
	one->run(&contract);
	assert_int_equal(misuses, strcmp(one->name, "irqfds") == 0);
}

int main(void)
{
	static char names[5][16][96];
	int failures = 0;

	for (kind_now = 0; kind_now < sizeof(kinds) / sizeof(kinds[0]); kind_now++) {
		struct CMUnitTest tests[16] = { { 0 } };
		size_t count = 0;

		for (; vm_contract_cases[count].name; count++) {
			snprintf(names[kind_now][count], sizeof(names[0][0]), "%s: %s",
				 kinds[kind_now].name, vm_contract_cases[count].name);
			tests[count] = (struct CMUnitTest){ .name = names[kind_now][count],
							    .test_func = run_case };
		}
		failures +=
			_cmocka_run_group_tests(kinds[kind_now].name, tests, count, setup, NULL);
	}
	return failures;
}
