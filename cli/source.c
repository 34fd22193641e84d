// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/source.h"

#include "app/machine_yaml.h"
#include "app/memory.h"
#include "cli/suppose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct watch {
	struct cli_context *context;
	struct app_entries *entries; /* NULL: nobody wants them */
};

static void note_denied(struct cli_context *context, const char *path)
{
	app_array_grow((void **)&context->denied, context->denied_count, sizeof(*context->denied));
	context->denied[context->denied_count++] = app_strdup(path);
}

static void saw(void *pointer, const char *path, enum ward_saw_kind kind, const void *bytes,
		size_t size)
{
	struct watch *watch = pointer;
	enum app_entry_kind entry = APP_ENTRY_FILE;

	switch (kind) {
	case WARD_SAW_DENIED:
		note_denied(watch->context, path);
		return;
	case WARD_SAW_FILE:
		break;
	case WARD_SAW_LINK:
		entry = APP_ENTRY_LINK;
		break;
	case WARD_SAW_DIRECTORY:
		entry = APP_ENTRY_DIRECTORY;
		break;
	}
	/* The root itself needs no entry. */
	if (watch->entries && *path && strcmp(path, ".") != 0)
		app_entries_add(watch->entries, path, entry, bytes, size);
}

static int fail_reading(const struct cli_options *options, int error, const char *where,
			const char *text)
{
	int code = error == -EACCES || error == -EPERM ? CLI_PERMISSION : CLI_FAILURE;

	if (!*text)
		text = strerror(-error);
	if (code == CLI_PERMISSION && geteuid() != 0)
		return cli_fail(options, code, "%s: %s; try with sudo", where, text);
	return cli_fail(options, code, "%s: %s", where, text);
}

static int read_root(struct cli_context *context, int root, const char *where,
		     struct app_entries *entries)
{
	struct watch watch = { context, entries };
	struct ward_read_options read = {
		.size = sizeof(read),
		.wake = context->options->wake,
		.saw = saw,
		.context = &watch,
	};
	struct ward_error error = { "" };
	int code = ward_machine_read(root, &read, &context->machine, &context->state, &error);

	if (code == -ENOENT && context->live)
		return cli_fail(context->options, CLI_FAILURE,
				"this computer shows no PCI devices (no /sys/bus/pci): %s",
				*error.text ? error.text : "is /sys mounted?");
	if (code < 0)
		return fail_reading(context->options, code, where, error.text);
	context->names = app_names_load(root, context->machine);
	return -1;
}

