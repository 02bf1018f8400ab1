"""A client's connection over a byte stream that the test scripts: reads that are exactly full, reads and writes that
find nothing or take a part. What it costs is pinned by counts of reads and writes."""

import socket
from types import SimpleNamespace

import pytest

from mcrouter.engine.clients import outbox
from mcrouter.engine.clients.connection import ClientConnection
from mcrouter.engine.clients.inbox import _READ_MORE, _READ_SIZE, _TURNS
from mcrouter.engine.clients.outbox import (
    _LARGE_FLUSH,
    _WINDOW_MOST,
    ENDING,
    FIRST_WINDOW,
    READABLE,
    READS_ON,
    UNSENT,
    ClientOutbox,
    ClientState,
)
from mcrouter.engine.poller import IN, OUT, RDHUP, READ_ON

from .scripted import ScriptedStream
from .still import Still

SMALL = b"get __mcrouter__.version\r\n"
VALUE = b"VALUE __mcrouter__.version 0 %d\r\n%b\r\nEND\r\n"


AGAIN = BlockingIOError()


class World(Still):
    """A router that answers by itself, and a client whose byte stream is scripted."""

    def __init__(self, read_on=READ_ON, **given):
        super().__init__(**given)
        ours, self._theirs = socket.socketpair()
        self.wire = ScriptedStream(read_on=read_on, sock=ours)
        front = self.worker.frontend
        self.one = ClientConnection(front, self.wire, 0)
        front.clients[self.wire.fd] = self.one
        front.cells[front._clients_cell] += 1
        self.loop.watch(self.wire.fd, lambda mask: None)  # reports come from the test alone

    def __exit__(self, *args):
        super().__exit__(*args)
        self._theirs.close()

    def reports(self, mask, *reads):
        """The poller reports, and so much can be read."""
        self.wire.reads += reads
        self.one.on_event(mask)
        self.loop.tick()


@pytest.fixture
def world():
    with World(route="LocalRoute") as made:
        yield made


def lines(size):
    """Lines that the router answers by itself, in so many bytes."""
    return b"x" * (size - 2) + b"\r\n"


def test_a_short_read_is_the_only_one(world):
    world.reports(IN | OUT, SMALL)
    assert world.wire.asked == [_READ_SIZE]
    assert not world.one.blocks and len(world.wire.sent) == 1


