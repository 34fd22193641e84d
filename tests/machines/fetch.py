#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Gets what the test machines need: QEMU, stock kernels, busybox, an arm64 sysroot.

Kernels and libraries are downloaded with the host's own APT sources and unpacked into
a cache; they are never installed. Whatever cannot be had is recorded with its reason, so
that the machines which need it can skip.
"""
import fcntl
import json
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ARCHES = ("amd64", "arm64")
SERIES = {
    "6.1": r"linux-image-6\.1\.0-(\d+)-{arch}$",
    "6.12": r"linux-image-6\.12\.(\d+)\+deb12-{arch}$",
}
TOOLS = {
    "qemu-system-x86": "qemu-system-x86_64",
    "qemu-system-arm": "qemu-system-aarch64",
    "qemu-efi-aarch64": "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd",
    "gcc-aarch64-linux-gnu": "aarch64-linux-gnu-gcc",
    "libc6-dev-arm64-cross": "/usr/aarch64-linux-gnu/include/stdio.h",
    "kmod": "depmod",
    "gcc": "gcc",
    "libc6-dev": "/usr/include/stdio.h",
    "pciutils": "setpci",
}
SYSROOT_PACKAGES = ("libc6-dev", "libgcc-12-dev", "libfdt-dev", "libjson-c-dev",
                    "libarchive-dev", "libsmartcols-dev", "libcyaml-dev", "libyaml-dev")
RETRIES = 3


class Missing(Exception):
    """Something cannot be had here; the text says what and why."""


def cache_dir():
    base = os.environ.get("DOORWARD_CACHE")
    if not base:
        home = os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")
        base = os.path.join(home, "doorward")
    return pathlib.Path(base) / "machines"


def find_tool(name):
    """A program in PATH (also in sbin), or a plain file given by its absolute path."""
    if name.startswith("/"):
        return name if os.path.exists(name) else None
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def run(argv, env=None, cwd=None):
    done = subprocess.run(argv, env=env, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        tail = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise Missing(f"{' '.join(argv[:4])}: {' / '.join(tail) or done.returncode}")
    return done.stdout


def run_again(argv, env=None, cwd=None):
    for left in range(RETRIES - 1, -1, -1):
        try:
            return run(argv, env, cwd)
        except Missing:
            if not left:
                raise


class Apt:
    """A private APT state: the host's sources, its own lists, nothing installed."""

    def __init__(self, native):
        self.root = cache_dir() / "apt" / native
        self.native = native
        self.updated = False

    def env(self):
        return {**os.environ, "APT_CONFIG": str(self.root / "apt.conf"), "LC_ALL": "C",
                "DEBIAN_FRONTEND": "noninteractive"}

    def update(self):
        if self.updated:
            return
        for sub in ("lists/partial", "cache/archives/partial"):
            (self.root / sub).mkdir(parents=True, exist_ok=True)
        (self.root / "status").write_text("")
        (self.root / "apt.conf").write_text(
            f'APT::Architecture "{self.native}";\n'
            f'APT::Architectures {{ "{self.native}"; }};\n'
            'APT::Sandbox::User "root";\n'
            f'Dir::State "{self.root}";\n'
            f'Dir::State::status "{self.root}/status";\n'
            f'Dir::State::lists "{self.root}/lists";\n'
            f'Dir::Cache "{self.root}/cache";\n'
            'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n')
        # A third-party source without this architecture must not spoil the rest.
        try:
            run_again(["apt-get", "-q", "update"], self.env())
        except Missing as why:
            print(f"fetch: warning: {why}", file=sys.stderr)
        self.updated = True

    def newest(self, pattern):
        """Downloadable package names that match, newest first."""
        regex = re.compile(pattern)
        names = run(["apt-cache", "pkgnames", "linux-image-"], self.env()).split()
        found = sorted((int(m.group(1)), n) for n in names if (m := regex.match(n)))
        return [name for _, name in reversed(found)]

    def unpack(self, package, into):
        with tempfile.TemporaryDirectory(dir=cache_dir()) as tmp:
            run_again(["apt-get", "-q", "download", package], self.env(), tmp)
            for deb in pathlib.Path(tmp).glob("*.deb"):
                run(["dpkg", "-x", str(deb), str(into)])

    def unpack_closure(self, packages, into):
        archives = self.root / "cache" / "archives"
        run_again(["apt-get", "-q", "-y", "--no-install-recommends", "--download-only",
                   "install", *packages], self.env())
        for deb in sorted(archives.glob("*.deb")):
            run(["dpkg", "-x", str(deb), str(into)])
            deb.unlink()


