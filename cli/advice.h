/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What to do about a machine whose DMA nothing translates: the first thing new users meet. */
#ifndef CLI_ADVICE_H
#define CLI_ADVICE_H

#include "cli/cli.h"

/* Paragraphs for this machine, in order; how many are in ret_count. free() each and the list. */
char **cli_advice_no_iommu(const struct cli_context *context, size_t *ret_count);

#endif
