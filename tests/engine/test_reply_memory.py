"""Which replies a connection to a host keeps: large ones, and all while memory is short; and what is counted of each."""

import pytest

from mcrouter.engine.hosts.connections import inbox as module
from mcrouter.engine.hosts.connections.connection import HostConnection
from mcrouter.engine.poller import IN
from mcrouter.proto import outcomes as o
from mcrouter.proto.replies import NO_MEMORY
from mcrouter.proto.reply import TOO_LARGE
from tests.proto.feeding import request as parsed

from .scripted import ScriptedWorld

GET, SET = b"get a\r\n", b"set a 0 0 1\r\nx\r\n"


def hit(size):
    """The reply to GET with a value of this size."""
    return b"VALUE a 0 %d\r\n%b\r\nEND\r\n" % (size, b"v" * size)


class Client:
    """The source of a request; it notes what it is told."""

    connection_number, can_wait, is_background = 0, True, False

    def __init__(self, holds=True, asks_again=True):
        self.holds, self.asks_again = holds, asks_again
        self.asked, self.told, self.gathered, self.pauses = [], [], 0, 0

    @property
    def owner(self):
        return self

    def may_hold(self, size):
        self.asked.append(size)
        return self.holds

    def may_ask_again(self, request):
        return self.asks_again

    def will_ask_again(self, request):
        self.told.append(request)

    def gather(self, request, size):
        self.gathered += size

    def awaits(self, request):
        return True

    def pause(self):
        self.pauses += 1

    def resume(self):
        self.pauses -= 1


class Sink:
    def __init__(self):
        self.got = None

    def on_reply(self, reply, outcomes):
        assert self.got is None
        self.got = reply, outcomes


class World(ScriptedWorld):
    """A router before one host; `memory` is the bound."""

    def __init__(self, **settings):
        super().__init__(timeouts_until_tko=10, **settings)
        self.memory = self.connection.memory

    def send(self, data, client):
        """The host is asked; returns the sink."""
        made, sink = parsed(data), Sink()
        made.client = client
        self.host.send(made, sink)
        self.loop.flush()
        return sink

    def says(self, *reads):
        """The host answers."""
        self.wire.reads = list(reads)
        self.connection.ready(IN)
        while self.loop._ready:
            self.next_turn()


@pytest.fixture
def world():
    with World(buffer_size=5000) as made:
        yield made


def short(world):
    world.memory.is_short = True
    world.memory.arrived = 0
    return world


# while there is memory -------------------------------------------------------------------------------------------------


def test_what_is_read_is_told_to_the_bound(world):
    world.send(GET, Client())
    world.memory.arrived = 0
    world.says(hit(100))
    assert world.memory.arrived == len(hit(100))


def test_the_bound_looks_when_more_than_a_step_has_come(world):
    looks = []
    world.memory.look = lambda: looks.append(True)
    world.memory.arrived, world.memory.step = 0, len(hit(100))
    for count in (0, 1):
        world.send(GET, Client())
        world.says(hit(100))
        assert len(looks) == count


@pytest.mark.parametrize(("size", "gathered"), [(200 - len(hit(100)) + 100, 0), (201 - len(hit(100)) + 100, 201)])
@pytest.mark.parametrize("others", [0, 1])
def test_a_reply_that_a_route_keeps_is_counted_for_its_client_from_some_size_on(world, size, gathered, others):
    client = Client()
    sinks = [world.send(GET, client) for _ in range(1 + others)]
    world.says(hit(size) * (1 + others))
    assert client.gathered == gathered * (1 + others)
    assert [sink.got for sink in sinks] == [(hit(size), o.VALUE)] * (1 + others)


def test_the_same_on_the_general_way(world):
    for size, gathered in ((100, 0), (300, len(hit(300)))):
        client = Client()
        world.send(b"gets a\r\n", client)
        reply = hit(size).replace(b"\r\n", b" 7\r\n", 1)
        world.says(reply)
        assert client.gathered == (gathered and len(reply))


# a reply that is larger than the buffer --------------------------------------------------------------------------------


