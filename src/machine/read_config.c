// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Config space of one function, without waking it. Each dword that is read of it is a transaction
 * on the bus, so no more is read than its capability lists reach.
 */
#include "machine/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/read_files.h"
#include "pci/config.h"

#define CAPABILITY_PCIE 0x10
#define EXTENDED_FIRST 0x100u
/* No extended capability that config.c knows is longer. */
#define EXTENDED_SIZE 64u
#define EXTENDED_MAX ((WARD_CONFIG_FULL - EXTENDED_FIRST) / 4)

/* Offset of the first capability with an id, or 0. */
static unsigned int find_capability(const uint8_t *config, size_t size, uint8_t id)
{
	unsigned int at = size >= WARD_CONFIG_PLAIN ? config[0x34] & 0xfcu : 0;

	for (unsigned int i = 0; i < 48 && at >= 0x40; i++) {
		if (config[at] == id)
			return at;
		at = config[at + 1] & 0xfcu;
	}
	return 0;
}

/* For ward_dir_read_wanted: all plain config space, then as far as the extended list leads. */
static size_t config_wanted(const uint8_t *config, size_t size)
{
	unsigned int at = EXTENDED_FIRST;

	if (size < WARD_CONFIG_PLAIN)
		return WARD_CONFIG_PLAIN;
	if (!find_capability(config, size, CAPABILITY_PCIE))
		return size;
	for (unsigned int i = 0; i < EXTENDED_MAX && at >= EXTENDED_FIRST; i++) {
		uint32_t header;

		if (at + EXTENDED_SIZE > size && size < WARD_CONFIG_FULL)
			return (at + EXTENDED_SIZE + 0xff) & ~(size_t)0xff;
		if (at + sizeof(header) > size)
			break;
		header = config[at] | (uint32_t)config[at + 1] << 8 |
			 (uint32_t)config[at + 2] << 16 | (uint32_t)config[at + 3] << 24;
		if (header == 0 || header == UINT32_MAX)
			break;
		at = header >> 20 & 0xffc;
	}
	return size;
}

static int remark_problems(struct ward_reading *reading, const struct ward_function *f,
			   const struct ward_pci_problems *problems, const char *code)
{
	char text[WARD_ADDRESS_TEXT];
	int err = 0;

	ward_address_format(f->address, text);
	for (uint32_t i = 0; i < problems->count && err == 0; i++)
		err = ward_builder_remark(reading->builder, code, "%s: %s (config space at 0x%x)",
					  text, ward_pci_problem_text(problems->list[i].code),
					  problems->list[i].offset);
	return err;
}

static int parse_config(struct ward_reading *reading, struct ward_seen *seen,
			const struct ward_bytes *config)
{
	struct ward_function *f = &seen->function;
	struct ward_pci_problems problems;
	int err;

	err = ward_pci_config_parse(config->data, config->size, f, &problems);
	if (err == -ENODATA)
		return remark_problems(reading, f, &problems, "config-unreadable");
	if (err < 0)
		return err;
	/* The problem list tells of layouts nobody knows; as an endpoint they do no harm. */
	if (f->header_type > 2)
		f->header_type = 0;
	return remark_problems(reading, f, &problems, "config-broken");
}

static int runtime_suspended(const struct ward_dir *dir, bool *ret_suspended)
{
	char status[32];
	int err;

	err = ward_dir_text(dir, WARD_FILE_RUNTIME_STATUS, sizeof(status), status);
	if (ward_tree_failed(err))
		return err;
	*ret_suspended = err == 0 && !strncmp(status, "suspend", 7);
	return 0;
}

static int parent_suspended(const struct ward_dir *dir, bool *ret_suspended)
{
	char path[WARD_TREE_PATH];
	struct ward_dir parent;
	int err;

	err = ward_tree_resolve(dir->path, "..", path);
	if (err == 0)
		err = ward_dir_open(dir->tree, path, &parent);
	if (err < 0) {
		*ret_suspended = true;
		return ward_tree_failed(err) ? err : 0;
	}
	err = runtime_suspended(&parent, ret_suspended);
	ward_dir_close(&parent);
	return err;
}

/*
 * Would a read of config space wake something? Linux (drivers/pci/pci.c,
 * pci_config_pm_runtime_get) resumes the bridge above, and the function only out of D3cold.
 */
static int read_sleep(const struct ward_dir *dir, bool *ret_asleep)
{
	bool above = true, suspended = false;
	char state[16];
	int err;

	err = runtime_suspended(dir, &suspended);
	if (err < 0)
		return err;
	if (!suspended) {
		*ret_asleep = false;
		return 0;
	}
	err = ward_dir_text(dir, WARD_FILE_POWER_STATE, sizeof(state), state);
	if (ward_tree_failed(err))
		return err;
	*ret_asleep = true;
	if (err < 0 || (strcmp(state, "D0") && strcmp(state, "D1") && strcmp(state, "D2") &&
			strcmp(state, "D3hot")))
		return 0;
	err = parent_suspended(dir, &above);
	if (err == 0)
		*ret_asleep = above;
	return err;
}

int ward_read_config(struct ward_reading *reading, const struct ward_dir *dir,
		     struct ward_seen *seen)
{
	char text[WARD_ADDRESS_TEXT];
	struct ward_bytes config;
	bool asleep = false;
	int err;

	err = read_sleep(dir, &asleep);
	if (err < 0)
		return err;
	seen->function.asleep = asleep && !reading->wake;
	if (seen->function.asleep)
		return 0;
	err = ward_dir_read_wanted(dir, WARD_FILE_CONFIG, WARD_CONFIG_FULL, config_wanted, &config);
	if (ward_tree_failed(err))
		return err;
	if (err < 0) {
		ward_address_format(seen->function.address, text);
		return ward_builder_remark(reading->builder, "config-unreadable",
					   "%s: config space cannot be read", text);
	}
	/* The list of extended capabilities ends before what was not read. */
	if (config.size > WARD_CONFIG_PLAIN &&
	    config_wanted(config.data, config.size) <= config.size)
		config.size = WARD_CONFIG_FULL;
	err = parse_config(reading, seen, &config);
	free(config.data);
	return err;
}
