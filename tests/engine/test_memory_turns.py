"""The bound on what is held for clients, looked at by itself: shares, windows, requests that wait, clients that do not read."""

import os
from types import SimpleNamespace

import pytest

from mcrouter.engine.clients.memory import Memory, weight

MOST = 18_285  # bytes, of which an eighth is kept: the step between looks is 1000, half of it 8000
NO_SOCKET = os.open(os.devnull, os.O_RDONLY)


class Client:
    """What the bound asks of a client, and tells it. `unread` and `begun` are in bytes."""

    def __init__(self, name, unread=0, begun=0, plain=False):
        self.name, self.unread, self.begun, self.plain = name, unread, begun, plain
        self.queue, self.counted, self.average, self.window = [], 0, 0, 64
        self.counted_at, self.held_bytes, self.fd = -1.0, 0, NO_SOCKET
        self.blocks = 0 if plain else 1
        self.stream = SimpleNamespace(unpin=lambda: setattr(self, "unpinned", self.unpinned + 1))
        self.unpinned = 0
        self.unsent = b"x" * unread
        self.held, self.gone = False, False

    def holds_replies(self):
        return self.unread

    def is_throttled(self):
        return self.held

    def holds(self):
        return self.unread + self.begun

    def begun_bytes(self):
        return self.begun

    def is_gone(self):
        return self.gone

    def throttle(self, held):
        self.held = held

    def abort(self):
        self.gone = True


class Loop:
    """Keeps the next look."""

    def __init__(self):
        self.calls, self.now = [], 0.0

    def call_later(self, seconds, call):
        assert seconds == 0.05
        self.calls.append(call)
        return call

    def turn(self):
        """The next look is due."""
        (call,), self.calls = self.calls, []
        call()


def bound(*clients, most=MOST):
    """The bound over these clients, and its loop."""
    loop = Loop()
    return Memory(SimpleNamespace(clients={client.name: client for client in clients}, loop=loop), most), loop


def test_what_a_reply_weighs():
    piece = b"x" * 10
    assert (weight(b"abc"), weight([b"abc", b"de"]), weight([piece, piece, b"y"]), weight([])) == (3, 21, 35, 0)


def test_a_look_frees_the_reads_of_clients_that_hold_something():
    busy, idle = Client("a", begun=10), Client("b", plain=True)
    memory, _ = bound(busy, idle)
    memory.look()
    assert (busy.unpinned, idle.unpinned) == (1, 0)


def test_a_client_that_holds_more_than_its_share_starts_nothing_more_while_it_waits_for_answers():
    client = Client("a", unread=100)
    memory, _ = bound(client)
    memory.look()
    share = MOST * 7 // 8 // 2
    for queue, held, expected in (([1], share - 10, 1), ([1], share + 100, 0), ([], share + 100, 1)):
        client.queue, client.held_bytes = queue, held
        assert memory.window(client) == expected


@pytest.mark.parametrize(("pieces", "expected"), [
    # ten bytes for each piece; those that a list of more than a thousand has are sampled
    ([b"%010d" % number for number in range(1000)], 10_000 + 8_000),
    ([b"%010d" % number for number in range(4000)], 40_000 + 32_000),
    ([b"x" * 10_000, *[b"y" * 10] * 3999], 10_010 + 32_000),
    ([b"x" * 10, b"y" * 10] * 2000, 10 + 32_000),
    ([piece for number in range(500) for piece in [b"%010d" % number] * 8], 20_000 + 32_000),
    ([piece for number in range(499) for piece in [b"%010d" % number] * 8] + [b"x" * 10] * 8, 20_000 + 32_000),
    ([piece for number in range(250) for piece in [b"%010d" % number] * 16], 2500 + 32_000),
])  # fmt: skip
def test_what_a_reply_in_many_pieces_weighs(pieces, expected):
    assert weight(pieces) == expected


def test_it_looks_when_more_than_a_step_has_come():
    client = Client("a", unread=8001)
    memory, _ = bound(client)
    memory.grew(1000)
    assert not memory.is_short
    memory.grew(1)
    assert memory.is_short


@pytest.mark.parametrize(("unread", "is_short", "step"), [(0, False, 4000), (6000, False, 1000), (4000, False, 2000), (8000, False, 1000), (8001, True, 1000)])
def test_it_is_short_of_memory_when_more_than_half_of_the_bound_is_held(unread, is_short, step):
    memory, loop = bound(Client("a", unread=unread))
    memory.look()
    assert (memory.is_short, memory.step, len(loop.calls)) == (is_short, step, int(is_short))


def test_a_client_to_which_all_is_plain_is_not_asked_what_it_holds():
    client = Client("a", unread=9000, plain=True)
    memory, _ = bound(client)
    memory.look()
    assert not memory.is_short
    client.queue = [object()]
    memory.look()
    assert memory.is_short


