/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the files that set controllers up share. */
#ifndef TESTS_EXACT_CONTROLLERS_PARTS_H
#define TESTS_EXACT_CONTROLLERS_PARTS_H

#include "controllers.h"

#include "emul/controller.h"
#include "emul/machine.h"

/* Guest physical: tables of the controllers. */
#define PARTS_MEMORY 0x90000000u
#define PARTS_MEMORY_SIZE 0x100000u
#define PARTS_MESSAGES 512u
#define PARTS_LPIS 512u

/* Whose an interrupt is: nobody's, or 1 + the plan's index; then IOMMUs, then the host. */
enum {
	OWNER_NOBODY = 0,
	OWNER_IOMMU = PLAN_FUNCTIONS + 1,
	OWNER_HOST = OWNER_IOMMU + PLAN_IOMMUS,
};

struct controllers {
	const struct plan *plan;
	const struct build *build;
	/* Where the model backend has them. */
	struct ward_backend *backend;
	int eventfd;

	struct ward_memory *memory;
	struct ward_emul *emul;
	uint64_t next_table; /* of memory, not used yet */

	struct ward_gic *gic;
	struct ward_gicv2m *frames[PLAN_CONTROLLERS];
	struct ward_its *its[PLAN_CONTROLLERS];
	uint32_t lpis_count;
	struct ward_apics *apics;
	struct ward_vtd *units[PLAN_IOMMUS];
	struct ward_apic_controller apic_controller;
	uint8_t vector_owner[256];
	uint8_t spi_owner[WARD_GIC_LAST_SPI + 1], lpi_owner[PARTS_LPIS];

	struct message messages[PLAN_CONTROLLERS][PARTS_MESSAGES];
	uint32_t messages_count[PLAN_CONTROLLERS];
};

void controllers_note_backed(const struct controllers *c, uint32_t controller,
			     const struct ward_interrupt *interrupt, struct touch *touch);

/* Zeroed memory; align: a power of two. 0: there is no more. */
uint64_t parts_table(struct controllers *c, uint64_t size, uint64_t align);
void parts_message(struct controllers *c, uint32_t controller, uint64_t address, uint32_t data,
		   uint32_t size);

/* Arm: the GIC, frames, message-based SPIs. */
int parts_make_gic(struct controllers *c);
/* x86: APICs, and remapping tables on the way to them. */
int parts_make_apics(struct controllers *c);
/* An ITS, and the tables of all that have vectors there. */
int parts_make_its(struct controllers *c, uint32_t controller);

#endif
