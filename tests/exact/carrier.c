// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "carrier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controllers.h"
#include "emul/machine.h"

/* Tables of the model backend lie above everything else. */
#define TABLES 0x80000000u
#define TABLES_SIZE 0x400000u

struct carrier;

/* An IOMMU that asks the table. */
struct asker {
	struct carrier *carrier;
	uint32_t index;
};

struct carrier {
	struct build *build;
	struct ward_memory *memory;
	uint64_t stamp;
	/* Quick. */
	struct ward_emul *emul;
	struct ward_attach_table *table;
	struct asker askers[PLAN_IOMMUS];
	struct controllers *controllers;
	/* By tables. */
	struct ward_backend *backend;
	struct ward_device *devices[PLAN_FUNCTIONS];
};

/*
 * The bytes of all blocks, as large as the largest page asks for. One test runs at a time; what a
 * block holds is never the same twice.
 */
static uint64_t blocks[PLAN_BLOCKS * 0x10000 / sizeof(uint64_t)];

static uint64_t *first_word(const struct carrier *c, uint32_t block)
{
	return &blocks[block * c->build->plan->page_size / sizeof(uint64_t)];
}

static int make_memory(struct carrier *c)
{
	uint64_t size = PLAN_BLOCKS * c->build->plan->page_size;
	int err = ward_memory_create(&c->memory);

	if (err)
		return err;
	for (uint32_t i = 0; i < PLAN_BLOCKS; i++)
		*first_word(c, i) = carrier_stamp(c);
	return ward_memory_add(c->memory,
			       (struct ward_range){ PLAN_MEMORY, PLAN_MEMORY + size - 1 }, 0,
			       blocks);
}

static int ask(void *iommu, const struct ward_emul_request *request,
	       struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	const struct asker *asker = iommu;
	struct ward_requester requester = { asker->index, request->sid, request->pasid };

	if (request->translated) {
		*ret_translation = (struct ward_translation){
			.target = ward_target(ward_iova_raw(request->iova)),
			.access = WARD_READ | WARD_WRITE,
			.type = WARD_NORMAL,
			.input = { 0, UINT64_MAX },
		};
		return 0;
	}
	return ward_attach_table_translate(asker->carrier->table, NULL, &requester, request->iova,
					   request->access, ret_translation, ret_fault);
}

static void leave(void *iommu)
{
	(void)iommu;
}

static const struct ward_emul_iommu_ops asking = { ask, leave };

static int create_plain(void *context, const struct ward_space_options *options,
			struct ward_space **ret_space)
{
	(void)context;
	return ward_space_create(options, ret_space);
}

/* Where a function's requests are translated: for hostile guests, whatever stage 1 suits them. */
static struct ward_space *space_for(const struct build *build, uint32_t function, bool pasid)
{
	const struct plan_function *f = &build->plan->functions[function];
	uint32_t space = pasid ? f->pasid_space : f->space;

	if (space == WARD_NONE)
		return pasid ? NULL : build->host[build->plan->same[function]];
	return build->bypass[space] ? build->bypass[space] : build->spaces[space];
}

static int attach_id(struct carrier *c, uint32_t function, uint32_t iommu, ward_sid_t sid)
{
	int err = 0;

	for (uint32_t pasid = 0; pasid < 2 && !err; pasid++) {
		struct ward_requester requester = { iommu, sid,
						    pasid ? ward_pasid(1) : WARD_PASID_NONE };
		struct ward_space *space = space_for(c->build, function, pasid);
		struct ward_space *before = ward_attached(c->table, &requester);

		if (before == space)
			continue;
		if (before && space) {
			fprintf(stderr, "StreamID %#x of IOMMU %u is in two spaces\n",
				(unsigned int)ward_sid_raw(sid), (unsigned int)iommu);
			return -EEXIST;
		}
		if (space)
			err = ward_attach(c->table, &requester, space, NULL, 0);
	}
	return err;
}

static int attach_plain(struct carrier *c, uint32_t function)
{
	const struct plan *plan = c->build->plan;
	const struct plan_function *f = &plan->functions[function];
	uint16_t ids[PLAN_IDS];
	uint32_t count = plan_ids(plan, function, ids), iommu;
	ward_sid_t sid;
	int err = 0;

	if (f->platform && f->iommu != WARD_NONE)
		return attach_id(c, function, f->iommu, ward_sid(0x1f000 + function));
	for (uint32_t i = 0; i < count && !err; i++)
		if (ward_emul_stream(c->emul, f->segment, ward_rid(ids[i]), &iommu, &sid))
			err = attach_id(c, function, iommu, sid);
	return err;
}

static int make_plain(struct carrier *c)
{
	const struct plan *plan = c->build->plan;
	int err = ward_attach_table_create(NULL, &c->table);

	if (!err)
		err = build_spaces(c->build, create_plain, NULL);
	if (!err)
		err = ward_emul_create(c->build->truth, c->memory, &c->emul);
	for (uint32_t i = 0; i < plan->iommus_count && !err; i++) {
		c->askers[i] = (struct asker){ c, i };
		if (plan->iommus[i].active)
			ward_emul_set_iommu(c->emul, i, &asking, &c->askers[i]);
	}
	for (uint32_t i = 0; i < plan->functions_count && !err; i++)
		if (plan->functions[i].present)
			err = attach_plain(c, i);
	if (!err)
		err = controllers_create(c->build, c->memory, c->emul, &c->controllers);
	return err;
}

