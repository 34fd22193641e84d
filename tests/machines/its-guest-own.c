// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Our guest: the library's GIC and ITS, profile KVM. */
#include "its-guest.h"

#include <doorward/memory.h>

#include "emul/its_state.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CREADR 0x90u

static int its_write(struct guest *guest, uint32_t offset, uint64_t value, unsigned int size)
{
	/* KVM takes it as a register, which it is for nobody else. */
	if (offset == CREADR)
		return ward_its_set_creadr(guest->own_its, value);
	value = htole64(value);
	return ward_its_write(guest->own_its, offset, &value, size);
}

static int its_read(struct guest *guest, uint32_t offset, uint64_t *ret_value, unsigned int size)
{
	uint64_t value = 0;
	int code = ward_its_read(guest->own_its, offset, &value, size);

	*ret_value = le64toh(value);
	return code;
}

static int redist_write(struct guest *guest, uint32_t cpu, uint32_t offset, uint64_t value,
			unsigned int size)
{
	value = htole64(value);
	return ward_gic_write(guest->own_gic, cpu, offset, &value, size);
}

static int redist_read(struct guest *guest, uint32_t cpu, uint32_t offset, uint64_t *ret_value,
		       unsigned int size)
{
	uint64_t value = 0;
	int code = ward_gic_read(guest->own_gic, cpu, offset, &value, size);

	*ret_value = le64toh(value);
	return code;
}

static int message(struct guest *guest, uint32_t device, uint32_t event)
{
	struct ward_interrupt interrupt;
	int code = ward_its_message(guest->own_its, NULL, ward_devid(device), event, &interrupt);

	if (code == 0 &&
	    (interrupt.reason == WARD_REASON_OFF || interrupt.reason == WARD_REASON_LPIS_OFF))
		return -EBUSY;
	return code;
}

static int save_tables(struct guest *guest)
{
	return ward_its_save_tables(guest->own_its);
}

static int restore_tables(struct guest *guest)
{
	return ward_its_restore_tables(guest->own_its);
}

static int save_pending(struct guest *guest)
{
	return ward_gic_save_pending(guest->own_gic);
}

static void close_guest(struct guest *guest)
{
	ward_its_destroy(guest->own_its);
	ward_gic_destroy(guest->own_gic);
	ward_memory_destroy(guest->regions);
	free(guest->memory);
}

static const struct guest_ops ops = {
	.its_write = its_write,
	.its_read = its_read,
	.redist_write = redist_write,
	.redist_read = redist_read,
	.message = message,
	.save_tables = save_tables,
	.restore_tables = restore_tables,
	.save_pending = save_pending,
	.close = close_guest,
};

int guest_open_own(struct guest *guest)
{
	const struct ward_range range = { GUEST_MEMORY, GUEST_MEMORY + GUEST_BYTES - 1 };
	struct ward_gic_options gic = {
		.size = sizeof(gic),
		.kind = WARD_GIC_V3,
		.cpus = GUEST_CPUS,
		.interrupts = 64,
		.intid_bits = 16,
	};
	struct ward_its_options its = { .size = sizeof(its), .profile = WARD_ITS_KVM };
	int code;

	memset(guest, 0, sizeof(*guest));
	guest->ops = &ops;
	guest->memory = calloc(1, GUEST_BYTES);
	code = guest->memory ? ward_memory_create(&guest->regions) : -ENOMEM;
	if (!code)
		code = ward_memory_add(guest->regions, range, 0, guest->memory);
	gic.memory = its.memory = guest->regions;
	if (!code)
		code = ward_gic_create(&gic, &guest->own_gic);
	its.gic = guest->own_gic;
	if (!code)
		code = ward_its_create(&its, &guest->own_its);
	if (code)
		close_guest(guest);
	return code;
}

bool guest_has_orphans(const struct guest *guest)
{
	const struct its_node *device = guest->own_its->device_list;

	for (; device; device = device->next) {
		const struct its_node *node = ((const struct its_device *)device)->events;

		for (; node; node = node->next) {
			if (!atomic_load(&((const struct its_event *)node)->collection))
				return true;
		}
	}
	return false;
}

bool guest_has_lpi(const struct guest *guest, uint32_t intid)
{
	return its_find(&guest->own_its->lpis, intid);
}
