"""What an exchange of a large value waits for, and since when: its states, and when which side of it is late.

    RESTING ──► WAITING ──► QUEUED ──► CONNECTING ──► ASKING ──► TALKING ──► RESTING
                   │                       ▲  │                     ▲
                   └── there is room ──────┘  └── no `mn` needed ───┘       on an open connection: WAITING ──► TALKING

The timeout of a host is for each 16 KB of a value, while its client does its part: a host that takes, or gives, less
than that in the time of a timeout is late, however often it moves a byte.
"""

import enum
from typing import TYPE_CHECKING, Any

from .socket import HostSocket

if TYPE_CHECKING:
    from ...seams import ConnectedHost

LEAST = 16384  # bytes that a host must take or give within its timeout


class Exchange(enum.Enum):
    """The states of an exchange."""

    RESTING = "no request"
    WAITING = "the host has yet to do what the client wrote before on the connection that it shares"
    QUEUED = "enough others are at work for the host"
    CONNECTING = "the connection is being opened"
    ASKING = "an `ms` waits for the answer to `mn` (meta_check.py)"
    TALKING = "the request is sent as it comes, or its reply is awaited"


_AT_WORK = (Exchange.CONNECTING, Exchange.ASKING, Exchange.TALKING)


class TimedExchange(HostSocket):
    """A connection that does one exchange at a time, as a thing that may be late."""

    __slots__ = ("_exchange", "_moved", "_reader", "_request", "_since", "host", "unsent")

    def __init__(self, host: "ConnectedHost") -> None:
        super().__init__(host.loop)
        self.host = host
        self.unsent = b""
        self._exchange = Exchange.RESTING
        self._request: Any = None  # the Request, while there is an exchange; and so for `_reader`
        self._reader: Any = None  # a StreamReader, which takes a large value in pieces
        self._restart_clock()

    def _restart_clock(self) -> None:
        """Counts the host's time from here on."""
        self._since = self.loop.now
        self._moved = 0  # bytes since then

    def _progress(self, count: int) -> None:
        """Counts bytes that the host has taken or given."""
        self._moved += count
        if self._moved >= LEAST:
            self._restart_clock()

    def is_at_work(self) -> bool:
        """Returns whether it has, or opens, a connection."""
        return self._exchange in _AT_WORK

    def is_queued_since(self, due: float) -> bool:
        """Returns whether it has waited for others since `due`."""
        return self._exchange is Exchange.QUEUED and self._since <= due

    def is_stalled_since(self, due: float) -> bool:
        """Returns whether its client has let it wait since `due`, with the rest of a value, or by not reading one."""
        if self._exchange is not Exchange.TALKING or self._since > due or self.unsent:
            return False
        return not (self._request.large_value.is_fed() if self._reader is None else self._reader.can_take())

    def is_due(self, due: float) -> bool:
        """Returns whether the host has let it wait since `due`."""
        if self._since > due or self._exchange is Exchange.CONNECTING:
            return False  # a connection that does not open has a timer of its own
        if self._exchange is Exchange.QUEUED:
            return False
        if self._exchange is not Exchange.TALKING:
            return True
        if self._reader is not None:
            return bool(self._reader.can_take())
        return bool(self.unsent) or bool(self._request.large_value.is_fed())
