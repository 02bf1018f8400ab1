"""Time from a process's start to accepting, and what importing the package costs."""

import os
import re
import subprocess
import time
from functools import partial
from statistics import median
from typing import Any, Dict, List, Optional, Sequence

from .proxies import DIRECT, ROOT, ROUTER, Rig, Rival
from .stage import BenchError, accepts

_TIMES = 5
_PAUSE = 0.001  # seconds between two looks
_IMPORTED = ("mcrouter", "mcrouter.cli.main", "mcrouter.router")
_TIME_LIMIT = 10.0


def measure_startup(rig: Rig, rivals: Sequence[Rival]) -> Dict[str, Any]:
    """The facts of the router and of each rival that is a process of its own."""
    everybody: List[Optional[Rival]] = [None, *(rival for rival in rivals if rival.name != DIRECT)]
    return {
        "accepting_ms": [_accepting(rig, rival) for rival in everybody],
        "import_ms": {name: _import_ms(rig.python, name) for name in _IMPORTED},
    }


def _accepting(rig: Rig, rival: Optional[Rival]) -> Dict[str, Any]:
    took: List[float] = []
    for _ in range(_TIMES + 1):
        begin = time.perf_counter()
        proxy = rig.router(wait=False) if rival is None else rig.rival(rival, wait=False)
        rig.stage.wait(proxy.name, proxy.process, partial(accepts, proxy.port), _PAUSE)
        took.append(1000 * (time.perf_counter() - begin))
        rig.stage.stop(proxy.process)
    # the first start may have had to compile
    return {"name": ROUTER if rival is None else rival.name, "median": median(took[1:]), "times": _TIMES}


def _import_ms(python: str, name: str) -> Optional[float]:
    """The median over some runs of -X importtime; None where the interpreter has no such thing."""
    found = [_import_once(python, name) for _ in range(_TIMES)]
    known = [milliseconds for milliseconds in found if milliseconds is not None]
    return median(known) if known else None


def _import_once(python: str, name: str) -> Optional[float]:
    words = [python, "-X", "importtime", "-c", f"import {name}"]
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    try:
        done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=_TIME_LIMIT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"cannot import {name} with {python}: {error}") from None
    if done.returncode:
        raise BenchError(f"cannot import {name}: {done.stderr.strip().splitlines()[-1]}")
    # "import time:  self [us] | cumulative | name", what a module imports being indented before it
    outer = re.findall(r"^import time:\s+\d+ \|\s+(\d+) \| mcrouter(?:\.\w+)*$", done.stderr, re.M)
    return sum(map(int, outer)) / 1000 if outer else None
