"""Macros and built-ins, and one call of them with its arguments."""

from collections.abc import Iterable, Sequence
from typing import Callable, NamedTuple, NoReturn, Optional, Protocol, Union

from ..errors import show
from ..syntax.tree import Atom, Entry, Map, Node, Scalar, Seq, kind
from .limits import ExpansionLimits
from .scope import Lazy, Scope


class Expansion(Protocol):
    """What calls, built-ins and definitions use of the expansion of a config; expander.py implements it."""

    limits: ExpansionLimits

    def expand(self, node: Node, scope: Scope) -> Node:
        """Returns the expanded node."""

    def expand_body(self, node: Node, scope: Scope, call: "Call") -> Node:
        """Returns the expanded result of a macro."""

    def extend(self, scope: Scope, values: Iterable[tuple[str, Node]], at: Node) -> Scope:
        """Returns an inner scope with these names."""

    def force(self, lazy: Lazy, name: str, at: Node) -> Node:
        """Returns the value of `lazy`."""

    def load(self, path: str, at: Node) -> Lazy:
        """Returns the value of an imported file."""

    def is_defined(self, name: str, scope: Scope) -> bool:
        """Returns whether `%name%` is defined."""

    def add_macro(self, macro: "Macro") -> None:
        """Defines a macro."""

    def add_const(self, name: str, value: Union[Node, Lazy]) -> None:
        """Defines a constant."""

    def fail(self, at: Node, message: str) -> NoReturn:
        """Raises a ConfigError at the node."""


class Param(NamedTuple):
    """A parameter: its name, its default, and whether a call must give it."""

    name: str
    default: Optional[Node] = None
    required: bool = True


class Macro(NamedTuple):
    """A macro of the config, or a built-in."""

    name: str
    params: tuple[Param, ...]
    run: Callable[["Call"], Node]

    def signature(self) -> str:
        """Returns the form of a call, as `@slice(dictionary, from, to)`; optional arguments are in brackets."""
        shown = [param.name if param.required else f"[{param.name}]" for param in self.params]
        return f"@{self.name}({', '.join(shown)})"


def builtin(signature: str, run: Callable[["Call"], Node]) -> Macro:
    """Returns a built-in macro; `signature` is in the form 'select dictionary key [default]'."""
    name, *params = signature.split()
    return Macro(name, tuple([Param(param.strip("[]"), None, param[0] != "[") for param in params]), run)


class Call:
    """One call: its place and its arguments. Each argument is expanded when it is first used."""

    def __init__(self, expander: Expansion, macro: Macro, at: Node, scope: Scope) -> None:
        self.expander = expander
        self.macro = macro
        self.at = at
        self.scope = scope  # the scope of the call, in which its arguments are expanded
        self._written: dict[str, Node] = {}
        self._values: dict[str, Node] = {}

    def take_list(self, arguments: Sequence[str]) -> None:
        """Takes the arguments of a call in a text, in the order of the parameters."""
        if not self.macro.params and list(arguments) == [""]:
            arguments = ()  # @name() is the same as @name
        params, given = self.macro.params, len(arguments)
        least = sum(param.required for param in params)
        if not least <= given <= len(params):
            self.fail(f"the number of arguments is {given}; write {self.macro.signature()}")
        texts = [Scalar(text, self.at.line, self.at.column, self.at.source) for text in arguments]
        self._take({param.name: text for param, text in zip(params, texts)})

    def take_map(self, call: Map) -> None:
        """Takes the arguments of a call that is a map, by name; keys that are not parameters are ignored."""
        entries = {entry.key.value: entry.value for entry in call.entries}
        for param in self.macro.params:
            if param.required and param.name not in entries:
                self.fail(f"no {show(param.name)} is given; write {self.macro.signature()}")
        self._take({param.name: entries[param.name] for param in self.macro.params if param.name in entries})

    def _take(self, written: dict[str, Node]) -> None:
        self._written = written
        self._values = {
            param.name: param.default
            for param in self.macro.params
            if param.name not in written and param.default is not None
        }

    def has(self, name: str) -> bool:
        """Returns whether there is such an argument."""
        return name in self._written or name in self._values

    def value(self, name: str) -> Node:
        """Returns the argument, expanded."""
        if name not in self._values:
            self._values[name] = self.expander.expand(self._written[name], self.scope)
        return self._values[name]

    def value_with(self, name: str, names: Iterable[tuple[str, Node]]) -> Node:
        """Returns the argument, expanded with these names added to the scope of the call."""
        return self.expander.expand(self._written[name], self.expander.extend(self.scope, names, self.at))

    def text(self, name: str) -> str:
        """Returns the argument, which must be a text."""
        value = self._atom(name)
        return value if isinstance(value, str) else self.wrong(name, "a text")

    def integer(self, name: str) -> int:
        """Returns the argument, which must be a whole number."""
        value = self._atom(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return self.wrong(name, "a whole number, as @int(5) makes one")

    def flag(self, name: str) -> bool:
        """Returns the argument, which must be true or false."""
        value = self._atom(name)
        return value if isinstance(value, bool) else self.wrong(name, "true or false, as @bool(true) makes it")

    def list(self, name: str) -> Seq:
        """Returns the argument, which must be a list."""
        value = self.value(name)
        return value if isinstance(value, Seq) else self.wrong(name, "a list")

    def map(self, name: str) -> Map:
        """Returns the argument, which must be a map."""
        value = self.value(name)
        return value if isinstance(value, Map) else self.wrong(name, "a map")

    def collection(self, name: str) -> Union[Map, Seq]:
        """Returns the argument, which must be a map or a list."""
        value = self.value(name)
        return self.wrong(name, "a map or a list") if isinstance(value, Scalar) else value

    def sized(self, name: str) -> Union[str, Map, Seq]:
        """Returns the argument, which must be a map, a list or a text."""
        value = self.value(name)
        if not isinstance(value, Scalar):
            return value
        return value.value if isinstance(value.value, str) else self.wrong(name, "a map, a list or a text")

    def scalar(self, value: Atom) -> Scalar:
        """Returns a node for a value that the call makes."""
        return Scalar(value, self.at.line, self.at.column, self.at.source)

    def make_list(self, items: Sequence[Node]) -> Seq:
        """Returns a list that the call makes."""
        return self.expander.limits.container(Seq(tuple(items), self.at.line, self.at.column, self.at.source))

    def make_map(self, entries: Iterable[Entry]) -> Map:
        """Returns a map that the call makes; of equal keys, the first place and the last value count."""
        unique = {(type(entry.key.value), entry.key.value): entry for entry in entries}
        made = Map(tuple(unique.values()), self.at.line, self.at.column, self.at.source)
        return self.expander.limits.container(made)

    def wrong(self, name: str, wanted: str) -> NoReturn:
        """Raises the error for an argument of the wrong kind."""
        value = self._atom(name)
        found = f"the text {show(value)}" if isinstance(value, str) else kind(self.value(name))
        self.fail(f"{show(name)} is {found}; give {wanted}")

    def fail(self, message: str) -> NoReturn:
        """Raises an error that names the call."""
        self.expander.fail(self.at, f"@{self.macro.name}: {message}")

    def _atom(self, name: str) -> Atom:
        value = self.value(name)
        return value.value if isinstance(value, Scalar) else None
