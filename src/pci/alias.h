/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Requester ids that the DMA and the MSIs of a function can carry when they reach the IOMMU. */
#ifndef PCI_ALIAS_H
#define PCI_ALIAS_H

#include <doorward/machine.h>

/* Why an id is among the aliases. */
enum ward_alias_cause {
	WARD_ALIAS_OWN,	   /* its own id */
	WARD_ALIAS_DEVICE, /* the device is known to use another function's id */
	WARD_ALIAS_BRIDGE, /* a bridge on the way (or an Intel VMD) takes ownership */
};

struct ward_alias_quirk;

struct ward_alias {
	uint32_t function; /* index of the function it is reported for: itself or a bridge */
	ward_rid_t rid;
	enum ward_alias_cause cause;
};

/*
 * Walks the aliases of a function in Linux's order (drivers/pci/search.c,
 * pci_for_each_dma_alias): own id, ids of its alias mask, then bridges upwards. Behind an Intel
 * VMD all of that is the VMD's.
 *
 *	struct ward_alias_walk walk;
 *	struct ward_alias alias;
 *	ward_alias_start(machine, index, &walk);
 *	while (ward_alias_next(&walk, &alias))
 *
 * O(depth + aliases), no memory. A chain of parents that loops ends after 256 bridges.
 */
struct ward_alias_walk {
	const struct ward_machine *machine;
	const struct ward_alias_quirk *quirk; /* of the function, or NULL */
	uint32_t function;		      /* where the walk started */
	bool replaced;	 /* that is another function, which does the DMA for it */
	uint32_t bridge; /* next to look at */
	uint16_t devfn;	 /* next of the alias mask; 256 when done */
	uint16_t depth;
	bool own_done;
};

void ward_alias_start(const struct ward_machine *machine, uint32_t function,
		      struct ward_alias_walk *ret_walk);
bool ward_alias_next(struct ward_alias_walk *walk, struct ward_alias *ret_alias);

/*
 * The walk tells all: false when the type of a bridge above is unknown (such a bridge is passed
 * over), or the ids of the device's mask stand in registers that are not read.
 */
bool ward_alias_certain(const struct ward_machine *machine, uint32_t function);

/* Does the function's alias mask (device quirks; its own id is not in it) hold devfn? */
bool ward_alias_mask_has(const struct ward_function *function, uint8_t devfn);

/* Why the mask is not empty, for a person; NULL when it is empty. */
const char *ward_alias_mask_name(const struct ward_function *function);

/*
 * Two functions of one bus share a requester id: either's mask holds the other
 * (drivers/pci/pci.c, pci_devs_are_dma_aliases). False when they sit on different buses.
 */
bool ward_alias_same_bus(const struct ward_function *a, const struct ward_function *b);

/*
 * The one id its MSIs carry for Linux (drivers/pci/msi/irqdomain.c, pci_msi_domain_get_msi_rid):
 * the last alias that crosses to another bus, else its own.
 */
ward_rid_t ward_alias_msi_rid(const struct ward_machine *machine, uint32_t function);

/* What the interrupt remapping of VT-d verifies of a writer (irq_remapping.c, set_msi_sid). */
enum ward_source_check_kind {
	WARD_SOURCE_CHECK_ID,  /* exactly id first */
	WARD_SOURCE_CHECK_BUS, /* any id whose bus lies in the buses of first to last */
};

struct ward_source_check {
	enum ward_source_check_kind kind;
	ward_rid_t first, last;
};

void ward_alias_source_check(const struct ward_machine *machine, uint32_t function,
			     struct ward_source_check *ret_check);

/* The function is a bridge at which Linux stops the walk: ids are translated above it. */
bool ward_alias_translation_root(const struct ward_function *function);

#endif
