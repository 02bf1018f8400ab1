"""MigrateRoute: moves from one set of hosts to another, key by key within an interval."""

from typing import List, Optional, Tuple

from ..config.fields import Field, number, route
from ..hashing import routing_key
from ..hashing.spooky import hash32
from ..proto.commands import COMMANDS, DELETE
from ..proto.request import Request
from ..proto.seams import Destination, Sink
from .framework.base import ASKED, Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.keyed import KeyedRoute
from .to_all import Collecting, worst

_DELETES = frozenset(command.number for command in COMMANDS if command.kind == DELETE)


class MigrateRoute(KeyedRoute):
    """Asks `from` before the migration and `to` after it. In between, each key moves at a time that its hash gives.

    | when (Unix time)             | deletes                | others                                   |
    | before start_time            | from                   | from                                     |
    | then, for `interval` seconds | both; the worst answer | from                                     |
    | then, for `interval` seconds | both; the worst answer | from for hash(key) % interval seconds, then to |
    | later                        | to                     | to                                       |
    """

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._from: Route = getattr(args, "from")
        self._to: Route = args.to
        self._start: int = args.start_time
        self._interval: int = args.interval
        self._wall = context.wall
        self.may_ask_another_host = self._from.may_ask_another_host or self._to.may_ask_another_host

    def route_for(self, key: bytes) -> Route:
        """Returns the route by which a key is read and written now."""
        begun = self._wall() - self._start - self._interval
        if begun < 0:
            return self._from
        if begun >= self._interval:
            return self._to
        return self._to if begun >= hash32(routing_key(key), 0) % self._interval else self._from

    def _is_both(self, request: Request) -> bool:
        (command,) = request.commands
        return command in _DELETES and 0 <= self._wall() - self._start < 2 * self._interval

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns the first host of the key's route; None for a delete that goes to both routes."""
        return None if request is None or self._is_both(request) else super().direct_host(request)

    def start(self, request: Request, sink: Sink) -> None:
        """Asks one route, or both."""
        if self._is_both(request):
            collecting = Collecting(request, sink, 2, worst)
            self._from.start(request, collecting)
            self._to.start(request, collecting)
        else:
            super().start(request, sink)

    def routes(self) -> List[Route]:
        """Returns both routes."""
        return [self._from, self._to]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Names the routes that are asked now."""
        if self._is_both(request):
            return "the worst answer is the answer", [(ASKED, self._from), (ASKED, self._to)]
        return self._describe_keys(request, lambda key: f"{key.decode(errors='replace')}: "
                             + ("migrated" if self.route_for(key) is self._to else "not migrated"))  # fmt: skip


HANDLE = Handle(
    "MigrateRoute",
    (
        route("from"),
        route("to"),
        Field("start_time", read=number(0, 2**40)),
        Field("interval", read=number(1, 2**31), default=3600),
    ),
    MigrateRoute,
)
