"""LatestRoute: failover along a few of the children, which this machine picks for itself.

| the machines' numbers, the salts | the children asked, and their order                                |
| the same                         | the same, for all keys                                             |
| others                           | others: the machines of a fleet share the children between them    |

What happens then, FailoverRoute's table says.
"""

from typing import Any, List, Optional, Sequence

from ..config.fields import Field, number, numbers, routes, text, unused
from ..hashing import make_pick
from .failover import FailoverRoute, failover_fields, made_of, shared
from .failover_errors import FailoverErrors
from .failover_policy import PolicySpec
from .handle import Args, Handle
from .kit import Kit

COUNT = 5


def picked(children: int, host_id: int, count: int = COUNT, salt: str = "", weights: Sequence[float] = ()) -> List[int]:
    """The places of `count` of the children, all different, in the order in which a machine with this number asks
    them: by a hash that prefers those of more weight (0 to 1, as WeightedCh3 has them)."""
    left = list(range(children))
    heavy = list(weights) or [1.0] * children
    heavy = (heavy + [0.5] * children)[:children]  # what WeightedCh3 has for those that it is not told of
    found = []
    for turn in range(min(count, children)):
        pick = make_pick("WeightedCh3", [str(place) for place in left], {"weights": tuple(heavy)})
        index = pick(f"{host_id}-{salt}-{turn}".encode())
        found.append(left[index])
        left[index], heavy[index] = left[-1], heavy[-1]  # the last one takes its place
        del left[-1], heavy[-1]
    return found


def latest(children: List[Any], kit: Kit, salt: str = "", weights: Optional[Sequence[float]] = None) -> Any:
    """LatestRoute with nothing else said: what `hash_func: Latest` means."""
    chosen = [children[place] for place in picked(len(children), kit.host_id, salt=salt, weights=weights or ())]
    return FailoverRoute(chosen, FailoverErrors(), PolicySpec().make(len(chosen))) if len(chosen) > 1 else chosen[0]


def _make(args: Args, kit: Kit) -> Any:
    places = picked(len(args.children), kit.host_id, args.failover_count, args.salt, args.weights or ())
    return made_of([args.children[place] for place in places], args)


def _state(args: Args, kit: Kit) -> Any:
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
    lone=True,
    state=_state,
)
