// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * QEMU's virtio-iommu-pci as a yardstick: its process is what is timed, its queue is polled in memory
 * that is ours as well, so that of the transport only the kick is there; and that is taken off.
 */
#include <doorward/viommu.h>

#include <stdlib.h>
#include <string.h>

#include "../tests/virtio/qemu.h"
#include "virtio_iommu.h"

/* In its memory, clear of what the driver uses. */
#define AREA 0x2000000ull

static int kick(struct subject *subject)
{
	struct qemu *qemu = subject->context;

	return qtest_write(&qemu->qtest, qemu->requests.notify, 0, 2) ? -1 : 0;
}

static double seconds(struct subject *subject)
{
	struct qemu *qemu = subject->context;

	return qtest_seconds(&qemu->qtest);
}

static unsigned char *at(const struct qemu *qemu, uint64_t address)
{
	return qemu->qtest.memory + (address - qemu->ram);
}

int qemu_subject_start(bool indirect, struct subject *ret_subject, const char **ret_reason)
{
	static const char *const arguments[] = { "-device", "virtio-iommu-pci,addr=4",
						 "-device", "pci-testdev,addr=5",
						 "-device", "pci-testdev,addr=6",
						 "-device", "pci-testdev,addr=7",
						 NULL };
	struct qemu_options options = { .machine = QEMU_VIRT,
					.arguments = arguments,
					.timeout_ms = 120000 };
	struct qemu *qemu = calloc(1, sizeof(*qemu));

	*ret_reason = "no memory";
	if (!qemu)
		return -1;
	if (qemu_start(qemu, &options, ret_reason)) {
		free(qemu);
		return -1;
	}
	*ret_subject = (struct subject){
		.base = qemu->ram + AREA,
		.memory = at(qemu, qemu->ram + AREA),
		.endpoints = { 5 << 3, 6 << 3, 7 << 3 },
		.kick = kick,
		.seconds = seconds,
		.context = qemu,
	};
	*ret_reason = "QEMU's device does not start";
	if (AREA + RING_BYTES > qemu->qtest.memory_bytes ||
	    qemu_reset(qemu, WARD_VIOMMU_F_MAP_UNMAP | WARD_VIOMMU_F_INPUT_RANGE |
				     WARD_VIOMMU_F_DOMAIN_RANGE |
				     (indirect ? QEMU_F_INDIRECT : 0))) {
		qemu_subject_stop(ret_subject);
		return -1;
	}
	ret_subject->descriptors = at(qemu, qemu->requests.descriptors);
	ret_subject->available = at(qemu, qemu->requests.available);
	ret_subject->used = at(qemu, qemu->requests.used);
	return 0;
}

void qemu_subject_stop(struct subject *subject)
{
	qemu_stop(subject->context);
	free(subject->context);
}
