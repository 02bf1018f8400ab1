"""Runs seeds of the simulated world; exit code 1 and what was found when something is wrong."""

import argparse
import sys
import time
import zlib

from . import system_calls

_MOST_FOUND = 20  # after which it stops


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tests.simulation", description=__doc__)
    parser.add_argument("first", type=int, metavar="FIRST", help="the first seed")
    parser.add_argument("count", type=int, metavar="COUNT", help="how many seeds")
    parser.add_argument("--faults", action="store_true", help="connections and hosts fail")
    parser.add_argument("--trace", action="store_true", help="print every system call")
    parser.add_argument("--route", default="", metavar="NAME", help="the policy (policies.py); else any")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no seed after so long")
    return parser.parse_args()


def main() -> int:
    """Runs what the arguments say; returns the exit code."""
    arguments = _arguments()
    system_calls.replace()
    from .world import Run, replace_world  # binds the system calls

    replace_world(arguments.trace)
    began = time.perf_counter()
    done = ticks = steps = digest = 0
    found = []
    for seed in range(arguments.first, arguments.first + arguments.count):
        if time.perf_counter() - began > arguments.seconds or len(found) >= _MOST_FOUND:
            break
        result = Run(seed, arguments.faults, arguments.route, print if arguments.trace else None).run()
        done, ticks, steps = done + 1, ticks + result.ticks, steps + result.steps
        digest = zlib.crc32(b"%d %d %d" % (result.ticks, result.steps, result.digest), digest)
        if result.problem:
            found.append(seed)
            print(f"seed {seed}: {result.problem}\n    {result.facts}", flush=True)
    seconds = time.perf_counter() - began
    print(f"{done} seeds, {ticks} ticks, {steps} steps, digest {digest:08x}")
    print(f"{seconds:.1f} s, {done / seconds:.1f} seeds/s; {f'wrong: {found}' if found else 'nothing found'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
