"""What clients may take: how many there are, how long they are idle, how much all of them hold."""

import contextlib
import json
import os
import queue
import threading
import time

import pytest

from mcrouter import Router, Settings, load_config
from mcrouter.engine import descriptors
from mcrouter.testing import DemoHost
from tests.support.processes import until

from .hosts import LineHost, client, router

GET = b"get a\r\n"
REFUSED = b"SERVER_ERROR mcrouter: too many connections\r\n"


@pytest.fixture
def host():
    with LineHost(lambda line: b"STORED\r\n" if line.startswith(b"set") else b"END\r\n") as host:
        yield host


def test_one_client_too_many_is_told_so_and_closed(host):
    with router(host, max_connections=2) as served:
        with client(served) as one, client(served) as two:
            for wire in (one, two):
                assert wire.send(GET).read_until(b"END\r\n") == b"END\r\n"
            for _ in range(3):
                with client(served) as three:
                    assert three.send(GET).read_to_close() == REFUSED
            assert one.send(GET).read_until(b"END\r\n") == b"END\r\n"

        def comes_in():
            with client(served) as wire:
                return wire.send(GET + b"quit\r\n").read_to_close() == b"END\r\n"

        until(comes_in, "room for a client")


def is_closed(wire):
    wire.sock.setblocking(False)
    try:
        return wire.sock.recv(1) == b""
    except BlockingIOError:
        return False


def test_idle_clients_are_closed_and_one_that_asks_is_not(host):
    served = router(host, client_idle_timeout=0.2)
    with served, client(served) as idle, client(served) as half, client(served) as busy:
        half.send(b"get hal")
        gone = set()
        while len(gone) < 2:
            assert busy.send(GET).read_until(b"\n") == b"END\r\n"
            gone.update(wire for wire in (idle, half) if wire not in gone and is_closed(wire))
        assert busy.send(GET).read_until(b"\n") == b"END\r\n"


def test_a_client_that_waits_for_its_answer_is_not_idle(host):
    answer = threading.Event()
    host.says = lambda line: answer.wait(20) and b"END\r\n"
    served = router(host, client_idle_timeout=0.1, timeout_ms=60_000)
    with served, client(served) as waits, client(served) as idle:
        waits.send(GET)
        assert idle.read_to_close() == b""
        answer.set()
        assert waits.read_until(b"\n") == b"END\r\n"


def of_clients(served, wanted):
    """What `wanted` says of the router's clients, asked in its own thread."""
    told = queue.Queue()
    served._worker.loop.call_soon_threadsafe(lambda: told.put(wanted(list(served._worker.frontend.clients.values()))))
    return told.get(timeout=20)


def test_a_client_that_waits_for_memory_is_not_idle(host):
    """Another is slow with a request of more bytes, and is heard to its end first."""
    size, part = 900_000, 800_000
    with router(host, max_memory=1 << 20, client_idle_timeout=1.0) as served, client(served) as slow, client(served) as waits:
        slow.send(b"set a 0 0 %d\r\n" % size + b"x" * part)
        until(lambda: of_clients(served, lambda clients: sum(one.holds() for one in clients)) > part)
        waits.send(b"set b 0 0 %d\r\n" % size + b"x" * (part - 100_000))
        until(lambda: of_clients(served, lambda clients: any(one.is_throttled() for one in clients)), "one to wait")
        sent = part
        with client(served) as idle:
            while not is_closed(idle):
                slow.send(b"x")
                sent += 1
                time.sleep(0.01)
        assert not is_closed(waits)
        assert slow.send(b"x" * (size - sent) + b"\r\n").read_until(b"\n") == b"STORED\r\n"
        assert waits.send(b"x" * (size - part + 100_000) + b"\r\n").read_until(b"\n") == b"STORED\r\n"


def test_a_client_that_does_not_read_is_idle_even_while_memory_is_short(host):
    host.says = lambda line: b"VALUE a 0 500000\r\n" + b"x" * 500_000 + b"\r\nEND\r\n"
    with router(host, max_memory=16, client_idle_timeout=0.4) as served, client(served) as one, client(served) as two:
        for wire in (one, two):
            wire.send(GET * 100)  # more than the sockets take
        until(lambda: served._worker.frontend.memory.is_short)
        until(lambda: of_clients(served, lambda clients: not clients), "both to be closed")


def test_those_who_hold_the_most_wait_and_all_come_to_their_end(host):
    most, size, count = 3 << 20, 1_000_000, 12
    answers, highest = [], 0
    much = threading.Event()

    def store():
        with client(served) as wire:
            wire.send(b"set a 0 0 %d\r\n" % size + b"x" * size)
            much.wait(20)
            answers.append(wire.send(b"\r\n").read_until(b"\n"))

    def held():
        return of_clients(served, lambda clients: sum(one.holds() for one in clients))

    with router(host, max_memory=most) as served:
        threads = [threading.Thread(target=store) for _ in range(count)]
        for thread in threads:
            thread.start()
        until(lambda: held() > most // 2, "something to be held")
        much.set()  # at once: as long as nobody gets on, more and more of them may try
        while any(thread.is_alive() for thread in threads):
            highest = max(highest, held())
        assert answers == [b"STORED\r\n"] * count
    assert highest < 2 * most, highest


def test_clients_that_use_up_the_descriptors_do_not_keep_a_host_away():
    """What is left is kept for hosts: one that was restarted can be connected to again."""
    with DemoHost() as host, contextlib.ExitStack() as stack:
        text = json.dumps({"orderedPool": [host.address], "route": "DefaultRoute"})
        quiet = {"listen": "tcp://127.0.0.1:0", "metrics_listen_addr": "off", "healthcheck_interval": 0.05}
        served = stack.enter_context(Router(load_config(text), Settings(**quiet)))
        wire = stack.enter_context(client(served))
        assert wire.send(b"mn\r\n").read_until(b"\n") == b"MN\r\n"
        served._worker.frontend.most_descriptors = 0
        waiting = [stack.enter_context(client(served)) for _ in range(20)]
        host.restart()
        until(lambda: wire.send(b"get k\r\n").read_until(b"\r\n") == b"END\r\n")
        assert len(served._worker.frontend.clients) == 1
        served._worker.frontend.most_descriptors = 1 << 20
        assert all(one.send(b"get k\r\n").read_until(b"\r\n") == b"END\r\n" for one in waiting)


def test_how_many_descriptors_are_kept(monkeypatch):
    for most, hosts, expected in ((1024, 3, 1024 - 3 * 3 - 32), (64, 1, 32), (1024, 1000, 512)):
        monkeypatch.setattr(descriptors.resource, "getrlimit", lambda _which, most=most: (most, most))
        assert descriptors.most_for_clients(hosts, 1) == expected


def test_the_lowest_free_descriptor():
    one = os.open(os.devnull, os.O_RDONLY)
    free = descriptors.lowest_free(one)
    two = os.open(os.devnull, os.O_RDONLY)
    assert two == free
    os.close(one)
    os.close(two)
