// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The format is described in the head of pci.ids itself (https://pci-ids.ucw.cz). */
#include "app/names.h"

#include "app/memory.h"
#include "app/tree.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (16u * 1024 * 1024)

enum kind {
	VENDOR,	  /* key: vendor << 16 */
	DEVICE,	  /* key: vendor << 16 | device */
	BASE,	  /* key: base class << 8 */
	SUBCLASS, /* key: base class << 8 | subclass */
};

struct name {
	enum kind kind;
	uint32_t key;
	const char *text; /* NULL: not found */
};

struct app_names {
	struct name *name; /* sorted by key, then kind, without doubles */
	size_t count;
	char *file;
};

static int compare(const void *left, const void *right)
{
	const struct name *a = left, *b = right;
	bool a_class = a->kind >= BASE, b_class = b->kind >= BASE;

	if (a_class != b_class)
		return a_class ? 1 : -1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

static struct name *find(const struct app_names *names, enum kind kind, uint32_t key)
{
	struct name wanted = { .kind = kind, .key = key };

	if (names->count == 0)
		return NULL;
	return bsearch(&wanted, names->name, names->count, sizeof(wanted), compare);
}

static void want(struct app_names *names, enum kind kind, uint32_t key)
{
	app_array_grow((void **)&names->name, names->count, sizeof(*names->name));
	names->name[names->count++] = (struct name){ .kind = kind, .key = key };
}

static void want_all(struct app_names *names, const struct ward_machine *machine)
{
	size_t kept = 0;

	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *function = &machine->functions[i];
		uint32_t vendor = (uint32_t)function->vendor << 16;

		if (function->kind != WARD_FUNCTION_PCI)
			continue;
		want(names, VENDOR, vendor);
		want(names, DEVICE, vendor | function->device);
		want(names, BASE, function->class_code >> 8 & 0xff00);
		want(names, SUBCLASS, function->class_code >> 8 & 0xffff);
	}
	if (names->count)
		qsort(names->name, names->count, sizeof(*names->name), compare);
	for (size_t i = 0; i < names->count; i++)
		if (kept == 0 || compare(&names->name[kept - 1], &names->name[i]) != 0)
			names->name[kept++] = names->name[i];
	names->count = kept;
}

/* Reads digits hexadecimal digits and the spaces behind; returns the name, or NULL. */
static char *parse(char *line, unsigned int digits, uint32_t *ret_id)
{
	uint32_t id = 0;

	for (unsigned int i = 0; i < digits; i++, line++) {
		if (!isxdigit((unsigned char)*line))
			return NULL;
		id = id << 4 | (uint32_t)(isdigit((unsigned char)*line)
						  ? *line - '0'
						  : tolower((unsigned char)*line) - 'a' + 10);
	}
	if (*line != ' ')
		return NULL;
	line += strspn(line, " ");
	*ret_id = id;
	return *line ? line : NULL;
}

static void note(struct app_names *names, enum kind kind, uint32_t key, const char *text)
{
	struct name *name = find(names, kind, key);

	if (name && !name->text)
		name->text = text;
}

/* What the lines that begin with a tab belong to. */
struct place {
	bool classes;
	bool wanted;
	uint32_t above;
};

static void parse_top(struct app_names *names, struct place *place, char *line)
{
	uint32_t id;
	char *text;

	place->wanted = false;
	place->classes = line[0] == 'C' && line[1] == ' ';
	text = place->classes ? parse(line + 2, 2, &id) : parse(line, 4, &id);
	if (!text)
		return;
	place->above = place->classes ? id << 8 : id << 16;
	place->wanted = find(names, place->classes ? BASE : VENDOR, place->above) != NULL;
	note(names, place->classes ? BASE : VENDOR, place->above, text);
}

static void parse_line(struct app_names *names, struct place *place, char *line)
{
	uint32_t id;
	char *text;

	if (*line == '#' || *line == '\0')
		return;
	if (*line != '\t') {
		parse_top(names, place, line);
		return;
	}
	if (!place->wanted)
		return;
	/* Lines of subsystems and interfaces begin with two tabs, which is no digit. */
	text = parse(line + 1, place->classes ? 2 : 4, &id);
	if (text)
		note(names, place->classes ? SUBCLASS : DEVICE, place->above | id, text);
}

struct app_names *app_names_load(int root, const struct ward_machine *machine)
{
	static const char *const places[] = {
		APP_NAMES_PATH,
		"usr/share/misc/pci.ids",
		"usr/share/hwdata/pci.ids",
	};
	struct app_names *names = app_alloc(1, sizeof(*names));
	struct place place = { 0 };
	size_t size, i = 0;
	char *line, *rest;

	want_all(names, machine);
	while (i < sizeof(places) / sizeof(*places) &&
	       app_tree_read(root, places[i], FILE_MAX, &names->file, &size) < 0)
		i++;
	rest = names->file;
	while ((line = strsep(&rest, "\n")))
		parse_line(names, &place, line);
	return names;
}

static const char *text_of(const struct app_names *names, enum kind kind, uint32_t key)
{
	const struct name *name = find(names, kind, key);

	return name ? name->text : NULL;
}

const char *app_names_vendor(const struct app_names *names, uint16_t vendor)
{
	return text_of(names, VENDOR, (uint32_t)vendor << 16);
}

const char *app_names_device(const struct app_names *names, uint16_t vendor, uint16_t device)
{
	return text_of(names, DEVICE, (uint32_t)vendor << 16 | device);
}

const char *app_names_class(const struct app_names *names, uint32_t class_code)
{
	const char *text = text_of(names, SUBCLASS, class_code >> 8 & 0xffff);

	return text ? text : text_of(names, BASE, class_code >> 8 & 0xff00);
}

static void write_name(FILE *file, const struct name *name)
{
	switch (name->kind) {
	case VENDOR:
		fprintf(file, "%04x  %s\n", name->key >> 16, name->text);
		break;
	case DEVICE:
		fprintf(file, "\t%04x  %s\n", name->key & 0xffff, name->text);
		break;
	case BASE:
		fprintf(file, "C %02x  %s\n", name->key >> 8, name->text);
		break;
	case SUBCLASS:
		fprintf(file, "\t%02x  %s\n", name->key & 0xff, name->text);
		break;
	}
}

char *app_names_write(const struct app_names *names)
{
	char *text = NULL;
	size_t size;
	FILE *file = app_need(open_memstream(&text, &size));

	for (size_t i = 0; i < names->count; i++)
		if (names->name[i].text)
			write_name(file, &names->name[i]);
	if (fclose(file) != 0)
		app_need(NULL);
	return text;
}

void app_names_destroy(struct app_names *names)
{
	if (!names)
		return;
	free(names->name);
	free(names->file);
	free(names);
}
