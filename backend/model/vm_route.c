// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The routing table of a guest, and what raising a GSI comes to by it. */
#include "vm.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

/* GICD_ICFGR: two bits an interrupt, the upper one says edge (Arm IHI 0048, 4.3.13). */
#define GICD_ICFGR 0xc00u

static enum vm_way way_of(const struct vm_model *vm, const struct ward_route *route)
{
	uint64_t its = ward_gpa_raw(vm->options.its), address = ward_gpa_raw(route->address);

	if (vm->parts.apics)
		return route->kind == WARD_ROUTE_MSI ? VM_APIC : VM_PIN;
	/* Pins are counted by what a GIC can have; this one may have less. */
	if (route->kind == WARD_ROUTE_PIN)
		return route->pin + WARD_GIC_FIRST_SPI < vm->options.interrupts ? VM_SPI
										: VM_NOWHERE;
	/* KVM takes the whole ITS for its doorbell (vgic_msi_to_its). */
	if (!vm->parts.its || !(route->flags & WARD_ROUTE_DEVID) || address < its ||
	    address - its >= WARD_ITS_BYTES)
		return VM_NOWHERE;
	return VM_ITS;
}

int ward_vm_table_create(const struct vm_model *vm, const struct ward_route *routes, uint32_t count,
			 struct vm_table **ret_table)
{
	struct vm_table *table = ward_alloc(sizeof(*table) + count * sizeof(table->targets[0]));
	uint16_t *first;

	if (!table)
		return -ENOMEM;
	/* Counting sort: first[gsi + 1] counts, then is where gsi begins, then where it ends. */
	first = table->first;
	for (uint32_t i = 0; i < count; i++)
		first[ward_gsi_raw(routes[i].gsi) + 1]++;
	for (uint32_t gsi = WARD_GSIS, left = count; gsi > 0; gsi--) {
		left -= first[gsi];
		first[gsi] = (uint16_t)left;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct ward_route *route = &routes[i];

		table->targets[first[ward_gsi_raw(route->gsi) + 1]++] = (struct vm_target){
			.route = *route,
			.way = way_of(vm, route),
		};
	}
	*ret_table = table;
	return 0;
}

void ward_vm_table_publish(struct vm_model *vm, struct vm_table *table)
{
	struct vm_table *old = atomic_exchange(&vm->table, table);

	ward_readers_wait(vm->readers);
	free(old);
}

static bool same_route(const struct ward_route *a, const struct ward_route *b)
{
	if (a->kind != b->kind || a->flags != b->flags)
		return false;
	if (a->kind == WARD_ROUTE_PIN)
		return a->chip == b->chip && a->pin == b->pin;
	return a->address == b->address && a->data == b->data &&
	       (!(a->flags & WARD_ROUTE_DEVID) || a->devid == b->devid);
}

bool ward_vm_table_agree(const struct vm_table *a, const struct vm_table *b, uint32_t gsi)
{
	uint32_t count;

	if (gsi >= WARD_GSIS)
		return true;
	count = a->first[gsi + 1] - a->first[gsi];
	if (b->first[gsi + 1] - b->first[gsi] != (int)count)
		return false;
	/* Of pins at several chips, the order is all the same. */
	for (uint32_t i = 0; i < count; i++) {
		bool found = false;

		for (uint32_t j = 0; j < count; j++)
			found |= same_route(&a->targets[a->first[gsi] + i].route,
					    &b->targets[b->first[gsi] + j].route);
		if (!found)
			return false;
	}
	return true;
}

bool ward_vm_table_has_pin(const struct vm_table *table, uint32_t gsi, uint32_t chip, uint32_t pin)
{
	if (gsi >= WARD_GSIS)
		return false;
	for (uint32_t i = table->first[gsi]; i < table->first[gsi + 1]; i++) {
		const struct ward_route *route = &table->targets[i].route;

		if (route->kind == WARD_ROUTE_PIN && route->chip == chip && route->pin == pin)
			return true;
	}
	return false;
}

static bool is_edge(const struct ward_gic *gic, uint32_t intid)
{
	uint8_t bytes[4] = { 0 };
	uint32_t bit = intid % 16 * 2 + 1;

	ward_gic_read(gic, WARD_GIC_DISTRIBUTOR, GICD_ICFGR + intid / 16 * 4, bytes, sizeof(bytes));
	return bytes[bit / 8] >> bit % 8 & 1;
}

