"""Hashes of keys that clients and twemproxy use with ketama and modula, under the same names.

They equal those of libhashkit and twemproxy (src/hashkit), also for bytes above 127, which count as negative.
"""

import binascii
import zlib
from hashlib import md5 as _md5
from typing import Callable, Dict

_32, _64 = 2**32 - 1, 2**64 - 1
_PRIME_32, _START_32 = 16777619, 2166136261
_PRIME_64, _START_64 = 0x100000001B3, 0xCBF29CE484222325

KeyHash = Callable[[bytes], int]


def md5(key: bytes) -> int:
    """Returns the first four bytes of the digest as a little-endian number."""
    return int.from_bytes(_md5(key, usedforsecurity=False).digest()[:4], "little")


def _signed(byte: int) -> int:
    return byte if byte < 128 else byte - 256


def _fnv1(prime: int, start: int, mask: int) -> KeyHash:
    def fnv1(key: bytes) -> int:
        value = start
        for byte in key:
            value = (value * prime & mask) ^ (_signed(byte) & mask)
        return value & _32

    return fnv1


def _fnv1a(prime: int, start: int) -> KeyHash:
    def fnv1a(key: bytes) -> int:
        value = start
        for byte in key:
            value = (value ^ (_signed(byte) & _32)) * prime & _32
        return value

    return fnv1a


def one_at_a_time(key: bytes) -> int:
    """Bob Jenkins' one-at-a-time hash, libmemcached's default."""
    value = 0
    for byte in key:
        value = (value + _signed(byte)) & _32
        value = (value + (value << 10)) & _32
        value ^= value >> 6
    value = (value + (value << 3)) & _32
    value ^= value >> 11
    return (value + (value << 15)) & _32


KEY_HASHES: Dict[str, KeyHash] = {
    "md5": md5,
    "one_at_a_time": one_at_a_time,
    "fnv1_32": _fnv1(_PRIME_32, _START_32, _32),
    "fnv1a_32": _fnv1a(_PRIME_32, _START_32),
    "fnv1_64": _fnv1(_PRIME_64, _START_64, _64),
    "fnv1a_64": _fnv1a(_PRIME_64 & _32, _START_64 & _32),
    "crc16": lambda key: binascii.crc_hqx(key, 0),
    "crc32": lambda key: zlib.crc32(key) >> 16 & 0x7FFF,
    "crc32a": zlib.crc32,
}
