// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/nearest.h"

#include <string.h>
#include <strings.h>

#define WORD_MAX 63

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t app_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	size_t a_length = strnlen(a, WORD_MAX), b_length = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= b_length; j++) {
		last[j] = j;
		before[j] = 0;
	}
	for (size_t i = 1; i <= a_length; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t cost = a[i - 1] != b[j - 1];

			now[j] = min(min(last[j] + 1, now[j - 1] + 1), last[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = min(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_length];
}

void app_nearest_init(struct app_nearest *nearest, const char *word)
{
	memset(nearest, 0, sizeof(*nearest));
	nearest->word = word;
	/* One slip in a short word, up to three in a long one such as an address. */
	nearest->limit = min(1 + strlen(word) / 4, 3);
}

void app_nearest_offer(struct app_nearest *nearest, const char *candidate)
{
	size_t distance = app_distance(nearest->word, candidate), at;

	if (distance > nearest->limit)
		return;
	for (size_t i = 0; i < nearest->count; i++)
		if (strcmp(nearest->found[i], candidate) == 0)
			return;
	at = nearest->count;
	while (at > 0 && nearest->distance[at - 1] > distance)
		at--;
	if (at == APP_NEAREST_MAX)
		return;
	if (nearest->count < APP_NEAREST_MAX)
		nearest->count++;
	for (size_t i = nearest->count - 1; i > at; i--) {
		nearest->found[i] = nearest->found[i - 1];
		nearest->distance[i] = nearest->distance[i - 1];
	}
	nearest->found[at] = candidate;
	nearest->distance[at] = distance;
}
