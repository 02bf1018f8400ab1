"""Lanes: the connections to a host. A host has a fixed number of them; each client rides one, so that its reads see its
writes. A lane is a pipe with a memory: what was asked, in order.

    send ──► out ──(flush: one write a tick)──► host
      └────► inflight: (request, sink, since) ... ◄──(replies, in order)── host

Example: clients 7 and 9 ask in one tick. out = [a7, b9], inflight = [a7, b9]; one write. The host's answers arrive as
one read `A7 B9`: the cutter says where A7 ends, the head of inflight whose it is.

The timeout is the same for all, so inflight is its own timer: only its head can be due. A request that timed out stays
in its place (`expired` counts such): its late reply is cut and dropped, never given to the next. What cannot be matched
closes the lane; its requests fail over or fail.
"""

import collections
import logging
import random
from itertools import islice
from os import read
from typing import Any, Deque, List, Optional, Tuple

from ..proto import outcomes as o
from ..proto import results as r
from ..proto.replies import TOO_LARGE, ProtocolError, ReplyCutter
from ..proto.runs import Sizes
from .connection import Connection, State
from .loop import Timer
from .poller import GONE, IN, OUT
from .why import Why
from .writing import write

logger = logging.getLogger(__name__)

READ_SIZE = 130_816  # bytes; from 128 KB on, malloc maps memory for every read, at 8 µs each
_LARGE = 16384  # bytes; slices of so much are not copied where that can be avoided
_BACKOFF_FIRST, _BACKOFF_MOST = 0.05, 2.0  # seconds between attempts to connect

_STORED, _END = b"STORED\r\n", b"END\r\n"
_HIT, _MISS, _STORE = range(3)
_OUTCOME = (o.VALUE, o.MISS, o.STORED)

Entry = Tuple[Any, Any, float]  # (request, sink, since)


