"""HashRoute: chooses one of several routes by a hash of the key."""

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple, Union, cast

from ..config.fields import Field, Values, one_of, routes, switch, text, texts
from ..hashing import HASHES, KEY_HASH_NAMES, Chooser, make_chooser, routing_key
from ..proto.request import Request
from ..system.deferred import own
from .framework.base import Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.keyed import KeyedRoute
from .null import ErrorRoute, NullRoute

if TYPE_CHECKING:
    from . import latest
else:
    latest = own("routes.latest")


class HashRoute(KeyedRoute):
    """Asks the child that the hash of the key selects (hashing/), whether that child is healthy or not.

    | the key's child | answer                                                       |
    | answers         | that answer                                                  |
    | fails           | the failure: keys do not move to other children by themselves |

    Of a key with `|#|` only the part before it is hashed, so that related keys can share a host.
    """

    def __init__(self, children: List[Route], place_of: Chooser, name: str) -> None:
        self._children = children
        self._place_of = place_of
        self._name = name
        self.may_ask_another_host = any(child.may_ask_another_host for child in children)

    def route_for(self, key: bytes) -> Route:
        """Returns the key's child."""
        return self._children[self._place_of(key)]

    def routes(self) -> List[Route]:
        """Returns all children."""
        return self._children

    def describe(self, request: Request) -> "tuple[str, List[Branch]]":
        """Names the child of each key by its number."""

        def remark(key: bytes) -> str:
            index = self._place_of(key)
            return f"{self._name}({routing_key(key).decode(errors='replace')}) = {index} of {len(self._children)}"

        return self._describe_keys(request, remark)


Weights = Union[Dict[str, float], Tuple[float, ...]]
LATEST = "Latest"
_NAMES = (*HASHES, LATEST)  # "Latest" is not a hash function: it makes a LatestRoute


def _hash(value: Any) -> str:
    name = text(value)
    if name not in _NAMES:
        raise ValueError(f"write one of {', '.join(_NAMES)}")
    return name


def _weights(value: Any) -> Weights:
    """Reads weights: a list of numbers, or a map from the names of hosts to numbers."""
    given = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(given, (list, tuple)) or not all(_is_weight(one) for one in given):
        raise ValueError("write a list of numbers, or a map from hosts to numbers")
    return value if isinstance(value, dict) else tuple(map(float, value))


def _is_weight(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1e9


def _check(args: Values) -> None:
    """Checks that there is a tag for each child, and that the weights and the key hash suit the hash function."""
    count = len(args["children"])
    if count > 1:
        _names(count, args["tags"])
    if count and (args["weights"] or args["key_hash"]) and args["hash_func"] != LATEST:
        names = ("hash_func", "salt", "weights", "tags", "key_hash")
        _chooser(count, **{name: args[name] for name in names})


def _chooser(
    count: int, hash_func: str, salt: str, weights: Optional[Weights], tags: Optional[Sequence[str]], key_hash: str
) -> Chooser:
    return make_chooser(hash_func, _names(count, tags), {"weights": weights, "key_hash": key_hash}, salt)


def _names(count: int, tags: Optional[Sequence[str]]) -> Sequence[str]:
    """Returns the names of the children that some hash functions hash: the tags, or the places."""
    if tags and len(tags) != count:
        raise ValueError(f"{len(tags)} tags for {count} children; give one for each")
    return tags or [str(place) for place in range(count)]


def _make(args: Args, context: RouteContext) -> Route:
    if not args.children:
        name = f", name: {args.name}" if args.name else ""
        return ErrorRoute(f"HashRoute with empty children{name}") if args.error_on_empty else NullRoute()
    if len(args.children) == 1:
        return cast(Route, args.children[0])
    if args.hash_func == LATEST:
        return latest.latest(args.children, context, args.salt, args.weights)
    chooser = _chooser(len(args.children), args.hash_func, args.salt, args.weights, args.tags, args.key_hash)
    return HashRoute(args.children, chooser, args.hash_func)


HANDLE = Handle(
    "HashRoute",
    (
        routes(),
        Field("hash_func", read=_hash, default="Ch3", also=("hash",)),
        Field("salt", read=text, default=""),
        Field("weights", read=_weights, default=None),
        Field("tags", read=texts, default=None),
        Field("key_hash", read=one_of(*KEY_HASH_NAMES), default=""),
        Field("name", read=text, default=""),
        Field("error_on_empty", read=switch, default=True),
    ),
    _make,
    check=_check,
    chooses_one=True,
)
