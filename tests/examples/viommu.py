#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""The example of the IOMMU a guest sees runs and shows what it is there to show. TAP."""
import sys

import example

if __name__ == "__main__":
    sys.exit(example.shows("an emulated and an assigned device behind a virtio-iommu", (
        r"the guest asks about its card, and puts card and disk into one domain:",
        r"  PROBE: OK",
        r"    a region at 0x8090000-0x8090fff, where messages go untranslated",
        r"  ATTACH of the card: OK",
        r"  ATTACH of the disk: OK",
        r"nothing is mapped yet:",
        r"  the card writes to 0x1000000: the host's IOMMU refuses it",
        r"it maps a page, for both:",
        r"  MAP: OK",
        r"  mappings of the host, for the card: 1",
        r'  the card writes to 0x1000000: guest memory has "hello from the card"',
        r"  the disk writes to 0x1000100: that is guest physical 0x40010100",
        r"what is no memory cannot be mapped for a real device:",
        r"  MAP: FAULT",
        r"all of this is [0-9]+ bytes, to go on elsewhere",
        r"it unmaps the page; when that is answered, nobody gets there any more:",
        r"  UNMAP: OK",
        r"  the card writes to 0x1000000: the host's IOMMU refuses it",
        r"  the disk writes to 0x1000100: a fault",
        r"  the driver reads in its event queue: endpoint 1, address 0x1000100",
        r"it programs vectors of the card:",
        r"  a message to 0x8090040 rings the guest's doorbell: make a route",
        r"  a message to 0x40010000 rings nothing: make none, mask the vector",
        r"interrupts for the driver of the IOMMU: 7",
        r"its driver resets the IOMMU, and one comes that lets everybody through:",
        r"  the card writes to 0x40010000: the host's IOMMU refuses it",
        r'  the card writes to 0x40010000: guest memory has "hello from anywhere"',
        r"the machine is reset:",
        r"  the card writes to 0x40010000: the host's IOMMU refuses it",
    )))
