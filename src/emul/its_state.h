/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the parts of the ITS share.
 *
 * The truth about mappings is here, in objects; tables in memory are written and never believed
 * but where they are restored, and where a level-1 table says where a level-2 page is. Objects are
 * found by threads that send messages (its_index.h); all else is the command thread's alone.
 */
#ifndef EMUL_ITS_STATE_H
#define EMUL_ITS_STATE_H

#include <doorward/its.h>
#include <doorward/memory.h>

#include "emul/gic_lpi.h"
#include "emul/its_index.h"

#define ITS_ENABLED 0x1u
#define ITS_QUIESCENT (1u << 31)
#define ITS_VALID (1ull << 63)
#define ITS_INDIRECT (1ull << 62)
#define ITS_STALLED 0x1u
#define ITS_RETRY 0x1u
#define ITS_OFFSET 0xfffe0u /* of a queue: bits 19:5 of GITS_CWRITER and GITS_CREADR */

#define ITS_COMMAND_BYTES 32u
#define ITS_ENTRY_BYTES 8u
#define ITS_ICIDS 0x10000u
/* Most devices and most events of one ITS: what a guest can make us keep for it. */
#define ITS_DEVICES_MAX (1u << 18)
#define ITS_EVENTS_MAX (1u << 20)

/* GITS_STATUSR */
#define ITS_RRD 0x1u
#define ITS_WRD 0x2u
#define ITS_RWOD 0x4u
#define ITS_WROD 0x8u

enum its_table {
	ITS_DEVICES,
	ITS_COLLECTIONS,
	ITS_TABLES,
};

/* A CPU and one; 0: none. */
struct its_target {
	_Atomic uint32_t cpu;
};

struct its_collection {
	struct its_target target;
	bool known; /* KVM: MAPTI or MAPC named it */
};

/* KVM: an LPI that events have. */
struct its_lpi {
	struct its_node node; /* by INTID */
	struct its_target target;
	/* Pending, and no CPU has it: it goes nowhere, or that CPU has LPIs off. */
	_Atomic bool latched;
	uint32_t events;
};

struct its_device {
	struct its_node node; /* by DeviceID */
	struct its_node *events;
	uint64_t itt;
	uint8_t bits; /* EventIDs have so many */
};

struct its_event {
	struct its_node node; /* by DeviceID and EventID */
	/* Where its LPI goes: its collection's target, or (KVM) its LPI's. */
	const struct its_target *_Atomic target;
	struct its_collection *_Atomic collection; /* KVM: NULL after MAPC took it away */
	struct its_lpi *lpi;			   /* KVM */
	uint32_t intid;
	bool claimed; /* exclusive_lpis: the LPI is this event's */
};

struct its_registers {
	uint64_t ctlr, iidr, typer, statusr, cbaser, cwriter, creadr, baser[ITS_TABLES];
	uint64_t zero;
};

struct ward_its {
	struct ward_its_options options;
	bool kvm;
	struct its_registers reg;
	struct ward_its_error error;
	bool running; /* commands: a write of GITS_CWRITER that one of them leads to waits */
	/* Of reg.ctlr and reg.baser[ITS_DEVICES], for messages: DeviceIDs there is room for. */
	_Atomic bool enabled;
	_Atomic uint64_t device_ids;
	struct its_index devices, events, lpis;
	struct its_node *device_list;
	struct its_pool device_pool, event_pool, lpi_pool;
	struct its_collection *collections; /* ITS_ICIDS of them */
};

static inline uint64_t its_event_key(uint32_t device, uint32_t event)
{
	return (uint64_t)device << 32 | event;
}

static inline uint32_t its_event_id(const struct its_event *event)
{
	return (uint32_t)event->node.key;
}

static inline struct its_device *its_find_device(const struct ward_its *its, uint32_t device)
{
	return (struct its_device *)its_find(&its->devices, device);
}

static inline struct its_event *its_find_event(const struct ward_its *its, uint32_t device,
					       uint32_t event)
{
	return (struct its_event *)its_find(&its->events, its_event_key(device, event));
}

/* WARD_NONE: nowhere */
static inline uint32_t its_target_cpu(const struct its_target *target)
{
	return atomic_load(&target->cpu) - 1;
}

static inline uint32_t its_icid(const struct ward_its *its, const struct its_collection *collection)
{
	return (uint32_t)(collection - its->collections);
}

