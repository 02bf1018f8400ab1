"""`Router.stats()`: the counters and the health of the hosts, as plain Python values."""

from typing import Any, Dict, Sequence

from ..metrics.counters import Layout
from ..system.clock import unix_time
from .servers import Server, servers, timed


def summary(layout: Layout, rows: Sequence[Any], started: float) -> Dict[str, Any]:
    """Returns the summary of the counters of all event loops.

    `uptime`: seconds since `started` (Unix time). `clients`: connected clients. `requests`: answered requests by
    command, without commands that never came. `hosts`: by name `healthy`, `connections`, `requests`, `errors`, `hits`
    and `misses`.
    """
    counts, _ = timed(rows, [layout.request, *layout.direct])
    connections = dict(zip(_names(layout), _connections(layout, rows)))
    return {
        "uptime": unix_time() - started,
        "clients": int(sum(row[layout.client_connections] for row in rows)),
        "requests": {name: int(count) for name, count in zip(layout.commands, counts) if count},
        "hosts": {server.name: _host(server, connections[server.name]) for server in servers(layout, rows)},
    }


def _names(layout: Layout) -> Sequence[str]:
    return [name for _, name in layout.hosts]


def _connections(layout: Layout, rows: Sequence[Any]) -> Sequence[int]:
    return [int(sum(row[layout.connections[slot]] for row in rows)) for slot, _ in layout.hosts]


def _host(server: Server, connections: int) -> Dict[str, Any]:
    return {
        "healthy": server.healthy,
        "connections": connections,
        "requests": int(sum(server.answered)),
        "errors": int(sum(server.errors)),
        "hits": int(server.hits),
        "misses": int(server.misses),
    }
