"""From a checked config to one route for each command, at load time.

Children come before their parents in `Config.routes`, so that all is made in one pass without recursion, and in
portions where a large policy must not hold up the clients of the one that serves (`building`). What does not depend on
the command is made once; for the rest, commands with the same route share it.
"""

from typing import TYPE_CHECKING, Any, Dict, Generator, List, Mapping, NamedTuple, Optional, Set, Tuple

from ..config.fields import Field, Values, children
from ..config.leaves import requests_of
from ..config.model import HOST, Config, RouteSpec
from ..proto.client.parser import RunPlan
from ..proto.commands import ADMIN, COMMANDS, READ, Command
from ..proto.request import GET, SET
from ..system.deferred import own
from .framework.base import Route
from .framework.context import RouteContext
from .framework.handle import Handle, filled
from .framework.keyed import KeyedRoute, PerKey
from .framework.pool import Pool
from .framework.renamed import StripPrefixRoute, prefix_of
from .handles import ALL_HANDLES, ALL_ORDERED_POOL_HANDLES
from .host import HostRoute
from .null import ErrorRoute, NullRoute

if TYPE_CHECKING:
    from . import to_all
else:
    to_all = own("routes.to_all")

KEEP, ASYNC_LOG = "KeepRoutingPrefixRoute", "AsynclogRoute"
_PORTION = 256  # handles made at a time
_PLAIN = {HOST, "DefaultRoute", "AllFastestRoute", "MissFailoverRoute", "LocalRoute"}


class Built(NamedTuple):
    """A policy as it serves: a route for each command in the table's order, which of them may share a run, the pools
    that are to be refreshed when the health of a host changes, and all routes that were made, children before parents.

    Each route has a `cost`: how many requests to hosts it makes of one command, or of one key of a get, at the most."""

    routes_by_command: List[Route]
    plan: RunPlan
    pools: List[Pool]
    made: List[Route]


def table_of(config: Config) -> Mapping[str, Handle]:
    """Returns the handles by name, as the config's form means them."""
    return ALL_ORDERED_POOL_HANDLES if config.ordered_pool_form else ALL_HANDLES


def build(config: Config, context: RouteContext) -> Built:
    """Makes the whole policy at once."""
    *_, built = building(config, context)
    assert built is not None
    return built


def building(config: Config, context: RouteContext) -> "Generator[Optional[Built], None, None]":
    """Yields None after each portion of the work, and at last the policy."""
    context.keeps_prefixes = any(spec.type == KEEP for spec in config.routes)
    builder = _Builder(config, context)
    yield from builder.prepare()
    known: Dict[Tuple[object, ...], Route] = {}
    routes_by_command = []
    for command in COMMANDS:
        same = builder.likeness(command)
        if same not in known:
            known[same] = yield from builder.route_for(command)
        routes_by_command.append(known[same])
    gets, sets = routes_by_command[GET].takes_runs, routes_by_command[SET].takes_runs
    yield Built(
        routes_by_command,
        RunPlan(gets, sets, gets and routes_by_command[GET] is routes_by_command[SET]),
        context.pools,
        builder.made,
    )


class Specialised:
    """A policy as one command sees it: which handles have a part in it. Those of the type `absent` have none at all."""

    def __init__(self, config: Config, absent: str = "") -> None:
        self._routes = config.routes
        self._table = table_of(config)
        self._absent = absent

    def is_specialised(self, name: str) -> bool:
        """Returns whether a handle's part in it depends on the command."""
        handle = self._table.get(name)
        return handle is not None and handle.specialise is not None and name != self._absent

    def fields(self, name: str) -> Tuple[Field, ...]:
        """Returns the fields of a handle."""
        handle = self._table.get(name)
        return handle.fields if handle is not None else ()

    def inner(self, index: int, command: Command) -> Optional[int]:
        """Returns the place of the handle that serves the command instead of that at `index`; None if that one does."""
        spec = self._routes[index]
        if spec.type == self._absent:
            return int(spec.args["target"])
        handle = self._table.get(spec.type)
        if handle is None:
            return None
        specialise = handle.specialise(spec.args, command) if handle.specialise is not None else None
        if specialise is None and handle.collapse_if_one and len(spec.args["children"]) == 1:
            return int(spec.args["children"][0])
        return specialise

    def real(self, index: int, command: Command) -> int:
        """Returns the place of the handle that serves the command where the config has the one at `index`."""
        inner = self.inner(index, command)
        while inner is not None:
            index, inner = inner, self.inner(inner, command)
        return index

    def below(self, index: int) -> List[int]:
        """Returns the places of the handles directly within one."""
        spec = self._routes[index]
        if spec.type == KEEP:
            return [spec.args["target"]]
        return list(children(self.fields(spec.type), spec.args))


class _Inner:
    """The routes that stand in the places of a config, for one command."""

    __slots__ = ("_made", "_real")

    def __init__(self, real: List[int], made: Dict[int, Route]) -> None:
        self._real = real
        self._made = made

    def __getitem__(self, place: int) -> Route:
        return self._made[self._real[place]]


