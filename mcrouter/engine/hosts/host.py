"""A host: what routes send requests to.

    route ──send──► host ──► a connection that clients share (connection.py), or
                        └──► one that carries a single large value (streaming.py)

Whether it can be relied on, and what moves that: health.py and state.py. What it misses meanwhile: missed_writes.py.
"""

from typing import TYPE_CHECKING, Callable, Iterator, Optional, Tuple

from ...proto import outcomes as o
from ...proto import results as r
from ...proto.host import gate
from ...proto.runs import PatternCache
from ...proto.styles import MEMCACHED, Memcached
from ..clients.memory import Memory
from ..loop import PollGroup, Timer
from .connections.connection import HostConnection
from .connections.meta_check import MS, NOT_SPOKEN
from .connections.socket import Address, SocketState
from .connections.streaming_pool import StreamingPool
from .missed_writes import MissedWrites
from .state import HostEvent, state_after
from .tally import Tally

if TYPE_CHECKING:
    from ...proto.request import Request
    from ...proto.seams import HostSource, Sink

_SWEEPS = 20  # a timeout is noticed at most 1/20 of it late


class Host(MissedWrites):
    """One memcached server as the destination of requests.

    Routes look at `healthy`; `on_health` is called whenever that changes. `address` is the (family, sockaddr) to
    connect to, None while the name is not resolved. `timeout` is in seconds.
    """

    def __init__(
        self,
        name: str,
        loop: PollGroup,
        tally: Tally,
        patterns: PatternCache,
        memory: Memory,
        connections: int = 2,
        timeout: float = 1.0,
        buffer_size: int = 1 << 20,
        timeouts_until_tko: int = 3,
        on_health: "Callable[[Host], None]" = lambda host: None,
        style: Memcached = MEMCACHED,
    ) -> None:
        super().__init__(name, tally, timeouts_until_tko, on_health)
        self.loop = loop
        self.timeout = timeout  # for a reply
        self.connect_timeout = timeout
        self.buffer_size = buffer_size
        self.style = style
        self.address: Optional[Address] = None
        self.patterns = patterns
        self.memory = memory
        self.streaming = StreamingPool(self)
        self.connections = [HostConnection(self) for _ in range(connections)]
        self._sweeper: Optional[Timer] = None

    # requests -----------------------------------------------------------------------------------------------------

    def send(self, request: "Request", sink: "Sink", since: Optional[float] = None) -> None:
        """Asks the host; `sink.on_reply(reply, outcomes)` is called exactly once, later or at once.

        All that a route has made goes through the gate here; what a client has sent has passed it in the parser.

        The timeout counts from `since`, else from now. What is sent again goes into connections that are as good as
        empty, so that their oldest entry is still their first.
        """
        origin = request.origin
        if origin is not None and request.data is not origin.data:
            refusal = gate.refusal(request)
            if refusal:
                self._refuse(request, sink, refusal, o.LOCAL)
                return
        if request.large_value is not None:
            self.streaming.send(request, sink)
            return
        client: HostSource = request.client
        connection = self.connections[client.connection_number]
        if request.commands[0] == MS and not connection.meta.admits():
            self._miss(request, sink, NOT_SPOKEN)
            return
        if client.is_background and connection.unsent and connection.is_full():
            self._miss(request, sink, "it does not read what it is sent")
            return
        if not connection.out:
            connection.out_began()
        connection.out.append(request.data)
        connection.inflight.append((request, sink, self.loop.now if since is None else since))
        if len(request.commands) > 1:
            connection.runs += 1
        if connection.unsent:
            connection.stall(client)

    def _miss(self, request: "Request", sink: "Sink", why: str) -> None:
        """Refuses a request that other hosts may get: a write is one that this host misses."""
        self.never_sent(request, sink)
        self._refuse(request, sink, self.style.failure(self.name, o.UNAVAILABLE, why), o.UNAVAILABLE)

    def _refuse(self, request: "Request", sink: "Sink", reply: bytes, code: bytes) -> None:
        """Answers a request with an error instead of sending it."""
        count = len(request.commands)
        self.tally.record_skipped(request.commands, r.LOCAL_ERROR)
        sink.on_reply(reply * count, code * count)

    def record_skipped(self, request: "Request") -> None:
        """Records a request that was not sent because the host is not healthy; a write is one that it misses."""
        self.tally.record_skipped(request.commands)
        if self.journal is not None and not request.reads_only():
            self.record_missed_write(request)

    def load(self) -> Tuple[int, int]:
        """Returns how many requests of this event loop wait to be sent, and how many wait for their replies."""
        loads = [connection.load() for connection in self.connections]
        return sum(pending for pending, _ in loads), sum(inflight for _, inflight in loads) + len(self.streaming.busy)

    def writers(self) -> Iterator[object]:
        """Yields the clients for which it has yet to do a write."""
        for connection in self.connections:
            yield from connection.writers()
        for streaming in self.streaming.busy:
            yield from streaming.writers()

    def _is_idle(self) -> bool:
        return not self.streaming.busy and not any(connection.inflight for connection in self.connections)

    # timeouts -----------------------------------------------------------------------------------------------------

    def expect(self) -> None:
        """Makes sure that timeouts are looked for while anything is in flight."""
        if self._sweeper is None:
            self._sweeper = self.loop.call_later(self.timeout / _SWEEPS, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        due = self.loop.now - self.timeout
        for connection in self.connections:
            connection.expire(due)
        for _ in range(self.streaming.expire(due)):
            self.timed_out()
        if not self._is_idle():
            self.expect()

    # connections --------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Opens the connections that are closed, ahead of need."""
        for connection in self.connections:
            connection.connect()

    def moved(self, address: Address) -> None:
        """Takes another address of the name. Connections to the one before are closed: what is in flight fails over or
        fails."""
        if address == self.address:
            return
        known, self.address = self.address, address
        for connection in self.connections:
            if known is not None and connection.state is SocketState.OPEN:
                connection.change_address()
            elif self.reachable:
                connection.connect()

    def reconnect(self) -> None:
        """Connects at once, whatever the attempts before came to."""
        for connection in self.connections:
            connection.failures = 0
        self.connect()

    def fail_requests(self, why: str) -> None:
        """Closes all connections: what the host has not answered fails."""
        for connection in self.connections:
            connection.close(o.LOST, why)
        self.streaming.close(why)

    def close(self) -> None:
        """Closes all connections, for good; what is in flight fails."""
        self.journal = None
        self.fail_requests("the router is stopping")
        for given_up in list(self.lingering):
            given_up.end()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def retire(self) -> None:
        """Closes the host, which no policy has any more, once it has answered what it was asked."""
        self.journal = None
        if self._is_idle():
            self._set_state(state_after(self.state, HostEvent.RETIRED))  # not in the counters: its cells may be reused
            self.close()
        else:
            self.loop.call_later(self.timeout / _SWEEPS, self.retire)
