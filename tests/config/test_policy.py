"""Policies: the forms of a route, named handles, what a PoolRoute expands to, and YAML and JSON alike."""

import json

import pytest

from mcrouter.server.configs.reading import load_config

from .sketch import sketch

POOLS = {"A": {"servers": ["a:1", "a:2"]}, "B": {"servers": ["b:1", "b:2"]}, "E": {"servers": []}}
A, B, EMPTY = "HashRoute(a:1, a:2)", "HashRoute(b:1, b:2)", "HashRoute()"


def load(route, **more):
    """A config with these pools."""
    return load_config(json.dumps({"pools": POOLS, "route": route, **more}), "f")


def all_sync(*children, **more):
    """A route with children."""
    return {"type": "AllSyncRoute", "children": list(children), **more}


ROUTES = [
    # short forms
    ("PoolRoute|A", A),
    ("HashRoute|Pool|A", A),
    ("AllSyncRoute|Pool|A", "AllSyncRoute(a:1, a:2)"),
    ("AllSyncRoute|PoolRoute|A", f"AllSyncRoute({A})"),
    ("AllSyncRoute|AllFastestRoute|Pool|A", "AllSyncRoute(AllFastestRoute(a:1, a:2))"),
    ("NullRoute", "NullRoute()"),
    ("ErrorRoute", "ErrorRoute()"),
    ("ErrorRoute|a|b", "ErrorRoute(response=a|b)"),
    ("AllSyncRoute|ErrorRoute|x", "AllSyncRoute(ErrorRoute(response=x))"),
    ("AllSyncRoute|", "AllSyncRoute()"),
    ("PoolRoute|E", EMPTY),
    ("OperationSelectorRoute|PoolRoute|A", None),
    # maps
    ({"type": "PoolRoute", "pool": "A"}, A),
    ({"type": "HashRoute", "children": "Pool|A"}, A),
    ({"type": "HashRoute", "children": "Pool|A", "hash": "Crc32", "salt": "x"}, A[:-1] + ", hash_func=Crc32, salt=x)"),
    ({"type": "HashRoute|Pool|A"}, None),
    ({"type": "DevNull"}, "DevNullRoute()"),
    # children: lists, lists in lists, maps, text, none
    (all_sync("PoolRoute|A", "PoolRoute|B"), f"AllSyncRoute({A}, {B})"),
    (all_sync("Pool|A", "Pool|B"), "AllSyncRoute(a:1, a:2, b:1, b:2)"),
    (all_sync("Pool|A", "NullRoute", "Pool|B"), "AllSyncRoute(a:1, a:2, NullRoute(), b:1, b:2)"),
    (all_sync(["Pool|A", ["NullRoute"]], [], "PoolRoute|B"), f"AllSyncRoute(a:1, a:2, NullRoute(), {B})"),
    (all_sync(), "AllSyncRoute()"),
    ({"type": "AllSyncRoute", "children": ""}, "AllSyncRoute()"),
    ({"type": "AllSyncRoute", "children": None}, "AllSyncRoute()"),
    ({"type": "AllSyncRoute", "children": "PoolRoute|A"}, f"AllSyncRoute({A})"),
    ({"type": "AllSyncRoute", "children": {"type": "PoolRoute", "pool": "A"}}, f"AllSyncRoute({A})"),
    # a pool's servers
    (all_sync({"type": "Pool", "pool": "A"}), "AllSyncRoute(a:1, a:2)"),
    (all_sync({"type": "Pool", "name": "A"}), "AllSyncRoute(a:1, a:2)"),
    (all_sync({"type": "Pool", "name": "N", "servers": ["n:1"]}, "Pool|N"), "AllSyncRoute(n:1, n:1)"),
    ({"type": "AllSyncRoute", "children": {"type": "Pool", "pool": "A"}}, "AllSyncRoute(a:1, a:2)"),
    (all_sync("Pool|E"), "AllSyncRoute()"),
    # by command and by key
    ({"type": "OperationSelectorRoute", "default_policy": "PoolRoute|A"}, f"OperationSelectorRoute(default_policy={A})"),
    ({"type": "PrefixPolicyRoute", "operation_policies": {"set": "NullRoute", "delete": "PoolRoute|A"}},
     f"OperationSelectorRoute(operation_policies={{delete: {A}, set: NullRoute()}})"),
    ({"type": "PrefixSelectorRoute", "policies": {"b": "NullRoute", "ab": "PoolRoute|A"}, "wildcard": "PoolRoute|B"},
     f"PrefixSelectorRoute(policies={{ab: {A}, b: NullRoute()}}, wildcard={B})"),
    ({"type": "PrefixSelectorRoute"}, "PrefixSelectorRoute()"),
    ("Pool|A", None),
]  # fmt: skip


