"""What `explain` shows of each route: the remark, the routes that it asks, and when. For every route that a config can
name, and every kind of command that it treats in its own way."""

import json

import pytest

from mcrouter.explain.tree import lines, tree
from mcrouter.routes.handles import HANDLES
from mcrouter.server.configs.reading import load_config
from mcrouter.settings import Settings

from .samples import DATA
from .script import request
from .world import World

DROPPED, FAILS, MISSES = "[asked; its answer is dropped]", "[asked if that fails]", "[asked if that misses or fails]"
CHANCE, HIT, OVER = "[asked by chance]", "[asked after a hit]", "[asked over the limit]"
BOTH = ["a:1", "b:1"]
ALL = {"children": BOTH}
STAGING = {"type": "StagingRoute", "warm": "a:1", "staging": "b:1"}
L1L2 = {"type": "L1L2CacheRoute", "l1": "a:1", "l2": "b:1", "upgradingL1Exptime": 9}
WARM_UP = {"type": "WarmUpRoute", "cold": "a:1", "warm": "b:1"}
SPLIT = {"type": "KeySplitRoute", "destination": "a:1", "replicas": 3}
SHADOW = {"type": "ShadowRoute", "children": ["a:1"]}
SLOW = {"type": "SlowWarmUpRoute", "target": "a:1", "slow_warmup": [{"failoverTarget": "b:1"}]}
NOW = 1_700_000_000  # the world's time
MIGRATE = {"type": "MigrateRoute", "from": "a:1", "to": "b:1", "interval": 100}
BY_LIKE = {"get": "a:1", "set": "b:1"}
MIGRATED = ["MigrateRoute: k: migrated", "b:1"]
NOT_MIGRATED = ["MigrateRoute: k: not migrated", "a:1"]
BOTH_DELETED = ["MigrateRoute: the worst answer is the answer", "a:1", "b:1"]
FILLS = "a hit of the second is added to the first"
OTHERS = ("add", "replace", "append", "prepend", "incr", "decr", "touch", "ma")

