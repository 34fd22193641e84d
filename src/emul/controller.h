/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the emulated machine asks of an emulated MSI controller, and the controllers there are.
 *
 * A doorbell is a page, what rings in it is one register of 32 bits. Whoever may write anywhere in the
 * page gets here; the controller decides. Here a write rings that is 16 or 32 bits, aligned, and to the
 * register itself (GITS_TRANSLATER, GICD_SETSPI_NSR, MSI_SETSPI_NS; x86: one doubleword). What covers
 * the register in a longer burst does not: no document says what a GIC makes of that, and nothing is
 * reached by it that a write of 32 bits does not reach.
 */
#ifndef EMUL_CONTROLLER_H
#define EMUL_CONTROLLER_H

#include <doorward/apic.h>
#include <doorward/gicv2m.h>
#include <doorward/its.h>

/* A write that arrived at a doorbell, with what the hardware knows of its writer. */
struct ward_emul_message {
	/*
	 * Arm: physical, within the controller's doorbell. x86: what was put on the bus, 0xfeexxxxx;
	 * it is not translated.
	 */
	uint64_t address;
	uint64_t offset; /* the same, from the beginning of that range of the doorbell */
	uint32_t data;	 /* what is read as little-endian; what lies beyond 4 bytes is not here */
	uint32_t size;	 /* of the write, bytes */
	/* The DeviceID the requester id comes with at this controller, if id maps give it one. */
	bool has_devid;
	ward_devid_t devid;
	/* x86: the requester id on the bus of the root complex, and the IOMMU it comes through. */
	ward_rid_t rid;
	uint32_t iommu; /* index of facts->iommus; WARD_NONE: none */
	bool probe;	/* what would come of it? Leaves no trace. */
};

struct ward_emul_controller_ops {
	void (*write)(void *controller, const struct ward_emul_message *message,
		      struct ward_interrupt *ret_interrupt);
	/* NULL: somebody else's. */
	void (*destroy)(void *controller);
};

/* The controllers; all of them are somebody else's. */
extern const struct ward_emul_controller_ops ward_gicv2m_doorbell; /* struct ward_gicv2m * */
extern const struct ward_emul_controller_ops ward_its_doorbell;	 /* struct ward_its *, no readers */
extern const struct ward_emul_controller_ops ward_mbi_doorbell;	 /* struct ward_gic * */
extern const struct ward_emul_controller_ops ward_apic_doorbell; /* struct ward_apic_controller * */

struct ward_vtd;

/* APICs, and who remaps on the way to them. Borrows all. */
struct ward_apic_controller {
	struct ward_apics *apics;
	/* By index of facts->iommus; NULL, or beyond the count: what comes through is not remapped. */
	struct ward_vtd *const *units;
	uint32_t units_count;
};

#endif
