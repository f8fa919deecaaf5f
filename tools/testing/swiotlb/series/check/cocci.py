#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Coccinelle with each of the kernel's semantic patches that report, on all C files that
the series adds, as scripts/coccicheck runs it. Two that need an OCaml compiler are left
out: one is about a table of a battery driver, the other finds 0 in place of NULL, as
sparse does. Prints KTAP."""

import re
from pathlib import Path

from checks import Message, Series, judge, open_series, run_tool, start

PATCHES = "scripts/coccinelle"
COMMAND = ["spatch", "-D", "report", "--no-show-diff", "--very-quiet"]
INCLUDES = ["arch/x86/include", "arch/x86/include/generated", "include", "arch/x86/include/uapi",
            "include/uapi"]
# A warning of spatch about the semantic patch itself
ABOUT_PATCH = re.compile(r"^warning: line \d+: should \w+ be a metavariable\?$")


def look(series: Series, name: str) -> list[Message]:
    tree = series.git.tree
    options = re.findall(r"^// Options: *(.*)$", (tree / PATCHES / name).read_text(), re.M)
    includes = [word for path in INCLUDES for word in ("-I", path)]
    said = run_tool([*COMMAND, "--cocci-file", f"{PATCHES}/{name}", *" ".join(options).split(),
                     *includes, "--include", "include/linux/kconfig.h", *series.added(".c")], tree)
    return [Message(re.sub(r"\d+(:\d+(-\d+)?)?", "N", line), line)
            for line in said.splitlines() if line.strip() and not ABOUT_PATCH.match(line)]


def semantic_patches(tree: Path) -> list[str]:
    folder = tree / PATCHES
    texts = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.cocci")}
    return sorted(name for name, content in texts.items()
                  if "virtual report" in content and ":ocaml" not in content)


def main() -> int:
    series = open_series()
    return judge("coccinelle", semantic_patches(series.git.tree), lambda name: look(series, name))


if __name__ == "__main__":
    start(main)
