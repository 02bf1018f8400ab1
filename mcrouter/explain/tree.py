"""The way of one request through the handles: each with its type, its remark, and when it is asked."""

from typing import Any, Dict, Iterator, List, Mapping, Set, Tuple

from ..proto.requests import Request
from ..routes.base import ASKED
from ..routes.host import HostRoute
from ..routes.keyed import PerKey
from ..routes.renamed import StripPrefixRoute

_UNSEEN = (PerKey, StripPrefixRoute)  # no config names them: what stands behind them is shown


class Node:
    """A handle, or a host, on the way. `again`: it was shown before, with what is behind it."""

    def __init__(self, when: str, route: Any) -> None:
        self.when = when
        self.is_host = isinstance(route, HostRoute)
        self.name = route.host.name if self.is_host else type(route).__name__.lstrip("_")
        self.remark = ""  # what it says of itself; of a host, nothing
        self.again = False
        self.inner: List[Node] = []

    def line(self) -> str:
        """As one line."""
        remark = f": {self.remark}" if self.remark else ""
        when = f" [{self.when}]" if self.when != ASKED else ""
        return f"{self.name}{remark}{when}{' (as above)' if self.again else ''}"


def tree(route: Any, request: Request, passed: Mapping[Any, Request]) -> Node:
    """What `route` would do with the request. `passed` has by route what it was given in a dry run: it may not be the
    client's own request, as behind a routing prefix."""
    root = Node(ASKED, route)
    seen: Set[Any] = set()
    ahead: List[Tuple[Node, Any, Request]] = [(root, route, request)]
    while ahead:
        node, route, request = ahead.pop()
        request = passed.get(route, request)
        remark, branches = route.outlook(request)
        node.remark = "" if node.is_host else remark
        if route in seen:
            node.again = bool(branches)
            continue
        seen.add(route)
        below = [(when, *_shown(inner, request, passed)) for when, inner in branches]
        inner_nodes = [(Node(when, inner), inner, given) for when, inner, given in below]
        node.inner = [one for one, _, _ in inner_nodes]
        ahead += reversed(inner_nodes)
    return root


def _shown(route: Any, request: Request, passed: Mapping[Any, Request]) -> Tuple[Any, Request]:
    """The handle of the config that stands at this place, and what it is given."""
    while isinstance(route, _UNSEEN):
        request = passed.get(route, request)
        (route,) = route.routes()
    return route, request


def walk(root: Node) -> Iterator[Tuple[int, Node]]:
    """(depth, node) from the top down."""
    ahead = [(0, root)]
    while ahead:
        depth, node = ahead.pop()
        yield depth, node
        ahead += [(depth + 1, inner) for inner in reversed(node.inner)]


def lines(root: Node, first: str = "", step: str = "  ") -> List[str]:
    """As indented text."""
    return [first + step * depth + node.line() for depth, node in walk(root)]


def plain(root: Node) -> Dict[str, Any]:
    """As values for JSON."""
    made: Dict[int, Dict[str, Any]] = {}
    for _depth, node in walk(root):
        what = {"host": node.name} if node.is_host else {"type": node.name, "remark": node.remark}
        made[id(node)] = {**what, "when": node.when, "routes": []}
    for _depth, node in walk(root):
        made[id(node)]["routes"] = [made[id(inner)] for inner in node.inner]
    return made[id(root)]
