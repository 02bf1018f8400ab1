"""`mcrouter replay DIR`: delivers the deletes that were spooled.

Exit codes: 0 when all entries were delivered, 1 when some stay or the command cannot run, 2 for an invalid flag.
SIGTERM and SIGINT end it after the current file. Entries by host go to stdout; what needs attention goes to stderr.
"""

import argparse
import os
import signal
import sys
import threading
import time
from typing import Iterable, List, Tuple

from ..config.hosts import BadHostError, parse_host
from ..settings import milliseconds
from ..spool.deliver import Deliverer
from ..spool.entry import Address
from ..spool.replay import BusyError, only_replay, replay, survey
from .arguments import Parser, value_of

_USAGE_ERROR, _INCOMPLETE = 2, 1
_SOON, _LATE = 2.0, 60.0  # seconds between passes with --follow; doubled while nothing can be delivered
_LONGEST_TIMEOUT = 3_600_000  # milliseconds


def make_parser() -> Parser:
    """Returns the parser of the command's flags."""
    parser = Parser(
        prog="mcrouter replay",
        description="Delivers the deletes that this router or facebook's has spooled while their hosts were down.",
    )
    parser.add_argument("directory", metavar="DIR", help="the router's --async-dir")
    parser.add_argument("--timeout-ms", type=value_of("--timeout-ms", milliseconds(1, _LONGEST_TIMEOUT)),
                        default=1000, metavar="N",
                        help="how long a host may take to accept or to answer (default 1000)")  # fmt: skip
    often = parser.add_mutually_exclusive_group()
    often.add_argument("--once", action="store_true", help="deliver what is there, and end (default)")
    often.add_argument("--follow", action="store_true", help="repeat until SIGTERM or SIGINT")
    often.add_argument("--dry-run", action="store_true", help="print what is there; send and change nothing")
    parser.add_argument("--host", type=value_of("--host", _pair), action="append", default=[], dest="elsewhere",
                        metavar="HOST:PORT=NEWHOST:NEWPORT",
                        help="deliver what is for one host to another; may be given several times")  # fmt: skip
    return parser


def main(args: argparse.Namespace) -> int:
    """Runs the command; returns the exit code."""
    if not os.path.isdir(args.directory):
        return _complain(f"{args.directory} is not a directory; name the router's --async-dir", _USAGE_ERROR)
    try:
        if args.dry_run:
            return _dry_run(args.directory)
        with only_replay(args.directory):
            deliverer = Deliverer(args.timeout_ms / 1000, dict(args.elsewhere))
            return _run(args.directory, deliverer, args.follow)
    except BusyError as error:
        return _complain(str(error), _INCOMPLETE)
    except OSError as error:
        where = error.filename or args.directory
        return _complain(f"{where}: {error.strerror or error}; let this user read and write there", _INCOMPLETE)


def _dry_run(directory: str) -> int:
    report = survey(directory, time.time())
    _tell(report.plan_lines(), report.problems)
    return 0 if report.complete else _INCOMPLETE


def _run(directory: str, deliverer: Deliverer, follow: bool) -> int:
    ending = threading.Event()
    before = [(number, signal.signal(number, lambda *_: ending.set())) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        return _passes(directory, deliverer, follow, ending)
    finally:
        deliverer.start_over()
        for number, handler in before:
            signal.signal(number, handler)


def _passes(directory: str, deliverer: Deliverer, follow: bool, ending: threading.Event) -> int:
    pause = _SOON
    hosts: List[str] = []
    problems: List[str] = []
    while True:
        deliverer.start_over()
        report = replay(directory, deliverer, time.time(), ending.is_set)
        told = hosts, problems
        hosts, problems = report.host_lines(deliverer.failures), report.problems
        _tell(_new(hosts, told[0]), _new(problems, told[1]))
        if not follow or ending.wait(pause):
            return 0 if report.complete else _INCOMPLETE
        pause = _SOON if report.complete or report.delivered else min(2 * pause, _LATE)


def _new(lines: List[str], told: List[str]) -> List[str]:
    """Returns the lines that were not printed after the previous pass."""
    return [line for line in lines if line not in told]


def _tell(lines: Iterable[str], problems: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)
    for line in problems:
        print(f"mcrouter replay: {line}", file=sys.stderr)


def _complain(message: str, code: int) -> int:
    _tell((), [message])
    return code


def _pair(text: str) -> Tuple[Address, Address]:
    old, equals, new = text.partition("=")
    if not equals:
        raise ValueError("HOST:PORT=NEWHOST:NEWPORT")
    try:
        return _address(old), _address(new)
    except BadHostError as error:
        raise ValueError(f"HOST:PORT=NEWHOST:NEWPORT; {error}") from None


def _address(text: str) -> Address:
    host = parse_host(text)
    return (host.path, 0) if host.path else (host.host, host.port)