@pytest.mark.parametrize(("route", "expected"), ROUTES)
def test_routes(route, expected):
    if expected is None:
        with pytest.raises(ValueError, match="f:1:"):
            load(route)
    else:
        config = load(route)
        assert sketch(config) == expected
        assert config.warnings == ()


X = {"name": "x", "type": "PoolRoute", "pool": "A"}
OTHER_X = {"name": "x", "type": "AllSyncRoute", "children": "Pool|B"}
NAMED = [
    # in named_handles: a list, or a map; in any order
    ([X], "x", A),
    ([X], all_sync("x", "x"), f"AllSyncRoute({A}, {A})"),
    ([X], "AllSyncRoute|x", f"AllSyncRoute({A})"),
    ({"x": X}, "x", A),
    ({"x": "PoolRoute|A"}, "x", A),
    ({"x": {"type": "NullRoute"}}, "x", "NullRoute()"),
    ([{"name": "y", **all_sync("x")}, X], "y", f"AllSyncRoute({A})"),
    ({"z": "y", "y": "AllSyncRoute|x", "x": "PoolRoute|A"}, "z", f"AllSyncRoute({A})"),
    ({"x": {"name": "y", "type": "PoolRoute", "pool": "A"}}, all_sync("x", "y"), f"AllSyncRoute({A}, {A})"),
    ({"a b|c": "PoolRoute|A"}, "a b|c", A),
    ({"NullRoute": "PoolRoute|A"}, "NullRoute", A),
    # inside an object, for those who come after it
    ([], all_sync(X, "x"), f"AllSyncRoute({A}, {A})"),
    ([], all_sync("x", X), None),
    ([], {"type": "OperationSelectorRoute", "operation_policies": {"set": "x", "get": OTHER_X}},
     "OperationSelectorRoute(operation_policies={get: AllSyncRoute(b:1, b:2), set: AllSyncRoute(b:1, b:2)})"),
    # the first of a name counts
    ([X, OTHER_X], "x", A),
    ([OTHER_X, X], "x", "AllSyncRoute(b:1, b:2)"),
    ([], all_sync(X, OTHER_X), f"AllSyncRoute({A}, {A})"),
    ([X], all_sync(OTHER_X, "x"), f"AllSyncRoute({A}, {A})"),
    ([], all_sync({"name": "x", **all_sync("PoolRoute|B", X)}), f"AllSyncRoute(AllSyncRoute({B}, {A}))"),
]  # fmt: skip


@pytest.mark.parametrize(("handles", "route", "expected"), NAMED)
def test_named_handles(handles, route, expected):
    if expected is None:
        with pytest.raises(ValueError, match="unknown route 'x'; "):
            load(route, named_handles=handles)
    else:
        config = load(route, named_handles=handles)
        assert sketch(config) == expected
        assert config.warnings == ()


def test_a_named_handle_is_made_once():
    config = load(all_sync("x", {"type": "AllInitialRoute", "children": ["x"]}, X), named_handles=[X])
    assert [spec.type for spec in config.routes].count("HashRoute") == 1


@pytest.mark.parametrize("chain", ["x", "yx", "zyx"])
def test_named_handles_that_are_parts_of_themselves(chain):
    handles = {one: f"AllSyncRoute|{other}" for one, other in zip(chain, chain[1:] + chain[:1])}
    way = " > ".join(chain + chain[0])
    with pytest.raises(ValueError, match="contains itself") as caught:
        load("x" if chain == "x" else chain[0], named_handles=handles)
    assert caught.value.message == f"the route {chain[0]!r} contains itself ({way}); name another route here"


def test_handles_may_be_named_in_long_chains():
    handles = {f"x{i}": f"x{i + 1}" for i in range(40)}
    assert sketch(load("x0", named_handles={**handles, "x40": "PoolRoute|A"})) == A


UNUSED = [
    ({"type": "PoolRoute", "pool": "A", "shadow_policy": "default"}, "the option 'shadow_policy' of PoolRoute"),
    ({"type": "PoolRoute", "pool": "A", "_why": "so"}, "the option '_why' of PoolRoute"),
    ({"type": "NullRoute", "comment": "so"}, "the option 'comment' of NullRoute"),
    ({"type": "OperationSelectorRoute", "default_policy": "NullRoute", "operation_policies": {"lease-get": "NullRoute"}},
     "the command 'lease-get'"),
    ({"type": "OperationSelectorRoute", "default_policy": "NullRoute", "operation_policies": {"metaget": "NullRoute"}},
     "the command 'metaget'"),
]  # fmt: skip


