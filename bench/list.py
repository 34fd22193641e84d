#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""doorward list beside lspci -vvv: on this machine, on a made-up tree of many functions, and alone
on the largest capture that comes with Doorward. One JSON document; times in milliseconds.

    bench/list.py [--runs N] [--functions N]

Runs take turns, so that whatever disturbs the machine disturbs both. Output is thrown away. The
system calls are those of one more run under strace, which makes each call slower.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(os.environ.get("DOORWARD_SOURCE", pathlib.Path(__file__).parent.parent))
DOORWARD = os.environ.get("DOORWARD", "doorward")
LSPCI = shutil.which("lspci", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
PER_BUS = 256


def run_once(command):
    """Seconds of wall, user and system time that one run takes; None when it fails."""
    begun = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)])
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status) != 0:
        return None
    return wall, usage.ru_utime, usage.ru_stime


def milliseconds(values):
    taken = {"best": min(values), "median": statistics.median(values), "worst": max(values)}
    return {name: round(value * 1e3, 2) for name, value in taken.items()}


def count_calls(command):
    """System calls of one run and those that took longest; None without strace."""
    strace = shutil.which("strace")
    if not strace:
        return None
    with tempfile.NamedTemporaryFile("r") as log:
        subprocess.run([strace, "-f", "-w", "-c", "-o", log.name, *command],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        rows = re.findall(r"^ *([\d.]+) +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", log.read(),
                          re.MULTILINE)
    rows = [(float(share), int(calls), name) for share, calls, name in rows if name != "total"]
    return {"calls": sum(calls for _, calls, _ in rows),
            "longest": {name: {"percent": share, "calls": calls}
                        for share, calls, name in sorted(rows, reverse=True)[:6]}}


def measure(commands, runs):
    """Runs each command in turn; what cannot run says so instead of figures."""
    taken = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            if taken[name] is not None:
                once = run_once(command)
                taken[name] = None if once is None else taken[name] + [once]
    report = {}
    for name, command in commands.items():
        if taken[name] is None:
            report[name] = {"failed": " ".join(command)}
            continue
        # The first run warms the caches.
        wall, user, system = zip(*taken[name][1:])
        report[name] = {"wall": milliseconds(wall),
                        "user_mean": round(statistics.mean(user) * 1e3, 2),
                        "system_mean": round(statistics.mean(system) * 1e3, 2),
                        "system_calls": count_calls(command)}
    return report


def compare(doorward, lspci, runs):
    # Doorward's start alone, so that a difference on a small machine is not mistaken.
    commands = {"doorward list": doorward, "doorward --version": [doorward[0], "--version"]}
    if LSPCI:
        commands["lspci -vvv"] = lspci
    report = measure(commands, runs)
    walls = [report[name].get("wall") for name in ("doorward list", "lspci -vvv") if name in report]
    if len(walls) == 2 and all(walls):
        report["ratio"] = {key: round(walls[0][key] / walls[1][key], 2) for key in walls[0]}
    return report


def config_space(index):
    """An endpoint with power management, MSI, PCIe, MSI-X, error reporting and ACS."""
    config = bytearray(4096)
    struct.pack_into("<HHHH", config, 0, 0x1af4, 0x1041, 0x0406, 0x0010)
    struct.pack_into("<I", config, 8, 0x02000001)
    config[0x0e] = 0x80
    struct.pack_into("<I", config, 0x10, 0xc0000000 + index * 0x4000)
    config[0x34], config[0x3d] = 0x40, 1
    struct.pack_into("<BBH", config, 0x40, 0x01, 0x50, 0x0003)
    struct.pack_into("<BBH", config, 0x50, 0x05, 0x70, 0x0080)
    struct.pack_into("<BBHI", config, 0x70, 0x10, 0xb0, 0x0002, 0x10008000)
    struct.pack_into("<BBHII", config, 0xb0, 0x11, 0x00, 0x000f, 0, 0x800)
    struct.pack_into("<I", config, 0x100, 0x14810001)
    struct.pack_into("<IHH", config, 0x148, 0x0001000d, 0x000c, 0x000c)
    return bytes(config)


def make_tree(root, functions):
    """A sysfs tree of root buses, one segment for each 256 functions."""
    links = root / "sys/bus/pci/devices"
    links.mkdir(parents=True)
    for index in range(functions):
        devfn, segment = index % PER_BUS, index // PER_BUS
        name = f"{segment:04x}:00:{devfn >> 3:02x}.{devfn & 7}"
        path = root / f"sys/devices/pci{segment:04x}:00" / name
        path.mkdir(parents=True)
        config = config_space(index)
        (path / "config").write_bytes(config)
        base = 0xc0000000 + index * 0x4000
        rows = [(base, base + 0x3fff, 0x40200)] + [(0, 0, 0)] * 12
        for attribute, text in {
                "vendor": "0x1af4", "device": "0x1041", "subsystem_vendor": "0x0000",
                "subsystem_device": "0x0000", "class": "0x020000", "revision": "0x01", "irq": "0",
                "resource": "\n".join("0x%016x 0x%016x 0x%016x" % row for row in rows)}.items():
            (path / attribute).write_text(text + "\n")
        (links / name).symlink_to(os.path.relpath(path, links))


def with_tree(functions, runs):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        make_tree(root, functions)
        report = compare([DOORWARD, "list", "--sysroot", directory],
                         [LSPCI, "-A", "linux-sysfs", "-O", f"sysfs.path={root}/sys/bus/pci",
                          "-vvv"], runs)
    return {"functions": functions, **report}


def largest_capture(runs):
    captures = [path for folder in ("examples", "tests")
                for path in (SOURCE / folder).rglob("*.tar*")]
    sizes = {}
    for path in captures:
        done = subprocess.run([DOORWARD, "list", "-r", "--machine", path], capture_output=True,
                              text=True, check=False)
        if done.returncode == 0:
            sizes[path] = len(done.stdout.splitlines())
    if not sizes:
        return {"skipped": "no capture can be read"}
    path = max(sizes, key=sizes.get)
    return {"capture": str(path.relative_to(SOURCE)), "rows": sizes[path],
            **measure({"doorward list --machine": [DOORWARD, "list", "--machine", str(path)]},
                      runs)}


def main():
    global DOORWARD
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--functions", type=int, default=512)
    wanted = parser.parse_args()
    found = shutil.which(DOORWARD)
    if not found:
        sys.exit(f"bench/list.py: {DOORWARD} is not there; set DOORWARD to the program")
    DOORWARD = os.path.abspath(found)
    report = {"bench": "list", "runs": wanted.runs,
              "this_machine": compare([DOORWARD, "list"], [LSPCI, "-vvv"], wanted.runs),
              "made_up_tree": with_tree(wanted.functions, max(wanted.runs // 3, 1)),
              "largest_capture": largest_capture(max(wanted.runs // 3, 1))}
    if not LSPCI:
        report["skipped"] = "lspci is not installed"
    json.dump(report, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
