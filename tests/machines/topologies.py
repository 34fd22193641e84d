# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""PCI topologies as data, and the machines that are made of them.

A topology is a list of QEMU -device arguments on bus pcie.0. `setup` is busybox shell that
runs in the machine after its drivers are loaded. In a device line, %N stands for a fresh
null drive or network backend, so that a row stays a description of the bus.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Topology:
    about: str
    devices: tuple
    setup: str = ""


NVME = "nvme,serial=RIGSERIAL"
NET = "virtio-net-pci"
BLK = "virtio-blk-pci,drive=%N"


def port(name, where, slot, more=""):
    return f"pcie-root-port,id={name},bus=pcie.0,addr={where},chassis={slot},slot={slot}{more}"


def downstream(name, bus, where, slot, more=""):
    return f"xio3130-downstream,id={name},bus={bus},addr={where},chassis={slot},slot={slot}{more}"


def multi(name_prefix, device, count, more=""):
    """Root ports as functions 0..count-1 of one device."""
    return tuple(port(f"{name_prefix}{n}", f"{device}.{n}", 16 + n,
                      (",multifunction=on" if n == 0 else "") + more) for n in range(count))


NO_ACS = ",disable-acs=on"
ENABLE_VFS = ("for f in /sys/bus/pci/devices/*/sriov_numvfs; do\n"
              "\techo 0 >\"${f%numvfs}drivers_autoprobe\"; echo 2 >\"$f\" || fail \"$f\"\ndone\n")

