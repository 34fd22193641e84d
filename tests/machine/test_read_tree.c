// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "machine/tree.h"

#include "machine/tree_maker.h"
#include "sweep.h"

struct seen {
	char text[4096];
};

static void note(void *context, const char *path, enum ward_saw_kind kind, const void *bytes,
		 size_t size)
{
	static const char letters[] = "FLDX";
	struct seen *seen = context;
	size_t used = strlen(seen->text);

	(void)bytes;
	snprintf(seen->text + used, sizeof(seen->text) - used, "%c %s %zu\n", letters[kind], path,
		 size);
}

/* A tree opened twice: as the kernel allows, and the way older kernels need. */
struct fixture {
	struct test_tree made;
	int fd;
	struct seen seen;
	struct ward_tree tree;
	struct ward_dir root;
};

static void open_tree(struct fixture *fixture, bool walk)
{
	struct ward_read_options options = {
		.size = sizeof(options),
		.saw = note,
		.context = &fixture->seen,
	};

	assert_int_equal(ward_tree_open(fixture->fd, &options, &fixture->tree), 0);
	fixture->tree.walk = walk;
	fixture->seen.text[0] = '\0';
	assert_int_equal(ward_dir_open(&fixture->tree, "", &fixture->root), 0);
	fixture->seen.text[0] = '\0';
}

static void close_tree(struct fixture *fixture)
{
	ward_dir_close(&fixture->root);
	ward_tree_close(&fixture->tree);
}

static int make(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	test_tree_make(&fixture->made);
	fixture->fd = test_tree_open(&fixture->made);
	*state = fixture;
	return 0;
}

static int unmake(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->fd);
	test_tree_remove(&fixture->made);
	free(fixture);
	return 0;
}

static void reads_whole_files_up_to_a_limit(void **state)
{
	struct fixture *fixture = *state;
	struct ward_bytes bytes;

	test_tree_file(&fixture->made, "a/b/file", "0123456789");
	for (int walk = 0; walk < 2; walk++) {
		open_tree(fixture, walk);
		assert_int_equal(ward_dir_read(&fixture->root, "a/b/file", 10, &bytes), 0);
		assert_int_equal(bytes.size, 10);
		assert_memory_equal(bytes.data, "0123456789", 10);
		free(bytes.data);
		assert_string_equal(fixture->seen.text, "F a/b/file 10\n");
		assert_int_equal(ward_dir_read(&fixture->root, "a/b/file", 9, &bytes), -EACCES);
		assert_int_equal(ward_dir_read(&fixture->root, "a/b/none", 9, &bytes), -ENOENT);
		assert_int_equal(ward_dir_read(&fixture->root, "a/b", 9, &bytes), -ENOENT);
		assert_string_equal(fixture->seen.text, "F a/b/file 10\nX a/b/file 0\n");
		close_tree(fixture);
	}
}

static void reads_a_large_file(void **state)
{
	struct fixture *fixture = *state;
	size_t size = 300000;
	char *big = malloc(size);
	struct ward_bytes bytes;

	for (size_t i = 0; i < size; i++)
		big[i] = (char)(i * 31);
	test_tree_bytes(&fixture->made, "big", big, size);
	open_tree(fixture, false);
	assert_int_equal(ward_dir_read(&fixture->root, "big", 1 << 20, &bytes), 0);
	assert_int_equal(bytes.size, size);
	assert_memory_equal(bytes.data, big, size);
	free(bytes.data);
	free(big);
	close_tree(fixture);
}

static void texts_are_one_clean_line(void **state)
{
	struct fixture *fixture = *state;
	char text[16];

	test_tree_file(&fixture->made, "plain", "vfio-pci\n");
	test_tree_file(&fixture->made, "dirty", "a\033[2Jb\tc\n\n ");
	test_tree_file(&fixture->made, "empty", "");
	test_tree_file(&fixture->made, "fifteen", "123456789012345");
	test_tree_file(&fixture->made, "sixteen", "1234567890123456");
	open_tree(fixture, false);
	assert_int_equal(ward_dir_text(&fixture->root, "plain", sizeof(text), text), 0);
	assert_string_equal(text, "vfio-pci");
	assert_int_equal(ward_dir_text(&fixture->root, "dirty", sizeof(text), text), 0);
	assert_string_equal(text, "a?[2Jb?c");
	assert_int_equal(ward_dir_text(&fixture->root, "empty", sizeof(text), text), 0);
	assert_string_equal(text, "");
	assert_int_equal(ward_dir_text(&fixture->root, "fifteen", sizeof(text), text), 0);
	assert_string_equal(text, "123456789012345");
	assert_int_equal(ward_dir_text(&fixture->root, "sixteen", sizeof(text), text), -EACCES);
	close_tree(fixture);
}

