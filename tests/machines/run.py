#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Boots the test machines and brings out a capture and the kernel's groups of each.

With --doorward each machine is graded, too: see grade.py for the checks. What is counted are
checks then, and boots that failed. Exit status 0: none failed. 1: some failed. 2: wrong use.
"""
import argparse
import concurrent.futures
import fnmatch
import functools
import pathlib
import sys
import time

import fetch
import grade
import initramfs
import machine as machines_
import viommu_trace
from topologies import TOPOLOGIES, machines, traced

HERE = pathlib.Path(__file__).resolve().parent
SHOWN = 12  # complaints of one check
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
    """A whole name means that machine alone, anything else every name it is found in.

    Without a pattern, all but the traced ones after the first."""
    rows = machines() + (traced() if patterns else traced()[:1])
    exact = {m.name for m in rows}
    return [m for m in rows
            if not patterns or any(matches(m.name, p, exact) for p in patterns)]


def steps(machine, args, doorward):
    rows = [("groups", "groups.sh >/out/groups.txt"), ("capture", CAPTURE[bool(doorward)])]
    if doorward:
        rows.append(("answers", (HERE / "answers.sh").read_text()))
    if doorward and machine.trial:
        rows.append(("trial", (HERE / "trial.sh").read_text()))
    if machine.contract:
        rows.append(("contract", f"guests='{machine.guests}'\n"
                     + (HERE / "contract.sh").read_text()))
    rows += [(name, (HERE / f"{name}.sh").read_text()) for name in machine.peers]
    return rows + [(path.name, path.read_text()) for path in args.script]


def programs(machine, doorward):
    """{name: path} of what the machine's steps need."""
    arch = machine.kind.arch
    rows = {"doorward": doorward} if doorward else {}
    if doorward and machine.trial:
        rows["setpci"] = initramfs.setpci(arch)
        rows["vfio-attach"] = initramfs.compiled(arch, HERE / "vfio-attach.c")
    if machine.contract:
        rows["contracts"] = initramfs.contracts(arch)
    rows |= initramfs.peers(arch, machine.peers)
    return rows


def boot_one(machine, args, doorward):
    """One boot: all steps. Returns nothing; raises Failed or Missing."""
    for old in args.out.glob(f"{machine.name}.*"):
        old.unlink()
    arch = machine.kind.arch
    initrd = initramfs.make(
        arch, machine.kernel, setup=TOPOLOGIES[machine.topology].setup,
        steps=steps(machine, args, doorward), programs=programs(machine, doorward),
        extra=[("usr/share/misc/pci.ids", HERE / "pci.ids"),
               *((f"usr/share/doc/{name}", HERE.parent.parent / "docs" / name)
                 for name in ("backends.md", "interrupts.md")),
               *(pair.split("=", 1) for pair in args.add)])
    log = args.out / f"{machine.name}.log"
    machines_.boot(machine, initrd, log, args.timeout)
    if not machines_.came_up(log):
        # A kernel that panics under emulation before the first step says nothing of doorward.
        print(f"note {machine.name}: the kernel did not come up; booted once more", flush=True)
        machines_.boot(machine, initrd, log, args.timeout)
    files = machines_.results(log)
    for name, data in files.items():
        (args.out / f"{machine.name}.{name}").write_bytes(data)
    for name in ("tar", "groups.txt"):
        if not files.get(name):
            raise machines_.Failed(f"no {name} came out")


class Count:
    """Results of all machines, printed as they come."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def skip(self, machine, why):
        self.skipped += 1
        print(f"skip {machine.name}: {why}", flush=True)

    def failure(self, text, lines=()):
        self.failed += 1
        print("\n".join([f"FAIL {text}", *(f"    {line}" for line in lines)]), flush=True)

    def graded(self, machine, rows, seconds):
        failures = [(name, complaints) for name, complaints in rows if complaints]
        self.passed += len(rows) - len(failures)
        for name, complaints in failures:
            self.failure(f"{machine.name}: {name}", complaints[:SHOWN])
        if not failures:
            print(f"pass {machine.name}: {len(rows)} checks, {seconds:.1f} s", flush=True)

    def text(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def boot_traced(machine, args):
    """One boot whose requests to its virtio-iommu are recorded and replayed: rows of checks."""
    log = args.out / f"{machine.name}.log"
    lines, said = viommu_trace.record(machine, log, args.timeout)
    return [("boot", []), *viommu_trace.check(machine, lines, said,
                                              args.out / f"{machine.name}.trace")]


def boot_graded(machine, args, doorward):
    """One boot and what is made of it: rows of checks."""
    boot_one(machine, args, doorward)
    rows = [("boot", [])]
    if doorward and args.doorward:
        rows += grade.grade(grade.Results(machine, args.out, args.doorward))
    if machine.contract:
        for name in grade.contracts_of(machine):
            rows += grade.contract(args.out / f"{machine.name}.contract-{name}", name)
    for name in machine.peers:
        rows += grade.contract(args.out / f"{machine.name}.{name}", name)
    return rows


def attempt(machine, args, missing, count):
    """Boots and grades one machine."""
    doorward = args.doorward if machine.kind.arch == "amd64" else args.doorward_arm64
    absent = [f"{name}: {missing[name]}" for name in machines_.requirements(machine)
              if name in missing]
    if args.doorward and not doorward and not machine.traced:
        absent.append(f"no doorward for {machine.kind.arch}: "
                      f"{missing.get('sysroot-arm64', '--doorward-arm64 is not given')}")
    if absent:
        return functools.partial(count.skip, machine, absent[0])
    began = time.monotonic()
    try:
        rows = boot_traced(machine, args) if machine.traced else boot_graded(machine, args,
                                                                           doorward)
    except fetch.Missing as why:
        return functools.partial(count.skip, machine, str(why))
    except (machines_.Failed, OSError) as why:
        tail = machines_.console_tail(args.out / f"{machine.name}.log")
        return functools.partial(count.failure, f"{machine.name}: {why}", tail)
    return functools.partial(count.graded, machine, rows, time.monotonic() - began)


def run(args):
    args.out.mkdir(parents=True, exist_ok=True)
    missing = fetch.fetch()
    count = Count()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = [pool.submit(attempt, m, args, missing, count) for m in chosen(args.only)]
        for job in concurrent.futures.as_completed(jobs):
            job.result()()
    print(count.text())
    return 1 if count.failed else 0


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
