# SPDX-License-Identifier: GPL-2.0
"""Shared by all Python scripts here: where things are, which base kernel is meant, and
error messages. Shell scripts use common.sh."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

TOP = Path(__file__).resolve().parents[4]
TOOLS = TOP / "tools/testing/swiotlb"
BUILD = TOP / "build"


class Trouble(Exception):
    """What is wrong and what to do about it, in one line for the user."""


def base_name() -> str:
    """The base kernel's version: BASE, or the first that the series applies to."""
    versions = (TOOLS / "harness/versions").read_text()
    bases = re.search(r'^BASES="([^ "]+)', versions, re.M)
    return os.environ.get("BASE") or (bases[1] if bases else "")


def boots(build: Path) -> Path:
    """Where the results of guests are that boot what is in build."""
    return build / base_name() / "boot"


def unit_build() -> Path:
    """Where the userspace builds of the base are."""
    return BUILD / base_name() / "unit"


def start(main: Callable[[], int | None]) -> None:
    """Run a script's main and exit with its result; print trouble in one line."""
    try:
        sys.exit(main())
    except Trouble as trouble:
        sys.exit(f"error: {trouble}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'write'}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit(130)
