"""What memcached itself would do with a line: the slow way, for all that the common patterns do not take.

`read_line` takes a line apart as memcached's process_command_ascii does (a NUL ends it, only spaces separate) and gives
either the line to forward, without `noreply` and quiet flags and with every number rewritten plainly, so that the host
cannot read another length out of it than we did; or the line that memcached would answer; or says to close.

The rules are those of the server (1.6.18), found by asking it; doc/protocol.txt is silent on most of them.
"""

import re
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

from . import outcomes as o
from .commands import BY_NAME, COMMANDS, INQUIRING

MAX_LINE = 2048  # bytes; a longer line without an end closes the connection, unless it is a get
_ONE_READ = 16384  # memcached's read buffer; a line that does not fit closes the connection even if it comes at once
MAX_KEY = 250
_MOST_WORDS = 23  # memcached's tokens of a line
MAX_VALUE = 2**31 - 3

BAD_FORMAT = b"CLIENT_ERROR bad command line format\r\n"
ERROR = b"ERROR\r\n"
_BAD_DELETE = b"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"
_BAD_DELTA = b"CLIENT_ERROR invalid numeric delta argument\r\n"
_BAD_EXPTIME = b"CLIENT_ERROR invalid exptime argument\r\n"
_ENDLESS_STATS = (b"cachedump", b"sizes_enable", b"sizes_disable")
_NO_SHUTDOWN = b"ERROR: shutdown not enabled\r\n"

_EVERYTHING = o.ANSWERS + o.HOST_ERRORS + o.OUR_ERRORS
# What the quiet flag hides. Errors are always shown.
_QUIET = {"mg": o.MISS, "ms": o.HEADER, "md": o.HEADER, "ma": o.HEADER + o.VALUE}
_TOO_MANY = {"mg": b"CLIENT_ERROR options flags are too long\r\n"}
_TOO_MANY.update(dict.fromkeys(("ms", "md", "ma"), b"CLIENT_ERROR options flags too long\r\n"))
_MOST_TOKENS = 19  # a meta line with more is refused; of `ms` the host then takes the data for a command


class Line(NamedTuple):
    """What to do with a line.

    `kind` >= 0: forward `wire` (and, when `size` >= 0, a data block of that many bytes and its end), hiding replies
    whose outcome is in `mute`. `kind` -1: answer with `answer`, close when `closes`, or answer the get `wire` for the
    keys `asks`, which ask the router itself.
    """

    kind: int
    wire: bytes = b""
    size: int = -1
    mute: bytes = b""
    answer: bytes = b""
    closes: bool = False
    asks: Sequence[bytes] = ()


def may_be_long(start: bytes) -> bool:
    """Whether a line that begins so may be longer than MAX_LINE: gets may, behind at most 100 spaces."""
    stripped = start.lstrip(b" ")
    return len(start) - len(stripped) <= 100 and stripped.startswith((b"get ", b"gets "))


def read_line(line: bytes) -> Line:
    """What memcached would do with this line (its end already taken off)."""
    if len(line) > _ONE_READ - 2 and not may_be_long(line[:200]):
        return Line(-1, closes=True)
    tokens = [token for token in line.partition(b"\0")[0].split(b" ") if token]
    if not tokens or len(tokens[0]) < 2:
        return _refuse(ERROR)
    reader = _READERS.get(tokens[0])
    if reader is None:
        return Line(-1, closes=True) if _is_http(tokens) else _refuse(ERROR)
    return reader(tokens)


def _is_http(tokens: List[bytes]) -> bool:
    """Whether memcached hangs up, so that a browser cannot be turned into a client. It looks only at verbs that begin
    like none of its common ones."""
    verb, last = tokens[0], tokens[:_MOST_WORDS][-1]
    return last.startswith(b"HTTP/") and verb[:1] not in b"acdgist" and not (verb[:1] == b"m" and len(verb) == 2)


def _refuse(answer: bytes, quiet: bool = False) -> Line:
    return Line(-1, answer=b"" if quiet else answer)


def _forward(verb: bytes, words: List[bytes], quiet: bool = False) -> Line:
    return Line(BY_NAME[verb.decode()].number, b" ".join([verb, *words]) + b"\r\n", mute=_EVERYTHING if quiet else b"")


