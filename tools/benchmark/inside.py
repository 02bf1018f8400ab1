"""Runs the router with a profiler in its process: python -m tools.benchmark.inside sample|trace FILE FLAG...

Counting begins with SIGUSR1, so that starting is not part of it, and is written to FILE as JSON when the router ends:
{"functions": [[function, calls or samples, own seconds], ...]}.

sample  the kernel interrupts after each millisecond or tick of CPU time, and the function that runs then is noted.
        Little distortion; the time of a C function counts for the Python function that called it.
trace   cProfile: exact calls, C functions too; the times of small functions are exaggerated.
"""

import cProfile
import json
import os
import signal
import sys
from types import CodeType
from typing import Any, Callable, Dict, List, Tuple, Union

Row = Tuple[str, int, float]
_INTERVAL = 0.001


def _name(code: Union[CodeType, str]) -> str:
    if isinstance(code, str):
        return code
    folder, _, file = code.co_filename.rpartition(os.sep)
    return f"{os.path.basename(folder)}/{file}:{code.co_firstlineno} {getattr(code, 'co_qualname', code.co_name)}"


def sampled(run: Callable[[], int]) -> Tuple[int, List[Row]]:
    """Runs; (exit code, samples by function)."""
    found: Dict[CodeType, int] = {}

    def tick(_number: int, frame: Any) -> None:
        if frame is not None:
            found[frame.f_code] = found.get(frame.f_code, 0) + 1

    signal.signal(signal.SIGPROF, tick)
    signal.signal(signal.SIGUSR1, lambda *_: signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL))
    code = run()
    signal.setitimer(signal.ITIMER_PROF, 0)
    return code, [(_name(function), count, 0.0) for function, count in found.items()]


def traced(run: Callable[[], int]) -> Tuple[int, List[Row]]:
    """Runs; (exit code, calls and own seconds by function)."""
    profiler = cProfile.Profile()
    before: List[Any] = []
    # not enabled by the signal: the loop runs already then, and would never be counted
    signal.signal(signal.SIGUSR1, lambda *_: before.extend(profiler.getstats()))
    profiler.enable()
    code = run()
    profiler.disable()
    totals: Dict[str, Tuple[int, float]] = {}
    for sign, entries in ((1, profiler.getstats()), (-1, before)):
        for entry in entries:
            calls, seconds = totals.get(_name(entry.code), (0, 0.0))
            totals[_name(entry.code)] = calls + sign * entry.callcount, seconds + sign * entry.inlinetime
    return code, [(name, calls, seconds) for name, (calls, seconds) in totals.items()]


def main(mode: str, path: str, *flags: str) -> int:
    """Runs the router with these flags, and writes what was found."""
    from mcrouter.cli.main import main

    code, rows = {"sample": sampled, "trace": traced}[mode](lambda: main(flags))
    with open(path, "w") as file:
        json.dump({"functions": rows}, file)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
