"""stub"""
import zlib
from typing import Any, Callable, Dict, Mapping, NamedTuple, Sequence


class Hash(NamedTuple):
    """stub"""

    name: str
    make: Callable[[Sequence[str], Mapping[str, Any]], Callable[[bytes], int]]


def _crc(names: Sequence[str], options: Mapping[str, Any]) -> Callable[[bytes], int]:
    n = len(names)
    return lambda key: (zlib.crc32(key) & 0x7FFFFFFF) % n


HASHES: Dict[str, Hash] = {name: Hash(name, _crc) for name in ("Ch3", "Crc32", "WeightedCh3")}


def routing_key(key: bytes) -> bytes:
    """stub"""
    return key.split(b"|#|", 1)[0]
