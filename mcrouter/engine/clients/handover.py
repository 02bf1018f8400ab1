"""Moves clients from a process to its successor, between two of their requests, over a socket that carries descriptors.

    C <what the client has sent of its next request>, with the client's descriptor
    S <name of a host>: it has missed writes, of which only the old process knows

What else the client has sent is still in the kernel, so nothing is lost and no connection is closed. A client goes when
every host has done what it has written, or counts it as missed: on a connection of the new process, its next request
would overtake a write that another host has answered.
"""

import errno
import os
import socket
from typing import TYPE_CHECKING, Callable, Iterable, Optional, Set

from ...system.logs import get_logger

if TYPE_CHECKING:
    from ..seams import Served, Shared

logger = get_logger(__name__)

MOST = 65536  # bytes of an unfinished request that are handed over; a longer one is finished first
_AGAIN = 0.005  # seconds between attempts
_AT_ONCE = 64  # clients taken before others have their turn
_FULL = (errno.EAGAIN, errno.ETOOMANYREFS, errno.ENOBUFS, errno.EMSGSIZE)
_CLIENT, _STALE = b"C", b"S"


class Leaving:
    """The old process: hands all clients of a frontend over, then calls `gone`."""

    def __init__(self, frontend: "Shared", link: socket.socket, gone: Callable[[], None]) -> None:
        link.setblocking(False)
        self._frontend = frontend
        self._link = link
        self._gone = gone
        # While it goes through the clients: those for which a host has yet to do a write that another has answered.
        self._writers: Optional[Set[object]] = None

    def start(self) -> None:
        """Stops accepting clients, and hands each client over as soon as it is between two requests."""
        self._frontend.stop_listening()
        self._frontend.leaving = self
        self._try()

    def _try(self) -> None:
        self._writers = {writer for host in self._frontend.memory.hosts() for writer in host.writers()}
        for client in list(self._frontend.clients.values()):
            client.leave()
        self._writers = None
        if self._frontend.clients:
            self._frontend.loop.call_later(_AGAIN, self._try)
        else:
            self._gone()

    def give(self, client: "Served", data: bytes) -> bool:
        """Hands a client over; returns False if that must be tried again: what it asks of the new process must not
        overtake what it has written here."""
        if self._writers is None or client in self._writers:
            return False
        try:
            socket.send_fds(self._link, [_CLIENT + data], [client.fd])
        except OSError as error:
            if error.errno not in _FULL:
                logger.error("the new process does not take a client: %s; it is answered and closed", error.strerror)
                client.drain()
            return False
        return True

    def tell_stale(self, hosts: Iterable[str]) -> None:
        """Sends the names of hosts that have missed writes."""
        self._link.settimeout(1.0)
        for host in hosts:
            try:
                self._link.send(_STALE + host.encode("utf-8", "surrogateescape"))
            except OSError as error:
                logger.error("the new process is not told that host %s has missed writes: %s", host, error.strerror)


class Arriving:
    """The new process; event loops that share the link share the clients."""

    def __init__(self, frontend: "Shared", link: socket.socket, is_stale: Callable[[str], None]) -> None:
        link.setblocking(False)
        self._frontend = frontend
        self._link = link
        self._is_stale = is_stale
        frontend.loop.watch_listener(link.fileno(), self._on_event)

    def _on_event(self, _mask: int) -> None:
        for _ in range(_AT_ONCE):
            try:
                message, fds, _, _ = socket.recv_fds(self._link, MOST + 1, 1)
            except BlockingIOError:
                return
            except OSError:
                message, fds = b"", []
            if not message:
                self._frontend.loop.close_later(self._link.detach())
                return
            if message[:1] == _CLIENT and fds:
                self._frontend.adopt(socket.socket(fileno=fds[0]), message[1:])
            elif message[:1] == _STALE:
                self._is_stale(message[1:].decode("utf-8", "surrogateescape"))
            else:
                for fd in fds:
                    os.close(fd)
