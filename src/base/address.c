// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include <doorward/types.h>

#include <errno.h>
#include <stdio.h>

int ward_address_compare(struct ward_address a, struct ward_address b)
{
	if (a.segment != b.segment)
		return a.segment < b.segment ? -1 : 1;
	return (int)ward_rid_raw(a.rid) - (int)ward_rid_raw(b.rid);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads one to max_digits hexadecimal digits and moves *text behind them. */
static int parse_field(const char **text, unsigned int max_digits, uint32_t *ret_value)
{
	unsigned int digits = 0;
	uint32_t value = 0;

	while (digits < max_digits && hex_digit(**text) >= 0) {
		value = value << 4 | (uint32_t)hex_digit(**text);
		(*text)++;
		digits++;
	}
	if (digits == 0)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

int ward_address_parse(const char *text, struct ward_address *ret_address)
{
	uint32_t segment = 0, bus, device, function;
	const char *at = text;

	if (parse_field(&at, 8, &bus) < 0 || *at != ':')
		return -EINVAL;
	at++;
	if (parse_field(&at, 2, &device) < 0)
		return -EINVAL;
	if (*at == ':') {
		segment = bus;
		bus = device;
		at++;
		if (parse_field(&at, 2, &device) < 0)
			return -EINVAL;
	}
	if (*at != '.')
		return -EINVAL;
	at++;
	if (parse_field(&at, 1, &function) < 0 || *at != '\0')
		return -EINVAL;
	if (bus > 0xff || device > 0x1f || function > 7)
		return -EINVAL;
	*ret_address = (struct ward_address){
		.segment = segment,
		.rid = ward_rid_make(bus, device, function),
	};
	return 0;
}

void ward_address_format(struct ward_address address, char ret_text[WARD_ADDRESS_TEXT])
{
	unsigned int devfn = ward_rid_devfn(address.rid);

	snprintf(ret_text, WARD_ADDRESS_TEXT, "%04x:%02x:%02x.%x", (unsigned int)address.segment,
		 ward_rid_bus(address.rid), devfn >> 3, devfn & 7);
}
