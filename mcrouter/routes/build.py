"""From a checked config to one route for each command, at load time.

Children come before their parents in `Config.routes`, so that all is made in one pass without recursion, and in
portions where a large policy must not hold up the clients of the one that serves (`building`). What does not depend on
the command is made once; for the rest, commands that take the same way share it.
"""

from typing import Any, Dict, Generator, List, Mapping, NamedTuple, Optional, Tuple

from ..config.model import HOST, Config
from ..proto.commands import ADMIN, COMMANDS, Command
from ..proto.requests import GET, SET, Plan
from .handle import Handle, children, filled
from .handles import HANDLES, INTERNAL, SEED
from .host import HostRoute
from .keyed import PerKey
from .kit import Kit
from .null import ErrorRoute, NullRoute
from .renamed import StripPrefixRoute, prefix_of
from .to_all import AllSyncRoute

KEEP = "KeepRoutingPrefixRoute"
_PORTION = 256  # handles made at a time


class Built(NamedTuple):
    """A policy as it serves: a route for each command in the table's order, which of them may share a run, and the
    pools that are to be refreshed when a host goes or comes."""

    ways: List[Any]
    plan: Plan
    pools: List[Any]


def table_of(config: Config) -> Mapping[str, Handle]:
    """The handles by name, as the config's form means them."""
    return {**(SEED if config.seed else HANDLES), **INTERNAL}


def build(config: Config, kit: Kit) -> Built:
    """The whole policy at once."""
    *_, built = building(config, kit)
    assert built is not None
    return built


def building(config: Config, kit: Kit) -> "Generator[Optional[Built], None, None]":
    """Yields None after each portion of the work, and at last the policy."""
    kit.keeps_prefixes = any(spec.type == KEEP for spec in config.routes)
    builder = _Builder(config, kit)
    yield from builder.prepare()
    ways: Dict[Tuple[Any, ...], Any] = {}
    made = []
    for command in COMMANDS:
        same = builder.way_of(command)
        if same not in ways:
            ways[same] = yield from builder.route_for(command)
        made.append(ways[same])
    gets, sets = made[GET].takes_runs, made[SET].takes_runs
    yield Built(made, Plan(gets, sets, gets and made[GET] is made[SET]), kit.pools)


class Narrowed:
    """A policy as one command sees it: which handles have a part in it."""

    def __init__(self, config: Config) -> None:
        self._routes = config.routes
        self._table = table_of(config)
        self.narrowing = [place for place, spec in enumerate(config.routes) if self._narrows(spec.type)]

    def _narrows(self, name: str) -> bool:
        handle = self._table.get(name)
        return handle is not None and handle.narrow is not None

    def fields(self, name: str) -> Any:
        """What a handle can be given."""
        handle = self._table.get(name)
        return handle.fields if handle is not None else ()

    def real(self, index: int, command: Command) -> int:
        """The handle that serves the command at that place."""
        while True:
            spec = self._routes[index]
            handle = self._table.get(spec.type)
            inner = handle.narrow(spec.args, command) if handle is not None and handle.narrow is not None else None
            if inner is None and handle is not None and handle.lone and len(spec.args.get("children", ())) == 1:
                inner = spec.args["children"][0]
            if inner is None:
                return index
            index = inner

    def below(self, index: int) -> List[int]:
        """The places of all handles within one."""
        spec = self._routes[index]
        if spec.type == KEEP:
            return [spec.args["target"]]
        return list(children(self.fields(spec.type), spec.args))


