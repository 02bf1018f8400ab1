"""Names are resolved by a few threads; one that cannot start costs no name and ends nothing, nor does one that hangs."""

import queue
import socket
import threading

import pytest

from mcrouter.engine.hosts import resolver
from mcrouter.engine.hosts.reason import Reason
from mcrouter.engine.hosts.state import HostState
from mcrouter.engine.loop import PollGroup
from mcrouter.server import hosts
from tests.support.processes import DEADLINE, until

from .still import Still

MOST = 4  # threads for lookups that do not hang
IN_ALL = 16  # threads
HANGING = 4  # lookups that hang when a name that hung is asked again
STEP = 0.05  # seconds


class Clock:
    """A loop's clock that the test moves."""

    now = 0.0

    def __call__(self):
        return self.now


class World:
    """A loop, its threads, and names whose lookup waits until the test lets it."""

    def __init__(self, monkeypatch):
        self.clock = Clock()
        self.loop = PollGroup(clock=self.clock)
        self.threads = resolver.Resolvers(self.loop)
        self.found, self.failed = [], []
        self.asking, self.most = 0, 0
        self.lock, self.gate = threading.Lock(), threading.Event()
        self.hangs, self.hang = [], threading.Event()  # names under way that start with "hang", until the event
        monkeypatch.setattr(resolver, "ask", self._ask)

    def _ask(self, host, port, _timeout):
        with self.lock:
            self.asking += 1
            self.most = max(self.most, self.asking)
        if host.startswith("hang"):
            with self.lock:
                self.hangs.append(host)
            self.hang.wait(10)
            with self.lock:
                self.hangs.remove(host)
        else:
            self.gate.wait(10)
        with self.lock:
            self.asking -= 1
        if host.startswith("odd"):
            raise UnicodeError("label too long")
        return socket.AF_INET, (host, port)

    def name(self, host, ttl=60.0):
        one = resolver.Resolver(self.threads, host, 1, ttl, 1.0, lambda where: self.found.append(where[1][0]), self.failed.append)
        one.start()
        return one

    def tick(self, seconds=0.0):
        """Lets so much time pass, in steps that are no pauses of the process."""
        for _ in range(max(1, round(seconds / STEP))):
            self.clock.now += STEP if seconds else 0.0
            self.loop.call_soon(lambda: None)
            self.loop.tick()

    def until_found(self, count):
        def look():
            self.tick()
            return len(self.found) >= count

        until(look)

    def close(self):
        self.gate.set()
        self.hang.set()
        self.threads.stop()
        self.threads.join(10)
        self.loop.close()


@pytest.fixture
def world(monkeypatch):
    made = World(monkeypatch)
    yield made
    made.close()


def no_thread(_self):
    raise RuntimeError("can't start new thread")


def test_many_names_share_a_few_threads(world):
    before = threading.active_count()
    for number in range(100):
        world.name(f"host{number}")
    assert threading.active_count() - before <= MOST
    world.gate.set()
    world.until_found(100)
    assert sorted(world.found) == sorted(f"host{number}" for number in range(100))
    assert world.most <= MOST


def test_a_thread_that_cannot_start_costs_no_name(world, monkeypatch, caplog):
    world.gate.set()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        world.name("a")
        world.name("b")
        for _ in range(5):
            world.tick(2.0)
    assert [record.getMessage() for record in caplog.records].count("cannot start a thread that resolves names: can't start new thread; trying again") == 1
    world.tick(2.0)
    world.until_found(2)
    assert sorted(world.found) == ["a", "b"]


def test_a_name_that_is_due_when_no_thread_can_start_is_asked_again_later(world, monkeypatch):
    world.gate.set()
    world.name("a", ttl=10.0)
    world.until_found(1)
    world.threads.join(10)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        world.tick(11.0)
        world.tick(2.0)
    world.tick(2.0)
    world.until_found(2)


def test_an_unexpected_error_is_one_of_the_name(world, caplog):
    world.gate.set()
    world.name("odd")
    world.name("a")
    world.until_found(1)
    until(lambda: world.tick() or caplog.records)
    assert "label too long" in caplog.text and "trying again" in caplog.text


def test_no_name_is_looked_up_once_all_have_stopped(world):
    for number in range(20):
        world.name(f"host{number}")
    until(lambda: world.most == MOST)
    world.threads.stop()
    world.gate.set()
    world.threads.join(10)
    assert world.asking == 0 and world.most == MOST
    assert len(world.threads._under_way) == 0


def test_no_name_is_asked_for_after_the_end(world, monkeypatch):
    world.threads.stop()
    monkeypatch.setattr(world.threads, "_work", lambda: 1 / 0)
    world.name("late")
    assert world.threads._under_way == {}
    assert world.threads._timer is None


def test_names_that_hang_keep_no_other_from_being_resolved(world):
    world.gate.set()
    for number in range(MOST):
        world.name(f"hang{number}")
    until(lambda: len(world.hangs) == MOST)
    for number in range(20):
        world.name(f"host{number}")
    world.tick(2.5)
    world.until_found(20)
    assert len(world.hangs) == MOST and world.most <= 2 * MOST


def test_threads_are_bounded_however_many_names_hang(world):
    for number in range(40):
        world.name(f"hang{number}")
    world.tick(12.0)
    until(lambda: len(world.hangs) == IN_ALL)
    world.tick(5.0)
    assert len(world.hangs) == IN_ALL == world.most


