"""Limits the values that macros make: a macro that repeats itself must end with an error before memory runs out.

Values share their parts: ten lines can make a list of a thousand million items that takes no memory until a reader
walks through it. So both are counted: the values that are made, and the values within each value.
"""

from typing import Callable, NamedTuple, NoReturn, TypeVar

from ..syntax.tree import MAX_DEPTH, TOO_DEEP, Map, Node, Scalar, Seq

MAX_MADE = 1_000_000  # values made, and values within one value, beyond those that are written in the files
_CHARACTERS = 16  # so many characters of a text that is made count as one more value
TOO_MUCH = f"the macros make more than {MAX_MADE} values; make fewer, or look for one that repeats itself without end"

Fail = Callable[[Node, str], NoReturn]
Container = TypeVar("Container", Map, Seq)


class _Measure(NamedTuple):
    node: Node  # kept alive, so that no other node gets its id()
    size: int
    depth: int


class ExpansionLimits:
    """Counts the values that are made; calls `fail(node, message)` if there are too many."""

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._made = 0
        self._largest = MAX_MADE
        self._measures: dict[int, _Measure] = {}

    def written(self, node: Node) -> None:
        """Adds the values of a file's tree to the limit, since macros did not make them."""
        self._largest += self._measure(node)[0]

    def spend(self, count: int, at: Node) -> None:
        """Counts values, or steps that make no value."""
        self._made += count
        if self._made > MAX_MADE:
            self._fail(at, TOO_MUCH)

    def text(self, length: int, at: Node) -> None:
        """Counts a text that is about to be made."""
        self.spend(1 + length // _CHARACTERS, at)

    def container(self, node: Container) -> Container:
        """Counts a map or list that was made of values which were counted before; returns it."""
        self.spend(1 + len(node[0]), node)
        size, depth = self._measure(node)
        if depth > MAX_DEPTH:
            self._fail(node, TOO_DEEP)
        if size > self._largest:
            self._fail(node, TOO_MUCH)
        return node

    def _measure(self, node: Node) -> tuple[int, int]:
        """Returns how many values the node has, and how deep they are nested."""
        if isinstance(node, Scalar):
            return 1, 0
        known = self._measures.get(id(node))
        if known is None:
            inner = node.items if isinstance(node, Seq) else [entry.value for entry in node.entries]
            size = depth = 0
            for child in inner:
                more, deep = self._measure(child)
                size += more
                depth = max(depth, deep)
            known = self._measures[id(node)] = _Measure(node, 1 + size, 1 + depth)
        return known.size, known.depth
