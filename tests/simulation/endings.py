"""What must be true after a run: nothing is held for any client, no connection waits, the hosts have what they should."""

from typing import Any, Dict, List, Optional

from mcrouter.testing.protocol import Conversation

from .hosts import Host
from .kernel import Kernel
from .policies import Alike

_TICKS = 30_000  # in which the router must come to rest, and find all hosts healthy


def not_at_rest(worker: Any) -> Optional[str]:
    """Lets the router go on until nothing is under way; what is left when it does not come to rest."""
    for _ in range(_TICKS):
        worker.loop.tick()
        if not _under_way(worker):
            break
    left = _under_way(worker) or _left_behind(worker)
    return f"LEFT: {'; '.join(left)}" if left else None


def _under_way(worker: Any) -> List[str]:
    left = []
    for client in worker.frontend.clients.values():
        transfer = "a transfer" if client.transfer else "no transfer"
        left.append(f"a client {client.state}, {len(client.queue)} requests, paused {client.pauses}, {transfer}")
    for host in _hosts(worker):
        for connection in host.connections:
            if connection.inflight or connection.unsent or connection.out:
                left.append(f"a connection of {host.name}: {len(connection.inflight)} in flight, {len(connection.unsent)} bytes unsent")
        left += [f"a streaming connection of {host.name}: {connection.state}, {connection._exchange}" for connection in host.streaming.busy]
    return left


def _left_behind(worker: Any) -> List[str]:
    connections = [connection for host in _hosts(worker) for connection in host.connections]
    return [f"{len(connection.waiters)} waiters, skips for {connection.skips_for}" for connection in connections if connection.waiters or connection.skips_for]


def _hosts(worker: Any) -> List[Any]:
    return list(worker._policy.hosts.values())


def hosts_differ(worker: Any, kernel: Kernel, alike: Alike) -> Optional[str]:
    """Waits until all hosts are healthy, and have forgotten what they missed; then how they differ that should not."""
    for _ in range(_TICKS):
        if all(host.healthy for host in _hosts(worker)):
            break
        worker.loop.tick()
    else:
        return f"UNHEALTHY: {[host.name for host in _hosts(worker) if not host.healthy]}"
    while kernel.any_step():
        pass
    contents = [_contents(host) for host in kernel.hosts.values()]
    keys = set().union(*contents) if alike is Alike.ALL else set(contents[0]).intersection(*contents)
    differing = sorted(key for key in keys if len({one.get(key) for one in contents}) > 1)
    if alike is Alike.NO or not differing:
        return None
    shown = [(key, [one.get(key, b"-")[:50] for one in contents]) for key in differing[:2]]
    return f"HOSTS DIFFER: {shown!r}"


def _contents(host: Host) -> Dict[bytes, bytes]:
    conversation = Conversation(host.store)
    return {key: conversation.receive(b"get %b\r\n" % key) for key, _ in list(host.store.living())}


def descriptors_left(worker: Any, kernel: Kernel) -> Optional[str]:
    """Closes the router; which descriptors stay open."""
    worker._close()
    left = [end for end in kernel.descriptors.values() if not end.is_level]
    return f"OPEN: {[end.fd for end in left]}" if left else None
