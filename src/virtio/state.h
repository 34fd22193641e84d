/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The stream of a device's state, version 1: an opening, then records in the order of their types, all
 * little-endian, nothing between them (docs/virtio-iommu.md, State). Reserved bytes and unused bits are 0.
 */
#ifndef VIRTIO_STATE_H
#define VIRTIO_STATE_H

#include <stdint.h>

#define STATE_MAGIC "WARDVIOM" /* without its NUL */
#define STATE_VERSION 1u

struct state_opening {
	char magic[8];
	uint32_t version;
} __attribute__((packed));

enum state_type {
	STATE_DEVICE = 1,
	STATE_BROKEN,
	STATE_ENDPOINT,
	STATE_DOMAIN,
	STATE_MAPPING,
	STATE_EVENT,
	STATE_END,
};

struct state_head {
	uint32_t type;
	uint32_t length; /* of what follows the head */
};

#define STATE_CONFIGURED 0x1u
#define STATE_BYPASS 0x2u
#define STATE_IS_BROKEN 0x4u

/* What the guest can see of the device, and how much of everything follows. */
struct state_device {
	uint32_t features, negotiated;
	uint64_t page_sizes;
	uint64_t input_start, input_last;
	uint32_t domain_first, domain_last;
	uint32_t probe_size;
	uint32_t flags;
	uint32_t endpoints, domains, events, reserved;
	uint64_t mappings; /* of all domains */
};

/* With STATE_IS_BROKEN: the sentence, with a NUL and filled up with more. */
#define STATE_SENTENCE 256u

#define STATE_ATTACHED 0x1u
#define STATE_BYPASS_DOMAIN 0x2u
#define STATE_FROZEN 0x4u

struct state_endpoint {
	uint32_t id, flags;
	uint32_t domain; /* 0 when it is in none */
};

/* Its mappings follow at once. */
struct state_domain {
	uint32_t id, reserved;
	uint64_t mappings;
};

/* Access and type as in a MAP request. */
#define STATE_READ 0x1u
#define STATE_WRITE 0x2u
#define STATE_MMIO 0x4u
/* In an IDENTITY region when it was made, also if its endpoint has left: listeners were not told. */
#define STATE_UNTOLD 0x8u

struct state_mapping {
	uint64_t start, last, target;
	uint32_t flags, reserved;
};

_Static_assert(sizeof(struct state_opening) == 12, "as in the stream");
_Static_assert(sizeof(struct state_head) == 8, "as in the stream");
_Static_assert(sizeof(struct state_device) == 72, "as in the stream");
_Static_assert(sizeof(struct state_endpoint) == 12, "as in the stream");
_Static_assert(sizeof(struct state_domain) == 16, "as in the stream");
_Static_assert(sizeof(struct state_mapping) == 32, "as in the stream");

#endif
