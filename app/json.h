/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * JSON for machines, a thin layer over json-c. Every document names its schema and version;
 * addresses and 64-bit numbers are strings in hex, since many readers keep numbers as doubles.
 */
#ifndef APP_JSON_H
#define APP_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* {"schema": "doorward/KIND/1"} */
struct json_object *app_json_document(const char *kind);
struct json_object *app_json_object(void);
struct json_object *app_json_array(void);

/* Each puts a member into an object; a NULL text becomes null. */
void app_json_put(struct json_object *object, const char *key, struct json_object *value);
void app_json_put_text(struct json_object *object, const char *key, const char *text);
void app_json_put_bool(struct json_object *object, const char *key, bool value);
void app_json_put_number(struct json_object *object, const char *key, uint32_t value);
void app_json_put_hex(struct json_object *object, const char *key, uint64_t value);

void app_json_add(struct json_object *array, struct json_object *value);
void app_json_add_text(struct json_object *array, const char *text);

/* A text as JSON; bytes that are not UTF-8 become U+FFFD. */
struct json_object *app_json_text(const char *text);

/* Prints a document and lets go of it. */
void app_json_print(FILE *file, struct json_object *document);

#endif
