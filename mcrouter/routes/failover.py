"""FailoverRoute: asks the first child, and after an error the next one.

`Walk` is the one implementation of asking children in turn. LatestRoute, FailoverWithExptimeRoute and LoadBalancerRoute
are built on it too.
"""

from typing import List, Optional, Set, Tuple

from ..config.fields import REQUIRED, Field, Values, number, record, routes, unused
from ..proto import outcomes as o
from ..proto.commands import COMMANDS, Command
from ..proto.reply import Reply
from ..proto.request import GET, SET, Request
from ..proto.seams import Destination, Sink, Source
from .failover_errors import FailoverErrors, failover_errors
from .failover_policy import InOrder, PolicySpec, failover_policy
from .framework.base import ASKED, ON_ERROR, Branch, Route
from .framework.best import Best, is_good
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.pieces import takes_pieces
from .framework.token_bucket import TokenBucket


class FailoverRoute(Route):
    """Asks the first child; after an error (failover_errors.py), the next one, in the order of the policy
    (failover_policy.py).

    | first child                             | second child | the answer                                            |
    | any answer, also a miss                 | not asked    | the first child's                                     |
    | an error that is not in failover_errors | not asked    | the error                                             |
    | an error                                | any answer   | the second child's                                    |
    | an error                                | an error     | the better: a host's error before one of the router   |
    | a read loses the connection             | any answer   | the second child's: the first is not asked once more  |
    | an error, and the limit is reached      | not asked    | the error; an unhealthy host does not use up the limit |
    | a late error of a background write      | not asked    | the error                                             |

    No host is asked twice, as far as this route can see it, since a write may have been done. Of a run the next child
    gets only the commands that failed. A client's older write must not overtake its newer one: while the client waits,
    its next request for the key waits too. If the client has been answered already (as by AllAsyncRoute), a write fails
    over only if it fails at once.
    """

    may_ask_another_host = True

    def __init__(
        self, children: List[Route], errors: FailoverErrors, policy: InOrder, limit: "Optional[FailoverLimit]" = None
    ) -> None:
        self.children = children
        self.good = tuple(errors.good(command) for command in COMMANDS)
        self.policy = policy
        self.limit = limit
        alike = self.good[GET] == self.good[SET]  # a run may have both
        self.takes_runs = alike and not policy.by_key and all(child.takes_runs for child in children)
        self.takes_keys = not policy.by_key and not any(child.splits for child in children)

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns the first host of the first child; None if there is a limit, which must count every request here."""
        return self.children[0].direct_host(request) if self.limit is None else None

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Asks the other children if this is a failure of the first."""
        if is_good(outcomes, o.ANSWERS) and not self.children[0].may_ask_another_host:
            sink.on_reply(reply, outcomes)
        else:
            Walk(self, request, sink).take_over(host, reply, outcomes)

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the first child."""
        if self.limit is not None:
            self.limit.seen(len(request.commands))
        Walk(self, request, sink).go()

    def routes(self) -> List[Route]:
        """Returns all children."""
        return self.children

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists the children in the order in which they are asked."""
        order = [self.children[place] for place in self.policy.order(request)]
        branches = [(ON_ERROR if place else ASKED, child) for place, child in enumerate(order)]
        return "the first answer that is not an error", branches


