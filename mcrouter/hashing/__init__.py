"""Hash functions that place keys, each equal to its origin's, so that a cache can be taken over as it is.

    murmur.py, spooky.py, furc.py    what facebook/mcrouter's are made of
    ketama.py, keys.py               libmemcached's and twemproxy's
    choosers.py                      from names and options to a function of the key
    memory.py                        remembers what costs microseconds to find out
"""

from typing import Any, Callable, Dict, Mapping, NamedTuple, Sequence

from . import choosers
from .memory import Remembering

__all__ = ["HASHES", "Hash", "make_pick", "routing_key"]

Pick = Callable[[bytes], int]


class Hash(NamedTuple):
    """A hash function: `make(names, options)` gives what places keys, or raises ValueError with what would be right.
    `slow`: it takes more than a microsecond."""

    name: str
    make: Callable[[Sequence[str], Mapping[str, Any]], Pick]
    slow: bool


HASHES: Dict[str, Hash] = {
    made.name: made
    for made in (
        Hash("Ch3", choosers.ch3, True),
        Hash("WeightedCh3", choosers.weighted_ch3, True),
        Hash("Crc32", choosers.crc32, False),
        Hash("ConstShard", choosers.const_shard, True),
        Hash("Rendezvous", choosers.rendezvous, True),
        Hash("WeightedRendezvous", choosers.weighted_rendezvous, True),
        Hash("ketama", choosers.ketama, True),
        Hash("plain-ketama", choosers.plain_ketama, True),
        Hash("modula", choosers.modula, True),
    )
}
"""By the name that a config gives them: facebook/mcrouter's with a capital letter, others' as they call them."""


def routing_key(key: bytes) -> bytes:
    """What of a key is hashed: all before `|#|`, so that related keys can share a host (facebook/mcrouter)."""
    end = key.find(b"|#|")
    return key if end < 0 else key[:end]


def make_pick(name: str, names: Sequence[str], options: Mapping[str, Any], salt: str = "") -> Pick:
    """The function from a key to its place among `names`. The `salt` is appended to what is hashed."""
    found = HASHES[name]
    pick = found.make(names, options)
    own_salt = salt.encode()

    def place(key: bytes) -> int:
        return pick((routing_key(key) if b"|#|" in key else key) + own_salt)

    return Remembering(place).pick if found.slow else place
