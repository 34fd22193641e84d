/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The software machine: a request goes from its function up through bridges and switches, perhaps
 * down again to a peer, else through the IOMMU of its requester id to memory, registers or a
 * doorbell. It says what happens; src/isolate says what can happen, and shares no code with this.
 */
#ifndef EMUL_MACHINE_H
#define EMUL_MACHINE_H

#include <doorward/backend/model.h>

#include "emul/iommu.h"

struct ward_emul;

int ward_emul_create(const struct ward_machine *facts, struct ward_memory *memory,
		     struct ward_emul **ret_emul);
void ward_emul_destroy(struct ward_emul *emul); /* and its IOMMUs */

/* Takes iommu: index of facts->iommus. Without one, requests to it are not translated. */
void ward_emul_set_iommu(struct ward_emul *emul, uint32_t index,
			 const struct ward_emul_iommu_ops *ops, void *iommu);

void ward_emul_set_temper(struct ward_emul *emul, const struct ward_model_temper *temper);

/* As ward_model_dma. */
int ward_emul_dma(struct ward_emul *emul, uint32_t function, const struct ward_dma *dma,
		  struct ward_dma_result *ret_result);

/* The StreamID a requester id is seen with at an IOMMU, after id maps; false: at no IOMMU. */
bool ward_emul_stream(const struct ward_emul *emul, uint32_t segment, ward_rid_t rid,
		      uint32_t *ret_iommu, ward_sid_t *ret_sid);

/* Registers as a CPU sees them: all ones and ignored when frozen. */
int ward_emul_read(struct ward_emul *emul, uint32_t function, uint32_t region, uint64_t offset,
		   void *ret_bytes, size_t size);
int ward_emul_write(struct ward_emul *emul, uint32_t function, uint32_t region, uint64_t offset,
		    const void *bytes, size_t size);

/* Error isolation, as in backend/model.h. */
int ward_emul_error_domain(struct ward_emul *emul, const uint32_t *functions, uint32_t count,
			   bool freeze_on_fault);
int ward_emul_freeze(struct ward_emul *emul, uint32_t function, enum ward_error_cause cause);
int ward_emul_error(struct ward_emul *emul, uint32_t function, struct ward_error_state *ret_error);
int ward_emul_thaw(struct ward_emul *emul, uint32_t function);

#endif
