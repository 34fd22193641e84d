// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What has to be known of all functions before the first is added: who refers to whom, who shares a
 * slot, and where BARs lie that the description leaves to us.
 */
#include "app/machine_yaml_build.h"
#include "app/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where BARs are given: below 4 GiB as long as there is room, then far above. */
#define BAR_STRIDE 0x100000u
#define BAR_SIZE 0x4000u
#define BAR_HIGH 0x8000000000u

const char *app_machine_at(struct app_machine_building *b, const char *list, uint32_t index,
			   const char *field)
{
	snprintf(b->path, sizeof(b->path), "%s%s[%u]%s%s", b->prefix, list, (unsigned int)index,
		 field ? "." : "", field ? field : "");
	return b->path;
}

const char *app_machine_at_item(struct app_machine_building *b, const char *list, uint32_t index,
				const char *field, uint32_t item)
{
	snprintf(b->path, sizeof(b->path), "%s%s[%u].%s[%u]", b->prefix, list, (unsigned int)index,
		 field, (unsigned int)item);
	return b->path;
}

int app_machine_fail(struct app_machine_building *b, const char *path, const char *format, ...)
{
	char text[sizeof(b->error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return app_yaml_fail(b->yaml, b->error, path, "%s", text);
}

static int compare_keys(const void *left, const void *right)
{
	const struct app_machine_key *a = left, *b = right;
	int order = ward_address_compare(a->address, b->address);

	if (order)
		return order;
	return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

static const struct app_machine_key *find_key(const struct app_machine_building *b,
					      struct ward_address address)
{
	uint32_t low = 0, high = b->from->functions_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = ward_address_compare(b->keys[middle].address, address);

		if (order == 0)
			return &b->keys[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int app_machine_find(struct app_machine_building *b, const char *path, const char *name,
		     uint32_t *ret_ordinal)
{
	const struct app_machine_key *key;
	struct ward_address address;

	if (ward_address_parse(name, &address) == 0) {
		key = find_key(b, address);
		if (!key)
			return app_machine_fail(b, path, "there is no function %s", name);
		*ret_ordinal = key->ordinal;
		return 0;
	}
	for (uint32_t i = 0; i < b->from->platform_devices_count; i++) {
		if (strcmp(b->from->platform_devices[i].name, name) == 0) {
			*ret_ordinal = b->from->functions_count + i;
			return 0;
		}
	}
	return app_machine_fail(b, path, "no function is called %s", name);
}

static int compare_groups(const void *left, const void *right)
{
	const struct app_machine_group_key *a = left, *b = right;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

uint32_t app_machine_group(const struct app_machine_building *b, uint32_t number)
{
	uint32_t low = 0, high = b->groups_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (b->groups[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return b->groups[low].index;
}

static void note_group(struct app_machine_building *b, const uint32_t *number, uint32_t index)
{
	if (!number)
		return;
	app_array_grow((void **)&b->groups, b->groups_count, sizeof(*b->groups));
	b->groups[b->groups_count++] = (struct app_machine_group_key){ *number, index };
}

/* Groups are those that are listed, and those that something is said to be in. */
static void survey_groups(struct app_machine_building *b)
{
	const struct app_machine_yaml *from = b->from;
	uint32_t kept = 0, next = from->groups_count;

	for (uint32_t i = 0; i < from->groups_count; i++)
		note_group(b, &from->groups[i].number, i);
	for (uint32_t i = 0; i < from->functions_count; i++)
		note_group(b, from->functions[i].group, WARD_NONE);
	for (uint32_t i = 0; i < from->platform_devices_count; i++)
		note_group(b, from->platform_devices[i].group, WARD_NONE);
	for (uint32_t i = 0; i < from->regions_count; i++)
		note_group(b, from->regions[i].group, WARD_NONE);
	if (b->groups_count)
		qsort(b->groups, b->groups_count, sizeof(*b->groups), compare_groups);
	for (uint32_t i = 0; i < b->groups_count; i++) {
		if (kept && b->groups[kept - 1].number == b->groups[i].number)
			continue;
		b->groups[kept] = b->groups[i];
		if (b->groups[kept].index == WARD_NONE)
			b->groups[kept].index = next++;
		kept++;
	}
	b->groups_count = kept;
}

static int survey_addresses(struct app_machine_building *b)
{
	const struct app_machine_yaml *from = b->from;

	for (uint32_t i = 0; i < from->functions_count; i++) {
		b->keys[i].ordinal = i;
		if (ward_address_parse(from->functions[i].address, &b->keys[i].address))
			return app_machine_fail(b, app_machine_at(b, "functions", i, "address"),
						"\"%s\" is no address: write 01:00.0 or "
						"0000:01:00.0",
						from->functions[i].address);
	}
	if (from->functions_count)
		qsort(b->keys, from->functions_count, sizeof(*b->keys), compare_keys);
	for (uint32_t i = 1; i < from->functions_count; i++) {
		if (ward_address_compare(b->keys[i - 1].address, b->keys[i].address) == 0)
			return app_machine_fail(b,
						app_machine_at(b, "functions", b->keys[i].ordinal,
							       "address"),
						"functions[%u] has the address %s, too",
						(unsigned int)b->keys[i - 1].ordinal,
						from->functions[b->keys[i].ordinal].address);
	}
	return 0;
}

static void mark_siblings(struct app_machine_building *b)
{
	const struct app_machine_key *last = NULL;

	for (uint32_t i = 0; i < b->from->functions_count; i++) {
		const struct app_machine_key *key = &b->keys[i];

		if (b->from->functions[key->ordinal].pf)
			continue;
		if (last && last->address.segment == key->address.segment &&
		    ward_rid_raw(last->address.rid) >> 3 == ward_rid_raw(key->address.rid) >> 3)
			b->has_siblings[last->ordinal] = b->has_siblings[key->ordinal] = true;
		last = key;
	}
}

static int survey_platform(struct app_machine_building *b)
{
	const struct app_machine_yaml *from = b->from;

	for (uint32_t i = 0; i < from->platform_devices_count; i++) {
		struct ward_address address;

		if (ward_address_parse(from->platform_devices[i].name, &address) == 0)
			return app_machine_fail(b, app_machine_at(b, "platform_devices", i, "name"),
						"this is the address of a PCI function");
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(from->platform_devices[i].name,
				   from->platform_devices[k].name) == 0)
				return app_machine_fail(
					b, app_machine_at(b, "platform_devices", i, "name"),
					"platform_devices[%u] is called %s, too", (unsigned int)k,
					from->platform_devices[i].name);
	}
	return 0;
}

static int survey_vfs(struct app_machine_building *b)
{
	for (uint32_t i = 0; i < b->from->functions_count; i++) {
		const struct app_machine_function *f = &b->from->functions[i];
		uint32_t pf;
		int code;

		if (!f->pf)
			continue;
		code = app_machine_find(b, app_machine_at(b, "functions", i, "pf"), f->pf, &pf);
		if (code)
			return code;
		if (b->vfs[pf] < UINT16_MAX)
			b->vfs[pf]++;
		if (!f->absent && b->vfs_there[pf] < UINT16_MAX)
			b->vfs_there[pf]++;
	}
	return 0;
}

static int survey_partitions(struct app_machine_building *b)
{
	const struct app_machine_yaml *from = b->from;

	for (uint32_t i = 0; i < from->partitions_count; i++) {
		const struct app_machine_partition *p = &from->partitions[i];

		if (p->pe == WARD_NONE)
			return app_machine_fail(b, app_machine_at(b, "partitions", i, "pe"),
						"0xffffffff is no number of a partition");
		for (uint32_t k = 0; k < i; k++)
			if (from->partitions[k].pe == p->pe)
				return app_machine_fail(b, app_machine_at(b, "partitions", i, "pe"),
							"partitions[%u] has this number, too",
							(unsigned int)k);
		for (uint32_t k = 0; k < p->functions.count; k++) {
			const char *path = app_machine_at_item(b, "partitions", i, "functions", k);
			uint32_t ordinal;
			int code = app_machine_find(b, path, p->functions.text[k], &ordinal);

			if (code)
				return code;
			if (b->pe[ordinal] != WARD_NONE)
				return app_machine_fail(b, path, "%s is in partition %u already",
							p->functions.text[k],
							(unsigned int)b->pe[ordinal]);
			b->pe[ordinal] = p->pe;
		}
	}
	return 0;
}

/* One memory BAR for each that says nothing of BARs; in the order of addresses, as windows need it. */
static void give_bars(struct app_machine_building *b)
{
	bool arm = b->from->arch == WARD_ARCH_ARM64;
	uint64_t next = arm ? 0x10000000u : 0xc0000000u, end = arm ? 0x3f000000u : 0xfe000000u;

	for (uint32_t i = 0; i < b->from->functions_count; i++) {
		uint32_t ordinal = b->keys[i].ordinal;
		const struct app_machine_function *f = &b->from->functions[ordinal];
		bool wanted = f->auto_bar ? *f->auto_bar : f->type < APP_TYPE_ROOT_PORT;

		if (!wanted || f->bars_count)
			continue;
		if (next == end)
			next = BAR_HIGH;
		/* An MSI-X table of 2048 entries, 32 KiB, fits into half of what others have. */
		b->auto_bar[ordinal] = (struct ward_range){
			next, next + (f->msix && *f->msix > 512 ? BAR_SIZE * 4 : BAR_SIZE) - 1
		};
		next += BAR_STRIDE;
	}
}

int app_machine_survey(struct app_machine_building *b)
{
	uint32_t count = b->from->functions_count + b->from->platform_devices_count;
	int code;

	b->keys = app_alloc(count, sizeof(*b->keys));
	b->pe = app_alloc(count, sizeof(*b->pe));
	b->auto_bar = app_alloc(count, sizeof(*b->auto_bar));
	b->has_siblings = app_alloc(count, sizeof(*b->has_siblings));
	b->vfs = app_alloc(count, sizeof(*b->vfs));
	b->vfs_there = app_alloc(count, sizeof(*b->vfs_there));
	for (uint32_t i = 0; i < count; i++) {
		b->pe[i] = WARD_NONE;
		b->auto_bar[i] = WARD_RANGE_EMPTY;
	}
	code = survey_addresses(b);
	if (!code)
		code = survey_platform(b);
	if (!code)
		code = survey_vfs(b);
	if (!code)
		code = survey_partitions(b);
	if (code)
		return code;
	survey_groups(b);
	mark_siblings(b);
	give_bars(b);
	return 0;
}

void app_machine_survey_finish(struct app_machine_building *b)
{
	free(b->keys);
	free(b->pe);
	free(b->auto_bar);
	free(b->has_siblings);
	free(b->vfs);
	free(b->vfs_there);
	free(b->groups);
}
