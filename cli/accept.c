// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/accept.h"

#include "app/memory.h"
#include "app/nearest.h"
#include "cli/device.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

/* Where a waiver was written, for messages. */
struct place {
	const struct cli_context *context;
	const char *file; /* NULL: the command line */
	unsigned int line;
};

__attribute__((format(printf, 2, 3))) static int wrong(const struct place *place,
						       const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!place->file)
		return cli_fail(place->context->options, CLI_USAGE, "--accept: %s", text);
	return cli_fail(place->context->options, CLI_USAGE, "%s:%u: %s", place->file, place->line,
			text);
}

static char *keep(struct cli_waivers *waivers, const char *text)
{
	char *copy = app_strdup(text);

	app_array_grow((void **)&waivers->texts, waivers->texts_count, sizeof(*waivers->texts));
	waivers->texts[waivers->texts_count++] = copy;
	return copy;
}

static void add(struct cli_waivers *waivers, const struct ward_waiver *waiver)
{
	app_array_grow((void **)&waivers->waiver, waivers->count, sizeof(*waivers->waiver));
	waivers->waiver[waivers->count++] = *waiver;
}

/* The list's own text for a code, or NULL. */
static const char *known_code(const char *code)
{
	for (const struct ward_finding_info *info = ward_findings(); info->code; info++)
		if (strcmp(info->code, code) == 0)
			return info->code;
	return NULL;
}

static int unknown_code(const struct place *place, const char *code)
{
	struct app_nearest nearest;

	app_nearest_init(&nearest, code);
	for (const struct ward_finding_info *info = ward_findings(); info->code; info++)
		app_nearest_offer(&nearest, info->code);
	if (nearest.count)
		return wrong(place, "there is no finding \"%s\"; did you mean \"%s\"?", code,
			     nearest.found[0]);
	return wrong(place, "there is no finding \"%s\"; docs/findings.md lists them", code);
}

static void add_by_id(const struct cli_context *context, struct cli_waivers *waivers,
		      struct ward_waiver waiver, uint16_t vendor, uint16_t device)
{
	for (uint32_t i = 0; i < context->machine->functions_count; i++) {
		const struct ward_function *function = &context->machine->functions[i];

		if (function->kind != WARD_FUNCTION_PCI || function->vendor != vendor ||
		    function->device != device)
			continue;
		waiver.address = function->address;
		add(waivers, &waiver);
	}
}

static int add_waiver(const struct place *place, struct cli_waivers *waivers, const char *code,
		      const char *device, const char *reason)
{
	struct ward_waiver waiver = { .code = known_code(code), .any_function = !device };
	uint16_t vendor, id;
	uint32_t function;
	int found;

	if (!waiver.code)
		return unknown_code(place, code);
	if (reason && *reason)
		waiver.reason = keep(waivers, reason);
	if (device && cli_device_is_id(device, &vendor, &id)) {
		add_by_id(place->context, waivers, waiver, vendor, id);
		return -1;
	}
	if (device && ward_address_parse(device, &waiver.address) < 0) {
		if (place->file)
			return wrong(place, "\"%s\" is neither an address nor vendor:device",
				     device);
		found = cli_device_find(place->context, device, &function);
		if (found >= 0)
			return found;
		if (place->context->machine->functions[function].kind != WARD_FUNCTION_PCI)
			return wrong(place, "%s is no PCI function", device);
		waiver.address = place->context->machine->functions[function].address;
	}
	add(waivers, &waiver);
	return -1;
}

static int read_line(const struct place *place, struct cli_waivers *waivers, char *line)
{
	static const char blank[] = " \t\r";
	char *reason = strchr(line, '#'), *code, *device, *more;

	if (reason) {
		*reason++ = '\0';
		reason += strspn(reason, blank);
		reason[strcspn(reason, "\r")] = '\0';
	}
	code = strtok_r(line, blank, &more);
	if (!code)
		return -1;
	device = strtok_r(NULL, blank, &more);
	if (device && strtok_r(NULL, blank, &more))
		return wrong(place, "write it as: code [device] # reason");
	return add_waiver(place, waivers, code, device, reason);
}

static int read_file(const struct cli_context *context, struct cli_waivers *waivers,
		     const char *path)
{
	struct place place = { .context = context, .file = path };
	char line[LINE_MAX_BYTES];
	FILE *file = fopen(path, "re");
	int code = -1;

	if (!file)
		return cli_fail(context->options, errno == EACCES ? CLI_PERMISSION : CLI_FAILURE,
				"%s: %s", path, strerror(errno));
	while (code < 0 && fgets(line, sizeof(line), file)) {
		size_t length = strlen(line);

		place.line++;
		if (length && line[length - 1] == '\n')
			line[length - 1] = '\0';
		else if (!feof(file))
			code = wrong(&place, "the line is too long, or no text");
		if (code < 0)
			code = read_line(&place, waivers, line);
	}
	if (code < 0 && ferror(file))
		code = cli_fail(context->options, CLI_FAILURE, "%s: %s", path, strerror(errno));
	fclose(file);
	return code;
}

int cli_waivers_read(const struct cli_context *context, struct cli_waivers *ret_waivers)
{
	const struct cli_options *options = context->options;
	struct place place = { .context = context };
	int code = -1;

	*ret_waivers = (struct cli_waivers){ 0 };
	for (size_t i = 0; i < options->accept.count && code < 0; i++) {
		char *word = app_strdup(options->accept.word[i]), *at = strchr(word, '@');

		if (at)
			*at++ = '\0';
		code = add_waiver(&place, ret_waivers, word, at, "accepted on the command line");
		free(word);
	}
	for (size_t i = 0; i < options->accept_policy.count && code < 0; i++)
		code = read_file(context, ret_waivers, options->accept_policy.word[i]);
	return code;
}

void cli_waivers_finish(struct cli_waivers *waivers)
{
	free(waivers->waiver);
	for (size_t i = 0; i < waivers->texts_count; i++)
		free(waivers->texts[i]);
	free(waivers->texts);
}
