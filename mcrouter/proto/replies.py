"""The meaning of a host's reply, and the check that it can be the reply to a request at all.

A reply must name what was asked: a word of the command's own family (a classic command is never answered `HD`, a meta
command never `STORED`), and, if it names a key or an opaque, those of the request. Anything else is a ProtocolError:
the stream is out of step, and its connection must be closed.
"""

import base64
import re
from typing import Any, Dict, Iterator, List, Optional, Tuple

from . import outcomes as o
from .client.meta_flags import decoded
from .commands import ARITHMETIC, BY_NAME, COMMANDS, LINES, META, META_STORE, META_VALUE
from .reply import WholeReply, joined
from .request import GET, Request

NO_MEMORY = b"SERVER_ERROR mcrouter: no memory for the reply (--max-memory)\r\n"
_LINES_OF = {o.STORED: b"STORED\r\n", o.NOT_STORED: b"NOT_STORED\r\n", o.MISS: b"END\r\n"}  # the replies in runs
_LITTLE = 1024  # bytes; a reply of so many or less is not worth an error
_HEAVY = o.VALUE + o.PARTIAL + o.TEXT  # outcomes whose replies may be large
_ERRORS = {b"ERROR": o.ERROR, b"CLIENT_ERROR": o.CLIENT_ERROR, b"SERVER_ERROR": o.SERVER_ERROR}
_CLASSIC = {b"STORED": o.STORED, b"NOT_STORED": o.NOT_STORED, b"EXISTS": o.EXISTS, b"NOT_FOUND": o.NOT_FOUND,
            b"DELETED": o.DELETED, b"TOUCHED": o.TOUCHED}  # fmt: skip
_META = {b"HD": o.HEADER, b"EN": o.MISS, b"NF": o.NOT_FOUND, b"NS": o.NOT_STORED, b"EX": o.EXISTS}
_OWN: Dict[str, Dict[bytes, bytes]] = {
    "mn": {b"MN": o.HEADER},
    "me": {b"ME": o.HEADER, b"EN": o.MISS},
    "flush_all": {b"OK": o.OK},
    "verbosity": {b"OK": o.OK},
    "version": {b"VERSION": o.TEXT},
    "stats": {b"END": o.TEXT, b"OK": o.OK, b"RESET": o.OK},
}
_NUMBERS = frozenset(BY_NAME[name].number for name in ("incr", "decr"))
_LISTED = frozenset((b"STAT", b"ITEM", b"PREFIX"))  # how the lines begin that answer `stats`
_ME, _VERSION = BY_NAME["me"].number, BY_NAME["version"].number
_NAMING = (b"k", b"O", b"b")  # flags of a reply that say what was asked: the key, the opaque, that it is in base64
_LINE_MOST = 2048  # bytes; the line of a meta command is no longer


def _family(name: str, request: str, accepted: bytes) -> Dict[bytes, bytes]:
    """The words that may answer a command, and the outcome of each."""
    words = _OWN.get(name) or (_META if request in (META, META_STORE) else _CLASSIC)
    return {word: outcome for word, outcome in words.items() if outcome in accepted}


WORDS = tuple(_family(row.name, row.request, row.success + row.miss) for row in COMMANDS)
"""By command: the words that may answer it, errors aside, and the outcome of each."""
_WHOLE = tuple(
    {word + b"\r\n": outcome for word, outcome in words.items() if word not in (b"HD", b"ME", b"VERSION")}
    for words in WORDS
)  # the lines that say nothing more, and need not
_GIVING = frozenset(command.number for command in COMMANDS if command.reply == META_VALUE)
_METAS = frozenset(command.number for command in COMMANDS if command.request in (META, META_STORE))


class ProtocolError(Exception):
    """Raised for bytes that cannot be the reply to the request that is due: the host's stream is out of step."""


def line_outcome(line: bytes, kind: int, request: Request) -> bytes:
    """The outcome of a line, its end included, that answers the command `kind` of a request; empty where it is one of
    the many lines that answer `stats`. Raises ProtocolError where it cannot answer the command."""
    outcome = _WHOLE[kind].get(line) or error_outcome(line)
    if outcome:
        return outcome
    word, more, _ = line[:-2].partition(b" ")
    if line.endswith(b"\r\n"):
        if kind in _NUMBERS and word.isdigit() and not more:
            return o.NUMBER
        if kind == _VERSION and word == b"VERSION" and more:
            return o.TEXT
        if kind in _METAS and word in WORDS[kind]:
            check_names(line, request)
            return WORDS[kind][word]
        if COMMANDS[kind].reply == LINES and word in _LISTED and more:
            return b""
    raise ProtocolError(f"not a reply to {COMMANDS[kind].name}: {line[:60]!r}")


