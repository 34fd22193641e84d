// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/json.h"

#include "app/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the UTF-8 character at text (RFC 3629, 4), or 0 when it is none. */
static size_t utf8_length(const unsigned char *text)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	if (text[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (text[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (text[0] == 0xf0)
		low = 0x90; /* overlong */
	else if (text[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

struct json_object *app_json_text(const char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	struct json_object *value;
	char *clean, *to;

	if (!text)
		return NULL;
	clean = to = app_alloc(strlen(text) * 3 + 1, 1);
	while (*from) {
		size_t length = utf8_length(from);

		if (length) {
			memcpy(to, from, length);
			to += length;
			from += length;
		} else {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
			from++;
		}
	}
	value = app_need(json_object_new_string(clean));
	free(clean);
	return value;
}

struct json_object *app_json_object(void)
{
	return app_need(json_object_new_object());
}

struct json_object *app_json_array(void)
{
	return app_need(json_object_new_array());
}

struct json_object *app_json_document(const char *kind)
{
	struct json_object *document = app_json_object();
	char *schema = app_printf("doorward/%s/1", kind);

	app_json_put_text(document, "schema", schema);
	free(schema);
	return document;
}

void app_json_put(struct json_object *object, const char *key, struct json_object *value)
{
	if (json_object_object_add(object, key, value) < 0)
		app_need(NULL);
}

void app_json_put_text(struct json_object *object, const char *key, const char *text)
{
	app_json_put(object, key, app_json_text(text));
}

void app_json_put_bool(struct json_object *object, const char *key, bool value)
{
	app_json_put(object, key, app_need(json_object_new_boolean(value)));
}

void app_json_put_number(struct json_object *object, const char *key, uint32_t value)
{
	app_json_put(object, key, app_need(json_object_new_int64(value)));
}

void app_json_put_hex(struct json_object *object, const char *key, uint64_t value)
{
	char text[2 + 16 + 1];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	app_json_put_text(object, key, text);
}

void app_json_add(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value) < 0)
		app_need(NULL);
}

void app_json_add_text(struct json_object *array, const char *text)
{
	app_json_add(array, app_json_text(text));
}

void app_json_print(FILE *file, struct json_object *document)
{
	const char *text =
		json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
								 JSON_C_TO_STRING_NOSLASHESCAPE);

	fputs(app_need((void *)(uintptr_t)text), file);
	fputc('\n', file);
	json_object_put(document);
}
