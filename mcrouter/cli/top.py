"""`mcrouter top [ADDR]`. On a terminal it stays and is refreshed, or prints one view after another where the terminal
cannot be drawn on. If standard output is no terminal, it prints as many views as --count says, else one.

Exit codes: 0, also after ^C; 1 if the router does not answer at first; 2 for an invalid flag.
"""

import argparse
import json
import locale
import os
import sys
from typing import Any, Dict

from ..settings import OneOf, whole
from ..top.fetch import FetchError, address, fetch
from ..top.plain import show as show_plain
from ..top.view import SORTS
from .arguments import Parser, value_of
from .main import complain

_CANNOT_RUN = 1
_PATIENCE = 5.0  # seconds for the first answer


def make_parser() -> Parser:
    """Returns the parser of the command's flags."""
    parser = Parser(
        prog="mcrouter top",
        description="Shows a running router's hosts: state, requests, errors, hits, latency. Keys: ? shows them.",
        epilog="Colours only on a terminal, and not where NO_COLOR is set.",
    )
    parser.add_argument("address", nargs="?", default="localhost:9090", type=value_of("ADDR", address), metavar="ADDR",
                        help="HOST:PORT of the router's metrics (default localhost:9090)")  # fmt: skip
    parser.add_argument("--interval", type=value_of("--interval", _seconds), default=2.0, metavar="SECONDS",
                        help="between views (default 2)")  # fmt: skip
    parser.add_argument("--sort", choices=list(SORTS), type=value_of("--sort", OneOf(*SORTS)), default="state",
                        help="what by (default state: the worst first)")  # fmt: skip
    parser.add_argument("--once", action="store_true",
                        help="print one view, and end (default where standard output is no terminal)")  # fmt: skip
    parser.add_argument("--count", type=value_of("--count", whole(1, 999_999_999, "views")), metavar="N",
                        help="print so many views, and end")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print /status.json as it is, and end")
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 3600:
        raise ValueError("a number of seconds from 0.1 to 3600")
    return value


def main(args: argparse.Namespace) -> int:
    """Runs the command; returns the exit code."""
    try:
        facts = fetch(args.address, _PATIENCE)
    except FetchError as error:
        return complain(f"top: {error}", _CANNOT_RUN)
    try:
        _show(args, facts)
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:  # the reader has closed its end, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _show(args: argparse.Namespace, facts: Dict[str, Any]) -> None:
    is_terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    is_coloured = is_terminal and not os.environ.get("NO_COLOR")
    if args.json:
        print(json.dumps(facts, indent=1))
    elif args.once or args.count or not is_terminal or not _has_curses():
        count = 1 if args.once or not (args.count or sys.stdout.isatty()) else args.count
        show_plain(args.address, facts, args.interval, count, args.sort, is_coloured)
    else:
        from ..top.screen import show

        locale.setlocale(locale.LC_ALL, "")  # curses draws in the terminal's encoding
        is_utf8 = locale.getpreferredencoding(False).lower().replace("-", "") == "utf8"
        show(args.address, facts, args.interval, args.sort, is_coloured, is_utf8)


def _has_curses() -> bool:
    try:
        import curses  # noqa: F401 - Python can be built without
    except ImportError:
        return False
    return sys.stdin.isatty()
