"""DefaultRoute: the first healthy host in pool order."""

from typing import Iterable, List, Optional, Tuple

from ..config.fields import routes
from ..proto.request import Request
from ..proto.seams import Destination, Sink
from .framework.base import ASKED, AsIs, Branch, Route, refuse
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.pool import Pool, RouteDestination, as_route, destination


class DefaultRoute(AsIs):
    """Asks the first healthy host, and passes on its answer, whatever it is.

    | hosts                   | asked | answer                                       |
    | 1 healthy, 2 healthy    | 1     | the answer of 1                              |
    | 1 unhealthy, 2 healthy  | 2     | the answer of 2                              |
    | none healthy            | none  | SERVER_ERROR mcrouter: no healthy upstream   |

    A write is recorded as missed by the hosts before the one that gets it.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        inner = [host.route for host in pool.hosts if isinstance(host, RouteDestination)]
        self.takes_runs = all(route.takes_runs for route in inner)
        self.splits = any(route.splits for route in inner)
        self.may_ask_another_host = any(route.may_ask_another_host for route in inner)
        self._hosts_only = not inner

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns the first healthy host."""
        return self._pool.healthy[0] if self._pool.healthy and self._hosts_only else None

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the first healthy host."""
        healthy = self._pool.healthy
        if healthy:
            healthy[0].send(request, sink)
        else:
            refuse(request, sink)
        if self._pool.away:
            self._pool.record_missed_write(request, healthy[0] if healthy else None)

    def routes(self) -> Iterable[Route]:
        """Returns all members of the pool."""
        return map(as_route, self._pool.hosts)

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Names the first healthy host."""
        return "the first healthy one", [(ASKED, as_route(host)) for host in self._pool.healthy[:1]]


def _make(args: Args, context: RouteContext) -> DefaultRoute:
    pool = Pool([destination(route) for route in args.children])
    context.pools.append(pool)
    return DefaultRoute(pool)


HANDLE = Handle("DefaultRoute", (routes(),), _make, chooses_one=True)
