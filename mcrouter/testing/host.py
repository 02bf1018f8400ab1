"""An embedded host: a thread that serves a Store on a loopback port."""

import contextlib
import selectors
import socket
import threading
from typing import Any, Dict, Optional

from ..proto.requests import ANSWERED, CLOSE, Request, RequestParser
from ..proto.runs import request_stretches
from .store import Store


class _Connection:
    def __init__(self, sock: socket.socket, parser: RequestParser) -> None:
        self.sock = sock
        self.parser = parser
        self.held = b""
        self.out = b""
        self.closing = False


class DemoHost:
    """A memcached-like host on loopback: `start`, `stop`, `address` ('127.0.0.1:PORT'); a context manager.

    `port` 0 takes a free one, which it keeps when it is started again. Raises OSError when the port is taken.
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, port
        self.store = Store()
        self._stretches = request_stretches()
        self._thread: Optional[threading.Thread] = None
        self._selector: Any = None
        self._listener: Any = None
        self._wake: Any = None

    @property
    def address(self) -> str:
        """HOST:PORT, the port known after `start`."""
        return f"{self.host}:{self.port}"

    def start(self) -> None:
        """Begins to serve; does nothing while it does."""
        if self._thread is not None:
            return
        self._listener = socket.create_server((self.host, self.port))
        self.port = self._listener.getsockname()[1]
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        asleep, self._wake = socket.socketpair()
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._selector.register(asleep, selectors.EVENT_READ, asleep)
        self._thread = threading.Thread(target=self._serve, name=f"demo host {self.port}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends, closing all connections; what is stored stays."""
        if self._thread is not None:
            self._wake.send(b"\0")
            self._thread.join()
            self._wake.close()
            self._thread = None

    def __enter__(self) -> "DemoHost":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self) -> None:
        with self._selector:
            while True:
                for key, mask in self._selector.select():
                    if isinstance(key.data, socket.socket):
                        self._close_all()
                        return
                    if key.data is None:
                        self._accept()
                    else:
                        self._on_event(key.data, mask)

    def _close_all(self) -> None:
        keys: Dict[int, selectors.SelectorKey] = dict(self._selector.get_map())
        for key in keys.values():
            key.fileobj.close()  # type: ignore[union-attr]

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            sock, _ = self._listener.accept()
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(sock, RequestParser(Request, self._stretches))
            self._selector.register(sock, selectors.EVENT_READ, connection)

    def _on_event(self, connection: _Connection, mask: int) -> None:
        try:
            if mask & selectors.EVENT_READ:
                data = connection.sock.recv(1 << 18)
                connection.closing = connection.closing or not data
                self._received(connection, connection.held + data)
            self._send(connection)
        except BlockingIOError:
            pass
        except OSError:
            connection.closing, connection.out = True, b""
        if connection.closing and not connection.out:
            self._selector.unregister(connection.sock)
            connection.sock.close()

    def _received(self, connection: _Connection, data: bytes) -> None:
        at, out = 0, [connection.out]
        while at < len(data):
            request = connection.parser.next(data, at, None, 1)
            if request is None:
                break
            at = connection.parser.at
            if request.kinds == CLOSE:
                connection.closing = True
                break
            reply = request.data if request.kinds == ANSWERED else self.store.answer(request)
            out.append(b"" if request.mute else reply)
        connection.held = data[at:]
        connection.out = b"".join(out)

    def _send(self, connection: _Connection) -> None:
        if connection.out:
            with contextlib.suppress(BlockingIOError):
                connection.out = connection.out[connection.sock.send(connection.out) :]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.out else 0)
        self._selector.modify(connection.sock, events, connection)
