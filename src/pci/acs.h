/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Access control services: does a function keep peers apart? */
#ifndef PCI_ACS_H
#define PCI_ACS_H

#include <doorward/machine.h>

/* What Linux asks for before it separates functions. */
#define WARD_ACS_ISOLATED (WARD_ACS_SV | WARD_ACS_RR | WARD_ACS_CR | WARD_ACS_UF)

/*
 * Linux's evaluation (drivers/pci/pci.c, pci_acs_enabled): the quirk first, then the port type,
 * then the registers; a bit that the capability does not offer counts as hard-wired, except
 * egress control. Unknown when what decides could not be read, or when acs.quirk is unknown and
 * acs.quirk_name is set (the row found says "only if the kernel could").
 */
enum ward_tri ward_acs_enabled(const struct ward_function *function, uint16_t flags);

/*
 * The same for a function and every bridge above it up to the root bus: NO as soon as one is no,
 * else UNKNOWN as soon as one is unknown. WARD_YES for WARD_NONE.
 */
enum ward_tri ward_acs_path_enabled(const struct ward_machine *machine, uint32_t function,
				    uint16_t flags);

/*
 * What the registers alone say, strictly, without assuming anything: bits that are offered and
 * set. 0 when not present or unknown.
 */
uint16_t ward_acs_effective(const struct ward_function *function);

/* Egress control is on and blocks requests from this port to port (or function) number to. */
bool ward_acs_egress_blocks(const struct ward_function *function, unsigned int to);

#endif
