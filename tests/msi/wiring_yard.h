/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A VM and a device that only write down what they are told, keep what a kernel would keep, and can
 * refuse the n-th call. Interrupts go the whole way: host_raise writes an eventfd when the vector is
 * on, and take() hands what assigned eventfds hold to the routes of their GSIs.
 */
#ifndef TESTS_MSI_WIRING_YARD_H
#define TESTS_MSI_WIRING_YARD_H

#include <doorward/backend/interface.h>
#include <doorward/wiring.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define YARD_VECTORS 256u
#define YARD_IRQFDS 256u
#define YARD_ARRIVALS 4096u

enum yard_call {
	CALL_ROUTES,
	CALL_ASSIGN,
	CALL_DEASSIGN,
	CALL_ENABLE,
	CALL_DISABLE,
	CALL_MESSAGES,
	CALL_KINDS,
};

/* What arrived at the guest's controller, and how often. */
struct yard_arrival {
	struct ward_route route;
	unsigned int count;
};

struct yard {
	/* Each call to a kernel, in order, so far; the fail_at-th (from 1) refuses. */
	unsigned int calls, fail_at;
	int fail_code;
	bool failed;
	unsigned int count[CALL_KINDS];
	char log[4096]; /* a letter each: R A D E X M */
	/* VM */
	struct ward_route routes[WARD_GSIS];
	uint32_t routes_count;
	struct ward_irqfd irqfds[YARD_IRQFDS];
	uint32_t irqfds_count;
	unsigned int misused;
	struct yard_arrival arrivals[YARD_ARRIVALS];
	uint32_t arrivals_count;
	/* Device */
	uint32_t flags, host_vectors, active, enabled;
	int32_t fds[YARD_VECTORS];
	bool told[YARD_VECTORS];
	uint64_t addresses[YARD_VECTORS];
	uint64_t bad_address;
	uint32_t forgotten; /* what was prepared for it was forgotten last */
	int fewer;	    /* so many vectors are left on the host; 0: as many as one likes */
	/* The library's */
	struct ward_vm *vm;
	struct ward_routes *table;
	struct ward_backend *backend;
	struct ward_device *device;
	struct ward_space *space;
	struct ward_vectors *vectors;
	struct ward_wiring *wiring;
};

static struct yard yard;

static int yard_call(enum yard_call kind)
{
	static const char letters[] = "RADEXM";

	if (yard.calls < sizeof(yard.log) - 1)
		yard.log[yard.calls] = letters[kind];
	yard.calls++;
	yard.count[kind]++;
	if (yard.calls != yard.fail_at)
		return 0;
	yard.failed = true;
	return yard.fail_code;
}

static int yard_start(void *vm)
{
	(void)vm;
	return 0;
}

static const struct ward_route *yard_route_of(const struct ward_route *routes, uint32_t count,
					      ward_gsi_t gsi)
{
	for (uint32_t i = 0; i < count; i++) {
		if (ward_gsi_raw(routes[i].gsi) == ward_gsi_raw(gsi))
			return &routes[i];
	}
	return NULL;
}

/* An eventfd that is closed takes its irqfd with it. */
static void yard_drop_closed(void)
{
	for (uint32_t i = yard.irqfds_count; i-- > 0;) {
		if (fcntl(yard.irqfds[i].eventfd, F_GETFD) < 0)
			yard.irqfds[i] = yard.irqfds[--yard.irqfds_count];
	}
}

/* A route that changes under an irqfd is a mistake of the caller. */
static int yard_set_routes(void *vm, const struct ward_route *routes, uint32_t count)
{
	int code = yard_call(CALL_ROUTES);

	(void)vm;
	if (code)
		return code;
	yard_drop_closed();
	for (uint32_t i = 0; i < yard.irqfds_count; i++) {
		ward_gsi_t gsi = yard.irqfds[i].gsi;
		const struct ward_route *old = yard_route_of(yard.routes, yard.routes_count, gsi);
		const struct ward_route *new = yard_route_of(routes, count, gsi);

		if (!old || !new || memcmp(old, new, sizeof(*old)) != 0)
			yard.misused++;
	}
	memcpy(yard.routes, routes, count * sizeof(*routes));
	yard.routes_count = count;
	return 0;
}

