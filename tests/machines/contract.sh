#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Runs contracts over VFIO, with the edu (1234:11e8) and the e1000e (8086:10d3) of this machine, and
# those of KVM's guests named in $guests.
pci=/sys/bus/pci/devices
type1=/sys/module/vfio_iommu_type1/parameters
doc=/usr/share/doc

# Prints the function with these ids, bound to vfio-pci.
take() {
	for dir in "$pci"/*; do
		[ "$(cat "$dir/vendor")$(cat "$dir/device")" = "$1" ] || continue
		echo vfio-pci >"$dir/driver_override"
		[ -e "$dir/driver" ] && echo "${dir##*/}" >"$dir/driver/unbind"
		echo "${dir##*/}" >/sys/bus/pci/drivers_probe
		echo "${dir##*/}"
		return
	done
}

# A contract that hangs is ended, and what it printed so far is told.
contract() {
	out=/out/contract-$1
	shift
	timeout 100 contracts "$@" >"$out" 2>&1
}

edu=$(take 0x12340x11e8)
e1000e=$(take 0x80860x10d3)
# Interrupts of a GICv2m are not isolated; nobody else is in this machine.
unsafe=$(cat $type1/allow_unsafe_interrupts)
grep -q . /proc/device-tree/intc@8000000/v2m@8020000/compatible 2>/dev/null &&
	echo Y >$type1/allow_unsafe_interrupts
# So small that filling it takes no time; the program counts up to it.
echo 512 >$type1/dma_entry_limit
contract vfio vfio "$edu" $doc/backends.md
echo 65535 >$type1/dma_entry_limit
contract irq-edu irq "$edu" $doc/backends.md
contract irq-e1000e irq "$e1000e" $doc/backends.md
contract table table "$e1000e"
if [ -n "$guests" ]; then
	contract kvm kvm $doc/interrupts.md $guests
	contract way way "$edu" $guests
fi
echo "$unsafe" >$type1/allow_unsafe_interrupts
