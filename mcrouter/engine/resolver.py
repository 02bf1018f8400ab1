"""Names to addresses, off the loop: getaddrinfo blocks, so a thread asks and the loop is told.

A numeric address or a socket's path needs no asking. A name is asked again when its time is up; while DNS fails the
last good address stays. Of several addresses the first that takes a connection is used, so that a family that does
not answer (an IPv6 address without a route, say) does no harm.
"""

import contextlib
import ipaddress
import socket
import threading
from typing import Any, Callable, Optional, Tuple

from ..logs import get_logger
from .loop import PollGroup, Timer

logger = get_logger(__name__)

Address = Tuple[int, Any]
_RETRY = 1.0  # seconds until a name that has never resolved is asked again


def known_address(host: str, port: int, path: str) -> Optional[Address]:
    """The (family, sockaddr) of what needs no resolving, else None."""
    if path:
        return socket.AF_UNIX, path
    with contextlib.suppress(ValueError):
        version = ipaddress.ip_address(host).version
        return (socket.AF_INET6 if version == 6 else socket.AF_INET), (host, port)
    return None


def ask(host: str, port: int, timeout: float) -> Address:
    """Resolves (blocking); of several addresses the first that connects within the timeout (seconds), else the first.

    Raises OSError when the name does not resolve.
    """
    found = [(family, where) for family, _, _, _, where in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)]
    for family, where in found if len(found) > 1 else ():
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout)
            sock.connect(where)
            return family, where
    return found[0]


class Resolver:
    """Keeps one name resolved; `found` is called in the loop with each answer."""

    def __init__(
        self, loop: PollGroup, host: str, port: int, ttl: float, timeout: float, found: Callable[[Address], None]
    ) -> None:
        self._loop = loop
        self._host, self._port = host, port
        self._ttl, self._timeout = ttl, timeout
        self._found = found
        self._resolved = False
        self._stopped = False
        self._timer: Optional[Timer] = None
        self._thread: Optional[threading.Thread] = None

    def start(self) -> None:
        """Asks now, and again whenever the answer has become old."""
        self._thread = threading.Thread(target=self._ask, name=f"resolve {self._host}", daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> None:
        """After `stop`: waits for the thread, which nothing can end while it waits for DNS."""
        if self._thread is not None:
            self._thread.join(seconds)

    def stop(self) -> None:
        """Asks no more; an answer under way is dropped."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _ask(self) -> None:
        try:
            answer = ask(self._host, self._port, self._timeout)
        except OSError as error:
            reason = str(error)
            self._loop.call_soon_threadsafe(lambda: self._failed(reason))
        else:
            self._loop.call_soon_threadsafe(lambda: self._answered(answer))

    def _answered(self, answer: Address) -> None:
        if not self._stopped:
            self._resolved = True
            self._timer = self._loop.call_later(self._ttl, self.start)
            self._found(answer)

    def _failed(self, reason: str) -> None:
        if self._stopped:
            return
        kept = "keeping its last address" if self._resolved else "trying again"
        logger.warning("host %s: its name does not resolve: %s; %s", self._host, reason, kept)
        self._timer = self._loop.call_later(self._ttl if self._resolved else _RETRY, self.start)
