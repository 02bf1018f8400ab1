"""HashRoute: which child a key takes, gets of several keys, failures, and what is hashed."""

import zlib

import pytest

from mcrouter.config import ConfigError
from mcrouter.hashing import HASHES
from mcrouter.proto import outcomes as o

from .samples import DATA
from .script import MISS, STORED, Host, block, hit, request
from .world import World

HOSTS = ["a:1", "b:1", "c:1"]


def crc(key, count=3):
    """Crc32's choice (facebook/mcrouter: the CRC without its highest bit, modulo the number of children)."""
    return (zlib.crc32(key) & 0x7FFFFFFF) % count


KEYS = {host: [b"k%d" % i for i in range(100) if crc(b"k%d" % i) == place] for place, host in enumerate(HOSTS)}
A, B, C = ([*KEYS[host]] for host in HOSTS)


def world_of(hosts=None, **options):
    """Three hosts behind Crc32."""
    return World({"pools": {"A": {"servers": HOSTS}}, "route": {"type": "PoolRoute", "pool": "A", "hash": "Crc32", **options}},
                 hosts)  # fmt: skip


@pytest.mark.parametrize("name", DATA)
def test_the_keys_child_is_asked(name):
    world = world_of()
    for host in HOSTS:
        for key in KEYS[host][:3]:
            data = DATA[name].replace(b" k", b" " + key, 1)
            world.ask(data)
            assert world.asked() == {host: [data]}


@pytest.mark.parametrize("code", [o.TIMEOUT, o.UNAVAILABLE, o.SERVER_ERROR])
def test_a_failure_is_the_answer(code):
    """Keys do not move to other children by themselves."""
    hosts = {host: Host(host, holds=True) for host in HOSTS}
    world = world_of(hosts)
    sink = world.ask(b"set %b 0 0 1\r\nx\r\n" % B[0])
    hosts["b:1"].fail(code)
    assert sink.got == hosts["b:1"].failure(code)
    assert [host for host, asked in world.asked().items() if asked] == ["b:1"]


def test_an_unhealthy_child_keeps_its_keys():
    world = world_of()
    world.set_health("b:1", False)
    assert world.answer(b"get %b\r\n" % B[0]) == (b"SERVER_ERROR mcrouter: b:1: it is unhealthy\r\n", o.TKO)
    assert world.answer(b"get %b\r\n" % A[0]) == MISS
    assert set(world.asked()) == {"a:1"}


GETS = [
    # keys of the request, keys that are there, keys each host is asked for
    ([A[0]], [A[0]], {"a:1": [A[0]]}),
    ([A[0], A[1]], [A[1]], {"a:1": [A[0], A[1]]}),
    ([A[0], B[0]], [A[0], B[0]], {"a:1": [A[0]], "b:1": [B[0]]}),
    ([B[0], A[0]], [A[0]], {"a:1": [A[0]], "b:1": [B[0]]}),
    ([A[0], B[0], C[0]], [A[0], B[0], C[0]], {"a:1": [A[0]], "b:1": [B[0]], "c:1": [C[0]]}),
    ([C[0], A[0], C[1], B[0], A[1]], [C[1], A[1], A[0]], {"c:1": [C[0], C[1]], "a:1": [A[0], A[1]], "b:1": [B[0]]}),
    ([B[0], A[0], B[0]], [A[0], B[0]], {"b:1": [B[0]], "a:1": [A[0]]}),
    ([B[0], A[0], B[0]], [], {"b:1": [B[0]], "a:1": [A[0]]}),
]


@pytest.mark.parametrize(("keys", "there", "asked"), GETS)
@pytest.mark.parametrize("verb", [b"get", b"gets", b"gat 10", b"gats 10"])
def test_a_get_of_several(keys, there, asked, verb):
    """Each host is asked once, for all of its keys; what they have comes in the request's order."""
    world = world_of()
    for host in HOSTS:
        world.hosts[host].values.update({key: b"v" + key for key in there if key in KEYS[host]})
    found = [block(key, b"v" + key) for key in keys if key in there]
    outcome = o.MISS if not found else o.VALUE if len(found) == len(keys) else o.PARTIAL
    assert world.answer(b"%b %b\r\n" % (verb, b" ".join(keys))) == (b"".join(found) + b"END\r\n", outcome)
    assert world.asked() == {host: [b"%b %b\r\n" % (verb, b" ".join(its))] for host, its in asked.items()}


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_the_order_of_answers_does_not_matter(order):
    hosts = {host: Host(host, {KEYS[host][0]: host.encode()}, holds=True) for host in HOSTS}
    world = world_of(hosts)
    sink = world.ask(b"get %b %b %b\r\n" % (C[0], A[0], B[0]))
    for name in order:
        assert sink.got is None
        hosts[f"{name}:1"].answer()
    expected = block(C[0], b"c:1") + block(A[0], b"a:1") + block(B[0], b"b:1") + b"END\r\n"
    assert sink.got == (expected, o.VALUE)


