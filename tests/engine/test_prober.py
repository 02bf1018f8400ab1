"""The prober before a host that closes the connection of a visit, at every moment of it."""

import select
import socket

import pytest

from mcrouter.engine.hosts.journal import REPLAY, Journal
from mcrouter.engine.hosts.probes import Prober
from mcrouter.engine.loop import PollGroup
from tests.routes.script import request
from tests.support.processes import until

VERSION = (b"version\r\n", b"VERSION 1.6\r\n")
DELETE = (b"delete k\r\n", b"DELETED\r\n")


class Host:
    """What a prober needs of a host, and what it was told of it."""

    def __init__(self, loop, address):
        self.loop, self.address = loop, (socket.AF_INET, address)
        self.timeout = self.connect_timeout = 60.0
        self.healthy, self.recovering, self.journal = True, False, None
        self.told = []

    def mark_down(self, _kind, why):
        self.told.append(why)

    def mark_up(self, done):
        self.healthy = True
        self.told.append(str(done))

    def begin_recovery(self):
        self.recovering = True

    def is_settled(self):
        return True

    def all_clean(self):
        return True

    def clean(self, is_clean):
        pass


class Scene:
    """A prober, its loop, which ticks as the test says, and a listener in the place of the host."""

    def __init__(self, listener):
        self._listener = listener
        self._loop = PollGroup()
        self.host = Host(self._loop, listener.getsockname())
        self.prober = Prober(self.host, 1000.0)
        self.prober.start()

    def tick(self):
        """One, that waits for nothing."""
        self._loop.call_soon(lambda: None)
        self._loop.tick()

    def close(self):
        self.prober.stop()
        self.tick()
        self._loop.close()

    def accept(self):
        """The prober's next connection."""
        until(lambda: self.tick() or is_ready(self._listener, select.POLLIN), "a connection")
        return self._listener.accept()[0]

    def asks(self, sock, question):
        """Whether this is what the host is asked next."""
        until(lambda: self.tick() or is_ready(sock, select.POLLIN), f"{question!r} to be asked")
        return sock.recv(100) == question

    def visit(self, *exchanges):
        """The prober asks this, each on a connection that the host closes together with its answer."""
        for question, answer in exchanges:
            with self.accept() as sock:
                assert self.asks(sock, question)
                sock.sendall(answer)
            self.sees_the_end()

    def sees_the_end(self):
        """Both the answer and the end lie in the kernel when the loop looks."""
        until(lambda: is_ready(self.prober.wire.sock, select.POLLRDHUP), "the end")
        self.tick()


def is_ready(sock, mask):
    """Whether the socket can do this now."""
    poll = select.poll()
    poll.register(sock, mask)
    return bool(poll.poll(0))


@pytest.fixture
def scene():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Scene(listener)
        yield made
        made.close()


def test_a_host_that_closes_with_its_answer_is_healthy_and_is_visited_again(scene):
    for _ in range(3):
        scene.visit(VERSION)
        assert scene.prober.wire.fd < 0
        scene.prober.hurry()
    assert not scene.host.told


def test_a_host_that_closes_after_each_answer_comes_back(scene):
    scene.host.healthy, scene.host.journal = False, Journal(REPLAY, limit=10)
    scene.host.journal.note(request(b"delete k\r\n"))
    scene.visit(VERSION, DELETE)
    assert scene.host.told == ["1 keys deleted that it may have missed writes to"]


@pytest.mark.parametrize("part", [b"", b"VERSION 1.6"])
def test_a_host_that_closes_before_its_answer_is_whole_is_down(scene, part):
    scene.visit((b"version\r\n", part))
    assert scene.host.told == ["probe connection closed"]


def test_a_host_that_closes_between_two_visits_is_healthy(scene):
    question, answer = VERSION
    with scene.accept() as sock:
        assert scene.asks(sock, question)
        sock.sendall(answer)
        until(lambda: is_ready(scene.prober.wire.sock, select.POLLIN))
        scene.tick()
    scene.sees_the_end()
    assert scene.prober.wire.fd < 0
    scene.prober.hurry()
    scene.visit(VERSION)
    assert not scene.host.told


@pytest.mark.parametrize("size", [1, 65_000, 65_518, 65_526, 65_527, 131_072, 200_000])
def test_a_long_answer_is_read_to_its_end(scene, size):
    with scene.accept() as sock:
        assert scene.asks(sock, b"version\r\n")
        sock.sendall(b"VERSION " + b"x" * size + b"\r\n")
        until(lambda: scene.prober.hurry() or scene.tick() or is_ready(sock, select.POLLIN), "the next visit")
    assert not scene.host.told


@pytest.mark.parametrize("size", [1, 60_000, 65_526])
def test_a_long_answer_that_comes_with_the_end_is_read_to_its_end(scene, size):
    scene.visit((b"version\r\n", b"VERSION " + b"x" * size + b"\r\n"))
    until(lambda: scene.tick() or scene.prober.wire.fd < 0, "the end")
    scene.prober.hurry()
    scene.visit(VERSION)
    assert not scene.host.told


def test_an_answer_without_end_is_the_end_of_the_visit(scene):
    with scene.accept() as sock:
        assert scene.asks(sock, b"version\r\n")
        sock.setblocking(False)
        data = b"x" * 300_000

        def ended():
            try:
                sock.send(data)
            except (BlockingIOError, ConnectionError):
                pass
            scene.tick()
            return scene.host.told

        until(ended, "the visit to end")
    assert scene.host.told == ["probe connection closed"]
