// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * An ITS as a host sets it up: a device table with a second level, one collection, a table of events
 * for each DeviceID that somebody has vectors with. ITTs lie side by side in memory, so that an event
 * beyond the end of one would be in the next.
 */
#include "controllers_parts.h"

#include <errno.h>
#include <stdio.h>

/* Registers and commands: IHI 0069, 12.19 and 5.13. */
#define CTLR 0x0u
#define CBASER 0x80u
#define CWRITER 0x88u
#define CREADR 0x90u
#define BASER_DEVICES 0x100u
#define BASER_COLLECTIONS 0x108u
#define VALID (1ull << 63)
#define INDIRECT (1ull << 62)
#define MAPD 0x08u
#define MAPC 0x09u
#define MAPTI 0x0au

#define QUEUE_BYTES 0x1000u
#define PAGE 0x1000u
#define DEVICE_BITS 20u
/* Entries of 8 bytes: DeviceIDs of one page of the second level. */
#define PAGE_DEVICES (PAGE / 8)
#define LEVEL1_BYTES ((1u << DEVICE_BITS) / PAGE_DEVICES * 8)
#define REGISTER 0x40u

struct setup {
	struct controllers *c;
	struct ward_its *its;
	uint64_t queue, level1;
	uint32_t writer; /* offset in the queue */
	uint32_t device, events;
	uint32_t most_events; /* of one table */
};

static int write64(struct setup *s, uint32_t offset, uint64_t value)
{
	return ward_its_write(s->its, offset, &value, sizeof(value));
}

static int command(struct setup *s, uint64_t dw0, uint64_t dw1, uint64_t dw2)
{
	uint64_t words[4] = { dw0, dw1, dw2, 0 };
	int err = ward_memory_write(s->c->memory, s->queue + s->writer, words, sizeof(words));

	s->writer = (s->writer + sizeof(words)) % QUEUE_BYTES;
	return err ? err : write64(s, CWRITER, s->writer);
}

static int begin(struct setup *s)
{
	uint64_t collections = parts_table(s->c, PAGE, PAGE);
	uint32_t on = 1;
	int err;

	s->queue = parts_table(s->c, QUEUE_BYTES, 0x10000);
	s->level1 = parts_table(s->c, LEVEL1_BYTES, PAGE);
	if (!collections || !s->queue || !s->level1)
		return -ENOSPC;
	err = write64(s, BASER_DEVICES, VALID | INDIRECT | s->level1 | (LEVEL1_BYTES / PAGE - 1));
	if (!err)
		err = write64(s, BASER_COLLECTIONS, VALID | collections);
	if (!err)
		err = write64(s, CBASER, VALID | s->queue | (QUEUE_BYTES / PAGE - 1));
	if (!err)
		err = ward_its_write(s->its, CTLR, &on, sizeof(on));
	/* Collection 0 is the CPU. */
	return err ? err : command(s, MAPC, 0, VALID);
}

/* A page of the second level, when the DeviceID is the first one in it. */
static int add_level2(struct setup *s, uint32_t device)
{
	uint64_t entry = s->level1 + device / PAGE_DEVICES * 8ull, value;
	int err = ward_memory_read(s->c->memory, entry, &value, sizeof(value));

	if (err || value)
		return err;
	value = parts_table(s->c, PAGE, PAGE);
	if (!value)
		return -ENOSPC;
	value |= VALID;
	return ward_memory_write(s->c->memory, entry, &value, sizeof(value));
}

static int map_device(struct setup *s, uint32_t device, uint32_t events)
{
	uint32_t bits = 1;
	uint64_t itt;
	int err = add_level2(s, device);

	while (1u << bits < events)
		bits++;
	itt = parts_table(s->c, 8ull << bits, 256);
	if (!itt)
		return -ENOSPC;
	s->device = device;
	s->events = 0;
	if (events > s->most_events)
		s->most_events = events;
	return err ? err : command(s, (uint64_t)device << 32 | MAPD, bits - 1, VALID | itt);
}

static int map_event(struct setup *s, uint32_t event, uint32_t lpi)
{
	return command(s, (uint64_t)s->device << 32 | MAPTI,
		       (uint64_t)(WARD_GIC_FIRST_LPI + lpi) << 32 | event, 0);
}

