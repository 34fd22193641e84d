# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Makes the initramfs of a test machine: busybox, drivers, the programs, init.

Two archives follow each other, as the kernel allows: the base (busybox and drivers of one
kernel, kept in the cache) and the part that differs between runs.
"""
import gzip
import hashlib
import pathlib
import re
import subprocess
import threading

import fetch

HERE = pathlib.Path(__file__).resolve().parent
# The IOMMU's before those of what is behind it.
DRIVERS = """
    virtio_pci virtio-iommu vfio vfio_iommu_type1 vfio-pci nvme e1000 e1000e igb virtio_mmio virtio_net
    virtio_blk virtio_scsi virtio-rng virtio_console shpchp ahci xhci-pci ehci-pci uhci-hcd
    ohci-pci i2c-i801 lpc_ich bochs pvpanic-pci kvm-amd
""".split()
FORMAT = "070701" + "%08x" * 13


class Archive:
    """A cpio archive in the "newc" format."""

    def __init__(self):
        self.parts = []
        self.seen = set()

    def _entry(self, name, mode, data):
        raw = name.encode() + b"\0"
        head = FORMAT % (len(self.seen) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0,
                         len(raw), 0)
        for piece in (head.encode() + raw, data):
            self.parts.append(piece + b"\0" * (-len(piece) % 4))

    def directory(self, name):
        name = name.strip("/")
        if not name or name in self.seen:
            return
        self.directory(str(pathlib.PurePath(name).parent).strip("."))
        self.seen.add(name)
        self._entry(name, 0o040755, b"")

    def file(self, name, data, mode=0o644):
        name = name.strip("/")
        if name in self.seen:
            return
        self.directory(str(pathlib.PurePath(name).parent).strip("."))
        self.seen.add(name)
        self._entry(name, 0o100000 | mode, data)

    def packed(self):
        self._entry("TRAILER!!!", 0, b"")
        return gzip.compress(b"".join(self.parts), compresslevel=1, mtime=0)


def kernel_tree(arch, series):
    return fetch.cache_dir() / f"kernel-{arch}-{series}"


def kernel_image(arch, series):
    return next((kernel_tree(arch, series) / "boot").glob("vmlinuz-*"))


def module_name(path):
    return re.sub(r"\.ko$", "", pathlib.PurePath(path).name).replace("-", "_")


def ordered_modules(modules_dir):
    """The wanted drivers and what they need, each after its dependencies."""
    needs = {}
    for line in (modules_dir / "modules.dep").read_text().splitlines():
        path, _, deps = line.partition(":")
        needs[module_name(path)] = (path, deps.split())
    order = []
    for wanted in DRIVERS:
        path, deps = needs.get(wanted.replace("-", "_"), (None, []))
        # modules.dep lists the nearest dependency first.
        for one in [*reversed(deps), path] if path else []:
            if one not in order:
                order.append(one)
    return order


def make_base(arch, series):
    archive = Archive()
    busybox = fetch.cache_dir() / f"busybox-{arch}/bin/busybox"
    archive.file("bin/busybox", busybox.read_bytes(), 0o755)
    archive.file("bin/sh", busybox.read_bytes(), 0o755)
    modules_dir = next((kernel_tree(arch, series) / "lib/modules").iterdir())
    order = ordered_modules(modules_dir)
    for path in order:
        archive.file("modules/" + pathlib.PurePath(path).name, (modules_dir / path).read_bytes())
    names = "".join(pathlib.PurePath(path).name + "\n" for path in order)
    archive.file("modules.order", names.encode())
    for name in ("proc", "sys", "dev", "tmp", "out", "sbin", "usr/bin", "etc"):
        archive.directory(name)
    return archive.packed()


def base(arch, series):
    image = kernel_image(arch, series).name
    recipe = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:12]
    path = fetch.cache_dir() / f"base-{arch}-{image}-{recipe}.cpio.gz"
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_bytes(make_base(arch, series))
        part.rename(path)
    return path.read_bytes()


def native_libraries(program):
    """{path in the machine: path here} of a program's shared objects."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True)
    return {path: path for path in re.findall(r"(/\S+) \(0x", done.stdout)}


def needed(path):
    done = subprocess.run(["readelf", "-d", "-l", str(path)], capture_output=True, text=True)
    names = re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout)
    loader = re.findall(r"program interpreter: (/\S+?)\]", done.stdout)
    return names, loader


