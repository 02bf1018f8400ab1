"""What memcached itself would do with a line: the slow way, for all that the common patterns do not take.

`read_line` takes a line apart as memcached's process_command_ascii does (a NUL ends it, only spaces separate) and gives
either the line to forward, without `noreply` and quiet flags and with every number rewritten plainly, so that the host
cannot read another length out of it than we did; or the line that memcached would answer; or says to close.

The rules are those of the server (1.6.18), found by asking it; doc/protocol.txt is silent on most of them. A store is
held to those of later versions (1.6.45), too: what either refuses is refused here, so that no host ever sees a store
whose data it might take for commands. And the data of a refused store is swallowed, as 1.6.45 does.
"""

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

from .. import outcomes as o
from ..commands import BY_NAME, COMMANDS, INQUIRING
from ..numbers import client_flags, number, signed, unsigned
from .meta_flags import BAD_FORMAT, canonical, decoded, read_flags, read_store_flags
from .rendering import Rendering

MAX_LINE = 2048  # bytes; a longer line without an end closes the connection, unless it is a get
_ONE_READ = 16384  # memcached's read buffer; a line that does not fit closes the connection even if it comes at once
MAX_KEY = 250
_MOST_WORDS = 23  # memcached's tokens of a line
MAX_VALUE = 2**31 - 3

BAD_CHUNK = b"CLIENT_ERROR bad data chunk\r\n"
ERROR = b"ERROR\r\n"
_BAD_DELETE = b"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"
_BAD_DELTA = b"CLIENT_ERROR invalid numeric delta argument\r\n"
_BAD_EXPTIME = b"CLIENT_ERROR invalid exptime argument\r\n"
_ENDLESS_STATS = (b"cachedump", b"sizes_enable", b"sizes_disable")
_NO_SHUTDOWN = b"ERROR: shutdown not enabled\r\n"

_EVERYTHING = o.EVERYTHING
_NOREPLY = Rendering(hidden=_EVERYTHING)
# What the quiet flag hides. Errors are always shown.
_QUIET = {b"mg": o.MISS, b"ms": o.HEADER, b"md": o.HEADER, b"ma": o.HEADER + o.VALUE}
_TOO_MANY = {"mg": b"CLIENT_ERROR options flags are too long\r\n"}
_TOO_MANY.update(dict.fromkeys(("ms", "md", "ma"), b"CLIENT_ERROR options flags too long\r\n"))
_BAD_FLAG = b"CLIENT_ERROR invalid or duplicate flag\r\n"
_SPACE, _DELETE = 32, 127
_MOST_TOKENS = 19  # a meta line with more is refused; of `ms` the host then takes the data for a command


class Line(NamedTuple):
    """What to do with a line.

    `kind` >= 0: forward `wire` (and, when `size` >= 0, a data block of that many bytes and its end); its reply is shown
    as `rendering` says. `kind` -1: answer with `answer`, then close when `closes`, or swallow a data block when `size`
    >= 0; or answer the get `wire` for the keys `asks`, which ask the router itself.
    """

    kind: int
    wire: bytes = b""
    size: int = -1
    rendering: Optional[Rendering] = None
    answer: bytes = b""
    closes: bool = False
    asks: Sequence[bytes] = ()


def may_be_long(start: bytes) -> bool:
    """Returns whether a line that begins so may be longer than MAX_LINE: gets may, behind at most 100 spaces."""
    stripped = start.lstrip(b" ")
    return len(start) - len(stripped) <= 100 and stripped.startswith((b"get ", b"gets "))


def read_line(line: bytes) -> Line:
    """Returns what memcached would do with this line (its end already taken off)."""
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
    """Returns whether memcached hangs up, so that a browser cannot be turned into a client. It looks only at verbs that
    begin like none of its common ones."""
    verb, last = tokens[0], tokens[:_MOST_WORDS][-1]
    return last.startswith(b"HTTP/") and verb[:1] not in b"acdgist" and not (verb[:1] == b"m" and len(verb) == 2)


def _refuse(answer: bytes, quiet: bool = False) -> Line:
    return Line(-1, answer=b"" if quiet else answer)


def _refuse_store(tokens: List[bytes], answer: bytes, quiet: bool = False) -> Line:
    """As memcached 1.6.45 refuses a store: its data, which its client sends all the same, is swallowed. Where it does
    not say how much that is, what follows cannot be told from commands, and the connection is closed."""
    place = 2 if tokens[0] == b"ms" else 4
    size = _plain_size(tokens[place]) if len(tokens) > place else -1
    return _refuse(answer, quiet)._replace(size=size, closes=size < 0)


def _plain_size(token: bytes) -> int:
    """A length that cannot be read in two ways; -1 where there is none."""
    size = number(token, 0, MAX_VALUE) if token.isdigit() else None
    return -1 if size is None else size


def _forward(verb: bytes, words: List[bytes], quiet: bool = False) -> Line:
    wire = b" ".join([verb, *words]) + b"\r\n"
    return Line(BY_NAME[verb.decode()].number, wire, rendering=_NOREPLY if quiet else None)


