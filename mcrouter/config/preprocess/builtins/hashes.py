"""Hashes of texts and whole numbers; the same as in facebook/mcrouter, so that a config makes the same choices.

The hash of a text is SpookyHash V2 of its UTF-8, as in folly::Hash; that of a number is Thomas Wang's 64-bit mix.
"""

from typing import Union

from ....hashing.spooky import hash64
from ...errors import show
from ...syntax.tree import Node, Scalar, kind
from ..call import Call, builtin
from .numbers import signed

_MASK = 2**64 - 1
_FNV_START = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_LEAST_WEIGHT = -0.01  # a weight below it is an error; a negative weight above it counts as 0


def _hash(call: Call) -> Node:
    value = _text_or_number(call, "value")
    return call.scalar(signed(hash64(value.encode()) if isinstance(value, str) else _mixed(value)))


def _weighted_hash(call: Call) -> Node:
    """Returns the key's name: names get keys in proportion to their weights, and a new name moves few keys.

    Rendezvous hashing (lib/config/RendezvousHash.cpp): the hash of each name with the key, as a number from 0 to 1, is
    raised to the power of 1 / weight; the name with the largest result is chosen.
    """
    weights = {str(entry.key.value): _weight(call, entry.key, entry.value) for entry in call.map("dictionary").entries}
    total = sum(weights.values())
    if total <= 0:
        call.fail("the sum of the weights is 0; give at least one weight above 0")
    key = _text_or_number(call, "key")
    number = hash64(key.encode()) if isinstance(key, str) else key

    def height(name: str) -> float:
        share = weights[name] / total
        return (_mixed(_fnv(name.encode()) + number) / _MASK) ** (1 / share) if share > 1e-15 else 0.0

    return call.scalar(max(weights, key=height))


def _weight(call: Call, name: Scalar, node: Node) -> float:
    weight = node.value if isinstance(node, Scalar) else None
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not _LEAST_WEIGHT <= weight < 2**63:
        call.fail(f"the weight of {show(str(name.value))} is {kind(node)}; give a number from 0 to 1")
    return max(float(weight), 0.0)


def _text_or_number(call: Call, name: str) -> Union[str, int]:
    node = call.value(name)
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return call.wrong(name, "a text or a whole number")


def _mixed(number: int) -> int:
    """Thomas Wang's mix, folly::hash::twang_mix64."""
    n = number & _MASK
    n = (~n + (n << 21)) & _MASK
    n ^= n >> 24
    n = n * 265 & _MASK
    n ^= n >> 14
    n = n * 21 & _MASK
    n ^= n >> 28
    return (n + (n << 31)) & _MASK


def _fnv(data: bytes) -> int:
    """FNV-1 of 64 bits, as in folly::hash::fnv64_buf: bytes from 128 on count as negative numbers."""
    value = _FNV_START
    for byte in data:
        value = (value * _FNV_PRIME & _MASK) ^ (byte if byte < 128 else byte - 256) & _MASK
    return value


MACROS = (
    builtin("hash value", _hash),
    builtin("weightedHash dictionary key", _weighted_hash),
)
