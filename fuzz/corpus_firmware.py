#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the made seeds of the firmware fuzzers: corpus/{madt,iort,dmar,ivrs,viot,dtb}/made-*.

Together with the tables of QEMU's machines (qemu-*) each corpus holds an accepted input for each
structure that its parser knows; tests/firmware/test_corpus.c checks that. Needs dtc for the trees.
"""
import pathlib
import struct
import subprocess

CORPUS = pathlib.Path(__file__).parent / "corpus"


def u8(*values):
    return bytes(values)


def u16(*values):
    return struct.pack(f"<{len(values)}H", *values)


def u32(*values):
    return struct.pack(f"<{len(values)}I", *values)


def u64(*values):
    return struct.pack(f"<{len(values)}Q", *values)


def table(signature, body, revision=1, oem=b"DRWARD"):
    head = signature + u32(36 + len(body)) + u8(revision, 0) + oem + b"MADESEED" + u32(1)
    whole = bytearray(head + b"WARD" + u32(1) + body)
    whole[9] = -sum(whole) & 0xff
    return bytes(whole)


def write(kind, name, data):
    folder = CORPUS / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"made-{name}").write_bytes(data)


def entry(kind, rest):
    return u8(kind, 2 + len(rest)) + rest


def madt():
    def frame(number, base, flags=0, count=0, first=0):
        return entry(13, u16(0) + u32(number) + u64(base) + u32(flags) + u16(count, first))

    local = u32(0xfee00000, 1)
    write("madt", "x86", table(b"APIC", local
          + entry(0, u8(0, 0) + u32(1))
          + entry(9, u16(0) + u32(256, 1, 256))
          + entry(1, u8(2, 0) + u32(0xfec00000, 0))
          + entry(2, u8(0, 9) + u32(9) + u16(13))))
    gicc = entry(11, bytes(74))
    gicd = entry(12, u16(0) + u32(0) + u64(0x8000000) + u32(0) + u8(2, 0, 0, 0))
    write("madt", "gicv2m", table(b"APIC", local + gicc + gicd
          + frame(0, 0x8020000, 1, 64, 80) + frame(1, 0x8021000)))
    write("madt", "amazon", table(b"APIC", local + gicc
          + frame(0, 0xf0210000, 1, 448, 64), oem=b"AMAZON"))
    write("madt", "gicv3", table(b"APIC", local + gicc + gicd
          + entry(14, u16(0) + u64(0x80a0000) + u32(0xf60000))
          + entry(15, u16(0) + u32(0) + u64(0x8080000) + u32(0))
          + entry(15, u16(0) + u32(1) + u64(0x80c0000) + u32(0))
          + entry(0x7f, bytes(6))))


class Iort:
    """Nodes in order; mappings refer to nodes by number and are resolved at the end."""

    def __init__(self):
        self.nodes = []

    def add(self, kind, revision, payload, maps=()):
        self.nodes.append((kind, revision, payload, list(maps)))
        return len(self.nodes) - 1

    def table(self):
        offsets, at = [], 48
        for _, _, payload, maps in self.nodes:
            offsets.append(at)
            at += 16 + len(payload) + 20 * len(maps)
        body = u32(len(self.nodes), 48, 0)
        for number, (kind, revision, payload, maps) in enumerate(self.nodes):
            length = 16 + len(payload) + 20 * len(maps)
            body += u8(kind) + u16(length) + u8(revision) + u32(number)
            body += u32(len(maps), 16 + len(payload) if maps else 0) + payload
            for base, count, out, target, flags in maps:
                body += u32(base, count, out, offsets[target], flags)
        return table(b"IORT", body, revision=6)


def smmuv3(base, wired=True, index=0, flags=1):
    gsivs = (106, 107, 109, 108) if wired else (106, 0, 0, 0)
    return u64(base) + u32(flags, 0) + u64(0) + u32(0, *gsivs, 0, index)


def root_complex(segment, ats=0):
    return u64(0x0300000000000001) + u32(ats, segment) + u8(64, 0, 0, 0)


def iort():
    one = Iort()
    its = one.add(0, 1, u32(2, 0, 1))
    wired = one.add(4, 4, smmuv3(0x9050000), [(0, 0xffff, 0, its, 0)])
    own = one.add(4, 5, smmuv3(0x9070000, wired=False, index=1, flags=0x11),
                  [(0, 0xffff, 0x10000, its, 0), (0, 0, 0x30000, its, 1)])
    one.add(2, 3, root_complex(0, ats=1), [(0, 0x700, 0, wired, 0), (0x700, 0xf8ff, 0x700, its, 0)])
    one.add(2, 4, root_complex(1) + u32(0), [(0, 0x0fff, 0x1000, own, 0)])
    one.add(1, 4, u32(0) + u64(1) + u8(64) + b"\\_SB.GPU0\0\0", [(0, 0, 0x42, own, 1)])
    one.add(5, 2, u64(0x9060000) + u32(0, 64) + u64(0x9062000), [(0, 0, 0x99, its, 1)])
    one.add(6, 3, u32(1, 1, 28) + u64(0x80000000, 0x10000) + u32(0), [(0, 0, 0x8, wired, 0)])
    write("iort", "all", one.table())
    two = Iort()
    its = two.add(0, 0, u32(1, 7))
    smmu = two.add(3, 0, u64(0xe0000000, 0x10000) + u32(3, 0, 60, 0, 60, 0, 60),
                   [(0, 0x7ff, 0, its, 0)])
    two.add(2, 1, root_complex(0), [(0, 0xff, 0x100, smmu, 0), (0, 0, 0x321, smmu, 1)])
    two.add(1, 2, u32(0) + u64(0) + u8(40) + b"\\_SB.ETH0\0",
            [(0, 0, 5, smmu, 1), (0, 0, 6, its, 1)])
    two.add(7, 0, u64(0x2f000000) + u16(0) + b"\\IWB0\0", [(0, 0, 12, its, 1)])
    two.add(0x55, 0, bytes(8))
    write("iort", "smmuv2", two.table())


def scope(kind, bus, *path, number=0):
    pairs = b"".join(u8(device, function) for device, function in path)
    return u8(kind, 6 + len(pairs), 0, 0, number, bus) + pairs


def structure(kind, rest):
    return u16(kind, 4 + len(rest)) + rest


def dmar():
    head = u8(38, 1) + bytes(10)
    write("dmar", "server", table(b"DMAR", head
          + structure(0, u8(0, 0) + u16(0) + u64(0xfed90000) + scope(1, 0, (2, 0)))
          + structure(0, u8(0, 0) + u16(0) + u64(0xfed91000) + scope(2, 0, (28, 0))
                      + scope(1, 0, (29, 0), (0, 0), (1, 1)))
          + structure(0, u8(1, 0) + u16(0) + u64(0xfed92000) + scope(3, 0xf0, (31, 7), number=8)
                      + scope(4, 0xf0, (15, 0)) + scope(5, 0, (21, 0), number=1))
          + structure(1, u16(0, 0) + u64(0x7d000000, 0x7effffff) + scope(1, 0, (2, 0)))
          + structure(1, u16(0, 0) + u64(0x7c000000, 0x7c00ffff) + scope(1, 0, (20, 0)))
          + structure(2, u8(0, 0) + u16(0) + scope(2, 0, (28, 0)))
          + structure(3, u32(0) + u64(0xfed90000) + u32(0))
          + structure(4, u8(0, 0, 0, 1) + b"\\_SB.PCI0.I2C0\0")
          + structure(5, u8(1, 0) + u16(0) + scope(1, 0, (2, 0)))
          + structure(6, u16(0, 0) + scope(1, 0, (2, 0)))))
    write("dmar", "segments", table(b"DMAR", u8(45, 5) + bytes(10)
          + structure(0, u8(1, 0) + u16(0) + u64(0xfed90000))
          + structure(0, u8(1, 0) + u16(1) + u64(0xfed91000))))


def ivrs():
    head = u32(0x203041) + bytes(8)

    def block(kind, flags, rest):
        return u8(kind, flags) + u16(4 + len(rest)) + rest

    entries = (u8(3) + u16(8) + u8(0) + u8(4) + u16(0xfffe) + u8(0)
               + u8(66) + u16(0x500) + u8(0, 0) + u16(0x400) + u8(0)
               + u8(67) + u16(0x600) + u8(0, 0) + u16(0x401) + u8(0) + u8(4) + u16(0x6ff) + u8(0)
               + u8(72) + u16(0) + u8(0, 1) + u16(0xa0) + u8(1)
               + u8(72) + u16(0) + u8(0, 0) + u16(0xa1) + u8(2)
               + u8(0) + bytes(3))
    rest = (u8(70) + u16(0x700) + u8(0) + u32(1 << 31)
            + u8(71) + u16(0x800) + u8(0) + u32(0) + u8(4) + u16(0x8ff) + u8(0)
            + u8(240) + u16(0x98) + u8(0) + b"AMDI0040" + bytes(8) + u8(2, 4) + b"UID0")
    old = u16(2, 0x40) + u64(0xfeb80000) + u16(0, 0) + u32(0x80048f6e)
    new = old[:-4] + u32(0x40200) + u64(0x246577efa2254afa, 0)
    memory = (block(0x20, 9, u16(0, 0, 0) + bytes(6) + u64(0x70000000, 0x1000))
              + block(0x21, 7, u16(0x98, 0, 0) + bytes(6) + u64(0x71000000, 0x2000))
              + block(0x22, 7, u16(0x100, 0x1ff, 0) + bytes(6) + u64(0x72000000, 0x3000)))
    write("ivrs", "types", table(b"IVRS", head + block(0x10, 0xb0, old + entries)
          + block(0x11, 0xb0, new + entries) + block(0x40, 0xb0, new + entries + rest) + memory))
    write("ivrs", "all", table(b"IVRS", head + block(0x10, 0x30, old + u8(1) + bytes(3)
          + u8(2) + u16(0x99) + u8(0))))


def viot():
    write("viot", "all", table(b"VIOT", u16(5, 48) + bytes(8)
          + u8(3, 0) + u16(16) + u16(0, 0x10) + bytes(8)
          + u8(4, 0) + u16(16) + u32(0) + u64(0x10001000)
          + u8(1, 0) + u16(24) + u32(0x3000) + u16(0, 1, 0, 0xff, 48) + bytes(6)
          + u8(2, 0) + u16(24) + u32(0x10000) + u64(0x10002000) + u16(64) + bytes(6)
          + u8(0x33, 0) + u16(8) + u32(0)))


TREES = {
    "gicv3": """
