#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""The command as people and scripts meet it: words, exit codes, pipes, terminals. TAP."""
import io
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tarfile
import tempfile

import schema

ROOT = pathlib.Path(os.environ.get("DOORWARD_SOURCE",
                                   pathlib.Path(__file__).resolve().parents[2]))
DOORWARD = os.environ.get("DOORWARD", "doorward")
SWITCH = str(ROOT / "tests/cli/data/switch.tar.xz")
DESCRIBED = str(ROOT / "examples/machines/v2m.yaml")
FRAMES = str(ROOT / "examples/machines/arm64-v2m-6.12-rootports.tar.xz")
SCHEMAS = schema.Schemas(ROOT)
TREE = tempfile.TemporaryDirectory()
CASES = []


def case(function):
    CASES.append(function)
    return function


def run(*words, **options):
    options.setdefault("capture_output", True)
    options.setdefault("text", True)
    return subprocess.run([DOORWARD, *words], check=False, **options)


def on_switch(*words, **options):
    """Most cases look at the unpacked tree, which is faster."""
    return run("--sysroot", TREE.name, *words, **options)


def expect(done, code, *parts, stream="stderr"):
    text = getattr(done, stream)
    assert done.returncode == code, f"exit {done.returncode}, not {code}: {text}{done.stdout}"
    for part in parts:
        assert part in text, f"{part!r} is not in: {text}"


def on_terminal(words, columns, **environment):
    """Output of the command with a terminal of that width as standard output."""
    import fcntl
    import struct
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    child = subprocess.Popen([DOORWARD, *words], stdout=follower, stderr=subprocess.DEVNULL,
                             env={**os.environ, "TERM": "xterm", **environment})
    os.close(follower)
    out = b""
    while True:
        try:
            block = os.read(leader, 65536)
        except OSError:  # Linux says EIO when the last follower is closed
            break
        if not block:
            break
        out += block
    child.wait()
    os.close(leader)
    return out.decode()


@case
def alone_it_explains_itself():
    expect(run(), 2, "usage: doorward", "check DEV", "Begin with", stream="stdout")


@case
def every_verb_has_help():
    for verb in ("list", "check", "why", "reach", "trace", "simulate", "groups", "capture",
                 "help"):
        expect(run("help", verb), 0, f"usage: doorward {verb}", stream="stdout")
        assert run(verb, "--help").stdout == run("help", verb).stdout
    expect(run("help", "frobnicate"), 2, "no verb")


@case
def help_fits_100_columns():
    for words in (("help",), ("help", "check"), ("help", "list"), ("help", "capture")):
        for line in run(*words).stdout.splitlines():
            assert len(line) <= 100, line


@case
def typos_get_suggestions():
    expect(run("chekc", "eth0"), 2, 'did you mean "check"?')
    expect(run("list", "--jsno"), 2, "did you mean --json?")
    expect(run("eth0"), 2, "doorward check eth0")
    expect(on_switch("list", "-o", "GROPU"), 2, "did you mean GROUP?")
    expect(on_switch("check", "eth0", "--accept", "peer-dam"), 2, 'did you mean "peer-dma"?')
    expect(on_switch("check", "eth0", "--suppose", "asc=00:1c.0"), 2, 'did you mean "acs"?')


@case
def wrong_use_is_exit_2():
    expect(run("check"), 2, "needs DEV", "for example")
    expect(run("why", "eth0"), 2, "needs DEV DEV")
    expect(run("list", "eth0"), 2, "takes no device")
    expect(run("list", "--to", "x"), 2, "does not take --to")
    expect(run("list", "-Z"), 2, "no option -Z")
    expect(run("list", "--json=yes"), 2, "takes no argument")
    expect(run("list", "--policy", "lax"), 2, "strict linux")
    expect(run("list", "--machine"), 2, "needs FILE")
    expect(run("list", "--machine", "a", "--sysroot", "b"), 2, "exclude each other")
    expect(run("list", "--machine", ""), 2, "not an empty word")
    expect(on_switch("check", "eth0", "--suppose", "acs"), 2, "write it as")
    expect(on_switch("check", "eth0", "--suppose", "owner=eth0"), 2, "a device and a name")


