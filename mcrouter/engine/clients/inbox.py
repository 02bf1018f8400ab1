"""The reading half of a client's connection: bytes become requests, which go to their routes, as the window allows.

    socket ──read──► stream (proto/client/stream.py) ──► request ──► route

It stops while enough is in flight, while a host asks the client to wait, and while the client does not read its
replies.
"""

from typing import TYPE_CHECKING, Any, Optional, Union

from ...proto.client.parser import RequestParser
from ...proto.client.stream import ClientPlace, ClientStream
from ...proto.guard import guarded_failure
from ..hosts.connections.streaming import PIECE
from ..poller import IN, OUT, READ_ON
from ..stream import SocketStream
from .memory import REQUEST
from .outbox import (
    ASKS_AGAIN,
    BACKLOG,
    COLLECTED,
    IDLE_CHECKED,
    PAUSED,
    READABLE,
    READS_ON,
    THROTTLED,
    UNSENT,
    ClientOutbox,
    ClientState,
)
from .source import ClientRequest

if TYPE_CHECKING:
    from ..seams import Shared
    from .large_values import Download, Upload

_READ_SIZE = 16384  # bytes
_READ_MORE = 130816  # from a client with more to say; from 128 KB on, malloc maps memory for each read, at 8 µs
_KEY = 60  # bytes that a key of a request in flight takes, about
_MANY, _LARGE = 100, 4096  # keys, and bytes, of a request that is counted
_TURNS = 8  # reads of one event; then other connections have their turn
_BOUNDARY, _WITHIN, _WAITING, _SWALLOWING = ClientPlace
_CLOSED, _DRAINING, _OPEN = ClientState.CLOSED, ClientState.DRAINING, ClientState.OPEN


