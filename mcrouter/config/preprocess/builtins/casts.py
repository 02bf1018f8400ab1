"""Casts and type checks."""

import math
import re
from typing import Callable

from ...syntax.tree import MAX_DIGITS, Atom, Map, Node, Scalar, Seq
from ..call import Call, builtin
from .numbers import fits

_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}


def _int(call: Call) -> Node:
    value = _atom(call)
    if isinstance(value, str) and len(value) <= MAX_DIGITS and _INTEGER.fullmatch(value.strip()):
        return call.scalar(fits(call, int(value)))
    if isinstance(value, (int, float)) and math.isfinite(value) and value == int(value):
        return call.scalar(fits(call, int(value)))
    return call.wrong("value", "a whole number, or a text that is one")


def _double(call: Call) -> Node:
    value = _atom(call)
    if isinstance(value, str) and len(value) <= MAX_DIGITS and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, (int, float)) and abs(value) < 2**1023:
        return call.scalar(float(value))
    return call.wrong("value", "a number, or a text that is one")


def _str(call: Call) -> Node:
    """Returns a value as text: a number as the shortest text that reads back equal; true as 1, as in
    folly::to<std::string>."""
    value = _atom(call)
    if value is None:
        call.wrong("value", "a text, a number, true or false")
    if isinstance(value, bool):
        return call.scalar(str(int(value)))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return call.scalar(str(int(value)))
    return call.scalar(str(value))


def _bool(call: Call) -> Node:
    value = _atom(call)
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return call.scalar(_WORDS[value.strip().lower()])
    if isinstance(value, (int, float)) and value in (0, 1):
        return call.scalar(bool(value))
    return call.wrong("value", "true, false, 1 or 0, or a text that is one of them")


def _atom(call: Call) -> Atom:
    value = call.value("value")
    return value.value if isinstance(value, Scalar) else None


def _is(*commands: type) -> Callable[[Call], Node]:
    """Returns a check for the exact type of a single value: True is not an int."""
    return lambda call: call.scalar(isinstance(call.value("value"), Scalar) and type(_atom(call)) in commands)


def _is_list(call: Call) -> Node:
    return call.scalar(isinstance(call.value("value"), Seq))


def _is_map(call: Call) -> Node:
    return call.scalar(isinstance(call.value("value"), Map))


MACROS = (
    builtin("int value", _int),
    builtin("double value", _double),
    builtin("str value", _str),
    builtin("bool value", _bool),
    builtin("isBool value", _is(bool)),
    builtin("isInt value", _is(int)),
    builtin("isDouble value", _is(float)),
    builtin("isString value", _is(str)),
    builtin("isArray value", _is_list),
    builtin("isObject value", _is_map),
)
