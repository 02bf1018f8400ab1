"""FailoverRoute: to the first child; what fails there, to the next.

`Walk` is the one way along children, one after the other; LatestRoute, FailoverWithExptimeRoute and LoadBalancerRoute
are made of it too.
"""

from typing import Any, List, Mapping, Optional, Set, Tuple

from ..config.fields import REQUIRED, Field, number, record, routes, unused
from ..proto import outcomes as o
from ..proto.commands import COMMANDS, Command
from ..proto.requests import GET, SET, Request
from .base import ASKED, ON_ERROR, Branch, Route
from .best import Best, is_good
from .failover_errors import FailoverErrors, failover_errors
from .failover_policy import InOrder, PolicySpec, failover_policy
from .handle import Args, Handle
from .kit import Kit
from .pieces import takes_pieces
from .token_bucket import TokenBucket


class FailoverRoute(Route):
    """Asks the first child; after an error (failover_errors.py), the next one, in the order of the policy
    (failover_policy.py).

    | first child                      | second child | the answer                                         |
    | any answer, a miss too           | not asked    | the first's                                        |
    | error that is not to fail over   | not asked    | the error                                          |
    | error                            | any answer   | the second's                                       |
    | error                            | error        | the better: a host's error before one of ours      |
    | loses the connection, a read     | any answer   | the second's: the first is not asked once more     |
    | error, the limit is reached      | not asked    | the error; an unhealthy host costs nothing of it   |
    | error, a late one, of a write that no client waits for any more | not asked | the error              |

    No host is asked twice, where that can be seen: a write may have been done. Of a run only the commands that failed
    go on. Of a client's writes the older one must not come last: while the client waits, its next request for the key
    waits, too; when it has been answered already (as by AllAsyncRoute), only a failure at once goes on.
    """

    goes_on = True

    def __init__(
        self, children: List[Any], errors: FailoverErrors, policy: InOrder, limit: "Optional[Limit]" = None
    ) -> None:
        self.children = children
        self.good = tuple(errors.good(command) for command in COMMANDS)
        self.policy = policy
        self.limit = limit
        alike = self.good[GET] == self.good[SET]  # a run may have both
        self.takes_runs = alike and not policy.by_key and all(child.takes_runs for child in children)
        self.takes_keys = not policy.by_key and not any(child.splits for child in children)

    def first(self, request: Any = None) -> Any:
        """That of the first child. A limit counts all requests: they are seen here."""
        return self.children[0].first(request) if self.limit is None else None

    def go_on(self, request: Request, sink: Any, host: Any, reply: bytes, outcomes: bytes) -> None:
        """Asks the other children, if that is a failure of the first."""
        if is_good(outcomes, o.ANSWERS) and not self.children[0].goes_on:
            sink.on_reply(reply, outcomes)
        else:
            Walk(self, request, sink).begun(host, reply, outcomes)

    def start(self, request: Request, sink: Any) -> None:
        """Asks the first child."""
        if self.limit is not None:
            self.limit.seen(len(request.kinds))
        Walk(self, request, sink).go()

    def routes(self) -> List[Any]:
        """All of them."""
        return self.children

    def outlook(self, request: Request) -> "Tuple[str, List[Branch]]":
        """One after the other."""
        order = [self.children[place] for place in self.policy.order(request)]
        ways = [(ON_ERROR if place else ASKED, child) for place, child in enumerate(order)]
        return "the first answer that is no error", ways


