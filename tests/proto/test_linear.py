"""What the parser and the cutter do is linear in the bytes, however they come: work is counted, not timed.

Work is what Python is called for, and the bytes that are looked at: those that `find` and slices of the stream go over,
and those that patterns are matched against. Four times the bytes may make four times the work, and a byte is looked at
but so often.
"""

import random
import re
import sys
from types import SimpleNamespace

import pytest

from mcrouter.proto import replies, runs
from mcrouter.proto.client import lines, parser
from mcrouter.proto.host import reply_cutter

from .feeding import PLANS, ClientFeed, HostFeed, Watched

SMALL, TIMES = 1 << 13, 4
TEN_MEGABYTES = 10 << 20


class Work:
    """Calls made, bytes looked at."""

    def __init__(self):
        self.calls = self.looked = 0

    def counted(self, function):
        """A pattern's `match` or `findall` that counts what it went over: up to its match's end, else one line."""

        def call(data, at=0, *end):
            found = function(data, at, *end)
            last = end[0] if end else found.end() if found else bytes.find(data, b"\n", at) + 1 or len(data)
            self.looked += last - at
            return found

        return call

    def compile(self, *args):
        pattern = re.compile(*args)
        return SimpleNamespace(**{name: self.counted(getattr(pattern, name)) for name in ("match", "fullmatch", "findall")})

    def stream(self, data):
        """`data`, whose methods count."""
        work = self

        class Stream(bytes):
            def find(self, what, at=0):
                found = bytes.find(self, what, at)
                work.looked += (len(self) if found < 0 else found) - at
                return found

            def __getitem__(self, place):
                got = bytes.__getitem__(self, place)
                work.looked += len(got) if isinstance(place, slice) else 1
                return got

        return Stream(data)

    def profile(self, frame, event, function):
        self.calls += event in ("call", "c_call")


@pytest.fixture
def new_work(monkeypatch):
    """Makes counters; every pattern of the modules counts for the newest."""
    patterns = [
        (module, name, value)
        for module in (lines, replies, reply_cutter, parser)
        for name, value in vars(module).items()
        if isinstance(getattr(value, "__self__", None), re.Pattern)
    ]
    assert patterns

    def make():
        work = Work()
        for module, name, function in patterns:
            monkeypatch.setattr(module, name, work.counted(function))
        monkeypatch.setattr(runs, "re", SimpleNamespace(compile=work.compile))
        return work

    return make


class Client(ClientFeed):
    def __init__(self, work):
        super().__init__(PLANS[-1], patterns=runs.request_patterns())
        self.work = work

    def _parse(self, data):
        super()._parse(self.work.stream(data))


class Host(HostFeed):
    def __init__(self, work, asked):
        super().__init__(asked, runs.reply_patterns())
        work.looked = 0
        cutter = self.stream._cutter
        self.stream._cutter = Watched(cutter, lambda data, *rest: cutter.cut(work.stream(data), *rest))


def feed(work, into, data, size):
    """Gives it the data in reads of that size."""
    sys.setprofile(work.profile)
    try:
        for at in range(0, len(data), size):
            into.received(data[at : at + size])
    finally:
        sys.setprofile(None)
    return into


