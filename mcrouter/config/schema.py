"""A tree -> the checked model: reads the keys of a config and checks their values.

    orderedPool: [host, ...]     gomcrouter's form: the hosts, in order of preference
    pools: {NAME: POOL, ...}     facebook/mcrouter's form (pools.py); not needed if the routes define their pools
    route: ROUTE                 the route of all requests (policy.py)
    routes: [{aliases: [PREFIX, ...], route: ROUTE}, ...]  or  {PREFIX: ROUTE, ...}
    named_handles: [ROUTE with a name, ...]  or  {NAME: ROUTE, ...}
    onRejoin: ignore, replay or flush: what happens to the writes that a host has missed, before it is read again
    rejoinJournalKeys: how many keys of such writes are kept for each host; after more the whole host is flushed
"""

from typing import Any

from .checks import Checks
from .errors import show
from .hosts import BadHostError, identity, parse_host
from .leaves import MAX_LEAVES, first_too_many
from .model import REJOINS, Config, RouteSpec, Vocabulary
from .policy import PolicyReader
from .pools import HostList, Pools
from .prefixes import wrong_prefix
from .syntax.keys import JOURNAL, NAMED, POOL, POOLS, REJOIN, SERVERS, TOP
from .syntax.keys import ROUTES_BY_PREFIX as ROUTES
from .syntax.keys import THE_ROUTE as ROUTE
from .syntax.tree import Entry, Map, Node, Scalar, Seq, kind

MOST_KEYS = 1_000_000_000
_KEYS = tuple(key.name for key in TOP)
_UNUSED = ("routing_options", "macros", "consts", "runtime_vars_file")
_NOTHING = Map((), 0, 0)
DEFAULT_PREFIX = "/././"


def check(tree: Node, source: str, vocabulary: Vocabulary, default_prefix: str = DEFAULT_PREFIX) -> Config:
    """Returns the config of a tree; raises ConfigError at the first fault. The route of `default_prefix` serves keys
    without a routing prefix."""
    checks = Checks(source)
    if isinstance(tree, Scalar) and tree.value is None:
        checks.fail(tree, f"the config is empty; write {POOL} and {ROUTE}")
    if not isinstance(tree, Map):
        message = f"the config is {kind(tree)}; write a map with {POOL} and {ROUTE}, with a space after each ':'"
        checks.fail(tree, message)
    return _Reader(checks, tree, vocabulary).config(default_prefix)


def _has_key(tree: Node, key: str) -> bool:
    """Returns whether any map in the tree has the key: pools may be defined within routes."""
    ahead: list[Node] = [tree]
    while ahead:
        node = ahead.pop()
        if isinstance(node, Map):
            if any(entry.key.value == key for entry in node.entries):
                return True
            ahead += [entry.value for entry in node.entries]
        elif isinstance(node, Seq):
            ahead += node.items
    return False


