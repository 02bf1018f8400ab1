"""What the engine holds of the fake kernel: sockets, a listener, and a poller like epoll."""

import errno
import socket
import types
from typing import Any, List, Optional, Tuple

from .kernel import Kernel
from .pipes import IN, End
from .system_calls import BASE, World


class FakeSocket:
    """What the engine asks of a connection's socket."""

    def __init__(self, family: int = socket.AF_INET, kind: int = 0, end: Optional[End] = None) -> None:
        self.family, self._end = family, end

    def setblocking(self, _flag: bool) -> None:
        """Never blocks."""

    def setsockopt(self, *_args: Any) -> None:
        """Takes anything."""

    def connect_ex(self, where: Any) -> int:
        """Begins to connect."""
        self._end = World.kernel.connect(where)
        return errno.EINPROGRESS

    def fileno(self) -> int:
        """The descriptor."""
        return self._end.fd if self._end is not None else -1

    def getsockopt(self, *_args: Any) -> int:
        """SO_ERROR, which is gone once it is read."""
        assert self._end is not None
        error, self._end.error = self._end.error, 0
        return error

    def detach(self) -> int:
        """Gives the descriptor away."""
        assert self._end is not None
        fd, self._end = self._end.fd, None
        return fd

    def shutdown(self, _how: int) -> None:
        """Says that nothing more will come."""
        if self._end is None or self._end.reset:
            raise OSError(errno.ENOTCONN, "not connected")
        self._end.outgoing.fin = self._end.shut = True

    def close(self) -> None:
        """Closes it."""
        if self._end is not None:
            World.kernel.close(self.detach())


FAKE_MODULE = types.SimpleNamespace(
    socket=FakeSocket,
    **{name: getattr(socket, name) for name in
       ("SOCK_STREAM", "AF_UNIX", "IPPROTO_TCP", "TCP_NODELAY", "SOL_SOCKET", "SO_ERROR")},
)  # fmt: skip
"""Stands in for the module `socket` where hosts are connected to."""


class FakeListener:
    """A listening socket, and the end that the poller looks at."""

    is_level = True

    def __init__(self, kernel: Kernel) -> None:
        self.fd = kernel.free_descriptor()
        self.registered = self.queued = self.closed = False
        self._waiting: List[FakeSocket] = []
        kernel.descriptors[self.fd] = self

    def arrived(self, end: End) -> None:
        """A client has connected."""
        self._waiting.append(FakeSocket(end=end))

    def mask(self) -> int:
        """What epoll says of it."""
        return IN if self._waiting else 0

    def fileno(self) -> int:
        """The descriptor."""
        return self.fd

    def setblocking(self, _flag: bool) -> None:
        """Never blocks."""

    def accept(self) -> Tuple[FakeSocket, Any]:
        """The next client."""
        if not self._waiting:
            raise BlockingIOError(errno.EAGAIN, "again")
        return self._waiting.pop(0), None

    def detach(self) -> int:
        """Gives the descriptor away."""
        return self.fd


class FakePoller:
    """epoll(7), edge-triggered: an edge is reported once, with the state of the moment when it is fetched."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def add_stream(self, fd: int) -> None:
        """Watches a connection by its edges."""
        end = self._kernel.descriptors[fd]
        assert not end.registered, "it is watched already"
        end.registered = True
        if end.mask():
            self._kernel.raise_edge(end)

    def add_listener(self, fd: int) -> None:
        """Watches a listener by its level; the loop's own pipe is a real one, and never used here."""
        if fd >= BASE:
            self._kernel.descriptors[fd].registered = True

    def want_write(self, fd: int, wanted: bool) -> None:
        """The edge comes by itself."""

    def remove(self, fd: int) -> None:
        """Forgets a descriptor."""
        if fd >= BASE:
            end = self._kernel.descriptors[fd]
            end.registered = False
            self._kernel.forget_edge(end)

    def close(self) -> None:
        """There is nothing to close."""

    def poll(self, timeout: float = -1) -> List[Tuple[int, int]]:
        """Lets the world go on until there is an event, or the time is over."""
        kernel = self._kernel
        kernel.prune()
        end = kernel.now + timeout if timeout >= 0 else None
        for _ in range(kernel.chance.choice([0, 0, 1, 3, 10, 50])):
            kernel.step()
        while True:
            events = self._events()
            if events:
                kernel.trace("poll", events)
                return events
            if end is not None and kernel.now >= end:
                return []
            if not (kernel.any_step() or kernel.wait(end)):
                return []

    def _events(self) -> List[Tuple[int, int]]:
        kernel = self._kernel
        ready, kernel.ready = kernel.ready, []
        if len(ready) > 1 and kernel.chance.random() < 0.3:
            kernel.chance.shuffle(ready)
        for end in ready:
            end.queued = False
        most = kernel.chance.choice([1, 3, 1000])  # events that a call reports
        for end in ready[most:]:
            kernel.raise_edge(end)
        listeners = [end for end in kernel.descriptors.values() if end.is_level and end.registered]
        reported = [(end.fd, end.mask()) for end in ready[:most] + listeners]
        return [(fd, mask) for fd, mask in reported if mask]
