#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Compares the states of ownership that the library finds with those that spin finds.

    spin.py STATES               prints TAP
    spin.py STATES --figures     prints spin's figures as JSON, and compares nothing

STATES is the program of states.c. ownership.pml says what docs/ownership.md says, for spin; neither
side knows the other. A state is a line (states.c, note() in ownership.pml), and the two sets must be
the same: what is in one only is told in words.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE / "ownership.pml"
# As ownership.pml numbers them, and how its functions are called there.
MACHINES = (
    ("frame", 1, "two functions on one GICv2m frame"),
    ("frames", 2, "two functions on two GICv2m frames of one pool"),
    ("card", 3, "a PF and its VF on an ITS"),
    ("mixed", 4, "two functions on a GICv2m frame, one on an ITS"),
    ("split", 5, "a PF and two VFs on one GICv2m frame"),
)
SHOWN = 8

OWNERS = {"-": "nobody's", "h": "the host's", "0": "client 0's", "1": "client 1's"}
DRIVERS = {"-": "no driver", "h": "a driver of the host", "y": "a driver that stands aside"}
TAINTERS = {"h": "the host", "0": "client 0", "1": "client 1", "*": "several"}


def words_of_function(number, text):
    if text == "........":
        return f"function {number} absent"
    parts = [OWNERS[text[0]], DRIVERS[text[1]]]
    if text[0] in "01":
        parts.append("blocked" if text[2] == "b" else "in its container")
    if text[3] != "0":
        at = [str(i) for i in range(4) if int(text[3], 16) >> i & 1]
        parts.append("vectors at controller " + " and ".join(at))
    if text[4] != "-":
        parts.append("tainted by " + TAINTERS[text[4]])
    parts += [word for letter, word in zip(text[5:], ("frozen", "revoking", "quarantined"))
              if letter != "-"]
    return f"function {number} " + ", ".join(parts)


def words(state):
    """"S -h b0..." as a sentence."""
    functions, exposed = state.split(" open")
    said = [words_of_function(i, text) for i, text in enumerate(functions.split()[1:])]
    said.append("exposed by client " + " and ".join(exposed.split()) if exposed.strip()
                else "settled")
    return "; ".join(said)


def states_of(lines):
    return {line for line in lines if line.startswith("S ")}


def compile_model(number, folder, optimize):
    subprocess.run(["spin", "-a", f"-DMACHINE={number}", str(MODEL)], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    # No reduction, no symmetry: every state there is. The text is spin's, and so are its warnings.
    subprocess.run(["gcc", optimize, "-w", "-DNOREDUCE", "-DVECTORSZ=256", "-o", "pan", "pan.c"],
                   cwd=folder, check=True)


def run_model(number, optimize):
    """What spin finds: a set of states, and figures."""
    with tempfile.TemporaryDirectory() as folder:
        compile_model(number, folder, optimize)
        start = time.monotonic()
        run = subprocess.run([os.path.join(folder, "pan"), "-w20", "-m1000000"], cwd=folder,
                             check=True, capture_output=True, text=True)
        seconds = time.monotonic() - start
    found = re.search(r"State-vector (\d+) byte.*errors: (\d+)", run.stdout)
    stored = re.search(r"(\d+) states, stored", run.stdout)
    # Stored plus matched: every event that was tried and made sense.
    taken = re.search(r"(\d+) transitions", run.stdout)
    used = re.search(r"([\d.]+)\tactual memory usage for states", run.stdout)
    if not (found and stored and taken and used) or found.group(2) != "0" or \
            "search depth too small" in run.stdout:
        raise RuntimeError("spin did not finish:\n" + "\n".join(
            line for line in run.stdout.splitlines() if not line.startswith("S ")))
    count = int(stored.group(1))
    return states_of(run.stdout.splitlines()), {
        "states": count,
        "transitions": int(taken.group(1)),
        "seconds": round(seconds, 3),
        "states_per_second": round(count / seconds),
        "vector_bytes": int(found.group(1)),
        "bytes_per_state": round(float(used.group(1)) * 2**20 / count, 1),
    }


def run_library(program, machine):
    run = subprocess.run([program, machine], check=False, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(run.stderr.strip() or f"the program ended with {run.returncode}")
    broken = [line for line in run.stdout.splitlines() if line.startswith("broken")]
    return states_of(run.stdout.splitlines()), broken


def show(title, states):
    print(f"# {len(states)} {title}" + (", of which:" if len(states) > SHOWN else ":"))
    # Those with the least in them first: they are the easiest to understand.
    for state in sorted(states, key=lambda s: (sum(c not in "-b0." for c in s), s))[:SHOWN]:
        print(f"#   {state}")
        print(f"#     {words(state)}")


def compare(program, machine, number):
    # Its text is large, and takes longer to optimize than to run.
    model, figures = run_model(number, "-O0")
    library, broken = run_library(program, machine)
    for line in broken:
        print(f"# {line}")
    print(f"# {machine}: the model has {len(model)} states, the library {len(library)}; "
          f"spin took {figures['seconds']} s and {figures['bytes_per_state']} bytes a state")
    # What is compared, and what makes a state of spin's, must be the same: nothing is left out.
    if library - model:
        show("states of the library's alone", library - model)
    if model - library:
        show("states of the model's alone", model - library)
    return bool(model) and model == library and not broken


def figures_of_all():
    return {"spin": subprocess.run(["spin", "-V"], check=True, capture_output=True,
                                   text=True).stdout.strip(),
            "machines": {name: run_model(number, "-O2")[1] for name, number, _ in MACHINES}}


def main():
    if not shutil.which("spin"):
        print("1..0 # SKIP spin is not installed")
        return 0
    # pan keeps its way through the states on the stack of its own process.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if "--figures" in sys.argv:
        print(json.dumps(figures_of_all(), indent=1))
        return 0
    wanted = sys.argv[2:] or [name for name, _, _ in MACHINES]
    count, failed = 0, 0
    for name, number, meaning in MACHINES:
        if name not in wanted:
            continue
        count += 1
        try:
            good = compare(sys.argv[1], name, number)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print("\n".join(f"# {line}" for line in str(error).splitlines()))
            good = False
        failed += not good
        print(f"{'ok' if good else 'not ok'} {count} - the same states: {meaning}", flush=True)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
