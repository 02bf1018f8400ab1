"""The seams within the engine: what its modules know of the objects that are given to them from above.

A module imports what is below it. What it uses of a class above it, which imports it, is described here by a protocol,
so that no two modules import one another. A protocol lists what its users need, and no more; mypy checks the classes
that are given for it. No process imports this file: it is for mypy alone. What routes and the engine know of each other
is in proto/seams.py.

| protocol         | implemented by   | used by                                                                      |
| Shared           | Frontend         | clients/: connections, calls, memory.py, limits.py, handover.py              |
| Served           | ClientConnection | clients/: memory.py, limits.py, handover.py, large_values.py                 |
| Room             | Memory           | the connections of both sides                                                |
| ConnectedHost    | Host             | hosts/connections/, clients/memory.py, clients/handover.py                    |
| SharedConnection | HostConnection   | the fast path of clients, clients/memory.py, meta_check.py, streaming.py     |
| Places           | StreamingPool    | streaming.py                                                                 |
| RecoveringHost   | Host             | recovery.py                                                                  |
| HostProber       | Prober           | health.py                                                                    |
"""

import socket
from typing import (
    Any,
    Callable,
    Deque,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Set,
    Sized,
    Tuple,
)

from ..proto.client.parser import RunPlan
from ..proto.client.stream import ClientStream
from ..proto.reply import AnyReply, Piece
from ..proto.request import Request
from ..proto.runs import PatternCache, RequestPatterns
from ..proto.seams import AnyRoute, HostSource, ServingRoute, Sink
from ..proto.styles import Memcached
from .hosts.connections.socket import Address, HostSocket
from .hosts.journal import Journal
from .hosts.reason import Reason
from .hosts.tally import Tally
from .loop import PollGroup

Entry = Tuple[Any, Any, float]
"""What a connection to a host has in flight: (request, sink, since), a Request and a Sink. A request that is its own
sink is a ClientRequest, which mypy cannot conclude: both are `Any` wherever they are compared."""

# clients --------------------------------------------------------------------------------------------------------------


class Room(Protocol):
    """The bound on what is held for clients."""

    is_short: bool
    arrived: int
    step: int
    hosts: "Callable[[], Iterable[ConnectedHost]]"

    def look(self) -> None:
        """Counts what is held, and decides whether memory is short."""

    def has_room(self, size: int) -> bool:
        """Returns whether `size` more bytes may be held."""

    def takes(self, size: int) -> bool:
        """Takes room for a reply of `size` bytes; returns whether there is any."""

    def admits(self, client: "Served", size: int) -> bool:
        """Returns whether a client may hold `size` more bytes, while memory is short."""

    def window(self, client: Any) -> int:
        """Returns how many commands a client may have in flight, while memory is short. The client is a Served; but the
        class that calls this, its reading half (ClientInbox), is only a part of one."""

    def read_of(self, client: Any) -> None:
        """Notes that more of an unfinished request has come. As for the client, see `window`."""


class Served(Protocol):
    """A client's connection, as seen by what bounds it, hands it over, or moves a large value for it."""

    loop: PollGroup
    fd: int
    blocks: int
    stream: ClientStream
    held_bytes: int
    counted: int
    counted_at: float
    average: int
    window: int

    @property
    def queue(self) -> Sized:
        """Its requests in flight."""

    @property
    def unsent(self) -> Piece:
        """What the kernel did not take."""

    def begun_bytes(self) -> int:
        """Returns the bytes of unfinished requests, of which no host has any part."""

    def holds_replies(self) -> int:
        """Returns the bytes of replies, and of large requests, that are held for it."""

    def holds(self) -> int:
        """Returns all bytes that are held for it."""

    def is_throttled(self) -> bool:
        """Returns whether it waits for memory."""

    def throttle(self, is_throttled: bool) -> None:
        """Stops reading from the client, or resumes."""

    def check_idle(self) -> int:
        """Returns how often this was called since the client last did something."""

    def put(self, data: bytes) -> None:
        """Sends a piece of a large reply."""

    def read_more_later(self) -> None:
        """Continues to read in the next turn."""

    def transferred(self, request: Any, reply: AnyReply, outcomes: bytes) -> None:
        """Takes the answer of a transfer to a ClientRequest; `reply` is the part that the client has not got yet."""

    def transfer_over(self, transfer: object) -> None:
        """Ends a transfer: the client's next requests may start."""

    def leave(self) -> None:
        """Hands the client over to the next process, at once or when its requests are answered."""

    def drain(self) -> None:
        """Takes no further request; closes when all requests are answered."""

    def is_gone(self) -> bool:
        """Returns whether the connection is closed."""

    def abort(self) -> None:
        """Closes the connection."""


