# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Boots one test machine in QEMU and takes its results from the console."""
import base64
import gzip
import hashlib
import pathlib
import re
import subprocess
import tempfile

import fetch
import initramfs
from topologies import TOPOLOGIES

EFI = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"
QEMU = {"amd64": "qemu-system-x86_64", "arm64": "qemu-system-aarch64"}
PACKAGE = {"amd64": "qemu-system-x86", "arm64": "qemu-system-arm"}
CONSOLE = {"amd64": "ttyS0", "arm64": "ttyAMA0"}
# What tells one computer from others. No capture may hold it.
IDENTITY = SERIAL, HOST_NAME, UUID = (
    "RIGSERIAL", "rig-host-name", "6e5f1b9a-1c38-4d0a-9a41-7f2c5f9f10aa")
# A busy host lets too few timer ticks through for the kernel's check of them, and then it panics.
BOOT = {"amd64": "no_timer_check", "arm64": ""}


class Failed(Exception):
    """The machine ran and something went wrong; the text says what."""


def requirements(machine):
    arch = machine.kind.arch
    names = [PACKAGE[arch], f"kernel-{arch}-{machine.kernel}", f"busybox-{arch}", "kmod"]
    if machine.trial:
        names += ["pciutils" if arch == "amd64" else "pciutils-arm64"]
    if machine.traced:
        names += ["gcc", "libc6-dev"]
    if machine.contract or machine.peers or machine.traced:
        names += ["gcc", "libc6-dev"] if arch == "amd64" else ["gcc-aarch64-linux-gnu",
                                                               "sysroot-arm64"]
    return names + (["qemu-efi-aarch64"] if machine.kind.firmware else [])


def device_arguments(devices):
    args = []
    for number, device in enumerate(devices):
        if "%N" in device:
            device = device.replace("%N", f"null{number}")
            args += ["-blockdev", f"null-co,node-name=null{number},size=1048576,read-zeroes=on"]
        args += ["-device", device]
    return args


def command(machine, initrd):
    """One CPU: with several, code patched by one CPU races the translations of another."""
    arch = machine.kind.arch
    append = (f"console={CONSOLE[arch]},115200 quiet loglevel=1 panic=-1 {BOOT[arch]} "
              f"{machine.kind.append}")
    return [QEMU[arch], *machine.kind.qemu, "-accel", "tcg,thread=multi", "-smp", "1", "-m",
            "1024", "-smbios", f"type=1,serial={SERIAL}", "-uuid", UUID, "-nodefaults",
            "-display", "none", "-nic", "none", "-serial", "stdio", "-no-reboot",
            *(["-bios", EFI] if machine.kind.firmware else []),
            "-kernel", str(initramfs.kernel_image(arch, machine.kernel)),
            "-initrd", str(initrd), "-append", append.strip(),
            *device_arguments(TOPOLOGIES[machine.topology].devices)]


def boot(machine, initrd_bytes, log, timeout, more=(), fds=()):
    """Runs QEMU to its end, with more arguments and open files; the console goes to the file `log`."""
    with tempfile.NamedTemporaryFile(prefix="doorward-", suffix=".cpio.gz") as initrd:
        initrd.write(initrd_bytes)
        initrd.flush()
        with open(log, "wb") as out:
            qemu = subprocess.Popen([*command(machine, initrd.name), *more], pass_fds=fds,
                                    stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=subprocess.STDOUT)
            try:
                status = qemu.wait(timeout)
            except subprocess.TimeoutExpired:
                raise Failed(f"no end after {timeout} s") from None
            finally:
                qemu.kill()
                qemu.wait()
    if status:
        raise Failed(f"{QEMU[machine.kind.arch]} ended with {status}")


def came_up(log):
    """Whether the kernel got as far as the first step."""
    return "@STEPS" in pathlib.Path(log).read_text(errors="replace")


def unpack(name, digest, lines):
    try:
        packed = base64.b64decode("".join(lines), validate=True)
    except ValueError as why:
        raise Failed(f"{name}: damaged on the console: {why}") from None
    if hashlib.sha256(packed).hexdigest() != digest:
        raise Failed(f"{name}: checksum differs")
    return gzip.decompress(packed)


def results(log):
    """{name: bytes} of the files that the machine sent; takes their data out of the log."""
    files, name, digest, lines, plain, done = {}, None, None, [], [], None
    for line in pathlib.Path(log).read_text(errors="replace").splitlines():
        line = line.rstrip("\r")
        if line.startswith("@FILE "):
            _, name, digest = line.split(" ")
            lines = []
        elif line.startswith("@DATA ") and name:
            lines.append(line[len("@DATA "):])
        elif line.startswith("@END ") and name:
            files[name] = unpack(name, digest, lines)
            name = None
        elif line.startswith("@DONE"):
            done = line
        else:
            # A line of the kernel may come between the data; the checksum judges.
            plain.append(line)
    if done is None:
        raise Failed("the machine stopped before its end")
    pathlib.Path(log).write_text("\n".join(plain + [done]) + "\n")
    if done != "@DONE":
        raise Failed(done[len("@DONE "):])
    return files


def console_tail(log, count=15):
    if not pathlib.Path(log).exists():
        return ["| no console"]
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", pathlib.Path(log).read_text(errors="replace"))
    lines = [line for line in text.splitlines() if line.strip() and line[:6] != "@DATA "]
    return ["| " + line[:200] for line in lines[-count:]]
