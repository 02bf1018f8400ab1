"""A client that asks much and reads late: what it is answered, in which order, and when the next of its requests go on."""

import socket

import pytest

from mcrouter.engine.clients.call import ProgramCall
from mcrouter.engine.clients.inbox import _READ_SIZE
from mcrouter.engine.hosts.connections.socket import HostSocket
from mcrouter.engine.loop import PollGroup
from mcrouter.engine.poller import HAS_EPOLL, EpollPoller, SelectorPoller
from tests.support.processes import until

from . import still
from .still import Still

POLLERS = [SelectorPoller, *([EpollPoller] if HAS_EPOLL else [])]


def answer_to(key, size):
    return b"VALUE %b 0 %d\r\n%b\r\nEND\r\n" % (key, size, key * size)


@pytest.mark.parametrize("make_poller", POLLERS)
@pytest.mark.parametrize("together", [True, False])
def test_a_client_that_reads_late_gets_all_in_order(monkeypatch, make_poller, together):
    monkeypatch.setattr(still, "make_poller", make_poller)
    with Still(buffer_size=32 << 20) as world:
        connection = world.connection()
        client = world.client()
        (one,) = world.worker.frontend.clients.values()
        value = answer_to(b"a", 16_000_000)  # more than the kernel takes
        if together:
            client.sendall(b"get a\r\ndelete b\r\n")
            world.sees(connection, b"get a\r\ndelete b\r\n")
            connection.setblocking(False)
            sends(world, connection, value + b"DELETED\r\n")
        else:
            client.sendall(b"get a\r\n")
            world.sees(connection, b"get a\r\n")
            sends(world, connection, value)
            client.sendall(b"x\r\n")
        world.until(lambda: one.unsent, "the kernel to be full")
        for _ in range(20):
            world.tick()
        world.sees(client, value + (b"DELETED\r\n" if together else b"ERROR\r\n"))
        client.sendall(b"x\r\n")
        world.sees(client, b"ERROR\r\n")


def sends(world, sock, data):
    """Sends all of it, while the router reads."""
    sock.setblocking(False)
    at = 0
    while at < len(data):
        try:
            at += sock.send(data[at : at + 600_000])
        except BlockingIOError:
            pass
        world.tick()
    sock.settimeout(10)


def test_as_soon_as_some_are_answered_as_many_more_are_asked():
    with Still() as world:
        connection, client = world.connection(), world.client()
        deletes = [b"delete %d\r\n" % number for number in range(40)]
        client.sendall(b"".join(deletes))
        world.sees(connection, b"".join(deletes[:4]))
        connection.sendall(b"DELETED\r\n")
        world.sees(client, b"DELETED\r\n")
        world.sees(connection, b"".join(deletes[4:9]))  # the window is twice what it was: 8 in flight
        connection.sendall(b"DELETED\r\n" * 2)
        world.sees(client, b"DELETED\r\n" * 2)
        world.sees(connection, b"".join(deletes[9:19]))
        connection.sendall(b"DELETED\r\n" * 16)
        world.sees(client, b"DELETED\r\n" * 16)
        world.sees(connection, b"".join(deletes[19:]))
        connection.sendall(b"NOT_FOUND\r\n" * 21)
        world.sees(client, b"NOT_FOUND\r\n" * 21)


def test_a_call_from_the_program_is_not_begun_once_the_router_stops():
    with Still() as world:
        world.connection()
        world.worker.frontend.drain()
        call = ProgramCall(world.worker.frontend, 0, b"get a\r\n")
        call.start()
        assert call.ended and not world.upstream().connections[0].inflight
        call.wait()


class One(HostSocket):
    """A connection, and what became of it."""

    def __init__(self, loop):
        super().__init__(loop)
        self.told = []

    def connected(self):
        self.told.append("connected")

    def refused(self, why):
        self.told.append(why)

    def ready(self, mask):
        self.told.append(self.wire.recv(100))


@pytest.mark.parametrize("make_poller", POLLERS)
def test_a_connection_to_a_unix_socket_comes_about_or_is_refused(tmp_path, make_poller):
    loop = PollGroup(make_poller())
    tick = lambda: loop.call_soon(lambda: None) or loop.tick()  # noqa: E731
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(5)
        one = One(loop)
        one.open((socket.AF_UNIX, path), 60.0)
        until(lambda: tick() or one.told)
        assert one.told == ["connected"]
        with listener.accept()[0] as other:
            other.sendall(b"hello")
            until(lambda: tick() or len(one.told) > 1)
            assert one.told == ["connected", b"hello"]
    late = One(loop)
    late.open((socket.AF_UNIX, path), 60.0)
    until(lambda: tick() or late.told)
    assert late.told == ["cannot connect: Connection refused"]
    for connection in (one, late):
        connection.disconnect()
    tick()
    loop.close()


def test_what_the_router_answers_by_itself_holds_up_nothing_behind_it():
    with Still(2, "MissFailoverRoute") as world:
        connection, client = world.connection(), world.client()
        client.sendall(b"get a\r\nx\r\nget b\r\n")
        world.sees(connection, b"get a\r\nget b\r\n")
        connection.sendall(b"VALUE a 0 1\r\n1\r\nEND\r\nVALUE b 0 1\r\n2\r\nEND\r\n")
        world.sees(client, b"VALUE a 0 1\r\n1\r\nEND\r\nERROR\r\nVALUE b 0 1\r\n2\r\nEND\r\n")


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_request_as_long_as_a_read_does_not_hide_what_is_behind_it(more):
    with Still() as world:
        connection, client = world.connection(), world.client()
        size = _READ_SIZE + more - len(b"set a 0 0 16000\r\n\r\n")
        data = b"set a 0 0 %d\r\n%b\r\n" % (size, b"v" * size)
        assert len(data) == _READ_SIZE + more
        client.sendall(data + b"get b\r\n")
        world.sees(connection, data + b"get b\r\n")


def test_a_client_that_reads_and_asks_at_once_gets_the_rest_first():
    with Still() as world:
        connection = world.connection()
        (front,) = world.worker.frontend.listeners
        front.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client = world.client()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        (one,) = world.worker.frontend.clients.values()
        value, got = answer_to(b"a", 120_000), bytearray()
        client.sendall(b"get a\r\n")
        world.sees(connection, b"get a\r\n")
        connection.sendall(value)  # so that it is there in one read
        world.until(lambda: one.unsent, "the kernel to be full")
        client.setblocking(False)
        while True:  # until the kernel has room again, and the router knows nothing of that
            try:
                got += client.recv(1 << 20)
            except BlockingIOError:
                break
        client.settimeout(10)
        client.sendall(b"get b\r\n")
        world.until(lambda: still.is_ready(connection) or still.is_ready(client), "anything to happen")
        while len(got) < len(value):
            world.until(lambda: still.is_ready(client), "the rest")
            got += client.recv(1 << 20)
        assert got == value
        world.sees(connection, b"get b\r\n")
        connection.sendall(b"END\r\n")
        world.sees(client, b"END\r\n")


@pytest.mark.parametrize("request_", [b"get a\r\n", b"get a b\r\n", b"delete a\r\n"])
def test_a_client_is_closed_with_its_answer_when_the_router_stops(request_):
    with Still() as world:
        connection, client = world.connection(), world.client()
        client.sendall(request_)
        world.sees(connection, request_)
        world.worker.frontend.drain()
        world.tick()
        assert not still.is_ready(client)
        connection.sendall(b"END\r\n" if request_.startswith(b"get") else b"DELETED\r\n")
        world.sees(client, b"END\r\n" if request_.startswith(b"get") else b"DELETED\r\n")
        world.is_closed(client)