SHOWN = [  # a route, the commands, and what is shown
    ("DefaultRoute", "get set", ["DefaultRoute: the first healthy one", "a:1"]),
    ("LocalRoute", "get", ["LocalRoute"]),
    ("NullRoute", "get", ["NullRoute: answers END"]),
    ("DevNullRoute", "set", ["NullRoute: answers NOT_STORED"]),
    ("DevNullRoute", "delete touch", ["NullRoute: answers NOT_FOUND"]),
    ("DevNullRoute", "mg me", ["NullRoute: answers EN"]),
    ("DevNullRoute", "ms", ["NullRoute: answers NS"]),
    ("DevNullRoute", "md ma", ["NullRoute: answers NF"]),
    ("ErrorRoute|no more", "get", ["ErrorRoute: answers SERVER_ERROR no more"]),
    ("AllFastestRoute", "get set", ["AllFastestRoute: the first success is the answer", "a:1", "b:1"]),
    ("MissFailoverRoute", "get set", ["MissFailoverRoute: the first hit or success is the answer", "a:1", f"b:1 {MISSES}"]),
    ({"type": "AllSyncRoute", **ALL}, "get set", ["AllSyncRoute: the worst answer is the answer", "a:1", "b:1"]),
    ({"type": "AllMajorityRoute", **ALL}, "get", ["AllMajorityRoute: the most frequent outcome is the answer", "a:1", "b:1"]),
    ({"type": "AllInitialRoute", **ALL}, "get", ["AllInitialRoute: the first one's answer", "a:1", f"b:1 {DROPPED}"]),
    ({"type": "AllAsyncRoute", **ALL}, "get", ["AllAsyncRoute: answers END at once", f"a:1 {DROPPED}", f"b:1 {DROPPED}"]),
    ({"type": "AllAsyncRoute", **ALL}, "ms", ["AllAsyncRoute: answers NS at once", f"a:1 {DROPPED}", f"b:1 {DROPPED}"]),
    ({"type": "RandomRoute", **ALL}, "get", ["RandomRoute: one of 2", f"a:1 {CHANCE}", f"b:1 {CHANCE}"]),
    ({"type": "HostIdRoute", **ALL}, "get", ["a:1"]),
    ({"type": "HashRoute", **ALL, "hash_func": "Crc32"}, "get", ["HashRoute: Crc32(k) = 1 of 2", "b:1"]),
    ({"type": "LatestRoute", **ALL}, "get", ["FailoverRoute: the first answer that is not an error", "a:1", f"b:1 {FAILS}"]),
    ({"type": "FailoverRoute", **ALL}, "get", ["FailoverRoute: the first answer that is not an error", "a:1", f"b:1 {FAILS}"]),
    ({"type": "LoadBalancerRoute", **ALL}, "get", ["LoadBalancerRoute: the less loaded of two", f"a:1 {CHANCE}", f"b:1 {CHANCE}"]),
    ({"type": "FailoverWithExptimeRoute", "normal": "a:1", "failover": "b:1", "failover_exptime": 7}, "set",
     ["FailoverRoute: the first answer that is not an error", "a:1", f"ShortLivedRoute: for 7 s at most {FAILS}", "b:1"]),
    ({"type": "OperationSelectorRoute", "default_policy": "a:1", "operation_policies": {"set": "b:1"}}, "set ms", ["b:1"]),
    ({"type": "OperationSelectorRoute", "operation_policies": BY_LIKE}, "mg", ["a:1"]),
    ({"type": "OperationSelectorRoute", "operation_policies": BY_LIKE}, "delete", ["DefaultRoute: the first healthy one", "a:1"]),
    ({"type": "PrefixSelectorRoute", "policies": {"k": "a:1", "kk": "b:1"}}, "get", ["PrefixSelectorRoute: prefix k", "a:1"]),
    ({"type": "PrefixSelectorRoute", "policies": {"x": "a:1"}, "wildcard": "b:1"}, "get",
     ["PrefixSelectorRoute: no prefix: wildcard", "b:1"]),
    ({"type": "PrefixSelectorRoute", "policies": {"x": "a:1"}}, "get",
     ["PrefixSelectorRoute: no prefix: wildcard",
      "ErrorRoute: answers SERVER_ERROR PrefixSelectorRoute: no prefix matches, and there is no wildcard"]),
    ({"type": "ModifyKeyRoute", "target": "a:1", "ensure_key_prefix": "p:"}, "get set", ["ModifyKeyRoute: as p:k", "a:1"]),
    ({"type": "ModifyExptimeRoute", "target": "a:1", "exptime": 9}, "set", ["ModifyExptimeRoute: exptime 9", "a:1"]),
    ({"type": "ModifyExptimeRoute", "target": "a:1", "exptime": 9, "action": "min"}, "gat", ["ModifyExptimeRoute: exptime 9", "a:1"]),
    ({"type": "ModifyExptimeRoute", "target": "a:1", "exptime": 90, "action": "min"}, "gat touch", ["ModifyExptimeRoute: exptime 10", "a:1"]),
    ({"type": "ModifyExptimeRoute", "target": "a:1", "exptime": 9}, "get delete", ["a:1"]),
    ({"type": "RateLimitRoute", "target": "a:1", "rates": {"gets_rate": 1}, "fallback": "b:1"}, "get mg", ["RateLimitRoute", "a:1", f"b:1 {OVER}"]),
    ({"type": "RateLimitRoute", "target": "a:1", "rates": {"sets_rate": 1}}, "set", ["RateLimitRoute", "a:1", f"NullRoute: answers NOT_STORED {OVER}"]),
    ({"type": "RateLimitRoute", "target": "a:1", "rates": {"sets_rate": 1}}, "get delete incr", ["a:1"]),
    ({"type": "OutstandingLimitRoute", "target": "a:1", "max_outstanding": 5}, "get set", ["OutstandingLimitRoute: at most 5 at once", "a:1"]),
    ({"type": "OutstandingLimitRoute", "target": "a:1", "max_outstanding": 0}, "get", ["a:1"]),
    ({"type": "LatencyInjectionRoute", "child": "a:1", "before_latency_ms": 1, "after_latency_ms": 20, "total_latency_ms": 300}, "get",
     ["LatencyInjectionRoute: waits 1 ms before, 20 ms after, 300 ms in all", "a:1"]),
    ({"type": "LatencyInjectionRoute", "child": "a:1"}, "get", ["a:1"]),
    ({"type": "LoggingRoute", "target": "a:1"}, "get", ["LoggingRoute", "a:1"]),
    ({**SHADOW, "shadows": [{"target": "b:1"}]}, "get", ["ShadowRoute", "a:1", f"b:1 {DROPPED}"]),
    ({**SHADOW, "shadows": [{"target": "b:1", "keys_to_shadow": ["k"]}]}, "set", ["ShadowRoute", "a:1", f"b:1 {DROPPED}"]),
    ({**SHADOW, "shadows": [{"target": "b:1", "keys_to_shadow": ["x"]}]}, "get", ["ShadowRoute", "a:1"]),
    (SHADOW, "get", ["a:1"]),
    ({**SPLIT, "all_sync": True}, "get incr", ["KeySplitRoute: as replica 0 of 3", "a:1"]),
    ({**SPLIT, "all_sync": True}, "set ms delete md", ["KeySplitRoute: as replica 0 of 3, and as the others", "a:1", f"a:1 {DROPPED}"]),
    ({**SPLIT, "all_sync": False}, "set ms get", ["KeySplitRoute: as replica 0 of 3", "a:1"]),
    ({**SPLIT, "all_sync": False, "first_hit": True}, "get", ["KeySplitRoute: as replica 0 of 3, and as the others", "a:1", f"a:1 {DROPPED}"]),
    ({**SPLIT, "all_sync": False, "first_hit": True}, "gets set mg", ["KeySplitRoute: as replica 0 of 3", "a:1"]),
    ({"type": "ShardSplitRoute", "target": "a:1", "shard_splits": {"1": 3}}, "get delete", ["ShardSplitRoute: as k", "a:1"]),
    (WARM_UP, "get gets gat", [f"WarmUpRoute: {FILLS}", "a:1", f"b:1 {MISSES}"]),
    (WARM_UP, "mg me", ["WarmUpRoute", "a:1", f"b:1 {MISSES}"]),
    (WARM_UP, "set delete", ["a:1"]),
    (SLOW, "get mg", ["SlowWarmUpRoute: the second while the first is cold", "a:1", f"b:1 {CHANCE}"]),
    (SLOW, "set delete", ["a:1"]),
    ({**SLOW, "slow_warmup": [*SLOW["slow_warmup"], {"failoverTarget": "NullRoute"}]}, "get",
     ["SlowWarmUpRoute: the second while the first is cold", "a:1", f"b:1 {CHANCE}"]),
    ({"type": "LatestRoute", "children": ["a:1", "a:1"], "failover_count": 1}, "get", ["a:1"]),
    (L1L2, "get", [f"L1L2CacheRoute: {FILLS}", "a:1", f"b:1 {MISSES}"]),
    (L1L2, "gets gat gats", ["L1L2CacheRoute", "a:1"]),
    (L1L2, "mg me", ["L1L2CacheRoute", "a:1", f"b:1 {MISSES}"]),
    ({**L1L2, "ncacheExptime": 5}, "mg", ["L1L2CacheRoute", "b:1"]),
    (L1L2, "set delete", ["a:1"]),
    (STAGING, "get gets", ["StagingRoute", "a:1", f"b:1 {HIT}"]),
    (STAGING, f"gat gats set cas ms mg me {' '.join(OTHERS)}", ["StagingRoute", "a:1", f"b:1 {DROPPED}"]),
    (STAGING, "delete md", ["StagingRoute", "a:1", "b:1"]),
    ({**MIGRATE, "start_time": NOW + 1}, "get set delete", NOT_MIGRATED),
    ({**MIGRATE, "start_time": NOW}, "get set", NOT_MIGRATED),
    ({**MIGRATE, "start_time": NOW}, "delete md", BOTH_DELETED),
    ({**MIGRATE, "start_time": NOW - 199}, "delete md", BOTH_DELETED),
    ({**MIGRATE, "start_time": NOW - 199}, "get set", MIGRATED),
    ({**MIGRATE, "start_time": NOW - 200}, "get set delete", MIGRATED),
]  # fmt: skip


