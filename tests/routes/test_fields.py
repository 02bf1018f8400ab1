"""Every field of every route: its default, and which values it takes, at both sides of each limit. The limits and defaults
are facebook/mcrouter's where it has the field."""

import re

import pytest

from mcrouter.config.fields import BY_NAME, RECORDS, REQUIRED, ROUTE, ROUTES, UNUSED, VALUE
from mcrouter.proto import outcomes as o
from mcrouter.routes.failover_errors import ALL, FailoverErrors
from mcrouter.routes.failover_policy import PolicySpec
from mcrouter.routes.handles import ALL_HANDLES, HANDLES, ORDERED_POOL_HANDLES
from mcrouter.routes.shard_split import Split

FAILOVER = {
    "failover_errors": (VALUE, FailoverErrors(ALL, ALL, ALL)),
    "failover_policy": (VALUE, PolicySpec("InOrderPolicy", {})),
    "failover_limit": (VALUE, None),
    "failover_tag": (UNUSED, None),
    "enable_lease_pairing": (UNUSED, None),
}
CHILDREN = {"children": (ROUTES, REQUIRED)}
WARM_UP_SETTINGS = {"enable_threshold": 0.7, "disable_threshold": 0.9, "start": 0.1, "step": 1.0, "min_requests": 100}
TABLE = {  # by route: its fields, by name: (kind, default), or for records their fields
    "OperationSelectorRoute": {"default_policy": (ROUTE, None), "operation_policies": (BY_NAME, None)},
    "PrefixSelectorRoute": {"policies": (BY_NAME, None), "wildcard": (ROUTE, None)},
    "DefaultRoute": CHILDREN,
    "LocalRoute": {},
    "NullRoute": {},
    "DevNullRoute": {},
    "ErrorRoute": {"response": (VALUE, "local error"), "result": (VALUE, "local_error"), "enable_logging": (VALUE, False)},
    "HashRoute": {**CHILDREN, "hash_func": (VALUE, "Ch3"), "salt": (VALUE, ""), "weights": (VALUE, None), "tags": (VALUE, None),
                  "key_hash": (VALUE, ""), "name": (VALUE, ""), "error_on_empty": (VALUE, True)},
    "AllMajorityRoute": CHILDREN,
    "AllSyncRoute": CHILDREN,
    "AllInitialRoute": CHILDREN,
    "AllAsyncRoute": CHILDREN,
    "AllFastestRoute": CHILDREN,
    "MissFailoverRoute": {**CHILDREN, "return_best_on_error": (VALUE, False)},
    "ModifyKeyRoute": {"target": (ROUTE, REQUIRED), "ensure_key_prefix": (VALUE, b""), "set_routing_prefix": (VALUE, None),
                       "replace_key_prefix": (VALUE, None), "set_key_suffix": (VALUE, b""), "modify_inplace": (VALUE, False)},
    "ModifyExptimeRoute": {"target": (ROUTE, REQUIRED), "exptime": (VALUE, REQUIRED), "action": (VALUE, "set")},
    "RateLimitRoute": {"target": (ROUTE, REQUIRED), "rates": (VALUE, REQUIRED), "fallback": (ROUTE, None)},
    "OutstandingLimitRoute": {"target": (ROUTE, REQUIRED), "max_outstanding": (VALUE, REQUIRED)},
    "LatencyInjectionRoute": {"child": (ROUTE, REQUIRED), "before_latency_ms": (VALUE, 0), "after_latency_ms": (VALUE, 0),
                              "total_latency_ms": (VALUE, 0), "request_payload_latency": (UNUSED, None),
                              "max_request_latency_us": (UNUSED, None)},
    "LoggingRoute": {"target": (ROUTE, REQUIRED)},
    "ShadowRoute": {**CHILDREN, "shadows": (RECORDS, ()), "shadow_policy": (UNUSED, None)},
    "KeySplitRoute": {"destination": (ROUTE, REQUIRED), "replicas": (VALUE, REQUIRED), "all_sync": (VALUE, REQUIRED),
                      "first_hit": (VALUE, False)},
    "ShardSplitRoute": {"target": (ROUTE, REQUIRED), "shard_splits": (VALUE, REQUIRED)},
    "FailoverRoute": {**CHILDREN, **FAILOVER},
    "FailoverWithExptimeRoute": {"normal": (ROUTE, REQUIRED), "failover": (ROUTES, ()), "failover_exptime": (VALUE, 60), **FAILOVER},
    "LatestRoute": {**CHILDREN, "failover_count": (VALUE, 5), "salt": (VALUE, ""), "weights": (VALUE, None),
                    "thread_local_failover": (UNUSED, None), **FAILOVER},
    "RandomRoute": CHILDREN,
    "HostIdRoute": {**CHILDREN, "salt": (VALUE, "")},
    "LoadBalancerRoute": {**CHILDREN, "load_ttl_ms": (VALUE, 100), "failover_count": (VALUE, 1), "algorithm": (UNUSED, None),
                          "salt": (UNUSED, None), "default_server_load_percent": (UNUSED, None)},
    "WarmUpRoute": {"cold": (ROUTE, REQUIRED), "warm": (ROUTE, REQUIRED), "exptime": (VALUE, None), "enable_metaget": (VALUE, False)},
    "SlowWarmUpRoute": {"target": (ROUTE, REQUIRED), "slow_warmup": (RECORDS, REQUIRED)},
    "MigrateRoute": {"from": (ROUTE, REQUIRED), "to": (ROUTE, REQUIRED), "start_time": (VALUE, REQUIRED), "interval": (VALUE, 3600)},
    "L1L2CacheRoute": {"l1": (ROUTE, REQUIRED), "l2": (ROUTE, REQUIRED), "upgradingL1Exptime": (VALUE, REQUIRED),
                       "ncacheExptime": (VALUE, 0), "ncacheUpdatePeriod": (VALUE, 0)},
    "StagingRoute": {"warm": (ROUTE, REQUIRED), "staging": (ROUTE, REQUIRED)},
}  # fmt: skip
RECORD_FIELDS = {
    ("ShadowRoute", "shadows"): {
        "target": (ROUTE, REQUIRED), "index_range": (VALUE, None), "key_fraction_range": (VALUE, None), "keys_to_shadow": (VALUE, ()),
        "requests_fraction": (VALUE, 1.0), "key_fraction_range_rv": (VALUE, ""), "validate_replies": (UNUSED, None)},
    ("SlowWarmUpRoute", "slow_warmup"): {"failoverTarget": (ROUTE, REQUIRED), "settings": (VALUE, WARM_UP_SETTINGS)},
}  # fmt: skip
PRINCIPAL = {  # the field that `Type|rest` sets
    "ErrorRoute": "response", "LatencyInjectionRoute": "child", "KeySplitRoute": "destination",
    **{name: "children" for name, fields in TABLE.items() if "children" in fields},
    **{name: "target" for name, fields in TABLE.items() if "target" in fields},
}  # fmt: skip
ALSO = {("OperationSelectorRoute", "operation_policies"): ("operationPolicies",), ("HashRoute", "hash_func"): ("hash",),
        ("ShardSplitRoute", "target"): ("destination",)}  # fmt: skip
COLLAPSE = {"AllMajorityRoute", "AllSyncRoute", "AllInitialRoute", "AllFastestRoute", "MissFailoverRoute", "FailoverRoute",
            "LatestRoute", "RandomRoute", "HostIdRoute", "LoadBalancerRoute"}  # fmt: skip
"""With one child they are that child, without children NullRoute (but for AllAsyncRoute, which is asynchronous still)."""
PICK = {"OperationSelectorRoute", "PrefixSelectorRoute", "DefaultRoute", "HashRoute", "RandomRoute", "HostIdRoute"}
"""Each request goes to one child."""


def shown(fields):
    """The fields as the table has them."""
    return {field.name: (field.kind, field.default) for field in fields}


def test_every_field_of_every_route():
    assert {name: shown(handle.fields) for name, handle in HANDLES.items()} == TABLE
    records = {(name, field.name): shown(field.fields) for name, handle in HANDLES.items() for field in handle.fields if field.fields}
    assert records == RECORD_FIELDS


def test_with_an_ordered_pool_a_miss_goes_on_for_every_command():
    for name in HANDLES:
        fields = {} if name == "MissFailoverRoute" else dict(TABLE[name])
        assert shown(ORDERED_POOL_HANDLES[name].fields) == (fields or CHILDREN if "children" in TABLE[name] else fields)


