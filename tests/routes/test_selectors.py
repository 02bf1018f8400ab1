"""OperationSelectorRoute, PrefixSelectorRoute and RootRoute: the tables of their docstrings."""

import json

import pytest

from mcrouter.config import parse
from mcrouter.config.schema import check
from mcrouter.proto import outcomes as o
from mcrouter.routes import selectors
from mcrouter.routes.framework.renamed import prefix_of
from mcrouter.server.configs.reading import VOCABULARY

from .samples import DATA
from .script import MISS, STORED, Host, block, hit, request
from .world import World

POOLS = {name: {"servers": [f"{name}:1"]} for name in "abcdx"}


def world_of(route, **more):
    """Pools of one host each."""
    return World({"pools": POOLS, "route": route, **more})


def who(world, data):
    """The hosts that are asked."""
    world.ask(data)
    return "".join(sorted(name[0] for name in world.asked()))


def test_so_many_prefixes_are_remembered(monkeypatch):
    monkeypatch.setattr(selectors, "_REMEMBERED", 3)
    world = World({"pools": POOLS, "routes": {"/././": "PoolRoute|a"}})
    root, sizes = world.route(b"get"), []
    for number in range(8):
        world.ask(b"get /x/%d/k\r\n" % number)
        sizes.append(len(root._found))
    assert sizes == [1, 2, 3, 1, 2, 3, 1, 2]


PREFIXES_OF = {
    b"/a/b/k": b"/a/b/", b"/a/b/c/k": b"/a/b/", b"/a/b//": b"/a/b/", b"/a//k": b"/a//", b"//b/k": b"//b/", b"///k": b"///",
    b"/a/b/": b"", b"/a/b": b"", b"/a/": b"", b"/a": b"", b"/": b"", b"//": b"", b"///": b"", b"": b"", b"k": b"", b"a/b/c/k": b"",
    b" /a/b/k": b"",
}  # fmt: skip


@pytest.mark.parametrize("key", PREFIXES_OF)
def test_the_routing_prefix_of_a_key(key):
    """All up to the third slash, if a slash is first and something follows the third."""
    assert prefix_of(key) == PREFIXES_OF[key]


# by command ---------------------------------------------------------------------------------------------------------

SELECTORS = [
    # operation_policies, default_policy, who serves what: all others go to x
    ({}, "x", {}),
    ({"get": "a"}, "x", {"get": "a", "mg": "a", "me": "a"}),
    ({"gets": "a"}, "x", {"gets": "a"}),
    ({"gat": "a", "gats": "b"}, "x", {"gat": "a", "gats": "b"}),
    ({"set": "a", "delete": "b"}, "x", {"set": "a", "ms": "a", "delete": "b", "md": "b"}),
    ({"get": "a", "mg": "b"}, "x", {"get": "a", "mg": "b", "me": "a"}),
    ({"get": "a", "me": "b", "ms": "c"}, "x", {"get": "a", "mg": "a", "me": "b", "ms": "c"}),
    ({"incr": "a", "decr": "b"}, "x", {"incr": "a", "ma": "a", "decr": "b"}),
    (dict.fromkeys(("add", "replace", "append", "prepend", "cas", "touch"), "a"), "x",
     dict.fromkeys(("add", "replace", "append", "prepend", "cas", "touch"), "a")),
]  # fmt: skip


def selector(policies, default):
    """An OperationSelectorRoute to pools."""
    made = {"type": "OperationSelectorRoute", "operation_policies": {k: f"PoolRoute|{v}" for k, v in policies.items()}}
    return {**made, "default_policy": f"PoolRoute|{default}"} if default else made


@pytest.mark.parametrize(("policies", "default", "expected"), SELECTORS)
def test_operation_selector(policies, default, expected):
    """A command's own policy, else that of the command it is like, else the default."""
    world = world_of(selector(policies, default))
    assert {name: who(world, data) for name, data in DATA.items()} == {name: expected.get(name, "x") for name in DATA}


