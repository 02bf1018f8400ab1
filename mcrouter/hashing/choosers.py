"""Makes each hash function from the names of the places and its options."""

import math
import zlib
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

from ..system.deferred import own
from .furc import MOST, SEED, furc_hash
from .murmur import MASK, hash64a

if TYPE_CHECKING:
    from . import ketama as rings
    from . import keys, spooky
else:
    rings, keys, spooky = own("hashing.ketama"), own("hashing.keys"), own("hashing.spooky")

Chooser = Callable[[bytes], int]
Options = Mapping[str, Any]

_WEIGHT_SEED, _WEIGHT_TRIES = 0xFACE2014, 32
_DEFAULT_WEIGHT = 0.5  # of a place without a weight in the config (facebook/mcrouter)
_KEY_SEED = 2718281828
_MUL = 0x9DDFEA08EB382D69


def ch3(names: Sequence[str], options: Options) -> Chooser:
    """Makes Ch3, facebook/mcrouter's default."""
    n = len(names)
    if n > MOST:
        raise ValueError(f"Ch3 cannot handle {n} places; use at most {MOST}")
    return lambda key: furc_hash(key, n)


def _weights(names: Sequence[str], options: Options, default: float) -> "list[float]":
    """Returns the weight of each place; the option is a list in the order of the places, or a map by name."""
    given = options.get("weights") or ()
    if isinstance(given, Mapping):
        return [float(given.get(name, default)) for name in names]
    if len(given) > len(names):
        raise ValueError(f"{len(given)} weights for {len(names)} places; give one for each")
    return [*map(float, given), *[default] * (len(names) - len(given))]


def weighted_ch3(names: Sequence[str], options: Options) -> Chooser:
    """Makes Ch3 with weights from 0 to 1: a place is accepted with the probability of its weight, else a digit is added
    to the key and Ch3 is asked again."""
    n, weights = len(names), _weights(names, options, _DEFAULT_WEIGHT)
    if not all(0 <= weight <= 1 for weight in weights):
        raise ValueError("a weight of WeightedCh3 is not from 0 to 1; write a number such as 0.5")
    limits, hash32 = [int(weight * 0xFFFFFFFF) for weight in weights], spooky.hash32

    def choose(key: bytes) -> int:
        salted, index = key, 0
        for number in range(_WEIGHT_TRIES):
            index = furc_hash(salted, n)
            if hash32(salted, _WEIGHT_SEED) < limits[index]:
                break
            salted = key + str(number)[::-1].encode()
        return index

    return choose


def crc32(names: Sequence[str], options: Options) -> Chooser:
    """Makes a hash of the lower 31 bits of the checksum, modulo the number of places."""
    n, checksum = len(names), zlib.crc32
    return lambda key: (checksum(key) & 0x7FFFFFFF) % n


def const_shard(names: Sequence[str], options: Options) -> Chooser:
    """Makes a function that sends a key `name:NN:rest` to place NN, and other keys by Ch3."""
    n, other = len(names), ch3(names, options)

    def choose(key: bytes) -> int:
        parts = key.split(b":", 2)
        if len(parts) == 3 and parts[1].isdigit() and len(parts[1]) < 20 and int(parts[1]) < n:
            return int(parts[1])
        return other(key)

    return choose


def _score(upper: int, lower: int) -> int:
    """Returns CityHash's Hash128to64."""
    a = (lower ^ upper) * _MUL & MASK
    a ^= a >> 47
    b = (upper ^ a) * _MUL & MASK
    return (b ^ b >> 47) * _MUL & MASK


def rendezvous(names: Sequence[str], options: Options) -> Chooser:
    """Makes rendezvous hashing: the place with the highest score of its name and the key is chosen.

    If a place is removed, only its own keys move.
    """
    hashes = [hash64a(name.encode(), SEED) for name in names]

    def choose(key: bytes) -> int:
        own = hash64a(key, _KEY_SEED)
        scores = [_score(one, own) for one in hashes]
        return scores.index(max(scores))

    return choose


def rendezvous_order(names: Sequence[str], key: bytes) -> "list[int]":
    """Returns all places by descending score."""
    own = hash64a(key, _KEY_SEED)
    scores = [_score(hash64a(name.encode(), SEED), own) for name in names]
    return sorted(range(len(names)), key=lambda place: -scores[place])


def weighted_rendezvous(names: Sequence[str], options: Options) -> Chooser:
    """Makes rendezvous hashing in which places get keys in proportion to their weights."""
    hashes = [hash64a(name.encode(), SEED) for name in names]
    weights = _weights(names, options, _DEFAULT_WEIGHT)

    def choose(key: bytes) -> int:
        own = hash64a(key, _KEY_SEED)
        best, found = 0.0, 0
        for place, one in enumerate(hashes):
            share = (_score(one, own) & (1 << 53) - 1) / float(1 << 53)
            score = weights[place] * (1.0 / -math.log(share)) if share else 0.0
            if score > best:
                best, found = score, place
        return found

    return choose


def _key_hash(options: Options, default: str) -> "keys.KeyHash":
    name = options.get("key_hash") or default
    known = keys.KEY_HASHES
    if name not in known:
        raise ValueError(f"unknown key_hash {name!r}; write one of {', '.join(known)}")
    return known[name]


def _whole_weights(names: Sequence[str], options: Options) -> "list[float]":
    weights = _weights(names, options, 1.0)
    if any(weight <= 0 or weight != int(weight) for weight in weights):
        raise ValueError("a weight is not a whole number above 0; write 1, 2, 3 ...")
    return weights


def ketama(names: Sequence[str], options: Options) -> Chooser:
    """Makes libmemcached's KETAMA_WEIGHTED; also twemproxy's ketama, with the hash of its config as key_hash (fnv1a_64
    by default there)."""
    ring = rings.Ring(rings.weighted_points(names, _whole_weights(names, options)))
    key_hash = _key_hash(options, "md5")
    return lambda key: ring.server(key_hash(key))


def plain_ketama(names: Sequence[str], options: Options) -> Chooser:
    """Makes libmemcached's KETAMA without weights."""
    key_hash = _key_hash(options, "one_at_a_time")
    ring = rings.Ring(rings.plain_points(names, key_hash))
    return lambda key: ring.server(key_hash(key))


def modula(names: Sequence[str], options: Options) -> Chooser:
    """Makes the modula of twemproxy and of libmemcached, whose key_hash is one_at_a_time: the key's hash modulo the
    number of servers, in which a server counts as often as its weight."""
    weights = _whole_weights(names, options)
    places = [place for place, weight in enumerate(weights) for _ in range(int(weight))]
    n, key_hash = len(places), _key_hash(options, "one_at_a_time")
    return lambda key: places[key_hash(key) % n]
