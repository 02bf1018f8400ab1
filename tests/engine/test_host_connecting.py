"""How a connection to a host comes about, is lost and comes again, over scripted byte streams: no kernel, no time."""

import errno
import logging
import os
import random
from types import SimpleNamespace

import pytest

from mcrouter.engine.hosts.connections import connection as module
from mcrouter.engine.hosts.connections import socket as sockets
from mcrouter.engine.hosts.connections.connection import backoff
from mcrouter.engine.hosts.connections.socket import SocketState
from mcrouter.engine.poller import ERR, HUP, IN, OUT, RDHUP
from mcrouter.proto import outcomes as o

from .scripted import ScriptedStream, ScriptedWorld

GET, SET, MISS = b"get a\r\n", b"set a 0 0 1\r\nx\r\n", b"END\r\n"


class Opening(ScriptedStream):
    """A stream that is being opened. `error` is what SO_ERROR says."""

    error = 0

    def take_error(self):
        return self.error


class World(ScriptedWorld):
    """A router before one host. `opened` are the streams that it has begun to open; `refusal` makes that fail at once;
    `later` are its timers: (seconds, call)."""

    def __init__(self, monkeypatch, **settings):
        super().__init__(timeouts_until_tko=10, **settings)
        self.opened, self.refusal, self.watched, self.later, self.closed = [], None, {}, [], []
        monkeypatch.setattr(sockets, "_connecting", self._open)
        self.loop.watch = self.watched.__setitem__
        self.loop.call_later = self._call_later
        self.loop.close_later = lambda fd: (self.closed.append(fd), os.close(fd))
        self.host.prober = SimpleNamespace(hurry=lambda: None, went_down=lambda: None, close=lambda: None)
        self.connection.close(o.LOST, "the beginning of the test")
        self.loop._ready.clear()
        self.wanted.clear()
        self.closed.clear()

    def _open(self, address):
        if self.refusal:
            raise self.refusal
        self.opened.append(Opening())
        return self.opened[-1]

    def _call_later(self, seconds, call):
        timer = SimpleNamespace(seconds=seconds, call=call, is_off=False)
        timer.cancel = lambda: setattr(timer, "is_off", True)
        self.later.append(timer)
        return timer

    def due(self):
        """The timers that are not cancelled, the sweeps for timeouts aside."""
        return [timer for timer in self.later if not timer.is_off and timer.call != self.host._sweep]

    def open(self):
        """Opens the connection."""
        self.connection.connect()
        self.connection.on_event(OUT)
        assert self.connection.state is SocketState.OPEN
        self.wanted.clear()
        return self.opened[-1]

    def gauge(self):
        """How many connections are counted."""
        return self.host.tally.cells[self.host.tally.connections]


@pytest.fixture
def world(monkeypatch):
    with World(monkeypatch) as made:
        yield made


def test_a_connection_is_begun_once_and_open_when_it_is_writable(world):
    before = world.gauge()
    for _ in range(3):
        world.connection.connect()
    [wire], [timer] = world.opened, world.due()
    assert (world.connection.state, list(world.watched), world.wanted) == (SocketState.CONNECTING, [wire.fd], [True])
    assert timer.seconds == world.host.connect_timeout
    assert world.gauge() == before
    world.connection.on_event(OUT)
    assert (world.connection.state, world.wanted, world.due()) == (SocketState.OPEN, [True, False], [])
    assert world.gauge() == before + 1
    assert wire.asked == []
    world.connection.connect()
    assert len(world.opened) == 1


@pytest.mark.parametrize(("mask", "reads"), [(OUT, 0), (IN | OUT, 1), (IN, 1), (OUT | RDHUP, 1)])
def test_what_the_host_says_with_the_opening_is_read_at_once(world, mask, reads):
    world.connection.connect()
    world.opened[0].reads = [BlockingIOError()] * 2
    world.connection.on_event(mask)
    assert bool(world.opened[0].asked) == bool(reads)


def test_an_event_that_says_nothing_of_it_leaves_it_connecting(world):
    world.connection.connect()
    world.connection.on_event(0)
    assert (world.connection.state, len(world.due())) == (SocketState.CONNECTING, 1)


def test_events_of_a_connection_that_is_closed_go_nowhere(world):
    world.connection.on_event(IN | OUT)
    assert world.connection.state is SocketState.CLOSED


def test_without_an_address_none_is_begun(world):
    world.host.address = None
    world.connection.connect()
    assert (world.opened, world.connection.state) == ([], SocketState.CLOSED)