class _Builder:
    """Makes routes of specs; what it has made for one command serves others too."""

    def __init__(self, config: Config, kit: Kit) -> None:
        self._config = config
        self._kit = kit
        self._routes = config.routes
        self._table = table_of(config)
        self._narrowed = Narrowed(config)
        self._varies = bytearray(len(config.routes))  # whether a handle depends on the command
        self._shared: Dict[int, Any] = {}
        self._states: Dict[int, Any] = {}

    def prepare(self) -> "Generator[None, None, None]":
        """Finds out what depends on the command."""
        varies = self._varies
        for place in self._narrowed.narrowing:
            varies[place] = 1
        for place in range(len(self._routes)):
            if not varies[place] and any(varies[inner] for inner in self._narrowed.below(place)):
                varies[place] = 1
            if place % _PORTION == 0:
                yield

    def way_of(self, command: Command) -> Tuple[Any, ...]:
        """Equal for commands that take the same way."""
        if command.kind == ADMIN:
            return (command.name,)
        return tuple(self._narrowed.real(place, command) for place in self._narrowed.narrowing)

    def route_for(self, command: Command) -> "Generator[None, None, Any]":
        """The route of a command."""
        root = self._narrowed.real(self._config.route, command)
        if command.kind == ADMIN and (own := self._admin(command, root)) is not None:
            return own
        made: Dict[int, Any] = {}
        for count, place in enumerate(sorted(self._reached(root, command))):
            made[place] = self._made(place, command, made)
            if count % _PORTION == 0:
                yield
        return made[root]

    def _admin(self, command: Command, root: int) -> Any:
        """The route of a command that is about no key, where a policy by key cannot say whom to ask."""
        if self._config.seed and not self._has_keyed(root, command):
            return None
        if command.name != "flush_all":
            return self._kit.local
        if not self._config.seed and not self._kit.flush_all:
            return ErrorRoute("Command disabled")
        if not self._config.hosts:
            return ErrorRoute("no host to flush")
        return AllSyncRoute([HostRoute(self._kit.hosts[host.text]) for host in self._config.hosts])

    def _has_keyed(self, root: int, command: Command) -> bool:
        """Whether any handle on the command's way chooses by key."""
        made: Dict[int, Any] = {}
        for place in sorted(self._reached(root, command)):
            made[place] = self._made(place, command, made)
        return any(route.keyed for route in made.values())

    def _reached(self, root: int, command: Command) -> "set[int]":
        """The places of all handles that have a part in serving the command."""
        found, ahead = {root}, [root]
        while ahead:
            for inner in self._narrowed.below(ahead.pop()):
                real = self._narrowed.real(inner, command)
                if real not in found:
                    found.add(real)
                    ahead.append(real)
        return found

    def _made(self, place: int, command: Command, made: Dict[int, Any]) -> Any:
        if not self._varies[place] and place in self._shared:
            return self._shared[place]
        spec = self._routes[place]
        route = self._leaf(spec.args) if spec.type == HOST else self._handle(place, spec, command, made)
        if not route.takes_keys:
            route = PerKey(route)
        if not self._varies[place]:
            self._shared[place] = route
        return route

    def _leaf(self, args: Mapping[str, Any]) -> Any:
        leaf = HostRoute(self._kit.hosts[args["host"]])
        return StripPrefixRoute(leaf) if self._kit.keeps_prefixes else leaf

    def _handle(self, place: int, spec: Any, command: Command, made: Dict[int, Any]) -> Any:
        if spec.type == KEEP:
            return HostRoute(self._kit.hosts[self._routes[spec.args["target"]].args["host"]])
        handle = self._table[spec.type]
        inner = {index: made[self._narrowed.real(index, command)] for index in self._narrowed.below(place)}
        args = filled(handle.fields, spec.args, inner)
        if handle.lone and not args.children:
            return NullRoute()
        if handle.state is not None:
            if place not in self._states:
                self._states[place] = handle.state(args, self._kit)
            args.state = self._states[place]
        route = handle.make(args, self._kit)
        if self._kit.keeps_prefixes and route.keyed and spec.type != "RootRoute":
            pick = route.pick  # a key is chosen by what comes behind its routing prefix
            route.pick = lambda key: pick(key[len(prefix_of(key)) :])
        return route


