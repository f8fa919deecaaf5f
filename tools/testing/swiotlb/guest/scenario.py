# SPDX-License-Identifier: GPL-2.0
"""Reads the list of scenarios, and turns one into QEMU's command line."""

from __future__ import annotations

import configparser
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from paths import Trouble

LIST = Path(__file__).with_name("scenarios")

# For each kernel with the series: the kernel without it, for comparison
STOCK = {"series": "stock", "debug": "stock-debug"}

# By architecture: QEMU's program, and Linux's console there
QEMU = {"x86_64": ("qemu-system-x86_64", "ttyS0"), "arm64": ("qemu-system-aarch64", "ttyAMA0")}

# For every Linux: each line written to /dev/kmsg is logged, and no hang after a panic.
LINUX = "printk.time=1 printk.devkmsg=on log_buf_len=1M panic=-1 oops=panic"
# Xen's default scheduler, Credit2, sometimes lets both of QEMU's processors sleep for
# good while dom0 could run; a key on Xen's console wakes it. Credit never does that.
XEN = ("console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all console_timestamps=none"
       " sched=credit")


@dataclass(frozen=True)
class Device:
    name: str
    args: str
    disk: bool

    def address(self) -> str:
        """Its place on the PCI bus."""
        found = re.search(r"addr=([0-9a-f.]+)", self.args)
        assert found, self.name
        return f"00:{found[1]}"


@dataclass(frozen=True)
class Guest:
    """A domU that dom0 starts."""

    name: str
    linux: str
    memory: int
    pci: list[Device]
    attach: list[Device]
    disk: str
    persistent: str
    checks: list[list[str]]

    def image(self, disk: str) -> str:
        """The machine's name for a disk that this guest calls @disk."""
        owned = [device.name for device in self.pci + self.attach
                 if device.name.split("-")[0] == disk]
        return owned[0] if owned else self.disk


@dataclass(frozen=True)
class Scenario:
    name: str
    about: str
    machine: str
    xen: str | None
    linux: str
    devices: list[Device]
    guests: list[Guest]
    checks: list[list[str]]
    disk_mib: int
    expect: str
    allow: str
    boot: int
    timeout: int
    extra: bool
    kernel: str
    pool_kib: int

    @property
    def arch(self) -> str:
        return "arm64" if self.kernel == "arm64" else "x86_64"

    def disks(self) -> list[str]:
        return [device.name for device in self.devices if device.disk]


def _checks(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().splitlines()]


def _device(config: configparser.ConfigParser, name: str) -> Device:
    section = config[f"device {name}"]
    return Device(name, " ".join(section["args"].split()), section.getboolean("disk", False))


def _guest(config: configparser.ConfigParser, name: str) -> Guest:
    section = config[f"guest {name}"]
    return Guest(
        name=name, linux=section["linux"], memory=section.getint("memory", 256),
        pci=[_device(config, key) for key in section.get("pci", "").split()],
        attach=[_device(config, key) for key in section.get("attach", "").split()],
        disk=section.get("disk", ""), persistent=section.get("persistent", ""),
        checks=_checks(section["checks"]))


def _scenario(config: configparser.ConfigParser, name: str) -> Scenario:
    section = config[name]
    return Scenario(
        name=name, about=section["about"], machine=section["machine"],
        xen=section.get("xen"), linux=section["linux"],
        devices=[_device(config, key) for key in section["devices"].split()],
        guests=[_guest(config, key) for key in section["guests"].split()],
        checks=_checks(section["checks"]), disk_mib=section.getint("disk-mib"),
        expect=section["expect"], allow=section["allow"], boot=section.getint("boot"),
        timeout=section.getint("timeout"), extra=section.getboolean("extra"),
        kernel=section["kernel"], pool_kib=section.getint("pool-kib"))


def load() -> dict[str, Scenario]:
    config = configparser.ConfigParser(interpolation=None, default_section="scenario defaults")
    config.read(LIST)
    found = {}
    for name in (name for name in config.sections() if " " not in name):
        found[name] = _scenario(config, name)
        if config[name].getboolean("stock"):
            stock = f"{name}-stock"
            found[stock] = replace(found[name], name=stock, kernel=STOCK[found[name].kernel],
                                   about=f"{found[name].about}, without the series")
    return found


def choose(scenarios: dict[str, Scenario], names: list[str]) -> list[Scenario]:
    chosen: list[Scenario] = []
    for name in names:
        if name == "all":
            chosen += [found for found in scenarios.values() if not found.extra]
        elif name in scenarios:
            chosen.append(scenarios[name])
        else:
            raise Trouble(f"unknown scenario {name}; there are: all {' '.join(scenarios)}")
    return chosen


