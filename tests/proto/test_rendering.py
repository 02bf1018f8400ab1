"""What a client sees of a reply; and that memcached, asked with the client's own line, says the same."""

import socket

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.client.lines import read_line
from mcrouter.proto.client.rendering import Rendering
from tests.support.processes import Memcached

from .feeding import cut, request

KEY = Rendering(key=b" kYQ== b", before=b"cO")
SHOWN = [
    (b"HD\r\n", b"HD kYQ== b\r\n"),
    (b"HD t5\r\n", b"HD kYQ== b t5\r\n"),
    (b"HD c7 t5\r\n", b"HD c7 kYQ== b t5\r\n"),
    (b"HD Ocat t5\r\n", b"HD Ocat kYQ== b t5\r\n"),
    (b"VA 3 c7 O1 t5 W\r\n k\r\n", b"VA 3 c7 O1 kYQ== b t5 W\r\n k\r\n"),
    (b"VA 0\r\n\r\n", b"VA 0 kYQ== b\r\n\r\n"),
    (b"EN\r\n", b"EN kYQ== b\r\n"),
    (b"EN O1\r\n", b"EN O1 kYQ== b\r\n"),
    (b"NS O1\r\n", b"NS O1 kYQ== b\r\n"),
    (b"EX\r\n", b"EX kYQ== b\r\n"),
    (b"NF\r\n", b"NF kYQ== b\r\n"),
    (b"ERROR\r\n", b"ERROR\r\n"),
    (b"CLIENT_ERROR HD\r\n", b"CLIENT_ERROR HD\r\n"),
    (b"SERVER_ERROR out of memory\r\n", b"SERVER_ERROR out of memory\r\n"),
    (b"NS_ERROR\r\n", b"NS_ERROR\r\n"),
]


@pytest.mark.parametrize(("reply", "expected"), SHOWN)
def test_a_key_is_put_back(reply, expected):
    assert KEY.shown(reply, o.HEADER) == expected
    assert KEY.shown(memoryview(reply), o.HEADER) == expected
    for at in range(1, len(reply)):
        assert b"".join(KEY.shown([reply[:at], reply[at:]], o.HEADER)) == expected


def test_nothing_is_done_to_others():
    hides = Rendering(hidden=o.MISS)
    reply = [b"VA 1\r\n", b"x\r\n"]
    assert hides.shown(reply, o.VALUE) is reply
    assert hides.shown(b"EN\r\n", o.MISS) == b""


@pytest.fixture(scope="module")
def port():
    memcached = Memcached().start()
    yield memcached.port
    memcached.stop()


def ask(port, data):
    """What memcached says to a command."""
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(data + b"mn\r\n")
        got = b""
        while not got.endswith(b"MN\r\n"):
            got += sock.recv(65536)
    return got[: -len(b"MN\r\n")]


FLAGS = [b"b k", b"k b", b"b O1 k", b"k O1 b", b"O1 b k s", b"t b k O1", b"b t s k f O9", b"s f k t b O9", b"b k q", b"O1 q k b"]
VERBS = [b"mg %b", b"mg %b v", b"mg %b I", b"md %b C1", b"md %b I T100", b"ms %b 3", b"ms %b 3 ME", b"ms %b 3 C1", b"ms %b 3 MR", b"ma %b", b"ma %b v N0"]
KEYS = [b"Zm9v", b"Zm8=", b"Zm9=", b"DQpWQUxVRSBhIDAgMQ0KeA0KRU5EDQo="]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("there", [b"", b"abc", b"7"])
def test_memcached_puts_it_there_too(port, verb, key, there):
    """The line without `k`, its reply rendered, is the reply to the line as the client sent it."""
    for flags in FLAGS:
        line = verb % key + b" " + flags
        read = read_line(line)
        assert b" k" not in read.wire
        data = b"abc\r\n" if read.size >= 0 else b""
        answers = []
        for asked in (line + b"\r\n" + data, read.wire + data):
            ask(port, b"md %b b\r\n" % key)
            if there:
                ask(port, b"ms %b %d b\r\n%b\r\n" % (key, len(there), there))
            answers.append(ask(port, asked))
        if verb.endswith(b"N0") and not there:
            continue  # of what it makes so, memcached 1.6.18 puts the key's bytes into the answer
        (reply,) = cut([request(read.wire + data)], [answers[1]])
        assert read.rendering.shown(reply.data, reply.outcomes) == answers[0], line
