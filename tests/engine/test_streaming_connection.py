"""A streaming connection, system call by system call: pieces of a value that the kernel takes in part, and reads of a
value that its client takes slowly."""

from bisect import bisect_left
from types import SimpleNamespace

import pytest

from mcrouter.engine.hosts.connections.exchange import LEAST, Exchange
from mcrouter.engine.hosts.connections.socket import SocketState
from mcrouter.engine.hosts.connections.streaming import PIECE, StreamingConnection
from mcrouter.engine.hosts.journal import REPLAY, Journal
from mcrouter.engine.poller import IN, OUT, RDHUP
from mcrouter.proto import outcomes as o
from mcrouter.proto import results as r
from tests.routes.script import Client, Sink, request

from .scripted import ScriptedStream, ScriptedWorld

TURNS = 8  # reads of one event


class Transfer:
    """A large value: whether its client has sent all of it, and how often it was told that there is room for more."""

    def __init__(self):
        self.fed, self.resumed, self.connections = False, 0, []

    def may_start(self):
        return True

    def is_fed(self):
        return self.fed

    def resume(self):
        self.resumed += 1


class Reader:
    """A client that takes a large reply, as far as `takes` says."""

    def __init__(self):
        self.takes, self.pieces, self.tail, self.is_broken = 1 << 40, [], None, False

    def can_take(self):
        return sum(map(len, self.pieces)) < self.takes

    def piece(self, data):
        self.pieces.append(data)

    def ended(self, tail):
        self.tail = tail

    def broken(self):
        self.is_broken = True


class Scene:
    """A streaming connection that is open, and what it was asked."""

    def __init__(self, world, data):
        self.world, self.host = world, world.host
        self.one = StreamingConnection(self.host)
        self.wire = ScriptedStream()
        self.one.wire, self.one.state = self.wire, SocketState.OPEN
        self.transfer, self.sink, self.reader = Transfer(), Sink(), Reader()
        self.request = request(data)
        self.request.large_value, self.request.started = self.transfer, self.host.loop.now
        self.request.client = Client()

    def start(self):
        self.one.start(self.request, self.sink)
        return self

    def downloads(self):
        """The reply goes to the reader."""
        self.sink = SimpleNamespace(on_reply=lambda connection, outcomes: connection.take(self.reader))
        return self.start()

    def has_rested(self):
        return self.one in self.host.streaming._idle and not self.host.streaming.busy


@pytest.fixture
def world():
    with ScriptedWorld(timeouts_until_tko=10) as made:
        yield made


SET = b"set a 0 0 10\r\n0123456789\r\n"
GET = b"get a\r\n"


def test_a_piece_that_is_taken_at_once_makes_room_for_the_next(world):
    scene = Scene(world, SET).start()
    assert scene.wire.sent == [SET] and scene.transfer.resumed == 1 and not world.wanted
    scene.one.send(b"more")
    assert scene.wire.sent[1:] == [b"more"] and scene.one.unsent == b"" and not world.wanted


def test_a_piece_that_is_taken_in_part_goes_on_when_the_kernel_can_take_more(world):
    scene = Scene(world, SET)
    scene.wire.room = [5, 0, 7]
    scene.start()
    assert scene.one.unsent == SET[5:] and world.wanted == [True] and scene.transfer.resumed == 0
    scene.one.ready(OUT)
    scene.one.ready(OUT)
    assert scene.one.unsent == SET[12:] and scene.transfer.resumed == 0
    scene.one.ready(OUT)
    assert b"".join(scene.wire.sent) == SET and scene.one.unsent == b"" and scene.transfer.resumed == 1
    assert world.wanted == [True, False, True, False, True, False]
    scene.one.ready(OUT)
    assert len(scene.wire.sent) == 4 and not scene.wire.asked


def test_a_reply_to_all_of_a_value_leaves_the_connection_for_the_next(world):
    scene = Scene(world, SET).start()
    scene.transfer.fed = True
    scene.wire.reads = [b"STORED\r\n"]
    scene.one.ready(IN)
    assert scene.sink.got == (b"STORED\r\n", o.STORED) and scene.has_rested()
    assert scene.wire.fd >= 0 and scene.one._exchange is Exchange.RESTING


@pytest.mark.parametrize("reason", ["not fed", "not sent", "an error"])
def test_a_reply_before_all_of_a_value_was_sent_ends_the_connection(world, reason):
    """The host would take the rest for commands."""
    scene = Scene(world, SET)
    scene.wire.room = [5] if reason == "not sent" else []
    scene.start()
    scene.transfer.fed = reason != "not fed"
    reply = b"SERVER_ERROR object too large for cache\r\n" if reason == "an error" else b"STORED\r\n"
    scene.wire.reads = [reply]
    scene.one.ready(IN)
    assert scene.sink.got[0] == reply and scene.wire.fd == -1 and not scene.has_rested()
    assert not world.host.streaming.busy


