#!/usr/bin/env python3
"""The project's benchmark: the router beside its rivals, in alternating rounds, before real memcacheds on loopback."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

from benchmark.cases import CASES, Case, batches, items
from benchmark.hotspots import find_hotspots
from benchmark.idle import SPARE, measure_idle, raise_limit
from benchmark.large import measure_large
from benchmark.proxies import DIRECT, PLACEHOLDERS, TWEMPROXY, Rig, parse_rival
from benchmark.report import Tables
from benchmark.rounds import compare
from benchmark.stage import BenchError, Stage
from benchmark.startup import measure_startup
from command import Parser, run_command

_FAILED = 1
_SYSTEM_PYTHON = "/usr/bin/python3"  # a distribution builds it optimised, which others may not be
_EPILOG = f"""\
Everything runs on 127.0.0.1 and ends with the run. Every reply is checked; the first wrong one ends the run with 1.

A rival is {TWEMPROXY} (the program nutcracker), {DIRECT} (memcached itself, no router) or NAME=COMMAND. COMMAND is no
shell line; it may begin with VAR=value words, it runs in a folder of its own, and in it are filled in:
{chr(10).join(f"  {'{' + name + '}':17} {meaning}" for name, meaning in PLACEHOLDERS.items())}
Another tree of the router, or this one with the other policy:
  --rival 'other=PYTHONPATH=/other/tree {{python}} -m mcrouter -f {{config}} -l tcp://127.0.0.1:{{port}} -L off'
  --rival 'sample=PYTHONPATH={{here}} {{python}} -m mcrouter -f {{sample_config}} -l tcp://127.0.0.1:{{port}} -L off'

