# SPDX-License-Identifier: GPL-2.0
"""Shared by the checks with the kernel's own tools: the files that the series adds and
changes, the messages that stay and why, KTAP.

The file `explained` beside this one has a line for each message that stays. A line
without its message is a failure as well."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
# pylint: disable=wrong-import-position
import hunks  # noqa: E402
from git import TOP, Git, Trouble, open_tree  # noqa: E402
from patches import Patch, load, text  # noqa: E402

EXPLAINED = HERE / "explained"
BASE = "refs/tags/base"

# Debian's tools run on Debian's python3; another one may come first in PATH
ENVIRONMENT = os.environ | {"PATH": "/usr/bin:" + os.environ["PATH"], "LC_ALL": "C.UTF-8"}


class Message(NamedTuple):
    """A tool's message: `key` is its part that does not change when lines move."""
    key: str
    text: str


class Series(NamedTuple):
    git: Git
    patches: list[Patch]

    def added(self, *endings: str) -> list[str]:
        """Files that the series adds or replaces whole; only those with these endings."""
        return sorted(path for patch in self.patches for path in patch.files
                      if not endings or path.endswith(endings))

    def changed(self, *endings: str) -> list[str]:
        """Files of the base that hunks change and that are still there."""
        removed = {path for patch in self.patches for path in patch.remove}
        paths = {path for patch in self.patches for path in hunks.split(patch.hunks)}
        return sorted(path for path in paths - removed - set(self.added())
                      if not endings or path.endswith(endings))


def open_series() -> Series:
    return Series(open_tree(), load())


def run_tool(command: list[str], where: Path) -> str:
    """The output of a tool, stdout and stderr. Its exit status is ignored: tools use it
    in different ways. The caller judges an empty output."""
    try:
        done = subprocess.run(command, cwd=where, env=ENVIRONMENT, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except FileNotFoundError as error:
        raise Trouble(f"no {error.filename}: make tree installs it") from error
    return done.stdout


def explained(tool: str) -> dict[tuple[str, str], str]:
    """The reason for each message that stays, by place and key."""
    found = {}
    for line in text(EXPLAINED).splitlines():
        if not line or line.startswith("#"):
            continue
        what, dashes, reason = line.partition(" -- ")
        place, colon, key = what.partition(": ")
        if not (dashes and colon and reason.strip() and len(place.split()) == 2):
            raise Trouble(f"{EXPLAINED}: not `TOOL PLACE: MESSAGE -- REASON`: {line}")
        if place.split()[0] == tool:
            found[place.split()[1], key] = reason.strip()
    return found


def judge(tool: str, names: list[str], look: Callable[[str], list[Message]]) -> int:
    """One test for each name, and one for the explanations."""
    reasons = explained(tool)
    if not names:
        raise Trouble("there is nothing to look at")
    print(f"KTAP version 1\n1..{len(names) + 1}", flush=True)
    unused, failures = set(reasons), 0
    for number, (name, messages) in enumerate(looked(names, look), 1):
        unexplained = 0
        for message in messages:
            reason = reasons.get((name, message.key))
            unused.discard((name, message.key))
            unexplained += reason is None
            print(f"# {message.text}" + (f"\n#     stays: {reason}" if reason else ""))
        failures += result(number, name, not unexplained)
    for name, key in sorted(unused):
        print(f"# {EXPLAINED.name} has a line for {name}, but no such message: {key}")
    failures += result(len(names) + 1, "every explanation is needed", not unused)
    return 1 if failures else 0


def looked(names: list[str], look: Callable[[str], list[Message]]
           ) -> Iterator[tuple[str, list[Message]]]:
    """Look at all names, as many at once as there are CPUs; results in order."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(names, pool.map(look, names))


def result(number: int, name: str, good: bool) -> int:
    print(f"{'ok' if good else 'not ok'} {number} {name}", flush=True)
    return 0 if good else 1


def start(main: Callable[[], int]) -> None:
    """Run a check; report trouble as a failed test."""
    try:
        sys.exit(main())
    except Trouble as trouble:
        print(f"KTAP version 1\n1..1\n# {trouble}\nnot ok 1 {Path(sys.argv[0]).stem}")
        sys.exit(1)


__all__ = ["BASE", "HERE", "TOP", "Git", "Message", "Series", "Trouble", "judge", "open_series",
           "run_tool", "start", "text"]
