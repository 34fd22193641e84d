/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * LPIs of a GIC as an ITS drives them. Pending bits are kept here, one set for each CPU; enable
 * and priority are read from the configuration table when they are asked for and remembered.
 *
 * Threads: set, from any number and without a lock; the others from one at a time, meanwhile. An LPI that
 * is set while it is moved is pending at one of the two CPUs afterwards.
 */
#ifndef EMUL_GIC_LPI_H
#define EMUL_GIC_LPI_H

#include <doorward/gic.h>

uint32_t ward_gic_cpus(const struct ward_gic *gic);
/* INTIDs of LPIs end here: by intid_bits and GICR_PROPBASER.IDbits; below WARD_GIC_FIRST_LPI: none. */
uint32_t ward_gic_last_lpi(const struct ward_gic *gic);
/* EnableLPIs of a CPU's redistributor. */
bool ward_gic_lpis_on(const struct ward_gic *gic, uint32_t cpu);

/*
 * An LPI for one event alone, of all ITSs that claim theirs. false: another has it, or there is no such
 * LPI. Any thread.
 */
bool ward_gic_lpi_claim(struct ward_gic *gic, uint32_t intid);
void ward_gic_lpi_unclaim(struct ward_gic *gic, uint32_t intid);

/* Pending at a CPU, or ignored: LPI_RANGE, LPIS_OFF, NO_CPU. */
void ward_gic_lpi_set(struct ward_gic *gic, uint32_t cpu, uint32_t intid,
		      struct ward_interrupt *ret_interrupt);
void ward_gic_lpi_clear(struct ward_gic *gic, uint32_t cpu, uint32_t intid);
/* What is pending at one CPU is so at another. */
void ward_gic_lpi_move(struct ward_gic *gic, uint32_t from, uint32_t to, uint32_t intid);
void ward_gic_lpi_move_all(struct ward_gic *gic, uint32_t from, uint32_t to);
/* INV and INVALL: reads configuration anew. -EFAULT it is not in memory. */
int ward_gic_lpi_reload(struct ward_gic *gic, uint32_t cpu, uint32_t intid);
int ward_gic_lpi_reload_all(struct ward_gic *gic, uint32_t cpu);
/*
 * KVM reads and takes the bit out of a CPU's pending table in memory when an LPI is mapped (MAPTI and
 * restoring). -EFAULT it is not in memory.
 */
int ward_gic_lpi_load_pending(struct ward_gic *gic, uint32_t cpu, uint32_t intid);

#endif
