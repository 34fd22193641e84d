// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Captures: the same bytes for the same entries, and nothing outside for hostile ones. */
#include "skip.h"

#include "app/archive.h"
#include "app/memory.h"
#include "app/tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *place; /* a directory of this test's own; TMPDIR too */

static char *in_place(const char *name)
{
	return app_printf("%s/%s", place, name);
}

static void add_text(struct app_entries *entries, const char *path, const char *text)
{
	app_entries_add(entries, path, APP_ENTRY_FILE, text, strlen(text));
}

static char *write_sample(const char *name, bool backwards)
{
	struct app_entries entries = { 0 };
	struct ward_error error = { "" };
	char *file = in_place(name);

	if (!backwards)
		add_text(&entries, "sys/b", "two");
	app_entries_add(&entries, "sys/a", APP_ENTRY_LINK, "b", 1);
	app_entries_add(&entries, "sys/d", APP_ENTRY_DIRECTORY, NULL, 0);
	add_text(&entries, "sys/c", "old");
	add_text(&entries, "sys/c", "new");
	if (backwards)
		add_text(&entries, "sys/b", "two");
	assert_int_equal(app_archive_write(&entries, file, &error), 0);
	app_entries_finish(&entries);
	return file;
}

static char *slurp(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	char *bytes;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	bytes = app_alloc((size_t)status.st_size + 1, 1);
	assert_int_equal(read(fd, bytes, (size_t)status.st_size), status.st_size);
	close(fd);
	*size = (size_t)status.st_size;
	return bytes;
}

static void same_entries_give_the_same_bytes(void **state)
{
	static const char *const names[][2] = {
		{ "one.tar", "two.tar" },
		{ "one.tar.gz", "two.tar.gz" },
		{ "one.tar.xz", "two.tar.xz" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char *one = write_sample(names[i][0], false),
		     *two = write_sample(names[i][1], true);
		size_t size_one, size_two;
		char *bytes_one = slurp(one, &size_one), *bytes_two = slurp(two, &size_two);

		assert_int_equal(size_one, size_two);
		assert_memory_equal(bytes_one, bytes_two, size_one);
		free(bytes_one);
		free(bytes_two);
		free(one);
		free(two);
	}
}

static void what_was_written_is_unpacked(void **state)
{
	char *file = write_sample("sample.tar.gz", false), *bytes, *path;
	struct ward_error error = { "" };
	struct app_unpacked unpacked;
	char link[8] = "";
	size_t size;

	(void)state;
	assert_int_equal(app_archive_unpack(file, &unpacked, &error), 0);
	assert_int_equal(app_tree_read(unpacked.fd, "sys/c", 100, &bytes, &size), 0);
	assert_string_equal(bytes, "new");
	free(bytes);
	assert_int_equal(readlinkat(unpacked.fd, "sys/a", link, sizeof(link)), 1);
	assert_string_equal(link, "b");
	assert_int_equal(faccessat(unpacked.fd, "sys/d", F_OK, 0), 0);
	/* The reader of names follows no link, not even one that stays inside. */
	assert_int_equal(app_tree_read(unpacked.fd, "sys/a", 100, &bytes, &size), -ELOOP);
	assert_int_equal(app_tree_read(unpacked.fd, "sys/c", 2, &bytes, &size), -EFBIG);
	assert_int_equal(app_tree_read(unpacked.fd, "sys/d", 2, &bytes, &size), -EINVAL);
	assert_int_equal(app_tree_read(unpacked.fd, "sys//c", 2, &bytes, &size), -EINVAL);
	assert_int_equal(app_tree_read(unpacked.fd, "sys/../sys/c", 9, &bytes, &size), -EINVAL);
	path = app_strdup(unpacked.path);
	app_unpacked_finish(&unpacked);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
	free(file);
}

/* One entry that an archive must not hold, behind a harmless one. */
struct hostile {
	const char *path;
	__LA_MODE_T type;
	const char *target; /* of a symbolic link */
	const char *hardlink;
	const char *before; /* a link "before" to this comes first */
};

static void put_entry(struct archive *archive, const char *path, __LA_MODE_T type,
		      const char *target, const char *hardlink)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, type);
	archive_entry_set_perm(entry, 0777);
	if (target)
		archive_entry_set_symlink(entry, target);
	if (hardlink)
		archive_entry_set_hardlink(entry, hardlink);
	else if (type == AE_IFREG)
		archive_entry_set_size(entry, 4);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	if (!hardlink && type == AE_IFREG)
		assert_int_equal(archive_write_data(archive, "evil", 4), 4);
	archive_entry_free(entry);
}

static char *write_hostile(const struct hostile *hostile)
{
	struct archive *archive = archive_write_new();
	char *file = in_place("hostile.tar");

	archive_write_set_format_pax_restricted(archive);
	assert_int_equal(archive_write_open_filename(archive, file), ARCHIVE_OK);
	put_entry(archive, "fine", AE_IFREG, NULL, NULL);
	put_entry(archive, "sys", AE_IFDIR, NULL, NULL);
	if (hostile->before)
		put_entry(archive, "before", AE_IFLNK, hostile->before, NULL);
	put_entry(archive, hostile->path, hostile->type, hostile->target, hostile->hardlink);
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
	return file;
}

