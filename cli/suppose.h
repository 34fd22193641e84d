/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* --suppose: the machine as it would be. */
#ifndef CLI_SUPPOSE_H
#define CLI_SUPPOSE_H

#include "cli/cli.h"

/*
 * Replaces the context's machine and state by copies in which what --suppose says is so.
 * Returns -1 to go on, or an exit code after a message.
 */
int cli_suppose(struct cli_context *context);

#endif
