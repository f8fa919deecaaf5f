# SPDX-License-Identifier: GPL-2.0
"""
Builds the initial RAM disks.

Each is a sequence of compressed cpio archives, which Linux unpacks one after the
other: files for every guest, then modules for its kernel; for dom0 then Xen's tools,
then kernel and RAM disk of its domUs. An archive depends only on its content, and is
kept until that changes.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Union

from paths import Trouble, base_name

INIT = Path(__file__).with_name("init")
CHECKS = ["diskcheck", "filecheck", "netcheck"]
GUEST_PROGRAMS = [*CHECKS, "diskload", "netload"]
MODULES = ["swiotlb_edu.ko", "swiotlb_cost.ko", "swiotlb_hog.ko", "swiotlb_parity.ko",
           "swiotlb_domu.ko"]
# Modules for every architecture
PORTABLE = ["swiotlb_edu.ko"]
XEN_TOOLS = ["xl", "xenstored", "xenconsoled", "xen-init-dom0", "libxl-save-helper",
             "xenstore-read", "xenstore-write", "xenstore-ls"]
EXT4_TOOLS = ["mkfs.ext4", "e2fsck"]
FOLDERS = ["bin", "sbin", "dev", "proc", "sys", "run", "tmp", "mnt", "etc", "var", "root",
           "lib", "lib64", "checks", "modules"]

# Path in the archive -> file, or bytes
Content = dict[str, Union[Path, bytes]]


def _entry(number: int, name: str, mode: int, data: bytes) -> bytes:
    """One member of a cpio archive in "newc" format."""
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    header = ("070701" + "".join(f"{field:08x}" for field in fields)).encode()
    header += name.encode() + b"\0"
    return header + b"\0" * (-len(header) % 4) + data + b"\0" * (-len(data) % 4)


def _cpio(content: Content) -> bytes:
    folders = {str(parent) for path in content for parent in Path(path).parents} - {"."}
    members = [(folder, 0o040755, b"") for folder in sorted(folders | set(FOLDERS))]
    for path, source in sorted(content.items()):
        if isinstance(source, bytes):
            members.append((path, 0o100644, source))
        else:
            executable = os.access(source, os.X_OK)
            members.append((path, 0o100755 if executable else 0o100644, source.read_bytes()))
    members.append(("TRAILER!!!", 0, b""))
    return b"".join(_entry(number, *member) for number, member in enumerate(members, 1))


def archive(target: Path, content: Content) -> Path:
    """Write the archive, unless one with the same content is there."""
    data = _cpio(content)
    key = target.with_suffix(".sha256")
    digest = hashlib.sha256(data).hexdigest()
    if target.exists() and key.exists() and key.read_text() == digest:
        return target
    key.unlink(missing_ok=True)
    part = target.with_suffix(".part")
    part.write_bytes(gzip.compress(data, compresslevel=3, mtime=0))
    part.rename(target)
    key.write_text(digest)
    return target


class Libraries:
    """Finds the shared libraries that programs need, recursively."""

    def __init__(self, root: Path | None) -> None:
        roots = [root] if root else []
        self.places: list[Path] = []
        for base in [*roots, Path("/")]:
            for pattern in ["usr/lib/xen-*/lib/*-linux-gnu", "usr/lib/*-linux-gnu",
                            "lib/*-linux-gnu", "usr/lib", "lib"]:
                self.places += sorted(base.glob(pattern))

    def _find(self, name: str, needed_by: Path) -> Path:
        for place in self.places:
            if (place / name).exists():
                return place / name
        raise Trouble(f"no library {name}, which {needed_by.name} needs: install its package")

    def needed(self, programs: list[Path]) -> Content:
        content: Content = {}
        queue = list(programs)
        # pthread_cancel() loads it by name, so nothing lists it as needed
        names: list[tuple[str, Path]] = [("libgcc_s.so.1", programs[0])]
        while queue or names:
            if not names:
                names = self._read(queue.pop())
                continue
            name, user = names.pop()
            place = f"lib64/{name}" if name.startswith("ld-linux") else f"lib/{name}"
            if place not in content:
                content[place] = self._find(name, user)
                queue.append(content[place])  # type: ignore[arg-type]
        return content

    @staticmethod
    def _read(program: Path) -> list[tuple[str, Path]]:
        dynamic = subprocess.run(["readelf", "-d", str(program)], check=True, text=True,
                                 capture_output=True).stdout
        return [(name, program) for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)]


def _tool(name: str, package: str) -> Path:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not found:
        raise Trouble(f"no {name} on this machine: install the package {package}")
    return Path(found)


def _built(path: Path, target: str) -> Path:
    if not path.exists():
        raise Trouble(f"no {path}: run `make {target}`")
    return path


def base(build: Path, arch: str) -> Content:
    """Files for every guest."""
    content: Content = {"init": INIT / "init", "lib.sh": INIT / "lib.sh"}
    content |= {f"checks/{check.name}": check for check in (INIT / "checks").iterdir()}
    return content | (_own_programs(build) if arch == "x86_64" else _other_programs(build, arch))


def _own_programs(build: Path) -> Content:
    ext4 = [_tool(name, "e2fsprogs") for name in EXT4_TOOLS]
    content: Content = {"bin/busybox": _tool("busybox", "busybox-static")}
    content |= {f"bin/{name}": _built(build / "guest" / name, "guest")
                for name in GUEST_PROGRAMS}
    content |= {f"sbin/{tool.name}": tool for tool in ext4}
    return content | Libraries(None).needed(ext4)


def _other_programs(build: Path, arch: str) -> Content:
    """All are linked statically. Programs that count instructions are for x86 only."""
    content: Content = {"bin/busybox": _built(build / arch / "busybox", arch)}
    return content | {f"bin/{name}": _built(build / arch / "guest" / name, arch)
                      for name in CHECKS}


def modules(build: Path, kernel: str) -> Content:
    """The test modules, compiled for that kernel."""
    folder, target = (f"{kernel}-modules", kernel) if kernel != "series" else ("modules", "modules")
    folder = f"{base_name()}/{folder}"
    names = MODULES if kernel != "arm64" else PORTABLE
    return {f"modules/{name}": _built(build / folder / name, target) for name in names}


def xen_tools(build: Path) -> Content:
    root = _built(build / "xen" / "root", "xen")
    content: Content = {"block": INIT / "block"}
    tools: list[Path] = []
    for name in XEN_TOOLS:
        found = sorted([*root.glob(f"usr/lib/xen-*/bin/{name}"), *root.glob(f"usr/*bin/{name}")])
        if not found:
            raise Trouble(f"no {name} under {root}: remove {root} and run `make xen`")
        tools.append(found[0])
        content[f"sbin/{name}"] = found[0]
    # Xen's tools look for each other where they were installed.
    helper = next(tool for tool in tools if tool.name == "libxl-save-helper")
    content[str(helper.relative_to(root))] = helper
    return content | Libraries(root).needed(tools)


def domu(kernel: Path, initrd: list[Path]) -> Content:
    return {"domu/kernel": kernel, "domu/initrd": b"".join(part.read_bytes() for part in initrd)}
