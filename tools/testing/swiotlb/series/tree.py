#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make tree: one commit for each patch on top of the base.

The commits are made in a separate index. The work tree changes once, at the end,
and only files that differ are written, so that a kernel build stays incremental.
The same series on the same base gives the same commits, whoever runs it."""

import os
from pathlib import Path

import hunks
from git import BRANCH, MADE, NEXT, TOOL, TOP, Git, Trouble, Who, open_tree, start
from patches import Patch, backport, changes_to_files, load

# Use the kernel's own rules: Debian's .gitignore ignores the whole source
UNTRACKED = ("ls-files", "-z", "-o", "--exclude-per-directory=.gitignore", "-x", "!/*/")


def commits(git: Git, patches: list[Patch], base: str, who: Who = TOOL,
            changes: dict[str, str] | None = None,
            edited_files: dict[str, bytes] | None = None) -> list[str]:
    """The base and the commits on top of it, one per patch. @changes are those to the files
    of the repository, if not the ones of the backport. @edited_files have another content
    than in the repository."""
    if changes is None:
        changes = changes_to_files()
    chain = [base]
    with git.scratch(who) as scratch:
        scratch.text("read-tree", base)
        for number, patch in enumerate(patches):
            remove(scratch, patch)
            add_files(scratch, patch, changes, edited_files or {})
            take_back(scratch, patch, patches[number + 1:])
            apply_hunks(scratch, patch)
            chain.append(scratch.text(
                "commit-tree", "-p", chain[-1], scratch.text("write-tree"),
                stdin=patch.message.encode(errors="surrogateescape")))
    return chain


def remove(git: Git, patch: Patch) -> None:
    for path in patch.remove:
        if git.blob("", path) is None:
            raise Trouble(f"series/{patch.name}: removes {path}, which the base does not have")
        git.text("update-index", "--force-remove", path)


def add_files(git: Git, patch: Patch, changes: dict[str, str],
              edited_files: dict[str, bytes]) -> None:
    if not patch.files:
        return
    sources = [str(TOP / path) for path in patch.files]
    blobs = git.text("hash-object", "-w", "--no-filters", "--stdin-paths",
                     stdin=os.fsencode("\n".join(sources))).split()
    modes = ["100755" if os.access(source, os.X_OK) else "100644" for source in sources]
    blobs = [git.text("hash-object", "-w", "--stdin", stdin=edited_files[path])
             if path in edited_files else blob for path, blob in zip(patch.files, blobs)]
    rows = [f"{mode} {blob}\t{path}\0" for mode, blob, path in zip(modes, blobs, patch.files)]
    git.text("update-index", "-z", "--add", "--index-info", stdin=os.fsencode("".join(rows)))
    for path, section in changes.items():
        if path in patch.files:
            apply(git, section, backport() / "files.patch")


def take_back(git: Git, patch: Patch, later: list[Patch]) -> None:
    """From the last state of the files that the patch adds to the one that it adds."""
    for other in reversed(later):
        for path, section in hunks.split(other.hunks).items():
            if path in patch.files:
                run_apply(git, section, other.hunks_file, "--reverse")


def apply_hunks(git: Git, patch: Patch) -> None:
    if patch.hunks:
        apply(git, patch.hunks, patch.hunks_file)


def apply(git: Git, changes: str, source: Path) -> None:
    """Apply changes, which come from the file `source`, to the index."""
    for path, section in hunks.split(changes).items():
        reason = hunks.check(section, git.blob("", path))
        if reason:
            raise Trouble(f"{source.relative_to(TOP)}: {path}: {reason}")
    run_apply(git, changes, source)


def run_apply(git: Git, changes: str, source: Path, *options: str) -> None:
    # Each hunk fits in one place only, so context may be missing on one side
    done = git.run("apply", "--cached", "--unidiff-zero", "--whitespace=nowarn", *options,
                   stdin=changes.encode(errors="surrogateescape"))
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[0]
        raise Trouble(f"{source.relative_to(TOP)}: {reason}")


def finish_interrupted(git: Git) -> None:
    """Complete the switch of an interrupted run."""
    interrupted = git.ref(NEXT)
    if interrupted:
        git.text("symbolic-ref", "HEAD", BRANCH)
        git.text("reset", "-q", "--hard", interrupted)
        settle(git, interrupted)


def refuse_own_changes(git: Git) -> None:
    made = git.ref(MADE)
    if not made:
        return
    advice = "make absorb takes them into the repository"
    if git.run("merge-base", "--is-ancestor", "HEAD", made).returncode:
        raise Trouble(f"{git.tree} has commits of yours: {advice}, "
                      f"git -C {git.tree} reset --hard {made[:12]} drops them")
    changed = edited(git)
    if changed:
        raise Trouble(f"{git.tree} has changes of yours ({', '.join(changed[:3])}"
                      f"{', ...' if len(changed) > 3 else ''}): {advice}, or undo them with git")


def edited(git: Git) -> list[str]:
    """Files that differ from HEAD, and untracked ones that are no build's output."""
    git.run("update-index", "-q", "--refresh")
    return git.names("diff-index", "-z", "--name-only", "HEAD") + git.names(*UNTRACKED)


def switch(git: Git, old: str, new: str) -> None:
    """Switch the work tree from one tree to another; write only files that differ."""
    git.text("update-ref", NEXT, new)
    git.text("read-tree", "-m", "-u", old, new)
    settle(git, new)


def settle(git: Git, commit: str) -> None:
    git.text("update-ref", BRANCH, commit)
    git.text("symbolic-ref", "HEAD", BRANCH)
    git.text("update-ref", MADE, commit)
    git.text("update-ref", "-d", NEXT)


def main() -> None:
    git = open_tree()
    finish_interrupted(git)
    refuse_own_changes(git)
    base = git.ref("refs/bases/next")
    if not base:
        raise Trouble(f"{git.tree} has no base: make tree")
    patches = load()
    chain = commits(git, patches, base)
    old = git.ref("HEAD")
    if old != chain[-1] or git.ref(MADE) != old:
        empty = git.text("hash-object", "-t", "tree", "-w", "--stdin")
        switch(git, old or empty, chain[-1])
    git.text("update-ref", "refs/tags/base", "refs/bases/next")
    description = git.text("for-each-ref", "--format=%(contents:subject)", "refs/tags/base")
    print(f"  {git.tree.relative_to(TOP)}: {description}, {len(patches)} patches")


if __name__ == "__main__":
    start(main)
