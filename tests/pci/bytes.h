/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Config space made by hand: a header, then capabilities linked in the order of adding. */
#ifndef TESTS_PCI_BYTES_H
#define TESTS_PCI_BYTES_H

#include <stdint.h>
#include <string.h>

#include "pci/config.h"

struct bytes {
	uint8_t at[WARD_CONFIG_FULL];
	unsigned int link;	    /* where the pointer to the next capability goes */
	unsigned int extended_link; /* header of the last extended capability, or 0 */
};

static inline void put16(struct bytes *bytes, unsigned int offset, uint16_t value)
{
	bytes->at[offset] = (uint8_t)value;
	bytes->at[offset + 1] = (uint8_t)(value >> 8);
}

static inline void put32(struct bytes *bytes, unsigned int offset, uint32_t value)
{
	put16(bytes, offset, (uint16_t)value);
	put16(bytes, offset + 2, (uint16_t)(value >> 16));
}

static inline uint32_t get32(const struct bytes *bytes, unsigned int offset)
{
	return bytes->at[offset] | bytes->at[offset + 1] << 8 | bytes->at[offset + 2] << 16 |
	       (uint32_t)bytes->at[offset + 3] << 24;
}

/* header is the whole header type register. */
static inline void bytes_init(struct bytes *bytes, uint16_t vendor, uint16_t device, uint8_t header)
{
	memset(bytes, 0, sizeof(*bytes));
	put16(bytes, 0x00, vendor);
	put16(bytes, 0x02, device);
	bytes->at[0x0e] = header;
	bytes->link = (header & 0x7f) == 2 ? 0x14 : 0x34;
}

static inline void add_capability(struct bytes *bytes, unsigned int offset, uint8_t id)
{
	bytes->at[0x06] |= 0x10;
	bytes->at[bytes->link] = (uint8_t)offset;
	bytes->at[offset] = id;
	bytes->at[offset + 1] = 0;
	bytes->link = offset + 1;
}

static inline void add_pcie(struct bytes *bytes, unsigned int offset, unsigned int type)
{
	add_capability(bytes, offset, 0x10);
	put16(bytes, offset + 2, (uint16_t)(type << 4 | 2));
}

/* The first one must be at 0x100. */
static inline void add_extended(struct bytes *bytes, unsigned int offset, uint16_t id)
{
	if (bytes->extended_link)
		put32(bytes, bytes->extended_link,
		      (get32(bytes, bytes->extended_link) & 0xfffff) | (uint32_t)offset << 20);
	put32(bytes, offset, 1u << 16 | id);
	bytes->extended_link = offset;
}

static inline void add_acs(struct bytes *bytes, unsigned int offset, uint16_t capability,
			   uint16_t control)
{
	add_extended(bytes, offset, 0x0d);
	put16(bytes, offset + 4, capability);
	put16(bytes, offset + 6, control);
}

/* A function of which nothing is known, without the builder. */
static inline void blank(struct ward_function *function)
{
	memset(function, 0, sizeof(*function));
	function->bus = WARD_NONE;
	function->parent = WARD_NONE;
	function->physfn = WARD_NONE;
	function->bridge.bus = WARD_NONE;
	function->bridge.memory = WARD_RANGE_EMPTY;
	function->bridge.prefetchable = WARD_RANGE_EMPTY;
	function->pcie_type = WARD_PCIE_NONE;
	for (unsigned int i = 0; i < 7; i++)
		function->bar[i].range = WARD_RANGE_EMPTY;
}

#endif
