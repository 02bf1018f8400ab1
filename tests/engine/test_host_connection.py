"""A connection to a host, system call by system call: how often it reads and writes, and what takes the fast path."""

import pytest

from mcrouter.engine.hosts.connections import inbox
from mcrouter.engine.hosts.connections.socket import SocketState
from mcrouter.engine.poller import ERR, HUP, IN, OUT, PRI, RDHUP
from mcrouter.proto.commands import BY_NAME
from mcrouter.proto.host.stream import HostStream

from .scripted import ScriptedStream, ScriptedWorld

SIZE = 10  # bytes of a read, in these tests
MISS, FULL = b"END\r\n", b"END\r\nEND\r\n"
READS = 16  # of one event
UNIX = -1  # what a unix socket's stream has as `read_on`


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(inbox, "READ_SIZE", SIZE)
    with ScriptedWorld(timeouts_until_tko=10) as made:
        yield made


def misses(world, count):
    """So many gets, of a client each, that wait for their replies."""
    calls = [world.asks(b"get %d\r\n" % number) for number in range(count)]
    world.loop.flush()
    return calls


@pytest.mark.parametrize(
    ("mask", "read_on", "reads", "count"),
    [
        (IN, None, [], 1),  # nothing is there
        (IN, None, [MISS], 1),  # a short read: the socket is drained
        (IN | OUT, None, [MISS], 1),
        (IN, None, [b"EN", b"D\r\n"], 1),  # the rest, if it is there already, is announced by another report
        (IN, None, [FULL], 2),
        (IN, None, [FULL, MISS], 2),
        (IN, None, [FULL, FULL], 3),
        (IN | RDHUP, None, [MISS], 2),  # the end is not announced again
        (IN | HUP, None, [MISS], 2),
        (IN | ERR, None, [MISS], 2),
        (IN | PRI, None, [MISS], 2),  # a read ends early at the urgent byte
        (PRI, None, [MISS], 2),
        (RDHUP, None, [MISS], 2),
        (OUT, None, [MISS], 0),  # it can write, and nothing has come
        (IN, UNIX, [MISS], 2),  # a short read of a unix socket proves nothing
        (IN, UNIX, [MISS, MISS, FULL], 4),
    ],
)
def test_the_reads_that_a_report_takes(world, mask, read_on, reads, count):
    if read_on is not None:
        world.wire.read_on = read_on
    calls = misses(world, 4)
    world.wire.reads = list(reads)
    world.connection.ready(mask)
    assert world.wire.asked == [SIZE] * count
    answered = b"".join(reads[:count]).count(MISS)
    assert [b"".join(call.answers) for call in calls] == [MISS] * answered + [b""] * (4 - answered)
    assert world.connection.state is SocketState.OPEN and not world.loop._ready


@pytest.mark.parametrize("full", [READS - 1, READS, READS + 1, 2 * READS])
def test_a_host_with_much_to_say_leaves_others_their_turn_and_is_read_on_in_the_next(world, full):
    calls = misses(world, 2 * full + 1)
    world.wire.reads = [FULL] * full + [MISS]
    world.connection.ready(IN | OUT)
    assert len(world.wire.asked) == min(full + 1, READS)
    turns = 0
    while world.loop._ready:
        turns += 1
        world.next_turn()
        assert len(world.wire.asked) <= (turns + 1) * READS
    assert turns == full // READS
    assert all(call.answers == [MISS] for call in calls)


@pytest.mark.parametrize(("what", "why"), [(b"", b"closed by the host"), (OSError(104, "reset"), b"reset")])
@pytest.mark.parametrize("mask", [IN | RDHUP, IN | HUP])
def test_the_end_of_a_connection_is_found_behind_the_last_reply(world, mask, what, why):
    first, second = misses(world, 2)
    world.wire.reads = [MISS, what]
    world.connection.ready(mask)
    assert first.answers == [MISS]
    assert world.wire.fd == -1 and world.connection.state is SocketState.CONNECTING
    assert len(world.wire.asked) == 2
    assert not second.answers or why in second.answers[0]


def test_a_full_read_is_remembered_as_a_flood(world):
    """While replies come as fast as they can, what waits behind them is not late."""
    misses(world, 3)
    world.loop.now += 5.0
    world.wire.reads = [MISS]
    world.connection.ready(IN)
    assert world.connection.flooded < 0
    world.wire.reads = [FULL]
    world.connection.ready(IN)
    assert world.connection.flooded == world.loop.now


# writing ----------------------------------------------------------------------------------------------------------


def test_what_a_tick_has_collected_leaves_in_one_write(world):
    misses(world, 3)
    assert world.wire.sent == [b"get 0\r\nget 1\r\nget 2\r\n"]
    world.loop.flush()
    assert len(world.wire.sent) == 1 and not world.wanted


