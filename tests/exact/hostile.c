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
#include "controllers.h"

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
	uint32_t rung[PLAN_FUNCTIONS]; /* by whom: controllers that got all messages */
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
	/* Where the model backend maps doorbells: at most a page for each. */
	for (uint32_t i = 0; plan->tables && i < plan->controllers_count; i++)
		for (uint64_t at = 0; at < plan->page_size; at += 0x1000)
			add_probe(h, WARD_SW_MSI_START + i * plan->page_size + at);
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
		if (!plan_one_choice(plan, i, wanted))
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

static bool uses_its(const struct plan *plan, const struct plan_function *f)
{
	return plan->controllers[f->controller].kind == WARD_CONTROLLER_GICV3_ITS;
}

/*
 * What is mapped there, for this one or for others: the doorbells of who has vectors. An ITS may come to
 * be mapped for whoever its owner puts beside it.
 */
static int enable_all(struct hostile *h, struct ward_space *space)
{
	const struct plan *plan = h->build->plan;
	int err = 0;

	for (uint32_t i = 0; i < plan->functions_count && space && !err; i++) {
		const struct plan_function *f = &plan->functions[i];

		if (!f->present || f->controller == WARD_NONE || !plan_translated(plan, f))
			continue;
		if ((plan_uses_messages(f) && space_of(h, i, false) == space) ||
		    (uses_its(plan, f) &&
		     (space_of(h, i, false) == space || space_of(h, i, true) == space)))
			err = map_doorbells(h, f->controller, space);
	}
	return err;
}

/* What its owner can bring about: vectors are enabled, and doorbells mapped for them. */
static int enable_vectors(struct hostile *h, uint32_t function)
{
	int err = 0;

	/* The model backend maps them itself. */
	for (uint32_t pasid = 0; pasid < 2 && !err; pasid++)
		if (!h->build->plan->x86 && !h->build->plan->tables)
			err = enable_all(h, space_of(h, function, pasid));
	return err;
}

/* Every message that may come to something. */
static int send_messages(struct hostile *h, uint32_t writer, uint32_t controller,
			 const struct ward_dma *how)
{
	const struct controllers *all = carrier_controllers(h->carrier);
	const struct message *messages;
	uint32_t count = controllers_messages(all, controller, &messages);
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		uint64_t data = messages[i].data, base = ward_iova_raw(how->address);
		struct ward_dma dma = *how;
		struct ward_dma_result result;

		dma.address = ward_iova((h->build->plan->x86 ? 0 : base) + messages[i].address);
		dma.bytes = &data;
		dma.size = messages[i].size;
		err = carrier_dma(h->carrier, h->build->index[writer], &dma, &result);
		if (!err && (result.end != WARD_DMA_DOORBELL || result.index != controller))
			return how->forge ? 0 : -EIO;
		if (!err)
			err = controllers_note(all, controller, &result.interrupt, &h->touch);
	}
	return err;
}

/* Under its own id, and under the other one that the device is known to use. */
static int send_as_itself(struct hostile *h, uint32_t writer, uint32_t controller,
			  const struct ward_dma *rang)
{
	const struct plan_function *f = &h->build->plan->functions[writer];
	struct ward_dma dma = *rang;
	int err = send_messages(h, writer, controller, &dma);

	/* On a root bus no bridge tells which IOMMU sees an id that is no function's. */
	if (err || f->platform || !plan_quirks[f->quirk].alias || f->parent == WARD_NONE)
		return err;
	dma.forge = true;
	dma.rid = ward_rid((uint16_t)((plan_rid(f) & ~7u) | 1));
	return send_messages(h, writer, controller, &dma);
}

/* A write got to a page of the controller; its register is in the first one. */
static int ring(struct hostile *h, uint32_t writer, const struct ward_dma *dma,
		const struct ward_dma_result *result)
{
	const struct plan *plan = h->build->plan;
	uint32_t controller = result->index;

	/* Those of one pool count as one: a vector that is wanted may be in any of them. */
	for (uint32_t i = 0; i < plan->controllers_count; i++)
		if (!plan->controllers[controller].isolates && plan_one_choice(plan, i, controller))
			h->touch.controllers |= 1u << i;
	if (h->rung[writer] >> controller & 1 ||
	    (!plan->x86 && result->target != plan->controllers[controller].doorbell))
		return 0;
	h->rung[writer] |= 1u << controller;
	return send_as_itself(h, writer, controller, dma);
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
			return ring(h, function, dma, &result);
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
	uint32_t ways = f->ats_enabled ? 2 : 1;
	uint32_t pasids = f->pasid || f->pasid_space != WARD_NONE ? 2 : 1;

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
	memset(h->rung, 0, sizeof(h->rung));
	h->temper = temper;
	h->done = 0;
	carrier_set_temper(h->carrier, temper);
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->functions[i].present && plan->functions[i].hostile)
			h->touch.functions |= 1u << i;
	while (!err && (next = h->touch.functions & ~h->done)) {
		uint32_t function = (uint32_t)__builtin_ctz(next);

		h->done |= 1u << function;
		if (!plan->functions[function].frozen) {
			take_over(h, function);
			err = enable_vectors(h, function);
		}
		if (!err)
			err = try_all(h, function);
	}
	h->touch.users &= ~h->touch.functions;
	*ret_touch = h->touch;
	return err;
}
