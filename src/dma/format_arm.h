/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the two stages of Arm's VMSAv8-64 have in common (Arm DDI 0487 D8.3). */
#ifndef DMA_FORMAT_ARM_H
#define DMA_FORMAT_ARM_H

#include "dma/table.h"

#define WARD_ARM_VALID (1ull << 0)
#define WARD_ARM_TABLE (1ull << 1) /* at the last level: page */
#define WARD_ARM_SHAREABLE_OUTER (2ull << 8)
#define WARD_ARM_SHAREABLE_INNER (3ull << 8)
#define WARD_ARM_ACCESS_FLAG (1ull << 10)
#define WARD_ARM_CONTIGUOUS (1ull << 52)

bool ward_arm_leaf_allowed(const struct ward_table *table, int level);
enum ward_entry_kind ward_arm_kind(const struct ward_table *table, uint64_t entry, int level);
uint64_t ward_arm_address(const struct ward_table *table, uint64_t entry, int level);
unsigned int ward_arm_run(const struct ward_table *table, uint64_t entry, int level);
uint64_t ward_arm_make_table(const struct ward_table *table, uint64_t address);
/* A leaf without permissions and type. */
uint64_t ward_arm_make_leaf(const struct ward_table *table, uint64_t address, int level,
			    enum ward_memory_type type);

#endif