def test_what_the_kernel_does_not_take_is_sent_when_it_can(world):
    world.wire.room = [3, 0, 5]
    call = world.ask(b"get first\r\n")
    assert world.wire.sent == [b"get"] and world.connection.unsent == b" first\r\n" and world.wanted == [True]
    other = world.ask(b"get k\r\n")  # the kernel is full: no write is tried
    assert world.wire.sent == [b"get"]
    world.connection.ready(OUT)  # and it takes nothing
    assert world.wire.sent == [b"get", b""] and world.connection.unsent == b" first\r\nget k\r\n"
    world.connection.ready(OUT)
    assert world.wire.sent[2:] == [b" firs"]
    world.connection.ready(OUT)
    assert b"".join(world.wire.sent) == b"get first\r\nget k\r\n" and world.connection.unsent == b""
    assert world.wanted == [True, False, True, False, True, False]
    world.connection.ready(OUT)  # nothing is left to write
    assert len(world.wire.sent) == 4 and len(world.wanted) == 6 and not world.wire.asked
    world.wire.reads = [FULL]
    world.connection.ready(IN)
    assert call.answers == other.answers == [MISS]


def test_a_host_that_takes_nothing_more_has_the_last_word(world):
    """It may have refused a request, and closed, before it has read all of it."""
    first = world.ask(b"get a\r\n")
    world.wire.reads, world.wire.room = [MISS, b""], [BrokenPipeError(32, "broken")]
    second = world.ask(b"get b\r\n")
    assert first.answers == [MISS]
    assert world.connection.state is not SocketState.OPEN
    assert not second.answers or b"closed by the host" in second.answers[0]


def test_a_host_that_takes_nothing_more_and_says_nothing_is_connected_to_again(world):
    world.wire.room = [BrokenPipeError(32, "broken")]
    call = world.ask(b"set a 0 0 1\r\nx\r\n")
    assert b"broken" in call.answers[0]
    assert world.wire.asked == [SIZE] and world.connection.state is SocketState.CONNECTING


@pytest.mark.parametrize(("size", "waits"), [(0, 0), (1, 1)])
def test_a_client_waits_once_more_than_the_buffer_has_piled_up(world, size, waits):
    paused = []
    client = type("Client", (), {"pause": lambda self: paused.append(self), "resume": lambda self: paused.remove(self)})()
    connection = world.connection
    connection.unsent, connection.out = b"x" * 100, [b"y" * (world.host.buffer_size - 100), b"z" * size]
    connection.stall(client)
    connection.stall(client)
    assert len(paused) == waits and connection.is_full() is bool(waits)
    world.wire.room = [0]
    connection.ready(OUT)
    assert len(paused) == waits
    connection.ready(OUT)
    assert not paused and not connection.waiters


def test_loads_are_what_waits_to_be_sent_and_what_waits_for_replies(world):
    connection = world.connection
    assert world.host.load() == (0, 0)
    misses(world, 2)
    world.asks(b"get c\r\n")
    assert connection.load() == world.host.load() == (1, 2)
    world.loop.flush()
    assert world.host.load() == (0, 3)
    connection.expire(world.loop.now)
    assert connection.expired == 3 and world.host.load() == (0, 0)


# the fast path ----------------------------------------------------------------------------------------------------


@pytest.fixture
def slow(monkeypatch):
    """The reads that did not take the fast path to their end: what was left of each."""
    left, receive = [], HostStream.receive

    def counting(self, data, at=0):
        left.append(data[at:])
        return receive(self, data, at)

    monkeypatch.setattr(HostStream, "receive", counting)
    return left


def warm(world, slow):
    """The host has often sent values of this length: the fast path has a pattern for them."""
    for _ in range(100):
        world.ask(b"get v\r\n")
        world.wire.reads = [b"VALUE v 0 1\r\nx\r\nEND\r\n"]
        world.connection.ready(IN)
    assert world.connection.stream.singles is not None and len(slow) < 100
    slow.clear()
    world.wire.asked.clear()


ASKED = [b"get a\r\n", b"set b 0 0 1\r\nx\r\n", b"get c\r\n"]
REPLIES = [b"VALUE a 0 1\r\nx\r\nEND\r\n", b"STORED\r\n", b"END\r\n"]


def test_single_gets_and_sets_of_many_clients_take_the_fast_path(slow):
    with ScriptedWorld() as world:
        warm(world, slow)
        calls = [world.asks(data) for data in ASKED]
        world.loop.flush()
        world.wire.reads = [b"".join(REPLIES)]
        world.connection.ready(IN)
        assert [call.answers for call in calls] == [[reply] for reply in REPLIES]
        assert slow == [] and len(world.wire.asked) == 1


