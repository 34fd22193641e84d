// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/dmar.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/fault.h"

#define DMAR_STRUCTURES 48u

struct dmar_parser {
	struct ward_acpi_table table;
	struct ward_dmar *dmar;
	size_t units_capacity, scopes_capacity;
	struct ward_error *error;
};

static int parse_scope(struct dmar_parser *p, uint32_t at, uint8_t length)
{
	struct ward_dmar_scope *scope;
	uint32_t pairs = (length - 6u) / 2;

	if (length % 2 || pairs < 1 || pairs > WARD_DMAR_PATH_MAX)
		return ward_acpi_bad(&p->table, p->error, at + 1,
				     "a device scope of %u bytes has no path of 1 to %u steps",
				     length, WARD_DMAR_PATH_MAX);
	if (p->dmar->scopes_count == WARD_DMAR_SCOPES_MAX)
		return ward_acpi_bad(&p->table, p->error, at, "more than %u device scopes",
				     WARD_DMAR_SCOPES_MAX);
	scope = ward_acpi_append(&p->dmar->scopes, &p->dmar->scopes_count, &p->scopes_capacity,
				 sizeof(*scope));
	if (!scope)
		return -ENOMEM;
	scope->type = ward_acpi_u8(&p->table, at);
	scope->enumeration_id = ward_acpi_u8(&p->table, at + 4);
	scope->start_bus = ward_acpi_u8(&p->table, at + 5);
	for (uint32_t i = 0; i < pairs; i++) {
		uint8_t device = ward_acpi_u8(&p->table, at + 6 + 2 * i);
		uint8_t function = ward_acpi_u8(&p->table, at + 7 + 2 * i);

		if (device > 31 || function > 7)
			return ward_acpi_bad(&p->table, p->error, at + 6 + 2 * i,
					     "a path leads to device 0x%x, function 0x%x", device,
					     function);
		scope->path[i] = (uint8_t)(device << 3 | function);
	}
	scope->path_count = (uint8_t)pairs;
	return 0;
}

static int parse_scopes(struct dmar_parser *p, uint32_t at, uint32_t end,
			struct ward_dmar_unit *unit)
{
	uint8_t length;
	int err;

	unit->first_scope = p->dmar->scopes_count;
	for (; at < end; at += length) {
		if (end - at < 6)
			return ward_acpi_bad(&p->table, p->error, at,
					     "a device scope is cut short");
		length = ward_acpi_u8(&p->table, at + 1);
		if (length < 6 || length > end - at)
			return ward_acpi_bad(&p->table, p->error, at + 1,
					     "a device scope of %u bytes does not fit", length);
		err = parse_scope(p, at, length);
		if (err)
			return err;
	}
	unit->scopes_count = p->dmar->scopes_count - unit->first_scope;
	return 0;
}

static int check_unit(struct dmar_parser *p, uint32_t at, const struct ward_dmar_unit *unit)
{
	/* Linux refuses the whole table then, too: dmar.c, dmar_validate_one_drhd. */
	if (unit->type == WARD_DMAR_DRHD && (unit->base == 0 || unit->base == UINT64_MAX))
		return ward_acpi_bad(&p->table, p->error, at + 8, "a DRHD has no register address");
	if (unit->type == WARD_DMAR_RMRR && unit->limit < unit->base)
		return ward_acpi_bad(&p->table, p->error, at + 16,
				     "an RMRR ends at 0x%llx, before its start",
				     (unsigned long long)unit->limit);
	return 0;
}

/* Where the scopes of each type of structure start. */
static const struct {
	uint16_t type;
	uint32_t scopes;
} dmar_layouts[] = {
	{ WARD_DMAR_DRHD, 16 },
	{ WARD_DMAR_RMRR, 24 },
	{ WARD_DMAR_ATSR, 8 },
	{ WARD_DMAR_SATC, 8 },
};

static int parse_unit(struct dmar_parser *p, uint32_t at, uint32_t length, uint32_t scopes)
{
	struct ward_dmar_unit unit = {
		.type = (enum ward_dmar_type)ward_acpi_u16(&p->table, at),
		.flags = ward_acpi_u8(&p->table, at + 4),
		.segment = ward_acpi_u16(&p->table, at + 6),
	};
	struct ward_dmar_unit *kept;
	int err;

	if (length < scopes)
		return ward_acpi_bad(&p->table, p->error, at + 2,
				     "structure of type %u has %u bytes, needs %u",
				     (unsigned int)unit.type, length, scopes);
	if (unit.type == WARD_DMAR_RMRR)
		unit.flags = 0; /* reserved there */
	if (unit.type == WARD_DMAR_DRHD || unit.type == WARD_DMAR_RMRR)
		unit.base = ward_acpi_u64(&p->table, at + 8);
	if (unit.type == WARD_DMAR_RMRR)
		unit.limit = ward_acpi_u64(&p->table, at + 16);
	if (p->dmar->units_count == WARD_DMAR_UNITS_MAX)
		return ward_acpi_bad(&p->table, p->error, at, "more than %u structures",
				     WARD_DMAR_UNITS_MAX);
	err = check_unit(p, at, &unit);
	if (!err)
		err = parse_scopes(p, at + scopes, at + length, &unit);
	if (err)
		return err;
	kept = ward_acpi_append(&p->dmar->units, &p->dmar->units_count, &p->units_capacity,
				sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	*kept = unit;
	return 0;
}

static int parse_structures(struct dmar_parser *p)
{
	uint32_t at = DMAR_STRUCTURES, length;

	for (; at < p->table.size; at += length) {
		uint16_t type = ward_acpi_u16(&p->table, at);
		int err = 0;

		if (!ward_acpi_has(&p->table, at, 4))
			return ward_acpi_bad(&p->table, p->error, at, "a structure is cut short");
		length = ward_acpi_u16(&p->table, at + 2);
		if (length < 4 || !ward_acpi_has(&p->table, at, length))
			return ward_acpi_bad(&p->table, p->error, at + 2,
					     "a structure of %u bytes does not fit", length);
		for (size_t i = 0; i < sizeof(dmar_layouts) / sizeof(dmar_layouts[0]); i++) {
			if (dmar_layouts[i].type == type)
				err = parse_unit(p, at, length, dmar_layouts[i].scopes);
		}
		if (err)
			return err;
	}
	return 0;
}

int ward_dmar_parse(const void *bytes, size_t size, struct ward_dmar **ret_dmar,
		    struct ward_error *ret_error)
{
	struct dmar_parser parser = { .error = ret_error };
	int err;

	err = ward_acpi_open(bytes, size, "DMAR", DMAR_STRUCTURES, &parser.table, ret_error);
	if (err)
		return err;
	parser.dmar = ward_alloc(sizeof(*parser.dmar));
	if (!parser.dmar)
		return ward_fail(ret_error, -ENOMEM, "out of memory");
	parser.dmar->flags = ward_acpi_u8(&parser.table, 37);
	err = parse_structures(&parser);
	if (err) {
		ward_dmar_destroy(parser.dmar);
		return err;
	}
	*ret_dmar = parser.dmar;
	return 0;
}

void ward_dmar_destroy(struct ward_dmar *dmar)
{
	if (!dmar)
		return;
	free(dmar->units);
	free(dmar->scopes);
	free(dmar);
}
