"""Writing many pieces with one system call, and with as little copying as that takes."""

import os
from typing import Any, List

_WORTH = 32768  # bytes; below, putting pieces together is cheaper than a vector of them
_MOST = 1000  # pieces; the kernel takes 1024 (IOV_MAX)


def write(fd: int, pieces: List[Any]) -> Any:
    """Writes the pieces to a non-blocking descriptor; returns what the kernel did not take, b"" when it took all.

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


def _rest(pieces: List[Any], sent: int) -> bytes:
    for index, piece in enumerate(pieces):
        if sent < len(piece):
            return b"".join([piece[sent:], *pieces[index + 1 :]])
        sent -= len(piece)
    return b""
