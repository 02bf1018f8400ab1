#!/usr/bin/env python3
"""Real memcached clients through the router, and beside it the same clients straight against memcached."""

import argparse
import sys
from pathlib import Path
from typing import Optional, Sequence

from benchmark.stage import BenchError, Stage
from command import Parser, run_command
from compat.environments import Environment
from compat.runs import Result, run
from compat.table import CLIENTS, NOTHING
from compat.targets import start_targets

_DIFFERS = 1
_FOLDER = Path("~/.cache/mcrouter-clients")
HEADING = "| client | version | language | protocol | checks passed |\n| --- | --- | --- | --- | --- |"
_EPILOG = """\
It starts what it needs on 127.0.0.1 and ends it again: memcacheds, a router with the sample policy over two of them and
one with a ketama pool over three. A check that fails straight against memcached, too, is the client's own affair and is
not counted. The table goes to standard output, what is to be said of it to standard error. The exit code is 1 if a
check fails that is not known to.

Clients from PyPI and npm are installed below the folder of --dir, each in its own; Debian's only with --install.
"""


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = Parser(prog="clients", description=__doc__, epilog=_EPILOG, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add = parser.add_argument
    add("--only", action="append", choices=[client.name for client in CLIENTS], metavar="NAME",
        help="this client; may be given again")  # fmt: skip
    add("--list", action="store_true", help="print the clients and what each needs, and end")
    add("--dir", type=Path, default=_FOLDER, metavar="FOLDER", help="where clients are installed (%(default)s)")
    add("--install", action="store_true", help="install missing Debian packages, too; takes root")
    return parser


def row(result: Result) -> str:
    """A client's line of the table."""
    client = result.client
    return f"| {client.name} | {result.version or '-'} | {client.language} | {client.protocol} | {result.text} |"


def _explain(result: Result) -> None:
    if result.missing:
        print(f"{result.client.name}: {result.missing}", file=sys.stderr)
    for name, what in [] if result.good else result.failed.items():
        print(f"{result.client.name}: {name}: {what}", file=sys.stderr)
    for name, what in result.faults.items():
        print(f"{result.client.name}: {name} does not pass straight against memcached: {what}", file=sys.stderr)


def _list() -> None:
    for client in CLIENTS:
        needs = "nothing" if client.installer == NOTHING else f"{client.installer}: {' '.join(client.packages)}"
        print(f"{client.name} ({client.language}, {client.protocol}): {needs}")


def check(args: argparse.Namespace) -> int:
    """Runs the clients and prints the table; the exit code."""
    good = True
    with Stage() as stage:
        targets = start_targets(stage)
        print(HEADING, flush=True)
        for client in CLIENTS:
            if not args.only or client.name in args.only:
                result = run(client, Environment(client, args.dir.expanduser(), args.install), targets, stage)
                print(row(result), flush=True)
                _explain(result)
                good &= result.good
    return 0 if good else _DIFFERS


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command; returns the exit code."""
    args = make_parser().parse_args(argv)
    if args.list:
        _list()
        return 0
    return run_command("clients", lambda: check(args), (BenchError,), _DIFFERS)


if __name__ == "__main__":
    sys.exit(main())
