// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Who answers at an address: doorbells, and registers found downwards by windows. */
#include "emul/route.h"

bool ward_emul_in_bar(const struct ward_emul *emul, uint32_t function, uint64_t address,
		      struct ward_dma_result *ret_result)
{
	const struct ward_function *f = &emul->facts->functions[function];

	if (!emul->functions[function].has_bars || emul->functions[function].absent)
		return false;
	for (unsigned int i = 0; i < EMUL_BARS; i++) {
		if (f->bar[i].io || !ward_range_has(f->bar[i].range, address))
			continue;
		ret_result->end = WARD_DMA_BAR;
		ret_result->index = function;
		ret_result->target = address - f->bar[i].range.start;
		return true;
	}
	return false;
}

bool ward_emul_in_window(const struct ward_emul *emul, uint32_t function, uint64_t address)
{
	const struct emul_function *e = &emul->functions[function];

	return !e->absent &&
	       (ward_range_has(e->window[0], address) || ward_range_has(e->window[1], address));
}

static void nowhere(uint64_t address, struct ward_dma_result *ret_result)
{
	ret_result->end = WARD_DMA_NOWHERE;
	ret_result->index = WARD_NONE;
	ret_result->target = address;
}

/* One of a chain of siblings answers, or has the address in its window: then what is below it. */
static void find_below(const struct ward_emul *emul, uint32_t first, uint64_t address,
		       struct ward_dma_result *ret_result)
{
	uint32_t next;

	while (first != WARD_NONE) {
		next = WARD_NONE;
		for (uint32_t i = first; i != WARD_NONE; i = emul->functions[i].next_sibling) {
			if (ward_emul_in_bar(emul, i, address, ret_result))
				return;
			if (next == WARD_NONE && ward_emul_in_window(emul, i, address))
				next = emul->functions[i].first_child;
		}
		first = next;
	}
	nowhere(address, ret_result);
}

void ward_emul_descend(const struct ward_emul *emul, uint32_t bridge, uint64_t address,
		       struct ward_dma_result *ret_result)
{
	find_below(emul, emul->functions[bridge].first_child, address, ret_result);
}

void ward_emul_from_root(const struct ward_emul *emul, uint64_t address,
			 struct ward_dma_result *ret_result)
{
	find_below(emul, emul->first_root, address, ret_result);
}

uint32_t ward_emul_doorbell(const struct ward_emul *emul, uint64_t address)
{
	for (uint32_t i = 0; i < emul->facts->controllers_count; i++) {
		if (ward_controller_rung_in(&emul->facts->controllers[i],
					    (struct ward_range){ address, address }))
			return i;
	}
	return WARD_NONE;
}

uint32_t ward_emul_x86_controller(const struct ward_emul *emul, uint32_t function)
{
	const struct ward_machine *facts = emul->facts;
	uint32_t controller = facts->functions[function].controller;

	if (controller != WARD_NONE && ward_controller_is_x86(&facts->controllers[controller]))
		return controller;
	for (uint32_t i = 0; i < facts->controllers_count; i++) {
		if (ward_controller_is_x86(&facts->controllers[i]))
			return i;
	}
	return WARD_NONE;
}
