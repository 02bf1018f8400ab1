"""What a route is able to do, by what its children are able to do: whether it takes runs and gets of several keys, whether
some keys of a get may fail while others succeed, and whether it may ask another host after the first."""

import itertools

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.routes.asynclog import AsynclogRoute
from mcrouter.routes.failover_with_exptime import ShortLivedRoute
from mcrouter.routes.framework.base import Route
from mcrouter.routes.framework.handle import Args
from mcrouter.routes.framework.keyed import PerKey
from mcrouter.routes.handles import HANDLES, ORDERED_POOL_HANDLES
from mcrouter.routes.shadow import MOST_COPIES
from mcrouter.routes.to_all import SEVERITY

from .world import World

RULES = {
    "all": lambda first, second: first and second,
    "any": lambda first, second: first or second,
    "none": lambda first, second: not (first or second),
    "first": lambda first, second: first,
    "always": lambda first, second: True,
    "never": lambda first, second: False,
}
SHADOW = {"children": ["first"], "shadows": [{"target": "second"}]}
ONE = {"target": "first"}
PAIR = {"children": ["first", "second"]}
# By route: its fields, and when it has each of the four traits; for `takes_keys` the rule is about the children's `splits`.
TRAITS = {
    # the name           fields                                   runs     may ask another  splits    takes keys
    "AllFastestRoute": (PAIR,                                     "all",   "any",           "never",  "none"),
    "MissFailoverRoute": (PAIR,                                   "all",   "always",        "never",  "always"),
    "DefaultRoute": (PAIR,                                        "all",   "any",           "any",    "always"),
    "AllSyncRoute": (PAIR,                                        "all",   "any",           "any",    "never"),
    "AllMajorityRoute": (PAIR,                                    "all",   "any",           "any",    "never"),
    "AllInitialRoute": (PAIR,                                     "all",   "any",           "any",    "always"),
    "AllAsyncRoute": (PAIR,                                       "all",   "any",           "any",    "always"),
    "RandomRoute": (PAIR,                                         "all",   "any",           "any",    "always"),
    "HashRoute": (PAIR,                                           "never", "any",           "always", "always"),
    "FailoverRoute": (PAIR,                                       "all",   "always",        "never",  "none"),
    "LatestRoute": (PAIR,                                         "all",   "always",        "never",  "none"),
    "LoadBalancerRoute": (PAIR,                                   "all",   "any",           "never",  "none"),
    "PrefixSelectorRoute": ({"policies": {"a": "first"}, "wildcard": "second"}, "never", "any", "always", "always"),
    "ModifyKeyRoute": (ONE,                                       "never", "first",         "first",  "always"),
    "ModifyExptimeRoute": ({**ONE, "exptime": 5},                 "never", "first",         "first",  "always"),
    "RateLimitRoute": ({**ONE, "fallback": "second", "rates": {}}, "all",  "any",           "always", "always"),
    "OutstandingLimitRoute": ({**ONE, "max_outstanding": 1},      "first", "always",        "first",  "always"),
    "LatencyInjectionRoute": ({"child": "first"},                 "first", "always",        "first",  "always"),
    "LoggingRoute": (ONE,                                         "first", "first",         "first",  "always"),
    "ShadowRoute": (SHADOW,                                       "all",   "first",         "first",  "always"),
    "KeySplitRoute": ({"destination": "first", "replicas": 2, "all_sync": False}, "never", "first", "first", "always"),
    "ShardSplitRoute": ({**ONE, "shard_splits": {}},              "never", "first",         "first",  "always"),
    "WarmUpRoute": ({"cold": "first", "warm": "second"},          "never", "always",        "never",  "never"),
    "L1L2CacheRoute": ({"l1": "first", "l2": "second", "upgradingL1Exptime": 5}, "never", "always", "never", "never"),
    "StagingRoute": ({"warm": "first", "staging": "second"},      "never", "first",         "never",  "never"),
    "SlowWarmUpRoute": ({**ONE, "slow_warmup": [{"failoverTarget": "second"}]}, "never", "any", "any", "always"),
    "MigrateRoute": ({"from": "first", "to": "second", "start_time": 5}, "never", "any",    "always", "always"),
}  # fmt: skip
NO_CHILDREN = {"LocalRoute", "NullRoute", "DevNullRoute", "ErrorRoute"}
ARE_A_CHILD = {"OperationSelectorRoute", "HostIdRoute", "FailoverWithExptimeRoute"}
"""Routes that stand for a child, or for another route."""


