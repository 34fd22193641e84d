#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Replays captured machines and compares text and JSON with what stands beside them. TAP.

Beside NAME.tar (or .tar.xz) stand NAME.txt, what a person sees of list, groups, and check and
reach of every endpoint, and NAME.json, the same for machines. For the machines of examples/machines both stand in
tests/replay/expected, and tests/replay/checks names the one function of each. Some of those that
are described in YAML are asked, too.

    tests/cli/golden.py [CAPTURE...]            compare (default: all bundled ones)
    tests/cli/golden.py --write [CAPTURE...]    write what is now; then read the difference
"""
import difflib
import json
import os
import pathlib
import subprocess
import sys

import schema

ROOT = pathlib.Path(os.environ.get("DOORWARD_SOURCE",
                                   pathlib.Path(__file__).resolve().parents[2]))
DOORWARD = os.environ.get("DOORWARD", "doorward")
SCHEMAS = schema.Schemas(ROOT)
BUNDLED = ROOT / "examples/machines"
REPLAY = ROOT / "tests/replay"
# Described machines, and the one function of each.
DESCRIBED = {"hotplug.yaml": "0000:02:00.0", "power.yaml": "0000:01:00.0",
             "v2m.yaml": "0000:01:00.0"}
SHOWN = 40  # lines of a difference


def run(capture, *words):
    return subprocess.run([DOORWARD, "--machine", str(capture), *words], capture_output=True,
                          text=True, check=False)


def document(capture, *words):
    done = run(capture, "--json", *words)
    return json.loads(done.stdout), done.returncode


def endpoints(capture):
    """What could be given away: no bridges, no host bridge, no platform devices."""
    listing, _ = document(capture, "list")
    return [function["function"] for function in listing["functions"]
            if "class" in function and not function["class"].startswith("0x06")]


def name_of(capture):
    return capture.name.split(".tar")[0].removesuffix(".yaml")


def checked(capture):
    """The functions to check: as listed for the bundled machines, else all endpoints."""
    if capture.name in DESCRIBED:
        return [DESCRIBED[capture.name]]
    rows = [line.split() for line in (REPLAY / "checks").read_text().splitlines()]
    return [row[1] for row in rows if row[0] == name_of(capture)] or endpoints(capture)


def questions(capture):
    yield ("list", "--tree", "-o", "+WHY")
    yield ("groups",)
    for function in checked(capture):
        yield ("check", function)
        yield ("reach", function)
        yield ("trace", function, "0")
        yield ("trace", function, "0", "--model")


def text_of(capture):
    parts = []
    for words in questions(capture):
        done = run(capture, *words)
        parts.append(f"$ doorward {' '.join(words)}\n{done.stdout}{done.stderr}"
                     f"[exit {done.returncode}]\n")
    return "\n".join(parts)


def json_of(capture):
    answers = []
    for words in questions(capture):
        verb = [word for word in words if not word.startswith(("-", "+")) or word == "--model"]
        answer, _ = document(capture, *verb)
        answers.append(answer)
    return answers


def stem(capture):
    """Where the expected output is, without its suffix."""
    bundled = capture.resolve().parent == BUNDLED.resolve()
    return (REPLAY / "expected" if bundled else capture.parent) / name_of(capture)


def compare(path, now):
    if not path.exists():
        return [f"{path.name} is missing; write it with tests/cli/golden.py --write"]
    before = path.read_text()
    return list(difflib.unified_diff(before.splitlines(), now.splitlines(), "expected", "now",
                                     lineterm=""))[:SHOWN]


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def report(self, name, complaints):
        self.count += 1
        self.failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {self.count} - {name}")
        for line in complaints:
            print(f"# {line}")


def check(tap, capture, write):
    base = stem(capture)
    text, answers = text_of(capture), json_of(capture)
    dumped = json.dumps(answers, indent=1, ensure_ascii=False) + "\n"
    if write:
        base.with_name(base.name + ".txt").write_text(text)
        base.with_name(base.name + ".json").write_text(dumped)
        return
    tap.report(f"{base.name}: text", compare(base.with_name(base.name + ".txt"), text))
    tap.report(f"{base.name}: JSON", compare(base.with_name(base.name + ".json"), dumped))
    tap.report(f"{base.name}: schemas",
               [line for answer in answers for line in SCHEMAS.complaints(answer)])


def main():
    words = sys.argv[1:]
    write = "--write" in words
    captures = [pathlib.Path(word) for word in words if not word.startswith("-")]
    if not captures:
        captures = sorted([*BUNDLED.glob("*.tar*"), *(BUNDLED / name for name in DESCRIBED),
                           *(ROOT / "tests/cli/data").glob("*.tar*")])
    tap = Tap()
    for capture in captures:
        check(tap, capture, write)
    if not write:
        print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
