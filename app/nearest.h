/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Near matches for names that a person mistyped. */
#ifndef APP_NEAREST_H
#define APP_NEAREST_H

#include <stddef.h>

#define APP_NEAREST_MAX 5

struct app_nearest {
	const char *word;
	size_t limit; /* farthest distance that still counts as near */
	const char *found[APP_NEAREST_MAX];
	size_t distance[APP_NEAREST_MAX];
	size_t count;
};

/*
 * Steps from one word to another: a letter put in, left out, replaced, or two swapped. Letters
 * behind the 63rd are ignored.
 */
size_t app_distance(const char *a, const char *b);

void app_nearest_init(struct app_nearest *nearest, const char *word);
/* Offers a candidate; it is borrowed. found is kept sorted, nearest first, without doubles. */
void app_nearest_offer(struct app_nearest *nearest, const char *candidate);

#endif
