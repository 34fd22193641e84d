// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Hostile functions at work on the software machine. Each one that is controlled tries to read and
 * to write every page of a small universe of addresses, with every PASID that leads anywhere, plain
 * and as already translated; has its vectors enabled, for which the host maps it a doorbell; and
 * whoever's registers can be written is controlled from then on. Nothing here asks the analysis.
 */
#include "touch.h"

#include <doorward/doorbell.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "carrier.h"

/* Addresses tried, at most. */
#define PROBES 512

struct hostile {
	struct build *build;
	struct carrier *carrier;
	struct ward_doorbells *doorbells;
	uint64_t probes[PROBES];
	uint32_t probes_count;
	/* Of the run under way. */
	struct touch touch;
	uint32_t done;
	enum temper temper;
};

static void add_probe(struct hostile *h, uint64_t address)
{
	for (uint32_t i = 0; i < h->probes_count; i++)
		if (h->probes[i] == address)
			return;
	if (h->probes_count < PROBES)
		h->probes[h->probes_count++] = address;
}

/* Every page that a mapping leads from, of those where something is at the other end. */
static void add_mapping_probes(struct hostile *h, const struct plan_mapping *m)
{
	const struct plan *plan = h->build->plan;
	uint64_t size = m->pages * plan->page_size;
	bool memory = m->target >= PLAN_MEMORY;

	if (!m->present)
		return;
	/* The pages before and after are nobody's, unless another mapping has them. */
	add_probe(h, m->iova - 0x1000);
	add_probe(h, m->iova + size);
	for (uint64_t at = 0; at < size; at += memory ? plan->page_size : 0x1000) {
		uint64_t target = m->target + at;
		bool there = memory;

		for (uint32_t i = 0; i < plan->functions_count && !there; i++)
			there = plan->functions[i].present && plan->functions[i].bar == target;
		for (uint32_t i = 0; i < plan->controllers_count && !there; i++)
			there = plan->controllers[i].doorbell == (target & ~0xfffull);
		if (there)
			add_probe(h, m->iova + at);
	}
}

static void make_probes(struct hostile *h)
{
	const struct plan *plan = h->build->plan;

	for (uint32_t i = 0; i < PLAN_BLOCKS; i++)
		add_probe(h, PLAN_MEMORY + i * plan->page_size);
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->functions[i].present && plan->functions[i].bar)
			add_probe(h, plan->functions[i].bar);
	for (uint32_t i = 0; i < plan->controllers_count; i++)
		add_probe(h, plan->controllers[i].doorbell);
	for (uint32_t i = 0; i < plan->spaces_count; i++)
		for (uint32_t k = 0; k < PLAN_MAPPINGS; k++)
			add_mapping_probes(h, &plan->spaces[i].mappings[k]);
}

static int make_doorbells(struct hostile *h)
{
	const struct plan *plan = h->build->plan;
	struct ward_range frames[PLAN_CONTROLLERS];
	struct ward_doorbell_options options = {
		.size = sizeof(options),
		.way = WARD_DOORBELL_WINDOW,
		.page_size = plan->page_size,
		.frames = frames,
		.frames_count = plan->controllers_count,
	};

	for (uint32_t i = 0; i < plan->controllers_count; i++)
		frames[i] = (struct ward_range){ plan->controllers[i].doorbell,
						 plan->controllers[i].doorbell +
							 plan->controllers[i].size - 1 };
	/* Whole windows of pages as large as the host's. */
	options.window = (struct ward_range){ WARD_SW_MSI_START, WARD_SW_MSI_LAST };
	return ward_doorbells_create(&options, &h->doorbells);
}

int hostile_create(struct build *build, struct hostile **ret_hostile)
{
	struct hostile *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	h->build = build;
	make_probes(h);
	err = make_doorbells(h);
	if (!err)
		err = carrier_create(build, &h->carrier);
	if (err) {
		hostile_destroy(h);
		return err;
	}
	*ret_hostile = h;
	return 0;
}

void hostile_destroy(struct hostile *h)
{
	carrier_destroy(h->carrier);
	ward_doorbells_destroy(h->doorbells);
	free(h);
}

static bool may_use_messages(const struct plan_function *f)
{
	return (f->msi || f->platform) && !f->msi_off;
}

