"""Macros, constants and parameters of a config (JSONM) -> the config without them.

    text.py         the syntax inside a text: %parameter%, @macro(argument, ...), backslashes
    scope.py        names and what they stand for
    call.py         what can be called, and one call with its arguments
    definitions.py  what stands under `macros` and `consts`
    expander.py     walks the tree
    limits.py       how much may be made
    builtins/       the macros that are there without a definition

The language is that of facebook/mcrouter (lib/config/ConfigPreprocessor.cpp, and JSONM.md in its wiki). Unlike there,
- maps keep their order, and a map in which two keys become equal is an error;
- a list or map that a macro gives in a list's place is one item of that list, whatever JSONM.md's examples show;
- a config that uses nothing of this language is not looked at further: its backslashes stay as they are;
- sizes and places in texts count characters, not bytes.
"""

from collections.abc import Mapping
from typing import Any, Callable

from ..tree import Map, Node, Scalar, Seq
from .builtins import BUILTINS
from .expander import Expander

__all__ = ["expand"]

_SECTIONS = ("macros", "consts")


def expand(tree: Node, source: str, params: Mapping[str, Any], load: Callable[[str, Node], Node]) -> Node:
    """The config's tree with everything expanded, without its `macros` and `consts`.

    `source` is the config's name in errors. `params` are the parameters that are there everywhere, as
    'default-route', with plain Python values. `load(path, at)` gives the tree of an imported file, with the file's
    name on its nodes (`tree.from_file`), or raises ConfigError; `path` is what stands in the `@import` at `at`.

    Every node of the result has the place where its value was written. A tree that uses nothing of the language comes
    back as it is. ConfigError if something cannot be expanded.
    """
    return Expander(source, params, load).config(tree) if _is_used(tree) else tree


def _is_used(tree: Node) -> bool:
    """Whether there is anything to expand. A config may have a million nodes, so this is one loop without calls."""
    if isinstance(tree, Map) and any(entry.key.value in _SECTIONS for entry in tree.entries):
        return True
    todo: list[Node] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, Map):
            for key, value in node.entries:
                todo.append(key)
                todo.append(value)
                if key.value == "type" and isinstance(value, Scalar) and value.value in BUILTINS:
                    return True
        elif isinstance(node, Seq):
            todo.extend(node.items)
        elif isinstance(node.value, str) and ("@" in node.value or "%" in node.value):
            return True
    return False
