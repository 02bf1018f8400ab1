"""The reading half of a connection to a host: bytes come, each reply goes to the sink of its request.

    host ──read──► stream (proto/host/stream.py) ──► reply ──► sink of the head of inflight, or its client

What cannot be matched with a request closes the connection; its requests fail over or fail. An exception in a callback
costs its own request alone: every call of a sink is guarded (proto/guard.py).
"""

from typing import TYPE_CHECKING, Any

from ....proto import outcomes as o
from ....proto.guard import guarded, guarded_failure
from ....proto.host.stream import HostStream
from ....proto.replies import ProtocolError, without_values
from ....proto.reply import TOO_LARGE, joined
from ....proto.request import STORING
from ...clients.memory import weight
from ...poller import IN, OUT, READ_ON
from .reply_memory import ReplyMemory
from .socket import SocketState

if TYPE_CHECKING:
    from ....proto.reply import WholeReply
    from ....proto.request import Request
    from ...seams import ConnectedHost

_READS = 16  # of one event; a host that floods the router must not have it for itself
READ_SIZE = 130_816  # bytes; from 128 KB on, malloc maps memory for every read, at 8 µs each
_STORED, _END = b"STORED\r\n", b"END\r\n"
_LITTLE = 200  # bytes; a reply of so many or less that a route keeps is not counted
_HIT, _MISS, _STORE = range(3)
_DISTRUSTED = o.ERROR + o.CLIENT_ERROR
_OUTCOME = (o.VALUE, o.MISS, o.STORED)


