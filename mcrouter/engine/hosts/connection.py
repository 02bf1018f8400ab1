"""Lanes: the connections to a host. A host has a fixed number of them; each client rides one, so that its reads see its
writes. A lane is a pipe with a memory: what was asked, in order.

    send ──► out ──(flush: one write a tick)──► host
      └────► inflight: (request, sink, since) ... ◄──(replies, in order)── host

Example: clients 7 and 9 ask in one tick. out = [a7, b9], inflight = [a7, b9]; one write. The host's answers arrive as
one read `A7 B9`: the cutter says where A7 ends, the head of inflight whose it is.

The timeout is the same for all, so inflight is its own timer: only its head can be due. A request that timed out stays
in its place (`expired` counts such): its late reply is cut and dropped, never given to the next. What cannot be matched
closes the lane; its requests fail over or fail. Where in the host's stream the next byte is, proto.host.stream knows.

An exception in a callback costs its own request alone: every call of a sink is guarded (proto/guard.py).

"""

import collections
import math
import random
from itertools import islice
from typing import Any, Callable, Deque, List, Optional, Tuple

from ...proto import outcomes as o
from ...proto import results as r
from ...proto.commands import COMMANDS, LINES
from ...proto.guard import guarded, guarded_failure
from ...proto.host.stream import HostStream
from ...proto.replies import ProtocolError, without_values
from ...proto.reply import TOO_LARGE, joined
from ...proto.request import STORING
from ...proto.runs import PatternCache
from ...system.logs import get_logger
from ..clients.memory import weight
from ..loop import Timer
from ..poller import GONE, IN, OUT, READ_ON
from .meta_check import MetaCheck
from .reason import Reason
from .socket import HostSocket, SocketState

logger = get_logger(__name__)

_READS = 16  # of one event; a host that floods the router must not have it for itself
READ_SIZE = 130_816  # bytes; from 128 KB on, malloc maps memory for every read, at 8 µs each
_BACKOFF_FIRST, _BACKOFF_MOST = 0.05, 2.0  # seconds between attempts to connect

_STORED, _END = b"STORED\r\n", b"END\r\n"
_SMALL = 1000  # bytes; a reply of so many or less is kept even while memory is short
_LITTLE = 200  # bytes; a reply of so many or less that a route keeps is not counted
_HIT, _MISS, _STORE = range(3)
_DISTRUSTED = o.ERROR + o.CLIENT_ERROR
_OUTCOME = (o.VALUE, o.MISS, o.STORED)

Entry = Tuple[Any, Any, float]  # (request, sink, since)