/dts-v1/;
/ {
	#address-cells = <2>; #size-cells = <2>;
	soc {
		compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>;
		ranges = <0x0 0x0 0x10000000 0x10000000>;
		gic: interrupt-controller@100000 {
			compatible = "arm,gic-v3"; reg = <0x100000 0x10000>, <0x180000 0x100000>;
			#address-cells = <1>; #size-cells = <1>; ranges;
			interrupt-controller; #interrupt-cells = <3>;
			msi-controller; mbi-ranges = <64 32 128 64>; mbi-alias = <0x120000>;
			its: msi-controller@140000 {
				compatible = "arm,gic-v3-its"; msi-controller; #msi-cells = <1>;
				reg = <0x140000 0x20000>;
			};
		};
		smmu: iommu@200000 {
			compatible = "arm,smmu-v3"; reg = <0x200000 0x20000>; #iommu-cells = <1>;
			msi-parent = <&its 0xff>;
		};
		mmu: iommu@300000 {
			compatible = "arm,mmu-500", "arm,smmu-v2"; reg = <0x300000 0x10000>;
			#iommu-cells = <2>;
		};
		ethernet@400000 {
			compatible = "vendor,mac"; reg = <0x400000 0x1000>;
			iommus = <&mmu 0x11 0x0>; msi-parent = <&its 0x22>;
		};
		dma {
			iommus = <&other 1>;
		};
		other: iommu@500000 {
			compatible = "vendor,iommu"; reg = <0x500000 0x1000>; #iommu-cells = <1>;
		};
		off@600000 {
			status = "disabled"; reg = <0x600000 0x1000>; iommus = <&smmu 9>;
		};
	};
	pcie@40000000 {
		compatible = "pci-host-ecam-generic"; device_type = "pci"; reg = <0x0 0x40000000 0x0 0x10000000>;
		#address-cells = <3>; #size-cells = <2>; bus-range = <0 0x7f>; linux,pci-domain = <0>;
		ranges = <0x02000000 0x0 0x50000000 0x0 0x50000000 0x0 0x10000000>;
		msi-map = <0x0 &its 0x1000 0x8000>; ats-supported;
		iommu-map = <0x0 &smmu 0x0 0x100>, <0x100 &smmu 0x4000 0x7f00>;
		bridge@1,0 { device_type = "pci"; reg = <0x800 0 0 0 0>; };
	};
	pcie@60000000 {
		compatible = "vendor,pcie"; device_type = "pci"; reg = <0x0 0x60000000 0x0 0x10000000>;
		#address-cells = <3>; #size-cells = <2>; bus-range = <0x80 0xff>; linux,pci-domain = <1>;
		msi-map-mask = <0xff>; msi-map = <0x0 &its 0x9000 0x100>;
		iommu-map-mask = <0xff00>; iommu-map = <0x8000 &smmu 0x8000 0x8000>;
	};
};
""",
    "gicv2m": """
