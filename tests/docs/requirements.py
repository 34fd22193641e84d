#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Each requirement on the device in docs/virtio-iommu.md is met somewhere, and shown by a test that
runs and passes. TAP.

    requirements.py [PROGRAMS]

PROGRAMS is the folder with the test programs ($DOORWARD_TESTS). A row names its tests as
`PROGRAM: CASE`, as the suite prints them; the programs named are run here. A requirement that is the
monitor's, or a permission that the device does not use, has `-` instead of a test.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("DOORWARD_SOURCE",
                                   pathlib.Path(__file__).resolve().parents[2]))
DOCUMENT = ROOT / "docs/virtio-iommu.md"
TAP = ROOT / "tests/tap.py"
STRENGTHS = ("MUST", "SHOULD", "MAY", "says")
ROW = re.compile(r"^\| (?P<id>\d[\d.]*/\d+) \| (?P<strength>\S+) \| (?P<what>[^|]+) "
                 r"\| (?P<where>[^|]+) \| (?P<tests>[^|]+) \|$")
LOOKS_LIKE_ROW = re.compile(r"^\|\s*\d[\d.]*/")
PLACE = re.compile(r"`(\w+\.[ch])`: `(\w+)`")
TEST = re.compile(r"`([\w/-]+): (\w+)`")
PASSED = re.compile(r"ok \d+ - ([^#]*?)(\s+# SKIP .*)?$")
FAILED = re.compile(r"not ok \d+ - (.*)")
MONITORS, UNUSED, NONE = "the monitor's", "not used", "-"

# How often MUST, SHOULD and MAY (with and without NOT) stand in what is asked of the device, counted in
# oasis-tcs/virtio-spec: device-types/iommu/description.tex at b1cf73e96173 (5.13), content.tex at
# 9d60d8457df0 (2.1 to 2.5), split-ring.tex at 09245d6f7d1e (2.7).
COUNTED = {
    "2.1.2": (2, 1, 0),         # device status
    "2.2.2": (3, 2, 0),         # feature bits
    "2.4.1": (2, 0, 0),         # reset
    "2.5.2": (1, 0, 0),         # configuration space
    "2.7.4.1": (1, 0, 1),       # framing
    "2.7.5.1": (1, 1, 1),       # descriptors
    "2.7.5.3.2": (2, 0, 0),     # indirect descriptors
    "2.7.7.2": (4, 2, 0),       # used buffer notifications
    "2.7.8.2": (2, 0, 1),       # used ring
    "2.7.10.2": (3, 0, 2),      # available buffer notifications
    "5.13.3.2": (0, 3, 0),      # feature bits
    "5.13.4.2": (2, 2, 2),      # configuration
    "5.13.6.2": (1, 5, 0),      # operations
    "5.13.6.3.2": (6, 5, 1),    # ATTACH
    "5.13.6.4.2": (3, 0, 1),    # DETACH
    "5.13.6.5.2": (2, 4, 1),    # MAP
    "5.13.6.6.2": (0, 5, 2),    # UNMAP
    "5.13.6.7.2": (3, 7, 0),    # PROBE
    "5.13.6.8.1.2": (0, 5, 0),  # RESV_MEM
    "5.13.6.9.2": (0, 4, 2),    # faults
}


def rows(text):
    """(matches, lines that look like a row and are none)"""
    good, bad = [], []
    for line in text.splitlines():
        match = ROW.match(line)
        if match:
            good.append(match)
        elif LOOKS_LIKE_ROW.match(line):
            bad.append(line)
    return good, bad


def is_defined(name, function):
    """A function of src/virtio is defined in this file."""
    path = ROOT / "src/virtio" / name
    return path.exists() and re.search(rf"^(\w[^;\n]*\b)?{function}\(", path.read_text(),
                                       re.MULTILINE) is not None


def faults_of_row(row):
    """What is wrong with a row by itself."""
    where, tests = row["where"].strip(), row["tests"].strip()
    if row["strength"] not in STRENGTHS:
        yield f"{row['strength']} is no strength"
    for name, function in PLACE.findall(where):
        if not is_defined(name, function):
            yield f"src/virtio/{name} has no {function}"
    if where.startswith(UNUSED) and row["strength"] != "MAY":
        yield "only what MAY be done can be left"
    # What 5.13 asks is of this device, whatever carries it.
    if where.startswith(MONITORS) and row["id"].startswith("5.13"):
        yield "is not the monitor's"
    elsewhere = where.startswith((MONITORS, UNUSED))
    if not elsewhere and not PLACE.search(where):
        yield "does not say where it is met"
    if tests == NONE and not elsewhere:
        yield "names no test"
    if tests != NONE and TEST.sub("", tests).strip(" ,"):
        yield f"cannot read the tests: {tests}"


def results(programs, name):
    """Cases of a test program that passed, and that failed; None when there is no such program."""
    program = programs / ("test-" + name.replace("/", "-"))
    if not program.exists():
        return None
    environment = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}
    # Whoever looks at memory looks at the tests by themselves.
    environment.pop("DOORWARD_TEST_WRAPPER", None)
    done = subprocess.run([TAP, program], capture_output=True, text=True, errors="replace",
                          env=environment, check=False)
    lines = done.stdout.splitlines()
    passed = [match for line in lines if (match := PASSED.match(line)) and not match[2]]
    failed = [match[1] for line in lines if (match := FAILED.match(line))]
    return {match[1].strip() for match in passed}, failed


def faults_of_tests(good, programs):
    wanted = collections.defaultdict(list)
    for row in good:
        for name, case in TEST.findall(row["tests"]):
            wanted[name].append((row["id"], case))
    for name, cases in sorted(wanted.items()):
        got = results(programs, name)
        if got is None:
            yield f"there is no test program {name}"
            continue
        passed, failed = got
        # Also what no row names: a program that ends badly has shown nothing.
        yield from (f"{name}: {case}: failed" for case in failed)
        for identity, case in cases:
            if case not in passed:
                yield f"{identity}: {name}: {case} did not run and pass"


def section(row):
    return row["id"].partition("/")[0]


def faults_of_numbers(good):
    """An id twice, or a gap: ids of a section count from 1."""
    seen = collections.defaultdict(list)
    for row in good:
        seen[section(row)].append(int(row["id"].partition("/")[2]))
    for name, numbers in seen.items():
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{name}: rows are numbered {numbers}"


def faults_of_counts(good):
    counts = collections.Counter((section(row), row["strength"]) for row in good)
    for name, expected in COUNTED.items():
        for strength, number in zip(STRENGTHS, expected):
            got = counts.pop((name, strength), 0)
            if got != number:
                yield f"{name} has {number} of {strength}, the table {got}"
    for (name, strength), number in counts.items():
        if strength != "says":
            yield f"{name}: {number} of {strength} that the standard does not have"


def main():
    programs = pathlib.Path((sys.argv[1:] or [os.environ.get("DOORWARD_TESTS", "")])[0])
    good, bad = rows(DOCUMENT.read_text())
    cases = [
        ("every row can be read", bad if good or bad else ["there is no row"]),
        ("every row says where and by which test",
         [f"{row['id']}: {fault}" for row in good for fault in faults_of_row(row)]),
        ("ids are numbered", list(faults_of_numbers(good))),
        ("every requirement has its row", list(faults_of_counts(good))),
        ("every test that is named runs and passes", list(faults_of_tests(good, programs))),
    ]
    for number, (name, faults) in enumerate(cases, 1):
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults:
            print(f"# {fault}")
    print(f"1..{len(cases)}")
    return 1 if any(faults for _, faults in cases) else 0


if __name__ == "__main__":
    sys.exit(main())
