# SPDX-License-Identifier: GPL-2.0
"""The programs that measure, how they are built and run; and the goals."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "harness"))
from paths import unit_build  # noqa: E402 pylint: disable=wrong-import-position

BUILD = unit_build().parent / "bench"
SIDES = ("stock", "ours")


def build() -> None:
    """Exits with the compiler's messages if that fails."""
    done = subprocess.run(["make", "-s", f"-j{len(os.sched_getaffinity(0))}", "-C", HERE,
                           f"OUT={BUILD}"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}error: the programs in {BUILD} do not build")


def command(copy: str, case: str, **options: int) -> list[str]:
    return [str(BUILD / copy / "bench"), case, *(f"{name}={value}"
                                                 for name, value in options.items())]


def run(words: list[str]) -> str:
    """What a command prints. Exits with its error messages if it fails."""
    try:
        done = subprocess.run(words, text=True, capture_output=True, timeout=300, check=False)
    except FileNotFoundError:
        sys.exit(f"error: no {words[0]}: install it")
    except subprocess.TimeoutExpired:
        sys.exit(f"error: {' '.join(words)}: takes longer than 300 s")
    if done.returncode:
        sys.exit(f"{done.stderr}error: {' '.join(words)}: exits with {done.returncode}")
    return done.stdout


def goals(kind: str) -> dict[str, float]:
    """The goals of a kind, by case."""
    lines = (HERE / "goals").read_text().splitlines()
    rows = [re.split(r"\s{2,}", line) for line in lines if line and not line.startswith("#")]
    return {case: float(ratio) for what, case, ratio in rows if what == kind}
