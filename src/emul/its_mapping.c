// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What is mapped: devices, their events, the LPIs of those and where they go. Who takes something
 * away first makes it impossible to find, then waits for readers, then looks at what they left
 * pending, and only then gives it back.
 */
#include "emul/its_state.h"

#include <errno.h>

int ward_its_add_device(struct ward_its *its, uint32_t id, uint64_t itt, uint8_t bits)
{
	struct its_device *device = ward_its_pool_take(&its->device_pool);

	if (!device)
		return -ENOMEM;
	*device = (struct its_device){ .node.key = id, .itt = itt, .bits = bits };
	if (ward_its_index_insert(&its->devices, its->options.readers, &device->node)) {
		ward_its_pool_give(&its->device_pool, device);
		return -ENOMEM;
	}
	ward_its_list_add(&its->device_list, &device->node);
	return 0;
}

/* KVM forgets an LPI with its last event, and what is pending of it. */
static void put_lpi(struct ward_its *its, struct its_lpi *lpi)
{
	uint32_t cpu;

	if (!lpi || --lpi->events > 0)
		return;
	cpu = its_target_cpu(&lpi->target);
	if (cpu != WARD_NONE)
		ward_gic_lpi_clear(its->options.gic, cpu, (uint32_t)lpi->node.key);
	/* Readers come to an LPI only by its events. */
	ward_its_index_remove(&its->lpis, &lpi->node);
	ward_its_pool_give(&its->lpi_pool, lpi);
}

static void give_event(struct ward_its *its, struct its_event *event)
{
	put_lpi(its, event->lpi);
	if (event->claimed)
		ward_gic_lpi_unclaim(its->options.gic, event->intid);
	ward_its_pool_give(&its->event_pool, event);
}

void ward_its_remove_device(struct ward_its *its, struct its_device *device)
{
	struct its_node *node, *next;

	ward_its_index_remove(&its->devices, &device->node);
	ward_its_list_remove(&its->device_list, &device->node);
	for (node = device->events; node; node = node->next)
		ward_its_index_remove(&its->events, node);
	ward_readers_wait(its->options.readers);
	for (node = device->events; node; node = next) {
		next = node->next;
		give_event(its, (struct its_event *)node);
	}
	ward_its_pool_give(&its->device_pool, device);
}

/*
 * The LPI of a new event. One that is there already goes where it went before, whatever the
 * collection of the new event says (vgic_add_lpi).
 */
static int get_lpi(struct ward_its *its, uint32_t intid, uint32_t cpu, struct its_lpi **ret_lpi)
{
	struct its_lpi *lpi = (struct its_lpi *)its_find(&its->lpis, intid);

	if (!lpi) {
		lpi = ward_its_pool_take(&its->lpi_pool);
		if (!lpi)
			return -ENOMEM;
		lpi->node.key = intid;
		lpi->events = 0;
		atomic_init(&lpi->latched, false);
		atomic_init(&lpi->target.cpu, cpu + 1);
		if (ward_its_index_insert(&its->lpis, its->options.readers, &lpi->node)) {
			ward_its_pool_give(&its->lpi_pool, lpi);
			return -ENOMEM;
		}
	}
	lpi->events++;
	*ret_lpi = lpi;
	return 0;
}

/* Configuration and pending bit of an LPI that is new; without them there is none. */
static int load_lpi(struct ward_its *its, const struct its_lpi *lpi)
{
	uint32_t cpu = its_target_cpu(&lpi->target), intid = (uint32_t)lpi->node.key;
	int code;

	if (lpi->events > 1)
		return 0;
	code = ward_gic_lpi_reload(its->options.gic, cpu == WARD_NONE ? 0 : cpu, intid);
	if (!code && cpu != WARD_NONE)
		code = ward_gic_lpi_load_pending(its->options.gic, cpu, intid);
	return code ? -EFAULT : 0;
}

int ward_its_add_event(struct ward_its *its, struct its_device *device, uint32_t id, uint32_t intid,
		       struct its_collection *collection)
{
	struct its_event *event = ward_its_pool_take(&its->event_pool);
	int code = 0;

