"""AllSyncRoute, AllMajorityRoute, AllInitialRoute and AllAsyncRoute: the tables of their docstrings."""

import pytest

from mcrouter.proto import outcomes as o

from .script import CLIENT_ERROR, MISS, NOT_STORED, SERVER_ERROR, STORED, Host, block, hit
from .world import World

GET, SET = b"get a\r\n", b"set a 0 0 1\r\nx\r\n"
HIT1, HIT2 = hit(b"a", b"1"), hit(b"a", b"2")
NULL_GET, NULL_SET = MISS, NOT_STORED
TIMEOUT = None


def config(route):
    """Three hosts under a route."""
    return {"pools": {"A": {"servers": ["a:1", "b:1", "c:1"]}}, "route": f"{route}|Pool|A"}


def world_of(route, data, says):
    """Hosts that hold these answers back."""
    hosts = {f"{name}:1": Host(f"{name}:1", says={data: answer}, holds=True) for name, answer in zip("abc", says)}
    return World(config(route), hosts)


def answered_by(world, says, order="abc"):
    """The hosts answer in this order; a `TIMEOUT` fails."""
    for name in order:
        host = world.hosts[f"{name}:1"]
        host.fail() if says["abc".index(name)] is TIMEOUT else host.answer()


SYNC = [
    (GET, [HIT1, HIT2, HIT1], "abc", HIT1),
    (GET, [HIT1, HIT2, HIT1], "bca", HIT2),
    (GET, [HIT1, MISS, HIT1], "abc", MISS),
    (GET, [HIT1, MISS, SERVER_ERROR], "abc", SERVER_ERROR),
    (GET, [CLIENT_ERROR, MISS, SERVER_ERROR], "abc", CLIENT_ERROR),
    (SET, [STORED, STORED, STORED], "cba", STORED),
    (SET, [STORED, NOT_STORED, STORED], "abc", NOT_STORED),
]


@pytest.mark.parametrize(("data", "says", "order", "expected"), SYNC)
def test_all_sync(data, says, order, expected):
    world = world_of("AllSyncRoute", data, says)
    sink = world.ask(data)
    for name in order:
        assert sink.got is None
        world.hosts[f"{name}:1"].answer()
    assert sink.got == expected


def test_all_sync_with_a_timeout():
    says = [HIT1, TIMEOUT, MISS]
    world = world_of("AllSyncRoute", GET, [answer or MISS for answer in says])
    sink = world.ask(GET)
    answered_by(world, says)
    assert sink.got == world.hosts["b:1"].failure()


def test_all_sync_with_an_unhealthy_host():
    world = World(config("AllSyncRoute"))
    world.set_health("b:1", False)
    assert world.answer(SET) == (b"SERVER_ERROR mcrouter: b:1: it is unhealthy\r\n", o.TKO)
    assert sorted(world.asked()) == ["a:1", "c:1"]


def test_all_sync_compares_a_run_command_by_command():
    hosts = {"a:1": Host("a:1", {b"a": b"1"}), "b:1": Host("b:1", {b"a": b"1", b"c": b"2"}), "c:1": Host("c:1", {b"a": b"1"})}
    world = World(config("AllSyncRoute"), hosts)
    reply, outcomes = world.answer(b"get a\r\nget c\r\n")
    assert (reply, outcomes) == (HIT1[0] + MISS[0], o.VALUE + o.MISS)


def test_all_sync_compares_a_get_of_several_key_by_key():
    hosts = {"a:1": Host("a:1", {b"a": b"1"}), "b:1": Host("b:1", {b"a": b"1", b"c": b"2"}), "c:1": Host("c:1", {b"a": b"1"})}
    assert World(config("AllSyncRoute"), hosts).answer(b"get c a\r\n") == (HIT1[0], o.PARTIAL)


MAJORITY = [  # (command, what the hosts say, in which order, the answer, after how many of them)
    (GET, [HIT1, HIT2, MISS], "abc", HIT1, 2),
    (GET, [HIT1, HIT2, MISS], "bac", HIT2, 2),
    (GET, [HIT1, MISS, MISS], "abc", MISS, 3),
    (GET, [MISS, HIT1, HIT1], "bca", HIT1, 2),
    (GET, [HIT1, MISS, SERVER_ERROR], "abc", SERVER_ERROR, 3),
    (GET, [HIT1, SERVER_ERROR, SERVER_ERROR], "abc", SERVER_ERROR, 3),
    (SET, [STORED, NOT_STORED, STORED], "abc", STORED, 3),
    (SET, [STORED, NOT_STORED, SERVER_ERROR], "cba", SERVER_ERROR, 3),
]