@pytest.mark.parametrize("how", ["at once", "by an event", "in time"])
def test_what_waits_for_a_connection_that_is_refused_fails_as_never_sent(world, how, caplog):
    call = world.asks(GET)
    if how == "at once":
        world.refusal = OSError(errno.ECONNREFUSED, "refused")
        world.loop.flush()
    else:
        world.loop.flush()
        if how == "by an event":
            world.opened[0].error = errno.ECONNREFUSED
            world.connection.on_event(OUT | ERR | HUP)
        else:
            world.due()[0].call()
    assert (world.connection.state, world.due(), world.host.healthy) == (SocketState.CLOSED, [], False)
    why = os.strerror(errno.ETIMEDOUT if how == "in time" else errno.ECONNREFUSED)
    assert world.connection.late == (how == "in time")
    assert call.answers == [] or b"".join(call.answers).startswith(b"SERVER_ERROR")
    assert f"cannot connect: {why}" in caplog.text
    assert not world.connection.inflight
    assert len(world.closed) == len(world.opened)


def test_what_has_waited_is_sent_when_it_is_open(world):
    world.asks(GET)
    world.loop.flush()
    world.asks(SET)
    world.loop.flush()
    wire = world.open()
    assert b"".join(wire.sent) == GET + SET


# lost and found again -------------------------------------------------------------------------------------------------


