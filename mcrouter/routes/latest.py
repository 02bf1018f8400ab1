"""LatestRoute: failover along a few of the children, selected by this machine's host id.

| two routers with         | ask                                                                        |
| the same host id, salt   | the same children in the same order, for all keys                          |
| another host id, salt    | other children: the machines of a fleet share the children among them      |

How the selected children are asked is in the table of FailoverRoute.
"""

from typing import List, Optional, Sequence, Tuple

from ..config.fields import Field, number, numbers, routes, text, unused
from ..hashing import make_chooser
from .failover import FailoverLimit, FailoverRoute, failover_fields, made_of, shared
from .failover_errors import FailoverErrors
from .failover_policy import InOrder, PolicySpec
from .framework.base import Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle

COUNT = 5


def chosen_places(
    children: int, host_id: int, count: int = COUNT, salt: str = "", weights: Sequence[float] = ()
) -> List[int]:
    """Returns the places of `count` different children, in the order in which a machine with this host id asks them.

    They are chosen by the hash WeightedCh3, which prefers children with more weight (0 to 1).
    """
    left = list(range(children))
    heavy = list(weights) or [1.0] * children
    heavy = (heavy + [0.5] * children)[:children]  # WeightedCh3's weight for children without one
    found = []
    for turn in range(min(count, children)):
        choose = make_chooser("WeightedCh3", [str(place) for place in left], {"weights": tuple(heavy)})
        index = choose(f"{host_id}-{salt}-{turn}".encode())
        found.append(left[index])
        last, weight = left.pop(), heavy.pop()
        if index < len(left):  # the last child takes the free place
            left[index], heavy[index] = last, weight
    return found


def latest(
    children: List[Route], context: RouteContext, salt: str = "", weights: Optional[Sequence[float]] = None
) -> Route:
    """Returns a LatestRoute with default options, as `hash_func: Latest` means it."""
    places = chosen_places(len(children), context.host_id, salt=salt, weights=weights or ())
    chosen = [children[place] for place in places]
    return FailoverRoute(chosen, FailoverErrors(), PolicySpec().make(len(chosen))) if len(chosen) > 1 else chosen[0]


def _make(args: Args, context: RouteContext) -> Route:
    places = chosen_places(len(args.children), context.host_id, args.failover_count, args.salt, args.weights or ())
    return made_of([args.children[place] for place in places], args)


def _state(args: Args, context: RouteContext) -> Tuple[InOrder, Optional[FailoverLimit]]:
    return shared(min(args.failover_count, len(args.children)), args)


HANDLE = Handle(
    "LatestRoute",
    failover_fields(
        routes(),
        Field("failover_count", read=number(1, 1000), default=COUNT),
        Field("salt", read=text, default=""),
        Field("weights", read=numbers(0, 1), default=None),
        *unused("thread_local_failover"),
    ),
    _make,
    collapse_if_one=True,
    state=_state,
)