def _not_long(line: Line) -> Line:
    """The line, if a host must take it; a longer one closes here, as it does there when it comes in pieces."""
    return line if len(line.wire) <= MAX_LINE + 1 else Line(-1, closes=True)


_NUMBER = re.compile(rb"[\t\v\f\r]*([+-]?)(\d+)(?:[\t\v\f\r].*)?", re.S).fullmatch


def _number(token: bytes, low: int, high: int) -> Optional[int]:
    """A C number as memcached's safe_strto* reads it; None where they refuse."""
    match = _NUMBER(token)
    value = int(match[1] + (match[2].lstrip(b"0")[:30] or b"0")) if match else None  # int() refuses thousands
    return value if value is not None and low <= value <= high else None


def signed(token: bytes) -> Optional[int]:
    """strtol into an int32: what does not fit wraps, as in C."""
    value = _number(token, -(2**63), 2**63 - 1)
    return None if value is None else (value + 2**31) % 2**32 - 2**31


def _unsigned(token: bytes) -> Optional[int]:
    """strtoull: a minus wraps, as in C, and is refused only where the result would be negative as a signed number."""
    value = _number(token, 1 - 2**64, 2**64 - 1)
    if value is None or value >= 0:
        return value
    wrapped = value + 2**64
    return wrapped if wrapped < 2**63 else None


def _is_quiet(tokens: List[bytes]) -> bool:
    return tokens[-1] == b"noreply"


def _keys(tokens: List[bytes]) -> Line:
    verb, keys = tokens[0], tokens[1:]
    if not keys:
        return _refuse(ERROR)
    if max(map(len, keys)) > MAX_KEY:
        return _refuse(BAD_FORMAT)
    line = _forward(b"get" if verb == b"bget" else verb, keys)
    if keys[0].startswith(INQUIRING) and all(key.startswith(INQUIRING) for key in keys):
        return line._replace(kind=-1, asks=keys)  # among others they are keys like any: no host has them
    return line


def _touched_keys(tokens: List[bytes]) -> Line:
    if len(tokens) < 2:
        return _refuse(ERROR)
    exptime, keys = signed(tokens[1]), tokens[2:]
    if exptime is None:
        return _refuse(_BAD_EXPTIME)
    if not keys:
        return _refuse(b"END\r\n")
    if max(map(len, keys)) > MAX_KEY:
        return _refuse(BAD_FORMAT)
    return _not_long(_forward(tokens[0], [b"%d" % exptime, *keys]))


def _store(tokens: List[bytes]) -> Line:
    verb, words = tokens[0], 5 + (tokens[0] == b"cas")
    if len(tokens) not in (words, words + 1):
        return _refuse(ERROR)
    quiet = _is_quiet(tokens)
    flags, exptime, size = _unsigned(tokens[2]), signed(tokens[3]), signed(tokens[4])
    numbers = [flags, exptime, size, *([_unsigned(tokens[5])] if words == 6 else [])]
    if len(tokens[1]) > MAX_KEY or None in numbers or size is None or not 0 <= size <= MAX_VALUE:
        return _refuse(BAD_FORMAT, quiet)
    line = _forward(verb, [tokens[1], *(b"%d" % number for number in numbers if number is not None)], quiet)
    return line._replace(size=size)


def _delete(tokens: List[bytes]) -> Line:
    if not 2 <= len(tokens) <= 4:
        return _refuse(ERROR)
    quiet = len(tokens) > 2 and _is_quiet(tokens)
    extra = tokens[2 : len(tokens) - quiet]
    if extra not in ([], [b"0"]):
        return _refuse(_BAD_DELETE, quiet)
    if len(tokens[1]) > MAX_KEY:
        return _refuse(BAD_FORMAT, quiet)
    return _forward(b"delete", [tokens[1]], quiet)


def _key_number(read: Callable[[bytes], Optional[int]], complaint: bytes) -> Callable[[List[bytes]], Line]:
    def reader(tokens: List[bytes]) -> Line:
        if len(tokens) not in (3, 4):
            return _refuse(ERROR)
        quiet = _is_quiet(tokens)
        if len(tokens[1]) > MAX_KEY:
            return _refuse(BAD_FORMAT, quiet)
        number = read(tokens[2])
        if number is None:
            return _refuse(complaint, quiet)
        return _forward(tokens[0], [tokens[1], b"%d" % number], quiet)

    return reader


