#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""The example of spaces runs and shows what it is there to show. TAP."""
import os
import re
import subprocess
import sys

EXPECTED = (
    r"opened, in no space yet:",
    r"  write to 0x100000: .+",
    r"attached to a space with one page:",
    r"  it arrived at physical address 0x80002000",
    r"  memory has: hello from the device",
    r"the page is unmapped:",
    r"  write to 0x100000: .*maps nothing at 0x100000.*",
)


def main():
    done = subprocess.run([os.environ["EXAMPLE"]], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    good = done.returncode == 0 and len(lines) == len(EXPECTED) and \
        all(re.fullmatch(wanted, line) for wanted, line in zip(EXPECTED, lines))
    print("\n".join(f"# {line}" for line in [*lines, *done.stderr.splitlines()]))
    print(f"{'' if good else 'not '}ok 1 - a device in a space, and out of it\n1..1")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
