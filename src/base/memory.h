/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Memory by regions, for who has to know where one ends. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <doorward/memory.h>

struct ward_memory_region {
	struct ward_range range;
	unsigned char *host; /* of its first byte */
	bool read_only;
};

/* The region that address is in; false: nothing is there. */
bool ward_memory_find(const struct ward_memory *memory, uint64_t address,
		      struct ward_memory_region *ret_region);

#endif
