// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "dma/attributes.h"

/* One cacheability nibble of MAIR, not 0: 0100 is NC, x0RW write-through, x1RW write-back. */
static enum ward_memory_type cacheability(unsigned int nibble)
{
	if (nibble == 4)
		return WARD_NORMAL_NC;
	return nibble & 4 ? WARD_NORMAL : WARD_NORMAL_WT;
}

enum ward_memory_type ward_type_from_mair(uint8_t attribute)
{
	unsigned int outer = attribute >> 4, inner = attribute & 0xf;

	if (outer == 0)
		return (enum ward_memory_type)(inner >> 2);
	/* Inner 0 stands in variants of an outer type: tagged (0xf0), XS clear (0x40, 0xa0). */
	if (inner == 0)
		return cacheability(outer);
	return ward_type_combine(cacheability(outer), cacheability(inner));
}

enum ward_memory_type ward_type_from_memattr(unsigned int memattr)
{
	/* By two bits; inner 00 is reserved, and taken for the strictest normal type. */
	static const enum ward_memory_type normal[] = {
		WARD_NORMAL_NC,
		WARD_NORMAL_NC,
		WARD_NORMAL_WT,
		WARD_NORMAL,
	};
	unsigned int outer = memattr >> 2 & 3, inner = memattr & 3;

	if (outer == 0)
		return (enum ward_memory_type)inner;
	return ward_type_combine(normal[outer], normal[inner]);
}
