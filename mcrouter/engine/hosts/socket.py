"""A non-blocking connection to a host, from the attempt to open it to its end."""

import enum
import errno
import os
import socket
from typing import Any, Optional, Tuple

from ..loop import PollGroup, Timer
from ..poller import GONE, IN, OUT

Address = Tuple[int, Any]  # (family, sockaddr)


class SocketState(enum.Enum):
    """DOWN -> CONNECTING -> UP -> DOWN."""

    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"


class HostSocket:
    """One connection; what derives from it says what follows: `connected`, `refused`, and `ready` for each event while
    it is up."""

    __slots__ = ("_late", "fd", "late", "loop", "reads_on", "sock", "state")

    def __init__(self, loop: PollGroup) -> None:
        self.loop = loop
        self.state = SocketState.DOWN
        self.sock: Optional[socket.socket] = None
        self.fd = -1
        self.reads_on = False  # a short read is no proof that nothing is left (poller.py)
        self._late: Optional[Timer] = None
        self.late = False  # whether the last attempt to open it took too long

    def connected(self) -> None:
        """It is up."""
        raise NotImplementedError

    def refused(self, why: str) -> None:
        """It could not be opened; `hang_up` is up to whoever is told."""
        raise NotImplementedError

    def ready(self, mask: int) -> None:
        """The poller's report on a connection that is up."""
        raise NotImplementedError

    def open(self, address: Address, seconds: float) -> None:
        """Starts to connect, for at most so many seconds."""
        family, where = address
        self.late = False
        try:
            self.sock = sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setblocking(False)
            if family != getattr(socket, "AF_UNIX", None):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = sock.connect_ex(where)
        except OSError as error:
            code = error.errno or errno.EIO
        if self.sock is None or code not in (0, errno.EINPROGRESS, errno.EAGAIN):
            self._cannot_open(code)
            return
        self.fd = self.sock.fileno()
        self.state = SocketState.CONNECTING
        self.reads_on = family == getattr(socket, "AF_UNIX", None)
        self.loop.watch(self.fd, self.on_event)
        self.loop.poller.want_write(self.fd, True)  # it is writable once it is open
        self._late = self.loop.call_later(seconds, lambda: self._cannot_open(errno.ETIMEDOUT))

    def on_event(self, mask: int) -> None:
        """The poller's report."""
        if self.state is SocketState.UP:
            self.ready(mask)
        elif self.state is SocketState.CONNECTING:
            self._on_connecting(mask)

    def _on_connecting(self, mask: int) -> None:
        assert self.sock is not None
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._cannot_open(code)
        elif mask & (OUT | IN):
            self._stop_timer()
            self.state = SocketState.UP
            self.loop.poller.want_write(self.fd, False)
            self.connected()
            if mask & (IN | GONE) and self.state is SocketState.UP:
                self.ready(mask)

    def _cannot_open(self, code: int) -> None:
        self.late = code == errno.ETIMEDOUT
        self.refused(f"cannot connect: {os.strerror(code)}")

    def let_go(self) -> Optional[socket.socket]:
        """The socket, which stays open and is somebody else's from here on; None when there is no connection."""
        sock = self.sock if self.state is SocketState.UP else None
        if sock is not None:
            self.sock = None
        self.hang_up()
        return sock

    def hang_up(self) -> None:
        """Closes the connection, or gives up opening it."""
        self._stop_timer()
        if self.sock is not None:
            if self.fd >= 0:
                self.loop.close_later(self.sock.detach())
            else:
                self.sock.close()
        self.sock, self.fd, self.state = None, -1, SocketState.DOWN

    def _stop_timer(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
