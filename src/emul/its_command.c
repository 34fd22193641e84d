// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Commands (IHI 0069, 5.3) of profile ARCHITECTURE: a table, one small handler each. A command in
 * error changes nothing.
 */
#include "emul/its_command.h"

static bool device_fits(const struct ward_its *its, uint32_t device)
{
	return device < atomic_load(&its->device_ids);
}

static bool collection_fits(const struct ward_its *its, uint32_t icid)
{
	return icid < ward_its_table_ids(its->reg.baser[ITS_COLLECTIONS]);
}

static bool cpu_fits(const struct ward_its *its, uint64_t cpu)
{
	return cpu < ward_gic_cpus(its->options.gic);
}

static int write_entry(const struct ward_its *its, uint64_t address, uint64_t entry)
{
	return ward_memory_write_u64(its->options.memory, address, entry);
}

/* The device and event of a command. 0 or a syndrome. */
static uint32_t find_event(const struct ward_its *its, const uint64_t *words,
			   struct its_device **ret_device, struct its_event **ret_event)
{
	uint32_t id = its_command_device(words), event = its_command_event(words);
	uint64_t address;

	if (!device_fits(its, id))
		return its_syndrome(words, ITS_DEVICE_OOR);
	*ret_device = its_find_device(its, id);
	if (!*ret_device)
		return its_syndrome(words, ITS_UNMAPPED_DEVICE);
	if (ward_its_event_entry(*ret_device, event, &address))
		return its_syndrome(words, ITS_ID_OOR);
	*ret_event = its_find_event(its, id, event);
	return *ret_event ? 0 : its_syndrome(words, ITS_UNMAPPED_INTERRUPT);
}

/* Mapping a device again takes its events away, as unmapping it does. */
static uint32_t mapd(struct ward_its *its, const uint64_t *words)
{
	uint32_t id = its_command_device(words);
	struct its_device made = { .node.key = id,
				   .itt = its_command_itt(words),
				   .bits = its_command_bits(words) };
	bool valid = its_command_valid(words);
	struct its_device *old;
	uint64_t address;

	if (!device_fits(its, id) || ward_its_table_entry(its, ITS_DEVICES, id, &address))
		return its_syndrome(words, ITS_DEVICE_OOR);
	if (valid && made.bits > its->options.event_bits)
		return its_syndrome(words, ITS_ITTSIZE_OOR);
	if (write_entry(its, address, valid ? ward_its_device_entry(&made, 0) : 0))
		return ITS_UNNAMED;
	old = its_find_device(its, id);
	if (old)
		ward_its_remove_device(its, old);
	if (valid && ward_its_add_device(its, id, made.itt, made.bits)) {
		write_entry(its, address, 0);
		return ITS_UNNAMED;
	}
	return 0;
}

static uint32_t mapc(struct ward_its *its, const uint64_t *words)
{
	struct its_collection *collection = &its->collections[its_command_icid(words)];
	uint64_t cpu = its_command_cpu(words[2]), address;
	bool valid = its_command_valid(words);

	if (!collection_fits(its, its_command_icid(words)))
		return its_syndrome(words, ITS_COLLECTION_OOR);
	if (valid && !cpu_fits(its, cpu))
		return its_syndrome(words, ITS_PROCNUM_OOR);
	if (ward_its_table_entry(its, ITS_COLLECTIONS, its_command_icid(words), &address) ||
	    write_entry(its, address,
			valid ? ward_its_collection_entry(its_command_icid(words), (uint32_t)cpu)
			      : 0))
		return ITS_UNNAMED;
	ward_its_set_target(its, &collection->target, valid ? (uint32_t)cpu : WARD_NONE);
	return 0;
}

/*
 * The collection need not be mapped yet. An event that is mapped already, which the architecture
 * leaves open, keeps what it has. MAPI is the same with the EventID for the LPI.
 */
static uint32_t mapti(struct ward_its *its, const uint64_t *words)
{
	uint32_t id = its_command_device(words), event = its_command_event(words);
	uint32_t intid = its_command_intid(words), cpu;
	struct its_collection *collection = &its->collections[its_command_icid(words)];
	struct its_device *device;
	uint64_t address;

	if (!device_fits(its, id))
		return its_syndrome(words, ITS_DEVICE_OOR);
	if (!collection_fits(its, its_command_icid(words)))
		return its_syndrome(words, ITS_COLLECTION_OOR);
	device = its_find_device(its, id);
	if (!device)
		return its_syndrome(words, ITS_UNMAPPED_DEVICE);
	if (ward_its_event_entry(device, event, &address))
		return its_syndrome(words, ITS_ID_OOR);
	if (intid < WARD_GIC_FIRST_LPI || intid > ward_gic_last_lpi(its->options.gic))
		return its_syndrome(words, ITS_PHYSICALID_OOR);
	if (its_find_event(its, id, event) ||
	    write_entry(its, address, ward_its_interrupt_entry(intid, its_command_icid(words), 0)))
		return ITS_UNNAMED;
	/* Another has the LPI, or there is no memory. */
	if (ward_its_add_event(its, device, event, intid, collection)) {
		write_entry(its, address, 0);
		return ITS_UNNAMED;
	}
	/* Its configuration is read; one that is not in memory leaves the LPI disabled. */
	cpu = its_target_cpu(&collection->target);
	if (cpu != WARD_NONE)
		ward_gic_lpi_reload(its->options.gic, cpu, intid);
	return 0;
}

