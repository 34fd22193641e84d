// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * backend/vm.c again, with other calls in place of those that check: it is linked instead of the
 * library's. What is left is what an operation cannot be asked at all.
 */
#define ward_vm_set_routes checked_set_routes
#define ward_vm_irqfd checked_irqfd
#define ward_vm_irq_line checked_irq_line
#define ward_vm_signal_msi checked_signal_msi
#include "../../backend/vm.c"
#undef ward_vm_set_routes
#undef ward_vm_irqfd
#undef ward_vm_irq_line
#undef ward_vm_signal_msi

bool vm_is_raw(void);
int ward_vm_set_routes(struct ward_vm *vm, const struct ward_route *routes, uint32_t count);
int ward_vm_irqfd(struct ward_vm *vm, const struct ward_irqfd *irqfd);
int ward_vm_irq_line(struct ward_vm *vm, uint32_t irq, bool level);
int ward_vm_signal_msi(struct ward_vm *vm, const struct ward_route *route);

bool vm_is_raw(void)
{
	return true;
}

int ward_vm_set_routes(struct ward_vm *vm, const struct ward_route *routes, uint32_t count)
{
	return count && !routes ? -EINVAL : vm->ops->set_routes(vm->context, routes, count);
}

int ward_vm_irqfd(struct ward_vm *vm, const struct ward_irqfd *irqfd)
{
	return irqfd ? vm->ops->irqfd(vm->context, irqfd) : -EINVAL;
}

int ward_vm_irq_line(struct ward_vm *vm, uint32_t irq, bool level)
{
	return vm->ops->irq_line(vm->context, irq, level);
}

int ward_vm_signal_msi(struct ward_vm *vm, const struct ward_route *route)
{
	return route && route->kind == WARD_ROUTE_MSI ? vm->ops->signal_msi(vm->context, route)
						      : -EINVAL;
}
