# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Named checks of what one machine brought out: Doorward against the kernel, and against itself
on another computer. Each check returns its complaints; none is a pass."""
import fnmatch
import functools
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import expected
from machine import IDENTITY

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
EXIT_OF = {"safe": 0, "unsafe": 3, "unknown": 4}


class Results:
    """What one machine sent, and the program here that must agree with the one in there."""

    def __init__(self, machine, directory, doorward):
        self.machine = machine
        self.directory = pathlib.Path(directory)
        self.doorward = str(doorward)

    def path(self, name):
        return self.directory / f"{self.machine.name}.{name}"

    def text(self, name):
        return self.path(name).read_text(errors="replace")

    @functools.cached_property
    def answers(self):
        """[(question, answer, exit status)] as given in the machine."""
        rows = []
        for part in self.text("answers").split("@ASK ")[1:]:
            question, rest = part.split("\n", 1)
            answer, status = rest.rsplit("@EXIT ", 1)
            rows.append((question, answer, int(status)))
        return rows

    def document(self, question):
        return next(json.loads(answer) for asked, answer, _ in self.answers if asked == question)

    @functools.cached_property
    def checks(self):
        """{function: (document, exit status)} of the strict verdicts."""
        start = "--json check "
        return {asked[len(start):]: (json.loads(answer), status)
                for asked, answer, status in self.answers if asked.startswith(start)}

    @functools.cached_property
    def groups(self):
        """{function: row of groups --json}, PCI only."""
        return {row["function"]: row for row in self.document("--json groups")["functions"]
                if "class" in row}

    @functools.cached_property
    def trial(self):
        """Lines of trial.sh, split into fields; None on machines without a trial."""
        if not self.machine.trial:
            return None
        return [line.split("\t") for line in self.text("trial").splitlines()]

    @functools.cached_property
    def kernels_groups(self):
        """{function: number or None}, by the kernel's own listing."""
        rows = [line.split(" ") for line in self.text("groups.txt").splitlines()]
        return {row[0]: int(row[2]) if row[1] == "group" else None for row in rows}

    def here(self, words):
        """In the machines' locale, which decides how a tree is drawn."""
        return subprocess.run([self.doorward, "--machine", str(self.path("tar")), *words],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              env={**os.environ, "LC_ALL": "C"})


def first_difference(there, here):
    for number, (a, b) in enumerate(zip(there.splitlines(), here.splitlines()), 1):
        if a != b:
            return f"line {number}: there {a!r}, here {b!r}"
    return f"{len(there)} bytes there, {len(here)} here"


def same_elsewhere(results):
    """The same question to the capture, on this computer: the same bytes."""
    if not results.answers:
        return ["no answers came out"]
    complaints = []
    for question, there, status in results.answers:
        done = results.here(question.split(" "))
        here = done.stdout.decode(errors="replace")
        if here != there:
            complaints.append(f"{question}: {first_difference(there, here)}")
        if done.returncode != status:
            complaints.append(f"{question}: exit {status} there, {done.returncode} here")
    return complaints