/* The kernel may take a vector from any frame of a pool. */
static bool one_choice(const struct plan *plan, uint32_t a, uint32_t b)
{
	return plan->controllers[a].kind == plan->controllers[b].kind &&
	       plan->controllers[a].pool == plan->controllers[b].pool;
}

/* What a doorbell is mapped into for a function, NULL: its space takes no mappings. */
static struct ward_space *space_of(const struct hostile *h, uint32_t function, bool pasid)
{
	const struct plan *plan = h->build->plan;
	const struct plan_function *f = &plan->functions[function];
	uint32_t space = pasid ? f->pasid_space : f->space;

	if (space == WARD_NONE)
		return pasid ? NULL : h->build->host[plan->same[function]];
	if (plan->spaces[space].kind == WARD_SPACE_NESTED)
		space = plan->spaces[space].parent;
	return plan->spaces[space].kind == WARD_SPACE_UNMANAGED ? h->build->spaces[space] : NULL;
}

static int map_doorbells(struct hostile *h, uint32_t wanted, struct ward_space *space)
{
	const struct plan *plan = h->build->plan;
	struct ward_doorbell doorbell;
	int err = 0;

	for (uint32_t i = 0; i < plan->controllers_count && !err && space; i++) {
		if (!one_choice(plan, i, wanted))
			continue;
		err = ward_doorbell_map(h->doorbells, space, ward_pa(plan->controllers[i].doorbell),
					ward_gpa(0), &doorbell);
		if (!err)
			for (uint64_t at = doorbell.input.start; at <= doorbell.input.last;
			     at += 0x1000)
				add_probe(h, at);
	}
	return err;
}

/*
 * What its owner can bring about: its vectors are enabled, and the doorbell mapped for it. An ITS may
 * be there for another function of one of its spaces, and takes a message of this one for its own.
 */
static int enable_vectors(struct hostile *h, uint32_t function)
{
	const struct plan *plan = h->build->plan;
	const struct plan_function *f = &plan->functions[function];
	bool others = false;
	int err = 0;

	if (f->controller == WARD_NONE || plan->x86)
		return 0;
	others = plan->controllers[f->controller].kind == WARD_CONTROLLER_GICV3_ITS;
	if (may_use_messages(f) || others)
		err = map_doorbells(h, f->controller, space_of(h, function, false));
	if (!err && others)
		err = map_doorbells(h, f->controller, space_of(h, function, true));
	return err;
}

/* On x86, whose interrupts the entries of a remapping table let a writer raise. */
static void raise_remapped(struct hostile *h, uint32_t writer)
{
	const struct plan *plan = h->build->plan;
	uint16_t ids[PLAN_IDS];
	uint32_t count = plan_ids(plan, writer, ids);

	for (uint32_t i = 0; i < plan->functions_count; i++) {
		const struct plan_function *f = &plan->functions[i];
		uint16_t own[PLAN_IDS];
		uint32_t own_count = plan_ids(plan, i, own);

		/*
		 * Linux admits a whole bus for a function that uses several ids of one bus (facts
		 * of drivers/iommu/intel/irq_remapping.c, set_msi_sid).
		 */
		if (!f->present || f->platform || own_count < 2 || !plan_quirks[f->quirk].alias ||
		    own[own_count - 1] >> 8 != f->bus)
			continue;
		for (uint32_t k = 0; k < count; k++)
			if (ids[k] >> 8 == f->bus && plan->functions[writer].segment == f->segment)
				h->touch.users |= 1u << i;
	}
}

/* A message came through a controller that tells writers apart by their DeviceID. */
static void raise_translated(struct hostile *h, uint32_t writer, uint32_t controller)
{
	const struct plan *plan = h->build->plan;
	uint32_t id = plan_device_id(plan, writer);

	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->functions[i].present && plan->functions[i].controller == controller &&
		    may_use_messages(&plan->functions[i]) && plan_device_id(plan, i) == id)
			h->touch.users |= 1u << i;
}

