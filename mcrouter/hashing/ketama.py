"""ketama: servers have points on a ring of 32 bits, and a key belongs to the next point after its hash. The points are
those of libmemcached and twemproxy.

On a weighted ring (libmemcached's KETAMA_WEIGHTED, twemproxy's ketama) a server has about 160 points, four from each
MD5; with libmemcached's plain KETAMA it has 100. The points of a server are hashes of `host:port-N`, or of `host-N` if
its port is 11211.
"""

import math
import struct
from bisect import bisect_left
from hashlib import md5
from typing import List, Sequence, Tuple

from .keys import KeyHash

_PER_SERVER, _PER_HASH, _PLAIN = 160, 4, 100
_DEFAULT_PORT = ":11211"


def _single(number: float) -> float:
    """Rounds to a C float."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


def _digest(text: str) -> bytes:
    return md5(text.encode(), usedforsecurity=False).digest()


def weighted_points(names: Sequence[str], weights: Sequence[float]) -> List[Tuple[int, int]]:
    """Returns (point, index of the server), in order."""
    total = _single(sum(weights))
    points = []
    for index, (name, weight) in enumerate(zip(names, weights)):
        share = _single(_single(weight) / total)
        scaled = _single(_single(_single(share * _PER_SERVER) / _PER_HASH * len(names)) + 0.0000000001)
        for number in range(math.floor(scaled)):
            values = struct.unpack("<4I", _digest(f"{_named(name)}-{number}"))
            points += [(value, index) for value in values]
    return sorted(points)


def plain_points(names: Sequence[str], key_hash: KeyHash) -> List[Tuple[int, int]]:
    """Returns (point, index of the server), in order; the points are hashed like keys."""
    return sorted(
        (key_hash(f"{_named(name)}-{number}".encode()), index)
        for index, name in enumerate(names)
        for number in range(_PLAIN)
    )


def _named(name: str) -> str:
    return name[: -len(_DEFAULT_PORT)] if name.endswith(_DEFAULT_PORT) else name


class Ring:
    """A ring of points: finds the server of the first point that is not smaller than a hash."""

    def __init__(self, points: Sequence[Tuple[int, int]]) -> None:
        self._values = [value for value, _ in points]
        self._servers = [index for _, index in points]
        self._servers.append(self._servers[0])

    def server(self, value: int) -> int:
        """Returns the index of the server for a hash."""
        return self._servers[bisect_left(self._values, value)]
