#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""The example of ownership runs and shows what it is there to show. TAP."""
import sys

import example

BOTH = ("1", "2")


def steps(text, *cards):
    return [rf"  {text.format(rf'0000:00:0{card}.0')}" for card in cards]


AWAY = [*steps("block {}", *BOTH), *steps("tear down the vectors of {}", *BOTH)]
RESET = steps("reset {}, and see that it worked", *BOTH)

if __name__ == "__main__":
    sys.exit(example.shows("refused, handed over, contained, and back", (
        r"one card to the guest:",
        r"  refused",
        r"  msi-frame-shared: 0000:00:01.0 can raise the interrupts of 0000:00:02.0 .*",
        r"both cards to the guest:",
        *steps("unbind e1000e from {}", *BOTH), *AWAY, *RESET,
        *steps("give {} to guest", *BOTH), *steps("attach {} to container 0 of guest", *BOTH),
        r"  done",
        r"the guest's card writes to the host's memory: a fault",
        r"a card is plugged in:",
        *steps("bind e1000e to {}", "3"),
        r"  done",
        r"answered by quarantine:",
        *steps("block {}", "3"), *steps("tear down the vectors of {}", "3"),
        *steps("unbind e1000e from {}", "3"),
        r"  done",
        r"  from event \d+ to event \d+: 0000:00:01.0 can raise the interrupts of 0000:00:03.0 .*",
        r"both cards back to the host:",
        *AWAY, *steps("take {} from guest", *BOTH), *RESET, *steps("bind e1000e to {}", *BOTH),
        r"  done",
    )))
