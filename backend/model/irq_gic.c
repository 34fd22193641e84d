// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Drivers of what raises SPIs: GICv2m frames and the message page of a GICv3 distributor (Linux
 * drivers/irqchip/irq-gic-v2m.c and irq-gic-v3-mbi.c). An SPI is an edge, enabled and routed to a CPU
 * for as long as a vector has it.
 */
#include "irq.h"

#include <doorward/gicv2m.h>

#include "base/fault.h"
#include "emul/controller.h"

#include <errno.h>
#include <stdlib.h>

/* Registers of the distributor (Arm IHI 0048, 4.3; IHI 0069, 12.9). */
#define GICD_CTLR 0x0u
#define GICD_IGROUPR 0x80u
#define GICD_ISENABLER 0x100u
#define GICD_ICENABLER 0x180u
#define GICD_ICPENDR 0x280u
#define GICD_IPRIORITYR 0x400u
#define GICD_ITARGETSR 0x800u
#define GICD_ICFGR 0xc00u
#define GICD_IROUTER 0x6000u
#define CTLR_GROUPS 0x3u
#define CTLR_ARE 0x10u
#define PRIORITY 0xa0u
#define EDGE 0x2u

static void put(struct ward_gic *gic, uint32_t offset, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	ward_gic_write(gic, WARD_GIC_DISTRIBUTOR, offset, bytes, size);
}

