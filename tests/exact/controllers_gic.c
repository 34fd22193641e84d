// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* SPIs: of frames, of the distributor's own register, of the host. */
#include "controllers_parts.h"

/* Frame n has so many SPIs, and begins at the n-th multiple. */
#define FRAME_SPIS 64u
#define FIRST_FRAME 64u
/* Taken from the ranges set aside for messages to the distributor. */
#define MBI_SPIS 900u
/* A UART. */
#define HOST_SPI 40u
#define REGISTER 0x40u
#define CPU 0u

static int redistributor(struct controllers *c, uint32_t offset, uint64_t value, size_t size)
{
	return ward_gic_write(c->gic, CPU, offset, &value, size);
}

/* GICR_PROPBASER, GICR_PENDBASER, GICR_CTLR.EnableLPIs (IHI 0069, 12.11). */
static int enable_lpis(struct controllers *c)
{
	uint64_t config = parts_table(c, 0x2000, 0x1000), pending = parts_table(c, 0x1000, 0x10000);
	int err = redistributor(c, 0x70, config | 13, 8);

	if (!err)
		err = redistributor(c, 0x78, pending, 8);
	return err ? err : redistributor(c, 0, 1, 4);
}

/* Whoever may get a vector of this controller has one. */
static void give_spis(struct controllers *c, uint32_t controller, uint32_t first)
{
	const struct plan *plan = c->plan;

	for (uint32_t i = 0; i < plan->functions_count; i++) {
		const struct plan_function *f = &plan->functions[i];

		if (f->present && f->controller != WARD_NONE && plan_uses_messages(f) &&
		    plan_one_choice(plan, f->controller, controller))
			c->spi_owner[first + i] = (uint8_t)(i + 1);
	}
	for (uint32_t i = 0; i < plan->iommus_count; i++)
		if (plan->iommus[i].controller != WARD_NONE &&
		    plan_one_choice(plan, plan->iommus[i].controller, controller))
			c->spi_owner[first + PLAN_FUNCTIONS + i] = (uint8_t)(OWNER_IOMMU + i);
}

/* All SPIs that are somebody's, the ends of the range, and what only looks like one. */
static void add_messages(struct controllers *c, uint32_t controller)
{
	static const uint32_t odd[] = { 0, 1, 31, 32, 1018, 1019, 1020, 0x1fff, 0xffff, 8192 };
	uint32_t some = 0;

	for (uint32_t i = 0; i <= WARD_GIC_LAST_SPI; i++) {
		if (!c->spi_owner[i])
			continue;
		some = i;
		parts_message(c, controller, REGISTER, i, 4);
		parts_message(c, controller, REGISTER, i, 2);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		parts_message(c, controller, REGISTER, odd[i], 4);
	/* More bits than a number has; other registers; other sizes. */
	parts_message(c, controller, REGISTER, some | 0x400, 4);
	parts_message(c, controller, REGISTER, some | 0x10000, 4);
	parts_message(c, controller, REGISTER, some << 16, 4);
	parts_message(c, controller, REGISTER + 2, some, 2);
	parts_message(c, controller, REGISTER, some, 1);
	parts_message(c, controller, REGISTER, some, 8);
	parts_message(c, controller, REGISTER + 8, some, 4);
	parts_message(c, controller, 0, some, 4);
}

static int make_frame(struct controllers *c, uint32_t controller)
{
	uint32_t first = FIRST_FRAME + FRAME_SPIS * controller;
	int err = ward_gicv2m_create(c->gic, first, FRAME_SPIS, &c->frames[controller]);

	if (err)
		return err;
	ward_emul_set_controller(c->emul, controller, &ward_gicv2m_doorbell, c->frames[controller]);
	give_spis(c, controller, first);
	return 0;
}

int parts_make_gic(struct controllers *c)
{
	const struct plan *plan = c->plan;
	struct ward_gic_options options = {
		.size = sizeof(options),
		.kind = WARD_GIC_V3,
		.cpus = 1,
		.interrupts = 1020,
		.intid_bits = 14,
		.memory = c->memory,
	};
	int err = ward_gic_create(&options, &c->gic);

	if (!err)
		err = enable_lpis(c);
	c->spi_owner[HOST_SPI] = OWNER_HOST;
	for (uint32_t i = 0; i < plan->controllers_count && !err; i++) {
		if (plan->controllers[i].kind == WARD_CONTROLLER_GICV2M)
			err = make_frame(c, i);
		if (plan->controllers[i].kind != WARD_CONTROLLER_GICV3_MBI)
			continue;
		ward_emul_set_controller(c->emul, i, &ward_mbi_doorbell, c->gic);
		give_spis(c, i, MBI_SPIS);
	}
	for (uint32_t i = 0; i < plan->controllers_count && !err; i++)
		if (plan->controllers[i].kind != WARD_CONTROLLER_GICV3_ITS)
			add_messages(c, i);
	return err;
}
