#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Judges the files that a scenario left in its folder; a run without a result has failed.

    judge.py DIR    judge a stored run again, for instance build/6.12/boot/native

A scenario has passed when
- the guest's result line, with this run's nonce, says so,
- every planned test has a result, and kunit.py finds none failed,
- no line on the console is a complaint, and QEMU ended by itself,
- and the disk images hold what was to be written.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
# pylint: disable=wrong-import-position
import scenario as scenarios  # noqa: E402
from paths import Trouble, base_name, start  # noqa: E402
from scenario import Guest, Scenario  # noqa: E402

# A line with one of these is a complaint ...
BAD = re.compile(
    r"BUG[: ]|WARNING: |Oops|[Cc]all [Tt]race|Kernel panic|Panic on CPU|general protection fault"
    r"|unable to handle|soft lockup|rcu.*(stall|detected)|hung_task|blocked for more than"
    r"|DMA-API|swiotlb buffer is full|swiotlb.*(overflow|allocat\w* fail)|Cannot allocate .*DMA"
    r"|I/O error|Buffer I/O|timeout, (aborting|completion polled|reset)|exception Emask|failed command"
    r"|Tx Unit Hang|NETDEV WATCHDOG|EXT4-fs (error|warning)|Out of memory|oom-kill"
    r"|\(XEN\).*(\[VT-D\].*(fault|PTE|Request device)|DMAR.*fault|IO_PAGE_FAULT"
    r"|Assertion|FATAL|domain_crash|crashed on|mm\.c:.*(Attempt|Bad|Error))")
# ... unless it matches one of these:
ALLOWED = re.compile(
    # boot parameters, which may contain such words
    r"Command line: |Kernel command line: |Unknown kernel command line|^\s*panic=|^\s*oops="
    # the module's line when it is told to translate wrongly
    r"|wrong_by="
    # messages of the DMA-API's debugging when it starts
    r"|DMA-API: (preallocated|debugging enabled)")

TIME_STAMP = re.compile(r"^\[ *\d+\.\d{6}\] ")
KTAP = re.compile(r"^ *(KTAP version 1|1\.\.\d+|(not )?ok \d+ .*|# .*)$")
STAT = re.compile(r"# STAT dev=(\S+) moved=(\d+) bounced=(\d+) maps=(\d+)$")
# A check's line about wrong data
WRONG_DATA = re.compile(r"# .* is [0-9a-f]{2}, expected [0-9a-f]{2}")


@dataclass
class Run:
    """The runner's record of a run; stored beside the console's log."""

    scenario: str
    nonce: str
    kernel: str
    ended: str          # "exited 0", or why it was killed
    boot: float         # seconds to the first check
    seconds: float

    def store(self, folder: Path) -> None:
        (folder / "run.json").write_text(json.dumps(vars(self), indent=1) + "\n")

    @staticmethod
    def read(folder: Path) -> Run:
        return Run(**json.loads((folder / "run.json").read_text()))

    def seed(self) -> int:
        """The same seed as start_counting() in init/lib.sh makes."""
        return int(self.nonce[:7], 16) + 1


@dataclass
class Test:
    name: str
    ok: bool
    lines: list[str] = field(default_factory=list)


@dataclass
class Stat:
    device: str
    moved: int
    bounced: int
    maps: int


@dataclass
class Verdict:
    scenario: Scenario
    run: Run
    tests: list[Test]
    stats: list[Stat]
    errors: int

    def ok(self) -> bool:
        return all(test.ok for test in self.tests)

    def store(self, folder: Path) -> None:
        lines = ["pass" if self.ok() else "fail", f"boot {self.run.boot:.1f} s, whole run {self.run.seconds:.1f} s"]
        lines += [f"failed: {test.name}" for test in self.tests if not test.ok]
        lines += [f"device {stat.device}: moved {stat.moved}, bounced {stat.bounced} bytes"
                  f" in {stat.maps} mappings" for stat in self.stats]
        (folder / "result").write_text("\n".join(lines) + "\n")


def console_lines(folder: Path) -> list[str]:
    """The console's lines. Xen's line inside a line of dom0's comes first, then dom0's whole."""
    text = (folder / "console.log").read_text(errors="backslashreplace").replace("\r", "")
    lines: list[str] = []
    held = ""
    for line in text.split("\n"):
        cut = line.find("(XEN) ")
        if cut < 0:
            lines.append(held + line)
            held = ""
        else:
            held += line[:cut]
            lines.append(line[cut:])
    return lines + ([held] if held else [])


