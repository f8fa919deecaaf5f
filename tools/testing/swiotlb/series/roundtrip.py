#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Is the series complete? Prints KTAP.

Every file of this repository at a kernel path belongs to a patch. The mails,
applied by git am to the base, give the same tree as the series and the
repository's files. Writing the mails twice gives the same bytes. And edits in
the tree come back to the patches that they belong to."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import hunks
from absorb import Plan
from git import TOP, Git, Trouble, Who, open_tree
from mails import write
from patches import (Patch, backport, changes_to_base, changes_to_files, load, text,
                     without_comments)
from tree import commits

# Files of the repository alone. A patch may still name files under tools/testing/swiotlb.
OURS = ("README.md", "CONTRIBUTING.md", "COPYING", "Makefile", ".gitignore", ".ci/", "notes/", "series/",
        "build/", "tools/testing/swiotlb/")
CHECKER = Who("Series Check", "check@localhost")


def every_file_has_a_patch(_git: Git, patches: list[Patch]) -> None:
    named = {path for patch in patches for path in patch.files}
    present = Git(TOP).names("ls-files", "-z", "-c", "-o", "--exclude-standard")
    lost = [path for path in present
            if path not in named and not path.startswith(OURS) and (TOP / path).exists()]
    if lost:
        raise Trouble(f"in no patch's files: {', '.join(lost)}")


def mails_give_the_same_tree(git: Git, patches: list[Patch]) -> None:
    series = commits(git, patches, git.text("rev-parse", "base^{commit}"))
    applied = apply_mails(git, patches)
    if git.raw("diff-tree", applied, series[-1]):
        raise Trouble(f"git diff {applied[:12]} {series[-1][:12]} in {git.tree} shows a difference")
    different = {path for patch in patches for path in patch.files
                 if git.blob(applied, path) != (TOP / path).read_bytes()}
    if different != set(changes_to_files()):
        raise Trouble(f"{', '.join(different ^ set(changes_to_files()))}: different from the "
                      "repository's only there or only in files.patch")


def apply_mails(git: Git, patches: list[Patch]) -> str:
    """The commit that git am makes of the mails, in a work tree of just the
    files they touch."""
    base = git.text("rev-parse", "base^{commit}")
    with tempfile.TemporaryDirectory(dir=TOP / "build") as folder:
        mails = [mail for mail in write(git, patches, CHECKER, fresh(folder, "mails"))
                 if not mail.name.startswith("0000-")]
        if not mails:
            return base
        place = Git(Path(folder, "am"), who=CHECKER)
        git.text("worktree", "add", "-q", "--detach", "--no-checkout", str(place.tree), base)
        try:
            place.text("sparse-checkout", "set", "--no-cone", "/MAINTAINERS")
            place.text("checkout", "-q")
            place.text("am", "-q", "--keep-non-patch", *map(str, mails))
            return place.text("rev-parse", "HEAD")
        finally:
            shutil.rmtree(place.tree)
            git.text("worktree", "prune")


def mails_are_the_same_twice(git: Git, patches: list[Patch]) -> None:
    with tempfile.TemporaryDirectory(dir=TOP / "build") as folder:
        first, second = ([mail.read_bytes() for mail in write(git, patches, CHECKER,
                                                              fresh(folder, name))]
                         for name in ("first", "second"))
    if first != second:
        raise Trouble("two runs wrote different mails")


def fresh(folder: str, name: str) -> Path:
    path = Path(folder, name)
    path.mkdir()
    return path


def edits_come_back(git: Git, patches: list[Patch]) -> None:
    """The files that make absorb would write give the edited tree. Edits are in a file
    of the repository, in one that grows, in a file of the base that one patch changes, in
    one that several change, and in a new file."""
    chain = commits(git, patches, git.text("rev-parse", "base^{commit}"))
    named = [path for patch in patches for path in patch.files]
    hunked = [(path, patch.name) for patch in patches for path in hunks.split(patch.hunks)]
    of_base = [path for path, _ in hunked if path not in named]
    grows, late = next((path, name) for path, name in reversed(hunked) if path in named)
    ours = next(path for path in named if path not in [path for path, _ in hunked])
    single = next(path for path in of_base if of_base.count(path) == 1)
    several = next((path for path in of_base if of_base.count(path) > 1), single)
    last = [patch.name for patch in patches if several in hunks.split(patch.hunks)][-1]
    absorbed(git, patches, chain, [ours, grows, single], "")
    absorbed(git, patches, chain, [grows], late)
    absorbed(git, patches, chain, [several, "lib/swiotlb_new.c"], last)


def absorbed(git: Git, patches: list[Patch], chain: list[str], paths: list[str], chosen: str) -> None:
    edits = {path: b"/* edited */\n" + (git.blob(chain[-1], path) or b"") for path in paths}
    plan = Plan(git, patches, chain, chain[-1], with_edits(git, chain[-1], edits), chosen)
    for path in edits:
        plan.change(path)
    hunked = [replace(patch, hunks=changes_to_base(patch, written(plan, patch.hunks_file)))
              for patch in patches]
    changes = hunks.split(without_comments(written(plan, backport() / "files.patch")))
    named = {path for patch in patches for path in patch.files}
    files = {path: plan.writes.get(TOP / path) for path in edits if path in named}
    result = commits(git, hunked, chain[0], changes=changes,
                     edited_files={path: new for path, new in files.items() if new})[-1]
    for path, content in edits.items():
        if content not in (plan.writes.get(TOP / path), git.blob(result, path)):
            raise Trouble(f"an edit of {path} does not come back")


def written(plan: Plan, path: Path) -> str:
    """The file as make absorb would leave it."""
    pending = plan.writes.get(path)
    return text(path) if pending is None else hunks.decode(pending)


def with_edits(git: Git, commit: str, edits: dict[str, bytes]) -> str:
    """The tree of the commit, with these files replaced or added."""
    with git.scratch() as scratch:
        scratch.text("read-tree", commit)
        for path, content in edits.items():
            blob = scratch.text("hash-object", "-w", "--stdin", stdin=content)
            scratch.text("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        return scratch.text("write-tree")


def read_series(_git: Git, _patches: list[Patch]) -> None:
    """Each file of series/ is well formed, and each named path exists."""
    load()


CHECKS: list[Callable[[Git, list[Patch]], None]] = [
    read_series, every_file_has_a_patch, mails_give_the_same_tree, mails_are_the_same_twice,
    edits_come_back]


def main() -> int:
    print("KTAP version 1")
    print(f"1..{len(CHECKS)}")
    failures = 0
    for number, check in enumerate(CHECKS, 1):
        try:
            check(open_tree(), load())
            print(f"ok {number} {check.__name__}", flush=True)
        except Trouble as trouble:
            failures += 1
            print(f"# {trouble}")
            print(f"not ok {number} {check.__name__}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
