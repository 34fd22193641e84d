#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""What counts the results counts right: tests/tap.py and scripts/test-summary. TAP."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ.get("DOORWARD_SOURCE",
                                   pathlib.Path(__file__).resolve().parents[2]))


def tap(script):
    """What tap.py makes of a shell script's output."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        done = subprocess.run([ROOT / "tests/tap.py", "--script", "sh", file.name],
                              capture_output=True, text=True)
    return done.stdout


def summary(rows, text=None):
    """(exit status, last line) of test-summary for rows of Meson's log and a text."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "testlog.json"
        log.write_text("".join(json.dumps(row) + "\n" for row in rows))
        names = [log]
        if text is not None:
            names.append(pathlib.Path(folder) / "run.log")
            names[1].write_text(text)
        done = subprocess.run([ROOT / "scripts/test-summary", *names], capture_output=True,
                              text=True)
    return done.returncode, done.stdout.splitlines()[-1]


def row(stdout, result="OK"):
    return {"name": "a", "stdout": stdout, "result": result}


GOOD = "ok 1 - x\nok 2 - y\n1..2\n"


def cases():
    yield "two groups of cmocka become one list", \
        tap("echo 1..1; echo ok 1 - a; echo 1..1; echo ok 1 - b") == "ok 1 - a\nok 2 - b\n1..2\n"
    yield "a skip keeps its reason", \
        "ok 1 - a # SKIP no kvm\n" in tap("echo '# skipped: no kvm'; echo 'not ok 1 # SKIP a'")
    yield "a skip without a reason is a failure", \
        tap("echo 'not ok 1 # SKIP a'").startswith("not ok 1 - a (skipped without a reason)")
    yield "a reason is used once", \
        "not ok 2" in tap("echo '# skipped: r'; echo 'ok 1 # SKIP a'; echo 'ok 2 # SKIP b'")
    yield "a program that dies is a failure", "not ok 2" in tap("echo ok 1 - a; kill -9 $$")
    yield "a program that tests nothing is a failure", "not ok 1" in tap("exit 0")
    yield "77 with a reason skips all", \
        tap("echo '# skipped: no qemu'; exit 77").endswith("1..0 # SKIP no qemu\n")

    yield "cases are added up", summary([row(GOOD), row(GOOD)]) == \
        (0, "4 passed, 0 failed, 0 skipped")
    yield "a failed case fails the run", summary([row("ok 1 - x\nnot ok 2 - y\n1..2\n", "FAIL")]) \
        == (1, "1 passed, 1 failed, 0 skipped")
    yield "a skipped case is counted", summary([row("ok 1 - x # SKIP r\nok 2 - y\n1..2\n")]) == \
        (0, "1 passed, 0 failed, 1 skipped")
    yield "a time-out after good cases fails", summary([row(GOOD, "TIMEOUT")]) == \
        (1, "2 passed, 1 failed, 0 skipped")
    yield "a program without cases fails", summary([row(""), row(GOOD)]) == \
        (1, "2 passed, 1 failed, 0 skipped")
    yield "nothing at all fails", summary([])[0] == 1
    yield "the counts of a text are added", \
        summary([row(GOOD)], "pass a\nskip b: r\n1 passed, 0 failed, 1 skipped\n") == \
        (0, "3 passed, 0 failed, 1 skipped")
    yield "a text cut short fails", summary([row(GOOD)], "pass a\npass b\n") == \
        (1, "2 passed, 1 failed, 0 skipped")


def main():
    number = failed = 0
    for number, (name, good) in enumerate(cases(), 1):
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
