/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * QEMU's virtio-iommu-pci, from the driver's side: a small virtio-pci driver over qtest (virtio 1.3,
 * 4.1, 2.7) whose queues are in memory that both sides have. For tests and bench/: nothing here
 * knows a test framework.
 *
 * Calls return 0 or a negative errno; -ETIMEDOUT: QEMU hangs, -EPIPE: it ended (then stop it, and
 * start another one).
 */
#ifndef TESTS_VIRTIO_QEMU_H
#define TESTS_VIRTIO_QEMU_H

#include "../qtest.h"

/* Of the transport; those of the device are WARD_VIOMMU_F_*. */
#define QEMU_F_INDIRECT (1ull << 28)
#define QEMU_F_VERSION_1 (1ull << 32)

/* Bits of the device status. */
#define QEMU_NEEDS_RESET 0x40u

#define QEMU_QUEUE_SIZE 256u
/* Bytes of a request, at most. */
#define QEMU_READABLE_MAX 128u
#define QEMU_WRITABLE_MAX 896u
#define QEMU_FUNCTIONS_MAX 32u

enum qemu_machine {
	/* Its reserved region is the APIC's; its processor sleeps, and virtual time goes on. */
	QEMU_Q35,
	/* Without MSI controller: reserved regions are those of the arguments. Stands still. */
	QEMU_VIRT,
};

struct qemu_options {
	enum qemu_machine machine;
	/* More arguments, up to a NULL; among them "-device virtio-iommu-pci,..." */
	const char *const *arguments;
	int timeout_ms; /* 0: 10 seconds */
};

/* A function on bus 0. */
struct qemu_function {
	uint16_t rid; /* also its endpoint id */
	uint16_t vendor, device;
	uint64_t bar[6]; /* where it is; 0: none */
};

struct qemu_queue {
	uint64_t notify; /* where it is kicked */
	uint64_t descriptors, available, used;
	uint16_t next, seen; /* of our side of the available and of the used ring */
};

struct qemu {
	struct qtest qtest;
	enum qemu_machine machine;
	uint64_t ram;  /* where memory begins */
	uint64_t bars; /* next free address for a BAR */
	struct qemu_function functions[QEMU_FUNCTIONS_MAX];
	uint32_t functions_count;
	const struct qemu_function *viommu;
	uint64_t common, notify, device;
	uint32_t notify_multiplier;
	uint64_t offered, negotiated;
	struct qemu_queue requests, events;
};

/* Starts it and finds the device, which is reset then. Failure: a sentence in ret_reason. */
int qemu_start(struct qemu *ret_qemu, const struct qemu_options *options, const char **ret_reason);
void qemu_stop(struct qemu *qemu);

/*
 * Resets the device, negotiates these of the offered features (VERSION_1 is added), makes queues
 * ready and buffers for events available. -EOPNOTSUPP: it refused the features.
 */
int qemu_reset(struct qemu *qemu, uint64_t features);

/* The whole machine's reset, over its control register: q35 alone. The device is to be reset again. */
int qemu_system_reset(struct qemu *qemu);

/* Device status; QEMU_NEEDS_RESET when it is broken. */
int qemu_status(struct qemu *qemu, uint8_t *ret_status);

/* Config space, byte by byte. */
int qemu_config_read(struct qemu *qemu, uint32_t offset, void *ret_bytes, size_t size);
int qemu_config_write(struct qemu *qemu, uint32_t offset, const void *bytes, size_t size);

/* One request. What of writable was not written stays as it was there. */
struct qemu_request {
	const void *readable;
	uint32_t readable_size;
	void *writable;
	uint32_t writable_size;
	uint32_t ret_written; /* used length */
};

/*
 * Sends requests in one kick and waits until all are answered: at most QEMU_QUEUE_SIZE with
 * QEMU_F_INDIRECT, half of it without. -EIO: the device is broken, with none or some answered
 * (the others' ret_written is UINT32_MAX).
 */
int qemu_send(struct qemu *qemu, struct qemu_request *requests, uint32_t count);

/* Takes the next event: its bytes and used length. -ENOENT: none within so many ms. */
#define QEMU_EVENT_SIZE 24u
int qemu_event(struct qemu *qemu, int wait_ms, uint8_t *ret_event, uint32_t *ret_written);

#endif
