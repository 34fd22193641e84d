// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/device.h"

#include "app/memory.h"
#include "app/nearest.h"
#include "cli/show.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CANDIDATES_SHOWN 8

/* Functions that a word may mean. */
struct matches {
	uint32_t first;
	uint32_t count;
	char *list; /* "0000:01:00.0 (eth0), ...", for a person */
};

static void add_match(const struct cli_context *context, struct matches *matches, uint32_t function)
{
	char *label, *list;

	if (matches->count == 0)
		matches->first = function;
	if (++matches->count > CANDIDATES_SHOWN)
		return;
	label = cli_label(context, function);
	list = app_printf("%s%s%s", matches->list ? matches->list : "", matches->list ? ", " : "",
			  label);
	free(label);
	free(matches->list);
	matches->list = list;
}

static bool parse_hex4(const char *text, uint16_t *ret_value)
{
	char digits[5] = "";

	for (int i = 0; i < 4; i++) {
		if (!isxdigit((unsigned char)text[i]))
			return false;
		digits[i] = text[i];
	}
	*ret_value = (uint16_t)strtoul(digits, NULL, 16);
	return true;
}

bool cli_device_is_id(const char *word, uint16_t *ret_vendor, uint16_t *ret_device)
{
	return parse_hex4(word, ret_vendor) && word[4] == ':' && parse_hex4(word + 5, ret_device) &&
	       word[9] == '\0';
}

static void match_id(const struct cli_context *context, struct matches *matches, const char *word)
{
	uint16_t vendor, device;

	if (!cli_device_is_id(word, &vendor, &device))
		return;
	for (uint32_t i = 0; i < context->machine->functions_count; i++) {
		const struct ward_function *function = &context->machine->functions[i];

		if (function->kind == WARD_FUNCTION_PCI && function->vendor == vendor &&
		    function->device == device)
			add_match(context, matches, i);
	}
}

/* "03:00.0" is in segment 0; where no such function is, in any other. */
static void match_address(const struct cli_context *context, struct matches *matches,
			  const char *word)
{
	struct ward_address address;
	bool short_form = strchr(word, ':') == strrchr(word, ':');
	uint32_t function;

	if (ward_address_parse(word, &address) < 0)
		return;
	function = ward_machine_find(context->machine, address);
	if (function != WARD_NONE) {
		add_match(context, matches, function);
		return;
	}
	for (uint32_t i = 0; short_form && i < context->machine->functions_count; i++) {
		const struct ward_function *other = &context->machine->functions[i];

		if (other->kind == WARD_FUNCTION_PCI &&
		    ward_rid_raw(other->address.rid) == ward_rid_raw(address.rid))
			add_match(context, matches, i);
	}
}

/* Two controllers may lead to one disk, and so both have its name. */
static void match_name(const struct cli_context *context, struct matches *matches, const char *word)
{
	for (uint32_t i = 0; i < context->machine->functions_count; i++) {
		const struct ward_function *function = &context->machine->functions[i];
		bool named = !strcmp(function->name, word);

		for (uint32_t j = 0; j < function->names_count; j++)
			named |= !strcmp(function->names[j], word);
		if (named)
			add_match(context, matches, i);
	}
}

static void match_word(const struct cli_context *context, struct matches *matches, const char *word)
{
	match_address(context, matches, word);
	if (matches->count == 0)
		match_id(context, matches, word);
	if (matches->count == 0)
		match_name(context, matches, word);
}

/* The last part of a path that names a function: /sys/.../0000:01:00.0/net/eth0. */
static void match_path(const struct cli_context *context, struct matches *matches, const char *word)
{
	char real[PATH_MAX], *path, *slash;

	/* Only on this computer do its links mean anything. */
	path = app_strdup(context->live && realpath(word, real) ? real : word);
	while (matches->count == 0 && (slash = strrchr(path, '/'))) {
		if (slash[1])
			match_word(context, matches, slash + 1);
		*slash = '\0';
	}
	free(path);
}

static char *near_matches(const struct cli_context *context, const char *word)
{
	struct app_nearest nearest;
	const struct ward_machine *machine = context->machine;
	/* A person who left the segment out shall find it left out. */
	size_t skip = strchr(word, ':') == strrchr(word, ':') ? 5 : 0;
	char *list = app_strdup(""), *ids = app_alloc(machine->functions_count, 10);
	char canonical[WARD_ADDRESS_TEXT];
	struct ward_address address;

	if (ward_address_parse(word, &address) == 0) {
		ward_address_format(address, canonical);
		word = canonical + (address.segment == 0 ? skip : 0);
	}
	app_nearest_init(&nearest, word);
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *function = &machine->functions[i];
		const char *name = cli_name(context, i);
		char *id = ids + (size_t)i * 10;

		for (uint32_t j = 0; j < function->names_count; j++)
			app_nearest_offer(&nearest, function->names[j]);
		if (function->kind == WARD_FUNCTION_PCI) {
			snprintf(id, 10, "%04x:%04x", function->vendor, function->device);
			app_nearest_offer(&nearest, id);
			if (function->address.segment == 0 && strlen(name) > skip)
				name += skip;
		}
		app_nearest_offer(&nearest, name);
	}
	for (size_t i = 0; i < nearest.count; i++) {
		char *longer = app_printf("%s%s%s", list, i ? ", " : "", nearest.found[i]);

		free(list);
		list = longer;
	}
	free(ids);
	return list;
}

/* "docker0" is there, but no PCI function stands behind it: that needs another answer. */
static bool is_virtual(const struct cli_context *context, const char *word)
{
	static const char *const classes[] = { "net", "block" };
	bool found = false;

	for (size_t i = 0; context->live && !strchr(word, '/') && i < 2; i++) {
		char *path = app_printf("/sys/class/%s/%s", classes[i], word);

		found |= access(path, F_OK) == 0;
		free(path);
	}
	return found;
}

static int not_found(const struct cli_context *context, const char *word)
{
	char *near;
	int code;

	if (is_virtual(context, word))
		return cli_fail(
			context->options, CLI_FAILURE,
			"%s exists, but no PCI function stands behind it (it is virtual, or on "
			"another bus); all functions: doorward list",
			word);
	near = near_matches(context, word);
	if (*near)
		code = cli_fail(context->options, CLI_FAILURE,
				"there is no device %s; near matches: %s", word, near);
	else
		code = cli_fail(context->options, CLI_FAILURE,
				"there is no device %s; all functions: doorward list", word);
	free(near);
	return code;
}

int cli_device_find(const struct cli_context *context, const char *word, uint32_t *ret_function)
{
	struct matches matches = { 0 };
	int code = -1;

	if (strchr(word, '/'))
		match_path(context, &matches, word);
	else
		match_word(context, &matches, word);
	if (matches.count == 0)
		code = not_found(context, word);
	else if (matches.count > 1)
		code = cli_fail(context->options, CLI_FAILURE,
				"%s may be any of %u functions: %s%s; name one by its address",
				word, matches.count, matches.list,
				matches.count > CANDIDATES_SHOWN ? ", ..." : "");
	else
		*ret_function = matches.first;
	free(matches.list);
	return code;
}