TOPOLOGIES = {
    "rootbus": Topology("single functions on the root bus", (
        f"{NVME},bus=pcie.0,addr=3", "e1000e,bus=pcie.0,addr=4", "edu,bus=pcie.0,addr=5",
        f"{NET},bus=pcie.0,addr=6", "virtio-rng-pci,bus=pcie.0,addr=7")),
    "rootbus-multi": Topology("multifunction devices on the root bus, no ACS capability", (
        f"{NVME},bus=pcie.0,addr=4.0,multifunction=on", "edu,bus=pcie.0,addr=4.1",
        f"{NET},bus=pcie.0,addr=5.0,multifunction=on", "virtio-rng-pci,bus=pcie.0,addr=5.1",
        "e1000e,bus=pcie.0,addr=6.0,multifunction=on", "e1000e,bus=pcie.0,addr=6.1",
        "edu,bus=pcie.0,addr=7")),
    "usb": Topology("a chipset's USB controllers, four functions of one device", (
        "ich9-usb-ehci1,id=e,bus=pcie.0,addr=1d.7,multifunction=on",
        "ich9-usb-uhci1,bus=pcie.0,addr=1d.0,multifunction=on,masterbus=e.0,firstport=0",
        "ich9-usb-uhci2,bus=pcie.0,addr=1d.1,masterbus=e.0,firstport=2",
        "ich9-usb-uhci3,bus=pcie.0,addr=1d.2,masterbus=e.0,firstport=4",
        "qemu-xhci,bus=pcie.0,addr=8", f"{NVME},bus=pcie.0,addr=9")),
    "rootports": Topology("root ports with ACS on, one endpoint each", (
        port("rp1", "1c", 1), port("rp2", "1d", 2), port("rp3", "1e", 3),
        f"{NVME},bus=rp1", "e1000e,bus=rp2", f"{NET},bus=rp3", "edu,bus=pcie.0,addr=5")),
    "rootports-noacs": Topology("root ports without an ACS capability", (
        port("rp1", "1c", 1, NO_ACS), port("rp2", "1d", 2, NO_ACS), port("rp3", "1e", 3, NO_ACS),
        f"{NVME},bus=rp1", "e1000e,bus=rp2", f"{NET},bus=rp3", "edu,bus=pcie.0,addr=5")),
    "rootports-multi": Topology("four root ports in one device, all with ACS", (
        *multi("rp", "1c", 4),
        f"{NVME},bus=rp0", "e1000e,bus=rp1", f"{NET},bus=rp2", "edu,bus=rp3")),
    "rootports-multi-noacs": Topology("four root ports in one device, none with ACS", (
        *multi("rp", "1c", 4, NO_ACS),
        f"{NVME},bus=rp0", "e1000e,bus=rp1", f"{NET},bus=rp2", "edu,bus=rp3")),
    "rootports-multi-some": Topology("root ports in one device, two with ACS and two without", (
        port("rp0", "1c.0", 16, ",multifunction=on"), port("rp1", "1c.1", 17, NO_ACS),
        port("rp2", "1c.2", 18), port("rp3", "1c.3", 19, NO_ACS),
        f"{NVME},bus=rp0", "e1000e,bus=rp1", f"{NET},bus=rp2", "edu,bus=rp3")),
    "ioh3420": Topology("Intel root ports that have no ACS, beside one that has", (
        "ioh3420,id=rp1,bus=pcie.0,addr=1c.0,multifunction=on,chassis=1,slot=1",
        "ioh3420,id=rp2,bus=pcie.0,addr=1c.1,chassis=2,slot=2", port("rp3", "1d", 3),
        f"{NVME},bus=rp1", "e1000e,bus=rp2", f"{NET},bus=rp3")),
    "endpoint-multi": Topology("multifunction endpoints below ports with and without ACS", (
        port("rp1", "1c", 1), port("rp2", "1d", 2, NO_ACS),
        f"{NVME},bus=rp1,addr=0.0,multifunction=on", f"{NET},bus=rp1,addr=0.1",
        "edu,bus=rp1,addr=0.2",
        "e1000e,bus=rp2,addr=0.0,multifunction=on", "e1000e,bus=rp2,addr=0.1")),
    "switch": Topology("a switch without ACS, its ports on different devices", (
        port("rp1", "1c", 1), "x3130-upstream,id=up,bus=rp1,addr=0",
        downstream("d0", "up", "0", 10), downstream("d1", "up", "1", 11),
        downstream("d2", "up", "2", 12),
        f"{NVME},bus=d0", "e1000e,bus=d1", f"{NET},bus=d2",
        port("rp2", "1d", 2), f"{NVME}2,bus=rp2")),
    "switch-multi": Topology("a switch whose downstream ports are functions of one device", (
        port("rp1", "1c", 1), "x3130-upstream,id=up,bus=rp1,addr=0",
        downstream("d0", "up", "0.0", 10, ",multifunction=on"),
        downstream("d1", "up", "0.1", 11), downstream("d2", "up", "1", 12),
        f"{NVME},bus=d0", "e1000e,bus=d1", f"{NET},bus=d2")),
    "switch-nested": Topology("a switch behind a switch", (
        port("rp1", "1c", 1), "x3130-upstream,id=up,bus=rp1,addr=0",
        downstream("d0", "up", "0", 10), downstream("d1", "up", "1", 11),
        f"{NVME},bus=d0", "x3130-upstream,id=up2,bus=d1,addr=0",
        downstream("e0", "up2", "0", 20), downstream("e1", "up2", "1", 21),
        "e1000e,bus=e0", f"{NET},bus=e1")),
    "switch-noacs": Topology("a switch below a root port without ACS", (
        port("rp1", "1c", 1, NO_ACS), "x3130-upstream,id=up,bus=rp1,addr=0",
        downstream("d0", "up", "0", 10), downstream("d1", "up", "1", 11),
        f"{NVME},bus=d0", "e1000e,bus=d1")),
    "pciebridge": Topology("a PCIe-to-PCI bridge below a root port, three devices behind it", (
        port("rp1", "1c", 1), "pcie-pci-bridge,id=b1,bus=rp1",
        "edu,bus=b1,addr=1", "e1000,bus=b1,addr=2", f"{NET},bus=b1,addr=3",
        port("rp2", "1d", 2), f"{NVME},bus=rp2")),
    "pciebridge-root": Topology("a PCIe-to-PCI bridge as an integrated endpoint", (
        "pcie-pci-bridge,id=b1,bus=pcie.0,addr=3",
        "edu,bus=b1,addr=1", "e1000,bus=b1,addr=2", f"{NVME},bus=pcie.0,addr=4")),
    "pcibridge": Topology("a conventional bridge behind a PCIe-to-PCI bridge", (
        port("rp1", "1c", 1), "pcie-pci-bridge,id=b1,bus=rp1",
        "pci-bridge,id=b2,bus=b1,addr=1,chassis_nr=30",
        "edu,bus=b1,addr=2", "e1000,bus=b2,addr=1", "edu,bus=b2,addr=2")),
    "pcibridge-root": Topology("conventional bridges on the root bus", (
        "pci-bridge,id=b1,bus=pcie.0,addr=3,chassis_nr=31",
        "edu,bus=b1,addr=1", "e1000,bus=b1,addr=2,multifunction=on", f"{NET},bus=b1,addr=2.1",
        "i82801b11-bridge,id=b2,bus=pcie.0,addr=1e",
        "pci-bridge,id=b3,bus=b2,addr=1,chassis_nr=32", "edu,bus=b3,addr=1",
        "e1000,bus=b2,addr=2")),
    "pxb": Topology("a second root bus with ports, beside the first", (
        port("rp1", "1c", 1), f"{NVME},bus=rp1", "edu,bus=pcie.0,addr=5",
        "pxb-pcie,id=px,bus=pcie.0,addr=9,bus_nr=64",
        "pcie-root-port,id=pr1,bus=px,addr=0,chassis=40,slot=40",
        "pcie-root-port,id=pr2,bus=px,addr=1,chassis=41,slot=41,disable-acs=on",
        "e1000e,bus=pr1", f"{NET},bus=pr2")),
    "pxb-switch": Topology("a switch and a bridge on a second root bus", (
        "pxb-pcie,id=px,bus=pcie.0,addr=9,bus_nr=64",
        "pcie-root-port,id=pr1,bus=px,addr=0,chassis=40,slot=40",
        "pcie-root-port,id=pr2,bus=px,addr=1,chassis=41,slot=41",
        "x3130-upstream,id=up,bus=pr1,addr=0",
        downstream("d0", "up", "0", 10), downstream("d1", "up", "1", 11),
        f"{NVME},bus=d0", "e1000e,bus=d1",
        "pcie-pci-bridge,id=b1,bus=pr2", "edu,bus=b1,addr=1", "edu,bus=b1,addr=2")),
    "sriov": Topology("VFs below a port with ACS and a port without", (
        port("rp1", "1c", 1), port("rp2", "1d", 2, NO_ACS),
        "nvme-subsys,id=s1,nqn=rig1", "nvme-subsys,id=s2,nqn=rig2",
        f"{NVME}1,subsys=s1,bus=rp1,sriov_max_vfs=4,sriov_vq_flexible=8,sriov_vi_flexible=4",
        f"{NVME}2,subsys=s2,bus=rp2,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2"),
        ENABLE_VFS),
    "sriov-switch": Topology("VFs behind a switch", (
        port("rp1", "1c", 1), "x3130-upstream,id=up,bus=rp1,addr=0",
        downstream("d0", "up", "0", 10), downstream("d1", "up", "1", 11),
        "nvme-subsys,id=s1,nqn=rig1",
        f"{NVME},subsys=s1,bus=d0,sriov_max_vfs=4,sriov_vq_flexible=8,sriov_vi_flexible=4",
        "e1000e,bus=d1"), ENABLE_VFS),
    "mix": Topology("a desktop: ports, a switch, a bridge, multifunction devices, a display", (
        "secondary-vga,bus=pcie.0,addr=2", f"{NVME},bus=pcie.0,addr=3",
        "virtio-rng-pci,bus=pcie.0,addr=4.0,multifunction=on", "edu,bus=pcie.0,addr=4.1",
        "qemu-xhci,bus=pcie.0,addr=5",
        port("rp0", "1c.0", 16, ",multifunction=on"), port("rp1", "1c.1", 17),
        port("rp2", "1c.2", 18), port("rp3", "1d", 3, NO_ACS),
        "e1000e,bus=rp0,addr=0.0,multifunction=on", "e1000e,bus=rp0,addr=0.1",
        "x3130-upstream,id=up,bus=rp1,addr=0",
        downstream("d0", "up", "0", 10), downstream("d1", "up", "1", 11),
        f"{NVME}2,bus=d0", f"{BLK},bus=d1",
        "pcie-pci-bridge,id=b1,bus=rp2", "edu,bus=b1,addr=1", "e1000,bus=b1,addr=2",
        f"{NET},bus=rp3")),
}


