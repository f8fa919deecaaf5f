#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Figures in texts: `--check` compares them with figures.txt and prints KTAP, `--fill`
writes the figures of that file into the texts.

figures.txt has sections, with a figure in each line:

  [SECTION: COMMAND; gcc VERSION]
  NAME  VALUE                       SECTION.NAME is VALUE; SECTION.gcc is VERSION

Several values in a line are those of several runs; SECTION.NAME.mean is their mean. The
last section, [texts], says where figures stand:

  PATH: WORDS {SECTION.NAME} WORDS  the text has these words once, with that figure

A space stands for any white space, and {A - B} for a difference. counted() has figures
that follow from the repository itself."""

import re
import sys
from pathlib import Path
from statistics import mean

from git import TOP, Trouble, start

FIGURES = Path(__file__).with_name("figures.txt")
TOOLS = TOP / "tools/testing/swiotlb"
WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
FIELD = re.compile(r"\{([^}]*)\}")

Values = dict[str, str]


def read() -> tuple[Values, dict[str, list[str]]]:
    """The recorded figures; and the patterns of each text."""
    values: Values = {}
    patterns: dict[str, list[str]] = {}
    section = ""
    for line in FIGURES.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if head := re.fullmatch(r"\[(\w+): .*; gcc (\d+)\]|\[(texts)\]", line):
            section = head[1] or head[3]
            values |= {f"{section}.gcc": head[2]} if head[2] else {}
        elif section == "texts":
            path, _, pattern = line.partition(": ")
            patterns.setdefault(path, []).append(pattern)
        else:
            name, value = line.split(maxsplit=1)
            values[f"{section}.{name}"] = value
    return values, patterns


def derived(values: Values) -> Values:
    """Means of several runs, and the range of the means of I/Os."""
    found = {f"{name}.mean": f"{mean(map(float, value.split())):.2g}"
             for name, value in values.items() if " " in value}
    means = [value for name, value in values.items() if name.startswith("io.mean.")]
    return found | {"io.mean.min": min(means), "io.mean.max": max(means)}


def counted() -> Values:
    """Figures that can be counted in the repository and need not be recorded."""
    table = (TOP / "notes/parity.rst").read_text()
    table = table.partition("begin\n")[2].partition(".. parity table")[0]
    listed = [line.split() for line in (TOOLS / "series/arch/list").read_text().splitlines()
              if line and not line.startswith("#")]
    walked = re.findall(r'^configurations="(.*)"', (TOOLS / "series/walk/walk").read_text(), re.M)
    goals = re.findall(r"^time +(.*?)  +(\S+)$", (TOOLS / "user/bench/goals").read_text(), re.M)
    return {
        "mutants": str(len(list((TOOLS / "user/mutants").glob("*.patch")))),
        "rows": str(len(re.findall(r"^   \* - [\w-]+: ", table, re.M))),
        "configurations": WORDS[len(walked[0].split())],
        "arch.configurations": WORDS[len(listed)],
        "arch.architectures": WORDS[len({re.sub("x86_64|i386", "x86", row[1]) for row in listed})],
        **{f"goal.{name}": value for name, value in goals},
    }


def value_of(field: str, values: Values) -> str:
    names = field.split(" - ")
    for name in names:
        if name not in values:
            raise Trouble(f"{FIGURES.name} uses {{{field}}} but has no figure {name}")
    return values[field] if len(names) == 1 else str(int(values[names[0]]) - int(values[names[1]]))


def expression(pattern: str, values: Values) -> re.Pattern[str]:
    """A regular expression for the words of the pattern, with any figures."""
    pieces = FIELD.split(pattern)
    for at, piece in enumerate(pieces):
        if at % 2:
            one = r"[\d.]*\d" if value_of(piece, values)[0].isdigit() else r"[a-z]+"
            count = len(value_of(piece, values).split())
            pieces[at] = rf"(?<![\w.])({' '.join([one] * count)})(?!\w)"
        else:
            pieces[at] = r"\s+".join(map(re.escape, re.split(r"\s+", piece)))
    return re.compile(r"(?<!\w)" + "".join(pieces))


def compare(path: str, patterns: list[str], values: Values) -> tuple[str, list[str]]:
    """The text with the figures filled in, and a message for each wrong figure."""
    text = (TOP / path).read_text()
    wrong = []
    for pattern in patterns:
        found = list(expression(pattern, values).finditer(text))
        if len(found) != 1:
            raise Trouble(f"{path} has these words {len(found)} times, not once: {pattern}")
        for at, field in reversed(list(enumerate(FIELD.findall(pattern), 1))):
            right = value_of(field, values)
            if found[0][at] != right:
                wrong.append(f"{path}: {{{field}}} is {right} and not {found[0][at]}: {pattern}")
                text = text[:found[0].start(at)] + right + text[found[0].end(at):]
    return text, wrong


def unused(values: Values, patterns: dict[str, list[str]]) -> list[str]:
    """Recorded figures that no text has."""
    fields = {name.removesuffix(".mean") for pattern in sum(patterns.values(), [])
              for field in FIELD.findall(pattern) for name in field.split(" - ")}
    return [name for name in values if name not in fields and not name.endswith(".gcc")]


def check(recorded: Values, values: Values, patterns: dict[str, list[str]]) -> int:
    print(f"KTAP version 1\n1..{len(patterns) + 1}")
    failures = 0
    for number, path in enumerate(patterns, 1):
        try:
            wrong = compare(path, patterns[path], values)[1]
        except Trouble as trouble:
            wrong = [str(trouble)]
        failures += result(number, path, wrong)
    idle = [f"no text has {name}" for name in unused(recorded, patterns)]
    failures += result(len(patterns) + 1, "every figure is used", idle)
    return 1 if failures else 0


def result(number: int, name: str, wrong: list[str]) -> bool:
    for line in wrong:
        print(f"# {line}")
    print(f"{'not ok' if wrong else 'ok'} {number} {name}")
    return bool(wrong)


def main() -> int:
    recorded, patterns = read()
    values = recorded | derived(recorded) | counted()
    if sys.argv[1:] == ["--check"]:
        return check(recorded, values, patterns)
    if sys.argv[1:] != ["--fill"]:
        raise Trouble("texts.py --check or texts.py --fill")
    for path in patterns:
        text, wrong = compare(path, patterns[path], values)
        for line in wrong:
            print(f"  {line}")
        (TOP / path).write_text(text)
    return 0


if __name__ == "__main__":
    start(main)
