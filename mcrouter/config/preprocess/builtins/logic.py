"""Conditions, comparisons, and macros that control the expansion itself."""

import json
from typing import NoReturn

from ...syntax.tree import Map, Node, plain
from ..call import Call, builtin
from .order import equal, sort_key


def _if(call: Call) -> Node:
    return call.value("is_true" if call.flag("condition") else "is_false")


def _and(call: Call) -> Node:
    return call.scalar(call.flag("A") and call.flag("B"))


def _or(call: Call) -> Node:
    return call.scalar(call.flag("A") or call.flag("B"))


def _not(call: Call) -> Node:
    return call.scalar(not call.flag("A"))


def _equals(call: Call) -> Node:
    return call.scalar(equal(call.value("A"), call.value("B")))


def _less(call: Call) -> Node:
    def refuse() -> NoReturn:
        call.fail("maps have no order; compare texts, numbers or lists")

    return call.scalar(sort_key(call.value("A"), refuse) < sort_key(call.value("B"), refuse))


def _contains(call: Call) -> Node:
    """Returns whether a map contains the key, a list the value, or a text the other text."""
    inside = call.sized("dictionary")
    if isinstance(inside, str):
        return call.scalar(call.text("key") in inside)
    if isinstance(inside, Map):
        key = call.text("key")
        return call.scalar(any(entry.key.value == key for entry in inside.entries))
    value = call.value("key")
    return call.scalar(any(equal(item, value) for item in inside.items))


def _empty(call: Call) -> Node:
    value = call.sized("dictionary")
    return call.scalar(not (value if isinstance(value, str) else value[0]))


def _defined(call: Call) -> Node:
    return call.scalar(call.expander.is_defined(call.text("name"), call.scope))


def _define(call: Call) -> Node:
    """Returns the result. Its purpose is that the map of the call may have `vars`."""
    return call.value("result")


def _fail(call: Call) -> Node:
    """Raises an error with the config's own message."""
    message = plain(call.value("msg"))
    words = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    call.expander.fail(call.at, " ".join(words.split()))


MACROS = (
    builtin("if condition is_true is_false", _if),
    builtin("and A B", _and),
    builtin("or A B", _or),
    builtin("not A", _not),
    builtin("equals A B", _equals),
    builtin("less A B", _less),
    builtin("contains dictionary key", _contains),
    builtin("empty dictionary", _empty),
    builtin("define result", _define),
    builtin("defined name", _defined),
    builtin("fail msg", _fail),
)
