"""Finds out whether a config uses macros, constants, parameters or imports; only then are the modules for these
(preprocess/) imported."""

from .syntax.tree import Map, Node, Scalar, Seq

_SECTIONS = ("macros", "consts")
BUILTIN_NAMES = frozenset((
    "add", "and", "bitwiseAnd", "bitwiseLeftShift", "bitwiseNot", "bitwiseOr", "bitwiseRightShift", "bitwiseXor",
    "bool", "contains", "define", "defined", "div", "double", "empty", "equals", "fail", "foreach", "hash", "if",
    "import", "int", "isArray", "isBool", "isDouble", "isInt", "isLocalIp", "isObject", "isString", "keys", "less",
    "merge", "mod", "mul", "not", "or", "process", "range", "select", "set", "shuffle", "size", "slice", "sort",
    "split", "str", "sub", "transform", "values", "weightedHash",
))  # fmt: skip
"""The names of all macros that need no definition (preprocess/builtins)."""


def uses_language(tree: Node, own_params: bool) -> bool:
    """Returns whether the config is to be expanded. With an `orderedPool`, where a '%' may be part of a host, it is so
    only if it defines macros or constants, or if the operator has set parameters."""
    keys = {entry.key.value for entry in tree.entries} if isinstance(tree, Map) else set()
    return (own_params or not keys.isdisjoint(("pools", *_SECTIONS))) and is_used(tree)


def is_used(tree: Node) -> bool:
    """Returns whether there is anything to expand. A config may have a million nodes, so this is one loop."""
    if isinstance(tree, Map) and any(entry.key.value in _SECTIONS for entry in tree.entries):
        return True
    todo: list[Node] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, Map):
            for key, value in node.entries:
                todo.append(key)
                todo.append(value)
                if key.value == "type" and isinstance(value, Scalar) and value.value in BUILTIN_NAMES:
                    return True
        elif isinstance(node, Seq):
            todo.extend(node.items)
        elif isinstance(node.value, str) and ("@" in node.value or "%" in node.value):
            return True
    return False
