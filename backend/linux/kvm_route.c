// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "kvm.h"

#include "base/fault.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

void ward_kvm_entry(const struct ward_route *route, struct kvm_irq_routing_entry *ret_entry)
{
	/* KVM compares nothing, but who reads the table back does: no byte is left to chance. */
	memset(ret_entry, 0, sizeof(*ret_entry));
	ret_entry->gsi = ward_gsi_raw(route->gsi);
	ret_entry->type = route->kind;
	ret_entry->flags = route->flags;
	if (route->kind == WARD_ROUTE_PIN) {
		ret_entry->u.irqchip.irqchip = route->chip;
		ret_entry->u.irqchip.pin = route->pin;
		return;
	}
	ret_entry->u.msi.address_lo = (uint32_t)ward_gpa_raw(route->address);
	ret_entry->u.msi.address_hi = (uint32_t)(ward_gpa_raw(route->address) >> 32);
	ret_entry->u.msi.data = route->data;
	if (route->flags & WARD_ROUTE_DEVID)
		ret_entry->u.msi.devid = ward_devid_raw(route->devid);
}

int ward_kvm_set_routes(void *context, const struct ward_route *routes, uint32_t count)
{
	struct ward_kvm *kvm = context;
	void *table = kvm->table;
	int code = ward_array_reserve(&table, &kvm->table_room,
				      sizeof(struct kvm_irq_routing) +
					      count * sizeof(struct kvm_irq_routing_entry),
				      1);

	if (code)
		return code;
	kvm->table = table;
	kvm->table->nr = count;
	kvm->table->flags = 0;
	for (uint32_t i = 0; i < count; i++)
		ward_kvm_entry(&routes[i], &kvm->table->entries[i]);
	if (ioctl(kvm->vmfd, KVM_SET_GSI_ROUTING, kvm->table) == 0)
		return 0;
	return errno == EINVAL || errno == ENOMEM ? -errno : -EIO;
}
