// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The interrupt hardware of the machine: one GIC, or the APICs of its CPUs, and the controllers that
 * messages are written to. A CPU takes at once what becomes pending, and its handler writes the eventfd
 * of the vector that has it. What nobody has is not enabled: it stays pending, or (x86) is spurious.
 */
#include "irq.h"

#include "base/fault.h"
#include "emul/controller.h"
#include "emul/vtd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VECTORS 256u

static const struct ward_model_chip_ops *const drivers[] = {
	[WARD_CONTROLLER_GICV2M] = &ward_model_chip_v2m,
	[WARD_CONTROLLER_GICV3_ITS] = &ward_model_chip_its,
	[WARD_CONTROLLER_GICV3_MBI] = &ward_model_chip_mbi,
	[WARD_CONTROLLER_X86_APIC] = &ward_model_chip_apic,
	[WARD_CONTROLLER_X86_REMAPPING] = &ward_model_chip_remapping,
	[WARD_CONTROLLER_OTHER] = NULL,
};

static bool has_kind(const struct ward_machine *facts, enum ward_controller_kind kind)
{
	for (uint32_t i = 0; i < facts->controllers_count; i++)
		if (facts->controllers[i].kind == kind)
			return true;
	return false;
}

static void handle(struct ward_model_host *host, uint32_t number, uint32_t cpu)
{
	const struct ward_model_owner *owner = ward_model_owner_of(host, number, cpu);

	if (owner && owner->irqs && owner->irqs->active != WARD_NONE)
		ward_eventfd_signal(
			owner->irqs->vectors[owner->irqs->active][owner->vector].eventfd);
}

static void gic_raised(void *context, uint32_t cpu, uint32_t intid)
{
	struct ward_model_host *host = context;

	while (ward_gic_take(host->gic, cpu, &intid) == 0)
		handle(host, intid, cpu);
}

static void apic_raised(void *context, uint32_t cpu, uint32_t vector)
{
	struct ward_model_host *host = context;

	while (ward_apics_take(host->apics, cpu, &vector) == 0)
		handle(host, vector, cpu);
}

static int create_gic(struct ward_model_host *host)
{
	const struct ward_machine *facts = host->model->facts;
	bool lpis = has_kind(facts, WARD_CONTROLLER_GICV3_ITS);
	bool v3 = lpis || has_kind(facts, WARD_CONTROLLER_GICV3_MBI);
	const struct ward_gic_options options = {
		.size = sizeof(options),
		.kind = v3 ? WARD_GIC_V3 : WARD_GIC_V2,
		.cpus = WARD_MODEL_CPUS,
		.interrupts = WARD_GIC_LAST_SPI + 1,
		.intid_bits = lpis ? WARD_MODEL_INTID_BITS : 0,
		.memory = lpis ? host->model->memory : NULL,
		.raised = gic_raised,
		.context = host,
	};
	int code;

	if (!v3 && !has_kind(facts, WARD_CONTROLLER_GICV2M))
		return 0;
	code = ward_gic_create(&options, &host->gic);
	host->gic_kind = options.kind;
	if (!code)
		ward_model_gic_start(host);
	return code;
}

static int start_remapping(struct ward_model_host *host)
{
	const struct ward_model *model = host->model;

	for (uint32_t i = 0; i < model->facts->iommus_count; i++) {
		struct ward_model_iommu *iommu = &model->iommus[i];
		int code;

		if (iommu->driver != &ward_model_vtd)
			continue;
		host->units[i] = iommu->u.vtd.hardware;
		if (!has_kind(model->facts, WARD_CONTROLLER_X86_REMAPPING) ||
		    model->facts->iommus[i].remaps_interrupts == WARD_NO)
			continue;
		code = ward_model_vtd_remapping(iommu);
		if (code)
			return code;
	}
	return 0;
}

static int create_apics(struct ward_model_host *host)
{
	const struct ward_machine *facts = host->model->facts;
	const struct ward_apics_options options = {
		.size = sizeof(options),
		.cpus = WARD_MODEL_CPUS,
		.raised = apic_raised,
		.context = host,
	};
	int code;

	if (!has_kind(facts, WARD_CONTROLLER_X86_APIC) &&
	    !has_kind(facts, WARD_CONTROLLER_X86_REMAPPING))
		return 0;
	host->units = ward_alloc_array(facts->iommus_count, sizeof(struct ward_vtd *));
	if (!host->units)
		return -ENOMEM;
	code = ward_apics_create(&options, &host->apics);
	if (!code)
		code = start_remapping(host);
	host->apic_controller = (struct ward_apic_controller){
		.apics = host->apics,
		.units = host->units,
		.units_count = facts->iommus_count,
	};
	return code;
}

