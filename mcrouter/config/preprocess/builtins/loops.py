"""Loops over a list or a map: each item is one expansion, in which %key% and %item% are defined.

In a list, the key is the item's number, from 0. Both names can be chosen, so that loops can be nested.
"""

from collections.abc import Iterator
from typing import Optional, Union

from ...errors import show
from ...syntax.tree import Entry, Map, Node, Scalar, Seq, kind
from ..call import Call, builtin

_Names = list[tuple[str, Node]]
_Round = tuple[Scalar, Node, _Names]  # key, item, and their names with values


def _rounds(call: Call, inside: Union[Map, Seq], key_name: str, item_name: str) -> Iterator[_Round]:
    """Yields each entry or item; `key_name` and `item_name` are the arguments that choose the names."""
    key_text = call.text(key_name) if call.has(key_name) else "key"
    item_text = call.text(item_name) if call.has(item_name) else "item"
    if isinstance(inside, Map):
        pairs: list[tuple[Scalar, Node]] = list(inside.entries)
    else:
        pairs = [(call.scalar(number), item) for number, item in enumerate(inside.items)]
    for key, item in pairs:
        call.expander.limits.spend(1, call.at)
        yield key, item, [(key_text, key), (item_text, item)]


def _transform(call: Call) -> Node:
    """Replaces each item of a list or map; in a map also the key, by one key or by a list of keys."""
    inside = call.collection("dictionary")
    rounds = _rounds(call, inside, "keyName", "itemName")
    if isinstance(inside, Seq):
        if inside.items and not call.has("itemTransform"):
            call.fail("no 'itemTransform' is given; a list needs it")
        return call.make_list([call.value_with("itemTransform", names) for _, _, names in rounds])
    entries: list[Entry] = []
    for key, item, names in rounds:
        new_keys = _new_keys(call, call.value_with("keyTransform", names) if call.has("keyTransform") else key)
        if new_keys and call.has("itemTransform"):
            item = call.value_with("itemTransform", names)
        entries.extend([Entry(new_key, item) for new_key in new_keys])
    return call.make_map(entries)


def _new_keys(call: Call, made: Node) -> list[Scalar]:
    """Returns the keys that `keyTransform` made."""
    nodes = made.items if isinstance(made, Seq) else [made]
    keys = [node for node in nodes if isinstance(node, Scalar) and isinstance(node.value, str)]
    if len(keys) < len(nodes):
        wrong = next(node for node in nodes if node not in keys)
        call.fail(f"'keyTransform' gives {kind(wrong)}; a key must be a text")
    return keys


def _process(call: Call) -> Node:
    """Returns the last of the values, each of which is made from the previous one (%value%) and an item."""
    value = call.value("initialValue")
    value_name = call.text("valueName") if call.has("valueName") else "value"
    for _, _, names in _rounds(call, call.collection("dictionary"), "keyName", "itemName"):
        value = call.value_with("transform", [*names, (value_name, value)])
    return value


def _foreach(call: Call) -> Node:
    """Returns the first `top` items that satisfy `where`; or the lists or maps that `use` makes of them, merged."""
    inside = call.collection("from")
    kept = list(_kept(call, inside))
    if not kept and call.has("noMatchResult"):
        return call.value("noMatchResult")
    if kept and call.has("use"):
        return _used(call, [names for _, _, names in kept])
    if isinstance(inside, Seq):
        return call.make_list([item for _, item, _ in kept])
    return call.make_map([Entry(key, item) for key, item, _ in kept])


def _kept(call: Call, inside: Union[Map, Seq]) -> Iterator[_Round]:
    top: Optional[int] = call.integer("top") if call.has("top") else None
    if top is not None and top < 0:
        call.fail(f"'top' is {top}; give 0 or more")
    for one in _rounds(call, inside, "key", "item"):
        if top == 0:
            return
        if call.has("where"):
            where = call.value_with("where", one[2])
            if not isinstance(where, Scalar) or not isinstance(where.value, bool):
                call.fail(f"'where' gives {kind(where)}; it must give true or false")
            if not where.value:
                continue
        top = None if top is None else top - 1
        yield one


def _used(call: Call, rounds: list[_Names]) -> Node:
    """Returns what `use` makes of each item, merged; of equal keys, the last value counts."""
    made = [call.value_with("use", names) for names in rounds]
    for node in made:
        if isinstance(node, Scalar) or type(node) is not type(made[0]):
            before = "" if node is made[0] else f" after {kind(made[0])}"
            call.fail(f"{show('use')} gives {kind(node)}{before}; it must give lists only, or maps only")
    if isinstance(made[0], Seq):
        return call.make_list([item for node in made if isinstance(node, Seq) for item in node.items])
    return call.make_map([entry for node in made if isinstance(node, Map) for entry in node.entries])


MACROS = (
    builtin("transform dictionary [itemTransform] [keyTransform] [itemName] [keyName]", _transform),
    builtin("process initialValue dictionary transform [itemName] [keyName] [valueName]", _process),
    builtin("foreach from [use] [where] [top] [noMatchResult] [key] [item]", _foreach),
)
