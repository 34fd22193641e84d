#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_vm: what a VM monitor does with routes and irqfds.

Usage: corpus_vm.py DIRECTORY
"""
import pathlib
import struct
import sys

(ROW, TABLE, ASSIGN, SIGNAL, CLOSE, DISPATCH, RAISE, LINE, MESSAGE, ALLOC, FREE, EDIT, CLEAR,
 COMMIT, PIN, END) = range(16)
X86, SPLIT, GICV2, GICV3, ITS = range(5)
PIN_ROUTE, MSI, DEVID = 1, 2, 8
DEASSIGN, RESAMPLE = 1, 2


def step(kind, a=0, b=0, c=0, gsi=0, value=0, address=0):
    return struct.pack("<BBBBIII", kind, a, b, c, gsi, value, address)


def msi(kind, gsi, data, address=0xfee00000, flags=0):
    return step(kind, MSI | flags, gsi=gsi, value=data, address=address)


LEVEL = 1 << 15
SEEDS = {
    "x86-wire": bytes([X86]) + msi(ROW, 40, 0x40) + msi(ROW, 41, 0x41) + step(TABLE, gsi=40) +
    step(ASSIGN, 0, gsi=40) + step(ASSIGN, 1, gsi=41) + step(SIGNAL, 0) + step(DISPATCH) +
    step(ASSIGN, 0, DEASSIGN, gsi=40) + step(DISPATCH) + step(RAISE, gsi=41),
    "x86-refused": bytes([X86]) + msi(ROW, 40, 0x40) + step(TABLE) + msi(ROW, 41, 0x41) +
    step(ROW, PIN_ROUTE, 2, 24, gsi=3) + step(TABLE, gsi=40) + step(ROW, 0) + step(TABLE, gsi=40),
    "x86-resample": bytes([X86]) + step(PIN, 12, value=0x60 | LEVEL) +
    step(ASSIGN, 0, RESAMPLE, 1, gsi=12) + step(SIGNAL, 0) + step(DISPATCH) +
    step(END, 0, value=0x60) + step(LINE, 1, gsi=12) + step(END, 0, value=0x60) +
    step(CLOSE, 0) + step(DISPATCH),
    "split": bytes([SPLIT]) + msi(ROW, 3, 0x43) + step(TABLE, gsi=3) +
    step(ASSIGN, 0, RESAMPLE, 1, gsi=3) + step(ASSIGN, 0, gsi=3) + step(LINE, 1, gsi=3),
    "gicv2-lines": bytes([GICV2]) + step(ASSIGN, 0, gsi=8) + step(ASSIGN, 1, RESAMPLE, 2, gsi=9) +
    step(DISPATCH) + step(LINE, 1, gsi=41) + step(END, 0, value=41) + step(RAISE, gsi=8) +
    step(ROW, PIN_ROUTE, 0, 200, gsi=9) + step(TABLE, gsi=9) + step(DISPATCH),
    "gicv3-few": bytes([GICV3 | 0x80]) + step(RAISE, gsi=31) + step(RAISE, gsi=32) +
    step(ROW, PIN_ROUTE, 0, 255, gsi=100) + step(TABLE, gsi=100) + step(LINE, 1, gsi=64),
    "its": bytes([ITS]) + msi(ROW, 300, 5, 0x8090040, DEVID) + step(TABLE, gsi=300) +
    step(ASSIGN, 3, gsi=300) + step(SIGNAL, 3) + step(DISPATCH) +
    msi(MESSAGE, 0, 5, 0x8090040, DEVID) + msi(MESSAGE, 0, 5, 0x8090040),
    "edits": bytes([ITS]) + step(ALLOC) + step(ALLOC) + msi(EDIT, 224, 1, 0x8090040, DEVID) +
    msi(EDIT, 225, 2, 0x8090040, DEVID) + step(COMMIT) + step(ASSIGN, 0, gsi=224) +
    step(DISPATCH) + step(FREE, gsi=224) + step(ALLOC) + step(COMMIT, 1) + step(FREE, gsi=224) +
    step(COMMIT) + step(ALLOC) + step(CLEAR, gsi=225) + step(COMMIT),
    "x86-edits": bytes([X86]) + step(EDIT, PIN_ROUTE, 1, 3, gsi=4) + msi(EDIT, 4, 0x44) +
    step(EDIT, PIN_ROUTE, 2, 5, gsi=4) + step(COMMIT) + step(RAISE, gsi=4),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