/*
 * An edge is latched whatever the line does, and its end is not heard, as in KVM
 * (vgic_validate_injection). A level goes with the line: up and down again leaves nothing behind.
 */
int ward_vm_spi_signal(struct vm_model *vm, uint32_t intid, enum vm_signal signal,
		       struct ward_interrupt *ret_interrupt)
{
	struct ward_gic *gic = vm->parts.gic;

	if (is_edge(gic, intid)) {
		if (signal != VM_LOW)
			ward_gic_pulse(gic, intid, ret_interrupt);
		return signal != VM_LOW;
	}
	if (signal != VM_LOW)
		ward_gic_set_spi(gic, intid, true);
	if (signal != VM_HIGH)
		ward_gic_set_spi(gic, intid, false);
	ret_interrupt->number = intid;
	ret_interrupt->end = signal == VM_HIGH ? WARD_INTERRUPT_PENDING : WARD_INTERRUPT_NONE;
	return signal != VM_LOW;
}

static int signal_target(struct vm_model *vm, struct ward_reader *reader,
			 const struct vm_target *target, enum vm_signal signal,
			 enum vm_source source, struct ward_interrupt *ret_interrupt)
{
	const struct ward_route *route = &target->route;
	struct ward_message message;

	switch (target->way) {
	case VM_NOWHERE:
		return 0;
	case VM_SPI:
		return ward_vm_spi_signal(vm, route->pin + WARD_GIC_FIRST_SPI, signal,
					  ret_interrupt);
	case VM_PIN:
		return ward_vm_pin_signal(vm, route->chip, route->pin, signal, source,
					  ret_interrupt);
	case VM_ITS:
		return signal == VM_LOW ? 0
					: ward_its_message(vm->parts.its, reader, route->devid,
							   route->data, ret_interrupt);
	case VM_APIC:
		if (signal == VM_LOW)
			return 0;
		message.address = ward_iova(ward_gpa_raw(route->address));
		message.data = route->data;
		return ward_apics_message(vm->parts.apics, &message, ret_interrupt);
	}
	return 0;
}

int ward_vm_raise(struct vm_model *vm, struct ward_reader *reader, uint32_t gsi,
		  enum vm_signal signal, enum vm_source source,
		  struct ward_interrupt *ret_interrupt)
{
	struct ward_interrupt first = { .cpu = WARD_NONE };
	const struct vm_table *table;
	int arrived = 0;

	if (gsi >= WARD_GSIS)
		return 0;
	table = atomic_load(&vm->table);
	for (uint32_t i = table->first[gsi]; i < table->first[gsi + 1]; i++) {
		struct ward_interrupt interrupt = { .cpu = WARD_NONE };
		int count =
			signal_target(vm, reader, &table->targets[i], signal, source, &interrupt);

		/* Of several chips, the first that a CPU heard of. */
		if (first.end != WARD_INTERRUPT_PENDING)
			first = interrupt;
		arrived += count;
	}
	*ret_interrupt = first;
	return arrived;
}

int ward_vm_model_raise(struct ward_vm *vm, struct ward_reader *reader, ward_gsi_t gsi,
			struct ward_interrupt *ret_interrupt)
{
	struct vm_model *model = ward_vm_model_of(vm);
	struct ward_interrupt interrupt;
	int arrived;

	if (!model || ward_gsi_raw(gsi) >= WARD_GSIS)
		return -EINVAL;
	if (reader || !model->readers) {
		arrived = ward_vm_raise(model, reader, ward_gsi_raw(gsi), VM_PULSE, VM_SOURCE_USER,
					&interrupt);
	} else {
		pthread_mutex_lock(&model->lock);
		ward_reader_enter(model->reader);
		arrived = ward_vm_raise(model, model->reader, ward_gsi_raw(gsi), VM_PULSE,
					VM_SOURCE_USER, &interrupt);
		ward_reader_exit(model->reader);
		pthread_mutex_unlock(&model->lock);
	}
	if (ret_interrupt)
		*ret_interrupt = interrupt;
	return arrived;
}
