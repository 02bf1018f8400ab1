"""CPU time of the router from its start to its first answer, of this tree and of another one, in turns.

    python3 tools/benchmark/first_answer.py [--config router.json] [--runs 15] [OTHER_TREE] [-- FLAG ...]

User and system time of the process of `python3 -m mcrouter`, which is killed once a client has got the answer to
`version`. The first two runs, which may compile, do not count. With OTHER_TREE the ratio of the medians is given, too.
"""

import argparse
import os
import signal
import socket
import sys
import time
from pathlib import Path
from statistics import median, quantiles
from typing import List, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent.parent
_WARM_UP = 2
_PAUSE = 0.002  # seconds between two tries to connect
_TIME_LIMIT = 10.0


def cpu_ms(tree: Path, config: Path, flags: Sequence[str]) -> float:
    """Starts the router of a tree once; returns the CPU time in ms."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [sys.executable, "-m", "mcrouter", "-f", str(config), "-l", f"tcp://127.0.0.1:{port}", *flags]
    silent = [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    pid = os.posix_spawn(sys.executable, command, {**os.environ, "PYTHONPATH": str(tree)}, file_actions=silent)
    try:
        _ask(port)
    finally:
        os.kill(pid, signal.SIGKILL)
        used = os.wait4(pid, 0)[2]
    return 1000 * (used.ru_utime + used.ru_stime)


def _ask(port: int) -> None:
    end = time.monotonic() + _TIME_LIMIT
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), _TIME_LIMIT) as sock:
                sock.sendall(b"version\r\n")
                if not sock.recv(100):
                    raise SystemExit("the router closed the connection")
                return
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise SystemExit("the router does not listen") from None
            time.sleep(_PAUSE)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=ROOT / "router.json")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("other", type=Path, nargs="?", metavar="OTHER_TREE")
    parser.add_argument("flags", nargs="*", metavar="FLAG", help="more flags of the router")
    args = parser.parse_args(argv)
    config = args.config.resolve()
    trees = [ROOT, *([args.other.resolve()] if args.other else [])]
    os.chdir("/")  # -m looks there first
    took: List[List[float]] = [[] for _ in trees]
    for run in range(args.runs + _WARM_UP):
        for number, tree in enumerate(trees):
            ms = cpu_ms(tree, config, args.flags)
            if run >= _WARM_UP:
                took[number].append(ms)
    for tree, each in zip(trees, took):
        low, _, high = quantiles(each, n=4)
        print(f"{median(each):6.1f} ms CPU (quartiles {low:.1f} to {high:.1f}, {len(each)} runs)  {tree}")
    if args.other:
        print(f"{median(took[0]) / median(took[1]):6.2f} of the other")
    return 0


if __name__ == "__main__":
    sys.exit(main())