@case
def options_stand_anywhere():
    plain = on_switch("list", "-n", "-r", "-o", "FUNCTION").stdout
    assert plain.splitlines()[0] == "0000:00:00.0"
    for words in (("-m", SWITCH, "list", "-nroFUNCTION"), ("list", "-nr", "-o", "function", "-m", SWITCH),
                  ("--machine=" + SWITCH, "list", "--raw", "--no-headings", "--columns=FUNCTION"),
                  ("-n", "-r", "-o", "FUNCTION", "-m", SWITCH, "list")):
        assert run(*words).stdout == plain, words


@case
def exit_codes_tell_the_answer():
    expect(on_switch("check", "0000:06:00.0"), 0, "SAFE: ", stream="stdout")
    expect(on_switch("check", "eth0"), 3, "NOT SAFE: ", "peer-dma", "what to do:", stream="stdout")
    expect(run("--machine", "/nonexistent", "list"), 1, "No such file")
    expect(run("--sysroot", "/nonexistent", "list"), 1, "No such file")


@case
def devices_by_any_name():
    answers = {on_switch("check", word).stdout for word in
               ("0000:04:00.0", "04:00.0", "4:0.0", "eth0", "8086:10d3",
                "/sys/bus/pci/devices/0000:04:00.0", "/sys/class/net/eth0",
                "/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/0000:02:01.0/0000:04:00.0/")}
    assert len(answers) == 1, answers


@case
def segments_may_be_left_out_where_nothing_is_lost():
    members = []
    with tarfile.open(SWITCH) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member).read() if member.isreg() else \
                member.linkname.replace("0000:0", "0003:0")
            members.append((member.name.replace("0000:0", "0003:0"), member.type, content))
    done = run("-m", "-", "check", "04:00.0", input=archive_of(members), text=False)
    assert b"give 0003:04:00.0 to" in done.stdout, done
    done = run("-m", "-", "check", "0000:04:00.0", input=archive_of(members), text=False)
    assert b"0003:04:00.0" in done.stderr and done.returncode == 1, done


@case
def missing_devices_suggest_near_ones():
    expect(on_switch("check", "eth1"), 1, "there is no device eth1", "eth0")
    expect(on_switch("check", "0000:04:10.0"), 1, "0000:04:00.0")
    expect(on_switch("check", "4:0.1"), 1, "near matches: 04:00.0")
    expect(on_switch("check", "8086:10d4"), 1, "8086:10d3")
    expect(on_switch("check", "1b36:0010"), 1, "any of 2 functions", "0000:03:00.0", "0000:06:00.0")
    expect(on_switch("check", "quetzalcoatl"), 1, "doorward list")


@case
def suppositions_change_the_answer():
    ports = "acs=02:00.0,acs=02:01.0,acs=02:02.0"
    expect(on_switch("check", "eth0"), 3)
    done = on_switch("check", "eth0", "--suppose", ports)
    expect(done, 0, "supposed: " + ports, stream="stdout")
    expect(on_switch("check", "06:00.0", "--suppose", "owner=06:00.0:vm1", "--to", "vm2"), 3,
           "already-owned", stream="stdout")
    expect(on_switch("check", "06:00.0", "--suppose", "msi-parent=06:00.0:nowhere"), 1,
           "no MSI controller")
    done = on_switch("check", "eth0", "--suppose", ports + ",space=eth0:identity")
    expect(done, 3, "space-identity", "all memory", stream="stdout")
    expect(on_switch("check", "eth0", "--suppose", ports + ",space=eth0:blocked"), 0)
    # The peer stays where it is, and the card can write its registers.
    done = on_switch("check", "eth0", "--suppose", "owner=nvme0:nobody,owner=nvme1:nobody,"
                     "owner=06:00.0:nobody,space=nvme0:identity")
    expect(done, 3, "which 0000:04:00.0 can get at", stream="stdout")