class HostInbox(ReplyMemory):
    """A connection as a thing that gives replies."""

    __slots__ = ("failures",)

    def __init__(self, host: "ConnectedHost") -> None:
        super().__init__(host)
        self.failures = 0  # attempts to connect that failed in a row

    def ready(self, mask: int) -> None:
        """Takes the poller's report: writes on, and reads until the socket is drained."""
        if mask & OUT and self.unsent:
            self.on_writable()
        reads = _READS
        while mask & (IN | READ_ON) and self.state is SocketState.OPEN:
            if not reads:
                self.loop.call_soon(lambda: self.ready(mask & ~OUT))  # others have their turn
                return
            reads -= 1
            try:
                data = self.wire.recv(READ_SIZE)  # read() in place: a call and a tuple less
            except BlockingIOError:
                return
            except OSError as error:
                self.restart(error.strerror or "read failed")
                return
            if not data:
                self.restart("closed by the host")
                return
            if len(data) == READ_SIZE:
                self.flooded = self.loop.now
            self.received(data)
            if len(data) < READ_SIZE and not mask & self.wire.read_on:
                return

    def received(self, data: bytes) -> None:
        """Takes a read: gives each reply that is complete to the sink of its request."""
        self.failures = self.timeouts = 0
        if not self.expired:  # an answer that comes too late is no sign of health
            self.host.timeouts = 0
        stream, memory = self.stream, self.memory
        if not memory.is_short:  # else what is kept is counted where that is decided
            memory.arrived += len(data)  # grew() in place
            if memory.arrived > memory.step:
                memory.look()
        try:
            quick = stream.singles is not None and not (self.runs or self.expired or memory.is_short)
            at = self._singles(data) if quick else 0
            if at < len(data) and self.stream is stream:
                stream.receive(data, at)
                self._replies(stream)
        except ProtocolError as error:
            self.restart(f"out of step: {error}")
        if self.followers:
            self.call_followers()

    def _singles(self, data: bytes) -> int:
        """Gives out replies to single gets and sets, of any number of clients, in one pass; returns where it stopped.

        It takes a value, END and STORED, and stops at anything else.
        """
        inflight, tally, now = self.inflight, self.host.tally, self.loop.now
        at = hits = misses = stored = 0  # of those that are answered as they come
        upstream = [0, 0, 0]  # of the others
        known = inflight[0][2] if inflight else now
        for reply, key in self.stream.singles(data):
            if not inflight:
                break
            request, sink, since = inflight[0]
            if since != known:  # counted by the tick: most were sent together, 0.1 µs less each
                tally.count_single((now - known) * 1000, (hits, misses, stored), upstream)
                known, hits, misses, stored, upstream = since, 0, 0, 0, [0, 0, 0]
            if key == request.key and (key or reply == _STORED):
                what = _HIT if key else _STORE
            elif reply == _END and request.key:
                what = _MISS
            else:
                break
            inflight.popleft()
            at += len(reply)
            try:  # guarded() in place: a call less for each of the most common replies
                if sink is not request:
                    upstream[what] += 1
                    if len(reply) > _LITTLE:
                        request.client.owner.gather(request, len(reply))
                    sink.on_reply(reply, _OUTCOME[what])
                    continue
                if key:
                    hits += 1
                elif what == _STORE:
                    stored += 1
                elif request.may_ask_another_host():
                    upstream[what] += 1
                    request.on_failure(self.host, reply, o.MISS)
                    continue
                else:
                    misses += 1
                request.client.deliver(request, reply)  # counted below, and never rendered
            except Exception:
                guarded_failure(request)
        tally.count_single((now - known) * 1000, (hits, misses, stored), upstream)
        if not at:
            self.stream.stop_singles()
        return at

    def _replies(self, stream: HostStream) -> None:
        """Gives out the replies that are complete. Raises ProtocolError. A callback may close the connection: then it
        has another stream."""
        while stream.more and self.stream is stream:
            if not self.inflight:
                raise ProtocolError(f"a reply without a request: {stream.ahead()!r}")
            request, sink, since = self.inflight[0]
            reply = stream.next(request, sink is request)
            if reply is None:
                size = stream.known_size()
                if size > self.host.buffer_size:
                    self._too_large(request)
                elif size and self.memory.is_short and not self._may_keep(request, size):
                    self._ask_again_later(request)
                return
            self.inflight.popleft()
            if len(request.commands) > 1:
                self.runs -= 1
            if self.skips_for is not None:
                self.end_skip()
            failed = self._answered(request, sink, since, reply)
            if failed and self.stream is stream and _breaks_trust(request, stream.outcomes):
                self.restart("a store was answered with an error: its data may have been taken for commands")

    def _answered(self, request: Any, sink: Any, since: float, reply: "WholeReply") -> int:
        """Counts a reply and gives it to the sink; returns how many of its commands got an error line."""
        stream, tally, commands, ms = self.stream, self.host.tally, request.commands, (self.loop.now - since) * 1000
        outcomes = stream.outcomes
        tally.looked_up(stream.hits, stream.misses)
        failed = tally.refused(commands, outcomes)
        if self.leaves_out:
            self.leaves_out = False
            reply, outcomes = without_values(None, commands, outcomes)
        elif self.memory.is_short and reply is not TOO_LARGE and not self._may_keep(request, weight(reply)):
            reply, outcomes = self._left_out(request, reply, outcomes)
        if self.expired:
            self.expired -= 1
            tally.answered(commands, ms, tally.upstream)
            if sink is self.meta:
                sink.on_reply(reply, outcomes)
        elif sink is not request or reply is TOO_LARGE:
            tally.answered(commands, ms, tally.upstream)
            if len(reply) > _LITTLE and sink is not self.meta:
                request.client.owner.gather(request, len(reply))
            guarded(request, sink.on_reply, reply, outcomes)
        elif outcomes.translate(None, o.SUCCESS) and request.may_ask_another_host():
            tally.answered(commands, ms, tally.upstream)
            guarded(request, request.on_failure, self.host, joined(reply), outcomes)
        else:
            tally.answered(commands, ms, tally.direct)
            if failed:
                tally.cells[tally.request_errors] += failed
            try:  # guarded() in place
                request.client.answer(request, reply, outcomes, True)
            except Exception:
                guarded_failure(request)
        return failed


def _breaks_trust(request: "Request", outcomes: bytes) -> bool:
    """Returns whether a store was refused. A host that knows all that passes the gate never refuses one; a host that
    does may have taken the data for commands, and their answers are on their way."""
    return any(kind in STORING and code in _DISTRUSTED for kind, code in zip(request.commands, outcomes))
