"""Numbers in clients' lines, as memcached 1.6.18 reads them (C's strtol and strtoull, its safe_strto* around them).

Later versions (1.6.45) take plain digits alone, so a number is never sent on as it came, but as what it was read as.
"""

import re
from typing import Optional

_NUMBER = re.compile(rb"[\t\v\f\r]*([+-]?)(\d+)(?:[\t\v\f\r].*)?", re.S).fullmatch


def number(token: bytes, low: int, high: int) -> Optional[int]:
    """A number in these bounds; None where memcached refuses the token."""
    match = _NUMBER(token)
    value = int(match[1] + (match[2].lstrip(b"0")[:30] or b"0")) if match else None  # int() refuses thousands
    return value if value is not None and low <= value <= high else None


def signed(token: bytes) -> Optional[int]:
    """strtol into an int32: what does not fit wraps, as in C."""
    value = number(token, -(2**63), 2**63 - 1)
    return None if value is None else (value + 2**31) % 2**32 - 2**31


def unsigned(token: bytes) -> Optional[int]:
    """strtoull: a minus wraps, as in C, and is refused only where the result would be negative as a signed number."""
    value = number(token, 1 - 2**64, 2**64 - 1)
    if value is None or value >= 0:
        return value
    wrapped = value + 2**64
    return wrapped if wrapped < 2**63 else None


def client_flags(token: bytes) -> Optional[int]:
    """The flags of a value: 32 bits. 1.6.18 cuts a longer number to that, 1.6.45 refuses it, and so does the router."""
    value = unsigned(token)
    return value if value is not None and value < 2**32 else None