class Child(Route):
    """A route with these traits."""

    def __init__(self, runs, other, splits):
        self.takes_runs, self.may_ask_another_host, self.splits = runs, other, splits


def values(fields, given, children):
    """The values of a handle's fields, read as the config does."""
    found = {}
    for field in fields:
        if field.name not in given:
            found[field.name] = field.default
        elif field.fields:
            found[field.name] = [values(field.fields, one, children) for one in given[field.name]]
        else:
            value = given[field.name]
            found[field.name] = place(value, children) if field.kind != "value" else field.read(value)
    return Args(**found)


def place(value, children):
    if isinstance(value, list):
        return [children[one] for one in value]
    return {key: children[one] for key, one in value.items()} if isinstance(value, dict) else children[value]


def made(name, given, first, second, table=HANDLES):
    """The route over two children."""
    handle, context = table[name], World({"orderedPool": ["a:1"], "route": "DefaultRoute"}).context
    args = values(handle.fields, given, {"first": first, "second": second})
    if handle.state is not None:
        args.state = handle.state(args, context)
    return handle.make(args, context)


PAIRS = list(itertools.product([False, True], repeat=2))


@pytest.mark.parametrize("name", TRAITS)
def test_the_traits_of_a_route(name):
    given, runs, other, splits, takes_keys = TRAITS[name]
    for first, second in PAIRS:
        route = made(name, given, Child(first, False, False), Child(second, False, False))
        assert route.takes_runs is RULES[runs](first, second), ("takes_runs", first, second)
        route = made(name, given, Child(False, first, False), Child(False, second, False))
        assert route.may_ask_another_host is RULES[other](first, second), ("may_ask_another_host", first, second)
        route = made(name, given, Child(False, False, first), Child(False, False, second))
        assert route.splits is RULES[splits](first, second), ("splits", first, second)
        assert route.takes_keys is RULES[takes_keys](first, second), ("takes_keys", first, second)


def test_the_table_is_whole():
    assert set(TRAITS) | NO_CHILDREN | ARE_A_CHILD == set(HANDLES)


def test_the_traits_of_routes_without_children():
    for name in NO_CHILDREN - {"LocalRoute"}:
        route = made(name, {}, None, None)
        traits = (route.takes_runs, route.may_ask_another_host, route.splits, route.takes_keys, route.keyed)
        assert traits == (True, False, False, True, False)


@pytest.mark.parametrize(("splits", "takes_keys"), [(False, True), (True, True)])
def test_the_first_success_of_all_may_be_of_some_keys(splits, takes_keys):
    """With an `orderedPool` the answers to a get of several keys are merged key by key."""
    children = [Child(True, False, splits)] * 2
    assert made("AllFastestRoute", PAIR, *children, table=ORDERED_POOL_HANDLES).takes_keys is takes_keys


def test_a_route_over_one_host_keeps_its_traits():
    for first in (False, True):
        child = Child(first, first, first)
        short = ShortLivedRoute(child, 5, None)
        assert (short.takes_runs, short.may_ask_another_host, short.splits) == (first, first, first)
        assert made("KeySplitRoute", {**TRAITS["KeySplitRoute"][0], "first_hit": first}, child, child).takes_keys is not first
        log = AsynclogRoute(Args(target=child, host="a:1", pool="A"), None, None)
        assert (log.may_ask_another_host, log.takes_runs) == (first, False)
        per_key = PerKey(child)
        assert (per_key.takes_runs, per_key.may_ask_another_host, per_key.splits, per_key.keyed) == (first, first, True, True)


