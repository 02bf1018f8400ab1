"""A config in effect: its hosts, the route of each command, and the pools that each host is in.

A large policy is made, put into effect and freed in portions (portions.py), between which clients are served.
"""

from typing import Any, Callable, Dict, Iterable, List, Set

from ..config import Config, HostAddress
from ..engine.hosts.host import Host
from ..proto.client.parser import RunPlan
from ..routes.build import Built, building
from ..routes.framework.context import RouteContext
from ..routes.framework.pool import hosts_of
from .portions import Work

_PORTION = 64  # pools, or objects to be freed


class Policy:
    """A policy in effect, or about to be. `pools`: by host the pools whose health depends on it."""

    def __init__(self, config: Config, hosts: Dict[str, Host], built: Built, pools: Dict[Host, List[Any]]) -> None:
        self.config = config
        self.hosts = hosts
        self.routes_by_command = built.routes_by_command
        self.plan: RunPlan = built.plan
        self._made = built.made
        self._pools = pools
        self._down: Set[Host] = set()  # the hosts that are not healthy and have a journal

    def has_host_down(self) -> bool:
        """Returns whether a host that records its missed writes is not healthy."""
        return bool(self._down)

    def leaves_none_healthy(self, host: Host) -> bool:
        """Returns whether a pool of the host has no healthy host."""
        return any(not pool.healthy for pool in self._pools.get(host, ()))

    def refresh(self, hosts: Iterable[Host]) -> None:
        """Updates the pools of these hosts, whose health has changed. Each pool is updated only once."""
        pools: Dict[int, Any] = {}
        for host in hosts:
            pools.update((id(pool), pool) for pool in self._pools.get(host, ()))
            if host.journal is not None and not host.healthy and self.hosts.get(host.name) is host:
                self._down.add(host)
            else:
                self._down.discard(host)
        for pool in pools.values():
            pool.refresh()

    def taking_down(self) -> Work:
        """Frees the policy in portions: to free a large one at once takes as long as hundreds of requests."""
        self.routes_by_command = []
        self._pools = {}
        specs: List[Any] = list(self.config.routes)
        del self.config
        for pieces in (self._made, specs):  # a parent comes after its children, so that each pop frees only one object
            while pieces:
                pieces.pop()
                if len(pieces) % _PORTION == 0:
                    yield


def making_policy(
    config: Config,
    known: Dict[str, Host],
    make: Callable[[HostAddress], Host],
    context: Callable[[Dict[str, Host]], RouteContext],
) -> Work:
    """Makes a policy, and returns it; hosts that are `known` are reused."""
    hosts: Dict[str, Host] = {}
    for address in config.hosts:
        hosts[address.text] = known.get(address.text) or make(address)
        yield
    built: Any = None
    work = building(config, context(hosts))
    while built is None:
        built = next(work)
        yield
    pools: Dict[Host, List[Any]] = {}
    for place, pool in enumerate(built.pools):
        for member in pool.hosts:
            for host in (member,) if isinstance(member, Host) else hosts_of(member.route):
                pools.setdefault(host, []).append(pool)
        if place % _PORTION == 0:
            yield
    return Policy(config, hosts, built, pools)
