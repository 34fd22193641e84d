#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Records what Linux's virtio-iommu driver asks of QEMU's device, and what that answers.

QEMU runs with notify-plugin.c: after each notification the guest's CPU waits, and the rings are read
here, in guest memory that is a shared file. Text comes out, tests/virtio/traces/README.md says how it
is to be read; tests/virtio/trace.c replays it.
"""
import json
import mmap
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import fetch
import initramfs
import machine as machines_
from topologies import traced

HERE = pathlib.Path(__file__).resolve().parent
TRACES = HERE.parent / "virtio/traces"
# Of viommu-client, twice.
STEPS_SAY = ["done", "done"]

MEMORY = 1 << 30
WAIT = 60  # seconds, for QEMU to come and to go
# The interface of its plugins, the words of its log and the answers of its monitor are of this series.
QEMU = "7.2"
# Where RAM begins, and which instructions may store 16 bits (notify-plugin.c).
RAM = {"amd64": 0, "arm64": 0x40000000}
STORES = {"amd64": "ffff:8966", "arm64": "fec00000:78000000"}
FEATURES = ("INPUT_RANGE", "DOMAIN_RANGE", "MAP_UNMAP", "BYPASS", "PROBE", "MMIO", "BYPASS_CONFIG")
# In the BAR of QEMU's virtio-pci devices.
DEVICE_CONFIG, NOTIFY = 0x2000, 0x3000
CONFIG_SIZE = 40
DEVICE = (0x1AF4, 0x1057)
NEXT, WRITE, INDIRECT = 1, 2, 4
MAP, PROBE = 3, 5
# Of QEMU's IOMMUAccessFlags; 0 asks what would be allowed.
ACCESS = {1: "read", 2: "write"}


class Qmp:
    """QEMU's monitor."""

    def __init__(self, connection):
        self.file = connection.makefile("rwb")
        self.file.readline()
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "error" in answer:
                raise OSError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def physical(self, address, size):
        """Bytes of guest physical memory, also of a device."""
        text = self("human-monitor-command", **{"command-line": f"xp /{size}xb {address:#x}"})
        return bytes(int(byte, 16) for line in text.splitlines()
                     for byte in line.partition(":")[2].split())


class Queue:
    """The device's side of a split queue, read after the device is done."""

    def __init__(self, memory):
        self.memory = memory
        self.rings, self.seen = None, 0

    def rings_are(self, status):
        rings = [status[name] for name in ("vring-desc", "vring-avail", "vring-used", "vring-num")]
        if rings != self.rings:
            self.rings, self.seen = rings, 0

    def pieces(self, head):
        """(bytes, written by the device) of a chain."""
        table, index = self.rings[0], head
        while True:
            address, size, flags, index_next = self.memory.unpack("<QIHH", table + 16 * index)
            if flags & INDIRECT:
                table, index = address, 0
                continue
            yield self.memory.read(address, size), bool(flags & WRITE)
            if not flags & NEXT:
                return
            index = index_next

    def taken(self):
        """(readable part, writable part, used length) of what was used since the last call."""
        _, _, used, entries = self.rings
        last, = self.memory.unpack("<H", used + 2)
        while self.seen != last:
            head, written = self.memory.unpack("<II", used + 4 + 8 * (self.seen % entries))
            self.seen = (self.seen + 1) & 0xFFFF
            parts = list(self.pieces(head))
            yield (b"".join(p for p, w in parts if not w), b"".join(p for p, w in parts if w),
                   written)


class Memory:
    def __init__(self, base):
        self.base = base
        self.fd = os.memfd_create("guest")
        os.ftruncate(self.fd, MEMORY)
        self.map = mmap.mmap(self.fd, MEMORY)

    def read(self, address, size):
        start = address - self.base
        if not 0 <= start <= MEMORY - size:
            raise OSError(f"{address:#x} is not in the guest's memory")
        return self.map[start:start + size]

    def unpack(self, form, address):
        return struct.unpack(form, self.read(address, struct.calcsize(form)))


