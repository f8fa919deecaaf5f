# SPDX-License-Identifier: GPL-2.0
"""Reads and checks the patches under series/.

series/order     names of the folders below, first patch first; # comments
series/cover-N   subject, empty line, text of the cover letter of part N
series/NN-slug/  one patch:
  message        subject, empty line, text; no Signed-off-by
  files          paths of this repository that it adds or replaces whole
  remove         paths of the base that it deletes
  hunks.patch    changes to files that the base owns, and to files of the repository that
                 an earlier patch has added
All but `message` may be missing.

The first digit of NN is the part of the series; each part has a cover letter of its own.

A file may grow over several patches. The repository has its last state. The patch that
adds it adds what is left when the hunks of the later patches are taken back.

This is for mainline. What another base needs is in series/backport-BASE/:
  order          instead of series/order, if it has other patches
  NN-slug/       a patch that mainline does not have
  NN-slug.patch  changes instead of those of NN-slug/hunks.patch, file by file; a line
                 "# omit PATH" drops the change of a file
  files.patch    changes to the files of this repository"""

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
    def part(self) -> str:
        return self.name[0]

    @property
    def folder(self) -> Path:
        own = backport() / self.name
        return own if own.exists() else SERIES / self.name

    @property
    def hunks_file(self) -> Path:
        """Where its changes for this base are written to."""
        if backport().exists() and self.folder.parent == SERIES:
            return backport() / f"{self.name}.patch"
        return self.folder / "hunks.patch"


def backport() -> Path:
    """The folder of what only this base needs. Mainline has none."""
    return SERIES / f"backport-{base_name()}"


def changes_to_files() -> dict[str, str]:
    """What this base changes in the files of the repository, by path."""
    return own_changes(backport() / "files.patch")


def load() -> list[Patch]:
    own = backport() / "order"
    mainline = lines(SERIES / "order")
    named = lines(own) if own.exists() else mainline
    patches = [read_patch(name) for name in named]
    for folder in sorted([*SERIES.glob("[0-9]*"), *backport().glob("[0-9]*")]):
        if folder.is_dir() and folder.name not in {*named, *mainline}:
            raise Trouble(f"{folder.relative_to(TOP)} is in no order: name it there or delete it")
    owners: dict[str, str] = {}
    for patch in patches:
        for path in patch.files:
            if path in owners:
                raise Trouble(f"{path} is in series/{owners[path]}/files "
                              f"and series/{patch.name}/files: one must go")
            owners[path] = patch.name
    return patches


def read_patch(name: str) -> Patch:
    if not re.fullmatch(r"\d\d-[a-z0-9][a-z0-9.-]*", name):
        raise Trouble(f"series/order: {name} is no patch name: two digits, a dash, a few words")
    patch = Patch(name, "", [], [], "")
    folder = patch.folder
    message = text(folder / "message")
    if not re.match(r"\S[^\n]*\n(\n|\Z)", message):
        raise Trouble(f"series/{name}/message is missing or has no subject line "
                      "followed by an empty one")
    if re.search(r"^Signed-off-by:", message, re.M):
        raise Trouble(f"series/{name}/message has a Signed-off-by: "
                      "make series adds that of whoever runs it")
    patch.message = message
    patch.files, patch.remove = lines(folder / "files"), lines(folder / "remove")
    patch.hunks = changes_to_base(patch, text(patch.hunks_file))
    for path in patch.files:
        if (TOP / path).is_symlink() or not (TOP / path).is_file():
            raise Trouble(f"series/{name}/files: {path} is no file of this repository")
    return patch


def changes_to_base(patch: Patch, content: str) -> str:
    """The patch's changes to the base: those for mainline, unless this base has its own.
    @content is that of patch.hunks_file."""
    sections = own_changes(patch.folder / "hunks.patch")
    own = parsed(patch.hunks_file, content)
    for name in re.findall(r"^# omit (\S+)\n", content, re.M):
        if name in own or not sections.pop(name, None):
            raise Trouble(f"{patch.hunks_file.relative_to(TOP)}: no change of {name} to omit")
    if patch.hunks_file.parent == patch.folder:
        sections = {}
    sections |= own
    return "".join(sections[name] for name in sorted(sections))


def own_changes(path: Path) -> dict[str, str]:
    """The changes in a file of hunks, by the path that they change."""
    return parsed(path, text(path))


def parsed(path: Path, content: str) -> dict[str, str]:
    try:
        return hunks.split(without_comments(content))
    except Trouble as trouble:
        raise Trouble(f"{path.relative_to(TOP)}: {trouble}") from trouble


def without_comments(content: str) -> str:
    return re.sub(r"^#.*\n", "", content, flags=re.M)


def text(path: Path) -> str:
    """A file's content, or an empty string when the file is missing."""
    if not path.exists():
        return ""
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def lines(path: Path) -> list[str]:
    """A file's lines without comments."""
    stripped = (line.partition("#")[0].strip() for line in text(path).splitlines())
    return [line for line in stripped if line]
