"""Reads the routes of a config: a tree of routes -> a flat list, children before parents. A route is written as

    NAME                       a named route, a host of the orderedPool, or a type whose fields all have defaults
    TYPE|REST                  a type, and the value of its principal field
    {type: TYPE, FIELD: ...}   a type and its fields; with `name`, other routes can refer to it

The types and their fields are in the Vocabulary.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional, Union

from .checks import Checks
from .errors import advice_for_name, show
from .fields import BY_NAME, RECORDS, REQUIRED, ROUTE, ROUTES, UNUSED, VALUE, Field
from .model import HOST, RouteSpec, Vocabulary
from .pool_route import EXPANDED, POOL_ROUTE, PoolRoute
from .pools import Pools
from .syntax.tree import MAX_DEPTH, Entry, Map, Node, Scalar, Seq, kind, plain

TYPE, NAME = "type", "name"
_ALIASES = {"PrefixPolicyRoute": "OperationSelectorRoute", "DevNull": "DevNullRoute"}


class PolicyReader:
    """Reads routes, and appends them to `specs`. `ordered`: the texts of the hosts of an orderedPool."""

    def __init__(
        self,
        checks: Checks,
        vocabulary: Vocabulary,
        pools: Pools,
        named: Iterable[tuple[str, Node]],
        ordered: Optional[Iterable[str]] = None,
    ) -> None:
        self._checks = checks
        self._pools = pools
        self._commands = vocabulary.commands
        self._ignored = vocabulary.ignored
        self.ordered_pool_form = ordered is not None
        self._handles = vocabulary.ordered_pool_form if self.ordered_pool_form else vocabulary.handles
        self.specs: list[RouteSpec] = []
        self._named: dict[str, int] = {}
        self._pending: dict[str, Node] = {}
        for name, node in named:
            self._pending.setdefault(name, node)
        self._short: dict[str, int] = {}
        self._leaves: dict[str, int] = {}
        self._depth = 0
        self._open: list[str] = []  # names of the routes that are being read
        self._ordered = {text: self.leaf(text) for text in ordered or ()}
        self._pool_route = PoolRoute(self)

    # for PoolRoute ------------------------------------------------------------------------------------------------

    @property
    def pools(self) -> Pools:
        """The pools of the config."""
        return self._pools

    def field_of(self, handle: str, name: str) -> Field:
        """Returns a field of a route type by its name."""
        return next(field for field in self._handles[handle].fields if field.name == name)

    def defaults_of(self, handle: str) -> dict[str, Any]:
        """Returns the default of each field of a route type; None for a required field."""
        fields = self._handles[handle].fields
        return {field.name: None if field.default is REQUIRED else field.default for field in fields}

    def leaf(self, host: str) -> int:
        """Returns the index of a single host."""
        if host not in self._leaves:
            self._leaves[host] = self.add(RouteSpec(HOST, {"host": host}))
        return self._leaves[host]

    def add(self, spec: RouteSpec) -> int:
        """Appends a route whose children are in the list already; returns its index."""
        self.specs.append(spec)
        return len(self.specs) - 1

    def checked(self, node: Node, spec: RouteSpec) -> int:
        """Appends the route at this node, if its options fit together; returns its index."""
        handle = self._handles.get(spec.type)
        if handle is not None and handle.check is not None:
            try:
                handle.check(spec.args)
            except ValueError as error:
                self._checks.fail(node, str(error))
        return self.add(spec)

    # routes -------------------------------------------------------------------------------------------------------

    def route(self, node: Node) -> int:
        """Reads the one route at this node; returns its index."""
        routes = self._pool_route.spread(self._any(node))
        if len(routes) != 1:
            message = f"ShadowRoute with {len(routes)} children is {len(routes)} routes, but only one route fits here"
            self._checks.fail(node, f"{message}; give it one child, or write it where a list of routes is allowed")
        return routes[0]

    def _any(self, node: Node) -> int:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._checks.fail(node, f"routes are nested deeper than {MAX_DEPTH}; use fewer levels")
        try:
            if isinstance(node, Map):
                return self._from_map(node)
            if not isinstance(node, Scalar) or not isinstance(node.value, str):
                message = f"a route is {kind(node)}; write a route's name, or a map with its type"
                self._checks.fail(node, message)
            return self._from_text(node, node.value)
        finally:
            self._depth -= 1

    def routes(self, node: Node) -> tuple[int, ...]:
        """Reads the routes at this node, or the servers of a `Pool`; returns their indices."""
        if isinstance(node, Seq):
            return tuple(index for item in node.items for index in self._several(item))
        if isinstance(node, Scalar) and node.value in ("", None):
            return ()
        return self._several(node)

    def _several(self, node: Node) -> tuple[int, ...]:
        if isinstance(node, Seq):  # lists within a list are one list: macros often make these
            return self.routes(node)
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.startswith("Pool|"):
            return self._servers(Scalar(node.value[len("Pool|") :], node.line, node.column))
        if isinstance(node, Map):
            commands = [entry.value for entry in node.entries if entry.key.value == TYPE]
            if commands and isinstance(commands[0], Scalar) and commands[0].value == "Pool":
                entries = tuple(entry for entry in node.entries if entry.key.value != TYPE)
                named = [entry.value for entry in entries if entry.key.value == "pool"]
                return self._servers(named[0] if named else node._replace(entries=entries))
        return self._pool_route.spread(self._any(node))

    def _servers(self, node: Node) -> tuple[int, ...]:
        pool = self._pools.get(node)
        return tuple(self.server(server, pool.values) for server in pool.servers)

    def server(self, server: Union[str, Node], values: Mapping[str, Any]) -> int:
        """Returns the index of one server of a pool."""
        if not isinstance(server, str):
            return self.route(server)
        leaf = self.leaf(server)
        if not values.get("keep_routing_prefix"):
            return leaf
        return self.once(f"KeepRoutingPrefixRoute|{leaf}", RouteSpec("KeepRoutingPrefixRoute", {"target": leaf}))

    def once(self, name: str, spec: RouteSpec) -> int:
        """Returns the index of the route with this internal name; appends it when the name is first used."""
        if name not in self._short:
            self._short[name] = self.add(spec)
        return self._short[name]

    def _from_text(self, node: Node, text: str) -> int:
        if text in self._named:
            return self._named[text]
        if text in self._open:
            chain = " > ".join([*self._open[self._open.index(text) :], text])
            message = f"the route {show(text)} contains itself ({show(chain)[1:-1]}); name another route here"
            self._checks.fail(node, message)
        if text in self._pending:
            return self._forward(text)
        if text in self._ordered:
            return self._ordered[text]
        known = self._short.get(text)
        if known is None:
            name, bar, rest = text.partition("|")
            parts = {}
            if bar:
                scalar = Scalar(rest, node.line, node.column)
                parts = {self._principal(node, name).name: Entry(scalar, scalar)}
            known = self._short[text] = self._make(node, name, parts)
        return known

    def _principal(self, node: Node, name: str) -> Field:
        principal = [field for field in self._fields(node, name) if field.principal]
        if not principal:
            self._checks.fail(node, f"{name} takes nothing after a '|'; write a map with its type")
        return principal[0]

    def _forward(self, name: str) -> int:
        """Reads a named route that was defined, but not read yet; returns its index."""
        return self._defined(name, self._pending.pop(name), self.route)

    def _defined(self, name: str, node: Any, make: Callable[[Any], int]) -> int:
        """Reads a route with its name; returns its index. Of several with one name the first counts, as in
        facebook/mcrouter."""
        self._open.append(name)
        index = make(node)
        self._open.remove(name)
        return self._named.setdefault(name, index)

    def _from_map(self, node: Map) -> int:
        labels = [entry.value for entry in node.entries if entry.key.value == NAME]
        if not labels:
            return self._unnamed(node)
        label = self._checks.text(labels[0], f"a route's {NAME}")
        if label in self._named:
            return self._named[label]
        if label in self._pending:
            return self._forward(label)
        return self._unnamed(node) if label in self._open else self._defined(label, node, self._unnamed)

    def _unnamed(self, node: Map) -> int:
        commands = [entry.value for entry in node.entries if entry.key.value == TYPE]
        if not commands:
            self._checks.fail(node, f"a route without {TYPE}; add {TYPE} with a route's name")
        name_node = commands[0]
        if not isinstance(name_node, Scalar) or not isinstance(name_node.value, str):
            self._checks.fail(name_node, f"the {TYPE} is {kind(name_node)}; write a route's name")
        name = str(name_node.value)
        fields = self._fields(name_node, name)
        known = [TYPE, *(word for field in fields if field.kind != UNUSED for word in (field.name, *field.also))]
        unused = [field.name for field in fields if field.kind == UNUSED]
        options = tuple(entry for entry in node.entries if entry.key.value != NAME or NAME in known)
        parts = self._checks.parts(node._replace(entries=options), known, "option", f" of {name}", unused)
        return self._make(node, name, parts)

    def _fields(self, node: Node, name: str) -> tuple[Field, ...]:
        name = _ALIASES.get(name, name)
        if name == POOL_ROUTE:
            return self._pool_route.fields
        if name not in self._handles:
            known = [*self._handles, *((POOL_ROUTE,) if not self.ordered_pool_form else ())]
            self._checks.fail(node, f"unknown route {show(name)}; {advice_for_name(name, known, 'routes')}")
        return self._handles[name].fields

    def _make(self, node: Node, name: str, parts: Mapping[str, Entry]) -> int:
        name = _ALIASES.get(name, name)
        args = self.read(node, self._fields(node, name), parts, name)
        if name == "OperationSelectorRoute" and all(value is None for value in args.values()):
            self._checks.fail(node, f"{name} without a policy; add default_policy or operation_policies")
        if name == POOL_ROUTE:
            return self._pool_route.expand(node, args)
        return self.checked(node, RouteSpec(name, args, node.line, node.column))

    # fields -------------------------------------------------------------------------------------------------------

    def read(self, node: Node, fields: Iterable[Field], parts: Mapping[str, Entry], of: str) -> dict[str, Any]:
        """Returns the checked value of each field, by its name."""
        args: dict[str, Any] = {}
        for field in fields:
            if field.kind == UNUSED:
                continue
            words = [word for word in (field.name, *field.also) if word in parts]
            if words:  # errors use the name that the config uses
                args[field.name] = self.field_value(field._replace(name=words[0]), parts[words[0]].value, of)
            else:
                args[field.name] = self._default(node, field, of)
        return args

    def _default(self, node: Node, field: Field, of: str) -> Any:
        if self.ordered_pool_form and field.principal and field.kind == ROUTES:
            return tuple(self._ordered.values())
        if self.ordered_pool_form and field.kind == ROUTE and (field.principal or field.name == "default_policy"):
            return self._from_text(node, "DefaultRoute")
        if field.default is REQUIRED:
            self._checks.fail(node, f"{of} without {field.name}; add {field.name}")
        return field.default

    def field_value(self, field: Field, node: Node, of: str) -> Any:
        """Returns the checked value of a field at this node; `of` names the owner of the field in errors."""
        if field.kind == ROUTE:
            return self.route(node)
        if field.kind == ROUTES:
            return self.routes(node)
        if field.kind == BY_NAME:
            return self._by_name(field, node)
        if field.kind == RECORDS:
            return self._records(field, node)
        if field.kind == EXPANDED:
            return node
        try:
            return field.read(plain(node))
        except ValueError as error:
            self._checks.fail(node, f"{field.name} of {of} is invalid; {error}")

    def wrapper_args(self, handle: str, field: str, value: Node, target: int) -> dict[str, Any]:
        """Returns the arguments of a route around `target` that has this one field."""
        args = self.defaults_of(handle)
        args.update({one.name: target for one in self._handles[handle].fields if one.principal})
        args[field] = self.field_value(self.field_of(handle, field), value, POOL_ROUTE)
        return args

    def hash_options(self, node: Node) -> dict[str, Any]:
        """Reads a PoolRoute's `hash`: the name of a function, or a map with options of HashRoute."""
        fields = {field.name: field for field in self._handles["HashRoute"].fields if field.kind == VALUE}
        if not isinstance(node, Map):
            return {"hash_func": self.field_value(fields["hash_func"], node, "hash")}
        parts = self._checks.parts(node, fields, "option", " of hash")
        return {key: self.field_value(fields[key], entry.value, "hash") for key, entry in parts.items()}

    def _by_name(self, field: Field, node: Node) -> dict[str, int]:
        if not isinstance(node, Map):
            what = "commands" if field.names is None else "prefixes"
            self._checks.fail(node, f"{field.name} is {kind(node)}; write a map from {what} to routes")
        if field.names is None:
            parts = self._checks.parts(node, self._commands, "command", unused=self._ignored)
        else:
            parts = {}
            for entry in node.entries:
                name = self._checks.text(entry.key, "a prefix")
                wrong = field.names(name)
                if wrong:
                    self._checks.fail(entry.key, wrong)
                parts[name] = entry
        order = (
            parts if self.ordered_pool_form else sorted(parts)
        )  # facebook/mcrouter's order: of equal names the first counts
        return {name: self.route(parts[name].value) for name in order}

    def _records(self, field: Field, node: Node) -> tuple[dict[str, Any], ...]:
        items = node.items if isinstance(node, Seq) else (node,)
        made = []
        for item in items:
            if not isinstance(item, Map):
                self._checks.fail(item, f"an item of {field.name} is {kind(item)}; write a list of maps")
            known = [inner.name for inner in field.fields if inner.kind != UNUSED]
            unused = [inner.name for inner in field.fields if inner.kind == UNUSED]
            parts = self._checks.parts(item, known, "option", f" of {field.name}", unused)
            made.append(self.read(item, field.fields, parts, field.name))
        return tuple(made)