static void numbers_are_numbers_only(void **state)
{
	static const struct {
		const char *text;
		int base;
		int answer;
		uint64_t number;
	} cases[] = {
		{ "0x8086\n", 0, 0, 0x8086 },
		{ "42", 10, 0, 42 },
		{ "fed90000\n", 16, 0, 0xfed90000 },
		{ "0xffff", 16, 0, 0xffff },
		{ "", 0, -EACCES, 0 },
		{ "-1", 0, -EACCES, 0 },
		{ " 1", 0, -EACCES, 0 },
		{ "1x", 0, -EACCES, 0 },
		{ "0x100000000", 0, -EACCES, 0 },
		{ "99999999999999999999999", 0, -EACCES, 0 },
		{ "eth0", 0, -EACCES, 0 },
	};
	struct fixture *fixture = *state;

	open_tree(fixture, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t number = 7;

		test_tree_file(&fixture->made, "n", cases[i].text);
		assert_int_equal(ward_dir_number(&fixture->root, "n", cases[i].base, UINT32_MAX,
						 &number),
				 cases[i].answer);
		assert_int_equal(number, cases[i].answer ? 7 : cases[i].number);
	}
	close_tree(fixture);
}

static void links_are_resolved_inside_the_root(void **state)
{
	static const struct {
		const char *base, *target, *path;
	} cases[] = {
		{ "sys/class/iommu", "../../devices/virtual/iommu/dmar0",
		  "sys/devices/virtual/iommu/dmar0" },
		{ "sys", "../../../../../etc/passwd", "etc/passwd" },
		{ "sys", "/etc/passwd", "etc/passwd" },
		{ "a/b", "./c//d/.", "a/b/c/d" },
		{ "a/b", "..", "a" },
		{ "a", "..", "" },
		{ "", "../..", "" },
		{ "a", "b\nc", NULL },
		{ "a", "b\xff", NULL },
	};
	char path[WARD_TREE_PATH], longest[2 * WARD_TREE_PATH];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = ward_tree_resolve(cases[i].base, cases[i].target, path);

		assert_int_equal(err, cases[i].path ? 0 : -ENOENT);
		if (cases[i].path)
			assert_string_equal(path, cases[i].path);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(ward_tree_resolve("a", longest, path), -ENOENT);
	longest[WARD_TREE_PATH - 1] = '\0';
	assert_int_equal(ward_tree_resolve("", longest, path), -ENOENT);
}

static void no_link_is_followed(void **state)
{
	static const char *const names[] = {
		"out/secret",	     "out",	"file", "loop", "loop/x", "in/secret",
		"../outside/secret", "in/../x", "/etc", "in//x"
	};
	struct fixture *fixture = *state;
	char path[WARD_TREE_PATH], text[32];
	struct ward_bytes bytes;
	struct ward_dir dir;

	test_tree_file(&fixture->made, "../outside/secret", "secret");
	test_tree_file(&fixture->made, "real/secret", "inside");
	test_tree_link(&fixture->made, "out", "../outside");
	test_tree_link(&fixture->made, "file", "../outside/secret");
	test_tree_link(&fixture->made, "in", "real");
	test_tree_link(&fixture->made, "loop", "loop");
	for (int walk = 0; walk < 2; walk++) {
		open_tree(fixture, walk);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			assert_int_equal(ward_dir_read(&fixture->root, names[i], 100, &bytes),
					 -ENOENT);
			assert_int_equal(ward_dir_text(&fixture->root, names[i], sizeof(text),
						       text),
					 -ENOENT);
			assert_int_equal(ward_dir_enter(&fixture->root, names[i], &dir), -ENOENT);
			assert_int_equal(ward_dir_open(&fixture->tree, names[i], &dir), -ENOENT);
		}
		assert_string_equal(fixture->seen.text, "");
		assert_int_equal(ward_dir_link(&fixture->root, "out", path), 0);
		assert_string_equal(path, "outside");
		assert_int_equal(ward_dir_link(&fixture->root, "real", path), -ENOENT);
		assert_int_equal(ward_dir_link(&fixture->root, "none", path), -ENOENT);
		assert_string_equal(fixture->seen.text, "L out 10\n");
		close_tree(fixture);
	}
}

static void special_files_are_not_there(void **state)
{
	struct fixture *fixture = *state;
	struct ward_bytes bytes;
	char path[2048];

	test_tree_path(&fixture->made, "fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	open_tree(fixture, false);
	assert_int_equal(ward_dir_read(&fixture->root, "fifo", 100, &bytes), -ENOENT);
	close_tree(fixture);
}

static void lists_are_sorted_and_printable(void **state)
{
	struct fixture *fixture = *state;
	struct ward_names names;
	struct ward_dir dir;

	test_tree_dir(&fixture->made, "d/zeta");
	test_tree_file(&fixture->made, "d/alpha", "");
	test_tree_link(&fixture->made, "d/mid", "nowhere");
	test_tree_file(&fixture->made, "d/new\nline", "");
	test_tree_file(&fixture->made, "d/\033[2J", "");
	test_tree_file(&fixture->made, "d/\xc3\xa4", "");
	test_tree_dir(&fixture->made, "e");
	open_tree(fixture, false);
	assert_int_equal(ward_dir_open(&fixture->tree, "d", &dir), 0);
	assert_int_equal(ward_dir_list(&dir, &names), 0);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.name[0], "alpha");
	assert_string_equal(names.name[1], "mid");
	assert_string_equal(names.name[2], "zeta");
	ward_names_finish(&names);
	ward_dir_note(&dir, "zeta");
	ward_dir_close(&dir);
	assert_int_equal(ward_dir_open(&fixture->tree, "e", &dir), 0);
	assert_int_equal(ward_dir_list(&dir, &names), 0);
	assert_int_equal(names.count, 0);
	ward_names_finish(&names);
	ward_dir_close(&dir);
	assert_string_equal(fixture->seen.text, "D d 0\nD d/zeta 0\nD e 0\n");
	close_tree(fixture);
}

