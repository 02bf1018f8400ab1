"""Facts about the router's processes, under the usual `process_*` names."""

import contextlib
import os
import resource
import time
from typing import Dict, Iterable

_STARTED = time.time()
_UTIME, _STIME, _VSIZE, _RSS = 11, 12, 20, 21  # fields of /proc/PID/stat behind the name, proc(5)


def process_facts(pids: Iterable[int]) -> Dict[str, float]:
    """Sums over these processes; CPU time of children that have ended is in it, so that it never goes back."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = {
        "process_cpu_seconds_total": ended.ru_utime + ended.ru_stime,
        "process_resident_memory_bytes": 0.0,
        "process_virtual_memory_bytes": 0.0,
        "process_open_fds": 0.0,
        "process_max_fds": float(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        "process_start_time_seconds": _STARTED,
    }
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended, or there is no /proc here
            _add(facts, pid)
    return facts


def _add(facts: Dict[str, float], pid: int) -> None:
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        fields = file.read().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    facts["process_cpu_seconds_total"] += (int(fields[_UTIME]) + int(fields[_STIME])) / ticks
    facts["process_virtual_memory_bytes"] += int(fields[_VSIZE])
    facts["process_resident_memory_bytes"] += int(fields[_RSS]) * os.sysconf("SC_PAGE_SIZE")
    facts["process_open_fds"] += len(os.listdir(f"/proc/{pid}/fd"))
