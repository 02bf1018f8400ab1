"""A non-blocking connection to a host, from the attempt to open it to its end."""

import enum
import errno
import os
import socket
from typing import Any, Optional, Tuple

from ...loop import PollGroup, Timer
from ...poller import GONE, IN, OUT
from ...stream import NO_STREAM, SocketStream

Address = Tuple[int, Any]  # (family, sockaddr)


class SocketState(enum.Enum):
    """CLOSED -> CONNECTING -> OPEN -> CLOSED."""

    CLOSED = "closed"
    CONNECTING = "connecting"
    OPEN = "open"


class HostSocket:
    """One connection, of which `wire` is the byte stream. Derived classes define what follows: `connected`, `refused`,
    and `ready` for each event while it is open."""

    __slots__ = ("_give_up_opening", "late", "loop", "state", "wire")

    def __init__(self, loop: PollGroup) -> None:
        self.loop = loop
        self.state = SocketState.CLOSED
        self.wire = NO_STREAM
        self._give_up_opening: Optional[Timer] = None
        self.late = False  # whether the last attempt to open it took too long

    def connected(self) -> None:
        """Called when the connection is open."""
        raise NotImplementedError

    def refused(self, why: str) -> None:
        """Called when the connection could not be opened; must lead to `disconnect`."""
        raise NotImplementedError

    def ready(self, mask: int) -> None:
        """Takes the poller's report on a connection that is open."""
        raise NotImplementedError

    def open(self, address: Address, seconds: float) -> None:
        """Starts to connect, for at most so many seconds."""
        self.late = False
        self.state = SocketState.CONNECTING
        try:
            self.wire = _connecting(address)
        except OSError as error:
            self._cannot_open(error.errno or errno.EIO)
            return
        self.loop.watch(self.wire.fd, self.on_event)
        self.loop.poller.want_write(self.wire.fd, True)  # it is writable once it is open
        self._give_up_opening = self.loop.call_later(seconds, lambda: self._cannot_open(errno.ETIMEDOUT))

    def on_event(self, mask: int) -> None:
        """Takes the poller's report."""
        if self.state is SocketState.OPEN:
            self.ready(mask)
        elif self.state is SocketState.CONNECTING:
            self._on_connecting(mask)

    def _on_connecting(self, mask: int) -> None:
        code = self.wire.take_error()
        if code:
            self._cannot_open(code)
        elif mask & (OUT | IN):
            self._stop_timer()
            self.state = SocketState.OPEN
            self.loop.poller.want_write(self.wire.fd, False)
            self.connected()
            if mask & (IN | GONE) and self.state is SocketState.OPEN:
                self.ready(mask)

    def _cannot_open(self, code: int) -> None:
        self.late = code == errno.ETIMEDOUT
        self.refused(f"cannot connect: {os.strerror(code)}")

    def release(self) -> Optional[SocketStream]:
        """Gives the stream away, which stays open; returns None when the connection is not open."""
        wire = None
        if self.state is SocketState.OPEN:
            wire, self.wire = self.wire, NO_STREAM
        self.disconnect()
        return wire

    def disconnect(self) -> None:
        """Closes the connection, or gives up opening it."""
        self._stop_timer()
        if self.wire.fd >= 0:
            self.loop.close_later(self.wire.detach())
        self.wire, self.state = NO_STREAM, SocketState.CLOSED

    def _stop_timer(self) -> None:
        if self._give_up_opening is not None:
            self._give_up_opening.cancel()
            self._give_up_opening = None


def _connecting(address: Address) -> SocketStream:
    """Starts to connect. Raises OSError when that fails at once."""
    family, where = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(where)
        if code not in (0, errno.EINPROGRESS, errno.EAGAIN):
            raise OSError(code, os.strerror(code))
    except OSError:
        sock.close()
        raise
    return SocketStream(sock)
