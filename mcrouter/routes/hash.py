"""HashRoute: to one of several routes, by a hash of the key."""

from typing import Any, List

from ..config.fields import Field, numbers, routes, switch, text, texts
from ..proto.requests import Request
from .base import Branch
from .handle import Args, Handle
from .hashing import HASHES, routing_key
from .keyed import KeyedRoute
from .kit import Kit
from .null import ErrorRoute, NullRoute


class HashRoute(KeyedRoute):
    """To the child that the hash of the key names (hashing/), whether that is well or not.

    | the key's child | answer                                                       |
    | answers         | what it says                                                 |
    | fails           | the failure: keys do not move to other children by themselves |

    Of a key with `|#|` only what comes before it is hashed, so that related keys can share a host.
    """

    def __init__(self, children: List[Any], pick: Any, name: str) -> None:
        self._children = children
        self._pick = pick
        self._name = name
        self.goes_on = any(child.goes_on for child in children)

    def pick(self, key: bytes) -> Any:
        """The key's child."""
        return self._children[self._pick(routing_key(key) if b"|#|" in key else key)]

    def routes(self) -> List[Any]:
        """All of them."""
        return self._children

    def outlook(self, request: Request) -> "tuple[str, List[Branch]]":
        """The key's child, by number."""

        def remark(key: bytes) -> str:
            index = self._pick(routing_key(key))
            return f"{self._name}({routing_key(key).decode(errors='replace')}) = {index} of {len(self._children)}"

        return self._outlook(request, remark)


def _hash(value: Any) -> str:
    name = text(value)
    if name not in HASHES:
        raise ValueError(f"write one of {', '.join(HASHES)}")
    return name


def _make(args: Args, kit: Kit) -> Any:
    if not args.children:
        name = f", name: {args.name}" if args.name else ""
        return ErrorRoute(f"HashRoute with empty children{name}") if args.error_on_empty else NullRoute()
    if len(args.children) == 1:
        return args.children[0]
    options = {"salt": args.salt, "weights": args.weights, "hash": args.key_hash}
    names = args.tags or [str(place) for place in range(len(args.children))]
    pick = HASHES[args.hash_func].make(names, {key: value for key, value in options.items() if value})
    return HashRoute(args.children, pick, args.hash_func)


HANDLE = Handle(
    "HashRoute",
    (
        routes(),
        Field("hash_func", read=_hash, default="Ch3", also=("hash",)),
        Field("salt", read=text, default=""),
        Field("weights", read=numbers(0, 1e9), default=None),
        Field("tags", read=texts, default=None),
        Field("key_hash", read=text, default=""),
        Field("name", read=text, default=""),
        Field("error_on_empty", read=switch, default=True),
    ),
    _make,
)
