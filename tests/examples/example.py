# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Runs an example and looks at what it prints."""
import os
import re
import subprocess


def shows(name, expected):
    """One test of TAP: the lines are those expected. What a program exits with."""
    done = subprocess.run([os.environ["EXAMPLE"]], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    good = done.returncode == 0 and len(lines) == len(expected) and \
        all(re.fullmatch(wanted, line) for wanted, line in zip(expected, lines))
    print("\n".join(f"# {line}" for line in [*lines, *done.stderr.splitlines()]))
    print(f"{'' if good else 'not '}ok 1 - {name}\n1..1")
    return 0 if good else 1