@pytest.mark.parametrize(("data", "says", "order", "expected", "after"), MAJORITY)
def test_all_majority(data, says, order, expected, after):
    world = world_of("AllMajorityRoute", data, says)
    sink = world.ask(data)
    for count, name in enumerate(order):
        assert (sink.got is None) is (count < after)
        world.hosts[f"{name}:1"].answer()
    assert sink.got == expected


def test_all_majority_counts_failures_and_unhealthy_hosts():
    world = world_of("AllMajorityRoute", GET, [HIT1, MISS, MISS])
    world.set_health("c:1", False)
    sink = world.ask(GET)
    world.hosts["a:1"].answer()
    world.hosts["b:1"].fail(o.TKO)
    assert sink.got == (b"SERVER_ERROR mcrouter: c:1: it is unhealthy\r\n", o.TKO)


def test_all_majority_counts_a_run_and_a_get_of_several_one_by_one():
    hosts = {"a:1": Host("a:1", {b"a": b"1"}), "b:1": Host("b:1", {b"a": b"1", b"c": b"2"}), "c:1": Host("c:1", {b"c": b"2"})}
    world = World(config("AllMajorityRoute"), hosts)
    both = (b"VALUE a 0 1\r\n1\r\n", b"VALUE c 0 1\r\n2\r\n")
    assert world.answer(b"get a\r\nget c\r\nget d\r\n") == (both[0] + b"END\r\n" + both[1] + b"END\r\nEND\r\n", o.VALUE * 2 + o.MISS)
    assert world.answer(b"get a c d\r\n") == (both[0] + both[1] + b"END\r\n", o.PARTIAL)


@pytest.mark.parametrize("first", [HIT1, MISS, SERVER_ERROR])
def test_all_initial(first):
    world = world_of("AllInitialRoute", GET, [first, HIT2, HIT2])
    sink = world.ask(GET)
    assert all(host.asked == [GET] for host in world.hosts.values())
    world.hosts["b:1"].answer()
    assert sink.got is None
    world.hosts["a:1"].answer()
    assert sink.got == first
    world.hosts["c:1"].fail()


@pytest.mark.parametrize(("data", "expected"), [(GET, NULL_GET), (SET, NULL_SET)])
def test_all_async(data, expected):
    world = world_of("AllAsyncRoute", data, [STORED] * 3)
    sink = world.ask(data)
    assert sink.got == expected
    assert all(host.asked == [data] for host in world.hosts.values())
    answered_by(world, [STORED, TIMEOUT, STORED])


@pytest.mark.parametrize("route", ["AllSyncRoute", "AllMajorityRoute", "AllInitialRoute", "AllFastestRoute"])
def test_one_child_is_that_child_and_none_is_null(route):
    one = World({"pools": {"A": {"servers": ["a:1"]}}, "route": f"{route}|Pool|A"})
    assert one.answer(SET) == STORED
    assert [type(way).__name__ for way in one.route(b"set").routes()] == ["HostRoute"]
    assert World({"pools": {"A": {"servers": []}}, "route": f"{route}|Pool|A"}).answer(GET) == MISS


@pytest.mark.parametrize("hosts", [2, 3])
@pytest.mark.parametrize("keys", [[b"a", b"b"], [b"b", b"a"], [b"a", b"b", b"c"], [b"c", b"c", b"a"]], ids=b" ".join)
def test_all_sync_answers_a_get_of_several_with_the_keys_that_all_hosts_have(hosts, keys):
    names = [f"{name}:1" for name in "abc"[:hosts]]
    has = [{b"a": b"1", b"b": b"2", b"c": b"3"}, {b"a": b"1", b"c": b"3"}, {b"a": b"1", b"b": b"2", b"c": b"3"}]
    world = World({"pools": {"A": {"servers": names}}, "route": "AllSyncRoute|Pool|A"},
                  {name: Host(name, values) for name, values in zip(names, has)})  # fmt: skip
    found = [block(key, has[0][key]) for key in keys if key != b"b"]
    whole = o.PARTIAL if b"b" in keys else o.VALUE
    assert world.answer(b"get %b\r\n" % b" ".join(keys)) == (b"".join(found) + b"END\r\n", whole)
    assert {name: sorted(asked) for name, asked in world.asked().items()} == {
        name: sorted(b"get %b\r\n" % key for key in set(keys)) for name in names
    }


def test_all_sync_answers_a_get_of_several_when_the_last_host_has_answered_for_the_last_key():
    hosts = {f"{name}:1": Host(f"{name}:1", {b"a": b"1", b"b": b"2"}, holds=True) for name in "abc"}
    world = World(config("AllSyncRoute"), hosts)
    sink = world.ask(b"get a b\r\n")
    for name in "aabbcc":
        assert sink.got is None
        hosts[f"{name}:1"].answer()
    assert sink.got == (block(b"a", b"1") + block(b"b", b"2") + b"END\r\n", o.VALUE)
