/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What a virtio-iommu device answers, thought through once more and as plainly as can be: from
 * docs/virtio-iommu.md and virtio 1.3, 5.13, with arrays, and nothing of src/virtio.
 */
#ifndef TESTS_VIRTIO_REFERENCE_H
#define TESTS_VIRTIO_REFERENCE_H

#include <doorward/viommu_endpoint.h>

#define REFERENCE_ENDPOINTS 8u
#define REFERENCE_MAPPINGS 400u
#define REFERENCE_REGIONS 4u

/* A device. */
struct reference_config {
	const char *name;
	uint32_t features;
	uint32_t flags;
	uint64_t page_sizes;
	struct ward_range input;
	uint32_t domain_first, domain_last;
	uint32_t probe_size;
	uint32_t mappings_max; /* at most REFERENCE_MAPPINGS */
};

/* Regions as PROBE tells them, and which registers of doorbells lie in the one of the MSIs. */
struct reference_endpoint {
	bool there;
	uint32_t id;
	bool attached;
	uint32_t domain;
	uint32_t regions_count;
	struct ward_viommu_region regions[REFERENCE_REGIONS];
	struct ward_range doorbell; /* empty: none */
};

struct reference_mapping {
	bool there, told;
	uint32_t domain;
	uint64_t start, last, target;
	uint32_t flags;
};

struct reference {
	const struct reference_config *config;
	bool configured, bypass;
	uint32_t negotiated;
	struct reference_endpoint endpoints[REFERENCE_ENDPOINTS];
	/* Of domains that have endpoints; indexed like endpoints, one of them stands for all. */
	bool bypass_domain[REFERENCE_ENDPOINTS];
	struct reference_mapping mappings[REFERENCE_MAPPINGS]; /* the first mappings_max */
};

void reference_init(struct reference *reference, const struct reference_config *config);
void reference_reset(struct reference *reference, bool system);
/* As of ward_viommu_negotiate. */
int reference_negotiate(struct reference *reference, uint64_t features);
void reference_config(const struct reference *reference, uint8_t ret_bytes[40]);
int reference_config_write(struct reference *reference, uint32_t offset, const uint8_t *bytes,
			   size_t size);
/* Removes it from its domain, and altogether. */
void reference_remove(struct reference *reference, struct reference_endpoint *endpoint);
struct reference_endpoint *reference_endpoint(struct reference *reference, uint32_t id);

/*
 * One request: what stands in the readable part, and what the writable part becomes. Returns the used
 * length.
 */
uint32_t reference_handle(struct reference *reference, const uint8_t *readable,
			  size_t readable_size, uint8_t *writable, size_t writable_size);

enum ward_viommu_place_kind reference_place(const struct reference *reference,
					    const struct reference_endpoint *endpoint);
/* The least mapping of the domain from there, or NULL. */
const struct reference_mapping *reference_next(const struct reference *reference, uint32_t domain,
					       uint64_t from);
/* 0, or -EFAULT. */
int reference_translate(const struct reference *reference,
			const struct reference_endpoint *endpoint, uint64_t iova, uint32_t access,
			uint64_t *ret_target, uint32_t *ret_access, bool *ret_mmio);

#endif
