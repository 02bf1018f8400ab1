"""One HTTP exchange: a request is read, a page answered, the connection closed. Imported after the start (server.py).

HTTP/1.0, so no connection outlives its page: a scrape comes every few seconds, and an idle one would hold a place.
"""

import socket
from collections.abc import Mapping
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler
from typing import Any, Callable

from ..system.logs import get_logger
from .page import TEXT, Page

logger = get_logger(__name__)

_HEAD = 16384  # bytes of a request; the base class would take a hundred lines of 64 KB


class _Head:
    """Reads the lines of a request's head, and no more of them than a head has."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._left = _HEAD
        self.close = file.close

    def readline(self, size: int) -> Any:
        """Returns the next line. If the head is too long, raises LineTooLong, which the base class answers with status
        431."""
        if self._left <= 0:
            raise LineTooLong("head")
        line = self._file.readline(min(size, self._left))
        self._left -= len(line)
        return line


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD with the page of the path."""

    error_message_format = "%(code)d %(message)s\n"
    error_content_type = TEXT

    def __init__(
        self,
        sock: socket.socket,
        peer: Any,
        pages: Mapping[str, Callable[[], Page]],
        timeout: float,
        on_request: Callable[[], None],
    ) -> None:
        """Answers at once, on `sock`; calls `on_request` when the request is complete."""
        self._pages = pages
        self._timeout = timeout
        self._on_request = on_request
        no_server: Any = None
        super().__init__(sock, peer, no_server)

    def setup(self) -> None:
        """Bounds each read and write, and the length of the request."""
        super().setup()
        self.connection.settimeout(self._timeout)
        self.rfile: Any = _Head(self.rfile)

    def parse_request(self) -> bool:
        """Ends any method but ours here; the base class would answer 501 where 405 is true."""
        if not super().parse_request():
            return False
        self._on_request()
        if self.command in ("GET", "HEAD"):
            return True
        message = f"method {self.command} is not allowed: expected GET or HEAD\n"
        self._answer((405, TEXT, message.encode()), allow="GET, HEAD")
        return False

    def do_GET(self) -> None:
        """Answers with the page of the path."""
        self._answer(self._page())

    do_HEAD = do_GET

    def _page(self) -> Page:
        path = self.path.partition("?")[0]
        make = self._pages.get(path)
        if make is None:
            return 404, TEXT, f"no such page: expected one of {', '.join(self._pages)}\n".encode()
        try:
            return make()
        except Exception:
            logger.exception("metrics: the page %s failed", path)
            return 500, TEXT, b"the page failed; the router's log says why\n"

    def _answer(self, page: Page, allow: str = "") -> None:
        status, content_type, body = page
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if allow:
            self.send_header("Allow", allow)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """Returns the value of the Server header, without the version of Python."""
        return "mcrouter"

    def log_message(self, format: str, *args: Any) -> None:
        """Writes to the log, at debug; the base class would print to stderr."""
        logger.debug("metrics client %s: %r", self.client_address, format % args)
