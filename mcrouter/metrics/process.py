"""CPU time, memory and descriptors of the router's processes, from /proc; without it, what Python knows of this
process."""

import contextlib
import os
import time
from collections.abc import Iterable
from typing import NamedTuple, Optional

_IMPORTED = time.time()  # about the start of the process, where there is no /proc
_TRIES = 3
_GONE = (OSError, ValueError, IndexError)  # of reading about a process that ends meanwhile


class ProcessFacts(NamedTuple):
    """Sums over the processes; None if not known. The fields are the metrics `process_*`."""

    cpu_seconds_total: float
    resident_memory_bytes: Optional[float] = None
    virtual_memory_bytes: Optional[float] = None
    start_time_seconds: Optional[float] = None
    open_fds: Optional[float] = None
    max_fds: Optional[float] = None  # of one process, as it is the limit of each


class Usage(NamedTuple):
    """The resources that processes have used, as in proc(5): seconds, bytes, page faults."""

    user: float = 0.0
    system: float = 0.0
    virtual: int = 0
    resident: int = 0
    minor_faults: int = 0
    major_faults: int = 0


class _Stat(NamedTuple):
    usage: Usage
    started: float  # seconds after boot


def process_facts(pids: Iterable[int], proc: str = "/proc") -> ProcessFacts:
    """Returns the facts of the processes `pids`, which include this one, with the CPU time of its children that have
    ended.

    Without the latter the CPU time would decrease when an event loop dies. Memory that processes share counts in each.
    """
    pids, own = list(pids), os.getpid()
    try:
        _stat(own, proc)
    except _GONE:
        return _facts_without_proc()
    ended, stats = _read(pids, proc)
    return ProcessFacts(
        ended + sum(stat.usage.user + stat.usage.system for stat in stats),
        sum(stat.usage.resident for stat in stats),
        sum(stat.usage.virtual for stat in stats),
        _boot_time(proc) + min((stat.started for stat in stats), default=0.0),
        sum(_open_fds(pid, proc) for pid in pids),
        _max_fds(),
    )


def usage(pids: Iterable[int], proc: str = "/proc") -> Usage:
    """Returns the sum of what those of these processes use that still run; without /proc, what this process uses."""
    found = []
    for pid in pids:
        with contextlib.suppress(*_GONE):
            found.append(_stat(pid, proc).usage)
    if not found:
        times = os.times()
        return Usage(times.user, times.system, resident=int(_peak_memory() or 0))
    return Usage(*map(sum, zip(*found)))


def _read(pids: list[int], proc: str) -> tuple[float, list[_Stat]]:
    """Returns the CPU seconds of children that have ended, and the facts of the processes that run.

    A child that ends meanwhile would count twice or not at all, so then both are read again.
    """
    for _ in range(_TRIES):
        ended = _ended_children()
        stats = []
        for pid in pids:
            with contextlib.suppress(*_GONE):
                stats.append(_stat(pid, proc))
        if _ended_children() == ended:
            break
    return ended, stats


def _ended_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _stat(pid: int, proc: str) -> _Stat:
    with open(f"{proc}/{pid}/stat", "rb") as file:
        # The name of the program, in parentheses, may hold anything; proc(5) counts the fields behind it from 3.
        fields = file.read().rpartition(b")")[2].split()
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    minor, major, utime, stime, started, virtual, resident = (int(fields[n - 3]) for n in (10, 12, 14, 15, 22, 23, 24))
    return _Stat(Usage(utime / tick, stime / tick, virtual, resident * page, minor, major), started / tick)


def _boot_time(proc: str) -> float:
    try:
        with open(f"{proc}/stat", "rb") as file:
            return next(float(line.split()[1]) for line in file if line.startswith(b"btime "))
    except (OSError, StopIteration):
        return 0.0


def _open_fds(pid: int, proc: str) -> int:
    try:
        return len(os.listdir(f"{proc}/{pid}/fd"))
    except OSError:
        return 0  # the process has ended, or belongs to another user


def _max_fds() -> Optional[float]:
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return float("inf") if limit == resource.RLIM_INFINITY else limit


def _facts_without_proc() -> ProcessFacts:
    """Returns the facts of this process alone, with the CPU time of its children that have ended."""
    times = os.times()
    return ProcessFacts(
        times.user + times.system + times.children_user + times.children_system,
        _peak_memory(),  # the current size is not known
        start_time_seconds=_IMPORTED,
        max_fds=_max_fds(),
    )


def _peak_memory() -> Optional[float]:
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