def test_the_principal_field_and_other_names():
    fields = [(name, field) for name, handle in HANDLES.items() for field in handle.fields]
    assert {name: field.name for name, field in fields if field.principal} == PRINCIPAL
    assert {(name, field.name): field.also for name, field in fields if field.also} == ALSO


def test_which_routes_collapse_and_which_pick_one_child():
    assert {name for name, handle in HANDLES.items() if handle.collapse_if_one} == COLLAPSE
    assert {name for name, handle in HANDLES.items() if handle.chooses_one} == PICK
    ordered = {name for name, handle in ORDERED_POOL_HANDLES.items() if handle.collapse_if_one}
    assert ordered == COLLAPSE - {"AllFastestRoute", "MissFailoverRoute"}
    assert {name: shown(ALL_HANDLES[name].fields) for name in ("RootRoute", "AsynclogRoute")} == {
        "RootRoute": {"routes": (BY_NAME, REQUIRED), "default": (VALUE, REQUIRED)},
        "AsynclogRoute": {"target": (ROUTE, REQUIRED), "host": (VALUE, REQUIRED), "pool": (VALUE, REQUIRED)},
    }


INT32, MOST_SECONDS = 2**31 - 1, 2**31 - 1
BLANKS = "write at most 250 bytes without blanks and control characters"
KEY_PARTS = ("ensure_key_prefix", "replace_key_prefix", "set_key_suffix")
HASHES = ("Ch3", "WeightedCh3", "Crc32", "Rendezvous", "WeightedRendezvous", "ConstShard", "ketama", "Latest")


def whole(low, high):
    """Values that a field of whole numbers takes, those that it does not take, and its error."""
    return [low, high, float(high)], [low - 1, high + 1, low + 0.5, True, "1", None], f"write a whole number from {low} to {high}"


def fraction(low, high):
    """The same for any number."""
    return [low, high, (low + high) / 2], [low - 0.001, high + 0.001, True, "1", None], f"write a number from {low} to {high:.0f}"


SWITCH = ([True, False], [1, 0, "true", None], "write true or false")
TEXT = (["", "x y"], [1, None, True, ["x"]], "write a text, in quotes")
TEXTS = ([[], ["a", "b"]], ["a", [1], None, {"a": "b"}], "write a list of texts")
WEIGHTS = ([[], [0, 1], [0.5]], [[-0.1], [1.1], [True], ["1"]], "write a number from 0 to 1")
LIMITS = {  # by route and field: values that it takes, those that it does not take, and the error for all of these
    ("ErrorRoute", "response"): TEXT,
    ("ErrorRoute", "result"): (["local_error"], ["timeout", "", None], "write local_error"),
    ("ErrorRoute", "enable_logging"): SWITCH,
    ("HashRoute", "salt"): TEXT,
    ("HashRoute", "name"): TEXT,
    ("HashRoute", "tags"): TEXTS,
    ("HashRoute", "error_on_empty"): SWITCH,
    ("HashRoute", "weights"): ([[], [0], [1e9], {"a": 1, "b": 0.5}], ["1", 1, None, [-1], [1e9 + 1], [True], [1, "1"], ["1", 1],
                               [1, -1], {"a": "1"}, {"a": 1, "b": True}],
                               "write a list of numbers, or a map from hosts to numbers"),
    ("MissFailoverRoute", "return_best_on_error"): SWITCH,
    **{("ModifyKeyRoute", name): (["", "a", "a" * 250, "~", "!", "\u00e9" * 125], ["a" * 251, "a b", "\x7f", "\x00", "\u00e9" * 126], BLANKS)
       for name in KEY_PARTS},
    ("ModifyKeyRoute", "set_routing_prefix"): (["", "/a/b/"], ["a", "/a/", "/a/b", "/a/b/c/"], "write it as /region/cluster/, or empty for none"),
    ("ModifyKeyRoute", "modify_inplace"): SWITCH,
    ("ModifyExptimeRoute", "exptime"): whole(-(2**31), INT32),
    ("ModifyExptimeRoute", "action"): (["set", "min"], ["max", "", None, True], "write one of set, min"),
    ("OutstandingLimitRoute", "max_outstanding"): whole(0, 1_000_000_000),
    ("LatencyInjectionRoute", "before_latency_ms"): whole(0, 3_600_000),
    ("LatencyInjectionRoute", "after_latency_ms"): whole(0, 3_600_000),
    ("LatencyInjectionRoute", "total_latency_ms"): whole(0, 3_600_000),
    ("KeySplitRoute", "replicas"): whole(2, 1000),
    ("KeySplitRoute", "all_sync"): SWITCH,
    ("KeySplitRoute", "first_hit"): SWITCH,
    ("FailoverWithExptimeRoute", "failover_exptime"): whole(-INT32, INT32),
    ("LatestRoute", "failover_count"): whole(1, 1000),
    ("LatestRoute", "salt"): TEXT,
    ("LatestRoute", "weights"): WEIGHTS,
    ("HostIdRoute", "salt"): TEXT,
    ("LoadBalancerRoute", "load_ttl_ms"): whole(1, 3_600_000),
    ("LoadBalancerRoute", "failover_count"): whole(1, 1000),
    ("WarmUpRoute", "exptime"): whole(0, MOST_SECONDS),
    ("WarmUpRoute", "enable_metaget"): SWITCH,
    ("MigrateRoute", "start_time"): whole(0, 2**40),
    ("MigrateRoute", "interval"): whole(1, 2**31),
    ("L1L2CacheRoute", "upgradingL1Exptime"): whole(0, MOST_SECONDS),
    ("L1L2CacheRoute", "ncacheExptime"): whole(0, MOST_SECONDS),
    ("L1L2CacheRoute", "ncacheUpdatePeriod"): whole(0, MOST_SECONDS),
    ("ShadowRoute", "requests_fraction"): fraction(0, 1),
    ("ShadowRoute", "keys_to_shadow"): TEXTS,
    ("ShadowRoute", "key_fraction_range_rv"): TEXT,
}  # fmt: skip