def install_tools():
    wanted = [p for p, probe in TOOLS.items() if not find_tool(probe)]
    if not wanted:
        return
    if os.geteuid() != 0:
        raise Missing(f"not root, so cannot install {' '.join(wanted)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    run_again(["apt-get", "-q", "update"], env)
    run_again(["apt-get", "-q", "-y", "--no-install-recommends", "install", *wanted], env)


def expand_modules(tree):
    """Plain .ko files and a modules.dep, so that the initramfs only has to copy."""
    for path in tree.rglob("*.ko.xz"):
        path.with_suffix("").write_bytes(lzma.decompress(path.read_bytes()))
        path.unlink()
    version = next((tree / "lib/modules").iterdir()).name
    run([find_tool("depmod") or "depmod", "-b", str(tree), version])


def fetch_kernel(apt, series, into):
    apt.update()
    names = apt.newest(SERIES[series].format(arch=apt.native))
    why = Missing(f"no kernel {series} for {apt.native} in the archive")
    for name in names:
        try:
            apt.unpack(name, into)
            break
        except Missing as caught:
            why = caught
    else:
        raise why
    expand_modules(into)


def fetch_busybox(apt, into):
    apt.update()
    apt.unpack("busybox-static", into)


def fetch_pciutils(apt, into):
    apt.update()
    apt.unpack_closure(["pciutils"], into)


def relative_links(tree):
    """Absolute links of the packages would leave the sysroot."""
    for path in tree.rglob("*"):
        if path.is_symlink() and os.readlink(path).startswith("/"):
            target = tree / os.readlink(path).lstrip("/")
            path.unlink()
            path.symlink_to(os.path.relpath(target, path.parent))


CROSS_FILE = """\
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
[built-in options]
c_args = ['--sysroot={root}']
c_link_args = ['--sysroot={root}']
[properties]
sys_root = '{root}'
pkg_config_libdir = '{root}/usr/lib/aarch64-linux-gnu/pkgconfig'
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
"""


def fetch_sysroot(apt, into):
    apt.update()
    apt.unpack_closure(SYSROOT_PACKAGES, into)
    relative_links(into)
    root = cache_dir() / into.name.removesuffix(".part")
    (into / "packages").write_text(" ".join(SYSROOT_PACKAGES) + "\n")
    (into / "meson.cross").write_text(CROSS_FILE.format(root=root))


def parts():
    """name -> function(directory) for each thing that is unpacked into the cache."""
    rows = {}
    for arch in ARCHES:
        apt = Apt(arch)
        for series in SERIES:
            rows[f"kernel-{arch}-{series}"] = \
                lambda into, a=apt, s=series: fetch_kernel(a, s, into)
        rows[f"busybox-{arch}"] = lambda into, a=apt: fetch_busybox(a, into)
        if arch == "arm64":
            rows["sysroot-arm64"] = lambda into, a=apt: fetch_sysroot(a, into)
            rows["pciutils-arm64"] = lambda into, a=apt: fetch_pciutils(a, into)
    return rows


def is_there(name):
    """A sysroot has to be of the packages that are wanted today."""
    final = cache_dir() / name
    if not name.startswith("sysroot-"):
        return final.exists()
    try:
        return (final / "packages").read_text().split() == list(SYSROOT_PACKAGES)
    except OSError:
        return False


def fetch_part(name, make):
    """Unpacks beside the final place and renames: a part is whole or absent."""
    final = cache_dir() / name
    if is_there(name):
        return None
    part = cache_dir() / (name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        make(part)
    except (Missing, OSError, StopIteration) as why:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(final, ignore_errors=True)
        return str(why) or type(why).__name__
    shutil.rmtree(final, ignore_errors=True)
    part.rename(final)
    return None


def fetch(verbose=False):
    """Fetches all; returns {name: reason} of what is missing."""
    cache_dir().mkdir(parents=True, exist_ok=True)
    with open(cache_dir() / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return fetch_locked(verbose)


def fetch_locked(verbose):
    reason = "not there after its package was installed"
    try:
        install_tools()
    except Missing as why:
        reason = str(why)
    missing = {package: reason for package, probe in TOOLS.items() if not find_tool(probe)}
    for name, make in parts().items():
        if verbose and not is_there(name):
            print(f"fetch: {name}", flush=True)
        reason = fetch_part(name, make)
        if reason:
            missing[name] = reason
    (cache_dir() / "missing.json").write_text(json.dumps(missing, indent=1) + "\n")
    return missing


def main():
    missing = fetch(verbose=True)
    for name, reason in missing.items():
        print(f"fetch: missing {name}: {reason}")
    print(f"fetch: {'incomplete' if missing else 'complete'} in {cache_dir()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
