// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What is sent: pages of a range, half of which are mapped; those that are unmapped and those that are
 * mapped are drawn by chance, so that the number of mappings stays what it is.
 */
#include <stdlib.h>

#include "virtio_iommu.h"

struct load {
	uint32_t count, *pages; /* count of them mapped, then as many that are not */
	uint64_t random;
	struct request *requests;
};

/* xorshift64 of Marsaglia, with his constants: the same pages everywhere. */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t held = *a;

	*a = *b;
	*b = held;
}

/* The first few of pages are any of all, in any order. */
static void draw_first(uint64_t *random, uint32_t *pages, uint32_t all, uint32_t few)
{
	for (uint32_t i = 0; i < few; i++)
		swap(&pages[i], &pages[i + draw(random) % (all - i)]);
}

static int send_pages(struct load *load, const struct taker *taker, enum request_kind kind,
		      const uint32_t *pages, uint32_t count, double *seconds)
{
	while (count) {
		uint32_t some = count < taker->room ? count : taker->room;

		for (uint32_t i = 0; i < some; i++)
			load->requests[i] = (struct request){ .kind = kind,
							      .domain = 1,
							      .start = (pages[i] + 1) * PAGE };
		if (taker->take(taker->context, load->requests, some, seconds))
			return -1;
		pages += some;
		count -= some;
	}
	return 0;
}

struct load *load_create(const struct taker *taker, uint32_t mappings)
{
	struct load *load = calloc(1, sizeof(*load));
	double seconds = 0;

	if (!load)
		return NULL;
	load->count = mappings;
	load->random = 88172645463325252u;
	load->pages = calloc(2ul * mappings, sizeof(*load->pages));
	load->requests = calloc(ENTRIES, sizeof(*load->requests));
	if (!load->pages || !load->requests)
		goto destroy;
	for (uint32_t i = 0; i < 2 * mappings; i++)
		load->pages[i] = i;
	draw_first(&load->random, load->pages, 2 * mappings, 2 * mappings - 1);
	if (send_pages(load, taker, REQUEST_MAP, load->pages, mappings, &seconds))
		goto destroy;
	return load;
destroy:
	load_destroy(load);
	return NULL;
}

void load_destroy(struct load *load)
{
	if (!load)
		return;
	free(load->pages);
	free(load->requests);
	free(load);
}

int load_change(struct load *load, const struct taker *taker, uint32_t requests,
		struct figures *ret_figures)
{
	uint32_t phase = load->count / 4 < requests ? load->count / 4 : requests, done = 0;
	double unmap = 0, map = 0;

	/* Whole kicks, as long as no more than half of the mappings goes at a time. */
	phase = (phase + taker->room - 1) / taker->room * taker->room;
	if (phase > load->count / 2)
		phase = load->count / 2;
	for (; done < requests; done += phase) {
		uint32_t *mapped = load->pages, *other = load->pages + load->count;

		draw_first(&load->random, mapped, load->count, phase);
		draw_first(&load->random, other, load->count, phase);
		if (send_pages(load, taker, REQUEST_UNMAP, mapped, phase, &unmap) ||
		    send_pages(load, taker, REQUEST_MAP, other, phase, &map))
			return -1;
		for (uint32_t i = 0; i < phase; i++)
			swap(&mapped[i], &other[i]);
	}
	ret_figures->unmap = unmap * 1e9 / done;
	ret_figures->map = map * 1e9 / done;
	return 0;
}
