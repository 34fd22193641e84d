#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_vector: each layout, and each way in which something is set free.

Usage: corpus_vector.py DIRECTORY
"""
import pathlib
import struct
import sys

WRITE, READ, RAISE, RESET = range(4)
MSI, MSIX, TABLE, PBA = range(4)
NONE = 15
WIDE, MASKS = 1, 2


class Input:
    def __init__(self, msi=NONE, flags=0, msix=0):
        self.bytes = struct.pack("<BBH", msi, flags, msix)

    def step(self, kind, which, size, at, value=0):
        log2 = {1: 0, 2: 1, 4: 2, 8: 3, 16: 4}[size]
        self.bytes += struct.pack("<BHQ", kind | which << 2 | log2 << 4, at, value & 2**64 - 1)
        return self

    def write(self, which, size, at, value):
        return self.step(WRITE, which, size, at, value)

    def throw(self, *vectors):
        for vector in vectors:
            self.step(RAISE, 0, 1, vector)
        return self

    def entry(self, vector, address, data, masked=0):
        self.write(TABLE, 8, vector * 16, address)
        return self.write(TABLE, 8, vector * 16 + 8, data | masked << 32)


def samples():
    for flags in range(4):
        msi = Input(5, flags)
        masks = 16 if flags & WIDE else 12
        msi.write(MSI, 4, 4, 0xFEE00000).write(MSI, 2, 12 if flags & WIDE else 8, 0x4142)
        msi.write(MSI, 2, 2, 0x51).throw(0, 31, 32)
        msi.write(MSI, 4, masks, 0xFFFF).throw(1, 1, 2).write(MSI, 1, masks, 0)
        msi.throw(9).write(MSI, 2, 2, 0).throw(0).write(MSI, 2, 2, 0x71)
        for at in range(0, 24, 2):
            msi.step(READ, MSI, 2, at)
        yield f"msi-{flags}", msi
    msix = Input(msix=70).entry(69, 0x8090040, 5).entry(3, 0x1_00000004, 3, 1)
    msix.write(MSIX, 2, 2, 0xC000).throw(69, 69, 3, 70).step(READ, PBA, 8, 8)
    msix.write(MSIX, 1, 3, 0x80).write(TABLE, 4, 3 * 16 + 12, 0)
    yield "msix", msix
    both = Input(3, MASKS, 8).write(MSI, 2, 2, 0x31).write(MSI, 4, 12, 0xFF).throw(0, 7)
    both.entry(0, 0x8090040, 1).write(MSIX, 2, 2, 0x8000).throw(0, 1).write(MSIX, 2, 2, 0)
    both.write(MSI, 4, 12, 0).throw(1).step(RESET, 0, 1, 0).throw(1)
    yield "both", both
    yield "again", Input(2, WIDE, 4).entry(0, 4, 5, 1).step(RESET, TABLE, 8, 8, 1)
    odd = Input(0, 0, 2)
    for which in range(4):
        for size in (1, 2, 4, 8, 16):
            odd.write(which, size, 1, 0xFF).write(which, size, 0xFFF8, 0xFF)
    yield "odd", odd
    yield "most", Input(5, 3, 2048).entry(2047, 4, 5).write(MSIX, 2, 2, 0x8000).throw(2047, 2046)


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, sample in samples():
        (directory / name).write_bytes(sample.bytes)


main()
