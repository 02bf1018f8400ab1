"""What a client's connection does with replies: order, turns, what is counted; and what it says of itself to the bounds."""

from types import SimpleNamespace

import pytest

from mcrouter.engine.clients.memory import REQUEST
from mcrouter.engine.clients.outbox import (
    ASKS_AGAIN,
    COLLECTED,
    IDLE_CHECKED,
    READABLE,
    THROTTLED,
    UNSENT,
    ClientState,
)
from mcrouter.engine.poller import IN, OUT
from mcrouter.proto import outcomes as o
from mcrouter.proto.reply import TOO_LARGE
from mcrouter.proto.request import GET, SET

from .test_client_inbox import FULL, World

ONE, TWO, THREE = b"get 1\r\n", b"get 2\r\n", b"get 3\r\n"
STORE = b"set a 0 0 1\r\nx\r\n"


@pytest.fixture
def world():
    with World() as made:
        yield made


def asks(world, *requests):
    """The client asks this; returns the requests in flight."""
    world.one.window = 100
    for data in requests:
        world.reads(data)
    world.loop.tick()
    world.wire.sent.clear()
    return list(world.one.queue)


def replied(world, request, reply, outcomes=o.VALUE):
    """The request has its reply; nothing has left at the end of the tick yet."""
    request.on_reply(reply, outcomes)


# order and turns -------------------------------------------------------------------------------------------------------


def test_the_reply_to_the_only_request_leaves_at_once(world):
    [one] = asks(world, ONE)
    replied(world, one, b"one")
    assert (world.wire.sent, list(world.one.queue), world.one.blocks & COLLECTED) == ([b"one"], [], 0)


@pytest.mark.parametrize(("room", "left"), [(1, b"ne"), (0, b"one"), (BlockingIOError(), b"one")])
def test_what_the_kernel_does_not_take_of_it_is_kept(world, room, left):
    [one] = asks(world, ONE)
    world.one.window, world.front.buffer_size = 64, 6
    world.wire.room = [room]
    replied(world, one, b"one")
    assert (world.one.unsent, world.one.blocks & UNSENT, world.one.unread()) == (left, UNSENT, len(left))
    assert world.one.window == 2  # two such replies are what the buffer holds
    world.reads(mask=OUT)
    assert b"".join(world.wire.sent) == b"one"


def test_a_connection_that_takes_nothing_more_is_closed(world):
    [one] = asks(world, ONE)
    world.wire.room = [BrokenPipeError()]
    replied(world, one, b"one")
    assert world.one.is_gone()


def test_replies_leave_together_at_the_end_of_the_tick_in_the_order_of_the_requests(world):
    one, two, three = asks(world, ONE, TWO, THREE)
    replied(world, two, b"two")
    replied(world, three, [b"thr", b"ee"])
    assert (world.wire.sent, world.one.out) == ([], [])
    replied(world, one, b"one")
    assert world.wire.sent == []
    assert world.one.out == [b"one", b"two", b"thr", b"ee"]
    world.loop.tick()
    assert (world.wire.sent, len(world.one.queue)) == ([b"onetwothree"], 0)


def test_a_second_reply_to_a_request_is_dropped(world):
    one, two = asks(world, ONE, TWO)
    replied(world, two, b"two")
    replied(world, two, b"again")
    replied(world, one, b"one")
    world.loop.tick()
    assert world.wire.sent == [b"onetwo"]


def test_what_is_not_awaited_any_more_is_dropped(world):
    [one] = asks(world, ONE)
    world.one.queue.clear()
    replied(world, one, b"one")
    world.loop.tick()
    assert world.wire.sent == []


def test_replies_that_wait_for_their_turn_are_held(world):
    one, two, three = asks(world, ONE, TWO, THREE)
    assert world.one.held_bytes == 0
    replied(world, two, b"x" * 50)
    assert world.one.held_bytes == 50
    replied(world, three, [b"y" * 30, b"z" * 10])
    assert world.one.held_bytes == 50 + 40 + 2 * 8
    assert world.one.holds() == 3 * REQUEST + world.one.held_bytes
    replied(world, one, b"one")
    assert (world.one.held_bytes, world.one.unread()) == (0, 50 + 40 + 3 + 4 * 8)
    world.loop.tick()
    assert (world.one.held_bytes, world.one.holds()) == (0, 0)


def test_what_a_route_gathers_is_held_until_the_answer(world):
    one, two = asks(world, ONE, TWO)
    world.one.gather(two, 100)
    world.one.gather(two, 10)
    world.one.gather(one, 5)
    assert world.one.held_bytes == 115
    replied(world, two, b"x" * 50)
    assert world.one.held_bytes == 5 + 50
    replied(world, one, b"one")
    assert world.one.held_bytes == 0
    world.one.gather(two, 100)  # it has its answer
    assert world.one.held_bytes == 0


# a reply that is asked for again ---------------------------------------------------------------------------------------


def test_a_reply_that_is_too_large_is_asked_for_again_in_its_turn(world):
    one, two, three = asks(world, ONE, TWO, THREE)
    replied(world, two, TOO_LARGE)
    assert (world.one.pauses, world.one.window, world.one.transfer) == (1, 1, None)
    replied(world, three, b"three")
    replied(world, one, b"one")
    assert world.one.transfer is not None and world.one.transfer._request is two
    assert world.one.out == [b"one"]
    world.loop.tick()
    assert world.wire.sent == [b"one"]
    again = world.started[-1]
    assert (again.data, again.origin) == (TWO, two)
    world.one.transfer.answered(b"VALUE 2 0 1\r\nx\r\nEND\r\n", o.VALUE)
    world.loop.tick()
    assert b"".join(world.wire.sent) == b"oneVALUE 2 0 1\r\nx\r\nEND\r\nthree"
    assert (world.one.pauses, world.one.transfer, len(world.one.queue)) == (0, None, 0)


def test_one_whose_turn_it_is_is_asked_for_at_once(world):
    [one] = asks(world, ONE)
    replied(world, one, TOO_LARGE)
    assert world.one.transfer is not None
    world.loop.tick()
    assert world.started[-1].data == ONE


def test_until_what_is_asked_again_has_its_answer_nothing_is_started_and_nothing_held(world):
    one, two = asks(world, ONE, TWO)
    world.front.memory.admits = lambda client, size: True
    assert world.one.may_hold(10)
    world.one.will_ask_again(one)
    world.one.will_ask_again(two)
    assert (world.one.blocks & ASKS_AGAIN, world.one.may_hold(10)) == (ASKS_AGAIN, False)
    replied(world, two, b"two")
    assert world.one.blocks & ASKS_AGAIN
    replied(world, one, b"one")
    assert not world.one.blocks & ASKS_AGAIN
    world.front.memory.admits = lambda client, size: False
    assert not world.one.may_hold(10)
    world.one.will_ask_again(one)  # it is not awaited any more
    assert not world.one.blocks & ASKS_AGAIN


# what it says of itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("queue", "throttled", "unsent", "wanted", "checks"), [
    (0, False, b"", None, 3), (1, False, b"", None, 0), (0, True, b"", None, 0), (1, False, b"x", None, 3), (0, True, b"x", None, 3),
    (1, False, b"", 0, 0), (1, False, b"", 5, 3), (0, False, b"", 5, 3),
])  # fmt: skip
def test_clients_that_do_nothing_are_idle_unless_they_wait(world, queue, throttled, unsent, wanted, checks):
    one = world.one
    one.queue.extend(range(queue))
    one.blocks |= THROTTLED if throttled else 0
    one.unsent = unsent
    one.transfer = None if wanted is None else SimpleNamespace(wanted=lambda: wanted)
    assert [one.check_idle() for _ in range(3)][-1] == checks
    assert one.blocks & IDLE_CHECKED
    one.queue.clear()
    one.transfer = None


def test_what_is_held_for_it(world):
    asks(world, STORE, STORE)
    world.reads(b"set a 0 0 900\r\n" + b"x" * 85)
    world.one.unsent, world.one.out, world.one.held_bytes = b"12345", [b"abc"], 7
    world.one.transfer = SimpleNamespace(held_back=lambda: 30, holds=lambda: 40)
    assert world.one.begun_bytes() == 30 + 100
    assert world.one.holds_replies() == 7 + 5 + 3 + 8 + 40
    assert world.one.holds() == 100 + 2 * REQUEST + 7 + 5 + 3 + 8 + 40
    world.one.transfer = None
    assert (world.one.begun_bytes(), world.one.holds_replies()) == (100, 7 + 5 + 3 + 8)


def test_a_client_that_was_throttled_goes_on(world):
    world.one.idle_checks = 3
    world.one.throttle(True)
    assert (world.one.is_throttled(), world.one.idle_checks) == (True, 0)
    world.reads(ONE)
    assert world.wire.asked == []
    world.one.idle_checks = 3
    world.one.throttle(False)
    assert (world.one.is_throttled(), world.one.idle_checks, world.wire.asked) == (False, 0, [])
    world.loop.tick()
    assert len(world.started) == 1


def test_a_client_that_is_closed_is_not_read_again(world):
    world.one.throttle(True)
    world.reads(ONE)
    world.one.abort()
    world.one.throttle(False)
    world.loop.tick()
    assert world.wire.asked == []


# the fast path ----------------------------------------------------------------------------------------------------------


class Direct:
    """A connection to a host on the fast path."""

    def __init__(self):
        self.out, self.inflight, self.began = [], [], 0

    def out_began(self):
        self.began += 1


