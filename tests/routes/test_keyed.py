"""What routes by key have in common: gets of several keys, PerKey, and commands that are about no key."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.reply import TOO_LARGE
from mcrouter.routes.framework.base import Route
from mcrouter.routes.framework.keyed import KeyedRoute, PerKey, for_keys

from .samples import DATA
from .script import CLIENT, MISS, Client, Sink, ask, block, hit, request
from .world import World

POOLS = {"A": {"servers": ["a:1", "b:1"]}}


class Scripted(Route):
    """Answers each get when told to."""

    def __init__(self, name="x"):
        self.name = name
        self.asked = []

    def start(self, asked, sink):
        self.asked.append((asked, sink))

    def answer(self, place, reply, outcome):
        """To the request that came as number `place`."""
        self.asked[place][1].on_reply(reply, outcome)

    def data(self):
        """What it has been asked."""
        return [asked.data for asked, _ in self.asked]


class ByLetter(KeyedRoute):
    """By the first letter of the key."""

    def __init__(self, **ways):
        self.ways = ways

    def route_for(self, key):
        return self.ways[key[:1].decode()]


PARTS = [
    (b"get a b c\r\n", [b"a"], b"get a\r\n"),
    (b"get a b c\r\n", [b"c", b"a"], b"get c a\r\n"),
    (b"gets a b\r\n", [b"b"], b"gets b\r\n"),
    (b"gat 10 a b\r\n", [b"b"], b"gat 10 b\r\n"),
    (b"gats 0 a b\r\n", [b"a", b"b"], b"gats 0 a b\r\n"),
]


@pytest.mark.parametrize(("data", "keys", "expected"), PARTS)
def test_for_keys(data, keys, expected):
    """A part of a get is as it would have come from the client, and on the same client's behalf."""
    whole = request(data)
    whole.started = 5.0
    part, same = for_keys(whole, keys), request(expected)
    assert (part.data, part.commands, part.key) == (same.data, same.commands, same.key)
    assert part.keys() == keys
    assert (part.client, part.started) == (CLIENT, 5.0)


def test_a_lone_key_is_passed_on_as_it_came():
    way = Scripted()
    route = ByLetter(a=way)
    for data in DATA.values():
        one = request(data.replace(b" k", b" a", 1))
        route.start(one, Sink())
        assert way.asked[-1][0] is one


def test_keys_of_one_way_are_passed_on_as_they_came():
    way = Scripted()
    whole = request(b"get a b a\r\n")
    sink = Sink()
    ByLetter(a=way, b=way).start(whole, sink)
    assert way.asked == [(whole, sink)]


@pytest.mark.parametrize(("replies", "expected"), [
    ([hit(b"a", b"1"), hit(b"b", b"2")], (block(b"a", b"1") + block(b"b", b"2") + b"END\r\n", o.VALUE)),
    ([MISS, hit(b"b", b"2")], (hit(b"b", b"2")[0], o.PARTIAL)),
    ([MISS, MISS], MISS),
    ([(b"SERVER_ERROR x\r\n", o.SERVER_ERROR), hit(b"b", b"2")], (hit(b"b", b"2")[0], o.PARTIAL)),
    ([(b"SERVER_ERROR x\r\n", o.SERVER_ERROR), MISS], (b"SERVER_ERROR x\r\n", o.SERVER_ERROR)),
    ([(b"x\r\n", o.TIMEOUT), (b"y\r\n", o.LOST)], (b"y\r\n", o.LOST)),
    ([(TOO_LARGE, o.VALUE), hit(b"b", b"2")], (TOO_LARGE, o.VALUE)),
    ([hit(b"a", b"1"), (TOO_LARGE, o.VALUE)], (TOO_LARGE, o.VALUE)),
])  # fmt: skip
def test_what_the_parts_find_is_put_together(replies, expected):
    """Hits in the request's order; an error if there is nothing else; a value that is too large, as it is."""
    a, b = Scripted(), Scripted()
    sink = ask(ByLetter(a=a, b=b), b"get a b\r\n")
    assert (a.data(), b.data()) == ([b"get a\r\n"], [b"get b\r\n"])
    a.answer(0, *replies[0])
    assert sink.got is None
    b.answer(0, *replies[1])
    assert sink.got == expected
    assert (sink.got[0] is TOO_LARGE) == (expected[0] is TOO_LARGE)


