// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Firmware's tables from files to the builder. from_acpi.c and from_dt.c understand them. */
#include "machine/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/read_files.h"

/* Those that say where DMA and MSIs go. */
static const char *const wanted_tables[] = { "APIC", "DMAR", "IORT", "IVRS", "VIOT" };

static int read_table(struct ward_reading *reading, const struct ward_dir *dir, const char *name)
{
	struct ward_error error = { "" };
	struct ward_bytes bytes = { 0 };
	int err;

	err = ward_dir_read(dir, name, WARD_LIMIT_TABLE, &bytes);
	if (ward_tree_failed(err))
		return err;
	if (err < 0) {
		reading->tables.complete = false;
		reading->firmware_known = false;
		return ward_builder_remark(reading->builder, "table-unreadable",
					   "firmware's table %s cannot be read", name);
	}
	err = ward_acpi_tables_add(&reading->tables, name, bytes.data, bytes.size, &error);
	free(bytes.data);
	if (err == -EBADMSG) {
		reading->firmware_known = false;
		return ward_builder_remark(reading->builder, "table-broken",
					   "firmware's table %s is broken: %s", name, error.text);
	}
	return err;
}

static int read_tables(struct ward_reading *reading, const struct ward_dir *dir)
{
	struct ward_names names;
	int err;

	err = ward_dir_list(dir, &names);
	if (err < 0)
		return err;
	reading->tables.complete = true;
	reading->firmware_known = true;
	for (size_t i = 0; i < names.count && err == 0; i++)
		for (size_t j = 0; j < sizeof(wanted_tables) / sizeof(wanted_tables[0]); j++)
			if (err == 0 && !strcmp(names.name[i], wanted_tables[j]))
				err = read_table(reading, dir, names.name[i]);
	ward_names_finish(&names);
	return err;
}

/* The blob of a device tree; the stub that EFI leaves beside ACPI is not looked at. */
static int read_fdt(struct ward_reading *reading)
{
	struct ward_error error = { "" };
	struct ward_bytes bytes = { 0 };
	struct ward_dir dir;
	int err;

	err = ward_dir_open(&reading->tree, WARD_DIR_FIRMWARE, &dir);
	if (err == 0) {
		err = ward_dir_read(&dir, WARD_FILE_FDT, WARD_LIMIT_FDT, &bytes);
		ward_dir_close(&dir);
	}
	if (err == -EACCES)
		return ward_builder_remark(reading->builder, "table-unreadable",
					   "the device tree cannot be read");
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	ward_builder_machine(reading->builder)->firmware_dt = true;
	err = ward_dtb_parse(bytes.data, bytes.size, &reading->dtb, &error);
	free(bytes.data);
	if (err == -EBADMSG)
		return ward_builder_remark(reading->builder, "table-broken",
					   "the device tree is broken: %s", error.text);
	if (err == 0)
		reading->firmware_known = true;
	return err;
}

int ward_read_firmware_devices(struct ward_reading *reading)
{
	struct ward_machine *machine = ward_builder_machine(reading->builder);
	struct ward_dir dir;
	int err;

	err = ward_dir_open(&reading->tree, WARD_DIR_TABLES, &dir);
	if (err == 0) {
		machine->firmware_acpi = true;
		err = read_tables(reading, &dir);
		ward_dir_close(&dir);
	} else if (err == -ENOENT) {
		err = read_fdt(reading);
	}
	if (ward_tree_failed(err))
		return err;
	if (reading->dtb)
		return ward_from_dt_devices(reading->builder, reading->dtb, &reading->evidence,
					    &reading->dt_links);
	return ward_from_acpi_devices(reading->builder, &reading->tables, &reading->evidence);
}

int ward_read_firmware_links(struct ward_reading *reading)
{
	if (reading->dtb)
		return ward_from_dt_links(reading->builder, reading->dtb, &reading->dt_links);
	return ward_from_acpi_links(reading->builder, &reading->tables);
}

void ward_read_firmware_finish(struct ward_reading *reading)
{
	ward_acpi_tables_finish(&reading->tables);
	ward_dt_links_finish(&reading->dt_links);
	ward_dtb_destroy(reading->dtb);
	reading->dtb = NULL;
}
