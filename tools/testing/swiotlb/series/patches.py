# SPDX-License-Identifier: GPL-2.0
"""Reads and checks the patches under series/.

series/order     names of the folders below, first patch first; # comments
series/order-BASE   those that this base has, if it does not have all yet
series/cover     subject, empty line, text of the cover letter
series/NN-slug/  one patch:
  message        subject, empty line, text; no Signed-off-by
  files          paths of this repository that it adds or replaces whole
  remove         paths of the base that it deletes
  hunks.patch    changes to files that the base owns
  hunks-BASE.patch  the same for one base, where hunks.patch is not right for it
All but `message` may be missing."""

import re
from dataclasses import dataclass
from pathlib import Path

import hunks
from git import TOP, Trouble, base_name

SERIES = TOP / "series"


@dataclass
class Patch:
    name: str
    message: str
    files: list[str]
    remove: list[str]
    hunks: str

    @property
    def folder(self) -> Path:
        return SERIES / self.name

    @property
    def hunks_file(self) -> Path:
        return for_base(self.folder / "hunks.patch")


def for_base(path: Path) -> Path:
    """The variant NAME-BASE.SUFFIX of a file if there is one, else the file itself."""
    own = path.with_name(f"{path.stem}-{base_name()}{path.suffix}")
    return own if own.exists() else path


def load() -> list[Patch]:
    named = lines(SERIES / "order")
    patches = [read_patch(name) for name in lines(for_base(SERIES / "order"))]
    for folder in sorted(SERIES.iterdir()):
        if folder.is_dir() and folder.name not in named:
            raise Trouble(f"series/{folder.name} is not in series/order: name it there or delete it")
    owners: dict[str, str] = {}
    for patch in patches:
        for path in patch.files:
            if path in owners:
                raise Trouble(f"{path} is in series/{owners[path]}/files "
                              f"and series/{patch.name}/files: one must go")
            owners[path] = patch.name
    return patches


def read_patch(name: str) -> Patch:
    folder = SERIES / name
    if not re.fullmatch(r"\d\d-[a-z0-9][a-z0-9.-]*", name):
        raise Trouble(f"series/order: {name} is no patch name: two digits, a dash, a few words")
    message = text(folder / "message")
    if not re.match(r"\S[^\n]*\n(\n|\Z)", message):
        raise Trouble(f"series/{name}/message is missing or has no subject line "
                      "followed by an empty one")
    if re.search(r"^Signed-off-by:", message, re.M):
        raise Trouble(f"series/{name}/message has a Signed-off-by: "
                      "make series adds that of whoever runs it")
    patch = Patch(name, message, lines(folder / "files"), lines(folder / "remove"), "")
    patch.hunks = text(patch.hunks_file)
    try:
        hunks.split(patch.hunks)
    except Trouble as trouble:
        raise Trouble(f"{patch.hunks_file.relative_to(TOP)}: {trouble}") from trouble
    for path in patch.files:
        if (TOP / path).is_symlink() or not (TOP / path).is_file():
            raise Trouble(f"series/{name}/files: {path} is no file of this repository")
    return patch


def text(path: Path) -> str:
    """A file's content, or an empty string when the file is missing."""
    if not path.exists():
        return ""
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def lines(path: Path) -> list[str]:
    """A file's lines without comments."""
    stripped = (line.partition("#")[0].strip() for line in text(path).splitlines())
    return [line for line in stripped if line]
