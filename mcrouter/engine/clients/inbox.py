"""The reading half of a client's connection: bytes come, requests go to their routes, as far as the window allows.

    socket ──read──► stream (proto/client/stream.py) ──► request ──► route

It stops when enough is in flight, when a host asks the client to wait, and while the client does not read its answers;
it goes on when that is over.
"""

from os import read
from typing import Any

from ...proto.client.parser import RequestParser
from ...proto.client.stream import ClientPlace, ClientStream
from ...proto.guard import guarded_failure
from ...proto.request import Request
from ..hosts.streaming import PIECE
from ..poller import IN, OUT, READ_ON
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

# Bytes read at first, and from a client with more to say. From 128 KB on, malloc maps memory for each read, at 8 µs.
_READ_SIZE, _READ_MORE = 16384, 130816
_KEY = 60  # bytes that a key of a request in flight takes, about
_MANY, _LARGE = 100, 4096  # keys, and bytes, of a request that is counted
_TURNS = 8  # reads of one event; a client that sends without end must not have the router for itself
_BOUNDARY, _WITHIN, _WAITING, _SWALLOWING = ClientPlace
_CLOSED, _DRAINING, _OPEN = ClientState.CLOSED, ClientState.DRAINING, ClientState.OPEN


class ClientInbox(ClientOutbox):
    """A client's connection as a thing that gives requests."""

    __slots__ = ("idle_checks", "pauses", "read_size", "stream", "transfer")

    can_wait = True

    def __init__(self, frontend: Any, fd: int, connection: int) -> None:
        super().__init__(frontend, fd, connection)
        self.stream = ClientStream(
            RequestParser(ClientRequest, frontend.patterns, frontend.plan, frontend.buffer_size, frontend.style)
        )
        self.transfer: Any = None  # a large value on its way
        self.pauses = 0  # hosts that have asked it to wait
        self.idle_checks = 0  # looks at it since it last did something
        self.read_size = _READ_SIZE

    def begin_upload(self, request: Request) -> None:
        """Begins to pass on a large value, of which the stream has the first bytes."""
        raise NotImplementedError

    def ended(self) -> None:
        """The client has said all it wants to say."""
        raise NotImplementedError

    def close_if_done(self) -> None:
        """Closes the connection when nothing more is to come, or leaves."""
        raise NotImplementedError

    def read_on(self) -> None:
        """A short read is never taken for a proof that nothing is left."""
        self.blocks |= READS_ON

    # reading ------------------------------------------------------------------------------------------------------

    def on_any_event(self, mask: int) -> None:
        """The poller's report, on the general way."""
        self.idle_checks = 0
        self.blocks &= ~IDLE_CHECKED
        if mask & OUT and self.unsent:
            self.on_writable()
        if mask & (IN | READ_ON):
            self.blocks |= READABLE | (READS_ON if mask & READ_ON else 0)
            self.read_requests()
        self.settle()

    def settle(self) -> None:
        """After anything out of the ordinary: what was kept because enough was in flight waits for answers; if these
        have been given at once, nothing else leads back to it."""
        if self.stream.place is _WAITING and not (self.queue or self.blocks & (COLLECTED | UNSENT | PAUSED)):
            self.loop.call_soon(self.resumed)

    def _is_stuck(self) -> bool:
        """Whether it must not be given more to do."""
        return self.blocks & (PAUSED | UNSENT | ASKS_AGAIN) != 0 or len(self.queue) >= self.window

    def _may_read(self) -> bool:
        """Whether there is something that it may be read of now."""
        if self.blocks & (READABLE | THROTTLED) != READABLE or self.state is not _OPEN:
            return False
        return self.transfer is None and self.stream.place is not _WAITING

    def read_requests(self) -> None:
        """Reads and parses until the socket is drained, the client has enough in flight, or others have their turn."""
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
                data = read(self.fd, size)
            except BlockingIOError:
                self.blocks &= ~READABLE
                return
            except OSError:
                self.abort()
                return
            self.take_read(data, size)
        if self.transfer is not None:
            self._read_value(self.transfer)

    def _read_value(self, transfer: Any) -> None:
        """Reads as much of a large value as its hosts can take, or until others have their turn."""
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
                data = read(self.fd, min(wanted, PIECE))
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
        """Takes what a read of at most `size` bytes gave. Less than that means drained (poller.py)."""
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
        memory.arrived += len(data) + REQUEST * (len(self.queue) - known)  # grew() in place; less when some have left
        if memory.arrived > memory.step:
            memory.look()
        if memory.is_short and self.stream.place is _WITHIN:
            memory.read_of(self)

    def parse(self) -> None:
        """Hands the requests that are there on to their routes, as far as the window allows."""
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
                request.gathered = len(request.data) + _KEY * taken  # gather() in place: it has just begun to wait
                self.kept += request.gathered
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
        """After a stop: parses what was kept, then reads on."""
        if self.state is _DRAINING or self.state is _CLOSED or self._is_stuck():
            return
        if self.stream.place is _WAITING:
            self.parse()
        self.read_requests()

    def pause(self) -> None:
        """A host that it asked reads slowly: it gets nothing more to do until `resume`."""
        self.pauses += 1
        self.blocks |= PAUSED

    def resume(self) -> None:
        """That host reads on, or has gone."""
        self.pauses -= 1
        if not self.pauses:
            self.blocks &= ~PAUSED
        self.loop.call_soon(self.resumed)

    def resumed(self) -> None:
        self.read_more()
        self.close_if_done()
        self.settle()

    def read_more_later(self) -> None:
        """A host can take more of what the client sends."""
        self.loop.call_soon(self.read_available)

    def read_available(self) -> None:
        self.read_requests()
        self.settle()
