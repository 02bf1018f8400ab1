"""RateLimitRoute: limits the gets, sets and deletes per second."""

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..config.fields import Field, Values, record, route
from ..proto.commands import COMMANDS, DELETE, META_STORE, READ, STORE, STORE_CAS, VALUES, Command
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.seams import Destination, Sink
from .framework.base import ASKED, OVER_LIMIT, Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.portions import commands, divide
from .framework.token_bucket import TokenBucket
from .null import NullRoute

_GROUPS = ("gets", "sets", "deletes")
_RATES = [f"{group}_{what}" for group in _GROUPS for what in ("rate", "burst")]


class RateLimitRoute(Route):
    """Passes on as many commands as the rates allow. Each key of a get counts as one.

    | rates                        | commands                                          |
    | gets_rate, gets_burst        | get, gets, gat, gats, mg, me                      |
    | sets_rate, sets_burst        | set, add, replace, append, prepend, cas, ms       |
    | deletes_rate, deletes_burst  | delete, md                                        |
    | no rate                      | those without a rate above, and all others, always pass |

    | the request        | the answer                                                                          |
    | within the limit   | the target's                                                                        |
    | over the limit     | that of `fallback`; without one that of NullRoute: END, NOT_STORED, NOT_FOUND       |

    A rate is in commands per second; a burst is how many may come at once (default: the rate, but at least 1). For one
    place in the config the commands of a group share one limit.
    """

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._target = args.target
        self._fallback = args.fallback or NullRoute()
        self._buckets: Mapping[int, TokenBucket] = args.state
        self._context = context
        both = (self._target, self._fallback)
        self.takes_runs = all(one.takes_runs for one in both)
        self.may_ask_another_host = any(one.may_ask_another_host for one in both)
        self.splits = True

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the target, and the fallback for the commands over the limit."""
        if request.large_value is not None and request.reads_only():  # it was counted before it turned out to be large
            self._target.start(request, sink)
            return
        now, buckets = self._context.now(), self._buckets
        passes: List[int] = []
        too_much: List[int] = []
        for place, command in enumerate(commands(request)):
            (passes if command not in buckets or buckets[command].take(now) else too_much).append(place)
        if too_much:
            divide(request, sink, [(self._target, passes), (self._fallback, too_much)])
        else:
            self._target.start(request, sink)

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Lets the target continue: it was given the request unchanged."""
        self._target.after_failure(request, sink, host, reply, outcomes)

    def routes(self) -> List[Route]:
        """Returns both routes."""
        return [self._target, self._fallback]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists both routes."""
        return "", [(ASKED, self._target), (OVER_LIMIT, self._fallback)]


def _group(command: Command) -> str:
    """Returns the group of commands whose rate limits this command; empty if none does."""
    if command.kind == READ or command.reply == VALUES:
        return "gets"
    if command.request in (STORE, STORE_CAS, META_STORE):
        return "sets"
    return "deletes" if command.kind == DELETE else ""


def _above_zero(value: Any) -> float:
    """Reads a number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise ValueError("write a number above 0")
    return float(value)


def _state(args: Args, context: RouteContext) -> Dict[int, TokenBucket]:
    """Returns the bucket of each command that has a rate."""
    rates, now = args.rates, context.now()
    buckets = {
        group: TokenBucket(rate, rates[f"{group}_burst"] or max(rate, 1.0), now)
        for group, rate in ((group, rates[f"{group}_rate"]) for group in _GROUPS)
        if rate is not None
    }
    return {command.number: buckets[_group(command)] for command in COMMANDS if _group(command) in buckets}


def _without_a_rate(args: Values, command: Command) -> Optional[int]:
    group = _group(command)
    return None if group and args["rates"][f"{group}_rate"] is not None else int(args["target"])


HANDLE = Handle(
    "RateLimitRoute",
    (
        route("target", principal=True),
        Field("rates", read=record(**dict.fromkeys(_RATES, (_above_zero, None)))),
        route("fallback", default=None),
    ),
    RateLimitRoute,
    specialise=_without_a_rate,
    state=_state,
)
