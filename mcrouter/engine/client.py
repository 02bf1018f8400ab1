"""One client's connection.

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

Most clients ask one thing and wait. `plain` says that there is nothing to see to: then a read that is one get or set
goes straight to the lane that its route would choose anyway, and its reply straight to the socket.
"""

import enum
from os import read
from os import write as write_one
from typing import Any, List, Optional

from ..logs import get_logger
from ..proto.guard import guarded_failure
from ..proto.replies import TOO_LARGE
from ..proto.requests import Request, RequestParser, lone
from .asker import Asker, ClientRequest
from .bulk import PIECE
from .handover import MOST
from .memory import weight
from .poller import IN, OUT, READ_ON
from .transfer import Download, Upload
from .writing import write_pieces

logger = get_logger(__name__)

# Bytes read at first, and from who has more to say. From 128 KB on, malloc maps memory for every read, at 8 µs each.
_READ_SIZE, _READ_MORE = 16384, 130816
FIRST_WINDOW, _WINDOW_MOST = 4, 1024  # commands in flight
_TURNS = 8  # reads of one event; a client that sends without end must not have the router for itself
_MANY_PIECES = 512  # reads that a backlog holds before they are put together: small ones cost memory
_READABLE = IN | OUT  # what epoll says of a connection that has something and can take something
_LARGE = 16384  # bytes; slices of so much are not copied
_LARGE_FLUSH = 65536  # bytes written at once that make the window worth a look


class ClientState(enum.Enum):
    """OPEN -> ENDED (the client has said all) or DRAINING (we take no more): what was asked is answered -> CLOSED.

    LEAVING: nothing more is read, and as soon as all is answered the client goes to another process.
    """

    OPEN = "open"
    LEAVING = "leaving"
    ENDED = "ended"
    DRAINING = "draining"
    CLOSED = "closed"


