"""FailoverWithExptimeRoute: failover to hosts on which values expire soon, so that none outlives the failure long."""

from typing import List, Optional, Tuple

from ..config.fields import Field, Values, number, route, routes
from ..proto.commands import Command
from ..proto.exptimes import capped
from ..proto.request import Request
from ..proto.seams import Sink
from .failover import FailoverLimit, failover_fields, made_of, never, shared
from .failover_policy import InOrder
from .framework.base import ASKED, Branch, Route, part
from .framework.context import RouteContext
from .framework.handle import Args, Handle

_LONGEST = 2**31 - 1


class ShortLivedRoute(Route):
    """Asks the target with an exptime of at most `most` seconds.

    | the command's exptime            | the target gets         |
    | none: get, delete, incr          | the command unchanged   |
    | 0 (never), or more than `most`   | the exptime `most`      |
    | up to `most`                     | the command unchanged   |
    """

    def __init__(self, target: Route, most: int, context: RouteContext) -> None:
        self._target = target
        self._most = most
        self._context = context
        self.takes_runs, self.may_ask_another_host, self.splits = (
            target.takes_runs,
            target.may_ask_another_host,
            target.splits,
        )

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the target."""
        self._target.start(self._shortened(request), sink)

    def _shortened(self, request: Request) -> Request:
        now = self._context.wall()
        if len(request.commands) == 1:
            return capped(request, self._most, now)
        commands = [part(request, request.commands[at : at + 1], data) for at, data in enumerate(request.split())]
        data = b"".join(bytes(capped(command, self._most, now).data) for command in commands)
        return request if data == request.data else part(request, request.commands, data, request.expected)

    def routes(self) -> List[Route]:
        """Returns the target."""
        return [self._target]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes the limit of the exptime."""
        return f"for {self._most} s at most", [(ASKED, self._target)]


def _children(args: Args, context: RouteContext) -> List[Route]:
    most = args.failover_exptime
    return [args.normal, *(ShortLivedRoute(child, most, context) if most > 0 else child for child in args.failover)]


def _make(args: Args, context: RouteContext) -> Route:
    return made_of(_children(args, context), args)


def _state(args: Args, context: RouteContext) -> Tuple[InOrder, Optional[FailoverLimit]]:
    return shared(1 + len(args.failover), args)


def _without_failover(args: Values, command: Command) -> Optional[int]:
    return int(args["normal"]) if not args["failover"] or never(args, command) else None


HANDLE = Handle(
    "FailoverWithExptimeRoute",
    failover_fields(
        route("normal"),
        routes("failover", default=(), principal=False),
        Field("failover_exptime", read=number(-_LONGEST, _LONGEST), default=60),
    ),
    _make,
    specialise=_without_failover,
    state=_state,
)
"""FailoverRoute over `normal` and then each of `failover`. On the latter values expire after at most `failover_exptime`
seconds; if that is 0 or less, after the exptime that the client gave."""
