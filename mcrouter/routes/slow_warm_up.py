"""SlowWarmUpRoute: a server that has lost its memory gets only as many reads as it can answer. PoolRoute makes one for
each of its servers."""

from typing import Any, List, Mapping, Optional, Tuple

from ..config.fields import RECORDS, Field, number, record, route
from ..proto import outcomes as o
from ..proto.commands import READ, VALUES, Command
from ..proto.requests import Request
from .base import ASKED, BY_CHANCE, Branch, Route
from .handle import Args, Handle
from .kit import Kit

_SHARE = number(0, 1, whole=False)
_SETTINGS = record(
    enable_threshold=(_SHARE, 0.7),
    disable_threshold=(_SHARE, 0.9),
    start=(_SHARE, 0.1),
    step=(number(0, 100, whole=False), 1.0),
    min_requests=(number(0, 1_000_000_000), 100),
)


class HitRate:
    """Of one server: hits and misses so far, and whether it is being warmed up."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._hits = 0
        self._all = 0
        self._warming = False

    def count(self, outcomes: bytes) -> None:
        """Takes notice of an answer."""
        self._hits += outcomes.count(o.VALUE) + outcomes.count(o.HEADER)
        self._all += sum(map(outcomes.count, (o.VALUE, o.HEADER, o.MISS)))

    def rate(self) -> float:
        """From 0 to 1; 1 as long as too little is known."""
        return 1.0 if self._all < max(1, self._settings["min_requests"]) else self._hits / self._all

    def is_warming(self) -> bool:
        """Whether it is cold: below the one threshold, and since then not above the other."""
        limit = self._settings["disable_threshold" if self._warming else "enable_threshold"]
        self._warming = self.rate() < limit
        return self._warming

    def share(self) -> float:
        """Of the reads that it is to get while it is being warmed up."""
        return float(self._settings["start"] + self.rate() * self._settings["step"])


class SlowWarmUpRoute(Route):
    """Reads go to the target; while that is cold, only with the chance of start + hit rate x step, else elsewhere.

    | the target                                   | reads                          | others     |
    | hit rate above enable_threshold              | to it                          | to it      |
    | below, and not above disable_threshold since | by chance to it, or to failoverTarget | to it |
    | fewer than min_requests so far               | to it                          | to it      |
    """

    def __init__(self, args: Args, kit: Kit) -> None:
        self._target = args.target
        self._other = args.slow_warmup[0].failoverTarget
        self._rate: HitRate = args.state
        self._chance = kit.chance
        self.goes_on = self._target.goes_on or self._other.goes_on
        self.splits = self._target.splits or self._other.splits

    def start(self, request: Request, sink: Any) -> None:
        """Asks one of them."""
        if self._rate.is_warming() and self._chance.random() > self._rate.share():
            self._other.start(request, sink)
        else:
            self._target.start(request, _Counting(sink, self._rate))

    def routes(self) -> List[Any]:
        """Both."""
        return [self._target, self._other]

    def outlook(self, request: Request) -> "Tuple[str, List[Branch]]":
        """The target, or while it is cold, perhaps the other."""
        return "the second while the first is cold", [(ASKED, self._target), (BY_CHANCE, self._other)]


class _Counting:
    """The sink of a read of the target."""

    __slots__ = ("_rate", "_sink")

    def __init__(self, sink: Any, rate: HitRate) -> None:
        self._sink = sink
        self._rate = rate

    def on_reply(self, reply: Any, outcomes: bytes) -> None:
        """The target's answer."""
        self._rate.count(outcomes)
        self._sink.on_reply(reply, outcomes)


def _no_reads(args: Mapping[str, Any], command: Command) -> Optional[int]:
    return None if command.kind == READ or command.reply == VALUES else int(args["target"])


HANDLE = Handle(
    "SlowWarmUpRoute",
    (
        route("target", principal=True),
        Field(
            "slow_warmup",
            RECORDS,
            fields=(route("failoverTarget"), Field("settings", read=_SETTINGS, default=_SETTINGS({}))),
        ),
    ),
    SlowWarmUpRoute,
    narrow=_no_reads,
    state=lambda args, kit: HitRate(args.slow_warmup[0].settings),
)
