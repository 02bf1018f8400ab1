"""Host bytes to replies: finds where the reply to a request ends and what its outcome is, without rebuilding a byte.

    cutter.cut(data, at, request) -> how far the bytes are verified; `cutter.done` says whether the reply ends there

A reply may come in any number of reads: what was verified is not looked at again (`cut` goes on where it stopped), so
the cost is linear in the bytes. A reply that the request cannot have is a ProtocolError (replies.py). Only the host's
stream (stream.py) may ask it: it knows whether `data` goes on with a reply or begins one.
"""

import re
from itertools import accumulate
from typing import Any, List, Tuple

from .. import outcomes as o
from ..commands import BY_NAME, COMMANDS, META_VALUE, VALUES
from ..replies import VALUE_LINE, ProtocolError, check_names, error_outcome, line_outcome, value_header
from ..request import GET, SET, Request
from ..runs import LINES as LINES_STRETCH
from ..runs import PatternCache

_PASSING = 16384  # bytes; a value of so much that is not all there passes as it comes
_LINE_MAX = 8192  # a longer line without an end is no reply
_AT_ONCE = 1024  # keys of a get that are looked for in one read
_SHAPES = tuple(command.reply for command in COMMANDS)
_MG = BY_NAME["mg"].number
_GETS = bytes([GET])
# The commands of a run to its outcomes, if every get hits and every set is stored.
_AS_HIT = bytes(o.VALUE[0] if kind == GET else o.STORED[0] for kind in range(256))
_BLOCK_END, _GET_END = b"\r\n", b"\r\nEND\r\n"
_CUT = b" \n"  # in no key and no header
_NEXT_BLOCK, _NEXT_GET = re.compile(_BLOCK_END + VALUE_LINE).match, re.compile(_GET_END + VALUE_LINE).match
_VA = re.compile(rb"VA (\d{1,10})(?: [^\r\n]*)?\r\n").match


def value_ahead(data: bytes, request: Request) -> Tuple[int, bytes]:
    """(length of all that comes before the last bytes of the reply, those bytes), when `data` begins the reply to a
    request for one key and has a value; else (0, b""). Raises ProtocolError for a value of another key."""
    if _SHAPES[request.commands[0]] is VALUES:
        match = value_header(data)
        if match is None:
            return 0, b""
        if match[1] != request.keys()[0]:
            raise ProtocolError(f"a value of {match[1]!r} in answer to {request.keys()[:1]}")
        return match.end() + int(match[2]), _GET_END
    match = _VA(data) if _SHAPES[request.commands[0]] is META_VALUE else None
    if match is None:
        return 0, b""
    check_names(match[0], request)
    return match.end() + int(match[1]), _BLOCK_END


