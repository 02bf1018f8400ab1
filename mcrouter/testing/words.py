"""Reads the words, numbers and base64 keys of a line as tolerantly as memcached does.

Words are separated by blanks only; a NUL ends the line. Numbers are read as by C's strtol: leading white space and a
sign are allowed, and everything after a white space byte is ignored.
"""

import base64
import re
from typing import List, Optional

KEY_MAX = 250  # bytes
WORDS_MAX = 23  # words of a line that are read (the keys of a get have no such limit)
U64 = 1 << 64
_U32 = 1 << 32

_NUMBER = re.compile(rb"[\t\n\v\f\r ]*([+-]?)(\d+)(?:[\t\n\v\f\r ].*)?\Z", re.S)
_ALPHABET = re.compile(rb"[^A-Za-z0-9+/=]+")


def split(line: bytes) -> List[bytes]:
    """Returns all words of a line."""
    return [word for word in line.partition(b"\0")[0].split(b" ") if word]


def u64(word: bytes) -> Optional[int]:
    """Reads a number like strtoull in memcached: a negative number is allowed if it wraps to less than 2**63."""
    match = _NUMBER.match(word)
    if match is None or int(match[2]) >= U64:
        return None
    if match[1] != b"-":
        return int(match[2])
    wrapped = -int(match[2]) % U64
    return wrapped if wrapped < 1 << 63 else None


def u32(word: bytes) -> Optional[int]:
    """Reads a `u64`, and returns its low 32 bits."""
    number = u64(word)
    return None if number is None else number % _U32


def i32(word: bytes) -> Optional[int]:
    """Reads a number like strtol, and returns its low 32 bits."""
    match = _NUMBER.match(word)
    if match is None:
        return None
    number = int(match[1] + match[2])
    if not -(1 << 63) <= number < 1 << 63:
        return None
    low = number % _U32
    return low - _U32 if low >= 1 << 31 else low


def decode_key(word: bytes) -> Optional[bytes]:
    """Decodes a base64 key; None if it is invalid. Foreign bytes are skipped; the first group with padding ends it."""
    text = _ALPHABET.sub(b"", word)
    if not text or len(text) % 4:
        return None
    end = text.find(b"=")
    if end >= 0:
        text = text[: end // 4 * 4 + 4]
    padding = text.count(b"=")
    if padding > 2:
        return None
    plain = base64.b64decode(text.replace(b"=", b"A"))
    return plain[: len(plain) - padding] or None
