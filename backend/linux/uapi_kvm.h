/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the backend takes from linux/kvm.h, held to what it relies on, and the numbers of Arm's
 * interrupt controllers, which that header has on Arm alone (Linux arch/arm64/include/uapi/asm/kvm.h,
 * Documentation/virt/kvm/devices/arm-vgic*.rst): so both architectures are compiled everywhere.
 */
#ifndef BACKEND_LINUX_UAPI_KVM_H
#define BACKEND_LINUX_UAPI_KVM_H

#include <linux/kvm.h>
#include <stddef.h>

/* Groups of attributes. */
#define WARD_VGIC_ADDR 0u
#define WARD_VGIC_DIST_REGS 1u
#define WARD_VGIC_NR_IRQS 3u
#define WARD_VGIC_CTRL 4u
/* Attributes of ADDR and CTRL. */
#define WARD_VGIC_V2_DIST 0u
#define WARD_VGIC_V2_CPU 1u
#define WARD_VGIC_V3_DIST 2u
#define WARD_VGIC_V3_REDIST 3u
#define WARD_VGIC_ITS 4u
#define WARD_VGIC_INIT 0u
/* The number of KVM_IRQ_LINE: type 27:24, CPU 23:16, INTID 15:0. */
#define WARD_ARM_IRQ_TYPE_SHIFT 24
#define WARD_ARM_IRQ_SPI 1u
#define WARD_ARM_IRQ_PPI 2u

#ifdef __aarch64__
_Static_assert(WARD_VGIC_ADDR == KVM_DEV_ARM_VGIC_GRP_ADDR, "group");
_Static_assert(WARD_VGIC_DIST_REGS == KVM_DEV_ARM_VGIC_GRP_DIST_REGS, "group");
_Static_assert(WARD_VGIC_NR_IRQS == KVM_DEV_ARM_VGIC_GRP_NR_IRQS, "group");
_Static_assert(WARD_VGIC_CTRL == KVM_DEV_ARM_VGIC_GRP_CTRL, "group");
_Static_assert(WARD_VGIC_V2_DIST == KVM_VGIC_V2_ADDR_TYPE_DIST, "address");
_Static_assert(WARD_VGIC_V2_CPU == KVM_VGIC_V2_ADDR_TYPE_CPU, "address");
_Static_assert(WARD_VGIC_V3_DIST == KVM_VGIC_V3_ADDR_TYPE_DIST, "address");
_Static_assert(WARD_VGIC_V3_REDIST == KVM_VGIC_V3_ADDR_TYPE_REDIST, "address");
_Static_assert(WARD_VGIC_ITS == KVM_VGIC_ITS_ADDR_TYPE, "address");
_Static_assert(WARD_VGIC_INIT == KVM_DEV_ARM_VGIC_CTRL_INIT, "control");
_Static_assert(WARD_ARM_IRQ_TYPE_SHIFT == KVM_ARM_IRQ_TYPE_SHIFT, "line");
_Static_assert(WARD_ARM_IRQ_SPI == KVM_ARM_IRQ_TYPE_SPI, "line");
_Static_assert(WARD_ARM_IRQ_PPI == KVM_ARM_IRQ_TYPE_PPI, "line");
#endif

_Static_assert(KVM_CREATE_IRQCHIP == 0xae60, "request");
_Static_assert(KVM_IRQ_LINE == 0x4008ae61, "request");
_Static_assert(KVM_SET_GSI_ROUTING == 0x4008ae6a, "request");
_Static_assert(KVM_IRQFD == 0x4020ae76, "request");
_Static_assert(KVM_SIGNAL_MSI == 0x4020aea5, "request");
_Static_assert(KVM_CREATE_DEVICE == 0xc00caee0, "request");
_Static_assert(KVM_SET_DEVICE_ATTR == 0x4018aee1, "request");
_Static_assert(KVM_CAP_SPLIT_IRQCHIP == 121 && KVM_CAP_ARM_VM_IPA_SIZE == 165, "capability");
_Static_assert(KVM_DEV_TYPE_ARM_VGIC_V2 == 5 && KVM_DEV_TYPE_ARM_VGIC_V3 == 7 &&
		       KVM_DEV_TYPE_ARM_VGIC_ITS == 8,
	       "device");
_Static_assert(KVM_IRQ_ROUTING_IRQCHIP == 1 && KVM_IRQ_ROUTING_MSI == 2, "kind of route");
_Static_assert(KVM_MSI_VALID_DEVID == 1 && KVM_IRQFD_FLAG_DEASSIGN == 1 &&
		       KVM_IRQFD_FLAG_RESAMPLE == 2,
	       "flag");
_Static_assert(sizeof(struct kvm_irq_routing) == 8, "kvm_irq_routing");
_Static_assert(sizeof(struct kvm_irq_routing_entry) == 48, "kvm_irq_routing_entry");
_Static_assert(offsetof(struct kvm_irq_routing_entry, u) == 16, "kvm_irq_routing_entry");
_Static_assert(offsetof(struct kvm_irq_routing_entry, u.irqchip.pin) == 20, "irqchip");
_Static_assert(offsetof(struct kvm_irq_routing_entry, u.msi.data) == 24, "msi");
_Static_assert(offsetof(struct kvm_irq_routing_entry, u.msi.devid) == 28, "msi");
_Static_assert(sizeof(struct kvm_irqfd) == 32, "kvm_irqfd");
_Static_assert(offsetof(struct kvm_irqfd, resamplefd) == 12, "kvm_irqfd");
_Static_assert(sizeof(struct kvm_msi) == 32 && offsetof(struct kvm_msi, devid) == 16, "kvm_msi");
_Static_assert(sizeof(struct kvm_irq_level) == 8, "kvm_irq_level");
_Static_assert(sizeof(struct kvm_create_device) == 12, "kvm_create_device");
_Static_assert(sizeof(struct kvm_device_attr) == 24, "kvm_device_attr");

#endif
