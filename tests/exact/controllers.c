// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "controllers_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emul/vtd.h"

static uint8_t tables[PARTS_MEMORY_SIZE];

bool plan_uses_messages(const struct plan_function *f)
{
	return (f->msi || f->platform) && !f->msi_off;
}

/* The kernel may take a vector from any frame of a pool. */
bool plan_one_choice(const struct plan *plan, uint32_t a, uint32_t b)
{
	return plan->controllers[a].kind == plan->controllers[b].kind &&
	       plan->controllers[a].pool == plan->controllers[b].pool;
}

uint64_t parts_table(struct controllers *c, uint64_t size, uint64_t align)
{
	uint64_t start = (c->next_table + align - 1) & ~(align - 1);

	if (start + size > PARTS_MEMORY + PARTS_MEMORY_SIZE)
		return 0;
	c->next_table = start + size;
	memset(&tables[start - PARTS_MEMORY], 0, size);
	return start;
}

void parts_message(struct controllers *c, uint32_t controller, uint64_t address, uint32_t data,
		   uint32_t size)
{
	uint32_t *count = &c->messages_count[controller];

	if (*count < PARTS_MESSAGES)
		c->messages[controller][(*count)++] = (struct message){ address, data, size };
}

static int make_arm(struct controllers *c)
{
	int err = parts_make_gic(c);

	for (uint32_t i = 0; i < c->plan->controllers_count && !err; i++)
		if (c->plan->controllers[i].kind == WARD_CONTROLLER_GICV3_ITS)
			err = parts_make_its(c, i);
	return err;
}

int controllers_create(struct build *build, struct ward_memory *memory, struct ward_emul *emul,
		       struct controllers **ret_controllers)
{
	struct controllers *c = calloc(1, sizeof(*c));
	struct ward_range range = { PARTS_MEMORY, PARTS_MEMORY + PARTS_MEMORY_SIZE - 1 };
	int err;

	if (!c)
		return -ENOMEM;
	c->plan = build->plan;
	c->build = build;
	c->eventfd = -1;
	c->memory = memory;
	c->emul = emul;
	c->next_table = PARTS_MEMORY;
	err = ward_memory_add(memory, range, 0, tables);
	if (!err)
		err = c->plan->x86 ? parts_make_apics(c) : make_arm(c);
	if (err) {
		fprintf(stderr, "seed %#llx: controllers cannot be set up: %d\n",
			(unsigned long long)build->plan->seed, err);
		controllers_destroy(c);
		return err;
	}
	*ret_controllers = c;
	return 0;
}

void controllers_destroy(struct controllers *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < PLAN_CONTROLLERS; i++) {
		ward_gicv2m_destroy(c->frames[i]);
		ward_its_destroy(c->its[i]);
	}
	for (uint32_t i = 0; i < PLAN_IOMMUS; i++)
		ward_vtd_destroy(c->units[i]);
	ward_apics_destroy(c->apics);
	ward_gic_destroy(c->gic);
	if (c->eventfd >= 0)
		close(c->eventfd);
	free(c);
}

uint32_t controllers_messages(const struct controllers *c, uint32_t controller,
			      const struct message **ret_messages)
{
	*ret_messages = c->messages[controller];
	return c->messages_count[controller];
}

static uint8_t owner_of(const struct controllers *c, const struct ward_interrupt *interrupt)
{
	if (c->apics)
		return interrupt->number < 256 ? c->vector_owner[interrupt->number] : OWNER_NOBODY;
	if (interrupt->number <= WARD_GIC_LAST_SPI)
		return c->spi_owner[interrupt->number];
	if (interrupt->number - WARD_GIC_FIRST_LPI < PARTS_LPIS)
		return c->lpi_owner[interrupt->number - WARD_GIC_FIRST_LPI];
	return OWNER_NOBODY;
}

static bool is_pending(const struct controllers *c, const struct ward_interrupt *interrupt)
{
	if (c->apics)
		return ward_apics_is_pending(c->apics, interrupt->cpu, interrupt->number);
	return ward_gic_is_pending(c->gic, 0, interrupt->number);
}

int controllers_note(const struct controllers *c, uint32_t controller,
		     const struct ward_interrupt *interrupt, struct touch *touch)
{
	uint8_t owner;

	if (c->backend) {
		controllers_note_backed(c, controller, interrupt, touch);
		return 0;
	}
	if (interrupt->end != WARD_INTERRUPT_PENDING)
		return 0;
	/* An NMI or worse, at a CPU of the host. */
	if (interrupt->reason == WARD_REASON_MODE) {
		touch->host = true;
		return 0;
	}
	if (!is_pending(c, interrupt)) {
		fprintf(stderr, "interrupt %u is said to be pending, and is not\n",
			(unsigned int)interrupt->number);
		return -EIO;
	}
	owner = owner_of(c, interrupt);
	if (owner == OWNER_HOST)
		touch->host = true;
	else if (owner >= OWNER_IOMMU)
		touch->iommus |= 1u << (owner - OWNER_IOMMU);
	else if (owner != OWNER_NOBODY)
		touch->users |= 1u << (owner - 1);
	return 0;
}
