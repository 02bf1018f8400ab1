"""Large values on connections of their own: when the host is late, when the client is, and what becomes of the connection, on
a clock that only the test moves."""

import socket

import pytest

from mcrouter.engine.clients.source import ClientRequest
from mcrouter.engine.hosts.connections import streaming_pool
from mcrouter.proto import results
from mcrouter.proto.reply import TOO_LARGE

from .still import Still, full, is_ready

SIZE = 600_000  # bytes of a value; more than is held of one, and than must have come before a host is asked to store it
SMALL = {"buffer_size": 4096, "timeouts_until_tko": 100}
VALUE = b"VALUE a 0 %d\r\n" % SIZE + b"v" * SIZE + b"\r\nEND\r\n"
SET = b"set a 0 0 %d\r\n" % SIZE


def late(world):
    """What a client gets whose host is late."""
    return b"SERVER_ERROR mcrouter: %b: no reply within 1000 ms\r\n" % world.hosts[0].name.encode()


def pours(world, sock, data):
    """Sends all of it, while the router reads."""
    sock.setblocking(False)
    sent = 0

    def is_sent():
        nonlocal sent
        try:
            sent += sock.send(data[sent : sent + 10_000])
        except BlockingIOError:
            pass
        return sent == len(data)

    world.until(is_sent, "all of it to be taken")
    sock.settimeout(10)


def gets(world, connection):
    """A client asks for a value that turns out to be large; it, and the connection on which it is asked for again."""
    client = world.client()
    client.sendall(b"get a\r\n")
    world.sees(connection, b"get a\r\n")
    pours(world, connection, VALUE)
    again = world.accept(world.hosts[0])
    world.sees(again, b"get a\r\n")
    return client, again


def stores(world):
    """A client begins to store a large value; it, and the connection on which its first part has come."""
    client = world.client()
    pours(world, client, SET + b"v" * 100_000)
    sock = world.accept(world.hosts[0])
    world.sees(sock, SET + b"v" * 100_000)
    return client, sock


def sends_until_it_stalls(world, sock, data, size):
    """Sends up to so many bytes, until that is impossible for 200 ticks; returns how many were sent."""
    sent, idle = 0, 0
    while idle < 200 and sent < size:
        try:
            sent += sock.send(data[sent : sent + 1_000_000])
            idle = 0
        except BlockingIOError:
            idle += 1
        world.tick()
    return sent


def test_a_large_value_that_is_asked_for_and_does_not_come_is_late_after_the_timeout():
    with Still(**SMALL) as world:
        client, again = gets(world, world.connection())
        world.pass_to(0.95)
        assert not is_ready(client)
        world.pass_to(1.06)
        world.sees(client, late(world))
        world.is_closed(again)


def test_a_large_value_that_stops_in_the_midst_ends_the_client_after_the_timeout():
    with Still(**SMALL) as world:
        client, again = gets(world, world.connection())
        got = bytearray()

        def comes(begin, end):
            pours(world, again, VALUE[begin:end])
            world.until(lambda: (is_ready(client) and got.extend(client.recv(1 << 20))) or len(got) > end - 100, "it to come")

        comes(0, 100_000)
        world.pass_to(0.9)
        comes(100_000, 120_000)
        world.pass_to(1.85)
        assert not is_ready(client) and VALUE.startswith(got)
        world.pass_to(1.96)
        world.is_closed(client)
        world.is_closed(again)


def errors(world):
    """The answers to clients that were errors."""
    return world.worker._cells[world.router._layout.request_errors]


@pytest.mark.parametrize(("asked", "count"), [(b"get a\r\n", 1), (b"get a b\r\n", 0), (b"get b\r\n", 0)])
def test_a_large_value_that_the_host_has_no_more_is_an_answer_and_its_error_an_error(asked, count):
    """The second time, a is answered with an error, and b is found: its hit makes the whole an answer."""
    with Still(**SMALL) as world:
        connection, client = world.connection(), world.client()
        client.sendall(asked)
        world.sees(connection, asked)
        pours(world, connection, VALUE.replace(b"VALUE a", b"VALUE " + asked[4:5]))
        keys = asked.split()[1:]
        for key in keys:
            again = world.accept(world.hosts[0])  # an error line ends the connection before it
            world.sees(again, b"get %b\r\n" % key)
            again.sendall(b"SERVER_ERROR x\r\n" if key == b"a" else b"VALUE b 0 1\r\nx\r\nEND\r\n")
        world.sees(client, b"SERVER_ERROR x\r\n" if keys == [b"a"] else b"VALUE b 0 1\r\nx\r\nEND\r\n")
        assert errors(world) == count


def test_a_bug_behind_a_reply_that_is_too_large_does_not_keep_it_from_being_asked_for_again(monkeypatch):
    """The exception comes up when the download has begun, before it asks for its first key."""
    on_reply, met = ClientRequest.on_reply, []

    def buggy(request, reply, outcomes):
        on_reply(request, reply, outcomes)
        if reply is TOO_LARGE:
            met.append(request)
            raise RuntimeError("a bug")

    monkeypatch.setattr(ClientRequest, "on_reply", buggy)
    with Still(**SMALL) as world:
        client, again = gets(world, world.connection())
        pours(world, again, VALUE)
        world.sees(client, VALUE)
        assert len(met) == 1


def test_the_connection_of_a_large_value_serves_the_next():
    with Still(**SMALL) as world:
        connection = world.connection()
        client, again = gets(world, connection)
        pours(world, again, VALUE)
        world.sees(client, VALUE)
        client.sendall(b"get a\r\n")
        world.sees(connection, b"get a\r\n")
        pours(world, connection, VALUE)
        world.sees(again, b"get a\r\n")
        pours(world, again, VALUE)
        world.sees(client, VALUE)
        assert not is_ready(world.hosts[0].listener)
        assert world.stats()["connections"] == 2
        world.pass_to(30.0)
        assert not is_ready(again)


