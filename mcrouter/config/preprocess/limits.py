"""How much macros may make: a macro that makes more and more of itself must end with an error, not with the memory.

What is made shares its parts: ten lines can make a list that holds itself a thousand million times over and takes no
room until somebody walks through it. So it is not only counted what is made, but also what each value holds.
"""

from typing import Callable, NamedTuple, NoReturn, TypeVar

from ..tree import MAX_DEPTH, TOO_DEEP, Map, Node, Scalar, Seq

MAX_MADE = 1_000_000  # values made, and the values in one value, over those that the files hold as they are written
_CHARACTERS = 16  # as many characters of a text that is put together count as one value more
TOO_MUCH = f"the macros make more than {MAX_MADE} values; make fewer, or look for one that repeats itself without end"

Fail = Callable[[Node, str], NoReturn]
Container = TypeVar("Container", Map, Seq)


class _Measure(NamedTuple):
    node: Node  # kept, so that no other takes its identity
    size: int
    depth: int


class Limits:
    """Counts what is made; `fail(node, message)` is told when it is too much."""

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._made = 0
        self._largest = MAX_MADE
        self._measures: dict[int, _Measure] = {}

    def written(self, node: Node) -> None:
        """Take in a file's tree: its values are not made."""
        self._largest += self._measure(node)[0]

    def spend(self, count: int, at: Node) -> None:
        """Count values, or steps that make none."""
        self._made += count
        if self._made > MAX_MADE:
            self._fail(at, TOO_MUCH)

    def text(self, length: int, at: Node) -> None:
        """Count a text that is about to be put together."""
        self.spend(1 + length // _CHARACTERS, at)

    def container(self, node: Container) -> Container:
        """Count a map or list that was made of values which were looked at before."""
        self.spend(1 + len(node[0]), node)
        size, depth = self._measure(node)
        if depth > MAX_DEPTH:
            self._fail(node, TOO_DEEP)
        if size > self._largest:
            self._fail(node, TOO_MUCH)
        return node

    def _measure(self, node: Node) -> tuple[int, int]:
        """How many values the node is, and how deep they nest."""
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
