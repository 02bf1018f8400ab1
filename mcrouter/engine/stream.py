"""Byte streams: the seam through which connections, to hosts and of clients, read and write.

    read(size, mask)      -> (data, drained)     drained: do not read again before the poller's next report
    write(pieces)         -> unsent, as one piece of bytes
    write_pieces(pieces)  -> unsent, as a list of pieces
    shutdown()            says that nothing more will be sent
    detach()              the descriptor, to be closed at the end of the tick (`PollGroup.close_later`)

All of them raise OSError when the connection is broken. `SocketStream` is the stream over a plain socket. Any other
(TLS, or one of a test) has the same attributes, those of `ByteStream`.

When a socket is drained. The poller reports an edge (poller.py), so after a report a connection must be read until
nothing is left, or it is never reported again. A read that comes back short has taken all there was (epoll(7), "Do I
need to continuously read/write a file descriptor until EAGAIN"): that saves a system call, which would only say so. It
proves nothing

- when the report also carries RDHUP, HUP or ERR: the end is no further edge, so it must be read for;
- when it carries PRI: a read of a TCP socket ends early at the urgent byte;
- on a unix socket: a read ends early behind bytes that came with a descriptor, and no report says so.

`read_on` has the bits of a report after which a short read proves nothing: those of poller.READ_ON for TCP, all of them
for a unix socket. TLS would have all of them, too: what it has decrypted and not given out is in no socket.
"""

import os
import socket
from functools import partial
from typing import TYPE_CHECKING, Callable, List, Optional, Protocol, Sequence, Tuple

from .poller import READ_ON
from .writing import write, write_pieces

if TYPE_CHECKING:
    from ..proto.reply import Piece

_ANY = -1  # all bits
_UNIX = getattr(socket, "AF_UNIX", None)


class ByteStream(Protocol):
    """What a connection reads from and writes to."""

    fd: int
    """The descriptor that the poller watches; -1 when the stream is closed."""
    read_on: int
    """The bits of a report after which a short read does not prove that nothing is left."""
    recv: Callable[[int], bytes]
    """Reads at most so many bytes: b"" at the end. Raises BlockingIOError when there is nothing. For loops in which a
    call of `read` shows; they compare the length, and ask `read_on`, themselves."""
    send: "Callable[[Piece], int]"
    """Writes one piece of bytes; returns how many bytes were taken. Raises BlockingIOError when none was. For the fast
    path, where the list of pieces that `write` takes would show."""
    write: Callable[[Sequence[bytes]], bytes]
    """Writes pieces of bytes; returns what was not taken, as one piece: b"" when all was."""
    write_pieces: "Callable[[Sequence[Piece]], List[Piece]]"
    """Writes pieces of bytes; returns those that were not taken. What is left again and again is not copied."""

    def read(self, size: int, mask: int) -> Tuple[Optional[bytes], bool]:
        """Reads at most so many bytes after a report of `mask`: (data, drained). The data are b"" at the end, and None
        when there is nothing."""

    def shutdown(self) -> None:
        """Says that nothing more will be sent."""

    def detach(self) -> int:
        """Gives the descriptor away, and closes the stream without closing the descriptor."""


class SocketStream:
    """The stream over a non-blocking socket, which it owns from here on; over none, it is closed from the start.

    `recv`, `send`, `write` and `write_pieces` are `partial` objects rather than methods: they cost no Python call.
    """

    __slots__ = ("fd", "read_on", "recv", "send", "sock", "write", "write_pieces")

    def __init__(self, sock: Optional[socket.socket] = None) -> None:
        self.sock = sock
        self.read_on = _ANY if sock is not None and sock.family == _UNIX else READ_ON
        self._bind(-1 if sock is None else sock.fileno())

    def _bind(self, fd: int) -> None:
        self.fd = fd
        self.recv: Callable[[int], bytes] = partial(os.read, fd)
        self.send: Callable[[Piece], int] = partial(os.write, fd)
        self.write: Callable[[Sequence[bytes]], bytes] = partial(write, fd)
        self.write_pieces: Callable[[Sequence[Piece]], List[Piece]] = partial(write_pieces, fd)

    def read(self, size: int, mask: int) -> Tuple[Optional[bytes], bool]:
        """Reads at most so many bytes after a report of `mask`: (data, drained); see ByteStream."""
        try:
            data = self.recv(size)
        except BlockingIOError:
            return None, True
        return data, len(data) < size and not mask & self.read_on

    def shutdown(self) -> None:
        """Says that nothing more will be sent."""
        if self.sock is not None:
            self.sock.shutdown(socket.SHUT_WR)

    def take_error(self) -> int:
        """Returns the number of the error that the connection has met, and forgets it; 0: none."""
        return 0 if self.sock is None else self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def detach(self) -> int:
        """Gives the descriptor away. Another connection may soon have its number: nothing here knows it any more."""
        fd = -1 if self.sock is None else self.sock.detach()
        self.sock = None
        self._bind(-1)
        return fd


NO_STREAM = SocketStream()
"""What a connection has while it has none: each call raises OSError."""
