// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * SPIs: raised, taken, ended. What is left open elsewhere and how it is here
 * - an edge that was taken does not hold back the next one until it ends; a level does;
 * - a level that a message raises stays until GICD_CLRSPI_NSR (GICv3) or until it is taken (GICv2, which
 *   has no such register);
 * - GICv2: an SPI with several targets is pending at all of them, the first that takes it has it.
 */
#include "emul/gic_state.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

bool ward_gic_spi_pending(uint64_t word)
{
	return (word & GIC_LATCH) || (!(word & GIC_EDGE) && (word & (GIC_LINE | GIC_HELD)));
}

static bool is_ready(uint64_t word)
{
	bool held_back = (word & GIC_ACTIVE) && !(word & GIC_EDGE);

	return (word & GIC_ENABLED) && ward_gic_spi_pending(word) && !held_back;
}

/* Whether an SPI with this word goes to a CPU. */
static bool goes_to(const struct ward_gic *gic, uint64_t word, uint32_t cpu)
{
	if (gic->options.kind == WARD_GIC_V3)
		return GIC_ROUTE(word) == ward_gic_affinity(cpu);
	return gic->options.cpus == 1 || (GIC_ROUTE(word) >> cpu & 1);
}

static bool group_is_on(const struct ward_gic *gic, uint64_t word)
{
	uint32_t ctlr = atomic_load(&gic->ctlr);

	return ctlr & (word & GIC_GROUP1 ? GIC_CTLR_GROUP1 : GIC_CTLR_GROUP0);
}

/* The first CPU from one on that an SPI goes to; WARD_NONE: there is none. */
static uint32_t next_cpu(const struct ward_gic *gic, uint64_t word, uint32_t cpu)
{
	if (gic->options.kind == WARD_GIC_V3) {
		uint32_t route = GIC_ROUTE(word), to = (route & 0xf) | (route >> 8 & 0xff) << 4;

		if (to < cpu || to >= gic->options.cpus || ward_gic_affinity(to) != route)
			return WARD_NONE;
		return to;
	}
	for (; cpu < gic->options.cpus; cpu++) {
		if (goes_to(gic, word, cpu))
			return cpu;
	}
	return WARD_NONE;
}

static void announce(struct ward_gic *gic, uint32_t intid, uint64_t word)
{
	const struct ward_gic_options *options = &gic->options;

	if (!options->raised || !group_is_on(gic, word))
		return;
	for (uint32_t cpu = next_cpu(gic, word, 0); cpu != WARD_NONE;
	     cpu = next_cpu(gic, word, cpu + 1))
		options->raised(options->context, cpu, intid);
}

static void changed(struct ward_gic *gic, uint32_t intid, uint64_t before, uint64_t after)
{
	uint64_t elsewhere = GIC_ROUTE(before) ^ GIC_ROUTE(after);
	uint64_t regrouped = (before ^ after) & GIC_GROUP1;

	if (is_ready(after) && (!is_ready(before) || elsewhere || regrouped))
		announce(gic, intid, after);
}

void ward_gic_change_spi(struct ward_gic *gic, uint32_t intid, uint64_t clear, uint64_t set)
{
	uint64_t before = atomic_load(&gic->spis[intid]), after;

	do {
		after = (before & ~clear) | set;
	} while (!atomic_compare_exchange_weak(&gic->spis[intid], &before, after));
	changed(gic, intid, before, after);
}

int ward_gic_set_spi(struct ward_gic *gic, uint32_t intid, bool level)
{
	uint64_t before, after;

	if (!ward_gic_has_spi(gic, intid))
		return -EINVAL;
	before = atomic_load(&gic->spis[intid]);
	do {
		after = level ? before | GIC_LINE : before & ~GIC_LINE;
		if (level && !(before & GIC_LINE) && (before & GIC_EDGE))
			after |= GIC_LATCH;
	} while (!atomic_compare_exchange_weak(&gic->spis[intid], &before, after));
	changed(gic, intid, before, after);
	return 0;
}

int ward_gic_pulse(struct ward_gic *gic, uint32_t intid, struct ward_interrupt *ret_interrupt)
{
	struct ward_interrupt interrupt = { .end = WARD_INTERRUPT_PENDING, .number = intid };
	uint64_t before, after;

	if (!ward_gic_has_spi(gic, intid))
		return -EINVAL;
	before = atomic_load(&gic->spis[intid]);
	do {
		bool stays = gic->options.kind == WARD_GIC_V3 && !(before & GIC_EDGE);

		after = before | (stays ? GIC_HELD : GIC_LATCH);
	} while (!atomic_compare_exchange_weak(&gic->spis[intid], &before, after));
	changed(gic, intid, before, after);
	if (ret_interrupt) {
		interrupt.cpu = next_cpu(gic, after, 0);
		for (uint32_t cpu = interrupt.cpu; cpu != WARD_NONE;
		     cpu = next_cpu(gic, after, cpu + 1))
			interrupt.cpus++;
		*ret_interrupt = interrupt;
	}
	return 0;
}

void ward_gic_withdraw(struct ward_gic *gic, uint32_t intid)
{
	ward_gic_change_spi(gic, intid, GIC_HELD | GIC_LATCH, 0);
}

bool ward_gic_is_pending(const struct ward_gic *gic, uint32_t cpu, uint32_t intid)
{
	uint64_t word;

	if (cpu >= gic->options.cpus)
		return false;
	if (!ward_gic_has_spi(gic, intid))
		return ward_gic_lpi_pending(gic, cpu, intid);
	word = atomic_load(&gic->spis[intid]);
	return ward_gic_spi_pending(word) && goes_to(gic, word, cpu);
}