def test_a_reply_that_is_too_large_is_skipped_and_its_client_waits_until_it_has_passed(world):
    client = Client()
    first, second = world.send(GET, client), world.send(GET, Client())
    whole = hit(20_000)
    world.says(whole[:6000])
    assert (client.pauses, len(client.told), first.got) == (1, 1, None)
    world.says(whole[6000:-1])
    assert (client.pauses, first.got) == (1, None)
    world.says(whole[-1:] + hit(1))
    assert (client.pauses, first.got[0], second.got) == (0, TOO_LARGE, (hit(1), o.VALUE))


def test_one_that_is_not_asked_for_again_is_kept_while_there_is_room(world):
    sink = world.send(GET, Client(asks_again=False))
    world.says(hit(20_000)[:6000])
    world.says(hit(20_000)[6000:])
    assert sink.got == (hit(20_000), o.VALUE)


def test_one_that_is_not_asked_for_again_and_for_which_there_is_no_room_becomes_an_error(world):
    sink, after = world.send(GET, Client(asks_again=False)), world.send(GET, Client())
    world.memory.has_room = lambda size: False
    world.says(hit(20_000)[:6000])
    assert world.connection.leaves_out
    world.says(hit(20_000)[6000:] + hit(1))
    assert (sink.got, after.got) == ((NO_MEMORY, o.LEFT_OUT), (hit(1), o.VALUE))
    assert not world.connection.leaves_out


def test_what_was_asked_in_the_background_is_not_asked_for_again(world):
    client = Client()
    client.is_background = True
    sink = world.send(GET, client)
    world.says(hit(20_000)[:6000])
    assert (client.pauses, client.told) == (0, [])
    world.says(hit(20_000)[6000:])
    assert sink.got[0] is TOO_LARGE


def test_one_that_comes_too_late_passes(world):
    client = Client()
    world.send(GET, client)
    world.connection.expire(world.loop.now)
    world.says(hit(20_000)[:6000])
    world.says(hit(20_000)[6000:])
    assert (client.pauses, client.told, world.connection.expired) == (0, [], 0)


@pytest.fixture
def restarts(monkeypatch):
    """Why the connection was started over."""
    seen = []
    monkeypatch.setattr(HostConnection, "restart", lambda self, why: seen.append(why))
    return seen


def test_statistics_without_an_end_close_the_connection(world, restarts):
    world.send(b"stats items\r\n", Client())
    world.says(b"STAT a %b\r\n" % (b"1" * 3000) * 3)
    assert restarts == ["out of step: statistics without an end"]


def test_a_connection_that_ends_lets_the_client_go_on(world):
    client = Client()
    world.send(GET, client)
    world.says(hit(20_000)[:6000])
    world.connection.end_skip()
    world.connection.end_skip()
    assert client.pauses == 0


# while memory is short -------------------------------------------------------------------------------------------------


def small(size):
    """What a reply of this size holds as its value."""
    return next(value for value in range(size) if len(hit(value)) == size)


@pytest.mark.parametrize(("size", "asked"), [(1000, []), (1001, [1001])])
def test_small_replies_are_kept_and_counted_and_of_others_the_client_decides(world, size, asked):
    short(world)
    client = Client()
    sink = world.send(GET, client)
    world.says(hit(small(size)))
    assert (client.asked, sink.got) == (asked, (hit(small(size)), o.VALUE))
    assert world.memory.arrived == (0 if asked else size)


def test_what_a_client_may_not_hold_is_asked_for_again(world):
    short(world)
    client = Client(holds=False)
    sink = world.send(GET, client)
    world.says(hit(3000))
    assert (sink.got[0], len(client.told), client.pauses) == (TOO_LARGE, 1, 0)


@pytest.mark.parametrize("room", [True, False])
def test_what_is_not_asked_for_again_is_kept_while_there_is_room(world, room):
    short(world)
    client = Client(holds=False, asks_again=False)
    taken = []
    world.memory.takes = lambda size: taken.append(size) or room
    sink = world.send(GET, client)
    world.says(hit(3000))
    assert sink.got == ((hit(3000), o.VALUE) if room else (NO_MEMORY, o.LEFT_OUT))
    assert taken == [len(hit(3000))]


