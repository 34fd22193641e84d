#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A message of the edu device (1234:11e8) through the GICv2m frame of this machine.
type1=/sys/module/vfio_iommu_type1/parameters
for dir in /sys/bus/pci/devices/*; do
	[ "$(cat "$dir/vendor")$(cat "$dir/device")" = 0x12340x11e8 ] || continue
	function=${dir##*/}
	echo vfio-pci >"$dir/driver_override"
	[ -e "$dir/driver" ] || echo "$function" >/sys/bus/pci/drivers_probe
	# A frame is not isolated; nobody else is in this machine.
	unsafe=$(cat $type1/allow_unsafe_interrupts)
	echo Y >$type1/allow_unsafe_interrupts
	timeout 100 frame-vfio "$function" >/out/frame 2>&1
	echo "$unsafe" >$type1/allow_unsafe_interrupts
done
true
