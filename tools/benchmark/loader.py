"""One load process: clients on one epoll, prepared bytes out, every reply checked as it comes.

The generator shares the machine with what it measures, so it does little: per reply one recv, one comparison with
the bytes that must come, one send.
"""

import gc
import select
import signal
import socket
import time
from array import array
from multiprocessing.connection import Connection
from typing import Callable, Dict, List, NamedTuple, Sequence, Union

from .cases import Batch

STALL = 5.0  # seconds without any reply that end the run
_READ = 1 << 16  # below the size from which malloc maps and unmaps memory for every read
_BOTH = select.EPOLLIN | select.EPOLLOUT


class LoadError(Exception):
    """A wrong reply, or none."""


class Done(NamedTuple):
    """What a load process has seen; latencies are those of batches, in microseconds."""

    seconds: float
    busy_seconds: float
    latencies: "array[float]"


class _Client:
    """A connection, and its place in the plan and in the reply."""

    __slots__ = ("at", "place", "receive", "reply", "send", "sent", "sock", "unsent")

    def __init__(self, port: int, place: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), STALL)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.receive: Callable[[int], bytes] = self.sock.recv
        self.send: Callable[[Union[bytes, memoryview]], int] = self.sock.send
        self.place = place
        self.reply = b""
        self.at = 0
        self.sent = 0.0
        self.unsent: Union[memoryview, None] = None


class Loader:
    """Some clients of one port, going round in a plan of batches; closed at the end of a `with`."""

    def __init__(self, port: int, clients: int, plan: Sequence[Batch], first: int) -> None:
        self._plan = plan
        self._epoll = select.epoll()
        self._clients: Dict[int, _Client] = {}
        for number in range(clients):
            client = _Client(port, (first + number * len(plan) // clients) % len(plan))
            self._clients[client.sock.fileno()] = client
            self._epoll.register(client.sock.fileno(), select.EPOLLIN)

    def __enter__(self) -> "Loader":
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.sock.close()
        self._epoll.close()

    def run(self, seconds: float) -> Done:
        """Sends batches for so long, then waits for the last replies. Raises LoadError."""
        latencies: List[float] = []
        begin, busy = time.perf_counter(), time.process_time()
        until = begin + seconds
        for client in self._clients.values():
            self._next(client, time.perf_counter())
        active = len(self._clients)
        while active:
            events = self._epoll.poll(STALL)
            if not events:
                raise LoadError(f"no reply for {STALL:g} s")
            for fd, mask in events:
                client = self._clients[fd]
                if client.unsent is not None and mask & select.EPOLLOUT:
                    self._send_more(fd, client)
                if mask & ~select.EPOLLOUT and self._has_all(client):
                    now = time.perf_counter()
                    latencies.append(now - client.sent)
                    if now < until:
                        self._next(client, now)
                    else:
                        client.reply, client.at, active = b"", 0, active - 1
        took = time.perf_counter() - begin
        return Done(took, time.process_time() - busy, array("d", (1e6 * latency for latency in latencies)))

    def _next(self, client: _Client, now: float) -> None:
        """Sends the next batch of the plan."""
        request, client.reply = self._plan[client.place]
        client.place = (client.place + 1) % len(self._plan)
        client.at, client.sent = 0, now
        try:
            sent = client.send(request)
        except BlockingIOError:
            sent = 0
        if sent < len(request):
            client.unsent = memoryview(request)[sent:]
            self._epoll.modify(client.sock.fileno(), _BOTH)

    def _send_more(self, fd: int, client: _Client) -> None:
        assert client.unsent is not None
        try:
            client.unsent = client.unsent[client.send(client.unsent) :]
        except BlockingIOError:
            return
        if not client.unsent:
            client.unsent = None
            self._epoll.modify(fd, select.EPOLLIN)

    def _has_all(self, client: _Client) -> bool:
        """Reads once; whether the batch is answered. Raises LoadError at the first byte that is not the right one."""
        try:
            data = client.receive(_READ)
        except BlockingIOError:
            return False
        at = client.at
        if not data or not client.reply.startswith(data, at):
            raise LoadError(_difference(client.reply[at:], data))
        client.at = at + len(data)
        return client.at == len(client.reply)


def _difference(wanted: bytes, data: bytes) -> str:
    if not data:
        return f"closed where {wanted[:60]!r} should have come"
    at = next((i for i, (a, b) in enumerate(zip(wanted, data)) if a != b), min(len(wanted), len(data)))
    at = data.rfind(b"\n", 0, at) + 1  # a line is easier to recognise than its middle
    return f"wrong reply: {data[at : at + 60]!r} where {wanted[at : at + 60]!r} should have come"


def load_process(pipe: Connection, port: int, clients: int, plan: Sequence[Batch], first: int, seconds: float) -> None:
    """The life of a load process: connects, waits for a word, runs, tells, waits for the word to close."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C is the parent's, which ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.disable()  # nothing here makes cycles
    try:
        with Loader(port, clients, plan, first) as loader:
            pipe.send(None)
            pipe.recv()
            pipe.send(loader.run(seconds))
            pipe.recv()
    except LoadError as error:
        pipe.send(str(error))
    except EOFError:
        pass
    except OSError as error:
        pipe.send(f"the connection broke: {error.strerror or error}")
