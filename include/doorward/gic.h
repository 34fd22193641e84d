/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Pending interrupts of an Arm machine, real or guest: the distributor's SPIs, and each CPU's LPIs. Not
 * a whole GIC: SGIs, PPIs, priorities between CPUs and virtualisation stay with whoever runs the CPUs.
 *
 * Registers: Arm IHI 0048 (GICv2) 4.3, Arm IHI 0069 (GICv3) 12.8 to 12.11. GICv2: distributor only.
 *
 * Threads: SPIs and LPIs may be raised by any number of threads, without a lock; registers are
 * written by one thread at a time, meanwhile. No edge is lost: whatever was raised before a CPU
 * takes, it takes. For each CPU, one thread at a time takes.
 */
#ifndef DOORWARD_GIC_H
#define DOORWARD_GIC_H

#include <doorward/message.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_gic;
struct ward_memory;

#define WARD_GIC_CPUS_MAX 512u
#define WARD_GIC_FIRST_SPI 32u
#define WARD_GIC_LAST_SPI 1019u
#define WARD_GIC_FIRST_LPI 8192u

enum ward_gic_kind {
	WARD_GIC_V2, /**< at most 8 CPUs, no LPIs */
	WARD_GIC_V3,
};

/** How. Set size to sizeof(struct ward_gic_options). */
struct ward_gic_options {
	size_t size;
	enum ward_gic_kind kind;
	uint32_t cpus;	     /**< 1 to WARD_GIC_CPUS_MAX */
	uint32_t interrupts; /**< SGIs, PPIs and SPIs: 64 to 1020 */
	/** LPIs: INTIDs have so many bits, 14 to 24; 0: there are no LPIs. GICv3. */
	uint8_t intid_bits;
	/** Where the tables of LPIs are; borrowed. NULL without LPIs. */
	struct ward_memory *memory;
	/**
	 * An interrupt that is enabled became pending at a CPU; also when it is enabled while
	 * pending. Called on the thread that raised it; may take it. May be NULL.
	 */
	void (*raised)(void *context, uint32_t cpu, uint32_t intid);
	/** A level interrupt was ended (ward_gic_end). May be NULL. */
	void (*ended)(void *context, uint32_t cpu, uint32_t intid);
	void *context;
};

/**
 * Creates one, as after power-on: nothing enabled, nothing pending.
 * @param options how
 * @param ret_gic the GIC; the caller destroys it
 * @return 0; -EINVAL options that make no sense; -ENOMEM
 */
int ward_gic_create(const struct ward_gic_options *options, struct ward_gic **ret_gic);

/**
 * Destroys a GIC; nobody may use it any more.
 * @param gic a GIC, or NULL
 */
void ward_gic_destroy(struct ward_gic *gic);

/**
 * Sets the line of an SPI. Configured as edge: a rising line makes it pending; as level: it is
 * pending while the line is high.
 * @param gic a GIC
 * @param intid an SPI
 * @param level of the line
 * @return 0 or -EINVAL no such SPI
 */
int ward_gic_set_spi(struct ward_gic *gic, uint32_t intid, bool level);

/**
 * Makes an SPI pending as a message does: what a GICv2m frame or GICD_SETSPI_NSR is told.
 * @param gic a GIC
 * @param intid an SPI
 * @param ret_interrupt what came of it; may be NULL
 * @return 0 or -EINVAL no such SPI
 */
int ward_gic_pulse(struct ward_gic *gic, uint32_t intid, struct ward_interrupt *ret_interrupt);

/**
 * @param gic a GIC
 * @param cpu a CPU; SPIs: it is routed there
 * @param intid an SPI or LPI
 * @return whether it is pending there
 */
bool ward_gic_is_pending(const struct ward_gic *gic, uint32_t cpu, uint32_t intid);

/**
 * What a CPU does when it is interrupted: takes the enabled pending interrupt of highest priority, of
 * several the lowest INTID. Edges and LPIs are pending no more then; a level is active till it ends.
 * @param gic a GIC
 * @param cpu a CPU
 * @param ret_intid what it took
 * @return 0; -ENOENT nothing is pending; -EINVAL no such CPU
 */
int ward_gic_take(struct ward_gic *gic, uint32_t cpu, uint32_t *ret_intid);

/**
 * Ends an SPI that was taken; a level whose line is still high is pending again.
 * @param gic a GIC
 * @param cpu the CPU that took it
 * @param intid what it took
 * @return 0 or -EINVAL it was not taken
 */
int ward_gic_end(struct ward_gic *gic, uint32_t cpu, uint32_t intid);

/** WARD_GIC_DISTRIBUTOR as cpu: the distributor's registers, 4 KiB (GICv2) or 64 KiB. */
#define WARD_GIC_DISTRIBUTOR UINT32_MAX

/**
 * Reads registers. Reserved ones read 0.
 * @param gic a GIC
 * @param cpu whose redistributor (128 KiB: RD, then SGI), or WARD_GIC_DISTRIBUTOR
 * @param offset in bytes
 * @param ret_bytes receives them, little-endian
 * @param size 1, 2, 4 or 8
 * @return 0; -EINVAL beyond the end, not aligned, or a size that the register does not take
 */
int ward_gic_read(const struct ward_gic *gic, uint32_t cpu, uint32_t offset, void *ret_bytes,
		  size_t size);

/**
 * Writes registers; what is read-only or reserved is ignored.
 * @param gic a GIC
 * @param cpu as for reading
 * @param offset in bytes
 * @param bytes little-endian
 * @param size as for reading
 * @return 0 or -EINVAL as for reading
 */
int ward_gic_write(struct ward_gic *gic, uint32_t cpu, uint32_t offset, const void *bytes,
		   size_t size);

/**
 * Writes the pending bits of LPIs into the pending tables of all CPUs that have LPIs enabled.
 * @param gic a GIC
 * @return 0; -EFAULT a table is not in memory
 */
int ward_gic_save_pending(struct ward_gic *gic);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
