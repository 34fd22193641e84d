#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_table: an accepted input for each format, granule and level.

Usage: corpus_table.py DIRECTORY
A file is the configuration that fuzz_table.c decodes, and memory. Tables of 4 KiB granule lie one
after the other; larger ones are one and the same, so that files stay short.
"""
import pathlib
import struct
import sys

START = 0x100000
MAIR = 0x0C0800BBAA04FF44
SHIFTS = {12: (39, 30, 21, 12), 14: (47, 36, 25, 14), 16: (None, 42, 29, 16)}
RUNS = {12: (0, 16, 16, 16), 14: (0, 0, 32, 128), 16: (0, 0, 32, 32)}
ATTRIBUTES = {0: 0x4C4, 1: 0x4FC}  # AF, AP or S2AP for all, a normal type


def arm(stage, granule, input_bits, output_bits, start, leaf, contiguous=False, flags=0, clear=0):
    """A table whose input leads to a leaf at level leaf."""
    at, entries, place = START, {}, 0
    for level in range(start, leaf + 1):
        shift = SHIFTS[granule][level]
        count = RUNS[granule][level] if contiguous and level == leaf else 0
        number = count or (level - start + 1)
        place |= number << shift
        if level < leaf:
            below = at + (0x1000 if granule == 12 else 0)
            entries[at + number * 8] = below | 3
            at = below
            continue
        entry = ATTRIBUTES[stage - 1] | (3 if level == 3 else 1)
        if stage == 1:
            entry = entry & ~0x80 | 0x40
        entry &= ~clear
        for i in range(count or 1):
            run = 1 << 52 if count else 0
            entries[at + (number + i) * 8] = (number + i << shift) | entry | run
    return config(stage - 1, granule, input_bits, output_bits, flags, place, entries)


def vtd(input_bits, leaf, flags=0, extra=0):
    at, entries, place = START, {}, 0
    for level in range(0 if input_bits == 48 else 1, leaf + 1):
        shift = SHIFTS[12][level]
        place |= 1 << shift
        if level < leaf:
            entries[at + 8] = (at + 0x1000) | 7
            at += 0x1000
        else:
            entries[at + 8] = (1 << shift) | (0x80 if level < 3 else 0) | 7 | extra
    return config(2, 12, input_bits, 46, flags, place, entries)


def config(form, granule, input_bits, output_bits, flags, place, entries):
    memory = bytearray(max(entries) + 8 - START)
    for at, entry in entries.items():
        struct.pack_into("<Q", memory, at - START, entry)
    head = struct.pack("<8BQQ", form, granule, input_bits, output_bits, flags, 1, 0, 0, MAIR,
                       place | 0x123)
    return head + bytes(memory)


def inputs():
    starts = {  # granule: input bits by start level, as both stages have it
        12: ((48, 0), (39, 1), (30, 2)),
        14: ((47, 1), (36, 2)),
        16: ((44, 1), (42, 2)),
    }
    for granule, sizes in starts.items():
        for stage in (1, 2):
            for input_bits, start in sizes:
                first_leaf = max(start, 1 if granule == 12 else 2)
                if stage == 2 and (granule, start) == (16, 1):
                    continue  # concatenated below
                for leaf in range(first_leaf, 4):
                    name = f"stage{stage}-{1 << granule - 10}k-{input_bits}-level{leaf}"
                    args = (stage, granule, input_bits, 48, start, leaf)
                    yield name, arm(*args)
                    if RUNS[granule][leaf] and start < leaf:
                        yield name + "-contiguous", arm(*args, contiguous=True)
    yield "stage2-4k-40-concatenated", arm(2, 12, 40, 40, 1, 2)
    yield "stage2-16k-40-concatenated", arm(2, 14, 40, 40, 2, 3)
    yield "stage2-64k-44-concatenated", arm(2, 16, 44, 48, 2, 3)
    yield "stage1-16k-48-four-levels", arm(1, 14, 48, 48, 0, 3)
    yield "stage1-64k-52", arm(1, 16, 52, 52, 1, 1)
    yield "stage1-no-access-flag", arm(1, 12, 39, 48, 1, 3, flags=1, clear=0x400)
    yield "stage1-hierarchy-off", arm(1, 12, 39, 48, 1, 3, flags=2)
    yield "stage1-write-never-exec", arm(1, 12, 39, 48, 1, 3, flags=4)
    for input_bits in (39, 48):
        for leaf in (1, 2, 3):
            yield f"vtd-{input_bits}-level{leaf}", vtd(input_bits, leaf)
    yield "vtd-snoop", vtd(48, 3, flags=8, extra=0x800)


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in inputs():
        (directory / name).write_bytes(content)


if __name__ == "__main__":
    main()
