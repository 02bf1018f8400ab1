"""A bulk lane: one exchange at a time, for values too large to be held.

Shared lanes carry whole requests and replies, so that nobody on them waits for somebody's slow reading or writing. A
value of more than `buffer_size` travels in pieces instead, on a connection that its client has for itself, and that
can therefore wait for it:

    large set:   client ──piece──► every lane that the route chose; the next piece when all of them have taken it
    large get:   lane ──piece──► client; the next piece when the client has taken it

The timeout of a host is for each 16 KB of a value, while its client does its part: a host that takes, or gives, less
than that in the time of a timeout is late, however often it moves a byte.
"""

import collections
import enum
from typing import Any, Callable, Deque, Dict, List

from ...proto import outcomes as o
from ...proto import results as r
from ...proto.guard import guarded
from ...proto.host.stream import HostStream, Place
from ...proto.replies import ProtocolError
from ..poller import GONE, OUT
from .meta_check import MN, MS, NOT_SPOKEN
from .reason import Reason
from .socket import HostSocket, SocketState

_MOST = 32  # bulk lanes of a host that are at work at once; a host has so many connections, and no more
_PATIENCE = 1.0  # seconds, at the most, for a client that does not do its part while others wait
_TURNS = 8  # reads of one event
_LEAST = 16384  # bytes that a host must take or give within its timeout
PIECE = 1 << 18  # bytes; the most that is held of a value on one side
_IDLE_MOST = 4  # bulk lanes of a host that are kept for the next


class Exchange(enum.Enum):
    """RESTING -> WAITING -> (QUEUED ->) CONNECTING -> (ASKING ->) TALKING -> RESTING."""

    RESTING = "no request"
    WAITING = "the host has yet to do what the client wrote before on the lane that it shares"
    QUEUED = "enough others are at work for the host"
    CONNECTING = "the connection is being opened"
    ASKING = "an `ms` waits for the answer to `mn` (meta_check.py)"
    TALKING = "the request is sent as it comes, or its reply is awaited"


_AT_WORK = (Exchange.CONNECTING, Exchange.ASKING, Exchange.TALKING)


