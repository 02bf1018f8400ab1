"""Hosts: the embedded memcached's conversation at the other end of pipes."""

import errno
import zlib
from typing import Any, List

from mcrouter.testing.protocol import Conversation
from mcrouter.testing.store import Item, Store

from .kernel import Kernel
from .pipes import End, Pipe

_ITEM_MAX = 1 << 20  # bytes
_BACKLOG = 500  # bytes of answers that a host has not sent, at which it reads nothing more
_UNIX_TIME = 1.7e9  # of the virtual clock's beginning


def unix_time(kernel: Kernel) -> float:
    """The wall clock of the simulated world."""
    return _UNIX_TIME + kernel.now


def unique_of(value: bytes) -> int:
    """The cas unique of an item with this value."""
    return zlib.crc32(value) + 1


class KnownUniques(Store):
    """A store whose cas uniques follow from the values, so that a client knows what `gets` must say."""

    def renew(self, item: Item) -> None:
        """Gives it the unique of its value."""
        item.cas = unique_of(item.value)

    def flush(self, delay: int) -> None:
        """Forgets everything at once: uniques do not tell here what is older."""
        self.items.clear()
        self.bytes = 0


class Host:
    """A host. It does nothing while it does not run (`runs`), and may refuse connections."""

    def __init__(self, kernel: Kernel, name: str) -> None:
        self.kernel, self.name = kernel, name
        self.runs, self.refuses = True, False
        self.connections: List[HostConnection] = []
        self.restart_empty()

    def restart_empty(self) -> None:
        """Forgets everything."""
        self.store = KnownUniques(_ITEM_MAX, clock=lambda: unix_time(self.kernel))

    def begin_connection(self) -> End:
        """The router's end of a connection that is yet to be accepted."""
        incoming, outgoing = self.kernel.pipe(), self.kernel.pipe()
        connection = HostConnection(self, outgoing, incoming)
        connection.end = end = self.kernel.open(incoming, outgoing, connection)
        end.connected = False
        self.kernel.actors.append(Handshake(self, connection))
        return end

    def break_off(self, connection: "HostConnection") -> None:
        """Resets a connection."""
        self.connections.remove(connection)
        connection.dead = True
        self.kernel.reset(connection.end)


class Handshake:
    """An actor: the beginning of a connection to a host."""

    def __init__(self, host: Host, connection: "HostConnection") -> None:
        self._host, self._connection, self._done = host, connection, False

    def is_over(self) -> bool:
        """Whether it is accepted, refused or given up."""
        return self._done or self._connection.end.closed

    def can_act(self) -> bool:
        """Whether it is the host's turn."""
        return not self.is_over() and self._host.runs

    def act(self) -> bool:
        """Accepts or refuses."""
        if not self.can_act():
            return False
        self._done = True
        host, end = self._host, self._connection.end
        if host.refuses:
            end.error = errno.ECONNREFUSED
        else:
            end.connected = True
            host.connections.append(self._connection)
            host.kernel.actors.append(self._connection)
        host.kernel.raise_edge(end)
        return True


class HostConnection:
    """An actor: the host's side of a connection. It reads `incoming`, and `pending` are answers that are not sent."""

    def __init__(self, host: Host, incoming: Pipe, outgoing: Pipe) -> None:
        self.host, self._incoming, self.outgoing = host, incoming, outgoing
        self._conversation = Conversation(host.store)
        self._pending = bytearray()
        self.end: Any = None
        self.dead = False
        self.stalled = False

    def is_over(self) -> bool:
        """Whether nothing can come of it any more."""
        incoming = self._incoming
        return self.dead or self.outgoing.fin or (self.end.closed and incoming.eof and not incoming.buffer)

    def can_act(self) -> bool:
        """Whether there is something to read or to send, and it may."""
        if self.dead or self.stalled or not self.host.runs:
            return False
        return self._can_send() or self._can_read() or self._can_end()

    def go_on(self) -> None:
        """Is not stalled any more."""
        self.stalled = False

    def _can_send(self) -> bool:
        return bool(self._pending and self.outgoing.room())

    def _can_read(self) -> bool:
        return bool(self._incoming.buffer) and len(self._pending) < _BACKLOG

    def _can_end(self) -> bool:
        return self._incoming.eof and not self._incoming.buffer and not self._pending and not self.outgoing.fin

    def act(self) -> bool:
        """Sends some of what is pending, else reads some."""
        if self.dead or self.stalled or not self.host.runs:
            return False
        if self._can_send():
            size = self._some(min(len(self._pending), self.outgoing.room()))
            self.outgoing.wire += self._pending[:size]
            del self._pending[:size]
        elif self._can_read():
            size = self._some(len(self._incoming.buffer))
            data = bytes(self._incoming.buffer[:size])
            del self._incoming.buffer[:size]
            self.host.kernel.was_read(self._incoming)
            self._pending += self._conversation.receive(data)
        elif self._can_end():
            self.outgoing.fin = True
        else:
            return False
        return True

    def _some(self, most: int) -> int:
        chance = self.host.kernel.chance
        return chance.randint(1, most) if chance.random() < 0.3 else most