@case
def accepted_risks():
    whole = ("check", "eth0", "--accept", "peer-dma")
    expect(on_switch(*whole), 0, "accepted  peer-dma", stream="stdout")
    expect(on_switch("check", "eth0", "--accept", "peer-dma@eth0"), 0)
    expect(on_switch("check", "eth0", "--accept", "peer-dma@nvme1"), 3)
    with tempfile.TemporaryDirectory() as folder:
        policy = pathlib.Path(folder, "policy")
        policy.write_text("# for the fleet\n\npeer-dma 8086:10d3 # lab machines only\n"
                          "peer-dma 0042:00:00.0\n")
        expect(on_switch("check", "eth0", "--accept-policy", str(policy)), 0,
               "accepted:   lab machines only", stream="stdout")
        policy.write_text("peer-dma 0000:03:00.0\n")
        expect(on_switch("check", "eth0", "--accept-policy", str(policy)), 3)
        policy.write_text("\npeer-dma a b\n")
        expect(on_switch("check", "eth0", "--accept-policy", str(policy)), 2, ":2: ")
        policy.write_text("no-such-code\n")
        expect(on_switch("check", "eth0", "--accept-policy", str(policy)), 2, ":1: ")
        policy.write_text("x" * 5000)
        expect(on_switch("check", "eth0", "--accept-policy", str(policy)), 2, "too long")
        expect(on_switch("check", "eth0", "--accept-policy", folder + "/none"), 1, "No such file")


@case
def traces_end_somewhere():
    expect(on_switch("trace", "eth0", "0"), 0, "vector", "driver e1000e of the host takes it",
           "It arrives.", stream="stdout")
    expect(on_switch("trace", "eth0", "0", "--suppose", "driver=eth0:none"), 3,
           "uses no MSI-X now: no driver is bound", "goes no further",
           "With --model:", stream="stdout")
    done = on_switch("--json", "trace", "eth0", "1", "--model")
    trace = json.loads(done.stdout)
    assert done.returncode == 0 and trace["arrives"] and trace["model"], done.stdout
    hops = [hop["hop"] for hop in trace["hops"]]
    assert hops[0] == "vector" and hops[-1] == "vcpu" and "eventfd" in hops, hops
    expect(on_switch("trace", "eth0", "5000"), 1, "has MSI-X vectors 0 to")
    expect(on_switch("trace", "eth0", "first"), 2, "no vector")
    expect(on_switch("trace", "eth0"), 2, "DEV VECTOR", "doorward trace eth0 0")
    expect(on_switch("trace", "eth0", "0", "--modle"), 2, "--model")


@case
def ties_and_reach():
    expect(on_switch("why", "eth0", "nvme0"), 0, "can write the registers", "02:01.0",
           stream="stdout")
    expect(on_switch("why", "eth0", "eth0"), 2, "same function")
    expect(on_switch("reach", "eth0"), 0, "controls 0000:03:00.0", stream="stdout")
    expect(on_switch("reach", "nvme1"), 0, "reaches nothing", stream="stdout")


def space_of(*words):
    """The space that a function is said to be in, and what a client's always contains."""
    space = json.loads(on_switch("--json", "reach", *words).stdout)["space"]
    return space["now"], space["supposed"], space["client"]


