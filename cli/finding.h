/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* How findings are shown, as text and as JSON. */
#ifndef CLI_FINDING_H
#define CLI_FINDING_H

#include "cli/cli.h"

/* Waivers, for the reasons that they give. */
struct cli_accepted {
	const struct ward_waiver *waivers;
	uint32_t count;
};

/* One finding of a verdict: what, its path, what to do. */
void cli_say_finding(const struct cli_context *context, const struct cli_accepted *accepted,
		     const struct ward_verdict *verdict, uint32_t number);
struct json_object *cli_finding_json(const struct cli_context *context,
				     const struct cli_accepted *accepted,
				     const struct ward_finding *finding);

#endif
