"""Writing many pieces: what arrives is what was given, whatever the kernel takes at once."""

import socket

import pytest

from mcrouter.engine.writing import write_pieces


@pytest.fixture
def pair():
    one, two = socket.socketpair()
    with one, two:
        one.setblocking(False)
        yield one, two


@pytest.mark.parametrize(
    "pieces",
    [
        [b"a"],
        [b"a", b"bc"],
        [b"%d " % number for number in range(200_000)],  # more than a vector takes, and than a socket takes
        [b"x" * 40_000, memoryview(b"y" * 40_000)] * 100,
        [b"x" * 3_000_000],
        [b"x" * 1500] * 5000,
        [b"a"] * 2000 + [b"b" * 100_000] * 20,
    ],
    ids=["one", "two", "small", "large", "huge", "middle", "mixed"],
)
def test_all_arrives_in_order(pair, pieces):
    writer, reader = pair
    expected, got = b"".join(pieces), b""
    while pieces:
        pieces = write_pieces(writer.fileno(), pieces)
        assert all(pieces), "no piece is empty"
        got += reader.recv(len(expected))
    writer.shutdown(socket.SHUT_WR)
    while True:
        data = reader.recv(1 << 20)
        if not data:
            break
        got += data
    assert got == expected


def test_pieces_that_are_left_are_not_copied(pair):
    writer, _ = pair
    piece = b"x" * 100_000
    left = write_pieces(writer.fileno(), [piece] * 3000)
    assert len(left) > 2000
    assert all(one is piece for one in left[1:])


def test_a_broken_connection_raises(pair):
    writer, reader = pair
    reader.close()
    with pytest.raises(OSError):
        write_pieces(writer.fileno(), [b"a" * 50_000] * 2)
