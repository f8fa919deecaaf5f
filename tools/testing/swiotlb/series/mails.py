#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make series: the mails of the series in build/mails, ready for git send-email.

The person who runs it is author and signs off. Two runs write the same bytes."""

import os
import shutil
import subprocess
from pathlib import Path

from figures import filled
from git import TOP, Git, Trouble, Who, open_tree, start
from patches import SERIES, Patch, load, text
from tree import commits

MAILS = TOP / "build/mails"


def whoever_runs_it() -> Who:
    return Who(configured("name"), configured("email"))


def configured(key: str) -> str:
    done = subprocess.run(["git", "config", f"user.{key}"], cwd=TOP, text=True,
                          capture_output=True, check=False)
    value = os.environ.get(f"GIT_AUTHOR_{key.upper()}") or done.stdout.strip()
    if not value:
        raise Trouble(f"the mails need your {key} for Signed-off-by: "
                      f"git config --global user.{key} '...'")
    return value


def write(git: Git, patches: list[Patch], who: Who, folder: Path) -> list[Path]:
    """Write the mails into an empty folder; the cover letter is the first."""
    base = git.ref("base")
    if not base:
        raise Trouble(f"{git.tree} has no base: make tree")
    signed = commits(git, patches, base, who)
    if len(signed) == 1:
        return []
    own = Git(git.tree, who=who)
    own.text("format-patch", "-q", "--cover-letter", "--numbered", "--signoff", "--zero-commit",
             "--no-signature", "--no-renames", "-o", str(folder), f"{base}..{signed[-1]}")
    mails = sorted(folder.iterdir())
    description = git.text("for-each-ref", "--format=%(contents:subject)", "refs/tags/base")
    fill_cover(mails[0], filled(git, signed[-1], text(SERIES / "cover")), description)
    return mails


def fill_cover(mail: Path, cover: str, base: str) -> None:
    subject, _, body = cover.partition("\n")
    if not (subject and body.startswith("\n") and (subject + body).isascii()):
        raise Trouble("series/cover needs a subject, an empty line and text, all in ASCII")
    letter = text(mail).replace("*** SUBJECT HERE ***", subject)
    mail.write_text(letter.replace("*** BLURB HERE ***", f"{body.strip()}\n\nbase: {base}"),
                    encoding="utf-8", errors="surrogateescape")


def main() -> None:
    git = open_tree()
    who = whoever_runs_it()
    unfinished = MAILS.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    mails = write(git, load(), who, unfinished)
    shutil.rmtree(MAILS, ignore_errors=True)
    unfinished.rename(MAILS)
    for mail in mails:
        print(f"  {MAILS.relative_to(TOP)}/{mail.name}")
    if not mails:
        print("  the series is empty: no mails")


if __name__ == "__main__":
    start(main)
