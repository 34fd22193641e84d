// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What of VFIO can be seen without VFIO: how its absence is told. The rest is the contract, run in
 * the test machines (tests/machines/vfio-contract.c).
 */
#include <doorward/backend.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
	static char folder[] = "/tmp/doorward-vfio-XXXXXX";

	*state = mkdtemp(folder);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	int fd = open(*state, O_DIRECTORY | O_CLOEXEC);

	unlinkat(fd, "vfio/vfio", 0);
	unlinkat(fd, "vfio", AT_REMOVEDIR);
	close(fd);
	return rmdir(*state);
}

static void no_vfio(void **state)
{
	int fd = open(*state, O_DIRECTORY | O_CLOEXEC);
	struct ward_backend *backend = NULL;
	struct ward_error why = { "" };

	assert_true(fd >= 0);
	assert_int_equal(ward_backend_vfio_group(fd, fd, &backend, &why), -ENOENT);
	assert_non_null(strstr(why.text, "/dev/vfio/vfio"));
	assert_int_equal(ward_backend_vfio_group(fd, fd, &backend, NULL), -ENOENT);
	assert_null(backend);
	close(fd);
}

/* A file that answers no ioctl: not the VFIO we need. */
static void other_vfio(void **state)
{
	int fd = open(*state, O_DIRECTORY | O_CLOEXEC), file;
	struct ward_backend *backend = NULL;
	struct ward_error why = { "" };

	assert_int_equal(mkdirat(fd, "vfio", 0755), 0);
	file = openat(fd, "vfio/vfio", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	assert_true(file >= 0);
	close(file);
	assert_int_equal(ward_backend_vfio_group(fd, fd, &backend, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why.text, "type1v2"));
	assert_null(backend);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_vfio),
		cmocka_unit_test(other_vfio),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