def test_a_host_that_takes_no_more_of_a_value_has_the_last_word(world):
    scene = Scene(world, SET)
    scene.wire.room, scene.wire.reads = [BrokenPipeError(32, "broken")], [b"SERVER_ERROR too large\r\n", b""]
    scene.start()
    assert scene.sink.got[0] == b"SERVER_ERROR too large\r\n"


def test_a_host_that_takes_no_more_and_says_nothing_fails_the_request(world):
    scene = Scene(world, SET)
    scene.wire.room = [BrokenPipeError(32, "broken")]
    scene.start()
    assert scene.sink.got[1] == o.LOST and b"broken" in scene.sink.got[0]


@pytest.mark.parametrize(("reads", "why"), [
    ([b""], b"closed by the host"),
    ([OSError(104, "reset")], b"reset"),
    ([b"STORED\r\nSTORED\r\n"], b"more than the reply"),
    ([b"nonsense\r\n"], b"out of step"),
])  # fmt: skip
def test_what_is_no_reply_ends_the_connection(world, reads, why):
    scene = Scene(world, SET).start()
    scene.transfer.fed = True
    scene.wire.reads = list(reads)
    scene.one.ready(IN | RDHUP)
    assert scene.sink.got[1] == o.LOST and why in scene.sink.got[0] and scene.wire.fd == -1


def test_a_host_that_talks_to_an_idle_connection_is_out_of_step(world):
    scene = Scene(world, SET).start()
    scene.transfer.fed = True
    scene.wire.reads = [b"STORED\r\n"]
    scene.one.ready(IN)
    scene.wire.reads = [b"STORED\r\n"]
    scene.one.ready(IN)
    assert scene.wire.fd == -1 and scene.one not in world.host.streaming._idle


HEAD = b"VALUE a 0 %d\r\n"


def test_a_value_for_which_there_is_room_is_given_whole(world):
    scene = Scene(world, GET).start()
    scene.transfer.fed = True
    reply = HEAD % 3 + b"abc\r\nEND\r\n"
    scene.wire.reads = [reply[:20], reply[20:]]
    scene.one.ready(IN)
    assert scene.sink.got == (reply, o.VALUE) and scene.has_rested()


def test_a_large_value_passes_in_pieces_and_is_read_as_far_as_its_client_takes_it(world):
    size = world.host.buffer_size + 3 * PIECE
    scene = Scene(world, GET).downloads()
    scene.transfer.fed = True
    scene.reader.takes = PIECE
    head = HEAD % size
    left = size + len(b"\r\nEND\r\n")
    scene.wire.reads = [head + b"x" * 100, b"x" * PIECE, b"x" * PIECE]
    scene.one.ready(IN)
    assert scene.reader.pieces[0].startswith(head)
    assert len(scene.wire.asked) == 2  # the client has enough
    assert scene.wire.asked == [PIECE, PIECE]
    scene.reader.takes = 1 << 40
    scene.one.resume()
    left -= 100 + 2 * PIECE
    while left:
        scene.wire.reads.append((b"x" * PIECE)[: max(0, left - 7)] or b"\r\nEND\r\n")
        left -= len(scene.wire.reads[-1])
    scene.one.resume()
    assert scene.reader.tail is not None and scene.has_rested()
    assert sum(map(len, scene.reader.pieces)) + len(scene.reader.tail) == len(head) + size + len(b"\r\nEND\r\n")


def test_a_large_value_leaves_others_their_turn(world):
    size = world.host.buffer_size + 100 * PIECE
    scene = Scene(world, GET).downloads()
    scene.wire.reads = [HEAD % size + b"x" * 100] + [b"x" * PIECE] * 20
    scene.one.ready(IN)
    assert len(scene.wire.asked) == TURNS
    world.next_turn()
    assert len(scene.wire.asked) == 2 * TURNS


def test_a_large_value_that_no_sink_takes_ends_the_connection(world):
    """Another reply has been chosen."""
    scene = Scene(world, GET).start()
    scene.wire.reads = [HEAD % (world.host.buffer_size + 1) + b"x" * 100]
    scene.one.ready(IN)
    assert scene.wire.fd == -1 and not world.host.streaming.busy


def test_a_large_value_that_breaks_off_is_broken_for_its_client(world):
    scene = Scene(world, GET).downloads()
    scene.wire.reads = [HEAD % (world.host.buffer_size + 1) + b"x" * 100, b""]
    scene.one.ready(IN | RDHUP)
    assert scene.reader.is_broken and scene.reader.tail is None


