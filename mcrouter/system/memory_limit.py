"""The memory that this process may use: what the machine has, or what its control group allows (cgroups(7))."""

import contextlib
import os
import re
from typing import Iterator

_SHARE = 4  # of it, as the default of --max-memory: the rest is for hosts' connections, Python, and other programs


def default_bound(proc: str = "/proc", cgroups: str = "/sys/fs/cgroup") -> int:
    """Returns the default of `--max-memory` in bytes: a quarter of what the machine or the control group allows; 0,
    which is no bound, if that is not known."""
    return min(_allowances(proc, cgroups), default=0) // _SHARE


def _allowances(proc: str, cgroups: str) -> Iterator[int]:
    """Yields what the machine and each control group allow, in bytes."""
    total = re.search(r"^MemTotal: +(\d+) kB$", _text(f"{proc}/meminfo"), re.MULTILINE)
    if total:
        yield int(total[1]) * 1024
    for line in _text(f"{proc}/self/cgroup").splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if not controllers:  # version 2 has one tree, and no name for it
            root, name = cgroups, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = f"{cgroups}/memory", "memory.limit_in_bytes"
        else:
            continue
        yield from _limits(root, path, name)


def _limits(root: str, path: str, name: str) -> Iterator[int]:
    """Yields the limits of a control group and of the groups around it. In a container the path may be that of the
    machine: then the group that is mounted is the process's own."""
    while True:
        text = _text(f"{root}{path.rstrip('/')}/{name}").strip()
        if text.isdecimal():  # else there is none, or it says "max"
            yield int(text)
        if path in ("", "/"):
            return
        path = os.path.dirname(path)


def _text(path: str) -> str:
    with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii", errors="replace") as file:
        return file.read()
    return ""
