// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The model backend has controllers and drivers of its own: all vectors are enabled as VFIO would, and it
 * says whose an interrupt is.
 */
#include "controllers_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define VECTORS 2u

/* 0, also when it has no such interrupts, or they are used up. */
static int enable(struct controllers *c, struct ward_device *device)
{
	int32_t eventfds[VECTORS] = { c->eventfd, c->eventfd };
	struct ward_irq_set set = {
		.flags = WARD_IRQ_DATA_EVENTFD | WARD_IRQ_TRIGGER,
		.index = WARD_IRQS_MSIX,
		.count = VECTORS,
		.data = eventfds,
		.data_size = sizeof(eventfds),
	};
	struct ward_irq_info info;
	int err = ward_device_irq_info(device, WARD_IRQS_MSIX, &info);

	if (err || info.count < VECTORS)
		return err;
	err = ward_device_set_irqs(device, &set);
	return err == -ENOSPC || err > 0 ? 0 : err;
}

/* What one function is to write, everybody tries at every controller. */
static void learn(struct controllers *c, struct ward_device *device)
{
	struct ward_host_irq irq;

	for (uint32_t i = 0; i < VECTORS; i++) {
		if (ward_device_irq(device, WARD_IRQS_MSIX, i, &irq) || !irq.message_known)
			continue;
		for (uint32_t k = 0; k < c->plan->controllers_count; k++) {
			uint64_t address = c->plan->x86 ? ward_iova_raw(irq.message.address) : 0x40;

			parts_message(c, k, address, irq.message.data, 4);
			if (irq.number != irq.message.data)
				parts_message(c, k, address, irq.number, 4);
		}
	}
}

int controllers_create_backed(struct build *build, struct ward_backend *backend,
			      struct ward_device *const *devices,
			      struct controllers **ret_controllers)
{
	struct controllers *c = calloc(1, sizeof(*c));
	const struct plan *plan = build->plan;
	int err = 0;

	if (!c)
		return -ENOMEM;
	c->plan = plan;
	c->build = build;
	c->backend = backend;
	c->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (c->eventfd < 0)
		err = -errno;
	for (uint32_t i = 0; i < plan->functions_count && !err; i++)
		if (devices[i] && plan->functions[i].controller != WARD_NONE &&
		    plan_uses_messages(&plan->functions[i]))
			err = enable(c, devices[i]);
	for (uint32_t i = 0; i < plan->functions_count && !err; i++)
		if (devices[i])
			learn(c, devices[i]);
	for (uint32_t k = 0; k < plan->controllers_count; k++)
		for (uint32_t data = 0; data < 4; data++)
			parts_message(c, k, plan->x86 ? WARD_X86_MSI_START : 0x40, data * 0x83, 4);
	if (err) {
		fprintf(stderr, "seed %#llx: vectors cannot be enabled: %d\n",
			(unsigned long long)plan->seed, err);
		controllers_destroy(c);
		return err;
	}
	*ret_controllers = c;
	return 0;
}

void controllers_note_backed(const struct controllers *c, uint32_t controller,
			     const struct ward_interrupt *interrupt, struct touch *touch)
{
	uint32_t function;

	if (interrupt->end != WARD_INTERRUPT_PENDING)
		return;
	if (ward_model_whose(c->backend, controller, interrupt, &function, NULL, NULL) == 0)
		touch->users |= 1u << c->build->plan_of[function];
	else if (c->plan->x86)
		touch->host = true;
}
