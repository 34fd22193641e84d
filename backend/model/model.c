// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "irq.h"

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
	ward_model_host_destroy(model->host);
	for (uint32_t i = 0; model->iommus && i < model->facts->iommus_count; i++)
		if (model->iommus[i].driver == &ward_model_vtd)
			free(model->iommus[i].u.vtd.irtes);
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
		code = ward_model_host_create(model, &model->host);
	if (!code) {
		ward_emul_on_frozen(model->emul, ward_model_irqs_frozen, model);
		return 0;
	}
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

struct ward_model *ward_model_of(const struct ward_backend *backend)
{
	return ward_backend_context(backend, &model_ops);
}

void ward_model_police(struct ward_backend *backend,
		       void (*misused)(void *context, const char *how), void *context)
{
	struct ward_model *model = ward_model_of(backend);

	if (!model)
		return;
	model->misused = misused;
	model->misused_context = context;
}

int ward_model_dma(struct ward_backend *backend, uint32_t function, const struct ward_dma *dma,
		   struct ward_dma_result *ret_result)
{
	struct ward_model *model = ward_model_of(backend);

	return model ? ward_emul_dma(model->emul, function, dma, ret_result) : -EINVAL;
}

void ward_model_set_temper(struct ward_backend *backend, const struct ward_model_temper *temper)
{
	struct ward_model *model = ward_model_of(backend);

	if (model)
		ward_emul_set_temper(model->emul, temper);
}

int ward_model_error_domain(struct ward_backend *backend, const uint32_t *functions, uint32_t count,
			    bool freeze_on_fault)
{
	struct ward_model *model = ward_model_of(backend);

	return model ? ward_emul_error_domain(model->emul, functions, count, freeze_on_fault)
		     : -EINVAL;
}

int ward_model_present(struct ward_backend *backend, uint32_t function, bool present)
{
	struct ward_model *model = ward_model_of(backend);

	return model ? ward_emul_present(model->emul, function, present) : -EINVAL;
}

int ward_model_freeze(struct ward_backend *backend, uint32_t function)
{
	struct ward_model *model = ward_model_of(backend);

	return model ? ward_emul_freeze(model->emul, function, WARD_ERROR_INJECTED) : -EINVAL;
}

int ward_model_error(struct ward_backend *backend, uint32_t function,
		     struct ward_error_state *ret_error)
{
	struct ward_model *model = ward_model_of(backend);

	return model ? ward_emul_error(model->emul, function, ret_error) : -EINVAL;
}

int ward_model_thaw(struct ward_backend *backend, uint32_t function)
{
	struct ward_model *model = ward_model_of(backend);
	struct ward_model_device *device;
	int code;

	if (!model)
		return -EINVAL;
	for (uint32_t i = 0; i < model->facts->functions_count; i++) {
		device = model->devices[i];
		if (device)
			device->thaws = ward_emul_frozen(model->emul, i);
	}
	code = ward_emul_thaw(model->emul, function);
	/* Its members were reset; what the others have in their tables is their owners'. */
	for (uint32_t i = 0; !code && i < model->facts->functions_count; i++) {
		device = model->devices[i];
		if (device && device->thaws && !ward_emul_frozen(model->emul, i))
			ward_model_irqs_restore(device->irqs);
	}
	return code;
}

int ward_model_raise(struct ward_backend *backend, uint32_t function, enum ward_irq_index index,
		     uint32_t vector, struct ward_raise *ret_raise)
{
	struct ward_model *model = ward_model_of(backend);
	struct ward_vectors *vectors = model ? ward_emul_vectors(model->emul, function) : NULL;
	enum ward_vector_mode wanted = index == WARD_IRQS_MSI	 ? WARD_VECTORS_MSI
				       : index == WARD_IRQS_MSIX ? WARD_VECTORS_MSIX
								 : WARD_VECTORS_OFF;

	if (!vectors || wanted == WARD_VECTORS_OFF)
		return -EINVAL;
	if (ward_vectors_mode(vectors, NULL) != wanted)
		return -EOPNOTSUPP;
	return ward_emul_raise(model->emul, function, vector, ret_raise);
}

int ward_model_intx(struct ward_backend *backend, uint32_t function, bool level)
{
	struct ward_model *model = ward_model_of(backend);

	if (!model || function >= model->facts->functions_count ||
	    model->facts->functions[function].kind != WARD_FUNCTION_PCI ||
	    !model->facts->functions[function].intx_pin)
		return -EINVAL;
	model->host->lines[function] = level;
	if (model->devices[function])
		ward_model_intx_look(model->devices[function]->irqs);
	return 0;
}

int ward_model_dispatch(struct ward_backend *backend)
{
	struct ward_model *model = ward_model_of(backend);
	int served = 0;

	if (!model)
		return -EINVAL;
	for (uint32_t i = 0; i < model->facts->functions_count; i++)
		if (model->devices[i] && ward_model_intx_resample(model->devices[i]->irqs))
			served++;
	return served;
}

int ward_model_set_policy(struct ward_backend *backend, enum ward_gicv2m_policy policy)
{
	struct ward_model *model = ward_model_of(backend);

	if (!model || (policy != WARD_GICV2M_FIRST_FIT && policy != WARD_GICV2M_BY_PARENT))
		return -EINVAL;
	model->host->policy = policy;
	return 0;
}

int ward_model_whose(struct ward_backend *backend, uint32_t controller,
		     const struct ward_interrupt *interrupt, uint32_t *ret_function,
		     uint32_t *ret_index, uint32_t *ret_vector)
{
	struct ward_model *model = ward_model_of(backend);
	const struct ward_model_owner *owner;

	if (!model || controller >= model->facts->controllers_count ||
	    interrupt->end != WARD_INTERRUPT_PENDING)
		return -ENOENT;
	owner = ward_model_owner_of(model->host, interrupt->number,
				    interrupt->cpu == WARD_NONE ? 0 : interrupt->cpu);
	if (!owner || !owner->irqs)
		return -ENOENT;
	*ret_function = owner->irqs->device->function;
	if (ret_index)
		*ret_index = owner->irqs->active;
	if (ret_vector)
		*ret_vector = owner->vector;
	return 0;
}
