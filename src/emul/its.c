// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A GICv3 ITS. What the architecture (IHI 0069) leaves open is here so:
 *
 * - Mappings are kept in objects and written to the tables in memory as commands make them; what
 *   is in memory is believed only when it is restored, and where a level-1 table says where a
 *   level-2 page is. ITTs count as zeroed when they are mapped.
 * - Every command is complete, towards all CPUs, when the next one begins.
 * - A command in error changes nothing. Unknown commands, commands that cannot be read, tables
 *   that cannot be written, MAPTI of an event that is mapped already, and a SYNC to no CPU are
 *   errors without a syndrome.
 * - MAPD takes all events of the device away, mapping or unmapping it. A write of GITS_BASER<n>
 *   takes away what was mapped by that table.
 * - MAPC V=0 leaves events in the collection: they work again when it is mapped again.
 * - INT, CLEAR and INV of an event whose collection is not mapped: unmapped interrupt. DISCARD of
 *   one works.
 * - GITS_BASER and GITS_CBASER are not written while the ITS is enabled.
 * - GITS_CWRITER beyond the queue, or a queue that is not valid: nothing is executed.
 * - An EventID with bits beyond those implemented is ignored, not cut.
 * - Quiescent is 1 when no command waits, or the ITS is not enabled.
 */
#include "emul/its_state.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

#define ROUNDED(type) ((sizeof(type) + 63) & ~(size_t)63)

static int check(const struct ward_its_options *options)
{
	if (options->size != sizeof(*options) || !options->gic || !options->memory ||
	    ward_gic_cpus(options->gic) == 0)
		return -EINVAL;
	if (options->profile != WARD_ITS_ARCHITECTURE && options->profile != WARD_ITS_KVM)
		return -EINVAL;
	if (options->device_bits > 32 || options->event_bits > 32)
		return -EINVAL;
	if (options->profile == WARD_ITS_KVM &&
	    ((options->device_bits != 0 && options->device_bits != 16) ||
	     (options->event_bits != 0 && options->event_bits != 16) || options->stalls ||
	     options->exclusive_lpis))
		return -EINVAL;
	return 0;
}

int ward_its_create(const struct ward_its_options *options, struct ward_its **ret_its)
{
	struct ward_its *its;

	if (check(options))
		return -EINVAL;
	its = ward_alloc(sizeof(*its));
	if (!its)
		return -ENOMEM;
	its->options = *options;
	its->kvm = options->profile == WARD_ITS_KVM;
	if (!options->device_bits)
		its->options.device_bits = 16;
	if (!options->event_bits)
		its->options.event_bits = 16;
	its->device_pool =
		(struct its_pool){ .size = ROUNDED(struct its_device), .most = ITS_DEVICES_MAX };
	its->event_pool =
		(struct its_pool){ .size = ROUNDED(struct its_event), .most = ITS_EVENTS_MAX };
	its->lpi_pool =
		(struct its_pool){ .size = ROUNDED(struct its_lpi), .most = ITS_EVENTS_MAX };
	its->collections = ward_alloc_array(ITS_ICIDS, sizeof(its->collections[0]));
	if (!its->collections || ward_its_index_init(&its->devices) ||
	    ward_its_index_init(&its->events) || ward_its_index_init(&its->lpis)) {
		ward_its_destroy(its);
		return -ENOMEM;
	}
	ward_its_reset_registers(its);
	*ret_its = its;
	return 0;
}

void ward_its_destroy(struct ward_its *its)
{
	if (!its)
		return;
	ward_its_unclaim_all(its);
	ward_its_index_finish(&its->devices);
	ward_its_index_finish(&its->events);
	ward_its_index_finish(&its->lpis);
	ward_its_pool_finish(&its->device_pool);
	ward_its_pool_finish(&its->event_pool);
	ward_its_pool_finish(&its->lpi_pool);
	free(its->collections);
	free(its);
}

void ward_its_reset(struct ward_its *its)
{
	ward_its_reset_registers(its);
	ward_its_forget_devices(its);
	ward_its_forget_collections(its);
}

bool ward_its_error(const struct ward_its *its, struct ward_its_error *ret_error)
{
	if (its->error.count == 0)
		return false;
	*ret_error = its->error;
	return true;
}

static int ignore(enum ward_interrupt_reason reason, struct ward_interrupt *ret_interrupt)
{
	ret_interrupt->end = WARD_INTERRUPT_IGNORED;
	ret_interrupt->reason = reason;
	return 0;
}

/* Why there is no such event. */
static int refuse(const struct ward_its *its, uint32_t device, uint32_t event,
		  struct ward_interrupt *ret_interrupt)
{
	const struct its_device *found;
	uint64_t address;

