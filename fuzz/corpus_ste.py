#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_ste: one walk of each kind that leads somewhere.

Usage: corpus_ste.py DIRECTORY
"""
import pathlib
import struct
import sys

BASE = 0x40000000
WRITE, LINEAR, LEAF_4K, LEAF_64K = 0x02, 0, 1 << 2, 2 << 2
CONTEXT0 = 2 << 4
NO_PASID = 0xFFFFFFFF
PAGE = 0x1000
LEAF1, LEAF2 = 0xC43, 0x7FF


class Input:
    def __init__(self, config, output_bits=44, granules=7, substream_bits=8, flags=1,
                 pasid=NO_PASID, iova=0x5678, holes=0, read_only=0, write_only=0, command=1):
        self.head = struct.pack("<BBBBIQHHHH", output_bits, granules, substream_bits, flags,
                                pasid, iova, holes, read_only, write_only, command)
        # STE: contexts in page 0; 40 bits of stage 2 from level 1, tables in page 8 and after.
        self.ste = [1 | config << 1 | BASE, 0,
                    7 | 24 << 32 | 1 << 38 | 4 << 48 | 1 << 51 | 1 << 58, BASE + 8 * PAGE] + [0] * 4
        self.memory = {}

    def put(self, at, *values):
        for i, value in enumerate(values):
            self.memory[at - BASE + 8 * i] = value
        return self

    def context(self, at=BASE, word0=16 | 3 << 30 | 4 << 32 | 1 << 41 | 3 << 45 | 3 << 48,
                root=BASE + PAGE):
        return self.put(at, word0, root, 0, 0x0404FF)

    def stage1(self, leaf=BASE + 6 * PAGE | LEAF1):
        for level in range(3):
            self.put(BASE + (1 + level) * PAGE, BASE + (2 + level) * PAGE | 3)
        return self.put(BASE + 4 * PAGE + 5 * 8, leaf)

    def stage2(self):
        self.put(BASE + 8 * PAGE + 8, BASE + 10 * PAGE | 3)
        return self.put(BASE + 10 * PAGE, BASE | LEAF2 & ~2)

    def file(self):
        ste = struct.pack("<8Q", *(word & 2**64 - 1 for word in self.ste))
        return self.head + ste + b"".join(
            struct.pack("<HQ", at // 8, value) for at, value in sorted(self.memory.items()))


def samples():
    yield "abort", Input(0)
    yield "bypass", Input(4, iova=BASE + 0x1234)
    yield "stage1", Input(5).context().stage1()
    yield "stage1-write", Input(5, flags=1 | WRITE).context().stage1()
    yield "stage1-read-only-below", Input(5, flags=1 | WRITE, read_only=1 << 6).context().stage1()
    yield "stage1-hole-table", Input(5, holes=1 << 3).context().stage1()
    yield "stage1-unreadable-context", Input(5, write_only=1).context().stage1()
    yield "stage2", Input(6, iova=BASE + 0x6123).stage2()
    yield "both", Input(7).context().stage1().stage2()
    yield "both-tlbi", Input(7, command=0x10).context().stage1().stage2()
    yield "both-s2-ipa", Input(7, command=0x2A).context().stage1().stage2()
    linear = Input(5, pasid=2).context(BASE + 2 * 64).stage1()
    linear.ste[0] |= 4 << 59
    yield "pasid-linear", linear
    for name, flag, shift, form, leaf in (("4k", LEAF_4K, 6, 1, BASE + 7 * PAGE),
                                          ("64k", LEAF_64K, 10, 2, BASE)):
        leaves = Input(5, pasid=1 << shift | 4, substream_bits=12, flags=1 | flag)
        leaves.ste[0] |= 12 << 59 | form << 4
        leaves.put(BASE + 8, leaf | 1).context(leaf + 4 * 64).stage1()
        yield "pasid-" + name, leaves
    default = Input(5, flags=1 | CONTEXT0).context().stage1()
    default.ste[0] |= 4 << 59
    default.ste[1] |= 2
    yield "default-context0", default
    top = Input(5, iova=0xAB << 56 | 0x5678)
    yield "top-byte", top.context(
        word0=16 | 3 << 30 | 4 << 32 | 1 << 38 | 1 << 41 | 3 << 45).stage1()
    upper = Input(5, iova=0xFFFF000000005678)
    upper.context(word0=16 | 1 << 14 | 16 << 16 | 2 << 22 | 1 << 31 | 4 << 32 | 1 << 41 | 3 << 45)
    yield "upper-half", upper.put(BASE + 16, BASE + PAGE).stage1()
    block = Input(5, iova=0x5678).context().put(BASE + PAGE, BASE + 2 * PAGE | 3)
    yield "block", block.put(BASE + 2 * PAGE, BASE | LEAF1 & ~2)
    wide = Input(5, iova=0x15678, output_bits=48)
    wide.ste[0] += 7 * PAGE
    wide.context(BASE + 7 * PAGE, 35 | 1 << 6 | 3 << 30 | 5 << 32 | 1 << 41 | 3 << 45, BASE)
    yield "granule-64k", wide.put(BASE + 8, BASE | LEAF1)
    # One context is a table as well, which leads to itself.
    loop = Input(5, iova=0).context(word0=16 | 3 << 30 | 4 << 32 | 1 << 41 | 3 << 45, root=BASE)
    yield "loop", loop.put(BASE + 64, BASE | 3)


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, sample in samples():
        (directory / name).write_bytes(sample.file())


main()