def test_a_read_that_is_exactly_full_is_followed_by_another(world):
    """The next ones may be larger: the client has more to say."""
    world.reports(IN | OUT, (b"mn\r\n" * _READ_SIZE)[:_READ_SIZE])
    world.until(lambda: not world.one.blocks & READABLE, "the socket to be drained")
    assert world.wire.asked[:2] == [_READ_SIZE, _READ_MORE] and len(world.wire.asked) == 2
    assert b"".join(world.wire.sent) == b"MN\r\n" * (_READ_SIZE // 4)


def test_a_full_read_of_one_request_is_followed_by_another_too(world):
    value = b"v" * (_READ_SIZE - len(b"set k 0 0 16000\r\n\r\n"))
    world.reports(IN | OUT, (b"set k 0 0 %d\r\n" % len(value) + value + b"\r\n")[:_READ_SIZE])
    world.tick()
    assert len(world.wire.asked) == 2


@pytest.mark.parametrize("mask", [IN | OUT | RDHUP, IN | RDHUP])
def test_after_a_report_of_the_end_it_is_read_to_the_end(world, mask):
    world.reports(mask, SMALL, b"mn\r\n", b"")
    world.until(lambda: world.one.is_gone(), "the connection to end")
    assert len(world.wire.asked) == 3
    assert b"".join(world.wire.sent).endswith(b"END\r\nMN\r\n")


def test_a_stream_whose_short_reads_prove_nothing_is_read_until_there_is_nothing():
    with World(read_on=-1, route="LocalRoute") as world:
        assert world.one.blocks == READS_ON
        for _ in range(2):
            world.reports(IN | OUT, SMALL, SMALL)
            world.tick()
            assert len(world.wire.asked) == 3
            world.wire.asked.clear()
        assert len(b"".join(world.wire.sent).split(b"END\r\n")) == 5


def test_a_report_that_it_may_write_reads_nothing(world):
    world.reports(OUT)
    assert world.wire.asked == []


def test_a_client_that_sends_without_end_has_its_turn_and_no_more(world):
    world.wire.reads = [lines(_READ_SIZE)] + [lines(_READ_MORE)] * 20
    world.one.on_any_event(IN)
    assert len(world.wire.asked) <= _TURNS


@pytest.mark.parametrize("room", [[3], [AGAIN], [0], [3, 5, AGAIN, 1]])
def test_what_the_kernel_does_not_take_goes_when_it_can_take_more(world, room):
    version = world_version(world)
    world.wire.room = list(room)
    world.reports(IN | OUT, SMALL)
    assert world.one.blocks & UNSENT
    for _ in room:
        assert b"".join(world.wire.sent) != version
        world.reports(OUT)
    assert b"".join(world.wire.sent) == version
    assert not world.one.blocks & UNSENT and world.one.unread() == 0


def test_replies_behind_one_that_was_not_taken_keep_their_order(world):
    version = world_version(world)
    world.wire.room = [10]
    world.reports(IN | OUT, SMALL + b"mn\r\n" + SMALL)
    assert world.one.unread() == len(version) - 10  # the others are not started
    world.reports(OUT)
    world.tick()
    assert b"".join(world.wire.sent) == version + b"MN\r\n" + version


def test_while_a_client_does_not_read_nothing_more_is_started_for_it(world):
    world.wire.room = [1]
    world.reports(IN | OUT, SMALL)
    world.wire.asked.clear()
    world.reports(IN, b"mn\r\n")
    assert world.wire.asked == [_READ_SIZE] and world.wire.sent == [b"V"]
    world.reports(IN, b"mn\r\n")
    assert world.wire.asked == [_READ_SIZE], "it is not read either"
    world.wire.room = []
    world.reports(OUT)
    world.tick()
    assert b"".join(world.wire.sent).endswith(b"END\r\nMN\r\nMN\r\n")


def world_version(world):
    """What SMALL is answered."""
    world.reports(IN | OUT, SMALL)
    (got,) = world.wire.sent
    world.wire.sent.clear()
    world.wire.asked.clear()
    return got


# the window and the state ---------------------------------------------------------------------------------------------


def box(**given):
    """An outbox alone, with a window of 64 and a buffer of 1000 bytes."""
    front = SimpleNamespace(buffer_size=1000, first_window=FIRST_WINDOW)
    made = dict(frontend=front, window=64, blocks=0, unsent=b"", out=[], average=0, writes=[], told=0)
    one = SimpleNamespace(**{**made, **given})
    one.resize = lambda average: ClientOutbox.resize(one, average)
    one._write = lambda pieces: one.writes.append(pieces) or True
    one.written = lambda: setattr(one, "told", one.told + 1)
    return one


@pytest.mark.parametrize(("average", "window", "first"), [(1, 64, 4), (15, 64, 4), (16, 62, 4), (500, 2, 2), (501, 1, 1), (9999, 1, 1)])
def test_the_window_follows_the_size_of_replies(average, window, first):
    one = box()
    ClientOutbox.resize(one, average)
    assert (one.window, one.frontend.first_window) == (window, first)


def test_the_window_grows_while_replies_are_small():
    one = box(window=600, out=[b"x" * 9, b"y"])
    one.frontend.first_window = 2
    ClientOutbox.flush(one)
    assert (one.window, one.average, one.frontend.first_window, one.told) == (_WINDOW_MOST, 6, 3, 1)
    assert one.writes == [[b"x" * 9, b"y"]] and one.out == []
    one.out = [b"z"]
    ClientOutbox.flush(one)
    assert (one.window, one.frontend.first_window) == (_WINDOW_MOST, 3)


@pytest.mark.parametrize(("size", "window"), [(_LARGE_FLUSH, 128), (_LARGE_FLUSH + 1, 1)])
def test_a_large_write_narrows_the_window(size, window):
    one = box(out=[b"x" * size])
    ClientOutbox.flush(one)
    assert one.window == window


@pytest.mark.parametrize("given", [{"unsent": b"x", "out": [b"y"]}, {}])
def test_nothing_is_written_behind_what_was_not_taken_and_nothing_of_nothing(given):
    one = box(**given)
    ClientOutbox.flush(one)
    assert not one.writes and not one.told


def test_each_reason_to_leave_the_fast_path_is_a_bit_of_its_own():
    names = ("UNSENT", "COLLECTED", "PAUSED", "THROTTLED", "READABLE", "READS_ON", "BACKLOG", "ENDING", "ASKS_AGAIN", "IDLE_CHECKED")
    bits = [getattr(outbox, name) for name in names]
    assert sorted(bits) == [1 << place for place in range(len(names))]


def test_a_state_other_than_open_keeps_a_client_off_the_fast_path():
    one = box()
    for state in ClientState:
        ClientOutbox.set_state(one, state)
        assert one.state is state and bool(one.blocks & ENDING) == (state is not ClientState.OPEN)