def test_cas_uniques_and_flags_are_kept():
    a, b = Scripted(), Scripted()
    sink = ask(ByLetter(a=a, b=b), b"gets b a\r\n")
    a.answer(0, b"VALUE a 5 1 77\r\n1\r\nEND\r\n", o.VALUE)
    b.answer(0, b"VALUE b 6 2 88\r\n\r\n\r\nEND\r\n", o.VALUE)
    assert sink.got == (b"VALUE b 6 2 88\r\n\r\n\r\nVALUE a 5 1 77\r\n1\r\nEND\r\n", o.VALUE)


def test_one_key_at_a_time():
    """PerKey: for routes that cannot take a get of several."""
    way = Scripted()
    sink = ask(PerKey(way), b"gat 9 b a b\r\n")
    assert way.data() == [b"gat 9 b\r\n", b"gat 9 a\r\n"]
    way.answer(1, *hit(b"a", b"1"))
    way.answer(0, *hit(b"b", b"2"))
    assert sink.got == (block(b"b", b"2") + block(b"a", b"1") + block(b"b", b"2") + b"END\r\n", o.VALUE)


def test_one_key_at_a_time_leaves_all_else_alone():
    way = Scripted()
    for data in (*DATA.values(), b"get a\r\nget b\r\n"):
        one = request(data)
        PerKey(way).start(one, Sink())
        assert way.asked[-1][0] is one


def test_a_get_of_several_keys_has_no_host_that_is_asked_first():
    """Else the engine would send it to that host as one request."""
    one = Scripted()
    one.direct_host = lambda asked=None: "host"
    route = PerKey(one)
    assert route.keyed and route.direct_host(None) is None
    assert [route.direct_host(request(data)) for data in (b"get a\r\n", b"set a 0 0 1\r\nx\r\n")] == ["host", "host"]
    assert [route.direct_host(request(data)) for data in (b"get a b\r\n", b"gat 9 a b\r\n")] == [None, None]


# gets of so many keys that they are asked for in parts ------------------------------------------------------------------


class Connection(Client):
    """A client that can be told to wait."""

    owner = CLIENT

    def __init__(self):
        self.paused = 0
        self.can_wait = True
        self.abandoned = []

    def pause(self):
        self.paused += 1

    def resume(self):
        self.paused -= 1

    def when_abandoned(self, request, call):
        self.abandoned.append(call)


ALL_OF_4 = {"pools": {"A": {"servers": ["a:1", "b:1", "c:1", "d:1"]}}, "route": "AllSyncRoute|Pool|A"}
HASHED = {
    "pools": {name: {"servers": [f"{name}{number}:1" for number in range(4)]} for name in "abcde"},
    "route": {"type": "HashRoute", "children": [f"AllSyncRoute|Pool|{name}" for name in "abcde"]},
}


def many_keys(world, count, verb=b"get"):
    """Has them asked for; the client, the sink, and how much was asked at a time, while nobody but a clock moves."""
    keys = [b"key%d" % number for number in range(count)]
    made = request(verb + b" " + b" ".join(keys) + b"\r\n")
    made.client, sink = Connection(), Sink()
    for host in world.hosts.values():
        host.values = dict.fromkeys(keys[1::2], b"1")
    world.route(verb).start(made, sink)
    return made.client, sink, keys


def asked(world):
    return sum(len(lines) for lines in world.asked().values())


@pytest.mark.parametrize("config", [ALL_OF_4, HASHED])
@pytest.mark.parametrize("verb", [b"get", b"gets"])
def test_a_get_of_many_keys_makes_so_many_requests_at_a_time(config, verb):
    world = World(config)
    client, sink, keys = many_keys(world, 1200, verb)
    at_once = [asked(world)]
    while client.paused:
        assert sink.got is None
        world.pass_time(0.0015)
        at_once.append(asked(world))
    assert at_once == [2000, 2000, 800]
    reply, outcomes = sink.got
    found = [line.split()[1] for line in reply.splitlines() if line.startswith(b"VALUE")]
    assert found == keys[1::2] and outcomes == o.PARTIAL


def test_a_get_of_fewer_keys_is_asked_at_once():
    world = World(ALL_OF_4)
    client, sink, _ = many_keys(world, 500)
    assert asked(world) == 2000 and sink.got is not None and not client.paused


