"""What routes and destinations are to each other.

    route.start(request, sink)        begins; `sink.on_reply` is called exactly once, at once or later
    destination.send(request, sink, since)   the same for one host

A request may be a run (`len(request.kinds)` > 1). A reply is bytes and one outcome byte a command (proto.outcomes).
"""

from typing import Any, List, Optional, Protocol, Sequence

from ..proto import outcomes as o
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
    journal: Any

    def send(self, request: Request, sink: Any, since: Optional[float] = None) -> None:
        """Asks the host; the timeout counts from `since`, when there is one, in the clock of Request.started."""

    def missed(self, request: Request) -> None:
        """Tells a host that has a `journal` and is not healthy of a write that it would have got."""


class Route(Protocol):
    """A policy.

    `takes_runs`: whether a run costs it about as much as one command. `goes_on`: whether it may ask another host after
    the first has answered, so that what the client does to the same keys must wait.
    """

    takes_runs: bool
    goes_on: bool

    def first(self) -> Any:
        """The destination that it asks first, and alone, as things are; None where there is no such one. Who has asked
        it, with the request as its own sink, has the answer if it is a success, else calls `go_on`."""

    def go_on(self, request: Request, sink: Any, host: Any, reply: bytes, outcomes: bytes) -> None:
        """Takes over after `host`, asked first, gave an answer that is no success."""

    def start(self, request: Request, sink: Any) -> None:
        """Begins to serve the request."""


class AsIs:
    """What routes have in common that take any answer of the first host as the answer; without one, see `again`."""

    takes_runs = True
    goes_on = False

    def first(self) -> Any:
        """The host asked first, and alone."""
        raise NotImplementedError

    def go_on(self, request: Request, sink: Any, host: Any, reply: bytes, outcomes: bytes) -> None:
        """Gives it as it is, if it is the host's."""
        ask_again(self, request, sink, host, reply, outcomes)


class Pool:
    """Hosts in the config's order. `healthy` is kept by whoever watches them, so that routes need not filter. `away`
    are those that are not healthy and must be told what they miss."""

    def __init__(self, hosts: Sequence[Any]) -> None:
        self.hosts = list(hosts)
        self.healthy: List[Any] = []
        self.away: List[Any] = []
        self.refresh()

    def sole(self) -> Any:
        """The one healthy host, when there is just one."""
        return self.healthy[0] if len(self.healthy) == 1 else None

    def refresh(self) -> None:
        """Takes notice of a host that went or came."""
        self.healthy = [host for host in self.hosts if host.healthy]
        self.away = [host for host in self.hosts if not host.healthy and host.journal is not None]

    def missed(self, request: Request, until: Any = None) -> None:
        """Tells the hosts that are away what they miss; with `until`, those before that host alone."""
        if self.away and not request.reads_only():
            ahead = self.hosts if until is None else self.hosts[: self.hosts.index(until)]
            for host in self.away:
                if host in ahead:
                    host.missed(request)


NO_HEALTHY = b"SERVER_ERROR mcrouter: no healthy upstream\r\n"


def refuse(request: Request, sink: Any, text: bytes = NO_HEALTHY) -> None:
    """Answers every command of the request with an error line of ours."""
    count = len(request.kinds)
    sink.on_reply(text * count, o.UNAVAILABLE * count)


def part(request: Request, kinds: bytes, data: bytes, words: List[bytes]) -> Request:
    """A request for some of what `request` asks for, on the same client's behalf."""
    return Request(request.client, kinds, data, words)
