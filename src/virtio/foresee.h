/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Requests that wait in a queue are looked at before they are served. */
#ifndef VIRTIO_FORESEE_H
#define VIRTIO_FORESEE_H

#include "dma/mapping_tree.h"
#include "virtio/viommu.h"
#include "virtio/virtq.h"

/* Has the CPU fetch what the next WARD_TREE_FETCH requests will look for. Changes nothing. */
void ward_viommu_foresee(const struct ward_viommu *viommu, const struct ward_virtq *queue);

#endif
