"""Writing many pieces: what arrives is what was given, whatever the kernel takes at once."""

import socket

import pytest

from mcrouter.engine.writing import write, write_pieces


@pytest.fixture
def pair():
    one, two = socket.socketpair()
    with one, two:
        one.setblocking(False)
        yield one, two


def rest(writer, reader):
    """All that is still to be read of what was written."""
    writer.shutdown(socket.SHUT_WR)
    with reader.makefile("rb") as stream:
        return stream.read()


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
    assert got + rest(writer, reader) == expected


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


@pytest.mark.parametrize("size", [1, 100, 32_767, 32_768, 70_000, 3_000_000])
@pytest.mark.parametrize("count", [1, 2, 3, 999, 1001])
def test_what_the_kernel_does_not_take_is_left_in_one_piece(pair, size, count):
    writer, reader = pair
    pieces = [bytes([65 + number % 26]) * max(1, size // count) for number in range(count)]
    expected, got = b"".join(pieces), b""
    left = write(writer.fileno(), list(pieces))
    assert isinstance(left, bytes)
    while left:
        got += reader.recv(1 << 20)
        left = write(writer.fileno(), [left])
    assert got + rest(writer, reader) == expected


@pytest.mark.parametrize("pieces", [[b"a"], [b"a", b"b"], [b"a" * 20_000, b"b" * 20_000], [b"a"] * 2000])
def test_a_kernel_that_takes_nothing_leaves_all_of_it(pair, pieces):
    writer, _ = pair
    while not write(writer.fileno(), [b"x" * 1000]):
        pass
    with pytest.raises(BlockingIOError):
        writer.send(b"x" * 100_000)
    assert write(writer.fileno(), list(pieces)) == b"".join(pieces)
    assert b"".join(write_pieces(writer.fileno(), list(pieces))) == b"".join(pieces)
