#!/usr/bin/env python3
"""The project's chaos test: memcacheds are killed, frozen and started again under clients that check every answer."""

import argparse
import random
import re
import sys
import time
from typing import Any, Callable, List, Optional, Sequence

from benchmark.stage import BenchError, Stage
from command import Parser, run_command
from havoc.faults import FREEZE, KILL, describe
from havoc.habits import CHECKING
from havoc.hosts import Host
from havoc.keys import KINDS, OLDER, STALE, Findings
from havoc.load import Load
from havoc.relay import Anywhere
from havoc.rounds import Rounds
from havoc.router import TIMEOUT, Router
from havoc.soak import Sample, compare, soak

_FOUND = 1
_HOSTS = 3
_SLACK = 1.0  # seconds more than the hosts' timeouts that an answer may take: the machine may be busy
_EPILOG = """\
Three memcacheds on 127.0.0.1, the router before them with the sample policy (writes to all, reads in order until
a hit). A round: clients ask, hosts are killed, frozen, thawed and started; then all are brought back, the writes stop,
and each memcached is asked directly for every key. Whatever is counted at the end must be 0, or the exit code is 1.

A round's faults come from the seed and the round's number alone: `--seed S --first N --rounds 1` plays one again. When
exactly the router notices is not in our hands, so a rare finding may take several tries.
"""


def _above(kind: Callable[[str], Any], least: float) -> Callable[[str], Any]:
    def check(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not value > least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number above {least:g}")
        return value

    return check


def _word(text: str) -> str:
    if not re.fullmatch(r"[\w.-]{1,20}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no word of at most 20 letters and digits; keys are named by it")
    return text


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = Parser(prog="chaos", description=__doc__, epilog=_EPILOG, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add = parser.add_argument
    add("--rounds", type=_above(int, 0), default=10, metavar="N", help="rounds to play (10)")
    add("--soak", type=_above(float, 0), metavar="MINUTES",
        help="instead: rounds for so long with clients of all kinds; the router's memory and descriptors must end as "
        "they were after the first minute")  # fmt: skip
    add("--shards", type=_above(int, 0), default=1, metavar="N", help="the router's event loops (1)")
    add("--seed", type=_word, metavar="S", help="what everything is drawn from (drawn itself)")
    add("--first", type=_above(int, 0), default=1, metavar="N", help="the number of the first round (1)")
    add("--faults", choices=("all", KILL, FREEZE), default="all", help="what takes hosts away (all)")
    add("--relay", action="store_true",
        help="put a relay before each memcached: what passes it arrives in other pieces than it was sent in"
    )  # fmt: skip
    add("--allow-stale", action="store_true", help="report old values, but do not count them as a failure")
    add("--python", default=sys.executable, metavar="PATH", help="what runs the router (%(default)s)")
    add("--verbose", action="store_true", help="say what happens in every round, and the end of the router's log")
    return parser


class Run:
    """One run: processes, findings, and what is printed."""

    def __init__(self, args: argparse.Namespace, stage: Stage) -> None:
        self.args = args
        self.seed = args.seed or str(random.SystemRandom().randrange(10**6))
        self.findings = Findings()
        cuts = [Anywhere(f"{self.seed}/relay {number}") if args.relay else None for number in range(_HOSTS)]
        hosts = [Host(stage, number + 1, cuts[number]) for number in range(_HOSTS)]
        for host in hosts:
            host.recover()
        self.hosts = hosts
        self.router = Router(stage, [host.seen_at for host in hosts], args.shards, args.python)
        self.patience = _HOSTS * TIMEOUT + _SLACK
        acts = (KILL, FREEZE) if args.faults == "all" else (args.faults,)
        self.rounds = Rounds(hosts, self.router, self.findings, self.seed, acts)

    def play(self) -> bool:
        """Rounds with the same clients throughout. Nothing can go wrong that is no finding."""
        args = self.args
        with Load(CHECKING, self.router.port, self.patience, self.seed, self.findings) as load:
            for number in range(args.first, args.first + args.rounds):
                begin = time.monotonic()
                self.rounds.play(number, load)
                if args.verbose:
                    _say(f"round {number}, {time.monotonic() - begin:.1f} s: {describe(self.rounds.played[number])}")
            answers = sum(client.answers for client in load.clients)
            slowest = max(client.slowest for client in load.clients)
        _say(f"{args.rounds} rounds, {len(load.clients)} clients, {answers} answers, the slowest after {slowest:.2f} s")
        return True

    def soak(self) -> bool:
        """Rounds for minutes; whether memory and descriptors are as they were after the first."""
        minutes, first = self.args.soak, self.args.first
        samples = soak(self.rounds, self.router, self.patience, self.seed, self.findings, minutes, first, _say_sample)
        same, lines = compare(samples)
        for line in lines:
            _say(line if same else f"GROWN: {line}")
        return same

    def failures(self) -> List[str]:
        """The kinds of findings that make the run fail."""
        allowed = (OLDER, STALE) if self.args.allow_stale else ()
        return [kind for kind in KINDS if self.findings.counts[kind] and kind not in allowed]

    def report(self) -> None:
        """What was counted, with examples."""
        totals = self.router.totals()
        _say(f"writes that hosts missed: {totals['upstream_missed_writes_total']}, keys deleted before they were read "
             f"again: {totals['rejoin_deleted_keys_total']}, flushes: {totals['rejoin_flushes_total']}")  # fmt: skip
        for kind in KINDS:
            _say(f"{kind}: {self.findings.counts[kind]}")
            for example in self.findings.examples[kind]:
                _say(f"    {example}")
        if self.args.verbose:
            for line in self.router.log_tail(40):
                _say(f"router: {line}")


def _say(line: str) -> None:
    print(line, flush=True)


def _say_sample(sample: Sample) -> None:
    _say(f"{sample.seconds:6.0f} s, round {sample.round}: {sample.resident / 1e6:.1f} MB resident, "
         f"{sample.descriptors} descriptors")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Plays what was asked for; the exit code."""
    with Stage() as stage:
        it = Run(args, stage)
        try:
            relays = ", behind relays" * args.relay
            _say(f"seed {it.seed}, shards {args.shards}, faults {args.faults}{relays}")
            good = it.play() if args.soak is None else it.soak()
            it.report()
        finally:
            for host in it.hosts:
                host.end()
    failures = it.failures()
    if failures:
        first = min(it.findings.rounds[kind] for kind in failures)
        again = f"--seed {it.seed} --shards {args.shards} --first {first}{' --relay' * args.relay}"
        _say(f"FAILED, first in round {first}; again: {again}")
    if good and not failures:
        _say("passed")
        return 0
    return _FOUND


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command; returns the exit code."""
    args = make_parser().parse_args(argv)
    return run_command("chaos", lambda: run(args), (BenchError,), _FOUND)


if __name__ == "__main__":
    sys.exit(main())
