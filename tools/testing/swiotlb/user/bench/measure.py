# SPDX-License-Identifier: GPL-2.0
"""All that is measured in time: blocks of rows, and the distributions behind some."""

from __future__ import annotations

import os
import sys
from statistics import fmean
from typing import Callable, Iterable

from figures import Row, Samples, compare, judge, median, parse, spread
from machine import largest_cache
from programs import SIDES, command, goals, run

TURNS = 31
SIZES = (64, 512, 1500, 4096, 16384, 65536, 262144)
OUTSTANDING = (1, 64, 512)
DIRECTIONS = {"to device": 1, "from device": 2}
POOL_MIB = 64
AREAS = (1, 2, 8, 64, 256)
RESTRICTED_AREAS = (1, 8, 64)
POOLS = (1, 4, 16, 64, 256)
OCCUPANCY = (0, 50, 90)
SEEDS = (1, 2, 3, 4, 5)
CALLS = 20000
THREAD_CASES = {"one": "one thread", "own": "two threads, own areas",
                "shared": "two threads, one area", "across": "map here, unmap there"}
GOALS = goals("time")
# For percent in use, call and side: the durations, one for each thousandth of the calls
Distribution = dict[int, dict[str, dict[str, list[float]]]]


def loops() -> Samples | None:
    """How much one thread and two get done that do not touch memory"""
    if len(os.sched_getaffinity(0)) == 1:
        return None
    return measure("stub", "loops", turns=TURNS)


def measure(copy: str, case: str, **options: int) -> Samples:
    print(f"  ... {copy} {case} {' '.join(f'{k}={v}' for k, v in options.items())}",
          file=sys.stderr)
    return parse(run(command(copy, case, **options)))


def text_of(size: int) -> str:
    return f"{size >> 10} KiB" if size % 1024 == 0 else f"{size} B"


def pair(copy: str, size: int, **options: int) -> dict[str, list[float]]:
    defaults = {"size": size, "dir": 1, "of": 1, "align": 0, "alloc": 0, "mib": POOL_MIB,
                "turns": TURNS}
    by_side = measure(copy, "pairs", **{**defaults, **options})["pair"]
    if copy == "stub":
        del by_side["memcpy"]
    return by_side


