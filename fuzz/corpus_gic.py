#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_gic: what drivers do with the registers.

Usage: corpus_gic.py DIRECTORY
"""
import pathlib
import struct
import sys

(WRITE, READ, FRAME_WRITE, FRAME_READ, LINE, LPI_SET, LPI_CLEAR, LPI_MOVE, LPI_MOVE_ALL,
 LPI_RELOAD, LPI_LOAD, TAKE, END, SAVE, MEMORY, ALLOC) = range(16)
V2, V3, LPIS = 0, 1, 3
SIZE = {1: 0, 2: 4, 4: 8, 8: 12}


def step(kind, cpu=0, intid=0, offset=0, value=0):
    return struct.pack("<BBHIQ", kind, cpu, intid, offset, value)


def dist(offset, value, size=4):
    return step(WRITE, SIZE[size], 0, offset, value)


def redist(cpu, offset, value, size=8):
    return step(WRITE, SIZE[size] | (cpu + 1), 0, offset, value)


ON = dist(0, 3) + b"".join(dist(0x104 + 4 * n, 0xffffffff) for n in range(4))
EDGES = b"".join(dist(0xc08 + 4 * n, 0xaaaaaaaa) for n in range(8))
TARGETS = b"".join(dist(0x820 + 4 * n, 0x02020202) for n in range(8))
ROUTES = b"".join(dist(0x6100 + 8 * n, n % 3, 8) for n in range(8))
TABLES = b"".join(redist(cpu, 0x70, 0x100d) + redist(cpu, 0x78, 0x10000) +
                  redist(cpu, 0, 1, 4) for cpu in range(3))
CONFIGURATION = b"".join(step(MEMORY, offset=0x1000 + 8 * n, value=0xa1a3a1a0a1a1a1a1)
                         for n in range(4))
TAKES = b"".join(step(TAKE, cpu) for cpu in range(3))

SEEDS = {
    "v2-frame": bytes([V2]) + ON + EDGES + TARGETS + step(FRAME_WRITE, 8, offset=0x40, value=40) +
    step(FRAME_WRITE, 5, offset=0x40, value=100) + TAKES + step(FRAME_READ, 8, offset=8),
    "v3-level": bytes([V3]) + ON + ROUTES + step(LINE, 0, 40, 1) + TAKES + step(END, 0, 40) +
    step(LINE, 0, 40, 0) + dist(0x40, 41) + TAKES + dist(0x48, 41) + step(END, 0, 41),
    "v3-message": bytes([V3]) + ON + EDGES + ROUTES + dist(0x40, 34, 2) + dist(0x280, 2) + TAKES,
    "lpi": bytes([LPIS]) + ON + CONFIGURATION + TABLES + step(LPI_SET, 0, 8192) +
    step(LPI_SET, 1, 8200) + step(LPI_MOVE, 1 | 2 << 2, 8200) + step(LPI_RELOAD, 2, 8200) + TAKES,
    "lpi-tables": bytes([LPIS | 8]) + ON + step(MEMORY, offset=0x10400, value=0xff) +
    CONFIGURATION + TABLES + step(SAVE) + redist(0, 0, 0, 4) + redist(0, 0, 1, 4) +
    step(LPI_LOAD, 0, 8193) + step(LPI_MOVE_ALL, 0 | 1 << 2) + redist(1, 0xb0, 0) +
    redist(1, 0xa0, 8193) + TAKES,
    "alloc": bytes([V2]) + step(ALLOC, 3) + step(ALLOC, 0x80, 1) + step(ALLOC, 5, 0, 1) +
    step(ALLOC, 11),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
