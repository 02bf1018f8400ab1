"""Client bytes to requests: the parser's way for well-formed lines; what is not so well formed goes to `lines`.

    bytes ──► RequestParser.next ──► Request (to be routed, or already answered, or closing)
                     │ one match for the common commands, `runs` for what follows them in the same read
                     ├ anything else ──► lines.read_line: what memcached itself would do with that line
                     └ no text at all ──► binary.refusal

A run is made of consecutive commands of one client that have the same route; they are forwarded as they came.
"""

import re
from typing import Any, Callable, List, NamedTuple, Optional

from .. import outcomes as o
from ..commands import BY_NAME, COMMANDS, INQUIRING, STORE, VALUES
from ..request import ANSWERED, CLOSE, COMMAND_BYTE, GET, INQUIRY, SET
from ..runs import GET_KEY, GETS, KEY, MAX_RUN, RequestPatterns, RunPattern
from ..styles import MEMCACHED, Memcached
from . import binary, lines

_LARGE = 16384  # bytes


def _slice(data: bytes, at: int, end: int) -> Any:
    """Returns these bytes of `data`, without a copy if it would be a large one."""
    if end - at == len(data):
        return data
    return data[at:end] if end - at < _LARGE else memoryview(data)[at:end]


class RunPlan(NamedTuple):
    """Which commands may share a run. The policy decides that at load time."""

    gets: bool = False  # consecutive gets
    sets: bool = False  # consecutive sets
    together: bool = False  # both in any order: they have the same route


_COMMON = re.compile(
    rb"(?:get (%(get)b)|(?:set) %(key)b %(numbers)b (\d{1,9})|get %(get)b(?: %(key)b)+()|gets %(get)b(?: %(key)b)*()"
    rb"|delete %(key)b()|incr %(key)b \d{1,19}()|decr %(key)b \d{1,19}()|touch %(key)b -?\d{1,9}()"
    rb"|add %(key)b %(numbers)b (\d{1,9})|replace %(key)b %(numbers)b (\d{1,9})|append %(key)b %(numbers)b (\d{1,9})"
    rb"|prepend %(key)b %(numbers)b (\d{1,9})|cas %(key)b %(numbers)b (\d{1,9}) \d{1,19}"
    rb")\r\n" % {b"get": GET_KEY, b"key": KEY, b"numbers": rb"\d{1,9} -?\d{1,9}"}
).match
_GROUPS = ("", "get", "set", "get", "gets", "delete", "incr", "decr", "touch", "add", "replace", "append", "prepend",
           "cas")  # fmt: skip
_INDEX = tuple(BY_NAME[name].number if name else -1 for name in _GROUPS)
_STORES = tuple(name != "" and BY_NAME[name].request.startswith(STORE) for name in _GROUPS)
_KEYS_AT = (0, 0, 0, len("get "), len("gets "), *[0] * (len(_GROUPS) - 5))  # where the keys begin, if there may be many
_GET_GROUP, _SET_GROUP = 1, 2
_SET = b"set "  # how the patterns name a set; no key has a space
_STORED = b"STORED\r"  # how the patterns name that reply; no key of a run has a CR
_CR, _SPACE = 13, 32
_LONGEST_LINE = 1 << 20  # a get of more keys than fit into this closes the connection
_ALONE = RunPlan()

Make = Callable[..., Any]

_MANY = re.compile(rb"get ((?!%b)[!-~\x80-\xff][!-~\x80-\xff ]*)\r\n" % re.escape(INQUIRING)).fullmatch
_LONE = re.compile(rb"(?:get (%b)|set %b \d{1,9} -?\d{1,9} (\d{1,9}))\r\n" % (GET_KEY, KEY)).match
_GET_BYTE, _SET_BYTE = COMMAND_BYTE[GET], COMMAND_BYTE[SET]


def is_common(data: Any, kind: int) -> bool:
    """Returns whether these bytes are one such command, all of it, in the form that the common patterns take."""
    match = _COMMON(data)
    group = match.lastindex if match else None
    if match is None or group is None or _INDEX[group] != kind:
        return False
    if not _STORES[group]:
        return match.end() == len(data)
    return match.end() + int(match[group]) + 2 == len(data) and data[-2:] == b"\r\n"


def parse_single(data: bytes, client: Any, make: Make) -> Any:
    """Returns the request if `data` is a single get or set and nothing else, as of a client that does not pipeline;
    else None."""
    match = _LONE(data)
    if match is None:
        return _many(data, client, make)
    end = match.end()
    if match.lastindex == _GET_GROUP:
        return make(client, _GET_BYTE, data, None, match[1]) if end == len(data) else None
    if end + int(match[2]) + 2 == len(data) and data.endswith(b"\r\n"):
        return make(client, _SET_BYTE, data, None, b"")
    return None


