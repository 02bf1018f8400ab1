"""The data of a refused store, through a router: no host sees any of it, whatever the fast paths are."""

import pytest

from .hosts import LineHost, client, router

BAD_FORMAT = b"CLIENT_ERROR bad command line format\r\n"
STREAM = b"set a x 0 32\r\nget smuggled\r\nget smuggled too\r\n\r\nget b\r\n"


@pytest.fixture(scope="module")
def served():
    with LineHost(lambda line: b"END\r\n") as host, router(host) as running:
        yield host, running


def asked(host):
    """What the host was asked since the last time."""
    lines, host.asked[:] = list(host.asked), []
    return lines


def test_it_is_cut_at_every_place(served):
    """A read that begins inside the data, and would be a whole get for the short way, is data all the same."""
    host, running = served
    with client(running) as wire:
        for at in range(1, len(STREAM)):
            wire.send(STREAM[:at])
            if at >= STREAM.index(b"\n") + 1:
                assert wire.read_until(b"\r\n") == BAD_FORMAT  # so the two pieces are two reads
                assert wire.send(STREAM[at:]).read_until(b"END\r\n") == b"END\r\n"
            else:
                assert wire.send(STREAM[at:]).read_until(b"END\r\n") == BAD_FORMAT + b"END\r\n"
            assert asked(host) == [b"get b\r\n"]


def test_reads_that_look_like_gets(served):
    host, running = served
    with client(running) as wire:
        wire.send(b"ms a 40 !\r\n").read_until(b"\r\n")
        for _ in range(3):
            wire.send(b"get smuggle\r\n").is_silent(0.02)
        assert wire.send(b"x\r").is_silent(0.02)
        assert wire.send(b"\nget b\r\n").read_until(b"END\r\n") == b"END\r\n"
    assert asked(host) == [b"get b\r\n"]


def test_much_of_it(served):
    """More than is read at once, while others are served."""
    host, running = served
    data = b"get smuggled\r\n" * 1_000_000
    with client(running) as wire, client(running) as other:
        wire.send(b"set %b 0 0 %d noreply\r\n" % (b"k" * 251, len(data)), data[:10_000_000])
        assert other.send(b"get b\r\n").read_until(b"END\r\n") == b"END\r\n"
        assert wire.send(data[10_000_000:] + b"\r\nget c\r\n").read_until(b"END\r\n") == b"END\r\n"
    assert asked(host) == [b"get b\r\n", b"get c\r\n"]


def test_a_client_may_end_in_the_middle(served):
    host, running = served
    for data in (b"set a x 0 32\r\n", b"set a x 0 32\r\nget smuggled\r\n"):
        with client(running) as wire:
            assert wire.send(data).finish().read_to_close() == BAD_FORMAT
    assert asked(host) == []


def test_without_a_length_the_connection_closes(served):
    host, running = served
    for data, answer in ((b"set a 0 0 x\r\nflush_all\r\n", BAD_FORMAT), (b"set a 0 0 noreply\r\nflush_all\r\n", b""), (b"ms a\0b 9\r\nflush_all\r\n", BAD_FORMAT)):
        with client(running) as wire:
            assert wire.send(data).read_to_close() == answer
    assert asked(host) == []


def test_a_bad_end_is_not_passed_on(served):
    host, running = served
    with client(running) as wire:
        assert wire.send(b"set a 0 0 3\r\nabcdeget b\r\n").read_until(b"END\r\n") == b"CLIENT_ERROR bad data chunk\r\nEND\r\n"
    assert asked(host) == [b"get b\r\n"]


def test_answers_keep_their_order(served):
    _, running = served
    with client(running) as wire:
        said = wire.send(b"get a\r\n" + STREAM + b"get c\r\n" + STREAM).read_until(BAD_FORMAT + b"END\r\nEND\r\n" + BAD_FORMAT + b"END\r\n")
    assert said == b"END\r\n" + BAD_FORMAT + b"END\r\nEND\r\n" + BAD_FORMAT + b"END\r\n"
