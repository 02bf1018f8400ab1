"""A host's stream: its bytes in, whole replies out. It alone knows where in the stream the next byte is.

    receive(data) ──► next(request due) ──► a whole reply, or None: the rest of it is yet to come
         │                 │ cut by reply_cutter.py; what is verified is kept in pieces, what is not is held
         └──► singles(data): the fast path for replies to single gets and sets, at a boundary; None elsewhere

| place    | what comes next                                      | becomes                         |
| BOUNDARY | the beginning of a reply                             | WITHIN, PASSING, BROKEN         |
| WITHIN   | more of a reply; what came of it is kept             | BOUNDARY, SKIPPING, BROKEN      |
| SKIPPING | more of a reply that is too large: nothing is kept   | BOUNDARY, BROKEN                |
| PASSING  | more of a large value, which is given out in pieces  | BOUNDARY, BROKEN                |
| BROKEN   | nothing that could be understood                     | -                               |

A reply may be cut anywhere: between a value and its END, within a line, in the middle of a value that looks like
replies. So nothing may take `data` for the beginning of a reply but at a BOUNDARY. `place` alone says so.
"""

import enum
from typing import Any, Callable, List, Optional, Tuple

from ..replies import ProtocolError
from ..reply import TOO_LARGE
from ..request import Request
from ..runs import PatternCache
from .reply_cutter import ReplyCutter, value_ahead

_LARGE = 16384  # bytes; slices of so much are not copied where that can be avoided
_END = b"END\r\n"


class Place(enum.Enum):
    """Where in a host's stream the next byte is."""

    BOUNDARY = "between two replies"
    WITHIN = "within a reply"
    SKIPPING = "within a reply that is too large to be kept"
    PASSING = "within a large value that is given out in pieces"
    BROKEN = "out of step"


_BOUNDARY, _WITHIN, _SKIPPING, _PASSING, _BROKEN = Place  # a member of the class costs a look-up more