def test_operation_selector_without_a_default():
    world = world_of(selector({"get": "a"}, None))
    line = b"SERVER_ERROR OperationSelectorRoute: no policy for this command, and no default_policy\r\n"
    served = [name for name, data in DATA.items() if world.answer(data) != (line, o.LOCAL)]
    assert served == ["get", "mg", "me"]
    assert set(world.asked()) == {"a:1"}


def test_operation_selectors_in_each_other():
    inner = selector({"get": "a", "set": "b"}, "c")
    route = {"type": "OperationSelectorRoute", "operation_policies": {"get": inner, "delete": inner}, "default_policy": "PoolRoute|x"}
    world = world_of(route)
    assert {name: who(world, DATA[name]) for name in ("get", "mg", "set", "delete", "md", "incr")} == {
        "get": "a", "mg": "a", "set": "x", "delete": "c", "md": "c", "incr": "x",
    }  # fmt: skip


def test_an_error_of_a_selector_is_one_that_others_fail_over_from():
    world = world_of({"type": "AllFastestRoute", "children": [selector({"get": "a"}, None), "PoolRoute|b"]})
    assert world.answer(DATA["set"]) == STORED


# by the beginning of the key ----------------------------------------------------------------------------------------

PREFIXED = {"type": "PrefixSelectorRoute", "policies": {"a": "PoolRoute|a", "ab": "PoolRoute|b", "cd:": "PoolRoute|c"}}
NO_PREFIX = (b"SERVER_ERROR PrefixSelectorRoute: no prefix matches, and there is no wildcard\r\n", o.LOCAL)
KEYS = [
    (b"a", "a"), (b"aa", "a"), (b"ab", "b"), (b"abc", "b"), (b"ac", "a"), (b"cd:", "c"), (b"cd:x", "c"),
    (b"cd", "x"), (b"c", "x"), (b"b", "x"), (b"A", "x"), (b"xab", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "expected"), KEYS)
def test_prefix_selector(key, expected):
    """The longest prefix; without any, the wildcard, or an error."""
    world = world_of({**PREFIXED, "wildcard": "PoolRoute|x"})
    for data in DATA.values():
        assert who(world, data.replace(b" k", b" " + key, 1)) == expected
    world = world_of(PREFIXED)
    if expected == "x":
        assert world.answer(b"get %b\r\n" % key) == NO_PREFIX
        assert world.asked() == {}
    else:
        assert who(world, b"get %b\r\n" % key) == expected


def test_prefix_selector_with_the_empty_prefix():
    world = world_of({"type": "PrefixSelectorRoute", "policies": {"": "PoolRoute|a", "b": "PoolRoute|b"}})
    assert [who(world, b"get %b\r\n" % key) for key in (b"a", b"b", b"c")] == ["a", "b", "a"]


def test_prefix_selector_divides_a_get_of_several():
    world = world_of({**PREFIXED, "wildcard": "PoolRoute|x"})
    world.hosts["a:1"].values[b"a1"] = b"1"
    world.hosts["b:1"].values[b"ab2"] = b"2"
    world.hosts["x:1"].values[b"z"] = b"3"
    reply, outcome = world.answer(b"get z ab2 a1 a2\r\n")
    assert (reply, outcome) == (block(b"z", b"3") + block(b"ab2", b"2") + block(b"a1", b"1") + b"END\r\n", o.PARTIAL)
    assert world.asked() == {"a:1": [b"get a1 a2\r\n"], "b:1": [b"get ab2\r\n"], "x:1": [b"get z\r\n"]}


# by the routing prefix ----------------------------------------------------------------------------------------------

