// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The kept corpora of the firmware fuzzers hold an accepted input for each structure. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/dmar.h"
#include "firmware/dtb.h"
#include "firmware/iort.h"
#include "firmware/ivrs.h"
#include "firmware/madt.h"
#include "firmware/viot.h"

#define SEED_MAX 65536

/* Parses one seed and says which structures it has. */
typedef uint64_t (*seen_in)(const void *bytes, size_t size, const char *name);

static uint64_t bit(bool on, unsigned int which)
{
	return on ? UINT64_C(1) << which : 0;
}

static void accepted(int code, const char *name, const struct ward_error *error)
{
	if (code)
		fail_msg("seed %s is refused: %s", name, error->text);
}

static uint64_t seen_in_folder(const char *kind, seen_in parse)
{
	static uint8_t bytes[SEED_MAX];
	const char *root = getenv("DOORWARD_SOURCE");
	char folder[4096], path[8192];
	struct dirent *entry;
	uint64_t seen = 0;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/fuzz/corpus/%s", root ? root : ".", kind);
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		size_t size;
		FILE *file;

		/* Kept for what they once did; refusing them is what they are for. */
		if (entry->d_name[0] == '.' || !strncmp(entry->d_name, "refused-", 8))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		file = fopen(path, "rb");
		assert_non_null(file);
		size = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		seen |= parse(bytes, size, path);
	}
	closedir(dir);
	return seen;
}

static uint64_t seen_in_madt(const void *bytes, size_t size, const char *name)
{
	struct ward_error error = { "" };
	struct ward_madt *m = NULL;
	uint64_t seen;

	accepted(ward_madt_parse(bytes, size, &m, &error), name, &error);
	seen = bit(m->apics, 0) | bit(m->x2apics, 1) | bit(m->ioapics_count, 2) |
	       bit(m->gic_cpus, 3) | bit(m->distributors_count, 4) | bit(m->itss_count > 1, 5);
	for (uint32_t i = 0; i < m->frames_count; i++)
		seen |= bit(m->frames[i].spis_given, 6) | bit(!m->frames[i].spis_given, 7);
	seen |= bit(m->frames_count && m->oem_id[0] == 'A', 8);
	ward_madt_destroy(m);
	return seen;
}

static uint64_t seen_in_iort(const void *bytes, size_t size, const char *name)
{
	struct ward_error error = { "" };
	struct ward_iort *t = NULL;
	uint64_t seen = 0;

	accepted(ward_iort_parse(bytes, size, &t, &error), name, &error);
	for (uint32_t i = 0; i < t->nodes_count; i++) {
		const struct ward_iort_node *node = &t->nodes[i];

		seen |= bit(true, node->type < 8 ? node->type : 8);
		seen |= bit(node->type == WARD_IORT_SMMUV3 && ward_iort_own_map(node) != WARD_NONE,
			    9);
		for (uint32_t k = 0; k < node->maps_count; k++)
			seen |= bit(t->maps[node->first_map + k].single, 10) |
				bit(!t->maps[node->first_map + k].single, 11);
	}
	seen |= bit(t->ids_count > 1, 12);
	ward_iort_destroy(t);
	return seen;
}

static uint64_t seen_in_dmar(const void *bytes, size_t size, const char *name)
{
	struct ward_error error = { "" };
	struct ward_dmar *d = NULL;
	uint64_t seen;

	accepted(ward_dmar_parse(bytes, size, &d, &error), name, &error);
	seen = bit(d->flags & WARD_DMAR_INTR_REMAP, 0);
	for (uint32_t i = 0; i < d->units_count; i++)
		seen |= bit(true, 1 + d->units[i].type) |
			bit(d->units[i].flags & 1 && d->units[i].type == WARD_DMAR_DRHD, 8) |
			bit(d->units[i].segment, 9);
	for (uint32_t i = 0; i < d->scopes_count; i++)
		seen |= bit(true, 10u + d->scopes[i].type) | bit(d->scopes[i].path_count > 1, 16);
	ward_dmar_destroy(d);
	return seen;
}