static void hostile_archives_are_refused(void **state)
{
	static const struct hostile list[] = {
		{ .path = "/tmp/doorward-evil", .type = AE_IFREG },
		{ .path = "../evil", .type = AE_IFREG },
		{ .path = "a/../../evil", .type = AE_IFREG },
		{ .path = "a/b/..", .type = AE_IFDIR },
		{ .path = "a", .type = AE_IFLNK, .target = "/etc" },
		{ .path = "a", .type = AE_IFLNK, .target = ".." },
		{ .path = "a/b", .type = AE_IFLNK, .target = "../../x" },
		{ .path = "a/b", .type = AE_IFLNK, .target = "x/../../../y" },
		{ .path = "a", .type = AE_IFLNK, .target = "b/.." },
		{ .path = "a", .type = AE_IFIFO },
		{ .path = "a", .type = AE_IFREG, .hardlink = "missing" },
		{ .path = "a", .type = AE_IFREG, .hardlink = "sys" },
		{ .path = "a", .type = AE_IFREG, .hardlink = "/etc/passwd" },
		{ .path = "a", .type = AE_IFREG, .hardlink = "../../../../etc/passwd" },
		{ .path = "b/c/d/a", .type = AE_IFREG, .hardlink = "before", .before = "fine" },
		{ .path = "sys", .type = AE_IFREG, .hardlink = "fine" },
		{ .path = "before/a", .type = AE_IFREG, .hardlink = "fine", .before = "sys" },
		{ .path = "before/evil", .type = AE_IFREG, .before = "sys" },
		{ .path = "before", .type = AE_IFREG, .before = "sys" },
		{ .path = "fine", .type = AE_IFREG },
		{ .path = "fine/below", .type = AE_IFREG },
		{ .path = "fine", .type = AE_IFDIR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		struct ward_error error = { "" };
		struct app_unpacked unpacked;
		char *file = write_hostile(&list[i]);
		int code = app_archive_unpack(file, &unpacked, &error);

		if (code != -EBADMSG)
			print_message("# %s: %d\n", list[i].path, code);
		assert_int_equal(code, -EBADMSG);
		assert_true(*error.text != '\0');
		free(file);
	}
	assert_int_equal(access("/tmp/doorward-evil", F_OK), -1);
}

static void nothing_is_left_behind(void **state)
{
	char *command = app_printf("ls %s | grep -c '^doorward-'", place);
	char count[16] = "";
	FILE *pipe = popen(command, "re");

	(void)state;
	assert_non_null(pipe);
	assert_non_null(fgets(count, sizeof(count), pipe));
	pclose(pipe);
	assert_string_equal(count, "0\n");
	free(command);
}

static void damaged_archives_are_refused(void **state)
{
	char *file = write_sample("cut.tar.gz", false), *bytes;
	size_t size;

	(void)state;
	bytes = slurp(file, &size);
	for (size_t length = 0; length < size; length += 7) {
		struct ward_error error = { "" };
		struct app_unpacked unpacked;
		int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC), code;

		assert_int_equal(write(fd, bytes, length), length);
		close(fd);
		code = app_archive_unpack(file, &unpacked, &error);
		/* A cut in the padding behind the last entry harms nothing. */
		if (code == 0)
			app_unpacked_finish(&unpacked);
		else
			assert_int_equal(code, -EBADMSG);
	}
	free(bytes);
	free(file);
}

/* What the fuzzer begins with: an accepted input for each form, a refused one for each trick. */
static void the_kept_corpus_is_what_it_says(void **state)
{
	const char *root = getenv("DOORWARD_SOURCE");
	char *folder = app_printf("%s/fuzz/corpus/archive", root ? root : ".");
	DIR *directory = opendir(folder);
	const struct dirent *entry;
	size_t accepted = 0, refused = 0;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		char *file = app_printf("%s/%s", folder, entry->d_name);
		struct ward_error error = { "" };
		struct app_unpacked unpacked;

		if (strncmp(entry->d_name, "accepted-", 9) == 0) {
			assert_int_equal(app_archive_unpack(file, &unpacked, &error), 0);
			app_unpacked_finish(&unpacked);
			accepted++;
		} else if (strncmp(entry->d_name, "refused-", 8) == 0) {
			assert_int_equal(app_archive_unpack(file, &unpacked, &error), -EBADMSG);
			refused++;
		}
		free(file);
	}
	closedir(directory);
	assert_true(accepted >= 4 && refused >= 7);
	free(folder);
}

static void missing_and_foreign_files(void **state)
{
	struct ward_error error = { "" };
	struct app_unpacked unpacked;
	char *file = in_place("absent.tar");

	(void)state;
	assert_int_equal(app_archive_unpack(file, &unpacked, &error), -ENOENT);
	free(file);
	assert_int_equal(app_archive_unpack("/proc/self/exe", &unpacked, &error), -EBADMSG);
	assert_int_equal(app_archive_unpack("/dev/null", &unpacked, &error), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_entries_give_the_same_bytes),
		cmocka_unit_test(what_was_written_is_unpacked),
		cmocka_unit_test(hostile_archives_are_refused),
		cmocka_unit_test(damaged_archives_are_refused),
		cmocka_unit_test(the_kept_corpus_is_what_it_says),
		cmocka_unit_test(missing_and_foreign_files),
		cmocka_unit_test(nothing_is_left_behind),
	};
	int failed;

	place = app_strdup("/tmp/test-archive-XXXXXX");
	if (!mkdtemp(place))
		return 1;
	setenv("TMPDIR", place, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	app_tree_remove(place);
	free(place);
	return failed;
}
