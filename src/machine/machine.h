/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* How a machine is stored: the public part, and the memory behind its strings. */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <doorward/machine.h>

#include "base/arena.h"

struct ward_machine_storage {
	struct ward_machine machine;
	struct ward_arena arena;
};

static inline struct ward_machine_storage *ward_machine_storage(struct ward_machine *machine)
{
	return (struct ward_machine_storage *)machine;
}

/*
 * Copies the arrays of a machine; strings are borrowed from the original, which must live longer.
 * Returns 0 or -ENOMEM.
 */
int ward_machine_copy(const struct ward_machine *machine, struct ward_machine **ret_machine);

/* The first MMIO segment that a range lies in, or WARD_NONE; others it lies in stand behind it. */
uint32_t ward_segment_find(const struct ward_machine *machine, struct ward_range range);

#endif
