"""LoadBalancerRoute: asks the less loaded of two children that are chosen at random."""

from itertools import islice
from math import exp
from typing import Iterator, List, Optional, Tuple

from ..config.fields import Field, number, routes, unused
from ..proto.request import Request
from ..proto.seams import Destination, Source
from .failover import FailoverRoute
from .failover_errors import FailoverErrors
from .failover_policy import InOrder
from .framework.base import BY_CHANCE, Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle

_FAILED = 1.0  # seconds: the least time that a failure counts as, however fast it came
_QUICK = 0.001  # seconds, added to every mean: among children that are all faster, the requests in flight decide


class Load:
    """The estimated load of a child: its requests in flight times its recent response time.

    The recent response time is a mean with exponentially fading weights. It rises to any slower answer at once, so that
    one slow answer is enough to see trouble; it falls to 37 % in `memory` seconds, so that a child that is avoided is
    tried again.
    """

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._mean = 0.0
        self._then = 0.0
        self.in_flight = 0

    def now(self, now: float) -> float:
        """Returns the load at this time; less is better."""
        faded = self._mean * exp((self._then - now) / self._memory)
        return (faded + _QUICK) * (self.in_flight + 1)

    def took(self, now: float, seconds: float) -> None:
        """Records an answer that took so many seconds."""
        weight = exp((self._then - now) / self._memory)
        self._mean = max(seconds, self._mean * weight + seconds * (1 - weight))
        self._then = now


class LeastLoaded(InOrder):
    """The order of LoadBalancerRoute: the less loaded of two random children, then the same among the rest, and so on.

    Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing": the load is nearly as even as with the least
    loaded child of all, and routers that know only their own requests do not all choose the same child.
    """

    def __init__(self, children: int, memory: float, most: int, context: RouteContext) -> None:
        super().__init__(children, {})
        self._most = most
        self._context = context
        self.loads = [Load(memory) for _ in range(children)]

    def order(self, request: Request) -> Iterator[int]:
        """Yields the places of the children to ask."""
        return islice(self._order(), self._most)

    def _order(self) -> Iterator[int]:
        left = list(range(self._children))
        while left:
            now = self._context.now()
            two = self._context.chance.sample(left, min(2, len(left)))
            place = min(two, key=lambda one: self.loads[one].now(now))
            left.remove(place)
            yield place

    def asked(self, place: int, request: Request) -> "Flight":
        """Counts one more request in flight to this child."""
        flight = Flight(self.loads[place], self._context.now())
        client: Source = request.client
        client.when_abandoned(request, flight.over)
        return flight

    def answered(self, place: int, failed: bool, told: object) -> None:
        """Counts one request less, and records how long it took."""
        assert isinstance(told, Flight)
        told.over()
        now = self._context.now()
        took = now - told.since
        self.loads[place].took(now, max(took, _FAILED) if failed else took)


class Flight:
    """A request in flight to a child, with the time at which it was sent."""

    __slots__ = ("_load", "since")

    def __init__(self, load: Load, since: float) -> None:
        self._load: Optional[Load] = load
        self.since = since
        load.in_flight += 1

    def over(self) -> None:
        """Ends the flight: the request has been answered, or never will be. Has no effect when called again."""
        load, self._load = self._load, None
        if load is not None:
            load.in_flight -= 1


class LoadBalancerRoute(FailoverRoute):
    """Chooses two children at random, and asks the one with the lower estimated load (`Load`).

    | one of the two                  | asked                                                         |
    | has more requests in flight     | the other                                                     |
    | has been slow recently          | the other, until `load_ttl_ms` have passed a few times        |
    | has failed                      | the other: a failure counts as slow, however fast it came     |

    | the child asked                 | the answer                                                    |
    | answers                         | that answer                                                   |
    | fails                           | the failure; with `failover_count` n, n children are tried    |

    facebook/mcrouter's route asks hosts for their load, which memcached does not tell; so the load here is an estimate.
    No other `algorithm` is supported.
    """

    def __init__(self, children: List[Route], policy: LeastLoaded, count: int) -> None:
        super().__init__(children, FailoverErrors(), policy)
        self.may_ask_another_host = count > 1 or any(child.may_ask_another_host for child in children)

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns None: the child is chosen at random when the request comes."""
        return None

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists all children: any of them may be asked."""
        return "the less loaded of two", [(BY_CHANCE, child) for child in self.children]


def _state(args: Args, context: RouteContext) -> LeastLoaded:
    return LeastLoaded(len(args.children), args.load_ttl_ms / 1000, args.failover_count, context)


def _make(args: Args, context: RouteContext) -> LoadBalancerRoute:
    return LoadBalancerRoute(args.children, args.state, args.failover_count)


HANDLE = Handle(
    "LoadBalancerRoute",
    (
        routes(),
        Field("load_ttl_ms", read=number(1, 3_600_000), default=100),
        Field("failover_count", read=number(1, 1000), default=1),
        *unused("algorithm", "salt", "default_server_load_percent"),
    ),
    _make,
    collapse_if_one=True,
    state=_state,
)