FAILING = [
    # who fails, what the others have, the answer: the hits, or else the error of the one that failed last
    ("a", "bc", [B[0], C[0]], o.PARTIAL),
    ("ab", "c", [C[0]], o.PARTIAL),
    ("a", "", "a", o.TIMEOUT),
    ("ac", "", "c", o.TIMEOUT),
    ("abc", "", "c", o.TIMEOUT),
]


@pytest.mark.parametrize(("failing", "having", "expected", "outcome"), FAILING)
def test_a_get_of_several_where_some_fail(failing, having, expected, outcome):
    hosts = {host: Host(host, {KEYS[host][0]: b"x"} if host[0] in having else {}, holds=True) for host in HOSTS}
    sink = world_of(hosts).ask(b"get %b %b %b\r\n" % (A[0], B[0], C[0]))
    for name, host in hosts.items():
        host.fail() if name[0] in failing else host.answer()
    if isinstance(expected, str):
        assert sink.got == hosts[f"{expected}:1"].failure()
    else:
        assert sink.got == (b"".join(block(key, b"x") for key in expected) + b"END\r\n", outcome)


HASHED = [
    # two keys that must take the same child
    (b"get k7|#|x\r\n", b"get k7\r\n"),
    (b"get k7|#|\r\n", b"get k7|#|y|#|z\r\n"),
    (b"set k7|#|x 0 0 1\r\nx\r\n", b"delete k7\r\n"),
    (b"mg k7 v\r\n", b"get k7\r\n"),
    (b"mg azc= b v\r\n", b"get k7\r\n"),
    (b"ms azc= 1 b\r\nx\r\n", b"set k7 0 0 1\r\nx\r\n"),
    (b"md azc= b\r\n", b"delete k7\r\n"),
    (b"ma azc= b\r\n", b"incr k7 1\r\n"),
]


@pytest.mark.parametrize(("data", "other"), HASHED)
def test_what_is_hashed(data, other):
    """The key up to |#|, and what the base64 of a meta command stands for."""
    world = world_of()
    asked = []
    for one in (data, other):
        world.ask(one)
        asked.append(list(world.asked()))
    assert asked[0] == asked[1] == [HOSTS[crc(b"k7")]]


def test_a_hash_stop_is_not_cut_off():
    world = world_of()
    world.ask(b"get k7|#|x\r\n")
    assert world.asked() == {HOSTS[crc(b"k7")]: [b"get k7|#|x\r\n"]}


@pytest.mark.parametrize("name", HASHES)
def test_every_hash_can_be_named(name):
    weights = {"weights": [1, 1, 1]} if name.startswith("Weighted") else {}
    world = world_of(hash={"hash_func": name, **weights})
    for i in range(20):
        key = b"k%d" % i
        for _ in range(2):
            world.ask(b"get %b\r\n" % key)
        (asked,) = world.asked().values()
        assert asked == [b"get %b\r\n" % key] * 2


UNSUITED = [  # options that do not fit the hash function, or three children
    ({"hash_func": "WeightedCh3", "weights": [2, 1, 1]}, "a weight of WeightedCh3 is not from 0 to 1; write a number such as 0.5"),
    ({"hash_func": "ketama", "weights": [0.5, 1, 1]}, "a weight is not a whole number above 0; write 1, 2, 3 ..."),
    ({"hash_func": "modula", "weights": [0, 1, 1]}, "a weight is not a whole number above 0; write 1, 2, 3 ..."),
    ({"hash_func": "ketama", "tags": ["a"], "weights": [1, 1, 1]}, "1 tags for 3 children; give one for each"),
    ({"hash_func": "ketama", "tags": ["a"]}, "1 tags for 3 children; give one for each"),
    ({"hash_func": "Rendezvous", "tags": ["a", "b"]}, "2 tags for 3 children; give one for each"),
    ({"hash_func": "Rendezvous", "tags": ["a", "b", "c", "d"]}, "4 tags for 3 children; give one for each"),
]