class ReplyCutter:
    """Cuts one connection's stream into replies.

    After `cut`: `done` says whether the reply ended; if so `outcomes` has a byte a command, `values` and `misses`
    say how many keys its gets found and did not; if not, `need` is the length that `data` must at least have before
    another `cut` gets further. A large value is not waited for: it is verified as it comes, and `left` is how
    many bytes of it are yet to come. `singles`, while it is worth a try, is the fast path for whole replies to single
    gets and sets (runs.ReplyStretch).
    """

    __slots__ = (
        "_even",
        "_found",
        "_got",
        "_made",
        "_pattern",
        "_replies",
        "_size",
        "done",
        "left",
        "misses",
        "need",
        "outcomes",
        "singles",
        "values",
    )

    def __init__(self, patterns: PatternCache) -> None:
        self._replies = patterns
        self._pattern = LINES_STRETCH
        self.singles: Any = LINES_STRETCH.singles
        self._got = b""  # outcomes of the run's commands that are through
        self._found: List[bytes] = []  # keys that the unfinished get has found so far
        self._made = -1  # the size that `_stretch` is for
        self._size = -1  # of the last value to a get of one key
        self._even = True  # whether the one before it was of that size too
        self.left = 0  # bytes of a value that are yet to pass
        self.done = False
        self.need = 0
        self.outcomes = b""
        self.values = self.misses = 0

    def cut(self, data: bytes, at: int, request: Request) -> int:
        """How far `data` from `at` is verified as (part of) the reply to `request`; raises ProtocolError."""
        commands = request.commands
        if self.left:
            passed = min(self.left, len(data) - at)
            passed -= self.left - passed == 1  # its end is looked at as a whole
            self.left -= passed
            at += passed
            if not self.left and data[at - 2 : at] != b"\r\n":
                raise ProtocolError(f"a value does not end where its length says: {data[at - 8 : at]!r}")
            self.done = not self.left and _SHAPES[commands[0]] is META_VALUE
            if self.done or self.left or at == len(data):
                self.need, self.outcomes = at + self.left if self.left == len(_BLOCK_END) else 0, o.VALUE
                return at
        if len(commands) > 1:
            return self._run(data, at, request)
        if not self._found:
            self.values = self.misses = 0
        shape = _SHAPES[commands[0]]
        if shape is VALUES:
            at, outcome = self._values(data, at, request.keys())
        else:
            at, outcome = self._line(data, at, commands[0], request)
        self.outcomes = outcome
        self.done = outcome != b""
        return at

    def _run(self, data: bytes, at: int, request: Request) -> int:
        commands, expected, got = request.commands, request.expected, self._got
        assert expected is not None
        if not got and not self._found:
            self.values = self.misses = 0
        while len(got) < len(commands):
            kind = commands[len(got)]
            if not self._found and (self._even or kind != GET):
                match = self._pattern.match(len(commands) - len(got))(data, at)
                if match:
                    named = self._pattern.words(data, at, match.end())
                    got += self._named(named, commands[len(got) :], expected[len(got) :])
                    at = match.end()
                    continue
            if kind == GET:
                at, outcome = self._value(data, at, expected[len(got)])
            else:
                at, outcome = self._line(data, at, kind, request)
            if not outcome:
                self._got, self.done = got, False
                return at
            got += outcome
            if outcome == o.VALUE and not self._even and commands.startswith(_GETS, len(got)):
                ahead = commands[len(got) :]
                named, at = _hits(data, at, len(ahead) - len(ahead.lstrip(_GETS)), _GET_END)
                got += self._named(named, ahead, expected[len(got) :])
        self._got, self.outcomes, self.done = b"", got, True
        return at

    def _value(self, data: bytes, at: int, key: bytes) -> Tuple[int, bytes]:
        """The reply to a get of one key; a hit that is all there takes a short way."""
        match = None if self._found else value_header(data, at)
        if match and match[1] == key:
            size = int(match[2])
            end = match.end() + size
            if data.startswith(_GET_END, end):
                self.values += 1
                self._one_size(size)
                return end + len(_GET_END), o.VALUE
        return self._values(data, at, [key])

    def _named(self, named: List[bytes], commands: bytes, expected: List[bytes]) -> bytes:
        """The outcomes of a stretch of a run's replies, by what each of them names."""
        count = len(named)
        if named == expected[:count]:
            outcomes = commands[:count].translate(_AS_HIT)
        else:
            outcomes = b"".join(map(_named_outcome, named, commands, expected))
            self.misses += outcomes.count(o.MISS)
        self.values += outcomes.count(o.VALUE)
        return outcomes

    def _values(self, data: bytes, at: int, keys: List[bytes]) -> Tuple[int, bytes]:
        """VALUE blocks up to END: (verified up to, outcome), the outcome empty while more is to come."""
        found = self._found
        if len(keys) > 1:
            awaited = keys[len(found) : len(found) + _AT_ONCE]
            count, at = _alike(data, at, awaited)
            found += awaited[:count]
            if not data.startswith(b"END", at):
                named, at = _hits(data, at, len(keys) - len(found), _BLOCK_END)
                found += named
        while True:
            if data.startswith(b"END\r\n", at):
                if found:
                    return at + 5, self._hit(found, keys)
                self.misses += len(keys)
                return at + 5, o.MISS
            match = value_header(data, at)
            if match is None and len(found) <= len(keys):
                return self._no_value(data, at, keys)
            if match is None or (found and len(found) >= len(keys)):
                raise ProtocolError(f"more values than keys: {data[at : at + 60]!r} in answer to {keys[:3]}")
            size = int(match[2])
            end = match.end() + size + 2
            if end > len(data):
                if end - at < _PASSING:
                    self.need = end
                    return at, b""
                self.left, self.need = max(end - len(data), len(_BLOCK_END)), 0
                found.append(match[1])
                return end - self.left, b""
            if data[end - 2 : end] != b"\r\n":
                raise ProtocolError(f"a value of {size} bytes does not end there: {data[end - 8 : end]!r}")
            found.append(match[1])
            at = end
            if len(keys) == 1:
                self._one_size(size)

    def _one_size(self, size: int) -> None:
        """Prepares for more values of this size."""
        self._even, self._size = size == self._size, size
        if self._made != size:
            stretch: Any = self._replies.get(size)
            if stretch is None:
                self.singles = None
                return
            self._pattern, self._made = stretch, size
        self.singles = self._pattern.singles if self._even else None

    def _hit(self, found: List[bytes], keys: List[bytes]) -> bytes:
        self.values += len(found)
        self._found = []
        if found == keys:
            return o.VALUE
        self.misses += len(keys) - len(found)
        asked = iter(keys)
        if not all(key in asked for key in found):
            raise ProtocolError(f"values of {found[:3]} in answer to {keys[:3]}")
        return o.PARTIAL

    def _no_value(self, data: bytes, at: int, keys: List[bytes]) -> Tuple[int, bytes]:
        """Neither a whole VALUE line nor END: an error line, or the start of something that is not all there."""
        end = data.find(b"\n", at) + 1
        if not end:
            return self._unfinished(data, at)
        outcome = error_outcome(data[at:end])
        if not outcome or len(self._found) >= len(keys):
            raise ProtocolError(f"not a reply to a get: {data[at : min(end, at + 60)]!r}")
        self._found = []
        return end, outcome

    def _unfinished(self, data: bytes, at: int) -> Tuple[int, bytes]:
        if len(data) - at > _LINE_MAX:
            raise ProtocolError(f"a line without an end: {data[at : at + 60]!r}")
        self.need = 0
        return at, b""

    def _line(self, data: bytes, at: int, kind: int, request: Request) -> Tuple[int, bytes]:
        """A reply that is one line, VA with its data, or the lines of `stats`."""
        while True:
            end = data.find(b"\n", at) + 1
            if not end:
                return self._unfinished(data, at)
            line = data[at:end]
            if _SHAPES[kind] is META_VALUE and line.startswith(b"VA "):
                check_names(line, request)
                return self._meta_value(data, at, end, kind)
            outcome = line_outcome(line, kind, request)
            if outcome:
                if kind == _MG:
                    self.values, self.misses = int(outcome == o.HEADER), int(outcome == o.MISS)
                return end, outcome
            at = end  # one of many lines

    def _meta_value(self, data: bytes, at: int, end: int, kind: int) -> Tuple[int, bytes]:
        match = _VA(data, at)
        if match is None:
            raise ProtocolError(f"not a meta value: {data[at : min(end, at + 60)]!r}")
        end += int(match[1]) + 2
        self.values = int(kind == _MG)
        if end > len(data) and end - at >= _PASSING:
            self.left, self.need = max(end - len(data), len(_BLOCK_END)), 0
            return end - self.left, b""
        if end > len(data):
            self.need = end
            return at, b""
        if data[end - 2 : end] != b"\r\n":
            raise ProtocolError("a meta value does not end where its length says")
        return end, o.VALUE