class ClientInbox(ClientOutbox):
    """A client's connection as a source of requests."""

    __slots__ = ("idle_checks", "pauses", "read_size", "stream", "transfer")

    can_wait = True

    def __init__(self, frontend: "Shared", wire: SocketStream, connection_number: int) -> None:
        super().__init__(frontend, wire, connection_number)
        self.stream = ClientStream(
            RequestParser(ClientRequest, frontend.patterns, frontend.plan, frontend.buffer_size, frontend.style)
        )
        self.transfer: Optional[Union[Download, Upload]] = None  # a large value on its way
        self.pauses = 0  # how many hosts, or others, have asked it to wait
        self.idle_checks = 0  # checks since it last did something
        self.read_size = _READ_SIZE

    def begin_upload(self, request: ClientRequest) -> None:
        """Starts the upload of a large value, of which the stream has the first bytes."""
        raise NotImplementedError

    def ended(self) -> None:
        """Notes that the client has closed its side."""
        raise NotImplementedError

    def close_if_done(self) -> None:
        """Closes the connection, or hands it over, when all requests are answered and all replies are sent."""
        raise NotImplementedError

    # reading ------------------------------------------------------------------------------------------------------

    def on_any_event(self, mask: int) -> None:
        """Takes the poller's report, on the general way."""
        self.idle_checks = 0
        self.blocks &= ~IDLE_CHECKED
        if mask & OUT and self.unsent:
            self.on_writable()
        if mask & (IN | READ_ON):
            self.blocks |= READABLE | (READS_ON if mask & self.wire.read_on else 0)
            self.read_requests()
        self.settle()

    def settle(self) -> None:
        """Makes sure that a backlog is looked at again: it waits for replies, and if these have come already, no later
        event would lead back to it. Called after anything on the general way."""
        if self.stream.place is _WAITING and not (self.queue or self.blocks & (COLLECTED | UNSENT | PAUSED)):
            self.loop.call_soon(self.resumed)

    def _is_stuck(self) -> bool:
        """Returns whether no further request may be started."""
        return self.blocks & (PAUSED | UNSENT | ASKS_AGAIN) != 0 or len(self.queue) >= self.window

    def _may_read(self) -> bool:
        """Returns whether the socket has something, and may be read now."""
        if self.blocks & (READABLE | THROTTLED) != READABLE or self.state is not _OPEN:
            return False
        return self.transfer is None and self.stream.place is not _WAITING

    def read_requests(self) -> None:
        """Reads and parses until the socket is drained, enough is in flight, or other connections have their turn."""
        turns = _TURNS
        while self._may_read():
            if not turns:
                self.read_more_later()
                return
            turns -= 1
            size = _READ_MORE if self.blocks & BACKLOG else self.read_size
            if self.frontend.memory.is_short:
                size = min(size, _READ_SIZE)
            try:
                data = self.recv(size)
            except BlockingIOError:
                self.blocks &= ~READABLE
                return
            except OSError:
                self.abort()
                return
            self.take_read(data, size)
        transfer: Any = self.transfer  # a Download wants nothing
        if transfer is not None:
            self._read_value(transfer)

    def _read_value(self, transfer: "Upload") -> None:
        """Reads as much of a large value as its hosts can take, or until other connections have their turn."""
        turns = _TURNS
        while self.blocks & READABLE and self.transfer is transfer:
            wanted = transfer.wanted()
            if not wanted or (self.blocks & THROTTLED and transfer.held_back()):
                return
            if not turns:
                self.read_more_later()
                return
            turns -= 1
            try:
                data = self.recv(min(wanted, PIECE))
            except BlockingIOError:
                self.blocks &= ~READABLE
                return
            except OSError:
                data = b""
            if not data:
                self.abort()
                return
            transfer.feed(data)

    def take_read(self, data: bytes, size: int) -> None:
        """Takes the result of a read of at most `size` bytes. A shorter one means that the socket is drained
        (stream.py)."""
        if len(data) == size:
            self.read_size = _READ_MORE
            self.blocks |= READABLE
        elif not self.blocks & READS_ON:
            self.blocks &= ~READABLE
        if not data:
            self.ended()
            return
        known = len(self.queue)
        self.stream.receive(data)
        self.parse()
        memory = self.frontend.memory
        # Grew() in place; negative when some have left.
        memory.arrived += len(data) + REQUEST * (len(self.queue) - known)
        if memory.arrived > memory.step:
            memory.look()
        if memory.is_short and self.stream.place is _WITHIN:
            memory.read_of(self)

    def parse(self) -> None:
        """Starts the requests that are there, as far as the window allows."""
        self._start_requests()
        if self.stream.place is _BOUNDARY:
            self.blocks &= ~BACKLOG
        else:
            self.blocks |= BACKLOG

    def _start_requests(self) -> None:
        stream, queue, frontend = self.stream, self.queue, self.frontend
        routes_by_command, weights, run_weight = frontend.routes_by_command, frontend.weights, frontend.run_weight
        room = frontend.memory.window(self) if frontend.memory.is_short else self.window
        if queue:
            room -= sum(len(r.expected or r.commands) * weights[r.commands[0]] for r in queue)
        now = self.loop.now
        while True:
            if room <= 0 or self.blocks & (PAUSED | UNSENT | ASKS_AGAIN):
                stream.wait()
                return
            request = stream.next(self, room if run_weight == 1 else room // run_weight + 1)
            if request is None:
                return
            # A large value travels alone.
            if queue and (request.large_value is not None or (frontend.needs_ordering and self.must_wait(request))):
                stream.put_back()
                stream.wait()
                return
            request.started = now
            queue.append(request)
            commands = request.commands
            taken = len(request.expected or commands)
            room -= taken * weights[commands[0]]
            if taken > _MANY or len(request.data) > _LARGE:
                # Gather() in place: the request has just begun to wait.
                request.gathered = len(request.data) + _KEY * taken
                self.held_bytes += request.gathered
            if request.large_value is not None:
                self.begin_upload(request)
                return
            try:
                routes_by_command[commands[0]].start(request, request)
            except Exception:
                guarded_failure(request)
            if self.state is _DRAINING or self.state is _CLOSED:
                return

    def read_more(self) -> None:
        """Continues after a stop: starts requests of the backlog, then reads."""
        if self.state is _DRAINING or self.state is _CLOSED or self._is_stuck():
            return
        if self.stream.place is _WAITING:
            self.parse()
        self.read_requests()

    def pause(self) -> None:
        """Starts no further request until `resume`: a host reads slowly, or other work of this client must end
        first."""
        self.pauses += 1
        self.blocks |= PAUSED

    def resume(self) -> None:
        """Ends one `pause`."""
        self.pauses -= 1
        if not self.pauses:
            self.blocks &= ~PAUSED
        self.loop.call_soon(self.resumed)

    def resumed(self) -> None:
        """Continues after the last pause."""
        self.read_more()
        self.close_if_done()
        self.settle()

    def read_more_later(self) -> None:
        """Continues to read in the next turn: a host can take more, or others had their turn."""
        self.loop.call_soon(self.read_available)

    def read_available(self) -> None:
        """Reads what there is."""
        self.read_requests()
        self.settle()