def packed(data):
    """Size and bytes, without the zeroes at the end."""
    return f"{len(data)}:{data.rstrip(bytes(1)).hex()}"


class Log:
    """QEMU's own account of requests and of DMA, in order: what tells the rings' story once more."""
    REQUESTS = {"attach": (1, "<II"), "detach": (2, "<II"), "map": (3, "<IQQQI"),
                "unmap": (4, "<IQQ")}
    EVENTS = (*REQUESTS, "translate", "translate_out", "report_fault")

    def __init__(self, path):
        self.path, self.file, self.rest = path, None, ""

    def lines(self):
        """(event, numbers) of what was written since the last call."""
        self.file = self.file or open(self.path, encoding="ascii")
        *whole, self.rest = (self.rest + self.file.read()).split("\n")
        for line in whole:
            event, _, text = line.partition(" ")
            numbers = re.findall(r"(?:^|[ =])(0x[0-9a-f]+|\d+)\b", text)
            yield event.removeprefix("virtio_iommu_"), [int(n, 0) for n in numbers]

    @classmethod
    def is_about(cls, event, numbers, request):
        kind, form = cls.REQUESTS[event]
        return request[0] == kind and list(struct.unpack_from(form, request, 4)) == numbers


class Recorder:
    """Stands beside one QEMU; `lines` is the trace."""

    def __init__(self, arch, plugin):
        self.folder = tempfile.TemporaryDirectory(prefix="doorward-")
        self.arch, self.plugin = arch, plugin
        self.memory = Memory(RAM[arch])
        self.queues = [Queue(self.memory), Queue(self.memory)]
        self.log = Log(f"{self.folder.name}/log")
        self.lines, self.path, self.error, self.ended = [], None, None, False
        self.dma, self.told = None, set()
        self.listening = {name: self.listen(name) for name in ("qmp", "plugin")}

    def listen(self, name):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(f"{self.folder.name}/{name}")
        listening.listen(1)
        listening.settimeout(WAIT)
        return listening

    def arguments(self):
        folder = self.folder.name
        events = [part for event in Log.EVENTS for part in ("-trace", f"virtio_iommu_{event}")]
        return ["-object", f"memory-backend-file,id=ram,size={MEMORY},share=on,"
                f"mem-path=/proc/self/fd/{self.memory.fd}", "-machine", "memory-backend=ram",
                "-chardev", f"socket,id=qmp,path={folder}/qmp", "-mon", "chardev=qmp,mode=control",
                "-plugin", f"{self.plugin},socket={folder}/plugin,"
                f"device=virtio-pci-notify-virtio-iommu,insn={STORES[self.arch]}",
                "-D", self.log.path, *events]

    def start(self):
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self):
        """QEMU has ended, perhaps before it came: then the thread waits for it still."""
        self.ended = True
        for one in self.listening.values():
            with socket.socket(socket.AF_UNIX) as nobody:
                nobody.setblocking(False)
                nobody.connect_ex(one.getsockname())
        self.thread.join(WAIT)
        for one in self.listening.values():
            one.close()
        os.close(self.memory.fd)
        self.folder.cleanup()

    def run(self):
        try:
            # A plugin that is left alone ends QEMU.
            with self.listening["plugin"].accept()[0] as plugin:
                qmp = Qmp(self.listening["qmp"].accept()[0])
                while len(data := plugin.recv(8, socket.MSG_WAITALL)) == 8:
                    self.look(qmp, struct.unpack("<Q", data)[0])
                    plugin.send(b"!")
        except (OSError, ValueError, LookupError, TypeError, StopIteration, struct.error) as why:
            if not self.ended:
                self.error = f"{type(why).__name__}: {why}"

    def look(self, qmp, notified):
        """The device is done with a notification."""
        if not self.path:
            self.path = next(d["path"] for d in qmp("x-query-virtio") if d["name"] == "virtio-iommu")
            self.begin(qmp, notified)
        for number, queue in enumerate(self.queues):
            queue.rings_are(qmp("x-query-virtio-queue-status", path=self.path, queue=number))
        requests = list(self.queues[0].taken())
        self.follow(list(requests))
        self.lines += [f"event {packed(writable[:written])}"
                       for _, writable, written in self.queues[1].taken()]
        if requests:
            self.lines.append("kick")

    def follow(self, requests):
        """Tells requests and DMA in the order of the log, which has to know each but PROBE."""
        for event, numbers in self.log.lines():
            if event in Log.REQUESTS:
                self.end_dma()
                while requests and requests[0][0][0] == PROBE:
                    self.tell(*requests.pop(0))
                if not requests or not Log.is_about(event, numbers, requests[0][0]):
                    raise ValueError(f"QEMU's log and the ring differ: {event} {numbers}")
                self.tell(*requests.pop(0))
            elif event == "translate":
                self.end_dma()
                self.dma = [*numbers[-3:], None]
            elif event == "translate_out":
                self.dma[3] = f"{numbers[1]:#x}"
            else:
                self.dma[3] = "fault"
        self.end_dma()
        for request in requests:
            if request[0][0] != PROBE:
                raise ValueError(f"not in QEMU's log: {request[0].hex()}")
            self.tell(*request)

    def tell(self, readable, writable, written):
        self.lines.append(f"request {packed(readable)} {packed(writable)} {written}")
        if readable[0] != MAP:
            self.told.clear()

    def end_dma(self):
        """Each page once between changes; what is neither translated nor a fault goes through."""
        if not self.dma:
            return
        endpoint, address, access, result = self.dma
        self.dma = None
        what = (endpoint, address >> 12, access)
        if access not in ACCESS or result != "fault" and what in self.told:
            return
        self.told.add(what)
        self.lines.append(f"dma {endpoint:#x} {ACCESS[access]} {address:#x} "
                          f"{result or hex(address)}")

    @staticmethod
    def features(status):
        names = re.findall(r"VIRTIO_IOMMU_F_(\w+)", " ".join(status["dev-features"]))
        return sum(1 << FEATURES.index(name) for name in names)

    def begin(self, qmp, notified):
        """What the device is: asked once, when the driver has it."""
        status = qmp("x-query-virtio-status", path=self.path)
        bar = (notified & ~0xFFF) - NOTIFY
        config = qmp.physical(bar + DEVICE_CONFIG, CONFIG_SIZE)
        self.lines += [f"offered {self.features(status['host-features']):#x}",
                       f"config {config.hex()}",
                       *(f"endpoint {e:#x}" for e in self.endpoints(qmp)),
                       f"negotiated {self.features(status['guest-features']):#x}"]

    @staticmethod
    def endpoints(qmp):
        """Ids as VIOT and the device tree of QEMU's machines give them: bus, device and function."""
        def walk(devices):
            for one in devices:
                yield ((one["id"]["vendor"], one["id"]["device"]),
                       one["bus"] << 8 | one["slot"] << 3 | one["function"])
                yield from walk(one.get("pci_bridge", {}).get("devices", ()))
        return sorted(e for bus in qmp("query-pci") for who, e in walk(bus["devices"])
                      if who != DEVICE)


