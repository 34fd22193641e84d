/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* One file for each kind of request: what is checked, in which order, and what is done. */
#ifndef VIRTIO_REQUEST_H
#define VIRTIO_REQUEST_H

#include "virtio/viommu.h"

#include <endian.h>
#include <string.h>

/* Bytes of the readable part (virtio 1.3, 5.13.6). */
#define VIOMMU_ATTACH_SIZE 20u
#define VIOMMU_DETACH_SIZE 20u
#define VIOMMU_MAP_SIZE 36u
#define VIOMMU_UNMAP_SIZE 28u
#define VIOMMU_PROBE_SIZE 72u
#define VIOMMU_REQUEST_MAX VIOMMU_PROBE_SIZE
/* Of the writable part: the status and three bytes that are 0. */
#define VIOMMU_TAIL_SIZE 4u

static inline uint32_t ward_viommu_u32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return le32toh(value);
}

static inline uint64_t ward_viommu_u64(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return le64toh(value);
}

static inline bool ward_viommu_accepted(const struct ward_viommu *viommu, uint32_t feature)
{
	return viommu->negotiated & feature;
}

/* request: a copy of the readable part, as long as its type has. */
enum viommu_status ward_viommu_attach(struct ward_viommu *viommu, const uint8_t *request);
enum viommu_status ward_viommu_detach(struct ward_viommu *viommu, const uint8_t *request);
enum viommu_status ward_viommu_map(struct ward_viommu *viommu, const uint8_t *request);
enum viommu_status ward_viommu_unmap(struct ward_viommu *viommu, const uint8_t *request);

#endif
