"""Routes that choose a child without looking at the key: RandomRoute, HostIdRoute."""

from typing import List
from zlib import crc32

from ..config.fields import Field, routes, text
from ..proto.request import Request
from ..proto.seams import Sink
from .framework.base import BY_CHANCE, Branch, Route, part_sink
from .framework.context import RouteContext
from .framework.handle import Args, Handle


class RandomRoute(Route):
    """Asks one child, chosen anew for each request; all children are equally likely.

    | the chosen child | the answer                                |
    | answers          | that answer                               |
    | fails            | the failure: no other child is asked      |
    """

    def __init__(self, children: List[Route], context: RouteContext) -> None:
        self._children = children
        self._choice = context.chance.choice
        self.takes_runs = all(child.takes_runs for child in children)
        self.may_ask_another_host = any(child.may_ask_another_host for child in children)
        self.splits = any(child.splits for child in children)

    def start(self, request: Request, sink: Sink) -> None:
        """Asks one child."""
        self._choice(self._children).start(request, part_sink(request, sink))

    def routes(self) -> List[Route]:
        """Returns all children."""
        return self._children

    def describe(self, request: Request) -> "tuple[str, List[Branch]]":
        """Lists all children: any of them may be asked."""
        return f"one of {len(self._children)}", [(BY_CHANCE, child) for child in self._children]


def _host_id(args: Args, context: RouteContext) -> Route:
    """Returns the child that the host id of this machine selects: HostIdRoute is that child itself.

    | salt      | place of the child                                                              |
    | ""        | the host id modulo the number of children, as in facebook/mcrouter              |
    | any other | CRC-32 of the host id and the salt, modulo the number of children: our own rule |
    """
    number = crc32(f"{context.host_id}{args.salt}".encode()) if args.salt else context.host_id
    child: Route = args.children[number % len(args.children)]
    return child


HANDLES = (
    Handle(
        "RandomRoute",
        (routes(),),
        lambda args, context: RandomRoute(args.children, context),
        collapse_if_one=True,
        chooses_one=True,
    ),
    Handle(
        "HostIdRoute",
        (routes(), Field("salt", read=text, default="")),
        _host_id,
        collapse_if_one=True,
        chooses_one=True,
    ),
)
