"""Clients that go from one event loop to another over a socket, between two of their requests."""

import contextlib
import socket

import pytest

from mcrouter.engine.clients.handover import MOST, Arriving, Leaving

from .still import Still, is_ready


class Change:
    """Two routers, the second of which takes the clients of the first."""

    def __init__(self, **given):
        self.stack = contextlib.ExitStack()
        self.old, self.new = (self.stack.enter_context(Still(**given)) for _ in range(2))
        self.old_connection, self.new_connection = self.old.connection(), self.new.connection()
        link, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for sock in (link, other):
            self.stack.enter_context(sock)
        self.stale, self.gone = [], []
        Arriving(self.new.worker.frontend, other, self.stale.append)
        self.leaving = Leaving(self.old.worker.frontend, link, lambda: self.gone.append(True))

    def tick(self):
        self.old.tick()
        return self.new.tick()

    def arrives(self, count=1):
        """So many clients have gone over."""
        clients = self.new.worker.frontend.clients
        self.new.until(lambda: self.old.tick() or len(clients) == count, "the clients to arrive")


@pytest.fixture
def change():
    made = Change()
    with made.stack:
        yield made


@pytest.mark.parametrize("begun", [b"", b"get", b"set b 0 0 5\r\nab", b"get a b c d\r"])
def test_a_client_goes_with_what_it_has_begun_to_ask(change, begun):
    client = change.old.client()
    client.sendall(b"x\r\n" + begun)
    change.old.sees(client, b"ERROR\r\n")
    change.leaving.start()
    change.arrives()
    rest = {b"": b"get a\r\n", b"get": b" a\r\n", b"set b 0 0 5\r\nab": b"cde\r\n", b"get a b c d\r": b"\n"}[begun]
    client.sendall(rest)
    change.new.sees(change.new_connection, begun + rest)
    change.new_connection.sendall(b"END\r\n" if begun[:3] != b"set" else b"STORED\r\n")
    change.new.sees(client, b"END\r\n" if begun[:3] != b"set" else b"STORED\r\n")
    change.old.pass_to(0.1)
    assert change.gone == [True] and not change.old.worker.frontend.clients


def test_a_client_that_waits_for_an_answer_goes_when_it_has_it(change):
    client, other = change.old.client(), change.old.client()
    client.sendall(b"get a\r\n")
    change.old.sees(change.old_connection, b"get a\r\n")
    change.leaving.start()
    change.arrives(1)
    change.old.pass_to(0.5)
    assert not change.gone and len(change.old.worker.frontend.clients) == 1
    change.old_connection.sendall(b"END\r\n")
    change.old.sees(client, b"END\r\n")
    change.old.pass_to(0.6)
    change.arrives(2)
    for number, one in enumerate((client, other)):
        one.sendall(b"get %d\r\n" % number)
        change.new.sees(change.new_connection, b"get %d\r\n" % number)
        change.new_connection.sendall(b"END\r\n")
        change.new.sees(one, b"END\r\n")


@pytest.mark.parametrize("end", ["answered", "late"])
def test_a_client_goes_when_all_hosts_have_done_what_it_has_written(end):
    """What it asks next would overtake a write that only the quicker host has answered."""
    change = Change(hosts=2, route="AllFastestRoute", timeout_ms=1000)
    with change.stack:
        quick, slow = change.old_connection, change.old.connection(1)
        writer, _reader = change.old.client(), change.old.client()
        writer.sendall(b"set a 0 0 1\r\nx\r\n")
        for sock in (quick, slow):
            change.old.sees(sock, b"set a 0 0 1\r\nx\r\n")
        quick.sendall(b"STORED\r\n")
        change.old.sees(writer, b"STORED\r\n")
        change.leaving.start()
        change.arrives(1)  # the one that has written nothing
        change.old.pass_to(0.9)
        assert len(change.old.worker.frontend.clients) == 1
        assert not change.gone
        if end == "answered":
            slow.sendall(b"STORED\r\n")
            change.old.until(lambda: not change.old.upstream(1).connections[0].inflight, "the answer to be read")
            change.old.pass_to(0.95)
        else:
            change.old.pass_to(1.1)  # it counts as missed
        change.arrives(2)
        assert change.gone


def test_a_client_with_a_long_request_goes_when_that_is_read(change):
    client = change.old.client()
    head, data = b"set k 0 0 %d\r\n" % (3 * MOST), b"v" * (3 * MOST) + b"\r\n"
    client.sendall(head + data[: 2 * MOST])
    (one,) = change.old.worker.frontend.clients.values()
    change.old.until(lambda: one.begun_bytes() > MOST, "the beginning to be read")
    change.leaving.start()
    change.old.pass_to(0.1)
    assert not change.gone
    client.sendall(data[2 * MOST :])
    change.old.sees(change.old_connection, head + data)
    change.old_connection.sendall(b"STORED\r\n")
    change.old.sees(client, b"STORED\r\n")
    change.old.pass_to(0.2)
    change.arrives()
    assert change.gone


def test_the_hosts_that_have_missed_writes_are_told(change):
    change.leaving.tell_stale(["a:1", "unix:///t\udcff"])
    change.new.until(lambda: len(change.stale) == 2, "it to be told")
    assert change.stale == ["a:1", "unix:///t\udcff"]


def test_when_there_is_no_successor_any_more_a_client_is_answered_and_closed():
    with Still() as world:
        connection, client = world.connection(), world.client()
        link, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        gone = []
        with link:
            other.close()
            client.sendall(b"get a\r\n")
            world.sees(connection, b"get a\r\n")
            Leaving(world.worker.frontend, link, lambda: gone.append(True)).start()
            connection.sendall(b"END\r\n")
            world.sees(client, b"END\r\n")
            world.pass_to(0.05)
            world.is_closed(client)
            world.pass_to(0.1)
            assert gone


def test_a_client_that_has_begun_as_much_as_may_travel_goes_with_all_of_it(change):
    head = b"set k 0 0 %d\r\n" % MOST
    begun = head + b"v" * (MOST - len(head))
    client = change.old.client()
    client.sendall(begun)
    (one,) = change.old.worker.frontend.clients.values()
    change.old.until(lambda: one.begun_bytes() == MOST, "all of it to be read")
    change.leaving.start()
    change.old.pass_to(0.1)
    change.arrives()
    rest = b"v" * len(head) + b"\r\n"
    client.sendall(rest)
    change.new.sees(change.new_connection, begun + rest)


def test_a_client_waits_while_the_successor_takes_none(change):
    client = change.old.client()
    with contextlib.suppress(BlockingIOError):
        while True:
            change.leaving._link.send(b"S" + b"x" * 1000)
    change.leaving.start()
    change.old.pass_to(0.1)
    assert not is_ready(client) and not change.gone
    change.new.until(lambda: change.stale, "some to be taken")
    change.old.pass_to(0.2)
    change.arrives()
    client.sendall(b"get a\r\n")
    change.new.sees(change.new_connection, b"get a\r\n")
