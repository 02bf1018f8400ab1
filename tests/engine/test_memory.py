"""The bound on what is held for clients: what is weighed, who waits, what becomes an error, which client is closed."""

import contextlib
import json
import queue
import threading

import pytest

from mcrouter import Router, Settings, load_config
from mcrouter.engine.clients import memory
from mcrouter.proto import outcomes as o
from mcrouter.proto.commands import BY_NAME
from mcrouter.proto.replies import NO_MEMORY, without_values
from tests.support.processes import until

from .hosts import LineHost, client, router
from .test_limits import of_clients

SIZE = 100_000
BLOCK = b"VALUE a 0 %d\r\n" % SIZE + b"x" * SIZE + b"\r\nEND\r\n"
MOST = 1 << 20
SLACK = 1 << 20  # bytes: --buffer-size, for the host


@pytest.fixture
def host():
    with LineHost(lambda line: b"STORED\r\n" if line.startswith(b"set") else BLOCK) as host:
        yield host


def held(served):
    """Bytes held for all clients."""
    return of_clients(served, lambda clients: sum(one.holds() for one in clients))


def in_loop(served, call):
    """What the call returns in the event loop's thread."""
    told = queue.Queue()
    served._worker.loop.call_soon_threadsafe(lambda: told.put(call()))
    return told.get(timeout=20)


def is_short(served):
    return in_loop(served, lambda: served._worker.frontend.memory.is_short)


def test_a_crowd_that_does_not_read_and_then_reads_all(host):
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(router(host, max_memory=MOST, timeout_ms=20_000))
        crowd = [stack.enter_context(client(served)) for _ in range(25)]  # fewer than may stream at once
        for wire in crowd:
            wire.send(b"get a\r\n" * 60)
        until(lambda: is_short(served), "much to be held")
        with client(served) as other:
            for _ in range(200):
                assert other.send(b"get a\r\n").read_exactly(len(BLOCK)) == BLOCK
                assert held(served) <= 1.5 * MOST + SLACK
        for wire in crowd:
            answers = wire.read_exactly(60 * len(BLOCK))
            assert answers == 60 * BLOCK


def test_what_a_route_keeps_until_all_have_answered_is_weighed():
    """One host of two does not answer yet: the other's replies wait in the route."""
    answer = threading.Event()
    quick, slow = LineHost(lambda line: BLOCK), LineHost(lambda line: answer.wait(20) and BLOCK)
    with quick, slow, contextlib.ExitStack() as stack:
        stack.callback(answer.set)
        served = stack.enter_context(router(quick, slow, route="AllSyncRoute", max_memory=MOST, timeout_ms=60_000))
        crowd = [stack.enter_context(client(served)) for _ in range(40)]
        for wire in crowd:
            wire.send(b"get a\r\n" * 4)
        until(lambda: len(quick.asked) >= 40, "the quick host to be asked")
        until(lambda: is_short(served), "much to be held")
        assert held(served) <= 1.5 * MOST + SLACK
        answer.set()
        for wire in crowd:
            assert wire.read_exactly(4 * len(BLOCK)) == 4 * BLOCK


def test_a_reply_that_cannot_be_asked_for_again_becomes_an_error(host):
    """Sets follow the gets: what is asked later may be another value. The sets are done."""
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(router(host, max_memory=MOST, timeout_ms=20_000))
        crowd = [stack.enter_context(client(served)) for _ in range(60)]
        for wire in crowd:
            wire.send(b"get a\r\nset b 0 0 1\r\nx\r\n" * 60)
        until(lambda: is_short(served), "much to be held")
        refused = 0
        for wire in crowd:
            for _ in range(60):
                line = wire.read_until(b"\r\n")
                if line == NO_MEMORY:
                    refused += 1
                else:
                    assert line + wire.read_exactly(len(BLOCK) - len(line)) == BLOCK
                assert wire.read_until(b"\r\n") == b"STORED\r\n"
                assert held(served) <= 1.5 * MOST + SLACK
        assert refused