def test_names_that_hung_hold_part_of_the_threads_when_they_are_asked_again(world):
    world.gate.set()
    for number in range(IN_ALL):
        world.name(f"hang{number}", ttl=10.0)
    world.tick(12.0)
    until(lambda: len(world.hangs) == IN_ALL)
    world.hang.set()
    world.until_found(IN_ALL)
    world.threads.join(10)
    world.hang.clear()
    world.tick(12.0)  # they are due again
    until(lambda: len(world.hangs) == HANGING)
    for number in range(20):
        world.name(f"host{number}")
    world.until_found(IN_ALL + 20)  # at once: nobody waits for what hangs
    assert len(world.hangs) == HANGING
    world.hang.set()
    world.until_found(2 * IN_ALL + 20)


def test_a_name_that_hung_and_is_answered_in_time_is_one_like_others(world):
    world.gate.set()
    name = world.name("hang", ttl=10.0)
    until(lambda: world.hangs)
    world.tick(2.5)
    world.hang.set()
    world.until_found(1)
    world.threads.join(10)
    assert name.hung
    world.tick(10.5)
    world.until_found(2)
    world.threads.join(10)
    assert not name.hung


class Names:
    """What each lookup of a name comes to, as the test says: an address or an error."""

    def __init__(self, monkeypatch):
        self._answers = queue.Queue()
        monkeypatch.setattr(resolver, "ask", self._ask)
        monkeypatch.setattr(hosts, "known_address", lambda *_: None)

    def _ask(self, host, port, _timeout):
        answer = self._answers.get(timeout=DEADLINE)
        if answer is not None:
            raise OSError(answer)
        return socket.AF_INET, (host, port)

    def fails(self, why):
        """The lookup under way, or else the next one, fails."""
        self._answers.put(why)

    def is_found(self):
        """It finds the host's address."""
        self._answers.put(None)


@pytest.fixture
def names(monkeypatch):
    return Names(monkeypatch)


def fails_again(world, names, why):
    """The name is looked up once more, in vain."""
    cells, cell = world.worker._cells, world.upstream().tally.failures
    before = cells[cell]
    names.fails(why)
    world.pass_to(world.now + resolver._RETRY)
    world.until(lambda: cells[cell] > before, "the lookup to fail")


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_a_host_whose_name_does_not_resolve_is_down_with_the_first_answer(names, caplog):
    with Still() as world:
        host, client = world.upstream(), world.client()
        client.sendall(b"get a\r\n")  # it waits for the name
        world.until(lambda: host.connections[0].inflight, "the request to wait")
        assert host.state is HostState.HEALTHY
        names.fails("no such name")
        world.sees(client, b"SERVER_ERROR mcrouter: %b: its name does not resolve: no such name\r\n" % host.name.encode())
        assert host.state is HostState.DOWN
        client.sendall(b"get a\r\n")
        world.sees(client, b"SERVER_ERROR mcrouter: no healthy upstream\r\n")
        assert world.worker._cells[host.tally.why] == Reason.UNRESOLVED
        assert warnings(caplog)[-1] == f"host {host.name} is unhealthy: its name does not resolve: no such name"
        names.is_found()


def test_a_name_that_does_not_resolve_is_logged_when_the_reason_changes(names, caplog):
    with Still() as world:
        names.fails("no such name")
        world.until(lambda: not world.upstream().healthy, "the host to be down")
        for _ in range(3):
            fails_again(world, names, "no such name")
        fails_again(world, names, "no server")
        fails_again(world, names, "no server")
        reasons = [line.split(": ", 2)[2] for line in warnings(caplog) if "trying again" in line]
        assert reasons == ["no such name; trying again", "no server; trying again"]
        assert sum("is unhealthy" in line for line in warnings(caplog)) == 1
        names.is_found()


def test_a_host_whose_name_resolves_at_last_is_probed_and_back(names):
    with Still() as world:
        host = world.upstream()
        names.fails("no such name")
        world.until(lambda: not host.healthy, "the host to be down")
        names.is_found()
        world.pass_to(world.now + resolver._RETRY)
        visit = world.accept(world.hosts[0])
        world.sees(visit, b"version\r\n")
        assert host.state is HostState.DOWN
        visit.sendall(b"VERSION 1.6\r\n")
        world.until(lambda: host.healthy, "the host to be back")
        client = world.client()
        client.sendall(b"get a\r\n")
        sock = world.accept(world.hosts[0])
        world.sees(sock, b"get a\r\n")


def test_a_host_keeps_its_last_address_while_its_name_does_not_resolve(names, caplog):
    with caplog.at_level("INFO"), Still(dns_cache_ttl=10.0) as world:
        host = world.upstream()
        names.is_found()
        world.connection()
        (_, name) = world.worker._watchers[host]
        for why in ("no server", "no server", "no such name"):
            names.fails(why)
            known = name._timer
            world.pass_to(world.now + 10.0)
            world.until(lambda known=known: name._timer is not known, "the lookup to fail")
        names.is_found()
        world.pass_to(world.now + 10.0)
        world.until(lambda: "its name resolves again" in caplog.text, "the name to resolve")
        assert host.healthy and host.address is not None
        lines = [record.getMessage() for record in caplog.records if "its name" in record.getMessage()]
        assert lines == [
            "host 127.0.0.1: its name does not resolve: no server; keeping its last address",
            "host 127.0.0.1: its name does not resolve: no such name; keeping its last address",
            "host 127.0.0.1: its name resolves again",
        ]
