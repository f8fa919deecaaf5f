# SPDX-License-Identifier: GPL-2.0
"""Samples, figures computed from them, and whether a goal is met."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass

# For each thing that was measured and each side: one figure per turn
Samples = dict[str, dict[str, list[float]]]


def parse(text: str) -> Samples:
    """Lines "what|who|figure"."""
    samples: Samples = {}
    for line in text.splitlines():
        what, who, figure = line.split("|")
        samples.setdefault(what, {}).setdefault(who, []).append(float(figure))
    return samples


def median(samples: list[float]) -> float:
    return statistics.median(samples)


def spread(samples: list[float]) -> float:
    """Interquartile range, as a part of the median"""
    if len(samples) < 2:
        return 0
    low, middle, high = statistics.quantiles(samples, n=4)
    return (high - low) / middle if middle else 0


def surely(samples: list[float]) -> tuple[float, float]:
    """The 95 % confidence interval of the median."""
    ordered = sorted(samples)
    outside = max(0, math.floor(len(ordered) / 2 - 0.98 * math.sqrt(len(ordered))))
    return ordered[outside], ordered[-1 - outside]


@dataclass
class Row:
    """A line of the table. The ratio is ours/stock; for scaling, it is the work of two
    threads of ours / that of one."""
    case: str
    unit: str
    stock: float
    ours: float
    ratio: float
    spread: float
    goal: float | None
    verdict: str
    memcpy: float | None = None
    note: str = ""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def judge(samples: list[float], goal: float | None, at_least: bool = False) -> str:
    if goal is None:
        return ""
    low, high = surely(samples)
    good, bad = (low >= goal, high < goal) if at_least else (high <= goal, low > goal)
    return "met" if good else "missed" if bad else "too noisy to say"


def compare(case: str, by_side: dict[str, list[float]], goal: float | None = None,
            note: str = "", unit: str = "ns") -> Row:
    """The sides took turns, so the ratio is computed for each turn."""
    stock, ours = by_side["stock"], by_side["ours"]
    ratios = [one / other for one, other in zip(ours, stock)]
    memcpy = by_side.get("memcpy")
    return Row(case, unit, median(stock), median(ours), median(ratios), spread(ratios), goal,
               judge(ratios, goal), median(memcpy) if memcpy else None, note)