	if (device >= atomic_load(&its->device_ids))
		return ignore(WARD_REASON_DEVICE_RANGE, ret_interrupt);
	found = its_find_device(its, device);
	if (!found)
		return ignore(WARD_REASON_UNMAPPED_DEVICE, ret_interrupt);
	return ignore(ward_its_event_entry(found, event, &address) ? WARD_REASON_EVENT_RANGE
								   : WARD_REASON_UNMAPPED_EVENT,
		      ret_interrupt);
}

/* What sending would come to. cpu WARD_NONE: pending, and no CPU has it. */
static int foresee(const struct ward_its *its, uint32_t cpu, uint32_t intid,
		   struct ward_interrupt *ret_interrupt)
{
	if (intid > ward_gic_last_lpi(its->options.gic))
		return ignore(WARD_REASON_LPI_RANGE, ret_interrupt);
	ret_interrupt->end = WARD_INTERRUPT_PENDING;
	ret_interrupt->cpu = cpu;
	ret_interrupt->cpus = cpu != WARD_NONE;
	return 1;
}

void ward_its_raise_lpi(struct ward_its *its, struct its_lpi *lpi,
			struct ward_interrupt *ret_interrupt)
{
	uint32_t cpu = its_target_cpu(&lpi->target), intid = (uint32_t)lpi->node.key;

	*ret_interrupt = (struct ward_interrupt){ .reason = WARD_REASON_LPIS_OFF };
	if (cpu != WARD_NONE)
		ward_gic_lpi_set(its->options.gic, cpu, intid, ret_interrupt);
	if (ret_interrupt->reason != WARD_REASON_LPIS_OFF)
		return;
	atomic_store(&lpi->latched, true);
	*ret_interrupt = (struct ward_interrupt){ .end = WARD_INTERRUPT_PENDING,
						  .number = intid,
						  .cpu = WARD_NONE };
}

/*
 * KVM (vgic_its_resolve_lpi) asks the event's collection whether it is mapped and its CPU has LPIs on.
 * Where the LPI goes then, which another event may have said, is not asked.
 */
static int deliver_kvm(struct ward_its *its, const struct its_event *event, bool send,
		       struct ward_interrupt *ret_interrupt)
{
	const struct its_collection *collection = atomic_load(&event->collection);
	uint32_t cpu = collection ? its_target_cpu(&collection->target) : WARD_NONE;

	if (cpu == WARD_NONE)
		return ignore(WARD_REASON_UNMAPPED_COLLECTION, ret_interrupt);
	if (!ward_gic_lpis_on(its->options.gic, cpu))
		return ignore(WARD_REASON_LPIS_OFF, ret_interrupt);
	if (send) {
		ward_its_raise_lpi(its, event->lpi, ret_interrupt);
		return ret_interrupt->end == WARD_INTERRUPT_PENDING;
	}
	cpu = its_target_cpu(&event->lpi->target);
	if (!ward_gic_lpis_on(its->options.gic, cpu))
		cpu = WARD_NONE;
	return foresee(its, cpu, event->intid, ret_interrupt);
}

int ward_its_deliver(struct ward_its *its, uint32_t device, uint32_t event, bool send,
		     struct ward_interrupt *ret_interrupt)
{
	const struct its_event *found;
	uint32_t cpu;

	*ret_interrupt = (struct ward_interrupt){ .cpu = WARD_NONE };
	if (!atomic_load(&its->enabled))
		return ignore(WARD_REASON_OFF, ret_interrupt);
	found = its_find_event(its, device, event);
	if (!found)
		return refuse(its, device, event, ret_interrupt);
	ret_interrupt->number = found->intid;
	if (its->kvm)
		return deliver_kvm(its, found, send, ret_interrupt);
	cpu = its_target_cpu(atomic_load(&found->target));
	if (cpu == WARD_NONE)
		return ignore(WARD_REASON_UNMAPPED_COLLECTION, ret_interrupt);
	if (send) {
		ward_gic_lpi_set(its->options.gic, cpu, found->intid, ret_interrupt);
		return ret_interrupt->end == WARD_INTERRUPT_PENDING;
	}
	if (!ward_gic_lpis_on(its->options.gic, cpu))
		return ignore(WARD_REASON_LPIS_OFF, ret_interrupt);
	return foresee(its, cpu, found->intid, ret_interrupt);
}

int ward_its_message(struct ward_its *its, struct ward_reader *reader, ward_devid_t device,
		     uint32_t event, struct ward_interrupt *ret_interrupt)
{
	(void)reader; /* that it was entered is what counts */
	return ward_its_deliver(its, ward_devid_raw(device), event, true, ret_interrupt);
}

int ward_its_translate(struct ward_its *its, ward_devid_t device, uint32_t event,
		       struct ward_interrupt *ret_interrupt)
{
	return ward_its_deliver(its, ward_devid_raw(device), event, false, ret_interrupt);
}