def test_an_unfinished_reply_that_a_client_may_not_hold_is_skipped_at_once(world):
    short(world)
    client = Client(holds=False)
    sink = world.send(GET, client)
    world.says(hit(3000)[:500])
    assert (client.pauses, client.asked) == (1, [len(b"VALUE a 0 3000\r\n") + 3002])
    world.says(hit(3000)[500:])
    assert (client.pauses, sink.got[0]) == (0, TOO_LARGE)


def test_an_unfinished_reply_that_a_client_may_hold_is_waited_for(world):
    short(world)
    client = Client()
    sink = world.send(GET, client)
    world.says(hit(3000)[:500])
    assert (client.pauses, client.told) == (0, [])
    world.says(hit(3000)[500:])
    assert sink.got == (hit(3000), o.VALUE)


@pytest.mark.parametrize("why", ["background", "late"])
def test_what_no_client_waits_for_is_kept_for_the_moment_that_it_takes(world, why):
    short(world)
    client = Client(holds=False)
    client.is_background = why == "background"
    world.send(GET, client)
    if why == "late":
        world.connection.expire(world.loop.now)
    world.memory.arrived = 0
    world.says(hit(3000))
    assert (client.asked, world.memory.arrived) == ([], len(hit(3000)))


def test_no_reply_takes_the_fast_path_then(world, monkeypatch):
    short(world)
    client = Client()
    monkeypatch.setattr(HostConnection, "_singles", lambda self, data: 1 / 0)
    sink = world.send(GET, client)
    world.says(hit(1))
    assert sink.got == (hit(1), o.VALUE)


# signs of health, and errors -------------------------------------------------------------------------------------------


def test_an_answer_is_a_sign_of_health_unless_it_comes_too_late(world):
    world.send(GET, Client())
    world.host.timeouts, world.connection.timeouts, world.connection.failures = 3, 4, 5
    world.says(hit(1))
    assert (world.host.timeouts, world.connection.timeouts, world.connection.failures) == (0, 0, 0)
    world.send(GET, Client())
    world.connection.expire(world.loop.now)
    world.host.timeouts = 3
    world.says(hit(1))
    assert (world.host.timeouts, world.connection.timeouts) == (3, 0)


@pytest.mark.parametrize(("data", "reply", "count"), [
    (SET, b"SERVER_ERROR out of memory storing object\r\n", 0), (SET, b"ERROR\r\n", 1), (SET, b"CLIENT_ERROR bad data chunk\r\n", 1),
    (SET, b"NOT_STORED\r\n", 0), (GET, b"CLIENT_ERROR no\r\n", 0), (b"incr a 1\r\n", b"CLIENT_ERROR cannot increment\r\n", 0),
])  # fmt: skip
def test_a_store_that_is_answered_with_an_error_closes_the_connection(world, restarts, data, reply, count):
    sink = world.send(data, Client())
    world.says(reply)
    assert len(restarts) == count
    assert sink.got[0] == reply


def test_followers_are_called_once_their_clients_writes_are_done(world):
    client, seen = Client(), []
    world.send(SET, client)
    world.connection.when_done(client, lambda: seen.append(True))
    world.says(b"STO")
    assert seen == []
    world.says(b"RED\r\n")
    assert seen == [True]


def test_the_runs_in_flight_are_counted(world):
    assert world.connection.runs == 0
    sink = world.send(GET + SET, Client())
    assert world.connection.runs == 1
    world.says(hit(1) + b"STORED\r\n")
    assert (world.connection.runs, sink.got) == (0, (hit(1) + b"STORED\r\n", o.VALUE + o.STORED))


def test_reads_of_one_event(world, monkeypatch):
    monkeypatch.setattr(module, "READ_SIZE", len(hit(1)))
    monkeypatch.setattr(module, "_READS", 3)
    sinks = [world.send(GET, Client()) for _ in range(5)]
    world.wire.reads = [hit(1)] * 5
    world.connection.ready(IN)
    assert [sink.got is not None for sink in sinks] == [True] * 3 + [False] * 2
    world.next_turn()
    assert all(sink.got for sink in sinks)
