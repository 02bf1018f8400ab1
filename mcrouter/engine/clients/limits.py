"""Limits on clients: how many may connect, and how long they may be idle. How much they may hold is in memory.py.

A request costs nothing of this: idle clients are looked for by a timer.
"""

import socket
from typing import TYPE_CHECKING, Callable, NamedTuple, Set

from ...system.logs import get_logger
from ..hosts.connections.lingering import Lingering
from ..stream import SocketStream

if TYPE_CHECKING:
    from ..loop import PollGroup
    from ..seams import Shared

logger = get_logger(__name__)

_TOO_MANY = b"SERVER_ERROR mcrouter: too many connections\r\n"
_FAREWELL = 1.0  # seconds that a refused client has to read the reason
_LOOKS = 4  # at a client within its idle timeout


class ClientLimits(NamedTuple):
    """The limits of one event loop; 0: no limit."""

    connections: int = 0
    """Clients of all event loops together."""
    idle: float = 0.0
    """Seconds."""
    memory: int = 0
    """Bytes that are held for clients (memory.py)."""


class Doorman:
    """Refuses clients beyond `most`; `count` returns how many are connected to all event loops."""

    def __init__(self, loop: "PollGroup", most: int, count: Callable[[], int]) -> None:
        self._loop = loop
        self._most = most
        self._count = count
        self._full = False  # logged once, until there is room again
        self._leaving: Set[Lingering] = set()

    def admits(self, sock: socket.socket) -> bool:
        """Returns whether a client may connect; a refused one gets an error line and is closed."""
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


def close_idle(frontend: "Shared", seconds: float) -> None:
    """Starts to close clients that have sent and read nothing for `seconds`, or up to a quarter longer."""

    def look() -> None:
        frontend.loop.call_later(seconds / _LOOKS, look)
        for client in list(frontend.clients.values()):
            if client.check_idle() > _LOOKS:
                client.abort()

    look()