static uint64_t seen_in_ivrs(const void *bytes, size_t size, const char *name)
{
	struct ward_error error = { "" };
	struct ward_ivrs *v = NULL;
	uint64_t seen = 0;

	accepted(ward_ivrs_parse(bytes, size, &v, &error), name, &error);
	for (uint32_t i = 0; i < v->iommus_count; i++)
		seen |= bit(v->iommus[i].type == 0x10, 0) | bit(v->iommus[i].type == 0x11, 1) |
			bit(v->iommus[i].type == 0x40, 2) | bit(!v->iommus[i].used, 3);
	for (uint32_t i = 0; i < v->entries_count; i++) {
		const struct ward_ivrs_entry *e = &v->entries[i];

		seen |= bit(true, 4 + e->kind) | bit(e->first == 0 && e->last == 0xffff, 8) |
			bit(e->first != e->last && e->aliased, 9) |
			bit(e->first == e->last && e->aliased, 10) |
			bit(e->first != e->last && !e->aliased, 11);
	}
	for (uint32_t i = 0; i < v->memories_count; i++)
		seen |= bit(v->memories[i].last == 0xffff, 12) |
			bit(v->memories[i].first == v->memories[i].last, 13) |
			bit(v->memories[i].last == 0x1ff, 14);
	ward_ivrs_destroy(v);
	return seen;
}

static uint64_t seen_in_viot(const void *bytes, size_t size, const char *name)
{
	struct ward_error error = { "" };
	struct ward_viot *v = NULL;
	uint64_t seen = 0;

	accepted(ward_viot_parse(bytes, size, &v, &error), name, &error);
	for (uint32_t i = 0; i < v->iommus_count; i++)
		seen |= bit(v->iommus[i].pci, 0) | bit(!v->iommus[i].pci, 1);
	for (uint32_t i = 0; i < v->endpoints_count; i++)
		seen |= bit(v->endpoints[i].pci, 2) | bit(!v->endpoints[i].pci, 3);
	ward_viot_destroy(v);
	return seen;
}

static uint64_t seen_in_map(const struct ward_dtb_map *map, unsigned int which)
{
	return bit(map->present, which) | bit(map->present && map->mask != UINT32_MAX, which + 1);
}

static uint64_t seen_in_dtb(const void *bytes, size_t size, const char *name)
{
	struct ward_error error = { "" };
	struct ward_dtb *d = NULL;
	uint64_t seen = 0;

	accepted(ward_dtb_parse(bytes, size, &d, &error), name, &error);
	for (uint32_t i = 0; i < d->controllers_count; i++)
		seen |= bit(true, d->controllers[i].kind) |
			bit(d->controllers[i].kind == WARD_DTB_V2M && d->controllers[i].intids, 4);
	for (uint32_t i = 0; i < d->iommus_count; i++)
		seen |= bit(true, 5 + d->iommus[i].kind) |
			bit(d->iommus[i].controller != WARD_NONE, 10);
	for (uint32_t i = 0; i < d->hosts_count; i++)
		seen |= seen_in_map(&d->hosts[i].msi, 11) | seen_in_map(&d->hosts[i].iommu, 13) |
			bit(d->hosts[i].segment_known, 15) | bit(!d->hosts[i].segment_known, 16) |
			bit(d->hosts[i].msi_parent != WARD_NONE, 17) | bit(d->hosts[i].ats, 18) |
			bit(d->hosts[i].first_bus, 19);
	for (uint32_t i = 0; i < d->devices_count; i++)
		seen |= bit(d->devices[i].iommu != WARD_NONE, 20) |
			bit(d->devices[i].controller != WARD_NONE, 21);
	ward_dtb_destroy(d);
	return seen;
}

static void every_structure_is_there(void **state)
{
	(void)state;
	assert_int_equal(seen_in_folder("madt", seen_in_madt), 0x1ff);
	assert_int_equal(seen_in_folder("iort", seen_in_iort), 0x1fff);
	/* Unit types 0, 1, 2 and 5; scope types 1 to 5. */
	assert_int_equal(seen_in_folder("dmar", seen_in_dmar), 0x1fb4f);
	assert_int_equal(seen_in_folder("ivrs", seen_in_ivrs), 0x7fff);
	assert_int_equal(seen_in_folder("viot", seen_in_viot), 0xf);
	assert_int_equal(seen_in_folder("dtb", seen_in_dtb), 0x3fffff);
}

/* It made libfdt's own check walk in a circle. */
static void a_blob_that_leads_back_is_refused(void **state)
{
	static uint8_t bytes[SEED_MAX];
	const char *root = getenv("DOORWARD_SOURCE");
	struct ward_error error = { "" };
	struct ward_dtb *dtb;
	char path[4096];
	size_t size;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/fuzz/corpus/dtb/refused-loop", root ? root : ".");
	file = fopen(path, "rb");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_int_equal(ward_dtb_parse(bytes, size, &dtb, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "not a tag that fits"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_structure_is_there),
		cmocka_unit_test(a_blob_that_leads_back_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
