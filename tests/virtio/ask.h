/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Requests as a driver makes them, in one piece each. */
#ifndef TESTS_VIRTIO_ASK_H
#define TESTS_VIRTIO_ASK_H

#include <doorward/viommu.h>

#include <endian.h>
#include <errno.h>
#include <string.h>

enum {
	ASK_ATTACH = 1,
	ASK_DETACH,
	ASK_MAP,
	ASK_UNMAP,
	ASK_PROBE,
};

enum {
	ASK_OK,
	ASK_IOERR,
	ASK_UNSUPP,
	ASK_DEVERR,
	ASK_INVAL,
	ASK_RANGE,
	ASK_NOENT,
	ASK_FAULT,
	ASK_NOMEM,
	ASK_UNKNOWN = 16, /* used length 0 */
	ASK_BROKEN = 17,  /* and the device is broken */
};

#define ASK_R 1u
#define ASK_W 2u
#define ASK_MMIO 4u
#define ASK_BYPASS 1u

struct ask_attach {
	uint8_t type, reserved[3];
	uint32_t domain, endpoint, flags, reserved1;
} __attribute__((packed));

struct ask_detach {
	uint8_t type, reserved[3];
	uint32_t domain, endpoint, reserved1[2];
} __attribute__((packed));

struct ask_map {
	uint8_t type, reserved[3];
	uint32_t domain;
	uint64_t start, last, target;
	uint32_t flags;
} __attribute__((packed));

struct ask_unmap {
	uint8_t type, reserved[3];
	uint32_t domain;
	uint64_t start, last;
	uint32_t reserved1;
} __attribute__((packed));

/* The status, or ASK_UNKNOWN, ASK_BROKEN. */
static inline int ask(struct ward_viommu *viommu, const void *request, size_t size)
{
	/* iov_base has no const; the device does not write there. */
	const struct iovec in = { (void *)(uintptr_t)request, size };
	uint8_t tail[4] = { 0xee, 0xee, 0xee, 0xee };
	const struct iovec out = { tail, sizeof(tail) };
	uint32_t written = 0;
	int code = ward_viommu_handle(viommu, &in, 1, &out, 1, &written);

	if (written == 0)
		return code == -EIO ? ASK_BROKEN : ASK_UNKNOWN;
	return written == sizeof(tail) && !tail[1] && !tail[2] && !tail[3] ? tail[0] : -1;
}

static inline int ask_attach(struct ward_viommu *viommu, uint32_t domain, uint32_t endpoint,
			     uint32_t flags)
{
	const struct ask_attach request = { .type = ASK_ATTACH,
					    .domain = htole32(domain),
					    .endpoint = htole32(endpoint),
					    .flags = htole32(flags) };

	return ask(viommu, &request, sizeof(request));
}

static inline int ask_detach(struct ward_viommu *viommu, uint32_t domain, uint32_t endpoint)
{
	const struct ask_detach request = { .type = ASK_DETACH,
					    .domain = htole32(domain),
					    .endpoint = htole32(endpoint) };

	return ask(viommu, &request, sizeof(request));
}

static inline int ask_map(struct ward_viommu *viommu, uint32_t domain, uint64_t start,
			  uint64_t last, uint64_t target, uint32_t flags)
{
	const struct ask_map request = { .type = ASK_MAP,
					 .domain = htole32(domain),
					 .start = htole64(start),
					 .last = htole64(last),
					 .target = htole64(target),
					 .flags = htole32(flags) };

	return ask(viommu, &request, sizeof(request));
}

static inline int ask_unmap(struct ward_viommu *viommu, uint32_t domain, uint64_t start,
			    uint64_t last)
{
	const struct ask_unmap request = { .type = ASK_UNMAP,
					   .domain = htole32(domain),
					   .start = htole64(start),
					   .last = htole64(last) };

	return ask(viommu, &request, sizeof(request));
}

#endif
