/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A wiring in the yard, and what a guest does to its registers. */
#ifndef TESTS_MSI_WIRING_SETUP_H
#define TESTS_MSI_WIRING_SETUP_H

#include "wiring_yard.h"

#define ITS 0x08090040ull
#define V2M 0x08020040ull
#define CHOSEN 0xeeee0040ull /* leads to ITS, through the space */
#define ASTRAY 0xdddd0040ull /* leads there as well, if the host agrees */
#define DEVID 0x18u

struct setup {
	enum ward_vm_controller controller;
	bool emulated;
	bool addresses; /* the guest's, in this way */
	enum ward_message_way way;
	uint32_t flags; /* of the device's interrupts */
	bool follows;	/* a sync after each change, on its own */
	uint8_t msi;
	uint16_t msix;
};

static inline void yard_map(uint64_t iova)
{
	const struct ward_mapping mapping = {
		.start = ward_iova(iova & ~0xfffull),
		.last = ward_iova(iova | 0xfff),
		.target = ward_target(ITS & ~0xfffull),
		.access = WARD_WRITE,
		.type = WARD_DEVICE_NGNRE,
	};

	assert_int_equal(ward_space_map(yard.space, &mapping), 0);
}

static void yard_follow(void *context, uint32_t first, uint32_t last)
{
	struct yard *told = context;

	assert_true(first <= last);
	if (told->wiring)
		assert_int_equal(ward_wiring_sync(told->wiring, NULL), 0);
}

/* All but the wiring itself. */
static inline void yard_begin(const struct setup *setup)
{
	const struct ward_vm_options vm = {
		.size = sizeof(vm),
		.controller = setup->controller,
		.cpus = 1,
	};
	const struct ward_space_options space = {
		.size = sizeof(space),
		.kind = WARD_SPACE_UNMANAGED,
	};
	const struct ward_vectors_options vectors = {
		.size = sizeof(vectors),
		.msi_vectors = setup->msi,
		.msi_64 = true,
		.msi_masks = true,
		.msix_vectors = setup->msix,
		.changed = setup->follows ? yard_follow : NULL,
		.context = &yard,
	};

	memset(&yard, 0, sizeof(yard));
	yard.active = WARD_NONE;
	yard.host_vectors = YARD_VECTORS;
	yard.flags = setup->flags;
	yard.bad_address = UINT64_MAX;
	assert_int_equal(ward_vm_create(&yard_vm_ops, &yard, &vm, &yard.vm), 0);
	assert_int_equal(ward_vm_start(yard.vm), 0);
	assert_int_equal(ward_routes_create(yard.vm, &yard.table), 0);
	/* The kernel has its default routes from the beginning. */
	for (uint32_t gsi = 0; gsi < WARD_GSIS; gsi++) {
		if (ward_routes_get(yard.table, ward_gsi(gsi), true,
				    &yard.routes[yard.routes_count]) == 0)
			yard.routes_count++;
	}
	assert_int_equal(ward_backend_create(&yard_backend_ops, &yard, &yard.backend), 0);
	assert_int_equal(ward_device_open(yard.backend, "0000:01:00.0", &yard.device, NULL), 0);
	assert_int_equal(ward_space_create(&space, &yard.space), 0);
	assert_int_equal(ward_device_attach(yard.device, WARD_PASID_NONE, yard.space), 0);
	assert_int_equal(ward_vectors_create(&vectors, &yard.vectors), 0);
	yard_map(CHOSEN);
	yard_map(ASTRAY);
}

static inline struct ward_wiring_options yard_options(const struct setup *setup)
{
	static struct ward_guest_doorbell doorbells[2];

	doorbells[0] = (struct ward_guest_doorbell){
		.registers = { ITS, ITS + 3 },
		.devid = ward_devid(DEVID),
		.has_devid = true,
	};
	doorbells[1] = (struct ward_guest_doorbell){
		.registers = { V2M, V2M + 3 },
		.first_intid = 64,
		.last_intid = 95,
	};
	return (struct ward_wiring_options){
		.size = sizeof(struct ward_wiring_options),
		.device = setup->emulated ? NULL : yard.device,
		.vectors = yard.vectors,
		.vm = yard.vm,
		.routes = yard.table,
		.space = setup->addresses ? yard.space : NULL,
		.doorbells = doorbells,
		.doorbells_count = 2,
		.guest_addresses = setup->addresses,
		.way = setup->way,
	};
}

static inline void yard_setup(const struct setup *setup)
{
	struct ward_wiring_options options;

	yard_begin(setup);
	options = yard_options(setup);
	assert_int_equal(ward_wiring_create(&options, &yard.wiring), 0);
}

/* The yard keeps nothing of a wiring that is gone. */
static inline void yard_finish(void)
{
	struct ward_routes_info info;

	ward_wiring_destroy(yard.wiring);
	ward_routes_info(yard.table, &info);
	assert_int_equal(info.allocated, 0);
	assert_int_equal(yard.misused, 0);
	if (!yard.failed) {
		assert_false(info.edited);
		assert_int_equal(yard.irqfds_count, 0);
		assert_int_equal(yard.enabled, 0);
	}
	ward_vectors_destroy(yard.vectors);
	ward_device_close(yard.device);
	ward_space_destroy(yard.space);
	ward_backend_destroy(yard.backend);
	ward_routes_destroy(yard.table);
	ward_vm_destroy(yard.vm);
}

static inline void set_register(enum ward_vector_registers which, uint32_t offset, uint64_t value,
				size_t size)
{
	assert_int_equal(ward_vectors_write(yard.vectors, which, offset, &value, size), 0);
}

static inline void entry(uint32_t vector, uint64_t address, uint32_t data)
{
	set_register(WARD_MSIX_TABLE, vector * 16, address, 8);
	set_register(WARD_MSIX_TABLE, vector * 16 + 8, data, 4);
}

static inline void mask(uint32_t vector, bool masked)
{
	set_register(WARD_MSIX_TABLE, vector * 16 + 12, masked, 4);
}

static inline void msix(bool enabled, bool masked)
{
	set_register(WARD_MSIX_CAPABILITY, 3, enabled << 7 | masked << 6, 1);
}

static inline void msi(bool enabled, unsigned int granted_log2, uint64_t address, uint32_t data)
{
	set_register(WARD_MSI_CAPABILITY, 4, address & 0xffffffff, 4);
	set_register(WARD_MSI_CAPABILITY, 8, address >> 32, 4);
	set_register(WARD_MSI_CAPABILITY, 12, data, 2);
	set_register(WARD_MSI_CAPABILITY, 2, enabled | granted_log2 << 4, 2);
}

static inline bool is_pending(uint32_t vector)
{
	struct ward_vector now;

	assert_int_equal(ward_vectors_get(yard.vectors, vector, &now), 0);
	return now.pending;
}

static inline void sync_well(void)
{
	struct ward_error error = { "" };

	if (ward_wiring_sync(yard.wiring, &error) != 0)
		fail_msg("%s", error.text);
	if (ward_wiring_verify(yard.wiring, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(yard.misused, 0);
}

static inline struct ward_wire wire_of(uint32_t vector)
{
	struct ward_wire wire;

	assert_int_equal(ward_wiring_get(yard.wiring, vector, &wire), 0);
	return wire;
}

/* Forgets the calls so far. */
static inline void forget_calls(void)
{
	yard.calls = 0;
	memset(yard.count, 0, sizeof(yard.count));
	memset(yard.log, 0, sizeof(yard.log));
}

#endif
