"""Clients: the listener that accepts them and the connection that serves one.

    read ──► parser ──► request ──► route ──► ... hosts ...
                          │                      │ on_reply, in any order
                          ▼                      ▼
                  queue: [r1 | r2 | r3]   r2 answered: waits for r1
                          │ r1 answered: r1 and r2 leave together
                          ▼
                  out ──(flush: one write a tick)──► client

Example: a client pipelines `get a`, `get b`, which go to two hosts. b's host answers first: r2 keeps its reply; when
a's host answers, both replies leave in one write, in the order asked.

A client is served in windows: it has at most `window` commands in flight, and none more while it does not read what it
was answered. The window follows the size of its replies, so that what is held for it stays about `buffer_size`.
"""

import collections
import enum
import errno
import logging
import os
import socket
from bisect import bisect_left
from typing import Any, Callable, Deque, Dict, List, Optional, Sequence

from ..proto.commands import COMMANDS
from ..proto.requests import Plan, Request, RequestParser
from ..proto.runs import RequestStretches, request_stretches
from .loop import PollGroup
from .poller import GONE, IN, OUT

logger = logging.getLogger(__name__)

READ_SIZE = 65536  # bytes; more costs 1 µs more a call, and pays only for large values
READ_MOST = 1 << 20
_WINDOW_FIRST, _WINDOW_MOST = 64, 1024  # commands in flight
_MANY_PIECES = 512  # reads that a backlog holds before they are put together: small ones cost memory
_LARGE_FLUSH = 65536  # bytes written at once that make the window worth a look
_ACCEPTS = 64  # connections accepted before others have their turn
_ACCEPT_PAUSE = 0.2  # seconds without accepting when descriptors have run out


class ClientState(enum.Enum):
    """OPEN -> ENDED (the client has said all) or DRAINING (we take no more): what was asked is answered -> CLOSED."""

    OPEN = "open"
    ENDED = "ended"
    DRAINING = "draining"
    CLOSED = "closed"


class ClientRequest(Request):
    """A client's request; the last sink of all."""

    __slots__ = ()

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """Takes the answer; it leaves when those before it have left."""
        client = self.client
        client.frontend.count(self)
        client.answer(self, b"" if self.mute and outcomes in self.mute else reply)


class Frontend:
    """What all clients of a poll group share: routes by command, the parser's plan, counters, limits."""

    def __init__(
        self,
        loop: PollGroup,
        cells: Any,
        bounds: Sequence[float],
        histograms: Sequence[int],
        clients_cell: int,
        accepted_cell: int,
        lanes: int = 2,
        buffer_size: int = 1 << 20,
    ) -> None:
        self.loop = loop
        self.cells = cells
        self.bounds = bounds
        self.histograms = histograms  # by command: first cell of its histogram
        self._clients_cell, self._accepted_cell = clients_cell, accepted_cell
        self.lanes = lanes
        self.buffer_size = buffer_size
        self.ways: List[Any] = []  # by command: the route
        self.plan = Plan()
        self.careful = False  # whether any route asks host after host
        self.stretches: RequestStretches = request_stretches()
        self.clients: Dict[int, Client] = {}
        self.listeners: List[Listener] = []
        self._accepted = 0
        self.on_empty: Optional[Callable[[], None]] = None  # called when no client is left

    def route(self, ways: Sequence[Any], plan: Plan) -> None:
        """Takes a policy: a route for each command of the table."""
        self.ways = [*ways, _Answered(), _Close()]
        self.plan = plan
        self.careful = any(way.goes_on for way in ways)

    def listen(self, sock: socket.socket) -> None:
        """Accepts clients from a listening socket."""
        self.listeners.append(Listener(self, sock))

    def adopt(self, sock: socket.socket) -> None:
        """Serves an accepted connection."""
        sock.setblocking(False)
        if sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = sock.detach()
        self._accepted += 1
        self.cells[self._accepted_cell] += 1
        self.cells[self._clients_cell] += 1
        client = self.clients[fd] = Client(self, fd, self._accepted % self.lanes)
        self.loop.watch(fd, client.on_event)

    def forget(self, client: "Client") -> None:
        """A client has gone."""
        del self.clients[client.fd]
        self.cells[self._clients_cell] -= 1
        if self.on_empty is not None and not self.clients:
            self.on_empty()

    def count(self, request: Request) -> None:
        """Counts an answered request or run."""
        kinds, cells = request.kinds, self.cells
        ms = (self.loop.now - request.started) * 1000
        bucket = bisect_left(self.bounds, ms)
        for kind in kinds if len(kinds) == 1 else set(kinds):
            count = kinds.count(kind)
            first = self.histograms[kind]
            cells[first + bucket] += count
            cells[first + len(self.bounds) + 1] += ms * count

    def drain(self) -> None:
        """Stops accepting; every client is closed as soon as what it asked is answered."""
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()
        for client in list(self.clients.values()):
            client.drain()
        if self.on_empty is not None and not self.clients:
            self.on_empty()

    def close(self) -> None:
        """Ends all connections at once."""
        self.drain()
        for client in list(self.clients.values()):
            client.abort()