@pytest.mark.parametrize(("place", "data", "reply"), [
    (0, b"delete a\r\n", b"DELETED\r\n"),
    (1, b"get other\r\n", b"VALUE other 0 1\r\nx\r\nEN"),  # the read ends within the reply
    (2, b"set d 0 0 1\r\nx\r\n", b"SERVER_ERROR out of memory\r\n"),
    (2, b"get x\r\n", b"VALUE x 0 2\r\nxx\r\nEND\r\n"),  # another length
    (0, b"get x y\r\n", b"END\r\n"),
])  # fmt: skip
def test_what_is_none_of_them_leaves_the_fast_path_where_it_stands(slow, place, data, reply):
    asked, replies = [*ASKED], [*REPLIES]
    asked.insert(place, data)
    replies.insert(place, reply)
    if reply.endswith(b"EN"):
        asked, replies = asked[: place + 1], replies[: place + 1]
    with ScriptedWorld() as world:
        warm(world, slow)
        for one in asked:
            world.asks(one)
        world.loop.flush()
        world.wire.reads = [b"".join(replies)]
        world.connection.ready(IN)
        assert slow == [b"".join(replies[place:])]


def test_a_reply_that_is_too_late_is_dropped_and_none_takes_the_fast_path_until_then(slow):
    with ScriptedWorld(timeouts_until_tko=10) as world:
        warm(world, slow)
        late = world.ask(b"get a\r\n")
        world.connection.expire(world.loop.now)
        assert b"no reply within" in late.answers[0]
        call = world.ask(b"get b\r\n")
        world.wire.reads = [b"VALUE a 0 1\r\nx\r\nEND\r\nEND\r\n"]
        world.connection.ready(IN)
        assert call.answers == [MISS] and len(late.answers) == 1 and len(slow) == 1
        last = world.ask(b"get c\r\n")
        world.wire.reads = [MISS]
        world.connection.ready(IN)
        assert last.answers == [MISS] and len(slow) == 1


def test_a_reply_without_a_request_closes_the_connection(world):
    world.wire.reads = [MISS]
    world.connection.ready(IN)
    assert world.wire.fd == -1


@pytest.mark.parametrize("reply", [b"VALUE b 0 1\r\nx\r\nEND\r\n", b"STORED\r\n"])
def test_a_reply_that_does_not_fit_its_request_closes_the_connection(reply):
    with ScriptedWorld() as world:
        call = world.ask(b"get a\r\n")
        world.wire.reads = [reply]
        world.connection.ready(IN)
        assert world.wire.fd == -1
        assert not call.answers or b"out of step" in call.answers[0]


def test_a_stream_that_was_given_to_lingering_is_none_of_the_connection():
    with ScriptedWorld() as world:
        wire, connection = world.wire, world.connection
        assert connection.release() is wire and wire.fd >= 0
        assert connection.state is SocketState.CLOSED and connection.release() is None
        connection.wire, connection.state = wire, SocketState.OPEN


def test_scripted_streams_tell_what_they_were_asked():
    stream = ScriptedStream([b"ab", OSError(5, "bad")], [1])
    assert stream.read(3, IN) == (b"ab", True) and stream.write([b"x", b"y"]) == b"y"
    with pytest.raises(OSError):
        stream.read(3, IN)
    assert stream.read(3, IN) == (None, True) and stream.asked == [3, 3, 3]


def test_what_takes_the_fast_path_is_counted_by_its_outcome_and_its_time(slow):
    """Requests that were sent in one tick are counted together, those of another tick by themselves."""
    with ScriptedWorld() as world:
        warm(world, slow)
        cells, tally = world.worker._cells, world.host.tally

        def sums():
            blocks = (tally.direct[BY_NAME["get"].number], tally.direct[BY_NAME["set"].number])
            return [cells[tally.hits], cells[tally.misses], *(cells[block + tally.sum] for block in blocks)]

        before = sums()
        for data in (b"get a\r\n", b"get b\r\n"):
            world.ask(data)
        world.loop.now += 0.25
        for data in (b"get c\r\n", b"set d 0 0 1\r\nx\r\n"):
            world.ask(data)
        world.loop.now += 0.5
        hit = b"VALUE %b 0 1\r\nx\r\nEND\r\n"
        world.wire.reads = [hit % b"a" + MISS + hit % b"c" + b"STORED\r\n"]
        world.connection.ready(IN)
        assert slow == []
        counted = [now - then for now, then in zip(sums(), before)]
        assert counted == [2, 1, pytest.approx(2 * 750 + 500), pytest.approx(500)]
