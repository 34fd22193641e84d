#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""doorward prove: what it finds, and that it finds what is missing. TAP.

On every described machine of examples/machines all promises hold. Without any one of the rules of
ownership one is broken on the machine that stands beside the rule below, and the way to it, played by
doorward simulate, comes out the same without the rule and otherwise with it.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ.get("DOORWARD_SOURCE",
                                   pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(ROOT / "tests/cli"))
import schema  # noqa: E402

DOORWARD = os.environ.get("DOORWARD", "doorward")
BREAKABLE = os.environ.get("DOORWARD_BREAKABLE", "doorward-breakable")
MACHINES = ROOT / "examples/machines"
GOLDEN = ROOT / "tests/own/prove.txt"
DEPTH = "4"

# Rule -> the machine on which its absence shows, the promise that it breaks, and what else prove is told.
RULES = {
    "claim-reach": ("minimal", "reach"),
    "claim-others": ("vfs-its", "reach"),
    "bind-check": ("minimal", "reach"),
    "vector-landed": ("v2m-two-frames", "reach"),
    "newcomer-quarantine": ("minimal", "reach"),
    "containment-freeze": ("hotplug", "containment"),
    "taint": ("minimal", "release"),
    "reset-scope": ("power", "one-owner"),
    "revoking": ("minimal", "one-owner"),
    "group-one-space": ("x86", "one-owner", "--containers", "2"),
    "domain-fixed": ("power", "one-owner"),
    "thaw-check": ("minimal", "reach"),
    "vfs": ("vfs-v2m", "one-owner"),
    "all-or-nothing": ("hotplug", "unchanged"),
    "release-to-nobody": ("minimal", "release"),
    "waivers": ("minimal", "reach", "--accept", "msi-frame-shared"),
    "refusal-says": ("minimal", "finding"),
}
# Nothing that a scenario could name: the machine stands in the scenario itself.
WHOLE = [
    ("vfs", "x86-intel-6.12-sriov.tar.xz", "one-owner"),
    ("claim-reach", "arm64-its-dt-6.12-mix.tar.xz", "reach"),
    ("claim-reach", "v2m.yaml", "reach", "--suppose", "intx=0000:01:00.0", "--policy", "linux"),
]
# Every event comes out as with the rule: what is missing is a record, or words.
ALIKE = ("waivers", "refusal-says")


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def report(self, name, complaints):
        self.count += 1
        self.failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {self.count} - {name}", flush=True)
        for line in complaints:
            print(f"# {line}")


def run(program, *words):
    return subprocess.run([program, *map(str, words)], capture_output=True, text=True,
                          check=False)


def timeless(text):
    """What does not depend on the time, and on how many CPUs there are."""
    return "".join(line for line in text.splitlines(True) if not line.startswith("Took "))


def proof(program, *words):
    done = run(program, "prove", "--json", *words)
    return json.loads(done.stdout), done.returncode


def holds(tap, schemas, machine, depth):
    answer, code = proof(DOORWARD, machine, "--depth", depth)
    complaints = schemas.complaints(answer)
    if code != 0 or answer["end"] != "complete" or answer["breach"]:
        complaints.append(f"exit {code}: {json.dumps(answer['breach'])}")
    if answer["states"] < 2 or answer["refused"] >= answer["transitions"]:
        complaints.append(f"{answer['states']} states, {answer['refused']} refused")
    tap.report(f"{machine.stem}: all promises hold", complaints)


def golden(tap, write):
    now = "# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause\n" + "".join(
        f"$ doorward prove {name} {' '.join(words)}\n"
        f"{timeless(run(program, 'prove', MACHINES / name, *words).stdout)}\n"
        for program, name, *words in (
            (DOORWARD, "minimal.yaml"),
            (DOORWARD, "power.yaml", "--depth", "2", "--clients", "1"),
            (BREAKABLE, "vfs-its.yaml", "--break", "vfs", "--threads", "1"),
            (DOORWARD, "its.yaml", "--states", "100", "--threads", "1")))
    if write:
        GOLDEN.write_text(now)
        return
    before = GOLDEN.read_text() if GOLDEN.exists() else ""
    tap.report("what it says", [] if now == before else
               ["differs from tests/own/prove.txt:", *now.splitlines()])