class _Builder:
    """Makes routes of specs. A route made for one command serves all commands for which it would be the same."""

    def __init__(self, config: Config, context: RouteContext) -> None:
        self._config = config
        self._context = context
        self._routes = config.routes
        self._table = table_of(config)
        self._specialised = Specialised(config, ASYNC_LOG if context.spool is None else "")
        self._varies = bytearray(len(config.routes))  # whether a handle depends on the command
        self._named: Set[str] = set()  # commands that the config names
        self.made: List[Route] = []
        self._shared: Dict[Tuple[int, ...], Route] = {}
        self._states: Dict[int, Any] = {}

    def prepare(self) -> "Generator[None, None, None]":
        """Finds out which handles depend on the command."""
        varies = self._varies
        for place, spec in enumerate(self._routes):
            if self._specialised.is_specialised(spec.type):
                varies[place] = 1
                self._named.update(spec.args.get("operation_policies") or ())
            elif any(varies[inner] for inner in self._specialised.below(place)):
                varies[place] = 1
            if place % _PORTION == 0:
                yield

    def likeness(self, command: Command) -> Tuple[object, ...]:
        """Returns a value that is equal for commands with the same route: `specialise` looks at nothing else."""
        if command.kind == ADMIN:
            return (command.name,)
        named = [name for name in (command.name, command.like) if name in self._named]
        return (command.kind, command.request, command.reply, *named)

    def route_for(self, command: Command) -> "Generator[None, None, Route]":
        """Makes the route of a command."""
        if self._context.only_gets and command.kind not in (READ, ADMIN):
            return ErrorRoute("mcrouter: only gets are served (--allow-only-gets)")
        root = self._specialised.real(self._config.route, command)
        if command.kind == ADMIN and (own := self._admin(command, root)) is not None:
            return own
        real = yield from self._real(command)
        reached = yield from self._reached(root, real)
        made: Dict[int, Route] = {}
        for place, is_reached in enumerate(reached):
            if is_reached:
                made[place] = self._made(place, real, made)
            if place % _PORTION == 0:
                yield
        return made[root]

    def _real(self, command: Command) -> "Generator[None, None, List[int]]":
        """Returns by place: the place of the handle that serves the command there."""
        real: List[int] = []
        for place in range(len(self._routes)):
            inner = self._specialised.inner(place, command)
            real.append(place if inner is None else real[inner])
            if place % _PORTION == 0:
                yield
        return real

    def _reached(self, root: int, real: List[int]) -> "Generator[None, None, bytearray]":
        """Returns by place: whether the handle there has a part in serving the command."""
        reached = bytearray(len(self._routes))
        reached[root] = 1
        for place in range(root, -1, -1):
            if reached[place]:
                for inner in self._specialised.below(place):
                    reached[real[inner]] = 1
            if place % _PORTION == 0:
                yield
        return reached

    def _admin(self, command: Command, root: int) -> Optional[Route]:
        """Returns the route of a command without a key if the policy chooses by key; None if the policy serves it."""
        if self._config.ordered_pool_form and self._is_plain(root, command):
            return None
        if command.name != "flush_all":
            return self._context.local
        if not self._config.ordered_pool_form and not self._context.flush_all:
            return ErrorRoute("Command disabled")
        hosts = [self._host(host.text) for host in self._config.hosts]
        return _weighed(to_all.AllSyncRoute(hosts), len(hosts)) if hosts else ErrorRoute("no host to flush")

    def _is_plain(self, root: int, command: Command) -> bool:
        """Returns whether no handle that serves the command looks at keys."""
        ahead = [root]
        while ahead:
            place = ahead.pop()
            if self._routes[place].type not in _PLAIN:
                return False
            ahead += [self._specialised.real(inner, command) for inner in self._specialised.below(place)]
        return True

    def _made(self, place: int, real: List[int], made: Dict[int, Route]) -> Route:
        inner = [id(made[real[index]]) for index in self._specialised.below(place)] if self._varies[place] else ()
        same = (place, *inner)  # as for another command
        if same in self._shared:
            return self._shared[same]
        spec = self._routes[place]
        route = self._leaf(spec.args) if spec.type == HOST else self._handle(place, spec, real, made)
        within = [made[real[index]].cost for index in self._specialised.below(place)]
        cost = requests_of(spec, self._table.get(spec.type), within)
        self.made.append(_weighed(route, cost))
        if not route.takes_keys:
            route = PerKey(route)
            self.made.append(_weighed(route, cost))
        if isinstance(route, KeyedRoute):
            route.later = self._context.later
        self._shared[same] = route
        return route

    def _host(self, text: str) -> HostRoute:
        return HostRoute(self._context.hosts[text], self._context.style)

    def _leaf(self, args: Values) -> Route:
        leaf = self._host(args["host"])
        return StripPrefixRoute(leaf) if self._context.keeps_prefixes else leaf

    def _handle(self, place: int, spec: RouteSpec, real: List[int], made: Dict[int, Route]) -> Route:
        if spec.type == KEEP:
            return self._host(self._routes[spec.args["target"]].args["host"])
        handle = self._table[spec.type]
        args = filled(handle.fields, spec.args, _Inner(real, made))
        if handle.collapse_if_one and not args.children:
            return NullRoute()
        if handle.state is not None:
            if place not in self._states:
                self._states[place] = handle.state(args, self._context)
            args.state = self._states[place]
        route = handle.make(args, self._context)
        given = (made[real[index]] for index in self._specialised.below(place))
        by_rest = self._context.keeps_prefixes and spec.type != "RootRoute"
        if by_rest and isinstance(route, KeyedRoute) and route not in given:
            route_for = route.route_for  # the rest of the key, after its routing prefix, chooses
            route.route_for = lambda key: route_for(key[len(prefix_of(key)) :])  # type: ignore[method-assign]
        return route


def _weighed(route: Route, cost: int) -> Route:
    """Sets the cost of a route, unless it has one: it may also stand in the place of a handle around it."""
    if "cost" not in vars(route):
        route.cost = max(1, cost)
    return route