class Client(Asker):
    """One client connection."""

    __slots__ = (
        "average",
        "backlog",
        "backlog_size",
        "counted",
        "direct",
        "fd",
        "held",
        "hungry",
        "out",
        "parser",
        "paused",
        "plain",
        "quiet",
        "read_size",
        "readable",
        "reads_on",
        "state",
        "transfer",
        "unsent",
        "window",
    )

    can_wait = True

    def __init__(self, frontend: Any, fd: int, lane: int) -> None:
        super().__init__(frontend, lane)
        self.fd = fd
        self.direct = frontend.direct[lane]
        self.parser = RequestParser(
            ClientRequest, frontend.stretches, frontend.plan, frontend.buffer_size, frontend.style
        )
        self.transfer: Any = None  # a large value on its way
        self.state = ClientState.OPEN
        self.out: List[Any] = []  # pieces of bytes
        self.unsent: Any = b""
        self.backlog: Optional[List[Any]] = None  # received, not parsed
        self.backlog_size = 0
        self.hungry = False  # the backlog is the beginning of a request: no use to parse it before more has come
        self.window = frontend.first_window
        self.average = 0  # bytes of a piece of what it got last; 0: not known
        self.paused = 0  # hosts that asked it to wait
        self.readable = False  # the poller said that there is something, and it was not all read
        self.reads_on = False  # to the end each time: it ends, or short reads prove nothing (poller.py)
        self.held = False  # it holds too much: it is not read
        self.quiet = 0  # looks at it since it last did something
        self.counted = 0  # bytes that it holds, or more: memory.py
        self.plain = True
        self.read_size = _READ_SIZE

    def read_on(self) -> None:
        """A short read is never taken for a proof that nothing is left."""
        self.reads_on = True
        self.plain = False

    # the short way ------------------------------------------------------------------------------------------------

    def on_event(self, mask: int) -> None:
        """The poller's report."""
        if mask != _READABLE or not self.plain or self.queue:
            self._on_event(mask)
            return
        try:
            data = read(self.fd, self.read_size)
        except BlockingIOError:
            return
        except OSError:
            self.abort()
            return
        request = lone(data, self, ClientRequest)
        lane = None
        if request is not None:
            lane = self.direct[request.kinds[0]]
            if lane is None:
                keyed = self.frontend.keyed[request.kinds[0]]
                try:
                    host = keyed.first(request) if keyed is not None else None
                    lane = host.lanes[self.lane] if host is not None else None
                except Exception:  # a bug of ours: on the long way its exception is the request's own
                    logger.exception("unexpected error; the request takes the long way")
        if lane is None or len(data) == self.read_size:
            self._on_read(data, self.read_size)
            self._read()
            self._settle()
            return
        request.started = now = self.loop.now
        self.queue.append(request)
        if not lane.out:
            lane.out_began()
        lane.out.append(data)
        lane.inflight.append((request, request, now))

    def answer(self, request: Request, reply: bytes) -> None:
        """Takes a request's reply and lets everything leave whose turn has come."""
        queue = self.queue
        if self.plain and len(queue) == 1 and queue[0] is request and reply:
            queue.popleft()
            try:
                sent = write_one(self.fd, reply)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.abort()
                return
            if sent != len(reply):
                self._resize(len(reply))
                self._rest(reply[sent:])
            return
        self.in_turn(request, reply)

    def in_turn(self, request: Request, reply: Any) -> None:
        """Takes a request's reply, bytes or a list of pieces; it leaves with the tick, after those before it."""
        request.reply = reply
        queue = self.queue
        if queue and queue[0] is request:
            out = self.out
            if not out:
                self.plain = False
                self.loop.dirty_clients.append(self)
            while queue:
                head: Any = queue[0].reply
                if head is None:
                    break
                if head is TOO_LARGE:
                    self._download()
                    break
                if type(head) is list:
                    out += head
                else:
                    out.append(head)
                queue.popleft()

    def _settle(self) -> None:
        """After anything out of the ordinary: whether all is plain again. What was kept because enough was in flight
        waits for its answers; if those have been given at once, nobody else looks at it."""
        if self.backlog is not None and not (self.hungry or self.queue or self.out or self.unsent or self.paused):
            self.loop.call_soon(self._resumed)
        self.plain = (
            self.state is ClientState.OPEN
            and self.backlog is None
            and not (self.out or self.unsent or self.paused or self.readable or self.held or self.reads_on)
            and self.parser.at_boundary()
        )

    # reading ------------------------------------------------------------------------------------------------------

    def _on_event(self, mask: int) -> None:
        self.quiet = 0
        if mask & OUT and self.unsent:
            self._on_writable()
        if mask & (IN | READ_ON):
            self.readable = True
            self.reads_on = self.reads_on or mask & READ_ON != 0
            self._read()
        self._settle()

    def _stuck(self) -> bool:
        """Whether it must not be given more to do."""
        return bool(self.paused or self.unsent or self.is_to_ask_again()) or len(self.queue) >= self.window

    def _may_read(self) -> bool:
        """Whether there is something that it may be read of now."""
        waits = self.backlog is not None and not self.hungry
        return self.readable and self.state is ClientState.OPEN and not (self.transfer or self.held or waits)

    def _read(self) -> None:
        """Reads and parses until the socket is drained, the client has enough in flight, or others have their turn."""
        turns = _TURNS
        while self._may_read():
            if not turns:
                self.go_on_later()
                return
            turns -= 1
            size = self._read_size()
            try:
                data = read(self.fd, size)
            except BlockingIOError:
                self.readable = False
                return
            except OSError:
                self.abort()
                return
            self._on_read(data, size)
        if self.transfer is not None:
            self._read_value(self.transfer)

    def _read_value(self, transfer: Any) -> None:
        """Reads as much of a large value as its hosts can take, or until others have their turn."""
        turns = _TURNS
        while self.readable and self.transfer is transfer:
            wanted = transfer.wanted()
            if not wanted or (self.held and transfer.held_back()):
                return
            if not turns:
                self.go_on_later()
                return
            turns -= 1
            try:
                data = read(self.fd, min(wanted, PIECE))
            except BlockingIOError:
                self.readable = False
                return
            except OSError:
                data = b""
            if not data:
                self.abort()
                return
            transfer.feed(data)

    def _on_read(self, data: bytes, size: int) -> None:
        """Takes what a read of at most `size` bytes gave. Less than that means drained (poller.py)."""
        self.readable = len(data) == size or self.reads_on
        if len(data) == size:
            self.read_size = _READ_MORE
        if data:
            self._received(data)
        else:
            self._ended()

    def _read_size(self) -> int:
        return self.read_size if self.backlog is None else _READ_MORE

    def _received(self, data: bytes) -> None:
        backlog, need = self.backlog, self.parser.need
        if backlog is not None:
            backlog.append(data)
            self.backlog_size += len(data)
            self.frontend.memory.grew(len(data))
            if self.backlog_size < need or (need < 0 and b"\n" not in data and self.backlog_size < -need):
                if len(backlog) > _MANY_PIECES:
                    backlog[:] = [b"".join(backlog)]
                return
            self._complete(backlog, need - self.backlog_size + len(data))
        else:
            self._parse(data)

    def _complete(self, backlog: List[Any], missing: int) -> None:
        """Parses a backlog whose last read brought what was missing. Of what came with it nothing is copied."""
        self.backlog, data = None, backlog[-1]
        if not 0 < missing < len(data):
            self._parse(b"".join(backlog))
            return
        backlog[-1] = data[:missing]
        self._parse(b"".join(backlog))
        if self.backlog is not None or self.transfer is not None:
            self._keep(data, missing, 0)
        elif self.state is ClientState.OPEN:
            self._parse(data, missing)

    def _parse(self, data: bytes, at: int = 0) -> None:
        """Hands the requests in `data` from `at` on to their routes, as far as the window allows."""
        parser, queue, ways = self.parser, self.queue, self.frontend.ways
        window = self.frontend.memory.window(self) if self.frontend.memory.is_short else self.window
        weights, run_weight = self.frontend.weights, self.frontend.run_weight
        room = window - (sum(len(r.words or r.kinds) * weights[r.kinds[0]] for r in queue) if queue else 0)
        size, now = len(data), self.loop.now
        while at < size:
            if room <= 0 or self.paused or self.unsent or (self._asks_again and self.is_to_ask_again()):
                self._keep(data, at, 0)
                self.hungry = False
                return
            request = parser.next(data, at, self, room if run_weight == 1 else room // run_weight + 1)
            if request is None:
                self._keep(data, parser.at, parser.need)
                self.hungry = True
                return
            if queue and self.frontend.careful and self.must_wait(request):
                self._keep(data, at, 0)
                self.hungry = False
                return
            if request.bulk is not None and queue:  # it travels alone
                self._keep(data, at, 0)
                self.hungry = False
                return
            at = parser.at
            request.started = now
            queue.append(request)
            kinds = request.kinds
            room -= len(request.words or kinds) * weights[kinds[0]]
            if request.bulk is not None:
                self._upload(request, data[at:])
                return
            try:
                ways[kinds[0]].start(request, request)
            except Exception:
                guarded_failure(request)
            if self.state is ClientState.DRAINING or self.state is ClientState.CLOSED:
                return

    def _keep(self, data: bytes, at: int, need: int) -> None:
        """Keeps what is not parsed, until `need` bytes (counted from the start of `data`) are there."""
        if at < len(data):
            rest = data[at:] if len(data) - at < _LARGE else memoryview(data)[at:]
            if self.backlog is None:
                self.backlog, self.backlog_size = [], 0
            self.backlog.append(rest)
            self.backlog_size += len(rest)
            self.frontend.memory.grew(len(rest))
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
        self.plain = False

    def resume(self) -> None:
        """That host reads on, or has gone."""
        self.paused -= 1
        self.loop.call_soon(self._resumed)

    def _resumed(self) -> None:
        self._go_on()
        self._close_if_done()
        self._settle()

    # large values ---------------------------------------------------------------------------------------------------

    def _upload(self, request: Request, data: bytes) -> None:
        """Begins to pass on a large value, of which `data` has the first bytes."""
        self.pause()
        transfer = self.transfer = Upload(self, request, self.frontend.ways[request.kinds[0]])
        rest = transfer.feed(data)
        if rest and self.state is not ClientState.CLOSED:
            self._keep(rest, 0, 0)
            self.hungry = False
        self.go_on_later()

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """The same as of any asker; a transfer takes the failure of its own request."""
        if self.transfer is not None and self.transfer.serves(request):
            self._let_go(request.origin or request)
            self.transfer.fail(request, reply, outcomes)
        else:
            super().fail(request, reply, outcomes)

    def will_ask_again(self, request: Request) -> None:
        """The same as of any asker; from here on the client takes the long way."""
        super().will_ask_again(request)
        self.plain = False

    def too_large(self, request: Request) -> None:
        """The reply to a request is too large to be held: it is asked again when its turn has come."""
        self.pause()
        self.window = 1
        request.reply = TOO_LARGE
        if self.queue and self.queue[0] is request:
            self._download()

    def _download(self) -> None:
        request = self.queue[0]
        self.transfer = Download(self, request, self.frontend.ways[request.kinds[0]])
        self.loop.call_soon(self.transfer.next)

    def put(self, data: bytes) -> None:
        """Sends some of a large reply."""
        self.out.append(data)
        if not self.unsent:
            out, self.out = self.out, []
            self._write(out)

    def transferred(self, request: Request, reply: bytes) -> None:
        """A transfer has its answer; `reply` is what the client has yet to get of it."""
        if self.state is not ClientState.CLOSED:
            self.frontend.count(request)
            self.answer(request, reply)

    def transfer_over(self, transfer: Any) -> None:
        """Nobody is at work on it any more: the client may go on."""
        if self.transfer is transfer:
            self.transfer = None
            self.resume()

    def is_gone(self) -> bool:
        """Whether there is nobody any more to answer."""
        return self.state is ClientState.CLOSED

    def go_on_later(self) -> None:
        """A host can take more of what the client sends."""
        self.loop.call_soon(self._go_on_reading)

    def _go_on_reading(self) -> None:
        self._read()
        self._settle()

    # writing ------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Writes what the tick has collected, in one piece."""
        if self.unsent or not self.out:
            return
        out, self.out = self.out, []
        size = sum(map(len, out))
        self.average = 1 + size // len(out)
        if size > _LARGE_FLUSH:
            self._resize(self.average)
        if self._write(out):
            if self.window < _WINDOW_MOST and size <= _LARGE_FLUSH:
                self.window = min(_WINDOW_MOST, 2 * self.window)
                self.frontend.first_window = min(FIRST_WINDOW, self.frontend.first_window + 1)
            if self.readable or self.backlog is not None:
                self._go_on()
            if self.state is not ClientState.OPEN:
                self._close_if_done()
        self._settle()

    def _resize(self, average: int) -> None:
        """Replies are large: fewer of them at a time. Those of clients that come now may be large, too."""
        self.window = max(1, min(self.window, self.frontend.buffer_size // average))
        self.frontend.first_window = min(FIRST_WINDOW, self.window)

    def _write(self, pieces: List[Any]) -> bool:
        """Whether the kernel took it all."""
        try:
            unsent = write_pieces(self.fd, pieces)
        except OSError:
            self.abort()
            return False
        if unsent:
            self.out = unsent[1:]  # there is nothing in it: what it had is in `pieces`
            self._rest(unsent[0])
        return not unsent

    def _rest(self, unsent: Any) -> None:
        """The kernel did not take all: the rest goes when it can."""
        self.plain = False
        self.unsent = unsent
        self.loop.poller.want_write(self.fd, True)

    def _on_writable(self) -> None:
        self.loop.poller.want_write(self.fd, False)
        out = [self.unsent, *self.out]
        self.unsent, self.out = b"", []
        if self._write(out):
            if self.transfer is not None:
                self.transfer.go_on()
            self._go_on()
            self._close_if_done()

    # limits -------------------------------------------------------------------------------------------------------

    def looked_at(self) -> int:
        """How often this has been asked since it did something, or waited: for an answer, or for memory (`held`). One
        that does not read what it was answered waits for nothing. The next event takes the long way, where that is
        noticed."""
        waits = bool(self.queue or self.held) and not self.unsent
        sends = self.transfer is not None and self.transfer.wanted()  # the rest of a large value is awaited from it
        self.quiet = 0 if waits and not sends else self.quiet + 1
        self.plain = False
        return self.quiet

    def may_hold(self, size: int) -> bool:
        """Whether a reply of this size may be kept for it, while memory is short. What comes behind a reply that is
        asked for again could not leave before that."""
        return not self.is_to_ask_again() and self.frontend.memory.admits(self, size)

    def has_begun(self) -> int:
        """Bytes of requests that have not come to their end, and of which no host has any."""
        held_back: int = self.transfer.held_back() if self.transfer is not None else 0
        return held_back + (self.backlog_size if self.backlog is not None else 0)

    def holds(self) -> int:
        """Bytes that are held for it: what it has not said to the end, what it has not read, and what its routes have
        got and not given yet."""
        held = self.backlog_size if self.backlog is not None else 0
        if self.unsent or self.out:
            held += weight([self.unsent, *self.out])
        if self.transfer is not None:
            held += self.transfer.holds()
        for request in self.queue:
            held += weight(request.reply) if request.reply is not None else getattr(request, "gathered", 0)
        return held

    def hold(self, held: bool) -> None:
        """Whether it is to wait, so that others can go on."""
        self.held = held
        self.quiet = 0
        if self.state is not ClientState.CLOSED and not held:
            self.loop.call_soon(self._resumed if self.transfer is None else self._go_on_reading)

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
            self.plain = False
            self._close_if_done()

    def leave(self) -> None:
        """Goes to the process that comes after this one, at once or when that is possible."""
        if self.state is ClientState.OPEN:
            self.state = ClientState.LEAVING
            self.plain = False
        self._close_if_done()

    def _leave_now(self) -> None:
        begun = b"".join(self.backlog) if self.backlog is not None else b""
        if self.paused or len(begun) > MOST or not self.parser.at_boundary():  # a long request is read to its end here
            self.state = ClientState.OPEN
            self._read()
            self._settle()
        elif self.frontend.leaving.give(self.fd, begun):
            self.abort()

    def begin(self, data: bytes) -> None:
        """Takes what another process has read of this client's next request."""
        self._received(data)
        self._settle()

    def _close_if_done(self) -> None:
        if self.queue or self.out or self.unsent:
            return
        if self.state is ClientState.LEAVING:
            if self.backlog is None or self.hungry:
                self._leave_now()
        elif self.state is ClientState.DRAINING or (
            self.state is ClientState.ENDED and (self.backlog is None or self.hungry)
        ):
            self.abort()

    def abort(self) -> None:
        """Closes the connection; answers that are still to come go nowhere."""
        if self.state is ClientState.CLOSED:
            return
        self.state = ClientState.CLOSED
        self.plain = False
        self.frontend.forget(self)
        self.loop.close_later(self.fd)
        if self.transfer is not None:
            self.transfer.cancel()
            self.transfer = None
        self.queue.clear()
        self.out = []
        self.unsent = b""
        self.backlog = None