# Doorbells that QEMU's boards tell the device of (hw/arm/virt.c, hw/i386/pc.c).
DOORBELLS = {"arm64-its": (0x8090000, 0x809FFFF), "arm64-v2m": (0x8020000, 0x8020FFF),
             "x86": (0xFEE00000, 0xFEEFFFFF)}


def version(machine):
    done = subprocess.run([machines_.QEMU[machine.kind.arch], "--version"], capture_output=True,
                          text=True, check=True)
    return re.search(r"version (\S+)", done.stdout).group(1)


def header(machine):
    """Where the trace comes from, without the paths of this machine."""
    kernel = initramfs.kernel_image(machine.kind.arch, machine.kernel).name
    words = machines_.command(machine, "initrd")
    words[words.index("-kernel") + 1] = kernel
    start, last = next(r for name, r in DOORBELLS.items() if f"-{name}-" in machine.name)
    return ["# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause",
            f"# Linux {kernel.removeprefix('vmlinuz-')}, QEMU {version(machine)}; recorded by "
            "tests/machines/viommu_trace.py.", f"# {' '.join(words)}",
            f"doorbell {start:#x} {last:#x}"]


def plugin():
    return initramfs.compiled("amd64", HERE / "notify-plugin.c", link=("-shared", "-fPIC"))