def broken(tap, schemas, folder, rule, machine, promise, *words):
    scenario = pathlib.Path(folder) / f"{rule}.yaml"
    answer, code = proof(BREAKABLE, MACHINES / machine, "--break", rule, "--output", scenario,
                         *words)
    complaints = schemas.complaints(answer)
    if code != 3 or not answer["breach"]:
        complaints.append(f"nothing is broken on {machine}: exit {code}")
    elif answer["breach"]["promise"] != promise:
        complaints.append(f"{answer['breach']['promise']} is broken, and not {promise}")
    tap.report(f"{machine} without {rule}: found", complaints)
    if complaints:
        return
    without = run(BREAKABLE, "simulate", "--break", rule, scenario)
    within = run(DOORWARD, "simulate", scenario)
    complaints = []
    if without.returncode != 0:
        complaints += ["it does not come out as it was found:", *without.stdout.splitlines()[-40:],
                       *without.stderr.splitlines()]
    if within.returncode != (0 if rule in ALIKE else 3):
        complaints.append(f"with the rule: exit {within.returncode} {within.stderr}")
    if ("\nmachine:\n" in scenario.read_text()) != ((rule, machine, promise, *words) in WHOLE):
        complaints.append("the machine is not where it should be")
    tap.report(f"{machine} without {rule}: played again", complaints)


def alone(tap):
    words = (MACHINES / "minimal.yaml", "--break", "taint", "-o", "-")
    written = run(BREAKABLE, "prove", *words)
    played = subprocess.run([BREAKABLE, "simulate", "--break", "taint", "-"], text=True,
                            input=written.stdout, capture_output=True, check=False)
    both = run(BREAKABLE, "prove", "--json", *words)
    codes = (written.returncode, played.returncode, both.returncode)
    tap.report("the scenario alone on standard output", [] if codes == (3, 0, 2) else
               [f"exit {codes}", *played.stderr.splitlines()])


def limits(tap):
    complaints = []
    for code, words in ((2, ["--clients", "9"]), (2, ["--events", "clam"]), (2, ["--depth", "x"]),
                        (1, ["--functions", "0000:99:00.0"]), (4, ["--states", "5"]),
                        (0, ["--events", "claim,release", "--functions", "0000:01:00.0"])):
        done = run(DOORWARD, "prove", MACHINES / "minimal.yaml", *words)
        if done.returncode != code:
            complaints.append(f"{words}: exit {done.returncode}, not {code}: {done.stderr}")
    tap.report("what it takes and what not", complaints)
    done = run(DOORWARD, "prove", ROOT / "examples/scenarios/pe-freeze.yaml")
    tap.report("a scenario is no machine", [] if done.returncode == 1 and
               "this is a scenario" in done.stderr else [done.stderr])


def main():
    write = "--write" in sys.argv[1:]
    tap, schemas = Tap(), schema.Schemas(ROOT)
    golden(tap, write)
    if write:
        return 0
    limits(tap)
    alone(tap)
    for machine in sorted(MACHINES.glob("*.yaml")):
        holds(tap, schemas, machine, DEPTH)
    # Real machines have more functions.
    for machine in sorted(MACHINES.glob("*.tar.xz")):
        holds(tap, schemas, machine, "3")
    rules = re.findall(r"^([a-z-]+): ", run(BREAKABLE, "prove", "--break", "help",
                                            MACHINES / "minimal.yaml").stdout, re.M)
    tap.report("every rule has its machine", sorted(set(rules) ^ set(RULES)))
    with tempfile.TemporaryDirectory() as folder:
        for rule, (machine, *rest) in RULES.items():
            broken(tap, schemas, folder, rule, f"{machine}.yaml", *rest)
        for row in WHOLE:
            broken(tap, schemas, folder, *row)
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