def check_names(line: bytes, request: Request) -> None:
    """Raises ProtocolError where the line that answers a meta command cannot be the answer to this one.

    HD and VA say the key and the opaque where, and only where, the request wants them, and mg and ma are answered VA
    where they want the value; a 'no' may leave out what it should say, as older versions of memcached do. memcached
    goes by a flag's first letter. An item is named as it was stored: where that was in base64, `mg a k` is answered
    `HD kYQ== b`, and `me a`, `ME YQ==`; `me YQ== b` is answered `ME a` (1.6.18).
    """
    word, *said = line[:-2].split(b" ")
    asked = bytes(request.data[:_LINE_MOST]).partition(b"\r\n")[0].split(b" ")
    if word == b"ME":
        right = said[:1] in ([asked[1]], [decoded(asked[1])], [base64.b64encode(asked[1])])
    else:
        named = _as_sent([flag for flag in said if flag[:1] in _NAMING], asked[1])
        due = [b"k" + asked[1] if flag[:1] == b"k" else flag for flag in asked[2:] if flag[:1] in (b"k", b"O")]
        if word in (b"HD", b"VA"):
            gives = request.commands[0] in _GIVING and any(flag[:1] == b"v" for flag in asked[2:])
            right = sorted(named) == sorted(due) and gives is (word == b"VA")
        else:
            right = all(flag in due for flag in named)
    if not right:
        raise ProtocolError(f"{line[:60]!r} in answer to {b' '.join(asked)[:60]!r}")


def _as_sent(named: List[bytes], key: bytes) -> List[bytes]:
    """The flags of a reply; where it says the key in base64, as sent. So does 1.6.18 of an item that was stored under a
    key in base64, however it is asked for."""
    in_base64 = b"k" + base64.b64encode(key)
    at = named.index(in_base64) if in_base64 in named else len(named)
    return [*named[:at], b"k" + key, *named[at + 2 :]] if named[at + 1 : at + 2] == [b"b"] else named


def error_outcome(line: bytes) -> bytes:
    """The outcome of a host's error line, empty when it is none."""
    word = line[:-2].partition(b" ")[0]
    return _ERRORS.get(word, b"") if line.endswith(b"\r\n") else b""


VALUE_LINE = rb"VALUE ([^ \n]{1,250}) \d{1,10} (\d{1,10})(?: \d{1,20})?\r\n"
value_header = re.compile(VALUE_LINE).match
"""Matches the line that begins a VALUE block: its key, and how many bytes the value has."""


def split_reply(reply: bytes, commands: bytes, outcomes: bytes) -> List[bytes]:
    """The replies to each command of a run (single-key gets and sets), cut out of the run's whole reply."""
    parts, at = [], 0
    for kind, outcome in zip(commands, outcomes):
        end = reply.index(b"\n", at) + 1
        if kind == GET and outcome == o.VALUE[0]:
            match = value_header(reply, at)
            assert match is not None
            end += int(match[2]) + len(b"\r\nEND\r\n")
        parts.append(reply[at:end])
        at = end
    return parts


def without_values(reply: Optional[WholeReply], commands: bytes, outcomes: bytes) -> Tuple[WholeReply, bytes]:
    """Returns a whole reply to a command or a run, and its outcomes, with an error in place of each large value and of
    statistics. Commands that have changed something keep their answers. `reply` is None for one that was dropped, of
    which only the outcomes are known."""
    if reply is None:
        parts: List[Any] = [_LINES_OF.get(bytes([outcome]), NO_MEMORY) for outcome in outcomes]
    elif len(commands) == 1:
        parts = [reply]
    else:
        parts = split_reply(joined(reply), commands, outcomes)
    codes = bytearray(outcomes)
    for place, (part, kind) in enumerate(zip(parts, commands)):
        is_large = reply is None or isinstance(part, list) or len(part) > _LITTLE
        if outcomes[place] in _HEAVY and is_large and COMMANDS[kind].kind != ARITHMETIC:
            parts[place], codes[place] = NO_MEMORY, o.LEFT_OUT[0]
    return parts[0] if len(parts) == 1 else b"".join(parts), bytes(codes)


def value_blocks(reply: bytes) -> Iterator[Tuple[bytes, bytes]]:
    """(key, VALUE block) for each value in a whole reply to a get."""
    at = 0
    while True:
        match = value_header(reply, at)
        if match is None:
            return
        end = match.end() + int(match[2]) + 2
        yield match[1], reply[at:end]
        at = end
