/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Known devices whose isolation is not what their ACS registers say. */
#ifndef PCI_ACS_QUIRK_H
#define PCI_ACS_QUIRK_H

#include <doorward/machine.h>

/* What a row found for a function says. */
struct ward_acs_quirk {
	/*
	 * WARD_YES: isolates as if exactly the bits of bits were set; WARD_NO: never isolates;
	 * WARD_UNKNOWN: isolates so only if the kernel could write chipset registers at boot,
	 * which config space does not show.
	 */
	enum ward_tri holds;
	uint16_t bits;
	const char *name; /* static */
};

/*
 * Looks a function up. Needs ids, pcie_type, multifunction and parent (WARD_NONE: root bus)
 * filled. ivrs says whether firmware has an AMD IOMMU table (a condition of some rows); unknown
 * gives a row with holds WARD_UNKNOWN.
 * Returns 0, or -ENOENT when the registers decide.
 */
int ward_acs_quirk_find(const struct ward_function *function, enum ward_tri ivrs,
			struct ward_acs_quirk *ret_quirk);

/* Has ACS registers that are 32 bits wide: capability at +4, control at +8. */
bool ward_acs_quirk_wide(const struct ward_function *function);

#endif
