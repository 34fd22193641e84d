# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""What the machines are expected to show, written down: nothing here is worked out.

EXPECTED_DIFFERENCES lists every way in which the kernel's groups may differ from the predicted
ones. Each row names machines (a shell pattern), the code that Doorward must give, and which
functions it may be about. A difference that no row allows is a failure, and so is a row that
must be seen and is not.
"""
from dataclasses import dataclass
from typing import Callable

# Bridges to conventional PCI; all below one has its requester id.
CONVENTIONAL = ("pcie-pci-bridge", "pci-bridge", "i82801b11-bridge")


@dataclass(frozen=True)
class Difference:
    machines: str
    code: str
    about: str
    allows: Callable  # (row of groups --json) -> bool
    seen: bool = False  # must be seen on each of these machines


EXPECTED_DIFFERENCES = (
    # of_dma_configure and iort_iommu_configure run when a driver is bound, until Linux 7.0.
    Difference("arm64-*", "no-group", "functions that no driver was bound to",
               lambda row: row["driver"] is None and row["group"] is None, seen=True),
    # arm_smmu_insert_master: "stream 512 already in tree from dev ...". Which of the two comes
    # first depends on the order in which their drivers were loaded.
    Difference("arm64-*-pciebridge", "stream-in-use", "one of two drivers behind a bridge",
               lambda row: row["driver"] is not None and row["cause"] == "alias", seen=True),
    Difference("arm64-*-mix", "stream-in-use", "one of two drivers behind a bridge",
               lambda row: row["driver"] is not None and row["cause"] == "alias"),
)

# Grades that an endpoint of a machine kind may have; behind a conventional bridge see below.
GRADES = {
    "x86-intel": {"isolated", "none"},
    "x86-amd": {"isolated", "none"},
    "x86-intel-noir": {"shared-with-host"},
    "x86-none": {"shared-with-host"},
    "arm64-its-dt": {"isolated", "none"},
    "arm64-its-acpi": {"isolated", "none"},
    "arm64-v2m": {"shared-with-host"},
}
# All below has one DeviceID or one source check, so one may raise the other's interrupts.
GRADES_BEHIND_BRIDGE = {"isolated", "none", "shared-with-host", "exclusive"}

# A finding that the strict verdict of every endpoint of the kind must have, and its weight.
FINDINGS = {
    "x86-intel-noir": (("msi-not-isolated", "blocks"),),
    "x86-none": (("no-iommu", "blocks"),),
    "arm64-v2m": (("msi-frame-shared", "blocks"),),
}

# Topologies with a switch that has no ACS, and how many endpoints below it Linux takes apart.
# Where the port above has no ACS, or nobody switched it on (device tree), it keeps them together.
SPLIT_SWITCH = {
    "switch": 3, "switch-multi": 3, "switch-nested": 3, "pxb-switch": 2, "sriov-switch": 4,
    "mix": 2,
}

# How VFIO refuses what `--policy linux` calls unsafe, as vfio-attach prints it.
REFUSALS = {
    "driver-bound": {"container EPERM"},
    "unsafe-interrupts": {"iommu EPERM"},
    "no-iommu": {"group ENOENT"},
    "stream-in-use": {"group ENOENT"},
    "vfs-enabled": {"open ENOENT"},
}

# Findings that nothing typed into a running machine takes away: another slot would, or firmware.
# Each row: machines, codes.
NO_REMEDY = (
    ("x86-none-*", ("no-iommu", "msi-not-isolated")),
    ("x86-intel-noir-*", ("msi-not-isolated",)),
    # What ports without ACS and bridges let through.
    ("*-rootports-multi-*", ("peer-dma",)),
    ("*-endpoint-multi", ("peer-dma",)),
    ("*-sriov", ("peer-dma",)),
    ("*-pciebridge", ("peer-dma",)),
    ("*-pcibridge-root", ("peer-dma", "requester-alias")),
    ("arm64-*-pciebridge", ("stream-in-use",)),
)
