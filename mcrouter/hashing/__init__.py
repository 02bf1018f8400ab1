"""Hash functions that choose a place for each key. Each gives the same result as the original, so that the router can
take over a filled cache.

    murmur.py, spooky.py, furc.py    the parts of facebook/mcrouter's functions
    ketama.py, keys.py               libmemcached's and twemproxy's functions
    choosers.py                      makes a function of the key from names and options
    memory.py                        remembers results that take microseconds to compute
"""

from typing import Any, Callable, Dict, Mapping, NamedTuple, Sequence

from .choosers import (
    ch3,
    const_shard,
    crc32,
    ketama,
    modula,
    plain_ketama,
    rendezvous,
    weighted_ch3,
    weighted_rendezvous,
)
from .memory import Remembering

__all__ = ["HASHES", "KEY_HASH_NAMES", "Hash", "make_chooser", "routing_key"]

Chooser = Callable[[bytes], int]


class Hash(NamedTuple):
    """A hash function. `make(names, options)` returns a function from a key to its place, or raises ValueError with
    what would be right. `slow`: that function takes more than a microsecond."""

    name: str
    make: Callable[[Sequence[str], Mapping[str, Any]], Chooser]
    slow: bool


KEY_HASH_NAMES = ("md5", "one_at_a_time", "fnv1_32", "fnv1a_32", "fnv1_64", "fnv1a_64", "crc16", "crc32", "crc32a")
"""The names of the functions in keys.py."""

HASHES: Dict[str, Hash] = {
    made.name: made
    for made in (
        Hash("Ch3", ch3, True),
        Hash("WeightedCh3", weighted_ch3, True),
        Hash("Crc32", crc32, False),
        Hash("ConstShard", const_shard, True),
        Hash("Rendezvous", rendezvous, True),
        Hash("WeightedRendezvous", weighted_rendezvous, True),
        Hash("ketama", ketama, True),
        Hash("plain-ketama", plain_ketama, True),
        Hash("modula", modula, True),
    )
}
"""The hash functions by their names in a config. Those of facebook/mcrouter begin with a capital letter."""


def routing_key(key: bytes) -> bytes:
    """Returns the part of a key that is hashed: all before `|#|`, so that related keys can share a host
    (facebook/mcrouter)."""
    end = key.find(b"|#|")
    return key if end < 0 else key[:end]


def make_chooser(name: str, names: Sequence[str], options: Mapping[str, Any], salt: str = "") -> Chooser:
    """Returns the function from a key to its place among `names`; it hashes the key with `salt` appended."""
    found = HASHES[name]
    choose = found.make(names, options)
    own_salt = salt.encode()

    def place(key: bytes) -> int:
        return choose((routing_key(key) if b"|#|" in key else key) + own_salt)

    return Remembering(place).choose if found.slow else place