def lot(unit):
    """So many of the unit as make about so many bytes."""
    return lambda size: unit * (size // len(unit) + 1)


RANDOM = random.Random(1)
GARBAGE = bytes(RANDOM.choice(b" \r\n\0getsam0123456789") for _ in range(1 << 20))
STREAMS = {  # (what comes, in reads of, how often a byte may be looked at)
    "newlines": (lot(b"\n"), 4096, 8),
    "line ends": (lot(b"\r\n"), 4096, 8),
    "blanks": (lot(b" " * 2047 + b"\n"), 4096, 8),
    "blanks before a get": (lot(b" " * 100 + b"get a\r\n"), 4096, 8),
    "lines as long as may be, byte by byte": (lot(b"x" * 2047 + b"\n"), 1, 4000),
    "blanks, byte by byte": (lot(b" " * 2047 + b"\n"), 1, 4000),
    "gets, byte by byte": (lot(b"get a\r\n"), 1, 40),
    "a get of many keys": (lambda size: b"get" + b" k" * (size // 2) + b"\r\n", 100, 100),
    "a get of many keys, ended by LF": (lambda size: b"get" + b" k" * (size // 2) + b"\n", 100, 100),
    "a get of long keys, ended by LF": (lambda size: b"get" + (b" " + b"k" * 250) * (size // 251) + b"\n", 4096, 8),
    "a get of a key too long": (lambda size: b"get " + b"k" * size + b"\r\n", 100, 100),
    "gets of one-letter keys": (lot(b"get" + b" k" * 1000 + b"\n"), 4096, 8),
    "gets in runs": (lot(b"get a\r\n"), 4096, 8),
    "gets and sets in runs": (lot(b"get a\r\nset a 0 0 1\r\nx\r\n"), 4096, 8),
    "sets with a wrong end": (lot(b"set a 0 0 1\r\nxyz"), 4096, 8),
    "sets with an end a byte too late": (lot(b"get a\r\nset a 0 0 1\r\nxy\r\n"), 4096, 8),
    "sets of lines that are sets": (lot(b"set a 0 0 13\r\nset a 0 0 13\r\n\r\n"), 4096, 8),
    "a value, byte by byte": (lambda size: b"set a 0 0 %d\r\n%b\r\n" % (size, b"\n" * size), 1, 16),
    "a value with a wrong end, byte by byte": (lambda size: b"set a 0 0 %d\r\n%b" % (size, b"\n" * (size + 2)), 1, 16),
    "a slow value, byte by byte": (lambda size: b"set  a 0 0 %d\r\n%b\r\n" % (size, b"\n" * size), 1, 16),
    "a meta value": (lambda size: b"ms a %d\r\n%b\r\n" % (size, b"\n" * size), 7, 16),
    "many words": (lot(b"ab" + b" a" * 1000 + b"\r\n"), 4096, 8),
    "flags": (lot(b"mg a" + b" v" * 1000 + b"\r\n"), 4096, 8),
    "zeros": (lot(b"incr a " + b"0" * 2000 + b"\r\n"), 4096, 8),
    "zeros that are no number": (lot(b"incr a " + b"0" * 2000 + b"x\r\n"), 4096, 8),
    "white space that is no number": (lot(b"incr a " + b"\t" * 2000 + b"\r\n"), 4096, 8),
    "lines that are not HTTP": (lot(b"POST" + b" x" * 1000 + b" HTTP/1.1\r\n"), 4096, 8),
    "garbage": (lambda size: GARBAGE[:size], 4096, 8),
    "garbage, byte by byte": (lambda size: GARBAGE[:size], 1, 100),
}  # fmt: skip


def client_work(work, name, size):
    make, read, most = STREAMS[name]
    data = make(size)
    done = feed(work, Client(work), data, read)
    assert not done.closed and (done.requests or done.rest())
    assert work.looked <= most * len(data)
    return work


@pytest.mark.parametrize("name", STREAMS)
def test_requests(new_work, name):
    one, more = (client_work(new_work(), name, size) for size in (SMALL, TIMES * SMALL))
    assert more.calls <= 1.1 * TIMES * one.calls + 100
    assert more.looked <= 1.1 * TIMES * one.looked + 4096


TEN = {
    "lines as long as may be": b"x" * 2046 + b"\r\n",
    "blanks": b" " * 2047 + b"\n",
    "gets of many keys": b"get" + b" k" * 500_000 + b"\r\n",
    "gets of many keys, ended by LF": b"get" + b" k" * 500_000 + b"\n",
    "gets of a key too long": b"get " + b"k" * (1 << 20) + b"\r\n",
    "values with a wrong end": b"set a 0 0 65536\r\n" + b"\n" * 65538,
    "values that are lines": b"set a 0 0 100000\r\n" + b"get a\r\nget b\n\r\n\n" * 6250 + b"\r\n",
    "zeros": b"incr a " + b"0" * 2000 + b"\r\n",
    "many words": b"ab" + b" a" * 1000 + b"\r\n",
    "flags": b"mg a" + b" v" * 1000 + b"\r\n",
    "lines that are not HTTP": b"POST" + b" x" * 1000 + b" HTTP/1.1\r\n",
    "meta stores": b"ms a 30000 q\r\n" + b"\0" * 30002,
}


@pytest.mark.parametrize("name", TEN)
def test_ten_megabytes(new_work, name):
    work, data = new_work(), lot(TEN[name])(TEN_MEGABYTES)
    client = Client(work)
    for at in range(0, len(data), 65536):
        client.received(data[at : at + 65536])
    assert client.requests and not client.closed
    assert work.looked <= 8 * len(data)
    assert client.calls <= len(client.requests) + len(data) // 65536 + 2


VALUE, VALUES = b"VALUE a 0 1\r\nx\r\n", b"VALUE a 0 %d\r\n%b\r\n"
REPLIES = {  # (what is asked, what is answered, in reads of, how often a byte may be looked at)
    "values": (lambda n: (b"get" + b" a" * n, VALUE * n + b"END\r\n"), 4096, 8),
    "values, byte by byte": (lambda n: (b"get" + b" a" * n, VALUE * n + b"END\r\n"), 1, 40),
    "values of many sizes": (lambda n: (b"get" + b" a" * n, b"".join(VALUES % (i % 300, b"x" * (i % 300)) for i in range(n)) + b"END\r\n"), 4096, 8),
    "a value, byte by byte": (lambda n: (b"get a", b"VALUE a 0 %d\r\n%b\r\nEND\r\n" % (n, b"\n" * n)), 1, 16),
    "a meta value, byte by byte": (lambda n: (b"mg a v", b"VA %d\r\n%b\r\n" % (n, b"\n" * n)), 1, 16),
    "statistics": (lambda n: (b"stats", b"STAT a 1\r\n" * n + b"END\r\n"), 4096, 8),
    "statistics, byte by byte": (lambda n: (b"stats", b"STAT a 1\r\n" * n + b"END\r\n"), 1, 40),
    "hits in runs": (lambda n: (b"get a\r\n" * (n - 1) + b"get a", (VALUE + b"END\r\n") * n), 4096, 8),
    "hits in runs, byte by byte": (lambda n: (b"get a\r\n" * (n - 1) + b"get a", (VALUE + b"END\r\n") * n), 1, 200),
    "misses in runs": (lambda n: (b"get a\r\n" * (n - 1) + b"get a", b"END\r\n" * n), 4096, 8),
    "errors": (lambda n: (b"get a\r\n" * (n - 1) + b"get a", b"SERVER_ERROR busy\r\n" * n), 4096, 8),
    "long errors": (lambda n: (b"delete a\r\n" * (n - 1) + b"delete a", (b"SERVER_ERROR %b\r\n" % (b"x" * 300)) * n), 100, 8),
}  # fmt: skip


def host_work(work, name, count):
    make, read, most = REPLIES[name]
    asked, answer = make(count)
    client = ClientFeed(PLANS[-1])
    client.received(asked + b"\r\n")
    done = feed(work, Host(work, client.requests), answer, read)
    assert b"".join(reply.data for reply in done.replies) == answer
    assert work.looked <= most * len(answer)
    return work


@pytest.mark.parametrize("name", REPLIES)
def test_replies(new_work, name):
    one, more = (host_work(new_work(), name, count) for count in (500, TIMES * 500))
    assert more.calls <= 1.1 * TIMES * one.calls + 100
    assert more.looked <= 1.1 * TIMES * one.looked + 4096