@case
def the_space_of_a_function():
    window = {"reserved": [{"start": "0xfee00000", "last": "0xfeefffff", "kind": "msi"}],
              "doorbell_pages": []}
    assert space_of("eth0") == ("dma", False, window), space_of("eth0")
    for kind in ("identity", "blocked"):
        assert space_of("eth0", "--suppose", "space=eth0:" + kind) == (kind, True, window)
    assert space_of("eth0", "--suppose", "owner=eth0:vm1") == ("client", False, window)
    assert space_of("eth0", "--suppose", "driver=eth0:none")[0] == "dma"
    # A bridge is never a client's.
    assert space_of("02:00.0") == ("dma", False, None), space_of("02:00.0")
    expect(on_switch("reach", "eth0"), 0, "space now: dma", "its driver e1000e", "0xfee00000",
           "every writer is checked", stream="stdout")
    expect(on_switch("reach", "eth0", "--suppose", "driver=eth0:none"), 0,
           "no memory: nothing in it", stream="stdout")
    # What others of its group have mapped is mapped for it, too.
    expect(on_switch("reach", "00:1f.2", "--suppose", "driver=00:1f.2:none"), 0, "of its kernel group",
           "lpc_ich of 0000:00:1f.0", "direct regions", stream="stdout")
    assert space_of("00:1f.3", "--suppose", "owner=00:1f.2:vm1")[0] == "client"
    expect(on_switch("reach", "eth0", "--suppose", "driver=eth0:vfio-pci"), 0, "no memory, unless",
           stream="stdout")
    done = on_switch("reach", "eth0", "--suppose", "space=eth0:identity")
    expect(done, 0, "identity (supposed)", "touches all memory", "space of kernel group 6",
           stream="stdout")
    assert "touches space" not in done.stdout, done.stdout
    # Its port is in the same group, and has the same space.
    assert space_of("02:01.0", "--suppose", "space=eth0:blocked")[0] == "blocked"
    assert space_of("nvme0", "--suppose", "space=eth0:blocked")[0] == "dma"
    memory = json.loads(on_switch("--json", "reach", "eth0", "--suppose",
                                  "space=eth0:identity").stdout)["memory"]
    assert memory == [{"start": "0x0", "last": "0xffffffffffffffff", "read": True, "write": True,
                       "space_of": "0000:02:01.0", "assumed": False, "unknown": False}], memory
    expect(on_switch("reach", "eth0", "--suppose", "space=eth0:idenity"), 1, '"identity"')
    for nameless in ("space=eth0", "space=04:00.0", "space=0000:04:00.0", "space=:blocked"):
        expect(on_switch("reach", "eth0", "--suppose", nameless), 2, "a device and a name")


@case
def a_doorbell_page_and_what_lies_in_it():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        with tarfile.open(FRAMES) as archive:
            archive.extractall(root)
        small = run("--sysroot", folder, "--json", "reach", "nvme0")
        page, = json.loads(small.stdout)["space"]["client"]["doorbell_pages"]
        assert page == {"start": "0x8020000", "last": "0x8020fff",
                        "doorbells": "GICv2m frame 0x08020000", "with_it": None}, page
        (root / "doorward/host").write_text("arch=aarch64\npage_size=65536\n")
        resource = next(path for path in root.rglob("resource")
                        if path.parent.name == "0000:02:00.0")
        lines = resource.read_text().splitlines()
        lines[0] = "0x0000000008024000 0x0000000008024fff 0x0000000000040200"
        resource.chmod(0o644)
        resource.write_text("\n".join(lines) + "\n")
        large = run("--sysroot", folder, "reach", "nvme0")
        expect(large, 0, "0x8020000-0x802ffff", "registers of 0000:02:00.0", stream="stdout")


@case
def groups_by_either_rule():
    expect(on_switch("groups"), 0, "hold the same functions", stream="stdout")
    done = on_switch("groups", "--rule", "bus")
    expect(done, 0, "differ", "the kernel keeps it apart from", stream="stdout")
    rows = json.loads(on_switch("groups", "--rule=bus", "--json").stdout)
    assert rows["rule"] == "bus"
    split = [row["function"] for row in rows["functions"] if row["difference"] == "split"]
    assert "0000:03:00.0" in split and "0000:06:00.0" not in split, split


@case
def topics_are_explained_without_a_machine():
    nowhere = {"PATH": "/nonexistent", "LC_ALL": "C.UTF-8"}
    done = run("check", "--explain", "msi-mode", env=nowhere, cwd="/")
    expect(done, 0, "Bypassed", "Mapped", "ward_viommu_resolve", "doorward check DEV", "GICv2m",
           "ITS", "IDENTITY", stream="stdout")
    assert not done.stderr and "`" not in done.stdout and "](" not in done.stdout, done
    for line in done.stdout.splitlines():
        assert len(line) <= 80, line
    # As the document has it: the same words.
    told = re.sub(r"<!--.*?-->", "", (ROOT / "docs/msi-mode.md").read_text(), flags=re.DOTALL)
    told = re.sub(r"\]\([^)]*\)", "", told)
    words = re.findall(r"\w+", done.stdout.removeprefix("msi-mode: "))
    assert words == re.findall(r"\w+", told), "not what docs/msi-mode.md says"


