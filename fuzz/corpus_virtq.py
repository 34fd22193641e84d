#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_virtq: what drivers do with a split queue, and what they should not.

Usage: corpus_virtq.py DIRECTORY
"""
import pathlib
import struct
import sys

POP, PUSH, NOTIFY, WRITE, OFFER, RESTORE, SERVE, EVENTS, RESET = range(9)
INDIRECT, EVENT_IDX, RAW = 1, 2, 4
F_NEXT, F_WRITE, F_INDIRECT = 1, 2, 4
DESCRIPTORS, AVAILABLE, USED, TABLE, BUFFER = 0, 0x100, 0x180, 0x240, 0x380
ENDPOINT, DOMAIN, PAGE = 3, 7, 0x1000


def header(options=0, size_shift=3, at=(DESCRIPTORS, AVAILABLE, USED), goes_on=(0, 0), memory=b""):
    return struct.pack("<BB7H", options | size_shift << 4, 0, *goes_on, *at, len(memory),
                       ENDPOINT) + memory


def step(kind, small=0, at=0, value=0):
    return struct.pack("<BBHQ", kind, small, at, value)


def descriptor(address, length, flags=0, following=0):
    return struct.pack("<QIHH", address, length, flags, following)


def memory(*parts):
    image = bytearray(0x2000)
    for at, data in parts:
        image[at:at + len(data)] = data
    return bytes(image).rstrip(b"\0")


def offers(*heads):
    return b"".join(step(OFFER, value=head) for head in heads)


def buffers(count):
    return (step(POP) + step(PUSH, small=0, value=4)) * count + step(POP)


ATTACH = struct.pack("<B3xIIII", 1, DOMAIN, ENDPOINT, 0, 0)
MAP = struct.pack("<B3xIQQQI", 3, DOMAIN, PAGE, 2 * PAGE - 1, 5 * PAGE, 3)
UNMAP = struct.pack("<B3xIQQI", 4, DOMAIN, PAGE, 2 * PAGE - 1, 0)
DETACH = struct.pack("<B3xIIQ", 2, DOMAIN, ENDPOINT, 0)
PROBE = struct.pack("<B3xI64x", 5, ENDPOINT)
REQUESTS = (ATTACH, MAP, UNMAP, PROBE)
# The slot-th request and, behind it, room for its answer; what PROBE needs is at the end.
DIRECT = memory(*[(BUFFER + 0x80 * slot, request) for slot, request in enumerate(REQUESTS)],
                (DESCRIPTORS, b"".join(
                    descriptor(BUFFER + 0x80 * slot, len(request), F_NEXT, 2 * slot + 1) +
                    descriptor(BUFFER + 0x280 if slot == 3 else BUFFER + 0x80 * slot + 0x70,
                               516 if slot == 3 else 4, F_WRITE)
                    for slot, request in enumerate(REQUESTS))))
TABLES = memory((BUFFER, ATTACH), (BUFFER + 0x80, MAP),
                (TABLE, descriptor(BUFFER, 7, F_NEXT, 1) +
                 descriptor(BUFFER + 7, 13, F_NEXT, 2) + descriptor(BUFFER + 0x70, 4, F_WRITE)),
                (TABLE + 0x109, descriptor(BUFFER + 0x80, 36, F_NEXT, 1) +
                 descriptor(BUFFER + 0xf0, 4, F_WRITE)),
                (DESCRIPTORS, descriptor(TABLE, 48, F_INDIRECT) +
                 descriptor(TABLE + 0x109, 32, F_INDIRECT | F_WRITE) +
                 descriptor(BUFFER, 0, F_NEXT, 0) +
                 descriptor(BUFFER, 0, F_NEXT, 1)))
ODD = memory((DESCRIPTORS, descriptor(0x1ff0, 0x820, F_NEXT, 1) +
              descriptor(0x1fff, 0x802, F_NEXT | F_WRITE, 2) +
              descriptor(2 ** 64 - 8, 8, F_WRITE) +
              descriptor(2 ** 64 - 8, 9) + descriptor(0x3000, 1) +
              descriptor(0x2800, 1, F_WRITE) + descriptor(BUFFER, 1, F_NEXT, 6) +
              descriptor(BUFFER, 1, F_NEXT, 99)))
EVENT_BUFFERS = memory((DESCRIPTORS, b"".join(
    descriptor(BUFFER + 32 * i, 20 + 2 * i, F_WRITE) for i in range(8))))
CLOCK = 10 ** 9

SEEDS = {
    "direct": header(0, memory=DIRECT) + offers(0, 2, 4, 6) + buffers(4) + step(NOTIFY),
    "direct-events": header(EVENT_IDX, memory=DIRECT) + (offers(0) + buffers(1) +
                                                          step(NOTIFY)) * 12,
    "indirect": header(INDIRECT, memory=TABLES) + offers(0, 1, 2, 3) + buffers(4),
    "indirect-off": header(0, memory=TABLES) + offers(0) + buffers(1) + step(RESTORE) + buffers(1),
    "odd": header(0, memory=ODD) + b"".join(offers(head) + buffers(1) + step(RESTORE)
                                            for head in (0, 3, 4, 5, 6, 7, 8)),
    "index": header(EVENT_IDX, memory=DIRECT) + step(OFFER, small=255) +
    step(WRITE, 1, AVAILABLE + 2, 99) + buffers(2),
    "goes-on": header(EVENT_IDX, 2, goes_on=(65534, 65532),
                      memory=memory((0, DIRECT), (AVAILABLE + 2, b"\xfe\xff"))) +
    step(PUSH, 1, 0, 4) + step(PUSH, 1, 3, 4) + step(PUSH, 1, 3, 4) +
    (offers(0, 2) + buffers(2) + step(NOTIFY) + step(RESTORE)) * 3,
    "one": header(INDIRECT | EVENT_IDX, 0, memory=TABLES) + offers(0) + buffers(2) + offers(1),
    "parts": header(RAW, 2, at=(0, 0x1802, 0x1f00), memory=DIRECT) + offers(0) + buffers(1),
    "parts-meet": header(RAW | INDIRECT, 2, at=(0, 0x10, 0x20), memory=DIRECT) + offers(0, 1) +
    buffers(2),
    "parts-cross": header(RAW, 5, at=(0x1ff0, 0x1ff0, 0x1ff0), memory=DIRECT) + buffers(1),
    "requests": header(EVENT_IDX, memory=DIRECT) + offers(0, 2, 4, 6) + step(SERVE, 3) +
    step(SERVE, 9) + offers(0, 2, 2) + step(SERVE, 9) + step(RESET) + offers(2) + step(SERVE, 9),
    "requests-indirect": header(INDIRECT, memory=TABLES) + offers(0, 1) + step(SERVE, 9) +
    offers(2) + step(SERVE, 9) + step(RESTORE) + step(RESET) + offers(0) + step(SERVE, 9),
    "events": header(0, memory=EVENT_BUFFERS) + offers(*range(8)) +
    b"".join(step(EVENTS, 0, ENDPOINT, CLOCK * i) for i in range(10)) + offers(7, 0) +
    step(EVENTS, 0, ENDPOINT, CLOCK * 20),
    "detach": header(0, memory=memory((BUFFER, ATTACH), (BUFFER + 0x40, DETACH), (
        DESCRIPTORS, descriptor(BUFFER, 20, F_NEXT, 1) + descriptor(BUFFER + 0x80, 4, F_WRITE) +
        descriptor(BUFFER + 0x40, 20, F_NEXT, 1)))) + offers(0, 2, 0, 2) + step(SERVE, 9),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
