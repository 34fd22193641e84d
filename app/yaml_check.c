// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/yaml_check.h"

#include "app/memory.h"
#include "app/nearest.h"
#include "app/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Longer names of files are cut at the front, where they say least. */
#define NAME_SHOWN 100u
#define WORD_SHOWN 40

struct check {
	const struct app_yaml *yaml;
	struct ward_error *error;
	yaml_document_t document;
	char path[256];
};

int app_yaml_fail_at(const struct app_yaml *yaml, struct ward_error *ret_error, size_t line,
		     const char *path, const char *text)
{
	size_t length = strlen(yaml->name);
	const char *name = yaml->name + (length > NAME_SHOWN ? length - NAME_SHOWN : 0);

	if (snprintf(ret_error->text, sizeof(ret_error->text), "%s%s:%zu: %s%s%s",
		     name == yaml->name ? "" : "...", name, line, path, *path ? ": " : "",
		     text) >= (int)sizeof(ret_error->text))
		memcpy(ret_error->text + sizeof(ret_error->text) - 4, "...", 4);
	/* Words of the file are in it. */
	app_text_clean(ret_error->text, false);
	return -EBADMSG;
}

__attribute__((format(printf, 3, 4))) static int fail(struct check *check, const yaml_node_t *node,
						      const char *format, ...)
{
	char text[sizeof(check->error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return app_yaml_fail_at(check->yaml, check->error, node->start_mark.line + 1, check->path,
				text);
}

/* Longer by one step; returns what was there before, to go back to. */
static size_t step(struct check *check, const char *key, uint32_t index)
{
	size_t length = strlen(check->path);
	char *to = check->path + length;
	size_t room = sizeof(check->path) - length;

	if (key)
		snprintf(to, room, "%s%s", length ? "." : "", key);
	else
		snprintf(to, room, "[%u]", (unsigned int)index);
	return length;
}

static const char *scalar_text(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

bool app_yaml_number(const char *text, const char **ret_end, uint64_t *ret_number)
{
	bool hex = text[0] == '0' && text[1] == 'x';
	const char *digits = hex ? text + 2 : text;
	size_t count = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (count == 0 || (!hex && *digits == '0' && count > 1))
		return false;
	errno = 0;
	*ret_number = strtoull(digits, NULL, hex ? 16 : 10);
	*ret_end = digits + count;
	return errno == 0;
}

static int check_number(struct check *check, const cyaml_schema_value_t *value,
			const yaml_node_t *node)
{
	const char *text = scalar_text(node), *end;
	bool negative = value->type == CYAML_INT && *text == '-';
	unsigned int bits = value->data_size * 8 - (value->type == CYAML_INT);
	uint64_t last = bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1, number;

	if (!app_yaml_number(text + negative, &end, &number) || *end)
		return fail(check, node, "\"%.*s\" is no number: write 64 or 0x40", WORD_SHOWN,
			    text);
	if (number > last + negative)
		return fail(check, node, "%.*s is beyond %s%llu", WORD_SHOWN, text,
			    negative ? "-" : "", (unsigned long long)(last + negative));
	return 0;
}

static int check_word(struct check *check, const cyaml_schema_value_t *value,
		      const yaml_node_t *node)
{
	char *list = app_strdup("");
	int code = 0;

	for (uint32_t i = 0; i < value->enumeration.count; i++) {
		char *longer;

		if (strcmp(value->enumeration.strings[i].str, scalar_text(node)) == 0) {
			free(list);
			return 0;
		}
		longer = app_printf("%s%s%s", list, *list ? ", " : "",
				    value->enumeration.strings[i].str);
		free(list);
		list = longer;
	}
	code = fail(check, node, "\"%.*s\" is none of: %s", WORD_SHOWN, scalar_text(node), list);
	free(list);
	return code;
}

static int check_text(struct check *check, const cyaml_schema_value_t *value,
		      const yaml_node_t *node)
{
	size_t length = strlen(scalar_text(node));

	if (length < value->string.min)
		return fail(check, node, "this cannot be empty");
	if (length > value->string.max)
		return fail(check, node, "%zu characters are too long; at most %u", length,
			    (unsigned int)value->string.max);
	return 0;
}

static int check_truth(struct check *check, const yaml_node_t *node)
{
	static const char *const words[] = { "yes", "no", "true", "false" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], scalar_text(node)) == 0)
			return 0;
	return fail(check, node, "\"%.*s\" is neither yes nor no", WORD_SHOWN, scalar_text(node));
}

static int check_scalar(struct check *check, const cyaml_schema_value_t *value,
			const yaml_node_t *node)
{
	if (node->data.scalar.length == 0 && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return fail(check, node, "nothing stands here");
	if (strlen(scalar_text(node)) != node->data.scalar.length)
		return fail(check, node, "a zero byte is no part of a text");
	if (value->type == CYAML_UINT || value->type == CYAML_INT)
		return check_number(check, value, node);
	if (value->type == CYAML_BOOL)
		return check_truth(check, node);
	if (value->type == CYAML_ENUM || value->type == CYAML_FLAGS)
		return check_word(check, value, node);
	return check_text(check, value, node);
}

static int check_node(struct check *check, const cyaml_schema_value_t *value,
		      const yaml_node_t *node);

static int check_sequence(struct check *check, const cyaml_schema_value_t *value,
			  const yaml_node_t *node)
{
	size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	bool flags = value->type == CYAML_FLAGS;
	int code = 0;

	if (!flags && count < value->sequence.min)
		return fail(check, node, "%zu are too few; at least %u", count,
			    (unsigned int)value->sequence.min);
	if (!flags && count > value->sequence.max)
		return fail(check, node, "%zu are too many; at most %u", count,
			    (unsigned int)value->sequence.max);
	for (uint32_t i = 0; i < count && !code; i++) {
		const yaml_node_t *entry =
			yaml_document_get_node(&check->document,
					       node->data.sequence.items.start[i]);
		size_t length = step(check, NULL, i);

		if (!flags)
			code = check_node(check, value->sequence.entry, entry);
		else if (entry->type != YAML_SCALAR_NODE)
			code = fail(check, entry, "a word belongs here");
		else
			code = check_scalar(check, value, entry);
		check->path[length] = '\0';
	}
	return code;
}

static int unknown_key(struct check *check, const cyaml_schema_value_t *value,
		       const yaml_node_t *key)
{
	struct app_nearest nearest;

	app_nearest_init(&nearest, scalar_text(key));
	for (const cyaml_schema_field_t *f = value->mapping.fields; f->key; f++)
		app_nearest_offer(&nearest, f->key);
	if (nearest.count)
		return fail(check, key, "there is no field \"%.*s\"; did you mean \"%s\"?",
			    WORD_SHOWN, scalar_text(key), nearest.found[0]);
	return fail(check, key, "there is no field \"%.*s\"", WORD_SHOWN, scalar_text(key));
}

/* A field of a mapping: its key, then its value. *seen: those that were there, by their places. */
static int check_pair(struct check *check, const cyaml_schema_value_t *value,
		      const yaml_node_pair_t *pair, uint64_t *seen)
{
	const yaml_node_t *key = yaml_document_get_node(&check->document, pair->key);
	const cyaml_schema_field_t *field = value->mapping.fields;
	size_t length;
	uint64_t bit;
	int code;

	if (key->type != YAML_SCALAR_NODE)
		return fail(check, key, "the name of a field is a word");
	while (field->key && strcmp(field->key, scalar_text(key)) != 0)
		field++;
	if (!field->key || strlen(field->key) != key->data.scalar.length)
		return unknown_key(check, value, key);
	length = step(check, field->key, 0);
	bit = (uint64_t)1 << (field - value->mapping.fields);
	if (*seen & bit)
		code = fail(check, key, "this stands here twice");
	else
		code = check_node(check, &field->value,
				  yaml_document_get_node(&check->document, pair->value));
	*seen |= bit;
	check->path[length] = '\0';
	return code;
}

static int check_mapping(struct check *check, const cyaml_schema_value_t *value,
			 const yaml_node_t *node)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	uint64_t seen = 0;
	int code = 0;

	for (; pair < node->data.mapping.pairs.top && !code; pair++)
		code = check_pair(check, value, pair, &seen);
	for (const cyaml_schema_field_t *f = value->mapping.fields; f->key && !code; f++) {
		if (!(f->value.flags & CYAML_FLAG_OPTIONAL) &&
		    !(seen >> (f - value->mapping.fields) & 1))
			code = fail(check, node, "the field \"%s\" is missing", f->key);
	}
	return code;
}

static int check_node(struct check *check, const cyaml_schema_value_t *value,
		      const yaml_node_t *node)
{
	if (value->type == CYAML_MAPPING) {
		if (node->type != YAML_MAPPING_NODE)
			return fail(check, node, "fields belong here (name: value)");
		return check_mapping(check, value, node);
	}
	if (value->type == CYAML_SEQUENCE || value->type == CYAML_FLAGS) {
		if (node->type != YAML_SEQUENCE_NODE)
			return fail(check, node, "a list belongs here: [one, two]");
		return check_sequence(check, value, node);
	}
	if (value->type == CYAML_IGNORE)
		return 0;
	if (node->type != YAML_SCALAR_NODE)
		return fail(check, node, "one value belongs here, no list and no fields");
	return check_scalar(check, value, node);
}

static int check_parser(const struct app_yaml *yaml, struct ward_error *ret_error,
			const yaml_parser_t *parser)
{
	char text[sizeof(ret_error->text)];

	if (parser->error == YAML_MEMORY_ERROR) {
		snprintf(ret_error->text, sizeof(ret_error->text), "%s: %s", yaml->name,
			 strerror(ENOMEM));
		return -ENOMEM;
	}
	snprintf(text, sizeof(text), "this is no YAML: %s",
		 parser->problem ? parser->problem : "it makes no sense");
	return app_yaml_fail_at(yaml, ret_error,
				(parser->problem_mark.line ? parser->problem_mark.line
							   : parser->mark.line) +
					1,
				"", text);
}

/* What may stand nowhere, or not so much of it. NULL: the event is fine. */
static const char *objection(const yaml_event_t *event, uint32_t *depth, uint32_t *nodes,
			     uint32_t *documents)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_DOCUMENT_START_EVENT && (*documents)++)
		return "a second document begins here; only one belongs into a file";
	if (event->type == YAML_ALIAS_EVENT)
		return "aliases (*name) are not taken: write it out";
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		++*depth;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		++*depth;
	} else {
		*depth -= event->type == YAML_SEQUENCE_END_EVENT ||
			  event->type == YAML_MAPPING_END_EVENT;
		return NULL;
	}
	if (anchor)
		return "anchors (&name) are not taken";
	if (tag)
		return "tags (!name) are not taken";
	if (*depth > APP_YAML_DEPTH_MAX)
		return "this is too deep";
	return ++*nodes > APP_YAML_NODES_MAX ? "this is too much for a description" : NULL;
}

