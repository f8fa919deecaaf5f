#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make htmldocs for the book with the pages of the series: the pages are written and
linked, and no message is about a file that the series adds or changes. The pages are in
build/htmldocs. Prints KTAP."""

import re
import shutil
from pathlib import Path

from checks import TOP, Message, Series, Trouble, judge, open_series, run_tool, start

BOOK = "core-api"
OUTPUT = TOP / "build/htmldocs"
REST = "what-is-asked-for"
MESSAGE = re.compile(r"\b(warning|error|severe|critical):", re.I)
# Without graphviz the book's graphs are worse, but none of them is ours
NO_GRAPHS = "dot(1) not found"


def built(series: Series) -> list[str]:
    """The messages of a build from scratch: an unchanged page would give no messages."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    said = run_tool(["make", "htmldocs", f"SPHINXDIRS={BOOK}", f"BUILDDIR={OUTPUT}"],
                    series.git.tree)
    log = TOP / "build/logs/htmldocs.log"
    log.write_text(said, encoding="utf-8")
    if not (OUTPUT / BOOK / "index.html").exists():
        raise Trouble(f"make htmldocs did not write {BOOK}, see {log}")
    return said.splitlines()


def sort_out(series: Series, said: list[str], ours: list[str]) -> dict[str, list[Message]]:
    """Messages by the file of ours that they name, or under REST if they name no file of
    the kernel: these are about things that a page refers to and that do not exist."""
    found: dict[str, list[Message]] = {name: [] for name in [*ours, REST]}
    kernel = set(series.git.names("ls-tree", "-r", "-z", "--name-only", "HEAD"))
    for line in said:
        if not MESSAGE.search(line) or NO_GRAPHS in line:
            continue
        short = line.replace(f"{series.git.tree}/", "")
        named = [path for path in re.findall(r"(?:\./)?([\w./-]+\.\w+)", short) if path in kernel]
        mine = [path for path in named if path in found]
        if mine or not named:
            key = re.sub(r"^\S+:\d+: |( \[[\w.]+\])$", "", short)
            found[mine[0] if mine else REST].append(Message(key, short))
    return found


def written(path: str) -> list[Message]:
    """Messages when a page was not written, or is not linked."""
    html = OUTPUT / Path(path).relative_to("Documentation").with_suffix(".html")
    if not html.exists():
        return [Message("no page", f"{path}: {html.name} was not written")]
    if f'href="{html.name}"' not in (OUTPUT / BOOK / "index.html").read_text(encoding="utf-8"):
        return [Message("no link", f"{BOOK}/index.html has no link to {html.name}")]
    return []


def main() -> int:
    series = open_series()
    ours = series.added(".c", ".h", ".rst") + series.changed(".c", ".h", ".rst")
    found = sort_out(series, built(series), ours)
    pages = [path for path in series.added(".rst") if path.startswith(f"Documentation/{BOOK}/")]
    for path in pages:
        found[path] += written(path)
    return judge("htmldocs", list(found), lambda name: found[name])


if __name__ == "__main__":
    start(main)
