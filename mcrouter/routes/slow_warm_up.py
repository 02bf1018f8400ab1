"""SlowWarmUpRoute: a host that has lost its values gets only a share of the reads, which grows with its hit rate.
PoolRoute makes one such route for each of its hosts."""

from typing import List, Optional, Tuple

from ..config.fields import RECORDS, Field, Values, number, record, route
from ..proto import outcomes as o
from ..proto.commands import READ, VALUES, Command
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.seams import Sink
from .framework.base import ASKED, BY_CHANCE, Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle

_SHARE = number(0, 1, whole=False)
_SETTINGS = record(
    enable_threshold=(_SHARE, 0.7),
    disable_threshold=(_SHARE, 0.9),
    start=(_SHARE, 0.1),
    step=(number(0, 100, whole=False), 1.0),
    min_requests=(number(0, 1_000_000_000), 100),
)

_MEMORY = 20  # reads that are remembered at the most, in `min_requests`


class HitRate:
    """The hit rate of one host's latest reads, and whether the host is being warmed up.

    Older reads fade: their counts are halved each time that there are `_MEMORY` times as many as `min_requests`. So a
    host that has lost its values is noticed, however long it has served before. (In facebook/mcrouter all reads since
    the config was loaded count alike.)
    """

    def __init__(self, settings: Values) -> None:
        self._settings = settings
        self._least: int = max(1, settings["min_requests"])
        self.hits = 0.0
        self.reads = 0.0
        self._warming = False

    def count(self, outcomes: bytes) -> None:
        """Counts the hits and misses of an answer."""
        self.hits += outcomes.count(o.VALUE) + outcomes.count(o.HEADER)
        self.reads += sum(map(outcomes.count, (o.VALUE, o.HEADER, o.MISS)))
        if self.reads >= _MEMORY * self._least:
            self.hits /= 2
            self.reads /= 2

    def rate(self) -> float:
        """Returns the hit rate, 0 to 1; 1 while there were fewer than `min_requests` reads."""
        return 1.0 if self.reads < self._least else self.hits / self.reads

    def is_warming(self) -> bool:
        """Returns whether the host is cold: its rate fell below `enable_threshold` and has not reached
        `disable_threshold` since."""
        limit = self._settings["disable_threshold" if self._warming else "enable_threshold"]
        self._warming = self.rate() < limit
        return self._warming

    def share(self) -> float:
        """Returns the share of the reads that the host gets while it is cold."""
        return float(self._settings["start"] + self.rate() * self._settings["step"])


class SlowWarmUpRoute(Route):
    """Asks the target; while that is cold, a read goes there only with the probability start + hit rate x step.

    | the target's hit rate                            | reads go to                              | other commands |
    | above enable_threshold                           | the target                               | the target     |
    | below it, and not above disable_threshold since  | the target or, at random, failoverTarget | the target     |
    | unknown: fewer than min_requests reads           | the target                               | the target     |
    """

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._target = args.target
        self._other = args.slow_warmup[0].failoverTarget
        self._rate: HitRate = args.state
        self._chance = context.chance
        self.may_ask_another_host = self._target.may_ask_another_host or self._other.may_ask_another_host
        self.splits = self._target.splits or self._other.splits

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the target or failoverTarget."""
        if self._rate.is_warming() and self._chance.random() > self._rate.share():
            self._other.start(request, sink)
        else:
            self._target.start(request, _Counting(sink, self._rate))

    def routes(self) -> List[Route]:
        """Returns the target and failoverTarget."""
        return [self._target, self._other]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists the target and failoverTarget."""
        return "the second while the first is cold", [(ASKED, self._target), (BY_CHANCE, self._other)]


class _Counting:
    """The sink of a read that the target gets."""

    __slots__ = ("_rate", "_sink")

    def __init__(self, sink: Sink, rate: HitRate) -> None:
        self._sink = sink
        self._rate = rate

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Counts the target's answer, and passes it on."""
        self._rate.count(outcomes)
        self._sink.on_reply(reply, outcomes)


def _no_reads(args: Values, command: Command) -> Optional[int]:
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
    specialise=_no_reads,
    state=lambda args, context: HitRate(args.slow_warmup[0].settings),
)
