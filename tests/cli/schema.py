# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Checks documents against docs/schema."""
import json
import pathlib
import re

import jsonschema


class Schemas:
    def __init__(self, root):
        self.folder = pathlib.Path(root) / "docs/schema"
        self.store = {path.name: json.loads(path.read_text())
                      for path in self.folder.glob("*.json")}

    def complaints(self, document):
        """What is wrong with a document, by the schema that it names itself."""
        kind = re.fullmatch(r"doorward/([a-z]+)/1", str(document.get("schema")))
        if not kind or kind.group(1) + ".json" not in self.store:
            return [f"no schema is named by {document.get('schema')!r}"]
        schema = self.store[kind.group(1) + ".json"]
        resolver = jsonschema.RefResolver("", schema, store=self.store)
        checker = jsonschema.Draft202012Validator(schema, resolver=resolver)
        return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(document)]