@pytest.mark.parametrize(("route", "what"), UNUSED)
def test_what_has_no_meaning_gets_a_warning(route, what):
    (warning,) = load(route).warnings
    assert warning.startswith("f:1:")
    assert warning.split(": ", 1)[1] == f"{what} has no effect here"


def test_top_level_options_without_a_meaning_get_a_warning():
    (warning,) = load("NullRoute", routing_options={}).warnings
    assert warning.split(": ", 1)[1] == "the key 'routing_options' has no effect here"


LOGS = [
    ({}, "HashRoute(log(a:1, A), log(a:2, A))"),
    ({"asynclog": False}, "HashRoute(a:1, a:2)"),
    ({"asynclog": False, "asynclog_name": "L"}, "HashRoute(a:1, a:2)"),
    ({"asynclog_name": "L"}, "HashRoute(log(a:1, L), log(a:2, L))"),
    ({"name": "N"}, "HashRoute(log(a:1, N), log(a:2, N))"),
    ({"name": "N", "asynclog_name": "L"}, "HashRoute(log(a:1, L), log(a:2, L))"),
]


@pytest.mark.parametrize(("options", "expected"), LOGS)
def test_asynclog(options, expected):
    """Under which name failed deletes are kept: the log's, the route's, the pool's."""
    assert sketch(load({"type": "PoolRoute", "pool": "A", **options}), log=True) == expected


def test_asynclog_is_made_once_for_a_server_and_a_name():
    config = load(all_sync("PoolRoute|A", {"type": "PoolRoute", "pool": "A", "hash": "Crc32"}))
    assert [spec.type for spec in config.routes].count("AsynclogRoute") == 2


OPTIONS = [
    # outermost first: shard_splits, rates, the hash; a server within its shadows, its limit, its log
    ({"rates": {"sets_rate": 10}}, "RATES(HashRoute(log(a:1), log(a:2)))"),
    ({"shard_splits": {"1": 2}}, "SPLITS(HashRoute(log(a:1), log(a:2)))"),
    ({"rates": {"sets_rate": 10}, "shard_splits": {"1": 2}}, "SPLITS(RATES(HashRoute(log(a:1), log(a:2))))"),
    ({"max_outstanding": 5}, "HashRoute(LIMIT(log(a:1)), LIMIT(log(a:2)))"),
    ({"max_outstanding": 0}, "HashRoute(log(a:1), log(a:2))"),
    ({"shadows": []}, "HashRoute(log(a:1), log(a:2))"),
    ({"shadows": [{"target": "NullRoute"}]}, "HashRoute(COPIES(log(a:1), 1), COPIES(log(a:2), 1))"),
    ({"shadows": [{"target": "NullRoute", "index_range": [0, 1]}]}, "HashRoute(COPIES(log(a:1), 1), log(a:2))"),
    ({"shadows": [{"target": "NullRoute", "index_range": [1, 2]}]}, "HashRoute(log(a:1), COPIES(log(a:2), 1))"),
    ({"shadows": [{"target": "NullRoute", "index_range": [0, 2]}]}, "HashRoute(COPIES(log(a:1), 1), COPIES(log(a:2), 1))"),
    ({"shadows": [{"target": "NullRoute"}, {"target": "NullRoute", "index_range": [1, 9]}]},
     "HashRoute(COPIES(log(a:1), 1), COPIES(log(a:2), 2))"),
    ({"shadows": [{"target": "NullRoute"}], "max_outstanding": 5},
     "HashRoute(COPIES(LIMIT(log(a:1)), 1), COPIES(LIMIT(log(a:2)), 1))"),
]  # fmt: skip
SHORT = {"RateLimitRoute": "RATES", "ShardSplitRoute": "SPLITS", "OutstandingLimitRoute": "LIMIT", "AsynclogRoute": "log"}


def wrapped(config, index):
    """The policy by what wraps what."""
    spec = config.routes[index]
    if spec.type == "host":
        return spec.args["host"]
    if spec.type == "RootRoute":
        return wrapped(config, spec.args["routes"]["/././"])
    if spec.type == "HashRoute":
        return f"HashRoute({', '.join(wrapped(config, child) for child in spec.args['children'])})"
    if spec.type == "ShadowRoute":
        return f"COPIES({wrapped(config, spec.args['children'][0])}, {len(spec.args['shadows'])})"
    return f"{SHORT[spec.type]}({wrapped(config, spec.args['target'])})"


@pytest.mark.parametrize(("options", "expected"), OPTIONS)
def test_what_a_pool_is_wrapped_in(options, expected):
    config = load({"type": "PoolRoute", "pool": "A", **options})
    assert wrapped(config, config.route) == expected


