"""RandomRoute, HostIdRoute, LatestRoute, LoadBalancerRoute, FailoverWithExptimeRoute, and the token bucket."""

from collections import Counter
from zlib import crc32

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.routes.framework.token_bucket import TokenBucket
from mcrouter.routes.latest import chosen_places, latest

from .script import MISS, NOT_STORED, SERVER_ERROR, STORED, Host, request
from .test_failover import DELETE, GET, SET, below, config
from .world import World

NAMES = "abcdefgh"


def asked(world, data, times=1):
    """How often each host is asked."""
    for _ in range(times):
        world.answer(data)
    return Counter({name[0]: len(asks) for name, asks in world.asked().items()})


@pytest.mark.parametrize("route", ["RandomRoute", "HostIdRoute", "LatestRoute", "LoadBalancerRoute"])
@pytest.mark.parametrize(("servers", "answer"), [("a", STORED), ("", NOT_STORED)])
def test_one_child_is_that_child_and_none_is_null(route, servers, answer):
    assert World(config(servers, route)).answer(SET) == answer


@pytest.mark.parametrize("route", ["RandomRoute", "HostIdRoute", "LatestRoute", "LoadBalancerRoute"])
def test_with_an_ordered_pool(route):
    world = World({"orderedPool": ["a:1", "b:1"], "route": route}, host_id=1)
    assert (world.answer(GET), world.answer(SET)) == (MISS, STORED)
    assert sum(map(len, world.asked().values())) == 2


def test_random():
    world = World(config(route="RandomRoute"))
    counts = asked(world, GET, 3000)
    assert sorted(counts) == ["a", "b", "c"]
    assert min(counts.values()) > 900
    assert World({"orderedPool": ["a:1", "b:1"], "route": "RandomRoute"}).built.plan.together


def test_random_gives_the_failure():
    world = World(config(route="RandomRoute"))
    for name in "abc":
        world.set_health(f"{name}:1", False)
    assert world.answer(GET)[1] == o.TKO


@pytest.mark.parametrize("host_id", [0, 1, 2, 3, 4711])
@pytest.mark.parametrize("salt", ["", "x", "yz"])
def test_host_id(host_id, salt):
    world = World(config(route="HostIdRoute", salt=salt), host_id=host_id)
    number = crc32(b"%d%b" % (host_id, salt.encode())) if salt else host_id
    assert asked(world, GET, 5) == {"abc"[number % 3]: 5}


# LatestRoute --------------------------------------------------------------------------------------------------------------


def test_picked_are_different_and_of_those_that_there_are():
    for host_id in range(200):
        places = chosen_places(8, host_id)
        assert len(places) == len(set(places)) == 5
        assert set(places) <= set(range(8))
        assert places == chosen_places(8, host_id)
    assert sorted(chosen_places(3, 1)) == [0, 1, 2]
    assert chosen_places(0, 1) == []


def test_machines_share_the_children():
    assert {chosen_places(8, host_id)[0] for host_id in range(200)} == set(range(8))
    assert {chosen_places(8, 1, salt=str(salt))[0] for salt in range(200)} == set(range(8))


@pytest.mark.parametrize(("options", "count"), [({}, 5), ({"failover_count": 2}, 2), ({"failover_count": 1}, 1), ({"failover_count": 99}, 8)])
def test_latest_fails_over_in_that_order(options, count):
    world = World(config(NAMES, "LatestRoute", **options), host_id=7)
    places = chosen_places(8, 7, count)
    for place in places:
        assert asked(world, SET) == {NAMES[place]: 1}
        world.set_health(f"{NAMES[place]}:1", False)
    assert world.answer(SET)[1] == o.TKO
    assert not world.asked()


def test_latest_takes_what_failover_takes():
    world = World(config(NAMES, "LatestRoute", failover_errors=[], salt="s", weights=[1, 1, 1]), host_id=7)
    first = NAMES[chosen_places(8, 7, salt="s", weights=[1, 1, 1])[0]]
    world.set_health(f"{first}:1", False)
    assert world.answer(GET)[1] == o.TKO


def test_latest_as_a_hash():
    world = World(config(NAMES, "RandomRoute"), host_id=7)
    children = below(world).routes()
    route = latest(children, world.context, "s")
    assert route.children == [children[place] for place in chosen_places(8, 7, salt="s")]
    assert len(latest(children[:2], world.context).routes()) == 2
    assert latest(children[:1], world.context) is children[0]


# LoadBalancerRoute ---------------------------------------------------------------------------------------------------------


def balanced(servers="ab", **options):
    """Hosts that answer when told."""
    hosts = {f"{name}:1": Host(f"{name}:1", holds=True) for name in servers}
    return World(config(servers, "LoadBalancerRoute", **options), hosts)


def test_requests_in_flight_decide():
    world = balanced("abcd")
    for _ in range(400):
        world.ask(GET)
    counts = [len(host.asked) for host in world.hosts.values()]
    assert sum(counts) == 400
    assert max(counts) - min(counts) < 10


def answers_after(world, name, seconds, code=b""):
    """One request to this host, as one that is asked alone; it takes so long."""
    host = world.hosts[f"{name}:1"]
    while True:
        world.ask(GET)
        if host._pending:
            break
        for other in world.hosts.values():
            while other._pending:
                other.answer()
    world.pass_time(seconds)
    host.fail(code) if code else host.answer()


