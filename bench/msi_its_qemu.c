// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * QEMU's ITS as a yardstick. Its CPUs are stopped; registers are written with the protocol of
 * its tests over two pipes, the machine's memory is ours as well.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "msi_its.h"

#define TIMEOUT_MS 60000

/* Of the machine "virt". */
static const uint64_t frames[] = {
	[FRAME_DISTRIBUTOR] = 0x08000000,
	[FRAME_REDISTRIBUTOR] = 0x080a0000,
	[FRAME_ITS] = 0x08080000,
};

struct qemu {
	pid_t pid;
	int to, from;
	clockid_t clock;
};

/* A line that begins with OK. */
static int answered(const struct qemu *qemu)
{
	struct pollfd ready = { .fd = qemu->from, .events = POLLIN };
	char line[256];
	size_t length = 0;

	while (length < sizeof(line)) {
		if (poll(&ready, 1, TIMEOUT_MS) <= 0 || read(qemu->from, line + length, 1) != 1)
			return -1;
		if (line[length++] == '\n')
			return length >= 2 && memcmp(line, "OK", 2) == 0 ? 0 : -1;
	}
	return -1;
}

static int qemu_write(struct its_subject *subject, enum its_frame frame, uint32_t offset,
		      uint64_t value, unsigned int size)
{
	const struct qemu *qemu = subject->context;
	char line[96];
	int length =
		snprintf(line, sizeof(line), "write%c 0x%llx 0x%llx\n", size == 8 ? 'q' : 'l',
			 (unsigned long long)(frames[frame] + offset), (unsigned long long)value);

	if (write(qemu->to, line, (size_t)length) != length)
		return -1;
	return answered(qemu);
}

static double qemu_seconds(struct its_subject *subject)
{
	const struct qemu *qemu = subject->context;
	struct timespec now = { 0 };

	clock_gettime(qemu->clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_qemu(const int *to, const int *from, int memory)
{
	char backend[160];
	int null = open("/dev/null", O_WRONLY);

	snprintf(backend, sizeof(backend),
		 "memory-backend-file,id=memory,size=%llu,mem-path=/proc/self/fd/%d,share=on",
		 ITS_MEMORY_BYTES, memory);
	if (dup2(to[0], 0) < 0 || dup2(from[1], 1) < 0 || dup2(null, 2) < 0)
		_exit(127);
	execlp("qemu-system-aarch64", "qemu-system-aarch64", "-nodefaults", "-display", "none",
	       "-S", "-accel", "tcg", "-object", backend, "-machine",
	       "virt,gic-version=3,its=on,memory-backend=memory", "-m", "64M", "-cpu", "cortex-a57",
	       "-qtest", "stdio", (char *)NULL);
	_exit(127);
}

static int start(struct qemu *qemu, int memory)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC))
		return -1;
	if (pipe2(from, O_CLOEXEC)) {
		close(to[0]);
		close(to[1]);
		return -1;
	}
	fflush(stdout);
	qemu->pid = fork();
	if (qemu->pid == 0)
		run_qemu(to, from, memory);
	close(to[0]);
	close(from[1]);
	qemu->to = to[1];
	qemu->from = from[0];
	return qemu->pid > 0 ? 0 : -1;
}

void its_qemu_stop(struct its_subject *subject)
{
	struct qemu *qemu = subject->context;

	if (!qemu)
		return;
	close(qemu->to);
	close(qemu->from);
	if (qemu->pid > 0) {
		kill(qemu->pid, SIGKILL);
		waitpid(qemu->pid, NULL, 0);
	}
	munmap(subject->memory, ITS_MEMORY_BYTES);
	free(qemu);
	subject->context = NULL;
}

int its_qemu_start(struct its_subject *ret_subject, const char **ret_reason)
{
	struct qemu *qemu = calloc(1, sizeof(*qemu));
	struct its_subject subject = {
		.write = qemu_write, .seconds = qemu_seconds, .few = 100, .context = qemu
	};
	int memory = memfd_create("bench-msi", 0);

	*ret_reason = "no shared memory";
	if (!qemu || memory < 0 || ftruncate(memory, (off_t)ITS_MEMORY_BYTES))
		goto free;
	subject.memory =
		mmap(NULL, ITS_MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (subject.memory == MAP_FAILED)
		goto free;
	/* A write to a QEMU that ended is an error, not the end of this program. */
	signal(SIGPIPE, SIG_IGN);
	if (start(qemu, memory)) {
		*ret_reason = "QEMU cannot be started";
		goto stop;
	}
	close(memory);
	memory = -1;
	if (clock_getcpuclockid(qemu->pid, &qemu->clock) ||
	    qemu_write(&subject, FRAME_DISTRIBUTOR, 0, 0, 4)) {
		*ret_reason = "qemu-system-aarch64 is missing, or does not answer";
		goto stop;
	}
	*ret_subject = subject;
	return 0;
stop:
	its_qemu_stop(&subject);
	qemu = NULL;
free:
	if (memory >= 0)
		close(memory);
	free(qemu);
	return -1;
}
