"""Writing many pieces: what arrives is what was given, whatever the kernel takes at once."""

import socket

import pytest

from mcrouter.engine import writing as module
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


# which system call ------------------------------------------------------------------------------------------------------


@pytest.fixture
def calls(monkeypatch):
    """The system calls that are made, which take everything: (name, bytes, pieces)."""
    seen = []
    monkeypatch.setattr(module.os, "write", lambda fd, data: seen.append(("write", len(data), 1)) or len(data))
    monkeypatch.setattr(module.os, "writev", lambda fd, data: seen.append(("writev", sum(map(len, data)), len(data))) or seen[-1][1])
    return seen


LARGE = module._WORTH


@pytest.mark.parametrize(("sizes", "expected"), [
    ([5], [("write", 5, 1)]),
    ([LARGE * 3], [("write", LARGE * 3, 1)]),
    ([5, 6], [("write", 11, 1)]),
    ([LARGE - 2, 1], [("write", LARGE - 1, 1)]),
    ([LARGE - 1, 1], [("writev", LARGE, 2)]),
    ([100] * 1000, [("writev", 100_000, 1000)]),
    ([100] * 1001, [("write", 100_100, 1)]),
])  # fmt: skip
def test_small_pieces_are_put_together_and_large_ones_written_as_they_are(calls, sizes, expected):
    assert write(99, [b"x" * size for size in sizes]) == b""
    assert calls == expected


@pytest.mark.parametrize(("sizes", "expected"), [
    ([5], [("write", 5, 1)]),
    ([5, 6], [("write", 11, 1)]),
    ([LARGE - 1, 1], [("writev", LARGE, 2)]),
    ([100] * 100, [("write", 10_000, 1)]),
    ([1023] * 100, [("write", 102_300, 1)]),
    ([1024] * 100, [("writev", 102_400, 100)]),
    ([2000] * 1000, [("writev", 2_000_000, 1000)]),
    ([2000] * 1001, [("writev", 2_000_000, 1000), ("write", 2000, 1)]),
    ([2000] * 2100, [("writev", 2_000_000, 1000)] * 2 + [("writev", 200_000, 100)]),
])  # fmt: skip
def test_pieces_are_written_a_thousand_at_a_time(calls, sizes, expected):
    assert write_pieces(99, [b"x" * size for size in sizes]) == []
    assert calls == expected


@pytest.mark.parametrize("sent", [0, 1, 3, 4, 5, 7])
def test_what_is_left_of_pieces_begins_where_the_kernel_stopped(monkeypatch, sent):
    pieces = [b"abc", b"defg", b"h"]
    monkeypatch.setattr(module, "_WORTH", 0)
    monkeypatch.setattr(module, "_SMALL", 0)
    monkeypatch.setattr(module.os, "writev", lambda fd, data: sent)
    left = write_pieces(99, pieces)
    assert b"".join(left) == b"abcdefgh"[sent:]
    assert left[-1] == b"h"
    assert write(99, pieces) == b"abcdefgh"[sent:]


def test_what_is_left_of_the_second_thousand_comes_with_all_behind_it(monkeypatch):
    monkeypatch.setattr(module, "_MOST", 2)
    monkeypatch.setattr(module, "_WORTH", 0)
    monkeypatch.setattr(module, "_SMALL", 0)
    taken = [4, 1]
    monkeypatch.setattr(module.os, "writev", lambda fd, data: taken.pop(0))
    assert b"".join(write_pieces(99, [b"ab", b"cd", b"ef", b"gh", b"ij"])) == b"fghij"


def test_bytes_that_the_peer_has_not_taken(pair):
    one, _other = pair
    assert module.unacknowledged(one.fileno()) == 0
    with open("/dev/null") as no_socket:
        assert module.unacknowledged(no_socket.fileno()) == 0
