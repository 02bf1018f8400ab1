"""Limits on what clients may take: how many there are, how long they may be idle, how much all of them hold.

Nothing of this costs a plain request anything: who is idle is looked at from time to time, and only those who hold
something say so.
"""

import socket
from typing import Any, Callable, List, NamedTuple, Set

from ..logs import get_logger
from .lingering import Lingering

logger = get_logger(__name__)

_TOO_MANY = b"SERVER_ERROR mcrouter: too many connections\r\n"
_FAREWELL = 1.0  # seconds in which a client that is refused may read why
_LOOKS = 4  # at a client within its idle timeout
_MEASURE = 0.05  # seconds between looks at what is held
_STILL = 20  # of them in which nobody gets on, until the next may try
_STEPS = 16  # parts of the memory; when so much has come it is looked at once


class Limits(NamedTuple):
    """What holds for one event loop; 0: no limit."""

    connections: int = 0
    """Clients of all event loops together."""
    idle: float = 0.0
    """Seconds."""
    memory: int = 0
    """Bytes that are held for clients: requests that are not all there, replies that are not read."""


def weight(reply: Any) -> int:
    """Bytes that a reply, in one piece or a list of them, takes; a piece that is there several times is held once."""
    if type(reply) is not list:
        return len(reply)
    return sum(map(len, {id(piece): piece for piece in reply}.values()))


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
        self._leaving.add(Lingering(self._loop, sock, self._leaving.discard, _FAREWELL))


def close_idle(frontend: Any, seconds: float) -> None:
    """Closes clients that have said nothing, and read nothing, for so long, or up to a quarter longer; for ever."""

    def look() -> None:
        frontend.loop.call_later(seconds / _LOOKS, look)
        for client in list(frontend.clients.values()):
            if client.looked_at() > _LOOKS:
                client.abort()

    look()


class MemoryBound:
    """Keeps what all clients hold at about `most` bytes.

    When it is more, all that hold something wait but for the one that holds the most. It is nearest to the end: when
    it has said its request, or has read its reply, there is room. If nobody gets on, the next may try.
    """

    def __init__(self, frontend: Any, most: int) -> None:
        self._frontend = frontend
        self._most = most
        self._growth = 0  # since the last look
        self._still = 0  # turns without any
        self._waiting: List[Any] = []
        self._turn()

    def grew(self, size: int) -> None:
        """Somebody holds so many bytes more."""
        self._growth += size
        if self._growth > self._most // _STEPS:
            self._look()

    def _turn(self) -> None:
        self._frontend.loop.call_later(_MEASURE, self._turn)
        self._still = 0 if self._growth else self._still + 1
        if self._waiting and self._still > _STILL:
            self._still = 0
            following = self._waiting.pop(0)
            for client in self._frontend.clients.values():
                if not client.plain and not client.held and client.holds():
                    self._wait(client)
            following.hold(False)
        if self._waiting or self._growth:
            self._look()

    def _wait(self, client: Any) -> None:
        client.hold(True)
        self._waiting.append(client)

    def _look(self) -> None:
        self._growth = 0
        self._waiting = [client for client in self._waiting if not client.is_gone()]
        holding = [(client.holds(), client) for client in self._frontend.clients.values() if not client.plain]
        if sum(size for size, _ in holding) <= self._most:
            for client in self._waiting:
                client.hold(False)
            self._waiting = []
            return
        going = sorted((item for item in holding if not item[1].held), key=lambda item: -item[0])
        for size, client in going[1:]:
            if size:
                self._wait(client)
        if not going and self._waiting:
            self._waiting.pop(0).hold(False)
