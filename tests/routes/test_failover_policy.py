"""The orders in which children are asked, and how many; and every error of the fields of what fails over."""

import json

import pytest

from mcrouter.config import ConfigError
from mcrouter.hashing import make_chooser
from mcrouter.hashing.choosers import rendezvous_order
from mcrouter.proto import outcomes as o
from mcrouter.routes.failover import FailoverRoute
from mcrouter.routes.failover_errors import NAMES, FailoverErrors
from mcrouter.routes.failover_policy import InOrder, PolicySpec, failover_policy
from mcrouter.routes.framework.base import Route
from mcrouter.server.configs.reading import load_config

from .script import MISS, SERVER_ERROR, Host, Sink, hit, request
from .test_failover import GET, config, held, plays
from .world import World

DETERMINISTIC = {"type": "DeterministicOrderPolicy", "max_tries": 3, "max_error_tries": 3}
KEYS = [b"key%d" % number for number in range(200)]


def order(policy, children, key=b"a"):
    """The places asked for a key."""
    return list(failover_policy(policy).make(children).order(request(b"get %b\r\n" % key)))


@pytest.mark.parametrize(("policy", "errors", "asked"), [
    ({"type": "InOrderPolicy"}, [o.TIMEOUT] * 4, "abcd"),
    ({"type": "InOrderPolicy", "max_tries": 2}, [o.TIMEOUT] * 2, "ab"),
    ({"type": "InOrderPolicy", "max_tries": 2}, [o.TKO, o.TIMEOUT, o.UNAVAILABLE, o.TIMEOUT], "abcd"),
    ({"type": "InOrderPolicy", "max_tries": 1}, [o.TIMEOUT], "a"),
    ({"type": "InOrderPolicy", "max_tries": 2, "exclude_errors": ["timeout"]}, [o.TIMEOUT, o.LOST, o.LOST], "abc"),
    ({"type": "LeastFailuresPolicy", "max_tries": 1}, [o.TIMEOUT], "a"),
    ({"type": "LeastFailuresPolicy", "max_tries": 3}, [o.TIMEOUT] * 3, "abc"),
    ({"type": "LeastFailuresPolicy", "max_tries": 9}, [o.TKO] * 4, "abcd"),
])  # fmt: skip
def test_how_many_are_asked(policy, errors, asked):
    assert plays(held("abcd", failover_policy=policy), b"set a 0 0 1\r\nx\r\n", zip("abcd", errors))[1] == asked


@pytest.mark.parametrize(("tries", "errors", "asked"), [
    ((4, 4), [o.TIMEOUT] * 4, 4), ((2, 4), [o.TIMEOUT] * 2, 2), ((4, 2), [o.TIMEOUT] * 2, 2), ((4, 2), [o.TKO] * 4, 4),
    ((3, 1), [o.TKO] * 3, 3), ((1, 1), [o.TKO], 1),
])  # fmt: skip
def test_how_many_by_hashes(tries, errors, asked):
    world = World(config("abcd", failover_policy={**DETERMINISTIC, "max_tries": tries[0], "max_error_tries": tries[1]}),
                  {f"{name}:1": Host(f"{name}:1", holds=True) for name in "abcd"})  # fmt: skip
    sink = world.ask(GET)
    for code in errors:
        assert sink.got is None
        next(host for host in world.hosts.values() if host._pending).fail(code)
    assert sink.got is not None
    assert len(world.asked()) == asked


def test_the_least_failing_is_next():
    world = World(config(failover_policy={"type": "LeastFailuresPolicy", "max_tries": 2}),
                  {"a:1": Host("a:1", says={GET: SERVER_ERROR}), "b:1": Host("b:1", says={GET: SERVER_ERROR})})  # fmt: skip
    assert world.answer(GET) == SERVER_ERROR
    assert list(world.asked()) == ["a:1", "b:1"]
    assert world.answer(GET) == MISS
    assert list(world.asked()) == ["a:1", "c:1"]
    assert world.answer(b"set a 0 0 1\r\nx\r\n")[1] == o.STORED


def test_salted_hashes_say_who_is_next():
    for key in KEYS:
        places = [make_chooser("Ch3", list("0123"), {}, str(salt))(key) for salt in range(2, 102)]
        others = [place for place in dict.fromkeys(places) if place]
        assert order(DETERMINISTIC, 4, key) == [0, *others, *(place for place in (1, 2, 3) if place not in others)][:3]


