"""The event loop by itself, over a poller and a clock that do what the test says: what happens in a tick, in which order."""

import errno
import logging
import os

import pytest

from mcrouter.engine.loop import PollGroup


class Poller:
    """`reports` are what the next polls tell, each an (events, seconds that it takes) pair; `patience` what each was given."""

    def __init__(self):
        self.now, self.reports, self.patience = 1000.0, [], []
        self.streams, self.listeners, self.removed = [], [], []
        self.error = None

    def add_stream(self, fd):
        self.streams.append(fd)

    def add_listener(self, fd):
        self.listeners.append(fd)

    def remove(self, fd):
        self.removed.append(fd)
        if self.error:
            raise self.error

    def poll(self, patience):
        self.patience.append(patience)
        events, seconds = self.reports.pop(0) if self.reports else ([], max(0.0, patience))
        self.now += seconds
        return events

    def close(self):
        pass


class Box:
    """A poller, its loop, and what has happened."""

    def __init__(self):
        self.poller = Poller()
        self.loop = PollGroup(self.poller, lambda: self.poller.now)
        self.seen = []

    def notes(self, *what):
        """A call that notes this."""
        return lambda *more: self.seen.append((*what, *more) if more else what[0])

    def tick(self, events=(), seconds=0.0):
        """One tick in which the poll tells this."""
        self.poller.reports.insert(0, (list(events), seconds))
        self.loop.tick()
        return self.poller.patience[-1]


@pytest.fixture
def box():
    made = Box()
    yield made
    made.poller.error = None
    made.loop.close()


class Flushed:
    """A connection that notes its flushes; it may become dirty again while it is flushed."""

    def __init__(self, box, name, dirty=0, where="dirty_clients", error=None):
        self.box, self.name, self.dirty, self.where, self.error = box, name, dirty, where, error

    def flush(self):
        self.box.seen.append(self.name)
        if self.dirty:
            self.dirty -= 1
            getattr(self.box.loop, self.where).append(self)
        if self.error:
            raise self.error

    def abort(self):
        self.box.seen.append(f"{self.name} aborted")


def test_how_long_a_poll_may_wait(box):
    assert box.tick() == -1.0
    timer = box.loop.call_later(2.5, lambda: None)
    assert box.tick(seconds=1.0) == 2.5
    assert box.tick(seconds=1.0) == 1.5
    box.loop.call_later(0.25, lambda: None)
    assert box.tick(seconds=0.25) == 0.25
    assert box.tick(seconds=0.25) == 0.25
    box.loop.call_soon(lambda: None)
    assert box.tick() == 0.0
    timer.cancel()
    assert box.tick() == -1.0  # the timer was due


@pytest.mark.parametrize("what", ["dirty_hosts", "dirty_clients"])
def test_what_is_dirty_lets_no_poll_wait(box, what):
    getattr(box.loop, what).append(Flushed(box, "one"))
    assert box.tick() == 0.0
    assert box.seen == ["one"]
    assert box.tick() == -1.0


def test_a_timer_that_is_late_lets_no_poll_wait_and_fires(box):
    box.loop.call_later(1.0, box.notes("due"))
    box.loop.now += 5.0
    assert box.tick(seconds=1.0) == 0.0
    assert box.seen == ["due"]


def test_timers_fire_when_they_are_due_in_the_order_of_their_times_then_of_their_making(box):
    for place, seconds in enumerate((3, 1, 2, 1, 2)):
        box.loop.call_later(seconds, box.notes(f"{seconds} {place}"))
    box.loop.call_later(1.5, box.notes("cancelled")).cancel()
    box.tick(seconds=0.875)
    assert box.seen == []
    box.tick(seconds=0.125)
    assert box.seen == ["1 1", "1 3"]
    box.tick(seconds=0.5)
    box.tick(seconds=0.5)
    assert box.seen == ["1 1", "1 3", "2 2", "2 4"]
    box.tick(seconds=1.0)
    assert box.seen[4:] == ["3 0"]