@case
def findings_are_explained():
    codes = re.findall(r"^### `(.*)`$", (ROOT / "docs/findings.md").read_text(), re.MULTILINE)
    assert len(codes) > 40, codes
    for code in codes:
        done = run("check", "--explain", code)
        expect(done, 0, code + ": a finding\n", "  - Evidence: ", "  - Weight: ", "  - Remedy: ",
               "  - Example: ", stream="stdout")
        assert not re.search(r"`|\]\(", done.stdout), done.stdout
    # Words of the weight are explained where they are used.
    expect(run("check", "--explain", "peer-dma"), 0, 'Where a row says "reach"', stream="stdout")
    expect(run("check", "--explain", "absent"), 0, "cannot be waived", stream="stdout")
    assert "waived" not in run("check", "--explain", "peer-dma").stdout


@case
def topics_that_there_are_not():
    expect(run("check", "--explain", "msi"), 2, "takes one of: msi-mode absent ", "peer-dma")
    expect(run("check", "--explain", "peer-dam"), 2, 'did you mean "peer-dma"?')
    expect(run("check", "--explain"), 2, "needs TOPIC")
    expect(run("check", "--explain="), 2, "not an empty word")
    expect(run("check", "--explain", "msi-mode", "eth0"), 2, "takes no device")
    expect(run("list", "--explain", "msi-mode"), 2, "does not take --explain")
    done = run("check", "--json", "--explain", "nope")
    assert json.loads(done.stdout)["exit"] == 2 and "persistent-state" in done.stderr, done


