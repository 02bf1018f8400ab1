"""Values that say what they are, so that an old, foreign or torn one is recognised.

A text is pieces, one for the set that began it and one for each append. A number tells the same in digits, for incr
must leave it a number.
"""

import re
from typing import List, Optional

_HEAD = re.compile(rb"([^ ]+) ([0-9]+) ([0-9]+):")
_SEQUENCES, _COUNTS = 10**7, 10**4  # sequences of a key, incrs between two sets


def piece(key: bytes, sequence: int, size: int) -> bytes:
    """A piece of a text: what it is, and `size` bytes more of which each belongs to this sequence number."""
    mark = b"%d." % sequence
    return b"%b %d %d:%b;" % (key, sequence, size, (mark * (size // len(mark) + 1))[:size])


def pieces(key: bytes, data: bytes) -> Optional[List[int]]:
    """The sequence numbers of a text's pieces; None where it is not whole, or another key's."""
    found: List[int] = []
    at = 0
    while at < len(data):
        head = _HEAD.match(data, at)
        if head is None or head[1] != key:
            return None
        whole = piece(key, int(head[2]), int(head[3]))
        if not data.startswith(whole, at):
            return None
        found.append(int(head[2]))
        at += len(whole)
    return found or None


def number(ident: int, sequence: int) -> bytes:
    """The number that a set of this sequence number stores; incr counts on from it."""
    return b"%d" % (((ident + 1) * _SEQUENCES + sequence) * _COUNTS)


def number_sequence(ident: int, data: bytes) -> Optional[int]:
    """The sequence number of the set that a number comes from; None where it is none, or another key's."""
    if not data.isdigit():
        return None
    owner, sequence = divmod(int(data) // _COUNTS, _SEQUENCES)
    return sequence if owner == ident + 1 else None