def test_a_timer_that_is_made_by_one_that_fires_waits_for_its_time(box):
    box.loop.call_later(1.0, lambda: box.loop.call_later(0.0, box.notes("inner")))
    box.tick(seconds=1.0)
    assert box.seen == ["inner"]
    box.loop.call_later(1.0, lambda: box.loop.call_later(0.5, box.notes("later")))
    box.tick(seconds=1.0)
    assert box.seen == ["inner"]
    box.tick(seconds=0.5)
    assert box.seen == ["inner", "later"]


def test_the_order_of_a_tick(box):
    read, write = os.pipe()
    os.close(write)
    box.loop.watch(7, box.notes("event"))
    box.loop.call_later(0.0625, box.notes("timer"))
    box.loop.call_soon(lambda: (box.seen.append("soon"), box.loop.call_soon(box.notes("next tick"))))
    box.loop.dirty_clients.append(Flushed(box, "client"))
    box.loop.dirty_hosts.append(Flushed(box, "host"))
    box.loop.close_later(read)
    box.tick([(7, 5), (read, 1)], seconds=0.0625)
    assert box.seen == [("event", 5), "timer", "soon", "host", "client"]
    with pytest.raises(OSError):
        os.fstat(read)
    assert read not in box.loop.handlers
    assert box.poller.removed == [read]
    box.seen.clear()
    assert box.tick() == 0.0
    assert box.seen == ["next tick"]


def test_flushes_are_repeated_a_few_times_and_the_rest_goes_with_the_next_tick(box):
    box.loop.dirty_clients.append(Flushed(box, "client", dirty=5))
    box.tick()
    assert box.seen == ["client"] * 4
    assert box.tick() == 0.0
    assert box.seen == ["client"] * 6


def test_hosts_are_flushed_before_clients_in_each_turn(box):
    host = Flushed(box, "host")

    class Client(Flushed):
        def flush(self):
            super().flush()
            box.loop.dirty_hosts.append(host)

    box.loop.dirty_clients += [Client(box, "one", dirty=1), Flushed(box, "two")]
    box.loop.dirty_hosts.append(host)
    box.tick()
    assert box.seen == ["host", "one", "two", "host", "one", "host"]


