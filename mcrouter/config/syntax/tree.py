"""The trees that the two parsers make: scalars, lists and maps with their positions.

Every node and key keeps its position, so that errors can point at it. Nodes are tuples, since a config may hold a
hundred thousand of them.
"""

from typing import Any, NamedTuple, Optional, Union

MAX_DEPTH = 100  # levels of lists and maps; keeps every recursion over a tree shallow
TOO_DEEP = f"lists and maps are nested deeper than {MAX_DEPTH}; use fewer levels"

MAX_DIGITS = 300  # characters of a number: Python reads longer ones in quadratic time, or not at all
TOO_LONG = f"a number of more than {MAX_DIGITS} characters; put it in quotes if it is a text"

Atom = Union[None, bool, int, float, str]


class Scalar(NamedTuple):
    """A single value."""

    value: Atom
    line: int
    column: int
    source: str = ""  # the file, if it is not the config itself: see from_file


class Entry(NamedTuple):
    """One `key: value` of a map."""

    key: Scalar
    value: "Node"


class Map(NamedTuple):
    """A map: keys and values in the order of the text; no key appears twice."""

    entries: tuple[Entry, ...]
    line: int
    column: int
    source: str = ""


class Seq(NamedTuple):
    """A list: values in the order of the text."""

    items: tuple["Node", ...]
    line: int
    column: int
    source: str = ""


Node = Union[Scalar, Map, Seq]


class Seen:
    """The keys that a map has so far. Equal values of different types, as 1 and true, are different keys."""

    def __init__(self) -> None:
        self._lines: dict[tuple[type, Atom], int] = {}

    def add(self, key: Scalar) -> int:
        """Records a key; returns the line of an equal key that was recorded before, else 0."""
        identity = (type(key.value), key.value)
        first = self._lines.setdefault(identity, 0)
        if not first:
            self._lines[identity] = key.line
        return first


def dismantle(pieces: list[Node]) -> None:
    """Frees the trees in `pieces` node by node; freeing a large tree in one step would keep other threads waiting.

    The caller must have no other reference to the trees.
    """
    while pieces:
        node = pieces.pop()
        if isinstance(node, Map):
            pieces += [entry.value for entry in node.entries]
        elif isinstance(node, Seq):
            pieces += node.items


def from_file(node: Node, source: str) -> Node:
    """Returns a copy of the node with the name of its file in every node, so that errors about imports can name it."""
    if isinstance(node, Map):
        entries = [
            Entry(entry.key._replace(source=source), from_file(entry.value, source)) for entry in node.entries
        ]
        return node._replace(entries=tuple(entries), source=source)
    if isinstance(node, Seq):
        return node._replace(items=tuple([from_file(item, source) for item in node.items]), source=source)
    return node._replace(source=source)


def field(node: Map, name: str) -> Optional[Node]:
    """Returns the value of a map's key; None if the map has no such key."""
    for entry in node.entries:
        if entry.key.value == name:
            return entry.value
    return None


def plain(node: Node) -> Any:
    """Returns the node as plain Python values, without positions."""
    if isinstance(node, Map):
        return {entry.key.value: plain(entry.value) for entry in node.entries}
    if isinstance(node, Seq):
        return [plain(item) for item in node.items]
    return node.value


def kind(node: Node) -> str:
    """Describes the node's type or value for messages."""
    if isinstance(node, Map):
        return "a map"
    if isinstance(node, Seq):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return "a text" if isinstance(node.value, str) else f"the number {node.value}"
