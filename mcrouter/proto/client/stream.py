"""A client's stream: its bytes in, whole requests out. It alone knows where in the stream the next byte is.

    receive(data) ──► next(client, room) ──► a request or a run, or None: the rest of it is yet to come
                        │ cut by parser.py; what is not whole is kept
                        └──► wait(): no further request may start now; what is there is kept for a later `next`

| place      | what comes next                                      | becomes                       |
| BOUNDARY   | the beginning of a request; nothing is kept          | WITHIN, WAITING, SWALLOWING   |
| WITHIN     | more of a request; what came of it is kept           | BOUNDARY, WAITING, SWALLOWING |
| WAITING    | requests that are there, but whose turn has not come | BOUNDARY, WITHIN, SWALLOWING  |
| SWALLOWING | more of the data of a refused store; nothing is kept | BOUNDARY, WITHIN, WAITING     |

The fast path for a client with one request at a time (parser.parse_single) may be taken at a BOUNDARY only.
"""

import enum
from typing import TYPE_CHECKING, Any, List, Optional, Tuple

from .parser import RequestParser

if TYPE_CHECKING:
    from ..seams import HostSource

_LARGE = 16384  # bytes; slices of so much are not copied
_LINE_COST = 16  # times the bytes of a line that has not come to its end
_MANY_PIECES = 512  # kept reads that are joined: each small one costs memory


class ClientPlace(enum.Enum):
    """Where in a client's stream the next byte is."""

    BOUNDARY = "between two requests"
    WITHIN = "within a request"
    WAITING = "before requests whose turn has not come"
    SWALLOWING = "within the data of a refused store"


_BOUNDARY, _WITHIN, _WAITING, _SWALLOWING = ClientPlace  # a member of the class costs a look-up more


class ClientStream:
    """The stream of one client."""

    __slots__ = ("_at", "_before", "_data", "_kept", "_kept_size", "_need", "_rest", "parser", "place")

    def __init__(self, parser: RequestParser) -> None:
        self.parser = parser
        self.place = _BOUNDARY
        self._data = b""  # the read at hand
        self._at = self._before = 0  # how far its requests are given out; where the last one began
        self._rest: Optional[Tuple[bytes, int]] = None  # the read that follows it, and from where
        self._kept: List[Any] = []  # the beginning of a request
        self._kept_size = 0
        self._need = 0  # how much must be kept before there is anything to look at; negative: or an end of line

    def receive(self, data: bytes) -> None:
        """Takes a read.

        Of a read that ends one request and begins others, the others are not copied.
        """
        if self.place is _WAITING:
            self._data, self._at, self._rest = self.rest() + data, 0, None
        elif self.place is _WITHIN:
            self._kept.append(data)
            self._kept_size += len(data)
            if self._is_enough(data):
                self._complete(data)
        else:
            self._data, self._at = data, 0

    def _is_enough(self, data: bytes) -> bool:
        """Returns whether it is worth a look at what is kept, of which `data` has come last."""
        size, need = self._kept_size, self._need
        if size < need or (need < 0 and size < -need and b"\n" not in data):
            if len(self._kept) > _MANY_PIECES:
                self._kept[:] = [b"".join(self._kept)]
            return False
        return True

    def _complete(self, data: bytes) -> None:
        """Takes up what is kept, to which `data` brought what was missing."""
        missing = self._need - self._kept_size + len(data)
        kept, self._kept = self._kept, []
        if 0 < missing < len(data):
            kept[-1] = data[:missing]
            self._rest = data, missing
        self._data, self._at = b"".join(kept), 0

    def next(self, client: "HostSource", room: int) -> Any:
        """The next request of the client, a run of at most `room` commands, or None while it is not all there."""
        parser = self.parser
        while True:
            if self._at < len(self._data):
                request = parser.next(self._data, self._at, client, room)
                if request is not None:
                    self._before, self._at = self._at, parser.at
                    return request
                self._keep()
            elif self._rest is None:
                if not self._kept:
                    self._data, self._at = b"", 0
                    self.place = _BOUNDARY if parser.at_boundary() else _SWALLOWING
                return None
            else:
                (self._data, self._at), self._rest = self._rest, None

    def _keep(self) -> None:
        """Keeps the beginning of a request until enough more has come."""
        data, at, need = self._data, self.parser.at, self.parser.need
        if self._rest is not None:
            (more, begin), self._rest = self._rest, None
            self._data, self._at = data[at:] + more[begin:], 0
            return
        self._need = need - at if need > 0 else need
        if at < len(data):
            left = len(data) - at
            self._kept = [data[at:] if left < _LARGE else memoryview(data)[at:]]
            self._kept_size = left
            self.place = _WITHIN
        self._data, self._at = b"", 0

    def unpin(self) -> None:
        """Copies what is kept, so that the rest of its read is freed: the client may take long to continue."""
        if self._kept and type(self._kept[0]) is memoryview:
            self._kept[0] = bytes(self._kept[0])
        if self.place is _WAITING and self._at:
            self._data, self._at = self._data[self._at :], 0

    def put_back(self) -> None:
        """Puts the last request back: `next` gives it again."""
        self._at = self._before

    def wait(self) -> None:
        """Keeps what is there for later: no further request may start now."""
        left = len(self._data) - self._at
        if left or self._rest is not None:
            self.place = _WAITING
            if left < _LARGE:  # else the whole read is kept: see `unpin`
                self._data, self._at = self._data[self._at :], 0
        elif not self._kept:
            self.place = _BOUNDARY if self.parser.at_boundary() else _SWALLOWING

    def rest(self) -> bytes:
        """Returns all that is kept."""
        after = b"" if self._rest is None else self._rest[0][self._rest[1] :]
        return b"".join([*self._kept, self._data[self._at :], after])

    def take_rest(self) -> bytes:
        """Takes all that is there out of the stream: it belongs to the value that the last request announced."""
        taken = self.rest()
        self.give_back(b"")
        return taken

    def give_back(self, data: bytes) -> None:
        """Puts back what does not belong to that value."""
        self._data, self._at, self._rest = data, 0, None
        self._kept, self._kept_size = [], 0
        self.wait()

    def weight(self) -> int:
        """Returns the memory in bytes that is kept, or will be needed: each key of a long line becomes an object."""
        return self.size() * _LINE_COST if self._kept and self._need <= 0 else self.size()

    def size(self) -> int:
        """Returns the bytes that are kept."""
        after = 0 if self._rest is None else len(self._rest[0]) - self._rest[1]
        return (self._kept_size if self._kept else 0) + len(self._data) - self._at + after
