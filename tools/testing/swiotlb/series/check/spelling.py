#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks spelling, with the dictionaries of codespell and the kernel, in the cover letters,
messages, hunks, added files and this repository's own pages; and white space, with git, in
each patch. Prints KTAP."""

import re
import tempfile
from pathlib import Path

from checks import TOP, Message, Series, Trouble, judge, open_series, run_tool, start
from mails import parts

WORDS = "scripts/spelling.txt"
PAGES = ["README.md", "CONTRIBUTING.md", "series/PORTING.md", "tools/testing/swiotlb/README.md",
         "notes/parity.rst", "notes/drivers.rst"]
MISSPELT = re.compile(r"^.+:\d+: (\S+) ==> .*", re.M)


def kernel_words(series: Series, folder: Path) -> Path:
    """The kernel's dictionary, wrong||right, in codespell's form."""
    words = series.git.blob("HEAD", WORDS)
    pairs = re.findall(r"^([\w'-]+)\|\|(.+)$", (words or b"").decode(), re.M)
    if not pairs:
        raise Trouble(f"{WORDS} has no words")
    path = folder / "dictionary"
    path.write_text("".join(f"{wrong}->{right}\n" for wrong, right in pairs), encoding="utf-8")
    return path


def spelling(path: str, dictionary: Path) -> list[Message]:
    said = run_tool(["codespell", "-D", "-", "-D", str(dictionary), path], TOP)
    found = [Message(line[1], line[0]) for line in MISSPELT.finditer(said)]
    if said.strip() and not found:
        raise Trouble(f"codespell: {said.strip().splitlines()[0]}")
    return found


def white_space(series: Series, number: int) -> list[Message]:
    """git's findings in the patch of that number."""
    commits = series.git.text("rev-list", "--reverse", "refs/tags/base..HEAD").split()
    done = series.git.run("diff-tree", "--check", "-r", f"{commits[number]}^", commits[number])
    said = done.stdout.decode(errors="replace").splitlines()
    # Each finding is followed by the line, with a sign before it
    return [Message(line.rpartition(": ")[2], line) for line in said if not line[:1] in "+- "]


def main() -> int:
    series = open_series()
    texts = [*(f"series/cover-{part}" for part in parts(series.patches)), *PAGES, *series.added()]
    texts += [str(path.relative_to(TOP)) for patch in series.patches
              for path in (patch.folder / "message", patch.folder / "hunks.patch",
                           patch.hunks_file) if path.exists()]
    patches = {f"white-space:{patch.name}": at for at, patch in enumerate(series.patches)}
    with tempfile.TemporaryDirectory(dir=TOP / "build") as folder:
        dictionary = kernel_words(series, Path(folder))
        return judge("spelling", [*texts, *patches],
                     lambda name: white_space(series, patches[name]) if name in patches
                     else spelling(name, dictionary))


if __name__ == "__main__":
    start(main)