# with an orderedPool -------------------------------------------------------------------------------------------------

SEED = [
    ("AllSyncRoute", "AllSyncRoute(a, b)"),
    ({"type": "AllSyncRoute"}, "AllSyncRoute(a, b)"),
    ("HashRoute", "HashRoute(a, b)"),
    ({"type": "HashRoute", "hash": "Crc32"}, "HashRoute(a, b, hash_func=Crc32)"),
    ("AllSyncRoute|b", "AllSyncRoute(b)"),
    (all_sync("b", "a", "DefaultRoute"), "AllSyncRoute(b, a, DefaultRoute(a, b))"),
    ({"type": "PrefixSelectorRoute", "policies": {"x": "b"}}, "PrefixSelectorRoute(policies={x: b})"),
    ({"type": "PrefixSelectorRoute", "policies": {"x": "b"}, "wildcard": "a"},
     "PrefixSelectorRoute(policies={x: b}, wildcard=a)"),
    ({"type": "OperationSelectorRoute", "operationPolicies": {"set": "AllSyncRoute", "get": "a"}},
     "OperationSelectorRoute(default_policy=DefaultRoute(a, b), "
     "operation_policies={set: AllSyncRoute(a, b), get: a})"),
    ({"type": "OperationSelectorRoute", "operation_policies": {"get": "a"}, "default_policy": "NullRoute"},
     "OperationSelectorRoute(default_policy=NullRoute(), operation_policies={get: a})"),
    (all_sync({"name": "x", "type": "AllFastestRoute"}, "x"), "AllSyncRoute(AllFastestRoute(a, b), AllFastestRoute(a, b))"),
    ("PoolRoute|P", "HashRoute(b, c)"),
    ("AllSyncRoute|Pool|P", "AllSyncRoute(b, c)"),
]  # fmt: skip


@pytest.mark.parametrize(("route", "expected"), SEED)
def test_with_an_ordered_pool(route, expected):
    """Children are the pool's hosts where nothing is said, and hosts are named by their texts."""
    config = load_config(json.dumps({"orderedPool": ["a", "b"], "pools": {"P": {"servers": ["b", "c"]}}, "route": route}))
    assert sketch(config) == expected


# YAML and JSON alike ------------------------------------------------------------------------------------------------

JSON = """
{
  // a replicated pool and its gutter
  "pools": {
    "A": {"servers": ["10.0.0.1:11211", "[::1]:11212:ascii"], "server_timeout": 250, "weights": [1, 0.5]},
    "gutter": {"inherit": "A", "servers": ["unix:/run/g.sock"], "keep_routing_prefix": true,},
  },
  "named_handles": [{"name": "all", "type": "AllSyncRoute", "children": ["Pool|A", "Pool|gutter"]}],
  "routes": [
    {"aliases": ["/././", "/a/a/"], "route": {
      "type": "OperationSelectorRoute",
      "default_policy": {"type": "PoolRoute", "pool": "A", "hash": {"hash_func": "Crc32", "salt": "x"}, "comment": "why"},
      "operation_policies": {"set": "all", "delete": "all"}
    }},
    {"aliases": ["/b/b/"], "route": "ErrorRoute|no such cluster"}
  ]
}
"""
YAML = """
# a replicated pool and its gutter
pools:
  A:
    servers:
      - 10.0.0.1:11211
      - "[::1]:11212:ascii"
    server_timeout: 250
    weights: [1, 0.5]
  gutter: {inherit: A, servers: ["unix:/run/g.sock"], keep_routing_prefix: true}
named_handles:
  - name: all
    type: AllSyncRoute
    children: [Pool|A, Pool|gutter]
routes:
  - aliases: [/././, /a/a/]
    route:
      type: OperationSelectorRoute
      default_policy:
        type: PoolRoute
        pool: A
        hash: {hash_func: Crc32, salt: x}
        comment: why
      operation_policies: {set: all, delete: all}
  - aliases: [/b/b/]
    route: ErrorRoute|no such cluster
"""


def test_yaml_and_json_alike():
    configs = [load_config(text, "f") for text in (JSON, YAML)]
    assert sketch(configs[0], log=True) == sketch(configs[1], log=True)
    for what in ("hosts", "route", "timeouts", "ordered_pool_form"):
        assert getattr(configs[0], what) == getattr(configs[1], what)
    assert [(spec.type, spec.args) for spec in configs[0].routes] == [(spec.type, spec.args) for spec in configs[1].routes]
    for config in configs:
        (warning,) = config.warnings
        assert warning.split(": ", 1)[1] == "the option 'comment' of PoolRoute has no effect here"
