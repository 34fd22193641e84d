#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_irqs: on each kind of machine, what a well-behaved user does.

Usage: corpus_irqs.py DIRECTORY
"""
import pathlib
import struct
import sys

SET, MESSAGES, FIRE, LINE, RESET, REOPEN, SERVE = range(7)
NONE, BOOL, FDS, MASK, UNMASK, TRIGGER = 1, 2, 4, 8, 16, 32
INTX, MSI, MSIX, ERROR, REQUEST = range(5)


def step(kind, index=0, flags=0, start=0, count=0, size=16, device=0, data=(0, 1, 2, 3)):
    data = (tuple(data) + (0,) * 8)[:8]
    return struct.pack("<BBBBBBBB8b", kind, device, flags, index, start, count, 0, size, *data)


def enable(index, count, **more):
    return step(SET, index, FDS | TRIGGER, count=count, **more)


def disable(index, **more):
    return step(SET, index, NONE | TRIGGER, **more)


def fire(index, vector, **more):
    return step(FIRE, index, start=vector, **more)


INPUTS = {
    "msix": enable(MSIX, 4) + fire(MSIX, 3) + step(RESET) + fire(MSIX, 0) + disable(MSIX),
    "msi": enable(MSI, 4) + enable(MSI, 1) + fire(MSI, 0) + step(REOPEN) + enable(MSI, 2),
    "both": enable(MSIX, 8) + enable(MSI, 4, device=1) + fire(MSIX, 7) + fire(MSI, 3, device=1) +
            disable(MSIX) + enable(MSIX, 16, device=1) + enable(MSIX, 16),
    "grow": enable(MSIX, 1) + step(SET, MSIX, FDS | TRIGGER, start=5, count=1) + fire(MSIX, 5),
    "intx": enable(INTX, 1) + step(LINE, flags=1) + step(SET, INTX, FDS | UNMASK, count=1, data=(1,)) +
            step(SERVE) + step(LINE) + step(SET, INTX, NONE | MASK, count=1) + disable(INTX),
    "messages": step(MESSAGES, MSIX, 0, count=2, data=(0, 0)) + enable(MSIX, 2) + fire(MSIX, 1) +
                step(MESSAGES, MSIX, 1, count=2, data=(0, 0)) + fire(MSIX, 1),
    "events": enable(ERROR, 1) + enable(REQUEST, 1) + step(SET, REQUEST, BOOL | TRIGGER, count=1),
}


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for kind in range(5):
        for name, steps in INPUTS.items():
            (directory / f"{name}-{kind}").write_bytes(bytes([kind]) + steps)


if __name__ == "__main__":
    main()
