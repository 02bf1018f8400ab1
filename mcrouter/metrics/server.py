"""The http thread: accepts the clients of the metrics port, and gives each a short-lived thread.

http.server answers the request (handler.py), but its server classes are not used: they wake up again and again to see
whether to stop, spin when there is no descriptor for a client, and leave clients behind at the end. Here one thread
waits for three things: a client, the time of the oldest client, the end.

A client that sends nothing, or byte by byte, is cut off: each read has a timeout, and so has the whole exchange. Such
clients must not take all places: if there is no place for a new client, the oldest is cut off, first one whose request
is not complete, else one that reads its page slowly. So a probe is always answered.
"""

import contextlib
import errno
import math
import os
import selectors
import socket
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, Union

from ..system.deferred import ahead, own
from ..system.logs import get_logger

if TYPE_CHECKING:
    from . import handler
    from .page import Page
else:
    ahead("email.utils", "email.message", "email.parser", "ssl", "http.client", "html", "http.server")
    handler = own("metrics.handler")

logger = get_logger(__name__)

_BACKLOG = 64
_WHOLE = 3  # timeouts that a whole exchange may take
_PAUSE = 0.05  # seconds, when accepting fails for want of descriptors or threads
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


class Pulse(NamedTuple):
    """A function that is called every so many seconds."""

    seconds: float
    call: Callable[[], None]


class _Client:
    """A client's connection, and its thread."""

    def __init__(self, sock: socket.socket, peer: Any, due: float) -> None:
        self.sock, self.peer = sock, peer
        self.due = due  # when it is cut off
        self.has_asked = False  # its request is complete
        self.thread: Any = None

    def asked(self) -> None:
        """Records that the request is complete."""
        self.has_asked = True


