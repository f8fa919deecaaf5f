#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""sparse on every C file that the series adds or changes: no message that the base does
not have. The objects are compiled in trees of their own, build/BASE/check and
build/BASE/stock-check, for x86: files of other architectures are left to `make arch`. Prints
KTAP."""

import re
from collections import Counter

from checks import BASE, HERE, TOP, Message, Series, Trouble, judge, open_series, run_tool, start

BUILD = HERE.parent / "kernel/build"
# make's line before it begins with a file, and sparse's messages about the file
BEGIN = re.compile(r"^  (\w+) +(\S+)$")
MESSAGE = re.compile(r"^(?:\./)?(\S+?):\d+:\d+: ((?:warning|error): .*)")


def compiled(tree: str, paths: list[str]) -> dict[str, list[Message]]:
    """sparse's messages by C file, for those that were compiled."""
    objects = [re.sub(r"\.c$", ".o", path) for path in paths]
    output = run_tool([str(BUILD), tree, "-O", "C=2", "CHECK=sparse", *objects], TOP)
    log = TOP / f"build/logs/sparse-{tree}.log"
    log.write_text(output, encoding="utf-8")
    found: dict[str, list[Message]] = {}
    current = None
    for line in output.splitlines():
        begin, message = BEGIN.match(line), MESSAGE.match(line)
        if begin:
            current = found.setdefault(begin[2], []) if begin[1] == "CHECK" else None
        elif message and current is not None:
            current.append(Message(f"{message[1]}: {message[2]}", line))
    if not found:
        raise Trouble(f"nothing was compiled in {tree}, see {log}: "
                      + output.strip().rpartition("\n")[2])
    return found


def known_to_base(series: Series, paths: list[str]) -> Counter[str]:
    """For each message: how often the file of the base that has it most has it."""
    present = [path for path in paths if series.git.blob(BASE, path) is not None]
    most: Counter[str] = Counter()
    for messages in compiled("stock-check", present).values():
        most |= Counter(message.key for message in messages)
    return most


def for_x86(path: str) -> bool:
    return not path.startswith("arch/") or path.startswith("arch/x86/")


def newer(messages: list[Message], known: Counter[str]) -> list[Message]:
    seen: Counter[str] = Counter()
    fresh = []
    for message in messages:
        seen[message.key] += 1
        if seen[message.key] > known[message.key]:
            fresh.append(message)
    return fresh


def main() -> int:
    series = open_series()
    paths = [path for path in series.added(".c") + series.changed(".c") if for_x86(path)]
    removed = [path for patch in series.patches for path in patch.remove if path.endswith(".c")]
    known = known_to_base(series, paths + removed)
    found = compiled("check", paths)

    def look(path: str) -> list[Message]:
        if path not in found:
            return [Message("not compiled", f"{path} was not compiled, see build/logs")]
        return newer(found[path], known)

    return judge("sparse", paths, look)


if __name__ == "__main__":
    start(main)