/dts-v1/;
/ {
	#address-cells = <1>; #size-cells = <1>;
	intc@8000000 {
		compatible = "arm,gic-400"; reg = <0x8000000 0x1000>; #address-cells = <1>; #size-cells = <1>;
		ranges; interrupt-controller; #interrupt-cells = <3>;
		v2m0: v2m@8020000 {
			compatible = "arm,gic-v2m-frame"; msi-controller; reg = <0x8020000 0x1000>;
			arm,msi-base-spi = <80>; arm,msi-num-spis = <64>;
		};
		v2m@8021000 {
			compatible = "arm,gic-v2m-frame"; msi-controller; reg = <0x8021000 0x1000>;
		};
	};
	msi0: msi { msi-controller; #msi-cells = <0>; };
	virtio0: virtio_mmio@a000000 {
		compatible = "virtio,mmio"; reg = <0xa000000 0x200>; #iommu-cells = <1>;
	};
	pcie@4010000000 {
		device_type = "pci"; #address-cells = <3>; #size-cells = <2>;
		msi-parent = <&v2m0>;
		iommu-map = <0x0 &viommu 0x0 0x18 0x19 &viommu 0x19 0xffe7>;
		viommu: iommu@3,0 {
			compatible = "virtio,pci-iommu"; reg = <0x1800 0 0 0 0>; #iommu-cells = <1>;
		};
	};
	serial { msi-parent = <&msi0>; iommus = <&virtio0 3>; };
};
""",
}


def trees():
    for name, text in TREES.items():
        data = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=text.encode(),
                              stdout=subprocess.PIPE, check=True).stdout
        write("dtb", name, data)


if __name__ == "__main__":
    madt()
    iort()
    dmar()
    ivrs()
    viot()
    trees()