def test_the_weights_of_the_hash():
    policy = {**DETERMINISTIC, "max_tries": 2, "weights": [0, 1, 0, 0]}
    assert {tuple(order({**policy, "hash": {"hash_func": "WeightedCh3"}}, 4, key)) for key in KEYS} == {(0, 1)}
    inner = {**DETERMINISTIC, "max_tries": 2, "hash": {"hash_func": "WeightedCh3", "weights": [0, 0, 1, 0]}}
    assert {tuple(order(inner, 4, key)) for key in KEYS} == {(0, 2)}
    assert {tuple(order({**DETERMINISTIC, "max_tries": 2}, 4, key)) for key in KEYS} == {(0, 1), (0, 2), (0, 3)}


def test_what_is_hashed_and_how():
    policy = {**DETERMINISTIC, "max_tries": 2, "hash": {"hash_func": "WeightedCh3", "weights": [0, 0.5, 0.5]}}
    places = [make_chooser("WeightedCh3", list("012"), {"weights": [0, 0.5, 0.5]}, str(salt))(b"a") for salt in range(2, 102)]
    assert order(policy, 3, b"/r/c/a|#|b") == [0, next(place for place in places if place)]
    light = {**policy, "hash": {"hash_func": "WeightedCh3"}, "weights": [0, 0.5, 0.5]}
    assert order(light, 3, b"a") == order(policy, 3, b"a")


def test_rendezvous():
    policy = {"type": "RendezvousPolicy", "tags": ["z", "x", "y"]}
    assert order(policy, 4, b"k") == [0, *(1 + place for place in rendezvous_order(["z", "x", "y"], b"k"))]
    assert order({**policy, "tags": ["9"]}, 3, b"k") == [0, *(1 + place for place in rendezvous_order(["9", "1"], b"k"))]
    assert order({**policy, "tags": ["c", "b", "a"]}, 3, b"k") == [0, *(1 + place for place in rendezvous_order(["c", "b"], b"k"))]


def test_by_key_each_key_goes_its_own_way():
    world = World(config(failover_policy=DETERMINISTIC), {"a:1": Host("a:1", says={b"get %b\r\n" % key: SERVER_ERROR for key in KEYS})})
    assert not world.built.plan.gets
    assert world.answer(b"get " + b" ".join(KEYS) + b"\r\n") == MISS
    asked = world.asked()
    assert sorted(asked) == ["a:1", "b:1", "c:1"]
    assert sorted(asked["b:1"] + asked["c:1"]) == sorted(asked["a:1"]) == sorted(b"get %b\r\n" % key for key in KEYS)


# errors -----------------------------------------------------------------------------------------------------------------

ALL_NAMES = ", ".join(NAMES)
TYPES = "InOrderPolicy, LeastFailuresPolicy, DeterministicOrderPolicy, RendezvousPolicy"
ERRORS = [
    ("failover_errors", "tko", "write a list of names of errors, as [timeout, tko]"),
    ("failover_errors", [1], "write a list of names of errors, as [timeout, tko]"),
    ("failover_errors", {"gets": "tko"}, "write a list of names of errors, as [timeout, tko]"),
    ("failover_errors", ["mc_res_tko"], f"'mc_res_tko' is not the name of an error; write some of {ALL_NAMES}"),
    ("failover_errors", {"get": []}, "'get' is not a kind of operation; write gets, updates, deletes"),
    ("failover_limit", 0.5, "write a map with rate, burst"),
    ("failover_limit", {}, "rate is missing; add it"),
    ("failover_limit", {"rate": 2}, "rate is invalid; write a number from 0 to 1"),
    ("failover_limit", {"rate": 1, "burst": 0}, "burst is invalid; write a number from 1 to 1000000000"),
    ("failover_limit", {"rate": 1, "bust": 0}, "'bust' is not a known key; write a map with rate, burst"),
    ("failover_policy", "InOrderPolicy", f"write a map with a type: one of {TYPES}"),
    ("failover_policy", {}, f"write a map with a type: one of {TYPES}"),
    ("failover_policy", {"type": "Least"}, f"its type 'Least' is not known; write one of {TYPES}"),
    ("failover_policy", {"type": 1}, f"its type 1 is not known; write one of {TYPES}"),
    ("failover_policy", {"type": "LeastFailuresPolicy"}, "max_tries is missing; add it"),
    ("failover_policy", {"type": "LeastFailuresPolicy", "max_tries": 0}, "max_tries is invalid; write a whole number from 1 to 100000"),
    ("failover_policy", {"type": "InOrderPolicy", "tags": []}, "'tags' is not a known key; write a map with max_tries, exclude_errors"),
    ("failover_policy", {"type": "DeterministicOrderPolicy", "max_tries": 1}, "max_error_tries is missing; add it"),
    ("failover_policy", {**DETERMINISTIC, "hash": {"hash_func": "Crc32"}}, "hash is invalid; hash_func is invalid; write one of Ch3, WeightedCh3"),
    ("failover_policy", {**DETERMINISTIC, "exclude_errors": ["x"]}, f"exclude_errors is invalid; 'x' is not the name of an error; write some of {ALL_NAMES}"),
    ("failover_policy", {**DETERMINISTIC, "enable_failure_domains": 1}, "enable_failure_domains is invalid; write true or false"),
    ("failover_policy", {"type": "RendezvousPolicy"}, "tags is missing; add it"),
    ("failover_policy", {"type": "RendezvousPolicy", "tags": "a"}, "tags is invalid; write a list of texts"),
]  # fmt: skip


