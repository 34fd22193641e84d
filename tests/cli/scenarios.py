#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Plays all scenarios of examples/scenarios and compares with tests/cli/scenarios. TAP.

    tests/cli/scenarios.py            compare; and what wrong files are told
    tests/cli/scenarios.py --write    write what is now; then read the difference
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import golden
import schema

ROOT = golden.ROOT
SCHEMAS = schema.Schemas(ROOT)
FOLDER = ROOT / "examples/scenarios"
EXPECTED = ROOT / "tests/cli/scenarios"

MACHINE = """
machine:
  arch: arm64
  iommus: [{name: smmu, kind: smmuv3, ats: no}]
  controllers: [{name: its, kind: its, doorbells: ["0x08090000"]}]
  functions:
    - {address: "00:01.0", type: root-port, acs: full, secondary: 1, driver: pcieport}
    - {address: "00:02.0", type: root-port, acs: full, secondary: 2, driver: pcieport}
    - {address: "01:00.0", driver: vfio-pci}
    - {address: "02:00.0", driver: vfio-pci}
clients: [red, blue]
"""

# What is wrong, what the file has for steps (or more), exit code, and what is said.
WRONG = [
    ("nothing in a step", "steps: [{note: x}]", 2, "steps[0]: nothing happens in this step"),
    ("two things in a step",
     "steps: [{hostile: \"01:00.0\", ring: {function: \"01:00.0\"}}]", 2, "two things"),
    ("a word unknown", "steps: [{clam: {functions: [\"01:00.0\"]}}]", 2, "clam"),
    ("no such function", "steps: [{unbind: {functions: [\"09:00.0\"]}}]", 2,
     "steps[0].unbind.functions[0]: the machine has no function \"09:00.0\""),
    ("a function twice", "steps: [{unbind: {functions: [\"01:00.0\", \"1:0.0\"]}}]", 2, "twice"),
    ("no such client", "steps: [{claim: {functions: [\"01:00.0\"], client: green}}]", 2,
     "there is no client \"green\""),
    ("no such controller",
     "steps: [{vector: {functions: [\"01:00.0\"], controller: frame}}]", 2,
     "no MSI controller \"frame\""),
    ("something missing", "steps: [{claim: {functions: [\"01:00.0\"]}}]", 2, "needs \"client\""),
    ("something too much", "steps: [{death: {client: red, driver: x}}]", 2,
     "steps[0].death.driver: death takes no \"driver\""),
    ("an expectation that cannot be met",
     "steps: [{hostile: \"01:00.0\", expect: {decision: allowed}}]", 2,
     "nothing of the kind comes of \"hostile\""),
    ("a decision of no event",
     "steps: [{contain: one, expect: {decision: refused}}]", 2,
     "nothing of the kind comes of \"contain\""),
    ("a way of no interrupt",
     "steps: [{enable: {functions: [\"01:00.0\"]}, expect: {through: its}}]", 2,
     "nothing of the kind comes of \"enable\""),
    ("findings, and none named",
     "steps: [{unbind: {functions: [\"01:00.0\"]}, expect: {findings: []}}]", 2, "findings"),
    ("a decision of no event",
     "steps: [{contain: one, expect: {decision: refused}}]", 2,
     "nothing of the kind comes of \"contain\""),
    ("a way of no interrupt",
     "steps: [{enable: {functions: [\"01:00.0\"]}, expect: {through: its}}]", 2,
     "nothing of the kind comes of \"enable\""),
    ("findings, and none named",
     "steps: [{unbind: {functions: [\"01:00.0\"]}, expect: {findings: []}}]", 2, "findings"),
    ("a decision that is none",
     "steps: [{unbind: {functions: [\"01:00.0\"]}, expect: {decision: alowed}}]", 2,
     "did you mean \"allowed\"?"),
    ("a finding that is none",
     "steps: [{unbind: {functions: [\"01:00.0\"]}, expect: {findings: [peer-dam]}}]", 2,
     "no finding is called \"peer-dam\""),
    ("a waiver of no finding",
     "steps: [{claim: {functions: [\"01:00.0\"], client: red, accept: [{code: x}]}}]", 2,
     "steps[0].claim.accept[0].code"),
    ("two targets",
     "steps: [{write: {function: \"01:00.0\", memory: red, address: \"0x0\"}}]", 2, "needs one of"),
    ("no address", "steps: [{write: {function: \"01:00.0\", address: \"12\"}}]", 2,
     "is no address"),
    ("no such vector", "steps: [{ring: {function: \"01:00.0\", vector: 9999}}]", 2,
     "has vectors 0 to"),
    ("vectors of nobody", "steps: [{enable: {functions: [\"01:00.0\"]}}]", 2,
     "no client has 01:00.0"),
    ("a container too many",
     "steps: [{hand-over: {functions: [\"01:00.0\"], to: red, container: 9}}]", 2, "0 to 3"),
    ("makes no sense", "steps: [{unbind: {functions: [\"01:00.0\"]}}, "
     "{unbind: {functions: [\"01:00.0\"]}}]", 2, "steps[1].unbind"),
    ("a client called host", "steps: []\nnested: [host]", 2, "there is no client \"host\""),
    ("an end of nobody", "steps: []\nfinal: [{function: \"09:00.0\", owner: red}]", 2,
     "final[0].function"),
    ("an end of which nothing is said", "steps: []\nfinal: [{function: \"01:00.0\"}]", 2,
     "final[0]: nothing is expected of 01:00.0"),
    ("past the end",
     "steps: [{write: {function: \"01:00.0\", address: \"0xfffffffffffffffe\"}}]", 2,
     "there are no 4 bytes at 0xfffffffffffffffe"),
    ("not as expected",
     "steps: [{claim: {functions: [\"01:00.0\"], client: red}, expect: {decision: refused}}]", 3,
     "steps[0].expect.decision: expected refused, got allowed"),
    ("whose it is, when only its kind was named",
     "steps: [{hand-over: {functions: [\"01:00.0\"], to: red}}, "
     "{enable: {functions: [\"01:00.0\"]}}, "
     "{write: {function: \"01:00.0\", doorbell: its, data: 9}, expect: {ends: doorbell}}]", 3,
     "steps[2].expect.of: expected red, got nobody"),
    ("not the end that was expected",
     "steps: []\nfinal: [{function: \"01:00.0\", owner: red}]", 3,
     "final[0].owner: expected red, got nobody"),
    ("an exposure that nobody expected",
     "steps: [{hand-over: {functions: [\"01:00.0\"], to: red}}, "
     "{claim: {functions: [\"01:00.0\"], client: blue}}]", 3,
     "expected no refusal, no exposure, got refused for already-owned"),
]


