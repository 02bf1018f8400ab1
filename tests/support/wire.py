"""A raw client: bytes out in the pieces that a test wants, bytes in by count, up to a mark or up to the close."""

import socket
import time
from typing import Sequence

from .processes import DEADLINE

MARK = b"mn\r\n"  # a command that every state between commands answers with MARKED
MARKED = b"MN\r\n"


class Wire:
    """A connection, closed at the end of a `with`. A reset by the other side counts as its close."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.sock = socket.create_connection((host, port), DEADLINE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, *pieces: bytes) -> "Wire":
        """Each piece with a send of its own."""
        for piece in pieces:
            self.sock.sendall(piece)
        return self

    def send_split(self, data: bytes, cuts: Sequence[int]) -> "Wire":
        """`data`, cut at these places."""
        places = [0, *sorted(cuts), len(data)]
        return self.send(*(data[a:b] for a, b in zip(places, places[1:]) if a < b))

    def finish(self) -> "Wire":
        """Tells that nothing more will be sent."""
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def ask(self, data: bytes) -> bytes:
        """All answers to whole commands."""
        self.send(data + MARK)
        return self.read_until(MARKED)[: -len(MARKED)]

    def read_exactly(self, size: int) -> bytes:
        """So many bytes; fewer only when the other side closed."""
        return self._read(lambda held: size if len(held) >= size else None)

    def read_until(self, mark: bytes) -> bytes:
        """Everything up to and with the mark; up to the close when there is none."""

        def end(held: bytes):
            at = held.find(mark)
            return at + len(mark) if at >= 0 else None

        return self._read(end)

    def read_to_close(self) -> bytes:
        """Everything until the other side closes."""
        return self._read(lambda held: None)

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing comes, not even a close, for that long."""
        self.sock.settimeout(seconds)
        try:
            self._held += self.sock.recv(1)
            return False
        except socket.timeout:
            return True
        except ConnectionError:
            return False

    def _read(self, end) -> bytes:
        limit = time.monotonic() + DEADLINE
        while True:
            at = end(self._held)
            if at is None:
                self.sock.settimeout(max(0.001, limit - time.monotonic()))
                try:
                    data = self.sock.recv(1 << 16)
                except ConnectionError:
                    data = b""
                self._held += data
                if data:
                    continue
                at = len(self._held)
            out, self._held = self._held[:at], self._held[at:]
            return out
