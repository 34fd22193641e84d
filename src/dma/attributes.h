/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Memory types: what their encodings mean, and what comes of two stages. */
#ifndef DMA_ATTRIBUTES_H
#define DMA_ATTRIBUTES_H

#include <doorward/translation.h>

/* One attribute byte of MAIR (Arm DDI 0487, MAIR_EL1). Inner and outer: the stricter one. */
enum ward_memory_type ward_type_from_mair(uint8_t attribute);

/* Four bits MemAttr of a stage-2 leaf, of STE and of GBPA (DDI 0487 D8.6, without FWB). */
enum ward_memory_type ward_type_from_memattr(unsigned int memattr);

/*
 * Of two stages, the stricter type wins (DDI 0487 D8.6.5, IHI 0070 chapter 13): a page that stage 2
 * maps as device stays device whatever the guest's stage 1 says, which is what lets a doorbell
 * write through a normal-memory stage 1 arrive as it must.
 */
static inline enum ward_memory_type ward_type_combine(enum ward_memory_type stage1,
						      enum ward_memory_type stage2)
{
	return stage1 < stage2 ? stage1 : stage2;
}

static inline bool ward_type_is_device(enum ward_memory_type type)
{
	return type <= WARD_DEVICE_GRE;
}

#endif
