# SPDX-License-Identifier: GPL-2.0
"""Boots scenarios with the series and without, and reads their counts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "harness"))
from paths import BUILD, TOOLS, Trouble, boots, start  # noqa: E402 pylint: disable=wrong-import-position

# One line on a guest's console: its fields
Record = dict[str, str]


def boot(names: list[str], build: Path) -> None:
    """Boot them, print the progress, and check that every guest has run to its end."""
    log = build / "logs" / f"{Path(sys.argv[0]).name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(TOOLS / "guest/run"), "--build", str(build), *names]
    with log.open("w") as copy, subprocess.Popen(command, text=True, errors="replace",
                                                 stdout=subprocess.PIPE) as run:
        assert run.stdout
        for line in run.stdout:
            copy.write(line)
            if line.startswith("# "):
                print(f"  {line[2:]}", end="", flush=True)
    if run.returncode:
        raise Trouble(f"a guest has not run to its end, see {log}")


def records(build: Path, name: str, word: str) -> list[Record]:
    """The lines `# WORD key=value...` that a scenario's guest has printed."""
    log = boots(build) / name / "ktap"
    found = [dict(field.split("=", 1) for field in line.split())
             for line in re.findall(rf"# {word} (\S+=.*)", log.read_text())]
    if not found:
        raise Trouble(f"no line `# {word}` in {log}")
    return found


def store(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1) + "\n")
    part.rename(path)


def ratio(ours: float, stock: float) -> str:
    return f"{ours / stock:.2f}" if stock else "-"


def aligned(rows: list[list[str]]) -> str:
    """Align the columns of a table: the first to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    return "\n".join("  ".join(cell.rjust(width) if place else cell.ljust(width)
                               for place, (cell, width) in enumerate(zip(row, widths))).rstrip()
                     for row in rows)


__all__ = ["BUILD", "Record", "Trouble", "aligned", "boot", "ratio", "records", "start", "store"]
