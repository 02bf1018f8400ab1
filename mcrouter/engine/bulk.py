"""A bulk lane: one exchange at a time, for values too large to be held.

Shared lanes carry whole requests and replies, so that nobody on them waits for somebody's slow reading or writing. A
value of more than `buffer_size` travels in pieces instead, on a connection that its client has for itself, and that
can therefore wait for it:

    large set:   client ──piece──► every lane that the route chose; the next piece when all of them have taken it
    large get:   lane ──piece──► client; the next piece when the client has taken it
"""

import os
from typing import Any, Callable, List, Set

from ..proto import outcomes as o
from ..proto import results as r
from ..proto.replies import ProtocolError, ReplyCutter, value_ahead
from .connection import Connection, State
from .poller import OUT
from .why import Why

PIECE = 1 << 18  # bytes; the most that is held of a value on one side
_IDLE_MOST = 4  # bulk lanes of a host that are kept for the next


class BulkLane(Connection):
    """One exchange: `start` gives the sink a reply, as bytes or, for a large value, as this lane.

    Who gets the lane must `take` it before `on_reply` returns, else it is closed: somebody else's reply has won.
    """

    __slots__ = (
        "_at",
        "_changes",
        "_cutter",
        "_held",
        "_left",
        "_reader",
        "_request",
        "_since",
        "_sink",
        "_tail",
        "host",
        "unsent",
    )

    def __init__(self, host: Any) -> None:
        super().__init__(host.loop)
        self.host = host
        self.unsent = b""
        self._idle()

    def _idle(self) -> None:
        self._request: Any = None
        self._sink: Any = None
        self._reader: Any = None
        self._held = b""
        self._changes: List[Callable[[bytes], bytes]] = []
        self._at = 0  # how far `_held` is verified
        self._left = 0  # bytes of the value, and what comes before it, that are yet to come
        self._tail = b""  # what must come after it
        self._since = self.loop.now

    # asking -------------------------------------------------------------------------------------------------------

    def start(self, request: Any, sink: Any) -> None:
        """Asks. The rest of the request, where there is one, comes by `send`."""
        self._request, self._sink, self._since = request, sink, self.loop.now
        self._cutter = ReplyCutter(self.host.stretches)
        self.host.bulk.busy.add(self)
        self.host.expect()
        self.unsent = request.data
        if self.state is State.UP:
            self._flush()
        else:
            self.open(self.host.address, self.host.connect_timeout)

    def send(self, piece: bytes) -> None:
        """Passes on a piece of the value. `unsent` says that it has not been taken yet."""
        self.unsent = self.unsent + piece if self.unsent else piece
        if self.state is State.UP:
            self._flush()

    def serves(self, transfer: Any) -> bool:
        """Whether it is at work for this transfer."""
        return self._request is not None and self._request.bulk is transfer

    def _flush(self) -> None:
        try:
            sent = os.write(self.fd, self.unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.fail(o.LOST, error.strerror or "write failed")
            return
        if sent:
            self._since = self.loop.now
        self.unsent = self.unsent[sent:]
        if self.unsent:
            self.loop.poller.want_write(self.fd, True)

    def connected(self) -> None:
        """Sends what has waited."""
        self.host.tally.cells[self.host.tally.connections] += 1
        self._taken()

    def _taken(self) -> None:
        """The host can take more: so can whoever feeds it."""
        self._flush()
        if not self.unsent and self._request is not None:
            self._request.bulk.go_on()

    def refused(self, why: str) -> None:
        """News about the host too."""
        self.fail(o.UNAVAILABLE, why)
        self.host.mark_down(Why.REFUSES, why)

    # receiving ----------------------------------------------------------------------------------------------------

    def ready(self, mask: int) -> None:
        """The poller's report."""
        if mask & OUT and self.unsent:
            self.loop.poller.want_write(self.fd, False)
            self._taken()
        if mask & ~OUT:
            self.go_on()

    def go_on(self) -> None:
        """Reads as long as the host has something and the client takes it. The edge may have passed: so it asks."""
        while self.state is State.UP and (self._reader is None or self._reader.can_take()):
            try:
                data = os.read(self.fd, min(self._left, PIECE) or PIECE)
            except BlockingIOError:
                return
            except OSError as error:
                self.fail(o.LOST, error.strerror or "read failed")
                return
            if not data or self._request is None:
                self.fail(o.LOST, "closed by the host" if not data else "an answer that nobody asked for")
                return
            self._since = self.loop.now
            self._received(data)

    def _received(self, data: bytes) -> None:
        try:
            if self._left:
                self._left -= len(data)
                self._reader.piece(data)
            elif self._reader is not None:
                self._end(data)
            else:
                self._begin(data)
        except ProtocolError as error:
            self.fail(o.LOST, f"out of step: {error}")

    def _begin(self, data: bytes) -> None:
        """The beginning of a reply: a small one is cut, a large one streamed."""
        self._held += data
        size, self._tail = value_ahead(self._held, self._request)
        if size > len(self._held) and size > PIECE:
            self._stream(size)
            return
        self._at = self._cutter.cut(self._held, self._at, self._request)
        if self._cutter.done:
            if self._at < len(self._held):
                raise ProtocolError("more than the reply")
            self._finish(self._held, self._cutter.outcomes)

    def _stream(self, size: int) -> None:
        head, self._held = self._held, b""
        self._left = size - len(head)
        self._changes = []
        self._sink.on_reply(self, o.VALUE)
        if self._reader is None:
            self.close()
            return
        for change in self._changes:
            head = change(head)
        self._reader.piece(head)

    def begin_with(self, change: Callable[[bytes], bytes]) -> None:
        """Has the beginning of the reply go through `change`; who passes the reply on calls it before."""
        self._changes.append(change)

    def take(self, reader: Any) -> None:
        """`reader` gets the reply by `piece(data)`, then `ended(tail)` or `broken()`; it is asked `can_take()` before
        each piece, and calls `go_on` when it can take more."""
        self._reader = reader

    def _end(self, data: bytes) -> None:
        self._held += data
        if not self._tail.startswith(self._held):
            raise ProtocolError(f"a value that does not end where its length says: {self._held[:20]!r}")
        if self._held == self._tail:
            self._count(o.VALUE, 1, 0)
            reader, tail = self._reader, self._tail
            self._rest()
            reader.ended(tail)

    def _finish(self, reply: bytes, outcomes: bytes) -> None:
        cutter, sink, request = self._cutter, self._sink, self._request
        self._count(outcomes, cutter.values, cutter.misses)
        if request.bulk.is_fed():
            self._rest()
        else:
            self.close()  # an early no: the rest of the value has no use here
        sink.on_reply(reply, outcomes)
        request.bulk.go_on()

    def _count(self, outcomes: bytes, hits: int, misses: int) -> None:
        tally, kinds = self.host.tally, self._request.kinds
        tally.answered(kinds, (self.loop.now - self._request.started) * 1000, tally.upstream)
        tally.looked_up(hits, misses)
        tally.refused(kinds, outcomes)

    # ending -------------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """The exchange is over, and the connection good for another."""
        self._idle()
        self.host.bulk.rested(self)

    def is_due(self, due: float) -> bool:
        """Whether the host has let it wait since `due`."""
        if self._since > due or self.state is not State.UP:
            return False  # a connection that does not open has a timer of its own
        if self._reader is not None:
            return bool(self._reader.can_take())
        return bool(self.unsent) or self._request.bulk.is_fed()

    def fail(self, code: bytes, why: str) -> None:
        """Ends the connection; what is under way fails."""
        request, sink, reader = self._request, self._sink, self._reader
        self.close()
        if request is None:
            return
        self.host.tally.failed(request.kinds, self._result(code))
        self.host.unsure(request)
        if reader is not None:
            reader.broken()
        else:
            sink.on_reply(self.host.style.failure(self.host.name, code, why), code)
            request.bulk.go_on()

    def _result(self, code: bytes) -> int:
        if code == o.UNAVAILABLE:
            return r.CONNECT_TIMEOUT if self.late else r.CONNECT_ERROR
        return r.TIMEOUT if code == o.TIMEOUT else r.REMOTE_ERROR

    def abort(self) -> None:
        """After a bug of ours."""
        self.fail(o.LOST, "internal error")

    def close(self) -> None:
        """Ends the connection without a word."""
        if self.state is State.UP:
            self.host.tally.cells[self.host.tally.connections] -= 1
        if self._request is None or self._request.reads_only():
            self.hang_up()
        else:
            self.host.linger(self)
        self.unsent = b""
        self._idle()
        self.host.bulk.forget(self)


class BulkLanes:
    """A host's bulk lanes: those at work and a few that wait for some."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self.busy: Set[BulkLane] = set()
        self._resting: List[BulkLane] = []

    def send(self, request: Any, sink: Any) -> None:
        """Asks the host for something that is too large for the shared lanes."""
        host = self._host
        if not request.bulk.may_start():
            host.tally.spared(request.kinds, r.LOCAL_ERROR)
            sink.on_reply(b"SERVER_ERROR mcrouter: too large to be sent again\r\n", o.UNAVAILABLE)
        elif host.address is None:
            why = "its name does not resolve"
            host.tally.spared(request.kinds, r.CONNECT_ERROR)
            sink.on_reply(host.style.failure(host.name, o.UNAVAILABLE, why), o.UNAVAILABLE)
        else:
            lane = self._resting.pop() if self._resting else BulkLane(host)
            request.bulk.lanes.append(lane)
            lane.start(request, sink)

    def rested(self, lane: BulkLane) -> None:
        """A lane that has done its work."""
        self.busy.discard(lane)
        if len(self._resting) < _IDLE_MOST:
            self._resting.append(lane)
        else:
            lane.close()

    def forget(self, lane: BulkLane) -> None:
        """A lane that is closed."""
        self.busy.discard(lane)
        if lane in self._resting:
            self._resting.remove(lane)

    def expire(self, due: float) -> int:
        """Fails those that the host has let wait since `due`; how many."""
        late = [lane for lane in self.busy if lane.is_due(due)]
        for lane in late:
            lane.fail(o.TIMEOUT, f"no reply within {self._host.timeout * 1000:.0f} ms")
        return len(late)

    def close(self, why: str) -> None:
        """Ends them all; what is under way fails."""
        for lane in [*self.busy, *self._resting]:
            lane.fail(o.LOST, why)