class Shared(Protocol):
    """What all clients of an event loop share."""

    loop: PollGroup
    plan: RunPlan
    patterns: RequestPatterns
    style: Memcached
    buffer_size: int
    routes_by_command: List[AnyRoute]
    weights: List[int]
    run_weight: int
    fast_path: "List[List[Optional[SharedConnection]]]"
    keyed: List[Optional[ServingRoute]]
    needs_ordering: bool
    draining: bool
    first_window: int
    calls: Set[Any]
    """The calls in flight of the program around the router (ProgramCall)."""
    leaving: Any
    """Hands the clients over (handover.Leaving)."""

    @property
    def clients(self) -> Mapping[int, Served]:
        """The connections of clients, by descriptor."""

    @property
    def memory(self) -> Room:
        """The bound on what is held for them."""

    def count(self, request: Request, outcomes: bytes = b"") -> None:
        """Counts an answered request or run."""

    def adopt(self, sock: socket.socket, begun: bytes = b"") -> None:
        """Serves an accepted connection; `begun` is what has been read of it already."""

    def forget(self, client: Served) -> None:
        """Drops a client whose connection is closed."""

    def check_empty(self) -> None:
        """Calls `on_empty` once the last client has gone."""

    def stop_listening(self) -> None:
        """Accepts no client any more."""


# hosts ----------------------------------------------------------------------------------------------------------------


class SharedConnection(Protocol):
    """A connection to a host that clients share."""

    loop: PollGroup
    inflight: Deque[Entry]
    out: List[bytes]
    expired: int
    runs: int

    @property
    def host(self) -> "ConnectedHost":
        """Its host."""

    def is_open(self) -> bool:
        """Returns whether it is connected."""

    def out_began(self) -> None:
        """Called before the first request of a tick is put into `out`."""

    def flush(self) -> None:
        """Writes what the tick has collected."""

    def fail_one(self, request: Any, sink: Any, code: bytes, why: str, result: int) -> None:
        """Gives a sink the failure of its request, which is not in flight any more."""

    def when_done(self, client: HostSource, call: Callable[[], None]) -> None:
        """Calls once the host has done all that this client has written here, or never will."""


class Places(Protocol):
    """The places of a host's streaming connections."""

    busy: Dict[Any, None]
    """The connections at work (StreamingConnection)."""

    def has_room(self) -> bool:
        """Returns whether one more may be at work."""

    def wait_for_room(self, begin: Callable[[], None]) -> None:
        """Calls `begin` when another has done its work."""

    def put_back(self, connection: Any) -> None:
        """Takes back a connection that has done its work."""

    def remove(self, connection: Any) -> None:
        """Forgets a connection that is closed."""


class ConnectedHost(Protocol):
    """A host, as its connections see it."""

    name: str
    loop: PollGroup
    tally: Tally
    style: Memcached
    patterns: PatternCache
    address: Optional[Address]
    timeout: float
    connect_timeout: float
    buffer_size: int
    timeouts: int
    timeouts_until_tko: int
    reachable: bool

    @property
    def memory(self) -> Room:
        """The bound on what is held for clients."""

    @property
    def connections(self) -> Sequence[SharedConnection]:
        """The connections that clients share."""

    @property
    def streaming(self) -> Places:
        """The connections that carry a single large value each."""

    def expect(self) -> None:
        """Makes sure that timeouts are looked for while anything is in flight."""

    def timed_out(self) -> None:
        """Counts one more request without an answer."""

    def mark_down(self, reason: Reason, why: str) -> None:
        """Takes the host out of the policies' sight, and fails what it has not answered."""

    def write_uncertain(self, request: Request, counted: bool = False) -> None:
        """Records a write that the host may have done or not."""

    def never_sent(self, request: Request, sink: Sink) -> None:
        """Records a write that the host will not be sent."""

    def may_be_done_elsewhere(self, request: Request, sink: Sink) -> bool:
        """Returns whether other hosts have a request, or will."""

    def linger(self, connection: HostSocket) -> None:
        """Closes a connection that has writes in flight."""

    def writers(self) -> Iterator[object]:
        """Yields the clients for which the host has yet to do a write."""


class HostProber(Protocol):
    """The health checks of a host."""

    def went_down(self) -> None:
        """Called when the host has gone down."""

    def hurry(self) -> None:
        """Probes the host now, unless a probe is under way."""


class RecoveringHost(Protocol):
    """A host that gets writes again, and is not read yet."""

    journal: Optional[Journal]
    all_clean: Callable[[], bool]
    """Returns whether no event loop has anything in its journal."""

    def is_settled(self) -> bool:
        """Returns whether nothing that the host was sent before a write that it has missed may still be done."""

    def clean(self, is_clean: bool) -> None:
        """Shows the other event loops whether this one has an empty journal."""
