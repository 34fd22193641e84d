// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Commands as KVM's vITS has them (Linux arch/arm64/kvm/vgic/vgic-its.c): the same checks in the same
 * order. Where they differ from its_command.c it says so here. Errors are recorded and skipped.
 *
 * An LPI goes to one CPU, whichever of its events rings, and is pending there: a collection that
 * is mapped anew, MOVI and MOVALL all move it.
 */
#include "emul/its_command.h"

static bool is_mapped(const struct its_collection *collection)
{
	return collection && its_target_cpu(&collection->target) != WARD_NONE;
}

static bool cpu_fits(const struct ward_its *its, uint64_t cpu)
{
	return cpu < ward_gic_cpus(its->options.gic);
}

/* KVM takes 32 of the 36 bits. */
static uint32_t command_cpu(uint64_t word)
{
	return (uint32_t)its_command_cpu(word);
}

static struct its_event *find_event(const struct ward_its *its, const uint64_t *words)
{
	return its_find_event(its, its_command_device(words), its_command_event(words));
}

/* The entry in memory is made 0 when a device is unmapped, and not written when it is mapped. */
static uint32_t mapd(struct ward_its *its, const uint64_t *words)
{
	uint32_t id = its_command_device(words);
	struct its_device *old;
	uint64_t address;

	if (id >> its->options.device_bits ||
	    ward_its_table_entry(its, ITS_DEVICES, id, &address) ||
	    !ward_its_in_memory(its, address))
		return its_syndrome(words, ITS_DEVICE_OOR);
	if (its_command_valid(words) && its_command_bits(words) > its->options.event_bits)
		return its_syndrome(words, ITS_ITTSIZE_OOR);
	old = its_find_device(its, id);
	if (old)
		ward_its_remove_device(its, old);
	if (!its_command_valid(words))
		return ward_memory_write_u64(its->options.memory, address, 0) ? ITS_UNNAMED : 0;
	return ward_its_add_device(its, id, its_command_itt(words), its_command_bits(words))
		       ? ITS_UNNAMED
		       : 0;
}

/* Whether a collection is known, or can be. */
static bool collection_fits(const struct ward_its *its, uint32_t icid)
{
	uint64_t address;

	return its->collections[icid].known ||
	       (!ward_its_table_entry(its, ITS_COLLECTIONS, icid, &address) &&
		ward_its_in_memory(its, address));
}

static void move_collection(struct ward_its *its, const struct its_collection *collection,
			    uint32_t cpu)
{
	for (struct its_node *device = its->device_list; device; device = device->next) {
		struct its_node *node = ((struct its_device *)device)->events;

		for (; node; node = node->next) {
			struct its_event *event = (struct its_event *)node;

			if (atomic_load(&event->collection) == collection)
				ward_its_move_lpi(its, event->lpi, cpu);
		}
	}
}

/* Unmapping takes events out of the collection: they stay unmapped when it is mapped again. */
static uint32_t mapc(struct ward_its *its, const uint64_t *words)
{
	struct its_collection *collection = &its->collections[its_command_icid(words)];
	uint32_t cpu = command_cpu(words[2]);

	if (!its_command_valid(words)) {
		ward_its_forget_collection(its, collection);
		return 0;
	}
	if (!cpu_fits(its, cpu))
		return its_syndrome(words, ITS_PROCNUM_OOR);
	if (!collection_fits(its, its_command_icid(words)))
		return its_syndrome(words, ITS_COLLECTION_OOR);
	ward_its_set_target(its, &collection->target, cpu);
	if (collection->known)
		move_collection(its, collection, cpu);
	collection->known = true;
	return 0;
}

/* What an event was mapped to stays, and is no error. An unknown collection becomes known. */
static uint32_t mapti(struct ward_its *its, const uint64_t *words)
{
	uint32_t id = its_command_device(words), event = its_command_event(words);
	uint32_t intid = its_command_intid(words);
	struct its_collection *collection = &its->collections[its_command_icid(words)];
	struct its_device *device = its_find_device(its, id);
	uint64_t address;

	/* The class is MAPTI's for MAPI, too, and MAPC's for a collection out of range. */
	if (!device)
		return 0x010a00 | ITS_UNMAPPED_DEVICE;
	if (ward_its_event_entry(device, event, &address) || !ward_its_in_memory(its, address))
		return 0x010a00 | ITS_ID_OOR;
	if (intid < WARD_GIC_FIRST_LPI || intid > ward_gic_last_lpi(its->options.gic))
		return 0x010a00 | ITS_PHYSICALID_OOR;
	if (its_find_event(its, id, event))
		return 0;
	if (!collection_fits(its, its_command_icid(words)))
		return 0x010900 | ITS_COLLECTION_OOR;
	if (ward_its_add_event(its, device, event, intid, collection))
		return ITS_UNNAMED;
	collection->known = true;
	return 0;
}