class _Reader:
    """Reads the top level of a config."""

    def __init__(self, checks: Checks, tree: Map, vocabulary: Vocabulary) -> None:
        self._checks = checks
        self._tree = tree
        self._vocabulary = vocabulary
        self._parts = checks.parts(tree, _KEYS, "key", unused=_UNUSED)
        self._hosts = HostList()

    def config(self, default_prefix: str) -> Config:
        checks, parts, tree = self._checks, self._parts, self._tree
        if POOL not in parts and POOLS not in parts and not _has_key(tree, SERVERS):
            advice = f"add {POOL} with a list of hosts, or {POOLS} with a map of pools"
            checks.fail(tree, f"no {POOL} and no {POOLS}; {advice}")
        if ROUTE not in parts and ROUTES not in parts:
            checks.fail(tree, f"no {ROUTE}; add {ROUTE} with a route's name, or a map with its type")
        if ROUTE in parts and ROUTES in parts:
            checks.fail(parts[ROUTES].key, f"the config has both {ROUTE} and {ROUTES}; keep one of them")
        ordered_pool_form = POOL in parts
        ordered = self._ordered(parts[POOL].value) if ordered_pool_form else None
        pools = Pools(checks, self._hosts, self._entries(POOLS))
        policy = PolicyReader(checks, self._vocabulary, pools, self._named(), ordered)
        root = (
            policy.route(parts[ROUTE].value)
            if ordered_pool_form and ROUTE in parts
            else self._root(policy, default_prefix)
        )
        self._check_leaves(policy)
        for host in self._hosts.differ:
            which = f"the host {show(host)} is in pools with different timeouts"
            checks.warn(tree, f"{which}, and the longest is used for all of them")
        options: dict[str, Any] = {}
        if REJOIN in parts:
            options["on_rejoin"] = self._rejoin(parts[REJOIN].value)
        if JOURNAL in parts:
            options["journal_keys"] = self._journal(parts[JOURNAL].value)
        hosts, warnings = self._hosts.all(), tuple(checks.warnings)
        timeouts = {host: told for host, told in self._hosts.timeouts.items() if any(told)}
        return Config(
            hosts, tuple(policy.specs), root, checks.source, ordered_pool_form, timeouts, warnings=warnings, **options
        )

    def _check_leaves(self, policy: PolicyReader) -> None:
        vocabulary = self._vocabulary
        many = first_too_many(
            policy.specs, vocabulary.ordered_pool_form if policy.ordered_pool_form else vocabulary.handles
        )
        if many is not None:
            message = f"{many.type} and its children may send more than {MAX_LEAVES} requests to hosts for one request"
            advice = "let fewer routes use one another, or give it fewer children, replicas or splits"
            self._checks.fail(Scalar(None, many.line, many.column), f"{message}; {advice}")

    def _entries(self, key: str) -> "dict[str, Entry]":
        """Returns the entries of the map under this key; none if the key is missing."""
        node = self._parts[key].value if key in self._parts else _NOTHING
        if not isinstance(node, Map):
            self._checks.fail(node, f"{key} is {kind(node)}; write a map from names to {key}")
        return {self._checks.text(entry.key, "a name"): entry for entry in node.entries}

    def _ordered(self, node: Node) -> list[str]:
        if not isinstance(node, Seq):
            self._checks.fail(node, f"{POOL} is {kind(node)}; write a list of hosts")
        if not node.items:
            self._checks.fail(node, f"{POOL} is empty; write at least one host")
        lines: dict[tuple[str, int, str], int] = {}
        texts = []
        for item in node.items:
            if not isinstance(item, Scalar) or not isinstance(item.value, str):
                message = f"a host is {kind(item)}; write a text as host:port, in quotes if it begins with '['"
                self._checks.fail(item, message)
            try:
                host = parse_host(item.value)
            except BadHostError as error:
                self._checks.fail(item, str(error))
            same = identity(host)
            if same in lines:
                message = f"the host {show(host.text)} is here twice; keep this one or that of line {lines[same]}"
                self._checks.fail(item, message)
            lines[same] = item.line
            texts.append(self._hosts.add(host))
        return texts

    def _named(self) -> list[tuple[str, Node]]:
        node = self._parts[NAMED].value if NAMED in self._parts else _NOTHING
        if isinstance(node, Map):
            return [(self._checks.text(entry.key, "a name"), entry.value) for entry in node.entries]
        if not isinstance(node, Seq):
            message = f"{NAMED} is {kind(node)}; write a list of routes with names, or a map from names to routes"
            self._checks.fail(node, message)
        named = []
        for item in node.items:
            entries = item.entries if isinstance(item, Map) else ()
            names = [entry.value for entry in entries if entry.key.value == "name"]
            if not names:
                self._checks.fail(item, f"{NAMED} has a route without a name; write a map with name and type")
            named.append((self._checks.text(names[0], "a name"), item))
        return named

    def _root(self, policy: PolicyReader, default_prefix: str) -> int:
        """Reads the routes by routing prefix; returns the index of the RootRoute that chooses among them."""
        if ROUTE in self._parts:
            routes = {default_prefix: policy.route(self._parts[ROUTE].value)}
        else:
            routes = self._by_prefix(policy, self._parts[ROUTES].value)
        if default_prefix not in routes:
            others = f", or name another prefix with --route-prefix: {', '.join(routes)}" if routes else ""
            advice = f"add it to the aliases of a route{others}"
            message = f"no route for the default prefix {show(default_prefix)}; {advice}"
            self._checks.fail(self._parts[ROUTES].value, message)
        return policy.add(RouteSpec("RootRoute", {"routes": routes, "default": default_prefix}))

    def _by_prefix(self, policy: PolicyReader, node: Node) -> dict[str, int]:
        routes: dict[str, int] = {}
        if isinstance(node, Map):
            for entry in node.entries:
                routes[self._prefix(entry.key)] = policy.route(entry.value)
            return routes
        if not isinstance(node, Seq):
            self._checks.fail(node, f"{ROUTES} is {kind(node)}; write a list of maps, each with aliases and route")
        for item in node.items:
            if not isinstance(item, Map):
                self._checks.fail(item, f"an item of {ROUTES} is {kind(item)}; write a map with aliases and route")
            parts = self._checks.parts(item, ("aliases", ROUTE), "option", f" of {ROUTES}")
            for name in ("aliases", ROUTE):
                if name not in parts:
                    self._checks.fail(item, f"an item of {ROUTES} without {name}; add {name}")
            aliases = parts["aliases"].value
            if not isinstance(aliases, Seq):
                self._checks.fail(aliases, f"aliases is {kind(aliases)}; write a list of prefixes as /region/cluster/")
            index = policy.route(parts[ROUTE].value)
            for alias in aliases.items:
                routes.setdefault(self._prefix(alias), index)
        return routes

    def _prefix(self, node: Node) -> str:
        text = self._checks.text(node, "a routing prefix")
        wrong = wrong_prefix(text)
        if wrong:
            self._checks.fail(node, wrong)
        return text

    def _rejoin(self, node: Node) -> str:
        if not isinstance(node, Scalar) or node.value not in REJOINS:
            shown = show(node.value) if isinstance(node, Scalar) and isinstance(node.value, str) else kind(node)
            self._checks.fail(node, f"{REJOIN} is {shown}; write one of {', '.join(REJOINS)}")
        return str(node.value)

    def _journal(self, node: Node) -> int:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_KEYS:
            self._checks.fail(node, f"{JOURNAL} is {kind(node)}; write a whole number from 0 to {MOST_KEYS}")
        return value
