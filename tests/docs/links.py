#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Links between the documents lead somewhere, and what they say of the tree is there. TAP."""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("DOORWARD_SOURCE",
                                   pathlib.Path(__file__).resolve().parents[2]))
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)?(#[^)\s]+)?\)")
FINDING = re.compile(r'^\t\{ "([a-z-]+)", "', re.MULTILINE)
ERRNO = re.compile(r"^ \* \| (E[A-Z]+) \|", re.MULTILINE)


def anchors(path):
    titles = re.findall(r"^#+\s+(.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def broken_links(path):
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    for target, anchor in LINK.findall(text):
        if "://" in target:
            continue
        there = path.parent / target if target else path
        if not there.exists():
            yield f"{target} does not exist"
        elif anchor and anchor[1:] not in anchors(there):
            yield f"{target}{anchor}: no such heading"


def missing_errors():
    told = (ROOT / "docs/errors.md").read_text()
    for name in ERRNO.findall((ROOT / "include/doorward/error.h").read_text()):
        if f"`{name}`" not in told:
            yield f"{name} is not explained"


def missing_findings():
    path = ROOT / "docs/findings.md"
    told = path.read_text() if path.exists() else ""
    codes = FINDING.findall((ROOT / "src/isolate/finding.c").read_text())
    if not codes:
        yield "src/isolate/finding.c has no table of findings"
    for code in codes:
        if f"`{code}`" not in told:
            yield f"{code} is not explained"


def markdown():
    done = subprocess.run([ROOT / "scripts/files", "*.md"], capture_output=True, text=True,
                          check=True)
    return [ROOT / name for name in done.stdout.split()]


def main():
    cases = [(f"links of {path.relative_to(ROOT)}", list(broken_links(path)))
             for path in markdown()]
    cases.append(("docs/errors.md knows every error of error.h", list(missing_errors())))
    cases.append(("docs/findings.md knows every finding", list(missing_findings())))
    for number, (name, faults) in enumerate(cases, 1):
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults:
            print(f"# {fault}")
    print(f"1..{len(cases)}")
    return 1 if any(faults for _, faults in cases) else 0


if __name__ == "__main__":
    sys.exit(main())
