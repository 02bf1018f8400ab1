"""SpookyHash V2 by Bob Jenkins (public domain; http://burtleburtle.net/bob/hash/spooky.html), the first 64 bits.

The names are those of the original: a short message is mixed in four variables, one of 192 bytes or more in twelve.
Instead of one line of code for each step there is a table of the distances by which the variables are rotated.
"""

import struct

_MASK = 2**64 - 1
_CONST = 0xDEADBEEFDEADBEEF
_LONG = 192  # bytes; a shorter message is short

_SHORT_MIX = (50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36)
_SHORT_END = (15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63)
_MIX = (11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46)
_END = (44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54)


def hash64(message: bytes, seed: int = 0) -> int:
    """Returns the hash, 0 to 2**64 - 1."""
    return _short(message, seed) if len(message) < _LONG else _long(message, seed)


def _turned(value: int, distance: int) -> int:
    """Returns the 64 bits rotated to the left."""
    return (value << distance | value >> (64 - distance)) & _MASK


def _short(message: bytes, seed: int) -> int:
    state = [seed, seed, _CONST, _CONST]
    whole = len(message) // 32 * 32
    for c, d, a, b in struct.iter_unpack("<4Q", message[:whole]):
        _add(state, 0, 0, c, d)
        _short_mix(state)
        _add(state, a, b, 0, 0)
    rest = message[whole:]
    if len(rest) >= 16:
        _add(state, 0, 0, *struct.unpack("<2Q", rest[:16]))
        _short_mix(state)
        rest = rest[16:]
    _add(state, 0, 0, 0, len(message) << 56)
    if rest:
        _add(state, 0, 0, int.from_bytes(rest[:8], "little"), int.from_bytes(rest[8:], "little"))
    else:
        _add(state, 0, 0, _CONST, _CONST)
    for step, distance in enumerate(_SHORT_END):
        before, at = (step + 2) % 4, (step + 3) % 4
        state[at] ^= state[before]
        state[before] = _turned(state[before], distance)
        state[at] = (state[at] + state[before]) & _MASK
    return state[0]


def _add(state: list[int], *words: int) -> None:
    state[:] = [(variable + word) & _MASK for variable, word in zip(state, words)]


def _short_mix(state: list[int]) -> None:
    for step, distance in enumerate(_SHORT_MIX):
        at, after, last = (step + 2) % 4, (step + 3) % 4, step % 4
        state[at] = (_turned(state[at], distance) + state[after]) & _MASK
        state[last] ^= state[at]


def _long(message: bytes, seed: int) -> int:
    state = [seed, seed, _CONST] * 4
    whole = len(message) // 96 * 96
    for words in struct.iter_unpack("<12Q", message[:whole]):
        for i, distance in enumerate(_MIX):
            state[i] = (state[i] + words[i]) & _MASK
            state[(i + 2) % 12] ^= state[(i + 10) % 12]
            state[i - 1] ^= state[i]
            state[i] = _turned(state[i], distance)
            state[i - 1] = (state[i - 1] + state[(i + 1) % 12]) & _MASK
    rest = message[whole:]
    _add(state, *struct.unpack("<12Q", rest.ljust(95, b"\0") + bytes([len(rest)])))
    for i, distance in enumerate(_END * 3):
        before, at, after = (i + 11) % 12, (i + 1) % 12, (i + 2) % 12
        state[before] = (state[before] + state[at]) & _MASK
        state[after] ^= state[before]
        state[at] = _turned(state[at], distance)
    return state[0]


def hash32(message: bytes, seed: int = 0) -> int:
    """Returns the lower 32 bits of the hash."""
    return hash64(message, seed) & 0xFFFFFFFF