ROUTES = {"/a/a/": "PoolRoute|a", "/a/b/": "PoolRoute|b", "/c/c/": "PoolRoute|c", "/c/fallback/": "PoolRoute|d"}
NO_ROUTE = b"SERVER_ERROR RootRoute: No rh found\r\n"
ROOT = [
    # key, who is asked, and the key that they see
    (b"k", "a", b"k"),
    (b"/a/a/k", "a", b"k"),
    (b"/a/b/k", "b", b"k"),
    (b"/c/c/k", "c", b"k"),
    (b"/a/b/k/l/", "b", b"k/l/"),
    (b"/a/b//a/a/k", "b", b"/a/a/k"),
    # what is no prefix is part of the key
    (b"/k", "a", b"/k"),
    (b"/a/b", "a", b"/a/b"),
    (b"/a/b/", "a", b"/a/b/"),
    (b"a/b/k", "a", b"a/b/k"),
    # patterns
    (b"/*/*/k", "abcd", b"k"),
    (b"/a/*/k", "ab", b"k"),
    (b"/*/b/k", "b", b"k"),
    (b"/*/fall*/k", "d", b"k"),
    (b"/*a*/*/k", "ab", b"k"),
    (b"/c/*/k", "cd", b"k"),
    (b"/z/*/k", "", None),
    (b"/?/*/k", "", None),
    (b"/[a]/*/k", "", None),
    # a cluster that there is not
    (b"/c/x/k", "d", b"k"),
    (b"/a/x/k", "", None),
    (b"/x/x/k", "", None),
]


def rooted(routes=ROUTES, default="/a/a/", pools=POOLS, hosts=None, **context):
    """A config with routes by prefix, and the default that --route-prefix names."""
    config = check(parse(json.dumps({"pools": pools, "routes": routes}), "f"), "f", VOCABULARY, default)
    return World(config, hosts, **context)


@pytest.mark.parametrize(("key", "expected", "seen"), ROOT)
@pytest.mark.parametrize("name", DATA)
def test_root(key, expected, seen, name):
    world = rooted()
    sink = world.ask(DATA[name].replace(b" k", b" " + key, 1))
    asked = world.asked()
    assert "".join(sorted(host[0] for host in asked)) == expected
    if expected:
        assert all(requests == [DATA[name].replace(b" k", b" " + seen, 1)] for requests in asked.values())
    else:
        assert sink.got == (NO_ROUTE, o.UNAVAILABLE)


@pytest.mark.parametrize("key", [b"/a/x/k", b"/z/*/k"])
def test_invalid_prefixes_to_the_default(key):
    world = rooted(invalid_to_default=True)
    assert who(world, b"set %b 0 0 1\r\nx\r\n" % key) == "a"


def test_what_names_no_key_goes_by_the_default():
    world = rooted()
    root = world.route(b"get")
    remark, branches = root.describe(request(b"mn\r\n"))
    assert (remark, len(branches)) == ("", 1)
    assert branches[0] == root.describe(request(b"get k\r\n"))[1][0]


PATTERNS = [(b"/*/*/k", "a:1"), (b"/a/*/k", "a:1"), (b"/c/*/k", "c:1"), (b"/*/b/k", "b:1")]


@pytest.mark.parametrize("default", ["/a/a/", "/a/b/", "/c/c/"])
def test_of_all_that_a_pattern_selects_the_default_is_first(default):
    world = rooted(default=default)
    root = world.route(b"get")
    for key, all_of in ((b"/*/*/k", 4), (b"/a/*/k", 2)):
        branches = root.describe(request(b"get %b\r\n" % key))[1]
        assert len(branches) == all_of
        if default.startswith(key[:2].decode()) or all_of == 4:
            assert branches[0][1] is root.describe(request(b"get k\r\n"))[1][0][1]


@pytest.mark.parametrize(("key", "counts"), PATTERNS)
def test_of_a_pattern_the_default_answers_or_else_the_first(key, counts):
    data = b"set %b 0 0 1\r\nx\r\n" % key
    hosts = {f"{name}:1": Host(f"{name}:1", holds=True) for name in "abcd"}
    world = rooted(hosts=hosts)
    sink = world.ask(data)
    asked = [host for host in hosts.values() if host.asked]
    for host in asked:
        if host.name != counts:
            host.fail()
    assert sink.got is None
    hosts[counts].answer()
    assert sink.got == STORED


def test_an_answer_names_the_key_as_the_client_did():
    world = rooted()
    world.hosts["b:1"].values[b"k"] = b"1"
    assert world.answer(b"get /a/b/k\r\n") == hit(b"/a/b/k", b"1")
    assert world.answer(b"gets /a/b/k /a/b/l\r\n")[1] == o.PARTIAL


