// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * One request: copied out of what the guest may still write to, looked at in the copy, and answered
 * in one piece. virtio 1.3, 5.13.6.
 */
#include "virtio/request.h"

#include <errno.h>

struct kind {
	uint32_t size;
	uint32_t feature; /* without which it is not known; 0: none */
	enum viommu_status (*serve)(struct ward_viommu *viommu, const uint8_t *request);
};

/* PROBE's answer has more than a tail: serve_probe(). */
static const struct kind kinds[WARD_VIOMMU_TYPES] = {
	[VIOMMU_ATTACH] = { VIOMMU_ATTACH_SIZE, 0, ward_viommu_attach },
	[VIOMMU_DETACH] = { VIOMMU_DETACH_SIZE, 0, ward_viommu_detach },
	[VIOMMU_MAP] = { VIOMMU_MAP_SIZE, WARD_VIOMMU_F_MAP_UNMAP, ward_viommu_map },
	[VIOMMU_UNMAP] = { VIOMMU_UNMAP_SIZE, WARD_VIOMMU_F_MAP_UNMAP, ward_viommu_unmap },
	[VIOMMU_PROBE] = { VIOMMU_PROBE_SIZE, WARD_VIOMMU_F_PROBE, NULL },
};

static const struct kind *kind_of(const struct ward_viommu *viommu, const uint8_t *request,
				  size_t size)
{
	const struct kind *kind;

	if (!viommu->configured || size == 0 || request[0] >= WARD_VIOMMU_TYPES)
		return NULL;
	kind = &kinds[request[0]];
	/* Type 0 has no size. */
	if (kind->size == 0 || size < kind->size || kind->feature & ~viommu->negotiated)
		return NULL;
	return kind;
}

/* Apart from the others for its large answer: they are served from a small stack. */
__attribute__((noinline)) static enum viommu_status
serve_probe(const struct ward_viommu *viommu, const uint8_t *request, const struct iovec *answer,
	    uint32_t answer_count, uint64_t writable, uint32_t *ret_written)
{
	uint8_t bytes[VIOMMU_PROBE_MAX + VIOMMU_TAIL_SIZE];
	uint32_t size = viommu->options.probe_size + VIOMMU_TAIL_SIZE;
	enum viommu_status status;

	if (size > writable)
		size = (uint32_t)writable;
	memset(bytes, 0, size);
	status = ward_viommu_probe(viommu, ward_viommu_u32(request + 4), bytes,
				   size - VIOMMU_TAIL_SIZE);
	bytes[size - VIOMMU_TAIL_SIZE] = (uint8_t)status;
	ward_viommu_pieces_write(answer, answer_count, bytes, size);
	*ret_written = size;
	return status;
}

int ward_viommu_handle(struct ward_viommu *viommu, const struct iovec *request,
		       uint32_t request_count, const struct iovec *answer, uint32_t answer_count,
		       uint32_t *ret_written)
{
	uint8_t bytes[VIOMMU_REQUEST_MAX];
	const struct kind *kind;
	enum viommu_status status;
	uint64_t writable;
	size_t size;

	*ret_written = 0;
	if (viommu->broken)
		return -EIO;
	size = ward_viommu_pieces_read(request, request_count, bytes, sizeof(bytes));
	kind = kind_of(viommu, bytes, size);
	writable = ward_viommu_pieces_size(answer, answer_count);
	if (!kind || writable < VIOMMU_TAIL_SIZE) {
		viommu->answers[0][0]++;
		return 0;
	}
	if (kind->serve) {
		uint8_t tail[VIOMMU_TAIL_SIZE] = { 0 };

		status = kind->serve(viommu, bytes);
		tail[0] = (uint8_t)status;
		ward_viommu_pieces_write(answer, answer_count, tail, sizeof(tail));
		*ret_written = sizeof(tail);
	} else {
		status = serve_probe(viommu, bytes, answer, answer_count, writable, ret_written);
	}
	viommu->answers[bytes[0]][status]++;
	return viommu->broken ? -EIO : 0;
}
