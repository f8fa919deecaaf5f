#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make stat: what the series changes, in the tables of the cover letter.

Lines added and removed, from the commits; what drivers may expect of the DMA API in
PV guests, from the table that make parity keeps in the documentation; and how many
lines the series has in common with the code it replaces. make series puts the tables
in place of the lines {lines}, {features} and {duplicates} of series/cover-N.

Besides, make stat counts what is in series/backport-*."""

import re
from collections import Counter
from collections.abc import Iterator

from git import BRANCH, TOP, Git, Trouble, base_name, open_tree, start

PARITY = TOP / "notes/parity.rst"
OLD = ("drivers/xen/swiotlb-xen.c", "kernel/dma/swiotlb.c")
RUN = 3     # equal lines in a row that count as copied

# The first pattern that matches a path names its part
PARTS = (
    ("Documentation", r"Documentation/|MAINTAINERS"),
    ("KUnit tests", r"lib/tests/"),
    ("software IO TLB", r"(kernel/dma|lib|include/linux|include/trace/events)/swiotlb"),
    ("Xen PV", r"arch/x86/(xen|include/asm/xen)/|drivers/(xen|pci)/|include/xen/|"
               r"arch/x86/include/asm/dma-machine\.h"),
    ("dma-direct and its users", r""),
)


def part_of(path: str) -> str:
    return next(name for name, pattern in PARTS if re.match(pattern, path))


def lines(git: Git, base: str, head: str) -> str:
    """Lines added and removed, by what they are about."""
    added: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    for row in git.text("diff", "--numstat", "--no-renames", base, head).splitlines():
        plus, minus, path = row.split("\t")
        added[part_of(path)] += int(plus)
        removed[part_of(path)] += int(minus)
    rows = [(name, added[name], removed[name]) for name, _ in PARTS]
    rows.append(("together", sum(added.values()), sum(removed.values())))
    return "\n".join(["  lines                     added  removed",
                      *(f"  {name:<24} {plus:>6}   {minus:>6}" for name, plus, minus in rows)])


def features(_git: Git, _base: str, _head: str) -> str:
    """For each row: is it true in dom0, and in a domU that owns a device?"""
    _, _, table = PARITY.read_text().partition(f".. parity table {base_name()} begin")
    table, _, _ = table.partition(f".. parity table {base_name()} end")
    rows = re.findall(r"^   \* - ([\w-]+): (.*)\n((?:     - .*\n)+)", table, re.M)
    if not rows:
        raise Trouble(f"{PARITY} has no table of {base_name()}: make parity")
    text = ["                                                      before      after",
            "  Xen PV                                           dom0 domU  dom0 domU"]
    for _, what, cells in rows:
        answers = [cell.split(":")[0] for cell in re.findall(r"- (.*)", cells)]
        dom0, dom0_ours, domu, domu_ours = answers[2:]
        if {*answers} == {"-"}:
            continue
        text += [*folded(what, f"{dom0:>4} {domu:>4}  {dom0_ours:>4} {domu_ours:>4}")]
    return "\n".join(text)


def folded(what: str, cells: str) -> Iterator[str]:
    """The words in lines of 46 characters, the cells beside the last line."""
    line = ""
    for word in what.split():
        if len(line) + len(word) > 45:
            yield f"  {line}"
            line = " "
        line += f" {word}" if line else word
    yield f"  {line:<48} {cells}"


def significant(source: str) -> list[str]:
    """Lines of code with at least one word, without comments and extra white space."""
    source = re.sub(r"/\*.*?\*/|//[^\n]*", "", source, flags=re.S)
    stripped = (re.sub(r"\s+", " ", line).strip() for line in source.splitlines())
    return [line for line in stripped
            if re.search(r"\w{2}", line) and not line.startswith("#include")]


def copied(new: list[str], old: list[str]) -> int:
    """Number of lines in the new text that are in runs which the old text has as well."""
    runs = {tuple(old[i:i + RUN]) for i in range(len(old) - RUN + 1)}
    marked = {j for i in range(len(new) - RUN + 1) if tuple(new[i:i + RUN]) in runs
              for j in range(i, i + RUN)}
    return len(marked)


def duplicates(git: Git, base: str, head: str) -> str:
    """Lines that the added files have in common with the files they replace."""
    new = git.names("diff", "-z", "--name-only", "--diff-filter=A", "--no-renames", base, head,
                    "--", "*.c", "*.h")
    ours = [significant(text_of(git, head, path)) for path in new]
    text = [f"  {'lines of code in the new files':<64} {sum(map(len, ours)):>6}"]
    for path in OLD:
        old = significant(text_of(git, "base", path))
        equal = sum(copied(lines_of_one, old) for lines_of_one in ours)
        where = f"of these, in runs of {RUN} or more, in {path} ({len(old)})"
        text.append(f"  {where:<64} {equal:>6}")
    return "\n".join(text)


def text_of(git: Git, commit: str, path: str) -> str:
    return (git.blob(commit, path) or b"").decode()


TABLES = {"{lines}": lines, "{features}": features, "{duplicates}": duplicates}


def filled(git: Git, base: str, head: str, cover: str) -> str:
    """The cover letter with its tables, of the commits from @base to @head."""
    for name, table in TABLES.items():
        if f"\n{name}\n" in cover:
            cover = cover.replace(f"\n{name}\n", f"\n{table(git, base, head)}\n")
    return cover


def backports() -> str:
    """Changed lines in the folder of each backport: of the series' own files, and of the base."""
    text = ["  lines that a backport adds and removes      own files       the base"]
    for folder in sorted((TOP / "series").glob("backport-*")):
        cells = []
        for paths in [folder.glob("files.patch"), folder.rglob("[0-9]*/*.patch"),
                      folder.glob("[0-9]*.patch")]:
            rows = "\n".join(path.read_text() for path in paths)
            cells.append((len(re.findall(r"^\+(?!\+\+ )", rows, re.M)),
                          len(re.findall(r"^-(?!-- )", rows, re.M))))
        own, patches, hunks = cells
        text.append(f"  {folder.name:<40} {own[0]:>6} {own[1]:>6}  "
                    f"{patches[0] + hunks[0]:>6} {patches[1] + hunks[1]:>6}")
    return "\n".join(text)


def main() -> None:
    git = open_tree()
    head = git.ref(BRANCH)
    if not head:
        raise Trouble(f"{git.tree} has no series: make tree")
    print("\n\n".join([*(table(git, "base", head) for table in TABLES.values()), backports()]))


if __name__ == "__main__":
    start(main)
