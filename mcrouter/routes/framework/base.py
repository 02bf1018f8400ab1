"""The interface between routes and hosts.

    route.start(request, sink)               starts the request; `sink.on_reply` is called exactly once, now or later
    destination.send(request, sink, since)   the same for one host

proto/seams.py has the protocols. A request may be a run: several commands (`len(request.commands)` > 1). A reply
consists of bytes and of one outcome byte for each command (proto/outcomes.py).
"""

from typing import Iterable, List, Optional, Tuple

from ...proto import outcomes as o
from ...proto.background import background
from ...proto.guard import guarded
from ...proto.reply import Reply
from ...proto.request import Request
from ...proto.seams import Destination, Sink
from .again import ask_again

# When a route asks another route, as `explain` prints it.
ASKED, COPY, ON_ERROR, ON_FAILURE, ON_HIT, BY_CHANCE, OVER_LIMIT = (
    "asked", "asked; its answer is dropped", "asked if that fails", "asked if that misses or fails",
    "asked after a hit", "asked by chance", "asked over the limit",
)  # fmt: skip
Branch = Tuple[str, "Route"]


class Route:
    """Base class of all routes. The docstring of each route specifies its behaviour as a table.

    `takes_runs`: a run costs the route about as much as one command. `takes_keys`: the route accepts a get of several
    keys as one request; `splits`: some keys of such a get may fail while others succeed. `may_ask_another_host`: the
    route may ask another host after the first one has answered, so that later requests of the client for the same keys
    must wait. `keyed`: the host asked first depends on the key. `cost`: the most requests to hosts that the route makes
    of one command, or of one key of a get; build.py sets it.
    """

    takes_runs = False
    takes_keys = True
    splits = False
    may_ask_another_host = False
    keyed = False
    cost = 1

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns the host that the route asks first, and no other at the same time; None if there is no such host.

        The caller may send the request to that host directly, with the request as its own sink. A success is then the
        answer; after anything else the caller calls `after_failure`.
        """
        return None

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Continues after `host`, the host asked first, has given an answer that is not a success."""
        sink.on_reply(reply, outcomes)

    def start(self, request: Request, sink: Sink) -> None:
        """Starts to serve the request."""
        raise NotImplementedError

    def routes(self) -> "Iterable[Route]":
        """Returns all routes that this route may ask."""
        return ()

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes for `explain` how the request would be served: a remark, and (when, route) for each route asked."""
        return "", [(ASKED, route) for route in self.routes()]


class AsIs(Route):
    """Base class of routes that pass on any answer of the first host. If the host gives none, see again.py."""

    takes_runs = True

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Passes the host's answer on; asks again if the host gave none."""
        ask_again(self, request, sink, host, reply, outcomes)


def part_sink(request: Request, sink: Sink) -> Sink:
    """Returns a sink for a child that must handle its own failures.

    If the request is its own sink, the engine calls `after_failure` of the outermost route only. A route that passes
    such a sink to a child must either pass `after_failure` to that child as well, or pass this sink instead.
    """
    return _PartSink(sink) if sink is request else sink  # type: ignore[comparison-overlap]  # the engine's is both


class _PartSink:
    """A sink that is not the request itself."""

    __slots__ = ("_sink",)

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Passes the child's answer on."""
        self._sink.on_reply(reply, outcomes)


class DropReply:
    """The sink of a background request."""

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Drops the reply."""


DROP_REPLY = DropReply()


def start_in_background(route: Route, request: Request, sink: Sink = DROP_REPLY) -> None:
    """Starts a copy of the request as a background request: no client waits for its answer, and it delays none."""
    start_guarded(route, background(request), sink)


def start_guarded(route: Route, request: Request, sink: Sink) -> None:
    """Starts a request while another one is being served: an exception costs this request alone."""
    guarded(request, route.start, request, sink)


NO_HEALTHY = b"SERVER_ERROR mcrouter: no healthy upstream\r\n"


def refuse(request: Request, sink: Sink, text: bytes = NO_HEALTHY, code: bytes = o.UNAVAILABLE) -> None:
    """Answers every command of the request with an error line of this router."""
    count = len(request.commands)
    sink.on_reply(text * count, code * count)


def part(request: Request, commands: bytes, data: bytes, expected: "Optional[List[bytes]]" = None) -> Request:
    """Returns a request for a part of `request`, on behalf of the same client."""
    made = Request(request.client, commands, data, expected)
    made.started, made.large_value, made.origin = request.started, request.large_value, request.origin or request
    return made