def test_without_a_bound_there_is_room_for_everything():
    memory, _ = bound(Client("a", unread=1 << 20), most=0)
    memory.look()
    assert not memory.is_short and not memory.is_full() and memory.takes(1 << 50)


def test_there_is_room_up_to_the_bound():
    memory, _ = bound(Client("a", unread=10_000))
    memory.look()
    assert not memory.takes(6001)
    assert memory.takes(6000)
    assert not memory.takes(1) and not memory.is_full()
    memory.arrived += 1
    assert memory.is_full()


@pytest.mark.parametrize(("clients", "average", "window"), [(1, 0, 1), (1, 1000, 4), (2, 1000, 2), (4, 1000, 1), (3, 3000, 1), (1, 100, 10)])
def test_while_memory_is_short_a_client_has_as_many_requests_in_flight_as_its_share_takes_replies(clients, average, window):
    them = [Client(str(number), unread=9000 // clients + 1) for number in range(clients)]
    memory, _ = bound(*them)
    memory.look()
    them[0].average = average
    assert memory.window(them[0]) == window


def test_a_client_holds_replies_up_to_its_share():
    one, other = Client("a", unread=3000), Client("b", unread=6000)
    memory, _ = bound(one, other)
    memory.look()
    assert memory.is_short
    assert not memory.admits(one, 1001)
    for size in (600, 400):
        assert memory.admits(one, size)
        one.unread += size
    assert not memory.admits(one, 1)
    assert memory.admits(one, 0)
    assert not memory.admits(other, 1)


def test_what_a_client_holds_is_counted_anew_before_a_reply_of_its_is_left_out():
    client = Client("a", unread=8001)
    memory, _ = bound(client)
    memory.look()
    client.unread = 100
    assert memory.admits(client, 7900) and client.counted == 8000


def test_the_largest_of_the_requests_that_have_begun_goes_on_and_the_others_wait_until_there_is_room():
    small, middle, large, tiny = (Client(str(begun), begun=begun) for begun in (5000, 6000, 7000, 100))
    memory, loop = bound(small, middle, large, tiny)
    memory.look()
    assert not any(client.gone for client in (small, middle, large, tiny))
    assert [client.held for client in (small, middle, large, tiny)] == [True, True, False, False]
    large.begun = 0
    loop.turn()
    assert [client.held for client in (small, middle, large, tiny)] == [False, False, False, False]


def test_when_none_is_left_that_may_go_on_the_next_that_waits_does():
    small, large, reader = Client("s", begun=6000), Client("l", begun=7000), Client("r", unread=10_000)
    memory, loop = bound(small, large, reader)
    memory.look()
    assert (small.held, large.held) == (True, False)
    large.begun = 0
    loop.turn()
    assert not small.held


def test_those_that_wait_take_turns():
    clients = [Client(str(number), begun=6000 + number) for number in range(3)]
    memory, loop = bound(*clients)
    memory.look()
    held = []
    for _ in range(61):
        held.append("".join(client.name for client in clients if not client.held))
        loop.turn()
    assert [held.index(name) for name in ("2", "1", "0")] == [0, 20, 40] and held[60] == "2"
    assert held == ["2"] * 20 + ["1"] * 20 + ["0"] * 20 + ["2"]


def test_a_client_that_waited_and_has_gone_is_not_waited_for():
    one, two = Client("a", begun=9000), Client("b", begun=8000)
    memory, loop = bound(one, two)
    memory.look()
    assert two.held
    two.gone, two.begun, one.begun = True, 0, 8001
    loop.turn()
    one.begun = 0
    loop.turn()
    assert not loop.calls


def test_a_client_that_reads_nothing_for_long_is_closed_if_it_holds_more_than_its_share():
    silent, modest, reader = Client("a", unread=5000), Client("b", unread=2000), Client("c", unread=5000)
    memory, loop = bound(silent, modest, reader)
    memory.look()
    for number in range(201):
        assert not silent.gone
        loop.turn()
        reader.unsent = bytearray(5000 + number % 2)  # it has read some, and got more
    assert [client.gone for client in (silent, modest, reader)] == [True, False, False]


def test_what_was_not_read_while_memory_was_short_before_does_not_count_later():
    silent = Client("a", unread=9000)
    memory, loop = bound(silent)
    memory.look()
    for _ in range(150):
        loop.turn()
    other, silent.unread = silent.unread, 0
    loop.turn()
    assert not loop.calls
    silent.unread = other
    memory.look()
    for _ in range(200):
        loop.turn()
        assert not silent.gone
    loop.turn()
    assert silent.gone
