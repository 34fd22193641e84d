/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <doorward/memory.h>

/* A region as it was added; host has its first byte. */
struct ward_memory_region {
	struct ward_range range;
	unsigned char *host;
	bool read_only;
};

/* The region that address is in; for callers that remember it as long as regions stay as they are. */
bool ward_memory_region_at(const struct ward_memory *memory, uint64_t address,
			   struct ward_memory_region *ret_region);

#endif
