#!/usr/bin/env python3
"""The project's mutation run: small changes to the source, one at a time, each of which some test should notice."""

import argparse
import random
import sys
from pathlib import Path
from typing import Callable, List, Optional, Sequence

from command import Parser, run_command
from mutation.equivalent import LIST, EntryError, parse
from mutation.run import Judged, Run, Verdict, all_mutants, draw, stale
from mutation.tables import PACKAGE, TESTS
from mutation.workspace import WorkspaceError

_FOUND = 1
_ALLOWED = 5  # percent of the mutants that are not equivalent
_ROOT = Path(__file__).resolve().parent.parent
_EPILOG = f"""\
Mutated are {", ".join(f"{PACKAGE}/{folder}" for folder in TESTS)}; which tests are asked is in mutation/tables.py.
It needs pytest and hypothesis: run it with the Python that tools/test has made, .venv/bin/python.

The first run records which test reaches which line, which takes some minutes, and keeps that in .venv/mutants.json;
later ones record again what has changed. A mutant is applied to a scratch copy of the repository, never to the
repository itself; it is killed when a test fails, hangs or cannot be imported. What survives is listed at the end: it
wants a test, or, where no test could see it, an entry with its reason in mutation/equivalent.txt.

The exit code is 1 when more than {_ALLOWED} % of those that are not equivalent survive.
"""


def _above(kind: Callable[[str], float]) -> Callable[[str], float]:
    def check(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
        return value

    return check


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = Parser(prog="mutants", description=__doc__, epilog=_EPILOG, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add = parser.add_argument
    add("--sample", type=_above(int), default=200, metavar="N", help="mutants to draw (200)")
    add("--seed", metavar="S", help="what they are drawn by (drawn itself)")
    add("--seconds", type=_above(float), default=3600.0, metavar="S", help="after which the run ends (3600)")
    add("--only", metavar="PATH[:LINE]", help="mutate this folder, file or line only:\n"
        "mcrouter/engine/hosts/connections/connection.py")
    add("--jobs", type=_above(int), default=1, metavar="N", help="scratch copies that work at once (1)")
    add("--list", action="store_true", help="list the mutants that would be tried, and exit")
    add("--root", type=Path, default=_ROOT, metavar="PATH", help="the repository (that of this file)")
    add("--equivalent", type=Path, default=LIST, metavar="FILE", help="the list of equivalent mutants (%(default)s)")
    return parser


def _say(line: str) -> None:
    print(line, flush=True)


class Report:
    """What has become of the mutants so far."""

    def __init__(self, count: int) -> None:
        self.judged: List[Judged] = []
        self._count = count

    def add(self, one: Judged) -> None:
        """Takes a mutant that was judged, and prints a line about it."""
        self.judged.append(one)
        verdict = one.verdict.value
        shown = verdict.upper() if one.verdict is Verdict.SURVIVED else verdict
        _say(f"{len(self.judged)}/{self._count} {shown} {one.mutant.describe()} ({one.note}; {one.seconds:.1f} s)")

    def count(self, verdict: Verdict) -> int:
        """Returns how many mutants have this verdict."""
        return sum(one.verdict is verdict for one in self.judged)

    def survived_percent(self) -> float:
        """Returns how many percent of those that are not equivalent have survived."""
        survived = self.count(Verdict.SURVIVED)
        return 100 * survived / max(1, survived + self.count(Verdict.KILLED))

    def finish(self) -> int:
        """Prints the result; returns the exit code."""
        for one in self.judged:
            if one.verdict is Verdict.SURVIVED:
                _say(f"\nsurvived: {one.mutant.describe()}\n    {one.mutant.text}\n    {one.note}")
        counts = ", ".join(f"{self.count(verdict)} {verdict.value}" for verdict in Verdict)
        _say(f"\n{len(self.judged)} of {self._count} judged: {counts}; {self.survived_percent():.1f} % of those that "
             f"are not equivalent survived, {_ALLOWED} % may")  # fmt: skip
        return _FOUND if self.survived_percent() > _ALLOWED else 0


def run(args: argparse.Namespace) -> int:
    """Draws and judges mutants; returns the exit code. Raises EntryError and WorkspaceError."""
    entries = parse(args.equivalent.read_text()) if args.equivalent.exists() else []
    mutants = all_mutants(args.root, args.only)
    if not mutants:
        raise WorkspaceError(f"there is nothing to mutate in {args.only or args.root}")
    for entry in stale(entries, mutants if not args.only else all_mutants(args.root)):
        _say(f"equivalent.txt: no such mutant any more: {entry.path}: {entry.change}")
    seed = args.seed or str(random.SystemRandom().randrange(10**6))
    sample = draw(mutants, args.sample, seed)
    _say(f"seed {seed}, {len(sample)} of {len(mutants)} mutants")
    if args.list:
        for mutant in sample:
            _say(mutant.describe())
        return 0
    report = Report(len(sample))
    record = args.root / ".venv" / "mutants.json"
    Run(args.root, record, entries, args.seconds, _say, report.add).judge(sample, args.jobs)
    return report.finish()


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command; returns the exit code."""
    args = make_parser().parse_args(argv)
    return run_command("mutants", lambda: run(args), (WorkspaceError, EntryError, OSError), _FOUND)


if __name__ == "__main__":
    sys.exit(main())
