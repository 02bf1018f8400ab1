"""L1L2CacheRoute: a small near cache before a large one."""

from typing import List, Optional, Tuple

from ..config.fields import Field, Values, number, route
from ..proto import outcomes as o
from ..proto.commands import BY_NAME, READ, VALUES, Command
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.rewriting import get_of, store_of
from ..proto.seams import Sink
from .framework.base import ASKED, ON_FAILURE, Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.steps import Answer, Steps, copy_of, follow, in_background, is_hit, value_of
from .null import default_reply

_GET = BY_NAME["get"].number
_NOTHING = 0x10000  # flag of a marker in L1: L2 has no value (facebook/mcrouter's MC_MSG_FLAG_NEGATIVE_CACHE)
_SECONDS = number(0, 2**31 - 1)


class L1L2CacheRoute(Route):
    """Asks L1 for a get, and L2 for what L1 does not have; every other command goes to L1 alone.

    | get: L1               | L2   | answer | also                                                          |
    | hit                   | -    | L1's   | -                                                             |
    | miss, failure         | hit  | L2's   | `add` of the value to L1, for upgradingL1Exptime seconds       |
    | miss, failure         | miss | L2's   | with ncacheExptime: `add` of a marker to L1: L2 has no value   |
    | hit, but the marker   | -    | miss   | each ncacheUpdatePeriod-th time L2 is asked and L1 is `set`    |

    gets, gat and gats ask L1 alone. mg and me ask as get does, but add nothing; with ncacheExptime they ask L2 alone.
    """

    takes_keys = False
    may_ask_another_host = True

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._l1, self._l2 = args.l1, args.l2
        self._exptime: int = args.upgradingL1Exptime
        self._nothing_exptime: int = args.ncacheExptime
        self._period: int = args.ncacheUpdatePeriod
        self._until_update = self._period

    def start(self, request: Request, sink: Sink) -> None:
        """Asks L1 first."""
        (command,) = request.commands
        if command == _GET:
            follow(self._get(request), sink)
        elif _BY_VALUES[command]:
            follow(self._gets(request), sink)
        elif self._nothing_exptime:
            self._l2.start(request, sink)
        else:
            follow(self._meta(request), sink)

    def _get(self, request: Request) -> Steps:
        answer = yield self._l1, request
        if self._is_nothing(answer[0]):
            self._look_again(request)
            return default_reply(_GET)
        if is_hit(answer[1]):
            return answer
        answer = yield self._l2, request
        # L1 gets the value before the client is answered: the client's next request follows on the same connection.
        value = value_of(answer[0])
        if value is not None:
            in_background(_once(self._l1, copy_of(request, "add", value, self._exptime)))
        elif answer[1] == o.MISS and self._nothing_exptime:
            in_background(_once(self._l1, self._nothing(request, "add")))
        return answer

    def _is_nothing(self, reply: Reply) -> bool:
        value = value_of(reply)
        return value is not None and value.flags & _NOTHING != 0

    def _nothing(self, request: Request, verb: str) -> Request:
        return store_of(request, verb, request.keys()[0], _NOTHING, self._nothing_exptime, b"ncache")

    def _look_again(self, request: Request) -> None:
        """Asks L2 again, if it is the ncacheUpdatePeriod-th time."""
        if self._period:
            self._until_update -= 1
            if self._until_update <= 0:
                self._until_update = self._period
                in_background(self._update(request))

    def _update(self, request: Request) -> Steps:
        reply, outcomes = yield self._l2, get_of(request, request.keys()[0])
        value = value_of(reply)
        if value is not None:
            return (yield self._l1, copy_of(request, "set", value, self._exptime))
        if outcomes == o.MISS:
            return (yield self._l1, self._nothing(request, "set"))
        return reply, outcomes

    def _gets(self, request: Request) -> Steps:
        answer = yield self._l1, request
        return default_reply(*request.commands) if self._is_nothing(answer[0]) else answer

    def _meta(self, request: Request) -> Steps:
        answer = yield self._l1, request
        if is_hit(answer[1]):
            return answer
        return (yield self._l2, request)

    def routes(self) -> List[Route]:
        """Returns both routes."""
        return [self._l1, self._l2]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists the routes that the command may ask."""
        (command,) = request.commands
        if command == _GET:
            return "a hit of the second is added to the first", [(ASKED, self._l1), (ON_FAILURE, self._l2)]
        if _BY_VALUES[command]:
            return "", [(ASKED, self._l1)]
        if self._nothing_exptime:
            return "", [(ASKED, self._l2)]
        return "", [(ASKED, self._l1), (ON_FAILURE, self._l2)]


_BY_VALUES = {command.number: command.reply == VALUES for command in BY_NAME.values()}


def _once(route: Route, request: Request) -> Steps:
    answer: Answer = yield route, request
    return answer


def _no_gets(args: Values, command: Command) -> Optional[int]:
    return None if command.kind == READ or command.reply == VALUES else int(args["l1"])


HANDLE = Handle(
    "L1L2CacheRoute",
    (
        route("l1"),
        route("l2"),
        Field("upgradingL1Exptime", read=_SECONDS),
        Field("ncacheExptime", read=_SECONDS, default=0),
        Field("ncacheUpdatePeriod", read=_SECONDS, default=0),
    ),
    L1L2CacheRoute,
    specialise=_no_gets,
)