def _not_long(line: Line) -> Line:
    """The line, if a host must take it; a longer one closes here, as it does there when it comes in pieces."""
    return line if len(line.wire) <= MAX_LINE + 1 else Line(-1, closes=True)


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
        return _refuse_store(tokens, ERROR)
    quiet = _is_quiet(tokens)
    flags, exptime, size = client_flags(tokens[2]), signed(tokens[3]), number(tokens[4], 0, MAX_VALUE)
    numbers = [flags, exptime, size, *([unsigned(tokens[5])] if words == 6 else [])]
    if len(tokens[1]) > MAX_KEY or None in numbers or size is None:
        return _refuse_store(tokens, BAD_FORMAT, quiet)
    line = _forward(verb, [tokens[1], *(b"%d" % value for value in numbers if value is not None)], quiet)
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
        value = read(tokens[2])
        if value is None:
            return _refuse(complaint, quiet)
        return _forward(tokens[0], [tokens[1], b"%d" % value], quiet)

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
    level = unsigned(tokens[1])
    if level is None:
        return _refuse(BAD_FORMAT, quiet)
    return _forward(b"verbosity", [b"%d" % level], quiet)


def _stats(tokens: List[bytes]) -> Line:
    """Those whose answer has no end that could be found are refused: a key in it may be anything, or END is missing."""
    endless = tokens[1:2] and (tokens[1] in _ENDLESS_STATS or tokens[1:3] == [b"detail", b"dump"])
    return _refuse(ERROR) if endless else _whole(tokens)


def _whole(tokens: List[bytes]) -> Line:
    """As it is: its answer is one line, or lines up to END, whatever its words are."""
    return _not_long(_forward(tokens[0], tokens[1:]))


def _meta(tokens: List[bytes]) -> Line:
    """mg, md, ma: the host answers to most of what is wrong in them."""
    name, key, flags = tokens[0].decode(), b"".join(tokens[1:2]), tokens[2:]
    if len(tokens) == 1:
        return _refuse(ERROR)
    if len(key) > MAX_KEY:
        return _refuse(BAD_FORMAT)
    if len(tokens) > _MOST_TOKENS:
        return _refuse(_TOO_MANY[name])
    letters = b"".join([flag[:1] for flag in flags])
    if len(set(letters)) < len(letters) or (b"b" in letters and decoded(key) is None):
        complaint = read_flags(key, flags)[1]
        return _refuse(complaint if name == "mg" else _BAD_FLAG)
    return _rendered(tokens, 2, letters)


def _meta_store(tokens: List[bytes]) -> Line:
    if len(tokens) < 3:
        return _refuse_store(tokens, ERROR if len(tokens) == 1 else BAD_FORMAT)
    key, size = tokens[1], number(tokens[2], 0, MAX_VALUE)
    if len(key) <= MAX_KEY and len(tokens) > _MOST_TOKENS:
        return _refuse_store(tokens, _TOO_MANY["ms"])
    if len(key) > MAX_KEY or size is None:
        return _refuse_store(tokens, BAD_FORMAT)
    flags, complaint = read_store_flags(key, tokens[3:])
    if complaint:
        return _refuse_store(tokens, complaint)
    line = _rendered([tokens[0], key, b"%d" % size, *flags], 3, b"".join([flag[:1] for flag in flags]))
    return line._replace(size=size) if line.kind >= 0 else line


def _rendered(tokens: List[bytes], first: int, letters: bytes) -> Line:
    """A meta command whose flags, from token `first` on, have these letters, none twice. It goes without those that are
    the router's to see to: `q`, and the `k` of a base64 key."""
    quiet, in_base64 = b"q" in letters, b"b" in letters
    if not quiet and not in_base64:
        return _whole(tokens)
    hidden, key, before, ours = _QUIET[tokens[0]] if quiet else b"", b"", b"", b"q"
    if in_base64:
        tokens[1] = canonical(tokens[1])
        if b"k" in letters:
            ours, key, before = b"qk", b" k%b b" % tokens[1], letters[: letters.index(b"k")]
    line = _whole(tokens[:first] + [flag for flag in tokens[first:] if flag[:1] not in ours])
    return line._replace(rendering=Rendering(hidden, key, before)) if line.kind >= 0 and (hidden or key) else line


def _meta_debug(tokens: List[bytes]) -> Line:
    """me: its reply begins with the key, raw in some versions; one that could end the reply's line is refused."""
    if len(tokens) == 1 or len(tokens[1]) > MAX_KEY:
        return _refuse(BAD_FORMAT)
    if any(flag[:1] == b"b" for flag in tokens[2:]):
        key = decoded(tokens[1])
        if key is None or any(byte <= _SPACE or byte == _DELETE for byte in key):
            return _refuse(BAD_FORMAT)
        tokens = [tokens[0], canonical(tokens[1]), *tokens[2:]]
    return _whole(tokens)


def _readers() -> Dict[bytes, Callable[[List[bytes]], Line]]:
    readers: Dict[bytes, Callable[[List[bytes]], Line]] = {
        b"get": _keys,
        b"gets": _keys,
        b"bget": _keys,
        b"gat": _touched_keys,
        b"gats": _touched_keys,
        b"delete": _delete,
        b"incr": _key_number(unsigned, _BAD_DELTA),
        b"decr": _key_number(unsigned, _BAD_DELTA),
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
        b"me": _meta_debug,
        b"ms": _meta_store,
    }
    readers.update((verb, _store) for verb in (b"set", b"add", b"replace", b"append", b"prepend", b"cas"))
    assert all(command.verb in readers for command in COMMANDS)
    return readers


_READERS = _readers()
