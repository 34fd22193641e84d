// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/archive.h"

#include "app/memory.h"
#include "app/redact.h"
#include "cli/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DENIED_PATH "doorward/denied"
#define ABOUT_PATH "doorward/about"

static void redact(struct app_entries *entries)
{
	struct app_redactor redactor = { 0 };

	for (size_t i = 0; i < entries->count; i++) {
		struct app_entry *entry = &entries->entry[i];

		if (entry->kind == APP_ENTRY_FILE)
			app_redact_file(&redactor, entry->path, entry->bytes, entry->size);
		else if (entry->kind == APP_ENTRY_LINK)
			app_redact_name(&redactor, entry->bytes);
		app_redact_name(&redactor, entry->path);
	}
	app_redactor_finish(&redactor);
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void add_text(struct app_entries *entries, const char *path, const char *text)
{
	app_entries_add(entries, path, APP_ENTRY_FILE, text, strlen(text));
}

/* What the reader could not tell a replay: names, refusals, how it was captured. */
static void add_own_files(const struct cli_context *context, struct app_entries *entries)
{
	char *names = app_names_write(context->names), *denied = NULL;
	size_t size;
	FILE *list = app_need(open_memstream(&denied, &size));

	add_text(entries, APP_NAMES_PATH, names);
	if (context->denied_count)
		qsort(context->denied, context->denied_count, sizeof(*context->denied),
		      compare_texts);
	for (size_t i = 0; i < context->denied_count; i++)
		if (i == 0 || strcmp(context->denied[i - 1], context->denied[i]) != 0)
			fprintf(list, "%s\n", context->denied[i]);
	if (fclose(list) != 0)
		app_need(NULL);
	if (*denied)
		add_text(entries, DENIED_PATH, denied);
	add_text(entries, ABOUT_PATH,
		 context->options->with_identity ? "doorward capture 1\nidentity kept\n"
						 : "doorward capture 1\nidentity removed\n");
	free(names);
	free(denied);
}

static void report(const struct cli_context *context, const char *file, size_t files)
{
	const struct cli_options *options = context->options;

	if (options->json) {
		struct json_object *document = app_json_document("capture");

		app_json_put_text(document, "file", file);
		app_json_put_number(document, "entries", (uint32_t)files);
		app_json_put_number(document, "functions", context->machine->functions_count);
		app_json_put_bool(document, "identity", options->with_identity);
		app_json_put(document, "machine", cli_machine_json(context));
		app_json_print(stdout, document);
		return;
	}
	app_paragraph(&context->out, 0, 0, "Wrote %s: %u functions in %zu files. %s", file,
		      context->machine->functions_count, files,
		      options->with_identity
			      ? "Serial numbers and MAC addresses are in it."
			      : "Serial numbers, MAC addresses and the host name were taken out.");
	app_say(&context->out, "Look at it with: doorward --machine %s list\n", file);
}

static int write_capture(struct cli_context *context, struct app_entries *entries)
{
	const struct cli_options *options = context->options;
	const char *file = options->output ? options->output : "doorward.tar";
	struct ward_error error = { "" };
	int code;

	add_own_files(context, entries);
	if (!options->with_identity)
		redact(entries);
	code = app_archive_write(entries, file, &error);
	if (code == -EPIPE)
		return CLI_FAILURE;
	if (code < 0)
		return cli_fail(options, code == -EACCES ? CLI_PERMISSION : CLI_FAILURE, "%s",
				error.text);
	if (strcmp(file, "-") != 0)
		report(context, file, entries->count);
	cli_say_unread(context);
	return CLI_DONE;
}

int cli_capture(const struct cli_options *options)
{
	bool to_stdout = options->output && strcmp(options->output, "-") == 0;
	struct app_entries entries = { 0 };
	struct cli_context context;
	int code;

	if (to_stdout && options->json)
		return cli_fail(options, CLI_USAGE,
				"standard output cannot hold both the capture and JSON");
	if (to_stdout && isatty(STDOUT_FILENO))
		return cli_fail(
			options, CLI_USAGE,
			"a capture is no text for a terminal; use: doorward capture -o FILE");
	code = cli_open(&context, options, &entries);
	if (code < 0)
		code = write_capture(&context, &entries);
	app_entries_finish(&entries);
	cli_close(&context);
	return code;
}
