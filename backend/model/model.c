// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "state.h"

#include "base/error.h"
#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

int ward_model_misuse(struct ward_model *model, int code, const char *how)
{
	if (model->misused)
		model->misused(model->misused_context, how);
	return code;
}

bool ward_model_answers(void *context, ward_sid_t sid, struct ward_range range)
{
	const struct ward_model_iommu *iommu = context;

	(void)sid;
	(void)range;
	return !ward_emul_temper(iommu->model->emul)->ignores_invalidations;
}

static void free_model(struct ward_model *model)
{
	ward_emul_destroy(model->emul);
	ward_table_pages_destroy(model->pages);
	free(model->iommus);
	free(model->streams);
	free(model->devices);
	free(model);
}

static void destroy_model(void *context)
{
	struct ward_model *model = context;

	if (model->spaces)
		ward_model_misuse(model, 0, "destroyed with spaces alive");
	for (struct ward_model_space *space = model->spaces; space; space = space->next)
		space->model = NULL;
	free_model(model);
}

static void tell_misuse(void *context, const char *how)
{
	ward_model_misuse(context, 0, how);
}

static const struct ward_backend_ops model_ops = {
	.name = "model",
	.space = ward_model_space_make,
	.open = ward_model_open,
	.destroy = destroy_model,
	.misused = tell_misuse,
};

static int choose_driver(struct ward_model *model, uint32_t index, struct ward_error *error)
{
	const struct ward_iommu *facts = &model->facts->iommus[index];
	struct ward_model_iommu *iommu = &model->iommus[index];

	iommu->model = model;
	iommu->index = index;
	/* One that the kernel does not use translates nothing. */
	if (facts->active == WARD_NO)
		return 0;
	switch (facts->kind) {
	case WARD_IOMMU_SMMUV3:
		iommu->driver = &ward_model_smmuv3;
		return 0;
	case WARD_IOMMU_VTD:
		iommu->driver = &ward_model_vtd;
		return 0;
	case WARD_IOMMU_AMD:
	case WARD_IOMMU_SMMUV2:
	case WARD_IOMMU_VIRTIO:
	case WARD_IOMMU_OTHER:
		break;
	}
	return ward_fail(error, -EINVAL, "%s: the model has SMMUv3 and VT-d, no other IOMMUs",
			 facts->name ? facts->name : "an IOMMU");
}

static uint32_t last_sid(const struct ward_model *model, uint32_t iommu)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < model->streams_count; i++)
		if (model->streams[i].iommu == iommu && ward_sid_raw(model->streams[i].sid) > last)
			last = ward_sid_raw(model->streams[i].sid);
	return last;
}

static int start_iommu(struct ward_model *model, struct ward_model_iommu *iommu)
{
	int code = iommu->driver->create(iommu, last_sid(model, iommu->index));

	for (uint32_t i = 0; !code && i < model->streams_count; i++)
		if (model->streams[i].iommu == iommu->index)
			code = iommu->driver->prepare(iommu, &model->streams[i]);
	if (!code)
		iommu->driver->enable(iommu);
	return code;
}

static int build(struct ward_model *model, struct ward_range tables, struct ward_error *error)
{
	const struct ward_machine *facts = model->facts;
	int code = 0;

	model->iommus = ward_alloc_array(facts->iommus_count, sizeof(*model->iommus));
	model->devices =
		ward_alloc_array(facts->functions_count, sizeof(struct ward_model_device *));
	if (!model->iommus || !model->devices)
		return ward_fail(error, -ENOMEM, "no memory");
	for (uint32_t i = 0; !code && i < facts->iommus_count; i++)
		code = choose_driver(model, i, error);
	if (code)
		return code;
	code = ward_table_pages_create(model->memory, tables, &model->pages);
	if (!code)
		code = ward_emul_create(facts, model->memory, &model->emul);
	if (!code)
		code = ward_model_find_streams(model);
	for (uint32_t i = 0; !code && i < facts->iommus_count; i++)
		if (model->iommus[i].driver)
			code = start_iommu(model, &model->iommus[i]);
	if (!code)
		return 0;
	return ward_fail(error, code,
			 code == -ENOMEM   ? "no memory, or too little for tables"
			 : code == -ENOSPC ? "more than 65535 ids at one IOMMU"
					   : "the IOMMUs cannot be set up: is the range of tables "
					     "memory?");
}

int ward_backend_model(const struct ward_machine *machine, struct ward_memory *memory,
		       struct ward_range tables, struct ward_backend **ret_backend,
		       struct ward_error *ret_error)
{
	struct ward_model *model = ward_alloc(sizeof(*model));
	int code;

	if (!model)
		return ward_fail(ret_error, -ENOMEM, "no memory");
	model->facts = machine;
	model->memory = memory;
	code = build(model, tables, ret_error);
	if (!code)
		code = ward_backend_create(&model_ops, model, ret_backend);
	if (code)
		free_model(model);
	return code;
}

static struct ward_model *model_of(const struct ward_backend *backend)
{
	return ward_backend_context(backend, &model_ops);
}

void ward_model_police(struct ward_backend *backend,
		       void (*misused)(void *context, const char *how), void *context)
{
	struct ward_model *model = model_of(backend);

	if (!model)
		return;
	model->misused = misused;
	model->misused_context = context;
}

int ward_model_dma(struct ward_backend *backend, uint32_t function, const struct ward_dma *dma,
		   struct ward_dma_result *ret_result)
{
	struct ward_model *model = model_of(backend);

	return model ? ward_emul_dma(model->emul, function, dma, ret_result) : -EINVAL;
}

void ward_model_set_temper(struct ward_backend *backend, const struct ward_model_temper *temper)
{
	struct ward_model *model = model_of(backend);

	if (model)
		ward_emul_set_temper(model->emul, temper);
}

int ward_model_error_domain(struct ward_backend *backend, const uint32_t *functions, uint32_t count,
			    bool freeze_on_fault)
{
	struct ward_model *model = model_of(backend);

	return model ? ward_emul_error_domain(model->emul, functions, count, freeze_on_fault)
		     : -EINVAL;
}

int ward_model_freeze(struct ward_backend *backend, uint32_t function)
{
	struct ward_model *model = model_of(backend);

	return model ? ward_emul_freeze(model->emul, function, WARD_ERROR_INJECTED) : -EINVAL;
}

int ward_model_error(struct ward_backend *backend, uint32_t function,
		     struct ward_error_state *ret_error)
{
	struct ward_model *model = model_of(backend);

	return model ? ward_emul_error(model->emul, function, ret_error) : -EINVAL;
}

int ward_model_thaw(struct ward_backend *backend, uint32_t function)
{
	struct ward_model *model = model_of(backend);

	return model ? ward_emul_thaw(model->emul, function) : -EINVAL;
}
