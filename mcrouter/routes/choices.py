"""Routes that choose a child without looking at the key: RandomRoute, HostIdRoute."""

from typing import Any, List
from zlib import crc32

from ..config.fields import Field, routes, text
from ..proto.requests import Request
from .base import BY_CHANCE, Branch, Route, apart
from .handle import Args, Handle
from .kit import Kit


class RandomRoute(Route):
    """To any child, each as likely as the others, for each request anew.

    | the chosen child | the answer                                |
    | answers          | what it says                              |
    | fails            | the failure: no other child is asked then |
    """

    def __init__(self, children: List[Any], kit: Kit) -> None:
        self._children = children
        self._choice = kit.chance.choice
        self.takes_runs = all(child.takes_runs for child in children)
        self.goes_on = any(child.goes_on for child in children)
        self.splits = any(child.splits for child in children)

    def start(self, request: Request, sink: Any) -> None:
        """Asks one."""
        self._choice(self._children).start(request, apart(request, sink))

    def routes(self) -> List[Any]:
        """All of them."""
        return self._children

    def outlook(self, request: Request) -> "tuple[str, List[Branch]]":
        """One of them."""
        return f"one of {len(self._children)}", [(BY_CHANCE, child) for child in self._children]


def _host_id(args: Args, kit: Kit) -> Any:
    """HostIdRoute is the child itself that this machine's number says.

    | salt   | the child                                                       |
    | ""     | host id modulo their number, as in facebook/mcrouter            |
    | others | CRC-32 of "host id, salt" modulo their number: a hash of our own |
    """
    number = crc32(f"{kit.host_id}{args.salt}".encode()) if args.salt else kit.host_id
    return args.children[number % len(args.children)]


HANDLES = (
    Handle("RandomRoute", (routes(),), lambda args, kit: RandomRoute(args.children, kit), lone=True, picks=True),
    Handle("HostIdRoute", (routes(), Field("salt", read=text, default="")), _host_id, lone=True, picks=True),
)
