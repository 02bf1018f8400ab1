"""Writing many pieces with one system call, and with as little copying as that takes."""

import os
import struct
from typing import TYPE_CHECKING, List, Sequence

try:
    from fcntl import ioctl
    from termios import TIOCOUTQ
except ImportError:  # not on Windows
    ioctl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from ..proto.reply import Piece

_WORTH = 32768  # bytes; below, putting pieces together is cheaper than a vector of them
_MOST = 1000  # pieces; the kernel takes 1024 (IOV_MAX)
_SMALL = 1024  # bytes; a thousand pieces of fewer are put together


def write(fd: int, pieces: Sequence[bytes]) -> bytes:
    """Writes the pieces to a non-blocking descriptor; returns what the kernel did not take, b"" when it took all.
    That may be a memoryview where a piece is one: the data of a request may be (Request.data).

    Raises OSError when the connection is broken.
    """
    try:
        if len(pieces) == 1:
            data = pieces[0]
            sent = os.write(fd, data)
            return data[sent:] if sent < len(data) else b""
        if len(pieces) > _MOST or sum(map(len, pieces)) < _WORTH:
            data = b"".join(pieces)
            sent = os.write(fd, data)
            return data[sent:] if sent < len(data) else b""
        sent = os.writev(fd, pieces)
    except BlockingIOError:
        sent = 0
    return _rest(pieces, sent)


def write_pieces(fd: int, pieces: "Sequence[Piece]") -> "List[Piece]":
    """Writes the pieces to a non-blocking descriptor; returns what the kernel did not take, in pieces: one that comes
    again and again is not copied.

    Raises OSError when the connection is broken.
    """
    at = 0
    while True:
        some = pieces[at : at + _MOST] if at or len(pieces) > _MOST else pieces
        size = sum(map(len, some))
        if len(some) > 1 and size < max(_WORTH, _SMALL * len(some)):
            some = [b"".join(some)]
        try:
            sent = os.writev(fd, some) if len(some) > 1 else os.write(fd, some[0])
        except BlockingIOError:
            sent = 0
        at += _MOST
        if sent != size:
            return [*_left(some, sent), *pieces[at:]]
        if at >= len(pieces):
            return []


def unacknowledged(fd: int) -> int:
    """Bytes that the kernel has for the peer, and the peer's has not taken (tcp(7), SIOCOUTQ); 0 where it does not
    tell."""
    if ioctl is None:
        return 0
    try:
        return int(struct.unpack("i", ioctl(fd, TIOCOUTQ, bytes(4)))[0])
    except OSError:
        return 0


def _left(pieces: "Sequence[Piece]", sent: int) -> "List[Piece]":
    for index, piece in enumerate(pieces):
        if sent < len(piece):
            return [piece[sent:], *pieces[index + 1 :]]
        sent -= len(piece)
    return []


def _rest(pieces: "Sequence[Piece]", sent: int) -> bytes:
    return b"".join(_left(pieces, sent))
