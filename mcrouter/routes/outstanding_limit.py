"""OutstandingLimitRoute: limits the requests under way; the others wait, and the clients take turns."""

from collections import OrderedDict, deque
from typing import Deque, List, Optional, Tuple

from ..config.fields import Field, Values, number, route
from ..proto.commands import ADMIN, Command
from ..proto.guard import guarded
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.seams import Sink, Source
from .framework.base import ASKED, Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.portions import size

_MOST = 1_000_000_000


class OutstandingLimitRoute(Route):
    """Passes requests on while fewer than `max_outstanding` are under way (0: no limit).

    | the request                                         | what happens                                           |
    | fits, and no request waits                          | the target is asked                                    |
    | does not fit, or others wait                        | it waits; after each answer the next client has a turn |
    | alone exceeds the limit                             | the target is asked when nothing else is under way     |
    | has a value that is too large to be held in memory  | the target is asked at once, and the request counts    |

    Each key of a get and each command of a run counts as one. For one place in the config all commands share one limit
    and one queue, so that a client's requests stay in order.
    """

    may_ask_another_host = True  # a waiting request must not be overtaken by a later one that takes another route

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._target = args.target
        self._limit: OutstandingLimit = args.state
        self.takes_runs, self.splits = args.target.takes_runs, args.target.splits

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the target, now or later."""
        self._limit.admit(_Asked(self._target, request, sink))

    def routes(self) -> List[Route]:
        """Returns the target."""
        return [self._target]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes the limit."""
        return f"at most {self._limit.most} at once", [(ASKED, self._target)]


class OutstandingLimit:
    """The number of requests under way, and the queues of those that wait."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._outstanding = 0
        self._waiting: "OrderedDict[int, Deque[_Asked]]" = OrderedDict()  # by client, in the order of their turns
        self._busy = False

    def admit(self, asked: "_Asked") -> None:
        """Asks at once if there is room, else puts the request into its client's queue."""
        if asked.request.large_value is not None or (not self._waiting and self._fits(asked)):
            self._ask(asked)
        else:
            client: Source = asked.request.client
            self._waiting.setdefault(id(client.owner), deque()).append(asked)

    def _fits(self, asked: "_Asked") -> bool:
        return not self._outstanding or self._outstanding + asked.size <= self.most

    def _ask(self, asked: "_Asked") -> None:
        request, place = asked.request, _Place(self, asked.size)
        asked.place = place
        client: Source = request.client
        client.when_abandoned(request, place.leave)
        asked.target.start(request, asked)

    def take(self, size: int) -> None:
        """Counts `size` more requests under way; a negative number counts fewer."""
        self._outstanding += size

    def ask_waiting(self) -> None:
        """Asks for waiting requests while there is room. `_busy` prevents recursion when the target answers at once."""
        if self._busy:
            return
        self._busy = True
        while self._waiting:
            client, queue = next(iter(self._waiting.items()))
            if not self._fits(queue[0]):
                break
            self._waiting.move_to_end(client)
            following = queue.popleft()
            if not queue:
                del self._waiting[client]
            guarded(following.request, self._ask, following)
        self._busy = False


class _Place:
    """The share of the limit that a request occupies, until it has been answered or is abandoned."""

    __slots__ = ("_limit", "_size")

    def __init__(self, limit: OutstandingLimit, size: int) -> None:
        self._limit = limit
        self._size = size
        limit.take(size)

    def leave(self) -> None:
        """Makes room for others. Has no effect when called again."""
        size, self._size = self._size, 0
        if size:
            self._limit.take(-size)
            self._limit.ask_waiting()


class _Asked:
    """A request that waits or is under way, and the sink of its answer."""

    __slots__ = ("_sink", "place", "request", "size", "target")

    def __init__(self, target: Route, request: Request, sink: Sink) -> None:
        self._sink = sink
        self.place: Optional[_Place] = None  # while it is under way
        self.target = target
        self.request = request
        self.size = size(request)

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Passes the target's answer on, and makes room."""
        try:
            self._sink.on_reply(reply, outcomes)
        finally:
            if self.place is not None:
                self.place.leave()


def _without_limit(args: Values, command: Command) -> Optional[int]:
    return int(args["target"]) if command.kind == ADMIN or not args["max_outstanding"] else None


def _state(args: Args, context: RouteContext) -> OutstandingLimit:
    return OutstandingLimit(args.max_outstanding)


HANDLE = Handle(
    "OutstandingLimitRoute",
    (route("target", principal=True), Field("max_outstanding", read=number(0, _MOST))),
    OutstandingLimitRoute,
    specialise=_without_limit,
    state=_state,
)
