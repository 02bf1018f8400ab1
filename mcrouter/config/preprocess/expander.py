"""Walks the tree of a config and expands its texts, lists and maps.

A node that does not change is returned itself, so that a config with few macros is hardly copied.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NoReturn, Union

from ..errors import ConfigError, duplicate_key, show
from ..syntax.tree import MAX_DEPTH, TOO_DEEP, Entry, Map, Node, Scalar, Seen, Seq, field, kind
from ..usage import is_used
from .builtins.table import BUILTINS
from .call import Call, Macro
from .definitions import DEFINITIONS, define_consts, define_macros
from .limits import ExpansionLimits
from .scope import Lazy, Scope
from .text import BadTextError, Parameter, is_plain, pieces
from .text import call as call_in

MAX_CALLS = 100  # calls inside one another
_TOO_MANY_CALLS = f"calls are nested deeper than {MAX_CALLS}; look for a macro that calls itself without end"

Load = Callable[[str, Node], Node]


def expand(tree: Node, source: str, params: Mapping[str, Any], load: Load) -> Node:
    """Returns the config's tree with everything expanded, without its `macros` and `consts`.

    `source` is the config's name in errors. `params` are the parameters that are defined everywhere, as
    'default-route', with plain Python values. `load(path, at)` returns the tree of an imported file, with the file's
    name on its nodes (`tree.from_file`), or raises ConfigError; `path` is the argument of the `@import` at `at`.

    Every node of the result has the place where its value was written. A tree that uses nothing of the language is
    returned unchanged. Raises ConfigError if something cannot be expanded.
    """
    return Expander(source, params, load).config(tree) if is_used(tree) else tree


class Expander:
    """The names of one config, and the state of its expansion."""

    def __init__(self, source: str, params: Mapping[str, Any], load: Load) -> None:
        self._source = source
        self._params = params
        self._load = load
        self._macros: dict[str, Macro] = dict(BUILTINS)
        self._consts: dict[str, Union[Node, Lazy]] = {}
        self._imports: dict[str, Lazy] = {}
        self._calls: list[Call] = []  # the calls of the config's own macros that are being expanded, outermost first
        self._nested_calls = 0
        self._nested_containers = 0
        self.limits = ExpansionLimits(self.fail)

    def config(self, tree: Node) -> Node:
        """Returns the whole config, expanded."""
        try:
            self.limits.written(tree)
            if not isinstance(tree, Map):
                return self.expand(tree, Scope({}))
            for name, define in (("consts", define_consts), ("macros", define_macros)):
                section = field(tree, name)
                if section is not None:
                    define(self, section)
            return self.expand(_without(tree, "consts", "macros"), Scope({}))
        except RecursionError:  # the caller's stack was deep already
            self.fail(tree, _TOO_MANY_CALLS)

    def add_macro(self, macro: Macro) -> None:
        """Defines a macro."""
        self._macros[macro.name] = macro

    def add_const(self, name: str, value: Union[Node, Lazy]) -> None:
        """Defines a constant."""
        self._consts[name] = value

    def is_defined(self, name: str, scope: Scope) -> bool:
        """Returns whether `%name%` is defined."""
        return name in self._consts or name in self._params or scope.find(name) is not None

    def expand(self, node: Node, scope: Scope) -> Node:
        """Returns the expanded node; the same node if nothing in it is to be expanded."""
        if isinstance(node, Scalar):
            if not isinstance(node.value, str) or is_plain(node.value):
                return node
            return self._text(node, node.value, scope)
        if isinstance(node, Map):
            return self._map(node, scope)
        return self._list(node, scope)

    def expand_body(self, node: Node, scope: Scope, call: Call) -> Node:
        """Returns the expanded result of a macro; errors in it also name the call."""
        self._calls.append(call)
        made = self.expand(node, scope)
        self._calls.pop()
        return made

    def load(self, path: str, at: Node) -> Lazy:
        """Returns the value of an imported file; each file is loaded once. Raises ConfigError if `load` does."""
        if path not in self._imports:
            tree = self._load(path, at)
            self.limits.written(tree)
            self._imports[path] = Lazy(tree, Scope({}))
        return self._imports[path]

    def force(self, lazy: Lazy, name: str, at: Node) -> Node:
        """Returns the value of `lazy`, expanding it if needed; raises an error with `name` if it depends on itself."""
        if lazy.value is None:
            if lazy.busy:
                self.fail(at, f"{show(name)} depends on itself; break the circle")
            lazy.busy = True
            self._nest(at)
            lazy.value = self.expand(lazy.node, lazy.scope)
            self._nested_calls -= 1
        return lazy.value

    def extend(self, scope: Scope, values: Iterable[tuple[str, Node]], at: Node) -> Scope:
        """Returns an inner scope with these names, which must all be different."""
        names: dict[str, Union[Node, Lazy]] = {}
        for name, value in values:
            if name in names:
                self.fail(at, f"{show(name)} would name two things at once; give them different names")
            names[name] = value
        return Scope(names, scope)

    def fail(self, at: Node, message: str) -> NoReturn:
        """Raises a ConfigError at the node; within a macro, the message also names the call."""
        if self._calls:
            call = self._calls[0]
            place = f"{call.at.source or self._source}:{call.at.line}:{call.at.column}"
            message += f" (in the macro {show(call.macro.name)}, called at {place})"
        raise ConfigError(at.source or self._source, at.line, at.column, message) from None

    def _list(self, node: Seq, scope: Scope) -> Seq:
        self._enter(node)
        items = []
        for item in node.items:  # a comprehension would be one more level of the stack before Python 3.12
            items.append(self.expand(item, scope))
        self._nested_containers -= 1
        if all(new is old for new, old in zip(items, node.items)):
            return node
        return self.limits.container(node._replace(items=tuple(items)))

    def _map(self, node: Map, scope: Scope) -> Node:
        variables = field(node, "vars")
        if variables is not None:
            scope = self._variables(variables, scope)
            node = _without(node, "vars")
        what = field(node, "type")
        if what is not None:
            name = self.expand(what, scope)
            if isinstance(name, Scalar) and isinstance(name.value, str):
                if name.value in DEFINITIONS:
                    return node
                if name.value in self._macros:
                    call = Call(self, self._macros[name.value], node, scope)
                    call.take_map(node)
                    return self._run(call)
        return self._entries(node, scope)

    def _entries(self, node: Map, scope: Scope) -> Map:
        """Returns an expanded map that is not a call."""
        self._enter(node)
        seen, entries = Seen(), []
        for entry in node.entries:
            key = self.expand(entry.key, scope)
            if not isinstance(key, Scalar) or not (key is entry.key or isinstance(key.value, str)):
                self.fail(entry.key, f"this key becomes {kind(key)}; a key must be a text")
            key = entry.key._replace(value=key.value)
            first = seen.add(key)
            if first:
                self.fail(entry.key, duplicate_key(key.value, first))
            entries.append(Entry(key, self.expand(entry.value, scope)))
        self._nested_containers -= 1
        if all(new.key == old.key and new.value is old.value for new, old in zip(entries, node.entries)):
            return node
        return self.limits.container(node._replace(entries=tuple(entries)))

    def _enter(self, node: Node) -> None:
        self._nested_containers += 1
        if self._nested_containers > MAX_DEPTH:
            self.fail(node, TOO_DEEP)

    def _variables(self, node: Node, outer: Scope) -> Scope:
        """Returns the scope of a map's `vars`, which may use one another."""
        if not isinstance(node, Map):
            self.fail(node, f"'vars' is {kind(node)}; write a map of names and values")
        scope = Scope({}, outer)
        scope.names.update({str(entry.key.value): Lazy(entry.value, scope) for entry in node.entries})
        for name, variable in scope.names.items():
            self._value(variable, name, node)
        return scope

    def _text(self, node: Scalar, written: str, scope: Scope) -> Node:
        try:
            called = call_in(written)
            if called is None:
                return self._spliced(node, list(pieces(written)), scope)
            name = self._spliced(node, list(pieces(called.name)), scope)
        except BadTextError as error:
            self.fail(node, str(error))
        if not isinstance(name, Scalar) or not isinstance(name.value, str):
            self.fail(node, f"the name of the macro is {kind(name)}; it must be a text")
        macro = self._macros.get(name.value)
        if macro is None:
            self.fail(node, f"there is no macro {show(name.value)}; {_advice(name.value, self._macros, '@')}")
        call = Call(self, macro, node, scope)
        call.take_list(called.arguments)
        return self._run(call)

    def _spliced(self, node: Scalar, parts: list[Union[str, Parameter]], scope: Scope) -> Node:
        """Joins the parts of a text. If the whole text is one parameter, the value of that is returned unchanged."""
        if len(parts) == 1 and isinstance(parts[0], Parameter):
            return self._parameter(parts[0].name, node, scope)
        texts = []
        for part in parts:
            if isinstance(part, Parameter):
                value = self._parameter(part.name, node, scope)
                if not isinstance(value, Scalar) or not isinstance(value.value, str):
                    advice = f"only a text is allowed there; write @str(%{part.name}%) to make it one"
                    self.fail(node, f"{show(f'%{part.name}%')} inside a text is {kind(value)}; {advice}")
                texts.append(value.value)
            else:
                texts.append(part)
        self.limits.text(sum(map(len, texts)), node)
        joined = "".join(texts)
        return node if joined == node.value else node._replace(value=joined)

    def _parameter(self, name: str, at: Scalar, scope: Scope) -> Node:
        """Returns the value of `%name%`: from the scope, or else from the constants and parameters."""
        found = scope.find(name) or self._consts.get(name)
        if found is not None:
            return self._value(found, name, at)
        if name in self._params:
            return _from_python(self._params[name], at)
        known = {*scope.known(), *self._consts, *self._params}
        return self.fail(at, f"there is no parameter {show(name)}; {_advice(name, known, '%')}")

    def _value(self, found: Union[Node, Lazy], name: str, at: Node) -> Node:
        return self.force(found, name, at) if isinstance(found, Lazy) else found

    def _run(self, call: Call) -> Node:
        self._nest(call.at)
        made = call.macro.run(call)
        self._nested_calls -= 1
        return made

    def _nest(self, at: Node) -> None:
        self.limits.spend(1, at)
        self._nested_calls += 1
        if self._nested_calls > MAX_CALLS:
            self.fail(at, _TOO_MANY_CALLS)


def _without(node: Map, *names: str) -> Map:
    """Returns the map without some keys; the same map if it has none of them."""
    entries = [entry for entry in node.entries if entry.key.value not in names]
    return node if len(entries) == len(node.entries) else node._replace(entries=tuple(entries))


def _advice(name: str, known: Iterable[str], character: str) -> str:
    """Returns the advice for a name that is not defined."""
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"define it, or write \\{character} for the character itself"


def _from_python(value: Any, at: Node) -> Node:
    """Returns a parameter's value as a node at the place where it is used."""
    if isinstance(value, Mapping):
        entries = [Entry(Scalar(key, *at[1:]), _from_python(item, at)) for key, item in value.items()]
        return Map(tuple(entries), *at[1:])
    if isinstance(value, (list, tuple)):
        return Seq(tuple([_from_python(item, at) for item in value]), *at[1:])
    return Scalar(value, *at[1:])
