"""A request of the binary protocol gets one error in that protocol, as memcached words one; text is never taken for it."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcrouter.proto.request import ANSWERED, CLOSE
from mcrouter.testing import cluster
from tests.support.processes import DEADLINE
from tests.support.wire import Wire

from .feeding import ClientFeed, bytewise

HEADER = struct.Struct("!BBHBBHLLQ")
OPAQUE = 0x0A0D2020  # a line's end, if it were text


def binary(opcode, key=b"", extras=b"", value=b"", opaque=OPAQUE):
    """A request, by memcached's doc/protocol-binary.xml."""
    size = len(extras) + len(key) + len(value)
    return HEADER.pack(0x80, opcode, len(key), len(extras), 0, 0, size, opaque, 0) + extras + key + value


REQUESTS = {
    "get": binary(0, b"key"),
    "set": binary(1, b"key", bytes(8), b"get a\r\nget b\r\n"),
    "incr": binary(5, b"key", bytes(20)),
    "noop": binary(10),
    "version": binary(11),
    "sasl list": binary(0x20),
    "quiet gets": binary(9, b"a") + binary(9, b"b") + binary(10),
}


def check(requests, opcode):
    """One request that closes, behind an error that fits."""
    (request,) = requests
    assert request.commands == CLOSE
    magic, answered, key, extras, kind, status, size, opaque, cas = HEADER.unpack_from(request.data)
    assert (magic, answered, key, extras, kind, status, opaque, cas) == (0x81, opcode, 0, 0, 0, 0x81, OPAQUE, 0)
    assert request.data[HEADER.size :].startswith(b"the binary protocol is not spoken here; ")
    assert len(request.data) == HEADER.size + size


@pytest.mark.parametrize("name", REQUESTS)
def test_it_is_told_so_and_closed(name):
    data = REQUESTS[name]
    feed = ClientFeed()
    feed.received(data)
    check(feed.requests, data[1])


def test_a_header_may_come_in_pieces():
    feed = ClientFeed()
    for piece in bytewise(binary(0, b"key", opaque=1)):
        feed.received(piece)
    assert [request.commands for request in feed.requests] == [CLOSE]


@given(
    opcode=st.integers(0, 255), key=st.binary(max_size=250), extras=st.binary(max_size=20), value=st.binary(max_size=99)
)
def test_whatever_it_holds(opcode, key, extras, value):
    feed = ClientFeed()
    feed.received(binary(opcode, key, extras, value))
    check(feed.requests, opcode)


@given(st.text("\x80 aget0123456789", max_size=60))
def test_a_line_that_begins_with_that_byte_is_text(line):
    feed = ClientFeed()
    feed.received(b"\x80%b\r\nget key\r\n" % line.encode("latin-1"))
    unknown, get = feed.requests
    assert (unknown.commands, unknown.data, get.data) == (ANSWERED, b"ERROR\r\n", b"get key\r\n")


def test_memcached_words_an_unknown_command_alike(memcacheds):
    """The same header for what it does not know: its text alone is another."""
    (host,) = memcacheds(1)
    feed = ClientFeed()
    feed.received(binary(0x7F))
    ours = feed.requests[0].data
    with socket.create_connection(("127.0.0.1", host.port), DEADLINE) as wire:
        wire.sendall(binary(0x7F))
        theirs = wire.recv(1 << 16)
    assert HEADER.unpack_from(theirs)[:6] == HEADER.unpack_from(ours)[:6]
    assert HEADER.unpack_from(theirs)[7:] == HEADER.unpack_from(ours)[7:]


def test_a_client_is_answered_what_it_asked_before_and_hung_up_on():
    with cluster(1) as cache, Wire(cache.port) as wire:
        wire.send(b"set a 0 0 1\r\n1\r\nget a\r\n" + binary(0, b"a") + b"get a\r\n")
        answer = wire.read_to_close()
    text, mark, error = answer.partition(b"\x81")
    assert text == b"STORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n"
    assert mark and error.endswith(b"meta commands")
