#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The kernel's checkpatch on every mail of the series (no error, no warning) and,
strictly, on every C file that is all ours. Prints KTAP."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from check import CHECKER
from git import TOP, Git, Trouble, open_tree
from mails import write
from patches import Patch, load

# MAINTAINERS is changed by one patch for the whole series
MAIL_OPTIONS = ["--ignore", "FILE_PATH_CHANGES"]
FILE_OPTIONS = ["--strict", "-f"]
# Its SPDX check needs modules that Debian's python3 has, another may not
ENVIRONMENT = os.environ | {"PATH": "/usr/bin:" + os.environ["PATH"]}


def runs(git: Git, patches: list[Patch], folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Name and arguments of each checkpatch run."""
    for mail in write(git, patches, CHECKER, folder)[1:]:
        yield mail.stem, [*MAIL_OPTIONS, str(mail)]
    for patch in patches:
        for path in patch.files:
            if path.endswith((".c", ".h")):
                yield path, [*FILE_OPTIONS, path]


def complaints(git: Git, arguments: list[str]) -> str:
    command = ["scripts/checkpatch.pl", "--no-summary", "--terse", "--show-types",
               "--root", str(git.tree), *arguments]
    done = subprocess.run(command, cwd=git.tree, env=ENVIRONMENT, text=True,
                          capture_output=True, check=False)
    return (done.stdout + done.stderr).strip() if done.returncode or done.stdout.strip() else ""


def main() -> int:
    print("KTAP version 1")
    try:
        git, patches = open_tree(), load()
        with tempfile.TemporaryDirectory(dir=TOP / "build") as folder:
            return report(git, list(runs(git, patches, Path(folder))))
    except Trouble as trouble:
        print(f"1..1\n# {trouble}\nnot ok 1 mails")
        return 1


def report(git: Git, planned: list[tuple[str, list[str]]]) -> int:
    if not planned:
        print("1..1\nok 1 mails # SKIP the series is empty")
        return 0
    failures = 0
    print(f"1..{len(planned)}")
    for number, (name, arguments) in enumerate(planned, 1):
        complaint = complaints(git, arguments)
        failures += bool(complaint)
        for line in complaint.splitlines():
            print(f"# {line}")
        print(f"{'not ok' if complaint else 'ok'} {number} {name}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