static int yard_irqfd(void *vm, const struct ward_irqfd *irqfd)
{
	bool deassign = irqfd->flags & WARD_IRQFD_DEASSIGN;
	int code = yard_call(deassign ? CALL_DEASSIGN : CALL_ASSIGN);

	(void)vm;
	if (code)
		return code;
	for (uint32_t i = 0; i < yard.irqfds_count; i++) {
		if (yard.irqfds[i].eventfd != irqfd->eventfd)
			continue;
		if (!deassign)
			return -EBUSY;
		if (ward_gsi_raw(yard.irqfds[i].gsi) != ward_gsi_raw(irqfd->gsi))
			continue;
		yard.irqfds[i] = yard.irqfds[--yard.irqfds_count];
		return 0;
	}
	if (deassign) {
		yard.misused++; /* KVM would not say so */
		return 0;
	}
	if (!yard_route_of(yard.routes, yard.routes_count, irqfd->gsi))
		yard.misused++;
	yard.irqfds[yard.irqfds_count++] = *irqfd;
	return 0;
}

static int yard_irq_line(void *vm, uint32_t irq, bool level)
{
	(void)vm;
	(void)irq;
	(void)level;
	return 0;
}

static int yard_signal(void *vm, const struct ward_route *route)
{
	(void)vm;
	(void)route;
	return 1;
}

static void yard_vm_destroy(void *vm)
{
	(void)vm;
}

static const struct ward_vm_ops yard_vm_ops = {
	"yard",	       yard_start,  yard_set_routes, yard_irqfd,
	yard_irq_line, yard_signal, yard_vm_destroy,
};

static int yard_info(void *device, uint32_t index, struct ward_irq_info *ret_info)
{
	(void)device;
	*ret_info = (struct ward_irq_info){ WARD_IRQ_INFO_EVENTFD | yard.flags,
					    index == WARD_IRQS_MSI ? 32 : yard.host_vectors };
	return 0;
}

static int yard_disable(void)
{
	int code = yard_call(CALL_DISABLE);

	if (code)
		return code;
	yard.active = WARD_NONE;
	yard.enabled = 0;
	memset(yard.told, 0, sizeof(yard.told));
	return 0;
}

static int yard_set(void *device, const struct ward_irq_set *set)
{
	uint32_t end = set->start + set->count;
	int code;

	(void)device;
	if (set->count == 0)
		return set->index == yard.active ? yard_disable() : -EINVAL;
	if (!(set->flags & WARD_IRQ_DATA_EVENTFD) ||
	    (yard.active != WARD_NONE && yard.active != set->index) || set->start > yard.enabled ||
	    (yard.enabled > 0 && end > yard.enabled && (yard.flags & WARD_IRQ_INFO_NORESIZE)))
		return -EINVAL;
	code = yard_call(CALL_ENABLE);
	if (code)
		return code;
	if (yard.fewer > 0 && end > (uint32_t)yard.fewer)
		return yard.fewer;
	memcpy(yard.fds + set->start, set->data, set->count * sizeof(int32_t));
	yard.active = set->index;
	yard.enabled = end > yard.enabled ? end : yard.enabled;
	return 0;
}

static int yard_set_messages(void *device, enum ward_message_way way, uint32_t index,
			     uint32_t start, uint32_t count, const ward_iova_t *iovas,
			     struct ward_error *ret_error)
{
	int code = yard_call(CALL_MESSAGES);

	(void)device;
	if (ret_error)
		snprintf(ret_error->text, sizeof(ret_error->text), "the host refuses");
	if (code)
		return code;
	if (way == WARD_MESSAGE_PREPARE ? yard.active != WARD_NONE : yard.active != index)
		return -EINVAL;
	if (count == 0) {
		memset(yard.told, 0, sizeof(yard.told));
		yard.forgotten = index;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (ward_iova_raw(iovas[i]) == yard.bad_address)
			return -EFAULT;
		if (way == WARD_MESSAGE_OVERRIDE && start + i >= yard.enabled)
			return -EINVAL;
		if (index == WARD_IRQS_MSI && way == WARD_MESSAGE_PREPARE && yard.told[0] &&
		    yard.addresses[0] != ward_iova_raw(iovas[i]))
			return -EINVAL;
	}
	for (uint32_t i = 0; i < count; i++) {
		yard.told[start + i] = true;
		yard.addresses[start + i] = ward_iova_raw(iovas[i]);
	}
	return 0;
}

