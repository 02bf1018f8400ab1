"""The names that are defined at one place, with their values. Some values are expanded only when first used."""

from collections.abc import Iterator, Mapping
from typing import Optional, Union

from ..syntax.tree import Node


class Lazy:
    """A value that is expanded in `scope` when it is first used, and then kept in `value`."""

    __slots__ = ("busy", "node", "scope", "value")

    def __init__(self, node: Node, scope: "Scope") -> None:
        self.node = node
        self.scope = scope
        self.value: Optional[Node] = None
        self.busy = False  # its expansion has begun: a use before it has a value would depend on itself


class Scope:
    """Names and their values; a name that is not here is looked up in the outer scope.

    The result of a macro can use only the macro's own parameters, so its scope has no outer scope.
    """

    __slots__ = ("names", "outer")

    def __init__(self, names: Mapping[str, Union[Node, Lazy]], outer: Optional["Scope"] = None) -> None:
        self.names = dict(names)
        self.outer = outer

    def find(self, name: str) -> Union[Node, Lazy, None]:
        """Returns the innermost value of the name; None if no scope has it."""
        for scope in self._outwards():
            if name in scope.names:
                return scope.names[name]
        return None

    def known(self) -> set[str]:
        """Returns all names."""
        return {name for scope in self._outwards() for name in scope.names}

    def _outwards(self) -> Iterator["Scope"]:
        scope: Optional[Scope] = self
        while scope is not None:
            yield scope
            scope = scope.outer
