"""A host that answers as a test says, line by line, and answers probes by itself."""

import contextlib
import json
import socket
import threading
from typing import Any, Callable, List

from mcrouter import Router, Settings, load_config
from tests.support.wire import Wire


class ThreadedHost:
    """Listens on a port of its own, and serves each connection in a thread. Use it in a `with`."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "ThreadedHost":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock = self.listener.accept()[0]
                threading.Thread(target=self._guarded, args=(sock,), daemon=True).start()

    def _guarded(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            self.serve(sock)

    def serve(self, sock: socket.socket) -> None:
        """One connection, up to its end."""
        raise NotImplementedError


class LineHost(ThreadedHost):
    """`says(line)` is what it answers, None to hang up. `asked` are the lines so far.

    After a `set` or `ms` it takes one line more, the value's.
    """

    def __init__(self, says: Callable[[bytes], Any]) -> None:
        self.says = says
        self.asked: List[bytes] = []
        super().__init__()

    def serve(self, sock: socket.socket) -> None:
        """Answers line by line."""
        with sock.makefile("rb") as lines:
            for line in lines:
                if line == b"version\r\n":
                    sock.sendall(b"VERSION 1.6\r\n")
                    continue
                if line.startswith((b"set ", b"ms ")):
                    line += lines.readline()
                self.asked.append(line)
                answer = self.says(line)
                if answer is None:
                    return
                sock.sendall(answer)


def router(*hosts: LineHost, route: Any = "DefaultRoute", on_rejoin: str = "", **settings: Any) -> Router:
    """A router before these hosts, with a connection each and no probes to speak of."""
    written = {"orderedPool": [f"127.0.0.1:{host.port}" for host in hosts], "route": route}
    config = load_config(json.dumps({**written, "onRejoin": on_rejoin} if on_rejoin else written))
    quiet = {"listen": "tcp://127.0.0.1:0", "metrics_listen_addr": "off"}
    settings = {**quiet, "upstream_connections": 1, "healthcheck_interval": 1000.0, "timeout_ms": 5000, **settings}
    return Router(config, Settings(**settings))


def client(served: Router) -> Wire:
    """A client of it."""
    return Wire(int(served.addresses[0].rpartition(":")[2]))