def test_a_lost_connection_is_opened_at_once_and_later_ones_after_longer_and_longer(world):
    world.loop.chance = SimpleNamespace(uniform=lambda least, most: most)
    world.open()
    pauses = []
    for count in range(1, 9):
        world.connection.restart("a test")
        assert len(world.opened) == count + (not pauses and count == 1), count
        if world.due():
            [timer] = [timer for timer in world.due() if timer.seconds != world.host.connect_timeout] or [None]
            if timer is not None:
                pauses.append(timer.seconds)
                world.connection.connect()  # an attempt is due already
                assert len(world.due()) == 1
                timer.call()
                timer.is_off = True
        world.connection.on_event(OUT)
        assert world.connection.state is SocketState.OPEN
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_the_pause_before_the_next_attempt_doubles_up_to_two_seconds():
    chance = SimpleNamespace(uniform=lambda least, most: most)
    assert [backoff(failures, chance) for failures in range(1, 9)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
    assert backoff(10**9, chance) == 2.0
    drawn = [backoff(3, random.Random(seed)) for seed in range(200)]
    assert 0.2 <= min(drawn) < 0.22 and 0.38 < max(drawn) <= 0.4


def test_a_reply_ends_the_pauses(world):
    wire = world.open()
    world.connection.failures = 5
    world.ask(GET)
    wire.reads = [MISS]
    world.connection.on_event(IN)
    assert world.connection.failures == 0


def test_after_a_pause_that_was_cut_short_the_next_one_may_begin(world):
    world.open()
    world.connection.failures = 3
    world.connection.restart("a test")
    [timer] = world.due()
    world.connection.close(o.LOST, "a test")
    assert timer.is_off
    world.connection.connect()
    [timer] = world.due()
    timer.call()
    assert world.connection.state is SocketState.CONNECTING


@pytest.mark.parametrize("inflight", [0, 2])
def test_what_is_lost_is_told_where_something_was_in_flight(world, caplog, inflight):
    caplog.set_level(logging.DEBUG)
    world.open()
    for _ in range(inflight):
        world.ask(GET)
    world.connection.restart("a test")
    (record,) = [record for record in caplog.records if "connection lost" in record.message]
    assert record.levelname == ("WARNING" if inflight else "DEBUG")
    said = f"connection lost with {inflight} requests in flight: a test" if inflight else "connection lost: a test"
    assert record.message == f"host {world.host.name}: {said}"


def test_an_unreachable_host_is_not_connected_to(world):
    world.open()
    world.host.mark_down(module.Reason.REFUSES, "a test")
    world.connection.restart("a test")
    assert (len(world.opened), world.connection.failures) == (1, 0)


def test_a_bug_starts_the_connection_over(world):
    world.open()
    world.connection.abort()
    assert (len(world.opened), world.connection.failures) == (2, 1)


def test_a_host_that_has_moved_is_connected_to_where_it_is(world):
    world.open()
    call = world.ask(SET)
    world.connection.change_address()
    assert (len(world.opened), world.connection.failures) == (2, 0)
    assert b"its address changed" in b"".join(call.answers)


def test_the_gauge_counts_what_is_open(world):
    before = world.gauge()
    world.open()
    assert world.gauge() == before + 1
    world.connection.close(o.LOST, "a test")
    assert world.gauge() == before
    world.connection.connect()
    world.connection.close(o.LOST, "a test")
    assert world.gauge() == before


# what is in flight when it ends ----------------------------------------------------------------------------------------


def test_reads_in_flight_end_with_the_socket_and_writes_linger(world):
    lingering = []
    world.host.linger = lingering.append
    wire = world.open()
    world.connection.close(o.LOST, "a test")
    assert (lingering, wire.fd) == ([], -1)
    wire = world.open()
    world.ask(GET)
    world.connection.close(o.LOST, "a test")
    assert (lingering, wire.fd) == ([], -1)
    wire = world.open()
    world.ask(GET + SET)
    world.connection.close(o.LOST, "a test")
    assert lingering == [world.connection]


def test_all_that_waits_is_resumed_and_called_when_it_ends(world):
    world.open()
    seen = []
    world.connection.waiters.append(SimpleNamespace(resume=lambda: seen.append("resumed")))
    world.connection.followers.append((None, lambda: seen.append("followed")))
    world.connection.close(o.LOST, "a test")
    assert seen == ["resumed", "followed"]
    assert (world.connection.waiters, world.connection.followers) == ([], [])


def test_what_timed_out_before_has_had_its_answer(world):
    world.open()
    world.host.linger = lambda connection: connection.disconnect()
    calls = [world.ask(SET) for _ in range(3)]
    world.connection.expire(world.loop.now - 1)
    assert world.connection.expired == 0
    first = world.connection.inflight[0]
    world.connection.inflight[0] = (first[0], first[1], -1e9)
    world.connection.expire(world.loop.now - 1)
    assert (world.connection.expired, world.connection.timeouts) == (1, 1)
    world.connection.close(o.LOST, "a test")
    assert [len(call.answers) for call in calls] == [1, 1, 1]
    assert b"no reply within 1000 ms" in b"".join(calls[0].answers)
    assert b"a test" in b"".join(calls[1].answers)


def test_what_waits_for_a_connection_and_times_out_is_never_sent(world):
    calls = [world.asks(SET) for _ in range(2)]
    world.loop.flush()
    world.connection.expire(world.loop.now)
    assert (world.connection.expired, len(world.connection.inflight), world.connection.out) == (0, 0, [])
    assert all(b"no reply within 1000 ms" in b"".join(call.answers) for call in calls)
    assert world.open().sent == []


def test_so_many_timeouts_in_a_row_start_the_connection_over(world):
    world.open()
    for _ in range(10):
        world.ask(GET)
    world.host.timeouts_until_tko = 10
    told = []
    world.host.timed_out = lambda: told.append(True)
    entries = list(world.connection.inflight)
    world.connection.inflight.clear()
    world.connection.inflight.extend((request, sink, -1e9) for request, sink, _ in entries[:9])
    world.connection.inflight.append(entries[9])
    world.connection.expire(world.loop.now - 1)
    assert (len(told), len(world.opened)) == (9, 1)
    world.connection.expire(world.loop.now)
    assert (len(told), len(world.opened)) == (10, 2)


def test_timeouts_while_replies_come_as_fast_as_they_can_be_read_are_not_the_hosts(world):
    world.open()
    world.ask(GET)
    told = []
    world.host.timed_out = lambda: told.append(True)
    world.connection.flooded = world.loop.now + 1
    world.connection.expire(world.loop.now)
    assert (world.connection.expired, world.connection.timeouts, told) == (1, 0, [])


def test_a_connection_that_is_not_read_while_clients_wait_is_started_over_with_the_first_timeout(world):
    world.open()
    world.ask(GET)
    world.connection.waiters.append(SimpleNamespace(resume=lambda: None))
    world.connection.expire(world.loop.now)
    assert len(world.opened) == 2


def test_the_clients_with_a_write_under_way(world):
    world.open()
    reader, writer = world.ask(GET), world.ask(SET)
    assert not world.connection.has_write_of(reader)
    assert world.connection.has_write_of(writer)
    assert list(world.connection.writers()) == [writer]
    seen = []
    world.connection.when_done(reader, lambda: seen.append("reader"))
    world.connection.when_done(writer, lambda: seen.append("writer"))
    assert seen == ["reader"]
    world.connection.call_followers()
    assert seen == ["reader"]
    world.connection.inflight.clear()
    world.connection.call_followers()
    assert seen == ["reader", "writer"]


def test_a_write_that_has_timed_out_may_yet_be_done_and_nothing_waits_for_it(world):
    world.open()
    writer = world.ask(SET)
    assert not world.connection.has_late_write()
    world.connection.expire(world.loop.now)
    assert world.connection.has_late_write()
    assert world.connection.has_write_of(writer)
    assert list(world.connection.writers()) == []


def test_a_stream_is_given_away_open_and_only_then(world):
    wire = world.open()
    assert world.connection.release() is wire
    assert (wire.fd >= 0, world.connection.state, world.closed) == (True, SocketState.CLOSED, [])
    os.close(wire.detach())
    world.connection.connect()
    assert world.connection.release() is None
    assert len(world.closed) == 1