def shown(world, data):
    """The tree without its indentation; PerKey, which no config names, is left out."""
    made = request(data)
    found = [line.strip() for line in lines(tree(world.route(data.split()[0]), made, {}))]
    return [line for line in found if line != "PerKey"]


@pytest.mark.parametrize(("route", "command", "expected"),
                         [(route, command, expected) for route, commands, expected in SHOWN for command in commands.split()])  # fmt: skip
def test_a_route_is_shown(route, command, expected):
    assert shown(World({"orderedPool": BOTH, "route": route}), DATA[command]) == expected


def test_every_route_has_its_line():
    types = {route["type"] if isinstance(route, dict) else route.partition("|")[0] for route, _, _ in SHOWN}
    assert types == set(HANDLES)


UNHEALTHY = [
    ("DefaultRoute", "a:1", ["DefaultRoute: the first healthy one", "b:1"]),
    ("DefaultRoute", "a:1 b:1", ["DefaultRoute: the first healthy one"]),
    ("MissFailoverRoute", "a:1", ["MissFailoverRoute: the first hit or success is the answer", "b:1"]),
    ("AllFastestRoute", "a:1", ["AllFastestRoute: the first success is the answer", "a:1", "b:1"]),
]


@pytest.mark.parametrize(("route", "unhealthy", "expected"), UNHEALTHY)
def test_a_pool_is_shown_as_it_is_now(route, unhealthy, expected):
    world = World({"orderedPool": BOTH, "route": route})
    for name in unhealthy.split():
        world.set_health(name, False)
    assert shown(world, b"get k\r\n") == expected


