#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""The layering check finds what it is there to find, and passes the tree as it is. TAP."""
import importlib.machinery
import importlib.util
import os
import pathlib
import sys

ROOT = pathlib.Path(os.environ.get("DOORWARD_SOURCE",
                                   pathlib.Path(__file__).resolve().parents[2]))

# Who includes what, and whether that is allowed.
ROWS = (
    ("src/base/range.c", '"', "base/fault.h", True),
    ("src/base/range.c", '"', "pci/config.h", False),
    ("src/pci/config.c", '"', "base/fault.h", True),
    ("src/pci/config.c", '"', "machine/tree.h", False),
    ("src/firmware/iort.c", '"', "pci/config.h", False),
    ("src/machine/read.c", '"', "firmware/iort.h", True),
    ("src/machine/read.c", '"', "isolate/graph.h", False),
    ("src/isolate/graph.c", '"', "machine/machine.h", True),
    ("src/isolate/graph.c", '"', "emul/smmu.h", False),
    ("src/emul/smmu.c", '"', "isolate/graph.h", False),
    ("src/isolate/graph.c", '"', "doorward/types.h", False),
    ("src/isolate/graph.c", "<", "doorward/types.h", True),
    ("app/json.c", '"', "base/fault.h", False),
    ("cli/main.c", '"', "app/json.h", True),
    ("cli/main.c", '"', "machine/machine.h", False),
    ("include/doorward/types.h", '"', "base/error.h", False),
    ("tests/base/test_range.c", '"', "base/fault.h", True),
)


def load():
    loader = importlib.machinery.SourceFileLoader("check_layering",
                                                  str(ROOT / "scripts/check-layering"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def main():
    check = load()
    failed = 0
    for number, (name, quote, target, allowed) in enumerate(ROWS, 1):
        path = pathlib.PurePath(name)
        good = (check.fault(path, check.folder_of(path), quote, target) is None) == allowed
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name} "
              f"{'may' if allowed else 'may not'} include {target}")
    good = check.folder_of(pathlib.PurePath("src/attic/x.c")) is None
    print(f"{'ok' if good else 'not ok'} {len(ROWS) + 1} - an unknown folder is noticed")
    print(f"1..{len(ROWS) + 1}")
    return 1 if failed or not good else 0


if __name__ == "__main__":
    sys.exit(main())
