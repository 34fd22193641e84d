#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""The example of spaces runs and shows what it is there to show. TAP."""
import sys

import example

if __name__ == "__main__":
    sys.exit(example.shows("a device in a space, and out of it", (
        r"opened, in no space yet:",
        r"  write to 0x100000: .+",
        r"attached to a space with one page:",
        r"  it arrived at physical address 0x80002000",
        r"  memory has: hello from the device",
        r"the page is unmapped:",
        r"  write to 0x100000: .*maps nothing at 0x100000.*",
    )))
