"""A tree -> the checked model: which keys there are, what may stand behind them, and where it went wrong.

The seed's form:

    orderedPool: [host, ...]     hosts, the first one first
    route: ROUTE
    onRejoin: ignore, replay or flush; what is done about writes that a host has missed before it is read again
    rejoinJournalKeys: how many keys of such writes are kept for each host, before all of it is flushed

    ROUTE = NAME  or  {type: NAME, OPTION: value, ..., operationPolicies: {COMMAND: ROUTE, ...}}
"""

from collections.abc import Collection
from typing import Any, NoReturn

from .errors import ConfigError, mend_name, show
from .hosts import BadHostError, identity, parse_host
from .model import REJOINS, Config, HostAddress, RouteSpec, Vocabulary
from .tree import Entry, Map, Node, Scalar, Seq, kind, plain

POOL, ROUTE = "orderedPool", "route"
REJOIN, JOURNAL = "onRejoin", "rejoinJournalKeys"
MOST_KEYS = 1_000_000_000
TYPE, POLICIES = "type", "operationPolicies"


def check(tree: Node, source: str, vocabulary: Vocabulary) -> Config:
    """The config that the tree is; ConfigError where it is none."""
    return _Checker(source, vocabulary).config(tree)


class _Checker:
    """Walks a tree; each method checks what stands at one place of the form."""

    def __init__(self, source: str, vocabulary: Vocabulary) -> None:
        self._source = source
        self._routes = vocabulary.routes
        self._commands = vocabulary.commands

    def config(self, tree: Node) -> Config:
        if isinstance(tree, Scalar) and tree.value is None:
            self._fail(tree, f"the config is empty; write {POOL} and {ROUTE}")
        if not isinstance(tree, Map):
            message = f"the config is {kind(tree)}; write a map with {POOL} and {ROUTE}, with a space after each ':'"
            self._fail(tree, message)
        parts = self._parts(tree, (POOL, ROUTE, REJOIN, JOURNAL), "key")
        if POOL not in parts:
            self._fail(tree, f"no {POOL}; add {POOL} with a list of hosts")
        if ROUTE not in parts:
            self._fail(tree, f"no {ROUTE}; add {ROUTE} with a route's name, or a map with its type")
        pool, route = self._pool(parts[POOL].value), self._route(parts[ROUTE].value)
        options: dict[str, Any] = {}
        if REJOIN in parts:
            options["on_rejoin"] = self._rejoin(parts[REJOIN].value)
        if JOURNAL in parts:
            options["journal_keys"] = self._journal(parts[JOURNAL].value)
        return Config(pool, route, self._source, **options)

    def _rejoin(self, node: Node) -> str:
        if not isinstance(node, Scalar) or node.value not in REJOINS:
            shown = show(node.value) if isinstance(node, Scalar) and isinstance(node.value, str) else kind(node)
            self._fail(node, f"{REJOIN} is {shown}; write one of {', '.join(REJOINS)}")
        return str(node.value)

    def _journal(self, node: Node) -> int:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_KEYS:
            self._fail(node, f"{JOURNAL} is {kind(node)}; write a whole number from 0 to {MOST_KEYS}")
        return value

    def _pool(self, node: Node) -> tuple[HostAddress, ...]:
        if not isinstance(node, Seq):
            self._fail(node, f"{POOL} is {kind(node)}; write a list of hosts")
        if not node.items:
            self._fail(node, f"{POOL} is empty; write at least one host")
        hosts: list[HostAddress] = []
        lines: dict[tuple[str, int, str], int] = {}
        for item in node.items:
            host = self._host(item)
            same = identity(host)
            if same in lines:
                message = f"the host {show(host.text)} is here twice; keep this one or that of line {lines[same]}"
                self._fail(item, message)
            lines[same] = item.line
            hosts.append(host)
        return tuple(hosts)

    def _host(self, node: Node) -> HostAddress:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self._fail(node, f"a host is {kind(node)}; write a text as host:port, in quotes if it begins with '['")
        try:
            return parse_host(node.value)
        except BadHostError as error:
            self._fail(node, str(error))

    def _route(self, node: Node) -> RouteSpec:
        if isinstance(node, Map):
            return self._route_map(node)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self._fail(node, f"a route is {kind(node)}; write a route's name, or a map with its type")
        return RouteSpec(self._route_name(node, node.value), line=node.line, column=node.column)

    def _route_map(self, node: Map) -> RouteSpec:
        kinds = [entry.value for entry in node.entries if entry.key.value == TYPE]
        if not kinds:
            self._fail(node, f"a route without {TYPE}; add {TYPE} with a route's name")
        name_node = kinds[0]
        if not isinstance(name_node, Scalar) or not isinstance(name_node.value, str):
            self._fail(name_node, f"the {TYPE} is {kind(name_node)}; write a route's name")
        name = self._route_name(name_node, name_node.value)
        allowed = self._routes[name]
        keys = (TYPE, *allowed.keys, *((POLICIES,) if allowed.policies else ()))
        parts = self._parts(node, keys, "option", f" of {name}")
        policies = self._policies(parts[POLICIES].value) if POLICIES in parts else {}
        options: dict[str, Any] = {
            key: plain(entry.value) for key, entry in parts.items() if key not in (TYPE, POLICIES)
        }
        return RouteSpec(name, options, policies, node.line, node.column)

    def _route_name(self, node: Node, name: str) -> str:
        if name not in self._routes:
            self._fail(node, f"unknown route {show(name)}; {mend_name(name, self._routes, 'routes')}")
        return name

    def _policies(self, node: Node) -> dict[str, RouteSpec]:
        if not isinstance(node, Map):
            self._fail(node, f"{POLICIES} is {kind(node)}; write a map from commands to routes")
        parts = self._parts(node, self._commands, "command")
        return {command: self._route(entry.value) for command, entry in parts.items()}

    def _parts(self, node: Map, known: Collection[str], what: str, of: str = "") -> dict[str, Entry]:
        """The map's entries by key, each one known; `what` and `of` say what the keys are."""
        parts: dict[str, Entry] = {}
        for entry in node.entries:
            key = entry.key.value
            if not isinstance(key, str):
                self._fail(entry.key, f"the key is {kind(entry.key)}; write a text, the name of the {what}")
            if key not in known:
                self._fail(entry.key, f"unknown {what} {show(key)}{of}; {mend_name(key, known, what + 's' + of)}")
            parts[key] = entry
        return parts

    def _fail(self, node: Node, message: str) -> NoReturn:
        raise ConfigError(self._source, node.line, node.column, message)
