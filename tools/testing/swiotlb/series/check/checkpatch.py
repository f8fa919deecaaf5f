#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The kernel's checkpatch, strict, on every mail of the series and on every file that it
adds or replaces, but without codespell, which is slow here: see spelling.py. Prints KTAP."""

import re
import tempfile
from pathlib import Path

from checks import TOP, Message, Series, judge, open_series, run_tool, start
from roundtrip import CHECKER
from mails import write

# The trees here have no history, in which checkpatch could look up a commit
COMMAND = ["scripts/checkpatch.pl", "--strict", "--no-summary", "--terse", "--show-types",
           "--ignore", "UNKNOWN_COMMIT_ID"]
# file:line: LEVEL:TYPE: text
MESSAGE = re.compile(r"^.*?([^/]+:\d+: (?:ERROR|WARNING|CHECK):(\w+): .*)")


def write_mails(series: Series, folder: Path) -> dict[str, Path]:
    """The mails; keys are the names of their patches."""
    mails = [mail for mail in write(series.git, series.patches, CHECKER, folder)
             if not mail.name.startswith("0000-")]
    return {patch.name: mail for patch, mail in zip(series.patches, mails)}


def complaints(series: Series, arguments: list[str]) -> list[Message]:
    said = run_tool([*COMMAND, "--root", str(series.git.tree), *arguments], series.git.tree)
    found = []
    for line in said.strip().splitlines():
        known = MESSAGE.match(line)
        found.append(Message(known[2], known[1]) if known else Message(line, line))
    return found


def main() -> int:
    series = open_series()
    with tempfile.TemporaryDirectory(dir=TOP / "build") as folder:
        mails = write_mails(series, Path(folder))
        arguments = {name: [str(mail)] for name, mail in mails.items()}
        arguments |= {path: ["-f", path] for path in series.added()}
        return judge("checkpatch", list(arguments),
                     lambda name: complaints(series, arguments[name]))


if __name__ == "__main__":
    start(main)