@dataclass(frozen=True)
class Kind:
    """How a machine translates DMA and takes interrupts."""
    arch: str
    name: str
    qemu: tuple
    append: str
    topologies: tuple
    firmware: bool = False


# Native hot-plug, as on hardware; else ACPI takes the slots and shpchp and pciehp stay away.
Q35 = ("-M", "q35", "-cpu", "max",
       "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")
ALL = tuple(TOPOLOGIES)
THREE = ("rootports", "switch", "mix")
ARM = ("rootports", "switch", "pciebridge")
# Beside QEMU's virtio-iommu: what viommu.sh works with. Not among ALL.
TOPOLOGIES["endpoints"] = Topology("endpoints of a virtio-iommu", (
    f"{NVME},bus=pcie.0,addr=3,drive=%N",
    f"{BLK},bus=pcie.0,addr=4,iommu_platform=on,disable-legacy=on",
    "edu,bus=pcie.0,addr=5", "edu,bus=pcie.0,addr=6"))
ITS = "virt,gic-version=3,its=on,iommu=smmuv3,virtualization=on"

KINDS = (
    Kind("amd64", "x86-intel", (*Q35, "-device", "intel-iommu,intremap=on"),
         "intel_iommu=on", ALL),
    Kind("amd64", "x86-intel-noir", (*Q35, "-device", "intel-iommu,intremap=off"),
         "intel_iommu=on", ("rootports", "pciebridge", "mix")),
    Kind("amd64", "x86-amd", (*Q35, "-device", "amd-iommu,intremap=on"),
         "", ("rootbus", "rootbus-multi", "usb")),
    Kind("amd64", "x86-none", Q35, "", THREE),
    Kind("arm64", "arm64-its-dt", ("-M", ITS, "-cpu", "neoverse-n1"), "", (*ARM, "mix")),
    Kind("arm64", "arm64-its-acpi", ("-M", ITS, "-cpu", "neoverse-n1"), "",
         (*ARM, "rootports-multi-noacs"), firmware=True),
    Kind("arm64", "arm64-v2m",
         ("-M", "virt,gic-version=2,iommu=smmuv3,virtualization=on", "-cpu", "cortex-a72"), "", ARM),
)
KERNELS = ("6.1", "6.12")

