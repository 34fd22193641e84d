// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The software machine: made from facts, taken apart, and one DMA from beginning to end. */
#include "emul/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

#define PAGE_BYTES 4096u
#define FOUR_GIB (UINT64_C(1) << 32)

static void widen(struct ward_range *range, struct ward_range by)
{
	if (ward_range_is_empty(by))
		return;
	if (ward_range_is_empty(*range)) {
		*range = by;
		return;
	}
	if (by.start < range->start)
		range->start = by.start;
	if (by.last > range->last)
		range->last = by.last;
}

static void widen_hull(struct emul_function *bridge, struct ward_range by)
{
	widen(&bridge->window[by.start >= FOUR_GIB], by);
}

static bool windows_known(const struct ward_bridge *bridge)
{
	return !ward_range_is_empty(bridge->memory) || !ward_range_is_empty(bridge->prefetchable);
}

/* Functions with the same number are one device: a slot, a bus with ARI, the VFs of either. */
static uint32_t device_of(const struct ward_machine *facts, const struct ward_function *f)
{
	const struct ward_function *base =
		f->physfn == WARD_NONE ? f : &facts->functions[f->physfn];
	bool ari = base->parent != WARD_NONE && facts->functions[base->parent].ari_forwarding;

	return base->bus << 5 | (ari ? 0u : (uint32_t)(ward_rid_devfn(base->address.rid) >> 3));
}

static void init_function(struct ward_emul *emul, uint32_t index)
{
	const struct ward_function *f = &emul->facts->functions[index];
	struct emul_function *e = &emul->functions[index];

	e->first_child = WARD_NONE;
	e->next_sibling = WARD_NONE;
	e->domain = index;
	e->window[0] = WARD_RANGE_EMPTY;
	e->window[1] = WARD_RANGE_EMPTY;
	emul->domains[index].error.function = WARD_NONE;
	if (f->kind != WARD_FUNCTION_PCI) {
		e->device = WARD_NONE;
		return;
	}
	e->device = device_of(emul->facts, f);
	ward_emul_acs_init(f, e);
	if (f->header_type != 0 && windows_known(&f->bridge)) {
		e->window[0] = f->bridge.memory;
		e->window[1] = f->bridge.prefetchable;
	}
	for (unsigned int i = 0; i < EMUL_BARS; i++)
		e->has_bars |= !f->bar[i].io && !ward_range_is_empty(f->bar[i].range);
}

/*
 * Hangs a function below its bridge. Children have higher bus numbers than the bridge: going from
 * the last function to the first, whatever lies below a bridge is known when its turn comes.
 */
static void link_function(struct ward_emul *emul, uint32_t index)
{
	const struct ward_function *f = &emul->facts->functions[index];
	struct emul_function *e = &emul->functions[index], *bridge;

	if (f->kind != WARD_FUNCTION_PCI)
		return;
	if (f->parent == WARD_NONE) {
		e->next_sibling = emul->first_root;
		emul->first_root = index;
		return;
	}
	bridge = &emul->functions[f->parent];
	e->next_sibling = bridge->first_child;
	bridge->first_child = index;
	if (windows_known(&emul->facts->functions[f->parent].bridge))
		return;
	for (unsigned int i = 0; i < EMUL_BARS && e->has_bars; i++) {
		if (!f->bar[i].io)
			widen_hull(bridge, f->bar[i].range);
	}
	widen_hull(bridge, e->window[0]);
	widen_hull(bridge, e->window[1]);
}

int ward_emul_create(const struct ward_machine *facts, struct ward_memory *memory,
		     struct ward_emul **ret_emul)
{
	struct ward_emul *emul = ward_alloc(sizeof(*emul));
	uint32_t count = facts->functions_count;

	if (!emul)
		return -ENOMEM;
	emul->facts = facts;
	emul->memory = memory;
	emul->first_root = WARD_NONE;
	emul->functions = ward_alloc_array(count, sizeof(*emul->functions));
	emul->domains = ward_alloc_array(count, sizeof(*emul->domains));
	emul->registers = ward_alloc_array(count, sizeof(*emul->registers));
	emul->iommus = ward_alloc_array(facts->iommus_count, sizeof(*emul->iommus));
	emul->controllers = ward_alloc_array(facts->controllers_count, sizeof(*emul->controllers));
	emul->vectors = ward_alloc_array(count, sizeof(*emul->vectors));
	if (!emul->functions || !emul->domains || !emul->registers || !emul->iommus ||
	    !emul->controllers || !emul->vectors) {
		ward_emul_destroy(emul);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++) {
		init_function(emul, i);
		if (ward_emul_vectors_create(emul, i)) {
			ward_emul_destroy(emul);
			return -ENOMEM;
		}
	}
	for (uint32_t i = count; i > 0; i--)
		link_function(emul, i - 1);
	*ret_emul = emul;
	return 0;
}

