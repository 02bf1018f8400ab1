"""Expands the macros, constants and parameters of a config (JSONM).

    text.py         the syntax inside a text: %parameter%, @macro(argument, ...), backslashes
    scope.py        names and their values
    call.py         macros and built-ins, and one call with its arguments
    definitions.py  the definitions under `macros` and `consts`
    expander.py     walks the tree
    limits.py       limits the number of values that macros make
    builtins/       the macros that need no definition

The language is that of facebook/mcrouter (lib/config/ConfigPreprocessor.cpp, and JSONM.md in its wiki), except that
- maps keep their order, and a map in which two keys become equal is an error;
- a list or map that a macro returns in a list is one item of that list, unlike in the examples of JSONM.md;
- a config that uses nothing of this language is not changed: its backslashes stay;
- sizes and places in texts count characters, not bytes.
"""

from collections.abc import Mapping
from typing import Any, Callable

from ..tree import Node
from ..usage import is_used
from .expander import Expander

__all__ = ["expand"]


def expand(tree: Node, source: str, params: Mapping[str, Any], load: Callable[[str, Node], Node]) -> Node:
    """Returns the config's tree with everything expanded, without its `macros` and `consts`.

    `source` is the config's name in errors. `params` are the parameters that are defined everywhere, as
    'default-route', with plain Python values. `load(path, at)` returns the tree of an imported file, with the file's
    name on its nodes (`tree.from_file`), or raises ConfigError; `path` is the argument of the `@import` at `at`.

    Every node of the result has the place where its value was written. A tree that uses nothing of the language is
    returned unchanged. Raises ConfigError if something cannot be expanded.
    """
    return Expander(source, params, load).config(tree) if is_used(tree) else tree
