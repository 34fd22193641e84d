#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Copies the parts of /sys and /proc that describe PCI, IOMMUs and interrupts into a tar
# with their real paths. Usage: capture.sh OUT.tar. VPD and ROMs are never read.
root=/tmp/capture
rm -rf $root
mkdir -p $root

keep() {
	xargs -r sh -c 'cp -dP --parents "$@" '$root' 2>/dev/null' sh
}

list_functions() {
	for link in /sys/bus/pci/devices/*; do
		dir=$(readlink -f "$link")
		for name in vendor device subsystem_vendor subsystem_device class revision config \
			resource irq msi_bus enable driver_override numa_node reset_method \
			sriov_numvfs sriov_totalvfs sriov_offset sriov_stride sriov_vf_device \
			sriov_drivers_autoprobe modalias ari_enabled boot_vga secondary_bus_number \
			subordinate_bus_number current_link_speed current_link_width \
			local_cpulist power_state uevent power/runtime_status power/control \
			driver iommu iommu_group physfn of_node firmware_node subsystem; do
			[ -e "$dir/$name" ] && echo "$dir/$name"
		done
		for path in "$dir"/virtfn* "$dir"/consumer:* "$dir"/supplier:*; do
			[ -L "$path" ] && echo "$path"
		done
		for path in "$dir"/msi_irqs/*; do
			[ -f "$path" ] && echo "$path"
		done
		for path in "$dir"/firmware_node/path "$dir"/firmware_node/hid; do
			[ -f "$path" ] && readlink -f "$path"
		done
		for class in net block nvme drm; do
			for path in "$dir/$class"/*; do
				[ -d "$path" ] && echo "$path/uevent"
			done
		done
	done
}

list_iommus() {
	for link in /sys/class/iommu/*; do
		[ -L "$link" ] || continue
		echo "$link"
		dir=$(readlink -f "$link")
		find "$dir" -follow -maxdepth 2 -type f \( -path '*iommu/*' -o -name uevent \) 2>/dev/null
		find "$dir" -maxdepth 2 -type l
	done
	find /sys/kernel/iommu_groups \( -name type -o -name reserved_regions -o -type l \)
}

list_firmware() {
	[ -d /sys/firmware/acpi/tables ] && find /sys/firmware/acpi/tables -maxdepth 1 -type f
	[ -f /sys/firmware/fdt ] && echo /sys/firmware/fdt
	[ -d /sys/firmware/devicetree/base ] && find /sys/firmware/devicetree/base -type f
}

list_platform() {
	for link in /sys/bus/platform/devices/*; do
		echo "$link"
		dir=$(readlink -f "$link")
		for name in uevent driver of_node firmware_node iommu_group iommu subsystem modalias \
			driver_override; do
			[ -e "$dir/$name" ] && echo "$dir/$name"
		done
		for path in "$dir"/msi_irqs/*; do
			[ -f "$path" ] && echo "$path"
		done
	done
}

list_rest() {
	find /sys/bus/pci/devices /sys/bus/pci/drivers -maxdepth 2 -type l
	find /sys/bus/pci/slots -maxdepth 2 -name address 2>/dev/null
	find /sys/kernel/irq -type f
	for module in vfio_iommu_type1 iommufd vfio_pci vfio vfio_pci_core kvm kvm_intel kvm_amd; do
		[ -d /sys/module/$module/parameters ] && find /sys/module/$module/parameters -type f
	done
	find /sys/class/net /sys/class/block /sys/class/nvme -maxdepth 1 -type l 2>/dev/null
	for path in interrupts cmdline version sys/kernel/osrelease iomem ioports cpuinfo meminfo \
		modules; do
		echo /proc/$path
	done
}

{ list_functions; list_iommus; list_firmware; list_platform; list_rest; } | sort -u | keep
tar -cf "$1" -C $root .
rm -rf $root
