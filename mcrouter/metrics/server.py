"""The http thread: shows pages that functions make. It knows nothing of what is on them."""

import http.server
import logging
import socket
import threading
from typing import Any, Callable, Mapping, Tuple

logger = logging.getLogger(__name__)

Page = Tuple[int, str, bytes]
"""Status, content type, body."""

_READ_TIMEOUT = 5.0  # seconds a client may take to ask
_MOST = 32  # connections at a time; more are closed


def health_page(healthy: int) -> Page:
    """200 while any host is healthy, else 503."""
    if healthy:
        return 200, "text/plain", f"ok: {healthy} healthy hosts\n".encode()
    return 503, "text/plain", b"no healthy host\n"


class MetricsServer:
    """Serves pages (path to function) over HTTP in daemon threads; raises OSError when it cannot listen.

    An empty host listens on every address, of both families where there is IPv6. `address` is (host, port), with the
    real port when 0 was asked for.
    """

    def __init__(
        self, address: Tuple[str, int], pages: Mapping[str, Callable[[], Page]], read_timeout: float = _READ_TIMEOUT
    ) -> None:
        host, port = address
        dual = not host and socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if dual or ":" in host else socket.AF_INET
        handler = type("Handler", (_Handler,), {"pages": pages, "timeout": read_timeout})
        self._server = _Server(family, (host, port), handler, dual)
        name = self._server.server_address
        self.address: Tuple[str, int] = (str(name[0]), int(name[1]))
        self._thread: Any = None

    def start(self) -> None:
        """Begins to answer, in a thread."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends; no thread and no descriptor is left."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self, family: int, address: Tuple[str, int], handler: Any, dual: bool) -> None:
        self.address_family = family
        self._dual = dual
        self._slots = threading.BoundedSemaphore(_MOST)
        super().__init__(address, handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if self._dual else 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("metrics client %s failed", client_address, exc_info=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    pages: Mapping[str, Callable[[], Page]] = {}
    server_version = "mcrouter"
    sys_version = ""

    def do_GET(self) -> None:
        page = self.pages.get(self.path.partition("?")[0])
        if page is None:
            self._send(404, "text/plain", ("there is: " + " ".join(self.pages) + "\n").encode())
            return
        try:
            answer = page()
        except Exception:
            logger.exception("cannot make %s", self.path)
            answer = 500, "text/plain", b"internal error; see the log\n"
        self._send(*answer)

    do_HEAD = do_GET

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug("metrics client %s: " + format, self.address_string(), *args)
