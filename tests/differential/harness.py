"""The router before one memcached beside another memcached: the same bytes in, the same bytes and closing out.

A stream is sent in given pieces, then the client's side is shut down; both must answer the same up to the end of file.
Cas uniques are compared by order of appearance (meta hits and `gets` carry them), `stats`, `version`, `me` and times
are left aside.
"""

import re
import socket
from typing import Dict, List, Sequence

from mcrouter.proto.client.lines import MAX_KEY, read_line
from mcrouter.proto.client.parser import RequestParser
from mcrouter.proto.commands import COMMANDS, META_STORE, STORE, STORE_CAS
from mcrouter.proto.request import ANSWERED, CLOSE, Request
from mcrouter.proto.runs import request_patterns

DEADLINE = 4.0
_CAS = re.compile(rb"^(VALUE [^ \n]+ \d+ \d+ )(\d+)(?=\r\n)|(?<= c)(\d+)(?=[ \r])", re.M)
_STORES = frozenset(command.verb for command in COMMANDS if command.request in (STORE, STORE_CAS, META_STORE))
_MOST_TOKENS = 19  # of `ms`; memcached does not swallow the data of a line with more
_ASIDE = (
    (re.compile(rb"^STAT .*?\r\n", re.M | re.S), b""),
    (re.compile(rb"^VERSION .*?\r\n", re.M), b"VERSION\r\n"),
    (re.compile(rb"^ME .*?\r\n", re.M), b"ME\r\n"),
)


def talk(port: int, pieces: Sequence[bytes], shut: bool = True) -> bytes:
    """Everything that is answered up to the end of file; a reset counts as the end. Unless it is to `shut` its side, the
    other one has to close by itself."""
    got: List[bytes] = []
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                sock.sendall(piece)
            if shut:
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has closed early; what it said counts
        try:
            while True:
                data = sock.recv(65536)
                if not data:
                    break
                got.append(data)
        except ConnectionError:
            pass
    return b"".join(got)


def normal(answer: bytes) -> bytes:
    """The answer without what may differ between two servers."""
    for pattern, instead in _ASIDE:
        answer = pattern.sub(instead, answer)
    seen: Dict[bytes, bytes] = {}

    def name(match: "re.Match[bytes]") -> bytes:
        head, unique = match[1] or b"", match[2] or match[3]
        return head + seen.setdefault(unique, b"cas%d" % len(seen))

    return _CAS.sub(name, answer)


def split(data: bytes, cuts: Sequence[int]) -> List[bytes]:
    """`data` in pieces, cut at these places."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in zip(places, places[1:]) if a < b]


def may_lose(data: bytes) -> bool:
    """Whether memcached may lose answers that were due: where it hangs up (an HTTP line, a line too long) and where the
    stream ends inside a data block, it closes without having written what it had collected."""
    if b"HTTP/" in data or max(map(len, data.split(b"\n"))) > 2048:
        return True
    at = 0
    while at < len(data):
        parser = RequestParser(Request, request_patterns())
        request = parser.next(data, at, None, 1)
        line = data[at : data.find(b"\n", at) + 1]
        if request is None or not parser.at_boundary():
            return parser.need > 0 or request is not None
        if request.commands in (ANSWERED, CLOSE) and is_store(line) and not is_swallowed(line):
            at += len(line)
        elif request.commands == CLOSE:
            break
        else:
            at = parser.at
    return False


def is_store(line: bytes) -> bool:
    """Whether a line, to a NUL, begins like a store."""
    verb = line.partition(b"\0")[0].split()[:1]
    return bool(verb) and verb[0] in _STORES


def is_swallowed(line: bytes) -> bool:
    """Whether memcached 1.6.18, too, swallows the data of this line, which it refuses: where the flags of `ms` are wrong,
    and where the block does not end as it should."""
    line = line[: -2 if line.endswith(b"\r\n") else -1]
    tokens = [token for token in line.partition(b"\0")[0].split(b" ") if token]
    if tokens[0] == b"ms":
        return len(tokens[1]) <= MAX_KEY and len(tokens) <= _MOST_TOKENS
    return read_line(line).kind >= 0


def block(line: bytes) -> int:
    """How many bytes follow the line of a store, their end included."""
    return read_line(line[: -2 if line.endswith(b"\r\n") else -1]).size + 2
