"""Which host a route lets the engine ask directly: the one that it would ask first, if it asks no other at the same time."""

import pytest

from .script import request
from .world import World

NONE, GET, SET, SEVERAL = None, b"get k\r\n", b"set k 0 0 1\r\nx\r\n", b"get k j\r\n"
DELETE = b"delete k\r\n"
BOTH = ["a:1", "b:1"]
ALL = {"children": BOTH}
NOW = 1_700_000_000  # the world's time
MIGRATE = {"type": "MigrateRoute", "from": "a:1", "to": "b:1", "interval": 100}
FIRST = dict.fromkeys((NONE, GET, SET, SEVERAL), "a")
NOBODY = dict.fromkeys((NONE, GET, SET, SEVERAL))
BY_KEY = {NONE: None, GET: "b", SET: "b", SEVERAL: None}
DIRECT = [  # a route, and the host by the request; None: without a request
    ("a:1", FIRST),
    ("DefaultRoute", FIRST),
    ("MissFailoverRoute", FIRST),
    ("AllFastestRoute", NOBODY),
    ({"type": "FailoverRoute", **ALL}, FIRST),
    ({"type": "FailoverRoute", **ALL, "failover_limit": {"rate": 1}}, NOBODY),
    ({"type": "LatestRoute", **ALL}, FIRST),
    ({"type": "LoadBalancerRoute", **ALL}, NOBODY),
    ({"type": "RandomRoute", **ALL}, NOBODY),
    ({"type": "AllSyncRoute", **ALL}, NOBODY),
    ({"type": "AllMajorityRoute", **ALL}, NOBODY),
    ({"type": "AllInitialRoute", **ALL}, NOBODY),
    ({"type": "AllAsyncRoute", **ALL}, NOBODY),
    ({"type": "HashRoute", **ALL, "hash_func": "Crc32"}, BY_KEY),
    ({"type": "PrefixSelectorRoute", "policies": {"k": "b:1"}, "wildcard": "a:1"}, BY_KEY),
    ({**MIGRATE, "start_time": NOW + 1}, {NONE: None, GET: "a", SET: "a", SEVERAL: None, DELETE: "a"}),
    ({**MIGRATE, "start_time": NOW}, {NONE: None, GET: "a", SET: "a", SEVERAL: None, DELETE: None}),
    ({**MIGRATE, "start_time": NOW - 199}, {NONE: None, GET: "b", SET: "b", SEVERAL: None, DELETE: None}),
    ({**MIGRATE, "start_time": NOW - 200}, {NONE: None, GET: "b", SET: "b", SEVERAL: None, DELETE: "b"}),
    ({"type": "WarmUpRoute", "cold": "a:1", "warm": "b:1"}, {NONE: None, GET: None, SET: "a", SEVERAL: None}),
    ({"type": "StagingRoute", "warm": "a:1", "staging": "b:1"}, NOBODY),
    ({"type": "KeySplitRoute", "destination": "a:1", "replicas": 2, "all_sync": True}, NOBODY),
    ({"type": "OutstandingLimitRoute", "target": "a:1", "max_outstanding": 5}, NOBODY),
    ({"type": "LoggingRoute", "target": "a:1"}, NOBODY),
    ({"type": "ModifyKeyRoute", "target": "a:1", "ensure_key_prefix": "k"}, NOBODY),
    ("NullRoute", NOBODY),
    ("LocalRoute", NOBODY),
]  # fmt: skip


def direct(world, data):
    """The host's name, without its port."""
    route = world.route((data or GET).split()[0])
    host = route.direct_host(None if data is None else request(data))
    return host and host.name[0]


@pytest.mark.parametrize(("route", "expected"), DIRECT)
def test_the_host_that_is_asked_directly(route, expected):
    world = World({"orderedPool": BOTH, "route": route})
    assert {data: direct(world, data) for data in expected} == expected


UNHEALTHY = [("a:1", None), ("DefaultRoute", "b"), ("MissFailoverRoute", "b"), ("AllFastestRoute", "b"),
             ({"type": "FailoverRoute", **ALL}, None), ({"type": "HashRoute", **ALL, "hash_func": "Crc32"}, "b")]  # fmt: skip


@pytest.mark.parametrize(("route", "expected"), UNHEALTHY)
def test_the_host_that_is_asked_directly_while_the_first_is_unhealthy(route, expected):
    world = World({"orderedPool": BOTH, "route": route})
    world.set_health("a:1", False)
    assert direct(world, GET) == expected


@pytest.mark.parametrize("route", ["DefaultRoute", "MissFailoverRoute", "AllFastestRoute"])
def test_no_host_is_asked_directly_while_none_is_healthy_or_if_a_route_is_in_the_place_of_one(route):
    world = World({"orderedPool": BOTH, "route": route})
    for name in BOTH:
        world.set_health(name, False)
    assert direct(world, GET) is None
    inner = {"type": "LoggingRoute", "target": "a:1"}
    assert direct(World({"orderedPool": BOTH, "route": {"type": route, "children": [inner, "b:1"]}}), GET) is None


@pytest.mark.parametrize(("data", "expected"), [(NONE, None), (GET, "a"), (SET, "a"), (b"get /././k\r\n", None), (b"get /x/y/k\r\n", None),
                                                (SEVERAL, None)])  # fmt: skip
def test_behind_routing_prefixes_only_keys_without_one_are_asked_directly(data, expected):
    world = World({"pools": {"A": {"servers": ["a:1"]}}, "route": {"type": "FailoverRoute", "children": ["PoolRoute|A", "NullRoute"]}})
    assert direct(world, data) == expected
