"""Deletes to hosts: what counts as delivered, and when a host is given up."""

import contextlib
import socket
import threading

import pytest

from mcrouter.proto.rewriting import deletion
from mcrouter.spool.deliver import Deliverer
from mcrouter.testing import DemoHost
from tests.support.processes import DEADLINE, free_port


@contextlib.contextmanager
def scripted(*scripts):
    """A host that serves one connection after the other: for each, the answers it gives line by line before it closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE)

        def serve():
            for script in scripts:
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as lines:
                    connection.settimeout(DEADLINE)
                    for answer in script:
                        lines.readline()
                        connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    lines.read()  # to its end: what is unread would make a reset of the close

        thread = threading.Thread(target=serve)
        thread.start()
        yield ("127.0.0.1", server.getsockname()[1])
        thread.join(DEADLINE)
        assert not thread.is_alive()


@pytest.fixture
def deliverer():
    made = Deliverer(DEADLINE, {})
    yield made
    made.start_over()


GONE = b"DELETED\r\n"
CLOSED = "it closed the connection"
SCRIPTS = [
    ([GONE, b"NOT_FOUND\r\n", b"HD\r\n", b"NF\r\n"], [True] * 4, None),
    ([GONE, b"SERVER_ERROR out of memory\r\n", GONE, GONE], [True, False, True, True], "SERVER_ERROR out of memory"),
    ([b"ERROR\r\n", b"CLIENT_ERROR bad\x1b[1m\xff\r\n", b"OK\r\n", b"\r\n"], [False] * 4, "ERROR"),
    ([b"CLIENT_ERROR \x1b[1m\xff\r\n", GONE, GONE, GONE], [False, True, True, True], r"CLIENT_ERROR \x1b[1m\xff"),
    ([GONE, b"NOT_FOUND\r\n"], [True, True, False, False], CLOSED),
    ([GONE, b"DELET"], [True, False, False, False], CLOSED),
    ([], [False] * 4, CLOSED),
    ([b"x" * 5000], [False] * 4, "its answer is too long"),
]


@pytest.mark.parametrize(("script", "done", "failure"), SCRIPTS, ids=range(len(SCRIPTS)))
def test_answers_are_looked_at_one_by_one(deliverer, script, done, failure):
    with scripted(script) as address:
        assert deliverer.deliver(address, [b"k%d" % n for n in range(4)]) == done
        assert deliverer.failures == ({address: failure} if failure else {})
        deliverer.start_over()


def test_a_host_that_was_lost_is_not_asked_again_before_it_starts_over(deliverer, monkeypatch):
    monkeypatch.setattr("mcrouter.spool.deliver._BATCH", 2)
    with scripted([GONE, GONE, GONE], [GONE] * 5) as address:
        keys = [b"k%d" % n for n in range(5)]
        assert deliverer.deliver(address, keys) == [True, True, True, False, False]
        assert deliverer.deliver(address, keys) == [False] * 5
        deliverer.start_over()
        assert (deliverer.deliver(address, keys), deliverer.failures) == ([True] * 5, {})
        deliverer.start_over()


# A host that cannot be asked at all, and what is said of it.
UNREACHABLE = [
    (("127.0.0.1", free_port()), "Connection refused"),
    (("/nowhere/memcached.sock", 0), "No such file or directory"),
    (("a..b", 11211), "its name is not a valid host name"),
]


@pytest.mark.parametrize(("address", "failure"), UNREACHABLE)
def test_a_host_that_cannot_be_reached(deliverer, address, failure):
    assert deliverer.deliver(address, [b"k1", b"k2"]) == [False, False]
    assert deliverer.failures == {address: failure}


def test_a_host_that_does_not_answer_costs_one_timeout():
    with DemoHost() as host:
        host.faults.mute = True
        deliverer = Deliverer(0.05, {})
        address = ("127.0.0.1", host.port)
        assert deliverer.deliver(address, [b"k"] * 2000) == [False] * 2000
        assert deliverer.failures == {address: "it does not answer in time"}


def test_real_memcached_deletes_any_key(deliverer, memcacheds):
    (host,) = memcacheds(1)
    keys = [b"k", b"\xff\xfe", b"a b", b"\0\r\n", b"missing", b"x" * 250]
    stored = b"".join(b"ms %b 1 b\r\nx\r\n" % deletion(key).split()[1] for key in keys if b"md" in deletion(key))
    plain = b"".join(b"set %b 0 0 1\r\nx\r\n" % key for key in keys if b"md" not in deletion(key) and key != b"missing")
    host.ask(stored + plain)
    assert deliverer.deliver(("127.0.0.1", host.port), keys * 300) == [True] * 1800
    assert b"STAT curr_items 0" in host.ask(b"stats\r\n")


def test_a_unix_socket_and_an_address_in_place_of_another(tmp_path, memcacheds):
    path = str(tmp_path / "memcached.sock")
    (host,) = memcacheds(1)
    host.ask(b"set k 0 0 1\r\nx\r\n")
    deliverer = Deliverer(DEADLINE, {(path, 0): ("127.0.0.1", host.port)})
    assert deliverer.deliver((path, 0), [b"k"]) == [True]
    deliverer.start_over()
    assert not host.has(b"k")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        deliverer = Deliverer(0.05, {})
        assert deliverer.deliver((path, 0), [b"k"]) == [False]
        assert deliverer.failures == {(path, 0): "it does not answer in time"}
