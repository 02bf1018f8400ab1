"""What a name stands for at one place: values that are there, and values that are made when first asked for."""

from collections.abc import Iterator, Mapping
from typing import Optional, Union

from ..tree import Node


class Lazy:
    """A value as it is written, to be expanded in `scope` when it is first asked for; then `value` is there."""

    __slots__ = ("busy", "node", "scope", "value")

    def __init__(self, node: Node, scope: "Scope") -> None:
        self.node = node
        self.scope = scope
        self.value: Optional[Node] = None
        self.busy = False  # being expanded: asked for now, it would need itself


class Scope:
    """Names and their values, before them those of the scope around it.

    A macro's result sees the macro's own parameters alone, so its scope has none around it.
    """

    __slots__ = ("names", "outer")

    def __init__(self, names: Mapping[str, Union[Node, Lazy]], outer: Optional["Scope"] = None) -> None:
        self.names = dict(names)
        self.outer = outer

    def find(self, name: str) -> Union[Node, Lazy, None]:
        """The nearest value of that name; None if no scope has it."""
        for scope in self._outwards():
            if name in scope.names:
                return scope.names[name]
        return None

    def known(self) -> set[str]:
        """All the names."""
        return {name for scope in self._outwards() for name in scope.names}

    def _outwards(self) -> Iterator["Scope"]:
        scope: Optional[Scope] = self
        while scope is not None:
            yield scope
            scope = scope.outer
