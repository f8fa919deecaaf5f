# SPDX-License-Identifier: GPL-2.0
"""Plots (SVG), by gnuplot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from figures import Row
from measure import POOLS, SIZES, THREAD_CASES, Distribution, text_of

STOCK, OURS, MEMCPY = "#c44e52", "#2b6cb0", "#777777"
COLOURS = {"stock": STOCK, "ours": OURS}
HEAD = """set terminal svg size {width},{height} enhanced font 'sans,13' background '#ffffff'
set output '{path}'
set border 3 lc '#444444'
set tics nomirror
set grid ytics lc '#dddddd' lw 1
set key top left Left reverse samplen 2 spacing 1.2
"""


def draw(path: Path, script: str, width: int = 720, height: int = 440) -> None:
    text = HEAD.format(path=path, width=width, height=height) + script
    try:
        done = subprocess.run(["gnuplot"], input=text, text=True, capture_output=True, check=False)
    except FileNotFoundError:
        sys.exit("error: no gnuplot: install the package gnuplot-nox")
    if done.returncode or done.stderr:
        sys.exit(f"{done.stderr}error: gnuplot does not draw {path}")


def block(name: str, rows: list[list[object]]) -> str:
    lines = "\n".join(" ".join(str(word) for word in row) for row in rows)
    return f"${name} << EOD\n{lines}\nEOD\n"


def by_case(rows: list[Row]) -> dict[str, Row]:
    return {row.case: row for row in rows}


def cost_by_size(path: Path, copied: list[Row], stubbed: list[Row]) -> None:
    """To device, one at a time"""
    copied_by, stubbed_by = by_case(copied), by_case(stubbed)
    data = []
    for size in SIZES:
        case = f"to device, {text_of(size)}, 1 at a time"
        one, rest = copied_by[case], stubbed_by[case]
        data.append([size, one.stock, one.ours, one.memcpy, rest.stock, rest.ours])
    tics = ", ".join(f"'{text_of(size)}' {size}" for size in SIZES)
    draw(path, block("data", data) + f"""
set title 'A map and an unmap, to device, one mapping at a time'
set logscale xy
set xrange [50:350000]
set xtics ({tics})
set xlabel 'size of the mapping'
set ylabel 'nanoseconds'
plot $data u 1:2 w lp lw 2 pt 7 ps .5 lc '{STOCK}' t 'stock', \\
     $data u 1:3 w lp lw 2 pt 7 ps .5 lc '{OURS}' t 'ours', \\
     $data u 1:4 w lp lw 2 pt 7 ps .5 lc '{MEMCPY}' t 'one warm memcpy', \\
     $data u 1:5 w lp lw 1 dt 2 pt 6 ps .5 lc '{STOCK}' t 'stock, without the copy', \\
     $data u 1:6 w lp lw 1 dt 2 pt 6 ps .5 lc '{OURS}' t 'ours, without the copy'
""")


def latency(path: Path, distribution: Distribution) -> None:
    """The tail is what matters: the further right, the rarer."""
    shown = [500, 600, 700, 800, 850, 900, 930, 950, 970, 980, 985, 990, 993, 995, 997, 998, 999]
    script = """set multiplot layout 1,3
set logscale xy
set yrange [10:20000]
set xrange [.5:.001] reverse
set xtics ('50' .5, '90' .1, '99' .01, '99.9' .001)
set xlabel 'percentile'
"""
    for percent, calls in distribution.items():
        sides = calls["map"]
        data = [[1 - part / 1000, *(max(sides[side][part], 1) for side in COLOURS)]
                for part in shown]
        plots = ", ".join(f"$data{percent} u 1:{column} w l lw 2 lc '{colour}' t '{side}'"
                          for column, (side, colour) in enumerate(COLOURS.items(), 2))
        script += block(f"data{percent}", data)
        script += f"set title 'Map of 4 KiB, {percent} % in use'\n"
        script += f"set ylabel '{'nanoseconds' if not percent else ''}'\nplot {plots}\n"
    draw(path, script + "unset multiplot\n", width=960, height=360)


def pools(path: Path, rows: list[Row]) -> None:
    cases = by_case(rows)
    calls = {"find": ("find a pool", 1), "sync": ("sync of 64 B", 2), "unmap": ("unmap", 3)}
    data = [[number, *(getattr(cases[f"{call} of {number} pools"], side)
                       for call in calls for side in COLOURS)] for number in POOLS]
    plots = []
    for column, (call, side) in enumerate(((c, s) for c in calls for s in COLOURS), 2):
        title, dash = calls[call]
        plots.append(f"$data u 1:{column} w lp lw 2 dt {dash} pt 7 ps .4"
                     f" lc '{COLOURS[side]}' t '{side}: {title}'")
    draw(path, block("data", data) + f"""
set title 'Calls that look for the pool of an address, all pools full'
set logscale x 2
set logscale y
set xrange [.9:300]
set xtics ({', '.join(map(str, POOLS))})
set xlabel 'number of pools'
set ylabel 'nanoseconds'
plot {', '.join(plots)}
""")


def threads(path: Path, rows: list[Row]) -> None:
    cases = by_case(rows)
    data = []
    for text in THREAD_CASES.values():
        label = text.replace(", ", ",\\n")
        data.append([f'"{label}"', 1e3 / cases[text].stock, 1e3 / cases[text].ours])
    draw(path, block("data", data) + f"""
set title 'Maps and unmaps of 4 KiB by one thread and by two'
set style data histogram
set style histogram cluster gap 1
set style fill solid .85 noborder
set boxwidth .9
set yrange [0:*]
set key top right
set xtics scale 0
set bmargin 4
set ylabel 'million pairs a second'
plot $data u 2:xtic(1) lc '{STOCK}' t 'stock', $data u 3 lc '{OURS}' t 'ours'
""")
