# SPDX-License-Identifier: GPL-2.0
"""Splits, checks and makes changes to files of the base.

A hunk has as little context as possible, to keep the base's text out of this
repository, but enough to fit in one place only: on another point release the line
numbers are different, and a hunk that fits twice may land in the wrong place."""

import re
from dataclasses import dataclass

from git import Git, Trouble

HEADER = re.compile(r"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@.*\n", re.M)
MOST_CONTEXT = 20


@dataclass
class Hunk:
    line: int
    before: list[str]

    def places(self, content: list[str]) -> int:
        """How often the lines that the hunk replaces occur in a file."""
        size = len(self.before)
        return sum(content[at:at + size] == self.before
                   for at in range(len(content) - size + 1))


def split(text: str) -> dict[str, str]:
    """A patch file's sections by the path they change."""
    sections = {}
    for section in re.split(r"^(?=diff --git )", text, flags=re.M):
        names = re.match(r"diff --git a/(\S+) b/(\S+)\n", section)
        if names and names[1] == names[2] and HEADER.search(section):
            sections[names[1]] = section
        elif section.strip():
            raise Trouble(f"not the change of a file: {section.strip().splitlines()[0]}")
    return sections


def parse(section: str) -> list[Hunk]:
    pieces = HEADER.split(section)[1:]
    return [Hunk(int(line), replaced(body)) for line, body in zip(pieces[::2], pieces[1::2])]


def replaced(body: str) -> list[str]:
    rows = body.rstrip("\n").split("\n")
    return [row[1:] for row in rows if row[:1] in ("", " ", "-")]


def check(section: str, content: bytes | None) -> str | None:
    """Why a section cannot change a file with this content; None if it can."""
    if content is None:
        return "the base has no such file"
    rows = decode(content).split("\n")
    for hunk in parse(section):
        places = hunk.places(rows) if hunk.before else 2
        if places == 0:
            return f"the hunk for line {hunk.line} does not apply"
        if places > 1:
            return f"the hunk for line {hunk.line} fits in several places: give it more context"
    return None


def make(git: Git, path: str, old: bytes, new: bytes) -> str:
    """The section that turns old into new, with the least context that is safe."""
    if old == new:
        return ""
    blobs = [git.text("hash-object", "-w", "--stdin", stdin=content) for content in (old, new)]
    for context in range(1, MOST_CONTEXT):
        diff = decode(git.raw("diff", "--no-color", f"-U{context}", *blobs))
        body = re.sub(r"^(@@ .*? @@).*", r"\1", diff[diff.index("\n@@ ") + 1:], flags=re.M)
        section = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{body}"
        if check(section, old) is None:
            return section
    raise Trouble(f"{path}: a change cannot be told from its surroundings")


def decode(content: bytes) -> str:
    return content.decode(errors="surrogateescape")