def _alike(data: bytes, at: int, keys: List[bytes]) -> Tuple[int, int]:
    """Returns how many of these keys have VALUE blocks from `at` on, each whole, under the same flags and of one size;
    and where those end.

    Then every header is known, and where it must stand, so only those places are looked at: a get of 50 keys costs
    the router a tenth less than with a pattern that takes the blocks and gives their names.
    """
    first = value_header(data, at) if len(keys) > 1 else None
    if first is None:
        return 0, at
    size, after, start = int(first[2]), data[first.end(1) : first.end()], first.start(1)
    if not data.startswith(b"\r\nVALUE %b%b" % (keys[1], after), first.end() + size):
        return 0, at
    most = 1 + (len(data) - start) // (len(b"VALUE k\r\n") + len(after) + size)
    heads = ((after + _CUT + b"\r\nVALUE ").join(keys[:most]) + after).split(_CUT)
    places = list(accumulate([len(head) + size for head in heads], initial=start))
    right = list(map(data.startswith, heads, places))
    count = right.index(False) if False in right else len(right)
    while count and not data.startswith(_BLOCK_END, places[count]):
        count -= 1
    return count, places[count] + len(_BLOCK_END) if count else at


def _hits(data: bytes, at: int, most: int, end: bytes) -> Tuple[List[bytes], int]:
    """The keys of at most so many values, each whole and with this `end`, and where they end. A step matches one
    value's end and the next one's header: 0.3 µs."""
    found: List[bytes] = []
    following, match = _NEXT_BLOCK if end is _BLOCK_END else _NEXT_GET, value_header(data, at)
    while match is not None and len(found) < most:
        key, length = match.groups()
        stop = match.end() + int(length)
        match = following(data, stop)
        if match is None and not data.startswith(end, stop):
            break
        found.append(key)
        at = stop + len(end)
    return found, at


def _named_outcome(named: bytes, kind: int, word: bytes) -> bytes:
    """The outcome of one reply of a run, by what it names and what it should."""
    if named == word:
        return o.VALUE if kind == GET else o.STORED
    if named == b"END\r" and kind == GET:
        return o.MISS
    if named == b"NOT_STORED\r" and kind == SET:
        return o.NOT_STORED
    raise ProtocolError(f"{named!r} in answer to {word!r}")