@case
def explanations_elsewhere():
    for columns in (40, 60, 80, 200):
        text = on_terminal(["check", "--explain", "msi-mode"], columns, NO_COLOR="1")
        for line in text.splitlines():
            assert len(line) <= min(columns, 100), f"{columns}: {line}"
    assert "\033[1mBypassed" in on_terminal(["check", "--explain", "msi-mode"], 80)
    assert "\033" not in run("check", "--explain", "msi-mode").stdout
    piped = subprocess.run(["bash", "-c", '"$0" check --explain msi-mode | head -n 1', DOORWARD],
                           capture_output=True, text=True, check=False)
    assert piped.stdout.startswith("msi-mode: ") and not piped.stderr, piped
    for topic in ("msi-mode", "peer-dma"):
        answer = json.loads(run("check", "--json", "--explain", topic).stdout)
        assert not SCHEMAS.complaints(answer) and answer["topic"] == topic, answer
    script = run("--bash-completion").stdout
    ask = ("COMP_WORDS=(doorward check --explain msi); COMP_CWORD=3; _doorward; "
           "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script + ask], capture_output=True, text=True, check=False)
    assert done.stdout.split()[:2] == ["msi-mode", "msi-not-isolated"], done


@case
def json_follows_its_schemas():
    for words in (("list",), ("check", "eth0"), ("check", "eth0", "nvme0", "--to", "vm1"),
                  ("why", "eth0", "nvme0"), ("reach", "eth0"), ("groups",),
                  ("check", "eth0", "--accept", "peer-dma"), ("check", "nope"), ("lsit",),
                  ("list", "--nope"), ("capture", "-o", "/dev/null/x")):
        answer = json.loads(on_switch(*words, "--json").stdout)
        wrong = SCHEMAS.complaints(answer)
        assert not wrong, f"{words}: {wrong}"


@case
def schemas_refuse_what_is_wrong():
    answer = json.loads(on_switch("list", "--json").stdout)
    answer["surprise"] = 1
    assert SCHEMAS.complaints(answer)
    del answer["surprise"]
    answer["functions"][0]["verdict"] = "maybe"
    assert SCHEMAS.complaints(answer)


@case
def colour_only_where_wanted():
    words = ["--sysroot", TREE.name, "check", "eth0"]
    assert "\033[" not in run(*words).stdout
    assert "\033[" in run(*words, "--color=always").stdout
    assert "\033[" in on_terminal(words, 80)
    assert "\033[" not in on_terminal(words, 80, NO_COLOR="1")
    assert "\033[" not in on_terminal(words, 80, TERM="dumb")
    assert "\033[" not in on_terminal([*words, "--color", "never"], 80)


@case
def narrow_terminals():
    for columns in (40, 60, 80, 200):
        text = on_terminal(["--sysroot", TREE.name, "check", "eth0", "--color=never"], columns)
        for line in text.splitlines():
            command = line.startswith("                  ")
            assert command or len(line) <= min(columns, 100), f"{columns}: {line}"
    table = on_terminal(["--sysroot", TREE.name, "list"], 80).splitlines()
    assert max(len(line) for line in table) <= 90, table


@case
def broken_pipes_are_quiet():
    for ignored in (False, True):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([DOORWARD, "--machine", SWITCH, "list", "--json"], stdout=writer,
                              stderr=subprocess.PIPE, check=False, restore_signals=not ignored)
        os.close(writer)
        assert done.stderr == b"", done.stderr


@case
def what_is_no_word_is_said():
    expect(run("help", "lsit"), 2, 'did you mean "list"')
    expect(run("help", "zzz"), 2, "all verbs: doorward help")
    expect(run("-m", TREE.name, "list"), 1, "a directory", "--sysroot")
    for name in ("host", "nobody"):
        expect(on_switch("check", "eth0", "--to", name), 2, "no name for a client")


@case
def lost_output_is_a_failure():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([DOORWARD, "help"], stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False)
    expect(done, 1, "cannot write")


@case
def a_capture_of_a_capture_is_the_same():
    with tempfile.TemporaryDirectory() as folder:
        one, two = folder + "/one.tar", folder + "/two.tar"
        expect(on_switch("capture", "-o", one), 0, "Wrote", stream="stdout")
        expect(run("--machine", one, "capture", "-o", two), 0)
        assert pathlib.Path(one).read_bytes() == pathlib.Path(two).read_bytes()
        piped = on_switch("capture", "-o", "-", text=False)
        assert piped.stdout == pathlib.Path(one).read_bytes()
        assert run("-m", "-", "list", input=piped.stdout, text=False).stdout == \
            on_switch("list", text=False).stdout


@case
def a_description_is_taken_as_a_capture_is():
    expect(run("--machine", DESCRIBED, "check", "eth0"), 3, "msi-frame-shared", stream="stdout")
    expect(run("--machine", DESCRIBED, "why", "01:00.0", "02:00.0"), 0)
    expect(run("--machine", DESCRIBED, "groups"), 0, "tells of no groups", stream="stdout")
    expect(run("--machine", DESCRIBED, "check", "eth0", "--suppose", "msi-parent=eth0:its"), 1,
           'there are: "frame"')
    done = run("--machine", DESCRIBED, "list", "--json")
    expect(done, 0)
    assert not SCHEMAS.complaints(json.loads(done.stdout))
    with tempfile.TemporaryDirectory() as folder:
        # By its content, whatever it is called; a name says it of a file with anything in it.
        named = pathlib.Path(folder, "machine.tar")
        named.write_text(pathlib.Path(DESCRIBED).read_text())
        assert run("-m", str(named), "list").stdout == run("-m", DESCRIBED, "list").stdout
        broken = pathlib.Path(folder, "broken.yml")
        broken.write_bytes(b"\0")
        expect(run("-m", str(broken), "list"), 1, "broken.yml:1: this is no YAML")
        broken.write_text("arch: x86\nfunctions:\n  - {address: \"00:02.0\", iommu: dmar0}\n")
        expect(run("-m", str(broken), "list"), 1,
               "broken.yml:3: functions[0].iommu: no IOMMU is called dmar0")
        expect(run("-m", folder + "/none.yaml", "list"), 1, "No such file")
        expect(run("-m", DESCRIBED, "capture", "-o", folder + "/capture.tar"), 2,
               "describes a machine; only one that is there can be captured")
        assert not pathlib.Path(folder, "capture.tar").exists()


@case
def a_capture_replaces_files_only():
    with tempfile.TemporaryDirectory() as folder:
        pipe, link, file = (pathlib.Path(folder, name) for name in ("pipe", "link", "file"))
        os.mkfifo(pipe)
        with open(folder + "/copy", "wb") as copy, \
                subprocess.Popen(["timeout", "60", "cat", pipe], stdout=copy):
            expect(on_switch("capture", "-o", str(pipe)), 0)
        captured = pathlib.Path(folder, "copy").read_bytes()
        assert pipe.is_fifo() and captured
        file.write_text("what was there before")
        link.symlink_to(file)
        expect(on_switch("capture", "-o", str(link)), 0)
        assert link.is_symlink() and file.read_bytes() == captured
        expect(on_switch("capture", "-o", folder), 1, "Is a directory")


@case
def a_tree_and_its_archive_say_the_same():
    for words in (("list",), ("groups",), ("check", "eth0"), ("list", "--json")):
        assert run("--machine", SWITCH, *words).stdout == on_switch(*words).stdout, words


def archive_of(members):
    """A tar archive in memory: (name, type, content or target)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content
                archive.addfile(info)
    return buffer.getvalue()


@case
def hostile_archives():
    with tempfile.TemporaryDirectory() as folder:
        outside = folder + "/outside"
        hostile = [
            [("../outside", tarfile.REGTYPE, b"x")],
            [(outside, tarfile.REGTYPE, b"x")],
            [("a", tarfile.SYMTYPE, folder), ("a/outside", tarfile.REGTYPE, b"x")],
            [("a", tarfile.SYMTYPE, "../.."), ("a/outside", tarfile.REGTYPE, b"x")],
            [("a", tarfile.LNKTYPE, "/etc/passwd")],
            [("a", tarfile.FIFOTYPE, "")],
            [("a", tarfile.CHRTYPE, "")],
        ]
        for members in hostile:
            done = run("-m", "-", "list", input=archive_of(members), text=False,
                       env={**os.environ, "TMPDIR": folder})
            assert done.returncode == 1, members
            assert os.listdir(folder) == [], (members, os.listdir(folder))


@case
def names_that_drive_terminals():
    members = []
    with tarfile.open(SWITCH) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member).read() if member.isreg() else member.linkname
            if member.name == "doorward/names":
                content = content.replace(b"82574L", b"825\033[31m\xc2\x9b")
            members.append((member.name, member.type, content))
    for words in (("list",), ("check", "eth0"), ("reach", "eth0"), ("groups",)):
        done = run("-m", "-", *words, input=archive_of(members), text=False)
        assert done.stdout and b"\033" not in done.stdout, done.stdout
        assert b"825?[31m??" in done.stdout, done.stdout
    answer = run("-m", "-", "list", "--json", input=archive_of(members), text=False)
    assert b"\033" not in answer.stdout


@case
def signals_clean_up():
    with tempfile.TemporaryDirectory() as folder:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            child = subprocess.Popen([DOORWARD, "-m", "-", "list"], stdin=subprocess.PIPE,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                     env={**os.environ, "TMPDIR": folder},
                                     # Under nohup it would be ignored.
                                     preexec_fn=lambda: signal.signal(signal.SIGHUP,
                                                                      signal.SIG_DFL))
            # One whole entry, and then the pipe stalls.
            child.stdin.write(archive_of([("a", tarfile.REGTYPE, b"x" * 200000)])[:150000])
            child.stdin.flush()
            while not os.listdir(folder):
                assert child.poll() is None, child.stderr.read()
            child.send_signal(number)
            child.wait()
            assert child.returncode == -number, child.returncode
            assert os.listdir(folder) == [], os.listdir(folder)
            child.stdin.close()
            child.stderr.close()


@case
def identity_stays_at_home():
    serial, host = b"\x11\x22\x33\x44\x55\x66\x77\x88", b"secrethost"
    members = []
    with tarfile.open(SWITCH) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member).read() if member.isreg() else member.linkname
            if member.name.endswith("0000:04:00.0/config"):
                assert len(content) == 4096
                at = 0x100
                while (int.from_bytes(content[at:at + 4], "little") >> 20) & 0xffc:
                    at = (int.from_bytes(content[at:at + 4], "little") >> 20) & 0xffc
                head = int.from_bytes(content[at:at + 4], "little") & 0xfffff | 0xf00 << 20
                content = bytearray(content)
                content[at:at + 4] = head.to_bytes(4, "little")
                content[0xf00:0xf0c] = b"\x03\x00\x01\x00" + serial
                content = bytes(content)
            if member.name == "proc/cmdline":
                content = content.rstrip() + b" systemd.hostname=" + host + b"\n"
            name = member.name.replace("net/eth0", "net/enx0123456789ab")
            members.append((name, member.type, content))
    source = archive_of(members)
    for words, kept in (((), False), (("--with-identity",), True)):
        done = run("-m", "-", "capture", "-o", "-", *words, input=source, text=False)
        assert done.returncode == 0, done.stderr
        for secret in (serial, host, b"0123456789ab"):
            assert (secret in done.stdout) == kept, (secret, kept)
        listing = run("-m", "-", "list", input=done.stdout, text=False)
        assert listing.returncode == 0 and b"0000:04:00.0" in listing.stdout


@case
def what_only_root_sees_is_said_once():
    members = []
    with tarfile.open(SWITCH) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member).read() if member.isreg() else member.linkname
            if member.name.endswith("/config"):
                content = content[:64]
            members.append((member.name, member.type, content))
    done = run("-m", "-", "list", input=archive_of(members), text=False)
    assert done.returncode == 0
    assert done.stderr.count(b"\n") == 1 and b"ACS" in done.stderr, done.stderr
    answer = run("-m", "-", "check", "06:00.0", input=archive_of(members), text=False)
    assert answer.returncode in (3, 4), answer.stdout


@case
def completion_knows_verbs_options_and_files():
    script = run("--bash-completion").stdout
    driver = script + """
answer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _doorward
	printf '%s\\n' "${COMPREPLY[*]}"; }
