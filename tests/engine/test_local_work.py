"""What the router computes for clients holds no tick for long: looks, keys and bytes of a tick are counted."""

import pytest

from mcrouter.engine.clients.local_work import BYTES, MOST, LocalWork
from mcrouter.engine.loop import PollGroup
from mcrouter.proto import outcomes as o
from mcrouter.proto.commands import BY_NAME
from mcrouter.proto.guard import INTERNAL_ERROR
from mcrouter.routes.framework import keyed
from mcrouter.routes.host import HostRoute
from mcrouter.routes.local import LocalRoute
from mcrouter.server.inquiries import Inquiries
from mcrouter.stats import Statistics
from tests.embedding.served import served
from tests.routes.script import Sink, answer

from .hosts import client as connect


class RequestSource:
    """A client that counts how often it is asked to wait."""

    def __init__(self):
        self.paused, self.failed = 0, []

    def pause(self):
        self.paused += 1

    def resume(self):
        self.paused -= 1

    def fail(self, _request, reply, _outcomes):
        self.failed.append(reply)


class Request:
    """A request of it."""

    origin, commands = None, b"\0"

    def __init__(self, client):
        self.client = client


class World:
    """A loop's work, and what has been done in each tick so far."""

    def __init__(self):
        self.loop = PollGroup()
        self.work = LocalWork(self.loop)
        self.done = []

    def ask(self, client, name, costs):
        def steps():
            for cost in costs:
                self.done.append(name)
                yield cost

        self.work.do(Request(client), steps())

    def ticks(self):
        """Ticks until nothing is left; what each did."""
        found = []
        while self.loop._ready:
            before = len(self.done)
            self.loop.tick()
            found.append("".join(self.done[before:]))
        return found


@pytest.fixture
def world():
    made = World()
    yield made
    made.loop.close()


def test_a_little_is_done_at_once(world):
    one = RequestSource()
    world.ask(one, "a", [10, 10])
    assert world.done == ["a", "a"] and one.paused == 0
    assert world.ticks() == [""]


