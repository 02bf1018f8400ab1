"""The socket half of a client's connection: its states, what it has yet to be sent, and how much at a time.

    out ──(flush: one write a tick)──► unsent ──(when the kernel has room)──► client

A client is served in windows: it has at most `window` commands in flight, and none more while it does not read what it
was answered. The window follows the size of its replies, so that what is held for it stays about `buffer_size`.
"""

import enum
from typing import Any, List

from ..writing import write_pieces
from .memory import weight
from .source import RequestSource

FIRST_WINDOW, _WINDOW_MOST = 4, 1024  # commands in flight
_LARGE_FLUSH = 65536  # bytes written at once that make the window worth a look

# What keeps a client off the fast path: a bit each of `blocks`. While one is set, each event takes the general way.
UNSENT = 1  # the kernel did not take all of its answers
COLLECTED = 2  # answers leave with the tick
PAUSED = 4  # a host, or something else, has asked it to wait
THROTTLED = 8  # it holds too much memory: it is not read
READABLE = 16  # the poller said that there is something, and it was not all read
READS_ON = 32  # it is read to the end each time: it ends, or short reads prove nothing (poller.py)
BACKLOG = 64  # its stream is not at a boundary
ENDING = 128  # its state is not OPEN
ASKS_AGAIN = 512  # a reply has passed, and is to be asked for again
IDLE_CHECKED = 256  # it is to be seen to do something (Client.looked_at)


class ClientState(enum.Enum):
    """OPEN -> ENDED (the client has said all) or DRAINING (we take no more): what was asked is answered -> CLOSED.

    LEAVING: nothing more is read, and as soon as all is answered the client goes to another process.
    """

    OPEN = "open"
    LEAVING = "leaving"
    ENDED = "ended"
    DRAINING = "draining"
    CLOSED = "closed"


class ClientOutbox(RequestSource):
    """A client's connection as a thing that takes bytes. `written` is called when it has taken all there was."""

    __slots__ = ("average", "blocks", "fd", "out", "state", "unsent", "window")

    def __init__(self, frontend: Any, fd: int, connection: int) -> None:
        super().__init__(frontend, connection)
        self.fd = fd
        self.state = ClientState.OPEN
        self.blocks = 0
        self.out: List[Any] = []  # pieces of bytes
        self.unsent: Any = b""
        self.window = frontend.first_window
        self.average = 0  # bytes of a piece of what it got last; 0: not known

    def written(self) -> None:
        """The client has taken all that there was for it."""
        raise NotImplementedError

    def abort(self) -> None:
        """Closes the connection."""
        raise NotImplementedError

    def set_state(self, state: ClientState) -> None:
        """Goes from one state to another."""
        self.state = state
        if state is ClientState.OPEN:
            self.blocks &= ~ENDING
        else:
            self.blocks |= ENDING

    # collecting and writing -----------------------------------------------------------------------------------------

    def collect(self) -> None:
        """From now on there are answers in `out`, which leave with the tick."""
        if not self.blocks & COLLECTED:
            self.blocks |= COLLECTED
            self.loop.dirty_clients.append(self)

    def put(self, data: bytes) -> None:
        """Sends some of a large reply, at once where it can."""
        self.out.append(data)
        if not self.unsent:
            out, self.out = self.out, []
            self._write(out)

    def flush(self) -> None:
        """Writes what the tick has collected, in one piece."""
        self.blocks &= ~COLLECTED
        if self.unsent or not self.out:
            return
        out, self.out = self.out, []
        size = sum(map(len, out))
        self.average = 1 + size // len(out)
        if size > _LARGE_FLUSH:
            self.resize(self.average)
        if self._write(out):
            if self.window < _WINDOW_MOST and size <= _LARGE_FLUSH:
                self.window = min(_WINDOW_MOST, 2 * self.window)
                self.frontend.first_window = min(FIRST_WINDOW, self.frontend.first_window + 1)
            self.written()

    def resize(self, average: int) -> None:
        """Replies are large: fewer of them at a time. Those of clients that come now may be large, too."""
        self.window = max(1, min(self.window, self.frontend.buffer_size // average))
        self.frontend.first_window = min(FIRST_WINDOW, self.window)

    def _write(self, pieces: List[Any]) -> bool:
        """Whether the kernel took it all."""
        try:
            unsent = write_pieces(self.fd, pieces)
        except OSError:
            self.abort()
            return False
        if unsent:
            self.out = unsent[1:]  # there is nothing in it: what it had is in `pieces`
            self.keep_unsent(unsent[0])
        return not unsent

    def keep_unsent(self, unsent: Any) -> None:
        """The kernel did not take all: the rest goes when it can."""
        self.blocks |= UNSENT
        self.unsent = unsent
        self.loop.poller.want_write(self.fd, True)

    def on_writable(self) -> None:
        """The kernel can take more."""
        self.loop.poller.want_write(self.fd, False)
        self.blocks &= ~UNSENT
        out = [self.unsent, *self.out]
        self.unsent, self.out = b"", []
        if self._write(out):
            self.written()

    def unread(self) -> int:
        """Bytes that the client has yet to take."""
        return len(self.unsent) + weight(self.out)

    def forget_unsent(self) -> None:
        """Drops all that it has not taken."""
        self.out = []
        self.unsent = b""
