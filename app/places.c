// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/places.h"

#include "app/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct app_places {
	yaml_document_t document;
};

int app_places_create(const char *bytes, size_t size, struct app_places **ret_places)
{
	struct app_places *places = app_alloc(1, sizeof(*places));
	yaml_parser_t parser;
	int loaded;

	if (!yaml_parser_initialize(&parser)) {
		free(places);
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, size);
	loaded = yaml_parser_load(&parser, &places->document);
	yaml_parser_delete(&parser);
	if (!loaded) {
		free(places);
		return -EINVAL;
	}
	*ret_places = places;
	return 0;
}

void app_places_destroy(struct app_places *places)
{
	if (!places)
		return;
	yaml_document_delete(&places->document);
	free(places);
}

static bool is_word(const yaml_node_t *node, const char *word, size_t length)
{
	return node && node->type == YAML_SCALAR_NODE && node->data.scalar.length == length &&
	       memcmp(node->data.scalar.value, word, length) == 0;
}

/* What a piece of a path names in a node; ret_key is the key before it, or NULL. */
static yaml_node_t *child(yaml_document_t *document, const yaml_node_t *node, const char *word,
			  size_t length, yaml_node_t **ret_key)
{
	unsigned long number;

	*ret_key = NULL;
	if (node->type == YAML_SEQUENCE_NODE) {
		number = strtoul(word, NULL, 10);
		if (number >= (unsigned long)(node->data.sequence.items.top -
					      node->data.sequence.items.start))
			return NULL;
		return yaml_document_get_node(document, node->data.sequence.items.start[number]);
	}
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_document_get_node(document, pair->key);

		if (!is_word(key, word, length))
			continue;
		*ret_key = key;
		return yaml_document_get_node(document, pair->value);
	}
	return NULL;
}

/* Walks a path; the node it ends at is NULL when something on it is not there. */
static yaml_node_t *walk(const struct app_places *places, const char *path, uint32_t *ret_line)
{
	/* libyaml only looks, but takes no const. */
	yaml_document_t document = places->document;
	yaml_node_t *node = yaml_document_get_root_node(&document), *key;

	*ret_line = 1;
	if (!node)
		return NULL;
	*ret_line = (uint32_t)node->start_mark.line + 1;
	while (*path) {
		size_t length = strcspn(path, "/");

		node = child(&document, node, path, length, &key);
		if (!node)
			return NULL;
		*ret_line = (uint32_t)(key ? key : node)->start_mark.line + 1;
		path += length;
		path += *path == '/';
	}
	return node;
}

uint32_t app_places_line(const struct app_places *places, const char *path)
{
	uint32_t line = 0;

	if (places)
		(void)walk(places, path, &line);
	return line;
}

bool app_places_has(const struct app_places *places, const char *path)
{
	uint32_t line;

	return walk(places, path, &line);
}

bool app_places_is_scalar(const struct app_places *places, const char *path)
{
	uint32_t line;
	const yaml_node_t *node = walk(places, path, &line);

	return node && node->type == YAML_SCALAR_NODE;
}
