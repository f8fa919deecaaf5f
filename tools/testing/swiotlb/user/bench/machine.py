# SPDX-License-Identifier: GPL-2.0
"""The machine that is measured on, and whether it is quiet enough."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from figures import Samples, median, spread

# A loop that touches no memory varies by less on a machine that has nothing else to do
QUIET = 0.05
# Two threads that share nothing get that much more done than one, or they are not on two cores
TWO_CORES = 1.9


def read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return "unknown"


def caches() -> dict[str, int]:
    """Sizes in bytes, by names such as "L1 Data"."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = f"L{read(f'{index}/level')} {read(f'{index}/type')}"
        found[kind] = int(read(f"{index}/size").rstrip("K")) * 1024
    return found


def largest_cache() -> int:
    """Its size in bytes; 32 MiB if the kernel does not tell."""
    return max(caches().values(), default=32 << 20)


def describe() -> dict[str, str]:
    cpuinfo = read("/proc/cpuinfo")
    model = next((line.split(":")[1].strip() for line in cpuinfo.splitlines()
                  if line.startswith("model name")), "unknown")
    gcc = subprocess.run(["gcc", "--version"], text=True, capture_output=True, check=True)
    return {
        "cpu": model + (", virtual" if " hypervisor " in cpuinfo else ""),
        "cores": str(len(os.sched_getaffinity(0))),
        "caches": ", ".join(f"{kind} {size >> 10} KiB" for kind, size in caches().items()),
        "gcc": gcc.stdout.splitlines()[0],
        "kernel": os.uname().release,
        "huge pages": read("/sys/kernel/mm/transparent_hugepage/enabled"),
        "load": read("/proc/loadavg"),
    }


def both(before: Samples | None, after: Samples | None) -> Samples | None:
    if before is None or after is None:
        return None
    return {what: {"loop": by_who["loop"] + after[what]["loop"]}
            for what, by_who in before.items()}


def warnings(loops: Samples | None) -> list[str]:
    """Reasons not to trust the times; none if there are none."""
    if loops is None:
        return ["there is only one CPU: nothing was measured with two threads"]
    one, two = loops["one"]["loop"], loops["two"]["loop"]
    found = []
    if spread(one) > QUIET:
        found.append(f"the machine is busy: a loop in registers varies by {spread(one):.0%},"
                     f" more than {QUIET:.0%}. Times mean little.")
    if not two_cores(loops):
        found.append(f"two threads in registers get {median(two) / median(one):.2f} times as much"
                     f" done as one, not {TWO_CORES}: what two threads do here says nothing.")
    return found


def two_cores(loops: Samples) -> bool:
    return median(loops["two"]["loop"]) >= TWO_CORES * median(loops["one"]["loop"])
