// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "irq.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The kernel tells by the name of what is open there (proc(5), anon_inode). */
static bool is_eventfd(int fd)
{
	char path[64], name[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, name, sizeof(name) - 1);
	if (length < 0)
		return true; /* nobody tells */
	name[length] = '\0';
	return strcmp(name, "anon_inode:[eventfd]") == 0;
}

int ward_eventfd_take(int fd, int *ret_fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return -errno;
	if (!is_eventfd(copy)) {
		close(copy);
		return -EINVAL;
	}
	*ret_fd = copy;
	return 0;
}

void ward_eventfd_drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool ready(int fd, short events)
{
	struct pollfd one = { .fd = fd, .events = events };

	return poll(&one, 1, 0) == 1 && one.revents & events;
}

void ward_eventfd_signal(int fd)
{
	uint64_t add = 1;

	if (fd >= 0 && ready(fd, POLLOUT) && write(fd, &add, sizeof(add)) < 0)
		return; /* somebody filled it in between: it is readable all the same */
}

bool ward_eventfd_consume(int fd)
{
	uint64_t count;

	return fd >= 0 && ready(fd, POLLIN) && read(fd, &count, sizeof(count)) == sizeof(count);
}
