"""Which clients are let in, and when: turns, descriptors that are kept, a number of clients that must not be passed."""

import errno
import logging
import resource
from types import SimpleNamespace

import pytest

from mcrouter.engine import descriptors
from mcrouter.engine.clients import frontend as module
from mcrouter.engine.clients import limits
from mcrouter.engine.clients.frontend import Listener
from mcrouter.engine.clients.limits import Doorman, close_idle


class Loop:
    """Keeps what it is asked to do."""

    def __init__(self):
        self.listening, self.later, self.closed, self.watched = [], [], [], {}
        self.now = 0.0

    def watch_listener(self, fd, call):
        self.listening.append(fd)

    def unwatch(self, fd):
        if fd in self.listening:
            self.listening.remove(fd)

    def call_later(self, seconds, call):
        self.later.append((seconds, call))
        return SimpleNamespace(cancel=lambda: None)

    def close_later(self, fd):
        self.closed.append(fd)

    def watch(self, fd, call):
        self.watched[fd] = call


class Door:
    """A listening socket: `waiting` are the descriptors of the clients that wait, or errors."""

    def __init__(self, waiting=()):
        self.waiting, self.accepts = list(waiting), 0

    def setblocking(self, flag):
        assert flag is False

    def fileno(self):
        return 3

    def detach(self):
        return 3

    def accept(self):
        self.accepts += 1
        if not self.waiting:
            raise BlockingIOError
        one = self.waiting.pop(0)
        if isinstance(one, OSError):
            raise one
        return SimpleNamespace(fileno=lambda: one), None


@pytest.fixture
def made(monkeypatch):
    """A listener over a door with these clients, below a limit of descriptors; `lowest` is what lowest_free says."""

    def make(*waiting, most=1 << 30, lowest=0, full=False):
        looks = []
        monkeypatch.setattr(module, "lowest_free", lambda fd: looks.append(fd) or made.lowest)
        made = SimpleNamespace(loop=Loop(), door=Door(waiting), adopted=[], lowest=lowest, looks=looks)
        made.front = SimpleNamespace(loop=made.loop, most_descriptors=most, adopt=lambda sock: made.adopted.append(sock.fileno()),
                                     doorman=SimpleNamespace(admits=lambda sock: not full))  # fmt: skip
        made.listener = Listener(made.front, made.door)
        return made

    return make


def test_it_is_watched_from_the_beginning(made):
    assert made().loop.listening == [3]


def test_the_clients_that_wait_are_accepted_until_there_is_none(made):
    one = made(10, 11, 12)
    one.listener.on_event(0)
    assert (one.adopted, one.door.accepts, one.looks) == ([10, 11, 12], 4, [])


def test_so_many_are_accepted_in_one_turn(made, monkeypatch):
    monkeypatch.setattr(module, "_ACCEPTS", 5)
    one = made(*range(10, 20))
    one.listener.on_event(0)
    assert one.adopted == [10, 11, 12, 13, 14]
    one.listener.on_event(0)
    assert one.adopted == list(range(10, 20))


def test_a_client_that_is_refused_is_not_served(made):
    one = made(10, 11, full=True)
    one.listener.on_event(0)
    assert (one.adopted, one.door.accepts) == ([], 3)


def test_a_client_that_has_gone_already_does_not_keep_the_next_one_away(made):
    one = made(OSError(errno.ECONNABORTED, "gone"), 10)
    one.listener.on_event(0)
    assert (one.adopted, one.loop.listening) == ([10], [3])


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_without_a_descriptor_it_pauses_and_looks_again(made, caplog, code):
    caplog.set_level(logging.INFO)
    one = made(10, OSError(code, "none left"), OSError(code, "none left"), 11)
    one.listener.on_event(0)
    assert (one.adopted, one.loop.listening) == ([10], [])
    [(seconds, again)] = one.loop.later
    assert seconds == 0.2
    again()
    assert (one.adopted, one.loop.listening, len(one.loop.later)) == ([10], [], 2)
    one.loop.later[1][1]()
    assert (one.adopted, one.loop.listening, len(one.loop.later)) == ([10, 11], [3], 2)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert caplog.messages[0] == "cannot accept clients: none left; they wait until there is room (ulimit -n)"
    assert caplog.messages[1] == "all clients that waited are accepted"


def test_near_the_limit_each_accept_is_looked_at_and_the_rest_is_kept_for_hosts(made, caplog):
    near = module._NEAR
    one = made(*range(1000 - near - 1, 1000 - near + 3), most=1000, lowest=999)
    one.listener.on_event(0)
    # The first is below; the second is the first that is near, so that it is looked at before the next is accepted.
    assert one.adopted == list(range(1000 - near - 1, 1000 - near + 3))
    assert one.looks == [3, 3, 3]
    one.door.waiting, one.lowest = [1000], 1000
    one.listener.on_event(0)
    assert (one.adopted[-1], one.loop.listening) == (1000 - near + 2, [])
    assert caplog.messages == ["cannot accept clients: what is left is kept for hosts; they wait until there is room (ulimit -n)"]
    one.lowest = 999
    one.loop.later[0][1]()
    assert one.adopted[-1] == 1000