CPU is that of the proxy's process and its descendants, user and system, per request ({DIRECT}: memcached's own);
latency is that of a batch: the requests that a client sends at once. Columns are medians over the rounds; a ratio is
the median of the ratios within each round, to the first rival. load %% is how busy the load processes were: near 100
they are the limit, and requests/s and latencies are theirs; CPU per request is not.
"""


def _between(kind: Callable[[str], Any], least: float, most: float) -> Callable[[str], Any]:
    def check(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least:g} to {most:g}")
        return value

    return check


def _rival(text: str) -> Any:
    try:
        return parse_rival(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = Parser(prog="bench", description=__doc__, epilog=_EPILOG, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add = parser.add_argument
    add("--list", action="store_true", help="list the cases and exit")
    add("--case", action="append", choices=list(CASES), metavar="NAME", help="measure this case; again for more (all)")
    add("--rival", action="append", type=_rival, default=[], metavar="SPEC", help="compare with it; again for more")
    add("--rounds", type=_between(int, 1, 100), default=3, metavar="N", help="rounds of each case (3)")
    add("--seconds", type=_between(float, 0.05, 60), default=2.0, metavar="S", help="of each round and proxy (2)")
    add("--loaders", type=_between(int, 1, 64), default=1, metavar="N", help="load processes (1)")
    add("--clients", type=_between(int, 1, 10000), metavar="N", help="clients, instead of what the case says")
    add("--policy", choices=("default", "sample", "hash"), default="default",
        help="the router's: DefaultRoute over one memcached, the sample over two, HashRoute over ten")  # fmt: skip
    add("--shards", type=_between(int, 1, 64), default=1, metavar="N", help="the router's event loops (1)")
    add("--python", default=_SYSTEM_PYTHON if os.path.exists(_SYSTEM_PYTHON) else sys.executable, metavar="PATH",
        help="what runs the router (%(default)s)")  # fmt: skip
    add("--json", metavar="FILE", help="write the facts as JSON too; - is stdout, the tables then go to stderr")
    other = parser.add_argument_group("instead of the cases, unless --case names some")
    other.add_argument("--profile", choices=list(CASES), metavar="CASE", help="where the time of a request goes")
    other.add_argument("--idle", type=_between(int, 1, 100000), metavar="N", help="memory of N idle clients")
    other.add_argument("--reload", type=_between(int, 10, 100000), metavar="N",
                       help="a config of N pools: seconds to load, and what its reload does to gets")  # fmt: skip
    other.add_argument("--start", action="store_true", help="time from start to accepting, and of the import")
    return parser


def _parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = make_parser()
    args = parser.parse_args(argv)
    names = [rival.name for rival in args.rival]
    if len(set(names)) < len(names):
        parser.error("two rivals have one name")
    if args.profile and args.shards > 1:
        parser.error("--profile looks into one process; leave out --shards")
    if not args.case and not (args.profile or args.idle or args.start or args.reload):
        args.case = list(CASES)
    return args


def _version(python: str) -> str:
    code = "import platform as p, sys; print(p.python_implementation(), p.python_version(), sys.version_info >= (3, 9))"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"--python: cannot run {python}: {getattr(error, 'strerror', error)}") from None
    name, _, new = done.stdout.strip().rpartition(" ")
    if new != "True":
        raise BenchError(f"--python: {python} is not Python 3.9 or newer")
    return name


def _case(name: str, clients: Optional[int]) -> Case:
    return CASES[name]._replace(clients=clients) if clients else CASES[name]


def run(args: argparse.Namespace, tables: Tables) -> Dict[str, Any]:
    """Measures what was asked for; the facts."""
    facts: Dict[str, Any] = {"about": {
        "cpus": os.cpu_count(), "load_average": os.getloadavg()[0], "python": _version(args.python),
        "policy": args.policy, "shards": args.shards, "rounds": args.rounds, "seconds": args.seconds,
        "loaders": args.loaders}}  # fmt: skip
    tables.about(facts["about"])
    idle = raise_limit(args.idle or 1)
    # a memcached must have room for the idle clients and more
    connections = raise_limit(max(1024, idle + SPARE, (args.clients or 0) + SPARE), SPARE // 4)
    with Stage() as stage:
        rig = Rig(stage, args.python, args.policy, args.shards, args.rival, connections)
        if args.start:
            facts["start"] = measure_startup(rig, args.rival)
            tables.startup(facts["start"])
        if args.idle:
            proxies = rig.everybody()
            facts["idle"] = measure_idle(proxies, idle)
            tables.idle(facts["idle"], args.idle)
            rig.dismiss(proxies)
        if args.reload:
            facts["large"] = measure_large(rig, args.reload)
            tables.large(facts["large"])
        if args.profile:
            case = _case(args.profile, args.clients)
            space = items(case)
            rig.fill(space)
            facts["profile"] = find_hotspots(rig, case, batches(case, space), args.seconds, args.loaders)
            tables.hotspots(facts["profile"])
        if args.case:
            facts["cases"] = _cases(args, rig, tables)
    return facts


def _cases(args: argparse.Namespace, rig: Rig, tables: Tables) -> List[Dict[str, Any]]:
    proxies = rig.everybody()
    tables.heading(proxies[1].name if len(proxies) > 1 else "")
    found: List[Dict[str, Any]] = []
    for name in dict.fromkeys(args.case):
        case = _case(name, args.clients)
        space = items(case)
        rig.fill(space)
        found.append(compare(proxies, case, batches(case, space), args.rounds, args.seconds, args.loaders))
        tables.case(found[-1])
    return found


def _list() -> None:
    print(f"{'name':16}{'clients':>8}{'pipeline':>9}{'value bytes':>13}{'get %':>6}{'keys a get':>11}")
    for case in CASES.values():
        size = f"{case.smallest}" if case.smallest == case.largest else f"{case.smallest}..{case.largest}"
        print(f"{case.name:16}{case.clients:8}{case.pipeline:9}{size:>13}{case.gets:6}{case.keys:11}")


def _write_json(path: str, text: str) -> None:
    """To the file or to stdout. Called first with no text: a bad path is noticed before anything is measured."""
    try:
        if path == "-":
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            Path(path).write_text(text)
    except OSError as error:
        raise BenchError(f"--json: cannot write {path}: {error.strerror}") from None


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command; returns the exit code."""
    args = _parse(argv)
    if args.list:
        _list()
        return 0
    table_file = sys.stderr if args.json == "-" else sys.stdout

    def work() -> int:
        try:
            if args.json:
                _write_json(args.json, "")
            facts = run(args, Tables(lambda line: print(line, file=table_file, flush=True)))
            if args.json:
                _write_json(args.json, json.dumps(facts, indent=2) + "\n")
        except BrokenPipeError:  # the reader of the tables has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _FAILED
        return 0

    return run_command("bench", work, (BenchError,), _FAILED)


if __name__ == "__main__":
    sys.exit(main())
