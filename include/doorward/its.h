/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * A GICv3 ITS: registers, command queue, tables in memory, and the translation of a message to an LPI at
 * a CPU. Of physical LPIs it has all commands; GICv4 is not here (GITS_TYPER.Virtual is 0).
 *
 * Where the architecture leaves a choice, its.c's file comment has the one taken. Nothing in memory is
 * trusted: what tables say is checked each time they are read.
 *
 * Source: Arm IHI 0069 chapter 5 and 12.18 to 12.20; KVM: Linux arch/arm64/kvm/vgic/vgic-its.c and
 * Documentation/virt/kvm/devices/arm-vgic-its.rst.
 *
 * Threads: any number may send messages, each with its own reader and without a lock; one at a time
 * writes registers, of the ITS and of its GIC's redistributors, meanwhile. A message that was sent
 * after a SYNC was executed sees all that came before it; one sent before sees old or new. What is
 * told of an interrupt (`raised` of the GIC) while a command is executed may write GITS_CWRITER, and
 * those commands wait for their turn; other registers only after the write that led to it is done.
 */
#ifndef DOORWARD_ITS_H
#define DOORWARD_ITS_H

#include <doorward/gic.h>
#include <doorward/reader.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_its;

/** Control page and translation page. */
#define WARD_ITS_BYTES 0x20000u
/** GITS_TRANSLATER: what a message is written to. */
#define WARD_ITS_TRANSLATER 0x10040u

enum ward_its_profile {
	/** What the architecture says, and the strict side of what it leaves open. */
	WARD_ITS_ARCHITECTURE,
	/** KVM's vITS (table revision 0): its sizes, its ids and its known deviations. */
	WARD_ITS_KVM,
};

/** How. Set size to sizeof(struct ward_its_options). */
struct ward_its_options {
	size_t size;
	enum ward_its_profile profile;
	/** Where LPIs become pending; borrowed, has LPIs. */
	struct ward_gic *gic;
	/** Where queue and tables are; borrowed. */
	struct ward_memory *memory;
	/** Who sends messages meanwhile; borrowed. NULL: nobody does. */
	struct ward_readers *readers;
	/** DeviceIDs and EventIDs have so many bits: 1 to 32, 1 to 32; 0: 16. KVM: 16 and 16. */
	uint8_t device_bits, event_bits;
	/** ARCHITECTURE: a command in error stalls the queue; else it is skipped. */
	bool stalls;
	/**
	 * ARCHITECTURE: MAPTI, MAPI of an LPI that another event has already are refused, be it of
	 * this ITS or of another one of the same GIC with this option. Nothing in the architecture
	 * says so; it is what tells functions' LPIs apart (see docs/interrupts.md).
	 */
	bool exclusive_lpis;
};

/** One command in error. */
struct ward_its_error {
	uint64_t command[4];
	uint32_t syndrome; /**< 0x01CCEE, Arm's; 0: none, as for an unknown command */
	uint64_t count;	   /**< errors since it was created */
};

/**
 * Creates an ITS, as after power-on.
 * @param options how
 * @param ret_its the ITS; the caller destroys it
 * @return 0; -EINVAL options that make no sense; -ENOMEM
 */
int ward_its_create(const struct ward_its_options *options, struct ward_its **ret_its);

/**
 * Destroys an ITS; nobody may use it any more.
 * @param its an ITS, or NULL
 */
void ward_its_destroy(struct ward_its *its);

/**
 * As after power-on. Waits for readers. LPIs that are pending stay so (they are the GIC's); KVM: they
 * go with their events.
 * @param its an ITS
 */
void ward_its_reset(struct ward_its *its);

/**
 * Reads registers. Reserved and write-only ones read 0; ARCHITECTURE: GITS_STATUSR tells of it.
 * @param its an ITS
 * @param offset in bytes, below WARD_ITS_BYTES
 * @param ret_bytes receives them, little-endian
 * @param size 4 or 8
 * @return 0; -EINVAL beyond the end, not aligned, another size
 */
int ward_its_read(struct ward_its *its, uint32_t offset, void *ret_bytes, size_t size);

/**
 * Writes registers. A write to GITS_CWRITER executes commands until the queue is empty or stalls, and
 * what takes a mapping away waits for readers. A write to GITS_TRANSLATER comes without DeviceID and is
 * ignored; messages are sent with ward_its_message.
 * @param its an ITS
 * @param offset in bytes
 * @param bytes little-endian
 * @param size 4 or 8
 * @return 0 or -EINVAL as for reading
 */
int ward_its_write(struct ward_its *its, uint32_t offset, const void *bytes, size_t size);

/**
 * A message arrived at GITS_TRANSLATER.
 * @param its an ITS
 * @param reader the thread's, entered; NULL where the ITS has no readers
 * @param device DeviceID it came with
 * @param event EventID: the data written
 * @param ret_interrupt what came of it
 * @return 1 pending; 0 ignored: ret_interrupt says why
 */
int ward_its_message(struct ward_its *its, struct ward_reader *reader, ward_devid_t device,
		     uint32_t event, struct ward_interrupt *ret_interrupt);

/**
 * What a message would come to, without sending it or caching anything. Not while registers are
 * written.
 * @param its an ITS
 * @param device DeviceID
 * @param event EventID
 * @param ret_interrupt INTID and CPU, or why not
 * @return 1 or 0 as for ward_its_message
 */
int ward_its_translate(struct ward_its *its, ward_devid_t device, uint32_t event,
		       struct ward_interrupt *ret_interrupt);

/**
 * @param its an ITS
 * @param ret_error the last command in error
 * @return true when there was one
 */
bool ward_its_error(const struct ward_its *its, struct ward_its_error *ret_error);

/**
 * Sets GITS_CREADR when state is restored: after GITS_CBASER, which sets it to 0. Software cannot.
 * @param its an ITS that is not enabled
 * @param value what was read
 * @return 0; -EBUSY it is enabled; -EINVAL beyond the queue
 */
int ward_its_set_creadr(struct ward_its *its, uint64_t value);

/**
 * Writes device, collection and interrupt tables into memory, in KVM's layout of revision 0, as
 * KVM_DEV_ARM_ITS_SAVE_TABLES does. Profile KVM: else they are there at any time.
 * @param its an ITS
 * @return 0; -EFAULT a table is not in memory; -EINVAL a table is too small, or not there
 */
int ward_its_save_tables(struct ward_its *its);

/**
 * Reads what was saved, as KVM_DEV_ARM_ITS_RESTORE_TABLES does: after registers other than
 * GITS_CTLR were written. Whole or not at all. Pending bits come from the GIC's pending tables.
 * @param its an ITS, without mappings
 * @return 0; -EINVAL a table contradicts itself, or more than 2^24 entries would have to be read
 * (ARCHITECTURE: all of every ITT); -EEXIST a collection twice, or mappings are there
 * already; -EFAULT; -ENOMEM
 */
int ward_its_restore_tables(struct ward_its *its);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
