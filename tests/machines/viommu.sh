#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Makes Linux's virtio-iommu driver work for its devices: I/O, drivers that leave and come back, other
# types of domain, a user of VFIO. viommu_trace.py records what it asks for.
pci=/sys/bus/pci/devices
nvme=0000:00:03.0

io() {
	for disk in /dev/nvme0n1 /dev/vda; do
		dd if=$disk of=/dev/null bs=16k count=2 iflag=direct &&
			dd if=/dev/zero of=$disk bs=4k count=2 oflag=direct || return
	done 2>/tmp/why
}

need() {
	"$@" && return
	echo "$* failed" >>/out/viommu
	cat /tmp/why >>/out/viommu
}

driver() {
	echo $nvme >/sys/bus/pci/drivers/nvme/"$1"
	# A probe goes on in the background.
	[ "$1" = unbind ] || until [ -b /dev/nvme0n1 ]; do usleep 20000; done
}

# DMA (strict), DMA-FQ (lazy), identity.
become() {
	driver unbind
	echo "$1" >$pci/$nvme/iommu_group/type
	driver bind
}

take() {
	echo vfio-pci >"$pci/$1/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
}

: >/out/viommu
viommu-client bare 0000:00:05.0 >>/out/viommu
need io
driver unbind
driver bind
need io
for type in identity DMA-FQ DMA; do
	need become $type
	need io
done
# Nothing else is on these machines; messages of a GICv2m are not isolated.
echo Y >/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts
take 0000:00:05.0
take 0000:00:06.0
viommu-client 0000:00:05.0 0000:00:06.0 >>/out/viommu
echo 1 >$pci/0000:00:06.0/remove
echo 1 >/sys/bus/pci/rescan
take 0000:00:06.0
