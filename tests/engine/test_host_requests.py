"""What a host does with a request, by its kind and by the state of its connections; and what it records as missed."""

from types import SimpleNamespace

import pytest

from mcrouter.engine.hosts.connections.meta_check import MetaSupport
from mcrouter.engine.hosts.connections.socket import SocketState
from mcrouter.engine.hosts.journal import REPLAY, Journal
from mcrouter.engine.hosts.reason import Reason
from mcrouter.engine.hosts.state import HostState
from mcrouter.engine.poller import IN
from mcrouter.proto import outcomes as o
from mcrouter.proto import results as r
from mcrouter.proto.background import background
from tests.proto.feeding import request as parsed

from .scripted import ScriptedWorld
from .test_reply_memory import Client, Sink

GET, SET, MS, MISS = b"get a\r\n", b"set a 0 0 1\r\nx\r\n", b"ms a 1\r\nx\r\n", b"END\r\n"


class Stub:
    """A thing with these attributes, that a set may have."""

    def __init__(self, **given):
        self.__dict__.update(given)


class World(ScriptedWorld):
    """A router before one host, which is asked by the test alone."""

    def __init__(self, **settings):
        super().__init__(timeouts_until_tko=10, **settings)
        self.host.prober = SimpleNamespace(hurry=lambda: None, went_down=lambda: None, close=lambda: None)
        self.later = []
        self.loop.call_later = self._call_later

    def _call_later(self, seconds, call):
        timer = SimpleNamespace(seconds=seconds, call=call, is_off=False)
        timer.cancel = lambda: setattr(timer, "is_off", True)
        self.later.append(timer)
        return timer

    def made(self, data, client=None):
        """A request of a client."""
        request = parsed(data)
        request.client = client or Client()
        return request

    def send(self, request, **more):
        """The host is asked, and the tick ends; returns the sink."""
        sink = Sink()
        self.host.send(request, sink, **more)
        self.loop.flush()
        return sink

    def cell(self, place):
        return self.host.tally.cells[place]


@pytest.fixture
def world():
    with World(buffer_size=4096) as made:
        yield made


def journaled(world):
    """The host has a journal."""
    world.host.journal = Journal(REPLAY, limit=100)
    return world.host.journal


def test_a_request_goes_to_the_connection_of_its_client(world):
    request = world.made(GET)
    world.send(request, since=5.0)
    [(entry, _sink, since)] = world.connection.inflight
    assert (entry, since, world.wire.sent) == (request, 5.0, [GET])
    world.send(world.made(SET))
    assert world.connection.inflight[1][2] == world.loop.now
    assert world.connection.runs == 0
    world.send(world.made(GET + SET))
    assert world.connection.runs == 1


def test_what_a_route_has_made_wrong_is_not_sent(world):
    origin = world.made(GET)
    made = world.made(GET)
    made.origin, made.data = origin, b"get a\r\nflush_all\r\n"
    sink = world.send(made)
    assert sink.got[1] == o.LOCAL and sink.got[0].startswith(b"SERVER_ERROR")
    assert (world.wire.sent, len(world.connection.inflight)) == ([], 0)
    made = world.made(GET)
    made.origin, made.data = origin, b"get b\r\n"
    world.send(made)
    assert world.wire.sent == [b"get b\r\n"]


def test_a_large_value_has_a_connection_of_its_own(world):
    asked = []
    world.host.streaming = SimpleNamespace(send=lambda request, sink: asked.append(request), busy={}, close=lambda why: None)
    request = world.made(SET)
    request.large_value = SimpleNamespace()
    world.send(request)
    assert (asked, world.wire.sent) == ([request], [])


def test_an_ms_for_a_host_that_does_not_speak_it_is_refused_and_missed_where_others_have_it(world):
    journal = journaled(world)
    world.connection.meta.state = MetaSupport.UNSPOKEN
    request = world.made(MS)
    request.client.routes = None
    sink = world.send(request)
    assert sink.got[1] == o.UNAVAILABLE and b"it does not speak the meta protocol" in sink.got[0]
    assert world.wire.sent == []
    assert bool(journal)
    assert world.cell(world.host.tally.by_result[r.LOCAL_ERROR]) == 1
    assert world.send(world.made(GET)).got is None


def test_what_is_asked_in_the_background_is_dropped_rather_than_kept_waiting(world):
    world.wire.room = [1]
    world.send(world.made(SET))
    one = background(world.made(GET))
    assert one.client.is_background
    assert world.send(one).got is None  # there is room yet
    world.connection.out.append(b"x" * 10_000)
    assert world.connection.is_full()
    sink = world.send(background(world.made(GET)))
    assert sink.got[1] == o.UNAVAILABLE and b"it does not read what it is sent" in sink.got[0]


def test_a_client_that_asks_a_host_which_reads_slowly_waits(world):
    world.wire.room = [1]
    world.send(world.made(SET))
    client = Client()
    world.connection.out.append(b"x" * 10_000)
    for _ in range(2):
        world.send(world.made(SET, client))
    assert (client.pauses, world.connection.waiters) == (1, [client])


# timeouts --------------------------------------------------------------------------------------------------------------


