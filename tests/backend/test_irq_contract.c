// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The contract of interrupts on the model, over each kind of MSI controller. */
#include "irq_contract.h"
#include "irq_rig.h"

static const char *const machine_names[IRQ_MACHINES] = { "GICv2m", "MBI", "ITS", "APIC",
							 "remapping" };

static struct {
	struct irq_contract contract;
	struct rig rig;
	struct ward_space *space;
} * current;

static void ready(struct irq_contract *c, struct ward_device *device)
{
	(void)c;
	bus_master(device);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, current->space), 0);
}

static bool raise_it(struct irq_contract *c, struct ward_device *device, uint32_t index,
		     uint32_t vector)
{
	(void)device;
	raise_vector(&current->rig, c->contract.name, index, vector);
	return true;
}

static bool line(struct irq_contract *c, struct ward_device *device, bool level)
{
	(void)device;
	assert_int_equal(ward_model_intx(current->rig.backend,
					 rig_function(&current->rig, c->contract.name), level),
			 0);
	return true;
}

static void settle(struct irq_contract *c)
{
	assert_true(ward_model_dispatch(c->contract.backend) >= 0);
}

static void failed(struct contract *contract, const char *text)
{
	(void)contract;
	fail_msg("%s", text);
}

static enum irq_machine kind_now;

static int setup(void **state)
{
	char path[4096];

	(void)state;
	current = calloc(1, sizeof(*current));
	assert_non_null(current);
	irq_start(&current->rig, kind_now);
	current->space = rig_space(&current->rig, WARD_SPACE_UNMANAGED);
	current->contract = (struct irq_contract){
		.contract = { .column = "model",
			      .backend = current->rig.backend,
			      .name = CARD,
			      .failed = failed },
		.ready = ready,
		.raise = raise_it,
		.line = line,
		.settle = settle,
	};
	snprintf(path, sizeof(path), "%s/docs/backends.md", getenv("DOORWARD_SOURCE"));
	assert_true(irq_contract_read(&current->contract, path));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ward_space_destroy(current->space);
	assert_int_equal(current->rig.misuses, 0);
	rig_end(&current->rig);
	free(current);
	current = NULL;
	return 0;
}

static const struct irq_contract_case *case_now;

static void run_case(void **state)
{
	(void)state;
	(case_now++)->run(&current->contract);
}

int main(void)
{
	struct CMUnitTest tests[32] = { { 0 } };
	static char names[IRQ_MACHINES][32][96];
	size_t count = 0;
	int failures = 0;

	while (irq_contract_cases[count].name)
		count++;
	for (unsigned int kind = 0; kind < IRQ_MACHINES; kind++) {
		for (size_t i = 0; i < count; i++) {
			snprintf(names[kind][i], sizeof(names[kind][i]), "%s: %s",
				 machine_names[kind], irq_contract_cases[i].name);
			tests[i] = (struct CMUnitTest){ .name = names[kind][i],
							.test_func = run_case };
		}
		kind_now = (enum irq_machine)kind;
		case_now = irq_contract_cases;
		failures +=
			_cmocka_run_group_tests(machine_names[kind], tests, count, setup, teardown);
	}
	return failures;
}
