/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A virtio-iommu to be measured, ours or QEMU's: its request queue is in memory that both sides have, a
 * kick says that something is in it.
 */
#ifndef BENCH_VIRTIO_IOMMU_H
#define BENCH_VIRTIO_IOMMU_H

#include <doorward/space.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 0x1000ull
#define ENTRIES 256u /* what QEMU's queue has */

/* Where what a queue refers to lies, from the beginning of its memory. */
#define RING_TABLES 0x0000u
#define RING_REQUESTS 0x4000u
#define RING_ANSWERS 0x8000u
#define RING_BYTES 0xa000u

struct subject {
	/* The parts of the queue, and RING_BYTES that are at base in guest memory. */
	unsigned char *descriptors, *available, *used, *memory;
	uint64_t base;
	uint32_t endpoints[3];
	/* Lets the device look at its queue. 0, or -1: it is gone. */
	int (*kick)(struct subject *subject);
	/* CPU time of whoever serves requests. */
	double (*seconds)(struct subject *subject);
	void *context;
};

/* What the driver sends; the kinds are the types of virtio 1.3, 5.13.6. */
enum request_kind {
	REQUEST_ATTACH = 1,
	REQUEST_MAP = 3,
	REQUEST_UNMAP = 4,
};

struct request {
	enum request_kind kind;
	uint32_t domain, endpoint; /* of ATTACH: the endpoint */
	uint64_t start;		   /* of MAP and UNMAP: one page */
};

/* The bytes of a request; returns how many. */
size_t request_bytes(const struct request *request, unsigned char *ret_bytes);

/* virtio_iommu_ring.c: the driver's side of a queue. */
struct ring {
	struct subject *subject;
	bool indirect;
	uint16_t next;
	double seconds;	   /* in kicks so far */
	double empty_kick; /* seconds of one */
};

void ring_init(struct ring *ring, struct subject *subject, bool indirect);
/* Most requests of one kick. */
uint32_t ring_room(const struct ring *ring);
/* Sends them, waits for their answers. 0, or -1: gone, or one was refused. */
int ring_send(struct ring *ring, const struct request *requests, uint32_t count);
/* Measures kicks with nothing in the queue. 0 or -1. */
int ring_measure_kick(struct ring *ring, uint32_t count);

/* Whatever takes requests: a queue, ward_viommu_handle, a bare space. */
struct taker {
	void *context;
	uint32_t room;
	/* Takes up to room requests, and adds the seconds that took. 0, or -1: refused. */
	int (*take)(void *context, const struct request *requests, uint32_t count, double *seconds);
};

/* Nanoseconds of one; 0: not measured. */
struct figures {
	double map, unmap, attach;
};

/* virtio_iommu_load.c: pages at random, half of the places taken. */
struct load;
/* Fills the domain 1 through a taker; NULL: refused. */
struct load *load_create(const struct taker *taker, uint32_t mappings);
void load_destroy(struct load *load);
/* Unmaps and maps so many pages at random, or more. 0 or -1. */
int load_change(struct load *load, const struct taker *taker, uint32_t requests,
		struct figures *ret_figures);

/* virtio_iommu_ours.c */
struct ours;
struct ours *ours_start(bool indirect);
void ours_stop(struct ours *ours);
struct subject *ours_subject(struct ours *ours);
/* Without a queue. */
struct taker ours_handle(struct ours *ours);
/* A space alone, with the device's readers. */
struct taker bare_space(struct ours *ours, struct ward_space **ret_space);

/* virtio_iommu_qemu.c: 0, or -1 with a reason. */
int qemu_subject_start(bool indirect, struct subject *ret_subject, const char **ret_reason);
void qemu_subject_stop(struct subject *subject);

/* virtio_iommu_calls.c: system calls while requests are served; -1: cannot be counted here. */
long count_system_calls(int (*prepare)(void *context), int (*serve)(void *context), void *context);

double thread_seconds(void);

#endif
