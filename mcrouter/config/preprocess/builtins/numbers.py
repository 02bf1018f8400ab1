"""Arithmetic with whole numbers of 64 bits, as in facebook/mcrouter: a result that does not fit is an error."""

import operator
from typing import Callable

from ...syntax.tree import Node
from ..call import Call, builtin

_BITS = 64
_LARGEST = 2 ** (_BITS - 1) - 1


def fits(call: Call, number: int) -> int:
    """Returns the number; raises an error if it does not fit into 64 bits."""
    if not -_LARGEST - 1 <= number <= _LARGEST:
        call.fail(f"the result does not fit into {_BITS} bits; use smaller numbers")
    return number


def signed(number: int) -> int:
    """Returns the lowest 64 bits as a signed number."""
    number &= 2**_BITS - 1
    return number - 2**_BITS if number > _LARGEST else number


def _binary(function: Callable[[int, int], int]) -> Callable[[Call], Node]:
    return lambda call: call.scalar(fits(call, function(call.integer("A"), call.integer("B"))))


def _divided(call: Call) -> tuple[int, int]:
    """Returns quotient and remainder as in C: the quotient is rounded towards zero."""
    a, b = call.integer("A"), call.integer("B")
    if b == 0:
        call.fail("'B' is 0; divide by another number")
    quotient = a // b
    if quotient < 0 and quotient * b != a:
        quotient += 1
    return fits(call, quotient), a - quotient * b


def _places(call: Call) -> int:
    places = call.integer("B")
    return places if 0 <= places < _BITS else call.fail(f"'B' is {places}; shift by 0 to {_BITS - 1}")


def _left(call: Call) -> Node:
    return call.scalar(signed(call.integer("A") << _places(call)))


def _right(call: Call) -> Node:
    """Shifts to the right; zeros come in from the left, whatever the sign."""
    return call.scalar(signed((call.integer("A") % 2**_BITS) >> _places(call)))


MACROS = (
    builtin("add A B", _binary(operator.add)),
    builtin("sub A B", _binary(operator.sub)),
    builtin("mul A B", _binary(operator.mul)),
    builtin("div A B", lambda call: call.scalar(_divided(call)[0])),
    builtin("mod A B", lambda call: call.scalar(_divided(call)[1])),
    builtin("bitwiseAnd A B", _binary(operator.and_)),
    builtin("bitwiseOr A B", _binary(operator.or_)),
    builtin("bitwiseXor A B", _binary(operator.xor)),
    builtin("bitwiseNot A", lambda call: call.scalar(~call.integer("A"))),
    builtin("bitwiseLeftShift A B", _left),
    builtin("bitwiseRightShift A B", _right),
)
