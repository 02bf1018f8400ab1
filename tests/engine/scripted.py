"""Byte streams that do what a test says, and a connection to a host over one: no kernel, no time.

    with ScriptedWorld() as world:
        world.ask(b"get a\\r\\n")               a client asks; the tick ends, and the connection writes
        world.wire.reads = [b"END\\r\\n"]       what the next reads give; behind the last one there is nothing
        world.connection.ready(IN)             the poller's report
        assert world.wire.asked == [130_816]   the reads that this took, by the bytes that they asked for
"""

import json
import os
import socket
from typing import Any, List, Optional, Union

from mcrouter import Router, Settings, load_config
from mcrouter.engine.clients.call import ProgramCall
from mcrouter.engine.hosts.connections.socket import SocketState
from mcrouter.engine.poller import READ_ON
from mcrouter.engine.stream import SocketStream


class ScriptedStream(SocketStream):
    """A stream that reads and writes nothing. `reads` are what the next reads give, an exception or bytes; `room` says
    how many bytes each of the next writes takes, an exception or a number: all of them once it is empty. `sock` gives it
    a descriptor that a poller takes."""

    def __init__(
        self, reads: Any = (), room: Any = (), read_on: int = READ_ON, sock: Optional[socket.socket] = None
    ) -> None:
        super().__init__()
        self.fd = os.open(os.devnull, os.O_RDWR) if sock is None else sock.detach()
        self.read_on = read_on
        self.reads: List[Union[bytes, OSError]] = list(reads)
        self.room: List[Union[int, OSError]] = list(room)
        self.asked: List[int] = []
        self.sent: List[bytes] = []
        self.recv = self._recv
        self.send = self._send
        self.write = self._write
        self.write_pieces = self._write_pieces

    def _recv(self, size: int) -> bytes:
        self.asked.append(size)
        data = self.reads.pop(0) if self.reads else BlockingIOError()
        if isinstance(data, OSError):
            raise data
        assert len(data) <= size, "the test gives more than is asked for"
        return data

    def _write(self, pieces: List[bytes]) -> bytes:
        data = b"".join(pieces)
        room = self.room.pop(0) if self.room else len(data)
        if isinstance(room, OSError):
            raise room
        self.sent.append(data[:room])
        return data[room:]

    def _send(self, data: bytes) -> int:
        return len(data) - len(self._write([data]))

    def _write_pieces(self, pieces: List[bytes]) -> List[bytes]:
        try:
            left = self._write(pieces)
        except BlockingIOError:
            left = b"".join(pieces)
        return [left] if left else []

    def detach(self) -> int:
        """The descriptor."""
        fd, self.fd = self.fd, -1
        return fd


class ScriptedWorld:
    """A router before one host, whose connection is scripted. Its loop never runs: the test calls what it would call."""

    def __init__(self, **settings: Any) -> None:
        text = json.dumps({"orderedPool": ["127.0.0.1:1"], "route": "DefaultRoute"})
        defaults = {"listen": "tcp://127.0.0.1:0", "metrics_listen_addr": "off", "upstream_connections": 1}
        self.router = Router(load_config(text), Settings(**{**defaults, **settings}))
        self.worker = self.router._make_worker()
        self.loop: Any = self.worker.loop
        self.wanted: List[bool] = []  # the calls of want_write
        self.loop.poller.want_write = lambda _fd, wanted: self.wanted.append(wanted)
        (self.host,) = self.worker._policy.hosts.values()
        self.connection: Any = self.host.connections[0]
        self.wire = ScriptedStream()
        self.connection.wire, self.connection.state = self.wire, SocketState.OPEN
        self.loop._ready.clear()

    def __enter__(self) -> "ScriptedWorld":
        return self

    def __exit__(self, *_: object) -> None:
        self.worker._close()

    def asks(self, data: bytes) -> ProgramCall:
        """A client asks; nothing is sent yet."""
        call = ProgramCall(self.worker.frontend, 0, data)
        call.start()
        return call

    def ask(self, data: bytes) -> ProgramCall:
        """A client asks, and the tick ends."""
        call = self.asks(data)
        self.loop.flush()
        return call

    def next_turn(self) -> None:
        """Makes the calls that were put off to the next tick."""
        ready, self.loop._ready = self.loop._ready, []
        for call in ready:
            call()