class HostConnection(HostSocket):
    """One upstream connection."""

    __slots__ = (
        "_again",
        "_followers",
        "expired",
        "failures",
        "flooded",
        "host",
        "inflight",
        "leaves_out",
        "memory",
        "meta",
        "out",
        "patterns",
        "runs",
        "skipper",
        "stream",
        "timeouts",
        "unsent",
        "waiters",
    )

    def __init__(self, host: Any, patterns: PatternCache) -> None:
        self.host = host
        super().__init__(host.loop)
        self.memory = host.memory
        self.patterns = patterns
        self.failures = 0  # attempts to connect that failed in a row
        self._again: Optional[Timer] = None  # the next attempt
        self._fresh()

    def _fresh(self) -> None:
        self.out: List[bytes] = []
        self.unsent = b""  # what the kernel did not take yet
        self.inflight: Deque[Entry] = collections.deque()
        self.expired = 0  # entries at the head of inflight that have timed out
        self.timeouts = 0  # since it has last said anything
        self.flooded = -math.inf  # when a read was last as long as could be
        self.runs = 0  # entries that are runs
        self.stream = HostStream(self.patterns)
        self.leaves_out = False  # there is no memory for the reply that passes, and it is not asked for again
        self.skipper: Any = None  # the client of a reply that passes because it is too large
        self.meta = MetaCheck(self)
        self._followers: List[Tuple[Any, Callable[[], None]]] = []  # see `when_done`
        self.waiters: List[Any] = []  # clients that wait until the host reads on

    # connecting ---------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Starts to connect, unless that is under way or done, or the last failure is too fresh."""
        address = self.host.address
        if self.state is not SocketState.DOWN or self._again is not None or address is None:
            return
        if self.failures:
            self._again = self.loop.call_later(backoff(self.failures, self.loop.chance), self._connect_now)
        else:
            self._connect_now()

    def _connect_now(self) -> None:
        self._again = None
        self.open(self.host.address, self.host.connect_timeout)

    def connected(self) -> None:
        """Sends what has waited for it."""
        self.host.tally.cells[self.host.tally.connections] += 1
        self.meta.connected()
        self.flush()

    def refused(self, why: str) -> None:
        """The host does not take connections: that is news about the host, not just about this lane."""
        self.host.mark_down(Reason.REFUSES, why)  # first: who fails over must not choose it again
        self.close(o.UNAVAILABLE, why)

    def is_up(self) -> bool:
        """Whether it is connected."""
        return self.state is SocketState.UP

    # sending ------------------------------------------------------------------------------------------------------

    def out_began(self) -> None:
        """The first bytes of a tick: be flushed at its end, and be connected."""
        self.loop.dirty_hosts.append(self)

    def flush(self) -> None:
        """Writes what the tick has collected, in one piece."""
        if self.state is not SocketState.UP:
            self._flush_down()
            return
        if self.unsent:
            return  # the kernel is full; its edge brings us back
        out, self.out = self.meta.split(self.out)
        if not out:
            return
        self.host.expect()
        try:
            self.unsent = self.wire.write(out)
        except OSError as error:
            self._read_last_words(error.strerror or "write failed")
            return
        if self.unsent:
            self.loop.poller.want_write(self.wire.fd, True)

    def _read_last_words(self, why: str) -> None:
        """The host takes nothing more; what it said before that still counts: a host may refuse a request, and close,
        before it has read all of it."""
        stream = self.stream
        self.ready(GONE)
        if self.stream is stream:
            self.lost(why)

    def _flush_down(self) -> None:
        self.host.expect()
        if self.state is SocketState.DOWN:
            if self.host.reachable:
                self.connect()
            else:
                self.close(o.UNAVAILABLE, "it is unhealthy")

    # receiving ----------------------------------------------------------------------------------------------------

    def ready(self, mask: int) -> None:
        """Reads until the socket is drained; goes on writing."""
        if mask & OUT and self.unsent:
            self._on_writable()
        reads = _READS
        while mask & (IN | READ_ON) and self.state is SocketState.UP:
            if not reads:
                self.loop.call_soon(lambda: self.ready(mask & ~OUT))  # others have their turn
                return
            reads -= 1
            try:
                data = self.wire.recv(READ_SIZE)  # read() in place: a call and a tuple less
            except BlockingIOError:
                return
            except OSError as error:
                self.lost(error.strerror or "read failed")
                return
            if not data:
                self.lost("closed by the host")
                return
            if len(data) == READ_SIZE:
                self.flooded = self.loop.now
            self.received(data)
            if len(data) < READ_SIZE and not mask & self.wire.read_on:
                return

    def stall(self, client: Any) -> None:
        """The host reads slowly: a client that asks it waits once enough has piled up; the others do not notice."""
        if self.is_full() and client not in self.waiters:
            self.waiters.append(client)
            client.pause()

    def _on_writable(self) -> None:
        self.loop.poller.want_write(self.wire.fd, False)
        self.out.insert(0, self.unsent)
        self.meta.barrier += 1
        self.unsent = b""
        self.flush()
        if not self.unsent and self.waiters:
            waiters, self.waiters = self.waiters, []
            for client in waiters:
                client.resume()

    def is_full(self) -> bool:
        """Whether the host reads so slowly that enough waits to be sent."""
        return bool(len(self.unsent) + sum(map(len, self.out)) > self.host.buffer_size)

    def received(self, data: bytes) -> None:
        """Cuts replies off what the host sent and gives each to the sink of its request."""
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
            self.lost(f"out of step: {error}")
        if self._followers:
            self._call_followers()

    def _singles(self, data: bytes) -> int:
        """Gives out the replies to lone gets and sets, of any number of clients, in one pass; returns how far it got.

        It takes the three plain outcomes; at anything else it stops.
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
        """Gives out the replies of which all has come; raises ProtocolError. A callback may end the connection: then
        the stream is another."""
        while stream.more and self.stream is stream:
            if not self.inflight:
                raise ProtocolError(f"an answer that nobody asked for: {stream.ahead()!r}")
            request, sink, since = self.inflight[0]
            reply = stream.next(request, sink is request)
            if reply is None:
                size = stream.known_size()
                if size > self.host.buffer_size:
                    self._outgrown(request)
                elif size and self.memory.is_short and not self._may_keep(request, size):
                    self._put_off(request)
                return
            self.inflight.popleft()
            if len(request.commands) > 1:
                self.runs -= 1
            if self.skipper is not None:
                self._let_go()
            failed = self._answered(request, sink, since, reply)
            if failed and self.stream is stream and _breaks_trust(request, stream.outcomes):
                self.lost("a store was answered with an error: its data may have been taken for commands")

    def _may_keep(self, request: Any, size: int) -> bool:
        """Whether a reply may be held, while memory is short."""
        client = request.client
        if client is None or self.expired > 0 or client.is_background or size <= _SMALL:
            self.memory.arrived += size
            return True
        return bool(client.may_hold(size))

    def _outgrown(self, request: Any) -> None:
        """Lets a reply pass that is too large to be held, if its client can have it in another way: it asks again, in
        one that streams it (large_values.py). Until then the client does nothing that should come later. A reply that
        has timed out passes, too: no sink takes it. Statistics do not announce their size, and must have an end."""
        if self.expired:
            self.stream.skip()
        elif COMMANDS[request.commands[0]].reply == LINES:
            raise ProtocolError("statistics without an end")
        else:
            self._put_off(request)

    def _put_off(self, request: Any) -> None:
        """Lets a reply pass that will be asked for again; one that cannot be is kept, if there is room for it."""
        client = request.client
        if client is None or client.is_background:
            self.stream.skip()
        elif request.repeatable() and client.may_ask_again(request):
            client.pause()
            client.will_ask_again(request)
            self.stream.skip()
            self.skipper = client
        elif not self.memory.has_room(self.stream.known_size()):
            self.stream.skip()
            self.leaves_out = True

    def _let_go(self) -> None:
        if self.skipper is not None:
            client, self.skipper = self.skipper, None
            client.resume()

    def _answered(self, request: Any, sink: Any, since: float, reply: Any) -> int:
        """Counts a reply and gives it to the sink; returns how many of its commands got an error line."""
        stream, tally, commands, ms = self.stream, self.host.tally, request.commands, (self.loop.now - since) * 1000
        outcomes = stream.outcomes
        tally.looked_up(stream.hits, stream.misses)
        failed: int = tally.refused(commands, outcomes)
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

    def _left_out(self, request: Any, reply: Any, outcomes: bytes) -> Tuple[Any, bytes]:
        """What takes the place of a reply for which there is no memory: it is asked for again when its turn has come,
        or, where that cannot be and nothing is left, each value in it becomes an error."""
        client = request.client
        if request.repeatable() and client.may_ask_again(request):
            client.will_ask_again(request)
            return TOO_LARGE, outcomes
        if self.memory.takes(weight(reply)):
            return reply, outcomes
        return without_values(reply, request.commands, outcomes)

    # who waits for its writes -----------------------------------------------------------------------------------------

    def last_write(self) -> Optional[Entry]:
        """The last write in flight."""
        return next((entry for entry in reversed(self.inflight) if not entry[0].reads_only()), None)

    def has_in_flight(self, entry: Entry) -> bool:
        """Whether that entry of `inflight` is still there."""
        return any(one is entry for one in self.inflight)

    def owes(self, client: Any) -> bool:
        """Whether a write of this client is yet to be done here, whichever host has answered it."""
        owner = client.owner
        return any(
            request.client is not None and request.client.owner is owner and not request.reads_only()
            for request, _sink, _since in self.inflight
        )

    def when_done(self, client: Any, call: Callable[[], None]) -> None:
        """Calls once the host has done all that this client has written here, or never will; at once where it has."""
        if self.owes(client):
            self._followers.append((client, call))
        else:
            call()

    def _call_followers(self) -> None:
        waiting, self._followers = self._followers, []
        for client, call in waiting:
            self.when_done(client, call)

    # failing ------------------------------------------------------------------------------------------------------

    def expire(self, due: float) -> None:
        """Answers requests that were sent before `due` and have waited long enough."""
        inflight = self.inflight
        stream = self.stream
        while self.expired < len(inflight) and self.stream is stream:
            request, sink, since = inflight[self.expired]
            if since > due:
                break
            if self.state is SocketState.UP:
                self.expired += 1
            else:
                self._drop_first()
            self._let_go()  # it is the first that has timed out
            if self.host.may_be_done_elsewhere(request, sink):
                self.host.write_uncertain(request)
            self.fail_one(request, sink, o.TIMEOUT, f"no reply within {self.host.timeout * 1000:.0f} ms", r.TIMEOUT)
            if self.flooded <= due:  # else its replies are there, or on their way, but others come first
                self.timeouts += 1
                self.host.timed_out()
        if self.state is not SocketState.UP:
            return
        if self.timeouts >= self.host.timeouts_until_tko:
            self.lost(f"{self.timeouts} timeouts in a row")  # the host's other connections may be well
        elif self.timeouts and self.waiters:
            self.lost("it does not take what it is sent")

    def _drop_first(self) -> None:
        """What has not been sent, and is not waited for any more, is not sent later: it would overtake newer writes."""
        if len(self.inflight.popleft()[0].commands) > 1:
            self.runs -= 1
        del self.out[0]

    def owes_writes(self) -> bool:
        """Whether a write that has timed out may yet be done."""
        late = islice(self.inflight, self.expired)
        return any(not request.reads_only() for request, _sink, _since in late)

    def lost(self, why: str) -> None:
        """The connection broke."""
        if self.inflight:
            logger.warning("host %s: connection lost with %d requests in flight: %s", self.host.name,
                           len(self.inflight), why)  # fmt: skip
        else:
            logger.debug("host %s: connection lost: %s", self.host.name, why)
        self.close(o.LOST, why)
        if self.host.reachable:
            self.connect()
            self.failures += 1  # until a reply comes: a host that hangs up at once is not asked in a loop

    def abort(self) -> None:
        """After a bug of ours: start over."""
        self.lost("internal error")

    def retire(self) -> None:
        """Lets go of the connection; what is in flight fails over or fails."""
        self.close(o.LOST, "its address changed")
        self.connect()

    def close(self, code: bytes, why: str) -> None:
        """Ends the connection; everything in flight fails with `code`, or as never sent."""
        result = r.REMOTE_ERROR
        if self.state is not SocketState.UP:
            code, result = o.UNAVAILABLE, self._why_unsent()
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self.state is SocketState.UP:
            self.host.tally.cells[self.host.tally.connections] -= 1
        if all(request.reads_only() for request, _sink, _since in self.inflight):
            self.disconnect()
        else:  # of writes that have timed out, too, the host may have the bytes
            for place, (request, sink, _since) in enumerate(self.inflight):
                self.host.write_uncertain(
                    request, place < self.expired and self.host.may_be_done_elsewhere(request, sink)
                )
            self.host.linger(self)
        entries, waiters, followers = list(self.inflight)[self.expired :], self.waiters, self._followers
        self.inflight.clear()  # a loop over it ends
        self._let_go()
        self._fresh()
        for request, sink, _since in entries:
            self.fail_one(request, sink, code, why, result)
        for client in waiters:
            client.resume()
        for _client, call in followers:
            call()

    def _why_unsent(self) -> int:
        """The result of what waits for a connection that does not come."""
        if self.late:
            return r.CONNECT_TIMEOUT
        return r.TKO if self.state is SocketState.DOWN and not self.host.reachable else r.CONNECT_ERROR

    def load(self) -> Tuple[int, int]:
        """Requests that wait to be sent, and those that wait for their answers."""
        alive = len(self.inflight) - self.expired
        pending = min(len(self.out), alive) if self.state is SocketState.UP else alive
        return pending, alive - pending

    def fail_one(self, request: Any, sink: Any, code: bytes, why: str, result: int) -> None:
        """Gives a sink the failure of its request, which is not in flight any more; `result` is for the counters."""
        count = len(request.commands)
        self.host.tally.failed(request.commands, result)
        text = self.host.style.failure(self.host.name, code, why)
        if sink is request:
            guarded(request, request.on_failure, self.host, text * count, code * count)
        else:
            guarded(request, sink.on_reply, text * count, code * count)


def _breaks_trust(request: Any, outcomes: bytes) -> bool:
    """Whether a store was refused. A host that knows all that passes the gate never says so; one that does may have
    taken the data for commands, and their answers are on their way."""
    return any(kind in STORING and code in _DISTRUSTED for kind, code in zip(request.commands, outcomes))


def backoff(failures: int, chance: random.Random) -> float:
    """Seconds to wait after so many failed attempts: doubling, with jitter so that routers do not march in step."""
    return min(_BACKOFF_MOST, _BACKOFF_FIRST * (1 << min(failures, 10))) * chance.uniform(0.5, 1.0)