class MetricsServer:
    """Serves `pages` (path -> function that makes the page) on `address`, a (host, port) or a listening socket.

    An empty host stands for every address, of IPv6 too. Listens from the start, and raises OSError if it cannot;
    answers from `start()` on. `address` has the real port if 0 was given. At most `limit` clients are connected at
    once; for one more the oldest is cut off. `pulse` is called in the server's thread.
    """

    def __init__(
        self,
        address: Union[tuple[str, int], socket.socket],
        pages: Mapping[str, Callable[[], "Page"]],
        *,
        timeout: float = 5.0,
        limit: int = 32,
        pulse: Optional[Pulse] = None,
    ) -> None:
        self._listener = address if isinstance(address, socket.socket) else _listen(*address)
        self._listener.setblocking(False)
        self.address: Any = self._listener.getsockname()
        self._pages = pages
        self._timeout, self._limit = timeout, limit
        self._pulse, self._next_pulse = pulse, math.inf
        self._clients: list[_Client] = []  # oldest first; the thread's own while it runs
        self._thread: Optional[threading.Thread] = None
        self._wake: tuple[socket.socket, ...] = ()
        self._stopping = False

    def fileno(self) -> int:
        """Returns the listening descriptor."""
        return self._listener.fileno()

    def start(self) -> None:
        """Starts the thread."""
        self._wake = socket.socketpair()
        if self._pulse is not None:
            self._next_pulse = time.monotonic() + self._pulse.seconds
        self._thread = threading.Thread(target=self._run, name="mcrouter-metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and all clients, and closes the listening socket. Has no effect when called again."""
        self._stopping = True
        if self._thread is not None and self._thread.is_alive():  # not in a forked child, whose parent would wake
            self._wake[1].send(b"\0")
            self._thread.join()
            for client in self._clients:
                _cut(client)
            for client in self._clients:
                client.thread.join(self._timeout)  # a page that does not end must not delay the end for ever
        self.close_in_child()

    def close_in_child(self) -> None:
        """Closes a forked child's copies of the descriptors. The threads exist only in the parent."""
        self._listener.close()
        for sock in self._wake:
            sock.close()
        for client in self._clients:
            fd = client.sock.detach()  # close() would wait for the files that the handler made of it
            if fd >= 0:
                os.close(fd)
        self._clients.clear()
        self._wake, self._thread = (), None

    def _run(self) -> None:
        # Not epoll: it would be one more descriptor that a forked child has to close.
        with getattr(selectors, "PollSelector", selectors.SelectSelector)() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake[0], selectors.EVENT_READ)
            while not self._stopping:
                ready = selector.select(self._tidy())
                if any(key.fileobj is self._listener for key, _ in ready):
                    self._accept()
                if self._pulse is not None and time.monotonic() >= self._next_pulse:
                    self._beat(self._pulse)

    def _beat(self, pulse: Pulse) -> None:
        self._next_pulse = time.monotonic() + pulse.seconds
        try:
            pulse.call()
        except Exception:
            logger.exception("metrics: the status of the last minutes is not kept")

    def _tidy(self) -> Optional[float]:
        """Cuts off the clients that are due, and forgets those that have ended; returns the seconds until the next
        client or the pulse is due. All clients have the same time, so the oldest is the first that is due.
        """
        now = time.monotonic()
        for client in self._clients:
            if client.due > now:
                break
            _cut(client)
        self._clients = [client for client in self._clients if client.thread.is_alive()]
        soonest = min(self._next_pulse, next((client.due for client in self._clients if client.due > now), math.inf))
        return None if soonest == math.inf else max(0.0, soonest - now)

    def _accept(self) -> None:
        try:
            sock, peer = self._listener.accept()
        except BlockingIOError:
            return
        except OSError as error:  # a client that is gone already, or no descriptor left: it must not spin
            logger.debug("metrics: accepting failed: %s", error)
            time.sleep(_PAUSE)
            return
        self._tidy()
        if len(self._clients) >= self._limit and not self._make_room():
            logger.debug("metrics: more than %d clients; closing %s", self._limit, peer)
            sock.close()
            return
        client = _Client(sock, peer, time.monotonic() + _WHOLE * self._timeout)
        client.thread = threading.Thread(
            target=self._serve, args=(client,), name="mcrouter-metrics-client", daemon=True
        )
        try:
            client.thread.start()
        except RuntimeError as error:
            logger.debug("metrics: no thread for %s: %s", peer, error)
            sock.close()
            time.sleep(_PAUSE)
            return
        self._clients.append(client)

    def _make_room(self) -> bool:
        """Cuts off the oldest client whose request is not complete, or else the oldest; returns False if its thread
        still makes a page, which cannot be ended."""
        client = next((client for client in self._clients if not client.has_asked), self._clients[0])
        logger.debug("metrics: more than %d clients; closing %s, the oldest", self._limit, client.peer)
        _cut(client)
        client.thread.join(_PAUSE)
        self._tidy()
        return len(self._clients) < self._limit

    def _serve(self, client: _Client) -> None:
        """Runs in a client's thread."""
        sock, peer = client.sock, client.peer
        try:
            handler.Handler(sock, peer, self._pages, self._timeout, client.asked)
            sock.shutdown(socket.SHUT_WR)  # closing alone would not end it while a forked child holds a copy
        except OSError as error:
            logger.debug("metrics: client %s: %s", peer, error)
        except Exception:
            logger.exception("metrics: unexpected error with client %s", peer)
        finally:
            sock.close()


def _cut(client: _Client) -> None:
    """Ends what the client's thread waits for. To close the socket would not; the thread does that itself."""
    with contextlib.suppress(OSError):  # it is closed already
        client.sock.shutdown(socket.SHUT_RDWR)


def _listen(host: str, port: int) -> socket.socket:
    if not host:
        try:
            return _bound(socket.AF_INET6, ("::", port), both=True)
        except OSError as error:
            if error.errno not in _NO_IPV6:
                raise
        return _bound(socket.AF_INET, ("0.0.0.0", port))
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return _bound(family, address)


def _bound(family: int, address: Any, both: bool = False) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock
