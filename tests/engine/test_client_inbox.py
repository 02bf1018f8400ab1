"""What a client's connection reads and starts, over a scripted byte stream: sizes, counts, windows, pauses."""

import socket

import pytest

from mcrouter.engine.clients import inbox as module
from mcrouter.engine.clients.connection import ClientConnection
from mcrouter.engine.clients.memory import REQUEST
from mcrouter.engine.clients.outbox import ASKS_AGAIN, BACKLOG, PAUSED, READABLE, THROTTLED, UNSENT
from mcrouter.engine.poller import IN, OUT

from .scripted import ScriptedStream
from .still import Still

GET, SET = b"get a\r\n", b"set a 0 0 1\r\nx\r\n"
FULL = module._READ_SIZE


class World(Still):
    """A router whose host never answers, and a client whose byte stream is scripted. `started` are the requests that a
    route was asked to serve."""

    def __init__(self, **given):
        super().__init__(**{"route": "DefaultRoute", **given})
        ours, self._theirs = socket.socketpair()
        self.wire = ScriptedStream(sock=ours)
        self.front = self.worker.frontend
        self.one = self.front.clients[self.wire.fd] = ClientConnection(self.front, self.wire, 0)
        self.front.cells[self.front._clients_cell] += 1
        self.loop.watch(self.wire.fd, lambda mask: None)
        self.started = []
        for route in {id(route): route for route in self.front.routes_by_command}.values():
            route.start = lambda request, sink: self.started.append(request)
        for row in self.front.fast_path:
            row[:] = [None] * len(row)

    def __exit__(self, *args):
        self.front.memory.is_short = False
        super().__exit__(*args)
        self._theirs.close()

    def reads(self, *reads, mask=IN):
        """The poller reports, and so much can be read."""
        self.wire.reads += reads
        self.one.on_any_event(mask)

    def answer(self, count=1):
        """The oldest requests are answered, and the tick ends."""
        for _ in range(count):
            request = self.started.pop(0)
            request.on_reply(b"STORED\r\n", b"S")
        self.loop.tick()

    def commands(self):
        """How many commands are in flight."""
        return sum(len(request.expected or request.commands) for request in self.one.queue)


@pytest.fixture
def world():
    with World() as made:
        yield made


def padded(size):
    """Sets in so many bytes."""
    head = b"set a 0 0 %d\r\n" % (size - 100)
    return head + b"v" * (size - 100) + b"\r\n" + b"x" * (100 - len(head) - 4) + b"\r\n"


def test_a_client_that_is_throttled_is_not_read(world):
    world.one.blocks |= THROTTLED
    world.reads(GET)
    assert (world.wire.asked, world.one.blocks & READABLE) == ([], READABLE)
    world.one.blocks &= ~THROTTLED
    world.one.read_more()
    assert world.wire.asked == [FULL]


def test_a_client_within_a_request_is_read_in_large_pieces(world):
    world.reads(b"set a 0 0 9000\r\n" + b"x" * 100)
    assert world.one.blocks & BACKLOG
    world.reads(b"x" * 100)
    assert world.wire.asked == [FULL, module._READ_MORE]


def test_while_memory_is_short_no_piece_is_large(world):
    world.front.memory.is_short = True
    world.reads(b"set a 0 0 9000\r\n" + b"x" * 100)
    world.reads(b"x" * 100)
    assert world.wire.asked == [FULL, FULL]


def test_after_a_full_read_there_is_another_and_all_later_ones_are_large(world):
    line = b"get %b\r\n" % (b"a" * 100)
    data = (line * 200)[: FULL]
    world.one.window = 1000
    world.reads(data, line[FULL % len(line) :])
    assert world.wire.asked == [FULL, module._READ_MORE]
    world.reads(GET)
    assert world.wire.asked[2] == module._READ_MORE


def test_so_many_reads_are_one_turn_and_the_rest_follows_in_the_next(world):
    many = module._TURNS + 3
    world.one.read_size = 7
    world.one.window = 1000
    world.front.memory.is_short = True  # no read is larger than the size asked for
    world.front.memory.window = lambda client: 1000
    module_size = module._READ_SIZE
    try:
        module._READ_SIZE = module._READ_MORE = 7
        world.reads(*[GET] * many)
        assert len(world.wire.asked) == module._TURNS
        assert len(world.started) == module._TURNS
        world.tick()
        assert len(world.started) == many
    finally:
        module._READ_SIZE, module._READ_MORE = module_size, 130816


def test_a_read_that_breaks_ends_the_client(world):
    world.wire.reads = [ConnectionResetError()]
    world.one.on_any_event(IN)
    assert world.one.is_gone()


# the window ----------------------------------------------------------------------------------------------------------


def test_no_more_commands_are_in_flight_than_the_window_has_room_for(world):
    world.one.window = 5
    world.reads(GET * 12)
    assert world.commands() == 5
    assert world.one.blocks & BACKLOG
    world.reads(GET)
    assert len(world.wire.asked) == 1, "nothing is read while requests wait"


def test_requests_in_flight_count_when_more_arrive(world):
    world.one.window = 5
    world.reads(SET * 3)
    assert world.commands() == 3
    world.reads(SET * 4)
    assert world.commands() == 5


def test_a_get_of_many_keys_counts_each(world):
    world.one.window = 5
    world.reads(b"get a b c d\r\n" + b"gets a b\r\n" + SET)
    assert world.commands() == 6
    assert [request.keys() for request in world.one.queue] == [[b"a", b"b", b"c", b"d"], [b"a", b"b"]]


def test_commands_that_cost_more_take_more_of_the_window(world):
    world.one.window = 6
    world.front.weights = [3] * len(world.front.weights)
    world.front.run_weight = 3
    world.reads(SET + b"delete b\r\n" + b"touch a 0\r\n")
    assert len(world.one.queue) == 2


def test_while_memory_is_short_the_window_is_what_the_bound_says(world):
    world.front.memory.is_short = True
    world.front.memory.window = lambda client: 2
    world.reads(SET * 5)
    assert world.commands() == 2


def test_a_request_begins_now(world):
    world.pass_to(3.5)
    world.reads(SET)
    assert [request.started for request in world.started] == [world.loop.now]


def test_an_error_in_a_route_is_an_answer(world, caplog):
    def fail(request, sink):
        raise ValueError("a bug")

    for route in world.front.routes_by_command:
        route.start = fail
    world.reads(SET + SET)
    world.loop.tick()
    assert b"".join(world.wire.sent) == b"SERVER_ERROR mcrouter: internal error\r\n" * 2
    assert "a bug" in caplog.text
    assert not world.one.is_gone()


# what is counted of memory --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "gathered"), [
    (b"get%b\r\n" % (b" a" * 100), 0),
    (b"get%b\r\n" % (b" a" * 101), 5 + 202 + 60 * 101),
    (b"gat 5%b\r\n" % (b" a" * 101), 7 + 202 + 60 * 101),
    (b"set a 0 0 4078\r\n%b\r\n" % (b"x" * 4078), 0),  # 4096 bytes
    (b"set a 0 0 4079\r\n%b\r\n" % (b"x" * 4079), 16 + 4079 + 2 + 60),
])  # fmt: skip
def test_a_large_request_is_counted_until_it_is_answered(world, data, gathered):
    world.one.window = 1000
    world.reads(data)
    assert world.one.held_bytes == gathered
    world.answer()
    assert world.one.held_bytes == 0


def test_what_is_read_and_what_is_started_is_told_to_the_bound(world):
    memory = world.front.memory
    before = memory.arrived
    world.reads(SET * 3)
    assert memory.arrived - before == 3 * len(SET) + REQUEST * len(world.one.queue)


def test_it_looks_when_more_than_a_step_has_come_and_not_before(world):
    memory, looks = world.front.memory, []
    memory.look = lambda: looks.append(memory.arrived)
    memory.arrived, memory.step = 0, 2 * len(SET) + REQUEST
    world.reads(SET + SET)
    world.answer(len(world.started))
    assert looks == []
    memory.arrived = 1
    world.reads(SET + SET)
    assert looks == [1 + 2 * len(SET) + REQUEST]


@pytest.mark.parametrize(("is_short", "data", "told"), [
    (True, b"set a 0 0 9000\r\nx", True), (False, b"set a 0 0 9000\r\nx", False), (True, SET, False),
])  # fmt: skip
def test_an_unfinished_request_is_told_to_the_bound_while_memory_is_short(world, is_short, data, told):
    memory, seen = world.front.memory, []
    memory.is_short, memory.read_of = is_short, seen.append
    world.reads(data)
    assert seen == ([world.one] if told else [])


# pauses --------------------------------------------------------------------------------------------------------------


def test_a_paused_client_starts_nothing_until_all_have_resumed_it(world):
    world.one.pause()
    world.one.pause()
    world.reads(SET)
    world.one.resume()
    world.loop.tick()
    assert (world.started, world.one.blocks & PAUSED) == ([], PAUSED)
    world.one.resume()
    assert (world.started, world.one.blocks & PAUSED) == ([], 0)
    world.loop.tick()
    assert len(world.started) == 1


@pytest.mark.parametrize("why", [PAUSED, UNSENT, ASKS_AGAIN])
def test_what_has_come_waits_for_the_reason_to_go(world, why):
    world.one.blocks |= why
    world.reads(SET)
    world.one.read_more()
    assert (world.started, world.wire.asked) == ([], [FULL])
    world.one.blocks &= ~why
    world.one.read_more()
    assert len(world.started) == 1


def test_a_full_queue_is_reason_enough_not_to_go_on(world):
    world.one.window = 1
    world.reads(SET)
    world.reads(SET)
    world.wire.reads.append(SET)
    world.one.blocks |= READABLE
    world.one.read_more()
    assert (len(world.started), len(world.wire.asked)) == (1, 2)


def test_a_backlog_is_looked_at_again_though_nothing_is_waited_for(world):
    """A host has resumed the client in the midst, and no later event would lead back."""
    world.one.pause()
    world.reads(SET)
    world.one.pauses, world.one.blocks = 0, world.one.blocks & ~PAUSED
    world.one.settle()
    world.loop.tick()
    assert len(world.started) == 1


def test_what_was_not_sent_goes_first_and_only_a_report_of_room_makes_it_go(world):
    world.one.unsent, world.one.blocks = b"rest", world.one.blocks | UNSENT
    world.reads(mask=IN)
    assert world.wire.sent == []
    world.reads(mask=OUT)
    assert world.wire.sent == [b"rest"]


def test_any_event_shows_that_it_is_not_idle(world):
    world.one.idle_checks = 3
    world.reads(mask=OUT)
    assert world.one.idle_checks == 0
    world.one.idle_checks = 3
    world.reads(SET)
    assert world.one.idle_checks == 0


# the rest of a large value --------------------------------------------------------------------------------------------


class Transfer:
    """A large value that wants so much, then so much, ..."""

    def __init__(self, *wanted, held=0):
        self.wants, self.held, self.fed = list(wanted), held, []

    def wanted(self):
        return self.wants.pop(0) if self.wants else 0

    def held_back(self):
        return self.held

    def feed(self, data):
        self.fed.append(data)


def test_a_large_value_is_read_as_far_as_it_wants(world):
    transfer = world.one.transfer = Transfer(100, 50)
    world.reads(b"x" * 100, b"y" * 50)
    assert (world.wire.asked, transfer.fed) == ([100, 50], [b"x" * 100, b"y" * 50])
    assert world.one.blocks & READABLE
    world.one.transfer = None


def test_no_more_of_it_is_read_at_once_than_a_piece(world):
    transfer = world.one.transfer = Transfer(1 << 30)
    world.reads(b"x")
    assert (world.wire.asked, transfer.fed) == ([module.PIECE], [b"x"])
    world.one.transfer = None


def test_a_value_that_ends_in_the_midst_of_a_turn_is_read_no_further(world):
    transfer = world.one.transfer = Transfer(100, 100)
    transfer.feed = lambda data: setattr(world.one, "transfer", None)
    world.reads(b"x" * 100, b"y")
    assert world.wire.asked == [100]


def test_a_drained_socket_is_not_read_again(world):
    transfer = world.one.transfer = Transfer(100, 100, 100)
    world.reads(b"x")
    assert (world.wire.asked, world.one.blocks & READABLE) == ([100, 100], 0)
    world.one.read_requests()
    assert (world.wire.asked, transfer.fed) == ([100, 100], [b"x"])
    world.one.transfer = None


@pytest.mark.parametrize(("held", "reads"), [(0, 1), (10, 0)])
def test_a_throttled_client_sends_on_only_what_hosts_take(world, held, reads):
    transfer = world.one.transfer = Transfer(100, held=held)
    world.one.blocks |= THROTTLED
    world.reads(b"x" * 100)
    assert len(transfer.fed) == reads
    world.one.transfer = None


def test_a_value_leaves_others_their_turn(world):
    transfer = world.one.transfer = Transfer(*[10] * 30)
    world.reads(*[b"x" * 10] * 30)
    assert len(transfer.fed) == module._TURNS
    world.tick()
    assert len(transfer.fed) == 2 * module._TURNS
    world.one.transfer = None


@pytest.mark.parametrize("end", [b"", ConnectionResetError()])
def test_a_client_that_breaks_off_a_value_is_closed(world, end):
    transfer = world.one.transfer = Transfer(100)
    transfer.cancel = lambda: None
    world.reads(end)
    assert (world.one.is_gone(), transfer.fed) == (True, [])
