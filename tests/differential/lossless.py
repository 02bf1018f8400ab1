"""What memcached answers to a stream when none of its answers are lost: the measure for the router, byte for byte.

memcached throws away what it has collected, but not yet sent, where it hangs up, where the stream ends inside a data
block and before a get with a key of more than 250 bytes. So there it is given time: the stream is sent in parts, each
followed by a command with a known answer, which is awaited. And a line of more than 2048 bytes, its end included, that is
no get closes the connection if it comes in pieces, or is answered if one read brings it: either is memcached's.
"""

import itertools
import re
import socket
from typing import List, NamedTuple, Sequence, Tuple

from mcrouter.proto.client.lines import BAD_CHUNK, BAD_FORMAT, MAX_LINE, may_be_long
from mcrouter.proto.client.parser import RequestParser
from mcrouter.proto.request import ANSWERED, CLOSE, Request
from mcrouter.proto.runs import request_patterns
from tests.differential.harness import DEADLINE, block, is_store, is_swallowed, normal, split

_PATIENCE = 6 * DEADLINE  # seconds; memcached looks at a line of 1 MB anew with each read, and reads may be small
_SECONDS = 5  # that two servers may be apart
_TIME = re.compile(rb"(?<= [tl])\d+(?=[ \r])")
_NUMBER = itertools.count()


class Course(NamedTuple):
    """How a stream goes: its parts, which of them begin with a long line, and whether the server closes at its end."""

    parts: List[bytes]
    long: List[bool]
    closes: bool


def course(data: bytes, follows: bool = True) -> Course:
    """Cuts a stream where memcached may lose answers, as the router's parser sees it; where that is wrong, so is the
    router, and the answers will differ.

    `follows`: as differences.py says, a refused store's data is not given to the server, which would take it for commands,
    and where it has no length, the stream ends there. The server gets to the end of what it swallows itself.
    """
    parser, at = RequestParser(Request, request_patterns()), 0
    places, long = [0], [False]
    closes = False
    dropped: List[Tuple[int, int]] = []
    while at < len(data) and not closes:
        request = parser.next(data, at, None, 1)
        line = data[at : data.find(b"\n", at) + 1 or len(data)]
        is_long = len(line) > MAX_LINE and not may_be_long(line[:200])
        closes = request is not None and request.commands == CLOSE
        if request is None or closes or request.data == BAD_FORMAT or is_long:
            places.append(at)
            long.append(is_long)
        if follows and request is not None and request.commands in (CLOSE, ANSWERED) and is_store(line):
            if closes:
                data = data[: at + len(line)]
            elif request.data != BAD_CHUNK and not is_swallowed(line):
                dropped.append((at + len(line), parser.at))
            elif not parser.at_boundary():  # memcached answers behind the data, the router at once
                data = data.ljust(at + len(line) + block(line))
                break
        if request is None:
            break
        at = parser.at
    kept = bytearray(b"\1" * len(data))
    for begin, end in dropped:
        kept[begin:end] = bytes(end - begin)
    parts = [bytes(itertools.compress(data[a:b], kept[a:b])) for a, b in zip(places, [*places[1:], len(data)])]
    return Course(parts, long, closes)


def talk(port: int, way: Course, cuts: Sequence[int]) -> List[bytes]:
    """The answers that memcached may give: what it said, and what it had said before each line that was long."""
    said, before_long = b"", []
    with socket.create_connection(("127.0.0.1", port), _PATIENCE) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for number, (part, long) in enumerate(zip(way.parts, way.long)):
                if long:
                    before_long.append(said)
                last = number == len(way.parts) - 1
                for piece in [part] if long else split(part, cuts):
                    sock.sendall(piece)
                answer, closed = _until_end(sock) if last else _until_mark(sock)
                said += answer
                if closed:
                    break
        except ConnectionError:
            pass
    return [said, *before_long]


def _until_mark(sock: socket.socket) -> Tuple[bytes, bool]:
    """(what is answered to all that was sent, whether it has hung up)."""
    number = next(_NUMBER)
    sock.sendall(b"ms mark 1 O%d\r\nx\r\n" % number)
    mark, got = b"HD O%d\r\n" % number, b""
    while not got.endswith(mark):
        more = _receive(sock)
        if not more:
            return got, True
        got += more
    return got[: -len(mark)], False


def _until_end(sock: socket.socket) -> Tuple[bytes, bool]:
    got = b""
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it has hung up; what it said counts
    while True:
        more = _receive(sock)
        if not more:
            return got, True
        got += more


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(1 << 20)
    except ConnectionError:
        return b""


def equal(one: bytes, other: bytes) -> bool:
    """Whether two answers are the same but for what differs from one server, or one second, to the next."""
    one, other = normal(one), normal(other)
    if one == other:
        return True
    times = [list(map(int, _TIME.findall(answer))) for answer in (one, other)]
    return _TIME.sub(b"", one) == _TIME.sub(b"", other) and all(abs(a - b) <= _SECONDS for a, b in zip(*times))
