"""Byte streams over sockets: what a read says of what is left, and that a closed stream touches no descriptor."""

import os
import socket

import pytest

from mcrouter.engine.poller import ERR, HUP, IN, OUT, PRI, RDHUP
from mcrouter.engine.stream import NO_STREAM, SocketStream

SIZE = 100


def tcp_pair():
    """Two ends of a TCP connection, the first of which does not block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other = listener.accept()[0]
    one.setblocking(False)
    return one, other


@pytest.fixture
def tcp():
    one, other = tcp_pair()
    stream = SocketStream(one)
    with other:
        yield stream, other
        fd = stream.detach()
        if fd >= 0:
            os.close(fd)


def arrives(stream, other, data):
    """Sends data, and waits until all of it has arrived."""
    other.sendall(data)
    stream.sock.setblocking(True)
    assert stream.sock.recv(len(data), socket.MSG_PEEK | socket.MSG_WAITALL) == data
    stream.sock.setblocking(False)


@pytest.mark.parametrize(
    ("count", "mask", "drained"),
    [
        (SIZE - 1, IN, True),
        (SIZE - 1, IN | OUT, True),
        (SIZE, IN, False),  # there may be more
        (SIZE + 1, IN, False),
        (1, IN | RDHUP, False),  # the end is not reported again
        (1, IN | HUP, False),
        (1, IN | ERR, False),
        (1, IN | PRI, False),  # the read may have ended at the urgent byte
    ],
)
def test_a_short_read_of_tcp_proves_that_nothing_is_left_unless_the_report_says_more(tcp, count, mask, drained):
    stream, other = tcp
    arrives(stream, other, b"x" * count)
    assert stream.read(SIZE, mask) == (b"x" * min(count, SIZE), drained)


def test_where_there_is_nothing_that_is_no_error(tcp):
    stream, _ = tcp
    assert stream.read(SIZE, IN) == stream.read(SIZE, IN | RDHUP) == (None, True)
    with pytest.raises(BlockingIOError):
        stream.recv(SIZE)


def test_the_end_is_an_empty_read(tcp):
    stream, other = tcp
    other.shutdown(socket.SHUT_WR)
    stream.sock.setblocking(True)
    assert stream.read(SIZE, IN | RDHUP)[0] == b""


def test_a_short_read_of_a_unix_socket_proves_nothing():
    """A read ends behind bytes that came with a descriptor, and no report says so."""
    one, other = socket.socketpair()
    one.setblocking(False)
    stream = SocketStream(one)
    with other:
        other.send(b"x")
        assert stream.read(SIZE, IN) == (b"x", False)
        assert stream.read(SIZE, IN) == (None, True)
        os.close(stream.detach())


def test_what_is_shut_down_is_at_its_end_for_the_other_side(tcp):
    stream, other = tcp
    assert stream.write([b"a", b"b"]) == b"" and stream.write_pieces([b"c", b"d"]) == []
    stream.shutdown()
    with other.makefile("rb") as file:
        assert file.read() == b"abcd"


def test_a_connection_that_was_refused_tells_its_error_once():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        name = listener.getsockname()
    sock = socket.socket()
    sock.settimeout(5.0)
    stream = SocketStream(sock)
    with pytest.raises(ConnectionRefusedError):
        sock.connect(name)
    assert stream.take_error() == 0  # connect() has taken it
    os.close(stream.detach())


def test_a_closed_stream_touches_no_descriptor_of_others(tcp):
    """The kernel gives the number of a closed descriptor to the next that is opened."""
    stream, other = tcp
    fd = stream.detach()
    assert fd >= 0 and stream.fd == -1 and stream.sock is None
    for call in (lambda: stream.recv(1), lambda: stream.read(1, IN), lambda: stream.write([b"x"]), lambda: stream.write_pieces([b"x"])):
        with pytest.raises(OSError):
            call()
    stream.shutdown()
    assert stream.take_error() == 0 and stream.detach() == -1
    os.close(fd)
    assert other.recv(1) == b""


def test_a_stream_over_no_socket_is_closed():
    assert NO_STREAM.fd == -1
    with pytest.raises(OSError):
        NO_STREAM.recv(1)