void ward_emul_destroy(struct ward_emul *emul)
{
	if (!emul)
		return;
	for (uint32_t i = 0; emul->iommus && i < emul->facts->iommus_count; i++)
		ward_emul_set_iommu(emul, i, NULL, NULL);
	for (uint32_t i = 0; emul->controllers && i < emul->facts->controllers_count; i++)
		ward_emul_set_controller(emul, i, NULL, NULL);
	for (uint32_t i = 0; emul->vectors && i < emul->facts->functions_count; i++)
		ward_vectors_destroy(emul->vectors[i].vectors);
	free(emul->functions);
	free(emul->domains);
	free(emul->registers);
	free(emul->iommus);
	free(emul->controllers);
	free(emul->vectors);
	free(emul);
}

void ward_emul_set_iommu(struct ward_emul *emul, uint32_t index,
			 const struct ward_emul_iommu_ops *ops, void *iommu)
{
	struct emul_iommu *place;

	if (index >= emul->facts->iommus_count)
		return;
	place = &emul->iommus[index];
	if (place->ops && place->ops->destroy)
		place->ops->destroy(place->iommu);
	place->ops = ops;
	place->iommu = iommu;
}

void ward_emul_set_temper(struct ward_emul *emul, const struct ward_model_temper *temper)
{
	emul->temper = *temper;
}

const struct ward_model_temper *ward_emul_temper(const struct ward_emul *emul)
{
	return &emul->temper;
}

/* What the IOMMU of a request makes of it. 0, or -EFAULT with *ret_result filled. */
static int translate(const struct ward_emul *emul, const struct emul_request *request,
		     struct ward_dma_result *ret_result, uint64_t *ret_target)
{
	const struct ward_function *f = &emul->facts->functions[request->source];
	struct ward_emul_request asked = {
		.pasid = request->pasid,
		.iova = ward_iova(request->address),
		.access = request->write ? WARD_WRITE : WARD_READ,
		.translated = request->translated,
		.probe = request->probe,
	};
	struct ward_translation translation;
	uint32_t iommu = f->stream.iommu;
	const struct emul_iommu *place;

	asked.sid = f->stream.sid;
	*ret_target = request->address;
	if (f->kind == WARD_FUNCTION_PCI &&
	    !ward_emul_stream(emul, f->address.segment, request->rid, &iommu, &asked.sid))
		return 0;
	if (iommu == WARD_NONE || !emul->iommus[iommu].ops)
		return 0;
	place = &emul->iommus[iommu];
	if (place->ops->translate(place->iommu, &asked, &translation, &ret_result->fault)) {
		ret_result->end = WARD_DMA_FAULT;
		return -EFAULT;
	}
	*ret_target = ward_target_raw(translation.target);
	return 0;
}

static bool in_x86_window(const struct ward_emul *emul, uint64_t address)
{
	return emul->facts->arch == WARD_ARCH_X86 && address >= WARD_X86_MSI_START &&
	       address <= WARD_X86_MSI_LAST;
}

/*
 * The interrupt window is looked at before translation. Reads of it, and requests that were
 * translated into it, are answered by nobody (VT-d 3.14).
 */
static void in_root_complex(const struct ward_emul *emul, const struct emul_request *request,
			    struct ward_dma_result *ret_result)
{
	bool skips = request->translated && emul->facts->functions[request->source].ats_enabled;
	uint64_t target = request->address;

	if (in_x86_window(emul, request->address)) {
		uint32_t controller = ward_emul_x86_controller(emul, request->source);

		ret_result->end = WARD_DMA_NOWHERE;
		if (!request->write || request->translated || controller == WARD_NONE)
			return;
		ret_result->end = WARD_DMA_DOORBELL;
		ret_result->index = controller;
		ret_result->target = request->address;
		return;
	}
	if (!skips && translate(emul, request, ret_result, &target))
		return;
	ret_result->end = WARD_DMA_NOWHERE;
	ret_result->target = target;
	if (in_x86_window(emul, target))
		return;
	ret_result->index = ward_emul_doorbell(emul, target);
	ret_result->end = ret_result->index == WARD_NONE ? WARD_DMA_MEMORY : WARD_DMA_DOORBELL;
}

