/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A QEMU whose devices are told what to do over the protocol of QEMU's own tests (its
 * docs/devel/qtest.rst), by two pipes. The machine's memory is ours as well. For tests and bench/:
 * nothing here knows a test framework.
 *
 * Every call returns 0 or -ETIMEDOUT (QEMU hangs), -EPIPE (it ended), -EPROTO (it refuses).
 */
#ifndef TESTS_QTEST_H
#define TESTS_QTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct qtest {
	pid_t pid;
	int to, from;
	clockid_t clock;
	int timeout_ms;	       /* for one answer */
	unsigned char *memory; /* shared with the machine */
	size_t memory_bytes;
	char answers[1024]; /* read, not looked at yet */
	size_t answers_size;
	uint32_t posted; /* commands whose answers are outstanding */
};

struct qtest_options {
	const char *program; /* found in PATH */
	/*
	 * Up to a NULL. The machine wants memory-backend=memory and a fitting -m; -nodefaults,
	 * -display none, -accel tcg and -qtest are added.
	 */
	const char *const *arguments;
	size_t memory_bytes;
	/* Firmware: this many bytes, or none. */
	const void *firmware;
	size_t firmware_bytes;
	int timeout_ms; /* 0: 60 seconds */
};

/* On failure nothing is left behind and ret_reason is a sentence. -ENOENT: it is not installed. */
int qtest_start(struct qtest *ret_qtest, const struct qtest_options *options,
		const char **ret_reason);
/* Ends it. Nothing is done for one that was never started (all 0), or stopped. */
void qtest_stop(struct qtest *qtest);
/* Waits until it ended by itself: 0 and its status as of waitpid, or -ETIMEDOUT. */
int qtest_ended(struct qtest *qtest, int *ret_status);

/* CPU time of QEMU so far. */
double qtest_seconds(const struct qtest *qtest);

/* Memory and registers; size is 1, 2, 4 or 8 bytes. */
int qtest_write(struct qtest *qtest, uint64_t address, uint64_t value, unsigned int size);
/* A write whose end is not waited for: the next call that is no post does, and has its error. */
int qtest_post(struct qtest *qtest, uint64_t address, uint64_t value, unsigned int size);
int qtest_read(struct qtest *qtest, uint64_t address, unsigned int size, uint64_t *ret_value);
/* Ports of x86; size is 1, 2 or 4 bytes. */
int qtest_out(struct qtest *qtest, uint16_t port, uint32_t value, unsigned int size);
int qtest_in(struct qtest *qtest, uint16_t port, unsigned int size, uint32_t *ret_value);

#endif
