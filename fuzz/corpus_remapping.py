#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_remapping: a message of each kind that arrives, and some that do not.

Usage: corpus_remapping.py DIRECTORY
"""
import pathlib
import struct
import sys

WRITE, MEMORY, MESSAGE, ADDRESS, TAKE = range(5)
QIE, IRE, SIRTP, CFI, EIME = 1 << 26, 1 << 25, 1 << 24, 1 << 23, 1 << 11
TABLE = 0x2000


def step(kind, at=0, value=0, rid=0, data=0, size=4):
    return struct.pack("<BBHIQQ", kind, size, rid, data, at, value)


def entry(index, low, high):
    at = (TABLE + index * 16) // 8
    return step(MEMORY, at, low) + step(MEMORY, at + 1, high)


def start(extra=0, command=0):
    return (step(WRITE, 0xb8, TABLE | 7 | extra, size=8) +
            step(WRITE, 0x18, QIE | IRE | SIRTP | command))


def message(index=None, rid=0x108, data=0, flags=0x10):
    return step(MESSAGE, (index or 0) << 5 | flags, rid=rid, data=data)


LOW, HIGH = 2 << 40 | 0x41 << 16 | 1, 0x108 | 1 << 18
INPUTS = {
    "remapped": b"\0" + entry(5, LOW, HIGH) + start() + message(5) + step(TAKE, rid=2),
    "source": b"\0" + entry(5, LOW, HIGH) + start() + message(5, rid=0x109),
    "buses": b"\0" + entry(5, LOW, 0x103 | 2 << 18) + start() + message(5, rid=0x2ff),
    "reserved": b"\0" + entry(5, LOW | 1 << 15, HIGH) + start() + message(5),
    "subhandle": b"\0" + entry(7, LOW, HIGH) + start() + message(5, data=2, flags=0x18),
    "beyond": b"\0" + start() + message(5, data=0xffff, flags=0x18),
    "extended": b"\1" + entry(5, 0x12345 << 32 | 0x410001, HIGH) + start(EIME) +
                step(ADDRESS, value=1 << 32 | 0x12345, rid=1) + message(5),
    "logical": b"\0" + entry(5, 3 << 40 | 0x41 << 16 | 0xd, HIGH) + start() +
               step(ADDRESS, value=1 << 40, rid=0) + step(ADDRESS, value=2 << 40 | 1, rid=1) +
               message(5),
    "compatible": b"\0" + start(command=CFI) + step(MESSAGE, 2 << 12, data=0x51),
    "blocked": b"\0" + start() + step(MESSAGE, 2 << 12, data=0x51),
    "off": b"\6" + step(WRITE, 0x18, QIE) + step(MESSAGE, 1 << 40 | 2 << 12, data=0x151) +
           step(ADDRESS, value=1 << 32 | 0x102, rid=3) + step(MESSAGE, 1 << 40 | 2 << 12, data=0x52),
    "invalidated": b"\0" + entry(5, LOW, HIGH) + start() + message(5) + entry(5, 0, 0) +
                   step(MEMORY, 0, 1 << 4 | 5 << 32 | 4) + step(WRITE, 0x88, 16, size=8) + message(5),
    "size": b"\0" + start() + step(MESSAGE, 0x10, size=8),
}

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in INPUTS.items():
        (folder / name).write_bytes(data)