static bool moved_in_memory(const struct ward_emul *emul, const struct ward_dma *dma,
			    uint64_t address)
{
	struct ward_range range = { address, address + (dma->size - 1) };

	if (range.last < range.start)
		return false;
	if (!dma->bytes)
		return ward_memory_at(emul->memory, range, dma->write) != NULL;
	if (dma->write)
		return ward_memory_write(emul->memory, address, dma->bytes, dma->size) == 0;
	return ward_memory_read(emul->memory, address, dma->bytes, dma->size) == 0;
}

/* Moves the bytes; memory turns out to be registers or nothing. address: as the target sees it. */
static void move(struct ward_emul *emul, const struct emul_request *request,
		 const struct ward_dma *dma, uint64_t address, struct ward_dma_result *ret_result)
{
	if (ret_result->end == WARD_DMA_MEMORY) {
		if (moved_in_memory(emul, dma, address))
			return;
		ward_emul_from_root(emul, address, ret_result);
	}
	if (!dma->bytes)
		return;
	if (ret_result->end == WARD_DMA_BAR && dma->write)
		ward_emul_bar_write(emul, ret_result->index, address, dma->bytes, dma->size);
	else if (ret_result->end == WARD_DMA_BAR)
		ward_emul_bar_read(emul, ret_result->index, address, dma->bytes, dma->size);
	else if (ret_result->end == WARD_DMA_DOORBELL && dma->write)
		ward_emul_ring(emul, request, dma, ret_result);
	else if (ret_result->end == WARD_DMA_DOORBELL)
		memset(dma->bytes, 0, dma->size);
}

/* Where a request goes. *ret_address: where that is on the bus or in the root complex. */
static void route(const struct ward_emul *emul, struct emul_request *request,
		  struct ward_dma_result *ret_result, uint64_t *ret_address)
{
	const struct ward_function *f = &emul->facts->functions[request->source];

	*ret_address = request->address;
	/* A device asks the IOMMU before it claims to have translated. */
	if (request->translated && f->ats_enabled && !emul->temper.forges_translated) {
		struct emul_request ask = *request;

		ask.translated = false;
		if (translate(emul, &ask, ret_result, &request->address))
			return;
		*ret_address = request->address;
	}
	if (f->kind == WARD_FUNCTION_PCI) {
		if (ward_emul_climb(emul, request, ret_result) != EMUL_ROOT)
			return;
	}
	in_root_complex(emul, request, ret_result);
	*ret_address = ret_result->target;
}

static struct emul_request make_request(const struct ward_emul *emul, uint32_t function,
					const struct ward_dma *dma)
{
	return (struct emul_request){
		.source = function,
		.address = ward_iova_raw(dma->address),
		.write = dma->write,
		.translated = dma->translated,
		.rid = dma->forge ? dma->rid : emul->facts->functions[function].address.rid,
		.pasid = dma->pasid,
	};
}

static void drop(struct ward_emul *emul, uint32_t function, const struct ward_dma *dma,
		 struct ward_dma_result *ret_result)
{
	struct emul_request request = make_request(emul, function, dma);
	struct ward_dma_result would = { .index = WARD_NONE };
	uint64_t address;

	request.probe = true;
	if (dma->write)
		route(emul, &request, &would, &address);
	ward_emul_note_dropped(emul, function, dma->write && would.end == WARD_DMA_DOORBELL);
	ret_result->end = WARD_DMA_FROZEN;
}

int ward_emul_dma(struct ward_emul *emul, uint32_t function, const struct ward_dma *dma,
		  struct ward_dma_result *ret_result)
{
	struct ward_dma_result result = { .index = WARD_NONE };
	struct emul_request request;
	uint64_t address;

	if (function >= emul->facts->functions_count || dma->size == 0 ||
	    dma->size > PAGE_BYTES - ward_iova_raw(dma->address) % PAGE_BYTES)
		return -EINVAL;
	if (!ward_emul_is_present(emul, function)) {
		result.end = WARD_DMA_NOWHERE;
		result.target = ward_iova_raw(dma->address);
	} else if (ward_emul_frozen(emul, function)) {
		drop(emul, function, dma, &result);
	} else {
		request = make_request(emul, function, dma);
		route(emul, &request, &result, &address);
		move(emul, &request, dma, address, &result);
		if (result.end == WARD_DMA_FAULT)
			ward_emul_note_fault(emul, function, &result.fault);
	}
	*ret_result = result;
	return 0;
}
