"""LoadBalancerRoute's estimate of a child's load, and the choice between two children."""

from math import exp

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.routes.load_balancer import Load

from .script import MISS, SERVER_ERROR, Host, request
from .world import World

GET = b"get k\r\n"
THREE = ["a:1", "b:1", "c:1"]


def test_an_unknown_child_has_the_least_load():
    load = Load(0.1)
    assert (load.now(0.0), load.now(1000.0), load.in_flight) == (0.001, 0.001, 0)


@pytest.mark.parametrize(("in_flight", "expected"), [(0, 0.501), (1, 1.002), (3, 2.004)])
def test_the_load_is_the_requests_in_flight_times_the_response_time(in_flight, expected):
    load = Load(2.0)
    load.took(10.0, 0.5)
    load.in_flight = in_flight
    assert load.now(10.0) == pytest.approx(expected)


def test_the_response_time_fades():
    load = Load(2.0)
    load.took(10.0, 0.5)
    assert load.now(12.0) == pytest.approx(0.5 * exp(-1) + 0.001)
    assert load.now(14.0) == pytest.approx(0.5 * exp(-2) + 0.001)


def test_it_rises_at_once_and_falls_slowly():
    load = Load(2.0)
    load.took(10.0, 0.1)
    load.took(10.0, 0.5)
    assert load.now(10.0) == pytest.approx(0.501)
    load.took(12.0, 0.1)
    weight = exp(-1)
    mean = 0.5 * weight + 0.1 * (1 - weight)
    assert load.now(12.0) == pytest.approx(mean + 0.001)
    assert load.now(14.0) == pytest.approx(mean * exp(-1) + 0.001)


def balanced(children=THREE, **options):
    route = {"type": "LoadBalancerRoute", "children": "Pool|A", **options}
    return World({"pools": {"A": {"servers": children}}, "route": route}, {name: Host(name, holds=True) for name in children})


def loads_of(world):
    """The loads by host."""
    (state,) = {id(route.policy): route.policy for route in world.built.made if hasattr(route, "policy")}.values()
    return dict(zip(THREE, state.loads))


def test_a_request_counts_until_it_is_answered():
    world = balanced()
    world.ask(GET)
    (name,) = world.asked()
    loads = loads_of(world)
    assert {host: load.in_flight for host, load in loads.items()} == {host: int(host == name) for host in THREE}
    world.pass_time(0.25)
    world.hosts[name].answer()
    assert loads[name].in_flight == 0 and loads[name].now(world.now) == pytest.approx(0.251)


@pytest.mark.parametrize(("after", "expected"), [(0.0, 1.001), (0.25, 1.001), (1.0, 1.001), (1.5, 1.501)])
def test_a_failure_counts_as_a_second_at_least(after, expected):
    world = balanced()
    world.ask(GET)
    (name,) = world.asked()
    world.pass_time(after)
    world.hosts[name].fail(o.TIMEOUT)
    assert loads_of(world)[name].now(world.now) == pytest.approx(expected)


@pytest.mark.parametrize(("milliseconds", "memory"), [(None, 0.1), (1000, 1.0), (2500, 2.5)])
def test_load_ttl_ms_is_how_long_a_slow_answer_is_remembered(milliseconds, memory):
    world = balanced(**({} if milliseconds is None else {"load_ttl_ms": milliseconds}))
    world.ask(GET)
    (name,) = world.asked()
    world.pass_time(0.5)
    world.hosts[name].answer()
    assert loads_of(world)[name].now(world.now + memory) == pytest.approx(0.5 * exp(-1) + 0.001)


def test_of_two_children_the_less_loaded_is_asked():
    world = balanced(["a:1", "b:1"])
    for host in world.hosts.values():
        host.holds = False
    (state,) = {id(route.policy): route.policy for route in world.built.made if hasattr(route, "policy")}.values()
    state.loads[0].took(world.now, 0.5)
    for _ in range(10):
        assert world.answer(GET) == MISS
    assert set(world.asked()) == {"b:1"}
    assert list(state.order(request(GET))) == [1]


@pytest.mark.parametrize("slower", [0, 1])
def test_a_lost_read_goes_on_to_the_other_child_in_any_order(slower):
    world = balanced(["a:1", "b:1"], failover_count=2)
    (state,) = {id(route.policy): route.policy for route in world.built.made if hasattr(route, "policy")}.values()
    state.loads[slower].took(world.now, 0.5)
    sink = world.ask(GET)
    first, second = ("b:1", "a:1") if slower == 0 else ("a:1", "b:1")
    assert list(world.asked()) == [first]
    world.hosts[first].fail(o.LOST)
    assert list(world.asked()) == [second]
    world.hosts[second].answer()
    assert sink.got == MISS


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_so_many_children_are_tried_each_once(count):
    world = balanced(failover_count=count)
    for host in world.hosts.values():
        host.holds, host.says = False, {GET: SERVER_ERROR}
    assert world.answer(GET) == SERVER_ERROR
    assert list(map(len, world.asked().values())) == [1] * min(count, 3)
