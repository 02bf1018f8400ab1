"""Routes that choose a child without looking at the key: RandomRoute, HostIdRoute."""

from typing import Any, List
from zlib import crc32

from ..config.fields import Field, routes, text
from ..proto.requests import Request
from .base import BY_CHANCE, Branch, Route, part_sink
from .handle import Args, Handle
from .kit import Kit


class RandomRoute(Route):
    """Asks one child, chosen anew for each request; all children are equally likely.

    | the chosen child | the answer                                |
    | answers          | that answer                               |
    | fails            | the failure: no other child is asked      |
    """

    def __init__(self, children: List[Any], kit: Kit) -> None:
        self._children = children
        self._choice = kit.chance.choice
        self.takes_runs = all(child.takes_runs for child in children)
        self.goes_on = any(child.goes_on for child in children)
        self.splits = any(child.splits for child in children)

    def start(self, request: Request, sink: Any) -> None:
        """Asks one child."""
        self._choice(self._children).start(request, part_sink(request, sink))

    def routes(self) -> List[Any]:
        """Returns all children."""
        return self._children

    def outlook(self, request: Request) -> "tuple[str, List[Branch]]":
        """Lists all children: any of them may be asked."""
        return f"one of {len(self._children)}", [(BY_CHANCE, child) for child in self._children]


def _host_id(args: Args, kit: Kit) -> Any:
    """Returns the child that the host id of this machine selects: HostIdRoute is that child itself.

    | salt      | place of the child                                                              |
    | ""        | the host id modulo the number of children, as in facebook/mcrouter              |
    | any other | CRC-32 of the host id and the salt, modulo the number of children: our own rule |
    """
    number = crc32(f"{kit.host_id}{args.salt}".encode()) if args.salt else kit.host_id
    return args.children[number % len(args.children)]


HANDLES = (
    Handle("RandomRoute", (routes(),), lambda args, kit: RandomRoute(args.children, kit), lone=True, picks=True),
    Handle("HostIdRoute", (routes(), Field("salt", read=text, default="")), _host_id, lone=True, picks=True),
)
