# SPDX-License-Identifier: GPL-2.0
"""The repository with the base and the series, and git for it. git runs only with the
configuration, name and date given here, never with the user's."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from paths import TOP, Trouble, base_name, start  # noqa: E402 pylint: disable=wrong-import-position

# The commit that `make tree` checked out last, and the one that it is switching to
MADE = "refs/swiotlb/made"
NEXT = "refs/swiotlb/next"
BRANCH = "refs/heads/series"

# Any date will do, if it is always the same: git send-email sets its own
DATE = "1000000000 +0000"


class Who(NamedTuple):
    name: str
    email: str


TOOL = Who("series", "series@localhost")


class Git:
    """git in one work tree, with the index `index` (default: its own) and author `who`."""

    def __init__(self, tree: Path, index: str | None = None, who: Who = TOOL) -> None:
        self.tree = tree
        self.who = who
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        self.env |= {
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_AUTHOR_NAME": who.name, "GIT_AUTHOR_EMAIL": who.email,
            "GIT_COMMITTER_NAME": who.name, "GIT_COMMITTER_EMAIL": who.email,
            "GIT_AUTHOR_DATE": DATE, "GIT_COMMITTER_DATE": DATE, "LC_ALL": "C",
        }
        if index:
            self.env["GIT_INDEX_FILE"] = index

    def run(self, *args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["git", *args], cwd=self.tree, env=self.env,
                              input=stdin, capture_output=True, check=False)

    def raw(self, *args: str, stdin: bytes = b"") -> bytes:
        done = self.run(*args, stdin=stdin)
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip() or "failed"
            raise Trouble(f"git {args[0]} in {self.tree}: {' '.join(reason.split())}")
        return done.stdout

    def text(self, *args: str, stdin: bytes = b"") -> str:
        return self.raw(*args, stdin=stdin).decode(errors="surrogateescape").strip()

    def names(self, *args: str) -> list[str]:
        """The output of a command that ends each name with a zero byte."""
        return [os.fsdecode(name) for name in self.raw(*args).split(b"\0") if name]

    def ref(self, name: str) -> str | None:
        """The commit a name stands for."""
        done = self.run("rev-parse", "-q", "--verify", name + "^{commit}")
        return done.stdout.decode().strip() or None

    def blob(self, tree: str, path: str) -> bytes | None:
        """A file's content in a commit or tree; in the index when tree is empty."""
        done = self.run("cat-file", "blob", f"{tree}:{path}")
        return None if done.returncode else done.stdout

    @contextlib.contextmanager
    def scratch(self, who: Who = TOOL) -> Iterator["Git"]:
        """The same tree with an empty index of its own for a while."""
        with tempfile.TemporaryDirectory(dir=self.tree / ".git") as folder:
            yield Git(self.tree, index=folder + "/index", who=who)


def open_tree() -> Git:
    tree = TOP / "build" / base_name() / "linux"
    if not (tree / ".git").is_dir():
        raise Trouble(f"{tree} is not there: make tree")
    return Git(tree)


# Scripts of the series import names of harness/paths.py from here
__all__ = ["BRANCH", "DATE", "MADE", "NEXT", "TOOL", "TOP", "Git", "Trouble", "Who", "base_name",
           "open_tree", "start"]
