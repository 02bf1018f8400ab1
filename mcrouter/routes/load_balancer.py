"""LoadBalancerRoute: to the less loaded of two children, chosen by chance."""

from itertools import islice
from math import exp
from typing import Any, Iterator, List, Optional, Tuple

from ..config.fields import Field, number, routes, unused
from ..proto.requests import Request
from .base import BY_CHANCE, Branch
from .failover import FailoverRoute
from .failover_errors import FailoverErrors
from .failover_policy import InOrder
from .handle import Args, Handle
from .kit import Kit

_FAILED = 1.0  # seconds: how slow a failure is said to be, however quick it was
_QUICK = 0.001  # seconds that do not matter: among those that are as quick, requests in flight decide


class Load:
    """How loaded a child seems: its requests in flight, times how slow it was of late.

    "Of late" is a mean with exponentially fading weights that jumps up to any slower answer at once, so that trouble is
    seen with the first answer, and forgotten in `memory` seconds (to 37 %), so that who is avoided is tried again.
    """

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._mean = 0.0
        self._then = 0.0
        self.in_flight = 0

    def now(self, now: float) -> float:
        """What to compare; the lesser the better."""
        faded = self._mean * exp((self._then - now) / self._memory)
        return (faded + _QUICK) * (self.in_flight + 1)

    def took(self, now: float, seconds: float) -> None:
        """An answer came after so many seconds."""
        weight = exp((self._then - now) / self._memory)
        self._mean = max(seconds, self._mean * weight + seconds * (1 - weight))
        self._then = now


class LeastLoaded(InOrder):
    """Two of the children by chance, the less loaded of them first; of the rest, two again, and so on.

    Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing": nearly as even as asking the least loaded,
    and routers that know only their own requests do not all run to the same one.
    """

    def __init__(self, children: int, memory: float, most: int, kit: Kit) -> None:
        super().__init__(children, {})
        self._most = most
        self._kit = kit
        self.loads = [Load(memory) for _ in range(children)]

    def order(self, request: Request) -> Iterator[int]:
        """The places of the children to be asked."""
        return islice(self._order(), self._most)

    def _order(self) -> Iterator[int]:
        left = list(range(self._children))
        while left:
            now = self._kit.now()
            two = self._kit.chance.sample(left, min(2, len(left)))
            place = min(two, key=lambda one: self.loads[one].now(now))
            left.remove(place)
            yield place

    def asked(self, place: int, request: Request) -> "Flight":
        """It has one more in flight."""
        flight = Flight(self.loads[place], self._kit.now())
        request.client.when_abandoned(request, flight.over)
        return flight

    def answered(self, place: int, failed: bool, told: "Flight") -> None:
        """It has one less."""
        told.over()
        now = self._kit.now()
        took = now - told.since
        self.loads[place].took(now, max(took, _FAILED) if failed else took)


class Flight:
    """A request in flight, since when."""

    __slots__ = ("_load", "since")

    def __init__(self, load: Load, since: float) -> None:
        self._load: Optional[Load] = load
        self.since = since
        load.in_flight += 1

    def over(self) -> None:
        """It has been answered, or will not be."""
        load, self._load = self._load, None
        if load is not None:
            load.in_flight -= 1


class LoadBalancerRoute(FailoverRoute):
    """Chooses two children by chance, and asks the one that seems less loaded (`Load`).

    | of the two             | asked                                                     |
    | more in flight         | the other                                                 |
    | slow of late           | the other, until `load_ttl_ms` have passed a few times     |
    | has failed             | the other: a failure counts as slow, however quick it was |

    | the child asked        | the answer                                                |
    | answers                | what it says                                              |
    | fails                  | the failure; with `failover_count` n, n children are tried |

    facebook/mcrouter's asks hosts for their load, which memcached does not tell: this is a measure of our own. It knows
    no `algorithm` but this one.
    """

    def __init__(self, children: List[Any], policy: LeastLoaded, count: int) -> None:
        super().__init__(children, FailoverErrors(), policy)
        self.goes_on = count > 1 or any(child.goes_on for child in children)

    def first(self, request: Any = None) -> Any:
        """Nobody knows before it is asked."""
        return None

    def outlook(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Any of them."""
        return "the less loaded of two", [(BY_CHANCE, child) for child in self.children]


def _state(args: Args, kit: Kit) -> LeastLoaded:
    return LeastLoaded(len(args.children), args.load_ttl_ms / 1000, args.failover_count, kit)


def _make(args: Args, kit: Kit) -> LoadBalancerRoute:
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
    lone=True,
    state=_state,
)
