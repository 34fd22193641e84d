/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "pci/acs.h"

/* No machine has more bridges in a row than there are bus numbers. */
#define DEPTH_MAX 256

static enum ward_tri tri(bool value)
{
	return value ? WARD_YES : WARD_NO;
}

static enum ward_tri registers_enabled(const struct ward_acs *acs, uint16_t flags)
{
	if (acs->present != WARD_YES)
		return acs->present;
	flags &= acs->capability | WARD_ACS_EC;
	return tri((acs->control & flags) == flags);
}

enum ward_tri ward_acs_enabled(const struct ward_function *function, uint16_t flags)
{
	const struct ward_acs *acs = &function->acs;

	if (acs->quirk == WARD_YES)
		return tri(!(flags & ~acs->quirk_bits));
	if (acs->quirk == WARD_NO)
		return WARD_NO;
	/* A row whose effect depends on what cannot be seen here. */
	if (acs->quirk_name)
		return WARD_UNKNOWN;
	if (function->pcie_known != WARD_YES)
		return WARD_UNKNOWN;

	switch (function->pcie_type) {
	case WARD_PCIE_NONE:
	case WARD_PCIE_TO_PCI:
	case WARD_PCI_TO_PCIE:
	case WARD_PCIE_RC_EVENT_COLLECTOR:
		return WARD_NO;
	case WARD_PCIE_ROOT_PORT:
	case WARD_PCIE_DOWNSTREAM:
		return registers_enabled(acs, flags);
	case WARD_PCIE_ENDPOINT:
	case WARD_PCIE_LEGACY_ENDPOINT:
	case WARD_PCIE_UPSTREAM:
	case WARD_PCIE_RC_ENDPOINT:
		/* Alone in its device there is no peer that it could reach inside. */
		return function->multifunction ? registers_enabled(acs, flags) : WARD_YES;
	}
	return WARD_UNKNOWN;
}

enum ward_tri ward_acs_path_enabled(const struct ward_machine *machine, uint32_t function,
				    uint16_t flags)
{
	enum ward_tri result = WARD_YES;

	for (unsigned int depth = 0; function != WARD_NONE; depth++) {
		enum ward_tri here = WARD_UNKNOWN;

		if (depth < DEPTH_MAX)
			here = ward_acs_enabled(&machine->functions[function], flags);
		if (here == WARD_NO)
			return WARD_NO;
		if (here == WARD_UNKNOWN)
			result = WARD_UNKNOWN;
		if (depth == DEPTH_MAX)
			break;
		function = machine->functions[function].parent;
	}
	return result;
}

uint16_t ward_acs_effective(const struct ward_function *function)
{
	if (function->acs.present != WARD_YES)
		return 0;
	return function->acs.capability & function->acs.control & 0x7f;
}

bool ward_acs_egress_blocks(const struct ward_function *function, unsigned int to)
{
	if (to > 255 || !(ward_acs_effective(function) & WARD_ACS_EC))
		return false;
	return function->acs.egress[to / 32] >> to % 32 & 1;
}
