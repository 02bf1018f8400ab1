"""What the origins make of 10,000 keys: facebook/mcrouter's C functions (lib/fbi/hash.c, lib/RendezvousHashFunc.cpp,
lib/WeightedCh3HashFunc.cpp, lib/WeightedRendezvousHashFunc.cpp) and libmemcached 1.1 (memcached_generate_hash, with
each distribution and hash), compiled and asked.

Each row: function, number of servers, options, the digest of all places, the first eight of them.
"""

import hashlib
from typing import List


def keys() -> List[bytes]:
    """The keys: of 1 to 32 letters, every third with a number between colons."""
    made = []
    for i in range(10_000):
        name = hashlib.md5(b"%d" % i).hexdigest()[: 1 + i % 32].encode()
        made.append(name + (b":%d:x" % (i % 7) if i % 3 == 0 else b""))
    return made


def names(function: str, count: int) -> List[str]:
    """The servers; every other one has memcached's own port, which ketama leaves out."""
    if "Rendezvous" in function:
        return [f"10.0.0.{i + 1}:11211" for i in range(count)]
    if count > 1000:
        return [""] * count
    return [f"10.0.0.{i + 1}:{11211 if i % 2 else 11300 + i}" for i in range(count)]


def digest(places: List[int]) -> str:
    """Of the places of all keys."""
    return hashlib.sha256(" ".join(map(str, places)).encode()).hexdigest()[:32]


VECTORS = [
    ("Ch3", 2, {}, "bbf44053f46b91d8d443bae237056358", [1, 0, 1, 1, 1, 1, 1, 1]),
    ("Ch3", 3, {}, "a1a3ceb94e5c5500d56771f903bfd65a", [1, 0, 1, 2, 2, 1, 1, 1]),
    ("Ch3", 10, {}, "98715b79e6f5d6a43f7e4841104f8bef", [3, 5, 6, 5, 2, 8, 1, 3]),
    ("Ch3", 100, {}, "546f186a930ba5738f80f7203da64f5d", [18, 66, 44, 65, 45, 78, 1, 86]),
    ("Ch3", 1000, {}, "c97e299c591d3c33f1b5e1e17b8a7976", [994, 897, 566, 883, 904, 296, 668, 367]),
    ("Ch3", 8388608, {}, "b44e963f060b2c0278e2237af82e7c8f", [5380319, 5989860, 7169558, 3131698, 7313133, 2492016, 868593, 6210998]),
    ("Rendezvous", 2, {}, "3bd076055785ea41db80ebef7604ba55", [0, 0, 0, 1, 0, 0, 0, 0]),
    ("Rendezvous", 3, {}, "d81124e876f6ca4f3236ecbed704e549", [0, 0, 2, 1, 2, 0, 0, 0]),
    ("Rendezvous", 10, {}, "dc2412ec315ee2df0845038ab75eaf22", [8, 8, 2, 9, 7, 0, 7, 4]),
    ("Rendezvous", 100, {}, "c16d13f54ee96dd9752c110c42fa5d6f", [24, 61, 27, 14, 38, 91, 21, 4]),
    ("ketama", 3, {}, "bad475db959ed983c9eb3a5dc755b06e", [0, 2, 1, 0, 0, 2, 2, 0]),
    ("ketama", 3, {"weights": [1, 2, 3]}, "89ae644687473e93da332cd3af7f7be6", [0, 2, 1, 1, 1, 2, 2, 0]),
    ("plain-ketama", 3, {}, "74440afb4cff4591b92efc76f49f21ea", [2, 2, 1, 0, 1, 2, 0, 1]),
    ("ketama", 10, {}, "4fc2c30213121ab404ae52a0388ae9f9", [0, 9, 8, 6, 0, 2, 2, 0]),
    ("ketama", 10, {"weights": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}, "8da1d16f7afee1c74856a054de7f4b7e", [9, 9, 8, 5, 8, 2, 8, 7]),
    ("plain-ketama", 10, {}, "62f69c077a768f192c371332f242ec56", [6, 6, 8, 4, 1, 3, 9, 4]),
    ("modula", 10, {"key_hash": "one_at_a_time"}, "68e15c969e7d253c176e69aa9d76de1d", [4, 7, 4, 0, 7, 2, 8, 7]),
    ("ketama", 10, {"key_hash": "one_at_a_time"}, "146f55d2ee7b91dab1c4cc8a118a24ea", [2, 1, 8, 8, 2, 7, 1, 9]),
    ("modula", 10, {"key_hash": "md5"}, "ac1037daf99d9c7e6a6f42f84d96aea6", [9, 1, 2, 8, 0, 0, 2, 4]),
    ("ketama", 10, {"key_hash": "md5"}, "4fc2c30213121ab404ae52a0388ae9f9", [0, 9, 8, 6, 0, 2, 2, 0]),
    ("modula", 10, {"key_hash": "crc32"}, "854e14755a56c92b759cbc5b8581aef5", [6, 5, 5, 5, 1, 8, 2, 5]),
    ("ketama", 10, {"key_hash": "crc32"}, "f0b6ca9d611f3d294ce5051709b7765d", [0, 0, 0, 0, 0, 0, 0, 0]),
    ("modula", 10, {"key_hash": "fnv1_64"}, "81411142028cb49a52a616199b83e6f1", [4, 6, 3, 7, 9, 8, 8, 6]),
    ("ketama", 10, {"key_hash": "fnv1_64"}, "c62805a3351ebc3739e34b9d653a065a", [7, 1, 4, 1, 2, 1, 7, 1]),
    ("modula", 10, {"key_hash": "fnv1a_64"}, "68752c6dd0c2f7445815c6c20cbd8b48", [8, 8, 7, 1, 7, 6, 6, 0]),
    ("ketama", 10, {"key_hash": "fnv1a_64"}, "d1d1a407063f01d1bab9f3b3786c83f0", [5, 0, 6, 9, 2, 3, 3, 0]),
    ("modula", 10, {"key_hash": "fnv1_32"}, "5e701be0f08f61199634ec6e84eb8ff6", [4, 6, 3, 9, 5, 8, 4, 8]),
    ("ketama", 10, {"key_hash": "fnv1_32"}, "03ea1b7e3933525e9a3d9626e1c7f4f2", [8, 5, 9, 6, 8, 8, 7, 4]),
    ("modula", 10, {"key_hash": "fnv1a_32"}, "5463a5fc90c4919ad9c466e18a477a00", [6, 4, 9, 9, 5, 0, 0, 2]),
    ("ketama", 10, {"key_hash": "fnv1a_32"}, "3e3eceaa39864a51c3bc62651f7c61cc", [2, 9, 2, 6, 0, 7, 2, 5]),
    ("WeightedCh3", 3, {"weights": [0.1, 0.5, 1.0]}, "2cf6ef540081d5f641e70ca68e6da0e9", [1, 2, 1, 2, 2, 1, 1, 1]),
    ("WeightedCh3", 10, {"weights": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]}, "e91653139a5cd3cb7dc796f60f880875", [3, 5, 6, 5, 9, 8, 1, 9]),
    ("WeightedRendezvous", 5, {"weights": {"10.0.0.1:11211": 0.2, "10.0.0.2:11211": 0.4, "10.0.0.3:11211": 0.6, "10.0.0.4:11211": 0.8, "10.0.0.5:11211": 1.0}}, "031bb29683acac4c9c70f76ec04247e6", [3, 0, 2, 0, 3, 2, 4, 4]),
]  # fmt: skip