class Lane(Connection):
    """One upstream connection."""

    __slots__ = (
        "_again",
        "cutter",
        "expired",
        "failures",
        "held",
        "held_size",
        "host",
        "inflight",
        "out",
        "pieces",
        "pieces_size",
        "runs",
        "skipper",
        "skipping",
        "stretches",
        "timeouts",
        "unsent",
        "waiters",
    )

    def __init__(self, host: Any, stretches: Sizes) -> None:
        self.host = host
        super().__init__(host.loop)
        self.stretches = stretches
        self.failures = 0  # attempts to connect that failed in a row
        self._again: Optional[Timer] = None  # the next attempt
        self._fresh()

    def _fresh(self) -> None:
        self.out: List[bytes] = []
        self.unsent = b""  # what the kernel did not take yet
        self.inflight: Deque[Entry] = collections.deque()
        self.expired = 0  # entries at the head of inflight that have timed out
        self.timeouts = 0  # since it has last said anything
        self.runs = 0  # entries that are runs
        self.cutter = ReplyCutter(self.stretches)
        self.held: List[bytes] = []  # received, not verified: the reply they belong to is not all there
        self.held_size = 0
        self.pieces: List[Any] = []  # verified pieces of an unfinished reply
        self.pieces_size = 0
        self.skipping = False  # the reply at hand is too large: it passes, and none of it is kept
        self.skipper: Any = None  # the client who waits for that
        self.waiters: List[Any] = []  # clients that wait until the host reads on

    # connecting ---------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Starts to connect, unless that is under way or done, or the last failure is too fresh."""
        address = self.host.address
        if self.state is not State.DOWN or self._again is not None or address is None:
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
        self.flush()

    def refused(self, why: str) -> None:
        """The host does not take connections: that is news about the host, not just about this lane."""
        self.host.mark_down(Why.REFUSES, why)  # first: who fails over must not choose it again
        self.close(o.UNAVAILABLE, why)

    # sending ------------------------------------------------------------------------------------------------------

    def out_began(self) -> None:
        """The first bytes of a tick: be flushed at its end, and be connected."""
        self.loop.dirty_hosts.append(self)

    def flush(self) -> None:
        """Writes what the tick has collected, in one piece."""
        if self.state is not State.UP:
            self._flush_down()
            return
        out = self.out
        if self.unsent:
            return  # the kernel is full; its edge brings us back
        if not out:
            return
        self.out = []
        self.host.expect()
        try:
            self.unsent = write(self.fd, out)
        except OSError as error:
            self.lost(error.strerror or "write failed")
            return
        if self.unsent:
            self.loop.poller.want_write(self.fd, True)

    def _flush_down(self) -> None:
        self.host.expect()
        if self.state is State.DOWN:
            if self.host.reachable:
                self.connect()
            else:
                self.close(o.UNAVAILABLE, "it is unhealthy")

    # receiving ----------------------------------------------------------------------------------------------------

    def ready(self, mask: int) -> None:
        """Reads until the socket is drained; goes on writing."""
        if mask & OUT and self.unsent:
            self._on_writable()
        while mask & (IN | GONE) and self.state is State.UP:
            try:
                data = read(self.fd, READ_SIZE)
            except BlockingIOError:
                return
            except OSError as error:
                self.lost(error.strerror or "read failed")
                return
            if not data:
                self.lost("closed by the host")
                return
            self.received(data)
            if len(data) < READ_SIZE and not mask & GONE:
                return

    def stall(self, client: Any) -> None:
        """The host reads slowly: whoever asks it waits once enough has piled up; the others do not notice."""
        if len(self.unsent) + sum(map(len, self.out)) > self.host.buffer_size and client not in self.waiters:
            self.waiters.append(client)
            client.pause()

    def _on_writable(self) -> None:
        self.loop.poller.want_write(self.fd, False)
        self.out.insert(0, self.unsent)
        self.unsent = b""
        self.flush()
        if not self.unsent and self.waiters:
            waiters, self.waiters = self.waiters, []
            for client in waiters:
                client.resume()

    def received(self, data: bytes) -> None:
        """Cuts replies off what the host sent and gives each to whoever asked."""
        self.failures = self.timeouts = 0
        if not self.expired:  # an answer that comes too late is no sign of health
            self.host.timeouts = 0
        try:
            at = 0
            if self.held:
                data, at = self._unfinished(data)
            if at < len(data) and self.cutter.singles is not None and not (self.runs or self.expired or self.held):
                at = self._singles(data, at)
            if at < len(data):
                self._replies(data, at)
        except ProtocolError as error:
            self.lost(f"out of step: {error}")

    def _unfinished(self, data: bytes) -> Tuple[bytes, int]:
        """Completes what is held with the beginning of `data`; returns what is to be looked at, and from where.

        Of a read that ends one reply and begins others, the others are not copied.
        """
        missing = self.cutter.need - self.held_size + len(_END)  # which follows the value of a lone get
        self.held.append(data)
        self.held_size += len(data)
        if self.held_size < self.cutter.need:
                return data, len(data)
        if 0 < missing < len(data):
            self.held[-1] = data[:missing]
        first = b"".join(self.held)
        self.held = []
        if not 0 < missing < len(data):
            return first, 0
        self._replies(first, 0)
        if not self.held:
            return data, missing
        data = b"".join([*self.held, data[missing:]])
        self.held = []
        return data, 0

    def _singles(self, data: bytes, at: int) -> int:
        """Gives out the replies to lone gets and sets, of any number of clients, in one pass; returns how far it got.

        It takes the three plain outcomes; at anything else it stops.
        """
        inflight, tally, now = self.inflight, self.host.tally, self.loop.now
        start = at
        hits = misses = stored = 0  # of those that are answered as they come
        upstream = [0, 0, 0]  # of the others
        known = inflight[0][2] if inflight else now
        for reply, key in self.cutter.singles(data, at):
            if not inflight:
                break
            request, sink, since = inflight[0]
            if since != known:  # counted by the tick: most were sent together, 0.1 µs less each
                tally.lone((now - known) * 1000, (hits, misses, stored), upstream)
                known, hits, misses, stored, upstream = since, 0, 0, 0, [0, 0, 0]
            if key == request.word and (key or reply == _STORED):
                what = _HIT if key else _STORE
            elif reply == _END and request.word:
                what = _MISS
            else:
                break
            inflight.popleft()
            at += len(reply)
            if sink is not request:
                upstream[what] += 1
                sink.on_reply(reply, _OUTCOME[what])
                continue
            if key:
                hits += 1
            elif what == _STORE:
                stored += 1
            elif request.goes_on():
                upstream[what] += 1
                request.on_failure(self.host, reply, o.MISS)
                continue
            else:
                misses += 1
            request.client.answer(request, reply)
        tally.lone((now - known) * 1000, (hits, misses, stored), upstream)
        if at == start:
            self.cutter.singles = None  # not worth a try until lengths repeat again
        return at

    def _replies(self, data: bytes, at: int) -> None:
        """Gives out whatever replies there are from `at`; raises ProtocolError."""
        inflight, cutter, size = self.inflight, self.cutter, len(data)
        while at < size:
            if not inflight:
                raise ProtocolError(f"an answer that nobody asked for: {data[at : at + 60]!r}")
            request, sink, since = inflight[0]
            end = cutter.cut(data, at, request)
            if not cutter.done:
                if self._outgrown(request, at, end):
                    self._skip(request.client)
                    at = end
                    continue
                self._hold(data, at, end)
                return
            reply = self._whole(data, at, end, sink is request)
            at = end
            inflight.popleft()
            if len(request.kinds) > 1:
                self.runs -= 1
            self._answered(request, sink, since, reply, cutter.outcomes)
            if self.skipping:
                self._skipped()

    def _whole(self, data: bytes, at: int, end: int, direct: bool) -> Any:
        """The whole reply, by its last piece: bytes, or for a client to whom it goes as it is, a list of pieces."""
        if self.skipping:
            return TOO_LARGE
        if not self.pieces:
            return data[at:end] if end - at < _LARGE or not direct else memoryview(data)[at:end]
        pieces, self.pieces, self.pieces_size = self.pieces, [], 0
        pieces.append(data[at:end])
        return pieces if direct else b"".join(pieces)

    def _outgrown(self, request: Any, at: int, end: int) -> bool:
        """Whether an unfinished reply is more than should be held, and can be had in another way."""
        size = self.pieces_size + max(end + self.cutter.left, self.cutter.need) - at
        return (
            size > self.host.buffer_size
            and not self.skipping
            and request.repeatable()
            and request.client.may_ask_again()
        )

    def _skip(self, client: Any) -> None:
        """Lets the reply pass; the client will ask again, in a way that streams it (transfer.py)."""
        client.pause()  # until then it does nothing that should come later
        self.skipping, self.skipper = True, client
        self.pieces, self.pieces_size = [], 0

    def _skipped(self) -> None:
        self.skipping = False
        self._let_go()

    def _let_go(self) -> None:
        if self.skipper is not None:
            client, self.skipper = self.skipper, None
            client.resume()

    def _answered(self, request: Any, sink: Any, since: float, reply: Any, outcomes: bytes) -> None:
        """Counts a reply and gives it to who waits for it."""
        tally, kinds, ms = self.host.tally, request.kinds, (self.loop.now - since) * 1000
        tally.looked_up(self.cutter.values, self.cutter.misses)
        failed = tally.refused(kinds, outcomes)
        if self.expired:
            self.expired -= 1
            tally.answered(kinds, ms, tally.upstream)
        elif sink is not request or reply is TOO_LARGE:
            tally.answered(kinds, ms, tally.upstream)
            sink.on_reply(reply, outcomes)
        elif outcomes.translate(None, o.SUCCESS) and request.goes_on():
            tally.answered(kinds, ms, tally.upstream)
            request.on_failure(self.host, b"".join(reply) if type(reply) is list else bytes(reply), outcomes)
        else:
            tally.answered(kinds, ms, tally.direct)
            if failed:
                tally.cells[tally.request_errors] += failed
            if request.rendering is not None:
                reply = request.rendering.shown(reply, outcomes)
            if type(reply) is list:
                request.client.in_turn(request, reply)
            else:
                request.client.answer(request, reply)

    def _hold(self, data: bytes, at: int, end: int) -> None:
        """Keeps an unfinished reply: what is verified as a piece, the rest until enough more has come."""
        if end > at and not self.skipping:
            self.pieces.append(data[at:end] if end - at < _LARGE else memoryview(data)[at:end])
            self.pieces_size += end - at
        self.cutter.need = max(0, self.cutter.need - end)
        self.held = [data[end:]] if end < len(data) else []
        self.held_size = len(data) - end

    # failing ------------------------------------------------------------------------------------------------------

    def expire(self, due: float) -> None:
        """Answers requests that were sent before `due` and have waited long enough."""
        inflight = self.inflight
        while self.expired < len(inflight) and inflight is self.inflight:
            request, sink, since = inflight[self.expired]
            if since > due:
                break
            if self.state is State.UP:
                self.expired += 1
            else:
                self._drop_first()
            self.timeouts += 1
            self._let_go()  # it is the first that has timed out
            if self._may_be_done_elsewhere(request, sink):
                self.host.unsure(request)
            self._fail(request, sink, o.TIMEOUT, f"no reply within {self.host.timeout * 1000:.0f} ms", r.TIMEOUT)
            self.host.timed_out()
        if self.state is not State.UP:
            return
        if self.timeouts >= self.host.timeouts_until_tko:
            self.lost(f"{self.timeouts} timeouts in a row")  # the host's other connections may be well
        elif self.timeouts and self.waiters:
            self.lost("it does not take what it is sent")

    @staticmethod
    def _may_be_done_elsewhere(request: Any, sink: Any) -> bool:
        """Whether other hosts have it, or will; else its client is told that it failed, and knows no better."""
        return sink is not request or bool(request.goes_on())

    def _drop_first(self) -> None:
        """What has not been sent, and is not waited for any more, is not sent later: it would overtake newer writes."""
        if len(self.inflight.popleft()[0].kinds) > 1:
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
        if self.state is not State.UP:
            code, result = o.UNAVAILABLE, self._why_unsent()
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self.state is State.UP:
            self.host.tally.cells[self.host.tally.connections] -= 1
        if all(request.reads_only() for request, _sink, _since in self.inflight):
            self.hang_up()
        else:  # of writes that have timed out, too, the host may have the bytes
            for place, (request, sink, _since) in enumerate(self.inflight):
                self.host.unsure(request, place < self.expired and self._may_be_done_elsewhere(request, sink))
            self.host.linger(self)
        entries, waiters = list(self.inflight)[self.expired :], self.waiters
        self._let_go()
        self._fresh()
        for request, sink, _since in entries:
            self._fail(request, sink, code, why, result)
        for client in waiters:
            client.resume()

    def _why_unsent(self) -> int:
        """The result of what waits for a connection that does not come."""
        if self.late:
            return r.CONNECT_TIMEOUT
        return r.TKO if self.sock is None and not self.host.reachable else r.CONNECT_ERROR

    def load(self) -> Tuple[int, int]:
        """Requests that wait to be sent, and those that wait for their answers."""
        alive = len(self.inflight) - self.expired
        pending = min(len(self.out), alive) if self.state is State.UP else alive
        return pending, alive - pending

    def _fail(self, request: Any, sink: Any, code: bytes, why: str, result: int) -> None:
        count = len(request.kinds)
        self.host.tally.failed(request.kinds, result)
        text = self.host.style.failure(self.host.name, code, why)
        if sink is request:
            request.on_failure(self.host, text * count, code * count)
        else:
            sink.on_reply(text * count, code * count)


def backoff(failures: int, chance: random.Random) -> float:
    """Seconds to wait after so many failed attempts: doubling, with jitter so that routers do not march in step."""
    return min(_BACKOFF_MOST, _BACKOFF_FIRST * (1 << min(failures, 10))) * chance.uniform(0.5, 1.0)
