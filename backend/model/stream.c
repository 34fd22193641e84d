// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "state.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

/* Tags are VMIDs and domain ids: 16 bits, and 0 is nobody's. */
#define TAG_LAST 0xffffu

/* An id of a function, by number: its own, then its aliases. */
static bool id_of(const struct ward_model *model, uint32_t index, unsigned int number,
		  struct ward_stream *ret_stream)
{
	const struct ward_function *function = &model->facts->functions[index];
	ward_rid_t rid = number ? function->alias[number - 1] : function->address.rid;

	if (function->kind == WARD_FUNCTION_PCI &&
	    ward_emul_stream(model->emul, function->address.segment, rid, &ret_stream->iommu,
			     &ret_stream->sid))
		return ret_stream->iommu < model->facts->iommus_count &&
		       model->iommus[ret_stream->iommu].driver;
	if (number || function->stream.iommu >= model->facts->iommus_count ||
	    !model->iommus[function->stream.iommu].driver)
		return false;
	*ret_stream = function->stream;
	return true;
}

static unsigned int ids_of(const struct ward_model *model, uint32_t index)
{
	const struct ward_function *function = &model->facts->functions[index];

	if (function->kind != WARD_FUNCTION_PCI)
		return 1;
	return 1u + (function->aliases < WARD_ALIASES_MAX ? function->aliases : WARD_ALIASES_MAX);
}

static int compare(const void *a, const void *b)
{
	const struct ward_model_stream *x = a, *y = b;

	if (x->iommu != y->iommu)
		return x->iommu < y->iommu ? -1 : 1;
	return ward_sid_raw(x->sid) < ward_sid_raw(y->sid)
		       ? -1
		       : ward_sid_raw(x->sid) > ward_sid_raw(y->sid);
}

/* One that ward_model_find_streams met. */
static uint32_t find(const struct ward_model *model, struct ward_stream id)
{
	const struct ward_model_stream key = { .iommu = id.iommu, .sid = id.sid };
	const struct ward_model_stream *found = bsearch(&key, model->streams, model->streams_count,
							sizeof(*model->streams), compare);

	return found ? (uint32_t)(found - model->streams) : WARD_NONE;
}

/* Sorts what was met, each once, and numbers them. */
static int number_streams(struct ward_model *model)
{
	struct ward_model_stream *streams = model->streams;
	uint32_t met = model->streams_count;

	qsort(streams, met, sizeof(*streams), compare);
	model->streams_count = 0;
	for (uint32_t i = 0; i < met; i++) {
		struct ward_model_iommu *iommu = &model->iommus[streams[i].iommu];

		if (i && compare(&streams[i], &streams[model->streams_count - 1]) == 0)
			continue;
		if (iommu->streams == TAG_LAST)
			return -ENOSPC;
		streams[model->streams_count] = streams[i];
		streams[model->streams_count++].tag = (uint16_t)++iommu->streams;
	}
	return 0;
}

int ward_model_find_streams(struct ward_model *model)
{
	size_t most = 0;

	for (uint32_t i = 0; i < model->facts->functions_count; i++)
		most += ids_of(model, i);
	model->streams = ward_alloc_array(most, sizeof(*model->streams));
	if (!model->streams)
		return -ENOMEM;
	for (uint32_t i = 0; i < model->facts->functions_count; i++) {
		for (unsigned int number = 0; number < ids_of(model, i); number++) {
			struct ward_stream id;

			if (id_of(model, i, number, &id))
				model->streams[model->streams_count++] =
					(struct ward_model_stream){ .iommu = id.iommu,
								    .sid = id.sid };
		}
	}
	return number_streams(model);
}

uint32_t ward_model_ids(const struct ward_model *model, uint32_t function,
			uint32_t ret_streams[WARD_MODEL_IDS])
{
	uint32_t count = 0;

	for (unsigned int number = 0; number < ids_of(model, function); number++) {
		struct ward_stream id;
		uint32_t index;
		bool seen = false;

		if (!id_of(model, function, number, &id))
			continue;
		index = find(model, id);
		for (uint32_t i = 0; i < count; i++)
			seen |= ret_streams[i] == index;
		if (!seen)
			ret_streams[count++] = index;
	}
	return count;
}

void ward_model_freeze_stream(struct ward_model *model, const struct ward_model_stream *stream)
{
	for (uint32_t i = 0; i < model->facts->functions_count; i++) {
		uint32_t streams[WARD_MODEL_IDS], count = ward_model_ids(model, i, streams);

		for (uint32_t at = 0; at < count; at++)
			if (&model->streams[streams[at]] == stream)
				ward_emul_freeze(model->emul, i, WARD_ERROR_TIMEOUT);
	}
}
