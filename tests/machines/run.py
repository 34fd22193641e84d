#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Boots the test machines and brings out a capture and the kernel's groups of each.

Exit status 0: none failed. 1: some failed. 2: wrong use.
"""
import argparse
import concurrent.futures
import fnmatch
import pathlib
import sys
import time

import fetch
import initramfs
import machine as machines_
from topologies import TOPOLOGIES, machines

CAPTURE = {True: "doorward capture -o /out/tar", False: "capture.sh /out/tar"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print the machines and end")
    parser.add_argument("--only", metavar="PATTERN", action="append", default=[],
                        help="a name, or a shell pattern found in names; may be repeated")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("machines.out"))
    parser.add_argument("--doorward", type=pathlib.Path, metavar="PATH")
    parser.add_argument("--doorward-arm64", type=pathlib.Path, metavar="PATH")
    parser.add_argument("--script", type=pathlib.Path, action="append", default=[],
                        help="shell step to run in each machine; what it puts into /out comes out")
    parser.add_argument("--add", metavar="THERE=HERE", action="append", default=[],
                        help="one more file for the machines")
    parser.add_argument("--timeout", type=int, default=600, help="seconds before a machine is hung")
    return parser.parse_args()


def matches(name, pattern, exact):
    return name == pattern if pattern in exact else fnmatch.fnmatch(name, f"*{pattern}*")


def chosen(patterns):
    """A whole name means that machine alone, anything else every name it is found in."""
    rows = machines()
    exact = {m.name for m in rows}
    return [m for m in rows
            if not patterns or any(matches(m.name, p, exact) for p in patterns)]


def steps(args, doorward):
    rows = [("groups", "groups.sh >/out/groups.txt"), ("capture", CAPTURE[bool(doorward)])]
    return rows + [(path.name, path.read_text()) for path in args.script]


def boot_one(machine, args):
    """One boot: all steps. Returns nothing; raises Failed or Missing."""
    for old in args.out.glob(f"{machine.name}.*"):
        old.unlink()
    arch = machine.kind.arch
    doorward = args.doorward if arch == "amd64" else args.doorward_arm64
    initrd = initramfs.make(
        arch, machine.kernel, setup=TOPOLOGIES[machine.topology].setup,
        steps=steps(args, doorward),
        programs={"doorward": doorward} if doorward else None,
        extra=[pair.split("=", 1) for pair in args.add])
    log = args.out / f"{machine.name}.log"
    machines_.boot(machine, initrd, log, args.timeout)
    files = machines_.results(log)
    for name, data in files.items():
        (args.out / f"{machine.name}.{name}").write_bytes(data)
    for name in ("tar", "groups.txt"):
        if not files.get(name):
            raise machines_.Failed(f"no {name} came out")


def attempt(machine, args, missing):
    for name in machines_.requirements(machine):
        if name in missing:
            return "skip", f"{name}: {missing[name]}"
    began = time.monotonic()
    try:
        boot_one(machine, args)
    except fetch.Missing as why:
        return "skip", str(why)
    except (machines_.Failed, OSError) as why:
        tail = machines_.console_tail(args.out / f"{machine.name}.log")
        return "FAIL", f"{why}\n{tail}"
    return "pass", f"{time.monotonic() - began:.1f} s"


def run(args):
    args.out.mkdir(parents=True, exist_ok=True)
    missing = fetch.fetch()
    counts = {"pass": 0, "FAIL": 0, "skip": 0}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = {pool.submit(attempt, m, args, missing): m for m in chosen(args.only)}
        for job in concurrent.futures.as_completed(jobs):
            result, text = job.result()
            counts[result] += 1
            print(f"{result} {jobs[job].name}: {text}", flush=True)
    print(f"{counts['pass']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    return 1 if counts["FAIL"] else 0


def main():
    args = arguments()
    if args.list:
        for machine in chosen(args.only):
            print(f"{machine.name}: {TOPOLOGIES[machine.topology].about}")
        return 0
    if not chosen(args.only):
        print("run.py: no machine has such a name", file=sys.stderr)
        return 2
    return run(args)


if __name__ == "__main__":
    sys.exit(main())