static int create_backed(void *context, const struct ward_space_options *options,
			 struct ward_space **ret_space)
{
	struct ward_space_options copy = *options;
	struct carrier *c = context;

	copy.page_sizes = 0;
	return ward_backend_space(c->backend, &copy, ret_space);
}

static int attach_backed(struct carrier *c, uint32_t function)
{
	struct ward_error error = { "" };
	uint32_t index = c->build->index[function];
	int err = ward_device_open(c->backend, c->build->truth->functions[index].name,
				   &c->devices[function], &error);

	if (err)
		fprintf(stderr, "open: %s\n", error.text);
	for (uint32_t pasid = 0; pasid < 2 && !err; pasid++) {
		struct ward_space *space = space_for(c->build, function, pasid);

		if (!space)
			continue;
		err = ward_device_attach(c->devices[function],
					 pasid ? ward_pasid(1) : WARD_PASID_NONE, space);
		if (err)
			fprintf(stderr, "attach of %s: %d\n",
				c->build->truth->functions[index].name, err);
	}
	return err;
}

static int make_backed(struct carrier *c)
{
	const struct plan *plan = c->build->plan;
	struct ward_range tables = { TABLES, TABLES + TABLES_SIZE - 1 };
	struct ward_error error = { "" };
	int err = ward_memory_add(c->memory, tables, 0, NULL);

	if (!err)
		err = ward_backend_model(c->build->truth, c->memory, tables, &c->backend, &error);
	if (err)
		fprintf(stderr, "model: %s\n", error.text);
	if (!err)
		err = build_spaces(c->build, create_backed, c);
	for (uint32_t i = 0; i < plan->functions_count && !err; i++)
		if (plan->functions[i].present && plan_translated(plan, &plan->functions[i]))
			err = attach_backed(c, i);
	if (!err)
		err = controllers_create_backed(c->build, c->backend, c->devices, &c->controllers);
	return err;
}

static int freeze(struct carrier *c)
{
	const struct plan *plan = c->build->plan;
	int err = 0;

	for (uint32_t i = 0; i < plan->functions_count && !err; i++) {
		uint32_t index = c->build->index[i];

		if (!plan->functions[i].present || !plan->functions[i].frozen)
			continue;
		err = c->backend ? ward_model_freeze(c->backend, index)
				 : ward_emul_freeze(c->emul, index, WARD_ERROR_INJECTED);
	}
	return err;
}

int carrier_create(struct build *build, struct carrier **ret_carrier)
{
	struct carrier *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->build = build;
	err = make_memory(c);
	if (!err)
		err = build->plan->tables ? make_backed(c) : make_plain(c);
	if (!err)
		err = freeze(c);
	if (err) {
		carrier_destroy(c);
		return err;
	}
	*ret_carrier = c;
	return 0;
}

void carrier_destroy(struct carrier *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < PLAN_FUNCTIONS; i++)
		ward_device_close(c->devices[i]);
	ward_emul_destroy(c->emul);
	controllers_destroy(c->controllers);
	ward_attach_table_destroy(c->table);
	/* The spaces of a backend go before it. */
	if (c->backend)
		build_drop_spaces(c->build);
	ward_backend_destroy(c->backend);
	ward_memory_destroy(c->memory);
	free(c);
}

void carrier_set_temper(struct carrier *c, enum temper temper)
{
	struct ward_model_temper how = {
		.routes_peers = temper == TEMPER_WORST,
		.forges_translated = temper == TEMPER_WORST,
	};

	if (c->backend)
		ward_model_set_temper(c->backend, &how);
	else
		ward_emul_set_temper(c->emul, &how);
}

const struct controllers *carrier_controllers(const struct carrier *c)
{
	return c->controllers;
}

int carrier_dma(struct carrier *c, uint32_t index, struct ward_dma *dma,
		struct ward_dma_result *ret_result)
{
	if (c->backend)
		return ward_model_dma(c->backend, index, dma, ret_result);
	return ward_emul_dma(c->emul, index, dma, ret_result);
}

uint64_t carrier_stamp(struct carrier *c)
{
	return 0x5747000000000000u + ++c->stamp;
}

int carrier_which_block(struct carrier *c, const struct ward_dma *dma,
			const struct ward_dma_result *result, uint32_t *ret_block)
{
	uint64_t page = c->build->plan->page_size, value;
	uint64_t at = result->target - PLAN_MEMORY;

	memcpy(&value, dma->bytes, sizeof(value));
	if (at % sizeof(value) || at / page >= PLAN_BLOCKS || value != blocks[at / sizeof(value)]) {
		fprintf(stderr, "a DMA to %#llx did not move its bytes\n",
			(unsigned long long)result->target);
		return -EIO;
	}
	*ret_block = (uint32_t)(at / page);
	return 0;
}