def alone(world, times=20):
    """Who is asked when nothing is in flight."""
    world.asked()
    for _ in range(times):
        world.ask(GET)
        world.pass_time(0.0005)
        for host in world.hosts.values():
            while host._pending:
                host.answer()
    return {name[0] for name in world.asked()}


@pytest.mark.parametrize(("seconds", "code"), [(0.2, b""), (0.0, o.TIMEOUT), (0.0, o.TKO)])
def test_the_slow_and_the_failing_are_avoided_for_a_while(seconds, code):
    world = balanced()
    answers_after(world, "a", seconds, code)
    assert alone(world) == {"b"}
    world.pass_time(2)
    assert alone(world) == {"a", "b"}


def test_for_how_long():
    world = balanced(load_ttl_ms=10_000)
    answers_after(world, "a", 0.2)
    world.pass_time(2)
    assert alone(world) == {"b"}


@pytest.mark.parametrize(("options", "expected"), [({}, SERVER_ERROR), ({"failover_count": 2}, MISS)])
def test_failover_count(options, expected):
    world = World(config("ab", "LoadBalancerRoute", **options), {"a:1": Host("a:1", says={GET: SERVER_ERROR})})
    assert below(world).may_ask_another_host is bool(options)
    answers = {world.answer(GET) for _ in range(20)}
    assert answers == {MISS, expected}


# FailoverWithExptimeRoute ----------------------------------------------------------------------------------------------------


def with_exptime(**options):
    """A normal host and two others."""
    pools = {"A": {"servers": ["a:1"]}, "B": {"servers": ["b:1", "c:1"]}}
    spec = {"type": "FailoverWithExptimeRoute", "normal": "HashRoute|Pool|A", "failover": "Pool|B", **options}
    return World({"pools": pools, "route": spec})


def store(exptime):
    return b"set a 0 %d 1\r\nx\r\n" % exptime


@pytest.mark.parametrize(("options", "exptime", "becomes"), [
    ({}, 0, 60), ({}, 59, 59), ({}, 60, 60), ({}, 61, 60), ({"failover_exptime": 5}, 60, 5),
    ({"failover_exptime": 0}, 0, 0), ({"failover_exptime": -1}, 100, 100),
])  # fmt: skip
def test_what_fails_over_is_short_lived(options, exptime, becomes):
    world = with_exptime(**options)
    assert world.answer(store(exptime)) == STORED
    assert world.asked() == {"a:1": [store(exptime)]}
    world.set_health("a:1", False)
    assert world.answer(store(exptime)) == STORED
    assert world.asked() == {"b:1": [store(becomes)]}
    world.set_health("b:1", False)
    assert world.answer(store(exptime)) == STORED
    assert world.asked() == {"c:1": [store(becomes)]}


@pytest.mark.parametrize("data", [GET, DELETE])
def test_what_has_no_exptime_is_as_it_is(data):
    world = with_exptime()
    world.set_health("a:1", False)
    world.answer(data)
    assert world.asked() == {"b:1": [data]}


def test_each_of_a_run_is_short_lived():
    pools = {"A": {"servers": ["a:1"]}, "B": {"servers": ["b:1"]}}
    spec = {"type": "FailoverWithExptimeRoute", "normal": {"type": "AllSyncRoute", "children": "Pool|A"}, "failover": "Pool|B"}
    world = World({"pools": pools, "route": spec})
    world.set_health("a:1", False)
    run = store(0) + GET + store(10)
    assert world.answer(run) == (STORED[0] + MISS[0] + STORED[0], o.STORED + o.MISS + o.STORED)
    assert world.asked() == {"b:1": [store(60) + GET + store(10)]}


@pytest.mark.parametrize("options", [{"failover": ""}, {"failover_errors": []}])
def test_without_anything_to_fail_over_it_is_the_normal_route(options):
    world = with_exptime(**options)
    world.set_health("a:1", False)
    assert type(below(world)).__name__ == "HostRoute"
    assert world.answer(GET)[1] == o.TKO


# the token bucket ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "burst", "takes"), [
    (1, 2, [(0, 1, True), (0, 1, True), (0, 1, False), (0.5, 1, False), (1, 1, True), (9, 2, True), (9, 1, False)]),
    (0, 1, [(0, 1, True), (1e9, 1, False)]),
    (10, 5, [(0, 6, False), (0, 5, True), (0.1, 2, False), (0.1, 1, True), (0, 1, False)]),
])  # fmt: skip
def test_token_bucket(rate, burst, takes):
    bucket = TokenBucket(rate, burst, 0)
    assert [bucket.take(now, count) for now, count, _ in takes] == [expected for *_, expected in takes]


# the rest -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["FailoverRoute", "RandomRoute", "LatestRoute", "LoadBalancerRoute"])
def test_description_and_routes(route):
    world = World(config(route=route))
    made = below(world)
    remark, ways = made.describe(request(GET))
    assert remark
    assert {id(way) for _, way in ways} == {id(way) for way in made.routes()}
    assert len(ways) == 3


def test_description_with_exptime():
    world = with_exptime()
    failover = below(world)
    (_, normal), (when, short) = failover.describe(request(GET))[1][:2]
    assert (type(normal).__name__, when) == ("HostRoute", "asked if that fails")
    assert short.describe(request(GET)) == ("for 60 s at most", [("asked", *short.routes())])
