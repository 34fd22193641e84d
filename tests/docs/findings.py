#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""docs/findings.md lists exactly the codes of the library, in its order, each in full. TAP."""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ.get("DOORWARD_SOURCE",
                                   pathlib.Path(__file__).resolve().parents[2]))
CODE = re.compile(r'^\t\{ "([a-z-]+)",', re.MULTILINE)
SECTION = re.compile(r"^### `([a-z-]+)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
PARTS = ("- Evidence: ", "- Weight: ", "- Remedy: ", "- Example: `")


def codes():
    return CODE.findall((ROOT / "src/isolate/finding.c").read_text())


def sections():
    return SECTION.findall((ROOT / "docs/findings.md").read_text())


def differences():
    told, known = [code for code, _ in sections()], codes()
    for code in known:
        if code not in told:
            yield f"{code} is not explained"
    for code in told:
        if code not in known:
            yield f"{code} is explained, but no finding"
    if not known:
        yield "src/isolate/finding.c has no table of findings"
    if sorted(told) == sorted(known) and told != known:
        yield "the order is not that of src/isolate/finding.c"


def incomplete():
    for code, text in sections():
        if not text.strip() or text.startswith("-"):
            yield f"{code} has no meaning"
        for part in PARTS:
            if text.count("\n" + part) != 1:
                yield f"{code} has not one line {part.strip()}"


def unlisted():
    """Codes that are given to a finding or a remark are in the table."""
    known = codes()
    for path in sorted([*(ROOT / "src/isolate").glob("*.c"), *(ROOT / "src/machine").glob("*.c")]):
        for call in re.findall(r"(?:ward_finding_add|ward_builder_remark|remark_problems)\((.*?)\);",
                               path.read_text(), re.DOTALL):
            for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', call):
                if code not in known:
                    yield f"{path.name} tells {code}, which is not in the table"


def main():
    cases = [("every finding is explained, in order", list(differences())),
             ("each with evidence, weight, remedy and example", list(incomplete())),
             ("every code that the library tells is in its table", list(unlisted()))]
    for number, (name, faults) in enumerate(cases, 1):
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults:
            print(f"# {fault}")
    print(f"1..{len(cases)}")
    return 1 if any(faults for _, faults in cases) else 0


if __name__ == "__main__":
    sys.exit(main())