def test_a_get_of_keys_with_several_prefixes():
    world = rooted()
    world.hosts["a:1"].values.update({b"k": b"1", b"m": b"4"})
    world.hosts["b:1"].values.update({b"k": b"2"})
    world.hosts["c:1"].values.update({b"k": b"3"})
    keys = [b"/c/c/k", b"k", b"/a/b/l", b"/a/b/k", b"/a/a/m"]
    found = [(b"/c/c/k", b"3"), (b"k", b"1"), (b"/a/b/k", b"2"), (b"/a/a/m", b"4")]
    expected = b"".join(block(*one) for one in found) + b"END\r\n"
    assert world.answer(b"get %b\r\n" % b" ".join(keys)) == (expected, o.PARTIAL)
    assert world.asked() == {
        "a:1": [b"get k\r\n", b"get m\r\n"], "b:1": [b"get l k\r\n"], "c:1": [b"get k\r\n"],
    }  # fmt: skip


def test_a_get_of_keys_one_of_which_has_no_route():
    world = rooted()
    world.hosts["a:1"].values[b"k"] = b"1"
    assert world.answer(b"get k /x/x/k\r\n") == (hit(b"k", b"1")[0], o.PARTIAL)
    assert world.answer(b"get l /x/x/k\r\n") == (NO_ROUTE, o.UNAVAILABLE)


def test_the_base64_of_a_meta_key_is_no_prefix():
    """/c/c/abc would be one; what it stands for is not."""
    world = rooted()
    assert who(world, b"mg /c/c/abc b v\r\n") == "a"
    assert who(world, b"mg L2EvYi9r b v\r\n") == "b"  # /a/b/k


BACKLOG = {"a": {"servers": ["a:1"], "keep_routing_prefix": True}, "b": {"servers": ["b:1"]}, "c": {"servers": ["c:1", "d:1"]}}
KEEPS = {"/a/a/": "PoolRoute|a", "/a/b/": "PoolRoute|b", "/c/c/": "HashRoute|Pool|c", "/a/d/": "AllSyncRoute|Pool|c"}
KEEPING = [
    (b"k", {"a:1": b"k"}),
    (b"/a/a/k", {"a:1": b"/a/a/k"}),
    (b"/a/b/k", {"b:1": b"k"}),
    (b"/a/d/k", {"c:1": b"k", "d:1": b"k"}),
    (b"/*/a/k", {"a:1": b"/*/a/k"}),
    (b"/a/*/k", {"a:1": b"/a/*/k", "b:1": b"k", "c:1": b"k", "d:1": b"k"}),
]


@pytest.mark.parametrize(("key", "expected"), KEEPING)
def test_keep_routing_prefix(key, expected):
    """The hosts of such a pool see the whole key, those of others what is behind the prefix."""
    world = rooted(KEEPS, pools=BACKLOG)
    world.ask(b"set %b 0 0 1\r\nx\r\n" % key)
    assert world.asked() == {host: [b"set %b 0 0 1\r\nx\r\n" % seen] for host, seen in expected.items()}


def test_keys_hash_alike_with_and_without_a_prefix_that_is_kept():
    for number in range(20):
        for pools in (BACKLOG, {**BACKLOG, "a": {"servers": ["a:1"]}}):
            world = rooted(KEEPS, pools=pools)
            world.ask(b"get /c/c/k%d\r\n" % number)
            kept = world.asked()
            plain = World({"pools": BACKLOG, "route": "PoolRoute|c"})
            plain.ask(b"get k%d\r\n" % number)
            assert kept == plain.asked()


def test_answers_of_hosts_that_see_the_prefix():
    world = rooted(KEEPS, pools=BACKLOG)
    world.hosts["a:1"].values[b"/a/a/k"] = b"1"
    world.hosts["b:1"].values[b"k"] = b"2"
    expected = block(b"/a/b/k", b"2") + block(b"/a/a/k", b"1") + b"END\r\n"
    assert world.answer(b"get /a/b/k /a/a/k\r\n") == (expected, o.VALUE)
    assert world.answer(b"get l\r\n") == MISS
