"""The relay passes everything on, and a receiver sees a read that ends at each cut."""

import contextlib
import socket
import struct
import threading

import pytest

from tests.support.processes import free_port
from tests.support.relay import Anywhere, Cuts, Once, Segments, relays
from tests.support.wire import Wire

DEADLINE = 10.0  # seconds
DATA = b"".join(b"line %d\r\n" % number for number in range(20_000))
RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def pair():
    """Makes a client of a relay, and the connection that the relay makes to its target."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(DEADLINE)

        def make(cuts):
            (relay,) = stack.enter_context(relays([listener.getsockname()[1]], lambda _: cuts))
            client = stack.enter_context(Wire(relay.port))
            target, _ = listener.accept()
            target.settimeout(DEADLINE)
            return client, stack.enter_context(target), relay

        yield make


def read_to_end(sock):
    """What each read gave, up to the end."""
    return list(iter(lambda: sock.recv(1 << 16), b""))


@pytest.mark.parametrize("cuts", [Cuts(), Anywhere("seed"), Segments("seed")], ids=lambda cuts: type(cuts).__name__)
def test_everything_arrives_both_ways(pair, cuts):
    client, target, relay = pair(cuts)
    sender = threading.Thread(target=lambda: client.send(DATA).finish())
    sender.start()
    assert b"".join(read_to_end(target)) == DATA
    sender.join(DEADLINE)
    target.sendall(b"answer " + DATA[:10_000])
    target.close()
    assert client.read_to_close() == b"answer " + DATA[:10_000]
    assert bool(relay.cut) == (type(cuts) is not Cuts)


@pytest.mark.parametrize("place", range(1, 12))
def test_a_cut_is_the_end_of_a_read(pair, place):
    cuts = Once()
    client, target, _ = pair(cuts)
    for _ in range(5):
        cuts.at(0, place)
        cuts.at(1, place)
        client.send(b"hello, world")
        assert [target.recv(100), target.recv(100)] == [b"hello, world"[:place], b"hello, world"[place:]]
        target.sendall(b"well, hello!")
        assert [client.sock.recv(100), client.sock.recv(100)] == [b"well, hello!"[:place], b"well, hello!"[place:]]
    client.send(b"once")
    assert target.recv(100) == b"once"


def test_a_reset_is_a_reset_on_the_other_side(pair):
    client, target, _ = pair(Anywhere("seed"))
    client.send(b"x").sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    assert target.recv(1) == b"x"
    client.sock.close()
    with pytest.raises(ConnectionResetError):
        target.recv(1)


def test_without_a_target_a_connection_is_closed():
    with relays([free_port()], lambda _: Cuts()) as (relay,):
        try:
            with Wire(relay.port) as client:
                assert client.read_to_close() == b""
        except ConnectionResetError:  # it was closed before the client looked
            pass


@pytest.mark.parametrize("kind", [Anywhere, Segments])
def test_the_same_seed_cuts_at_the_same_places(kind):
    first, same, other = (kind(seed) for seed in (1, 1, 2))
    drawn = [[cuts.places(DATA, 0) for _ in range(50)] for cuts in (first, same, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(0 < place < len(DATA) for places in drawn[0] for place in places)
