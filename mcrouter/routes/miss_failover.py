"""MissFailoverRoute: asks healthy hosts in order, until a hit or a success."""

from typing import Iterable, List, Optional, Tuple

from ..config.fields import Field, Values, routes, switch
from ..proto import outcomes as o
from ..proto.commands import DELETE, READ, VALUES, Command
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.seams import Destination, Sink
from .framework.again import ask_again
from .framework.base import ASKED, ON_FAILURE, Branch, Route, refuse
from .framework.best import Best, is_good
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.pool import Member, Pool, RouteDestination, as_route, destination


class MissFailoverRoute(Route):
    """Asks the first healthy host, then the next one for what the first does not have, and so on.

    | first host     | second host | answer                                             |
    | hit or success | not asked   | the first's                                        |
    | miss or error  | hit         | the second's                                       |
    | miss           | error       | the miss: a real answer wins over an error         |
    | some keys      | the others  | all, in request order (a get of several keys)      |
    | no healthy host              | SERVER_ERROR mcrouter: no healthy upstream         |

    Of a run the next host gets only the commands that missed or failed. A write is recorded as missed by the hosts
    before the first healthy one. With `pools`, as in facebook/mcrouter, only gets and deletes fail over; all other
    commands are for the first child alone.
    """

    may_ask_another_host = True

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        inner = [host.route for host in pool.hosts if isinstance(host, RouteDestination)]
        self.takes_runs = all(route.takes_runs for route in inner)
        self._hosts_only = not inner

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns the first healthy host."""
        return self._pool.healthy[0] if self._pool.healthy and self._hosts_only else None

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the first healthy host. If it answers the client directly, `after_failure` makes the walk after a
        failure."""
        hosts = self._pool.healthy
        if not hosts:
            refuse(request, sink)
        elif (sink is request and self._hosts_only) or len(hosts) == 1:  # type: ignore[comparison-overlap]  # the engine's is both
            hosts[0].send(request, sink)
        else:
            hosts[0].send(request, _Walk(request, sink, hosts))
        if self._pool.away:
            self._pool.record_missed_write(request, hosts[0] if hosts else None)

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Asks the hosts after `host`; if `host` is the only healthy one and lost the connection, asks it once more."""
        hosts = self._pool.healthy
        if self._pool.sole() is host:
            ask_again(self, request, sink, host, reply, outcomes)
            return
        _Walk(request, sink, hosts, hosts.index(host) if host in hosts else -1).on_reply(reply, outcomes)

    def routes(self) -> Iterable[Route]:
        """Returns all members of the pool."""
        return map(as_route, self._pool.hosts)

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists the healthy members in order."""
        branches = [(ON_FAILURE if place else ASKED, as_route(host)) for place, host in enumerate(self._pool.healthy)]
        return "the first hit or success is the answer", branches


class _Walk:
    """One request that passes from host to host."""

    __slots__ = ("_asked", "_at", "_best", "_hosts", "_request", "_sink")

    def __init__(self, request: Request, sink: Sink, hosts: List[Member], at: int = 0) -> None:
        self._request = request
        self._sink = sink
        self._hosts = hosts  # the healthy hosts at the start; the pool makes a new list when that changes
        self._at = at  # place of the host that answers next
        self._asked = request
        self._best: Optional[Best] = None  # made when the first host is not enough

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the current host's answer."""
        if self._best is None:
            if is_good(outcomes, o.SUCCESS):
                self._sink.on_reply(reply, outcomes)
                return
            self._best = Best(self._request)
        if self._best.add(reply, outcomes, self._asked) or not self._next(self._best):
            self._sink.on_reply(*self._best.result(self._sink))

    def _next(self, best: Best) -> bool:
        """Asks the next healthy host for what is missing; returns False if there is none left."""
        hosts = self._hosts
        while self._at + 1 < len(hosts):
            self._at += 1
            if hosts[self._at].healthy:
                self._asked = best.missing()
                hosts[self._at].send(self._asked, self)
                return True
        return False


def _make(args: Args, context: RouteContext) -> MissFailoverRoute:
    pool = Pool([destination(route) for route in args.children])
    context.pools.append(pool)
    return MissFailoverRoute(pool)


def _only_gets_and_deletes(args: Values, command: Command) -> Optional[int]:
    may_ask_another_host = command.kind in (READ, DELETE) or command.reply == VALUES
    return None if may_ask_another_host or not args["children"] else int(args["children"][0])


ORDERED_POOL_HANDLE = Handle("MissFailoverRoute", (routes(),), _make)
HANDLE = Handle(
    "MissFailoverRoute",
    (routes(), Field("return_best_on_error", read=switch, default=False)),
    _make,
    specialise=_only_gets_and_deletes,
    collapse_if_one=True,
)
