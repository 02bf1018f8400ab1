"""A policy that makes too many requests of one is refused when it is read."""

import json

import pytest

from mcrouter import ConfigError, load_config
from mcrouter.config.leaves import MAX_LEAVES

POOL = {"A": {"servers": ["127.0.0.1:1"]}}


def twice(levels, kind="AllSyncRoute", leaf="PoolRoute|A"):
    """Handles of which each uses the one before it twice."""
    handles = [{"type": kind, "name": "h0", "children": [leaf] * 2}]
    handles += [{"type": kind, "name": f"h{n}", "children": [f"h{n - 1}"] * 2} for n in range(1, levels)]
    return json.dumps({"pools": POOL, "route": f"h{levels - 1}", "named_handles": handles})


@pytest.mark.parametrize("kind", ["AllSyncRoute", "AllAsyncRoute", "AllFastestRoute", "FailoverRoute", "MissFailoverRoute"])
@pytest.mark.parametrize("levels", [11, 31, 45])
def test_handles_that_use_one_another_multiply_no_request(kind, levels):
    with pytest.raises(ConfigError) as caught:
        load_config(twice(levels, kind), "f")
    told = f"{kind} and its children may send more than 2000 requests to hosts for one request; let fewer routes use one another, or give it fewer children, replicas or splits"
    assert caught.value.message == told and caught.value.line == 1 and caught.value.column > 1


def test_those_that_pick_one_make_no_more_of_it():
    assert load_config(twice(31, "HashRoute")).routes
    assert load_config(twice(10)).routes


@pytest.mark.parametrize("kind", ["AllSyncRoute", "AllAsyncRoute", "AllFastestRoute", "FailoverRoute", "MissFailoverRoute"])
def test_a_request_may_go_to_hundreds_of_hosts(kind):
    servers = [f"10.0.{n // 250}.{n % 250}:1" for n in range(1000)]
    config = {"pools": {"A": {"servers": servers}}, "route": {"type": kind, "children": "Pool|A"}}
    assert len(load_config(json.dumps(config)).hosts) == 1000


def test_the_first_healthy_of_any_number_of_hosts_is_one_request():
    servers = [f"10.0.{n // 250}.{n % 250}:1" for n in range(2 * MAX_LEAVES)]
    assert load_config(json.dumps({"orderedPool": servers, "route": "DefaultRoute"})).routes


SEVERAL_NAMES = {
    "KeySplitRoute": lambda count: {"destination": "PoolRoute|A", "replicas": count, "all_sync": True},
    "ShardSplitRoute": lambda count: {"target": "PoolRoute|A", "shard_splits": {"a": {"new_split_size": count, "fanout_deletes": True}}},
}


@pytest.mark.parametrize("kind", SEVERAL_NAMES)
def test_a_key_under_several_names_is_several_requests(kind):
    def made(count):
        route = {"type": kind, **SEVERAL_NAMES[kind](count)}
        return json.dumps({"pools": POOL, "route": {"type": "AllSyncRoute", "children": [route] * 4}})

    assert load_config(made(500)).routes
    with pytest.raises(ConfigError, match="may send more than 2000 requests"):
        load_config(made(501))


def test_a_pool_of_any_size_is_one_request():
    servers = [f"10.0.{n // 250}.{n % 250}:1" for n in range(2 * MAX_LEAVES)]
    prefixes = {f"p{n}": "PoolRoute|A" for n in range(200)}
    config = {"pools": {"A": {"servers": servers}}, "route": {"type": "PrefixSelectorRoute", "policies": prefixes, "wildcard": "PoolRoute|A"}}
    assert len(load_config(json.dumps(config)).hosts) == len(servers)
