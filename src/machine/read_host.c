// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "machine/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "machine/read_files.h"

static enum ward_arch arch_of(const char *machine)
{
	static const struct {
		const char *name;
		enum ward_arch arch;
	} known[] = {
		{ "x86", WARD_ARCH_X86 },	{ "i386", WARD_ARCH_X86 },
		{ "i486", WARD_ARCH_X86 },	{ "i586", WARD_ARCH_X86 },
		{ "i686", WARD_ARCH_X86 },	{ "amd64", WARD_ARCH_X86 },
		{ "arm64", WARD_ARCH_ARM64 },	{ "aarch64", WARD_ARCH_ARM64 },
		{ "power", WARD_ARCH_POWER },	{ "ppc64", WARD_ARCH_POWER },
		{ "x86_64", WARD_ARCH_X86 },	{ "ppc64le", WARD_ARCH_POWER },
		{ "ppc64el", WARD_ARCH_POWER },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(machine, known[i].name))
			return known[i].arch;
	return WARD_ARCH_UNKNOWN;
}

/* Takes "arch=" and "page_size=" from the lines of the file that a capture writes. */
static void parse_host(char *text, enum ward_arch *arch, uint64_t *page_size)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		if (!strncmp(line, "arch=", 5))
			*arch = arch_of(line + 5);
		if (!strncmp(line, "page_size=", 10))
			*page_size = strtoull(line + 10, NULL, 10);
	}
}

static int read_host_file(const struct ward_reading *reading, enum ward_arch *arch,
			  uint64_t *page_size)
{
	struct ward_dir root = { .tree = &reading->tree, .fd = reading->tree.root };
	struct ward_bytes bytes;
	char text[256];
	int err;

	err = ward_dir_read(&root, WARD_FILE_HOST, sizeof(text) - 1, &bytes);
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	memcpy(text, bytes.data, bytes.size);
	text[bytes.size] = '\0';
	free(bytes.data);
	parse_host(text, arch, page_size);
	return 0;
}

static enum ward_arch arch_of_chips(const struct ward_reading *reading)
{
	static const struct {
		const char *part; /* of the chip's name */
		enum ward_arch arch;
	} chips[] = {
		{ "IO-APIC", WARD_ARCH_X86 }, { "XT-PIC", WARD_ARCH_X86 },
		{ "GIC", WARD_ARCH_ARM64 },   { "ITS-", WARD_ARCH_ARM64 },
		{ "XICS", WARD_ARCH_POWER },  { "XIVE", WARD_ARCH_POWER },
	};

	for (size_t i = 0; i < reading->irqs_count; i++)
		for (size_t j = 0; j < sizeof(chips) / sizeof(chips[0]); j++)
			if (strstr(reading->irqs[i].chip, chips[j].part))
				return chips[j].arch;
	return WARD_ARCH_UNKNOWN;
}

static int arch_of_tables(const struct ward_reading *reading, enum ward_arch *arch)
{
	struct ward_names names;
	struct ward_dir dir;
	int err;

	err = ward_dir_open(&reading->tree, WARD_DIR_TABLES, &dir);
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	err = ward_dir_list(&dir, &names);
	ward_dir_close(&dir);
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	for (size_t i = 0; i < names.count; i++) {
		if (!strcmp(names.name[i], "IORT") || !strcmp(names.name[i], "GTDT"))
			*arch = WARD_ARCH_ARM64;
		if (!strcmp(names.name[i], "DMAR") || !strcmp(names.name[i], "IVRS"))
			*arch = WARD_ARCH_X86;
	}
	ward_names_finish(&names);
	return 0;
}

/* For a tree that does not say what it is of: chips, tables, the name of the kernel tell. */
static int infer_arch(const struct ward_reading *reading, const char *release, enum ward_arch *arch)
{
	const char *flavour = release ? strrchr(release, '-') : NULL;
	int err;

	*arch = arch_of_chips(reading);
	if (*arch == WARD_ARCH_UNKNOWN && flavour)
		*arch = arch_of(flavour + 1);
	if (*arch != WARD_ARCH_UNKNOWN)
		return 0;
	err = arch_of_tables(reading, arch);
	return err;
}

