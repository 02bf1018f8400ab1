"""Hosts: what a policy sends to, over lanes, and whether it can be relied on."""

from typing import Any, Callable, Dict, Iterable, Optional, Set, Tuple

from ...proto import outcomes as o
from ...proto import results as r
from ...proto.background import background
from ...proto.host import gate
from ...proto.runs import PatternCache
from ...proto.styles import MEMCACHED, Memcached
from ..clients.memory import Memory
from ..loop import PollGroup, Timer
from .connection import HostConnection
from .health import HostHealth
from .lingering import Lingering
from .meta_check import MS, NOT_SPOKEN
from .recovery import Journal
from .socket import Address, HostSocket, SocketState
from .state import HostEvent, state_after
from .streaming import StreamingConnections
from .tally import Tally


class _Nobody:
    """The sink of what nobody waits for."""

    def on_reply(self, _reply: Any, _outcomes: bytes) -> None:
        """Drops it."""


NOBODY = _Nobody()

_SWEEPS = 20  # a timeout is noticed at most 1/20 of it late


class Host(HostHealth):
    """One upstream host as a policy's destination.

    `healthy` is what policies look at; `on_health` is called whenever it changes. `address` is the
    (family, sockaddr) to connect to, None while it is not resolved.
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
        self.timeout = timeout  # for a reply, in seconds
        self.connect_timeout = timeout
        self.buffer_size = buffer_size
        self.style = style
        self.journal: Optional[Journal] = None  # of one that must not come back with stale values
        self._before: Dict[Any, Any] = {}  # the last write in flight when it last missed one
        self.lingering: Set[Lingering] = set()  # connections given up, whose writes it may yet do
        self.all_clean: Callable[[], bool] = lambda: True  # whether no event loop has anything in its journal
        self.address: Optional[Address] = None
        self.patterns = patterns
        self.memory = memory
        self.streaming = StreamingConnections(self)
        self.connections = [HostConnection(self, patterns) for _ in range(connections)]
        self._sweeper: Optional[Timer] = None

    def send(self, request: Any, sink: Any, since: Optional[float] = None) -> None:
        """Asks the host; `sink.on_reply(reply, outcomes)` is called exactly once, later or at once.

        All that a route has made goes through the gate here; what a client has sent has passed it in the parser.

        The timeout counts from `since`, else from now. What is sent again goes into lanes that are as good as empty,
        so that their oldest entry is still their first.
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
        client = request.client
        connection = self.connections[client.connection_number]
        if request.commands[0] == MS and not connection.meta.admits():
            self._miss(request, sink, NOT_SPOKEN)
            return
        if client.is_background and connection.unsent and connection.is_full():
            self._miss(request, sink, "it does not take what it is sent")
            return
        if not connection.out:
            connection.out_began()
        connection.out.append(request.data)
        connection.inflight.append((request, sink, self.loop.now if since is None else since))
        if len(request.commands) > 1:
            connection.runs += 1
        if connection.unsent:
            connection.stall(client)

    def _miss(self, request: Any, sink: Any, why: str) -> None:
        """Does not send what others may get: a write is one that this host misses."""
        self.never_sent(request, sink)
        self._refuse(request, sink, self.style.failure(self.name, o.UNAVAILABLE, why), o.UNAVAILABLE)

    def _refuse(self, request: Any, sink: Any, reply: bytes, code: bytes) -> None:
        """Does not send it."""
        count = len(request.commands)
        self.tally.record_skipped(request.commands, r.LOCAL_ERROR)
        sink.on_reply(reply * count, code * count)

    def record_skipped(self, request: Any) -> None:
        """Policy would have asked it, had it been healthy. It is told of a write that it misses."""
        self.tally.record_skipped(request.commands)
        if self.journal is not None and not request.reads_only():
            self.record_missed_write(request)

    def load(self) -> Tuple[int, int]:
        """Requests of this event loop that wait to be sent, and those that wait for their answers."""
        loads = [connection.load() for connection in self.connections]
        return sum(pending for pending, _ in loads), sum(inflight for _, inflight in loads) + len(self.streaming.busy)

    def connect(self) -> None:
        """Opens the lanes that are down, ahead of need."""
        for connection in self.connections:
            connection.connect()

    def moved(self, address: Address) -> None:
        """The name resolves to another address: new requests go there, those in flight are still answered."""
        if address == self.address:
            return
        known, self.address = self.address, address
        for connection in self.connections:
            if known is not None and connection.state is SocketState.UP:
                connection.retire()
            elif self.reachable:
                connection.connect()

    # health -------------------------------------------------------------------------------------------------------

    def fail_requests(self, why: str) -> None:
        """Closes all connections: what the host has not answered fails."""
        for connection in self.connections:
            connection.close(o.LOST, why)
        self.streaming.close(why)

    def reconnect(self) -> None:
        """Connects at once, whatever the attempts before came to."""
        for connection in self.connections:
            connection.failures = 0
        self.connect()

    def reads_stopped(self) -> None:
        """Notes for the other event loops that this one may not read the host."""
        if self.journal is not None:
            self.clean(False)

    # what it misses -----------------------------------------------------------------------------------------------

    def record_missed_write(self, request: Any) -> None:
        """Policy would have sent this to the host if it were healthy. One that is returning gets it."""
        if self.recovering and request.large_value is None:
            self.send(background(request), NOBODY)
        else:
            self._note(request)

    def write_uncertain(self, request: Any, again: bool = False) -> None:
        """The host may have done this or not. It is not read before that is settled. `again`: it was told before."""
        if self.journal is not None and not request.reads_only():
            self._note(request, again)
            self.stop_reads("the outcome of a write is not known")

    def never_sent(self, request: Any, sink: Any) -> None:
        """The host has not been sent this, and will not be. Where others have it, or will, it has missed a write; else
        the client is told that it failed, and there is nothing to make up for."""
        if self.may_be_done_elsewhere(request, sink):
            self.write_uncertain(request)

    @staticmethod
    def may_be_done_elsewhere(request: Any, sink: Any) -> bool:
        """Whether other hosts have a request, or will; else its client is told that it failed, and knows no better."""
        return sink not in (request, request.large_value) or bool(request.may_ask_another_host())

    def _note(self, request: Any, again: bool = False) -> None:
        assert self.journal is not None
        self.journal.note(request)
        connections: Iterable[Any] = (*self.connections, *self.streaming.busy)
        for connection in connections:
            entry = connection.last_write()
            if entry is not None:
                self._before[connection] = entry
        if not again:
            self.tally.cells[self.tally.missed] += len(request.commands)
        self.clean(False)

    def linger(self, connection: HostSocket) -> None:
        """Gives up a connection that has writes in flight. What they do is waited for before the host is read."""
        wire = connection.release() if self.journal is not None else None
        if wire is None:
            connection.disconnect()
        else:
            self.lingering.add(Lingering(self.loop, wire, self.lingering.discard))

    def is_settled(self) -> bool:
        """Whether nothing that it was sent before a write that it has missed may still be done: an older value must not
        be stored after its key was deleted. A connection that owes the answer to a write for too long is given up, so
        that it comes to an end."""
        for connection in self.connections:
            if connection.owes_writes():
                connection.lost("a write was not answered in time")
        self._before = {
            connection: entry for connection, entry in self._before.items() if connection.has_in_flight(entry)
        }
        return not (self._before or self.lingering)

    def clean(self, is_clean: bool) -> None:
        """Whether this event loop has nothing in its journal and sends it all writes, for the others to see."""
        self.tally.cells[self.tally.dirty] = int(not is_clean)

    def close(self) -> None:
        """Ends all lanes; what is in flight fails."""
        self.journal = None
        for connection in self.connections:
            connection.close(o.LOST, "the router is stopping")
        self.streaming.close("the router is stopping")
        for given_up in list(self.lingering):
            given_up.end()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def retire(self) -> None:
        """No policy has it any more: it ends when it has answered what it was asked."""
        self.journal = None
        if self.streaming.busy or any(connection.inflight for connection in self.connections):
            self.loop.call_later(self.timeout / _SWEEPS, self.retire)
        else:
            self._set_state(state_after(self.state, HostEvent.RETIRED))  # not in the counters: its cells may be reused
            self.close()

    def expect(self) -> None:
        """Makes sure that somebody looks for requests that are due while any are in flight."""
        if self._sweeper is None:
            self._sweeper = self.loop.call_later(self.timeout / _SWEEPS, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        due = self.loop.now - self.timeout
        for connection in self.connections:
            connection.expire(due)
        for _ in range(self.streaming.expire(due)):
            self.timed_out()
        if self.streaming.busy or any(connection.inflight for connection in self.connections):
            self.expect()
