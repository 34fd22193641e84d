#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Every PCI function with its IOMMU group, as the kernel's own tree shows them.
for link in /sys/kernel/iommu_groups/*/devices/*:*:*.*; do
	[ -L "$link" ] || continue
	group=${link#/sys/kernel/iommu_groups/}
	echo "${link##*/} group ${group%%/*}"
done
for dir in /sys/bus/pci/devices/*; do
	[ -L "$dir/iommu_group" ] || echo "${dir##*/} no group"
done
