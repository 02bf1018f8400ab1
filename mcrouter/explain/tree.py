"""The path of one request through the routes: each route with its type, its remark, and when it is asked."""

from typing import Any, Dict, Iterator, List, Mapping, Set, Tuple

from ..proto.request import Request
from ..routes.framework.base import ASKED, Route
from ..routes.framework.keyed import PerKey
from ..routes.framework.renamed import StripPrefixRoute
from ..routes.host import HostRoute

_UNSEEN = (PerKey, StripPrefixRoute)  # no config names them: the route within is shown instead


class Node:
    """A route or a host on the path. `again`: it was shown before, with the routes that it asks."""

    def __init__(self, when: str, route: Route) -> None:
        self.when = when
        host = route.host if isinstance(route, HostRoute) else None
        self.is_host = host is not None
        self.name = type(route).__name__.lstrip("_") if host is None else host.name
        self.remark = ""  # the route's own description; empty for a host
        self.again = False
        self.inner: List[Node] = []

    def line(self) -> str:
        """Returns the node as one line."""
        remark = f": {self.remark}" if self.remark else ""
        when = f" [{self.when}]" if self.when != ASKED else ""
        return f"{self.name}{remark}{when}{' (as above)' if self.again else ''}"


def tree(route: Route, request: Request, passed: Mapping[Route, Request]) -> Node:
    """Returns the tree of the routes that `route` would ask. `passed` has the request that each route was given in a
    dry run; it may differ from the client's request, for example by its routing prefix."""
    root = Node(ASKED, route)
    seen: Set[Route] = set()
    ahead: List[Tuple[Node, Route, Request]] = [(root, route, request)]
    while ahead:
        node, route, request = ahead.pop()
        request = passed.get(route, request)
        remark, branches = route.describe(request)
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


def _shown(route: Route, request: Request, passed: Mapping[Route, Request]) -> Tuple[Route, Request]:
    """Returns the route that the config has at this place, and the request that it is given."""
    while isinstance(route, _UNSEEN):
        request = passed.get(route, request)
        (route,) = route.routes()
    return route, request


def walk(root: Node) -> Iterator[Tuple[int, Node]]:
    """Yields (depth, node) from the top down."""
    ahead = [(0, root)]
    while ahead:
        depth, node = ahead.pop()
        yield depth, node
        ahead += [(depth + 1, inner) for inner in reversed(node.inner)]


def lines(root: Node, first: str = "", step: str = "  ") -> List[str]:
    """Returns the tree as lines of indented text."""
    return [first + step * depth + node.line() for depth, node in walk(root)]


def plain(root: Node) -> Dict[str, Any]:
    """Returns the tree as values for JSON."""
    made: Dict[int, Dict[str, Any]] = {}
    for _depth, node in walk(root):
        what = {"host": node.name} if node.is_host else {"type": node.name, "remark": node.remark}
        made[id(node)] = {**what, "when": node.when, "routes": []}
    for _depth, node in walk(root):
        made[id(node)]["routes"] = [made[id(inner)] for inner in node.inner]
    return made[id(root)]
