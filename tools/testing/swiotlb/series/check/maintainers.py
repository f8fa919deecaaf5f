#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The kernel's get_maintainer on every file that the series adds or changes: it has to
find somebody besides the kernel's mailing list, and an added file has to be in a section
that is not about whole trees. Patterns that the series adds have to match files. Prints
KTAP."""

import re

from checks import BASE, Message, Series, Trouble, judge, open_series, run_tool, start

COMMAND = ["scripts/get_maintainer.pl", "--no-git", "--no-git-fallback"]
EVERYBODY = "linux-kernel@vger.kernel.org"
# Sections for whole trees: they do not count as an owner of an added file
WHOLE_TREES = {"THE REST", "DOCUMENTATION", "LIBRARY CODE"}
PATTERNS = "patterns"


def owners(series: Series, path: str) -> list[Message]:
    tree = series.git.tree
    found = run_tool([*COMMAND, "--no-rolestats", "--no-scm", "-f", path], tree).splitlines()
    if not any("@" in line and EVERYBODY not in line for line in found):
        return [Message("nobody", f"{path}: get_maintainer.pl finds nobody but the kernel's list")]
    if path not in series.added():
        return []
    sections = run_tool([*COMMAND, "--sections", "-f", path], tree).strip().split("\n\n")
    titles = {section.strip().splitlines()[0] for section in sections}
    if titles <= WHOLE_TREES:
        return [Message("no section", f"{path}: only in {', '.join(sorted(titles))}")]
    return []


def patterns(series: Series) -> list[Message]:
    """Patterns that the series adds and that match no file."""
    diff = series.git.text("diff", BASE, "HEAD", "--", "MAINTAINERS")
    added = re.findall(r"^\+[FX]:\s+(\S+)$", diff, re.M)
    if not added:
        raise Trouble("the series adds no pattern to MAINTAINERS")
    return [Message(pattern, f"MAINTAINERS: {pattern} matches no file") for pattern in added
            if not series.git.names("ls-files", "-z", f":(glob){pattern}")]


def main() -> int:
    series = open_series()
    names = [PATTERNS, *series.added(), *series.changed()]
    return judge("get_maintainer", names,
                 lambda name: patterns(series) if name == PATTERNS else owners(series, name))


if __name__ == "__main__":
    start(main)
