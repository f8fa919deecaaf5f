#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The kernel's kernel-doc, with all its warnings, on every C file that the series adds or
changes. Added files must have no message, changed files none that the base does not have.
In added files every function that is not static and every struct in a header needs
a kernel-doc comment; test cases do not, their names say enough. Prints KTAP."""

import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from checks import BASE, TOP, Message, Series, judge, open_series, run_tool, start

COMMAND = ["scripts/kernel-doc", "-none", "-Wall"]
TESTS = "lib/tests/"
COMMENT = r"(?P<doc>/\*\*\n(?:(?!\*/).)*\*/\n)?"
# The start of a definition in column 0, of a function up to its brace
FUNCTION = re.compile(COMMENT + r"^(?!static\b|struct \w+ \{)(?P<head>[a-z][^\n;{}=]*?"
                      r"\b(?P<name>\w+)\([^;{}]*?\))\n\{", re.M | re.S)
STRUCT = re.compile(COMMENT + r"^(?P<name>struct \w+) \{", re.M | re.S)


def said(series: Series, path: str, content: bytes) -> list[Message]:
    """kernel-doc's messages about a content under that name."""
    with tempfile.TemporaryDirectory(dir=TOP / "build") as folder:
        copy = Path(folder, path)
        copy.parent.mkdir(parents=True)
        copy.write_bytes(content)
        output = run_tool([*COMMAND, str(copy)], series.git.tree).replace(f"{folder}/", "")
    return [Message(re.sub(r"^\S+?:\d+: ", "", line), line) for line in output.splitlines()]


def undocumented(path: str, content: str) -> Iterator[Message]:
    patterns = [FUNCTION, STRUCT] if path.endswith(".h") else [FUNCTION]
    for pattern in patterns:
        for found in pattern.finditer(content):
            # The comment must begin with the name, or it is about something else
            opening = re.match(r"/\*\*\n \* (?:struct )?(\w+)", found["doc"] or "")
            name = found["name"].removeprefix("struct ")
            if not opening or opening[1] != name:
                yield Message(f"no kernel-doc: {name}", f"{path}: {name} has no kernel-doc")


def look(series: Series, path: str) -> list[Message]:
    content = series.git.blob("HEAD", path)
    assert content is not None
    messages = said(series, path, content)
    if path not in series.added():
        known = Counter(message.key for message in said(series, path, base(series, path)))
        return newer(messages, known)
    if not path.startswith(TESTS):
        messages += undocumented(path, content.decode())
    return messages


def base(series: Series, path: str) -> bytes:
    return series.git.blob(BASE, path) or b""


def newer(messages: list[Message], known: Counter[str]) -> list[Message]:
    """Messages that are not known, or are there more often than known."""
    fresh = []
    for message in messages:
        known[message.key] -= 1
        if known[message.key] < 0:
            fresh.append(message)
    return fresh


def main() -> int:
    series = open_series()
    names = series.added(".c", ".h") + series.changed(".c", ".h")
    return judge("kernel-doc", names, lambda path: look(series, path))


if __name__ == "__main__":
    start(main)
