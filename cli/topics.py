#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Makes what `doorward check --explain` prints, from the documents that say it.

    topics.py MSI_MODE.md FINDINGS.md    prints a C file

A document is paragraphs, headings and items ("- "); anything else in a topic is refused.
"""
import pathlib
import re
import sys

SECTION = re.compile(r"^### `([a-z-]+)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"^# (.*)\n", re.MULTILINE)
COMMENT = re.compile(r"<!--.*?-->\n", re.DOTALL)


def plain(text):
    """Text as it is read, without what Markdown marks in it."""
    spans = re.split(r"`([^`]*)`", text)
    for at in range(0, len(spans), 2):
        spans[at] = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", spans[at])
        spans[at] = re.sub(r"\*([^*]+)\*", r"\1", spans[at])
    return " ".join("".join(spans).split())


def parts(name, text):
    """(kind, text) of each heading, paragraph and item."""
    found = []
    for line in text.splitlines():
        if re.match(r"[|`>#]{2,}|\||    |\d+\. ", line) and not line.startswith("## "):
            sys.exit(f"{name}: cannot be shown: {line}")
        if line.startswith("## "):
            found.append(["HEADING", line[3:]])
        elif line.startswith("- "):
            found.append(["ITEM", line[2:]])
        elif not line.strip():
            found.append(None)
        elif found and found[-1] and (found[-1][0] != "ITEM" or line.startswith("  ")):
            found[-1][1] += " " + line
        else:
            found.append(["PARAGRAPH", line])
    return [(part[0], plain(part[1])) for part in found if part]


def said_once(findings, section):
    """What stands before all findings, and is meant by a word of this one's weight."""
    weight = re.search(r"^- Weight: (.*?)(?=^-|\Z)", section, re.MULTILINE | re.DOTALL)[1]
    before = findings[:SECTION.search(findings).start()]
    for word, sentence in (("reach", r"By the policy \*strict\*.*?\n\n"),
                           ("firm", r"Findings that Linux .*?\n\n")):
        if re.search(rf"\b{word}\b", weight):
            yield from parts(word, re.search(sentence, before, re.DOTALL)[0])


def topics(mode, findings):
    text = COMMENT.sub("", mode)
    title = TITLE.search(text)
    yield "msi-mode", plain(title[1]), parts("msi-mode", text[title.end():])
    for code, section in SECTION.findall(findings):
        yield code, "a finding", parts(code, section) + list(said_once(findings, section))


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("??", "?\\?") + '"'


def main():
    mode, findings = (pathlib.Path(name).read_text() for name in sys.argv[1:])
    listed = list(topics(mode, findings))
    print('#include "cli/topic.h"\n')
    for number, (_, _, content) in enumerate(listed):
        print(f"static const struct cli_topic_part parts_{number}[] = {{")
        for kind, text in content:
            print(f"\t{{ CLI_TOPIC_{kind}, {quoted(text)} }},")
        print("\t{ CLI_TOPIC_HEADING, 0 },\n};\n")
    print("const struct cli_topic cli_topics[] = {")
    for number, (name, title, _) in enumerate(listed):
        print(f"\t{{ {quoted(name)}, {quoted(title)}, parts_{number} }},")
    print("\t{ 0, 0, 0 },\n};\n")
    print(f"const char cli_topic_names[] = {quoted(' '.join(topic[0] for topic in listed))};")


if __name__ == "__main__":
    main()