def test_a_single_request_goes_to_the_host_without_a_route(world):
    direct = Direct()
    world.one.fast_path[SET] = direct
    world.wire.reads = [STORE]
    world.one.on_event(IN | OUT)
    [(request, sink, since)] = direct.inflight
    assert (direct.out, direct.began, sink, since) == ([STORE], 1, request, world.loop.now)
    assert (list(world.one.queue), request.started, world.started) == ([request], world.loop.now, [])
    replied(world, request, b"STORED\r\n", o.STORED)
    direct.out = [b"of another client"]
    world.wire.reads = [STORE]
    world.one.on_event(IN | OUT)
    assert (direct.began, len(direct.inflight)) == (1, 2)
    world.one.queue.clear()


@pytest.mark.parametrize("data", [STORE + STORE, STORE[:-1], b"delete a noreply\r\n", b"mn\r\n"])
def test_what_is_no_single_get_or_set_takes_the_general_way(world, data):
    world.one.fast_path = [Direct() for _ in world.one.fast_path]
    world.wire.reads = [data]
    world.one.on_event(IN | OUT)
    assert all(not direct.inflight for direct in world.one.fast_path)
    assert world.wire.asked == [FULL]


def test_a_full_read_takes_the_general_way(world):
    direct = world.one.fast_path[SET] = Direct()
    world.one.read_size = len(STORE)
    world.wire.reads = [STORE]
    world.one.on_event(IN | OUT)
    assert direct.inflight == []
    assert (len(world.started), len(world.wire.asked)) == (1, 2)


@pytest.mark.parametrize("why", ["mask", "blocks", "queue"])
def test_whatever_is_under_way_takes_the_general_way(world, why):
    direct = world.one.fast_path[SET] = Direct()
    world.wire.reads = [STORE]
    if why == "blocks":
        world.one.blocks |= READABLE
    elif why == "queue":
        asks(world, ONE)
        world.wire.reads = [STORE]
    world.one.on_event(IN if why == "mask" else IN | OUT)
    assert direct.inflight == []
    assert len(world.started) == 1 + (why == "queue")


@pytest.mark.parametrize("found", ["host", None, "a bug"])
def test_a_route_that_needs_the_key_says_the_host(world, found, caplog):
    direct, asked = Direct(), []

    def direct_host(request):
        asked.append(request.keys())
        if found == "a bug":
            raise ValueError(found)
        return SimpleNamespace(connections=[direct]) if found else None

    world.front.keyed[GET] = SimpleNamespace(direct_host=direct_host)
    world.wire.reads = [ONE]
    world.one.on_event(IN | OUT)
    world.front.keyed[GET] = None
    assert asked == [[b"1"]]
    assert (len(direct.inflight), len(world.started)) == ((1, 0) if found == "host" else (0, 1))
    assert ("a bug" in caplog.text) == (found == "a bug")
    world.one.queue.clear()


@pytest.mark.parametrize("error", [BlockingIOError(), ConnectionResetError()])
def test_an_event_without_anything_to_read(world, error):
    world.wire.reads = [error]
    world.one.on_event(IN | OUT)
    assert world.one.is_gone() == (not isinstance(error, BlockingIOError))


# the end ----------------------------------------------------------------------------------------------------------------


def test_a_client_that_has_closed_its_side_still_gets_its_answers(world):
    one, two = asks(world, ONE, TWO)
    world.reads(b"", mask=IN)
    assert (world.one.state, world.one.is_gone()) == (ClientState.ENDED, False)
    replied(world, one, b"one")
    replied(world, two, b"two")
    world.loop.tick()
    assert (world.wire.sent, world.one.is_gone()) == ([b"onetwo"], True)


def test_a_client_that_is_drained_gets_its_answers_and_starts_nothing_more(world):
    one, _two = asks(world, ONE, TWO)
    world.one.drain()
    world.reads(THREE)
    assert len(world.started) == 2
    replied(world, one, b"one")
    world.loop.tick()
    assert not world.one.is_gone()
    replied(world, world.one.queue[0], b"two")
    world.loop.tick()
    assert (b"".join(world.wire.sent), world.one.is_gone()) == (b"onetwo", True)


def test_a_client_without_requests_is_drained_at_once(world):
    world.one.drain()
    assert world.one.is_gone()
    world.one.drain()


def test_a_client_that_is_closed_drops_everything(world):
    one, _two = asks(world, ONE, TWO)
    cancelled = []
    world.one.transfer = SimpleNamespace(cancel=lambda: cancelled.append(True), serves=lambda request: False)
    world.one.unsent, world.one.out = b"x", [b"y"]
    world.one.abort()
    assert cancelled == [True]
    assert (world.one.unread(), len(world.one.queue), world.one.transfer, world.one.stream.rest()) == (0, 0, None, b"")
    world.one.abort()
    assert cancelled == [True]
    replied(world, one, b"one")
    world.loop.tick()
    assert world.wire.sent == []
