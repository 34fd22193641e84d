#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Runs the contract of backends over VFIO, with the edu device (1234:11e8) of this machine.
pci=/sys/bus/pci/devices
for dir in "$pci"/*; do
	[ "$(cat "$dir/vendor")$(cat "$dir/device")" = 0x12340x11e8 ] || continue
	function=${dir##*/}
	echo vfio-pci >"$dir/driver_override"
	[ -e "$dir/driver" ] || echo "$function" >/sys/bus/pci/drivers_probe
	# So small that filling it takes no time; the program counts up to it.
	echo 512 >/sys/module/vfio_iommu_type1/parameters/dma_entry_limit
	vfio-contract "$function" /usr/share/doc/backends.md >/out/contract 2>&1
	echo 65535 >/sys/module/vfio_iommu_type1/parameters/dma_entry_limit
	exit 0
done
echo "no edu here" >/out/contract