static uint32_t get(const struct ward_gic *gic, uint32_t offset)
{
	uint8_t bytes[4] = { 0 };

	ward_gic_read(gic, WARD_GIC_DISTRIBUTOR, offset, bytes, sizeof(bytes));
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

void ward_model_gic_start(struct ward_model_host *host)
{
	put(host->gic, GICD_CTLR, CTLR_GROUPS | (host->gic_kind == WARD_GIC_V3 ? CTLR_ARE : 0), 4);
}

static void enable_spi(struct ward_model_host *host, uint32_t intid, uint32_t cpu)
{
	uint32_t bit = 1u << intid % 32, config = GICD_ICFGR + intid / 16 * 4;
	uint32_t group = GICD_IGROUPR + intid / 32 * 4;
	struct ward_gic *gic = host->gic;

	put(gic, group, get(gic, group) | bit, 4);
	put(gic, config, get(gic, config) | EDGE << intid % 16 * 2, 4);
	put(gic, GICD_IPRIORITYR + intid, PRIORITY, 1);
	if (host->gic_kind == WARD_GIC_V3)
		put(gic, GICD_IROUTER + intid * 8, cpu, 8);
	else
		put(gic, GICD_ITARGETSR + intid, 1u << cpu, 1);
	put(gic, GICD_ISENABLER + intid / 32 * 4, bit, 4);
}

/* What is pending of it is nobody's, and not to be found by the next who has it. */
static void disable_spi(struct ward_model_host *host, uint32_t intid)
{
	uint32_t bit = 1u << intid % 32;

	put(host->gic, GICD_ICENABLER + intid / 32 * 4, bit, 4);
	put(host->gic, GICD_ICPENDR + intid / 32 * 4, bit, 4);
}

static void give(const struct ward_model_chip *chip, struct ward_model_vector *vectors,
		 uint32_t count, uint32_t intid)
{
	for (uint32_t i = 0; i < count; i++) {
		vectors[i].controller = chip->index;
		vectors[i].number = intid + i;
		vectors[i].cpu = (intid + i) % WARD_MODEL_CPUS;
		vectors[i].message.data = intid + i;
		enable_spi(chip->model->host, intid + i, vectors[i].cpu);
	}
}

static int create_v2m(struct ward_model_chip *chip)
{
	int code = ward_gicv2m_create(chip->model->host->gic, chip->first_intid, chip->intids,
				      &chip->frame);

	if (!code)
		ward_emul_set_controller(chip->model->emul, chip->index, &ward_gicv2m_doorbell,
					 chip->frame);
	return code;
}

static void destroy_v2m(struct ward_model_chip *chip)
{
	ward_gicv2m_destroy(chip->frame);
}

/* The frames that are one pool to the kernel, in the order it knows them. */
static uint32_t pool_of(const struct ward_model_chip *chip, struct ward_gicv2m **frames,
			uint32_t *indexes)
{
	const struct ward_machine *facts = chip->model->facts;
	const struct ward_model_chip *chips = chip->model->host->chips;
	uint32_t count = 0;

	for (uint32_t i = 0; i < facts->controllers_count; i++) {
		if (facts->controllers[i].kind != WARD_CONTROLLER_GICV2M || !chips[i].ops ||
		    facts->controllers[i].pool != facts->controllers[chip->index].pool)
			continue;
		frames[count] = chips[i].frame;
		indexes[count++] = i;
	}
	return count;
}

static int take_spis(struct ward_model_chip *chip, const struct ward_model_vector *vector,
		     uint32_t count, uint32_t *ret_index, uint32_t *ret_intid)
{
	uint32_t controllers = chip->model->facts->controllers_count, pool, frame, parent = 0;
	uint32_t wanted = vector->prepared ? vector->prepared_controller : chip->index;
	enum ward_gicv2m_policy policy =
		vector->prepared ? WARD_GICV2M_BY_PARENT : chip->model->host->policy;
	struct ward_gicv2m **frames = ward_alloc_array(controllers, sizeof(struct ward_gicv2m *));
	uint32_t *indexes = ward_alloc_array(controllers, sizeof(*indexes));
	int code = -ENOMEM;

	if (frames && indexes) {
		pool = pool_of(chip, frames, indexes);
		while (parent + 1 < pool && indexes[parent] != wanted)
			parent++;
		code = ward_gicv2m_alloc(frames, pool, policy, parent, count, &frame, ret_intid);
		if (!code)
			*ret_index = indexes[frame];
	}
	free(indexes);
	free(frames);
	return code;
}

static int alloc_v2m(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
		     struct ward_model_vector *vectors, uint32_t count)
{
	uint32_t index, intid;
	int code = take_spis(chip, vectors, ward_model_power_of_two(count), &index, &intid);

	(void)irqs;
	if (!code)
		give(&chip->model->host->chips[index], vectors, count, intid);
	return code;
}

static void free_v2m(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
		     struct ward_model_vector *vectors, uint32_t count)
{
	struct ward_model_host *host = chip->model->host;

	(void)irqs;
	for (uint32_t i = 0; i < count; i++)
		disable_spi(host, vectors[i].number);
	ward_gicv2m_free(host->chips[vectors[0].controller].frame, vectors[0].number,
			 ward_model_power_of_two(count));
}

const struct ward_model_chip_ops ward_model_chip_v2m = {
	.multi = true,
	.translated = true,
	.create = create_v2m,
	.destroy = destroy_v2m,
	.alloc = alloc_v2m,
	.free = free_v2m,
};

static int create_mbi(struct ward_model_chip *chip)
{
	if (chip->first_intid < WARD_GIC_FIRST_SPI ||
	    chip->intids > WARD_GIC_LAST_SPI + 1 - WARD_GIC_FIRST_SPI ||
	    chip->first_intid > WARD_GIC_LAST_SPI + 1 - chip->intids)
		return -EINVAL;
	chip->used = ward_alloc_array(chip->intids, 1);
	if (!chip->used)
		return -ENOMEM;
	ward_emul_set_controller(chip->model->emul, chip->index, &ward_mbi_doorbell,
				 chip->model->host->gic);
	return 0;
}

static void destroy_mbi(struct ward_model_chip *chip)
{
	free(chip->used);
}

static int alloc_mbi(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
		     struct ward_model_vector *vectors, uint32_t count)
{
	uint32_t intid;

	(void)irqs;
	if (!ward_model_take_row(chip->used, chip->first_intid, chip->first_intid + chip->intids,
				 count, &intid))
		return -ENOSPC;
	give(chip, vectors, count, intid);
	return 0;
}

static void free_mbi(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
		     struct ward_model_vector *vectors, uint32_t count)
{
	(void)irqs;
	for (uint32_t i = 0; i < count; i++)
		disable_spi(chip->model->host, vectors[i].number);
	ward_model_free_row(chip->used, vectors[0].number - chip->first_intid, count);
}

const struct ward_model_chip_ops ward_model_chip_mbi = {
	.multi = true,
	.translated = true,
	.create = create_mbi,
	.destroy = destroy_mbi,
	.alloc = alloc_mbi,
	.free = free_mbi,
};