def capture_of_capture(results):
    """Capturing a capture loses nothing and adds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        again = pathlib.Path(folder, "again.tar")
        done = results.here(["capture", "-o", str(again)])
        if done.returncode:
            return [done.stdout.decode(errors="replace")]
        before, after = members(results.path("tar").read_bytes()), members(again.read_bytes())
    return [f"{name}: differs in a capture of the capture" for name in sorted({*before, *after})
            if before.get(name) != after.get(name)]


def members(packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return {member.name: archive.extractfile(member).read() if member.isreg()
                else member.linkname for member in archive}


def no_identity(results):
    """No serial number, MAC address or host name of the machine is in its capture."""
    packed = results.path("tar").read_bytes()
    found = {word for word in IDENTITY if word.encode() in packed}
    # QEMU counts up from 52:54:00:12:34:56; a device serial number holds it back to front.
    for mac in (b"52:54:00:12:34", b"525400", bytes.fromhex("5254001234"),
                bytes.fromhex("12ffff005452"), bytes.fromhex("12fffe005452")):
        found |= {f"MAC address {mac!r}"} if mac in packed else set()
    return [f"the capture holds {word}" for word in sorted(found)]


def kernels_groups_shown(results):
    """`doorward groups` shows the groups that busybox found in the same machine."""
    shown = {function: row["group"] for function, row in results.groups.items()}
    return [f"{function}: the kernel says {results.kernels_groups.get(function, 'nothing')}, "
            f"doorward {shown.get(function, 'nothing')}"
            for function in sorted({*shown, *results.kernels_groups})
            if shown.get(function, -1) != results.kernels_groups.get(function, -1)]


def partition_of(numbers):
    """The same groups whatever their numbers: a set of sets."""
    groups = {}
    for function, number in numbers.items():
        groups.setdefault(number if number is not None else function, set()).add(function)
    return {frozenset(group) for group in groups.values()}


def prediction_holds(results):
    """Predicted groups are the kernel's, but for differences that are written down."""
    rows = [row for row in expected.EXPECTED_DIFFERENCES
            if fnmatch.fnmatch(results.machine.name, row.machines)]
    complaints, seen = [], set()
    for function, shown in sorted(results.groups.items()):
        if shown["same"]:
            continue
        allowed = [row for row in rows if row.code == shown["difference"] and row.allows(shown)]
        seen |= set(allowed)
        if not allowed:
            complaints.append(f"{function}: {shown['difference']}: {shown['explanation']}")
    complaints += [f"nothing shows {row.code} ({row.about})" for row in rows
                   if row.seen and row not in seen]
    # Independent of what the program calls the same: by set comparison, of all in a group.
    grouped = {f for f, number in results.kernels_groups.items() if number is not None}
    kernel = partition_of({f: results.kernels_groups[f] for f in grouped})
    ours = partition_of({f: results.groups[f]["predicted"] for f in grouped if f in results.groups})
    complaints += [f"the kernel makes a group of {', '.join(sorted(group))}; not predicted"
                   for group in sorted(kernel - ours, key=sorted)]
    return complaints


def verdicts_agree(results):
    """Exit status, answer and findings of a check tell the same."""
    complaints = []
    for function, (document, status) in results.checks.items():
        counting = {f["weight"] for f in document["findings"] if not f["waived"]}
        answer = ("unsafe" if "blocks" in counting else
                  "unknown" if "open" in counting else "safe")
        if document["answer"] != answer or status != EXIT_OF[answer]:
            complaints.append(f"{function}: findings say {answer}, the answer is "
                              f"{document['answer']}, exit {status}")
    listed = {row["function"]: row for row in results.document("--json list")["functions"]}
    for function, (document, _) in results.checks.items():
        if listed[function]["verdict"] != document["answer"]:
            complaints.append(f"{function}: list says {listed[function]['verdict']}, check "
                              f"{document['answer']}")
        if listed[function]["grade"] != document["grade"]:
            complaints.append(f"{function}: list grades it {listed[function]['grade']}, check "
                              f"{document['grade']}")
    return complaints


def grades(results):
    """How interrupts are separated, and what must be found, by the kind of machine."""
    kind = results.machine.kind.name
    complaints = []
    for function, (document, _) in results.checks.items():
        behind = results.groups[function]["cause"] == "alias"
        allowed = expected.GRADES[kind] | (expected.GRADES_BEHIND_BRIDGE if behind else set())
        if document["grade"] not in allowed:
            complaints.append(f"{function}: grade {document['grade']}, not one of {allowed}")
        found = {(f["code"], f["weight"]) for f in document["findings"]}
        complaints += [f"{function}: no {code} that {weight}"
                       for code, weight in expected.FINDINGS.get(kind, ())
                       if (code, weight) not in found]
    return complaints