def test_a_client_that_has_gone_has_no_more_keys_asked_for():
    world = World(ALL_OF_4)
    client, sink, _ = many_keys(world, 1200)
    client.waits = False
    asked(world)
    world.pass_time(1)
    assert asked(world) == 0 and sink.got is None and not client.paused


def test_a_client_whose_get_has_failed_does_not_wait_for_ever():
    client, sink, _ = many_keys(World(ALL_OF_4), 1200)
    assert client.paused == 1 and sink.got is None
    for _ in range(2):
        for call in client.abandoned:
            call()
        assert client.paused == 0


def test_one_that_cannot_be_told_to_wait_has_all_asked_at_once():
    world = World(ALL_OF_4)
    assert world.ask(b"get" + b"".join(b" key%d" % number for number in range(1200)) + b"\r\n").got
    assert asked(world) == 4800


# commands that are about no key, under a policy that chooses by key -----------------------------------------------------

ADMIN = [
    # config, flush_all is enabled, data, the answer, who is asked
    ({"orderedPool": ["a:1", "b:1"], "route": "HashRoute"}, False, b"version\r\n", b"VERSION 1.6.18-mcrouter-1\r\n", ""),
    ({"orderedPool": ["a:1", "b:1"], "route": "HashRoute"}, False, b"verbosity 1\r\n", b"OK\r\n", ""),
    ({"orderedPool": ["a:1", "b:1"], "route": "HashRoute"}, False, b"stats\r\n", b"END\r\n", ""),
    ({"orderedPool": ["a:1", "b:1"], "route": "HashRoute"}, False, b"mn\r\n", b"MN\r\n", ""),
    ({"orderedPool": ["a:1", "b:1"], "route": "HashRoute"}, False, b"flush_all\r\n", b"OK\r\n", "ab"),
    ({"orderedPool": ["a:1", "b:1"], "route": "HashRoute"}, False, b"flush_all 10\r\n", b"OK\r\n", "ab"),
    ({"orderedPool": ["a:1", "b:1"], "route": "AllSyncRoute"}, False, b"flush_all\r\n", b"OK\r\n", "ab"),
    ({"orderedPool": ["a:1", "b:1"], "route": "DefaultRoute"}, False, b"flush_all\r\n", b"OK\r\n", "a"),
    ({"orderedPool": ["a:1", "b:1"], "route": "DefaultRoute"}, False, b"version\r\n", b"OK\r\n", "a"),
    ({"pools": POOLS, "route": "PoolRoute|A"}, False, b"version\r\n", b"VERSION 1.6.18-mcrouter-1\r\n", ""),
    ({"pools": POOLS, "route": "AllSyncRoute|Pool|A"}, False, b"version\r\n", b"VERSION 1.6.18-mcrouter-1\r\n", ""),
    ({"pools": POOLS, "route": "PoolRoute|A"}, False, b"stats\r\n", b"END\r\n", ""),
    ({"pools": POOLS, "route": "PoolRoute|A"}, False, b"flush_all\r\n", b"SERVER_ERROR Command disabled\r\n", ""),
    ({"pools": POOLS, "route": "PoolRoute|A"}, True, b"flush_all\r\n", b"OK\r\n", "ab"),
    ({"pools": POOLS, "route": "NullRoute"}, True, b"flush_all\r\n", b"SERVER_ERROR no host to flush\r\n", ""),
]


@pytest.mark.parametrize(("config", "flush_all", "data", "expected", "asked"), ADMIN)
def test_commands_without_a_key(config, flush_all, data, expected, asked):
    world = World(config, flush_all=flush_all)
    for host in world.hosts.values():
        host.says[data] = (b"OK\r\n", o.OK)
    reply, _ = world.answer(data)
    assert reply == expected
    assert "".join(sorted(name[0] for name in world.asked())) == asked


def test_flush_all_says_if_one_could_not():
    world = World({"orderedPool": ["a:1", "b:1"], "route": "HashRoute"})
    world.hosts["a:1"].says[b"flush_all\r\n"] = (b"OK\r\n", o.OK)
    world.set_health("b:1", False)
    assert world.answer(b"flush_all\r\n") == (b"SERVER_ERROR mcrouter: b:1: it is unhealthy\r\n", o.TKO)
