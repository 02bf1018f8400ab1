"""The equality and the order of values, by the rules of folly::dynamic.

Numbers are compared as numbers, with or without a fraction. Other values of different types are different, and their
order is: null, lists, false and true, numbers, texts. Maps have no order.
"""

from typing import Any, Callable

from ...syntax.tree import Atom, Map, Node, Scalar, Seq

_RANKS = {type(None): 0, list: 1, bool: 2, int: 3, float: 3, str: 4}


def equal(a: Node, b: Node) -> bool:
    """Returns whether two values are equal; the order of a map's keys does not matter."""
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        return _RANKS[type(a.value)] == _RANKS[type(b.value)] and a.value == b.value
    if isinstance(a, Seq) and isinstance(b, Seq):
        return len(a.items) == len(b.items) and all(map(equal, a.items, b.items))
    if not (isinstance(a, Map) and isinstance(b, Map) and len(a.entries) == len(b.entries)):
        return False
    others: dict[tuple[type, Atom], Node] = {_identity(entry.key.value): entry.value for entry in b.entries}
    keys = [_identity(entry.key.value) for entry in a.entries]
    return all(key in others and equal(entry.value, others[key]) for key, entry in zip(keys, a.entries))


def sort_key(node: Node, refuse: Callable[[], Any]) -> Any:
    """Returns the sort key of a value; calls `refuse` for a map, which has no order."""
    if isinstance(node, Map):
        return refuse()
    if isinstance(node, Seq):
        return (_RANKS[list], [sort_key(item, refuse) for item in node.items])
    return (_RANKS[type(node.value)], 0 if node.value is None else node.value)


def _identity(key: Atom) -> tuple[type, Atom]:
    return type(key), key