static uint32_t movi(struct ward_its *its, const uint64_t *words)
{
	struct its_collection *old, *collection = &its->collections[its_command_icid(words)];
	struct its_device *device;
	struct its_event *event;
	uint32_t from, to, error;
	uint64_t address;

	if (!device_fits(its, its_command_device(words)))
		return its_syndrome(words, ITS_DEVICE_OOR);
	if (!collection_fits(its, its_command_icid(words)))
		return its_syndrome(words, ITS_COLLECTION_OOR);
	error = find_event(its, words, &device, &event);
	if (error)
		return error;
	old = atomic_load(&event->collection);
	from = its_target_cpu(&old->target);
	to = its_target_cpu(&collection->target);
	if (from == WARD_NONE || to == WARD_NONE)
		return its_syndrome(words, ITS_UNMAPPED_COLLECTION);
	if (ward_its_event_entry(device, its_command_event(words), &address) ||
	    write_entry(its, address,
			ward_its_interrupt_entry(event->intid, its_command_icid(words), 0)))
		return ITS_UNNAMED;
	ward_its_move_event(its, event, collection);
	if (from != to)
		ward_gic_lpi_move(its->options.gic, from, to, event->intid);
	return 0;
}

/* An event of a collection that is not mapped is pending nowhere that is known. */
static uint32_t discard(struct ward_its *its, const uint64_t *words)
{
	struct its_device *device;
	struct its_event *event;
	uint32_t cpu, intid, error = find_event(its, words, &device, &event);
	uint64_t address;

	if (error)
		return error;
	if (ward_its_event_entry(device, its_command_event(words), &address) ||
	    write_entry(its, address, 0))
		return ITS_UNNAMED;
	cpu = its_target_cpu(atomic_load(&event->target));
	intid = event->intid;
	ward_its_remove_event(its, device, event);
	if (cpu != WARD_NONE)
		ward_gic_lpi_clear(its->options.gic, cpu, intid);
	return 0;
}

/* What INT comes to is what a message would come to. */
static uint32_t raise_int(struct ward_its *its, const uint64_t *words)
{
	struct ward_interrupt interrupt;

	ward_its_deliver(its, its_command_device(words), its_command_event(words), true,
			 &interrupt);
	switch ((int)interrupt.reason) {
	case WARD_REASON_DEVICE_RANGE:
		return its_syndrome(words, ITS_DEVICE_OOR);
	case WARD_REASON_UNMAPPED_DEVICE:
		return its_syndrome(words, ITS_UNMAPPED_DEVICE);
	case WARD_REASON_EVENT_RANGE:
		return its_syndrome(words, ITS_ID_OOR);
	case WARD_REASON_UNMAPPED_EVENT:
	case WARD_REASON_UNMAPPED_COLLECTION:
		return its_syndrome(words, ITS_UNMAPPED_INTERRUPT);
	default: /* a redistributor without LPIs ignores them: no error */
		return 0;
	}
}

/* The event of a command, and the CPU its LPI goes to. 0 or a syndrome. */
static uint32_t find_pending(const struct ward_its *its, const uint64_t *words, uint32_t *ret_cpu,
			     uint32_t *ret_intid)
{
	struct its_device *device;
	struct its_event *event;
	uint32_t error = find_event(its, words, &device, &event);

	if (error)
		return error;
	*ret_cpu = its_target_cpu(atomic_load(&event->target));
	*ret_intid = event->intid;
	return *ret_cpu == WARD_NONE ? its_syndrome(words, ITS_UNMAPPED_INTERRUPT) : 0;
}

static uint32_t clear(struct ward_its *its, const uint64_t *words)
{
	uint32_t cpu, intid, error = find_pending(its, words, &cpu, &intid);

	if (!error)
		ward_gic_lpi_clear(its->options.gic, cpu, intid);
	return error;
}

static uint32_t inv(struct ward_its *its, const uint64_t *words)
{
	uint32_t cpu, intid, error = find_pending(its, words, &cpu, &intid);

	if (!error && ward_gic_lpi_reload(its->options.gic, cpu, intid))
		return ITS_UNNAMED;
	return error;
}

static uint32_t invall(struct ward_its *its, const uint64_t *words)
{
	uint32_t icid = its_command_icid(words);
	uint32_t cpu = its_target_cpu(&its->collections[icid].target);

	if (!collection_fits(its, icid))
		return its_syndrome(words, ITS_COLLECTION_OOR);
	if (cpu == WARD_NONE)
		return its_syndrome(words, ITS_UNMAPPED_COLLECTION);
	return ward_gic_lpi_reload_all(its->options.gic, cpu) ? ITS_UNNAMED : 0;
}

static uint32_t movall(struct ward_its *its, const uint64_t *words)
{
	uint64_t from = its_command_cpu(words[2]), to = its_command_cpu(words[3]);

	if (!cpu_fits(its, from) || !cpu_fits(its, to))
		return its_syndrome(words, ITS_PROCNUM_OOR_MOVALL);
	if (from != to)
		ward_gic_lpi_move_all(its->options.gic, (uint32_t)from, (uint32_t)to);
	return 0;
}

/* Every command is complete when it has been executed. No code is known for a CPU out of range. */
static uint32_t sync(struct ward_its *its, const uint64_t *words)
{
	return cpu_fits(its, its_command_cpu(words[2])) ? 0 : ITS_UNNAMED;
}

static const struct its_command commands[] = {
	{ ITS_MOVI, movi },	{ ITS_INT, raise_int }, { ITS_CLEAR, clear },
	{ ITS_SYNC, sync },	{ ITS_MAPD, mapd },	{ ITS_MAPC, mapc },
	{ ITS_MAPTI, mapti },	{ ITS_MAPI, mapti },	{ ITS_INV, inv },
	{ ITS_INVALL, invall }, { ITS_MOVALL, movall }, { ITS_DISCARD, discard },
};

uint32_t ward_its_command(struct ward_its *its, const uint64_t *words)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].opcode == its_command_opcode(words))
			return commands[i].run(its, words);
	}
	return ITS_UNNAMED;
}