IN_POOLS = [
    ("AllFastestRoute|Pool|A", b"get k\r\n", ["RootRoute", "AllFastestRoute: the first answer that is not an error is the answer", "a:1", "b:1"]),
    ("MissFailoverRoute|Pool|A", b"set k 0 0 1\r\nx\r\n", ["RootRoute", "a:1"]),
    ("MissFailoverRoute|Pool|A", b"get k\r\n",
     ["RootRoute", "MissFailoverRoute: the first hit or success is the answer", "a:1", f"b:1 {MISSES}"]),
    ({"type": "PrefixSelectorRoute", "policies": {"k": "PoolRoute|A"}}, b"version\r\n", ["LocalRoute"]),
    ({"type": "OperationSelectorRoute", "operation_policies": {"get": "PoolRoute|A"}}, b"delete k\r\n",
     ["RootRoute", "ErrorRoute: answers SERVER_ERROR OperationSelectorRoute: no policy for this command, and no default_policy"]),
    ("PoolRoute|A", b"flush_all\r\n", ["ErrorRoute: answers SERVER_ERROR Command disabled"]),
]  # fmt: skip


@pytest.mark.parametrize(("route", "data", "expected"), IN_POOLS)
def test_a_route_is_shown_in_a_config_with_pools(route, data, expected):
    assert shown(World({"pools": {"A": {"servers": BOTH}}, "route": route}), data) == expected


ROOTS = {"/r/a/": "a:1", "/r/b/": "b:1", "/s/a/": "NullRoute"}
PREFIXES = [
    (b"get k\r\n", ["RootRoute", "a:1"]),
    (b"get /r/a/k\r\n", ["RootRoute: /r/a/", "a:1"]),
    (b"get /r/b/k\r\n", ["RootRoute: /r/b/", "b:1"]),
    (b"get /r/*/k\r\n", ["RootRoute: /r/*/", "a:1", f"b:1 {DROPPED}"]),
    (b"get /*/*/k\r\n", ["RootRoute: /*/*/", "a:1", f"b:1 {DROPPED}", f"NullRoute: answers END {DROPPED}"]),
    (b"get /x/y/k\r\n", ["RootRoute: /x/y/", "Refusal"]),
]


@pytest.mark.parametrize(("data", "expected"), PREFIXES)
def test_routing_prefixes_are_shown(data, expected):
    routes = [{"aliases": [prefix], "route": route if route == "NullRoute" else f"PoolRoute|{route[0]}"} for prefix, route in ROOTS.items()]
    pools = {name: {"servers": [f"{name}:1"]} for name in "ab"}
    config = load_config(json.dumps({"pools": pools, "routes": routes}), settings=Settings(route_prefix="/r/a/"))
    assert shown(World(config), data) == expected


ABOUT_NO_KEY = [
    {"type": "KeySplitRoute", "destination": "DefaultRoute", "replicas": 3, "all_sync": True},
    {"type": "LoggingRoute", "target": "DefaultRoute"},
    {"type": "ModifyKeyRoute", "target": "DefaultRoute", "ensure_key_prefix": "p:"},
    {"type": "ModifyExptimeRoute", "target": "DefaultRoute", "exptime": 9},
    {"type": "RateLimitRoute", "target": "DefaultRoute", "rates": {"gets_rate": 1, "sets_rate": 1, "deletes_rate": 1}},
    {"type": "OutstandingLimitRoute", "target": "DefaultRoute", "max_outstanding": 1},
    {"type": "LatencyInjectionRoute", "child": "DefaultRoute", "before_latency_ms": 1},
    {"type": "ShadowRoute", "children": ["DefaultRoute"], "shadows": [{"target": "b:1"}]},
    {"type": "ShardSplitRoute", "target": "DefaultRoute", "shard_splits": {"1": 3}},
]


@pytest.mark.parametrize("route", ABOUT_NO_KEY, ids=lambda route: route["type"])
@pytest.mark.parametrize("data", [b"version\r\n", b"flush_all\r\n"])
def test_a_command_about_no_key_passes_the_routes_that_look_at_keys(route, data):
    world = World({"orderedPool": BOTH, "route": route})
    assert shown(world, data) == ["DefaultRoute: the first healthy one", "a:1"]
