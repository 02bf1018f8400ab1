"""An embedded host: one thread that serves a Store on a port of this machine.

Each connection has one queue of answers, each with the earliest time at which it may be sent. Faults that change
answers act when an answer is queued; faults that change the transport act when it is sent.
"""

import contextlib
import selectors
import socket
import struct
import threading
import time
from collections import deque
from typing import Any, Deque, Dict, List, Optional, Tuple, Union

from .faults import Faults
from .protocol import VERSION, Conversation
from .stats import Stats
from .store import Store

_RECEIVE = 1 << 17  # bytes
_BACKLOG = 1024
_DRIP_EVERY = 0.01  # seconds
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


class _Connection:
    def __init__(self, sock: socket.socket, conversation: Conversation) -> None:
        self.sock = sock
        self.conversation = conversation
        self.answers: Deque[Tuple[float, bytes]] = deque()  # (not before, bytes)
        self.sent = 0
        self.ended = False  # nothing more comes in


class DemoHost:
    """A memcached-like host: `start` and `stop` it, also several times, or use it as a context manager.

        with DemoHost() as host:
            fill_the_cache(host.address)
            assert host.value("user:1") == b"Ann" and host.stats["cmd_set"] == 1
            host.restart()  # like a new process: empty

    With `port` 0 it takes a free port, which it keeps when it is started again; `address` is 'HOST:PORT'. `store` has
    the items, also while the host is stopped; `faults` are the faults to switch on. `item_max` is the largest size of
    an item, `byte_max` that of all items (0: no limit), in bytes. `start` raises OSError if the port is taken.
    """

    def __init__(
        self, port: int = 0, host: str = "127.0.0.1", *, item_max: int = 1 << 20, byte_max: int = 0
    ) -> None:  # fmt: skip
        self.host, self.port = host, port
        self.store = Store(item_max, byte_max)
        self._thread: Optional[threading.Thread] = None
        self._stopping = False
        self._selector: selectors.BaseSelector
        self._listener: socket.socket
        self._wake: Optional[socket.socket] = None
        self._connections: List[_Connection] = []
        self.faults = Faults(self._poke)

    @property
    def address(self) -> str:
        """HOST:PORT; the port is known after `start`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def start(self) -> "DemoHost":
        """Starts to serve; does nothing if it serves already."""
        if self._thread is not None:
            return self
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family, backlog=_BACKLOG)
        self.port = self._listener.getsockname()[1]
        self._listener.setblocking(False)
        asleep, self._wake = socket.socketpair()
        asleep.setblocking(False)
        self._wake.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(asleep, selectors.EVENT_READ)
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, args=(asleep,), name=f"demo host {self.port}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stops the host and closes all connections; the items stay. Does nothing if it is stopped already."""
        thread, wake = self._thread, self._wake
        if thread is None or wake is None:
            return
        self._stopping = True
        self._poke()
        thread.join()
        wake.close()
        self._thread = self._wake = None

    def restart(self, keep: bool = False) -> None:
        """Stops and starts the host: empty, like a new process, or with `keep` with its items, like a host that was cut
        off from the network. It need not run before."""
        self.stop()
        if not keep:
            self.store.clear()
        self.start()

    @property
    def running(self) -> bool:
        """Whether the host runs."""
        return self._thread is not None

    def value(self, key: Union[str, bytes]) -> Optional[bytes]:
        """Returns the value of a key; None if there is none, or if it has expired. Does not count as a get."""
        name = key.encode() if isinstance(key, str) else key
        return next((item.value for known, item in self.store.living() if known == name), None)

    @property
    def stats(self) -> Dict[str, Any]:
        """The statistics of `stats`, with numbers as numbers: cmd_get, get_hits, curr_items ..."""
        return Stats(self.store, VERSION, lambda: len(self._connections)).general()

    def __enter__(self) -> "DemoHost":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _poke(self) -> None:
        """Wakes the thread up."""
        if self._wake is not None:
            with contextlib.suppress(OSError):  # the thread has wake-ups enough, or has ended
                self._wake.send(b"\0")

    def _serve(self, asleep: socket.socket) -> None:
        with self._selector, self._listener, asleep:
            try:
                while not self._stopping:
                    self._turn(asleep)
            finally:
                _hang_up(self._listener)
                for connection in list(self._connections):
                    self._drop(connection)

    def _turn(self, asleep: socket.socket) -> None:
        for key, _ in self._selector.select(self._pause()):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is asleep:
                asleep.recv(4096)
            else:
                self._read(key.data)
        for connection in list(self._connections):
            self._write(connection)

    def _pause(self) -> Optional[float]:
        """Returns the seconds until the next delayed answer may be sent; None if no answer waits."""
        due = [connection.answers[0][0] for connection in self._connections if connection.answers]
        due = [at for at in due if at > 0]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            sock, _ = self._listener.accept()
            if self.faults.refuse:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                sock.close()
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(sock, Conversation(self.store, VERSION, lambda: len(self._connections)))
            self.store.counts["total_connections"] += 1
            self._selector.register(sock, selectors.EVENT_READ, connection)
            self._connections.append(connection)

    def _read(self, connection: _Connection) -> None:
        if connection.ended or self.faults.deaf or connection.sock.fileno() < 0:
            return
        try:
            data = connection.sock.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            self._drop(connection)
            return
        self.store.full, error = self.faults.full, self.faults.error
        connection.conversation.error = error.rstrip(b"\r\n") + b"\r\n" if error else b""
        answer = connection.conversation.receive(data)
        connection.ended = not data or connection.conversation.closed
        if answer and not self.faults.mute:
            after = time.monotonic() + self.faults.delay if self.faults.delay else 0.0
            connection.answers.append((after, self.faults.garbage or answer))

    def _write(self, connection: _Connection) -> None:
        """Sends the answers that may be sent, then watches the socket for its next event."""
        try:
            while connection.answers and self._send_some(connection):
                pass
        except BlockingIOError:
            pass
        except OSError:
            self._drop(connection)
            return
        cut = self.faults.cut_after
        if (connection.ended and not connection.answers) or (cut is not None and connection.sent >= cut):
            self._drop(connection)
            return
        self._watch(connection)

    def _send_some(self, connection: _Connection) -> bool:
        """Sends a piece of the first answer; returns whether more may be sent at once."""
        after, data = connection.answers[0]
        if after > time.monotonic():
            return False
        cut, drip = self.faults.cut_after, self.faults.drip
        piece = data[: drip or None]
        if cut is not None:
            piece = piece[: max(0, cut - connection.sent)]
        sent = connection.sock.send(piece)
        connection.sent += sent
        if sent == len(data):
            connection.answers.popleft()
        else:
            connection.answers[0] = (time.monotonic() + _DRIP_EVERY if drip else 0.0, data[sent:])
        return cut is None or connection.sent < cut

    def _watch(self, connection: _Connection) -> None:
        reads = not connection.ended and not self.faults.deaf
        ready = bool(connection.answers) and connection.answers[0][0] <= time.monotonic()
        events = (selectors.EVENT_READ if reads else 0) | (selectors.EVENT_WRITE if ready else 0)
        known: Any = self._selector.get_map().get(connection.sock)
        if known is None:
            if events:
                self._selector.register(connection.sock, events, connection)
        elif not events:
            self._selector.unregister(connection.sock)
        elif events != known.events:
            self._selector.modify(connection.sock, events, connection)

    def _drop(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            if connection.sock in self._selector.get_map():
                self._selector.unregister(connection.sock)
            _hang_up(connection.sock)
            connection.sock.close()


def _hang_up(sock: socket.socket) -> None:
    """Shuts the socket down for both sides, even if a forked process also holds it open."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