static uint32_t movi(struct ward_its *its, const uint64_t *words)
{
	struct its_collection *collection = &its->collections[its_command_icid(words)];
	struct its_event *event = find_event(its, words);

	if (!event)
		return its_syndrome(words, ITS_UNMAPPED_INTERRUPT);
	if (!is_mapped(atomic_load(&event->collection)) || !is_mapped(collection))
		return its_syndrome(words, ITS_UNMAPPED_COLLECTION);
	atomic_store(&event->collection, collection);
	ward_its_move_lpi(its, event->lpi, its_target_cpu(&collection->target));
	return 0;
}

/* Only from a collection that is mapped. */
static uint32_t discard(struct ward_its *its, const uint64_t *words)
{
	struct its_event *event = find_event(its, words);
	struct its_device *device;
	uint64_t address;

	if (!event || !is_mapped(atomic_load(&event->collection)))
		return its_syndrome(words, ITS_UNMAPPED_INTERRUPT);
	device = its_find_device(its, its_command_device(words));
	ward_its_event_entry(device, its_command_event(words), &address);
	ward_its_remove_event(its, device, event);
	return ward_memory_write_u64(its->options.memory, address, 0) ? ITS_UNNAMED : 0;
}

static uint32_t raise_int(struct ward_its *its, const uint64_t *words)
{
	struct ward_interrupt interrupt;

	if (ward_its_deliver(its, its_command_device(words), its_command_event(words), true,
			     &interrupt))
		return 0;
	return interrupt.reason == WARD_REASON_LPIS_OFF
		       ? ITS_UNNAMED
		       : its_syndrome(words, ITS_UNMAPPED_INTERRUPT);
}

static uint32_t clear(struct ward_its *its, const uint64_t *words)
{
	struct its_event *event = find_event(its, words);
	uint32_t cpu;

	if (!event)
		return its_syndrome(words, ITS_UNMAPPED_INTERRUPT);
	cpu = its_target_cpu(&event->lpi->target);
	if (cpu != WARD_NONE)
		ward_gic_lpi_clear(its->options.gic, cpu, event->intid);
	atomic_store(&event->lpi->latched, false);
	return 0;
}

static uint32_t inv(struct ward_its *its, const uint64_t *words)
{
	struct its_event *event = find_event(its, words);
	uint32_t cpu;

	if (!event)
		return its_syndrome(words, ITS_UNMAPPED_INTERRUPT);
	cpu = its_target_cpu(&event->lpi->target);
	return ward_gic_lpi_reload(its->options.gic, cpu == WARD_NONE ? 0 : cpu, event->intid)
		       ? ITS_UNNAMED
		       : 0;
}

static uint32_t invall(struct ward_its *its, const uint64_t *words)
{
	const struct its_collection *collection = &its->collections[its_command_icid(words)];

	if (!is_mapped(collection))
		return its_syndrome(words, ITS_UNMAPPED_COLLECTION);
	return ward_gic_lpi_reload_all(its->options.gic, its_target_cpu(&collection->target))
		       ? ITS_UNNAMED
		       : 0;
}

/*
 * LPIs of the first CPU go to the second one, not only what is pending of them. So Linux 6.1 and 6.12;
 * since vgic_copy_lpi_list is gone, later kernels move all LPIs of the VM.
 */
static uint32_t movall(struct ward_its *its, const uint64_t *words)
{
	uint32_t from = command_cpu(words[2]), to = command_cpu(words[3]);

	if (!cpu_fits(its, from) || !cpu_fits(its, to))
		return its_syndrome(words, ITS_PROCNUM_OOR_MOVALL);
	if (from == to)
		return 0;
	for (struct its_node *device = its->device_list; device; device = device->next) {
		struct its_node *node = ((struct its_device *)device)->events;

		for (; node; node = node->next) {
			struct its_lpi *lpi = ((struct its_event *)node)->lpi;

			if (its_target_cpu(&lpi->target) == from)
				ward_its_move_lpi(its, lpi, to);
		}
	}
	return 0;
}

static uint32_t sync(struct ward_its *its, const uint64_t *words)
{
	(void)its;
	(void)words;
	return 0;
}

static const struct its_command commands[] = {
	{ ITS_MOVI, movi },	{ ITS_INT, raise_int }, { ITS_CLEAR, clear },
	{ ITS_SYNC, sync },	{ ITS_MAPD, mapd },	{ ITS_MAPC, mapc },
	{ ITS_MAPTI, mapti },	{ ITS_MAPI, mapti },	{ ITS_INV, inv },
	{ ITS_INVALL, invall }, { ITS_MOVALL, movall }, { ITS_DISCARD, discard },
};

uint32_t ward_its_command_kvm(struct ward_its *its, const uint64_t *words)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].opcode == its_command_opcode(words))
			return commands[i].run(its, words);
	}
	return ITS_UNNAMED;
}
