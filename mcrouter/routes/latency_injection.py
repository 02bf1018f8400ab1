"""LatencyInjectionRoute: makes a child slower, to test how clients cope with that."""

from typing import List, Optional, Tuple

from ..config.fields import Field, Values, number, route, unused
from ..proto.commands import ADMIN, Command
from ..proto.guard import abandon
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.seams import Sink
from .framework.base import ASKED, Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.held import Held

_MOST = 3_600_000  # ms
_DELAYS = ("before_latency_ms", "after_latency_ms", "total_latency_ms")


class LatencyInjectionRoute(Route):
    """Delays each request before the child is asked, and each answer after that.

    | option            | default | meaning                                                      |
    | before_latency_ms | 0       | how long the request waits before the child is asked         |
    | after_latency_ms  | 0       | how long the answer waits                                    |
    | total_latency_ms  | 0       | the least time between the request and its answer            |

    A value that is too large to be held in memory is not delayed.
    """

    may_ask_another_host = True  # a waiting request must not be overtaken by a later one that takes another route

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._child = args.child
        self.context = context
        self.before, self.after, self.total = (getattr(args, name) / 1000 for name in _DELAYS)
        self.takes_runs, self.splits = args.child.takes_runs, args.child.splits

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the child, now or later."""
        if request.large_value is not None:
            self._child.start(request, sink)
            return
        delayed = _Delayed(self, request, sink)
        if self.before:
            self.context.later(self.before, delayed.ask)
        else:
            delayed.ask()

    def ask(self, request: Request, sink: Sink) -> None:
        """Asks the child."""
        self._child.start(request, sink)

    def routes(self) -> List[Route]:
        """Returns the child."""
        return [self._child]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes the delays."""
        delays = (self.before * 1000, self.after * 1000, self.total * 1000)
        remark = "waits {:g} ms before, {:g} ms after, {:g} ms in all".format(*delays)
        return remark, [(ASKED, self._child)]


class _Delayed:
    """A delayed request, and the sink of its answer."""

    __slots__ = ("_begun", "_outcomes", "_reply", "_request", "_route", "_sink")

    def __init__(self, route: LatencyInjectionRoute, request: Request, sink: Sink) -> None:
        self._route = route
        self._request = request
        self._sink = sink
        self._begun = route.context.now()
        self._reply: Reply = b""
        self._outcomes = b""

    def ask(self) -> None:
        """Asks the child: the request has waited long enough."""
        self._route.ask(self._request, self)

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the child's answer, and delays it if need be."""
        route = self._route
        wait = max(route.after, route.total - (route.context.now() - self._begun))
        if wait <= 0:
            self._sink.on_reply(reply, outcomes)
        else:
            self._reply, self._outcomes = reply if isinstance(reply, bytes) else Held(reply), outcomes
            route.context.later(wait, self._answer)

    def _answer(self) -> None:
        self._sink.on_reply(self._reply, self._outcomes)

    def abort(self) -> None:
        """Gives the request up after an unexpected error in a call of the timer."""
        abandon(self._request)


def _without_delay(args: Values, command: Command) -> Optional[int]:
    return int(args["child"]) if command.kind == ADMIN or not any(args[name] for name in _DELAYS) else None


HANDLE = Handle(
    "LatencyInjectionRoute",
    (
        route("child", principal=True),
        *(Field(name, read=number(0, _MOST), default=0) for name in _DELAYS),
        *unused("request_payload_latency", "max_request_latency_us"),
    ),
    LatencyInjectionRoute,
    specialise=_without_delay,
)