def test_the_time_of_a_host_begins_anew_with_each_piece_of_its_client(world):
    scene = Scene(world, SET).start()
    world.loop.now += 10.0
    assert not scene.one.is_due(world.loop.now)  # its client has yet to send the rest
    assert scene.one.is_stalled_since(world.loop.now - 10.0)
    scene.wire.room = [0]
    scene.one.send(b"x" * LEAST)
    assert not scene.one.is_due(world.loop.now - 0.5) and scene.one.is_due(world.loop.now)
    world.loop.now += 10.0
    scene.wire.room = [LEAST - 1]
    scene.one.ready(OUT)
    assert scene.one.is_due(world.loop.now - 10.0)
    scene.wire.room = [1]
    scene.one.ready(OUT)
    assert not scene.one.is_due(world.loop.now - 10.0)


def test_a_connection_that_is_opened_anew_asks_anew_whether_ms_is_spoken(world, monkeypatch):
    """The host may be another by then."""
    scene = Scene(world, b"ms a 1\r\nx\r\n")
    scene.one._speaks_meta = True
    scene.one.disconnect()
    opened = []
    monkeypatch.setattr(StreamingConnection, "open", lambda self, address, seconds: opened.append(address))
    scene.start()
    assert opened == [scene.host.address]
    scene.one.wire, scene.one.state = scene.wire, SocketState.OPEN
    scene.one.connected()
    assert scene.wire.sent == [b"mn\r\n"]


# what is counted -------------------------------------------------------------------------------------------------------


def counted(world, call):
    """The cells of the host that `call` moves, by their numbers."""
    cells = world.host.tally.cells
    before = list(cells)
    call()
    return {place: now - then for place, (then, now) in enumerate(zip(before, cells)) if now != then}


@pytest.mark.parametrize(("reply", "outcome"), [(b"STORED\r\n", o.STORED), (b"NOT_STORED\r\n", o.NOT_STORED), (b"SERVER_ERROR no\r\n", o.SERVER_ERROR)])
def test_an_answer_counts_by_its_time_and_its_outcome(world, reply, outcome):
    scene = Scene(world, SET).start()
    scene.transfer.fed = True
    scene.request.started = world.loop.now - 0.0021
    scene.wire.reads = [reply]
    moved = counted(world, lambda: scene.one.ready(IN))
    tally = world.host.tally
    (kind,) = scene.request.commands
    expected = {tally.upstream[kind] + bisect_left(tally.bounds, 2.1): 1, tally.upstream[kind] + tally.sum: pytest.approx(2.1)}
    if outcome != o.STORED:
        expected[tally.by_command[kind]] = 1
        expected[tally.by_result[r.OF_ANSWER[outcome[0]]]] = 1
    if outcome == o.SERVER_ERROR:
        expected[tally.errors[kind]] = 1
        expected[tally.connections] = -1  # it is closed
    assert moved == expected


@pytest.mark.parametrize(("reply", "cell"), [(b"END\r\n", "misses"), (b"VALUE a 0 1\r\nx\r\nEND\r\n", "hits")])
def test_hits_and_misses_count(world, reply, cell):
    scene = Scene(world, GET).start()
    scene.transfer.fed = True
    scene.wire.reads = [reply]
    moved = counted(world, lambda: scene.one.ready(IN))
    assert moved[getattr(world.host.tally, cell)] == 1
    assert {"hits", "misses"} - {cell} and getattr(world.host.tally, ({"hits", "misses"} - {cell}).pop()) not in moved


@pytest.mark.parametrize(("how", "result"), [
    (lambda one: one.fail(o.LOST, "a test"), r.REMOTE_ERROR), (lambda one: one.fail(o.TIMEOUT, "a test"), r.TIMEOUT),
    (lambda one: one.fail(o.UNAVAILABLE, "a test"), r.CONNECT_ERROR), (lambda one: one.give_up("a test"), r.LOCAL_ERROR),
    (lambda one: one.refuse("a test"), r.LOCAL_ERROR),
])  # fmt: skip
def test_what_fails_counts_by_its_reason(world, how, result):
    scene = Scene(world, SET).start()
    moved = counted(world, lambda: how(scene.one))
    tally = world.host.tally
    (kind,) = scene.request.commands
    expected = {tally.errors[kind]: 1, tally.by_result[result]: 1, tally.connections: -1}
    if result in r.NEVER_SENT:
        expected[tally.unsent[kind]] = 1
    assert moved == expected
    assert scene.transfer.resumed >= 1


@pytest.mark.parametrize(("how", "noted"), [
    (lambda one: one.fail(o.LOST, "a test"), True), (lambda one: one.give_up("a test"), False), (lambda one: one.close(), False),
])  # fmt: skip
def test_a_write_that_failed_on_its_way_may_have_been_done(world, how, noted):
    world.host.journal = Journal(REPLAY, limit=10)
    how(Scene(world, SET).start().one)
    assert bool(world.host.journal) == noted
