#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Runs a test program and hands its cases to Meson as TAP.

    tap.py PROGRAM [ARG...]          a cmocka program
    tap.py --script SCRIPT [ARG...]  a script that prints TAP itself

cmocka numbers every group from 1 and calls a skipped test "not ok"; here the groups become one
list, a skip keeps the reason that was printed before it ("# skipped: REASON", tests/skip.h) and
one without a reason is a failure. A program that ends badly is a failure of its own.
$DOORWARD_TEST_WRAPPER, when set, is put before a program (valgrind).
"""
import os
import re
import shlex
import subprocess
import sys

CASE = re.compile(r"(not )?ok(?:\s+\d+)?\s*(.*)$")
SKIP = re.compile(r"(.*?)\s*#\s*SKIP\b[:\s]*(.*)$", re.IGNORECASE)
REASON = re.compile(r"#\s*skipped:\s*(.+)$")
SKIPPED_WHOLE = 77


class Cases:
    def __init__(self):
        self.count = 0
        self.failed = 0
        self.skipped = 0
        self.reason = None

    def report(self, good, name, skip_reason=None):
        self.count += 1
        self.failed += not good
        self.skipped += skip_reason is not None
        tail = f" # SKIP {skip_reason}" if skip_reason is not None else ""
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}{tail}", flush=True)

    def line(self, text):
        case = CASE.match(text)
        reason = REASON.match(text)
        if reason:
            self.reason = reason.group(1).strip()
        if not case:
            if not re.match(r"\d+\.\.\d+", text):
                print(text if text.startswith("#") else "# " + text, flush=True)
            return
        name = case.group(2).lstrip("- ").strip()
        skip = SKIP.match(case.group(2))
        if skip:
            # A script writes "ok 1 - NAME # SKIP REASON", cmocka "not ok 1 # SKIP NAME".
            name, after = skip.group(1).lstrip("- ").strip(), skip.group(2).strip()
            why = after if name else self.reason
            if why:
                self.report(True, name or after, why)
            else:
                self.report(False, f"{name or after} (skipped without a reason)")
        else:
            self.report(not case.group(1), name)
        self.reason = None


def command(argv):
    if argv[0] == "--script":
        return argv[1:]
    return shlex.split(os.environ.get("DOORWARD_TEST_WRAPPER", "")) + argv


def main():
    cases = Cases()
    child = subprocess.Popen(command(sys.argv[1:]), stdout=subprocess.PIPE, text=True,
                             errors="replace")
    for text in child.stdout:
        cases.line(text.rstrip("\n"))
    status = child.wait()
    if status == SKIPPED_WHOLE and cases.count == 0:
        print(f"1..0 # SKIP {cases.reason or 'no reason given'}")
        return 0 if cases.reason else 1
    if status != 0 and not cases.failed:
        cases.report(False, f"the program ended with {status}")
    elif cases.count == 0:
        cases.report(False, "the program ran no test")
    # Meson reads failures from the lines; a status of its own would hide which case it was.
    print(f"1..{cases.count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
