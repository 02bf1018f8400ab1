"""Whether a server answered a stream as memcached did, given what memcached itself leaves to chance.

memcached collects its answers while whole commands are in what it has read. It throws away what it has collected, but not
yet sent, where it hangs up (HTTP, a line too long, the client's end inside a data block) and where a get names a key of
more than 250 bytes. How much that is depends on how the bytes fell into its reads, so there the other one may have said
more. A line of 2049 to 16384 bytes is fine when one read has all of it, and too long else. And a second may pass between
a command that sets a time to live and one that shows it.
"""

import re

from tests.differential.harness import may_lose, normal

_LONG_KEY = re.compile(rb"(?:get|gets|gat|gats|bget) [^\n]*?[^ \n]{251}")
_LONG_KEY_ERROR = b"CLIENT_ERROR bad command line format\r\n"
_TIME = re.compile(rb"(?<= [tl])\d+(?=[ \r])")


def same(ours: bytes, memcached: bytes, data: bytes) -> bool:
    """Whether these answers to the stream `data` are the same, but for some that memcached had lost."""
    ours, memcached = (_TIME.sub(b"0", normal(answer)) for answer in (ours, memcached))
    if ours == memcached:
        return True
    middle, end = _LONG_KEY.search(data) is not None, may_lose(data)
    either = any(2048 < len(line) < 16384 for line in data.split(b"\n")[:-1])
    return (middle or end or either) and _has_all(ours, memcached, middle, end, either)


def alike(one: bytes, other: bytes, data: bytes) -> bool:
    """Whether these are the answers of two memcacheds, of which either may have lost some."""
    return same(one, other, data) or same(other, one, data)


def _has_all(more: bytes, less: bytes, middle: bool, end: bool, either: bool) -> bool:
    """Whether `less` is `more` without answers just before an error for a long key (`middle`) or at the end (`end`).

    With `either` each of them may have ended before the other.
    """
    parts = less.split(_LONG_KEY_ERROR) if middle else [less]
    errors = [match.start() for match in re.finditer(b"^" + re.escape(_LONG_KEY_ERROR), more, re.M)]
    places = {0}  # where in `more` the next part may begin
    for number, part in enumerate(parts):
        if number and either:
            return True  # the rest of `more` may be what was lost before this error, which it did not come to
        if number:
            places = {at + len(_LONG_KEY_ERROR) for at in errors if at >= min(places)}
        if either and any(part.startswith(more[at:]) for at in places):
            return True
        places = {at + len(part) for at in places if more.startswith(part, at)}
        if not places:
            return False
    return end or either or len(more) in places
