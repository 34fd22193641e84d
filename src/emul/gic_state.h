/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What a GIC is made of. An SPI is one word, which changes whole: whoever changes it sees what it was
 * and what it is, and so exactly one of several threads finds that it became ready. An LPI is a bit for
 * each CPU and its configuration.
 *
 * "Ready": pending, enabled, and not held back by being active. The order that loses no interrupt is
 * always the same: first the change (of the word, the bit, the configuration, GICD_CTLR), then the
 * look at the rest, all sequentially consistent.
 */
#ifndef EMUL_GIC_STATE_H
#define EMUL_GIC_STATE_H

#include <doorward/gic.h>
#include <doorward/memory.h>

#include "emul/gic_lpi.h"

#include <stdatomic.h>

/* The word of an SPI. */
#define GIC_LATCH (UINT64_C(1) << 0) /* pending until taken: an edge, GICD_ISPENDR */
#define GIC_LINE (UINT64_C(1) << 1)  /* the wire is high */
#define GIC_HELD (UINT64_C(1) << 2)  /* a level raised by a message (GICD_SETSPI_NSR) */
#define GIC_ENABLED (UINT64_C(1) << 3)
#define GIC_EDGE (UINT64_C(1) << 4)
#define GIC_ACTIVE (UINT64_C(1) << 5)
#define GIC_GROUP1 (UINT64_C(1) << 6)
#define GIC_PRIORITY(word) ((uint8_t)((word) >> 8))
#define GIC_PRIORITY_SHIFT 8
#define GIC_TAKER(word) ((uint32_t)(uint16_t)((word) >> 16)) /* the CPU that took it */
#define GIC_TAKER_SHIFT 16
/* GICv2: GICD_ITARGETSR; GICv3: Aff2, Aff1, Aff0 of GICD_IROUTER. */
#define GIC_ROUTE(word) ((uint32_t)((word) >> 32))
#define GIC_ROUTE_SHIFT 32

/* GICD_CTLR. */
#define GIC_CTLR_GROUP0 0x1u
#define GIC_CTLR_GROUP1 0x2u

struct gic_cpu {
	_Atomic bool lpis_on; /* GICR_CTLR.EnableLPIs */
	uint32_t waker;	      /* GICR_WAKER */
	uint64_t pendbaser;
	/* A bit for each INTID, and a bit for each of those words that may not be 0. */
	_Atomic uint64_t *pending, *some;
};

struct ward_gic {
	struct ward_gic_options options;
	_Atomic uint32_t ctlr;
	_Atomic uint64_t propbaser; /* one for all CPUs: GICR_TYPER.CommonLPIAff is 0 */
	_Atomic uint32_t last_lpi;
	/*
	 * Configuration that was read, for each LPI: the byte of the table, and above it the
	 * generation it was read in. INVALL begins the next one.
	 */
	_Atomic uint64_t *configuration;
	_Atomic uint64_t generation;
	_Atomic uint64_t *claimed; /* a bit for each INTID: LPIs that are one event's alone */
	_Atomic uint64_t *spis;	   /* by INTID; the first 32 are not used */
	struct gic_cpu *cpus;
};

static inline bool ward_gic_has_spi(const struct ward_gic *gic, uint32_t intid)
{
	return intid >= WARD_GIC_FIRST_SPI && intid < gic->options.interrupts;
}

/* Affinity of a CPU, as GICR_TYPER and GICD_IROUTER have it: 16 CPUs a cluster, as KVM and QEMU. */
static inline uint32_t ward_gic_affinity(uint32_t cpu)
{
	return (cpu & 0xf) | cpu >> 4 << 8;
}

/* Clears, then sets bits of an SPI's word, and says so to the CPUs if it became ready. */
void ward_gic_change_spi(struct ward_gic *gic, uint32_t intid, uint64_t clear, uint64_t set);
bool ward_gic_spi_pending(uint64_t word);
/* An SPI as a message withdraws it: GICD_CLRSPI_NSR. */
void ward_gic_withdraw(struct ward_gic *gic, uint32_t intid);
/* GICD_CTLR: tells the CPUs of what waited for it. */
void ward_gic_set_ctlr(struct ward_gic *gic, uint32_t ctlr);

int ward_gic_lpis_create(struct ward_gic *gic);
void ward_gic_lpis_destroy(struct ward_gic *gic);
/* Tells a CPU of all its LPIs that are ready. */
void ward_gic_lpi_announce_all(struct ward_gic *gic, uint32_t cpu);
/* The LPI of highest priority that is ready at a CPU; by_priority: higher than that (lower number). */
bool ward_gic_lpi_best(struct ward_gic *gic, uint32_t cpu, uint32_t *ret_intid,
		       uint8_t *ret_priority);
/* Takes a pending bit away; false: it was not there. */
bool ward_gic_lpi_remove(struct ward_gic *gic, uint32_t cpu, uint32_t intid);
bool ward_gic_lpi_pending(const struct ward_gic *gic, uint32_t cpu, uint32_t intid);
void ward_gic_set_propbaser(struct ward_gic *gic, uint64_t value);
void ward_gic_set_lpis_on(struct ward_gic *gic, uint32_t cpu, bool on);

/* A register of up to 64 bits, of the distributor or of a redistributor. */
struct gic_register {
	uint32_t offset;
	uint8_t size;
	uint8_t sizes; /* of accesses, or-ed */
	uint8_t kinds; /* 1 << enum ward_gic_kind */
	uint64_t (*read)(const struct ward_gic *gic, uint32_t cpu);
	/* mask: the bits that are written. NULL: read-only. */
	void (*write)(struct ward_gic *gic, uint32_t cpu, uint64_t value, uint64_t mask);
};

#define GIC_V2_ONLY (1u << WARD_GIC_V2)
#define GIC_V3_ONLY (1u << WARD_GIC_V3)
#define GIC_BOTH (GIC_V2_ONLY | GIC_V3_ONLY)

/* One access: where, how many bytes; a value is in its low bits. */
struct gic_access {
	uint32_t cpu, offset;
	uint32_t size;
};

int ward_gic_read_redistributor(const struct ward_gic *gic, const struct gic_access *access,
				uint64_t *ret_value);
int ward_gic_write_redistributor(struct ward_gic *gic, const struct gic_access *access,
				 uint64_t value);
/* The row that has an access, or NULL. */
const struct gic_register *ward_gic_find(const struct gic_register *rows, size_t count,
					 const struct ward_gic *gic, uint32_t offset);
int ward_gic_read_row(const struct ward_gic *gic, const struct gic_register *row,
		      const struct gic_access *access, uint64_t *ret_value);
int ward_gic_write_row(struct ward_gic *gic, const struct gic_register *row,
		       const struct gic_access *access, uint64_t value);

#endif