@pytest.mark.parametrize("where", ["dirty_hosts", "dirty_clients"])
def test_an_error_in_a_flush_ends_that_connection_and_no_other(box, where, caplog):
    getattr(box.loop, where).extend([Flushed(box, "one", error=ValueError("a bug")), Flushed(box, "two")])
    box.tick()
    assert box.seen == ["one", "one aborted", "two"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_an_error_in_a_handler_ends_that_connection_and_no_other(box, caplog):
    class Connection:
        def on_event(self, mask):
            raise ValueError("a bug")

        def abort(self):
            box.seen.append("aborted")
            raise ValueError("another bug")

    box.loop.watch(7, Connection().on_event)
    box.loop.watch(8, box.notes("event"))
    box.tick([(7, 1), (9, 1), (8, 1)])  # 9 has no handler
    assert box.seen == ["aborted", ("event", 1)]
    assert [str(record.exc_info[1]) for record in caplog.records] == ["a bug", "another bug", "9"]


@pytest.mark.parametrize("how", ["call_soon", "call_soon_threadsafe"])
def test_an_error_in_a_call_does_not_keep_the_next_one_away(box, how, caplog):
    call = getattr(box.loop, how)
    call(lambda: 1 / 0)
    call(box.notes("after"))
    box.tick([(box.loop.wakeup.fd, 1)] if "thread" in how else [])
    assert box.seen == ["after"]
    assert "ZeroDivisionError" in caplog.text


def test_calls_of_other_threads_come_in_order_with_the_event(box):
    assert box.loop.call_soon_threadsafe(lambda: box.loop.call_soon_threadsafe(box.notes("inner")))
    assert box.loop.call_soon_threadsafe(box.notes("second"))
    box.tick()
    assert box.seen == []
    box.tick([(box.loop.wakeup.fd, 1)])
    assert box.seen == ["second", "inner"]


def test_calls_that_come_after_the_last_tick_happen_when_the_loop_is_closed():
    box = Box()
    assert box.loop.call_soon_threadsafe(box.notes("late"))
    box.loop.close()
    assert box.seen == ["late"]
    assert not box.loop.call_soon_threadsafe(box.notes("never"))


def test_what_is_closed_gets_no_event_until_then_and_is_closed_once(box):
    read, write = os.pipe()
    os.close(write)
    box.loop.watch(read, box.notes("event"))
    box.loop.watch(7, lambda mask: box.loop.close_later(read))
    box.tick([(7, 1), (read, 1)])
    assert box.seen == []
    with pytest.raises(OSError, match=str(errno.EBADF)):
        os.fstat(read)
    box.tick()
    assert box.poller.removed == [read]


@pytest.mark.parametrize("error", [OSError(), KeyError(), ValueError()])
def test_what_was_not_watched_is_closed_all_the_same(box, error):
    box.poller.error = error
    read, write = os.pipe()
    box.loop.close_later(read)
    box.loop.close_later(write)
    box.tick()
    for fd in (read, write):
        with pytest.raises(OSError):
            os.fstat(fd)


def test_a_descriptor_that_is_not_watched_any_more_has_no_events(box):
    box.loop.watch_listener(7, box.notes("event"))
    box.loop.unwatch(7)
    box.tick([(7, 1)])
    assert (box.seen, box.poller.listeners[-1], box.poller.removed) == ([], 7, [7])


# pauses --------------------------------------------------------------------------------------------------------------


def pause(box, seconds, *reports):
    """The poll was to take a second and takes so many more; then each poll reports this."""
    box.loop.call_later(1.0, box.notes("timer"))
    box.poller.reports = [([], 1.0 + seconds), *[(list(events), 0.0) for events in reports]]
    begin = box.loop.now
    box.loop.tick()
    return box.loop.now - begin


def test_a_little_late_is_no_pause(box, caplog):
    assert pause(box, 0.0625) == 1.0625
    assert len(box.poller.patience) == 1
    assert box.seen == ["timer"]


def test_the_time_of_a_pause_is_left_out_from_then_on(box, caplog):
    assert pause(box, 0.5) == pytest.approx(1.1)
    assert box.poller.patience == [1.0, 0]
    assert box.seen == ["timer"]
    box.tick(seconds=2.0)
    assert box.loop.now == pytest.approx(1000.0 + 1.1 + 2.0)
    assert pause(box, 5.0) == pytest.approx(1.1)
    assert box.loop.now == pytest.approx(1000.0 + 1.1 + 2.0 + 1.1)
    assert caplog.messages == ["the process had no turn for 4.9 s; that time is not counted against hosts"]


@pytest.mark.parametrize(("seconds", "lines"), [(1.0, 0), (1.125, 1)])
def test_from_a_second_on_a_pause_is_told(box, caplog, seconds, lines):
    caplog.set_level(logging.INFO)
    pause(box, seconds)
    assert len(caplog.messages) == lines


def test_what_has_come_in_a_pause_is_read_before_a_timer_fires(box):
    box.loop.watch(7, box.notes("event"))
    pause(box, 2.0, [(7, 1)], [(7, 2)], [], [(7, 3)])
    assert box.seen == [("event", 1), ("event", 2), "timer"]


def test_so_often_is_looked_and_no_more(box):
    box.loop.watch(7, box.notes("event"))
    pause(box, 2.0, *[[(7, 1)]] * 30)
    assert len(box.seen) == 16 + 1


def test_a_loop_that_was_to_wait_for_ever_is_never_late(box):
    box.tick(seconds=1000.0)
    assert (box.loop.now, len(box.poller.patience)) == (2000.0, 1)


def test_a_loop_that_was_not_to_wait_may_be_late(box):
    box.loop.call_soon(lambda: None)
    box.tick(seconds=10.0)
    assert box.loop.now == pytest.approx(1000.1)


def test_run_ends_after_the_tick_in_which_it_is_stopped_and_may_begin_again(box):
    for _ in range(2):
        box.poller.now += 5.0
        box.loop.call_soon(lambda: (box.seen.append((box.loop.now, box.loop.thread != 0)), box.loop.stop()))
        box.loop.call_soon(box.notes("same tick"))
        box.loop.run()
        assert box.loop.thread == 0
    assert box.seen == [(1005.0, True), "same tick", (1010.0, True), "same tick"]
