# SPDX-License-Identifier: GPL-2.0
"""The table that is printed."""

from __future__ import annotations

from figures import Row

HEAD = (f"{'case':<46} {'stock':>10} {'ours':>10} {'memcpy':>9} {'ratio':>7} {'goal':>5}"
        f" {'spread':>6}")


def line(row: Row) -> str:
    memcpy = f"{row.memcpy:9.1f}" if row.memcpy else f"{'':9}"
    goal = f"{row.goal:5.2f}" if row.goal else f"{'':5}"
    text = (f"{row.case:<46} {row.stock:10.1f} {row.ours:10.1f} {memcpy} {row.ratio:7.3f}"
            f" {goal} {row.spread:6.0%}  {row.verdict}")
    return f"{text.rstrip()}{'  # ' + row.note if row.note else ''}"


def show(title: str, rows: list[Row]) -> None:
    print(f"\n{title}\n{HEAD}")
    for row in rows:
        print(line(row))