def split_switch(results):
    """Below a switch without ACS: what Linux separates and the hardware does not is told."""
    machine = results.machine
    count = expected.SPLIT_SWITCH.get(machine.topology)
    if count is None or not machine.kind.name.startswith(("x86-intel", "arm64-its-acpi")):
        return []
    told = []
    for function, (document, _) in results.checks.items():
        for finding in document["findings"]:
            other = finding["blocker"]
            if finding["code"] == "kernel-group-too-small" and finding["path"] and \
                    results.kernels_groups[function] != results.kernels_groups[other]:
                told.append(function)
    complaints = [] if len(set(told)) == count else \
        [f"kernel-group-too-small for {sorted(set(told))}, expected {count} functions"]
    for function in set(told):
        codes = {f["code"] for f in results.checks[function][0]["findings"]
                 if f["weight"] == "blocks"}
        if "peer-dma" not in codes:
            complaints.append(f"{function}: kernel-group-too-small without a peer-dma that blocks")
    return complaints


def vfio_agrees(results):
    """What `--policy linux` calls safe VFIO hands out, and refuses the rest for the same reason."""
    complaints, count = [], 0
    for row in results.trial:
        if row[0] != "verdict" or row[3] != "linux":
            continue
        count += 1
        _, function, when, _, answer, codes, result = row
        allowed = {"attached"} if answer == "safe" else \
            {refusal for code in codes.split() for refusal in expected.REFUSALS.get(code, ())}
        if result not in allowed:
            complaints.append(f"{function} ({when}): {answer} ({codes}), and VFIO says: {result}")
    return complaints or ([] if count else ["no verdict was tried"])


def remedies_work(results):
    """Advice that was typed as it was printed takes its finding away."""
    stays = {code for machines, codes in expected.NO_REMEDY for code in codes
             if fnmatch.fnmatch(results.machine.name, machines)}
    complaints = []
    for row in results.trial:
        if row[0] == "verdict" and row[2] == "remedied":
            left = set(row[5].split()) - {"-"} - stays
            if left:
                complaints.append(f"{row[1]}: under {row[3]} {', '.join(sorted(left))} stays")
        elif row[0] == "remedy":
            _, function, policy, code, blocker, _, gone, command = row
            if gone != "gone":
                complaints.append(f"{function}: {policy}: {code} of {blocker} stays after: "
                                  f"{command}")
        elif row[0] != "verdict":
            complaints.append("\t".join(row))
    return complaints


def schemas(results):
    """Every document is as docs/schema says."""
    import schema  # here: only this check needs python3-jsonschema
    known = schema.Schemas(pathlib.Path(__file__).resolve().parents[2])
    return [f"{question}: {line}" for question, answer, _ in results.answers
            if "--json" in question for line in known.complaints(json.loads(answer))]


CHECKS = (same_elsewhere, capture_of_capture, no_identity, kernels_groups_shown,
          prediction_holds, verdicts_agree, grades, split_switch, schemas)
TRIAL_CHECKS = (vfio_agrees, remedies_work)


def grade(results):
    """[(name, complaints)] of all checks."""
    rows = []
    for check in CHECKS + (TRIAL_CHECKS if results.machine.trial else ()):
        try:
            complaints = check(results)
        except (OSError, ValueError, KeyError, StopIteration, tarfile.TarError) as why:
            complaints = [f"{type(why).__name__}: {why}"]
        rows.append((check.__name__.replace("_", " "), complaints))
    return rows


def contracts_of(machine):
    """Names of the outputs of contract.sh."""
    over_vfio = ("vfio", "irq-edu", "irq-e1000e", "table")
    return over_vfio + (("kvm", "way") if machine.guests else ())


def contract(path, contract_name):
    """[(name, complaints)] of the cases of one contract, as the machine printed them."""
    rows, complaints = [], []
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    for line in lines:
        if line.startswith("# "):
            complaints.append(line[2:])
        elif line.startswith(("ok ", "not ok ")):
            failed = line.startswith("not ok ")
            name = line.removeprefix("not ").removeprefix("ok ")
            rows.append((f"contract {contract_name}: {name}",
                         complaints or ["failed"] if failed else []))
            complaints = []
    if not lines or lines[-1] != f"1..{len(rows)}" or not rows:
        rows.append((f"contract {contract_name}: whole",
                     ["the program did not come to its end", *lines[-3:]]))
    return rows
