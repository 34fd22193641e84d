// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The contract of interrupts over VFIO, with a device that raises them (devices.h).
 * Arguments: 0000:00:05.0 backends.md.
 */
#include "contracts.h"
#include "devices.h"

#include <irq_contract.h>
#include <stdio.h>

/* Empty: messages need no mapping of ours. */
static struct ward_space *space;

static void ready(struct irq_contract *c, struct ward_device *device)
{
	if (!device_ready(device))
		c->contract.failed(&c->contract, "the command register cannot be written");
	if (ward_device_attach(device, WARD_PASID_NONE, space))
		c->contract.failed(&c->contract, "the device cannot be put into a space");
}

static bool raise_vector(struct irq_contract *c, struct ward_device *device, uint32_t index,
			 uint32_t vector)
{
	(void)c;
	return device_raise(device, index, vector);
}

static bool set_line(struct irq_contract *c, struct ward_device *device, bool level)
{
	(void)c;
	return device_line(device, level);
}

static void settle(struct irq_contract *c)
{
	(void)c;
	device_settle();
}

int irq_contract(int argc, char **argv)
{
	struct irq_contract contract = {
		.contract = { .column = "vfio-group", .failed = contract_says },
		.ready = ready,
		.raise = raise_vector,
		.line = set_line,
		.settle = settle,
	};

	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };

	if (argc != 2)
		return 2;
	contract.contract.name = argv[0];
	contract.contract.backend = contract_backend();
	if (!contract.contract.backend || !irq_contract_read(&contract, argv[1]) ||
	    ward_backend_space(contract.contract.backend, &options, &space))
		return 1;
	for (const struct irq_contract_case *one = irq_contract_cases; one->name; one++) {
		uint32_t before = contract.contract.failures;
		char name[128];

		one->run(&contract);
		snprintf(name, sizeof(name), "%s of %s", one->name, argv[0]);
		contract_done(name, contract.contract.failures != before);
	}
	ward_space_destroy(space);
	ward_backend_destroy(contract.contract.backend);
	return 0;
}
