/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#ifndef CLI_CAUSE_H
#define CLI_CAUSE_H

#include "cli/cli.h"

/* Stable word for a cause, as in JSON. */
const char *cli_cause_name(enum ward_group_cause cause);
/* Why a function is in its predicted group, as half a sentence; free() it. */
char *cli_cause(const struct cli_context *context, const struct ward_membership *member);

#endif
