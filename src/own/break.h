/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Rules that tests leave out on purpose, to see that the exploration finds what comes of it. Not part
 * of the shared library: nothing there leads here.
 */
#ifndef OWN_BREAK_H
#define OWN_BREAK_H

#include <doorward/own.h>

/* A rule that can be left out. */
struct ward_rule {
	const char *name;    /* "claim-others" */
	const char *meaning; /* what the ownership no longer does */
};

/* All of them, ended by a row without a name. */
const struct ward_rule *ward_rules(void);

/* From now on the ownership does without a rule. 0 or -ENOENT no such rule. */
int ward_ownership_break(struct ward_ownership *ownership, const char *rule);

#endif
