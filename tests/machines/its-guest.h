/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest with an ITS and no running CPU, twice: KVM's and ours, told the same. Each has its own copy
 * of the guest's memory.
 */
#ifndef TESTS_MACHINES_ITS_GUEST_H
#define TESTS_MACHINES_ITS_GUEST_H

#include <doorward/its.h>

#include <stdbool.h>
#include <stdint.h>

#define GUEST_CPUS 3u
#define GUEST_MEMORY 0x40000000ull
#define GUEST_BYTES 0x210000u
#define GUEST_ITS 0x08080000ull

struct guest;

/* What is asked of a guest; 0 or negative errno where nothing else is said. */
struct guest_ops {
	int (*its_write)(struct guest *guest, uint32_t offset, uint64_t value, unsigned int size);
	int (*its_read)(struct guest *guest, uint32_t offset, uint64_t *ret_value,
			unsigned int size);
	int (*redist_write)(struct guest *guest, uint32_t cpu, uint32_t offset, uint64_t value,
			    unsigned int size);
	int (*redist_read)(struct guest *guest, uint32_t cpu, uint32_t offset, uint64_t *ret_value,
			   unsigned int size);
	/* 1 pending, 0 the guest mapped it nowhere, -EBUSY something is off. */
	int (*message)(struct guest *guest, uint32_t device, uint32_t event);
	int (*save_tables)(struct guest *guest);
	int (*restore_tables)(struct guest *guest);
	int (*save_pending)(struct guest *guest);
	void (*close)(struct guest *guest);
};

struct guest {
	const struct guest_ops *ops;
	unsigned char *memory; /* GUEST_BYTES of it */
	/* KVM's. */
	int vm, gic, its_device, cpus[GUEST_CPUS];
	/* Ours. */
	struct ward_memory *regions;
	struct ward_gic *own_gic;
	struct ward_its *own_its;
};

/* its-guest-kvm.c, its-guest-own.c: 0 or negative errno, and then there is nothing to close. */
int guest_open_kvm(struct guest *guest);
int guest_open_own(struct guest *guest);

/* Ours: an event whose collection was taken away. KVM cannot save such. */
bool guest_has_orphans(const struct guest *guest);
/* Ours: some event has this LPI. */
bool guest_has_lpi(const struct guest *guest, uint32_t intid);

#endif
