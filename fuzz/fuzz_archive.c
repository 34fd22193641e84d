/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Captures from anywhere: whatever an archive holds, nothing appears outside its own directory, no
 * link leads out of it, and nothing is left afterwards.
 */
#include "app/archive.h"
#include "app/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char place[] = "/tmp/fuzz-archive-XXXXXX";

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void remove_place(void)
{
	app_tree_remove(place);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	require(mkdtemp(place));
	atexit(remove_place);
	setenv("TMPDIR", place, 1);
	return 0;
}

static size_t count_in_place(void)
{
	DIR *directory = opendir(place);
	size_t count = 0;

	require(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2; /* "." and ".." */
}

static void check_links(const char *path, const char *root)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	char inside[PATH_MAX * 2], real[PATH_MAX];

	require(directory);
	while ((entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		if (entry->d_type == DT_DIR)
			check_links(inside, root);
		else
			require(entry->d_type == DT_REG || entry->d_type == DT_LNK);
		if (entry->d_type == DT_LNK && realpath(inside, real))
			require(strncmp(real, root, strlen(root)) == 0);
	}
	closedir(directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ward_error error = { "" };
	struct app_unpacked unpacked;
	char file[64];
	int fd, code;

	/* What liblzma does with memory of its own is not the question here. */
	if (size >= 6 && memcmp(data,
				"\xfd"
				"7zXZ",
				5) == 0)
		return 0;
	fd = memfd_create("archive", MFD_CLOEXEC);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	code = app_archive_unpack(file, &unpacked, &error);
	if (code == 0) {
		require(count_in_place() == 1);
		check_links(unpacked.path, unpacked.path);
		app_unpacked_finish(&unpacked);
	} else {
		require(code < 0 && error.text[0]);
	}
	require(count_in_place() == 0);
	close(fd);
	return 0;
}
