"""What routes and destinations are to each other.

    route.start(request, sink)        begins; `sink.on_reply` is called exactly once, at once or later
    destination.send(request, sink, since)   the same for one host

A request may be a run (`len(request.kinds)` > 1). A reply is bytes and one outcome byte a command (proto.outcomes).
"""

from typing import Any, Iterable, List, Optional, Protocol, Tuple

from ..proto import outcomes as o
from ..proto.background import background
from ..proto.guard import guarded
from ..proto.requests import Request
from .again import ask_again


class Sink(Protocol):
    """Whoever waits for a reply."""

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """Takes the reply; `outcomes` has a byte for each command of the request."""


class Destination(Protocol):
    """One host as routes see it."""

    name: str
    healthy: bool
    hard: bool  # of one that is not healthy: it cannot be connected to
    journal: Any

    def send(self, request: Request, sink: Any, since: Optional[float] = None) -> None:
        """Asks the host; the timeout counts from `since`, when there is one, in the clock of Request.started."""

    def spared(self, request: Request) -> None:
        """Tells a host that it was not asked as it is not healthy; of a write, `missed` is part of that."""

    def missed(self, request: Request) -> None:
        """Tells a host that has a `journal` and is not healthy of a write that it would have got."""


# When a route asks another, in the words of `explain`.
ASKED, COPY, ON_ERROR, ON_MISS, ON_FAILURE, ON_HIT, BY_CHANCE = (
    "asked", "asked, and nobody waits for its answer", "asked if that fails", "asked if that misses",
    "asked if that misses or fails", "asked after a hit", "asked by chance",
)  # fmt: skip
Branch = Tuple[str, Any]


class Route:
    """A policy, or a part of one: what it is to those who ask it. Each has its semantics as a table in its docstring.

    `takes_runs`: whether a run costs it about as much as one command. `takes_keys`: whether it can be given a get of
    several keys as one; `splits`: whether some keys of such a one may fail for reasons of their own. `goes_on`: whether
    it may ask another host after the first has answered, so that what the client does to the same keys must wait.
    `keyed`: whether whom it asks first depends on the key.
    """

    takes_runs = False
    takes_keys = True
    splits = False
    goes_on = False
    keyed = False

    def first(self, request: Any = None) -> Any:
        """The destination that it asks first, and alone, as things are; None where there is no such one. Who has asked
        it, with the request as its own sink, has the answer if it is a success, else calls `go_on`."""
        return None

    def go_on(self, request: Request, sink: Any, host: Any, reply: bytes, outcomes: bytes) -> None:
        """Takes over after `host`, asked first, gave an answer that is no success."""
        sink.on_reply(reply, outcomes)

    def start(self, request: Request, sink: Any) -> None:
        """Begins to serve the request."""
        raise NotImplementedError

    def routes(self) -> Iterable[Any]:
        """All routes that it may ask."""
        return ()

    def outlook(self, request: Request) -> "Tuple[str, List[Branch]]":
        """What it will do with a request, for `explain`: a remark, and (when, route) for each that it may ask."""
        return "", [(ASKED, route) for route in self.routes()]


class AsIs(Route):
    """What routes have in common that take any answer of the first host as the answer; without one, see `again`."""

    takes_runs = True

    def go_on(self, request: Request, sink: Any, host: Any, reply: bytes, outcomes: bytes) -> None:
        """Gives it as it is, if it is the host's."""
        ask_again(self, request, sink, host, reply, outcomes)


def apart(request: Request, sink: Any) -> Any:
    """A sink for a part of a policy that is to see to its own failures. Where the request is its own sink, the engine
    calls `go_on` of the whole policy: who passes that sink on must pass `go_on` on as well, or pass this on instead."""
    return _Apart(sink) if sink is request else sink


class _Apart:
    """The sink of a part."""

    __slots__ = ("_sink",)

    def __init__(self, sink: Any) -> None:
        self._sink = sink

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """The part's answer."""
        self._sink.on_reply(reply, outcomes)


class Nobody:
    """The sink of what nobody waits for."""

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """Drops it."""


NOBODY = Nobody()


def start_unawaited(route: Any, request: Request, sink: Any = NOBODY) -> None:
    """Begins to serve a request whose answer no client waits for, and which must not hold up any."""
    start_guarded(route, background(request), sink)


def start_guarded(route: Any, request: Request, sink: Any) -> None:
    """Begins to serve a request in another one's turn, or beside it: an exception costs just this request."""
    guarded(request, route.start, request, sink)


NO_HEALTHY = b"SERVER_ERROR mcrouter: no healthy upstream\r\n"


def refuse(request: Request, sink: Any, text: bytes = NO_HEALTHY, code: bytes = o.UNAVAILABLE) -> None:
    """Answers every command of the request with an error line of ours."""
    count = len(request.kinds)
    sink.on_reply(text * count, code * count)


def part(request: Request, kinds: bytes, data: bytes, words: "Optional[List[bytes]]" = None) -> Request:
    """A request for some of what `request` asks for, on the same client's behalf."""
    made = Request(request.client, kinds, data, words)
    made.started, made.bulk, made.origin = request.started, request.bulk, request.origin or request
    return made