def record(machine, log, timeout):
    """Boots the machine; returns its trace and what viommu.sh said, as lines."""
    arch = machine.kind.arch
    if not version(machine).startswith(f"{QEMU}."):
        raise fetch.Missing(f"QEMU {version(machine)} is there; traces are recorded with {QEMU}")
    client = initramfs.compiled(arch, HERE / "viommu-client.c")
    initrd = initramfs.make(arch, machine.kernel, programs={"viommu-client": client},
                            steps=[("viommu", (HERE / "viommu.sh").read_text())])
    recorder = Recorder(arch, plugin())
    why = []
    recorder.start()
    try:
        machines_.boot(machine, initrd, log, timeout, recorder.arguments(), [recorder.memory.fd])
    except machines_.Failed as failure:
        why.append(str(failure))
    finally:
        recorder.stop()
    if recorder.error:
        why.append(recorder.error)
    if why or not recorder.lines:
        raise machines_.Failed("; ".join(why) or "the driver asked nothing")
    said = machines_.results(log).get("viommu", b"").decode(errors="replace").splitlines()
    return header(machine) + recorder.lines, said


def replay_program():
    """Ours, from the library's own sources: all but what makes traces of a whole machine."""
    root = HERE.parent.parent
    folders = ("src/base", "src/dma", "src/msi", "src/virtio", "backend", "tests/virtio")
    patterns = {"src/msi": "[!t]*.c", "tests/virtio": "trace*.c"}
    more = [path for folder in folders
            for path in sorted((root / folder).glob(patterns.get(folder, "*.c")))]
    flags = [f"-I{root / folder}" for folder in ("include", "src", "tests/virtio")]
    return initramfs.compiled("amd64", HERE / "viommu-replay.c", more, flags)


def kinds(lines):
    """What a trace has at all: the device, and requests by type and whether they have flags."""
    rows = set()
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "request":
            data = rest.split()[0].partition(":")[2]
            rows.add(f"request of type {data[:2]}"
                     + (f", flags {data[24:]}" if data[:2] == "01" else ""))
        elif word in ("dma", "event", "kick"):
            rows.add(word)
        elif word != "#":
            rows.add(line)
    return rows


def check(machine, lines, said, trace):
    """[(name, complaints)] of a fresh trace, which is written to the file `trace`."""
    trace.write_text("\n".join(lines) + "\n")
    done = subprocess.run([replay_program(), trace], capture_output=True, text=True)
    kept = (TRACES / f"{machine.name}.txt").read_text().splitlines()
    differ = [f"only in tests/virtio/traces: {row}" for row in kinds(kept) - kinds(lines)]
    differ += [f"not in tests/virtio/traces: {row}" for row in kinds(lines) - kinds(kept)]
    return [("viommu: steps", [] if said == STEPS_SAY else said or ["nothing came out"]),
            ("viommu: replay", [done.stdout + done.stderr] if done.returncode else []),
            ("viommu: as it was kept", sorted(differ))]


def main():
    """Records all machines into a folder."""
    if len(sys.argv) < 2:
        print("usage: viommu_trace.py DIRECTORY [NAME...]", file=sys.stderr)
        return 2
    out = pathlib.Path(sys.argv[1])
    fetch.fetch()
    for machine in traced():
        if sys.argv[2:] and machine.name not in sys.argv[2:]:
            continue
        with tempfile.NamedTemporaryFile() as log:
            lines, said = record(machine, log.name, 300)
        if said != STEPS_SAY:
            raise machines_.Failed(f"{machine.name}: {' '.join(said)}")
        (out / f"{machine.name}.txt").write_text("\n".join(lines) + "\n")
        print(f"{machine.name}: {len(lines)} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
