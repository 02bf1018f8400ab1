"""Ordered pools of destinations that know which of them are healthy. The routes of an `orderedPool` choose from one."""

from typing import Any, List, Optional, Sequence, Set, Union

from ...proto.request import Request
from ...proto.seams import Destination, DestinationHost, Sink
from ..host import HostRoute
from .base import Route, part_sink, start_in_background


class Pool:
    """Destinations in the order of the config: hosts, or routes wrapped as such (`RouteDestination`).

    `healthy` lists those that are healthy; it is brought up to date by `refresh`, so that routes need not filter.
    `away` lists those that are not healthy and that record the writes they miss.
    """

    def __init__(self, hosts: "Sequence[Member]") -> None:
        self.hosts = list(hosts)
        self.healthy: List[Member] = []
        self.away: List[Member] = []
        self.refresh()

    def sole(self) -> "Optional[Member]":
        """Returns the only healthy host; None if there are none or several."""
        return self.healthy[0] if len(self.healthy) == 1 else None

    def refresh(self) -> None:
        """Brings `healthy` and `away` up to date after the health of a host has changed."""
        self.healthy = [host for host in self.hosts if host.healthy]
        self.away = [host for host in self.hosts if not host.healthy and host.journal is not None]

    def record_missed_write(self, request: Request, until: Optional[Destination] = None) -> None:
        """Records a write as missed by the hosts that are away; with `until`, only by those before that host."""
        if self.away and not request.reads_only():
            hosts: Sequence[Destination] = self.hosts
            ahead = hosts if until is None else hosts[: hosts.index(until)]
            for host in self.away:
                if host in ahead:
                    host.record_missed_write(request)


class RouteDestination:
    """A route as a destination of a pool. It is healthy while one of the hosts that it may ask is healthy."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self._hosts: Set[DestinationHost] = hosts_of(route)
        self.name = type(route).__name__

    @property
    def healthy(self) -> bool:
        """Whether the route can answer. A route without hosts always can."""
        return not self._hosts or any(host.healthy for host in self._hosts)

    @property
    def journal(self) -> Optional[object]:
        """The journal of one of its hosts that has one; None if no host has."""
        return next((host.journal for host in self._hosts if host.journal is not None), None)

    def send(self, request: Request, sink: Sink, since: Optional[float] = None) -> None:
        """Asks the route."""
        self.route.start(request, part_sink(request, sink))

    def record_missed_write(self, request: Request) -> None:
        """Sends the write through the route, which records it for the hosts that would have got it."""
        start_in_background(self.route, request)


Member = Union[DestinationHost, RouteDestination]


def destination(route: Route) -> "Member":
    """Returns the route as a member of a pool; for a single host, the host itself."""
    return route.host if isinstance(route, HostRoute) else RouteDestination(route)


def as_route(member: "Member") -> Route:
    """Returns a member of a pool as a route."""
    return member.route if isinstance(member, RouteDestination) else HostRoute(member)


def hosts_of(route: Route) -> Set[Any]:
    """Returns all hosts that a route may ask. `Any`: they are of the class that the caller has given to the routes."""
    found: Set[DestinationHost] = set()
    seen: Set[int] = set()
    ahead: List[Route] = [route]
    while ahead:
        one = ahead.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, HostRoute):
            found.add(one.host)
        ahead += one.routes()
    return found