/* its.c: what a message or INT comes to; send: and makes it pending. 1 or 0, as ward_its_message. */
int ward_its_deliver(struct ward_its *its, uint32_t device, uint32_t event, bool send,
		     struct ward_interrupt *ret_interrupt);

/* KVM: an LPI becomes pending where it goes, or waits until it goes somewhere. */
void ward_its_raise_lpi(struct ward_its *its, struct its_lpi *lpi,
			struct ward_interrupt *ret_interrupt);

/* its_mapping.c */
/* 0, -ENOMEM */
int ward_its_add_device(struct ward_its *its, uint32_t id, uint64_t itt, uint8_t bits);
void ward_its_remove_device(struct ward_its *its, struct its_device *device);
/*
 * The event is not mapped. The LPI has been looked at. An LPI that was not there before is
 * read from memory (KVM). 0, -ENOMEM, -EFAULT (KVM): tables of LPIs are not in memory, -EINVAL:
 * another event has the LPI (exclusive_lpis).
 */
int ward_its_add_event(struct ward_its *its, struct its_device *device, uint32_t id, uint32_t intid,
		       struct its_collection *collection);
/* Waits for readers: after it nothing becomes pending by this event. */
void ward_its_remove_event(struct ward_its *its, struct its_device *device,
			   struct its_event *event);
/* An event goes where another collection goes. Waits for readers. */
void ward_its_move_event(struct ward_its *its, struct its_event *event,
			 struct its_collection *collection);
/* Changes where messages go, and waits for those on the way. cpu WARD_NONE: nowhere. */
void ward_its_set_target(struct ward_its *its, struct its_target *target, uint32_t cpu);
/* KVM: the LPI goes to a CPU from now on, and is pending there if it was. */
void ward_its_move_lpi(struct ward_its *its, struct its_lpi *lpi, uint32_t cpu);
/* KVM: collection is not one any more; its events stay, and belong to none. */
void ward_its_forget_collection(struct ward_its *its, struct its_collection *collection);
/* LPIs of all events may be other ITSs'; for one that ends. */
void ward_its_unclaim_all(struct ward_its *its);
/* Takes all mappings of a kind away. Waits for readers. */
void ward_its_forget_devices(struct ward_its *its);
void ward_its_forget_collections(struct ward_its *its);

/* its_table.c */
uint64_t ward_its_table_address(uint64_t baser);
uint64_t ward_its_table_bytes(uint64_t baser);
/* Of its pages, and of the second level's. */
uint32_t ward_its_page_bytes(uint64_t baser);
/* The page that an entry of the first level leads to. */
uint64_t ward_its_page_address(uint64_t baser, uint64_t entry);
/* How many ids a table has room for; 0: it is not valid. */
uint64_t ward_its_table_ids(uint64_t baser);
/*
 * Where the entry of an id is, in memory or not. 0; -ERANGE no room for it, or no page; -EFAULT the first
 * level is not in memory.
 */
int ward_its_table_entry(const struct ward_its *its, enum its_table table, uint32_t id,
			 uint64_t *ret_address);
/* The same of an event. 0 or -ERANGE. */
int ward_its_event_entry(const struct its_device *device, uint32_t event, uint64_t *ret_address);
/* Whether an entry is there to be read. */
bool ward_its_in_memory(const struct ward_its *its, uint64_t address);
/* Entries in KVM's layout of revision 0; distance to the next one: 0 for none. */
uint64_t ward_its_device_entry(const struct its_device *device, uint64_t next);
uint64_t ward_its_interrupt_entry(uint32_t intid, uint32_t icid, uint64_t next);
uint64_t ward_its_collection_entry(uint32_t icid, uint32_t cpu);

/* its_queue.c */
void ward_its_run_commands(struct ward_its *its);
uint32_t ward_its_queue_bytes(const struct ward_its *its);

/* A command in error that the architecture has no syndrome for. */
#define ITS_UNNAMED 1u
/* its_command.c, its_command_kvm.c: 0, a syndrome, or ITS_UNNAMED. */
uint32_t ward_its_command(struct ward_its *its, const uint64_t *words);
uint32_t ward_its_command_kvm(struct ward_its *its, const uint64_t *words);

/* its_register.c */
void ward_its_reset_registers(struct ward_its *its);

#endif
