"""Shuffles by a seed, with the result of std::shuffle and std::minstd_rand of GNU's C++ library.

facebook/mcrouter uses these, so a config that is moved from there keeps the order of its hosts.
"""

from collections.abc import Sequence
from typing import TypeVar

_MULTIPLIER = 48271
_MODULUS = 2**31 - 1
_VALUES = _MODULUS - 2  # the largest difference of two numbers from the generator

Item = TypeVar("Item")


class _Draw:
    """std::minstd_rand, and std::uniform_int_distribution over it."""

    def __init__(self, seed: int) -> None:
        self._state = seed % 2**32 % _MODULUS or 1

    def below(self, count: int) -> int:
        """Returns a random number from 0 to count - 1."""
        scale = _VALUES // count
        while True:
            self._state = self._state * _MULTIPLIER % _MODULUS
            if self._state - 1 < scale * count:
                return (self._state - 1) // scale


def shuffled(items: Sequence[Item], seed: int) -> list[Item]:
    """Returns the items in the order that the seed gives."""
    made, draw, size = list(items), _Draw(seed), len(items)

    def swap(first: int, second: int) -> None:
        made[first], made[second] = made[second], made[first]

    if size and _VALUES // size < size:  # one random number is too small to choose two places
        for at in range(1, size):
            swap(at, draw.below(at + 1))
        return made
    if size and size % 2 == 0:
        swap(1, draw.below(2))
    for at in range(2 if size % 2 == 0 else 1, size, 2):
        first, second = divmod(draw.below((at + 1) * (at + 2)), at + 2)
        swap(at, first)
        swap(at + 1, second)
    return made
