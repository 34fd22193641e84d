#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Writes the kept corpus of fuzz_own: on each machine, the stories that there are rules for.

Usage: corpus_own.py DIRECTORY
"""
import pathlib
import struct
import sys

(BIND, UNBIND, CLAIM, ATTACH, DETACH, RELEASE, DEATH, REVOKE, HOT_ADD, HOT_REMOVE, VFS_ON, VFS_OFF,
 VECTOR, FREEZE, THAW, RESET, QUARANTINE) = range(17)
FACT, WAIVER, ODD, DRIVER, YIELDS, LEAVE = 1, 2, 4, 8, 16, 32
# As in fuzz_own.c, by address.
PAIR, PORTS, PF, VF, DISK, TO_PCI, CONVENTIONAL = (0, 1), (2, 3, 4), 5, (6, 7), 8, 9, (10, 11)


def step(kind, *functions, client=0, container=0, controller=0, flags=0, odd=0):
    bits = sum(1 << function for function in functions)
    return struct.pack("<BBBBBBH", kind, client, container, controller, flags, odd, bits)


def claim(*functions, client=0, **more):
    return step(CLAIM, *functions, client=client, **more)


FREE_CARD = step(UNBIND, PF) + step(RESET, PF)
VFS = step(VFS_ON, PF)

INPUTS = {
    "life": FREE_CARD + claim(*PAIR) + step(ATTACH, *PAIR, container=1) + step(VECTOR, PAIR[0]) +
            step(DETACH, PAIR[0]) + step(RELEASE, *PAIR) + claim(*PAIR, client=1) +
            step(RESET, *PAIR) + claim(*PAIR, client=1) + step(DEATH, client=1),
    "half": claim(PAIR[0]) + claim(PAIR[1], client=1) + claim(*PAIR) + step(RELEASE, PAIR[1]) +
            claim(PAIR[1], client=1),
    "vfs": VFS + claim(VF[0]) + step(ATTACH, VF[0]) + step(VECTOR, VF[0], controller=0) +
           claim(VF[1], client=1) + step(VFS_OFF, PF) + step(RELEASE, VF[0]) + step(VFS_OFF, PF),
    "pf-and-vf": FREE_CARD + VFS + claim(PF) + claim(VF[0], client=1) + claim(*VF) + step(UNBIND, PF),
    "plugged-in": FREE_CARD + claim(*PAIR) + step(VECTOR, *PAIR) + step(HOT_ADD, DISK, flags=DRIVER) +
                  step(VECTOR, DISK) + step(BIND, DISK, flags=DRIVER | FACT) +
                  step(HOT_REMOVE, DISK) + step(HOT_ADD, DISK),
    "frames": FREE_CARD + claim(*PAIR) + step(VECTOR, *PAIR, controller=1) + step(HOT_ADD, DISK) +
              claim(DISK, client=1) + step(VECTOR, DISK, controller=1, flags=LEAVE) +
              claim(TO_PCI) + step(FREEZE, DISK),
    "alias": claim(CONVENTIONAL[0]) + claim(CONVENTIONAL[1], client=1) + claim(TO_PCI, *CONVENTIONAL) +
             step(ATTACH, CONVENTIONAL[0], container=1) + step(ATTACH, CONVENTIONAL[1], container=2),
    "error": FREE_CARD + claim(*PAIR) + step(ATTACH, *PAIR) + step(FREEZE, PAIR[0]) + step(RESET, PAIR[1]) +
             step(THAW, PAIR[1]) + step(REVOKE, *PAIR) + claim(PAIR[0], client=1) + step(THAW, PAIR[0]) +
             step(RELEASE, *PAIR) + step(THAW, PAIR[0]),
    "waived": claim(PAIR[0], flags=WAIVER) + claim(PAIR[1], client=1, flags=WAIVER) +
              claim(*CONVENTIONAL, flags=WAIVER) + step(VECTOR, PAIR[0]) + step(VECTOR, PAIR[1]),
    "quarantined": step(QUARANTINE, *PAIR) + claim(*PAIR) + step(QUARANTINE, PAIR[0]) +
                   step(BIND, TO_PCI, flags=DRIVER | YIELDS) + step(QUARANTINE, TO_PCI),
    "others": FREE_CARD + claim(*PAIR) + step(BIND, PF, flags=DRIVER) + step(BIND, PF, flags=DRIVER | FACT) +
              step(FREEZE, PAIR[0]) + step(FREEZE, PAIR[1]) + step(BIND, PF, flags=DRIVER) + step(THAW, PAIR[0]) +
              VFS + step(RELEASE, *PAIR),
    "odd": claim(PAIR[0], flags=ODD, odd=13) + claim(PAIR[0], flags=ODD, odd=0) + claim() +
           step(HOT_REMOVE, *PORTS) + step(HOT_REMOVE, PORTS[2], TO_PCI, *CONVENTIONAL) +
           step(HOT_ADD, CONVENTIONAL[0]) + step(VECTOR, PF, controller=200) + step(DEATH, client=3),
}


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for machine in range(10):
        for number, (name, steps) in enumerate(INPUTS.items()):
            # Each story with an answer of its own on each machine.
            answers = (machine * 14 + number * 10 + machine % 5 // 4) % 32
            (directory / f"{name}-{machine}").write_bytes(bytes([machine, answers]) + steps)


if __name__ == "__main__":
    main()
