"""The channel between a supervisor and the process of an event loop: messages over a socket pair.

A message is a Python object, with a descriptor or without. Both ends are the same program, one forked from the other,
so pickles are safe.
"""

import pickle
import socket
import struct
from typing import Any, Optional, Tuple

_LENGTH = struct.Struct("!I")


class Channel:
    """One end. Each step of sending or receiving may take `seconds`."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        sock.settimeout(seconds)
        self._sock = sock

    @property
    def fd(self) -> int:
        """The descriptor to wait for."""
        return self._sock.fileno()

    def send(self, message: Any, fd: Optional[int] = None) -> None:
        """Sends a message; raises OSError if the other end is closed, or does not read."""
        data = pickle.dumps(message)
        head = _LENGTH.pack(len(data))
        if fd is None:
            self._sock.sendall(head)
        else:
            socket.send_fds(self._sock, [head], [fd])
        self._sock.sendall(data)

    def receive(self) -> Tuple[Any, Optional[int]]:
        """Returns a message and the descriptor that came with it; raises OSError, or EOFError if the other end is
        closed."""
        head, fds, _, _ = socket.recv_fds(self._sock, _LENGTH.size, 1)
        head += self._read(_LENGTH.size - len(head)) if head else b""
        if not head:
            raise EOFError
        return pickle.loads(self._read(*_LENGTH.unpack(head))), (fds[0] if fds else None)

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._sock.recv(min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Closes this end."""
        self._sock.close()


def channel(seconds: float) -> Tuple[Channel, Channel]:
    """Returns the two ends of a new channel."""
    one, other = socket.socketpair()
    return Channel(one, seconds), Channel(other, seconds)
