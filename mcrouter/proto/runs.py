"""Runs: one match walks a whole stretch of pipelined gets and equal-sized sets, or of their replies.

A run of 64 small commands is found by two C-level passes: `match` proves that the stretch is well formed from end to
end, `words` names what is in it. Together they cost 0.25 µs a command, a single match and its Python code 0.9.
The patterns are specialised to the value's length (`.{100}` is a jump, not a scan), so they are made only for lengths
that keep coming back (compiling one costs as much as a thousand matches) and kept in a small cache.
"""

import re
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from .commands import INQUIRING

# What a key may hold on the fast way; other bytes that memcached takes in a key go the slow way.
KEY = rb"[!-~\x80-\xff]{1,250}"  # as ranges: a third quicker than as what is not in it
GET_KEY = rb"(?!%b)%b" % (re.escape(INQUIRING), KEY)  # the first key of a get that is for a host
MAX_RUN = 64  # commands; longer runs amortise nothing more and hold replies back
_SEEN_OFTEN = 32  # a length is worth a pattern after so many appearances
_MAX_PATTERNS = 64
_MAX_LENGTHS = 1024
_RENEW_AFTER = 1 << 17  # lengths without a pattern, seen while there was no room for more

Match = Callable[..., Optional["re.Match[bytes]"]]
Words = Callable[..., List[bytes]]


class RunPattern:
    """What one value length needs: `match(most)` spans 1 to `most` items (a power of two up to MAX_RUN), and
    `words(data, at, end)` lists a word for each item in such a span."""

    __slots__ = ("_item", "_matches", "words")

    def __init__(self, item: bytes, words: Words) -> None:
        self._item = item
        self._matches: Dict[int, Match] = {}
        self.words = words

    def match(self, most: int) -> Match:
        """The pattern for at most the largest power of two that `most` holds, so that seven patterns do for all."""
        power = 1 << (most.bit_length() - 1)
        found = self._matches.get(power)
        if found is None:
            found = self._matches[power] = re.compile(rb"(?:%b){1,%d}" % (self._item, power)).match
        return found


class ReplyStretch(RunPattern):
    """Replies to runs, and, by `singles(data, at)`, those to lone gets and sets of any number of clients: a list of
    (reply, key or b"") without gaps; a pair of empty strings ends it where `data` has something else."""

    __slots__ = ("singles",)

    def __init__(self, item: bytes, words: bytes, value: bytes = b"") -> None:
        super().__init__(item, re.compile(words).findall)
        hit = b"VALUE (%b)%b|" % (KEY, value) if value else b"()"
        # The last branch swallows all the rest, so that nothing is skipped unseen.
        self.singles: Callable[..., List[Any]] = re.compile(b"((?:%bSTORED|END|NOT_STORED)\r\n)|(?s:.+)" % hit).findall


class PatternCache:
    """A bounded cache of stretches by value length, each made only once its length has come back often."""

    def __init__(self, make: Callable[[int], RunPattern]) -> None:
        self._make = make
        self._made: Dict[int, RunPattern] = {}
        self._seen: Dict[int, int] = {}
        self._late = 0  # lengths that were too late to get a pattern

    def get(self, size: int) -> Optional[RunPattern]:
        """The stretch for this length, None while it is not worth one."""
        made = self._made.get(size)
        if made is not None:
            return made
        if len(self._made) >= _MAX_PATTERNS:
            self._renew()
            return None
        seen = self._seen.get(size, 0) + 1
        if seen < _SEEN_OFTEN:
            if len(self._seen) >= _MAX_LENGTHS:
                self._seen.clear()
            self._seen[size] = seen
            return None
        made = self._made[size] = self._make(size)
        return made

    def _renew(self) -> None:
        """Full: starts over at times, for lengths change; not often, for then all it does is to compile."""
        self._late += 1
        if self._late >= _RENEW_AFTER:
            self._late = 0
            self._made.clear()
            self._seen.clear()


_GET = rb"get %b\r\n" % GET_KEY
_STORE_TAIL = rb" \d{1,9} -?\d{1,9} %d\r\n(?s:.{%d})\r\n"


def _sets(size: int) -> RunPattern:
    item = rb"set %b%b" % (KEY, _STORE_TAIL % (size, size))
    return RunPattern(item, re.compile(b"(set )" + item[4:]).findall)


def _gets_and_sets(size: int) -> RunPattern:
    tail = _STORE_TAIL % (size, size)
    item = rb"%b|set %b%b" % (_GET, KEY, tail)
    return RunPattern(item, re.compile(rb"(?:get )?((?<=get )%b|set )(?:%b%b|\r\n)" % (KEY, KEY, tail)).findall)


def _keys_of_gets(data: bytes, at: int, end: int) -> List[bytes]:
    """The keys of a stretch of gets: what stands between. A third of what finding each by a pattern costs."""
    return data[at + len(b"get ") : end - len(b"\r\n")].split(b"\r\nget ")


GETS = RunPattern(_GET, _keys_of_gets)


class RequestPatterns(NamedTuple):
    """The caches by what may share a run: sets alone, or gets and sets that take the same way."""

    sets: PatternCache
    both: PatternCache


def _replies(size: int) -> ReplyStretch:
    value = rb" \d{1,10} %d\r\n(?s:.{%d})\r\nEND" % (size, size)
    item = rb"VALUE %b%b\r\n|(?:STORED|END|NOT_STORED)\r\n" % (KEY, value)
    return ReplyStretch(item, rb"(?:VALUE )?(%b\r?)(?:%b\r)?\n" % (KEY, value), value)


# A line's word keeps its CR, so that `END` is not taken for the key END.
LINES = ReplyStretch(rb"(?:STORED|END|NOT_STORED)\r\n", rb"((?:STORED|END|NOT_STORED)\r)\n")


def request_patterns() -> RequestPatterns:
    """Fresh caches for one poll group's clients."""
    return RequestPatterns(PatternCache(_sets), PatternCache(_gets_and_sets))


def reply_patterns() -> PatternCache:
    """A fresh cache for one poll group's hosts: whole replies to a run."""
    return PatternCache(_replies)
