#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Runs what the documents show: each fenced `console` block of README.md and docs/.

    run.py [--update] [FILE...]

A line "$ doorward ..." is run by bash in the root of the tree, with $DOORWARD as the program, and
what it prints must be the lines up to the next command. A line "..." stands for any lines, so that
a long output may be cut. --update puts the present output in (blocks with "..." stay). Prints TAP.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ.get("DOORWARD_SOURCE",
                                   pathlib.Path(__file__).resolve().parents[2]))
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHELL_FAILED = 126


def documents(names):
    paths = [pathlib.Path(name) for name in names]
    return paths or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def steps(block):
    """(command, [expected line, ...]) of a block."""
    rows = []
    for line in block.splitlines():
        if line.startswith("$ "):
            rows.append((line[2:], []))
        elif rows and rows[-1][0].endswith("\\"):
            rows[-1] = (rows[-1][0] + "\n" + line, [])
        elif rows:
            rows[-1][1].append(line)
    return rows


def output_of(command, bin_dir):
    environment = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
                   "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace")
    return done.returncode, [line.rstrip() for line in done.stdout.splitlines()]


def same(expected, got):
    parts = [re.escape(line) + "\n" if line != "..." else "(?:.*\n)*?" for line in expected]
    return re.fullmatch("".join(parts), "".join(line + "\n" for line in got)) is not None


def differences(expected, got):
    """The first line of the document that was not printed where it should be."""
    at, anywhere = 0, False
    for line in expected:
        if line == "...":
            anywhere = True
            continue
        if anywhere and line in got[at:]:
            at = got.index(line, at)
        if at >= len(got) or got[at] != line:
            return [f"in the document: {line}",
                    f"printed:         {got[at] if at < len(got) else '(nothing)'}"]
        at, anywhere = at + 1, False
    return [f"printed, and not in the document: {line}" for line in got[at:at + 1]]


def main():
    update = "--update" in sys.argv[1:]
    names = [name for name in sys.argv[1:] if name != "--update"]
    program = os.environ.get("DOORWARD", str(ROOT / "build/gcc/cli/doorward"))
    number = failed = 0
    with tempfile.TemporaryDirectory() as bin_dir:
        (pathlib.Path(bin_dir) / "doorward").symlink_to(pathlib.Path(program).resolve())
        for path in documents(names):
            text = path.read_text()
            for block in BLOCK.findall(text):
                shown = ""
                for command, expected in steps(block):
                    number += 1
                    status, got = output_of(command, bin_dir)
                    good = status < SHELL_FAILED and same(expected, got)
                    kept = update and "..." not in expected and status < SHELL_FAILED
                    shown += "".join(f"{line}\n" for line in
                                     ["$ " + command, *(got if kept else expected)])
                    failed += not good
                    title = command.replace("\n", " ").replace("#", "")
                    print(f"{'ok' if good else 'not ok'} {number} - {path.name}: {title}")
                    if not good:
                        for line in [f"exit status {status}", *differences(expected, got)]:
                            print(f"# {line}")
                if update and shown != block:
                    text = text.replace(f"```console\n{block}```", f"```console\n{shown}```")
            if update:
                path.write_text(text)
    print(f"1..{number}" if number else "1..0 # SKIP no document shows a command")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
