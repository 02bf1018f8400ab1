"""How memcached reads a line: words, numbers and base64 keys, with all its leniency.

Words are cut at blanks only and end at a NUL. Numbers are C's strtol and its kin: leading white space and a sign are
fine, and whatever follows a white space byte is ignored.
"""

import base64
import re
from typing import List, Optional

KEY_MAX = 250  # bytes
WORDS_MAX = 23  # words of a line that are looked at (the keys of a get have no such limit)
U64 = 1 << 64
_U32 = 1 << 32

_NUMBER = re.compile(rb"[\t\n\v\f\r ]*([+-]?)(\d+)(?:[\t\n\v\f\r ].*)?\Z", re.S)
_ALPHABET = re.compile(rb"[^A-Za-z0-9+/=]+")


def split(line: bytes) -> List[bytes]:
    """All words of a line."""
    return [word for word in line.partition(b"\0")[0].split(b" ") if word]


def u64(word: bytes) -> Optional[int]:
    """strtoull as memcached uses it: a negative number is fine where it wraps to less than 2**63."""
    match = _NUMBER.match(word)
    if match is None or int(match[2]) >= U64:
        return None
    if match[1] != b"-":
        return int(match[2])
    wrapped = -int(match[2]) % U64
    return wrapped if wrapped < 1 << 63 else None


def u32(word: bytes) -> Optional[int]:
    """A `u64` cut to its low 32 bits."""
    number = u64(word)
    return None if number is None else number % _U32


def i32(word: bytes) -> Optional[int]:
    """strtol, cut to its low 32 bits."""
    match = _NUMBER.match(word)
    if match is None:
        return None
    number = int(match[1] + match[2])
    if not -(1 << 63) <= number < 1 << 63:
        return None
    low = number % _U32
    return low - _U32 if low >= 1 << 31 else low


def decode_key(word: bytes) -> Optional[bytes]:
    """A base64 key: foreign bytes are skipped, the first group with padding is the last one; None when it is none."""
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