static int give_lpi(struct setup *s, uint8_t owner)
{
	uint32_t lpi = s->c->lpis_count++;

	if (lpi >= PARTS_LPIS)
		return -ENOSPC;
	s->c->lpi_owner[lpi] = owner;
	return map_event(s, s->events++, lpi);
}

static bool has_vectors(const struct plan *plan, uint32_t function, uint32_t controller)
{
	const struct plan_function *f = &plan->functions[function];

	return f->present && f->controller == controller && plan_uses_messages(f);
}

/*
 * All that one DeviceID has: it is one device to the ITS, so they share a table. The last event is a
 * mistake that the ITS has to refuse: an LPI that belongs to somebody else, at this ITS or another one.
 */
static int make_device(struct setup *s, uint32_t function, uint32_t controller)
{
	const struct plan *plan = s->c->plan;
	uint32_t device = plan_device_id(plan, function), sharers = 0, before = s->c->lpis_count;
	int err;

	for (uint32_t i = 0; i < plan->functions_count; i++) {
		if (!has_vectors(plan, i, controller) || plan_device_id(plan, i) != device)
			continue;
		if (i < function)
			return 0;
		sharers++;
	}
	err = map_device(s, device, 2 * sharers + 1);
	for (uint32_t i = function; i < plan->functions_count && !err; i++) {
		if (!has_vectors(plan, i, controller) || plan_device_id(plan, i) != device)
			continue;
		err = give_lpi(s, (uint8_t)(i + 1));
		if (!err)
			err = give_lpi(s, (uint8_t)(i + 1));
	}
	if (!err && before > 0)
		err = map_event(s, s->events, before - 1);
	return err;
}

static int make_devices(struct setup *s, uint32_t controller)
{
	const struct plan *plan = s->c->plan;
	int err = 0;

	for (uint32_t i = 0; i < plan->functions_count && !err; i++)
		if (has_vectors(plan, i, controller))
			err = make_device(s, i, controller);
	/* IOMMUs' own: ids that no map gives away. */
	for (uint32_t i = 0; i < plan->iommus_count && !err; i++) {
		if (plan->iommus[i].controller != controller)
			continue;
		err = map_device(s, 0xe0000u + i, 1);
		if (!err)
			err = give_lpi(s, (uint8_t)(OWNER_IOMMU + i));
	}
	return err;
}

static void add_messages(struct setup *s, uint32_t controller)
{
	static const uint32_t odd[] = { 31,	32,	 33,	  64,	      96,
					128,	255,	 256,	  0x1fff,     0x8000,
					0xffff, 0x10000, 0x10001, 0xffff0000, UINT32_MAX };
	struct controllers *c = s->c;

	for (uint32_t i = 0; i < s->most_events + 2; i++)
		parts_message(c, controller, REGISTER, i, 4);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		parts_message(c, controller, REGISTER, odd[i], 4);
	for (uint32_t i = 0; i < 3; i++)
		parts_message(c, controller, REGISTER, i, 2);
	/* LPIs, for who takes what is written for one; other sizes and registers. */
	for (uint32_t i = 0; i < c->lpis_count; i += 3)
		parts_message(c, controller, REGISTER, WARD_GIC_FIRST_LPI + i, 4);
	parts_message(c, controller, REGISTER, 0, 1);
	parts_message(c, controller, REGISTER, 0, 8);
	parts_message(c, controller, 0, 0, 4);
	parts_message(c, controller, REGISTER + 4, 0, 4);
}

int parts_make_its(struct controllers *c, uint32_t controller)
{
	struct ward_its_options options = {
		.size = sizeof(options),
		.profile = WARD_ITS_ARCHITECTURE,
		.gic = c->gic,
		.memory = c->memory,
		.device_bits = DEVICE_BITS,
		.event_bits = 16,
		.exclusive_lpis = true,
	};
	struct setup s = { .c = c };
	int err = ward_its_create(&options, &c->its[controller]);

	s.its = c->its[controller];
	if (!err)
		err = begin(&s);
	if (!err)
		err = make_devices(&s, controller);
	if (err)
		return err;
	ward_emul_set_controller(c->emul, controller, &ward_its_doorbell, s.its);
	add_messages(&s, controller);
	return 0;
}
