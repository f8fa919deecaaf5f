#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make series: the mails of the series, ready for git send-email.

Each part of the series is a thread of its own, in build/mails/part-N: a cover letter from
series/cover-N, the patches, and recipients, from get_maintainer.pl. PART=N writes one part.

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
    """Write the parts into folders of an empty folder. Returns the mails in the order in
    which they apply; the cover letter of each part is before its patches."""
    base = git.ref("base")
    if not base:
        raise Trouble(f"{git.tree} has no base: make tree")
    signed = commits(git, patches, base, who)
    mails = []
    for part in parts(patches):
        last = max(number for number, patch in enumerate(patches, 1) if patch.part == part)
        first = min(number for number, patch in enumerate(patches) if patch.part == part)
        mails += write_part(Git(git.tree, who=who), part, signed[first], signed[last], folder)
    return mails


def parts(patches: list[Patch]) -> list[str]:
    found = [patch.part for patch in patches]
    if found != sorted(found):
        raise Trouble("series/order: the parts are mixed, see the first digits")
    return sorted(set(found))


def write_part(git: Git, part: str, first: str, last: str, folder: Path) -> list[Path]:
    """The mails of the commits from @first, which is not among them, to @last."""
    place = folder / f"part-{part}"
    git.text("format-patch", "-q", "--cover-letter", "--numbered", "--signoff", "--zero-commit",
             "--no-signature", "--no-renames", "-o", str(place), f"{first}..{last}")
    mails = sorted(place.iterdir())
    cover = text(SERIES / f"cover-{part}")
    fill_cover(mails[0], part, filled(git, first, last, cover), describe(git, part))
    return mails


def describe(git: Git, part: str) -> str:
    """What the part applies to."""
    base = git.text("for-each-ref", "--format=%(contents:subject)", "refs/tags/base")
    return base if part == "0" else f"{base}, and part {int(part) - 1}"


def fill_cover(mail: Path, part: str, cover: str, base: str) -> None:
    subject, _, body = cover.partition("\n")
    if not (subject and body.startswith("\n") and (subject + body).isascii()):
        raise Trouble(f"series/cover-{part} needs a subject, an empty line and text, all in ASCII")
    letter = text(mail).replace("*** SUBJECT HERE ***", subject)
    mail.write_text(letter.replace("*** BLURB HERE ***", f"{body.strip()}\n\nbase: {base}"),
                    encoding="utf-8", errors="surrogateescape")


def write_recipients(git: Git, place: Path) -> None:
    """Options of git send-email: whom get_maintainer.pl names for the patches of a part."""
    patches = sorted(place.glob("*.patch"))[1:]
    done = subprocess.run(["perl", "scripts/get_maintainer.pl", "--no-git", "--no-git-fallback",
                           "--no-rolestats", *map(str, patches)],
                          cwd=git.tree, text=True, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        raise Trouble(f"get_maintainer.pl names nobody for {place.name}: {done.stderr.strip()}")
    (place / "recipients").write_text(
        "".join(f"--to={who}\n" for who in done.stdout.splitlines()), encoding="utf-8")


def main() -> None:
    git = open_tree()
    who = whoever_runs_it()
    unfinished = MAILS.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    patches = load()
    wanted = os.environ.get("PART")
    if wanted and wanted not in parts(patches):
        raise Trouble(f"no part {wanted}: there are {', '.join(parts(patches))}")
    write(git, patches, who, unfinished)
    shutil.rmtree(MAILS, ignore_errors=True)
    MAILS.mkdir()
    for part in [wanted] if wanted else parts(patches):
        place = MAILS / f"part-{part}"
        (unfinished / place.name).rename(place)
        write_recipients(git, place)
        for mail in sorted(place.iterdir()):
            print(f"  {mail.relative_to(TOP)}")
    shutil.rmtree(unfinished)


if __name__ == "__main__":
    start(main)