def test_the_number_of_the_newest_is_renewed_when_it_was_looked_at(made):
    one = made(999, 5, 6, most=1000, lowest=4)
    one.listener.on_event(0)
    assert one.adopted == [999, 5, 6]
    assert one.looks == [3]  # after 999; then 4 and below are far from the limit


def test_a_listener_is_closed_once_and_does_not_come_back(made):
    one = made(OSError(errno.EMFILE, "none left"))
    one.listener.on_event(0)
    one.listener.close()
    one.listener.close()
    assert one.loop.closed == [3]
    one.loop.later[0][1]()
    assert (one.loop.listening, one.door.accepts) == ([], 1)


# the number of clients ---------------------------------------------------------------------------------------------


class Refused:
    """A socket that is refused. `room` is what it takes, or an error."""

    def __init__(self, error=None):
        self.sent, self.is_closed, self.error = [], False, error

    def setblocking(self, flag):
        assert flag is False

    def send(self, data):
        if self.error:
            raise self.error
        self.sent.append(data)

    def fileno(self):
        return 99

    def detach(self):
        return 99

    def close(self):
        self.is_closed = True


@pytest.fixture
def farewells(monkeypatch):
    """The connections that are left to linger."""
    found = []
    monkeypatch.setattr(limits, "SocketStream", lambda sock: sock)
    monkeypatch.setattr(limits, "Lingering", lambda loop, wire, done, most: found.append((wire, most)) or (wire, done))
    return found


def test_without_a_limit_none_is_counted():
    assert Doorman(Loop(), 0, lambda: 1 / 0).admits(None)


def test_clients_up_to_the_limit_and_no_more(farewells, caplog):
    caplog.set_level(logging.INFO)
    count = 0
    doorman = Doorman(Loop(), 3, lambda: count)
    refused = [Refused() for _ in range(3)]
    assert doorman.admits(None)
    count = 2
    assert doorman.admits(None)
    count = 3
    assert [doorman.admits(one) for one in refused] == [False] * 3
    assert [one.sent for one in refused] == [[b"SERVER_ERROR mcrouter: too many connections\r\n"]] * 3
    assert farewells == [(one, 1.0) for one in refused]
    count = 2
    assert doorman.admits(None)
    assert doorman.admits(None)
    count = 3
    assert not doorman.admits(Refused())
    told = "3 clients are connected; more are refused (--max-connections)"
    assert caplog.messages == [told, "there is room for clients again", told]


def test_one_that_cannot_be_told_is_closed(farewells):
    one = Refused(ConnectionResetError())
    assert not Doorman(Loop(), 1, lambda: 1).admits(one)
    assert one.is_closed
    assert farewells == []


def test_idle_clients_are_looked_for_four_times_in_their_time():
    class Client:
        def __init__(self, checks):
            self.checks, self.is_gone = checks, False

        def check_idle(self):
            self.checks += 1
            return self.checks

        def abort(self):
            self.is_gone = True

    loop, clients = Loop(), {1: Client(0), 2: Client(3), 3: Client(4)}
    close_idle(SimpleNamespace(loop=loop, clients=clients), 20.0)
    assert [client.is_gone for client in clients.values()] == [False, False, True]
    [(seconds, again)] = loop.later
    assert seconds == 5.0
    again()
    assert [client.is_gone for client in clients.values()] == [False, True, True]
    assert len(loop.later) == 2


# descriptors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "hosts", "connections", "expected"), [
    (1000, 10, 2, 1000 - 40 - 32), (1000, 100, 2, 568), (1000, 200, 2, 500), (1024, 1, 1, 1024 - 3 - 32), (0, 1, 1, 0),
    (-1, 1, 1, 1 << 30), (1 << 30, 1, 1, 1 << 30), ((1 << 30) - 1, 1, 1, (1 << 30) - 1 - 35), (1 << 40, 5, 5, 1 << 30),
])  # fmt: skip
def test_what_clients_may_have(monkeypatch, limit, hosts, connections, expected):
    monkeypatch.setattr(descriptors.resource, "getrlimit", lambda which: {resource.RLIMIT_NOFILE: (limit, -1)}[which])
    assert descriptors.most_for_clients(hosts, connections) == expected


def test_where_there_is_no_limit_clients_have_all(monkeypatch):
    monkeypatch.setattr(descriptors, "resource", None)
    assert descriptors.most_for_clients(10, 2) == 1 << 30