# Words in the first line of a report with a call trace
REPORTS = ("[ cut here ]", "sysfs: cannot create duplicate filename",
           "possible circular locking dependency detected")


def ends(line: str, report: str) -> bool:
    """Is @line the last line of a report whose first line is @report?"""
    return "[ end trace " in line or "</TASK>" in line and "[ cut here ]" not in report


def without_allowed(lines: list[str], allow: str) -> list[str]:
    """Leave out each whole report that the scenario allows."""
    kept: list[str] = []
    block: list[str] = []
    for line in lines:
        block.append(line)
        if any(first in line for first in REPORTS):
            kept += block[:-1]
            block = [line]
        elif ends(line, block[0]):
            if not (allow and any(first in block[0] for first in REPORTS)
                    and any(re.search(allow, part) for part in block)):
                kept += block
            block = []
    return kept + block


def complaints(lines: list[str], allow: str) -> list[str]:
    return [line for line in without_allowed(lines, allow)
            if BAD.search(line) and not ALLOWED.search(line)
            and not (allow and re.search(allow, line))]


def guest_lines(lines: list[str]) -> list[str]:
    """The guest's KTAP lines, time stamps removed, from its header to its result line."""
    bare = [TIME_STAMP.sub("", line) for line in lines if TIME_STAMP.match(line)]
    started = next((number for number, line in enumerate(bare)
                    if line.startswith("# starting ")), 0)
    headers = [number for number, line in enumerate(bare[:started]) if line == "KTAP version 1"]
    if not headers:
        return []
    # If KUnit is enabled, it has printed its own header before.
    bare = bare[headers[-1]:]
    for number, line in enumerate(bare):
        if line.startswith("SWIOTLB-BOOT-RESULT "):
            bare = bare[:number]
            break
    return [line for line in bare if KTAP.match(line)]


def said(lines: list[str], nonce: str) -> str:
    """The guest's own verdict, or '' if it gave none."""
    found = [TIME_STAMP.sub("", line) for line in lines if TIME_STAMP.match(line)]
    verdicts = {line.split()[2] for line in found
                if re.fullmatch(f"SWIOTLB-BOOT-RESULT {nonce} (pass|fail)", line)}
    return verdicts.pop() if len(verdicts) == 1 else ""


def guest_tests(ktap: list[str], planned: list[str]) -> list[Test]:
    """One test for each planned check. A check without a result has failed."""
    tests: list[Test] = []
    lines: list[str] = []
    if ktap[:2] != ["KTAP version 1", f"1..{len(planned)}"]:
        ktap = []
    for line in ktap[2:]:
        number = len(tests) + 1
        name = planned[number - 1] if number <= len(planned) else ""
        # A module's lines are not indented either: only the expected result ends a check.
        if name and line in (f"ok {number} {name}", f"not ok {number} {name}"):
            tests.append(Test(name, line.startswith("ok"), lines))
            lines = []
        else:
            lines.append(line if line.startswith("    ") else f"    {line}")
    missing = planned[len(tests):]
    return tests + [Test(name, False, ["    # ERROR no result"]) for name in missing]


def kunit(folder: Path, build: Path, kernel: str, ktap: list[str]) -> Test:
    """The verdict of the kernel's own parser."""
    test = Test("kunit.py finds every planned test passed", False)
    parser = find_kunit(Path(kernel), build)
    (folder / "ktap").write_text("\n".join(ktap) + "\n")
    done = subprocess.run([sys.executable, str(parser), "parse", str(folder / "ktap")], text=True,
                          capture_output=True, check=False)
    (folder / "kunit.log").write_text(done.stdout + done.stderr)
    errors = re.search(r"(failed|crashed|errors): [1-9]", done.stdout)
    test.ok = done.returncode == 0 and not errors
    if not test.ok:
        test.lines = [f"    # see {folder / 'kunit.log'}"]
    return test


def find_kunit(kernel: Path, build: Path) -> Path:
    """kunit.py of the tree that the kernel was built in, or of the base tree."""
    trees = [*kernel.resolve().parents, build / base_name() / "linux"]
    for tree in trees:
        if (tree / "tools/testing/kunit/kunit.py").exists():
            return tree / "tools/testing/kunit/kunit.py"
    raise Trouble("no tools/testing/kunit/kunit.py in a kernel tree: run `make tree`")


def disk_test(folder: Path, build: Path, disk: str, seed: int, mib: int) -> Test:
    done = subprocess.run([str(build / "guest" / "diskcheck"), "--verify", str(folder / f"{disk}.img"),
                           str(seed), str(mib)], text=True, capture_output=True, check=False)
    output = (done.stdout + done.stderr).splitlines()
    return Test(f"{disk}'s image holds what the guest wrote", done.returncode == 0,
                [] if done.returncode == 0 else [f"    # {line}" for line in output[-5:]])


