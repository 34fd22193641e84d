/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#ifndef ISOLATE_REFUSAL_H
#define ISOLATE_REFUSAL_H

#include <doorward/verdict.h>

#include "base/arena.h"

/* A verdict as ward_verdict_destroy() frees it. */
struct ward_verdict_storage {
	struct ward_verdict verdict;
	struct ward_arena arena;
};

/*
 * A verdict of one finding, which blocks and cannot be waived: something is refused for what is so
 * already, whatever would be reached. Text is copied. The caller destroys it. 0 or -ENOMEM.
 */
int ward_refusal_create(const struct ward_isolation *isolation, enum ward_policy policy,
			const char *code, uint32_t subject, uint32_t blocker, const char *text,
			struct ward_verdict **ret_verdict);

#endif
