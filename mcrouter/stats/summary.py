"""`Router.stats()`: the counters and the health of the hosts, as plain Python values."""

from typing import Any, Dict, Tuple

from ..counters.reader import CounterReader
from ..system.clock import unix_time
from .servers import server_of


def summary(counters: CounterReader, started: float) -> Dict[str, Any]:
    """Returns the summary of the counters of all event loops.

    `uptime`: seconds since `started` (Unix time). `clients`: connected clients. `requests`: answered requests by
    command, without commands that never came. `hosts`: by name `healthy`, `connections`, `requests`, `errors`, `hits`
    and `misses`.
    """
    layout, counts = counters.layout, counters.client_requests().counts
    return {
        "uptime": unix_time() - started,
        "clients": counters.clients(),
        "requests": {name: int(count) for name, count in zip(layout.commands, counts) if count},
        "hosts": dict(_host(counters, slot, name) for slot, name in layout.hosts),
    }


def _host(counters: CounterReader, slot: int, name: str) -> Tuple[str, Dict[str, Any]]:
    server = server_of(counters, slot, name)
    return name, {
        "healthy": server.healthy,
        "connections": counters.connections(slot),
        "requests": int(sum(server.answered)),
        "errors": int(sum(server.errors)),
        "hits": int(server.hits),
        "misses": int(server.misses),
    }