def filesystem_test(folder: Path, disk: str) -> Test:
    tool = shutil.which("e2fsck", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "e2fsck"
    done = subprocess.run([tool, "-fn", str(folder / f"{disk}.img")], text=True,
                          capture_output=True, check=False)
    output = (done.stdout + done.stderr).splitlines()
    return Test(f"{disk}'s image is a clean filesystem", done.returncode == 0,
                [] if done.returncode == 0 else [f"    # {line}" for line in output[-5:]])


def image_tests(chosen: Scenario, run: Run, folder: Path, build: Path) -> list[Test]:
    """The host checks the image of each disk that a check wrote."""
    tests: list[Test] = []
    writers: list[Scenario | Guest] = [chosen, *chosen.guests]
    written = {}
    for writer in writers:
        for check in writer.checks:
            if check[0] in ("disk", "fs"):
                disk = writer.image(check[1]) if isinstance(writer, Guest) else check[1]
                written[disk] = check[0]
    for disk, how in written.items():
        if how == "fs":
            tests.append(filesystem_test(folder, disk))
        else:
            tests.append(disk_test(folder, build, disk, run.seed(), chosen.disk_mib))
    return tests


def expect_wrong_data(tests: list[Test], name: str) -> list[Test]:
    """For a scenario that must fail: check @name must have failed, with wrong data."""
    judged = []
    for test in tests:
        if test.name.split()[0] != name:
            judged.append(test)
            continue
        wrong = any(WRONG_DATA.search(line) for line in test.lines)
        judged.append(Test(f"{test.name}: wrong data reported", not test.ok and wrong,
                           [line for line in test.lines if WRONG_DATA.search(line)]))
    return judged


def judge(folder: Path, build: Path) -> Verdict:
    run = Run.read(folder)
    chosen = scenarios.load()[run.scenario]
    lines = console_lines(folder)
    ktap = guest_lines(lines)
    verdict = said(lines, run.nonce)
    bad = complaints(lines, chosen.allow)
    tests = guest_tests(ktap, [" ".join(check) for check in chosen.checks])
    errors = sum("not ok " in line for test in tests for line in test.lines) + len(bad)
    parsed = kunit(folder, build, run.kernel, ktap)
    wanted = "pass"

    if chosen.expect.startswith("failure:"):
        tests = expect_wrong_data(tests, chosen.expect.split(":")[1])
        parsed = Test("kunit.py calls this run a failure", not parsed.ok)
        wanted = "fail"
    log = f"    # see {folder / 'console.log'}"
    tests += image_tests(chosen, run, folder, build)
    tests += [
        parsed,
        Test(f"the guest's result line says {wanted}", verdict == wanted,
             [] if verdict == wanted else [f"    # it says {verdict or 'nothing'}", log]),
        Test("no complaint on the console", not bad,
             [f"    # {line.strip()}" for line in bad[:10]] + ([log] if bad else [])),
        Test("QEMU ended by itself", run.ended == "exited 0",
             [] if run.ended == "exited 0" else [f"    # {run.ended}", log]),
    ]
    stats = [Stat(found[1], int(found[2]), int(found[3]), int(found[4]))
             for found in map(STAT.search, ktap) if found]
    result = Verdict(chosen, run, tests, stats, errors)
    result.store(folder)
    return result


def ktap_of(verdict: Verdict, number: int) -> list[str]:
    """The scenario as one test, its tests as subtests."""
    lines = ["    KTAP version 1", f"    # Subtest: {verdict.scenario.name}",
             f"    # first check after {verdict.run.boot:.0f} s, end after {verdict.run.seconds:.0f} s",
             f"    1..{len(verdict.tests)}"]
    for count, test in enumerate(verdict.tests, 1):
        lines += [f"    {line}" for line in test.lines]
        lines.append(f"    {'' if test.ok else 'not '}ok {count} {test.name}")
    lines.append(f"{'' if verdict.ok() else 'not '}ok {number} {verdict.scenario.name}")
    return lines


def main() -> int:
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "run.json").exists():
        print(__doc__.strip(), file=sys.stderr)
        return 2
    folder = Path(sys.argv[1]).resolve()    # kunit.py changes its own folder
    verdict = judge(folder, folder.parents[2])
    print("\n".join(["KTAP version 1", "1..1", *ktap_of(verdict, 1)]))
    return 0 if verdict.ok() else 1


if __name__ == "__main__":
    start(main)