# Whose requests to QEMU's virtio-iommu are recorded and replayed (viommu_trace.py). The first one is
# recorded in each run; all of them make tests/virtio/traces.
VIOMMU = ("-device", "virtio-iommu-pci,bus=pcie.0,addr=1")
# Not for x86: its firmware waits for the disks behind it.
NO_BYPASS = ("-device", "virtio-iommu-pci,bus=pcie.0,addr=1,boot-bypass=off")
VIOMMU_ITS = ("-M", "virt,gic-version=3,its=on", "-cpu", "neoverse-n1")
VIOMMU_V2M = ("-M", "virt,gic-version=2", "-cpu", "cortex-a72")
TRACED = tuple(Kind(arch, f"viommu-{name}", qemu, append, ("endpoints",))
               for arch, name, qemu, append in (
    ("arm64", "arm64-its-strict", (*VIOMMU_ITS, *VIOMMU), "iommu.strict=1"),
    ("arm64", "arm64-its-passthrough", (*VIOMMU_ITS, *VIOMMU), "iommu.passthrough=1"),
    ("arm64", "arm64-v2m-lazy", (*VIOMMU_V2M, *NO_BYPASS), "iommu.strict=0"),
    ("amd64", "x86-strict", (*Q35, *VIOMMU), "iommu.strict=1"),
    ("amd64", "x86-lazy", (*Q35, *VIOMMU), "iommu.strict=0"),
))

# Where verdicts are compared with what VFIO does, and remedies are typed (trial.sh): it takes
# longer, so on some of each kind.
TRIALS = (
    "x86-intel-6.12-rootports-multi-some", "x86-intel-6.12-endpoint-multi",
    "x86-intel-6.12-switch", "x86-intel-6.12-pciebridge", "x86-intel-6.12-sriov",
    "x86-intel-6.1-switch-multi", "x86-intel-6.1-pcibridge-root", "x86-intel-6.1-sriov-switch",
    "x86-intel-noir-6.1-rootports", "x86-intel-noir-6.12-rootports",
    "x86-amd-6.1-rootbus-multi", "x86-amd-6.12-usb", "x86-none-6.12-rootports",
    "arm64-its-dt-6.12-rootports", "arm64-its-dt-6.12-pciebridge",
    "arm64-its-acpi-6.1-rootports-multi-noacs", "arm64-its-acpi-6.12-switch",
    "arm64-v2m-6.1-switch", "arm64-v2m-6.12-rootports",
)

# Where contracts are run, by contract.sh: of backends and of interrupts over VFIO, with QEMU's edu,
# which does real DMA, and e1000e, which has an MSI-X table; of VMs, with the guests named.
CONTRACTS = {
    "x86-intel-6.1-rootports": "",
    "x86-intel-6.12-rootports": "x86 split",
    "arm64-its-dt-6.1-rootports": "its gicv3",
    "arm64-its-dt-6.12-rootports": "its gicv3",
    "arm64-v2m-6.12-rootports": "gicv2",
}

# Where our ITS is compared with KVM's (its.sh), and our GICv2m frame with the machine's (frame.sh).
ITSES = ("arm64-its-dt-6.1-rootports", "arm64-its-dt-6.12-rootports")
FRAMES = ("arm64-v2m-6.1-rootports", "arm64-v2m-6.12-rootports")


@dataclass(frozen=True)
class Machine:
    kind: Kind
    kernel: str
    topology: str

    @property
    def name(self):
        return f"{self.kind.name}-{self.kernel}-{self.topology}"

    @property
    def trial(self):
        return self.name in TRIALS

    @property
    def peers(self):
        """Names of the steps that compare an interrupt controller with that of the machine."""
        return ["its"] * (self.name in ITSES) + ["frame"] * (self.name in FRAMES)

    @property
    def traced(self):
        return self.kind in TRACED

    @property
    def contract(self):
        return self.name in CONTRACTS

    @property
    def guests(self):
        return CONTRACTS[self.name]


def machines():
    return [Machine(kind, kernel, topology) for kind in KINDS for kernel in KERNELS
            for topology in kind.topologies]


def traced():
    """Debian's 6.1 has no driver."""
    return [Machine(kind, "6.12", kind.topologies[0]) for kind in TRACED]
