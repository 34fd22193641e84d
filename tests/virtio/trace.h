/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Replays what a driver asked of QEMU's virtio-iommu (traces/README.md) into ours, behind a split
 * ring: each answer, used length, translation and event has to be QEMU's.
 */
#ifndef TESTS_VIRTIO_TRACE_H
#define TESTS_VIRTIO_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct ward_viommu;

/* How requests lie in the ring; nothing may depend on it. */
enum trace_framing {
	TRACE_INDIRECT, /* as Linux does: a table of two */
	TRACE_CHAIN,	/* two descriptors */
	TRACE_PIECES,	/* five, the parts cut anywhere */
	TRACE_MOVED,	/* a table; and device and queues go to another place every few kicks */
	TRACE_FRAMINGS,
};

struct trace_result {
	/* Requests by type, 0 no request we know; with BYPASS among them; answered with an error. */
	uint32_t requests[6], bypass, errors;
	uint32_t kicks, translations, faults, events;
	uint32_t listed; /* differences that trace.c lists, with the paragraph */
	/* The first difference, or what is wrong with the trace; and its line. */
	char why[512];
	uint32_t line;
};

/* Somebody beside the device, for whom the same has to be true. Not with TRACE_MOVED. */
struct trace_follower {
	void *context;
	/* The device is there, without endpoints; it ends with the replay. */
	bool (*begin)(void *context, struct ward_viommu *viommu);
	/* A DMA that QEMU's device translated, and to where. False: not so here. */
	bool (*dma)(void *context, uint32_t endpoint, uint64_t address, bool writes,
		    uint64_t result);
};

/* True: the whole trace was replayed, and nothing differs. A follower may be NULL. */
bool trace_replay(const char *path, enum trace_framing framing,
		  const struct trace_follower *follower, struct trace_result *ret_result);

#endif