/* Of a frame that the machine says no SPIs of: some that no other has. */
static void find_spis(const struct ward_model_host *host, struct ward_model_chip *chip)
{
	const struct ward_machine *facts = host->model->facts;
	uint32_t free_from = 64;

	for (uint32_t i = 0; i < facts->controllers_count; i++) {
		const struct ward_controller *c = &facts->controllers[i];
		uint32_t end = c->first_intid + c->intids;

		if (i < chip->index && host->chips[i].intids)
			end = host->chips[i].first_intid + host->chips[i].intids;
		if (end <= WARD_GIC_LAST_SPI && end > free_from)
			free_from = (end + 31) / 32 * 32;
	}
	chip->first_intid = free_from;
	chip->intids = 32;
}

static int create_chip(struct ward_model_host *host, uint32_t index)
{
	const struct ward_controller *facts = &host->model->facts->controllers[index];
	struct ward_model_chip *chip = &host->chips[index];
	int code;

	chip->model = host->model;
	chip->index = index;
	chip->ops = drivers[facts->kind];
	if (!chip->ops)
		return 0;
	chip->first_intid = facts->first_intid;
	chip->intids = facts->intids;
	if (!chip->intids)
		find_spis(host, chip);
	code = chip->ops->create(chip);
	if (code)
		chip->ops = NULL;
	/* Facts that make no hardware: nobody is there, and nobody drives it. */
	return code == -EINVAL ? 0 : code;
}

int ward_model_host_create(struct ward_model *model, struct ward_model_host **ret_host)
{
	const struct ward_machine *facts = model->facts;
	struct ward_model_host *host = ward_alloc(sizeof(*host));
	int code;

	if (!host)
		return -ENOMEM;
	host->model = model;
	model->host = host;
	host->chips = ward_alloc_array(facts->controllers_count, sizeof(*host->chips));
	host->lines = ward_alloc_array(facts->functions_count, sizeof(*host->lines));
	code = host->chips && host->lines ? create_gic(host) : -ENOMEM;
	if (!code)
		code = create_apics(host);
	for (uint32_t i = 0; !code && i < facts->controllers_count; i++)
		code = create_chip(host, i);
	if (code) {
		/* Nothing writes to what is gone. */
		for (uint32_t i = 0; i < facts->controllers_count; i++)
			ward_emul_set_controller(model->emul, i, NULL, NULL);
		ward_model_host_destroy(host);
		model->host = NULL;
		return code;
	}
	*ret_host = host;
	return 0;
}

void ward_model_host_destroy(struct ward_model_host *host)
{
	if (!host)
		return;
	for (uint32_t i = 0; host->chips && i < host->model->facts->controllers_count; i++)
		if (host->chips[i].ops && host->chips[i].ops->destroy)
			host->chips[i].ops->destroy(&host->chips[i]);
	ward_gic_destroy(host->gic);
	ward_apics_destroy(host->apics);
	ward_doorbells_destroy(host->doorbells);
	free(host->units);
	free(host->owners);
	free(host->lpis);
	free(host->chips);
	free(host->lines);
	free(host);
}

uint32_t ward_model_power_of_two(uint32_t count)
{
	uint32_t power = 1;

	while (power < count)
		power *= 2;
	return power;
}

bool ward_model_take_row(uint8_t *used, uint32_t first, uint32_t end, uint32_t count,
			 uint32_t *ret_first)
{
	uint32_t row = ward_model_power_of_two(count);

	for (uint32_t at = (first + row - 1) / row * row; at + row <= end; at += row) {
		uint32_t i = 0;

		while (i < row && !used[at - first + i])
			i++;
		if (i < row)
			continue;
		memset(used + at - first, 1, row);
		*ret_first = at;
		return true;
	}
	return false;
}

void ward_model_free_row(uint8_t *used, uint32_t at, uint32_t count)
{
	memset(used + at, 0, ward_model_power_of_two(count));
}

struct ward_model_chip *ward_model_chip_of(const struct ward_model *model, uint32_t function)
{
	uint32_t index = model->facts->functions[function].controller;

	if (index >= model->facts->controllers_count || !model->host->chips[index].ops)
		return NULL;
	return &model->host->chips[index];
}

struct ward_model_owner *ward_model_owner_of(const struct ward_model_host *host, uint32_t number,
					     uint32_t cpu)
{
	uint32_t at = host->gic ? number : cpu * VECTORS + number;

	return at < host->owners_count && (host->gic || number < VECTORS) ? &host->owners[at]
									  : NULL;
}

int ward_model_own(struct ward_model_host *host, uint32_t number, uint32_t cpu,
		   struct ward_model_irqs *irqs, uint32_t vector)
{
	uint32_t count = host->gic ? 1u << WARD_MODEL_INTID_BITS : WARD_MODEL_CPUS * VECTORS;
	struct ward_model_owner *owner;

	if (!host->owners && irqs) {
		host->owners = ward_alloc_array(count, sizeof(*host->owners));
		if (!host->owners)
			return -ENOMEM;
		host->owners_count = count;
	}
	owner = ward_model_owner_of(host, number, cpu);
	if (owner)
		*owner = (struct ward_model_owner){ irqs, vector };
	return 0;
}