	if (!event)
		return -ENOMEM;
	event->node.key = its_event_key((uint32_t)device->node.key, id);
	event->intid = intid;
	event->lpi = NULL;
	event->claimed = its->options.exclusive_lpis && ward_gic_lpi_claim(its->options.gic, intid);
	atomic_init(&event->collection, collection);
	atomic_init(&event->target, &collection->target);
	if (its->options.exclusive_lpis && !event->claimed)
		code = -EINVAL;
	else if (its->kvm)
		code = get_lpi(its, intid, its_target_cpu(&collection->target), &event->lpi);
	if (code)
		goto give;
	if (event->lpi) {
		atomic_init(&event->target, &event->lpi->target);
		code = load_lpi(its, event->lpi);
	}
	if (!code)
		code = ward_its_index_insert(&its->events, its->options.readers, &event->node);
	if (code)
		goto give;
	ward_its_list_add(&device->events, &event->node);
	return 0;
give:
	give_event(its, event);
	return code;
}

void ward_its_remove_event(struct ward_its *its, struct its_device *device, struct its_event *event)
{
	ward_its_index_remove(&its->events, &event->node);
	ward_its_list_remove(&device->events, &event->node);
	ward_readers_wait(its->options.readers);
	give_event(its, event);
}

void ward_its_move_event(struct ward_its *its, struct its_event *event,
			 struct its_collection *collection)
{
	atomic_store(&event->collection, collection);
	if (!its->kvm)
		atomic_store(&event->target, &collection->target);
	ward_readers_wait(its->options.readers);
}

void ward_its_set_target(struct ward_its *its, struct its_target *target, uint32_t cpu)
{
	atomic_store(&target->cpu, cpu + 1);
	ward_readers_wait(its->options.readers);
}

void ward_its_move_lpi(struct ward_its *its, struct its_lpi *lpi, uint32_t cpu)
{
	uint32_t old = its_target_cpu(&lpi->target);
	struct ward_interrupt interrupt;

	if (old == cpu)
		return;
	ward_its_set_target(its, &lpi->target, cpu);
	if (old != WARD_NONE && cpu != WARD_NONE)
		ward_gic_lpi_move(its->options.gic, old, cpu, (uint32_t)lpi->node.key);
	if (atomic_exchange(&lpi->latched, false))
		ward_its_raise_lpi(its, lpi, &interrupt);
}

/* Takes events out of a collection; NULL: of all. */
static void empty_collection(struct ward_its *its, const struct its_collection *collection)
{
	for (struct its_node *device = its->device_list; device; device = device->next) {
		struct its_node *node = ((struct its_device *)device)->events;

		for (; node; node = node->next) {
			struct its_event *event = (struct its_event *)node;

			if (!collection || atomic_load(&event->collection) == collection)
				atomic_store(&event->collection, NULL);
		}
	}
}

void ward_its_forget_collection(struct ward_its *its, struct its_collection *collection)
{
	if (!collection->known)
		return;
	empty_collection(its, collection);
	atomic_store(&collection->target.cpu, 0);
	collection->known = false;
	ward_readers_wait(its->options.readers);
}

void ward_its_unclaim_all(struct ward_its *its)
{
	for (struct its_node *device = its->device_list; device; device = device->next) {
		struct its_node *node = ((struct its_device *)device)->events;

		for (; node; node = node->next) {
			struct its_event *event = (struct its_event *)node;

			if (event->claimed)
				ward_gic_lpi_unclaim(its->options.gic, event->intid);
		}
	}
}

void ward_its_forget_devices(struct ward_its *its)
{
	while (its->device_list)
		ward_its_remove_device(its, (struct its_device *)its->device_list);
}

void ward_its_forget_collections(struct ward_its *its)
{
	if (its->kvm)
		empty_collection(its, NULL);
	for (uint32_t i = 0; i < ITS_ICIDS; i++) {
		atomic_store(&its->collections[i].target.cpu, 0);
		its->collections[i].known = false;
	}
	ward_readers_wait(its->options.readers);
}
