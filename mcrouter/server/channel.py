"""What a supervisor and an event loop say to each other: Python objects, with a descriptor or without, over a socket
pair.

Both are the same program, one forked from the other, so pickles are safe. A message is short but for a config.
"""

import pickle
import socket
import struct
from typing import Any, Optional, Tuple

_LENGTH = struct.Struct("!I")


class Channel:
    """One end."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        """`seconds` is how long any one step may take."""
        sock.settimeout(seconds)
        self._sock = sock

    @property
    def fd(self) -> int:
        """What to wait for."""
        return self._sock.fileno()

    def send(self, message: Any, fd: Optional[int] = None) -> None:
        """Sends; raises OSError when nobody is there any more, or does not listen."""
        data = pickle.dumps(message)
        head = _LENGTH.pack(len(data))
        if fd is None:
            self._sock.sendall(head)
        else:
            socket.send_fds(self._sock, [head], [fd])
        self._sock.sendall(data)

    def receive(self) -> Tuple[Any, Optional[int]]:
        """A message and the descriptor that came with it; raises OSError, or EOFError when the other end is closed."""
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
        """Ends it."""
        self._sock.close()


def channel(seconds: float) -> Tuple[Channel, Channel]:
    """Two ends."""
    one, other = socket.socketpair()
    return Channel(one, seconds), Channel(other, seconds)
