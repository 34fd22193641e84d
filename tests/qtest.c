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
#define POSTED_MAX 256u
/* Exit status of a child that could not become QEMU. */
#define NOT_FOUND 127

/* Takes the line that is read, up to its end, if it is whole. */
static bool line_take(struct qtest *qtest, char *ret_line)
{
	char *end = memchr(qtest->answers, '\n', qtest->answers_size);
	size_t size;

	if (!end)
		return false;
	*end++ = 0;
	size = (size_t)(end - qtest->answers);
	memcpy(ret_line, qtest->answers, size);
	qtest->answers_size -= size;
	memmove(qtest->answers, end, qtest->answers_size);
	return true;
}

/* The value after OK of the next answer, or 0 when it has none. */
static int answer(struct qtest *qtest, uint64_t *ret_value)
{
	struct pollfd ready = { .fd = qtest->from, .events = POLLIN };
	char line[sizeof(qtest->answers)];

	while (!line_take(qtest, line)) {
		size_t room = sizeof(qtest->answers) - qtest->answers_size;
		ssize_t got;

		if (!room)
			return -EPROTO;
		if (poll(&ready, 1, qtest->timeout_ms) <= 0)
			return -ETIMEDOUT;
		got = read(qtest->from, qtest->answers + qtest->answers_size, room);
		if (got <= 0)
			return -EPIPE;
		qtest->answers_size += (size_t)got;
	}
	if (strncmp(line, "OK", 2) != 0)
		return -EPROTO;
	*ret_value = strtoull(line + 2, NULL, 0);
	return 0;
}

/* Answers of what was posted. */
static int settle(struct qtest *qtest)
{
	uint64_t nothing;
	int code = 0;

	while (code == 0 && qtest->posted) {
		code = answer(qtest, &nothing);
		qtest->posted--;
	}
	return code;
}

static int __attribute__((format(printf, 2, 3)))
send_line(struct qtest *qtest, const char *format, ...)
{
	char line[128];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	return qtest->pid > 0 && write(qtest->to, line, (size_t)length) == length ? 0 : -EPIPE;
}

/* After a command was sent: its own answer, after those that are outstanding. */
static int finish(struct qtest *qtest, int sent, uint64_t *ret_value)
{
	uint64_t value;
	int code = sent ? sent : settle(qtest);

	if (code == 0)
		code = answer(qtest, &value);
	if (code == 0)
		*ret_value = value;
	return code;
}

static char letter(unsigned int size)
{
	return size == 8 ? 'q' : size == 4 ? 'l' : size == 2 ? 'w' : 'b';
}

static int write_send(struct qtest *qtest, uint64_t address, uint64_t value, unsigned int size)
{
	return send_line(qtest, "write%c 0x%llx 0x%llx\n", letter(size),
			 (unsigned long long)address, (unsigned long long)value);
}

int qtest_write(struct qtest *qtest, uint64_t address, uint64_t value, unsigned int size)
{
	uint64_t nothing;

	return finish(qtest, write_send(qtest, address, value, size), &nothing);
}

int qtest_post(struct qtest *qtest, uint64_t address, uint64_t value, unsigned int size)
{
	/* Answers must not fill the pipe: QEMU would wait for us. */
	int code = qtest->posted < POSTED_MAX ? 0 : settle(qtest);

	if (code == 0)
		code = write_send(qtest, address, value, size);
	if (code == 0)
		qtest->posted++;
	return code;
}

int qtest_read(struct qtest *qtest, uint64_t address, unsigned int size, uint64_t *ret_value)
{
	int sent = send_line(qtest, "read%c 0x%llx\n", letter(size), (unsigned long long)address);

	return finish(qtest, sent, ret_value);
}

int qtest_out(struct qtest *qtest, uint16_t port, uint32_t value, unsigned int size)
{
	uint64_t nothing;

	return finish(qtest, send_line(qtest, "out%c 0x%x 0x%x\n", letter(size), port, value),
		      &nothing);
}

int qtest_in(struct qtest *qtest, uint16_t port, unsigned int size, uint32_t *ret_value)
{
	uint64_t value;
	int code = finish(qtest, send_line(qtest, "in%c 0x%x\n", letter(size), port), &value);

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
		_exit(NOT_FOUND);
	execvp(options->program, (char *const *)(uintptr_t)arguments);
	_exit(NOT_FOUND);
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
	int status;

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
	*ret_reason = "QEMU does not answer";
	if (clock_getcpuclockid(qtest->pid, &qtest->clock))
		code = -EPIPE;
	else
		code = finish(qtest, send_line(qtest, "readb 0x0\n"), &nothing);
	if (code == -EPIPE && qtest_ended(qtest, &status) == 0 && WIFEXITED(status) &&
	    WEXITSTATUS(status) == NOT_FOUND) {
		*ret_reason = "QEMU is not installed";
		code = -ENOENT;
	}
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
