// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * QEMU's ITS as a yardstick. Its CPUs are stopped; registers are written with the protocol of
 * its tests, the machine's memory is ours as well.
 */
#include <stdlib.h>

#include "../tests/qtest.h"
#include "msi_its.h"

#define MACHINE "virt,gic-version=3,its=on,memory-backend=memory"

/* Of the machine "virt". */
static const uint64_t frames[] = {
	[FRAME_DISTRIBUTOR] = 0x08000000,
	[FRAME_REDISTRIBUTOR] = 0x080a0000,
	[FRAME_ITS] = 0x08080000,
};

static int qemu_write(struct its_subject *subject, enum its_frame frame, uint32_t offset,
		      uint64_t value, unsigned int size)
{
	return qtest_write(subject->context, frames[frame] + offset, value, size) ? -1 : 0;
}

static double qemu_seconds(struct its_subject *subject)
{
	return qtest_seconds(subject->context);
}

void its_qemu_stop(struct its_subject *subject)
{
	if (!subject->context)
		return;
	qtest_stop(subject->context);
	free(subject->context);
	subject->context = NULL;
}

int its_qemu_start(struct its_subject *ret_subject, const char **ret_reason)
{
	static const char *const arguments[] = { "-S",	"-machine", MACHINE,	  "-m",
						 "64M", "-cpu",	    "cortex-a57", NULL };
	const struct qtest_options options = {
		.program = "qemu-system-aarch64",
		.arguments = arguments,
		.memory_bytes = ITS_MEMORY_BYTES,
	};
	struct qtest *qemu = calloc(1, sizeof(*qemu));

	*ret_reason = "no memory";
	if (!qemu || qtest_start(qemu, &options, ret_reason)) {
		free(qemu);
		return -1;
	}
	*ret_subject = (struct its_subject){ .memory = qemu->memory,
					     .write = qemu_write,
					     .seconds = qemu_seconds,
					     .few = 100,
					     .context = qemu };
	return 0;
}
