/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * An ITS to be measured, ours or QEMU's: registers are written one by one, while queue and tables
 * are in memory that both sides have.
 */
#ifndef BENCH_MSI_ITS_H
#define BENCH_MSI_ITS_H

#include <stddef.h>
#include <stdint.h>

#define ITS_MEMORY 0x40000000ull
#define ITS_MEMORY_BYTES 0x4000000ull

enum its_frame {
	FRAME_DISTRIBUTOR,
	FRAME_REDISTRIBUTOR,
	FRAME_ITS,
};

struct its_subject {
	unsigned char *memory; /* ITS_MEMORY_BYTES, at ITS_MEMORY */
	/* 0, or -1: it is gone. */
	int (*write)(struct its_subject *subject, enum its_frame frame, uint32_t offset,
		     uint64_t value, unsigned int size);
	/* CPU time of whoever executes commands. */
	double (*seconds)(struct its_subject *subject);
	uint32_t few; /* of commands that may be slow (CLEAR, INV), in one kick */
	void *context;
};

/* Nanoseconds of one. */
struct its_figures {
	double mapti, interrupt, clear, inv_sync, empty_kick;
};

/* 0, or -1: it did not answer. */
int its_measure(struct its_subject *subject, struct its_figures *ret_figures);

/* Starts QEMU. 0, or -1 with a reason. */
int its_qemu_start(struct its_subject *ret_subject, const char **ret_reason);
void its_qemu_stop(struct its_subject *subject);

#endif