def test_timeouts_are_looked_for_while_anything_is_in_flight(world):
    sweeps = lambda: [timer for timer in world.later if timer.call == world.host._sweep and not timer.is_off]  # noqa: E731
    world.send(world.made(GET))
    world.send(world.made(GET))
    [timer] = sweeps()
    assert timer.seconds == world.host.timeout / 20
    timer.is_off = True
    timer.call()
    [timer] = sweeps()
    world.wire.reads = [MISS + MISS]
    world.connection.ready(IN)
    timer.is_off = True
    timer.call()
    assert sweeps() == []
    world.send(world.made(GET))
    assert len(sweeps()) == 1


def test_what_was_asked_at_the_limit_is_late(world):
    for seconds in (0.5, 1.0):
        sink = world.send(world.made(SET), since=world.loop.now - seconds)
        world.host._sweep()
        assert (sink.got is None) == (seconds == 0.5)
        world.connection.inflight.clear()
        world.connection.expired = 0


# what it says of itself ------------------------------------------------------------------------------------------------


def test_its_load_is_that_of_its_connections(world):
    assert world.host.load() == (0, 0)
    world.send(world.made(GET))
    world.wire.room = [0]
    world.send(world.made(GET))
    world.send(world.made(GET))
    assert world.host.load() == (1, 2)
    world.host.streaming.busy[object()] = None
    assert world.host.load() == (1, 3)
    world.host.streaming.busy.clear()


def test_writers_are_those_of_all_its_connections(world):
    client, other = Client(), Client()
    world.send(world.made(SET, client))
    write = world.made(SET, other)
    world.host.streaming.busy[Stub(writers=lambda: iter([write.client.owner]))] = None
    assert list(world.host.writers()) == [client, other]
    world.host.streaming.busy.clear()


def test_what_is_skipped_is_counted_and_a_write_recorded(world):
    journal = journaled(world)
    world.host.mark_down(Reason.REFUSES, "a test")
    missed = world.cell(world.host.tally.missed)
    world.host.record_skipped(world.made(GET))
    assert not journal
    world.host.record_skipped(world.made(SET))
    assert journal.take() == (False, [b"a"])
    assert world.cell(world.host.tally.missed) == missed + 1
    world.host.journal = None
    world.host.record_skipped(world.made(SET))
    assert world.cell(world.host.tally.missed) == missed + 1


def test_a_host_that_recovers_gets_the_writes_that_it_would_miss(world):
    journal = journaled(world)
    world.wire.fd, fd = -1, world.wire.fd  # it outlives the connection
    world.host.mark_down(Reason.REFUSES, "a test")
    world.host.begin_recovery()
    world.wire.fd = fd
    world.connection.disconnect()
    world.connection.wire, world.connection.state = world.wire, SocketState.OPEN
    world.host.record_missed_write(world.made(SET))
    world.loop.flush()
    assert not journal
    assert [entry[0].data for entry in world.connection.inflight] == [SET]
    large = world.made(SET)
    large.large_value = SimpleNamespace()
    world.host.record_missed_write(large)
    assert journal.take() == (False, [b"a"])


@pytest.mark.parametrize(("data", "has_journal", "counted", "noted", "missed"), [
    (SET, True, False, True, 1), (SET, True, True, True, 0), (SET, False, False, False, 0), (GET, True, False, False, 0),
    (SET + SET, True, False, True, 2),
])  # fmt: skip
def test_a_write_of_which_it_is_not_known_whether_it_was_done(world, data, has_journal, counted, noted, missed):
    journal = journaled(world)
    if not has_journal:
        world.host.journal = None
    before = world.cell(world.host.tally.missed)
    world.host.write_uncertain(world.made(data), counted)
    assert bool(journal) == noted
    assert world.cell(world.host.tally.missed) == before + missed
    assert world.host.state is (HostState.RECOVERING if noted else HostState.HEALTHY)
    assert world.cell(world.host.tally.dirty) == (1 if noted else 0)


def test_nothing_is_settled_before_what_was_under_way_when_a_write_was_missed(world):
    journaled(world)
    assert world.host.is_settled()
    world.send(world.made(SET))
    world.host._note(world.made(SET))
    assert not world.host.is_settled()
    world.send(world.made(SET))
    world.wire.reads = [b"STORED\r\n"]
    world.connection.ready(IN)
    assert world.host.is_settled()


def test_what_lingers_is_not_settled(world):
    journaled(world)
    world.host.lingering.add(Stub(end=lambda: None))
    assert not world.host.is_settled()
    world.host.lingering.clear()
    assert world.host.is_settled()


# the end ----------------------------------------------------------------------------------------------------------------


def test_a_host_that_no_policy_has_any_more_ends_when_it_has_answered(world):
    journaled(world)
    sink = world.send(world.made(GET))
    world.host.retire()
    assert (world.host.journal, world.connection.is_open(), sink.got) == (None, True, None)
    world.wire.reads = [MISS]
    world.connection.ready(IN)
    assert sink.got == (MISS, o.MISS)
    [timer] = [timer for timer in world.later if timer.call != world.host._sweep][-1:]
    timer.call()
    assert not world.connection.is_open()


def test_a_host_that_is_closed_fails_what_is_in_flight(world):
    sink = world.send(world.made(SET))
    ended = []
    world.host.lingering.add(Stub(end=lambda: ended.append(True)))
    world.host.close()
    assert b"the router is stopping" in sink.got[0]
    assert ended == [True]
    assert all(timer.is_off for timer in world.later if timer.call == world.host._sweep)