def field_of(name, field_name):
    """A field of a route, or of its records."""
    fields = HANDLES[name].fields
    return next(field for one in fields for field in (one, *one.fields) if field.name == field_name)


@pytest.mark.parametrize(("name", "field"), LIMITS)
def test_the_limits_of_a_field(name, field):
    read = field_of(name, field).read
    takes, refuses, error = LIMITS[name, field]
    for value in takes:
        read(value)
    for value in refuses:
        with pytest.raises(ValueError, match=r"^write ") as caught:
            read(value)
        assert str(caught.value) in (error, "write a text, in quotes"), value


def read(name, field, value):
    """What a value becomes."""
    return field_of(name, field).read(value)


BECOMES = [
    ("HashRoute", "weights", [1, 2], (1.0, 2.0)),
    ("HashRoute", "weights", {"a": 1}, {"a": 1}),
    ("LatestRoute", "weights", [1, 0.5], (1.0, 0.5)),
    ("HashRoute", "tags", ["a"], ("a",)),
    ("ModifyKeyRoute", "ensure_key_prefix", "p", b"p"),
    ("ModifyKeyRoute", "set_routing_prefix", "", b""),
    ("ModifyKeyRoute", "set_routing_prefix", "/a/b/", b"/a/b/"),
    ("ShadowRoute", "index_range", [0, 1_000_000_000], (0, 1_000_000_000)),
    ("ShadowRoute", "index_range", [3, 3], (3, 3)),
    ("ShadowRoute", "key_fraction_range", [0, 1], (0.0, 1.0)),
    ("ShadowRoute", "key_fraction_range", [0.25, 0.25], (0.25, 0.25)),
    ("ShardSplitRoute", "shard_splits", {"1": 1, "2": 677}, {b"1": Split(1, 1, 0, 0, True), b"2": Split(677, 677, 0, 0, True)}),
    ("ShardSplitRoute", "shard_splits", {}, {}),
    ("ShardSplitRoute", "shard_splits", {"1": {}}, {b"1": Split(1, 1, 0, 0, False)}),
    ("ShardSplitRoute", "shard_splits",
     {"1": {"old_split_size": 677, "new_split_size": 2, "split_start": 2**53, "migration_period": 2**53, "fanout_deletes": True}},
     {b"1": Split(677, 2, 2**53, 2**53, True)}),
    ("SlowWarmUpRoute", "settings", {}, WARM_UP_SETTINGS),
    ("SlowWarmUpRoute", "settings", {"enable_threshold": 0, "disable_threshold": 1, "start": 1, "step": 100, "min_requests": 1_000_000_000},
     {"enable_threshold": 0.0, "disable_threshold": 1.0, "start": 1.0, "step": 100.0, "min_requests": 1_000_000_000}),
    ("FailoverRoute", "failover_limit", {"rate": 0.5}, {"rate": 0.5, "burst": 1000.0}),
    ("FailoverRoute", "failover_limit", {"rate": 0, "burst": 1}, {"rate": 0.0, "burst": 1.0}),
    ("FailoverRoute", "failover_limit", {"rate": 1, "burst": 1e9}, {"rate": 1.0, "burst": 1e9}),
    ("RateLimitRoute", "rates", {}, dict.fromkeys(
        ("gets_rate", "gets_burst", "sets_rate", "sets_burst", "deletes_rate", "deletes_burst"))),
    ("FailoverRoute", "failover_policy", {"type": "InOrderPolicy"},
     PolicySpec("InOrderPolicy", {"max_tries": None, "exclude_errors": None})),
    ("FailoverRoute", "failover_policy", {"type": "InOrderPolicy", "max_tries": 100_000, "exclude_errors": ["tko"]},
     PolicySpec("InOrderPolicy", {"max_tries": 100_000, "exclude_errors": o.TKO})),
    ("FailoverRoute", "failover_policy", {"type": "LeastFailuresPolicy", "max_tries": 1},
     PolicySpec("LeastFailuresPolicy", {"max_tries": 1})),
    ("FailoverRoute", "failover_policy", {"type": "DeterministicOrderPolicy", "max_tries": 1, "max_error_tries": 1},
     PolicySpec("DeterministicOrderPolicy", {
         "max_tries": 1, "max_error_tries": 1, "exclude_errors": None, "hash": None, "weights": None, "enable_failure_domains": False,
         "ignore_normal_reply_index": False})),
    ("FailoverRoute", "failover_policy", {"type": "RendezvousPolicy", "tags": ["a"]}, PolicySpec("RendezvousPolicy", {"tags": ("a",)})),
]  # fmt: skip


