"""The writing half of a client's connection: its states, the replies that are to be sent, and how many at a time.

    out ──(flush: one write a tick)──► unsent ──(when the kernel has room)──► client

A client has at most `window` commands in flight, and no new one while it does not read its replies. The window follows
the size of the replies, so that about `buffer_size` bytes are held for it.
"""

import enum
from typing import TYPE_CHECKING

from ..poller import IN
from ..stream import SocketStream
from .memory import weight
from .source import RequestSource

if TYPE_CHECKING:
    from ...proto.reply import Piece, Pieces
    from ..seams import Shared

FIRST_WINDOW = 4  # commands in flight of a new client
_WINDOW_MOST = 1024
_LARGE_FLUSH = 65536  # bytes written at once; from so many on the window is adapted

# Reasons why a client is not on the fast path: the bits of `blocks`. While one is set, events take the general way.
UNSENT = 1  # the kernel did not take all of its replies
COLLECTED = 2  # replies leave at the end of the tick
PAUSED = 4  # a host, or something else, has asked it to wait
THROTTLED = 8  # it holds too much memory, so it is not read
READABLE = 16  # the poller reported data, and not all of it was read
READS_ON = 32  # it is read until there is nothing: short reads prove nothing here (stream.py)
BACKLOG = 64  # its stream is not at a boundary: something is kept
ENDING = 128  # its state is not OPEN
ASKS_AGAIN = 512  # a reply was not kept, and is to be asked for again
IDLE_CHECKED = 256  # the next event shows that it is not idle (ClientConnection.check_idle)


class ClientState(enum.Enum):
    """OPEN -> ENDED (the client has closed its side) or DRAINING (no further request is taken) -> CLOSED, once all
    requests are answered.

    LEAVING: nothing more is read; the client is handed over to another process as soon as all requests are answered.
    """

    OPEN = "open"
    LEAVING = "leaving"
    ENDED = "ended"
    DRAINING = "draining"
    CLOSED = "closed"


class ClientOutbox(RequestSource):
    """A client's connection as a receiver of bytes, which go to `wire`, its byte stream. `written` is called when the
    kernel has taken all of them."""

    __slots__ = ("average", "blocks", "fd", "out", "recv", "send", "state", "unsent", "window", "wire")

    def __init__(self, frontend: "Shared", wire: SocketStream, connection_number: int) -> None:
        super().__init__(frontend, connection_number)
        self.wire = wire
        self.recv, self.send, self.fd = wire.recv, wire.send, wire.fd  # a look-up less on the fast path
        self.state = ClientState.OPEN
        self.blocks = READS_ON if wire.read_on & IN else 0
        self.out: Pieces = []
        self.unsent: Piece = b""
        self.window = frontend.first_window
        self.average = 0  # bytes of a reply, on average over the last write; 0: not known

    def written(self) -> None:
        """Continues after the client has taken all that was sent to it."""
        raise NotImplementedError

    def abort(self) -> None:
        """Closes the connection."""
        raise NotImplementedError

    def set_state(self, state: ClientState) -> None:
        """Sets the state, and the bit of `blocks` that goes with it."""
        self.state = state
        if state is ClientState.OPEN:
            self.blocks &= ~ENDING
        else:
            self.blocks |= ENDING

    # collecting and writing -----------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Has `flush` called at the end of the tick, for the replies in `out`."""
        if not self.blocks & COLLECTED:
            self.blocks |= COLLECTED
            self.loop.dirty_clients.append(self)

    def put(self, data: bytes) -> None:
        """Sends a piece of a large reply, at once unless earlier pieces wait."""
        self.out.append(data)
        if not self.unsent:
            out, self.out = self.out, []
            self._write(out)

    def flush(self) -> None:
        """Writes the replies of this tick with one system call."""
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
        """Narrows the window, as replies are large. New clients begin with a narrower one, too."""
        self.window = max(1, min(self.window, self.frontend.buffer_size // average))
        self.frontend.first_window = min(FIRST_WINDOW, self.window)

    def _write(self, pieces: "Pieces") -> bool:
        """Writes; returns whether the kernel took it all."""
        try:
            unsent = self.wire.write_pieces(pieces)
        except OSError:
            self.abort()
            return False
        if unsent:
            self.out = unsent[1:]  # there is nothing in it: what it had is in `pieces`
            self.keep_unsent(unsent[0])
        return not unsent

    def keep_unsent(self, unsent: "Piece") -> None:
        """Keeps what the kernel did not take until it can take more."""
        self.blocks |= UNSENT
        self.unsent = unsent
        self.loop.poller.want_write(self.fd, True)

    def on_writable(self) -> None:
        """Continues to write: the kernel can take more."""
        self.loop.poller.want_write(self.fd, False)
        self.blocks &= ~UNSENT
        out = [self.unsent, *self.out]
        self.unsent, self.out = b"", []
        if self._write(out):
            self.written()

    def unread(self) -> int:
        """Returns the bytes that the client has yet to take."""
        return len(self.unsent) + weight(self.out)

    def forget_unsent(self) -> None:
        """Drops all that the client has not taken."""
        self.out = []
        self.unsent = b""
