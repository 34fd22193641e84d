/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A card that has vectors, and a controller that hears what is written to its doorbell. */
#ifndef TESTS_EMUL_MSI_RIG_H
#define TESTS_EMUL_MSI_RIG_H

#include "emul/machines.h"

#include <doorward/vector.h>

/* RIG_MAPPED + this is the doorbell, as a function sees it; it starts at RIG_MEMORY + this. */
#define BELL 0x1000u
#define DOORBELL (RIG_MEMORY + BELL)
#define COMMAND 4u
#define MASTER 4u

/* What a controller was told last. */
struct heard {
	struct ward_emul_message message;
	unsigned int count, destroyed;
};

static inline void hear(void *controller, const struct ward_emul_message *message,
			struct ward_interrupt *ret_interrupt)
{
	struct heard *heard = controller;

	heard->message = *message;
	heard->count++;
	*ret_interrupt = (struct ward_interrupt){
		.end = WARD_INTERRUPT_PENDING,
		.number = message->data,
	};
}

static inline void forget(void *controller)
{
	struct heard *heard = controller;

	heard->destroyed++;
}

static const struct ward_emul_controller_ops listener = { hear, forget };

/* A card below a root port, and a frame that hears. */
static inline struct ward_function *card(struct rig *rig)
{
	struct ward_function *f;

	rig_port(rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
	f = rig_card(rig, "01:00.0", 0x10000000);
	f->msi = true;
	f->msi_vectors = 4;
	f->msix = true;
	f->msix_vectors = 3;
	return f;
}

static inline void ready(struct rig *rig, enum ward_controller_kind kind, struct heard *heard)
{
	rig_doorbell(rig, kind, DOORBELL, DOORBELL + 0xfff);
	rig_done(rig);
	ward_emul_set_controller(rig->emul, 0, &listener, heard);
}

static inline void set_master(struct rig *rig, const char *address, uint16_t command)
{
	assert_int_equal(ward_emul_write(rig->emul, rig_at(rig, address), 7, COMMAND, &command, 2),
			 0);
}

static inline void put(struct ward_vectors *v, enum ward_vector_registers which, uint32_t offset,
		       uint32_t value, size_t size)
{
	uint8_t bytes[4];

	for (unsigned int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	assert_int_equal(ward_vectors_write(v, which, offset, bytes, size), 0);
}

/* Vector n of MSI-X: to the doorbell's register, data 0x40 + n. */
static inline struct ward_vectors *enable_msix(struct rig *rig, const char *address)
{
	struct ward_vectors *v = ward_emul_vectors(rig->emul, rig_at(rig, address));

	assert_non_null(v);
	for (uint32_t i = 0; i < 3; i++) {
		put(v, WARD_MSIX_TABLE, i * 16, RIG_MAPPED + BELL + 0x40, 4);
		put(v, WARD_MSIX_TABLE, i * 16 + 8, 0x40 + i, 4);
		put(v, WARD_MSIX_TABLE, i * 16 + 12, 0, 4);
	}
	put(v, WARD_MSIX_CAPABILITY, 2, 0x8000, 2);
	set_master(rig, address, MASTER);
	return v;
}

#endif
