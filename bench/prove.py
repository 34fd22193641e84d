#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""doorward prove: states a second and bytes a state, with one thread and with two; and spin on the
model of the same rules (tests/own/ownership.pml), for the record. One JSON document.

    bench/prove.py [--depth N] [--states N] [--no-spin] [MACHINE...]

A run ends at a depth, or after so many states. What spin does is not the same work: its machines have
two or three functions, and what reaches what is a constant there. Without spin its figures are left out.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get("DOORWARD_SOURCE", pathlib.Path(__file__).parent.parent))
DOORWARD = os.environ.get("DOORWARD", "doorward")
MACHINES = ("minimal", "v2m", "v2m-two-frames", "its", "vfs-its", "mixed", "power", "x86")


def explore(machine, threads, options):
    command = [DOORWARD, "prove", str(machine), "--json", "--depth", str(options.depth),
               "--states", str(options.states), "--threads", str(threads)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    # 4: given up after so many states.
    if run.returncode not in (0, 4):
        raise RuntimeError(f"{' '.join(command)}: {run.returncode}\n{run.stdout}{run.stderr}")
    got = json.loads(run.stdout)
    seconds = got["seconds"]
    return {
        "threads": threads, "end": got["end"], "states": got["states"], "depth": got["depth"],
        "transitions": got["transitions"], "seconds": round(seconds, 3),
        "states_per_second": round(got["states"] / seconds),
        "events_per_second": round(got["transitions"] / seconds),
        "bytes_per_state": round(got["bytes"] / got["states"], 1),
    }


def explored(machine, options):
    runs = [explore(machine, threads, options) for threads in (1, 2)]
    return {"machine": machine.stem, "runs": runs,
            "two_threads": round(runs[0]["seconds"] / runs[1]["seconds"], 2)}


def spin():
    if not shutil.which("spin"):
        print("bench/prove.py: spin is not installed: its figures are left out", file=sys.stderr)
        return None
    run = subprocess.run([str(SOURCE / "tests/own/spin.py"), "none", "--figures"],
                         capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--states", type=int, default=20000)
    parser.add_argument("--no-spin", action="store_true")
    parser.add_argument("machines", nargs="*", type=pathlib.Path, metavar="MACHINE")
    options = parser.parse_args()
    machines = options.machines or [SOURCE / "examples/machines" / f"{name}.yaml"
                                    for name in MACHINES]
    print(json.dumps({"bench": "prove", "runs": [explored(m, options) for m in machines],
                      "spin": None if options.no_spin else spin()}, indent=2))


if __name__ == "__main__":
    main()