static void what_a_capture_says_was_refused_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct ward_bytes bytes;
	struct ward_names names;
	struct ward_dir dir;
	char text[16];

	test_tree_file(&fixture->made, "doorward/denied", "a/secret\nclosed\n\nnone\n");
	test_tree_file(&fixture->made, "a/secret", "x");
	test_tree_file(&fixture->made, "a/open", "x");
	test_tree_dir(&fixture->made, "closed");
	open_tree(fixture, false);
	assert_int_equal(ward_dir_read(&fixture->root, "a/secret", 10, &bytes), -EACCES);
	assert_int_equal(ward_dir_text(&fixture->root, "none", sizeof(text), text), -EACCES);
	assert_int_equal(ward_dir_text(&fixture->root, "a/open", sizeof(text), text), 0);
	assert_int_equal(ward_dir_enter(&fixture->root, "closed", &dir), -EACCES);
	/* Entries that were refused are entries, whether the capture holds them or not. */
	assert_int_equal(ward_dir_list(&fixture->root, &names), 0);
	assert_int_equal(names.count, 4);
	assert_string_equal(names.name[0], "a");
	assert_string_equal(names.name[1], "closed");
	assert_string_equal(names.name[2], "doorward");
	assert_string_equal(names.name[3], "none");
	ward_names_finish(&names);
	assert_string_equal(fixture->seen.text, "X a/secret 0\nX none 0\nF a/open 1\nX closed 0\n");
	close_tree(fixture);
}

static void only_the_own_root_is_live(void **state)
{
	struct fixture *fixture = *state;
	struct ward_tree tree;
	int fd;

	open_tree(fixture, false);
	assert_false(fixture->tree.live);
	close_tree(fixture);
	fd = open("/", O_RDONLY | O_DIRECTORY);
	assert_int_equal(ward_tree_open(fd, NULL, &tree), 0);
	assert_true(tree.live);
	ward_tree_close(&tree);
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(ward_tree_open(fd, NULL, &tree), -ENOTDIR);
	close(fd);
}

static int use_all(void *context)
{
	struct fixture *fixture = context;
	struct ward_bytes bytes;
	struct ward_names names;
	struct ward_tree tree;
	struct ward_dir dir;
	int err;

	err = ward_tree_open(fixture->fd, NULL, &tree);
	if (err < 0)
		return err;
	err = ward_dir_open(&tree, "", &dir);
	if (err == 0) {
		err = ward_dir_read(&dir, "file", 1000, &bytes);
		if (err == 0) {
			free(bytes.data);
			err = ward_dir_list(&dir, &names);
		}
		if (err == 0)
			ward_names_finish(&names);
		ward_dir_close(&dir);
	}
	ward_tree_close(&tree);
	return err;
}

static void a_failed_allocation_leaves_nothing_behind(void **state)
{
	struct fixture *fixture = *state;
	char text[600];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	test_tree_file(&fixture->made, "file", text);
	test_tree_file(&fixture->made, "doorward/denied", "x\n");
	assert_true(test_sweep(use_all, fixture) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_whole_files_up_to_a_limit, make, unmake),
		cmocka_unit_test_setup_teardown(reads_a_large_file, make, unmake),
		cmocka_unit_test_setup_teardown(texts_are_one_clean_line, make, unmake),
		cmocka_unit_test_setup_teardown(numbers_are_numbers_only, make, unmake),
		cmocka_unit_test(links_are_resolved_inside_the_root),
		cmocka_unit_test_setup_teardown(no_link_is_followed, make, unmake),
		cmocka_unit_test_setup_teardown(special_files_are_not_there, make, unmake),
		cmocka_unit_test_setup_teardown(lists_are_sorted_and_printable, make, unmake),
		cmocka_unit_test_setup_teardown(what_a_capture_says_was_refused_is_refused, make,
						unmake),
		cmocka_unit_test_setup_teardown(only_the_own_root_is_live, make, unmake),
		cmocka_unit_test_setup_teardown(a_failed_allocation_leaves_nothing_behind, make,
						unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
