"""Macros that split, join and sort lists, maps and texts."""

import random
from typing import NoReturn

from ...errors import show
from ...syntax.tree import Entry, Map, Node, Scalar, Seq, field, kind
from ..call import Call, builtin
from .order import sort_key
from .shuffle import shuffled


def _keys(call: Call) -> Node:
    return call.make_list([entry.key for entry in call.map("dictionary").entries])


def _values(call: Call) -> Node:
    return call.make_list([entry.value for entry in call.map("dictionary").entries])


def _size(call: Call) -> Node:
    value = call.sized("dictionary")
    return call.scalar(len(value if isinstance(value, str) else value[0]))


def _merge(call: Call) -> Node:
    """Joins lists or texts; merges maps, in which a later value of a key replaces an earlier one."""
    parts = call.list("params").items
    if not parts:
        call.fail("'params' is empty; give lists, maps or texts")
    for part in parts:
        if isinstance(part, Scalar) and not isinstance(part.value, str):
            call.fail(f"'params' holds {kind(part)}; give lists, maps or texts")
        if type(part) is not type(parts[0]):
            call.fail(f"'params' holds {kind(parts[0])} and {kind(part)}; give only lists, only maps or only texts")
    if isinstance(parts[0], Scalar):
        texts = [str(part.value) for part in parts if isinstance(part, Scalar)]
        call.expander.limits.text(sum(map(len, texts)), call.at)
        return call.scalar("".join(texts))
    if isinstance(parts[0], Seq):
        return call.make_list([item for part in parts if isinstance(part, Seq) for item in part.items])
    maps = [part for part in parts if isinstance(part, Map)]
    return call.make_map([entry for part in maps for entry in part.entries])


def _select(call: Call) -> Node:
    """Returns a map's value by its key, or a list's item by its number, from the end if negative; else the default."""
    inside = call.collection("dictionary")
    found = None
    if isinstance(inside, Map):
        text = call.text("key")
        found = field(inside, text)
        missing = f"there is no key {show(text)}"
    else:
        number, size = call.integer("key"), len(inside.items)
        if -size <= number < size:
            found = inside.items[number]
        missing = f"there is no item {number} in a list of {size}"
    if found is not None:
        return found
    return call.value("default") if call.has("default") else call.fail(f"{missing}; give a 'default'")


def _slice(call: Call) -> Node:
    """Returns the part between `from` and `to`, both included: items, characters, or the entries with such keys."""
    inside = call.sized("dictionary")
    if isinstance(inside, Map):
        first, last = call.text("from"), call.text("to")
        return call.make_map([entry for entry in inside.entries if first <= str(entry.key.value) <= last])
    span = slice(max(0, call.integer("from")), max(0, call.integer("to") + 1))
    return call.scalar(inside[span]) if isinstance(inside, str) else call.make_list(inside.items[span])


def _split(call: Call) -> Node:
    text, mark = call.text("dictionary"), call.text("delim")
    return call.make_list([call.scalar(piece) for piece in (text.split(mark) if mark else [text])])


def _range(call: Call) -> Node:
    first, last = call.integer("from"), call.integer("to")
    call.expander.limits.spend(max(0, last - first + 1), call.at)  # before they are made
    return call.make_list([call.scalar(number) for number in range(first, last + 1)])


def _set(call: Call) -> Node:
    """Returns the map with one key set, or the list with one item changed."""
    inside = call.collection("dictionary")
    if isinstance(inside, Map):
        key = call.text("key")
        return call.make_map([*inside.entries, Entry(call.scalar(key), call.value("value"))])
    number, items = call.integer("key"), list(inside.items)
    if not 0 <= number < len(items):
        call.fail(f"there is no item {number} in a list of {len(items)}; set one that is there")
    items[number] = call.value("value")
    return call.make_list(items)


def _sort(call: Call) -> Node:
    def refuse() -> NoReturn:
        call.fail("maps have no order; sort texts, numbers or lists")

    return call.make_list(sorted(call.list("dictionary").items, key=lambda item: sort_key(item, refuse)))


def _shuffle(call: Call) -> Node:
    """Returns the items in random order: the same order at each load with a seed, else another one in each process."""
    items = list(call.list("dictionary").items)
    if not call.has("seed"):
        return call.make_list(random.sample(items, len(items)))
    seed = call.integer("seed")
    if seed < 0:
        call.fail(f"'seed' is {seed}; give 0 or more")
    return call.make_list(shuffled(items, seed))


MACROS = (
    builtin("keys dictionary", _keys),
    builtin("values dictionary", _values),
    builtin("size dictionary", _size),
    builtin("merge params", _merge),
    builtin("select dictionary key [default]", _select),
    builtin("slice dictionary from to", _slice),
    builtin("split dictionary delim", _split),
    builtin("range from to", _range),
    builtin("set dictionary key value", _set),
    builtin("sort dictionary", _sort),
    builtin("shuffle dictionary [seed]", _shuffle),
)