@pytest.mark.parametrize(("name", "field", "value", "expected"), BECOMES)
def test_what_a_value_becomes(name, field, value, expected):
    made = read(name, field, value)
    assert made == expected and type(made) is type(expected)


@pytest.mark.parametrize("name", [name for name in HASHES if name not in ("Rendezvous", "WeightedRendezvous", "ConstShard")])
def test_the_names_of_hashes(name):
    assert read("HashRoute", "hash_func", name) == name


RATE = "write a number above 0"
PAIR = "write a list of two numbers, the smaller first"
REFUSED = [
    ("HashRoute", "hash_func", "Nonsense", "write one of "),
    ("HashRoute", "hash_func", "", "write one of "),
    ("HashRoute", "key_hash", "nonsense", "write one of "),
    ("ShadowRoute", "index_range", [0, 1_000_000_001], "write a whole number from 0 to 1000000000"),
    ("ShadowRoute", "index_range", [-1, 0], "write a whole number from 0 to 1000000000"),
    ("ShadowRoute", "index_range", [2, 1], PAIR),
    ("ShadowRoute", "index_range", [1], PAIR),
    ("ShadowRoute", "index_range", [1, 2, 3], PAIR),
    ("ShadowRoute", "index_range", (1, 2), PAIR),
    ("ShadowRoute", "key_fraction_range", [0, 1.01], "write a number from 0 to 1"),
    ("ShadowRoute", "key_fraction_range", [0.5, 0.4], PAIR),
    ("ShardSplitRoute", "shard_splits", [], "write a map from shards to numbers of parts"),
    ("ShardSplitRoute", "shard_splits", {"1": 0}, "for shard 1 write a whole number from 1 to 677"),
    ("ShardSplitRoute", "shard_splits", {"1": 678}, "for shard 1 write a whole number from 1 to 677"),
    ("ShardSplitRoute", "shard_splits", {"1": {"old_split_size": 0}}, "for shard 1 old_split_size is invalid; write a whole number from 1 to 677"),
    ("ShardSplitRoute", "shard_splits", {"1": {"new_split_size": 678}}, "for shard 1 new_split_size is invalid; write a whole number from 1 to 677"),
    ("ShardSplitRoute", "shard_splits", {"1": {"split_start": -1}}, f"for shard 1 split_start is invalid; write a whole number from 0 to {2**53}"),
    ("ShardSplitRoute", "shard_splits", {"1": {"migration_period": 2**53 + 2}},
     f"for shard 1 migration_period is invalid; write a whole number from 0 to {2**53}"),
    ("ShardSplitRoute", "shard_splits", {"1": {"fanout_deletes": 1}}, "for shard 1 fanout_deletes is invalid; write true or false"),
    *[("SlowWarmUpRoute", "settings", {name: value}, f"{name} is invalid; write a number from 0 to {most}")
      for name, value, most in [("enable_threshold", 1.01, 1), ("disable_threshold", -0.01, 1), ("start", 1.01, 1), ("step", 100.5, 100), ("step", -1, 100)]],
    ("SlowWarmUpRoute", "settings", {"min_requests": -1}, "min_requests is invalid; write a whole number from 0 to 1000000000"),
    ("SlowWarmUpRoute", "settings", {"min_requests": 1_000_000_001}, "min_requests is invalid; write a whole number from 0 to 1000000000"),
    ("FailoverRoute", "failover_limit", {}, "rate is missing; add it"),
    ("FailoverRoute", "failover_limit", {"rate": 1.1}, "rate is invalid; write a number from 0 to 1"),
    ("FailoverRoute", "failover_limit", {"rate": -0.1}, "rate is invalid; write a number from 0 to 1"),
    ("FailoverRoute", "failover_limit", {"rate": 1, "burst": 0.9}, "burst is invalid; write a number from 1 to 1000000000"),
    ("FailoverRoute", "failover_limit", {"rate": 1, "burst": 1e9 + 1}, "burst is invalid; write a number from 1 to 1000000000"),
    *[("RateLimitRoute", "rates", {"gets_rate": value}, f"gets_rate is invalid; {RATE}") for value in (0, -1, True, "1", float("inf"))],
    ("RateLimitRoute", "rates", {"sets_burst": 0}, f"sets_burst is invalid; {RATE}"),
    ("RateLimitRoute", "rates", {"get_rate": 1}, "'get_rate' is not a known key; write a map with "
     "gets_rate, gets_burst, sets_rate, sets_burst, deletes_rate, deletes_burst"),
    ("FailoverRoute", "failover_errors", "tko", "write a list of names of errors, as [timeout, tko]"),
    ("FailoverRoute", "failover_errors", ["tko", 1], "write a list of names of errors, as [timeout, tko]"),
    ("FailoverRoute", "failover_errors", ["nonsense"], "'nonsense' is not the name of an error; write some of "),
    ("FailoverRoute", "failover_errors", {"reads": []}, "'reads' is not a kind of operation; write gets, updates, deletes"),
    ("FailoverRoute", "failover_policy", "InOrderPolicy", "write a map with a type: one of InOrderPolicy, "),
    ("FailoverRoute", "failover_policy", {}, "write a map with a type: one of InOrderPolicy, "),
    ("FailoverRoute", "failover_policy", {"type": 1}, "its type 1 is not known; write one of InOrderPolicy, "),
    ("FailoverRoute", "failover_policy", {"type": "Nonsense"}, "its type 'Nonsense' is not known; write one of InOrderPolicy, "),
    ("FailoverRoute", "failover_policy", {"type": "InOrderPolicy", "max_tries": 0}, "max_tries is invalid; write a whole number from 1 to 100000"),
    ("FailoverRoute", "failover_policy", {"type": "InOrderPolicy", "max_tries": 100_001}, "max_tries is invalid; write a whole number from 1 to 100000"),
    ("FailoverRoute", "failover_policy", {"type": "LeastFailuresPolicy"}, "max_tries is missing; add it"),
    ("FailoverRoute", "failover_policy", {"type": "DeterministicOrderPolicy", "max_tries": 1}, "max_error_tries is missing; add it"),
    ("FailoverRoute", "failover_policy", {"type": "RendezvousPolicy"}, "tags is missing; add it"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "field", "value", "error"), REFUSED)
def test_what_is_refused(name, field, value, error):
    with pytest.raises(ValueError, match=f"^{re.escape(error)}"):
        read(name, field, value)
