"""What this machine is, as far as it bears on what is measured on it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

from codeens_server.domain.document import Machine

_PROCESSOR = Path("/proc/cpuinfo")
_LIKE_LOAD = 0.5
"""For each core."""
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def this_machine() -> Machine:
    """Look at the machine as it is now. Blocks for a moment: it reads files of the kernel."""
    return Machine(
        processor=next(_model_names(), "") or platform.processor() or platform.machine(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        load=round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}",
        governor=_text(_GOVERNOR).strip(),
    )


def told(machine: Machine) -> str:
    """Return it in one line."""
    cores = "1 core" if machine.cores == 1 else f"{machine.cores} cores"
    load = "" if machine.load is None else f"load {machine.load:.1f}"
    governor = f"governor {machine.governor}" if machine.governor else ""
    said = [machine.processor, cores, load, governor, f"Python {machine.python}", machine.system]
    return ", ".join(part for part in said if part)


def differences(one: Machine | None, other: Machine | None) -> Iterator[str]:
    """Yield in what two machines, or one at two times, differ so that times do not compare: "load: 0.2, 7.9"."""
    if one is None or other is None:
        yield "machine: not known of " + ("both" if one is other else "one")
        return
    for name, here, there in (
        ("processor", one.processor, other.processor),
        ("cores", one.cores, other.cores),
        ("governor", one.governor or "not known", other.governor or "not known"),
        ("Python", one.python, other.python),
        ("system", one.system, other.system),
    ):
        if here != there:
            yield f"{name}: {here}, {there}"
    loads = sorted((one.load or 0.0, other.load or 0.0))
    if loads[1] - loads[0] > _LIKE_LOAD * max(one.cores, other.cores):
        yield f"load: {one.load or 0.0:.1f}, {other.load or 0.0:.1f}"


def _model_names() -> Iterator[str]:
    for line in _text(_PROCESSOR).splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            yield value.strip()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