class FailoverLimit:
    """The share of the requests that may fail over (`failover_limit`): `rate` of all, and up to `burst` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._bucket = TokenBucket(rate, burst, 0)
        self._requests = 0

    def seen(self, requests: int) -> None:
        """Counts so many requests."""
        self._requests += requests

    def allows(self, requests: int) -> bool:
        """Returns whether so many requests may fail over now, and if so, counts them."""
        return self._bucket.take(self._requests, requests)


class Walk:
    """One request that passes from child to child of a route."""

    __slots__ = (
        "_ahead", "_answer", "_asked", "_asking", "_best", "_errors", "_first", "_good", "_hosts", "_order", "_place",
        "_request", "_route", "_sink", "_told",
    )  # fmt: skip

    def __init__(self, route: FailoverRoute, request: Request, sink: Sink) -> None:
        self._route = route
        self._request = request
        self._sink = sink
        self._good = route.good[request.commands[0]]
        self._order = route.policy.order(request)
        self._place = next(self._order)  # place of the child that answers next
        self._told: object = None  # what the policy returned when the child was asked
        self._ahead = -1  # place of the child after that; -1 until `_has_next` has found it
        self._first: Optional[Destination] = None  # the host that was asked directly, in place of the child
        self._hosts: Set[Destination] = set()  # all hosts that have been asked
        self._asked = request
        self._best: Optional[Best] = None  # made when the first answer is an error
        self._errors = 0  # number of errors that count for the policy
        self._asking = False  # a child is being asked; if it answers at once, `_answer` keeps the answer
        self._answer: Optional[Tuple[Reply, bytes]] = None

    @property
    def takes_pieces(self) -> bool:
        """Whether a child's answer may be a list of pieces, because the sink takes them."""
        return takes_pieces(self._sink)

    def go(self) -> None:
        """Asks the child whose turn it is, then the next ones while they fail at once; a loop, so that many failing
        children do not recurse."""
        while True:
            self._answer = None
            self._asking = True
            self._ask(self._route.children[self._place])
            self._asking = False
            if self._answer is None:
                return
            reply, outcomes = self._answer
            if not self._needs_next(reply, outcomes, at_once=True):
                return

    def take_over(self, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Starts with the answer of the first child's host, which the caller has asked directly."""
        self._first = host
        self._hosts.add(host)
        self.on_reply(reply, outcomes)

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes a child's answer, or that of the host asked in its place."""
        first, self._first = self._first, None
        if first is not None and self._is_for_child(outcomes):
            self._route.children[self._place].after_failure(self._asked, self, first, reply, outcomes)
        elif self._asking:
            self._answer = (reply, outcomes)
        elif self._needs_next(reply, outcomes, at_once=False):
            self.go()

    def _ask(self, child: Route) -> None:
        """Asks a child; for a read it asks the child's first host directly, if there is one."""
        self._told = self._route.policy.asked(self._place, self._asked)
        if self._asked.reads_only():
            self._first = child.direct_host(self._asked)
        host = self._first or getattr(child, "host", None)
        if host is not None:
            self._hosts.add(host)
        if self._first is not None:
            self._first.send(self._asked, self)
        else:
            child.start(self._asked, self)

    def _is_for_child(self, outcomes: bytes) -> bool:
        """Returns whether the child must handle the answer of its first host.

        After a lost connection the child would ask the same host once more; the next child, if any, is better.
        """
        if is_good(outcomes, o.SUCCESS):
            return False
        lost = outcomes[:1] == o.LOST and self._asked.reads_only() and o.LOST not in self._good
        return self._route.children[self._place].may_ask_another_host or not lost or not self._has_next()

    def _needs_next(self, reply: Reply, outcomes: bytes, at_once: bool) -> bool:
        """Takes a child's whole answer. Passes on the final answer, or returns True if the next child must be asked."""
        good = is_good(outcomes, self._good)
        self._route.policy.answered(self._place, not good, self._told)
        if self._best is None and good:
            self._sink.on_reply(reply, outcomes)
            return False
        if self._best is None:
            self._best = Best(self._request, self._good)
        if self._best.add(reply, outcomes, self._asked) or not self._may_ask_next(outcomes, at_once):
            self._sink.on_reply(*self._best.result(self._sink))
            return False
        self._place, self._ahead = self._ahead, -1
        self._asked = self._best.missing()
        return True

    def _may_ask_next(self, outcomes: bytes, at_once: bool) -> bool:
        """Returns whether the next child may be asked after these failures."""
        route, request = self._route, self._request
        client: Source = request.client
        if not (at_once or request.reads_only() or (request.large_value is None and client.awaits(request))):
            return False
        costly = outcomes.translate(None, self._good + o.NEVER_SENT)
        if costly.translate(None, route.policy.uncounted):
            self._errors += 1
        if self._errors >= route.policy.most_errors or not self._has_next():
            return False
        return route.limit is None or not costly or route.limit.allows(len(costly))

    def _has_next(self) -> bool:
        """Returns whether there is another child that is not a host which has been asked."""
        if self._ahead < 0:
            children = self._route.children
            others = (place for place in self._order if getattr(children[place], "host", None) not in self._hosts)
            self._ahead = next(others, -1)
        return self._ahead >= 0


def failover_fields(*others: Field) -> Tuple[Field, ...]:
    """Returns `others` and the fields that all failover routes share."""
    limit = record(rate=(number(0, 1, whole=False), REQUIRED), burst=(number(1, 1e9, whole=False), 1000.0))
    return (
        *others,
        Field("failover_errors", read=failover_errors, default=FailoverErrors()),
        Field("failover_policy", read=failover_policy, default=PolicySpec()),
        Field("failover_limit", read=limit, default=None),
        *unused("failover_tag", "enable_lease_pairing"),
    )


def made_of(children: List[Route], args: Args) -> Route:
    """Returns the failover route over these children; a single child is returned itself."""
    if len(children) == 1:
        return children[0]
    policy, limit = args.state
    return FailoverRoute(children, args.failover_errors, policy, limit)


def never(args: Values, command: Command) -> bool:
    """Returns whether no error of this command ever fails over."""
    return not args["failover_errors"].of(command) or args["failover_policy"].only_first()


def shared(children: int, args: Args) -> Tuple[InOrder, Optional[FailoverLimit]]:
    """Returns what the routes of all commands share: the policy, with its record of failures, and the limit."""
    limit = args.failover_limit
    return args.failover_policy.make(children), None if limit is None else FailoverLimit(limit["rate"], limit["burst"])


def _make(args: Args, context: RouteContext) -> Route:
    return made_of(args.children, args)


def _state(args: Args, context: RouteContext) -> Tuple[InOrder, Optional[FailoverLimit]]:
    return shared(len(args.children), args)


def _without_failover(args: Values, command: Command) -> Optional[int]:
    return int(args["children"][0]) if args["children"] and never(args, command) else None


HANDLE = Handle(
    "FailoverRoute", failover_fields(routes()), _make, specialise=_without_failover, collapse_if_one=True, state=_state
)