def test_a_host_that_does_not_say_whether_it_has_stored_a_large_value_is_late():
    with Still(**SMALL) as world:
        world.connection()
        client, sock = stores(world)
        rest = b"v" * (SIZE - 100_000) + b"\r\n"
        world.pass_to(5.0)  # until now its client was waited for
        pours(world, client, rest)
        world.sees(sock, rest)
        world.pass_to(5.95)
        assert not is_ready(client)
        world.pass_to(6.06)
        world.sees(client, late(world))
        assert errors(world) == 1
        client.sendall(b"x\r\n")
        world.sees(client, b"ERROR\r\n")


def test_a_client_that_takes_its_time_with_a_large_value_is_waited_for():
    with Still(**SMALL) as world:
        world.connection()
        client, sock = stores(world)
        world.pass_to(20.0)
        rest = b"v" * (SIZE - 100_000) + b"\r\n"
        pours(world, client, rest)
        world.sees(sock, rest)
        sock.sendall(b"STORED\r\n")
        world.sees(client, b"STORED\r\n")
        client.sendall(b"x\r\n")
        world.sees(client, b"ERROR\r\n")


def test_a_large_value_whose_connection_does_not_come_about_fails_after_the_timeout():
    with Still(**SMALL) as world:
        world.connection()
        with full(world.hosts[0]):
            client = world.client()
            pours(world, client, SET + b"v" * SIZE + b"\r\n")
            world.pass_to(0.95)
            assert not is_ready(client)
            world.pass_to(1.06)
            world.until(lambda: is_ready(client), "an answer")
            answer = client.recv(1000)
            assert answer.startswith(b"SERVER_ERROR mcrouter: ") and b"cannot connect" in answer
            assert not world.stats()["healthy"]


@pytest.mark.parametrize("answer", [b"SERVER_ERROR out of memory storing object\r\n", b"STORED\r\n"])
def test_a_host_that_answers_before_it_has_all_is_sent_nothing_more_on_that_connection(answer):
    with Still(**SMALL) as world:
        world.connection()
        client, sock = stores(world)
        sock.sendall(answer)
        world.is_closed(sock)
        pours(world, client, b"v" * (SIZE - 100_000) + b"\r\n")
        world.sees(client, answer)
        client.sendall(b"x\r\n")
        world.sees(client, b"ERROR\r\n")


def test_a_large_value_for_which_a_connection_is_being_opened_takes_one_of_the_places(monkeypatch):
    monkeypatch.setattr(streaming_pool, "_MOST", 1)
    with Still(**SMALL) as world:
        world.connection()
        with full(world.hosts[0]):
            for client in (world.client(), world.client()):
                pours(world, client, SET + b"v" * 100_000)
            connections = world.upstream().streaming.busy
            world.until(lambda: len(connections) == 2, "both to be asked")
            assert [connection.is_at_work() for connection in connections] == [True, False]


def test_a_client_that_does_not_read_a_large_value_holds_its_host_back():
    size = 40_000_000
    value = b"VALUE a 0 %d\r\n" % size + bytes(size) + b"\r\nEND\r\n"
    with Still(**SMALL) as world:
        connection = world.connection()
        (front,) = world.worker.frontend.listeners
        front.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client = world.client()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"get a\r\n")
        world.sees(connection, b"get a\r\n")
        pours(world, connection, VALUE)  # too large, whatever its size is
        again = world.accept(world.hosts[0])
        world.sees(again, b"get a\r\n")
        again.setblocking(False)
        assert sends_until_it_stalls(world, again, value, size) < size // 2
        (one,) = world.worker.frontend.clients.values()
        assert one.holds() < 1_000_000


def test_a_large_value_for_a_host_whose_name_does_not_resolve_is_counted_as_not_connected():
    with Still(**SMALL) as world:
        world.connection()
        world.upstream().address = None
        client = world.client()
        pours(world, client, SET + b"v" * SIZE + b"\r\n")
        name = world.hosts[0].name.encode()
        world.sees(client, b"SERVER_ERROR mcrouter: %b: its name does not resolve\r\n" % name)
        layout = world.router._layout
        assert world.worker._cells[layout.results[0][results.CONNECT_ERROR]] == 1


def test_a_host_that_does_not_read_a_large_value_holds_its_client_back_and_that_is_counted():
    size = 40_000_000
    with Still(**SMALL) as world:
        world.connection()
        client = world.client()
        client.setblocking(False)
        data = b"set a 0 0 %d\r\n" % size + bytes(size) + b"\r\n"
        assert sends_until_it_stalls(world, client, data, size) < size // 2
        (one,), (connection,) = world.worker.frontend.clients.values(), world.upstream().streaming.busy
        assert 0 < len(connection.unsent) <= one.holds() < 1_000_000
        assert one.begun_bytes() == 0


def test_the_connection_on_which_a_large_value_was_stored_serves_the_next():
    with Still(**SMALL) as world:
        world.connection()
        client, sock = stores(world)
        rest = b"v" * (SIZE - 100_000) + b"\r\n"
        pours(world, client, rest)
        world.sees(sock, rest)
        sock.sendall(b"STORED\r\n")
        world.sees(client, b"STORED\r\n")
        pours(world, client, SET + b"v" * 100_000)
        world.sees(sock, SET + b"v" * 100_000)
        assert not is_ready(world.hosts[0].listener)