@pytest.mark.parametrize(
    ("options", "takes_runs"),
    [
        ({}, True),
        ({"failover_errors": {"gets": ["tko"]}}, False),
        ({"failover_errors": {"updates": ["tko"]}}, False),
        ({"failover_errors": {"deletes": ["tko"]}}, True),
        ({"failover_errors": ["tko"]}, True),
        ({"failover_policy": {"type": "LeastFailuresPolicy", "max_tries": 2}}, True),
        ({"failover_policy": {"type": "RendezvousPolicy", "tags": []}}, False),
        ({"failover_policy": {"type": "DeterministicOrderPolicy", "max_tries": 2, "max_error_tries": 1}}, False),
    ],
)
def test_failover_takes_runs_if_gets_and_sets_fail_over_alike_and_not_by_key(options, takes_runs):
    child = Child(True, False, False)
    assert made("FailoverRoute", {**PAIR, **options}, child, child).takes_runs is takes_runs


@pytest.mark.parametrize(("count", "expected"), [(1, False), (2, True)])
def test_a_load_balancer_may_ask_another_host_if_it_tries_several(count, expected):
    child = Child(True, False, False)
    assert made("LoadBalancerRoute", {**PAIR, "failover_count": count}, child, child).may_ask_another_host is expected


def test_a_copy_of_a_route_in_a_pool_counts_as_the_route():
    """The traits of a host itself: it takes runs, and asks no other host."""
    world = World({"orderedPool": ["a:1", "b:1"], "route": "MissFailoverRoute"})
    assert world.route(b"get").takes_runs and world.built.plan == (True, True, True)
    world = World({"orderedPool": ["a:1"], "route": {"type": "ModifyKeyRoute", "target": "a:1", "set_key_suffix": "s"}})
    assert not world.route(b"get").takes_runs and world.built.plan == (False, False, False)


COSTS = [  # a route over three hosts, and what one command costs at the most
    ("a:1", 1),
    ({"type": "AllSyncRoute", "children": ["a:1", "b:1", "c:1"]}, 3),
    ({"type": "AllAsyncRoute", "children": ["a:1", "b:1"]}, 2),
    ({"type": "RandomRoute", "children": ["a:1", {"type": "AllAsyncRoute", "children": ["a:1", "b:1"]}]}, 2),
    ({"type": "KeySplitRoute", "destination": "a:1", "replicas": 5, "all_sync": True}, 5),
    ({"type": "ShardSplitRoute", "target": "a:1", "shard_splits": {"1": 4, "2": 6}}, 6),
    ({"type": "ShardSplitRoute", "target": "a:1",
      "shard_splits": {"1": {"old_split_size": 3, "new_split_size": 2, "fanout_deletes": True}}}, 3),
    ({"type": "ShardSplitRoute", "target": "a:1", "shard_splits": {"1": {"new_split_size": 9}}}, 1),
    ("NullRoute", 1),
]  # fmt: skip


@pytest.mark.parametrize(("route", "cost"), COSTS)
def test_the_cost_of_a_route(route, cost):
    world = World({"orderedPool": ["a:1", "b:1", "c:1"], "route": route})
    assert world.route(b"delete").cost == cost


def test_the_severity_of_outcomes():
    """The rows are equally severe; each is worse than the one before it."""
    rows = [o.SUCCESS, o.EXISTS, o.PARTIAL + o.MISS + o.NOT_FOUND + o.NOT_STORED, o.TIMEOUT + o.TKO + o.UNAVAILABLE,
            o.SERVER_ERROR + o.LOST, o.LOCAL, o.CLIENT_ERROR, o.ERROR]  # fmt: skip
    assert {code: place for place, codes in enumerate(rows) for code in codes} == SEVERITY


def test_limits_of_facebook_mcrouter():
    assert MOST_COPIES == 1000