def check_words(scenario: Scenario | Guest) -> str:
    """The checks as the guest's init reads them from its command line."""
    return "/".join(":".join(check) for check in scenario.checks)


def linux_arguments(scenario: Scenario, nonce: str, shell: bool) -> str:
    hidden = "".join(f"({device.address()})" for guest in scenario.guests
                     for device in guest.pci + guest.attach)
    console = "hvc0" if scenario.xen is not None else QEMU[scenario.arch][1]
    words = [f"console={console}", LINUX, scenario.linux,
             f"xen-pciback.hide={hidden}" if hidden else "",
             f"nonce={nonce}", f"disk-mib={scenario.disk_mib}",
             f"checks={check_words(scenario)}", "shell" if shell else ""]
    return " ".join(word for word in words if word)


def guest_config(scenario: Scenario, guest: Guest, nonce: str) -> str:
    """xl's configuration of a domU."""
    extra = " ".join(["console=hvc0", LINUX, guest.linux, f"nonce={nonce}",
                      f"disk-mib={scenario.disk_mib}", f"checks={check_words(guest)}"])
    lines = [f'name = "{guest.name}"', 'type = "pv"', f"memory = {guest.memory}", "vcpus = 1",
             'kernel = "/domu/kernel"', 'ramdisk = "/domu/initrd"', f'extra = "{extra}"',
             'on_poweroff = "destroy"', 'on_reboot = "destroy"', 'on_crash = "destroy"']
    if guest.pci:
        lines.append(f"pci = {[f'{device.address()},permissive=1' for device in guest.pci]}")
    if guest.attach:
        # Without this Xen gives the domU no IOMMU, and attaches no device later.
        lines.append('passthrough = "enabled"')
    if guest.disk:
        node = {"nvme": "nvme0n1", "ahci": "sda"}[guest.disk]
        lines.append(f'disk = ["vdev=xvda,format=raw,access=rw,backendtype=phy,'
                     f'script=/block,target=/dev/{node}"]')
    return "\n".join(lines) + "\n"


# Where a restricted pool is: in memory, and far from what QEMU puts there
POOL_AT = 0x70000000
POOL_PHANDLE = 0x7f00


def device_tree_edits(scenario: Scenario) -> list[list[str]]:
    """fdtput's arguments: a restricted pool for all PCI devices together."""
    pool = f"/reserved-memory/pool@{POOL_AT:x}"
    where = ["0", f"{POOL_AT:x}", "0", f"{scenario.pool_kib << 10:x}"]
    return [["-c", "dtb", "/reserved-memory"],
            ["-t", "x", "dtb", "/reserved-memory", "#address-cells", "2"],
            ["-t", "x", "dtb", "/reserved-memory", "#size-cells", "2"],
            ["-t", "x", "dtb", "/reserved-memory", "ranges"],
            ["-c", "dtb", pool],
            ["-t", "s", "dtb", pool, "compatible", "restricted-dma-pool"],
            ["-t", "x", "dtb", pool, "reg", *where],
            ["-t", "x", "dtb", pool, "phandle", f"{POOL_PHANDLE:x}"],
            ["-t", "x", "dtb", "/pcie@10000000", "memory-region", f"{POOL_PHANDLE:x}"]]


def qemu(scenario: Scenario, nonce: str, shell: bool) -> list[str]:
    """QEMU's command line, with file names relative to the scenario's folder."""
    linux = linux_arguments(scenario, nonce, shell)
    # One thread: with more, a processor may run code that another processor is just
    # patching, and Linux then dies of its own breakpoint (text_poke, "Oops: int3").
    command = [QEMU[scenario.arch][0], "-nodefaults", "-display", "none", "-no-reboot",
               "-accel", "tcg,thread=single",
               "-serial", "mon:stdio" if shell else "stdio",
               "-machine", *shlex.split(scenario.machine)]
    for device in scenario.devices:
        command += shlex.split(device.args.format(disk=f"{device.name}.img"))
    if scenario.pool_kib:
        command += ["-dtb", "dtb"]
    if scenario.xen is None:
        return command + ["-kernel", "kernel", "-append", linux, "-initrd", "initrd"]
    # Commas separate multiboot modules, so a comma in an argument is doubled.
    modules = f"kernel {linux.replace(',', ',,')},initrd"
    return command + ["-kernel", "xen", "-append", f"{XEN} {scenario.xen}", "-initrd", modules]
