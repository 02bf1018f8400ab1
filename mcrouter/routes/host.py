"""A single host: the leaf of every policy."""

from typing import Any, List, Tuple

from ..proto import outcomes as o
from ..proto.requests import Request
from ..proto.styles import MEMCACHED, Memcached
from .again import ask_again
from .base import AsIs, Branch, refuse


class HostRoute(AsIs):
    """To one host, if it is healthy.

    | the host                          | the answer                                               |
    | healthy                           | what it says                                             |
    | it loses the connection, a read   | it is asked once more, on a fresh connection             |
    | unhealthy                         | SERVER_ERROR at once; it is told of a write that it misses |
    """

    def __init__(self, host: Any, style: Memcached = MEMCACHED) -> None:
        self.host = host
        self._style = style

    def first(self, request: Any = None) -> Any:
        """The host."""
        return self.host if self.host.healthy else None

    def start(self, request: Request, sink: Any) -> None:
        """Asks the host."""
        host = self.host
        if not host.healthy:
            host.spared(request)
            refuse(request, sink, self._style.unhealthy(host.name, host.hard), o.TKO)
        elif sink is request or not request.reads_only():
            host.send(request, sink)
        else:
            host.send(request, _Read(self, request, sink))

    def outlook(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Nothing further."""
        return str(self.host.name), []


class _Read:
    """The sink of a read on somebody's behalf: it is asked again if the connection is lost."""

    __slots__ = ("_request", "_route", "_sink")

    def __init__(self, route: HostRoute, request: Request, sink: Any) -> None:
        self._route = route
        self._request = request
        self._sink = sink

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """The host's answer."""
        if outcomes[:1] == o.LOST:
            ask_again(self._route, self._request, self._sink, self._route.host, reply, outcomes)
        else:
            self._sink.on_reply(reply, outcomes)