@pytest.mark.parametrize(("options", "error"), UNSUITED)
def test_what_does_not_fit_is_an_error_of_the_config(options, error):
    with pytest.raises(ConfigError) as caught:
        World({"pools": {"A": {"servers": HOSTS}}, "route": {"type": "HashRoute", "children": "Pool|A", **options}})
    assert caught.value.message == error


@pytest.mark.parametrize("options", [{"tags": ["a", "b"]}, {"hash_func": "ketama", "key_hash": "md5"}, {"hash_func": "Latest", "weights": [1]}])
def test_options_that_one_child_or_none_does_not_need(options):
    for servers in ([], ["a:1"]):
        World({"pools": {"A": {"servers": servers}}, "route": {"type": "HashRoute", "children": "Pool|A", **options}})


EMPTY = [
    ("PoolRoute|E", (b"SERVER_ERROR HashRoute with empty children, name: E\r\n", o.LOCAL)),
    ("HashRoute|Pool|E", (b"SERVER_ERROR HashRoute with empty children\r\n", o.LOCAL)),
    ({"type": "HashRoute", "children": [], "name": "h"}, (b"SERVER_ERROR HashRoute with empty children, name: h\r\n", o.LOCAL)),
    ({"type": "HashRoute", "children": "", "error_on_empty": False}, MISS),
    ("PoolRoute|N", MISS),
]


@pytest.mark.parametrize(("route", "expected"), EMPTY)
def test_no_children(route, expected):
    world = World({"pools": {"E": {"servers": []}, "N": {"servers": [], "error_on_empty": False}}, "route": route})
    assert world.answer(b"get k\r\n") == expected


def test_one_child_is_that_child():
    world = World({"pools": {"A": {"servers": ["a:1"]}}, "route": "PoolRoute|A"})
    assert [type(way).__name__ for way in world.route(b"get").routes()] == ["HostRoute"]
    assert world.answer(b"set k 0 0 1\r\nx\r\n") == STORED


def test_hashes_in_hashes():
    pools = {"A": {"servers": ["a:1", "b:1"]}, "B": {"servers": ["c:1", "d:1"]}}
    route = {"type": "HashRoute", "hash": "Crc32", "children": [
        {"type": "PoolRoute", "pool": name, "hash": "Crc32"} for name in pools]}  # fmt: skip
    world = World({"pools": pools, "route": route})
    keys = [b"k%d" % i for i in range(20)]
    for name in "abcd":
        world.hosts[f"{name}:1"].values.update({key: name.encode() for key in keys})
    reply, outcome = world.answer(b"get %b\r\n" % b" ".join(keys))
    owners = [(b"a", b"d")[crc(key, 2)] for key in keys]  # the same choice on both levels
    assert (reply, outcome) == (b"".join(map(block, keys, owners)) + b"END\r\n", o.VALUE)


def test_with_an_ordered_pool():
    world = World({"orderedPool": HOSTS, "route": {"type": "HashRoute", "hash_func": "Crc32"}})
    world.hosts["b:1"].values[B[0]] = b"1"
    assert world.answer(b"get %b\r\n" % B[0]) == hit(B[0], b"1")
    assert set(world.asked()) == {"b:1"}


def test_it_says_what_it_does():
    world = world_of()
    route = next(iter(world.route(b"get").routes()))
    remark, branches = route.describe(request(b"get k7|#|x\r\n"))
    assert remark == f"Crc32(k7) = {crc(b'k7')} of 3"
    assert [branch.host.name for _, branch in branches] == [HOSTS[crc(b"k7")]]


@pytest.mark.parametrize("number", range(6))
def test_with_an_ordered_pool_a_routing_prefix_is_part_of_the_key(number):
    world = World({"orderedPool": HOSTS, "route": {"type": "HashRoute", "hash_func": "Crc32"}})
    key = b"/a/b/k%d" % number
    world.ask(b"get %b\r\n" % key)
    assert list(world.asked()) == [HOSTS[crc(key)]]


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("keeps", [False, True])
def test_a_routing_prefix_is_not_hashed(number, keeps):
    world = World({"pools": {"A": {"servers": HOSTS, "keep_routing_prefix": keeps}}, "routes": {"/././": "PoolRoute|A", "/a/b/": {
        "type": "PoolRoute", "pool": "A", "hash": "Crc32"}}})  # fmt: skip
    key = b"k%d" % number
    world.ask(b"get /a/b/%b\r\n" % key)
    assert world.asked() == {HOSTS[crc(key)]: [b"get %b%b\r\n" % (b"/a/b/" if keeps else b"", key)]}
