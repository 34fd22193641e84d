# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Reports that must not grow: counts per file and kind, compared with those kept."""
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = "# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause\n"


def sources():
    done = subprocess.run([ROOT / "scripts/files", "src/*.c", "app/*.c", "cli/*.c"],
                          capture_output=True, text=True, check=True)
    return done.stdout.split()


def report(command, source):
    done = subprocess.run([*command, source], cwd=ROOT, capture_output=True, text=True)
    return done.stdout + done.stderr


def compile_all(command, pattern):
    """Runs a command for each source; returns {(file, kind): [line, ...]}."""
    regex = re.compile(pattern)
    found = collections.defaultdict(set)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for text in pool.map(lambda source: report(command, source), sources()):
            for line in text.splitlines():
                match = regex.match(line)
                if match:
                    found[match.groups()].add(line)
    return {key: sorted(lines) for key, lines in found.items()}


def kept_counts(path):
    if not path.exists():
        return {}
    rows = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
    return {(row[0], row[1]): int(row[2]) for row in rows}


def compare(name, found, keep):
    path = ROOT / "scripts" / f"baseline-{name}"
    if keep:
        path.write_text(HEAD + "".join(f"{file} {kind} {len(lines)}\n"
                                       for (file, kind), lines in sorted(found.items())))
    kept = kept_counts(path)
    wrong = 0
    for key in sorted({*kept, *found}):
        before, now = kept.get(key, 0), len(found.get(key, ()))
        if now == before:
            continue
        wrong += 1
        print(f"{key[0]}: {key[1]}: {before} kept, {now} now")
        for line in found.get(key, ()):
            print(f"  {line}")
    print(f"{sum(len(lines) for lines in found.values())} known remarks in {len(sources())} files")
    return 1 if wrong else 0