static int open_archive(struct cli_context *context, const char *file, struct app_entries *entries)
{
	struct ward_error error = { "" };
	struct app_unpacked unpacked;
	int code = app_archive_unpack(file, &unpacked, &error);

	if (code < 0)
		return fail_reading(context->options, code, file, error.text);
	code = read_root(context, unpacked.fd, file, entries);
	app_unpacked_finish(&unpacked);
	return code;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* Captures are archives, whose first bytes are no text; a pipe is left alone, since it has them once. */
static bool is_description(const char *file)
{
	unsigned char bytes[512];
	struct stat status;
	ssize_t size;
	int fd;

	if (ends_with(file, ".yaml") || ends_with(file, ".yml"))
		return true;
	if (strcmp(file, "-") == 0)
		return false;
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	size = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? read(fd, bytes, sizeof(bytes))
								  : -1;
	close(fd);
	for (ssize_t i = 0; i < size; i++)
		if (bytes[i] < 0x20 && !memchr("\t\r\n", bytes[i], 3))
			return false;
	return size > 0;
}

static int open_description(struct cli_context *context, const char *file, bool to_capture)
{
	const struct cli_options *options = context->options;
	struct ward_error error = { "" };
	struct app_machine read;
	int code;

	if (to_capture)
		return cli_fail(options, CLI_USAGE,
				"%s describes a machine; only one that is there can be captured",
				file);
	code = app_machine_load(file, &read, &error);
	if (code)
		return cli_fail(options, code == -EACCES ? CLI_PERMISSION : CLI_FAILURE, "%s",
				error.text);
	context->described = true;
	context->machine = read.machine;
	context->state = read.state;
	free(read.memory);
	/* The names of the machine that this runs on are not its own: the answer is the same everywhere. */
	context->names = app_names_load(-1, context->machine);
	return -1;
}

int cli_open(struct cli_context *context, const struct cli_options *options,
	     struct app_entries *ret_entries)
{
	const char *root = options->sysroot ? options->sysroot : "/";
	int fd, code;

	*context = (struct cli_context){
		.options = options,
		.live = !options->machine && !options->sysroot,
	};
	app_text_init(&context->out, stdout, options->colour);
	if (options->machine && is_description(options->machine))
		return open_description(context, options->machine, ret_entries != NULL);
	if (options->machine)
		return open_archive(context, options->machine, ret_entries);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_reading(options, -errno, root, "");
	code = read_root(context, fd, root, ret_entries);
	close(fd);
	return code;
}

int cli_isolate(struct cli_context *context)
{
	int code;

	if (context->options->suppose.count) {
		code = cli_suppose(context);
		if (code >= 0)
			return code;
	}
	code = ward_isolation_create(context->machine, context->state, &context->isolation);
	if (code < 0)
		return cli_fail(context->options, CLI_FAILURE, "%s", strerror(-code));
	return -1;
}

void cli_close(struct cli_context *context)
{
	ward_isolation_destroy(context->isolation);
	ward_state_destroy(context->state);
	ward_machine_destroy(context->machine);
	ward_state_destroy(context->real_state);
	ward_machine_destroy(context->real_machine);
	app_names_destroy(context->names);
	for (size_t i = 0; i < context->denied_count; i++)
		free(context->denied[i]);
	free(context->denied);
	for (size_t i = 0; i < context->texts_count; i++)
		free(context->texts[i]);
	free(context->texts);
}

/* What was not read, counted. */
struct unread {
	uint32_t cut, asleep; /* functions */
	bool tables, other;
};

static struct unread count_unread(const struct cli_context *context)
{
	struct unread unread = { 0 };

	for (uint32_t i = 0; i < context->machine->functions_count; i++) {
		const struct ward_function *function = &context->machine->functions[i];

		if (function->kind != WARD_FUNCTION_PCI)
			continue;
		if (function->asleep)
			unread.asleep++;
		else if (function->config_size < 256)
			unread.cut++;
	}
	for (size_t i = 0; i < context->denied_count; i++) {
		if (strncmp(context->denied[i], "sys/firmware/", 13) == 0)
			unread.tables = true;
		else
			unread.other = true;
	}
	return unread;
}

static struct json_object *unread_json(const struct unread *unread)
{
	struct json_object *list = app_json_array();

	if (unread->cut)
		app_json_add_text(list, "config-space");
	if (unread->asleep)
		app_json_add_text(list, "suspended-functions");
	if (unread->tables)
		app_json_add_text(list, "firmware-tables");
	if (unread->other)
		app_json_add_text(list, "other-files");
	return list;
}

static const char *way_to_read(const struct cli_context *context)
{
	if (context->described)
		return "The description leaves it out.";
	if (!context->live)
		return "Capture the machine again as root.";
	if (geteuid() != 0)
		return "Run this with sudo for the whole answer.";
	return "Not even as root: is this a container, or a locked-down kernel?";
}

void cli_say_unread(const struct cli_context *context)
{
	struct unread unread = count_unread(context);
	bool denied = unread.cut || unread.tables;

	if (denied)
		app_complain("could not read %s%s%s: what depends on it is shown as unknown. %s",
			     unread.cut ? "most of the config space (ACS, ATS, resets)" : "",
			     unread.cut && unread.tables ? " and " : "",
			     unread.tables ? "the firmware's tables (IOMMUs, MSI controllers)" : "",
			     way_to_read(context));
	if (unread.asleep)
		app_complain("%u suspended function%s not read, so as not to wake %s; --wake does",
			     unread.asleep, unread.asleep == 1 ? " was" : "s were",
			     unread.asleep == 1 ? "it" : "them");
}

static const char *arch_name(enum ward_arch arch)
{
	switch (arch) {
	case WARD_ARCH_X86:
		return "x86";
	case WARD_ARCH_ARM64:
		return "arm64";
	case WARD_ARCH_POWER:
		return "power";
	case WARD_ARCH_UNKNOWN:
		break;
	}
	return NULL;
}

struct json_object *cli_machine_json(const struct cli_context *context)
{
	const struct ward_machine *machine = context->machine;
	struct json_object *object = app_json_object(), *remarks = app_json_array();
	struct unread unread = count_unread(context);

	app_json_put_text(object, "arch", arch_name(machine->arch));
	app_json_put_text(object, "kernel", machine->kernel_release);
	app_json_put_bool(object, "groups_known", machine->groups_known);
	app_json_put(object, "unread", unread_json(&unread));
	for (uint32_t i = 0; i < machine->remarks_count; i++) {
		struct json_object *remark = app_json_object();

		app_json_put_text(remark, "code", machine->remarks[i].code);
		app_json_put_text(remark, "text", machine->remarks[i].text);
		app_json_add(remarks, remark);
	}
	app_json_put(object, "remarks", remarks);
	return object;
}
