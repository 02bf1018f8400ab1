"""A single host: the leaf of every policy."""

from typing import List, Optional, Tuple

from ..proto import outcomes as o
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.seams import Destination, DestinationHost, Sink
from ..proto.styles import MEMCACHED, Memcached
from .framework.again import ask_again
from .framework.base import AsIs, Branch, refuse


class HostRoute(AsIs):
    """Asks one host, if it is healthy.

    | the host                         | the answer                                               |
    | is healthy                       | the host's answer                                        |
    | loses the connection, at a read  | the answer of a second attempt, on a new connection      |
    | is not healthy                   | SERVER_ERROR at once; a write is recorded as missed      |
    """

    def __init__(self, host: DestinationHost, style: Memcached = MEMCACHED) -> None:
        self.host = host
        self._style = style

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns the host, if it is healthy."""
        return self.host if self.host.healthy else None

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the host."""
        host = self.host
        if not host.healthy:
            host.record_skipped(request)
            refuse(request, sink, self._style.unhealthy(host.name, host.refuses_connections), o.TKO)
        elif sink is request or not request.reads_only():  # type: ignore[comparison-overlap]  # the engine's is both
            host.send(request, sink)
        else:
            host.send(request, _Read(self, request, sink))

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Names the host."""
        return str(self.host.name), []


class _Read:
    """The sink of a read for another sink; the read is repeated if the connection is lost."""

    __slots__ = ("_request", "_route", "_sink")

    def __init__(self, route: HostRoute, request: Request, sink: Sink) -> None:
        self._route = route
        self._request = request
        self._sink = sink

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the host's answer."""
        if outcomes[:1] == o.LOST:
            ask_again(self._route, self._request, self._sink, self._route.host, reply, outcomes)
        else:
            self._sink.on_reply(reply, outcomes)
