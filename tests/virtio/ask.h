/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Requests as a driver makes them, in one piece each. */
#ifndef TESTS_VIRTIO_ASK_H
#define TESTS_VIRTIO_ASK_H

#include <doorward/viommu.h>

#include <errno.h>
#include <string.h>

#define GUEST_PAGE 0x1000u

enum guest_status {
	GUEST_OK,
	GUEST_IOERR,
	GUEST_UNSUPP,
	GUEST_DEVERR,
	GUEST_INVAL,
	GUEST_RANGE,
	GUEST_NOENT,
	GUEST_FAULT,
	GUEST_NOMEM,
	GUEST_NOT_KNOWN = 16, /* used length 0 */
	GUEST_BROKEN = 17,    /* and the device is broken */
};

static inline void guest_put(uint8_t *to, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static inline uint64_t guest_get(const uint8_t *from, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | from[bytes];
	return value;
}

/* A request without properties: its status, or -1 when the answer is not a tail and nothing else. */
static inline int guest_request(struct ward_viommu *viommu, uint8_t *request, size_t size)
{
	uint8_t tail[4] = { 0xff, 0xff, 0xff, 0xff };
	struct iovec out = { request, size }, in = { tail, sizeof(tail) };
	uint32_t written = 0;
	int code = ward_viommu_handle(viommu, &out, 1, &in, 1, &written);

	if (written == 0)
		return code == -EIO ? GUEST_BROKEN : GUEST_NOT_KNOWN;
	return written == sizeof(tail) && !tail[1] && !tail[2] && !tail[3] ? tail[0] : -1;
}

static inline int guest_attach(struct ward_viommu *viommu, uint32_t domain, uint32_t endpoint,
			       uint32_t flags)
{
	uint8_t request[20] = { 1 };

	guest_put(request + 4, domain, 4);
	guest_put(request + 8, endpoint, 4);
	guest_put(request + 12, flags, 4);
	return guest_request(viommu, request, sizeof(request));
}

static inline int guest_detach(struct ward_viommu *viommu, uint32_t domain, uint32_t endpoint)
{
	uint8_t request[20] = { 2 };

	guest_put(request + 4, domain, 4);
	guest_put(request + 8, endpoint, 4);
	return guest_request(viommu, request, sizeof(request));
}

#define GUEST_BYPASS 1u /* ATTACH */
#define GUEST_READ 1u	/* MAP */
#define GUEST_WRITE 2u
#define GUEST_MMIO 4u

static inline int guest_map(struct ward_viommu *viommu, uint32_t domain, uint64_t start,
			    uint64_t last, uint64_t target, uint32_t flags)
{
	uint8_t request[36] = { 3 };

	guest_put(request + 4, domain, 4);
	guest_put(request + 8, start, 8);
	guest_put(request + 16, last, 8);
	guest_put(request + 24, target, 8);
	guest_put(request + 32, flags, 4);
	return guest_request(viommu, request, sizeof(request));
}

/* One page. */
static inline int guest_map_page(struct ward_viommu *viommu, uint32_t domain, uint64_t start,
				 uint64_t target, uint32_t flags)
{
	return guest_map(viommu, domain, start, start + GUEST_PAGE - 1, target, flags);
}

static inline int guest_unmap(struct ward_viommu *viommu, uint32_t domain, uint64_t start,
			      uint64_t last)
{
	uint8_t request[28] = { 4 };

	guest_put(request + 4, domain, 4);
	guest_put(request + 8, start, 8);
	guest_put(request + 16, last, 8);
	return guest_request(viommu, request, sizeof(request));
}

/* PROBE with a writable part of any size; the used length. */
static inline uint32_t guest_probe(struct ward_viommu *viommu, uint32_t endpoint, uint8_t *answer,
				   size_t size)
{
	uint8_t request[72] = { 5 };
	struct iovec out = { request, sizeof(request) }, in = { answer, size };
	uint32_t written = 0;

	guest_put(request + 4, endpoint, 4);
	(void)ward_viommu_handle(viommu, &out, 1, &in, 1, &written);
	return written;
}

#endif
