"""Memory per idle client: clients that have each asked once and then say nothing."""

import resource
import socket
import time
from typing import Any, Dict, List, Sequence

from .cases import MB
from .proxies import Proxy
from .stage import BenchError, resident_bytes

SPARE = 200  # files that are needed for anything else
_SETTLE = 0.3  # seconds


def raise_limit(clients: int, spare: int = SPARE) -> int:
    """Raises the limit on open files, which the proxies inherit; how many of the clients that allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return clients if hard == resource.RLIM_INFINITY else max(1, min(clients, hard - spare))


def measure_idle(proxies: Sequence[Proxy], clients: int) -> List[Dict[str, Any]]:
    """The facts of each proxy."""
    return [_one(proxy, clients) for proxy in proxies]


def _one(proxy: Proxy, clients: int) -> Dict[str, Any]:
    held: List[socket.socket] = []
    try:
        held.append(_asked(proxy.port))  # the first makes the proxy load what it loads once
        time.sleep(_SETTLE)
        alone = resident_bytes(proxy.process.pid)
        for _ in range(clients):
            held.append(_asked(proxy.port))
        time.sleep(_SETTLE)
        crowd = resident_bytes(proxy.process.pid)
    except OSError as error:
        raise BenchError(f"{proxy.name}: idle client {len(held)} of {clients}: {error.strerror or error}") from None
    finally:
        for sock in held:
            sock.close()
    return {"name": proxy.name, "rss_mb": alone / MB, "clients": clients, "bytes_per_client": (crowd - alone) / clients}


def _asked(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), 5.0)
    try:
        sock.sendall(b"get nothing\r\n")
        if sock.recv(100) != b"END\r\n":
            raise OSError("a get was not answered as it should be")
    except OSError:
        sock.close()
        raise
    return sock
