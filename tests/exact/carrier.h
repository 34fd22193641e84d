/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Who carries a build out: the software machine with IOMMUs that ask a table of spaces (quick), or the
 * model backend, whose IOMMUs walk tables in memory.
 */
#ifndef TESTS_EXACT_CARRIER_H
#define TESTS_EXACT_CARRIER_H

#include <doorward/backend/model.h>

#include "touch.h"

struct carrier;

/* Makes the spaces of the build, too, and attaches everybody. */
int carrier_create(struct build *build, struct carrier **ret_carrier);
void carrier_destroy(struct carrier *carrier);
void carrier_set_temper(struct carrier *carrier, enum temper temper);
struct controllers;
const struct controllers *carrier_controllers(const struct carrier *carrier);
int carrier_dma(struct carrier *carrier, uint32_t index, struct ward_dma *dma,
		struct ward_dma_result *ret_result);

/* A value to write that no write before it had. */
uint64_t carrier_stamp(struct carrier *carrier);
/* Which block a DMA that ended in memory went to, its word checked by the bytes. */
int carrier_which_block(struct carrier *carrier, const struct ward_dma *dma,
			const struct ward_dma_result *result, uint32_t *ret_block);

#endif
