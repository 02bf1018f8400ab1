"""A client's connection over a byte stream that the test scripts: reads that are exactly full, reads and writes that
find nothing or take a part. What it costs is pinned by counts of reads and writes."""

import socket
from types import SimpleNamespace

import pytest

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

from .still import Still

SMALL = b"get __mcrouter__.version\r\n"
VALUE = b"VALUE __mcrouter__.version 0 %d\r\n%b\r\nEND\r\n"


class Wire:
    """A byte stream. `reads` are the results to come, None for nothing; at the end there is nothing. `takes` says how
    many bytes each write takes, None for nothing; at the end writes take all. It keeps the sizes of all reads, and what
    was written by each call."""

    def __init__(self, sock, read_on=READ_ON):
        self.sock, self.fd, self.read_on = sock, sock.fileno(), read_on
        self.reads, self.takes, self.sizes, self.written = [], [], [], []

    def recv(self, size):
        self.sizes.append(size)
        data = self.reads.pop(0) if self.reads else None
        if data is None:
            raise BlockingIOError
        assert len(data) <= size
        return data

    def send(self, data):
        return len(data) - len(self._take(data))

    def write_pieces(self, pieces):
        whole = b"".join(pieces)
        try:
            left = self._take(whole)
        except BlockingIOError:
            left = whole
        return [left] if left else []

    def _take(self, data):
        count = self.takes.pop(0) if self.takes else len(data)
        if count is None:
            raise BlockingIOError
        self.written.append(bytes(data[:count]))
        return data[count:]

    def detach(self):
        return self.sock.detach()


class World(Still):
    """A router that answers by itself, and a client whose byte stream is scripted."""

    def __init__(self, read_on=READ_ON, **given):
        super().__init__(**given)
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self.wire = Wire(self._ours, read_on)
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
    assert world.wire.sizes == [_READ_SIZE]
    assert not world.one.blocks and len(world.wire.written) == 1


def test_a_read_that_is_exactly_full_is_followed_by_another(world):
    """The next ones may be larger: the client has more to say."""
    world.reports(IN | OUT, (b"mn\r\n" * _READ_SIZE)[:_READ_SIZE])
    world.until(lambda: not world.one.blocks & READABLE, "the socket to be drained")
    assert world.wire.sizes[:2] == [_READ_SIZE, _READ_MORE] and len(world.wire.sizes) == 2
    assert b"".join(world.wire.written) == b"MN\r\n" * (_READ_SIZE // 4)


def test_a_full_read_of_one_request_is_followed_by_another_too(world):
    value = b"v" * (_READ_SIZE - len(b"set k 0 0 16000\r\n\r\n"))
    world.reports(IN | OUT, (b"set k 0 0 %d\r\n" % len(value) + value + b"\r\n")[:_READ_SIZE])
    world.tick()
    assert len(world.wire.sizes) == 2


@pytest.mark.parametrize("mask", [IN | OUT | RDHUP, IN | RDHUP])
def test_after_a_report_of_the_end_it_is_read_to_the_end(world, mask):
    world.reports(mask, SMALL, b"mn\r\n", b"")
    world.until(lambda: world.one.is_gone(), "the connection to end")
    assert len(world.wire.sizes) == 3
    assert b"".join(world.wire.written).endswith(b"END\r\nMN\r\n")


def test_a_stream_whose_short_reads_prove_nothing_is_read_until_there_is_nothing():
    with World(read_on=-1, route="LocalRoute") as world:
        assert world.one.blocks == READS_ON
        for _ in range(2):
            world.reports(IN | OUT, SMALL, SMALL)
            world.tick()
            assert len(world.wire.sizes) == 3
            world.wire.sizes.clear()
        assert len(b"".join(world.wire.written).split(b"END\r\n")) == 5


def test_a_report_that_it_may_write_reads_nothing(world):
    world.reports(OUT)
    assert world.wire.sizes == []


def test_a_client_that_sends_without_end_has_its_turn_and_no_more(world):
    world.wire.reads = [lines(_READ_SIZE)] + [lines(_READ_MORE)] * 20
    world.one.on_any_event(IN)
    assert len(world.wire.sizes) <= _TURNS


@pytest.mark.parametrize("takes", [[3], [None], [0], [3, 5, None, 1]])
def test_what_the_kernel_does_not_take_goes_when_it_can_take_more(world, takes):
    version = world_version(world)
    world.wire.takes = list(takes)
    world.reports(IN | OUT, SMALL)
    assert world.one.blocks & UNSENT
    for _ in takes:
        assert b"".join(world.wire.written) != version
        world.reports(OUT)
    assert b"".join(world.wire.written) == version
    assert not world.one.blocks & UNSENT and world.one.unread() == 0


def test_replies_behind_one_that_was_not_taken_keep_their_order(world):
    version = world_version(world)
    world.wire.takes = [10]
    world.reports(IN | OUT, SMALL + b"mn\r\n" + SMALL)
    assert world.one.unread() == len(version) - 10  # the others are not started
    world.reports(OUT)
    world.tick()
    assert b"".join(world.wire.written) == version + b"MN\r\n" + version


def test_while_a_client_does_not_read_nothing_more_is_started_for_it(world):
    world.wire.takes = [1]
    world.reports(IN | OUT, SMALL)
    world.wire.sizes.clear()
    world.reports(IN, b"mn\r\n")
    assert world.wire.sizes == [_READ_SIZE] and world.wire.written == [b"V"]
    world.reports(IN, b"mn\r\n")
    assert world.wire.sizes == [_READ_SIZE], "it is not read either"
    world.wire.takes = []
    world.reports(OUT)
    world.tick()
    assert b"".join(world.wire.written).endswith(b"END\r\nMN\r\nMN\r\n")


def world_version(world):
    """What SMALL is answered."""
    world.reports(IN | OUT, SMALL)
    (got,) = world.wire.written
    world.wire.written.clear()
    world.wire.sizes.clear()
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


def test_a_state_other_than_open_keeps_a_client_off_the_fast_path():
    one = box()
    for state in ClientState:
        ClientOutbox.set_state(one, state)
        assert one.state is state and bool(one.blocks & ENDING) == (state is not ClientState.OPEN)
