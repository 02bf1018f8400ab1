"""WarmUpRoute: fills a cold cache from a warm one, key by key, as clients ask for the keys."""

from typing import List, Optional, Tuple

from ..config.fields import Field, Values, number, route, switch
from ..proto.commands import BY_NAME, META, READ, VALUES, Command
from ..proto.request import Request
from ..proto.rewriting import Value, get_of, routing_name, ttl_of
from ..proto.seams import Sink
from .framework.base import ASKED, ON_FAILURE, Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.steps import Steps, copy_of, follow, in_background, is_hit, ttl_in, value_of

_GET = BY_NAME["get"].number
_METAS = frozenset(command.number for command in BY_NAME.values() if command.request == META)


class WarmUpRoute(Route):
    """Reads from `cold`, and from `warm` what `cold` does not have; writes and deletes go to `cold` alone.

    | command         | cold          | warm          | answer                                                     |
    | any             | hit           | not asked     | cold's                                                     |
    | get             | miss, failure | hit           | warm's; the value is added to cold in the background       |
    | get             | miss, failure | miss, failure | warm's                                                     |
    | gets, gat, gats | miss, failure | hit           | cold's second one, after an `add` of the value to cold     |
    | gets, gat, gats | miss, failure | miss, failure | cold's first one                                           |
    | mg, me          | miss, failure | any           | warm's                                                     |

    The copy expires after `exptime` seconds (0: never); with `enable_metaget` it expires when the value in `warm` does.
    """

    takes_keys = False
    may_ask_another_host = True

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._cold, self._warm = args.cold, args.warm
        self._exptime: Optional[int] = args.exptime  # None: `warm` is asked for it
        if args.exptime is None and not args.enable_metaget:
            self._exptime = 0

    def start(self, request: Request, sink: Sink) -> None:
        """Asks `cold` first."""
        (command,) = request.commands
        if command == _GET:
            follow(self._get(request), sink)
        elif command in _METAS:
            follow(self._meta(request), sink)
        else:
            follow(self._gets(request), sink)

    def _get(self, request: Request) -> Steps:
        answer = yield self._cold, request
        if is_hit(answer[1]):
            return answer
        answer = yield self._warm, request
        value = value_of(answer[0])
        if value is not None:  # sent before the answer: the client's next request follows it on the same connection
            in_background(self._fill(request, value))
        return answer

    def _fill(self, request: Request, value: Value) -> Steps:
        exptime = self._exptime
        if exptime is None:
            reply, outcomes = yield self._warm, ttl_of(request, value.key)
            exptime = ttl_in(reply)
            if exptime is None:
                return reply, outcomes
        return (yield self._cold, copy_of(request, "add", value, exptime))

    def _gets(self, request: Request) -> Steps:
        answer = yield self._cold, request
        if is_hit(answer[1]) or request.large_value is not None:
            return answer
        reply, _ = yield self._warm, get_of(request, routing_name(request))
        value = value_of(reply)
        if value is None:
            return answer
        yield from self._fill(request, value)
        return (yield self._cold, request)

    def _meta(self, request: Request) -> Steps:
        answer = yield self._cold, request
        if is_hit(answer[1]):
            return answer
        return (yield self._warm, request)

    def routes(self) -> List[Route]:
        """Returns both routes."""
        return [self._cold, self._warm]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists `cold`, then `warm`."""
        (command,) = request.commands
        remark = "" if command in _METAS else "a hit of the second is added to the first"
        return remark, [(ASKED, self._cold), (ON_FAILURE, self._warm)]


def _writes(args: Values, command: Command) -> Optional[int]:
    return None if command.kind == READ or command.reply == VALUES else int(args["cold"])


HANDLE = Handle(
    "WarmUpRoute",
    (
        route("cold"),
        route("warm"),
        Field("exptime", read=number(0, 2**31 - 1), default=None),
        Field("enable_metaget", read=switch, default=False),
    ),
    WarmUpRoute,
    specialise=_writes,
)