def slots(size: int) -> int:
    return -(-size // 2048)


def pairs(copy: str, directions: Iterable[str] = tuple(DIRECTIONS),
          outstanding: Iterable[int] = OUTSTANDING) -> list[Row]:
    """A map and an unmap, by direction, number of mappings at a time, and size. No more
    than half of the pool is in use."""
    rows = []
    for direction in directions:
        for of in outstanding:
            for size in SIZES:
                if of * slots(size) * 2048 > POOL_MIB << 19:
                    continue
                case = f"{direction}, {text_of(size)}, {of} at a time"
                fits = of == 1 or 4 * of * size <= largest_cache()
                judged = copy == "movsb" and fits
                rows.append(compare(case, pair(copy, size, dir=DIRECTIONS[direction], of=of),
                                    GOALS.get(case) if judged else None,
                                    "" if fits else "not within the cache"))
    return rows


def large() -> list[Row]:
    """Four times the last cache: as much in buffers as in bounce buffers"""
    of = 2 * largest_cache() // 65536
    mib = max(POOL_MIB, 1 << (of * 65536 * 2 - 1).bit_length() >> 20)
    case = "larger than the cache"
    row = compare(case, pair("movsb", 65536, of=of, mib=mib), GOALS[case],
                  f"64 KiB, {of} at a time; nobody can win here")
    return [row]


def alignment() -> list[Row]:
    rows = []
    for size, align in ((4096, 4096), (16384, 4096), (4096, 65536), (65536, 65536)):
        rows.append(compare(f"min_align_mask {text_of(align)}, {text_of(size)}",
                            pair("stub", size, align=align - 1)))
    for size, align in ((4096, 4096), (4096, 65536), (65536, 65536)):
        rows.append(compare(f"alloc_align_mask {text_of(align)}, {text_of(size)}",
                            pair("stub", size, alloc=align - 1)))
    return rows


def failures() -> list[Row]:
    samples = measure("stub", "fail", turns=TURNS)
    return [
        compare("fails, fragmented", samples["fragmented"], GOALS["fails, fragmented"]),
        compare("fails, each set has changed", samples["first"],
                note="the longest that a map takes"),
        compare("fails, full", samples["full"]),
    ]


def wandering() -> list[Row]:
    """Mappings that random CPUs make and undo"""
    rows = []
    for areas in AREAS:
        samples = measure("stub", "wander", areas=areas, turns=TURNS)
        for how in ("steady", "rising"):
            case = f"wandering, {areas} areas, {how}"
            rows.append(compare(case, samples[how], GOALS.get(case)))
    return rows


def pools() -> list[Row]:
    rows = []
    for number in POOLS:
        samples = measure("stub", "pools", pools=number, turns=TURNS)
        for call in ("find", "sync", "unmap"):
            case = f"{call} of {number} pools"
            rows.append(compare(case, samples[call], GOALS.get(case)))
    return rows


def quantile(samples: list[float], part: float) -> float:
    """A quantile of samples, which are the quantiles 0/1000 to 1000/1000 of all calls"""
    return samples[round(part * (len(samples) - 1))]


def mean(samples: list[float]) -> float:
    """Without the slowest thousandth: these calls were interrupted"""
    return fmean(samples[:-1])


def by_seed(seeds: list[Samples], call: str,
            figure: Callable[[list[float]], float]) -> dict[str, list[float]]:
    return {side: [max(figure(samples[call][side]), 1) for samples in seeds] for side in SIDES}


def occupancy() -> tuple[list[Row], Distribution]:
    rows: list[Row] = []
    distribution: Distribution = {}
    for percent in OCCUPANCY:
        seeds = [measure("movsb", "occupancy", percent=percent, seed=seed, calls=CALLS)
                 for seed in SEEDS]
        reached = ", ".join(f"{side} {median([one['used'][side][0] for one in seeds]):.1f} %"
                            for side in SIDES)
        failed = {side: sum(one["failed"][side][0] for one in seeds) for side in SIDES}
        note = f"in use: {reached}"
        if any(failed.values()):
            note += f"; {failed['stock']:.0f} and {failed['ours']:.0f} maps failed"
        for call in ("map", "unmap"):
            for word, figure in (("p50", lambda s: quantile(s, .5)),
                                 ("p99", lambda s: quantile(s, .99)), ("mean", mean)):
                rows.append(compare(f"{call} at {percent} %, {word}",
                                    by_seed(seeds, call, figure), note=note))
        distribution[percent] = {
            call: {side: [median(list(part)) for part in
                          zip(*(one[call][side] for one in seeds))] for side in SIDES}
            for call in ("map", "unmap")}
    return rows, distribution


def threads(copy: str, judged: bool) -> list[Row]:
    """Nanoseconds per pair, of all threads together. Without two cores, figures of two
    threads mean nothing, so they are not judged."""
    samples = measure(copy, "threads", areas=2, restricted=0, size=4096, turns=TURNS)
    times = per_pair(samples)
    rows = [compare(text, times[case], GOALS.get(text) if copy == "movsb" else None)
            for case, text in THREAD_CASES.items()]
    return trusted([*rows, scaling(samples, "two threads, own areas")], judged)


def restricted(judged: bool) -> list[Row]:
    """The same in a restricted pool, by its areas: stock's has one."""
    rows = []
    for areas in RESTRICTED_AREAS:
        samples = measure("restricted-movsb", "threads", areas=areas, restricted=1, size=4096,
                          turns=TURNS)
        times = per_pair(samples)
        pool = f"restricted, {areas} areas"
        two = f"{pool}, two threads"
        rows += [compare(f"{pool}, one thread", times["one"]),
                 compare(two, times["own"], GOALS[two]), scaling(samples, two)]
    return trusted(rows, judged)


def per_pair(rates: Samples) -> Samples:
    """Nanoseconds. The rate is 0 if other processes kept a thread from its CPU."""
    return {case: {side: [1e9 / max(rate, 1) for rate in by_side[side]] for side in by_side}
            for case, by_side in rates.items()}


def trusted(rows: list[Row], judged: bool) -> list[Row]:
    if not judged:
        for row in rows:
            row.verdict = row.verdict and "too noisy to say"
    return rows


def scaling(rates: Samples, case: str) -> Row:
    """What two threads get done, as a multiple of what one does"""
    goal = goals("scaling").get(case)
    times = {side: [two / max(one, 1) for two, one in zip(rates["own"][side], rates["one"][side])]
             for side in SIDES}
    ours = times["ours"]
    return Row(f"{case}, against one", "x", median(times["stock"]), median(ours), median(ours),
               spread(ours), goal, judge(ours, goal, at_least=True),
               note="the ratio is that of ours; at least")