def arm64_libraries(program):
    roots = [fetch.cache_dir() / name for name in ("sysroot-arm64", "pciutils-arm64")]
    folders = ("lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib")
    result = {}
    todo = [pathlib.Path(program)]
    while todo:
        path = todo.pop()
        names, loader = needed(path)
        for name in [*names, *loader]:
            beside = [pathlib.Path(program).parent / name] if "/" not in name else []
            places = [*beside, *(root / f / pathlib.PurePath(name).name
                                 for root in roots for f in folders)]
            found = next((p for p in places if p.exists()), None)
            if not found:
                raise fetch.Missing(f"{name}, needed by {path.name}, is not in the sysroot")
            target = name if "/" in name else f"/usr/lib/{name}"
            if target not in result:
                result[target] = str(found)
                todo.append(found)
    return result


def add_program(archive, arch, program, name):
    archive.file(f"usr/bin/{name}", pathlib.Path(program).read_bytes(), 0o755)
    find = native_libraries if arch == "amd64" else arm64_libraries
    for target, source in find(program).items():
        archive.file(target, pathlib.Path(source).read_bytes(), 0o755)


def setpci(arch):
    """The real one: what findings tell people to type is typed in the machines."""
    if arch == "amd64":
        return fetch.find_tool("setpci")
    return fetch.cache_dir() / "pciutils-arm64/usr/bin/setpci"


def compiled(arch, source, more=(), flags=(), link=("-static",)):
    """A small C program for the machines, kept in the cache by what it was made from.

    `more` are further sources; of the headers in the folders of `flags`, all count."""
    sysroot = fetch.cache_dir() / "sysroot-arm64"
    command = {"amd64": ["gcc"],
               "arm64": ["aarch64-linux-gnu-gcc", f"--sysroot={sysroot}"]}[arch]
    command += ["-D_GNU_SOURCE", "-O1", *link, "-Wall", "-Wextra", "-Werror", *flags]
    headers = [path for folder in flags for path in sorted(pathlib.Path(folder[2:]).rglob("*.h"))]
    recipe = hashlib.sha256(" ".join(command).encode())
    for path in (source, *more, *headers):
        recipe.update(path.read_bytes())
    path = fetch.cache_dir() / f"{source.stem}-{arch}-{recipe.hexdigest()[:12]}"
    if not path.exists():
        part = path.with_name(f"{path.name}.{threading.get_ident()}.part")
        fetch.run([*command, "-o", str(part), str(source), *map(str, more)])
        part.rename(path)
    return path


def contracts(arch):
    """The contracts of contracts.c: the library's own sources, linked statically."""
    root = HERE.parent.parent
    folders = ("src/base", "src/dma", "backend", "backend/linux")
    more = [path for folder in folders for path in sorted((root / folder).glob("*.c"))]
    more += [HERE / f"{name}.c" for name in ("devices", "irq-contract", "kvm-contract",
                                             "table-contract", "vfio-contract")]
    more += sorted((root / "src/msi").glob("route*.c"))
    more += [path for name in ("contract*.c", "irq_contract*.c", "vm_contract*.c",
                               "kvm_guest*.c")
             for path in sorted((root / "tests/backend").glob(name))]
    flags = [f"-I{root / folder}" for folder in ("include", "src", "tests/backend")]
    return compiled(arch, HERE / "contracts.c", more, flags)


PEERS = {
    "its": ("its-kvm", ("src/base/*.c", "src/emul/gic*.c", "src/emul/its*.c",
                        "tests/machines/its-*.c")),
    "frame": ("frame-vfio", ("src/base/*.c", "src/dma/*.c", "src/emul/gic*.c", "backend/*.c",
                             "backend/linux/*.c", "tests/machines/devices.c")),
}


def peers(arch, names):
    """{name: path} of programs that compare a controller of ours with the machine's."""
    root = HERE.parent.parent
    flags = [f"-I{root / folder}" for folder in ("include", "src", "tests/machines")]
    result = {}
    for name, patterns in (PEERS[name] for name in names):
        source = HERE / f"{name}.c"
        more = [path for pattern in patterns for path in sorted(root.glob(pattern))
                if path != source]
        result[name] = compiled(arch, source, more, flags)
    return result


def make(arch, series, setup="", steps=(), programs=None, extra=()):
    """`steps` are (name, shell text); `programs` {name: path}; `extra` (path there, path here)."""
    archive = Archive()
    archive.file("init", (HERE / "init").read_bytes(), 0o755)
    archive.file("setup", setup.encode())
    for name in ("capture.sh", "groups.sh"):
        archive.file(f"bin/{name}", (HERE / name).read_bytes(), 0o755)
    for number, (name, text) in enumerate(steps):
        archive.file(f"steps/{number:02}-{name}", text.encode())
    for name, path in (programs or {}).items():
        add_program(archive, arch, path, name)
    for target, source in extra:
        archive.file(target, pathlib.Path(source).read_bytes(), 0o755)
    return base(arch, series) + archive.packed()