def test_a_tick_does_so_much(world):
    one = RequestSource()
    world.ask(one, "a", [MOST // 4] * 10)
    assert len(world.done) == 4 and one.paused == 1
    assert world.ticks()[:2] == ["aaaa", "aa"]
    assert one.paused == 0


def test_all_clients_share_the_tick_in_turns(world):
    one, other = RequestSource(), RequestSource()
    world.ask(one, "a", [MOST // 2] * 6)
    world.ask(other, "b", [MOST // 2] * 4)
    assert "".join(world.done) == "aa" and (one.paused, other.paused) == (1, 1)
    assert world.ticks()[:4] == ["aa", "bb", "aa", "bb"]
    assert (one.paused, other.paused) == (0, 0)


def test_a_step_that_costs_more_than_a_tick_is_made_up_for(world):
    one = RequestSource()
    world.ask(one, "a", [3 * MOST] * 3)
    assert world.done == ["a"] and world.ticks()[:6] == ["", "", "a", "", "", "a"]


def test_a_bug_costs_its_own_request(world, caplog):
    def steps():
        yield 1
        raise ZeroDivisionError

    one, other = RequestSource(), RequestSource()
    world.work.do(Request(one), steps())
    world.ask(other, "b", [1])
    assert one.failed == [b"SERVER_ERROR mcrouter: internal error\r\n"] and world.done == ["b"]
    assert "unexpected error" in caplog.text


# of a router ------------------------------------------------------------------------------------------------------


class Ticks:
    """What is counted, by the tick of a router's loop."""

    def __init__(self, monkeypatch):
        self.counts, self.number, self.total = {}, 0, 0
        tick = PollGroup.tick

        def counted(loop):
            self.number += 1
            tick(loop)

        monkeypatch.setattr(PollGroup, "tick", counted)

    def count(self, much=1):
        self.counts[self.number] = self.counts.get(self.number, 0) + much
        self.total += much

    @property
    def most(self):
        return max(self.counts.values())

    def calls(self, monkeypatch, owner, name, much=lambda result: 1):
        """Has the calls of a function counted, each by its result."""
        function = getattr(owner, name)

        def counted(*args):
            result = function(*args)
            self.count(much(result))
            return result

        monkeypatch.setattr(owner, name, counted)


@pytest.mark.parametrize("words", [b"stats", b"stats all", b"stats servers"])
def test_statistics_are_computed_once_a_tick(monkeypatch, words):
    ticks = Ticks(monkeypatch)
    ticks.calls(monkeypatch, Statistics, "answer")
    with served(1, route="LocalRoute") as (router, _), connect(router) as wire:
        got = wire.ask((words + b"\r\n") * 500)
    assert got.count(b"END\r\n") == 500 and ticks.most == 1


def test_statistics_of_many_hosts_stand_for_a_second():
    looks, now = [], [10.0]
    look = lambda words: looks.append(words) or [(1, [("a", len(looks))])]  # noqa: E731
    route = LocalRoute("1", look, now=lambda: now[0], hosts=300)
    first = answer(route, b"stats\r\n")
    now[0] += 0.9
    assert answer(route, b"stats\r\n") == first and len(looks) == 1
    now[0] += 0.2
    assert answer(route, b"stats\r\n") != first and len(looks) == 2


def stats_request(client):
    asked = Request(client)
    asked.data, asked.commands = b"stats servers\r\n", bytes([BY_NAME["stats"].number])
    return asked


def test_statistics_are_computed_in_portions_and_once_for_all_that_ask_meanwhile(world):
    looks, most = [], 0

    def portions(_words):
        for number in range(100):
            looks.append(number)
            yield 1000, [(f"a{number}", 1)]

    route = LocalRoute("1", portions, world.work.do, lambda: world.loop.now)
    asking = [(RequestSource(), Sink()) for _ in range(5)]  # in one tick after the other
    for number in range(100):
        before = len(looks)
        if number < len(asking):
            client, sink = asking[number]
            route.start(stats_request(client), sink)
        world.loop.call_soon(lambda: None)
        world.loop.tick()
        most = max(most, len(looks) - before)
    assert looks == list(range(100)) and most <= 2 * MOST // 1000 + 1
    assert not any(client.paused for client, _ in asking)
    answers = {sink.got for _, sink in asking}
    assert [reply.count(b"STAT ") for reply, _ in answers] == [100]


def test_an_error_in_statistics_is_told_to_all_that_wait_for_them(world, caplog):
    def portions(_words):
        yield MOST, []
        raise ZeroDivisionError

    route = LocalRoute("1", portions, world.work.do, lambda: world.loop.now)
    one, other, sink = RequestSource(), RequestSource(), Sink()
    route.start(stats_request(one), Sink())
    route.start(stats_request(other), sink)
    world.ticks()
    assert one.failed == [INTERNAL_ERROR] and sink.got == (INTERNAL_ERROR, o.LOCAL)


def test_the_bytes_of_statistics_are_bounded_by_the_tick(monkeypatch):
    ticks = Ticks(monkeypatch)
    lines, size = LocalRoute._stat_lines, 0

    def counted(*args):
        for cost in lines(*args):
            ticks.count(size)
            yield cost

    monkeypatch.setattr(LocalRoute, "_stat_lines", counted)
    with served(1, route="LocalRoute") as (router, _), connect(router) as wire, connect(router) as other:
        size = len(wire.ask(b"stats all\r\n"))
        wire.send(b"stats all\r\n" * 200 + b"mn\r\n")
        other.ask(b"stats all\r\n" * 50)
        wire.read_until(b"MN\r\n")
    assert ticks.most <= 2 * (MOST * BYTES + size)
    assert len(ticks.counts) > 10


def inquiring(monkeypatch, line):
    """The answer to an inquiry and the ticks it took."""
    ticks = Ticks(monkeypatch)
    ticks.calls(monkeypatch, Inquiries, "answer")
    with served(1) as (router, _), connect(router) as wire, connect(router) as other:
        wire.send(line)
        assert other.ask(b"get __mcrouter__.version\r\n").endswith(b"END\r\n")
        return wire.ask(b""), ticks


@pytest.mark.parametrize("name", [b"route(get,a)", b"preprocessed_config", b"options", b"nonsense"])
def test_what_a_key_says_is_found_out_once(monkeypatch, name):
    got, ticks = inquiring(monkeypatch, b"get" + (b" __mcrouter__." + name) * 3000 + b"\r\n")
    assert got.count(b"VALUE __mcrouter__." + name) == 3000 and got.endswith(b"END\r\n")
    assert ticks.total == 2


def test_different_keys_are_answered_in_portions(monkeypatch):
    keys = b"".join(b" __mcrouter__.route(get,%d)" % number for number in range(500))
    got, ticks = inquiring(monkeypatch, b"gets" + keys + b"\r\n")
    assert [line.split()[1] for line in got.splitlines() if line.startswith(b"VALUE")] == keys.split()
    assert ticks.total == 501 and ticks.most <= 20


def test_many_inquiries_in_one_write_are_answered_in_portions_and_in_turn(monkeypatch):
    lines = b"".join(b"get __mcrouter__.route(get,%d)\r\nget a\r\n" % number for number in range(300))
    got, ticks = inquiring(monkeypatch, lines)
    assert got.count(b"\r\nEND\r\nEND\r\n") == 300
    assert ticks.total == 301 and ticks.most <= 20


def test_an_answer_that_gets_too_long_says_so(monkeypatch):
    with served(1, buffer_size=10000) as (router, _), connect(router) as wire:
        (value,) = wire.ask(b"get __mcrouter__.options\r\n").splitlines()[1:2]
        got = wire.ask(b"get" + b" __mcrouter__.options" * 100 + b"\r\n")
    assert got.count(b"VALUE ") == 100 and 1 < got.count(value) < 20
    assert got.count(b"ERROR: the answer is longer than 10000 bytes; ask for fewer keys at a time\r\n") > 80
    assert got.endswith(b"END\r\n")


def test_a_client_that_has_gone_costs_nothing_more(monkeypatch):
    ticks = Ticks(monkeypatch)
    ticks.calls(monkeypatch, Inquiries, "answer")
    keys = b"".join(b" __mcrouter__.route(get,%d)" % number for number in range(2000))
    with served(1) as (router, _):
        worker, inquire = router._worker, router._worker.frontend.inquire

        def gone(key):
            for client in list(worker.frontend.clients.values()):
                client.abort()
            return inquire(key)

        worker.frontend.inquire = gone
        with connect(router) as wire:
            wire.send(b"get" + keys + b"\r\n")
            assert wire.read_to_close() == b""
        worker.frontend.inquire = inquire
        with connect(router) as wire:
            wire.ask(b"get a\r\n")
        assert ticks.total == 1


def test_the_program_around_the_router_is_answered_too(monkeypatch):
    with served(1) as (router, _):
        keys = [f"__mcrouter__.route(get,{number})" for number in range(200)]
        found = router.client().get_many(keys)
        assert len(found) == 200


# requests to hosts ------------------------------------------------------------------------------------------------


def test_a_get_of_many_keys_makes_few_requests_a_tick_and_none_overtakes_it(monkeypatch):
    ticks = Ticks(monkeypatch)
    monkeypatch.setattr(keyed, "_AT_ONCE", 20)
    keys = [b"key%d" % number for number in range(100)]
    with served(2, route="AllSyncRoute") as (router, _), connect(router) as wire, connect(router) as other:
        for key in keys[::2]:
            wire.ask(b"set %b 0 0 1\r\n1\r\n" % key)
        ticks.calls(monkeypatch, HostRoute, "start")
        wire.send(b"get " + b" ".join(keys) + b"\r\n" + b"set key99 0 0 1\r\n2\r\n")
        assert other.ask(b"get key0\r\n") == b"VALUE key0 0 1\r\n1\r\nEND\r\n"
        got = wire.read_until(b"STORED\r\n")
    assert [line.split()[1] for line in got.splitlines() if line.startswith(b"VALUE")] == keys[::2]
    assert got.endswith(b"END\r\nSTORED\r\n")
    assert ticks.total == 2 * 102 and ticks.most <= 20 + 4 and len(ticks.counts) >= 10
