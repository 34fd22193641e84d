// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Counts the system calls of a piece of work: a child does it, between two calls that say where it
 * begins and ends, and is traced.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "virtio_iommu.h"

/* Nobody else in here asks for it. */
#define MARK SYS_getppid

static void child(int (*prepare)(void *context), int (*serve)(void *context), void *context)
{
	if (prepare(context) || ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
		_exit(1);
	syscall(MARK);
	if (serve(context))
		_exit(1);
	syscall(MARK);
	_exit(0);
}

/* Goes on to the next stop for a system call; false: it ended. */
static int to_next_stop(pid_t pid, int *ret_status)
{
	return ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0 && waitpid(pid, ret_status, 0) == pid &&
	       WIFSTOPPED(*ret_status);
}

static long count(pid_t pid)
{
	struct __ptrace_syscall_info info;
	long calls = 0;
	int marks = 0, status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL))
		return -1;
	while (to_next_stop(pid, &status)) {
		if (WSTOPSIG(status) != (SIGTRAP | 0x80) ||
		    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
		    info.op != PTRACE_SYSCALL_INFO_ENTRY)
			continue;
		if (info.entry.nr == MARK)
			marks++;
		else
			calls += marks == 1;
	}
	return marks == 2 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? calls : -1;
}

long count_system_calls(int (*prepare)(void *context), int (*serve)(void *context), void *context)
{
	long calls;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0)
		child(prepare, serve, context);
	calls = count(pid);
	if (calls < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return calls;
}