def run(path, *words):
    return subprocess.run([golden.DOORWARD, "simulate", str(path), *words], capture_output=True,
                          text=True, check=False, cwd=ROOT)


def play(tap, path, write):
    name = path.relative_to(ROOT)
    done = run(name)
    text = f"{done.stdout}{done.stderr}[exit {done.returncode}]\n"
    document = json.loads(run(name, "--json").stdout)
    dumped = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    expected = EXPECTED / (path.stem + ".txt")
    if write:
        EXPECTED.mkdir(exist_ok=True)
        expected.write_text(text)
        expected.with_suffix(".json").write_text(dumped)
        return
    tap.report(f"{path.stem}: text", golden.compare(expected, text))
    tap.report(f"{path.stem}: JSON", golden.compare(expected.with_suffix(".json"), dumped))
    tap.report(f"{path.stem}: schema", SCHEMAS.complaints(document))
    tap.report(f"{path.stem}: holds", [] if done.returncode == 0 and document["holds"]
               else [f"exit {done.returncode}"])


def refuse(tap, what, steps, code, said):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "wrong.yaml"
        path.write_text(f"title: {what}\n{MACHINE}{steps}\n")
        done = run(path)
        answer = json.loads(run(path, "--json").stdout)
    # Lines are broken to fit.
    output = " ".join((done.stdout + done.stderr).split())
    complaints = [] if done.returncode == code else [f"exit {done.returncode}, not {code}"]
    if said not in output or (code == 2 and "wrong.yaml:" not in done.stderr):
        complaints += [f"{said!r} is not in:", *(done.stdout + done.stderr).splitlines()]
    tap.report(f"wrong: {what}", complaints + SCHEMAS.complaints(answer))


def refuse_files(tap):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "wrong.yaml"
        for what, text, code, said in [
                ("no YAML", "title: [", 2, "wrong.yaml:"),
                ("no scenario", "- 1\n- 2\n", 2, "wrong.yaml:1"),
                ("a machine", "arch: x86\nfunctions: []\n", 2, "wrong.yaml:1: this is a machine"),
                ("no title", "machine: x.yaml\nsteps: []\n", 2, "title"),
                ("no machine there", "title: x\nmachine: x.yaml\nsteps: []\n", 1, "x.yaml"),
                ("too large", "title: x\n" + "#" * (1 << 24), 2, "more than 16 MiB"),
                ("deep", "title: x\nsteps: " + "[" * 15000000, 2, "wrong.yaml:"),
                ("an alias", "title: &a x\nmachine: *a\nsteps: []\n", 2, "wrong.yaml:")]:
            path.write_text(text)
            done = run(path)
            well = done.returncode == code and said in done.stderr and not done.stdout
            tap.report(f"file: {what}", [] if well else
                       [f"exit {done.returncode}", *done.stderr.splitlines()])
        done = run(pathlib.Path(folder) / "none.yaml")
        tap.report("file: none", [] if done.returncode == 1 else [f"exit {done.returncode}"])


def main():
    write = "--write" in sys.argv[1:]
    tap = golden.Tap()
    for path in sorted(FOLDER.glob("*.yaml")):
        play(tap, path, write)
    if write:
        return 0
    for row in WRONG:
        refuse(tap, *row)
    refuse_files(tap)
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