class StreamingConnection(HostSocket):
    """One exchange: `start` gives the sink a reply, as bytes or, for a large value, as this lane.

    A sink that is given the lane must `take` it before `on_reply` returns, else it is closed: another reply has won.
    """

    __slots__ = (
        "_changes",
        "_exchange",
        "_moved",
        "_reader",
        "_request",
        "_since",
        "_sink",
        "_speaks_meta",
        "_stream",
        "host",
        "unsent",
    )

    def __init__(self, host: Any) -> None:
        super().__init__(host.loop)
        self.host = host
        self.unsent = b""
        self._speaks_meta = False
        self._stream = HostStream(host.patterns)
        self._idle()

    def _idle(self) -> None:
        self._exchange = Exchange.RESTING
        self._request: Any = None
        self._sink: Any = None
        self._reader: Any = None
        self._changes: List[Callable[[bytes], bytes]] = []
        self._restart_clock()

    def _restart_clock(self) -> None:
        """From here on the host is waited for."""
        self._since = self.loop.now
        self._moved = 0  # bytes since then

    def _progress(self, count: int) -> None:
        """The host has taken or given so many bytes."""
        self._moved += count
        if self._moved >= _LEAST:
            self._restart_clock()

    # asking -------------------------------------------------------------------------------------------------------

    def start(self, request: Any, sink: Any) -> None:
        """Asks. The rest of the request, where there is one, comes by `send`.

        The client may have had its answers from other hosts: what it asks here must not overtake what it wrote before.
        """
        self._request, self._sink = request, sink
        self._restart_clock()
        self._exchange = Exchange.WAITING
        self.host.streaming.busy[self] = None
        self.host.expect()
        self.unsent = request.data
        client = request.client
        self.host.connections[client.connection_number].when_done(
            client, lambda: guarded(request, self._may_begin, request)
        )

    def _may_begin(self, request: Any) -> None:
        if self._request is not request:
            return  # it has failed meanwhile
        if not self.host.streaming.admits():
            self._exchange = Exchange.QUEUED
            self.host.streaming.queue(lambda: guarded(request, self._may_begin, request))
            return
        if self.state is SocketState.UP:
            self._begin()
        else:
            self._exchange = Exchange.CONNECTING
            self._speaks_meta = False
            self._stream = HostStream(self.host.patterns)
            self.open(self.host.address, self.host.connect_timeout)

    def _begin(self) -> None:
        self._restart_clock()
        if self._request.commands[0] == MS and not self._speaks_meta:
            self._exchange = Exchange.ASKING
            self._write(MN.data)
        else:
            self._exchange = Exchange.TALKING
            self._taken()

    def send(self, piece: bytes) -> None:
        """Passes on a piece of the value. `unsent` says that it has not been taken yet."""
        if not self.unsent:
            self._restart_clock()  # until now its client was waited for
        self.unsent = self.unsent + piece if self.unsent else piece
        if self._exchange is Exchange.TALKING:
            self._flush()

    def last_write(self) -> Any:
        """The request under way, if it is a write."""
        return None if self._request is None or self._request.reads_only() else self._request

    def has_in_flight(self, request: Any) -> bool:
        """Whether that request is still under way."""
        return self._request is request

    def serves(self, transfer: Any) -> bool:
        """Whether it is at work for this transfer."""
        return self._request is not None and self._request.large_value is transfer

    def _flush(self) -> None:
        request = self._request
        unsent = self._write(self.unsent)
        if self._request is not request:
            return  # it has failed, or has been answered early
        self.unsent = unsent
        if unsent:
            self.loop.poller.want_write(self.wire.fd, True)

    def _write(self, data: bytes) -> bytes:
        """Returns what the kernel did not take."""
        try:
            unsent: bytes = self.wire.write([data])
        except OSError as error:
            self._read_last_words(error.strerror or "write failed")
            return b""
        self._progress(len(data) - len(unsent))
        return unsent

    def _read_last_words(self, why: str) -> None:
        """The host takes nothing more. It may have refused the value, and closed, before it has read all of it."""
        request, self.unsent = self._request, b""
        self._read()
        if self._request is request:
            self.fail(o.LOST, why)

    def connected(self) -> None:
        """Sends what has waited."""
        self.host.tally.cells[self.host.tally.connections] += 1
        self._begin()

    def _taken(self) -> None:
        """The host can take more: so can its feeder."""
        self._flush()
        if not self.unsent and self._request is not None:
            guarded(self._request, self._request.large_value.resume)

    def refused(self, why: str) -> None:
        """News about the host too."""
        self.fail(o.UNAVAILABLE, why)
        self.host.mark_down(Reason.REFUSES, why)

    # receiving ----------------------------------------------------------------------------------------------------

    def ready(self, mask: int) -> None:
        """The poller's report."""
        if mask & OUT and self.unsent and self._exchange is Exchange.TALKING:
            self.loop.poller.want_write(self.wire.fd, False)
            self._taken()
        if mask & ~OUT:
            self._read()

    def resume(self) -> None:
        """The reader can take more: from here on the host is waited for again."""
        self._restart_clock()
        self._read()

    def _read(self) -> None:
        """Reads as long as the host has something and the client takes it, or until others have their turn. The edge
        may have passed: so it asks."""
        turns = _TURNS
        while self.state is SocketState.UP and (self._reader is None or self._reader.can_take()):
            if not turns:
                self.loop.call_soon(self._read)
                return
            turns -= 1
            piece = self._piece()
            try:
                data, _drained = self.wire.read(min(self._stream.left, piece) or piece, GONE)
            except OSError as error:
                self.fail(o.LOST, error.strerror or "read failed")
                return
            if data is None:
                return
            if not data or self._request is None:
                self.fail(o.LOST, "closed by the host" if not data else "an answer that nobody asked for")
                return
            self._progress(len(data))
            try:
                self._received(data)
            except ProtocolError as error:
                self.fail(o.LOST, f"out of step: {error}")

    def _received(self, data: bytes) -> None:
        """Takes a read: a small reply is given whole, a large value in pieces. Raises ProtocolError."""
        stream = self._stream
        stream.receive(data)
        if stream.place is Place.PASSING:
            self._pass_on()
            return
        request = MN if self._exchange is Exchange.ASKING else self._request
        head = stream.value_begins(request, self._passes)
        if head:
            self._give_value(head)
            return
        reply = stream.next(request) if stream.more else None
        if reply is None:
            return
        if stream.more:
            raise ProtocolError("more than the reply")
        if self._exchange is Exchange.ASKING:
            self._learn(stream.outcomes)
        else:
            self._finish(reply, stream.outcomes)

    def _passes(self, size: int) -> bool:
        """Whether a value of this size is passed on in pieces. One that there is room for is taken as a whole: then
        its client may read it as slowly as it likes."""
        return size > _LEAST and (size > self.host.buffer_size or not self.host.memory.takes(size))

    def _piece(self) -> int:
        """Bytes of a value that are read at once."""
        return _LEAST if self.host.memory.is_short else PIECE

    def holds(self) -> int:
        """Bytes that have come of a reply that is taken as a whole, or are yet to come."""
        return self._stream.known_size()

    def _learn(self, outcomes: bytes) -> None:
        """The answer to `mn` has come."""
        if outcomes == o.HEADER:
            self._speaks_meta = True
            self._begin()
        else:
            self.refuse(NOT_SPOKEN)

    def _give_value(self, head: bytes) -> None:
        """A large value begins."""
        self._changes = []
        guarded(self._request, self._sink.on_reply, self, o.VALUE)
        if self._reader is None:
            self.close()
            return
        for change in self._changes:
            head = change(head)
        guarded(self._request, self._reader.piece, head)

    def begin_with(self, change: Callable[[bytes], bytes]) -> None:
        """Has the beginning of the reply go through `change`; call it before the reply is passed on."""
        self._changes.append(change)

    def take(self, reader: Any) -> None:
        """`reader` gets the reply by `piece(data)`, then `ended(tail)` or `broken()`; it is asked `can_take()` before
        each piece, and calls `resume` when it can take more."""
        self._reader = reader

    def _pass_on(self) -> None:
        stream, request, reader = self._stream, self._request, self._reader
        piece = stream.piece()
        if piece:
            guarded(request, reader.piece, piece)
        if stream.place is Place.BOUNDARY and self._request is request:
            self._count(o.VALUE, 1, 0)
            self._rest()
            guarded(request, reader.ended, stream.tail)

    def _finish(self, reply: bytes, outcomes: bytes) -> None:
        sink, request = self._sink, self._request
        self._count(outcomes, self._stream.hits, self._stream.misses)
        if request.large_value.is_fed() and not self.unsent and outcomes not in o.HOST_ERRORS:
            self._rest()
        else:
            self.close()  # the rest of the value has no use here, and may be taken for commands
        guarded(request, sink.on_reply, reply, outcomes)
        guarded(request, request.large_value.resume)

    def _count(self, outcomes: bytes, hits: int, misses: int) -> None:
        tally, commands = self.host.tally, self._request.commands
        tally.answered(commands, (self.loop.now - self._request.started) * 1000, tally.upstream)
        tally.looked_up(hits, misses)
        tally.refused(commands, outcomes)

    # ending -------------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """The exchange is over, and the connection good for another."""
        self._idle()
        self.host.streaming.rested(self)

    def is_at_work(self) -> bool:
        """Whether it has, or opens, a connection."""
        return self._exchange in _AT_WORK

    def is_queued_since(self, due: float) -> bool:
        """Whether it has waited for others since `due`."""
        return self._exchange is Exchange.QUEUED and self._since <= due

    def is_stalled_since(self, due: float) -> bool:
        """Whether its client has let it wait since `due`, with the rest of a value, or by not reading one."""
        if self._exchange is not Exchange.TALKING or self._since > due or self.unsent:
            return False
        return not (self._request.large_value.is_fed() if self._reader is None else self._reader.can_take())

    def is_due(self, due: float) -> bool:
        """Whether the host has let it wait since `due`."""
        if self._since > due or self._exchange is Exchange.CONNECTING:
            return False  # a connection that does not open has a timer of its own
        if self._exchange is Exchange.QUEUED:
            return False
        if self._exchange is not Exchange.TALKING:
            return True
        if self._reader is not None:
            return bool(self._reader.can_take())
        return bool(self.unsent) or self._request.large_value.is_fed()

    def fail(self, code: bytes, why: str) -> None:
        """Ends the connection; what is under way fails, and whether a write was done is not known."""
        if self._request is not None:
            self.host.write_uncertain(self._request)
        self._end(code, why, self._result(code))

    def refuse(self, why: str) -> None:
        """Ends what was not begun."""
        self.host.never_sent(self._request, self._sink)
        self._end(o.UNAVAILABLE, why, r.LOCAL_ERROR)

    def give_up(self, why: str) -> None:
        """Ends an upload before all of the value was sent: the host cannot have stored it. Routes are told, which may
        count what is under way."""
        self._end(o.LOST, why, r.LOCAL_ERROR)

    def _end(self, code: bytes, why: str, result: int) -> None:
        request, sink, reader = self._request, self._sink, self._reader
        self.close()
        if request is None:
            return
        self.host.tally.failed(request.commands, result)
        if reader is not None:
            guarded(request, reader.broken)
        else:
            guarded(request, sink.on_reply, self.host.style.failure(self.host.name, code, why), code)
            guarded(request, request.large_value.resume)

    def _result(self, code: bytes) -> int:
        if code == o.UNAVAILABLE:
            return r.CONNECT_TIMEOUT if self.late else r.CONNECT_ERROR
        return r.TIMEOUT if code == o.TIMEOUT else r.REMOTE_ERROR

    def abort(self) -> None:
        """After a bug of ours."""
        self.fail(o.LOST, "internal error")

    def close(self) -> None:
        """Ends the connection without a word."""
        if self.state is SocketState.UP:
            self.host.tally.cells[self.host.tally.connections] -= 1
        if self._request is None or self._request.reads_only():
            self.disconnect()
        else:
            self.host.linger(self)
        self.unsent = b""
        self._idle()
        self.host.streaming.forget(self)


