// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Why a function is in the group it is in. */
#include "cli/cause.h"

#include "app/memory.h"
#include "cli/show.h"

const char *cli_cause_name(enum ward_group_cause cause)
{
	switch (cause) {
	case WARD_CAUSE_OWN:
		return "own";
	case WARD_CAUSE_ALIAS:
		return "alias";
	case WARD_CAUSE_NO_ACS_ABOVE:
		return "no-acs-above";
	case WARD_CAUSE_MULTIFUNCTION:
		return "multifunction";
	case WARD_CAUSE_BUS:
		return "bus";
	case WARD_CAUSE_ABSENT:
		return "absent";
	case WARD_CAUSE_ENDPOINT:
		return "endpoint";
	case WARD_CAUSE_NO_IOMMU:
		break;
	}
	return "no-iommu";
}

char *cli_cause(const struct cli_context *context, const struct ward_membership *member)
{
	const char *via = member->via == WARD_NONE ? "another" : cli_name(context, member->via);

	switch (member->cause) {
	case WARD_CAUSE_OWN:
		return app_strdup("it has a group of its own");
	case WARD_CAUSE_ALIAS:
		return app_printf("it shares a requester id with %s", via);
	case WARD_CAUSE_NO_ACS_ABOVE:
		return app_printf("%s above it does not isolate (no ACS)", via);
	case WARD_CAUSE_MULTIFUNCTION:
		return app_printf("no ACS between it and %s in the same slot", via);
	case WARD_CAUSE_BUS:
		return app_strdup("its bus does not isolate");
	case WARD_CAUSE_ABSENT:
		return app_strdup("it is not there");
	case WARD_CAUSE_ENDPOINT:
		return app_printf("it is of one partitionable endpoint with %s", via);
	case WARD_CAUSE_NO_IOMMU:
		break;
	}
	return app_strdup("nothing translates its DMA");
}
