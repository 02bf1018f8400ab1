"""Connections that are closed while writes are in flight: a host may do what it was sent long after its client has got
an error for it.

Closing takes nothing back. A host that hung does, once it wakes up, whatever lies in its buffers, and that may be an
older write than one that it got on another connection. So a connection with writes in flight is not just closed: it is
shut down for writing, and then read until the host closes it, which is when all of it has been done.
"""

from typing import Callable

from ...loop import PollGroup
from ...poller import GONE
from ...stream import SocketStream

_MOST = 60.0  # seconds; a device between router and host may not pass the end on
_READ = 1 << 16
_READS = 16  # of one event


class Lingering:
    """One such connection, which the loop watches. `on_end` is called with it when the host has closed it, after `most`
    seconds at the latest."""

    def __init__(
        self, loop: PollGroup, wire: SocketStream, on_end: Callable[["Lingering"], None], most: float = _MOST
    ) -> None:
        self._loop = loop
        self._wire = wire
        self._on_end = on_end
        self._timer = loop.call_later(most, self.end)
        loop.handlers[wire.fd] = self._on_event
        loop.call_soon(self._begin)

    def _begin(self) -> None:
        try:
            self._wire.shutdown()
        except OSError:
            self.end()
        else:
            self._on_event(0)  # the edge may have passed

    def _on_event(self, _mask: int) -> None:
        try:
            for _ in range(_READS):
                if self._wire.fd < 0:
                    return
                data, _drained = self._wire.read(_READ, GONE)
                if data is None:
                    return
                if not data:
                    self.end()
            self._loop.call_soon(self._read_on)  # others have their turn
        except OSError:
            self.end()

    def _read_on(self) -> None:
        self._on_event(0)

    def end(self) -> None:
        """Closes the connection, if that has not happened yet."""
        if self._wire.fd >= 0:
            self._timer.cancel()
            self._loop.close_later(self._wire.detach())
            self._on_end(self)
