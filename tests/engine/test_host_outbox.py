"""What a connection to a host sends, and in which order: what the kernel takes in part, and what waits for `mn`."""

from types import SimpleNamespace

import pytest

from mcrouter.engine.hosts.connections.meta_check import MetaSupport
from mcrouter.engine.hosts.connections.socket import SocketState
from mcrouter.engine.hosts.reason import Reason
from mcrouter.engine.poller import IN, OUT

from .scripted import ScriptedWorld

GET, SET, MS, MG = b"get a\r\n", b"set a 0 0 1\r\nx\r\n", b"ms a 1\r\nx\r\n", b"mg a v\r\n"
MISS, REFUSED = b"END\r\n", b"SERVER_ERROR mcrouter: "


@pytest.fixture
def world():
    with ScriptedWorld(timeouts_until_tko=10) as made:
        yield made


def sent(world):
    """All that the host has got."""
    return b"".join(world.wire.sent)


def answers(world, data):
    """The host answers."""
    world.wire.reads = [data]
    world.connection.ready(IN)
    world.next_turn()
    world.loop.flush()


def in_step(world):
    """The requests in flight are those sent and those to be sent."""
    connection = world.connection
    assert [entry[0].data for entry in connection.inflight][-len(connection.out) :] == connection.out or not connection.out
    assert connection.runs == sum(len(entry[0].commands) > 1 for entry in connection.inflight)


def test_a_tick_is_one_write(world):
    for data in (GET, SET, GET):
        world.asks(data)
    world.loop.flush()
    assert world.wire.sent == [GET + SET + GET]
    assert world.wanted == []


def test_nothing_is_written_while_the_kernel_is_full_and_all_of_it_after(world):
    world.wire.room = [3]
    world.ask(GET)
    assert (sent(world), world.wanted, world.connection.unsent) == (GET[:3], [True], GET[3:])
    world.ask(SET)
    assert sent(world) == GET[:3]
    assert world.connection.load()[0] == 1
    world.wire.room = [2]
    world.connection.ready(OUT)
    assert (sent(world), world.wanted) == (GET[:5], [True, False, True])
    world.connection.ready(OUT)
    assert (sent(world), world.connection.unsent, world.wanted) == (GET + SET, b"", [True, False, True, False])


def test_clients_that_waited_for_room_go_on_when_all_is_sent(world):
    seen = []
    world.connection.waiters += [SimpleNamespace(resume=lambda number=number: seen.append(number)) for number in range(2)]
    world.wire.room = [3, 1]
    world.ask(GET)
    world.connection.ready(OUT)
    assert seen == []
    world.connection.ready(OUT)
    assert (seen, world.connection.waiters) == ([0, 1], [])


def test_a_report_of_room_without_anything_to_send_does_nothing(world):
    world.connection.ready(OUT)
    assert (world.wire.sent, world.wanted) == ([], [])


def test_a_host_that_is_unreachable_fails_what_waits_for_it(world):
    call = world.asks(GET)
    world.connection.disconnect()
    world.host.mark_down(Reason.REFUSES, "a test")
    world.loop.flush()
    assert b"".join(call.answers).startswith(REFUSED)
    assert not world.connection.inflight


# the question before the first `ms` -----------------------------------------------------------------------------------


def test_the_first_ms_waits_for_the_answer_to_mn_and_all_behind_it_too(world):
    world.asks(GET)
    world.asks(MS)
    world.asks(SET)
    world.loop.flush()
    assert sent(world) == GET + b"mn\r\n"
    in_step(world)
    assert world.connection.load() == (2, 2)
    answers(world, MISS + b"MN\r\n")
    assert sent(world) == GET + b"mn\r\n" + MS + SET
    assert world.connection.meta.state is MetaSupport.SPOKEN
    world.ask(MS)
    assert sent(world).endswith(SET + MS)


def test_other_meta_commands_do_not_wait(world):
    world.ask(MG)
    assert sent(world) == MG


@pytest.mark.parametrize("no", [b"ERROR\r\n", b"CLIENT_ERROR no\r\n"])
def test_a_host_that_does_not_speak_it_gets_no_ms(world, no):
    first, other = world.asks(MS), world.asks(SET)
    world.loop.flush()
    answers(world, no)
    assert sent(world) == b"mn\r\n" + SET
    assert b"".join(first.answers).startswith(REFUSED) and not other.answers
    in_step(world)
    second = world.ask(MS)
    assert b"".join(second.answers).startswith(REFUSED)
    answers(world, b"STORED\r\n")
    assert b"".join(other.answers) == b"STORED\r\n"


def test_what_the_kernel_took_in_part_counts_as_one_piece_before_the_question(world):
    world.wire.room = [3]
    world.ask(GET)
    world.asks(GET)
    world.asks(MS)
    world.asks(SET)
    world.loop.flush()
    assert sent(world) == GET[:3]
    world.connection.ready(OUT)
    assert sent(world) == GET + GET + b"mn\r\n"
    in_step(world)
    answers(world, MISS * 2 + b"MN\r\n")
    assert sent(world) == GET + GET + b"mn\r\n" + MS + SET


def test_the_question_itself_may_be_taken_in_part(world):
    world.wire.room = [2]
    world.asks(MS)
    world.asks(SET)
    world.loop.flush()
    assert sent(world) == b"mn"
    world.asks(SET)
    world.loop.flush()
    world.connection.ready(OUT)
    assert sent(world) == b"mn\r\n"
    answers(world, b"MN\r\n")
    assert sent(world) == b"mn\r\n" + MS + SET + SET


def test_a_connection_that_opens_asks_before_the_first_ms(world):
    world.connection.state = SocketState.CONNECTING
    for data in (GET, MS, SET, MS):
        world.asks(data)
    world.loop.flush()
    assert sent(world) == b""
    world.connection.state = SocketState.OPEN
    world.connection.connected()
    assert sent(world) == GET + b"mn\r\n"
    in_step(world)
    answers(world, MISS + b"MN\r\n")
    assert sent(world) == GET + b"mn\r\n" + MS + SET + MS


def test_what_has_timed_out_while_it_waited_is_not_sent(world):
    first, other = world.asks(MS), world.asks(GET + SET)
    world.loop.flush()
    world.connection.expire(world.loop.now)
    assert b"".join(first.answers).startswith(REFUSED) and other.answers
    assert world.connection.expired == 3
    world.asks(SET)
    world.loop.flush()
    answers(world, b"MN\r\n")
    assert sent(world) == b"mn\r\n" + SET
    assert (world.connection.expired, world.connection.runs, len(world.connection.inflight)) == (0, 0, 1)


def test_runs_that_are_refused_are_counted_no_more(world):
    world.asks(MS)
    run = world.asks(GET + GET)
    world.loop.flush()
    assert world.connection.runs == 1
    answers(world, b"ERROR\r\n")
    assert (sent(world), world.connection.runs) == (b"mn\r\n" + GET + GET, 1)
    answers(world, MISS + MISS)
    assert (b"".join(run.answers), world.connection.runs) == (MISS + MISS, 0)
