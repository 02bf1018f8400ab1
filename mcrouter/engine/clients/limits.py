"""Limits on what clients may take: how many there are, how long they may be idle. How much all of them may hold is
memory.py's.

Nothing of this costs a plain request anything: idle clients are looked for from time to time.
"""

import socket
from typing import Any, Callable, NamedTuple, Set

from ...system.logs import get_logger
from ..hosts.lingering import Lingering
from ..stream import SocketStream

logger = get_logger(__name__)

_TOO_MANY = b"SERVER_ERROR mcrouter: too many connections\r\n"
_FAREWELL = 1.0  # seconds in which a client that is refused may read why
_LOOKS = 4  # at a client within its idle timeout


class ClientLimits(NamedTuple):
    """What holds for one event loop; 0: no limit."""

    connections: int = 0
    """Clients of all event loops together."""
    idle: float = 0.0
    """Seconds."""
    memory: int = 0
    """Bytes that are held for clients (memory.py)."""


class Doorman:
    """Refuses clients when there are enough; `count` says how many there are."""

    def __init__(self, loop: Any, most: int, count: Callable[[], int]) -> None:
        self._loop = loop
        self._most = most
        self._count = count
        self._full = False  # told once, until there is room again
        self._leaving: Set[Lingering] = set()

    def admits(self, sock: socket.socket) -> bool:
        """Whether it may come in; else it is told why not, and closed."""
        if not self._most:
            return True
        if self._count() < self._most:
            if self._full:
                logger.info("there is room for clients again")
            self._full = False
            return True
        if not self._full:
            logger.error("%d clients are connected; more are refused (--max-connections)", self._most)
        self._full = True
        self._refuse(sock)
        return False

    def _refuse(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        try:
            sock.send(_TOO_MANY)
        except OSError:
            sock.close()
            return
        self._loop.watch(sock.fileno(), lambda _mask: None)
        self._leaving.add(Lingering(self._loop, SocketStream(sock), self._leaving.discard, _FAREWELL))


def close_idle(frontend: Any, seconds: float) -> None:
    """Closes clients that have said nothing, and read nothing, for so long, or up to a quarter longer; for ever."""

    def look() -> None:
        frontend.loop.call_later(seconds / _LOOKS, look)
        for client in list(frontend.clients.values()):
            if client.check_idle() > _LOOKS:
                client.abort()

    look()
