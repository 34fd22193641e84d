// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/hop.h"

#include <string.h>

static size_t widest_name(void)
{
	size_t width = 0;

	for (int hop = WARD_HOP_VECTOR; hop <= WARD_HOP_VCPU; hop++) {
		size_t length = strlen(ward_hop_name((enum ward_hop)hop));

		if (length > width)
			width = length;
	}
	return width;
}

void cli_say_hop(const struct app_text *out, size_t indent, const struct ward_trace_hop *hop)
{
	const char *name = ward_hop_name(hop->hop);
	size_t width = widest_name();

	app_say_in(out, APP_BOLD, "%*s%s", (int)indent, "", name);
	app_say(out, "%*s", (int)(width - strlen(name) + 2), "");
	app_paragraph(out, indent + width + 2, indent + width + 2, "%s%s",
		      hop->known ? "" : "not seen: ", hop->text);
}

struct json_object *cli_hop_json(const struct ward_trace_hop *hop)
{
	struct json_object *object = app_json_object();

	app_json_put_text(object, "hop", ward_hop_name(hop->hop));
	app_json_put_text(object, "text", hop->text);
	app_json_put_bool(object, "known", hop->known);
	app_json_put_bool(object, "stops", hop->stops);
	for (uint32_t i = 0; i < hop->fields_count; i++) {
		const struct ward_hop_field *field = &hop->fields[i];

		if (field->hex)
			app_json_put_hex(object, field->name, field->value);
		else
			app_json_put_number(object, field->name, (uint32_t)field->value);
	}
	return object;
}