static void ask_this_host(enum ward_arch *arch, uint64_t *page_size)
{
	long size = sysconf(_SC_PAGESIZE);
	struct utsname name;

	if (uname(&name) == 0)
		*arch = arch_of(name.machine);
	if (size > 0)
		*page_size = (uint64_t)size;
}

/* A text of the arena, or NULL when it cannot be read. */
static int keep_text(struct ward_reading *reading, const struct ward_dir *dir, const char *name,
		     char **ret_text)
{
	char text[WARD_TREE_TEXT];
	int err;

	err = ward_dir_text(dir, name, sizeof(text), text);
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	*ret_text = ward_arena_strdup(&reading->arena, text);
	return *ret_text ? 0 : -ENOMEM;
}

/* Whether somebody opened the door that isolated interrupts close. */
static int read_unsafe(struct ward_reading *reading)
{
	static const char *const files[] = { WARD_FILE_UNSAFE_TYPE1, WARD_FILE_UNSAFE_IOMMUFD };
	struct ward_machine *machine = ward_builder_machine(reading->builder);
	struct ward_dir dir;
	char text[8];
	int err;

	err = ward_dir_open(&reading->tree, WARD_DIR_MODULES, &dir);
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	/* A module that is not loaded allows nothing now. */
	machine->unsafe_interrupts_allowed = WARD_NO;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		err = ward_dir_text(&dir, files[i], sizeof(text), text);
		if (ward_tree_failed(err))
			break;
		if (err == 0 && (text[0] == 'Y' || text[0] == 'y' || text[0] == '1'))
			machine->unsafe_interrupts_allowed = WARD_YES;
		if (err == -EACCES && machine->unsafe_interrupts_allowed == WARD_NO)
			machine->unsafe_interrupts_allowed = WARD_UNKNOWN;
		err = 0;
	}
	ward_dir_close(&dir);
	return err;
}

static bool page_size_is_sound(uint64_t size)
{
	return size == 4096 || size == 16384 || size == 65536;
}

int ward_read_host(struct ward_reading *reading)
{
	enum ward_arch arch = WARD_ARCH_UNKNOWN;
	uint64_t page_size = 4096;
	char *release = NULL;
	struct ward_dir proc;
	int err;

	err = ward_dir_open(&reading->tree, WARD_DIR_PROC, &proc);
	if (ward_tree_failed(err))
		return err;
	if (err == 0) {
		err = keep_text(reading, &proc, WARD_FILE_OSRELEASE, &release);
		if (err == 0)
			err = keep_text(reading, &proc, WARD_FILE_CMDLINE, &reading->command_line);
		ward_dir_close(&proc);
		if (err < 0)
			return err;
	}
	if (reading->tree.live)
		ask_this_host(&arch, &page_size);
	else
		err = read_host_file(reading, &arch, &page_size);
	if (ward_tree_failed(err))
		return err;
	if (arch == WARD_ARCH_UNKNOWN) {
		err = infer_arch(reading, release, &arch);
		if (err < 0)
			return err;
	}
	reading->arch = arch;
	if (!page_size_is_sound(page_size))
		page_size = 4096;
	err = ward_builder_set_host(reading->builder, arch, release, reading->command_line,
				    page_size);
	return err < 0 ? err : read_unsafe(reading);
}

bool ward_read_option(const struct ward_reading *reading, const char *option, const char *value)
{
	const char *at = reading->command_line;
	size_t length = strlen(option);

	while (at && *at) {
		size_t word = strcspn(at, " ");
		const char *end = at + word;

		if (word >= length && !strncmp(at, option, length)) {
			const char *values = at + length;

			if (!value && (values == end || *values == '='))
				return true;
			while (value && values < end && (*values == '=' || *values == ',')) {
				size_t part = strcspn(++values, ", ");

				if (part == strlen(value) && !strncmp(values, value, part))
					return true;
				values += part;
			}
		}
		at = end + (*end == ' ');
	}
	return false;
}