static void ring(struct hostile *h, uint32_t writer, uint32_t controller)
{
	const struct plan *plan = h->build->plan;
	enum ward_controller_kind kind = plan->controllers[controller].kind;

	if (kind == WARD_CONTROLLER_GICV3_ITS) {
		raise_translated(h, writer, controller);
		return;
	}
	if (plan->controllers[controller].isolates) {
		raise_remapped(h, writer);
		return;
	}
	/* Those of one pool count as one: a vector that is wanted may be in any of them. */
	for (uint32_t i = 0; i < plan->controllers_count; i++)
		if (one_choice(plan, i, controller))
			h->touch.controllers |= 1u << i;
	if (kind != WARD_CONTROLLER_GICV2M)
		h->touch.host = true;
	for (uint32_t i = 0; i < plan->functions_count && !plan->x86; i++) {
		const struct plan_function *f = &plan->functions[i];

		if (f->present && f->controller != WARD_NONE && may_use_messages(f) &&
		    one_choice(plan, f->controller, controller))
			h->touch.users |= 1u << i;
	}
	for (uint32_t i = 0; i < plan->iommus_count; i++)
		if (plan->iommus[i].controller != WARD_NONE &&
		    one_choice(plan, plan->iommus[i].controller, controller))
			h->touch.iommus |= 1u << i;
}

/* Who has a function has these, too. */
static void take_over(struct hostile *h, uint32_t function)
{
	const struct plan *plan = h->build->plan;
	const struct plan_function *f = &plan->functions[function];
	const struct plan_quirk *quirk = &plan_quirks[f->quirk];

	h->touch.functions |= 1u << function;
	for (uint32_t i = 0; i < plan->functions_count; i++) {
		const struct plan_function *g = &plan->functions[i];
		bool beside = g->segment == f->segment && g->bus == f->bus &&
			      g->devfn >> 3 == f->devfn >> 3 && !g->platform && !f->platform;

		if (!g->present)
			continue;
		if (g->pf == function || plan->same[i] == plan->same[function] ||
		    (quirk->siblings && beside && (quirk->certain || h->temper == TEMPER_WORST)))
			h->touch.functions |= 1u << i;
	}
}

static int try_one(struct hostile *h, uint32_t function, struct ward_dma *dma)
{
	struct ward_dma_result result;
	int err = carrier_dma(h->carrier, h->build->index[function], dma, &result);
	uint32_t block;

	if (err)
		return err;
	switch (result.end) {
	case WARD_DMA_MEMORY:
		err = carrier_which_block(h->carrier, dma, &result, &block);
		if (err)
			return err;
		if (dma->write)
			h->touch.write |= 1ull << block;
		else
			h->touch.read |= 1ull << block;
		break;
	case WARD_DMA_BAR:
		if (dma->write)
			h->touch.functions |= 1u << h->build->plan_of[result.index];
		break;
	case WARD_DMA_DOORBELL:
		if (dma->write)
			ring(h, function, result.index);
		break;
	case WARD_DMA_FAULT:
	case WARD_DMA_BLOCKED:
	case WARD_DMA_NOWHERE:
	case WARD_DMA_FROZEN:
		break;
	}
	return 0;
}

static int try_all(struct hostile *h, uint32_t function)
{
	const struct plan_function *f = &h->build->plan->functions[function];
	uint32_t ways = f->ats_enabled ? 2 : 1, pasids = f->pasid ? 2 : 1;

	for (uint32_t i = 0; i < h->probes_count; i++) {
		for (uint32_t way = 0; way < ways * pasids * 2; way++) {
			uint64_t value = carrier_stamp(h->carrier);
			struct ward_dma dma = {
				.pasid = way / 2 % pasids ? ward_pasid(1) : WARD_PASID_NONE,
				.address = ward_iova(h->probes[i]),
				.write = way & 1,
				.translated = way / 2 / pasids,
				.bytes = &value,
				.size = sizeof(value),
			};
			int err = try_one(h, function, &dma);

			if (err)
				return err;
		}
	}
	return 0;
}

int hostile_run(struct hostile *h, enum temper temper, struct touch *ret_touch)
{
	const struct plan *plan = h->build->plan;
	uint32_t next;
	int err = 0;

	memset(&h->touch, 0, sizeof(h->touch));
	h->temper = temper;
	h->done = 0;
	carrier_set_temper(h->carrier, temper);
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->functions[i].present && plan->functions[i].hostile)
			h->touch.functions |= 1u << i;
	while (!err && (next = h->touch.functions & ~h->done)) {
		uint32_t function = (uint32_t)__builtin_ctz(next);

		h->done |= 1u << function;
		take_over(h, function);
		err = enable_vectors(h, function);
		if (!err)
			err = try_all(h, function);
	}
	h->touch.users &= ~h->touch.functions;
	*ret_touch = h->touch;
	return err;
}