answer doorward ch
answer doorward check --pol
answer doorward check --policy l
answer doorward capture --with
answer doorward help gro
"""
    done = subprocess.run(["bash", "-c", driver], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n") == ["check", "--policy", "linux", "--with-identity", "groups",
                                       ""], (done.stdout, done.stderr)


@case
def the_manual_knows_every_word():
    manual = (ROOT / "docs/doorward.1.scd").read_text()
    verbs = re.findall(r"^  ([a-z]+)", run("help").stdout, re.MULTILINE)
    assert len(verbs) >= 7, verbs
    for verb in verbs:
        assert f"\n*{verb}*" in manual, verb
        for option in re.findall(r"--[a-z-]+", run("help", verb).stdout):
            assert f"*{option}*" in manual or f"*{option}=" in manual, (verb, option)


@case
def version():
    assert re.fullmatch(r"doorward [0-9.]+, rules [0-9]+\n", run("--version").stdout)


def main():
    failed = 0
    with tarfile.open(SWITCH) as archive:
        archive.extractall(TREE.name)
    for number, function in enumerate(CASES, 1):
        complaint = None
        try:
            function()
        except Exception as error:  # every way to fail is a failed case
            complaint = f"{type(error).__name__}: {error}"
        failed += complaint is not None
        print(f"{'ok' if complaint is None else 'not ok'} {number} - {function.__name__}")
        for line in (complaint or "").splitlines():
            print(f"# {line}")
    print(f"1..{len(CASES)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
