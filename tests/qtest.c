// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "qtest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS 60000
#define ARGUMENTS_MAX 64u

/* A line up to its end, which becomes a 0. */
static int line_read(const struct qtest *qtest, char *line, size_t size)
{
	struct pollfd ready = { .fd = qtest->from, .events = POLLIN };
	size_t length = 0;

	/* An answer is one line, and nothing comes unasked: what is read is this line alone. */
	while (length + 1 < size) {
		ssize_t got;

		if (poll(&ready, 1, qtest->timeout_ms) <= 0)
			return -ETIMEDOUT;
		got = read(qtest->from, line + length, size - 1 - length);
		if (got <= 0)
			return -EPIPE;
		length += (size_t)got;
		if (line[length - 1] == '\n') {
			line[length - 1] = 0;
			return 0;
		}
	}
	return -EPROTO;
}

/* One command; the value after OK, or 0 when there is none. */
static int __attribute__((format(printf, 3, 4)))
command(const struct qtest *qtest, uint64_t *ret_value, const char *format, ...)
{
	char line[256];
	va_list arguments;
	int length, code;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (qtest->pid <= 0 || write(qtest->to, line, (size_t)length) != length)
		return -EPIPE;
	code = line_read(qtest, line, sizeof(line));
	if (code)
		return code;
	if (strncmp(line, "OK", 2) != 0)
		return -EPROTO;
	*ret_value = strtoull(line + 2, NULL, 0);
	return 0;
}

static char letter(unsigned int size)
{
	return size == 8 ? 'q' : size == 4 ? 'l' : size == 2 ? 'w' : 'b';
}

int qtest_write(struct qtest *qtest, uint64_t address, uint64_t value, unsigned int size)
{
	uint64_t nothing;

	return command(qtest, &nothing, "write%c 0x%llx 0x%llx\n", letter(size),
		       (unsigned long long)address, (unsigned long long)value);
}

int qtest_read(struct qtest *qtest, uint64_t address, unsigned int size, uint64_t *ret_value)
{
	return command(qtest, ret_value, "read%c 0x%llx\n", letter(size),
		       (unsigned long long)address);
}

int qtest_out(struct qtest *qtest, uint16_t port, uint32_t value, unsigned int size)
{
	uint64_t nothing;

	return command(qtest, &nothing, "out%c 0x%x 0x%x\n", letter(size), port, value);
}

int qtest_in(struct qtest *qtest, uint16_t port, unsigned int size, uint32_t *ret_value)
{
	uint64_t value;
	int code = command(qtest, &value, "in%c 0x%x\n", letter(size), port);

	if (code == 0)
		*ret_value = (uint32_t)value;
	return code;
}

double qtest_seconds(const struct qtest *qtest)
{
	struct timespec now = { 0 };

	clock_gettime(qtest->clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* In the child. What is handed over by number is not closed on exec. */
static void run(const struct qtest_options *options, const int *to, const int *from, int memory,
		int firmware)
{
	const char *arguments[ARGUMENTS_MAX + 16] = { options->program, "-nodefaults", "-display",
						      "none",		"-accel",      "tcg",
						      "-qtest",		"stdio",       "-object" };
	size_t count = 9;
	char backend[160], bios[64];
	int null = open("/dev/null", O_WRONLY);

	snprintf(backend, sizeof(backend),
		 "memory-backend-file,id=memory,size=%zu,mem-path=/proc/self/fd/%d,share=on",
		 options->memory_bytes, memory);
	arguments[count++] = backend;
	if (firmware >= 0) {
		snprintf(bios, sizeof(bios), "/proc/self/fd/%d", firmware);
		arguments[count++] = "-bios";
		arguments[count++] = bios;
	}
	for (size_t i = 0; options->arguments[i] && i < ARGUMENTS_MAX; i++)
		arguments[count++] = options->arguments[i];
	/* It ends with us, whatever ends us. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(to[0], 0) < 0 || dup2(from[1], 1) < 0 || dup2(null, 2) < 0)
		_exit(127);
	execvp(options->program, (char *const *)(uintptr_t)arguments);
	_exit(127);
}

static int fork_qemu(struct qtest *qtest, const struct qtest_options *options, int memory,
		     int firmware)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC))
		return -errno;
	if (pipe2(from, O_CLOEXEC)) {
		close(to[0]);
		close(to[1]);
		return -EMFILE;
	}
	fflush(stdout);
	qtest->pid = fork();
	if (qtest->pid == 0)
		run(options, to, from, memory, firmware);
	close(to[0]);
	close(from[1]);
	qtest->to = to[1];
	qtest->from = from[0];
	return qtest->pid > 0 ? 0 : -EAGAIN;
}

/* A file in memory of this size that holds these bytes, or -1. */
static int file_make(const char *name, size_t size, const void *bytes)
{
	int file = memfd_create(name, 0);

	if (file < 0)
		return -1;
	if (ftruncate(file, (off_t)size) == 0 &&
	    (!bytes || pwrite(file, bytes, size, 0) == (ssize_t)size))
		return file;
	close(file);
	return -1;
}

static int start(struct qtest *qtest, const struct qtest_options *options, const char **ret_reason)
{
	int memory = file_make("memory", options->memory_bytes, NULL), firmware = -1,
	    code = -ENOMEM;
	uint64_t nothing;

	if (options->firmware)
		firmware = file_make("firmware", options->firmware_bytes, options->firmware);
	*ret_reason = "no shared memory";
	if (memory < 0 || (options->firmware && firmware < 0))
		goto close;
	qtest->memory =
		mmap(NULL, options->memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (qtest->memory == MAP_FAILED) {
		qtest->memory = NULL;
		goto close;
	}
	qtest->memory_bytes = options->memory_bytes;
	*ret_reason = "QEMU cannot be started";
	code = fork_qemu(qtest, options, memory, firmware);
	if (code)
		goto close;
	*ret_reason = "QEMU is missing, or does not answer";
	if (clock_getcpuclockid(qtest->pid, &qtest->clock))
		code = -EPIPE;
	else
		code = command(qtest, &nothing, "endianness\n");
close:
	if (memory >= 0)
		close(memory);
	if (firmware >= 0)
		close(firmware);
	return code;
}

int qtest_start(struct qtest *ret_qtest, const struct qtest_options *options,
		const char **ret_reason)
{
	struct qtest qtest = {
		.to = -1,
		.from = -1,
		.timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS,
	};
	int code;

	/* A write to a QEMU that ended is an error, not the end of this program. */
	signal(SIGPIPE, SIG_IGN);
	code = start(&qtest, options, ret_reason);
	if (code)
		qtest_stop(&qtest);
	else
		*ret_qtest = qtest;
	return code;
}

void qtest_stop(struct qtest *qtest)
{
	if (!qtest->memory)
		return;
	if (qtest->to >= 0)
		close(qtest->to);
	if (qtest->from >= 0)
		close(qtest->from);
	if (qtest->pid > 0) {
		kill(qtest->pid, SIGKILL);
		waitpid(qtest->pid, NULL, 0);
	}
	munmap(qtest->memory, qtest->memory_bytes);
	*qtest = (struct qtest){ .to = -1, .from = -1 };
}

int qtest_ended(struct qtest *qtest, int *ret_status)
{
	for (int waited = 0; waited < qtest->timeout_ms; waited += 10) {
		struct timespec pause = { .tv_nsec = 10000000 };

		if (waitpid(qtest->pid, ret_status, WNOHANG) == qtest->pid) {
			qtest->pid = 0;
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}
