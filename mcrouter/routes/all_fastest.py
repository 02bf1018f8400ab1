"""AllFastestRoute: asks every healthy host at once, and passes on the first good answer."""

from typing import Callable, Iterable, List, Optional, Tuple

from ..config.fields import routes
from ..proto import outcomes as o
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.seams import Destination, Sink
from .framework.base import ASKED, AsIs, Branch, Route, refuse
from .framework.best import Best, is_good
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.pool import Pool, RouteDestination, as_route, destination

FAILOVER_ERRORS = o.OUR_ERRORS + o.SERVER_ERROR
"""The outcomes that are errors in facebook/mcrouter: a host's SERVER_ERROR, and all errors of the router."""
NOT_AN_ERROR = o.ANSWERS + o.LEFT_OUT + o.CLIENT_ERROR + o.ERROR


class AllFastestRoute(AsIs):
    """Asks all healthy hosts; the first good answer is the answer, all later ones are dropped.

    With an `orderedPool` only a success is good: not an error, a miss (END), NOT_STORED, EXISTS or NOT_FOUND.
    With `pools`, as in facebook/mcrouter, everything but an error is good, also a miss.

    | first reply | second reply | answer                                              |
    | good        | any          | the first, at once                                  |
    | not good    | good         | the second                                          |
    | not good    | not good     | the better: a host's answer before an error of the router |
    | some keys   | other keys   | both, in request order (a get of several keys)      |
    | no healthy host            | SERVER_ERROR mcrouter: no healthy upstream          |

    A write is recorded as missed by the hosts that are not healthy.
    """

    def __init__(self, pool: Pool, good: bytes = o.SUCCESS) -> None:
        self._pool = pool
        self._good = good
        inner = [host.route for host in pool.hosts if isinstance(host, RouteDestination)]
        self.takes_runs = all(route.takes_runs for route in inner)
        self.may_ask_another_host = any(route.may_ask_another_host for route in inner)
        self.takes_keys = good == o.SUCCESS or not any(route.splits for route in inner)
        self._hosts_only = not inner

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns the only healthy host, if there is just one."""
        return self._pool.sole() if self._hosts_only else None

    def start(self, request: Request, sink: Sink) -> None:
        """Asks all healthy hosts."""
        hosts = self._pool.healthy
        if len(hosts) > 1:
            race = _Race(request, sink, len(hosts), self._good)
            for host in hosts:
                host.send(request, race)
        elif hosts:
            hosts[0].send(request, sink)
        else:
            refuse(request, sink)
        if self._pool.away:
            self._pool.record_missed_write(request)

    def routes(self) -> Iterable[Route]:
        """Returns all members of the pool."""
        return map(as_route, self._pool.hosts)

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists all members of the pool."""
        what = "success" if self._good == o.SUCCESS else "answer that is not an error"
        return f"the first {what} is the answer", [(ASKED, route) for route in self.routes()]


class _Race:
    """One request under way to several hosts."""

    __slots__ = ("_best", "_good", "_request", "_sink", "_waiting")

    def __init__(self, request: Request, sink: Sink, waiting: int, good: bytes) -> None:
        self._request = request
        self._sink: Optional[Sink] = sink
        self._waiting = waiting
        self._good = good
        self._best: Optional[Best] = None  # made when the first reply is not good

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the answer of one host."""
        self._waiting -= 1
        sink = self._sink
        if sink is None:
            return
        if self._best is None and is_good(outcomes, self._good):
            self._sink = None
            sink.on_reply(reply, outcomes)
            return
        if self._best is None:
            self._best = Best(self._request, self._good)
        if self._best.add(reply, outcomes, self._request) or not self._waiting:
            self._sink = None
            sink.on_reply(*self._best.result(sink))


def _make(good: bytes) -> Callable[[Args, RouteContext], Route]:
    def make(args: Args, context: RouteContext) -> AllFastestRoute:
        pool = Pool([destination(route) for route in args.children])
        context.pools.append(pool)
        return AllFastestRoute(pool, good)

    return make


ORDERED_POOL_HANDLE = Handle("AllFastestRoute", (routes(),), _make(o.SUCCESS))
HANDLE = Handle("AllFastestRoute", (routes(),), _make(NOT_AN_ERROR), collapse_if_one=True)