class HostStream:
    """The stream of one connection. `more` says whether there is something that `next` has not looked at.

    After `next` has given a reply, `outcomes` has a byte for each command of its request, `hits` and `misses` say how
    many keys its gets found and did not. While a large value passes, `left` is how many bytes of it are yet to come,
    and `tail` what ends the reply then.
    """

    __slots__ = ("_at", "_cutter", "_data", "_held", "_held_size", "_kept", "_kept_size", "_rest", "_tail_left",
                 "hits", "left", "misses", "more", "outcomes", "place", "singles", "tail")  # fmt: skip

    def __init__(self, patterns: PatternCache) -> None:
        self.place = _BOUNDARY
        self._cutter = ReplyCutter(patterns)
        self.singles = self._cutter.singles
        self.more = False
        self._data = b""  # the read at hand
        self._at = 0  # how far it is given out, or kept
        self._rest: Optional[Tuple[bytes, int]] = None  # the read that follows it, and from where
        self._held: List[bytes] = []  # received, not verified: what comes next decides
        self._held_size = 0
        self._kept: List[Any] = []  # verified pieces of the reply at hand
        self._kept_size = 0
        self.left = 0  # bytes of a passing value that are yet to come
        self.tail = b""  # what ends the reply that it is in
        self._tail_left = b""
        self.outcomes = b""
        self.hits = self.misses = 0

    # the fast path ------------------------------------------------------------------------------------------------
    #
    # `singles(data)` gives (reply, key or b"") for each reply to a single get or set at the beginning of a read. It is
    # None within a reply, and when it is not worth a try; as an attribute it costs 0.1 µs less at each read. The rest
    # of the read is for `receive`.

    def stop_singles(self) -> None:
        """Stops the fast path, which has led to nothing, until lengths repeat again."""
        self.singles = self._cutter.singles = None

    def _be_at(self, place: Place) -> None:
        """Sets where the next byte is."""
        self.place = place
        self.singles = self._cutter.singles if place is _BOUNDARY else None

    # whole replies ------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, at: int = 0) -> None:
        """Takes a read, from `at` on.

        Of a read that ends one reply and begins others, the others are not copied.
        """
        if not self._held:
            self._data, self._at, self.more = data, at, at < len(data)
            return
        need = self._cutter.need
        missing = need - self._held_size + len(_END) if need else 0  # END follows the value of a lone get
        self._held.append(data)
        self._held_size += len(data)
        if self._held_size < need:
            self._data, self._at, self.more = b"", 0, False
            return
        if 0 < missing < len(data):
            self._held[-1] = data[:missing]
            self._rest = data, missing
        self._data, self._at, self.more = b"".join(self._held), 0, True
        self._held = []

    def ahead(self) -> bytes:
        """Returns the next bytes, for a message."""
        return self._data[self._at : self._at + 60]

    def next(self, request: Request, in_pieces: bool = False) -> Any:
        """Returns the whole reply to the request that is due, None while some of it is yet to come, TOO_LARGE if it was
        skipped. `in_pieces`: it may be a memoryview, or a list of pieces. Raises ProtocolError."""
        cutter = self._cutter
        while True:
            try:
                end = cutter.cut(self._data, self._at, request)
            except ProtocolError:
                self._be_at(_BROKEN)
                raise
            if cutter.done:
                break
            if not self._keep(end):
                return None
        reply = self._whole(end, in_pieces)
        self._at, self.place, self.singles = end, _BOUNDARY, cutter.singles
        if self._rest is not None and end == len(self._data):
            (self._data, self._at), self._rest = self._rest, None
        self.more = self._at < len(self._data)
        self.outcomes, self.hits, self.misses = cutter.outcomes, cutter.values, cutter.misses
        return reply

    def _keep(self, end: int) -> bool:
        """Keeps an unfinished reply: what is verified, up to `end`, as a piece; the rest until enough more has come.
        Returns whether there is more to look at."""
        data, at = self._data, self._at
        if self.place is _BOUNDARY:
            self._be_at(_WITHIN)
        if end > at and self.place is _WITHIN:
            self._kept.append(data[at:end] if end - at < _LARGE else memoryview(data)[at:end])
            self._kept_size += end - at
        self._cutter.need = max(0, self._cutter.need - end)
        if self._rest is None:
            self._held = [data[end:]] if end < len(data) else []
            self._held_size = len(data) - end
            self._data, self._at, self.more = b"", 0, False
            return False
        (more, begin), self._rest = self._rest, None
        self._data, self._at = data[end:] + more[begin:], 0
        return True

    def _whole(self, end: int, in_pieces: bool) -> Any:
        """The reply whose last piece ends there."""
        data, at = self._data, self._at
        if self.place is _SKIPPING:
            return TOO_LARGE
        if not self._kept:
            return data[at:end] if end - at < _LARGE or not in_pieces else memoryview(data)[at:end]
        pieces, self._kept, self._kept_size = self._kept, [], 0
        pieces.append(data[at:end])
        return pieces if in_pieces else b"".join(pieces)

    # replies that are too large to be held ------------------------------------------------------------------------

    def known_size(self) -> int:
        """Returns how large the current reply is, at least; 0 if nothing of it is kept."""
        return self._kept_size + max(self._cutter.left, self._cutter.need) if self.place is _WITHIN else 0

    def skip(self) -> None:
        """Drops the current reply as it comes: none of it is kept, and `next` gives TOO_LARGE for it."""
        self._be_at(_SKIPPING)
        self._kept, self._kept_size = [], 0

    def value_begins(self, request: Request, passes: Callable[[int], bool]) -> bytes:
        """Returns the beginning of a reply whose value is then given out by `piece`, if `passes` says so of its size in
        bytes; empty if it has no value, or that is not known yet. For a connection with one request at a time, for one
        key."""
        if self._kept or self.place not in (_BOUNDARY, _WITHIN):
            return b""
        size, tail = value_ahead(self._data, request)
        if size <= len(self._data) or not passes(size):
            return b""
        head, self._data, self.more = self._data, b"", False
        self.left = size - len(head)
        self._be_at(_PASSING)
        self.tail = self._tail_left = tail
        return head

    def piece(self) -> bytes:
        """Returns more of a value that is given out in pieces; empty when only the end of the reply is due. Raises
        ProtocolError."""
        data, self._data, self.more = self._data, b"", False
        value, data = data[: self.left], data[self.left :]
        self.left -= len(value)
        if not self._tail_left.startswith(data):
            self._be_at(_BROKEN)
            raise ProtocolError(f"a value that does not end where its length says: {data[:20]!r}")
        self._tail_left = self._tail_left[len(data) :]
        if not self._tail_left:
            self._be_at(_BOUNDARY)
        return value
