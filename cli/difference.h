/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Where the kernel's groups and the predicted ones differ, and why. */
#ifndef CLI_DIFFERENCE_H
#define CLI_DIFFERENCE_H

#include "cli/cli.h"

struct cli_difference {
	uint32_t function;
	/*
	 * NULL when the function's two groups hold the same functions, or one of: "no-group",
	 * "stream-in-use", "not-translated", "split", "merged".
	 */
	const char *code;
	char *explanation; /* NULL with code */
};

/* One for each function of the machine, at its index. members: the prediction. */
struct cli_difference *cli_differences(const struct cli_context *context,
				       const struct ward_membership *members);
void cli_differences_finish(const struct cli_context *context, struct cli_difference *differences);

#endif
