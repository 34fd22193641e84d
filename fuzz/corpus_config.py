#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_config: one accepted input for each structure.

Usage: corpus_config.py DIRECTORY
The first byte of each file is what fuzz_config knows before it parses; the rest is config space.
"""
import pathlib
import struct
import sys


class Space:
    """A config space; capabilities are linked in the order of adding."""

    def __init__(self, vendor, device, header=0, size=4096, hint=0):
        self.bytes = bytearray(size)
        self.hint = hint
        self.link = 0x14 if header & 0x7F == 2 else 0x34
        self.extended_link = None
        self.put("<HH", 0, vendor, device)
        self.bytes[0x0E] = header

    def put(self, form, offset, *values):
        struct.pack_into(form, self.bytes, offset, *values)
        return self

    def capability(self, offset, number, form="", *values):
        self.bytes[0x06] |= 0x10
        self.bytes[self.link] = offset
        self.put("<BB" + form, offset, number, 0, *values)
        self.link = offset + 1
        return self

    def pcie(self, offset, kind, devcap=0, devctl2=0):
        self.capability(offset, 0x10, "HI", kind << 4 | 2, devcap)
        return self.put("<H", offset + 0x28, devctl2)

    def extended(self, offset, number, form="", *values):
        if self.extended_link is not None:
            (header,) = struct.unpack_from("<I", self.bytes, self.extended_link)
            self.put("<I", self.extended_link, header & 0xFFFFF | offset << 20)
        self.extended_link = offset
        return self.put("<I" + form, offset, 1 << 16 | number, *values)

    def file(self):
        return bytes([self.hint]) + bytes(self.bytes).rstrip(b"\0").ljust(
            next(n for n in (64, 256, 4096) if len(self.bytes) <= n), b"\0")


def endpoint(header=0x80):
    space = Space(0x8086, 0x1572, header)
    space.put("<I", 0x08, 0x02000005).put("<I", 0x10, 0xF000000C)
    space.capability(0x40, 0x01, "HH", 0x0003, 0x0008)
    space.capability(0x50, 0x05, "H", 0x0184)
    space.capability(0x70, 0x11, "HII", 0x8080, 3, 0x1003)
    return space.pcie(0xA0, 0, 1 << 28)


def samples():
    yield "endpoint-acs", endpoint().extended(0x100, 0x0D, "HH", 0x5D, 0x1D)
    yield "endpoint-sriov", (
        endpoint().extended(0x100, 0x0E).extended(0x140, 0x10, "IHHHHHHHH", 2, 9, 0, 64, 64, 8, 0,
                                                  128, 2))
    yield "endpoint-ats-pri-pasid", (
        endpoint(0).extended(0x100, 0x0F, "HH", 0x60, 0x8000)
        .extended(0x120, 0x13, "HHII", 1, 0x100, 512, 32)
        .extended(0x140, 0x1B, "HH", 20 << 8 | 6, 1))
    yield "endpoint-without-extended", endpoint().put("<I", 0x100, 0)
    port = Space(0x1B36, 0x000C, 1).put("<BBB", 0x18, 0, 1, 4)
    port.put("<HHHHII", 0x20, 0xFE80, 0xFE90, 0x0001, 0xFFF1, 0x80, 0x8F)
    port.capability(0x48, 0x0D, "HHH", 0, 0x1AF4, 0x1100)
    port.pcie(0x54, 4, 0, 0x20)
    yield "root-port-acs-egress", port.extended(0x100, 0x0D, "HHII", 0x283F, 0x25, 3, 0x80)
    wide = Space(0, 0, 1, hint=0xC0).pcie(0x40, 4)
    yield "root-port-wide-acs", wide.extended(0x100, 0x0D, "II", 0x1F, 0x1D)
    for kind, name in ((5, "upstream"), (6, "downstream"), (7, "pcie-to-pci"), (8, "pci-to-pcie"),
                       (1, "legacy-endpoint"), (9, "rc-endpoint"), (10, "event-collector")):
        header = 1 if 5 <= kind <= 8 else 0
        yield name, Space(0x10B5, 0x8747, header, 256).put("<BBB", 0x18, 1, 2, 3).pcie(0x68, kind)
    yield "conventional-af", (
        Space(0x8086, 0x10D3, 0, 256).capability(0x50, 0x01, "HH", 3, 0)
        .capability(0x60, 0x13, "BBBB", 6, 3, 0, 0))
    yield "conventional-bridge", Space(0x8086, 0x244E, 1, 64).put("<BBB", 0x18, 0, 1, 1)
    yield "cardbus", Space(0x104C, 0xAC56, 2, 256).capability(0xA0, 0x01, "HH", 3, 0)
    yield "header-only", Space(0x8086, 0x1572, 0x80, 64).put("<B", 0x3D, 2)
    yield "virtual-function", (
        Space(0xFFFF, 0xFFFF, hint=0x0A).capability(0x70, 0x11, "HII", 4, 3, 0x1003)
        .pcie(0xA0, 0, 1 << 28).extended(0x100, 0x0F, "HH", 0, 0))
    yield "qat-unlinked-pcie", (
        Space(0x8086, 0x0443, 0, 256).capability(0x90, 0x05, "H", 0).put("<HH", 0x50, 0x10, 2))
    loop = endpoint()
    loop.bytes[0xA1] = 0x40
    yield "looping", loop
    ring = endpoint().extended(0x100, 0x0F).extended(0x120, 0x13)
    yield "looping-extended", ring.put("<I", 0x120, 0x10010013)


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, space in samples():
        (directory / name).write_bytes(space.file())
    (directory / "no-answer").write_bytes(bytes([0]) + b"\xff" * 256)


if __name__ == "__main__":
    main()