class Client:
    """One client connection."""

    __slots__ = (
        "backlog",
        "backlog_size",
        "fd",
        "frontend",
        "hungry",
        "lane",
        "loop",
        "out",
        "parser",
        "paused",
        "queue",
        "readable",
        "state",
        "unsent",
        "window",
    )

    def __init__(self, frontend: Frontend, fd: int, lane: int) -> None:
        self.frontend = frontend
        self.loop = frontend.loop
        self.fd = fd
        self.lane = lane  # which of a host's connections it rides
        self.parser = RequestParser(ClientRequest, frontend.stretches, frontend.plan)
        self.state = ClientState.OPEN
        self.queue: Deque[Request] = collections.deque()
        self.out: List[bytes] = []
        self.unsent = b""
        self.backlog: Optional[List[bytes]] = None  # received, not parsed
        self.backlog_size = 0
        self.hungry = False  # the backlog is the beginning of a request: no use to parse it before more has come
        self.window = _WINDOW_FIRST
        self.paused = 0  # hosts that asked it to wait
        self.readable = False  # the poller said that there is something, and it was not all read

    def answer(self, request: Request, reply: bytes) -> None:
        """Takes a request's reply and lets everything leave whose turn has come."""
        request.reply = reply
        queue = self.queue
        if queue and queue[0] is request:
            out = self.out
            if not out:
                self.loop.dirty_clients.append(self)
            while queue:
                head: Any = queue[0].reply
                if head is None:
                    break
                out.append(head)
                queue.popleft()

    # reading ------------------------------------------------------------------------------------------------------

    def on_event(self, mask: int) -> None:
        """The poller's report."""
        if mask & OUT and self.unsent:
            self._on_writable()
        if mask & (IN | GONE):
            self.readable = True
            self._read(mask & GONE)

    def _stuck(self) -> bool:
        """Whether it must not be given more to do."""
        return bool(self.paused or self.unsent) or len(self.queue) >= self.window

    def _read(self, gone: int = 0) -> None:
        """Reads and parses until the socket is drained or the client has enough in flight."""
        while self.readable and self.state is ClientState.OPEN:
            if self.backlog is not None and not self.hungry:
                return
            size = READ_SIZE if self.backlog is None else self._read_size()
            try:
                data = os.read(self.fd, size)
            except BlockingIOError:
                self.readable = False
                return
            except OSError:
                self.abort()
                return
            if not data:
                self._ended()
                return
            if len(data) < size and not gone:
                self.readable = False
            self._received(data)

    def _read_size(self) -> int:
        """As much as is missing of a large value, so that it takes few reads."""
        return min(max(READ_SIZE, self.parser.need - self.backlog_size), READ_MOST)

    def _received(self, data: bytes) -> None:
        backlog, need = self.backlog, self.parser.need
        if backlog is not None:
            backlog.append(data)
            self.backlog_size += len(data)
            if self.backlog_size < need or (need < 0 and b"\n" not in data and self.backlog_size < -need):
                if len(backlog) > _MANY_PIECES:
                    backlog[:] = [b"".join(backlog)]
                return
            data = b"".join(backlog)
            self.backlog = None
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        """Hands the requests in `data` to their routes, as far as the window allows."""
        parser, queue, ways = self.parser, self.queue, self.frontend.ways
        room = self.window - (sum(len(request.kinds) for request in queue) if queue else 0)
        at, size, now = 0, len(data), self.loop.now
        while at < size:
            if room <= 0 or self.paused or self.unsent:
                self._keep(data, at, 0)
                self.hungry = False
                return
            request = parser.next(data, at, self, room)
            if request is None:
                self._keep(data, parser.at, parser.need)
                self.hungry = True
                return
            if queue and self.frontend.careful and self._must_wait(request):
                self._keep(data, at, 0)
                self.hungry = False
                return
            at = parser.at
            request.started = now
            queue.append(request)
            kinds = request.kinds
            room -= len(kinds)
            ways[kinds[0]].start(request, request)
            if self.state is ClientState.DRAINING or self.state is ClientState.CLOSED:
                return

    def _must_wait(self, request: Request) -> bool:
        """Whether an earlier request may yet be asked of another host, which must not have seen this one by then.

        `get k`, `set k` pipelined: when the get misses at the first host and goes on to the second, the set must not
        be there already, or the get would answer with a value from its future.
        """
        if request.kinds[0] >= len(COMMANDS):
            return False
        ways, reads, keys = self.frontend.ways, request.reads_only(), None
        for earlier in self.queue:
            if earlier.reply is None and ways[earlier.kinds[0]].goes_on and not (reads and earlier.reads_only()):
                keys = keys or set(request.all_keys())
                if not keys or not keys.isdisjoint(earlier.all_keys()):
                    return True
        return False

    def _keep(self, data: bytes, at: int, need: int) -> None:
        """Keeps what is not parsed, until `need` bytes (counted from the start of `data`) are there."""
        if at < len(data):
            self.backlog, self.backlog_size = [data[at:]], len(data) - at
        self.parser.need = need - at if need > 0 else need

    def _go_on(self) -> None:
        """After a stop: parses what was kept, then reads on."""
        if self.state is ClientState.DRAINING or self.state is ClientState.CLOSED or self._stuck():
            return
        if self.backlog is not None and not self.hungry:
            data = b"".join(self.backlog)
            self.backlog = None
            self._parse(data)
        self._read()

    def pause(self) -> None:
        """A host that it asked reads slowly: it gets nothing more to do until `resume`."""
        self.paused += 1

    def resume(self) -> None:
        """That host reads on, or has gone."""
        self.paused -= 1
        self.loop.call_soon(self._resumed)

    def _resumed(self) -> None:
        self._go_on()
        self._close_if_done()

    # writing ------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Writes what the tick has collected, in one piece."""
        out = self.out
        if self.unsent or not out:
            return
        data = out[0] if len(out) == 1 else b"".join(out)
        count = len(out)
        self.out = []
        if self._write(data):
            if len(data) > _LARGE_FLUSH:
                self._resize(len(data) // count)
            elif self.window < _WINDOW_MOST:
                self.window = min(_WINDOW_MOST, 2 * self.window)
            if self.readable or self.backlog is not None:
                self._go_on()
            if self.state is not ClientState.OPEN:
                self._close_if_done()

    def _resize(self, average: int) -> None:
        """Replies are large: fewer of them at a time."""
        self.window = max(1, min(self.window, self.frontend.buffer_size // average))

    def _write(self, data: bytes) -> bool:
        """Whether the kernel took it all."""
        try:
            sent = os.write(self.fd, data) if data else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self.abort()
            return False
        if sent == len(data):
            return True
        self.unsent = data[sent:]
        self.loop.poller.want_write(self.fd, True)
        return False

    def _on_writable(self) -> None:
        self.loop.poller.want_write(self.fd, False)
        data, self.unsent = self.unsent, b""
        if self.out:
            data += b"".join(self.out)
            self.out = []
        if self._write(data):
            self._go_on()
            self._close_if_done()

    # ending -------------------------------------------------------------------------------------------------------

    def _ended(self) -> None:
        """The client has said all it wants to say; it still gets what it asked for."""
        self.readable = False
        self.state = ClientState.ENDED
        self._close_if_done()

    def drain(self) -> None:
        """Takes nothing more from the client; closes when what it asked for is answered."""
        if self.state is not ClientState.CLOSED:
            self.state = ClientState.DRAINING
            self._close_if_done()

    def _close_if_done(self) -> None:
        if self.queue or self.out or self.unsent:
            return
        if self.state is ClientState.DRAINING or (
            self.state is ClientState.ENDED and (self.backlog is None or self.hungry)
        ):
            self.abort()

    def abort(self) -> None:
        """Closes the connection; answers that are still to come go nowhere."""
        if self.state is ClientState.CLOSED:
            return
        self.state = ClientState.CLOSED
        self.frontend.forget(self)
        self.loop.close_later(self.fd)
        self.queue.clear()
        self.out = []
        self.unsent = b""
        self.backlog = None


class _Answered:
    """The way of requests whose answer the parser knew."""

    goes_on = False

    def start(self, request: Any, sink: Any) -> None:
        """Answers at once."""
        sink.client.answer(sink, request.data)


class _Close:
    """The way of a request at which memcached hangs up."""

    goes_on = False

    def start(self, request: Any, sink: Any) -> None:
        """Closes when what was asked before is answered."""
        sink.client.answer(sink, b"")
        sink.client.drain()


class Listener:
    """A listening socket; accepts in portions, and pauses when the process has no descriptors left."""

    def __init__(self, frontend: Frontend, sock: socket.socket) -> None:
        self.frontend = frontend
        self.sock = sock
        self._closed = False
        sock.setblocking(False)
        frontend.loop.watch_listener(sock.fileno(), self.on_event)

    def on_event(self, _mask: int) -> None:
        """Accepts whoever waits."""
        for _ in range(_ACCEPTS):
            try:
                sock, _peer = self.sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._pause(error)
                    return
                continue  # that client has gone already (ECONNABORTED and its like)
            self.frontend.adopt(sock)

    def _pause(self, error: OSError) -> None:
        logger.error("cannot accept clients: %s; trying again in %s s", error.strerror, _ACCEPT_PAUSE)
        loop = self.frontend.loop
        loop.unwatch(self.sock.fileno())
        loop.call_later(_ACCEPT_PAUSE, self._again)

    def _again(self) -> None:
        if not self._closed:
            self.frontend.loop.watch_listener(self.sock.fileno(), self.on_event)

    def close(self) -> None:
        """Stops accepting. The socket is closed with the tick."""
        if not self._closed:
            self._closed = True
            self.frontend.loop.close_later(self.sock.detach())