static int yard_get(void *device, uint32_t index, uint32_t vector, struct ward_host_irq *ret_irq)
{
	bool on = index == yard.active && vector < yard.enabled;

	(void)device;
	*ret_irq = (struct ward_host_irq){
		.allocated = on,
		.eventfd = on ? yard.fds[vector] : -1,
		.message_known = yard.told[vector],
		.message = { ward_iova(yard.addresses[vector]), 0 },
		.controller = WARD_NONE,
		.number = WARD_NONE,
	};
	return 0;
}

static int yard_attach(void *device, ward_pasid_t pasid, struct ward_space *space)
{
	(void)device;
	(void)pasid;
	(void)space;
	return 0;
}

static int yard_detach(void *device, ward_pasid_t pasid)
{
	(void)device;
	(void)pasid;
	return 0;
}

static int yard_reset(void *device)
{
	(void)device;
	return 0;
}

static int yard_device_info(void *device, struct ward_device_info *ret_info)
{
	(void)device;
	memset(ret_info, 0, sizeof(*ret_info));
	return 0;
}

static void yard_close(void *device)
{
	(void)device;
}

static const struct ward_irq_ops yard_irq_ops = { yard_info, yard_set, yard_set_messages,
						  yard_get };

static const struct ward_device_ops yard_device_ops = {
	.irq = &yard_irq_ops,
	.attach = yard_attach,
	.detach = yard_detach,
	.reset = yard_reset,
	.info = yard_device_info,
	.close = yard_close,
};

static int yard_space(void *backend, struct ward_space_options *options)
{
	(void)backend;
	(void)options;
	return 0;
}

static int yard_open(void *backend, const char *name, const struct ward_device_ops **ret_ops,
		     void **ret_device)
{
	(void)backend;
	(void)name;
	*ret_ops = &yard_device_ops;
	*ret_device = &yard;
	return 0;
}

static void yard_backend_destroy(void *backend)
{
	(void)backend;
}

static const struct ward_backend_ops yard_backend_ops = {
	.name = "yard",
	.space = yard_space,
	.open = yard_open,
	.destroy = yard_backend_destroy,
};

/* The device wants to raise a vector; false: its vector is off, and the event is lost. */
static inline bool host_raise(uint32_t vector)
{
	const uint64_t one = 1;

	if (vector >= yard.enabled)
		return false;
	assert_int_equal(write(yard.fds[vector], &one, sizeof(one)), sizeof(one));
	return true;
}

/* What KVM does all the time: what assigned eventfds hold goes where their routes say. */
static inline void take(void)
{
	for (uint32_t i = 0; i < yard.irqfds_count; i++) {
		const struct ward_route *route =
			yard_route_of(yard.routes, yard.routes_count, yard.irqfds[i].gsi);
		uint64_t events;
		uint32_t at;

		if (read(yard.irqfds[i].eventfd, &events, sizeof(events)) < 0)
			continue;
		assert_non_null(route);
		for (at = 0; at < yard.arrivals_count; at++) {
			if (memcmp(&yard.arrivals[at].route, route, sizeof(*route)) == 0)
				break;
		}
		if (at == yard.arrivals_count)
			yard.arrivals[yard.arrivals_count++].route = *route;
		yard.arrivals[at].count++;
	}
}

/* How often something of this data arrived since the last time this was asked. */
static inline unsigned int arrived(uint32_t data)
{
	unsigned int count = 0;

	take();
	for (uint32_t i = 0; i < yard.arrivals_count; i++) {
		struct yard_arrival *arrival = &yard.arrivals[i];
		uint32_t number = arrival->route.kind == WARD_ROUTE_MSI ? arrival->route.data
									: arrival->route.pin + 32;

		if (number == data) {
			count += arrival->count;
			arrival->count = 0;
		}
	}
	return count;
}

#endif
