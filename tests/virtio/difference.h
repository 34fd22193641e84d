/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Our virtio-iommu and QEMU's, told the same: each difference of what they answer is a row of a table
 * (difference_table.c, docs/virtio-iommu.md), or a failure.
 */
#ifndef TESTS_VIRTIO_DIFFERENCE_H
#define TESTS_VIRTIO_DIFFERENCE_H

#include <doorward/space.h>
#include <doorward/viommu_endpoint.h>

#include "qemu.h"

/* Bytes of a request here. */
#define STEP_READABLE_MAX 96u
#define STEP_WRITABLE_MAX 640u
/* What an answer has where nothing was written. */
#define STEP_POISON 0xa5

enum step_kind {
	STEP_REQUEST,
	STEP_RESET,  /* of the device; then features are negotiated */
	STEP_CONFIG, /* one byte of the config space is written */
};

struct step {
	enum step_kind kind;
	uint64_t features;
	uint32_t offset;
	uint8_t byte;
	uint32_t readable_size, writable_size;
	uint8_t readable[STEP_READABLE_MAX];
};

/* Fields, wherever a request of its type has them; 0 beyond its end. */
uint32_t step_u32(const struct step *step, uint32_t at);
uint64_t step_u64(const struct step *step, uint32_t at);
void step_put(struct step *step, uint32_t at, uint64_t value, unsigned int size);
uint32_t step_domain(const struct step *step);
uint32_t step_endpoint(const struct step *step);
/* Of the readable part, by type; 0: no such type. */
uint32_t step_size(uint8_t type);

/* Types of requests and offsets of what several have (virtio 1.3, 5.13.6). */
enum { TYPE_ATTACH = 1, TYPE_DETACH, TYPE_MAP, TYPE_UNMAP, TYPE_PROBE };
enum { AT_DOMAIN = 4, AT_START = 8, AT_END = 16, AT_PHYS = 24, AT_FLAGS = 32 };
enum { AT_ATTACH_FLAGS = 12, AT_ATTACH_RESERVED = 16, AT_UNMAP_RESERVED = 24 };
#define BYPASS_OFFSET 36u

/* A status, or one of these. */
enum outcome {
	OUTCOME_OK = 0,
	OUTCOME_UNSUPP = 2,
	OUTCOME_INVAL = 4,
	OUTCOME_RANGE = 5,
	OUTCOME_NOENT = 6,
	OUTCOME_NOT_KNOWN = 9, /* used length 0, nothing written */
	OUTCOME_BROKEN,	       /* DEVICE_NEEDS_RESET */
	OUTCOME_ODD,	       /* anything else */
};

struct answer {
	enum outcome outcome;
	uint32_t written;
	uint8_t bytes[STEP_WRITABLE_MAX];
	uint8_t config[WARD_VIOMMU_CONFIG_SIZE]; /* STEP_CONFIG, STEP_RESET */
};

/* One machine of QEMU, and what stands in ours for it. */
struct setup {
	const char *name;
	enum qemu_machine machine;
	const char *const *arguments;
	struct ward_viommu_region regions[4]; /* of each endpoint, by address */
	uint32_t regions_count;
};

struct pair {
	const struct setup *setup;
	struct qemu qemu;
	struct ward_viommu *ours;
	uint64_t features; /* negotiated, as of struct step */
	/* The endpoint of the last ATTACH as it was before; id WARD_NONE: it was not there. */
	struct ward_viommu_endpoint before;
	uint32_t members_before; /* endpoints of its domain */
};

/* Starts both, alike. Failure: a negative errno and a sentence; -ENOENT: QEMU is not installed. */
int pair_start(struct pair *ret_pair, const struct setup *setup, const char **ret_reason);
void pair_stop(struct pair *pair);
/* As after pair_start, also when QEMU ended or hangs. */
int pair_restart(struct pair *pair);
/* One step for both. An error: QEMU hangs or has ended. */
int pair_step(struct pair *pair, const struct step *step, struct answer *ret_ours,
	      struct answer *ret_qemu);
/* QEMU gets the state that ours has: by a reset, and requests as simple as they can be. */
int pair_mend(struct pair *pair);
/* Whether QEMU has the domains, endpoints and mappings that ours has; its state is gone after. */
int pair_same(struct pair *pair, bool *ret_same);
/* One request for QEMU alone; ret_status is UINT8_MAX when none was written. */
int pair_ask(struct pair *pair, const struct step *step, uint8_t *ret_status);

/* What ours has. */
bool pair_endpoint(const struct pair *pair, uint32_t id, struct ward_viommu_endpoint *ret_endpoint);
struct pair_domain {
	uint32_t members;
	bool bypass;
	const struct ward_space *space; /* bypass: not its own */
};
bool pair_domain(const struct pair *pair, uint32_t id, struct pair_domain *ret_domain);
struct step step_map(uint32_t domain, const struct ward_mapping *mapping);
struct step step_unmap(uint32_t domain, uint64_t start, uint64_t last);
struct step step_place(uint8_t type, uint32_t domain, uint32_t endpoint, uint32_t flags);

/* A difference that is known. */
struct difference {
	const char *name; /* of its row in docs/virtio-iommu.md */
	enum step_kind kind;
	uint8_t type;	     /* of the request; 0: any */
	uint32_t ours, qemu; /* bit n: outcome n */
	/* Whether it is such a step; ours is as after it. NULL: seen in a test of its own. */
	bool (*applies)(const struct pair *pair, const struct step *step);
	/* Answers are alike, states are not: asks QEMU. NULL: answers differ. */
	int (*differs)(struct pair *pair, const struct step *step, bool *ret_differs);
	uint32_t seen;
};

extern struct difference differences[];
extern const uint32_t differences_count;
/* By name; NULL: there is none. */
struct difference *difference_find(const char *name);
void difference_saw(const char *name);

/* DMA of QEMU's edu devices and of ours, after the same requests: reports what is not listed. */
bool faults_compare(struct pair *pair);

/* Domains that streams use. */
#define STREAM_DOMAINS 6u
extern const uint32_t stream_domains[STREAM_DOMAINS];

/*
 * Makes a stream of steps by chance and sends it to both. False: an unlisted difference; the shortest
 * stream that shows it was printed.
 */
bool stream_run(struct pair *pair, uint64_t seed, uint32_t length);

#endif
