#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_viommu: on several kinds of device, what a driver and a monitor do.

Usage: corpus_viommu.py DIRECTORY
"""
import pathlib
import struct
import sys

(ATTACH, DETACH, MAP, UNMAP, PROBE, RAW, CONFIG, NEGOTIATE, RESET, PLUG, UNPLUG, FAULT, EVENT, FAIL,
 MIGRATE, DAMAGE, LOAD) = range(17)
BUSY, NOMEM, BAD_ADDRESS, LOST = range(4)


def step(kind, domain=0, endpoint=0, flags=0, start=0, count=0, target=0, more=0):
    return bytes([kind, domain, endpoint, flags, start, count, target, more])


def attach(domain, endpoint, bypass=False):
    return step(ATTACH, domain, endpoint, 0 if bypass else 1)


def map_(domain, start, pages, target=0, flags=3, identity=False):
    return step(MAP, domain, 0, flags, start, pages, target, int(identity))


def unmap(domain, start, pages):
    return step(UNMAP, domain, start=start, count=pages)


def plug(endpoint, kind=0):
    return step(PLUG, endpoint=endpoint, flags=kind)


def fail(nth, on=False, code=BUSY):
    return step(FAIL, flags=int(on), count=nth, more=code)


def raw(request, room=2):
    return step(RAW, start=4, count=len(request), target=room) + request


BEGIN = plug(1) + plug(2, 0x0d) + plug(3, 0x11) + plug(9) + step(NEGOTIATE)
DOMAIN = attach(1, 1) + map_(1, 1, 2, 5) + map_(1, 3, 2, 7, 1) + attach(1, 2)

INPUTS = {
    "map": BEGIN + DOMAIN + unmap(1, 1, 2) + unmap(1, 0, 255) + step(DETACH, 1, 1) + step(DETACH, 1, 2),
    "refused": BEGIN + DOMAIN + map_(1, 1, 4) + unmap(1, 1, 1) + attach(1, 3, True) + map_(1, 32, 16) +
               map_(2, 1, 1) + map_(1, 1, 0) + attach(7, 4),
    "move": BEGIN + DOMAIN + attach(2, 1) + map_(2, 1, 1) + attach(2, 2) + attach(3, 2, True) + attach(1, 9),
    "bypass": BEGIN + attach(3, 3, True) + step(CONFIG, flags=1) + DOMAIN + step(CONFIG) + step(RESET) +
              step(NEGOTIATE) + attach(3, 3, True),
    "plug": BEGIN + DOMAIN + step(UNPLUG, endpoint=1) + step(UNPLUG, endpoint=2) + plug(1, 0x1d) + attach(1, 1),
    "window": BEGIN + attach(1, 3) + plug(4, 0x19) + attach(1, 4) + map_(1, 64, 4, identity=True) +
              map_(1, 66, 2) + unmap(1, 0, 255),
    "events": BEGIN + b"".join(step(FAULT, endpoint=i % 4, flags=i, start=i, count=i, more=i)
                               for i in range(24)) + step(EVENT, count=24) + step(EVENT, count=20),
    "probe": BEGIN + step(PROBE, endpoint=2) + step(PROBE, endpoint=5) +
             raw(struct.pack("<B3xI64x", 5, 2), 172) + raw(struct.pack("<B3xI64x", 5, 2), 9),
    "raw": BEGIN + raw(struct.pack("<B3x4I", 1, 1, 1, 0, 0)) +
           raw(struct.pack("<B3xI3QI", 3, 1, 0x1000, 0x1fff, 0x5000, 3)) +
           raw(struct.pack("<B3xI2QI", 4, 1, 0x1000, 0x1fff, 0)) +
           raw(struct.pack("<B3x4I", 2, 1, 1, 0, 0)) + raw(b"\x01"),
    "fail-map": BEGIN + DOMAIN + fail(2) + map_(1, 8, 2) + fail(2, True) + map_(1, 8, 2) + fail(0) +
                step(RESET) + step(NEGOTIATE) + DOMAIN,
    "fail-unmap": BEGIN + DOMAIN + fail(1) + unmap(1, 1, 2) + step(MIGRATE) + step(RESET),
    "fail-move": BEGIN + DOMAIN + fail(2, code=LOST) + attach(2, 1) + step(RESET, flags=1) + step(NEGOTIATE) +
                 DOMAIN + fail(1, True) + step(DETACH, 1, 1) + step(RESET) + fail(0) + step(RESET),
    "migrate": BEGIN + DOMAIN + attach(3, 3, True) + step(FAULT, endpoint=1, count=9) + step(MIGRATE) +
               unmap(1, 1, 2) + step(MIGRATE) + map_(1, 1, 1),
    "migrate-fail": BEGIN + DOMAIN + fail(3, code=NOMEM) + step(MIGRATE) + step(NEGOTIATE) + DOMAIN,
    "damage": BEGIN + DOMAIN + step(DAMAGE, flags=1, start=24) + step(NEGOTIATE) + DOMAIN +
              step(DAMAGE, flags=4, start=150) + step(NEGOTIATE) + DOMAIN + step(DAMAGE, start=90, more=1),
    "load": BEGIN + DOMAIN + step(LOAD, start=92, target=20) + struct.pack("<5I", 3, 12, 1, 1, 1),
}
# Numbers that say what the device is, and the inputs that it is for; None: all.
KINDS = {
    "plain": ((0, 0, 0, 63), None),
    "boot": ((1, 1, 0, 50), ("bypass", "fail-move", "migrate", "damage")),
    "identity": ((1, 2, 2, 60), ("window", "plug", "migrate")),
    "granule": ((1, 4, 2, 40), ("map", "raw")),
    "legacy": ((2, 0, 0, 59), ("bypass", "migrate", "fail-move")),
    "ranges": ((1, 0, 1 | 4 | 8, 7), ("map", "move", "probe")),
    "few": ((1, 0, 16 | 32, 3), ("map", "plug", "events")),
}


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for kind, (numbers, names) in KINDS.items():
        for name in names or INPUTS:
            (directory / f"{name}-{kind}").write_bytes(bytes(numbers) + INPUTS[name])


if __name__ == "__main__":
    main()