class StreamingConnections:
    """A host's bulk lanes: those at work and a few that wait for some."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self.busy: Dict[StreamingConnection, None] = {}  # in the order in which they began
        self._resting: List[StreamingConnection] = []
        self._queue: Deque[Callable[[], None]] = collections.deque()  # those that wait for others

    def send(self, request: Any, sink: Any) -> None:
        """Asks the host for something that is too large for the shared lanes."""
        host = self._host
        if not request.large_value.may_start():
            host.tally.record_skipped(request.commands, r.LOCAL_ERROR)
            sink.on_reply(b"SERVER_ERROR mcrouter: too large to be sent again\r\n", o.UNAVAILABLE)
        elif host.address is None:
            why = "its name does not resolve"
            host.tally.record_skipped(request.commands, r.CONNECT_ERROR)
            sink.on_reply(host.style.failure(host.name, o.UNAVAILABLE, why), o.UNAVAILABLE)
        else:
            connection = self._resting.pop() if self._resting else StreamingConnection(host)
            request.large_value.connections.append(connection)
            connection.start(request, sink)

    def admits(self) -> bool:
        """Whether one more may be at work. If not, one that only its own client holds up gives way."""
        if sum(connection.is_at_work() for connection in self.busy) < _MOST:
            return True
        self._make_room()
        return False

    def queue(self, begin: Callable[[], None]) -> None:
        """Calls, to try again, when another has done its work."""
        self._queue.append(begin)

    def _make_room(self) -> None:
        """The more lanes wait, the sooner."""
        patience = min(self._host.timeout, _PATIENCE) * _MOST / (_MOST + len(self._queue))
        stalled = [
            connection for connection in self.busy if connection.is_stalled_since(self._host.loop.now - patience)
        ]
        for connection in stalled[: len(self._queue) + 1]:
            connection.give_up("its client does not go on, and others wait")

    def _start_queued(self) -> None:
        while self._queue and self.admits():
            self._queue.popleft()()

    def _one_is_free(self) -> None:
        if self._queue:
            self._host.loop.call_soon(self._start_queued)

    def rested(self, connection: StreamingConnection) -> None:
        """A lane that has done its work."""
        self._one_is_free()
        self.busy.pop(connection, None)
        if len(self._resting) < _IDLE_MOST:
            self._resting.append(connection)
        else:
            connection.close()

    def forget(self, connection: StreamingConnection) -> None:
        """A lane that is closed."""
        self._one_is_free()
        self.busy.pop(connection, None)
        if connection in self._resting:
            self._resting.remove(connection)

    def expire(self, due: float) -> int:
        """Fails those that the host has let wait since `due`; how many."""
        if self._queue:
            self._make_room()
        # What waits for others has the time in which they would be found to stall, and then its own.
        for connection in [
            connection for connection in self.busy if connection.is_queued_since(due - self._host.timeout)
        ]:
            connection.refuse("too many large values are on their way")
        late = [connection for connection in self.busy if connection.is_due(due)]
        for connection in late:
            connection.fail(o.TIMEOUT, f"no reply within {self._host.timeout * 1000:.0f} ms")
        return len(late)

    def close(self, why: str) -> None:
        """Ends them all; what is under way fails."""
        for connection in [*self.busy, *self._resting]:
            connection.fail(o.LOST, why)
