"""Where the time of a request goes: the router measured plain, sampled and traced under one case."""

import json
import os
import signal
import time
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .cases import Batch, Case
from .proxies import Rig
from .rounds import Sample, measure
from .stage import BenchError

_TOP = 25
_NOTICED = 0.0005  # less, in calls and microseconds, is shown as zero
_WARM_UP = 0.3  # seconds
Rows = Dict[str, Tuple[int, float]]


def find_hotspots(rig: Rig, case: Case, plan: Sequence[Batch], seconds: float, loaders: int) -> Dict[str, Any]:
    """The facts. Sampled shares are scaled to the CPU time that the plain router used."""
    plain, _ = _run(rig, case, plan, seconds, loaders, None)
    _, samples = _run(rig, case, plan, seconds, loaders, "sample")
    slow, traced = _run(rig, case, plan, seconds, loaders, "trace")
    total = sum(count for count, _ in samples.values()) or 1
    rows: List[Dict[str, Any]] = []
    for name in {*samples, *traced}:
        calls, own = traced.get(name, (0, 0.0))
        row: Dict[str, Any] = {"function": name, "calls": calls / slow.requests, "traced_us": 1e6 * own / slow.requests}
        if not _is_c(name):
            row["sampled_us"] = plain.cpu_us * samples.get(name, (0, 0.0))[0] / total
        if max(row["calls"], row["traced_us"], row.get("sampled_us", 0.0)) >= _NOTICED:
            rows.append(row)
    python = [row for row in rows if "sampled_us" in row]
    c = [row for row in rows if "sampled_us" not in row]
    for row in c:
        if " 'poll' " in row["function"]:
            row["traced_us"] = None  # it waits, which is no work, and cProfile's clock does not know
    return {
        "case": case.name,
        "user_us": plain.user_us,
        "system_us": plain.system_us,
        "traced_us": slow.cpu_us,
        "samples": total,
        "python": sorted(python, key=lambda row: (-row["sampled_us"], -row["traced_us"]))[:_TOP],
        "c": sorted(c, key=lambda row: row["traced_us"] is not None and -float(row["traced_us"]))[:_TOP],
    }


def _is_c(name: str) -> bool:
    return name.startswith("<")


def _run(
    rig: Rig, case: Case, plan: Sequence[Batch], seconds: float, loaders: int, mode: Optional[str]
) -> Tuple[Sample, Rows]:
    path = rig.stage.folder / f"{mode}.json"
    proxy = rig.router(module=["-m", "tools.benchmark.inside", mode, str(path)]) if mode else rig.router()
    measure(proxy, case, plan, _WARM_UP, loaders)
    if mode:
        os.kill(proxy.process.pid, signal.SIGUSR1)
        time.sleep(0.1)
    sample = measure(proxy, case, plan, seconds, loaders)
    rig.stage.stop(proxy.process)
    if not mode:
        return sample, {}
    try:
        rows = json.loads(path.read_text())["functions"]
    except (OSError, ValueError):
        raise BenchError(f"the router left no profile; its exit code is {proxy.process.returncode}") from None
    return sample, {name: (count, own) for name, count, own in rows}
