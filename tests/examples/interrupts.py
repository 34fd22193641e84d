#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""The example of interrupts runs and shows what it is there to show. TAP."""
import sys

import example

if __name__ == "__main__":
    sys.exit(example.shows("a vector, masked and unmasked, to a CPU of the guest", (
        r"the guest has programmed a vector:",
        r"  CPU 0 of the guest has vector 0x41",
        r"it masks the vector, which is raised twice:",
        r"  CPU 0 of the guest has nothing",
        r"it unmasks the vector:",
        r"  CPU 0 of the guest has vector 0x41",
        r"  CPU 0 of the guest has nothing",
    )))
