"""Which requests are asked once more when a connection breaks off: reads that nothing of their client's could disturb."""

import pytest

from mcrouter import __version__

from .still import Still

VERSION = b"VALUE __mcrouter__.version 0 %d\r\nmcrouter %b\r\nEND\r\n" % (9 + len(__version__), __version__.encode())
LOST = b"SERVER_ERROR mcrouter: %b: closed by the host\r\n"


def broken_off(world, data, asked):
    """A client asks this, all of which reaches the host; the host closes the connection; client and next connection."""
    connection, client = world.connection(), world.client()
    client.sendall(data)
    world.sees(connection, asked)
    connection.close()
    return client, world.accept(world.hosts[0])


@pytest.mark.parametrize(("behind", "answer"), [
    (b"", b""), (b"x\r\n", b"ERROR\r\n"), (b"get " + b"k" * 251 + b"\r\n", b"CLIENT_ERROR bad command line format\r\n"),
    (b"quit\r\n", b""), (b"get __mcrouter__.version\r\n", VERSION),
])  # fmt: skip
def test_a_get_is_asked_again_whatever_the_router_answers_by_itself_behind_it(behind, answer):
    with Still() as world:
        client, again = broken_off(world, b"get a\r\n" + behind, b"get a\r\n")
        world.sees(again, b"get a\r\n")
        again.sendall(b"END\r\n")
        world.sees(client, b"END\r\n" + answer)


def test_gets_in_flight_are_asked_again_in_their_order():
    with Still() as world:
        client, again = broken_off(world, b"get a\r\nget b c\r\nmg d v\r\n", b"get a\r\nget b c\r\nmg d v\r\n")
        world.sees(again, b"get a\r\nget b c\r\nmg d v\r\n")
        again.sendall(b"END\r\nEND\r\nEN\r\n")
        world.sees(client, b"END\r\nEND\r\nEN\r\n")


@pytest.mark.parametrize("behind", [b"set b 0 0 1\r\nx\r\n", b"delete a\r\n", b"touch a 1\r\n", b"incr a 1\r\n"])
def test_a_get_before_a_write_is_not_asked_again(behind):
    with Still() as world:
        client, again = broken_off(world, b"get a\r\n" + behind, b"get a\r\n" + behind)
        world.sees(client, LOST % world.hosts[0].name.encode() * 2)
        client.sendall(b"get c\r\n")
        world.sees(again, b"get c\r\n")


def test_a_get_behind_a_write_is_asked_again():
    with Still() as world:
        client, again = broken_off(world, b"delete a\r\nget a\r\n", b"delete a\r\nget a\r\n")
        world.sees(again, b"get a\r\n")
        again.sendall(b"END\r\n")
        world.sees(client, LOST % world.hosts[0].name.encode() + b"END\r\n")
