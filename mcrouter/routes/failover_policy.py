"""Failover policies: in which order the other children are asked, and how many of them (as in facebook/mcrouter).

The first child is always asked first. Names and fields are those of `failover_policy`:

| type                     | order of the others                                        | ends after                  |
| InOrderPolicy (default)  | as in the config                                           | max_tries errors            |
| LeastFailuresPolicy      | by failures since the child's last good answer, fewest first | max_tries children        |
| DeterministicOrderPolicy | by hashes of the key, with the salts 2, 3, 4 ...           | max_tries children, or      |
|                          |                                                            | max_error_tries errors      |
| RendezvousPolicy         | by the rendezvous hash of the key                          | all                         |

Two kinds of error do not count there: that of an unhealthy host, which costs nothing, and those of `exclude_errors`.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..config.fields import REQUIRED, Read, Values, number, numbers, one_of, record, switch, texts
from ..hashing import make_chooser, routing_key
from ..hashing.choosers import rendezvous_order
from ..proto.request import Request
from ..proto.rewriting import routing_name
from .failover_errors import error_list
from .framework.renamed import prefix_of

_MANY = 1_000_000_000
_ATTEMPTS = 100  # hashes of one key in search of a child that has not been asked, as in facebook/mcrouter


class PolicySpec(NamedTuple):
    """A failover policy as the config gives it: its type and its fields."""

    type: str = "InOrderPolicy"
    options: Values = {}

    def make(self, children: int) -> "InOrder":
        """Returns the policy for so many children."""
        made: InOrder = _TYPES[self.type][0](children, self.options)
        return made

    def only_first(self) -> bool:
        """Returns whether no child but the first is ever asked."""
        return self.type in ("LeastFailuresPolicy", "DeterministicOrderPolicy") and self.options["max_tries"] == 1


class InOrder:
    """The order of the config; also the base class of the other policies.

    `by_key`: the order depends on the key, so that requests for several keys must be asked key by key. `most_errors`:
    after so many errors no further child is asked. `uncounted`: outcomes that do not count as errors for this.
    """

    by_key = False

    def __init__(self, children: int, options: Values) -> None:
        self._children = children
        self.most_errors: int = options.get("max_error_tries") or options.get("max_tries") or _MANY
        self.uncounted: bytes = options.get("exclude_errors") or b""

    def order(self, request: Request) -> Iterator[int]:
        """Yields the places of the children in the order in which they are to be asked."""
        return iter(range(self._children))

    def asked(self, place: int, request: Request) -> object:
        """Records that a child is about to be asked. `answered` gets the returned object as `told`."""

    def answered(self, place: int, failed: bool, told: object) -> None:
        """Records that the child has answered, or has failed."""


class LeastFailures(InOrder):
    """The order by consecutive failures, fewest first."""

    def __init__(self, children: int, options: Values) -> None:
        super().__init__(children, {})
        self._most: int = options["max_tries"]
        self._failures = [0] * children

    def order(self, request: Request) -> Iterator[int]:
        """Yields the first child, then the others in the order of the time when the first has failed."""
        yield 0
        others = sorted(range(1, self._children), key=self._failures.__getitem__)
        yield from others[: self._most - 1]

    def answered(self, place: int, failed: bool, told: object) -> None:
        """Counts a failure; a good answer resets the count."""
        self._failures[place] = self._failures[place] + 1 if failed else 0


class DeterministicOrder(InOrder):
    """The order by hashes of the key, salted with the number of the attempt. A child that has been asked is skipped."""

    by_key = True

    def __init__(self, children: int, options: Values) -> None:
        super().__init__(children, options)
        self._most: int = options["max_tries"]
        self._hash, self._options = _hash_of(options)
        self._choosers: List[Callable[[bytes], int]] = []  # by attempt

    def order(self, request: Request) -> Iterator[int]:
        """Yields the first child, then the children that the hashes select."""
        return islice(self._order(_key(request)), self._most)

    def _order(self, key: bytes) -> Iterator[int]:
        left = set(range(1, self._children))
        yield 0
        for attempt in range(_ATTEMPTS):
            if not left:
                return
            place = self._chooser(attempt)(key)
            if place in left:
                left.remove(place)
                yield place
        yield from sorted(left)

    def _chooser(self, attempt: int) -> Callable[[bytes], int]:
        while len(self._choosers) <= attempt:
            salt = str(len(self._choosers) + 2)
            names = [str(place) for place in range(self._children)]
            self._choosers.append(make_chooser(self._hash, names, self._options, salt))
        return self._choosers[attempt]


class Rendezvous(InOrder):
    """The order by the rendezvous hash of the key over the `tags` of all children but the first."""

    by_key = True

    def __init__(self, children: int, options: Values) -> None:
        super().__init__(children, options)
        tags = list(options["tags"])[: children - 1]
        self._tags = tags + [str(place) for place in range(len(tags), children - 1)]

    def order(self, request: Request) -> Iterator[int]:
        """Yields the first child, then the others by descending rendezvous hash of the key."""
        yield 0
        for place in rendezvous_order(self._tags, _key(request)):
            yield 1 + place


def _key(request: Request) -> bytes:
    """Returns the part of the request's key that is hashed."""
    if not request.keys():
        return b""
    key = routing_name(request)
    return routing_key(key[len(prefix_of(key)) :])


def _hash_of(options: Values) -> Tuple[str, Dict[str, Any]]:
    given = options["hash"] or {}
    weights: Optional[Sequence[float]] = given.get("weights") or options["weights"]
    return given.get("hash_func", "Ch3"), {"weights": weights} if weights else {}


# reading ----------------------------------------------------------------------------------------------------------

_tries = number(1, 100_000)
_weights = (numbers(0, 1), None)
_TYPES: Dict[str, Tuple[Callable[[int, Values], InOrder], Read]] = {
    "InOrderPolicy": (InOrder, record(max_tries=(_tries, None), exclude_errors=(error_list, None))),
    "LeastFailuresPolicy": (LeastFailures, record(max_tries=(_tries, REQUIRED))),
    "DeterministicOrderPolicy": (
        DeterministicOrder,
        record(
            max_tries=(_tries, REQUIRED),
            max_error_tries=(_tries, REQUIRED),
            exclude_errors=(error_list, None),
            hash=(record(hash_func=(one_of("Ch3", "WeightedCh3"), "Ch3"), weights=_weights), None),
            weights=_weights,
            enable_failure_domains=(switch, False),  # not supported: hosts have no failure domains
            ignore_normal_reply_index=(switch, False),  # not needed: no host is asked twice
        ),
    ),
    "RendezvousPolicy": (Rendezvous, record(tags=(texts, REQUIRED))),
}


def failover_policy(value: Any) -> PolicySpec:
    """Reads a config's `failover_policy`."""
    if not isinstance(value, Mapping) or "type" not in value:
        raise ValueError(f"write a map with a type: one of {', '.join(_TYPES)}")
    name = value["type"]
    if not isinstance(name, str) or name not in _TYPES:
        raise ValueError(f"its type {name!r} is not known; write one of {', '.join(_TYPES)}")
    options = {key: one for key, one in value.items() if key != "type"}
    return PolicySpec(name, _TYPES[name][1](options))
