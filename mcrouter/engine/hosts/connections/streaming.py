"""A streaming connection: one exchange at a time, for values too large to be held.

The connections that clients share carry whole requests and replies, so that no client waits for another's slow reading
or writing. A value of more than `buffer_size` travels in pieces instead, on a connection that its client has for
itself, and that can therefore wait for it:

    upload:     client ──piece──► each connection of the hosts that the route chose; the next when all have taken it
    download:   connection ──piece──► client; the next when the client has taken it

How many there are, and which wait for others: streaming_pool.py. Which side of an exchange is late: exchange.py.
"""

from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Optional

from ....proto import outcomes as o
from ....proto import results as r
from ....proto.guard import guarded
from ....proto.host.stream import HostStream, Place
from ....proto.replies import ProtocolError
from ...poller import GONE, OUT
from ..reason import Reason
from .exchange import LEAST, Exchange, TimedExchange
from .meta_check import MN, MS, NOT_SPOKEN
from .socket import SocketState

if TYPE_CHECKING:
    from ....proto.reply import StreamReader
    from ....proto.request import Request
    from ....proto.seams import HostSource, Sink
    from ...seams import ConnectedHost

_TURNS = 8  # reads of one event
PIECE = 1 << 18  # bytes; the most that is held of a value on one side


class StreamingConnection(TimedExchange):
    """One exchange: `start` gives the sink a reply, as bytes or, for a large value, as this connection.

    A sink that is given the connection must `take` it before `on_reply` returns; else it is closed, because another
    reply has been chosen.
    """

    __slots__ = ("_changes", "_sink", "_speaks_meta", "_stream")

    def __init__(self, host: "ConnectedHost") -> None:
        super().__init__(host)
        self._speaks_meta = False
        self._stream = HostStream(host.patterns)
        self._rest()

    def _rest(self) -> None:
        """Forgets the exchange, which is over."""
        self._exchange = Exchange.RESTING
        self._request = self._reader = None
        self._sink: Any = None  # as for `_request`
        self._changes: List[Callable[[bytes], bytes]] = []
        self._restart_clock()

    # asking -------------------------------------------------------------------------------------------------------

    def start(self, request: "Request", sink: "Sink") -> None:
        """Asks the host. The rest of the request, where there is one, comes by `send`.

        The client may have had its answers from other hosts: what it asks here must not overtake what it wrote before.
        """
        self._request, self._sink = request, sink
        self._restart_clock()
        self._exchange = Exchange.WAITING
        self.host.streaming.busy[self] = None
        self.host.expect()
        self.unsent = request.data
        client: HostSource = request.client
        self.host.connections[client.connection_number].when_done(
            client, lambda: guarded(request, self._begin_in_turn, request)
        )

    def _begin_in_turn(self, request: "Request") -> None:
        """Begins, or waits for others: what the client wrote before is done."""
        if self._request is not request:
            return  # it has failed meanwhile
        if not self.host.streaming.has_room():
            self._exchange = Exchange.QUEUED
            self.host.streaming.wait_for_room(lambda: guarded(request, self._begin_in_turn, request))
            return
        if self.state is SocketState.OPEN:
            self._begin()
        else:
            self._exchange = Exchange.CONNECTING
            self._speaks_meta = False
            self._stream = HostStream(self.host.patterns)
            assert self.host.address is not None, "StreamingPool.send asks no host without one"
            self.open(self.host.address, self.host.connect_timeout)

    def _begin(self) -> None:
        """Asks what the connection was opened for."""
        self._restart_clock()
        if self._request.commands[0] == MS and not self._speaks_meta:
            self._exchange = Exchange.ASKING
            self._write(MN.data)
        else:
            self._exchange = Exchange.TALKING
            self._taken()

    def send(self, piece: bytes) -> None:
        """Passes on a piece of the value; `unsent` has what the host has not taken yet."""
        if not self.unsent:
            self._restart_clock()  # until now its client was waited for
        self.unsent = self.unsent + piece if self.unsent else piece
        if self._exchange is Exchange.TALKING:
            self._flush()

    def last_write(self) -> "Optional[Request]":
        """Returns the request under way, if it is a write."""
        return None if self._request is None or self._request.reads_only() else self._request

    def writers(self) -> Iterator[object]:
        """Yields the client for which a write is under way."""
        write = self.last_write()
        if write is not None and write.client is not None:
            yield write.client.owner

    def has_in_flight(self, write: object) -> bool:
        """Returns whether what `last_write` has returned is still under way."""
        return self._request is write

    def serves(self, transfer: object) -> bool:
        """Returns whether it is at work for this transfer."""
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
        """Writes; returns what the kernel did not take."""
        try:
            unsent: bytes = self.wire.write([data])
        except OSError as error:
            self._read_last_words(error.strerror or "write failed")
            return b""
        self._progress(len(data) - len(unsent))
        return unsent

    def _read_last_words(self, why: str) -> None:
        """Reads what is left of a connection that takes nothing more: the host may have refused the value, and closed,
        before it has read all of it."""
        request, self.unsent = self._request, b""
        self._read()
        if self._request is request:
            self.fail(o.LOST, why)

    def connected(self) -> None:
        """Sends what has waited for the connection."""
        self.host.tally.cells[self.host.tally.connections] += 1
        self._begin()

    def _taken(self) -> None:
        """Sends on: the host can take more, and so can what feeds it."""
        self._flush()
        if not self.unsent and self._request is not None:
            guarded(self._request, self._request.large_value.resume)

    def refused(self, why: str) -> None:
        """Fails the request, and marks the host down: a refused connection is news about the host."""
        self.fail(o.UNAVAILABLE, why)  # first: `mark_down` would fail it as one that was sent
        self.host.mark_down(Reason.REFUSES, why)

    # receiving ----------------------------------------------------------------------------------------------------

    def ready(self, mask: int) -> None:
        """Takes the poller's report."""
        if mask & OUT and self.unsent and self._exchange is Exchange.TALKING:
            self.loop.poller.want_write(self.wire.fd, False)
            self._taken()
        if mask & ~OUT:
            self._read()

    def resume(self) -> None:
        """Reads on, because the reader can take more: from here on the host is waited for again."""
        self._restart_clock()
        self._read()

    def _read(self) -> None:
        """Reads until nothing is left, the client takes no more, or others have their turn. It cannot tell that nothing
        is left from a short read: the report that said more may have come while the client took nothing."""
        turns = _TURNS
        while self.state is SocketState.OPEN and (self._reader is None or self._reader.can_take()):
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
                self.fail(o.LOST, "closed by the host" if not data else "a reply without a request")
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
        """Returns whether a value of this size is passed on in pieces. One that there is room for is taken as a whole:
        then its client may read it as slowly as it likes."""
        return size > LEAST and (size > self.host.buffer_size or not self.host.memory.takes(size))

    def _piece(self) -> int:
        """Returns how many bytes of a value are read at once."""
        return LEAST if self.host.memory.is_short else PIECE

    def holds(self) -> int:
        """Returns the bytes of a reply that is taken as a whole, those that are yet to come included."""
        return self._stream.known_size()

    def _learn(self, outcomes: bytes) -> None:
        """Takes the answer to `mn`."""
        if outcomes == o.HEADER:
            self._speaks_meta = True
            self._begin()
        else:
            self.refuse(NOT_SPOKEN)

    def _give_value(self, head: bytes) -> None:
        """Passes on the beginning of a large value."""
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

    def take(self, reader: "StreamReader") -> None:
        """Gives `reader` the reply, by `piece(data)`, then `ended(tail)` or `broken()`. It is asked `can_take()` before
        each piece, and calls `resume` when it can take more."""
        self._reader = reader

    def _pass_on(self) -> None:
        stream, request, reader = self._stream, self._request, self._reader
        piece = stream.piece()
        if piece:
            guarded(request, reader.piece, piece)
        if stream.place is Place.BOUNDARY and self._request is request:
            self._count(o.VALUE, 1, 0)
            self._put_back()
            guarded(request, reader.ended, stream.tail)

    def _finish(self, reply: bytes, outcomes: bytes) -> None:
        sink, request = self._sink, self._request
        self._count(outcomes, self._stream.hits, self._stream.misses)
        if request.large_value.is_fed() and not self.unsent and outcomes not in o.HOST_ERRORS:
            self._put_back()
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

    def _put_back(self) -> None:
        """Ends the exchange; the connection is good for another."""
        self._rest()
        self.host.streaming.put_back(self)

    def fail(self, code: bytes, why: str) -> None:
        """Ends the connection; what is under way fails, and whether a write was done is not known."""
        if self._request is not None:
            self.host.write_uncertain(self._request)
        self._end(code, why, self._result(code))

    def refuse(self, why: str) -> None:
        """Fails a request of which nothing was sent."""
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
        """Fails, after a bug of this program."""
        self.fail(o.LOST, "internal error")

    def close(self) -> None:
        """Closes the connection; no sink is told."""
        if self.state is SocketState.OPEN:
            self.host.tally.cells[self.host.tally.connections] -= 1
        if self._request is None or self._request.reads_only():
            self.disconnect()
        else:
            self.host.linger(self)
        self.unsent = b""
        self._rest()
        self.host.streaming.remove(self)
