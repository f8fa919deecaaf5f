#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make absorb: bring edits and commits in the tree into the repository.

A file that is in the repository is copied there; in the tree of a backport it differs
from the one there, and the difference goes into files.patch. If the file grows over several
patches, the change belongs to the first of them, or to the one that PATCH names.
A change to a file of the base
goes into the hunks of the one patch that changes this file already. When
several patches or none do, and for a new file, PATCH=NN-slug names the patch.
Nothing is written before it is known that everything fits."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import hunks
from git import MADE, TOP, Git, Trouble, open_tree, start
from patches import (Patch, backport, changes_to_files, lines, load, own_changes, text,
                     without_comments)
from tree import UNTRACKED, commits, edited, finish_interrupted, switch


@dataclass
class Plan:
    """What will be written to which file; None deletes it."""
    git: Git
    patches: list[Patch]
    chain: list[str]
    made: str
    mine: str
    chosen: str
    writes: dict[Path, bytes | None] = field(default_factory=dict)

    def change(self, path: str) -> None:
        owners = [patch for patch in self.patches if path in patch.files]
        if owners:
            self.copy(path, owners[0])
            self.grow(path, owners[0])
        elif self.git.blob(self.chain[0], path) is None:
            self.add(path)
        else:
            self.fold(path)

    def copy(self, path: str, owner: Patch) -> None:
        """A file of the repository, edited or deleted in the tree."""
        was, want = self.git.blob(self.made, path), self.git.blob(self.mine, path)
        here = (TOP / path).read_bytes()
        if backport().exists() and want is not None:
            self.write_sections(backport() / "files.patch", changes_to_files(),
                                path, hunks.make(self.git, path, here, want))
            return
        if here not in (was, want):
            raise Trouble(f"{path} was changed both in the repository and in {self.git.tree}: "
                          "make them equal first")
        self.writes[TOP / path] = want
        if want is None:
            self.edit_list(owner, "files", lambda rows: [row for row in rows if row != path])

    def grow(self, path: str, owner: Patch) -> None:
        """A file of the repository: make new hunks for the patch that takes the change, and
        for each later patch that touches the file."""
        first = self.patches.index(owner)
        later = [patch for patch in self.patches[first + 1:]
                 if path in hunks.split(patch.hunks) or patch.name == self.chosen]
        was, want = self.git.blob(self.made, path), self.git.blob(self.mine, path)
        if not later or was is None or want is None:
            return
        taker = self.chosen if self.chosen in [patch.name for patch in later] else owner.name
        before, taken = None, False
        for patch, commit in zip(self.patches[first:], self.chain[first + 1:]):
            taken = taken or patch.name == taker
            here = self.git.blob(commit, path)
            after = self.merge(path, patch, here, was, want) if taken else here or b""
            if patch in later:
                self.replace_section(patch, path, before, after)
            before = after

    def add(self, path: str) -> None:
        """A file that neither the base nor the repository has."""
        if (TOP / path).exists():
            raise Trouble(f"{path} is in the repository already, but no patch names it")
        self.writes[TOP / path] = self.git.blob(self.mine, path)
        self.edit_list(self.patch_for(path, []), "files", lambda rows: sorted([*rows, path]))

    def fold(self, path: str) -> None:
        """A file of the base: make new hunks for the patch that takes the change, and
        for each later patch that touches the file."""
        touching = [patch for patch in self.patches if path in hunks.split(patch.hunks)]
        taker = self.patch_for(path, touching)
        first = self.patches.index(taker) + 1
        was, want = self.git.blob(self.made, path), self.git.blob(self.mine, path)
        if was is None or want is None:
            raise Trouble(f"{path} of the base came or went: write it into series/"
                          f"{taker.name}/remove by hand")
        before = self.git.blob(self.chain[first - 1], path)
        for patch, commit in zip(self.patches[first - 1:], self.chain[first:]):
            after = self.merge(path, patch, self.git.blob(commit, path), was, want)
            if patch is taker or patch in touching:
                self.replace_section(patch, path, before, after)
            before = after

    def merge(self, path: str, patch: Patch, here: bytes | None,
              was: bytes, want: bytes) -> bytes:
        if here is None:
            raise Trouble(f"{path} does not exist after series/{patch.name}: choose another PATCH")
        with tempfile.TemporaryDirectory() as folder:
            names = [Path(folder, name) for name in ("here", "was", "want")]
            for name, content in zip(names, (here, was, want)):
                name.write_bytes(content)
            done = self.git.run("merge-file", "-p", *map(str, names))
        if done.returncode:
            raise Trouble(f"{path}: the change needs what a later patch than series/"
                          f"{patch.name} does: choose that with PATCH=")
        return done.stdout

    def replace_section(self, patch: Patch, path: str, before: bytes | None, after: bytes) -> None:
        if before is None:
            raise Trouble(f"{path} does not exist before series/{patch.name}: choose another PATCH")
        section = hunks.make(self.git, path, before, after)
        target = patch.hunks_file
        if section == hunks.split(patch.hunks).get(path):
            return
        self.write_sections(target, own_changes(target), path, section)

    def write_sections(self, target: Path, sections: dict[str, str], path: str,
                       section: str) -> None:
        """Put a section for `path` into a file of sections."""
        pending = self.writes.get(target)
        if pending is not None:
            sections = hunks.split(without_comments(hunks.decode(pending)))
        sections = sections | {path: section}
        comments = "".join(re.findall(r"^#.*\n", text(target), re.M))
        self.writes[target] = (comments + "".join(
            sections[name] for name in sorted(sections))).encode(errors="surrogateescape") or None

    def patch_for(self, path: str, touching: list[Patch]) -> Patch:
        if self.chosen:
            for patch in self.patches:
                if patch.name == self.chosen:
                    return patch
            raise Trouble(f"PATCH={self.chosen}: series/order has no such patch")
        if len(touching) == 1:
            return touching[0]
        names = ", ".join(patch.name for patch in touching or self.patches)
        raise Trouble(f"{path}: say which patch takes it with PATCH=, one of {names}")

    def edit_list(self, patch: Patch, name: str,
                  edit: Callable[[list[str]], list[str]]) -> None:
        target = patch.folder / name
        pending = self.writes.get(target)
        rows = pending.decode().splitlines() if pending else lines(target)
        self.writes[target] = "".join(row + "\n" for row in edit(rows)).encode() or None

    def carry_out(self) -> None:
        for path, content in self.writes.items():
            if content is None:
                path.unlink(missing_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(path.name + ".new")
            unfinished.write_bytes(content)
            source = self.git.tree / path.relative_to(TOP)
            if source.exists():
                shutil.copymode(source, unfinished)
            unfinished.replace(path)


def tree_of_edits(git: Git) -> str:
    """Add all files of the work tree to the index, and write a tree of them."""
    git.text("add", "-u")
    new = git.names(*UNTRACKED)
    git.text("update-index", "-z", "--add", "--stdin",
             stdin=b"".join(os.fsencode(name) + b"\0" for name in new))
    return git.text("write-tree")


def verify(git: Git, plan: Plan, changed: list[str], result: str) -> None:
    for path in changed:
        if git.blob(result, path) != git.blob(plan.mine, path):
            raise Trouble(f"{path} came out different: look at git diff in the repository")


def main() -> None:
    git = open_tree()
    finish_interrupted(git)
    made, base = git.ref(MADE), git.ref("base")
    if not made or not base:
        raise Trouble(f"{git.tree} has no series yet: make tree")
    edited(git)
    with git.scratch() as scratch:
        shutil.copy(git.tree / ".git/index", scratch.env["GIT_INDEX_FILE"])
        mine = tree_of_edits(scratch)
    changed = git.names("diff-tree", "-r", "-z", "--no-renames", "--name-only", made, mine)
    patches = load()
    plan = Plan(git, patches, commits(git, patches, base), made, mine, os.environ.get("PATCH", ""))
    for path in changed:
        plan.change(path)
    plan.carry_out()
    result = commits(git, load(), base)[-1]
    verify(git, plan, changed, result)
    tree_of_edits(git)
    switch(git, mine, result)
    for written in plan.writes:
        print(f"  {written.relative_to(TOP)}")
    if not changed:
        print(f"  nothing to absorb: {git.tree.relative_to(TOP)} is as make tree left it")


if __name__ == "__main__":
    start(main)
