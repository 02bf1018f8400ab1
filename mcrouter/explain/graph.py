"""The routes of every command, as indented text or for Graphviz: the config, reduced to what each command uses.

Routes that are alike, with all that they ask, are one node; commands with the same path share its nodes.
"""

from collections import Counter
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Set, Tuple

from ..config.fields import BY_NAME, RECORDS, ROUTE, ROUTES, Field
from ..config.model import HOST, Config, RouteSpec
from ..proto.commands import ADMIN, COMMANDS, Command
from ..routes.build import ASYNC_LOG, KEEP, Specialised, table_of
from ..routes.framework.base import Route
from ..routes.selectors import SELECTOR
from .asking import parsed, requests
from .dry import CLIENT, DryRun
from .tree import tree, walk

_ROUTER = "the router itself"
Edge = Tuple[str, int]


class Vertex(NamedTuple):
    """A route with its options, and (label, number of vertex) for each route that it may ask."""

    text: str
    edges: Tuple[Edge, ...] = ()


class Graph:
    """The graph of a config. `vertices`: by number, the target of an edge before its source. `routes_by_command`:
    the commands by the number of the vertex that serves them."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._specialised = Specialised(config, ASYNC_LOG)
        self._table = table_of(config)
        self._numbers: Dict[Vertex, int] = {}
        self.vertices: List[Vertex] = []
        self.routes_by_command: Dict[int, List[str]] = {}
        run = DryRun(config)
        for command in COMMANDS:
            if command.success:
                self.routes_by_command.setdefault(self._root(command, run), []).append(command.name)

    def _root(self, command: Command, run: DryRun) -> int:
        route = run.built.routes_by_command[command.number]
        if command.kind != ADMIN or route in run.built.made:
            return self._policy(command)
        return self._add(Vertex(_ROUTER)) if route is run.local else self._own(command, route)

    def _own(self, command: Command, route: Route) -> int:
        """Adds the routes of a command without a key, which are made by the router; returns the number of the first."""
        (data,) = requests([command.name])
        numbers: Dict[int, int] = {}
        for _depth, node in reversed(list(walk(tree(route, parsed(data, CLIENT), {})))):
            edges = tuple(("", numbers[id(inner)]) for inner in node.inner)
            numbers[id(node)] = self._add(Vertex(node.line(), edges))
        return numbers[id(node)]

    def _policy(self, command: Command) -> int:
        """Adds the routes of a command from the config; returns the number of the first."""
        root = self._specialised.real(self._config.route, command)
        edges: Dict[int, List[Edge]] = {}
        ahead = [root]
        while ahead:
            place = ahead.pop()
            if place not in edges:
                edges[place] = [(label, self._specialised.real(inner, command)) for label, inner in self._inner(place)]
                ahead += [inner for _, inner in edges[place]]
        numbers: Dict[int, int] = {}
        for place in sorted(edges):  # a child comes before its parent
            inner = tuple((label, numbers[one]) for label, one in edges[place])
            numbers[place] = self._add(Vertex(self._text(place), inner))
        return numbers[root]

    def _inner(self, place: int) -> Iterator[Edge]:
        spec = self._config.routes[place]
        if spec.type in (HOST, KEEP, SELECTOR):  # a selector that remains has no route for the command
            return iter(())
        return labelled(self._specialised.fields(spec.type), spec.args)

    def _text(self, place: int) -> str:
        spec = self._config.routes[place]
        if spec.type == HOST:
            return str(spec.args["host"])
        if spec.type == KEEP:
            return f"{self._config.routes[spec.args['target']].args['host']} (with routing prefixes)"
        if spec.type == SELECTOR:
            return "no policy: SERVER_ERROR"
        if self._table[spec.type].collapse_if_one and not spec.args["children"]:
            return "NullRoute"
        options = self._options(spec)
        return f"{spec.type} ({options})" if options else spec.type

    def _options(self, spec: RouteSpec) -> str:
        """Returns the options of a route that are neither routes nor defaults."""
        fields = self._specialised.fields(spec.type)
        defaults = {field.name: field.default for field in fields}
        inner = {field.name for field in fields if field.kind in (ROUTE, ROUTES, BY_NAME, RECORDS)}
        given = [
            f"{name}: {value}"
            for name, value in spec.args.items()
            if name not in inner and isinstance(value, (str, int, float)) and value not in ("", defaults.get(name))
        ]
        return ", ".join(given)

    def _add(self, vertex: Vertex) -> int:
        number = self._numbers.setdefault(vertex, len(self.vertices))
        if number == len(self.vertices):
            self.vertices.append(vertex)
        return number

    def text(self) -> str:
        """Returns the graph as indented text. A vertex with several edges to it is shown once, with a number for later
        references."""
        shared = self._shared()
        shown: Dict[int, int] = {}
        lines: List[str] = []
        for root, commands in self.routes_by_command.items():
            lines += [*([""] if lines else []), f"{', '.join(commands)}:"]
            ahead = [(1, "", root)]
            while ahead:
                depth, label, number = ahead.pop()
                vertex = self.vertices[number]
                start = "  " * depth + (f"{label}: " if label else "")
                if number in shown:
                    lines.append(f"{start}{vertex.text} (as #{shown[number]})")
                    continue
                if number in shared:
                    shown[number] = len(shown) + 1
                lines.append(start + vertex.text + (f"  #{shown[number]}" if number in shared else ""))
                ahead += [(depth + 1, *edge) for edge in reversed(vertex.edges)]
        return "\n".join(lines)

    def _shared(self) -> Set[int]:
        """Returns the vertices that need a number: those with children and with more than one edge to them."""
        leading = Counter(
            [inner for vertex in self.vertices for _, inner in vertex.edges] + list(self.routes_by_command)
        )
        return {number for number, count in leading.items() if count > 1 and self.vertices[number].edges}

    def dot(self) -> str:
        """Returns the graph for Graphviz."""
        lines = ["digraph policy {", '  rankdir="LR";', '  node [fontname="monospace"];']
        for number, vertex in enumerate(self.vertices):
            lines.append(f"  n{number} [label={_quoted(vertex.text)}];")
            for label, inner in vertex.edges:
                lines.append(f"  n{number} -> n{inner}{f' [label={_quoted(label)}]' if label else ''};")
        for number, (root, commands) in enumerate(self.routes_by_command.items()):
            lines.append(f"  c{number} [shape=box, label={_quoted(', '.join(commands))}];")
            lines.append(f"  c{number} -> n{root};")
        return "\n".join([*lines, "}"])


def labelled(fields: "Tuple[Field, ...]", args: Mapping[str, Any], of: str = "") -> Iterator[Edge]:
    """Yields (label, index) for all routes among the values of these fields; a principal field has no label."""
    for field in fields:
        value = args.get(field.name)
        label = of if field.principal else f"{of} {field.name}".strip()
        if value is None:
            continue
        if field.kind == ROUTE:
            yield label, value
        elif field.kind == ROUTES:
            yield from ((label, one) for one in value)
        elif field.kind == BY_NAME:
            yield from value.items()
        elif field.kind == RECORDS:
            for one in value:
                yield from labelled(field.fields, one, label)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