/* Structure alone, event by event, so that nothing large is ever built of what is refused. */
int app_yaml_check_events(const struct app_yaml *yaml, struct ward_error *ret_error)
{
	uint32_t depth = 0, nodes = 0, documents = 0;
	yaml_parser_t parser;
	bool end = false;
	int code = 0;

	if (!yaml_parser_initialize(&parser))
		app_need(NULL);
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml->bytes, yaml->size);
	while (!end && !code) {
		yaml_event_t event;
		const char *text;

		if (!yaml_parser_parse(&parser, &event)) {
			code = check_parser(yaml, ret_error, &parser);
			break;
		}
		text = objection(&event, &depth, &nodes, &documents);
		if (text)
			code = app_yaml_fail_at(yaml, ret_error, event.start_mark.line + 1, "",
						text);
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return code;
}

int app_yaml_check(const struct app_yaml *yaml, struct ward_error *ret_error)
{
	struct check check = { .yaml = yaml, .error = ret_error };
	const yaml_node_t *root;
	yaml_parser_t parser;
	int code = app_yaml_check_events(yaml, ret_error);

	if (code)
		return code;
	if (!yaml_parser_initialize(&parser))
		app_need(NULL);
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml->bytes, yaml->size);
	if (yaml_parser_load(&parser, &check.document)) {
		root = yaml_document_get_root_node(&check.document);
		code = root ? check_node(&check, yaml->schema, root)
			    : app_yaml_fail_at(yaml, ret_error, 1, "", "nothing is described here");
		yaml_document_delete(&check.document);
	} else {
		code = check_parser(yaml, ret_error, &parser);
	}
	yaml_parser_delete(&parser);
	return code;
}
