// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Text, JSON, near matches and names. */
#include "skip.h"

#include "app/json.h"
#include "app/memory.h"
#include "app/names.h"
#include "app/nearest.h"
#include "app/table.h"
#include "app/text.h"
#include "app/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void control_characters_never_reach_a_terminal(void **state)
{
	char text[] = "a\033[31mb\nc\td\177e\xc2\x9b"
		      "f\xc3\xa4";

	(void)state;
	app_text_clean(text, true);
	assert_string_equal(text, "a?[31mb\nc?d?e??f\xc3\xa4");
	app_text_clean(text, false);
	assert_string_equal(text, "a?[31mb?c?d?e??f\xc3\xa4");
}

static void paragraphs_fit(void **state)
{
	char *out = NULL;
	size_t size;
	struct app_text text = { .file = open_memstream(&out, &size), .width = 20 };

	(void)state;
	fputs("ab: ", text.file);
	app_paragraph(&text, 4, 2, "one two three  four %s", "a-word-that-is-too-long-to-fit x");
	app_paragraph(&text, 0, 0, "just fits in twenty! %s", "and-one-is-too-much! x");
	app_paragraph(&text, 0, 0, "one more than twenty! x");
	fclose(text.file);
	assert_string_equal(out,
			    "ab: one two three\n  four\n  a-word-that-is-too-long-to-fit\n  x\n"
			    "just fits in twenty!\nand-one-is-too-much!\nx\n"
			    "one more than\ntwenty! x\n");
	free(out);
}

static void json_is_always_utf8(void **state)
{
	struct json_object *text = app_json_text("a\xff"
						 "b\xc3\xa4\xe0\x80\x80z\xed\xa0\x80");

	(void)state;
	assert_string_equal(json_object_get_string(text),
			    "a\xef\xbf\xbd"
			    "b\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd"
			    "\xef\xbf\xbd");
	json_object_put(text);
	assert_null(app_json_text(NULL));
}

static void numbers_of_64_bits_are_hex_strings(void **state)
{
	struct json_object *document = app_json_document("x"), *value;

	(void)state;
	app_json_put_hex(document, "big", UINT64_MAX);
	assert_true(json_object_object_get_ex(document, "big", &value));
	assert_string_equal(json_object_get_string(value), "0xffffffffffffffff");
	assert_true(json_object_object_get_ex(document, "schema", &value));
	assert_string_equal(json_object_get_string(value), "doorward/x/1");
	json_object_put(document);
}

static void distances(void **state)
{
	(void)state;
	assert_int_equal(app_distance("check", "check"), 0);
	assert_int_equal(app_distance("chekc", "check"), 1);
	assert_int_equal(app_distance("chck", "check"), 1);
	assert_int_equal(app_distance("", "abc"), 3);
	assert_int_equal(app_distance("0000:03:00.0", "0000:03:10.0"), 1);
	assert_int_equal(app_distance("kitten", "sitting"), 3);
}

static void near_words_come_first(void **state)
{
	struct app_nearest nearest;

	(void)state;
	app_nearest_init(&nearest, "eht0");
	app_nearest_offer(&nearest, "nvme0n1");
	app_nearest_offer(&nearest, "eth1");
	app_nearest_offer(&nearest, "eth0");
	app_nearest_offer(&nearest, "eth0");
	assert_int_equal(nearest.count, 2);
	assert_string_equal(nearest.found[0], "eth0");
	assert_string_equal(nearest.found[1], "eth1");
}

static const struct app_column columns[] = {
	{ .name = "ONE" },
	{ .name = "TWO" },
	{ .name = "MORE", .hidden = true },
	{ 0 },
};

static void expect_columns(const char *list, int count, size_t first, size_t last)
{
	size_t *chosen = NULL;
	char *wrong = NULL;

	assert_int_equal(app_table_choose(columns, list, &chosen, &wrong), count);
	assert_int_equal(chosen[0], first);
	assert_int_equal(chosen[count - 1], last);
	free(chosen);
}

static void columns_are_chosen(void **state)
{
	size_t *chosen;
	char *wrong = NULL;

	(void)state;
	expect_columns(NULL, 2, 0, 1);
	expect_columns("+more", 3, 0, 2);
	expect_columns("two,one", 2, 1, 0);
	assert_int_equal(app_table_choose(columns, "one,thre", &chosen, &wrong), -EINVAL);
	assert_string_equal(wrong, "thre");
	free(wrong);
}

static const char ids[] = "# a comment\n"
			  "8086  Intel Corporation\n"
			  "\t10d3  82574L\n"
			  "\t\t8086 0001  a subsystem\n"
			  "\tnonsense\n"
			  "9999  Other\n"
			  "\t10d3  not this one\n"
			  "C 02  Network controller\n"
			  "\t00  Ethernet controller\n"
			  "\t\t01  an interface\n"
			  "C 03  Display controller\n";

static struct app_names *load_names(const char *directory, const char *path, const char *text)
{
	struct ward_function functions[2] = {
		{ .vendor = 0x8086, .device = 0x10d3, .class_code = 0x020000 },
		{ .vendor = 0x8086, .device = 0x0001, .class_code = 0x038000 },
	};
	struct ward_machine machine = { .functions = functions, .functions_count = 2 };
	int root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), above, fd;
	struct app_names *names;

	above = app_tree_directory(root, path, (size_t)(strrchr(path, '/') - path), true);
	assert_true(above >= 0);
	fd = openat(above, strrchr(path, '/') + 1, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	close(above);
	names = app_names_load(root, &machine);
	close(root);
	return names;
}

static void names_are_found_and_kept(void **state)
{
	char directory[] = "/tmp/test-names-XXXXXX";
	struct app_names *names;
	char *written;

	(void)state;
	assert_non_null(mkdtemp(directory));
	names = load_names(directory, "usr/share/misc/pci.ids", ids);
	assert_string_equal(app_names_vendor(names, 0x8086), "Intel Corporation");
	assert_string_equal(app_names_device(names, 0x8086, 0x10d3), "82574L");
	assert_null(app_names_device(names, 0x8086, 1));
	assert_null(app_names_vendor(names, 0x9999));
	assert_string_equal(app_names_class(names, 0x020000), "Ethernet controller");
	assert_string_equal(app_names_class(names, 0x038000), "Display controller");
	written = app_names_write(names);
	assert_string_equal(written, "8086  Intel Corporation\n\t10d3  82574L\n"
				     "C 02  Network controller\n\t00  Ethernet controller\n"
				     "C 03  Display controller\n");
	app_names_destroy(names);
	/* What a capture brought along goes before what the tree would say. */
	names = load_names(directory, APP_NAMES_PATH, "8086  Captured\n");
	assert_string_equal(app_names_vendor(names, 0x8086), "Captured");
	assert_null(app_names_device(names, 0x8086, 0x10d3));
	app_names_destroy(names);
	free(written);
	app_tree_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_never_reach_a_terminal),
		cmocka_unit_test(paragraphs_fit),
		cmocka_unit_test(json_is_always_utf8),
		cmocka_unit_test(numbers_of_64_bits_are_hex_strings),
		cmocka_unit_test(distances),
		cmocka_unit_test(near_words_come_first),
		cmocka_unit_test(columns_are_chosen),
		cmocka_unit_test(names_are_found_and_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
