/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Every place of a tree that the reader of machines looks at. Paths are relative to the root;
 * indented ones to the directory of a function, a group or an IOMMU above them.
 */
#ifndef MACHINE_READ_FILES_H
#define MACHINE_READ_FILES_H

/* Written by a capture, see doorward/machine.h. */
#define WARD_FILE_HOST "doorward/host"
#define WARD_FILE_DENIED "doorward/denied"

#define WARD_DIR_PROC "proc"
#define WARD_FILE_CMDLINE "cmdline"
#define WARD_FILE_INTERRUPTS "interrupts"
#define WARD_FILE_OSRELEASE "sys/kernel/osrelease"

#define WARD_DIR_MODULES "sys/module"
#define WARD_FILE_UNSAFE_TYPE1 "vfio_iommu_type1/parameters/allow_unsafe_interrupts"
#define WARD_FILE_UNSAFE_IOMMUFD "iommufd/parameters/allow_unsafe_interrupts"

/* One directory per interrupt: chip_name, hwirq, actions. */
#define WARD_DIR_IRQS "sys/kernel/irq"
#define WARD_FILE_IRQ_CHIP "chip_name"
#define WARD_FILE_IRQ_HWIRQ "hwirq"
#define WARD_FILE_IRQ_ACTIONS "actions"

/* One link per IOMMU; intel-iommu/ and amd-iommu/ hold its registers. */
#define WARD_DIR_IOMMUS "sys/class/iommu"
#define WARD_FILE_INTEL_CAP "intel-iommu/cap"
#define WARD_FILE_INTEL_ECAP "intel-iommu/ecap"
#define WARD_FILE_INTEL_ADDRESS "intel-iommu/address"
#define WARD_FILE_AMD_CAP "amd-iommu/cap"
#define WARD_FILE_AMD_FEATURES "amd-iommu/features"

/* One directory per group. */
#define WARD_DIR_GROUPS "sys/kernel/iommu_groups"
#define WARD_FILE_GROUP_TYPE "type"
#define WARD_FILE_GROUP_REGIONS "reserved_regions"

/* Only the tables that firmware/ understands are read. */
#define WARD_DIR_TABLES "sys/firmware/acpi/tables"
#define WARD_DIR_FIRMWARE "sys/firmware"
#define WARD_FILE_FDT "fdt"

/* One link per function; VPD and ROM are never read. */
#define WARD_DIR_PCI "sys/bus/pci/devices"
#define WARD_FILE_VENDOR "vendor"
#define WARD_FILE_DEVICE "device"
#define WARD_FILE_SUBSYSTEM_VENDOR "subsystem_vendor"
#define WARD_FILE_SUBSYSTEM_DEVICE "subsystem_device"
#define WARD_FILE_CLASS "class"
#define WARD_FILE_REVISION "revision"
#define WARD_FILE_CONFIG "config"
#define WARD_FILE_RESOURCE "resource"
#define WARD_FILE_IRQ "irq"
#define WARD_FILE_MSI_BUS "msi_bus"
#define WARD_FILE_RESET_METHOD "reset_method"
#define WARD_FILE_VFS_TOTAL "sriov_totalvfs"
#define WARD_FILE_VFS_ENABLED "sriov_numvfs"
#define WARD_FILE_RUNTIME_STATUS "power/runtime_status" /* also of the bridge above */
#define WARD_FILE_POWER_STATE "power_state"
#define WARD_FILE_OVERRIDE "driver_override"
#define WARD_LINK_DRIVER "driver"
#define WARD_LINK_GROUP "iommu_group"
#define WARD_LINK_IOMMU "iommu"
#define WARD_LINK_PHYSFN "physfn"
#define WARD_DIR_MSI_IRQS "msi_irqs"
/* Below them the names of read_names.c: net/eth0, nvme/nvme0/nvme0n1, ... */

/* One link per platform device, of which driver, iommu_group and msi_irqs count as above. */
#define WARD_DIR_PLATFORM "sys/bus/platform/devices"
#define WARD_DIR_AMBA "sys/bus/amba/devices"
#define WARD_LINK_FIRMWARE_NODE "firmware_node"
#define WARD_FILE_ACPI_PATH "path"

/* Limits in bytes; of config space never more than 4096 are read. */
#define WARD_LIMIT_TABLE (1u << 20)
#define WARD_LIMIT_FILE (64u << 10)
#define WARD_LIMIT_INTERRUPTS (64u << 20)
#define WARD_LIMIT_FDT (16u << 20)

#endif