def test_errors_take_the_place_of_values_alone():
    get, add = BY_NAME["get"].number, BY_NAME["set"].number
    run = b"STORED\r\n" + BLOCK + b"END\r\n" + BLOCK
    expected = b"STORED\r\n" + NO_MEMORY + b"END\r\n" + NO_MEMORY, o.STORED + o.LEFT_OUT + o.MISS + o.LEFT_OUT
    for reply in (run, memoryview(run), [run[:70], memoryview(run)[70:]]):
        assert without_values(reply, bytes([add, get, get, get]), o.STORED + o.VALUE + o.MISS + o.VALUE) == expected
    assert without_values(b"END\r\n", bytes([get]), o.MISS) == (b"END\r\n", o.MISS)
    assert without_values(BLOCK, bytes([get]), o.VALUE) == (NO_MEMORY, o.LEFT_OUT)


def test_a_client_that_reads_nothing_for_long_is_closed(host, monkeypatch):
    monkeypatch.setattr(memory, "_PATIENCE", 3)
    with router(host, max_memory=16) as served, client(served) as bomb, client(served) as other:
        bomb.send(b"get a\r\n" * 1000)
        until(lambda: of_clients(served, lambda clients: len(clients) == 1), "the client that does not read to be closed")
        assert other.send(b"get a\r\n").read_exactly(len(BLOCK)) == BLOCK
        until(lambda: not is_short(served))


def test_a_host_that_sends_all_it_can_is_not_unhealthy_for_what_comes_late():
    """What times out waits behind other replies that are on their way."""
    silent = threading.Event()
    with LineHost(lambda line: silent.wait(20) and b"END\r\n") as host, contextlib.ExitStack() as stack:
        stack.callback(silent.set)
        served = stack.enter_context(router(host, timeout_ms=60_000, timeouts_until_tko=1))
        wire = stack.enter_context(client(served))
        wire.send(b"get a\r\n")
        until(lambda: host.asked)
        destination = next(iter(served._worker._policy.hosts.values()))
        connection = destination.connections[0]

        def expire():
            connection.flooded = served._worker.loop.now
            connection.expire(connection.inflight[0][2])
            return connection.expired, destination.healthy

        until(lambda: in_loop(served, lambda: connection.inflight[0][2] < served._worker.loop.now), "time to pass")
        assert in_loop(served, expire) == (1, True)
        assert wire.read_until(b"\n").startswith(b"SERVER_ERROR")


def test_a_host_whose_reads_are_as_long_as_can_be_is_known_to_send_all_it_can():
    value = b"VALUE a 0 8000000\r\n" + b"x" * 8_000_000 + b"\r\nEND\r\n"
    with LineHost(lambda line: value) as host, router(host, buffer_size=1 << 24) as served, client(served) as wire:
        destination = next(iter(served._worker._policy.hosts.values()))
        assert wire.send(b"get a\r\n").read_exactly(len(value)) == value
        assert destination.connections[0].flooded > 0


def test_without_a_bound_nothing_is_short():
    text = json.dumps({"orderedPool": ["127.0.0.1:1"], "route": "DefaultRoute"})
    settings = Settings(listen="tcp://127.0.0.1:0", metrics_listen_addr="off", max_memory=0)
    with Router(load_config(text), settings) as served:
        bound = served._worker.frontend.memory
        assert bound.takes(1 << 50) and not bound.is_full() and not bound.is_short


def test_an_answer_of_the_router_itself_is_weighed_once_while_it_waits_for_its_turn():
    """It waits behind a get whose host has not answered."""
    answer = threading.Event()
    with LineHost(lambda line: answer.wait(20) and b"END\r\n") as host, contextlib.ExitStack() as stack:
        stack.callback(answer.set)
        served = stack.enter_context(router(host, timeout_ms=60_000))
        wire = stack.enter_context(client(served))
        wire.send(b"get a\r\nget __mcrouter__.preprocessed_config\r\n")
        until(lambda: of_clients(served, lambda clients: [len(one.queue) for one in clients] == [2] and clients[0].queue[1].reply))
        assert of_clients(served, lambda clients: clients[0].held_bytes == len(clients[0].queue[1].reply))
        answer.set()
        assert wire.read_until(b"END\r\n") == b"END\r\n"
        assert wire.read_until(b"END\r\n").startswith(b"VALUE __mcrouter__.preprocessed_config 0 ")
        until(lambda: held(served) == 0)
