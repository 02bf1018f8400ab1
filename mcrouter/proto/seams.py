"""The seams between the rooms: the protocols by which sources of requests, routes and hosts meet.

    engine/clients/            routes/                       engine/hosts/
    RequestSource  ◄───────── request.client
    ClientRequest ──start()─► ServingRoute ───send()──────► DestinationHost
                  ◄─on_reply()── Sink ◄──────on_reply()─────

`routes` and `engine` do not import each other: each knows the other only as it is described here. A protocol lists what
the other side uses, and no more; mypy checks the classes that are given for it.

| protocol        | implemented by                                                    | used by                    |
| Sink            | ClientRequest, Upload, the sinks in routes/                       | routes, hosts              |
| Source          | ClientConnection, ProgramCall, Background, ExplainClient          | routes, guard.py           |
| HostSource      | ClientConnection, ProgramCall, Background                         | hosts                      |
| Destination     | engine's Host, RouteDestination                                   | routes: members of a pool  |
| DestinationHost | engine's Host                                                     | routes: HostRoute          |
| AnyRoute        | all routes, and the engine's own (frontend.py)                    | engine/clients             |
| ServingRoute    | all routes                                                        | engine/clients             |
| StreamedReply   | StreamingConnection, Held (reply.py)                              | StreamReader               |
| StreamReader    | Download, Held (reply.py)                                         | StreamingConnection        |
"""

from typing import Any, Callable, Optional, Protocol

from .reply import Reply
from .request import Request

Later = Callable[[float, Callable[[], None]], "Cancellable"]
"""`later(seconds, call)`: calls after so many seconds, by the clock of the event loop."""


class Cancellable(Protocol):
    """A call that is due at some time."""

    def cancel(self) -> None:
        """Cancels the call."""


class Sink(Protocol):
    """The receiver of a reply."""

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the reply; `outcomes` has one byte for each command of the request (outcomes.py)."""


class Source(Protocol):
    """The source of a request (`Request.client`), as routes and guard.py see it: a client's connection, a call of the
    program around the router, or the background (background.py)."""

    @property
    def owner(self) -> object:
        """The client in whose order the request's writes belong."""

    @property
    def connection_number(self) -> int:
        """The number of the connection, among those of each host, that the source's requests take."""

    @property
    def can_wait(self) -> bool:
        """Whether `pause` keeps the source from asking for more."""

    def awaits(self, request: Request) -> bool:
        """Returns whether the source still waits for the answer to the request, or to the one it was made of."""

    def may_repeat(self, request: Request) -> bool:
        """Returns whether a request without an answer may be asked again: it changes nothing, nor does anything that
        the source has asked since."""

    def pause(self) -> None:
        """Keeps the source from asking for more, until `resume` has been called as often."""

    def resume(self) -> None:
        """Ends a `pause`."""

    def when_abandoned(self, request: Request, call: Callable[[], None]) -> None:
        """Has `call` called if an unexpected error ends the request, so that its answer may never come."""

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """Answers the client's request that `request` is, or was made of, after an unexpected error; unless it has its
        answer."""

    def abort(self) -> None:
        """Ends the source after an unexpected error in `fail`."""


class HostSource(Source, Protocol):
    """The source of a request, as hosts see it."""

    @property
    def is_background(self) -> bool:
        """Whether no client waits for the answers, so that a request may be dropped instead of delayed."""

    def may_ask_again(self, request: Request) -> bool:
        """Returns whether a request whose reply is too large to be held may be repeated later, by a source that reads
        the reply as it comes: nothing that was asked since changes anything."""

    def will_ask_again(self, request: Request) -> None:
        """Called before a request is repeated in that way, as `may_ask_again` has allowed."""

    def may_hold(self, size: int) -> bool:
        """Returns whether a reply of so many bytes may be kept for the source, while memory is short."""


class Destination(Protocol):
    """A member of a pool, as routes see it: a host, or a route in the place of one."""

    @property
    def name(self) -> str:
        """The name of the host, as the config writes it."""

    @property
    def healthy(self) -> bool:
        """Whether routes may choose it."""

    @property
    def journal(self) -> Optional[object]:
        """What records the writes that it misses; None if they are not recorded."""

    def send(self, request: Request, sink: Sink, since: Optional[float] = None) -> None:
        """Asks it; `sink.on_reply` is called exactly once, now or later. The timeout counts from `since`, if given, by
        the clock of Request.started."""

    def record_missed_write(self, request: Request) -> None:
        """Records a write that it has missed. It has a `journal` and is not healthy."""


class DestinationHost(Destination, Protocol):
    """A host, as routes see it."""

    @property
    def refuses_connections(self) -> bool:
        """While the host is not healthy: whether it refuses connections."""

    def record_skipped(self, request: Request) -> None:
        """Records a request that was not sent because the host is not healthy; a write is also recorded as missed."""


class AnyRoute(Protocol):
    """A route, as it is started: one of a policy, or one of the engine's own for what no host is asked."""

    @property
    def may_ask_another_host(self) -> bool:
        """Whether the route may ask another host after the first has answered, so that later requests of the client for
        the same keys must wait."""

    def start(self, request: Request, sink: Sink) -> None:
        """Starts to serve the request; `sink.on_reply` is called exactly once, now or later."""


class ServingRoute(AnyRoute, Protocol):
    """A route of a policy, as the engine sees it: one for each command of the command table.

    The engine may send a request to `direct_host` itself, with the request as its own sink. A success is then the
    answer; after anything else it calls `after_failure`. Else it calls `start`.
    """

    @property
    def takes_runs(self) -> bool:
        """Whether a run (several commands that travel as one) costs the route about as much as one command."""

    @property
    def keyed(self) -> bool:
        """Whether the host asked first depends on the key, so that `direct_host` needs the request."""

    @property
    def cost(self) -> int:
        """The most requests to hosts that the route makes of one command, or of one key of a get."""

    def direct_host(self, request: Optional[Request] = None) -> Any:
        """Returns the host that the route asks first, and no other at the same time; None if there is no such host.
        `Any`: it is one of the objects that the engine itself has given to the routes."""

    def after_failure(self, request: Request, sink: Sink, host: Any, reply: Reply, outcomes: bytes) -> None:
        """Continues after `host`, the host asked first, has given an answer that is not a success."""
