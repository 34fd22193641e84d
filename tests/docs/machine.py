#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""docs/machine-format.md tells of every field and word of the schema and of no others, and the
described machines of examples/machines load. TAP."""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("DOORWARD_SOURCE",
                                   pathlib.Path(__file__).resolve().parents[2]))
DOORWARD = os.environ.get("DOORWARD", "doorward")
SCHEMA = ROOT / "app/machine_yaml_schema.c"
DOCUMENT = ROOT / "docs/machine-format.md"
EXAMPLES = ROOT / "examples/machines"

# Array of the schema -> heading of the document.
SECTIONS = {
    "app_machine_fields": "The machine", "iommu_fields": "iommus",
    "controller_fields": "controllers", "function_fields": "functions", "bar_fields": "bars",
    "quirk_fields": "acs_quirk", "message_fields": "msi_message",
    "platform_fields": "platform_devices", "id_map_fields": "id_maps", "group_fields": "groups",
    "region_fields": "regions", "partition_fields": "partitions", "vector_fields": "vectors",
    "remark_fields": "remarks",
}
FIELD = re.compile(r"\b(?:TEXTS?|NEEDED_TEXT|NUMBER|NEEDED_NUMBER|NUMBER_OR_NOT|TRUTH|TRUTH_OR_NOT|"
                   r"ONE_OF|NEEDED_ONE_OF|ONE_OF_OR_NOT|LIST)\(\s*(\w+),|CYAML_FIELD_\w+_PTR\(\s*"
                   r'"(\w+)"')
NEEDED = re.compile(r"\bNEEDED_\w+\(\s*(\w+),")
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*?) \| .* \|$", re.MULTILINE)


def arrays():
    """{array: its text} of the schema, with what its macros stand for."""
    text = SCHEMA.read_text()
    common = re.search(r"#define COMMON_FIELDS(.*?[^\\])\n", text, re.DOTALL).group(1)
    found = re.findall(r"cyaml_schema_field_t (\w+)\[\] = \{\n(.*?)^\};", text,
                       re.DOTALL | re.MULTILINE)
    return {name: body.replace("COMMON_FIELDS", common) for name, body in found}


def sections():
    found = re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(),
                       re.DOTALL | re.MULTILINE)
    return dict(found)


def fields(body):
    return [first or second for first, second in FIELD.findall(body)]


def differences():
    told = sections()
    if sorted(arrays()) != sorted(SECTIONS):
        yield f"arrays of the schema: {sorted(set(arrays()) ^ set(SECTIONS))}"
        return
    for array, body in arrays().items():
        heading = SECTIONS[array]
        rows = [name for name, *_ in ROW.findall(told.get(heading, ""))]
        known = fields(body)
        if len(known) < 2:
            yield f"{array} has hardly any field"
        for name in known:
            if rows.count(name) != 1:
                yield f"{heading}: {name} has {rows.count(name)} rows"
        for name in rows:
            if name not in known:
                yield f"{heading}: {name} is told, but no field"


def needed():
    told = sections()
    for array, body in arrays().items():
        for name, _, default in ROW.findall(told.get(SECTIONS[array], "")):
            if (default == "has to be told") != (name in NEEDED.findall(body)):
                yield f"{SECTIONS[array]}: {name}: {default}"


def words():
    text, told = SCHEMA.read_text(), DOCUMENT.read_text()
    lists = re.findall(r"cyaml_strval_t \w+\[\] = \{(.*?)\};", text, re.DOTALL)
    if len(lists) < 10:
        yield "the schema has hardly any list of words"
    for word in (word for body in lists for word in re.findall(r'"([^"]+)"', body)):
        if not re.search(rf"`\[?{re.escape(word)}\]?`", told):
            yield f"{word} is not told"


def loading(path):
    done = subprocess.run([DOORWARD, "--machine", str(path), "list"], capture_output=True,
                          text=True, check=False)
    if done.returncode or done.stderr:
        yield f"exit {done.returncode}: {done.stderr.strip()}"


def unlisted():
    told = (EXAMPLES / "README.md").read_text()
    for path in sorted(EXAMPLES.glob("*.yaml")):
        if f"`{path.name}`" not in told:
            yield f"{path.name} is not in examples/machines/README.md"


def main():
    cases = [("each field has one row, and each row is of a field", list(differences())),
             ("what has to be told is what the schema needs", list(needed())),
             ("each word is told", list(words())),
             ("each example is listed", list(unlisted()))]
    cases += [(f"{path.name} loads", list(loading(path)))
              for path in sorted(EXAMPLES.glob("*.yaml"))]
    for number, (name, faults) in enumerate(cases, 1):
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults:
            print(f"# {fault}")
    print(f"1..{len(cases)}")
    return 1 if any(faults for _, faults in cases) else 0


if __name__ == "__main__":
    sys.exit(main())