def error_of(route):
    """What is wrong with a config, without the place."""
    with pytest.raises(ConfigError) as caught:
        load_config(json.dumps({"pools": {"A": {"servers": ["a:1", "b:1"]}}, "route": route}))
    return caught.value.message


@pytest.mark.parametrize(("field", "value", "text"), ERRORS)
@pytest.mark.parametrize("handle", ["FailoverRoute", "LatestRoute"])
def test_errors(handle, field, value, text):
    assert error_of({"type": handle, "children": "Pool|A", field: value}) == f"{field} of {handle} is invalid; {text}"


@pytest.mark.parametrize(("route", "text"), [
    ({"type": "LatestRoute", "children": "Pool|A", "failover_count": 0}, "failover_count of LatestRoute is invalid; write a whole number from 1 to 1000"),
    ({"type": "LatestRoute", "children": "Pool|A", "salt": 1}, "salt of LatestRoute is invalid; write a text, in quotes"),
    ({"type": "LatestRoute", "children": "Pool|A", "weights": [2]}, "weights of LatestRoute is invalid; write a number from 0 to 1"),
    ({"type": "HostIdRoute", "children": "Pool|A", "salt": 1}, "salt of HostIdRoute is invalid; write a text, in quotes"),
    ({"type": "LoadBalancerRoute", "children": "Pool|A", "load_ttl_ms": 0}, "load_ttl_ms of LoadBalancerRoute is invalid; write a whole number from 1 to 3600000"),
    ({"type": "LoadBalancerRoute", "children": "Pool|A", "failover_count": 0}, "failover_count of LoadBalancerRoute is invalid; write a whole number from 1 to 1000"),
    ({"type": "FailoverWithExptimeRoute"}, "FailoverWithExptimeRoute without normal; add normal"),
    ({"type": "FailoverWithExptimeRoute", "normal": "NullRoute", "failover_exptime": "1"},
     "failover_exptime of FailoverWithExptimeRoute is invalid; write a whole number from -2147483647 to 2147483647"),
    *(({"type": name}, f"{name} without children; add children") for name in ("FailoverRoute", "RandomRoute", "AllMajorityRoute")),
])  # fmt: skip
def test_errors_of_the_others(route, text):
    assert error_of(route) == text


def test_the_first_child_is_not_among_the_others():
    policy = failover_policy({"type": "LeastFailuresPolicy", "max_tries": 3}).make(3)
    for place in (0, 1, 2):
        policy.answered(place, True, None)
    assert list(policy.order(request(GET))) == [0, 1, 2]
    policy.answered(2, False, None)
    assert list(policy.order(request(GET))) == [0, 2, 1]


class Direct(Route):
    """A route with a host that is asked directly; records what it must handle itself."""

    def __init__(self, host):
        self.direct, self.handled = host, []

    def direct_host(self, request=None):
        return self.direct

    def after_failure(self, request, sink, host, reply, outcomes):
        self.handled.append(outcomes)
        sink.on_reply(reply, outcomes)


@pytest.mark.parametrize(("answer", "handled"), [(hit(b"k", b"1"), []), (MISS, [o.MISS]), (SERVER_ERROR, [o.SERVER_ERROR])])
def test_a_child_handles_what_is_not_a_success_of_its_host(answer, handled):
    children = [Direct(Host(name, says={b"get k\r\n": answer})) for name in "ab"]
    route = FailoverRoute(children, FailoverErrors(), InOrder(2, {}))
    sink = Sink()
    route.start(request(b"get k\r\n"), sink)
    assert sink.got == answer
    assert [child.handled for child in children] == [handled, handled if answer == SERVER_ERROR else []]


@pytest.mark.parametrize(("name", "most", "expected"), [
    ("LeastFailuresPolicy", 1, True), ("LeastFailuresPolicy", 2, False), ("DeterministicOrderPolicy", 1, True),
    ("DeterministicOrderPolicy", 2, False), ("InOrderPolicy", 1, False),
])  # fmt: skip
def test_a_policy_that_asks_the_first_child_only(name, most, expected):
    assert PolicySpec(name, {"max_tries": most}).only_first() == expected
