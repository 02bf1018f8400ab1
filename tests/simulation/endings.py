"""What must be true after a run: nothing is held for any client, no connection waits, the hosts have what they should."""

from typing import Any, Dict, List, Optional

from mcrouter.testing.protocol import Conversation

from .hosts import Host
from .kernel import Kernel
from .policies import Alike

_TICKS = 30_000  # in which the router must come to rest, and find all hosts healthy


def not_at_rest(shard: Any) -> Optional[str]:
    """Lets the router go on until nothing is under way; what is left when it does not come to rest."""
    for _ in range(_TICKS):
        shard.loop.tick()
        if not _under_way(shard):
            break
    left = _under_way(shard) or _left_behind(shard)
    return f"LEFT: {'; '.join(left)}" if left else None


def _under_way(shard: Any) -> List[str]:
    left = []
    for client in shard.frontend.clients.values():
        transfer = "a transfer" if client.transfer else "no transfer"
        left.append(f"a client {client.state}, {len(client.queue)} requests, paused {client.pauses}, {transfer}")
    for host in _hosts(shard):
        for lane in host.lanes:
            if lane.inflight or lane.unsent or lane.out:
                left.append(f"a lane of {host.name}: {len(lane.inflight)} in flight, {len(lane.unsent)} bytes unsent")
        left += [f"a bulk lane of {host.name}: {lane.state}, {lane._exchange}" for lane in host.bulk.busy]
    return left


def _left_behind(shard: Any) -> List[str]:
    lanes = [lane for host in _hosts(shard) for lane in host.lanes]
    return [f"{len(lane.waiters)} waiters, skipper {lane.skipper}" for lane in lanes if lane.waiters or lane.skipper]


def _hosts(shard: Any) -> List[Any]:
    return list(shard._policy.hosts.values())


def hosts_differ(shard: Any, kernel: Kernel, alike: Alike) -> Optional[str]:
    """Waits until all hosts are healthy, and have forgotten what they missed; then how they differ that should not."""
    for _ in range(_TICKS):
        if all(host.healthy for host in _hosts(shard)):
            break
        shard.loop.tick()
    else:
        return f"UNHEALTHY: {[host.name for host in _hosts(shard) if not host.healthy]}"
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


def descriptors_left(shard: Any, kernel: Kernel) -> Optional[str]:
    """Closes the router; which descriptors stay open."""
    shard._close()
    left = [end for end in kernel.descriptors.values() if not end.is_level]
    return f"OPEN: {[end.fd for end in left]}" if left else None
