// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The names people use for a function: of its network interfaces, disks, screens. */
#include "machine/read.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* Below the directory of a function; the last part is the name. */
static const char *const name_patterns[] = {
	"net/*",
	"infiniband/*",
	"nvme/nvme*",
	"nvme/nvme*/nvme*n*",
	"block/*",
	"drm/card[0-9]*",
	"virtio*/net/*",
	"virtio*/block/*",
	"virtio*/host*/target*/*/block/*",
	"host*/target*/*/block/*",
	"host*/rport-*/target*/*/block/*",
	"host*/port-*/end_device-*/target*/*/block/*",
	"host*/port-*/expander-*/port-*/end_device-*/target*/*/block/*",
	"ata*/host*/target*/*/block/*",
};

static bool has_name(const struct ward_seen *seen, const char *name)
{
	for (uint32_t i = 0; i < seen->names_count; i++)
		if (!strcmp(seen->names[i], name))
			return true;
	return false;
}

/*
 * "nvme0c1n1" is the path through controller 1 to the disk that everybody calls "nvme0n1" (Linux
 * drivers/nvme/host/multipath.c), which hangs below no controller.
 */
static void take_disk_of_path(const char *name, char ret_name[64])
{
	unsigned int subsystem, controller, space;
	int end = 0;

	if (sscanf(name, "nvme%5uc%5un%9u%n", &subsystem, &controller, &space, &end) == 3 &&
	    name[end] == '\0')
		snprintf(ret_name, 64, "nvme%un%u", subsystem, space);
}

static int keep_name(struct ward_reading *reading, const struct ward_dir *dir, const char *name,
		     struct ward_seen *seen)
{
	char disk[64] = "";

	take_disk_of_path(name, disk);
	if (seen->names_count == WARD_READ_NAMES || has_name(seen, disk[0] ? disk : name))
		return 0;
	ward_dir_note(dir, name);
	seen->names[seen->names_count] = ward_arena_strdup(&reading->arena, disk[0] ? disk : name);
	if (!seen->names[seen->names_count])
		return -ENOMEM;
	seen->names_count++;
	return 0;
}

/* Follows a pattern below dir, whose entries are names. As deep as the pattern is long. */
static int follow(struct ward_reading *reading, const struct ward_dir *dir,
		  const struct ward_names *names, const char *pattern, struct ward_seen *seen)
{
	size_t length = strcspn(pattern, "/");
	struct ward_names below_names;
	struct ward_dir below;
	char part[32];
	int err = 0;

	memcpy(part, pattern, length);
	part[length] = '\0';
	for (size_t i = 0; i < names->count && !ward_tree_failed(err); i++) {
		if (fnmatch(part, names->name[i], FNM_NOESCAPE) != 0)
			continue;
		if (pattern[length] == '\0') {
			err = keep_name(reading, dir, names->name[i], seen);
			continue;
		}
		err = ward_dir_enter(dir, names->name[i], &below);
		if (err < 0)
			continue;
		err = ward_dir_list(&below, &below_names);
		if (err == 0) {
			err = follow(reading, &below, &below_names, pattern + length + 1, seen);
			ward_names_finish(&below_names);
		}
		ward_dir_close(&below);
	}
	return ward_tree_failed(err) ? err : 0;
}

int ward_read_names(struct ward_reading *reading, const struct ward_dir *dir,
		    struct ward_seen *seen)
{
	struct ward_names names;
	int err;

	err = ward_dir_list(dir, &names);
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	for (size_t i = 0; i < sizeof(name_patterns) / sizeof(name_patterns[0]) && err == 0; i++)
		err = follow(reading, dir, &names, name_patterns[i], seen);
	ward_names_finish(&names);
	return err;
}