def _many(data: bytes, client: Any, make: Make) -> Any:
    """Returns the request if `data` is a get of several keys and nothing else; else None."""
    match = _MANY(data)
    if match is None or b"  " in data or data[-3] == _SPACE:
        return None
    keys = match[1].split(b" ")
    return make(client, _GET_BYTE, data, keys) if max(map(len, keys)) <= lines.MAX_KEY else None


class RequestParser:
    """Cuts one client's stream into requests. A value of more than `large` bytes is not waited for
    (`Request.large_value`).

    After `next`: `at` is where the next request begins; when there was none yet, `need` is the length that `data` must
    at least have before another look is worth it; negative: before the end of a line has come, or that many bytes.

    The data of a refused store is dropped as it comes: meanwhile `at_boundary()` is false, and `next` consumes all that
    it is given. A request that the parser has answered (ANSWERED, CLOSE) must be taken, not parsed again.
    """

    __slots__ = ("_both", "_inside", "_large", "_make", "_sets", "_style", "at", "need", "plan")

    def __init__(
        self,
        make: Make,
        patterns: RequestPatterns,
        plan: RunPlan = _ALONE,
        large: int = lines.MAX_VALUE,
        style: Memcached = MEMCACHED,
    ) -> None:
        self._make = make
        self._large = large
        self._style = style
        self._sets, self._both = patterns
        self.plan = plan
        # Where in the stream this is: 0 at the beginning of a request; positive, so many bytes of an unfinished line
        # hold no end of line; negative, so many bytes of a refused store's data are yet to be swallowed.
        self._inside = 0
        self.at = 0
        self.need = 0

    def at_boundary(self) -> bool:
        """Returns whether what is not consumed yet begins with a request."""
        return self._inside >= 0

    def next(self, data: bytes, at: int, client: Any, room: int = MAX_RUN) -> Any:
        """The request that begins at `at`, a run of at most `room` commands, or None while it is not all there."""
        match = None if self._inside else _COMMON(data, at)
        if match is None:
            return self._uncommon(data, at, client, room)
        group = match.lastindex
        end = match.end()
        if _STORES[group]:  # type: ignore[index]
            length = int(match[group])  # type: ignore[index]
            if length > self._large:
                return self._apart(client, COMMAND_BYTE[_INDEX[group]], data[at:end], end, length)  # type: ignore[index]
            end += length + 2
            if end > len(data):
                self.at, self.need = at, end
                return None
            if data[end - 2 : end] != b"\r\n":
                return self._uncommon(data, at, client, room)
        if end < len(data) and room > 1 and group < 3 and self.plan[group - 1]:  # type: ignore[operator]
            return self._run(data, at, client, room)
        self.at = end
        whole = _slice(data, at, end) if _STORES[group] else data[at:end]  # type: ignore[index]
        begin = _KEYS_AT[group]  # type: ignore[index]
        if begin:
            return self._make(client, COMMAND_BYTE[_INDEX[group]], whole, whole[begin:-2].split(b" "))  # type: ignore[index]
        key = match[1] if group == _GET_GROUP else b"" if group == _SET_GROUP else None
        return self._make(client, COMMAND_BYTE[_INDEX[group]], whole, None, key)  # type: ignore[index]

    def _apart(self, client: Any, kind: bytes, line: bytes, end: int, length: int) -> Any:
        """A request whose value is too large to wait for: it begins at `end`."""
        self.at = end
        request = self._make(client, kind, line)
        request.large_value = length + 2
        return request

    def _local(self, line: lines.Line, data: bytes, at: int, end: int, client: Any) -> Any:
        """A request that never leaves the router."""
        if line.asks:
            self.at = end
            return self._make(client, INQUIRY, line.wire, line.asks)
        return self._refusal(line, data, at, end, client)

    def _refusal(self, line: lines.Line, data: bytes, at: int, end: int, client: Any) -> Any:
        """The answer to a line that is refused; the data block of a store, which begins at `end`, is swallowed."""
        text, closes = self._style.refusal(data[at:end], line.answer)
        if closes or line.closes:
            return self._close(client, data, text)
        self.at = self._swallow(line.size + 2, data, end) if line.size >= 0 else end
        return self._make(client, ANSWERED, text)

    def _swallow(self, size: int, data: bytes, at: int) -> int:
        """Passes over `size` bytes from `at`, of which some may be yet to come; returns where it got."""
        end = min(at + size, len(data))
        self._inside = end - at - size
        return end

    def _run(self, data: bytes, at: int, client: Any, room: int) -> Any:
        """The gets and sets from `at` that may travel together, as one request."""
        gets, sets, together = self.plan
        start, size = at, len(data)
        if data.startswith(_SET, at):
            gets = together
        else:
            sets = together
        expected: List[bytes] = []
        pattern: Optional[RunPattern] = None
        while at < size and len(expected) < room:
            match = _COMMON(data, at)
            group = match.lastindex if match else None
            if group == _GET_GROUP and gets:
                expected.append(match[1])  # type: ignore[index]
                at = match.end()  # type: ignore[union-attr]
                pattern = pattern or GETS
            elif group == _SET_GROUP and sets:
                length = int(match[2])  # type: ignore[index]
                end = match.end() + length + 2  # type: ignore[union-attr]
                if end > size or data[end - 2 : end] != b"\r\n" or length > self._large:
                    break
                expected.append(_SET)
                at = end
                pattern = (self._both if together else self._sets).get(length)
            else:
                break
            if pattern is not None and len(expected) < room:
                match = pattern.match(room - len(expected))(data, at)
                if match:
                    expected += pattern.words(data, at, match.end())
                    at = match.end()
        self.at = at
        whole = _slice(data, start, at)
        if len(expected) == 1:
            if expected == [_SET]:
                return self._make(client, _SET_BYTE, whole, None, b"")
            return self._make(client, _GET_BYTE, whole, None, expected[0])
        if _SET not in expected:
            return self._make(client, _GET_BYTE * len(expected), whole, expected)
        commands = bytes([SET if key == _SET else GET for key in expected])
        return self._make(client, commands, whole, [_STORED if key == _SET else key for key in expected])

    def _uncommon(self, data: bytes, at: int, client: Any, room: int) -> Any:
        """Reads what the common patterns do not match: other commands, and lines that memcached answers with an
        error."""
        if self._inside < 0:
            at = self._swallow(-self._inside, data, at)
            self.at, self.need = at, 0
            return self.next(data, at, client, room) if at < len(data) else None
        if data.startswith(binary.REQUEST, at):
            refusal = binary.refusal(data, at)
            if refusal is not None:
                return self._close(client, data, refusal)
        end = data.find(b"\n", max(at, at + self._inside))
        if end < 0:
            return self._no_line(data, at, client)
        self._inside = 0
        line = lines.read_line(data[at : end - 1 if end - at > 1 and data[end - 1] == _CR else end])
        return self._read(line, data, at, end + 1, client)

    def _read(self, line: lines.Line, data: bytes, at: int, end: int, client: Any) -> Any:
        if line.kind < 0:
            return self._local(line, data, at, end, client)
        wire = line.wire
        if line.size > self._large:
            request = self._apart(client, COMMAND_BYTE[line.kind], wire, end, line.size)
            request.rendering = line.rendering
            return request
        if line.size >= 0:
            begin, end = end, end + line.size + 2
            if end > len(data):
                self.at, self.need = at, end
                return None
            if data[end - 2 : end] != b"\r\n":
                return self._bad_chunk(line, data, at, begin, client)
            wire += data[begin:end]
        self.at = end
        request = self._make(client, COMMAND_BYTE[line.kind], wire)
        request.rendering = line.rendering
        if COMMANDS[line.kind].reply == VALUES:
            request.keys()  # the reply will be held against them; until then they tell how many they are
        return request

    def _bad_chunk(self, line: lines.Line, data: bytes, at: int, begin: int, client: Any) -> Any:
        """A store whose data, all there from `begin` on, does not end where it should: memcached drops just that."""
        hidden = line.rendering.hidden if line.rendering is not None else b""
        answer = b"" if o.CLIENT_ERROR in hidden else lines.BAD_CHUNK
        return self._refusal(line._replace(answer=answer), data, at, begin, client)

    def _no_line(self, data: bytes, at: int, client: Any) -> Any:
        """Waits for the end of an unfinished line, unless memcached would close the connection."""
        length = len(data) - at
        self.at, self.need = at, 0
        if length > lines.MAX_LINE:
            if length > _LONGEST_LINE or not (self._inside or lines.may_be_long(data[at : at + 200])):
                return self._close(client, data)
            self._inside, self.need = length, -_LONGEST_LINE
        return None

    def _close(self, client: Any, data: bytes, text: bytes = b"") -> Any:
        self.at = len(data)
        return self._make(client, CLOSE, text)
