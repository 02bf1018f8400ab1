"""Pools of destinations in order, with an eye on who is healthy: what the seed's routes choose from."""

from typing import Any, Iterable, List, Sequence, Set

from ..proto.requests import Request
from .base import apart, start_unawaited
from .host import HostRoute


class Pool:
    """Destinations in the config's order: hosts, or routes in that form (`RouteDestination`).

    `healthy` is kept by whoever watches them (`refresh`), so that routes need not filter. `away` are those that are not
    healthy and must be told what they miss.
    """

    def __init__(self, hosts: Sequence[Any]) -> None:
        self.hosts = list(hosts)
        self.healthy: List[Any] = []
        self.away: List[Any] = []
        self.refresh()

    def sole(self) -> Any:
        """The one healthy host, when there is just one."""
        return self.healthy[0] if len(self.healthy) == 1 else None

    def refresh(self) -> None:
        """Takes notice of a host that went or came."""
        self.healthy = [host for host in self.hosts if host.healthy]
        self.away = [host for host in self.hosts if not host.healthy and host.journal is not None]

    def missed(self, request: Request, until: Any = None) -> None:
        """Tells the hosts that are away what they miss; with `until`, those before that host alone."""
        if self.away and not request.reads_only():
            ahead = self.hosts if until is None else self.hosts[: self.hosts.index(until)]
            for host in self.away:
                if host in ahead:
                    host.missed(request)


class RouteDestination:
    """A route among the destinations of a pool: healthy while any host is that it may ask."""

    def __init__(self, route: Any) -> None:
        self.route = route
        self._hosts = hosts_of(route)
        self.name = type(route).__name__

    @property
    def healthy(self) -> bool:
        """Whether it is worth asking. A route without hosts always has an answer."""
        return not self._hosts or any(host.healthy for host in self._hosts)

    @property
    def journal(self) -> Any:
        """Something, if any of its hosts must be told what it misses."""
        return next((host.journal for host in self._hosts if host.journal is not None), None)

    def send(self, request: Request, sink: Any, since: Any = None) -> None:
        """Asks the route."""
        self.route.start(request, apart(request, sink))

    def missed(self, request: Request) -> None:
        """The route tells whichever of its hosts would have got it."""
        start_unawaited(self.route, request)


def destination(route: Any) -> Any:
    """The route as a member of a pool; a single host as what it is."""
    return route.host if isinstance(route, HostRoute) else RouteDestination(route)


def as_route(member: Any) -> Any:
    """A member of a pool as a route."""
    return member.route if isinstance(member, RouteDestination) else HostRoute(member)


def hosts_of(route: Any) -> Set[Any]:
    """All hosts that a route may ask."""
    found: Set[Any] = set()
    seen: Set[int] = set()
    ahead: List[Any] = [route]
    while ahead:
        one = ahead.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, HostRoute):
            found.add(one.host)
        ahead += _routes(one)
    return found


def _routes(route: Any) -> Iterable[Any]:
    return route.routes()  # type: ignore[no-any-return]