def _flush_all(tokens: List[bytes]) -> Line:
    if len(tokens) > 3:
        return _refuse(ERROR)
    quiet = _is_quiet(tokens)
    if len(tokens) - quiet == 1:
        return _forward(b"flush_all", [], quiet)
    delay = signed(tokens[1])
    return _refuse(_BAD_EXPTIME, quiet) if delay is None else _forward(b"flush_all", [b"%d" % delay], quiet)


def _verbosity(tokens: List[bytes]) -> Line:
    if not 2 <= len(tokens) <= 3:
        return _refuse(ERROR)
    quiet = _is_quiet(tokens)
    level = _unsigned(tokens[1])
    if level is None:
        return _refuse(BAD_FORMAT, quiet)
    return _forward(b"verbosity", [b"%d" % level], quiet)


def _stats(tokens: List[bytes]) -> Line:
    """Those whose answer has no end that could be found are refused: a key in it may be anything, or END is missing."""
    return _refuse(ERROR) if tokens[1:2] and tokens[1] in _ENDLESS_STATS else _whole(tokens)


def _whole(tokens: List[bytes]) -> Line:
    """As it is: its answer is one line, or lines up to END, whatever its words are."""
    return _not_long(_forward(tokens[0], tokens[1:]))


def _meta(tokens: List[bytes]) -> Line:
    name = tokens[0].decode()
    first_flag = 3 if name == "ms" else 2
    if len(tokens) == 1 and name != "me":
        return _refuse(ERROR)
    if len(tokens) > 1 and len(tokens[1]) > MAX_KEY:
        return _refuse(BAD_FORMAT)
    if len(tokens) > _MOST_TOKENS and name in _TOO_MANY:
        return _refuse(_TOO_MANY[name])
    quiet = [token for token in tokens[first_flag:] if token[:1] == b"q"]
    hides = len(quiet) == 1 and name in _QUIET
    if hides:
        tokens = tokens[:first_flag] + [token for token in tokens[first_flag:] if token != quiet[0]]
    line = _whole(tokens)
    return line._replace(mute=_QUIET[name]) if hides and line.kind >= 0 else line


def _meta_store(tokens: List[bytes]) -> Line:
    if len(tokens) < 3:
        return _refuse(ERROR if len(tokens) == 1 else BAD_FORMAT)
    size = signed(tokens[2])
    if len(tokens[1]) <= MAX_KEY and len(tokens) > _MOST_TOKENS:
        return _refuse(_TOO_MANY["ms"])
    if len(tokens[1]) > MAX_KEY or size is None or not 0 <= size <= MAX_VALUE:
        return _refuse(BAD_FORMAT)
    line = _meta([*tokens[:2], b"%d" % size, *tokens[3:]])
    return line._replace(size=size) if line.kind >= 0 else line


def _readers() -> Dict[bytes, Callable[[List[bytes]], Line]]:
    readers: Dict[bytes, Callable[[List[bytes]], Line]] = {
        b"get": _keys,
        b"gets": _keys,
        b"bget": _keys,
        b"gat": _touched_keys,
        b"gats": _touched_keys,
        b"delete": _delete,
        b"incr": _key_number(_unsigned, _BAD_DELTA),
        b"decr": _key_number(_unsigned, _BAD_DELTA),
        b"touch": _key_number(signed, _BAD_EXPTIME),
        b"flush_all": _flush_all,
        b"verbosity": _verbosity,
        b"version": lambda tokens: _forward(b"version", []),
        b"stats": _stats,
        b"shutdown": lambda tokens: _refuse(_NO_SHUTDOWN),
        b"quit": lambda tokens: Line(-1, closes=True),
        b"mg": _meta,
        b"md": _meta,
        b"ma": _meta,
        b"mn": lambda tokens: _forward(b"mn", []),
        b"me": _meta,
        b"ms": _meta_store,
    }
    readers.update((verb, _store) for verb in (b"set", b"add", b"replace", b"append", b"prepend", b"cas"))
    assert all(command.verb in readers for command in COMMANDS)
    return readers


_READERS = _readers()
