#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_its: what drivers do with an ITS.

Usage: corpus_its.py DIRECTORY
"""
import pathlib
import struct
import sys

COMMAND, MESSAGE, WRITE, READ, MEMORY, GIC_WRITE, TAKE, SAVE, RESTORE, RESET = range(10)
KVM, STALLS, EXCLUSIVE, RAW = 1, 2, 4, 8
VALID = 1 << 63
ITT = 0x60000


def step(kind, *words):
    return struct.pack("<B4Q", kind, *(words + (0, 0, 0, 0))[:4])


def mapd(device, itt=ITT, bits=5):
    return step(COMMAND, 0x08 | device << 32, bits - 1, VALID | itt)


def mapc(icid, cpu):
    return step(COMMAND, 0x09, 0, VALID | cpu << 16 | icid)


def mapti(device, event, lpi, icid):
    return step(COMMAND, 0x0a | device << 32, event | lpi << 32, icid)


def event(opcode, device, number, icid=0):
    return step(COMMAND, opcode | device << 32, number, icid)


MOVI, INT, CLEAR, MAPI, INV, DISCARD = 0x01, 0x03, 0x04, 0x0b, 0x0c, 0x0f
SOME = (mapc(1, 1) + mapc(2, 2) + mapd(3) + mapd(5, ITT + 0x1000, 14) + mapti(3, 0, 8192, 1) +
        mapti(3, 7, 8200, 2) + mapti(5, 1, 8193, 1) + event(MAPI, 5, 9000, 2))
MESSAGES = b"".join(step(MESSAGE, *ids) for ids in ((3, 0), (3, 7), (5, 1), (5, 9000), (4, 0)))
EVERY = (event(MOVI, 3, 0, 2) + event(INT, 3, 0) + event(CLEAR, 3, 0) + event(INV, 3, 7) +
         step(COMMAND, 0x0d, 0, 1) + step(COMMAND, 0x0e, 0, 1 << 16, 2 << 16) +
         step(COMMAND, 0x05, 0, 1 << 16) + event(DISCARD, 3, 7))
BAD = (event(MOVI, 9, 0) + event(INT, 3, 99) + mapti(3, 1, 100, 1) + mapc(0xffff, 1) + mapc(1, 9) +
       mapd(0xffffff) + mapd(1, ITT, 30) + step(COMMAND, 0xff))
TABLES = (step(WRITE, 0, 0, 0) + step(WRITE, 0x100, VALID | 1 << 62 | 0x40000 | 2 << 8, 1) +
          step(MEMORY, 0x40000, VALID | 0x70000) + step(WRITE, 0, 1, 0))

SEEDS = {
    "all": bytes([0]) + SOME + MESSAGES + EVERY + MESSAGES,
    "all-kvm": bytes([KVM]) + SOME + MESSAGES + EVERY + MESSAGES,
    "bad": bytes([0]) + SOME + BAD + MESSAGES,
    "bad-kvm": bytes([KVM]) + SOME + BAD + MESSAGES,
    "stalls": bytes([STALLS]) + SOME + BAD + step(MEMORY, 8 * 32, 5) +
    step(COMMAND, 5, 0, 0, 1) + MESSAGES,
    "exclusive": bytes([EXCLUSIVE]) + SOME + mapti(3, 1, 8193, 1) + event(DISCARD, 5, 1) +
    mapti(3, 1, 8193, 1) + MESSAGES,
    "indirect": bytes([0]) + TABLES + SOME + MESSAGES,
    "indirect-kvm": bytes([KVM]) + TABLES + SOME + MESSAGES + step(SAVE) + step(RESTORE) + MESSAGES,
    "restore": bytes([KVM]) + SOME + step(SAVE) + step(RESTORE) + MESSAGES + EVERY,
    "restore-changed": bytes([KVM]) + SOME + step(SAVE) + step(MEMORY, ITT, 1 << 48) +
    step(RESTORE) + MESSAGES,
    "restore-architecture": bytes([0]) + SOME + step(RESTORE) + MESSAGES,
    "registers": bytes([RAW]) + b"".join(step(WRITE, offset, 0xffffffffffffffff, 1) +
                                         step(READ, offset, 0, 1)
                                         for offset in (0x80, 0x88, 0x90, 0x100, 0x108, 0x48)) +
    step(WRITE, 0, 1, 0) + step(READ, 0x40, 0, 0) + step(WRITE, 0x40, 15, 0) + step(RESET) + SOME,
    "wide": bytes([0xf0]) + SOME + mapd(7, ITT, 31) + MESSAGES,
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
