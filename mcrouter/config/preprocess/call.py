"""What can be called, by the name of a macro or of a built-in, and one call of it with its arguments."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Callable, NamedTuple, NoReturn, Optional, Union

from ..errors import show
from ..tree import Atom, Entry, Map, Node, Scalar, Seq, kind
from .scope import Scope

if TYPE_CHECKING:
    from .expander import Expander


class Param(NamedTuple):
    """A parameter: its value if the call gives none, and whether the call must give one."""

    name: str
    default: Optional[Node] = None
    required: bool = True


class Macro(NamedTuple):
    """Something that can be called: a config's own macro, or a built-in."""

    name: str
    params: tuple[Param, ...]
    run: Callable[["Call"], Node]

    def signature(self) -> str:
        """How it is called, as `@slice(dictionary, from, to)`; in brackets what can be left out."""
        shown = [param.name if param.required else f"[{param.name}]" for param in self.params]
        return f"@{self.name}({', '.join(shown)})"


def builtin(signature: str, run: Callable[["Call"], Node]) -> Macro:
    """A macro that is there without a definition; `signature` is as 'select dictionary key [default]'."""
    name, *params = signature.split()
    return Macro(name, tuple([Param(param.strip("[]"), None, param[0] != "[") for param in params]), run)


class Call:
    """One call: where it stands, and its arguments, each of them expanded when it is first asked for."""

    def __init__(self, expander: "Expander", macro: Macro, at: Node, scope: Scope) -> None:
        self.expander = expander
        self.macro = macro
        self.at = at
        self.scope = scope  # that of the place of the call, in which its arguments are expanded
        self._written: dict[str, Node] = {}
        self._values: dict[str, Node] = {}

    def take_list(self, arguments: Sequence[str]) -> None:
        """The arguments of a call in a text, in the order of the parameters."""
        if not self.macro.params and list(arguments) == [""]:
            arguments = ()  # @name() says the same as @name
        params, given = self.macro.params, len(arguments)
        least = sum(param.required for param in params)
        if not least <= given <= len(params):
            self.fail(f"the number of arguments is {given}; write {self.macro.signature()}")
        texts = [Scalar(text, self.at.line, self.at.column, self.at.source) for text in arguments]
        self._take({param.name: text for param, text in zip(params, texts)})

    def take_map(self, call: Map) -> None:
        """The arguments of a call that is a map, by name; what is no parameter's name is let be."""
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
        """Whether there is such an argument."""
        return name in self._written or name in self._values

    def value(self, name: str) -> Node:
        """The argument, expanded."""
        if name not in self._values:
            self._values[name] = self.expander.expand(self._written[name], self.scope)
        return self._values[name]

    def value_with(self, name: str, names: Iterable[tuple[str, Node]]) -> Node:
        """The argument, expanded anew with these names added to those of the call's place."""
        return self.expander.expand(self._written[name], self.expander.extend(self.scope, names, self.at))

    def text(self, name: str) -> str:
        """The argument, which must be a text."""
        value = self._atom(name)
        return value if isinstance(value, str) else self.wrong(name, "a text")

    def integer(self, name: str) -> int:
        """The argument, which must be a whole number."""
        value = self._atom(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return self.wrong(name, "a whole number, as @int(5) makes one")

    def flag(self, name: str) -> bool:
        """The argument, which must be true or false."""
        value = self._atom(name)
        return value if isinstance(value, bool) else self.wrong(name, "true or false, as @bool(true) makes it")

    def list(self, name: str) -> Seq:
        """The argument, which must be a list."""
        value = self.value(name)
        return value if isinstance(value, Seq) else self.wrong(name, "a list")

    def map(self, name: str) -> Map:
        """The argument, which must be a map."""
        value = self.value(name)
        return value if isinstance(value, Map) else self.wrong(name, "a map")

    def collection(self, name: str) -> Union[Map, Seq]:
        """The argument, which must be a map or a list."""
        value = self.value(name)
        return self.wrong(name, "a map or a list") if isinstance(value, Scalar) else value

    def sized(self, name: str) -> Union[str, Map, Seq]:
        """The argument, which must be a map, a list or a text."""
        value = self.value(name)
        if not isinstance(value, Scalar):
            return value
        return value.value if isinstance(value.value, str) else self.wrong(name, "a map, a list or a text")

    def scalar(self, value: Atom) -> Scalar:
        """A value that the call makes."""
        return Scalar(value, self.at.line, self.at.column, self.at.source)

    def make_list(self, items: Sequence[Node]) -> Seq:
        """A list that the call makes."""
        return self.expander.limits.container(Seq(tuple(items), self.at.line, self.at.column, self.at.source))

    def make_map(self, entries: Iterable[Entry]) -> Map:
        """A map that the call makes; of equal keys the first place and the last value stay."""
        unique = {(type(entry.key.value), entry.key.value): entry for entry in entries}
        made = Map(tuple(unique.values()), self.at.line, self.at.column, self.at.source)
        return self.expander.limits.container(made)

    def wrong(self, name: str, wanted: str) -> NoReturn:
        """The error for an argument of the wrong kind."""
        value = self._atom(name)
        found = f"the text {show(value)}" if isinstance(value, str) else kind(self.value(name))
        self.fail(f"{show(name)} is {found}; give {wanted}")

    def fail(self, message: str) -> NoReturn:
        """An error that names the call."""
        self.expander.fail(self.at, f"@{self.macro.name}: {message}")

    def _atom(self, name: str) -> Atom:
        value = self.value(name)
        return value.value if isinstance(value, Scalar) else None
