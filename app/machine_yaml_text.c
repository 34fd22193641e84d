// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Values that stand in a description as texts. */
#include "app/machine_yaml_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool app_text_number(const char *text, uint64_t *ret_number)
{
	const char *end;

	return app_yaml_number(text, &end, ret_number) && *end == '\0';
}

static bool text_size(const char *text, uint64_t *ret_size)
{
	static const struct {
		const char *name;
		unsigned int shift;
	} units[] = { { "", 0 }, { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 }, { "TiB", 40 } };
	const char *end;
	uint64_t size;

	if (!app_yaml_number(text, &end, &size))
		return false;
	end += *end == ' ' && end[1];
	for (size_t i = 0; i < COUNT(units); i++) {
		if (strcmp(end, units[i].name) == 0 && size <= UINT64_MAX >> units[i].shift) {
			*ret_size = size << units[i].shift;
			return true;
		}
	}
	return false;
}

bool app_text_range(const char *text, uint64_t size, struct ward_range *ret_range)
{
	struct ward_range range;
	const char *end;

	if (!app_yaml_number(text, &end, &range.start))
		return false;
	if (*end == '-') {
		if (!app_text_number(end + 1, &range.last) || range.last < range.start)
			return false;
		*ret_range = range;
		return true;
	}
	if (*end == '+') {
		if (!text_size(end + 1, &size))
			return false;
	} else if (*end) {
		return false;
	}
	return ward_range_make(range.start, size, ret_range) == 0;
}

static bool take_hex4(const char *text, uint16_t *ret_number)
{
	if (strspn(text, "0123456789abcdefABCDEF") != 4)
		return false;
	*ret_number = (uint16_t)strtoul(text, NULL, 16);
	return true;
}

bool app_text_ids(const char *text, uint16_t *ret_vendor, uint16_t *ret_device)
{
	uint16_t vendor, device;

	if (!take_hex4(text, &vendor) || text[4] != ':' || !take_hex4(text + 5, &device) || text[9])
		return false;
	*ret_vendor = vendor;
	*ret_device = device;
	return true;
}

bool app_text_class(const char *text, uint32_t *ret_class)
{
	static const struct {
		const char *name;
		uint32_t class;
	} names[] = {
		{ "network", 0x020000 },     { "nvme", 0x010802 },
		{ "sata", 0x010601 },	     { "display", 0x030000 },
		{ "audio", 0x040300 },	     { "host-bridge", 0x060000 },
		{ "isa-bridge", 0x060100 },  { "pci-bridge", 0x060400 },
		{ "serial", 0x070002 },	     { "usb", 0x0c0330 },
		{ "accelerator", 0x120000 }, { "other", 0xff0000 },
	};
	uint64_t number;

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(names[i].name, text) == 0) {
			*ret_class = names[i].class;
			return true;
		}
	}
	if (strncmp(text, "0x", 2) != 0 || strlen(text) != 8 || !app_text_number(text, &number))
		return false;
	*ret_class = (uint32_t)number;
	return true;
}

bool app_text_acs_bits(const char *text, uint16_t *ret_bits)
{
	static const struct {
		const char name[3];
		uint16_t bit;
	} names[] = {
		{ "sv", WARD_ACS_SV }, { "tb", WARD_ACS_TB }, { "rr", WARD_ACS_RR },
		{ "cr", WARD_ACS_CR }, { "uf", WARD_ACS_UF }, { "ec", WARD_ACS_EC },
		{ "dt", WARD_ACS_DT },
	};
	uint16_t bits = 0;

	while (*text) {
		size_t i = 0;

		while (i < COUNT(names) && strncmp(names[i].name, text, 2) != 0)
			i++;
		if (i == COUNT(names) || (text[2] && text[2] != ' ') || (bits & names[i].bit))
			return false;
		bits |= names[i].bit;
		text += 2;
		text += *text == ' ' && text[1];
	}
	*ret_bits = bits;
	return true;
}