/* The SPI of highest priority that is ready at a CPU; 0: there is none. */
static uint32_t best_spi(const struct ward_gic *gic, uint32_t cpu, uint64_t *ret_word)
{
	uint32_t best = 0;

	for (uint32_t intid = WARD_GIC_FIRST_SPI; intid < gic->options.interrupts; intid++) {
		uint64_t word = atomic_load(&gic->spis[intid]);

		if (!is_ready(word) || !goes_to(gic, word, cpu) || !group_is_on(gic, word))
			continue;
		if (best && GIC_PRIORITY(word) >= GIC_PRIORITY(*ret_word))
			continue;
		best = intid;
		*ret_word = word;
	}
	return best;
}

/* Takes an SPI whose word is as it was seen. */
static bool take_spi(struct ward_gic *gic, uint32_t cpu, uint32_t intid, uint64_t word)
{
	uint64_t after = word & ~(GIC_LATCH | UINT64_C(0xffff) << GIC_TAKER_SHIFT);

	after |= GIC_ACTIVE | (uint64_t)cpu << GIC_TAKER_SHIFT;
	return atomic_compare_exchange_strong(&gic->spis[intid], &word, after);
}

int ward_gic_take(struct ward_gic *gic, uint32_t cpu, uint32_t *ret_intid)
{
	if (cpu >= gic->options.cpus)
		return -EINVAL;
	for (;;) {
		uint64_t word = 0;
		uint32_t spi = best_spi(gic, cpu, &word), lpi;
		uint8_t priority;
		bool has_lpi = ward_gic_lpi_best(gic, cpu, &lpi, &priority);

		if (!spi && !has_lpi)
			return -ENOENT;
		/* Of equals, the SPI has the lower INTID. What changed meanwhile is looked at again. */
		if (spi && (!has_lpi || GIC_PRIORITY(word) <= priority)) {
			if (!take_spi(gic, cpu, spi, word))
				continue;
			*ret_intid = spi;
			return 0;
		}
		if (!ward_gic_lpi_remove(gic, cpu, lpi))
			continue;
		*ret_intid = lpi;
		return 0;
	}
}

int ward_gic_end(struct ward_gic *gic, uint32_t cpu, uint32_t intid)
{
	const struct ward_gic_options *options = &gic->options;
	uint64_t word;

	if (!ward_gic_has_spi(gic, intid))
		return -EINVAL;
	word = atomic_load(&gic->spis[intid]);
	if (!(word & GIC_ACTIVE) || GIC_TAKER(word) != cpu)
		return -EINVAL;
	/* Still active: whoever lowers the line now is not told of a level that is gone. */
	if (!(word & GIC_EDGE) && options->ended)
		options->ended(options->context, cpu, intid);
	ward_gic_change_spi(gic, intid, GIC_ACTIVE, 0);
	return 0;
}

void ward_gic_set_ctlr(struct ward_gic *gic, uint32_t ctlr)
{
	uint32_t before = atomic_exchange(&gic->ctlr, ctlr);

	if (!(ctlr & ~before))
		return;
	for (uint32_t intid = WARD_GIC_FIRST_SPI; intid < gic->options.interrupts; intid++) {
		uint64_t word = atomic_load(&gic->spis[intid]);

		if (is_ready(word))
			announce(gic, intid, word);
	}
	for (uint32_t cpu = 0; cpu < gic->options.cpus; cpu++)
		ward_gic_lpi_announce_all(gic, cpu);
}

static bool makes_sense(const struct ward_gic_options *options)
{
	bool lpis = options->intid_bits != 0;

	if (options->size != sizeof(*options) || options->cpus < 1 || options->interrupts < 64 ||
	    options->interrupts > WARD_GIC_LAST_SPI + 1)
		return false;
	switch (options->kind) {
	case WARD_GIC_V2:
		return options->cpus <= 8 && !lpis;
	case WARD_GIC_V3:
		return options->cpus <= WARD_GIC_CPUS_MAX &&
		       (!lpis || (options->memory && options->intid_bits >= 14 &&
				  options->intid_bits <= 24));
	}
	return false;
}

int ward_gic_create(const struct ward_gic_options *options, struct ward_gic **ret_gic)
{
	struct ward_gic *gic;

	if (!makes_sense(options))
		return -EINVAL;
	gic = ward_alloc(sizeof(*gic));
	if (!gic)
		return -ENOMEM;
	gic->options = *options;
	gic->spis = ward_alloc_array(options->interrupts, sizeof(*gic->spis));
	gic->cpus = ward_alloc_array(options->cpus, sizeof(*gic->cpus));
	if (!gic->spis || !gic->cpus || ward_gic_lpis_create(gic)) {
		ward_gic_destroy(gic);
		return -ENOMEM;
	}
	/* GICv3: Group 1, as with KVM; who has one security state uses no other. */
	for (uint32_t i = 0; options->kind == WARD_GIC_V3 && i < options->interrupts; i++)
		gic->spis[i] = GIC_GROUP1;
	for (uint32_t i = 0; i < options->cpus; i++)
		gic->cpus[i].waker = 0x6;
	*ret_gic = gic;
	return 0;
}

void ward_gic_destroy(struct ward_gic *gic)
{
	if (!gic)
		return;
	ward_gic_lpis_destroy(gic);
	free(gic->cpus);
	free(gic->spis);
	free(gic);
}