class Limit:
    """Which share of the requests may fail over (`failover_limit`): `rate` of all, and up to `burst` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._bucket = TokenBucket(rate, burst, 0)
        self._requests = 0

    def seen(self, requests: int) -> None:
        """So many requests have come."""
        self._requests += requests

    def allows(self, requests: int) -> bool:
        """Whether so many may fail over, and if so, that they do."""
        return self._bucket.take(self._requests, requests)


class Walk:
    """One request on its way along a route's children."""

    __slots__ = (
        "_ahead", "_answer", "_asked", "_asking", "_best", "_errors", "_first", "_good", "_hosts", "_order", "_place",
        "_request", "_route", "_sink", "_told",
    )  # fmt: skip

    def __init__(self, route: FailoverRoute, request: Request, sink: Any) -> None:
        self._route = route
        self._request = request
        self._sink = sink
        self._good = route.good[request.kinds[0]]
        self._order = route.policy.order(request)
        self._place = next(self._order)  # of the child whose answer comes next
        self._told: Any = None  # by the policy, when it was told that the child is asked
        self._ahead = -1  # of the child after that, when somebody has looked
        self._first: Any = None  # the host that was asked in the child's stead
        self._hosts: Set[Any] = set()  # that have been asked
        self._asked = request
        self._best: Any = None  # made when the first answer is an error
        self._errors = 0  # that count
        self._asking = False  # a child is being asked: its answer, if it comes at once, is kept in `_answer`
        self._answer: Any = None

    @property
    def takes_pieces(self) -> bool:
        """Whether a child's answer may be a list of pieces: where it may be passed on."""
        return takes_pieces(self._sink)

    def go(self) -> None:
        """Asks the child whose turn it is, and on while they fail at once: however many do, in this one loop."""
        while True:
            self._answer = None
            self._asking = True
            self._ask(self._route.children[self._place])
            self._asking = False
            if self._answer is None:
                return
            reply, outcomes = self._answer
            if not self._goes_on(reply, outcomes, at_once=True):
                return

    def begun(self, host: Any, reply: bytes, outcomes: bytes) -> None:
        """Takes over when somebody else has asked the first child's host, and has this answer."""
        self._first = host
        self._hosts.add(host)
        self.on_reply(reply, outcomes)

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """A child's answer."""
        first, self._first = self._first, None
        if first is not None and self._is_for_child(outcomes):
            self._route.children[self._place].go_on(self._asked, self, first, reply, outcomes)
        elif self._asking:
            self._answer = (reply, outcomes)
        elif self._goes_on(reply, outcomes, at_once=False):
            self.go()

    def _ask(self, child: Any) -> None:
        """Asks a child; of a read, its first host, if it has one."""
        self._told = self._route.policy.asked(self._place, self._asked)
        if self._asked.reads_only():
            self._first = child.first(self._asked)
        host = self._first or getattr(child, "host", None)
        if host is not None:
            self._hosts.add(host)
        if self._first is not None:
            self._first.send(self._asked, self)
        else:
            child.start(self._asked, self)

    def _is_for_child(self, outcomes: bytes) -> bool:
        """Whether the child must see what its first host said. It would ask a host that has lost a read once more: the
        next child is the better choice, if there is one."""
        if is_good(outcomes, o.SUCCESS):
            return False
        lost = outcomes[:1] == o.LOST and self._asked.reads_only() and o.LOST not in self._good
        return self._route.children[self._place].goes_on or not lost or not self._is_more()

    def _goes_on(self, reply: bytes, outcomes: bytes, at_once: bool) -> bool:
        """Takes a child's whole answer: gives the answer, or True if the next child is to be asked."""
        good = is_good(outcomes, self._good)
        self._route.policy.answered(self._place, not good, self._told)
        if self._best is None and good:
            self._sink.on_reply(reply, outcomes)
            return False
        if self._best is None:
            self._best = Best(self._request, self._good)
        if self._best.add(reply, outcomes, self._asked) or not self._may(outcomes, at_once):
            self._sink.on_reply(*self._best.result(self._sink))
            return False
        self._place, self._ahead = self._ahead, -1
        self._asked = self._best.missing()
        return True

    def _may(self, outcomes: bytes, at_once: bool) -> bool:
        """Whether the next child may be asked after these failures."""
        route, request = self._route, self._request
        if not (at_once or request.reads_only() or (request.bulk is None and request.client.awaits(request))):
            return False
        costly = outcomes.translate(None, self._good + o.NEVER_SENT)
        if costly.translate(None, route.policy.uncounted):
            self._errors += 1
        if self._errors >= route.policy.most_errors or not self._is_more():
            return False
        return route.limit is None or not costly or route.limit.allows(len(costly))

    def _is_more(self) -> bool:
        """Whether there is another child, and not one that is a host that has been asked."""
        if self._ahead < 0:
            children = self._route.children
            others = (place for place in self._order if getattr(children[place], "host", None) not in self._hosts)
            self._ahead = next(others, -1)
        return self._ahead >= 0


def failover_fields(*others: Field) -> Tuple[Field, ...]:
    """What all handles take that fail over, after some of their own."""
    limit = record(rate=(number(0, 1, whole=False), REQUIRED), burst=(number(1, 1e9, whole=False), 1000.0))
    return (
        *others,
        Field("failover_errors", read=failover_errors, default=FailoverErrors()),
        Field("failover_policy", read=failover_policy, default=PolicySpec()),
        Field("failover_limit", read=limit, default=None),
        *unused("failover_tag", "enable_lease_pairing"),
    )


def made_of(children: List[Any], args: Args) -> Any:
    """The route along these children; just one is itself."""
    if len(children) == 1:
        return children[0]
    policy, limit = args.state
    return FailoverRoute(children, args.failover_errors, policy, limit)


def never(args: Mapping[str, Any], command: Command) -> bool:
    """Whether no error of the command fails over."""
    return not args["failover_errors"].of(command) or args["failover_policy"].only_first()


def shared(children: int, args: Args) -> Tuple[InOrder, Optional[Limit]]:
    """What the routes of all commands share: who has failed, and how much may."""
    limit = args.failover_limit
    return args.failover_policy.make(children), None if limit is None else Limit(limit["rate"], limit["burst"])


def _make(args: Args, kit: Kit) -> Any:
    return made_of(args.children, args)


def _state(args: Args, kit: Kit) -> Tuple[InOrder, Optional[Limit]]:
    return shared(len(args.children), args)


def _narrow(args: Mapping[str, Any], command: Command) -> Optional[int]:
    return int(args["children"][0]) if args["children"] and never(args, command) else None


HANDLE = Handle("FailoverRoute", failover_fields(routes()), _make, narrow=_narrow, lone=True, state=_state)
