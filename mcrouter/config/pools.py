"""The pools of a config: their servers and options.

    pools:
      A: {servers: [host:port, ...], server_timeout: MS, connect_timeout: MS, weights: [...], tags: [...],
          inherit: B, port_override: PORT, keep_routing_prefix: true, error_on_empty: false}

A server is `host[:port[:ascii[:plain[:notcompressed]]]]`, `[v6]:port`, `unix:/path`, or a route.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional, Union

from .checks import Checks
from .errors import advice_for_name, show
from .fields import number, numbers, one_of, switch, texts
from .hosts import BadHostError, identity, parse_server
from .model import HostAddress, Timeouts
from .syntax.keys import INHERIT, OF_A_POOL, SERVERS
from .syntax.keys import POOL_NAME as NAME
from .syntax.tree import Entry, Map, Node, Scalar, Seq, kind, plain

_MS = number(1, 3_600_000)
_VALUES = {
    "server_timeout": _MS,
    "connect_timeout": _MS,
    "port_override": number(1, 65535),
    "weights": numbers(0, 1e9),
    "keep_routing_prefix": switch,
    "protocol": one_of("ascii"),
    "security_mech": one_of("plain"),
    "use_ssl": one_of("off", False),
    "error_on_empty": switch,
    "tags": texts,
}
_KEYS = tuple(key.name for key in OF_A_POOL)
_UNUSED = (
    "region", "cluster", "failure_domains", "hostnames", "qos", "tko_tracker", "additional_fanout",
    "enable_compression", "max_connections", "jemalloc_nodump_buffers", "shards", "pool_locality", "use_ktls",
)  # fmt: skip


class HostList:
    """All hosts of a config, each once, even if it is named several times or in several spellings."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, str], HostAddress] = {}
        self.timeouts: dict[str, Timeouts] = {}
        self.differ: list[str] = []  # hosts of pools with different timeouts

    def add(self, address: HostAddress, timeouts: Optional[Timeouts] = None) -> str:
        """Adds a host; returns the text by which it is known, which is that of its first spelling."""
        text = self._known.setdefault(identity(address), address).text
        if timeouts is not None:
            before = self.timeouts.get(text, timeouts)
            if before != timeouts and text not in self.differ:
                self.differ.append(text)
            self.timeouts[text] = Timeouts(max(before.reply, timeouts.reply), max(before.connect, timeouts.connect))
        return text

    def all(self) -> tuple[HostAddress, ...]:
        """Returns the hosts in the order in which they were added."""
        return tuple(self._known.values())


class PoolSpec(NamedTuple):
    """A checked pool. Its servers are the texts of hosts, or the nodes of routes."""

    name: str
    servers: tuple[Union[str, Node], ...]
    values: Mapping[str, Any]


class Pools:
    """The pools by name; each is checked when it is first used."""

    def __init__(self, checks: Checks, hosts: HostList, nodes: Mapping[str, Entry]) -> None:
        self._checks = checks
        self._hosts = hosts
        self._nodes = dict(nodes)
        self._made: dict[str, PoolSpec] = {}

    def get(self, node: Node) -> PoolSpec:
        """Returns the pool at this node: a name, or a map with a name. Of several with one name the first counts."""
        if isinstance(node, Map):
            parts = self._parts(node)
            if NAME not in parts:
                self._checks.fail(node, f"a pool without {NAME}; add {NAME}, or write the name of one of the pools")
            name = self._checks.text(parts[NAME].value, "a pool's name")
            self._nodes.setdefault(name, Entry(Scalar(name, node.line, node.column), node))
        else:
            name = self._checks.text(node, "a pool")
        made = self._made.get(name)
        if made is None:
            if name not in self._nodes:
                self._checks.fail(node, f"unknown pool {show(name)}; {advice_for_name(name, self._nodes, 'pools')}")
            made = self._made[name] = self._pool(name, self._map(name))
        return made

    def _pool(self, name: str, node: Map) -> PoolSpec:
        parts = self._inherited(node)
        if SERVERS not in parts:
            self._checks.fail(node, f"the pool {show(name)} has no {SERVERS}; add {SERVERS} with a list of hosts")
        values = {key: self._value(key, parts[key].value) for key in _VALUES if key in parts}
        timeout = values.get("server_timeout", 0)  # as in facebook/mcrouter, also the default of connect_timeout
        timeouts = Timeouts(timeout, values.get("connect_timeout", timeout))
        servers = parts[SERVERS].value
        if not isinstance(servers, Seq):
            self._checks.fail(servers, f"{SERVERS} of {show(name)} is {kind(servers)}; write a list of hosts")
        override = values.get("port_override", 0)
        return PoolSpec(name, tuple(self._server(item, override, timeouts) for item in servers.items), values)

    def _parts(self, node: Map) -> dict[str, Entry]:
        return self._checks.parts(node, _KEYS, "option", " of a pool", _UNUSED)

    def _inherited(self, node: Map) -> dict[str, Entry]:
        """Returns the pool's options, completed with those of the pools that it inherits from."""
        parts = self._parts(node)
        seen: list[str] = []
        while INHERIT in parts:
            parent = parts.pop(INHERIT).value
            name = self._checks.text(parent, INHERIT)
            if name not in self._nodes:
                self._checks.fail(parent, f"unknown pool {show(name)}; {advice_for_name(name, self._nodes, 'pools')}")
            if name in seen:
                message = f"the pool {show(name)} inherits from itself; remove {INHERIT} from one of the pools"
                self._checks.fail(parent, message)
            seen.append(name)
            parts = {**self._parts(self._map(name)), **parts}
        return parts

    def _map(self, name: str) -> Map:
        node = self._nodes[name].value
        if not isinstance(node, Map):
            self._checks.fail(node, f"the pool {show(name)} is {kind(node)}; write a map with {SERVERS}")
        return node

    def _value(self, key: str, node: Node) -> Any:
        try:
            return _VALUES[key](plain(node))
        except ValueError as error:
            self._checks.fail(node, f"{key} of a pool is invalid; {error}")

    def _server(self, node: Node, port: int, timeouts: Timeouts) -> Union[str, Node]:
        if isinstance(node, Map):
            return node
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            message = f"a server is {kind(node)}; write a text as host:port, or a route as a map with its type"
            self._checks.fail(node, message)
        try:
            address = parse_server(node.value)
        except BadHostError as error:
            self._checks.fail(node, str(error))
        if port and not address.path:
            host = f"[{address.host}]" if ":" in address.host else address.host
            address = HostAddress(f"{host}:{port}", address.host, port)
        return self._hosts.add(address, timeouts)
