"""Fetches the status of a running router over HTTP.

The server may not be a router, and may be hostile: the whole answer, with its head, is read before it is parsed, so
that its size and its time are bounded.
"""

import http.client
import io
import json
import re
import socket
import time
from typing import Any, Callable, Dict, NamedTuple

from ..system.printable import printable
from .shape import fits

_ADDRESS = re.compile(r"(?:http://)?(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:/\s]*)(?::(?P<port>[0-9]{1,5}))?/?")
_PORT = 9090
_MOST_BYTES = 1 << 26  # of an answer, with its head
_AT_ONCE = 1 << 16  # bytes


class FetchError(Exception):
    """Raised if there is no status; the message is one line that says why."""


class PageAddress(NamedTuple):
    """The address of a router's metrics."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(text: str) -> PageAddress:
    """Reads HOST:PORT, :PORT, PORT, HOST or http://HOST:PORT; raises ValueError."""
    if re.fullmatch("[0-9]{1,5}", text):
        text = f":{text}"
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"] or _PORT) not in range(1, 65536):
        raise ValueError("the HOST:PORT of a router's metrics, or :PORT on this machine")
    return PageAddress(match["host"].strip("[]") or "localhost", int(match["port"] or _PORT))


def fetch(where: PageAddress, timeout: float) -> Dict[str, Any]:
    """Returns the facts of /status.json. Raises FetchError, at the latest so many seconds after connecting; to connect
    to each address of the host may take as long."""
    try:
        with socket.create_connection(where, timeout) as sock:
            until = time.monotonic() + timeout
            sock.sendall(f"GET /status.json HTTP/1.0\r\nHost: {where}\r\n\r\n".encode())
            data = read_answer(sock, until)
        received: Any = _ReceivedAnswer(data)
        answer = http.client.HTTPResponse(received, method="GET")
        answer.begin()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise FetchError(f"{where}: {printable(reason)}; give the address of a router's metrics") from None
    try:
        facts: Dict[str, Any] = json.loads(body) if answer.status == 200 else {}
    except (RecursionError, ValueError):
        facts = {}
    if not fits(facts):
        raise FetchError(f"{where} is not this router, or an older version; give the address of a router's metrics")
    return facts


def read_answer(sock: Any, until: float, clock: Callable[[], float] = time.monotonic) -> bytes:
    """Returns what a server sends until it closes the connection, as HTTP/1.0 has it. Raises OSError if that is too
    long, or has not ended at `until` (by the clock)."""
    data = bytearray()
    while True:
        left = until - clock()
        if left <= 0:
            raise OSError("the answer takes too long")
        sock.settimeout(left)
        try:
            piece = sock.recv(_AT_ONCE)
        except socket.timeout:
            continue
        if not piece:
            return bytes(data)
        data += piece
        if len(data) > _MOST_BYTES:
            raise OSError(f"the answer has more than {_MOST_BYTES} bytes")


class _ReceivedAnswer:
    """The bytes of an answer, as http.client takes them: it reads from a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_args: Any, **_more: Any) -> Any:
        """Returns a file with the bytes."""
        return io.BytesIO(self._data)
