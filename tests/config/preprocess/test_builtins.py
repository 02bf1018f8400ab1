"""Every built-in: what it gives, called in a text and as a map."""

import itertools
import json
import socket

import pytest

from mcrouter.config import ConfigError
from mcrouter.config.preprocess import limits
from mcrouter.config.preprocess.builtins import hashes
from mcrouter.config.preprocess.builtins.shuffle import shuffled
from mcrouter.config.preprocess.builtins.table import BUILTINS
from mcrouter.hashing.spooky import hash64

from .expanding import value_of

LEAST = -(2**63)
DIVIDED = [  # a, b, the quotient and the remainder, as in C
    (7, 3, 2, 1), (-7, 3, -2, -1), (7, -3, -2, 1), (-7, -3, 2, -1), (6, 3, 2, 0), (-6, 3, -2, 0), (6, -3, -2, 0), (0, 3, 0, 0),
    (0, -3, 0, 0), (7, 100, 0, 7), (-7, 100, 0, -7), (7, -100, 0, 7), (1, 1, 1, 0), (2**62 + 1, 2, 2**61, 1), (LEAST, 1, LEAST, 0),
]  # fmt: skip

CASES = {
    "int": [
        ("@int(5)", 5),
        ("@int( -1 )", -1),
        ("@int(@double(2.0))", 2),
        ("@int(@bool(true))", 1),
        (f"@int({LEAST})", LEAST),
    ],
    "double": [("@double(5.1)", 5.1), ("@double(@int(2))", 2.0), ("@double(1e3)", 1000.0), ("@double(.5)", 0.5),
        (f"@double(1.{'0' * 298})", 1.0),  # 300 characters: as many as a number may have
    ],
    "str": [
        ("@str(@int(5))", "5"),
        ("@str(@double(5.25))", "5.25"),
        ("@str(@double(5))", "5"),
        ("@str(@double(999999999999999))", "999999999999999"),
        ("@str(@double(1000000000000000))", "1000000000000000.0"),
        ("@str(a)", "a"),
        ("@str(%on%)", "1"),
        ("@str(@bool(no))", "0"),
    ],
    "bool": [
        *[(f"@bool({word})", True) for word in ("true", "1", "Y", "on", "T", "yes")],
        *[(f"@bool({word})", False) for word in ("false", "0", "n", "off", "f", "No")],
        ("@bool(@int(0))", False),
        ("@bool(@double(1))", True),
        ("@bool(%on%)", True),
    ],
    "isBool": [("@isBool(%on%)", True), ("@isBool(true)", False), ("@isBool(@int(1))", False)],
    "isInt": [("@isInt(@int(1))", True), ("@isInt(1)", False), ("@isInt(%on%)", False), ("@isInt(%hosts%)", False)],
    "isDouble": [("@isDouble(@double(1))", True), ("@isDouble(@int(1))", False)],
    "isString": [("@isString()", True), ("@isString(%on%)", False)],
    "isArray": [("@isArray(%hosts%)", True), ("@isArray(%options%)", False)],
    "isObject": [("@isObject(%options%)", True), ("@isObject(a)", False)],
    "if": [
        ("@if(%on%, a, @fail(oops))", "a"),
        ("@if(@bool(0), @fail(oops), %hosts%)", ["a:1", "b:1"]),
        ({"type": "if", "condition": True, "is_true": {"a": "%num-proxies%"}, "is_false": "@fail(oops)"}, {"a": 4}),
    ],
    "and": [
        ("@and(%on%,%on%)", True),
        ("@and(%on%,@bool(0))", False),
        ("@and(@bool(0),@fail(oops))", False),
    ],
    "or": [("@or(@bool(0),@bool(0))", False), ("@or(@bool(0),%on%)", True), ("@or(%on%,@fail(oops))", True)],
    "not": [("@not(%on%)", False), ("@not(@bool(0))", True)],
    "equals": [
        ("@equals(a,a)", True),
        ("@equals(1,@int(1))", False),
        ("@equals(@int(1),@double(1))", True),
        ("@equals(@int(1),%on%)", False),
        ({"type": "equals", "A": {"a": 1, "b": [None]}, "B": {"b": [None], "a": 1.0}}, True),
        ({"type": "equals", "A": {"a": 1}, "B": {"b": 1}}, False),
        ({"type": "equals", "A": {"a": 1}, "B": {"a": 2}}, False),
        ({"type": "equals", "A": {"a": 1}, "B": {}}, False),
        ({"type": "equals", "A": [1], "B": [1, 2]}, False),
        ({"type": "equals", "A": [1, 2], "B": [1, 3]}, False),
        ({"type": "equals", "A": [1, 2], "B": [1, 2.0]}, True),
        ({"type": "equals", "A": [], "B": {}}, False),
    ],
    "less": [
        ("@less(bcd,abcd)", False),
        ("@less(a,b)", True),
        ("@less(@int(9),@int(10))", True),
        ("@less(9,10)", False),
        ("@less(@int(99),1)", True),
        ("@less(@int(1),@double(1.5))", True),
        ("@less(%on%,@int(0))", True),
        ({"type": "less", "A": None, "B": []}, True),
        ({"type": "less", "A": [1, 2], "B": [1, 2, 0]}, True),
    ],
    "contains": [
        ("@contains(abacaba,aca)", True),
        ("@contains(abacaba,ada)", False),
        ("@contains(%hosts%,a:1)", True),
        ("@contains(%hosts%,a)", False),
        ("@contains(%options%,deep)", True),
        ("@contains(%options%,shallow)", False),
        ({"type": "contains", "dictionary": [[1], 2], "key": [1]}, True),
    ],
    "empty": [
        ("@empty()", True),
        ("@empty(a)", False),
        ("@empty(%hosts%)", False),
        ({"type": "empty", "dictionary": {}}, True),
        ({"type": "empty", "dictionary": []}, True),
    ],
    "define": [
        ({"type": "define", "vars": {"A": "B"}, "result": ["%A%"]}, ["B"]),
        ({"type": "define", "vars": {"a": "%b%1", "b": "%c%2", "c": "3"}, "result": "%a%"}, "321"),
        ("@define(a)", "a"),
    ],
    "defined": [
        ("@defined(default-region)", True),
        ("@defined(default-regions)", False),
        ({"type": "define", "vars": {"A": 1}, "result": "@defined(A)"}, True),
        ({"type": "if", "condition": "@defined(a)", "vars": {"a": 1}, "is_true": 1, "is_false": 2}, 1),
    ],
    "fail": [("@if(%on%,a,@fail(oops))", "a")],
    "add": [("@add(@int(2),@int(-3))", -1), (f"@add(@int({2**63 - 2}),@int(1))", 2**63 - 1), (f"@add(@int({LEAST + 1}),@int(-1))", LEAST), ({"type": "add", "A": 1, "B": 2}, 3)],
    "sub": [("@sub(@int(2),@int(-3))", 5)],
    "mul": [("@mul(@int(2),@int(-3))", -6)],
    "div": [(f"@div(@int({a}),@int({b}))", quotient) for a, b, quotient, _ in DIVIDED],
    "mod": [(f"@mod(@int({a}),@int({b}))", remainder) for a, b, _, remainder in DIVIDED],
    "bitwiseAnd": [("@bitwiseAnd(@int(12),@int(10))", 8)],
    "bitwiseOr": [("@bitwiseOr(@int(12),@int(10))", 14)],
    "bitwiseXor": [("@bitwiseXor(@int(12),@int(10))", 6)],
    "bitwiseNot": [("@bitwiseNot(@int(12))", -13)],
    "bitwiseLeftShift": [
        ("@bitwiseLeftShift(@int(3),@int(4))", 48),
        ("@bitwiseLeftShift(@int(1),@int(63))", LEAST),
        ("@bitwiseLeftShift(@int(3),@int(63))", LEAST),
    ],
    "bitwiseRightShift": [
        ("@bitwiseRightShift(@int(48),@int(4))", 3),
        ("@bitwiseRightShift(@int(-1),@int(63))", 1),
        ("@bitwiseRightShift(@int(-1),@int(0))", -1),
    ],
    "keys": [({"type": "keys", "dictionary": {"a": 1, "b": 2}}, ["a", "b"]), ("@keys(%options%)", ["deep"])],
    "values": [({"type": "values", "dictionary": {"a": 1, "b": "%num-proxies%"}}, [1, 4])],
    "size": [("@size(abc)", 3), ("@size(%hosts%)", 2), ("@size(%options%)", 1), ("@size(é)", 1)],
    "merge": [
        ({"type": "merge", "params": [[1, 2], [], [3]]}, [1, 2, 3]),
        ({"type": "merge", "params": [{"a": 1, "b": 2}, {"b": 3, "c": 4}]}, {"a": 1, "b": 3, "c": 4}),
        ({"type": "merge", "params": ["a", "", "%default-region%"]}, "aeast"),
        ({"type": "merge", "params": ["%hosts%", ["c:1"]]}, ["a:1", "b:1", "c:1"]),
    ],
    "select": [
        ({"type": "select", "dictionary": {"a": 1, "b": 2}, "key": "b"}, 2),
        ("@select(%hosts%,@int(0))", "a:1"),
        ("@select(%hosts%,@int(-1))", "b:1"),
        ("@select(%hosts%,@int(2),none)", "none"),
        ("@select(%hosts%,@int(1),@fail(oops))", "b:1"),
        ({"type": "select", "dictionary": {"a": None}, "key": "a", "default": 1}, None),
        ({"type": "select", "dictionary": {"a": 1}, "key": "c", "default": {"d": "%on%"}}, {"d": True}),
    ],
    "slice": [
        ({"type": "slice", "dictionary": [1, 2, 3, 4], "from": 1, "to": 2}, [2, 3]),
        ("@slice(abcd,@int(2),@int(3))", "cd"),
        ("@slice(abcd,@int(0),@int(-1))", ""),
        ("@slice(abcd,@int(0),@int(-9))", ""),
        ("@slice(abcd,@int(-10),@int(10000))", "abcd"),
        ({"type": "slice", "dictionary": {"a": 1, "b": 2, "c": 3, "d": 4}, "from": "b", "to": "c"}, {"b": 2, "c": 3}),
    ],
    "split": [
        ("@split(a.b.c., .)", ["a", "b", "c", ""]),
        ("@split(,)", [""]),
        ("@split(abacaba,)", ["abacaba"]),
        ("@split(abbabbabb,bb)", ["a", "a", "a", ""]),
    ],
    "range": [("@range(@int(-1),@int(2))", [-1, 0, 1, 2]), ("@range(@int(2),@int(1))", [])],
    "set": [
        ({"type": "set", "dictionary": {"a": 1, "b": 2}, "key": "a", "value": 5}, {"a": 5, "b": 2}),
        ({"type": "set", "dictionary": {"a": 1}, "key": "c", "value": [10]}, {"a": 1, "c": [10]}),
        ({"type": "set", "dictionary": ["a", 1], "key": 1, "value": "c"}, ["a", "c"]),
    ],
    "sort": [
        ({"type": "sort", "dictionary": [2, 1, 10, 1.5]}, [1, 1.5, 2, 10]),
        ({"type": "sort", "dictionary": ["2", "99", 10, True, None, [2], [1, 5], 99]}, [None, [1, 5], [2], True, 10, 99, "2", "99"]),
        ("@sort(@split(b.a,.))", ["a", "b"]),
    ],
    "shuffle": [
        ("@shuffle(@range(@int(0),@int(9)),@int(7))", [5, 6, 0, 3, 2, 7, 8, 1, 4, 9]),
        ({"type": "shuffle", "dictionary": [1]}, [1]),
        ({"type": "sort", "dictionary": {"type": "shuffle", "dictionary": [3, 1, 2]}}, [1, 2, 3]),
    ],
    "transform": [
        ({"type": "transform", "dictionary": ["a", "b"], "itemTransform": ["%key%", "%item%"]}, [[0, "a"], [1, "b"]]),
        ({"type": "transform", "dictionary": {"a": "b", "b": "c"}, "keyTransform": "%item%", "itemTransform": "%key%"}, {"b": "a", "c": "b"}),
        ({"type": "transform", "dictionary": {"a": 1}, "keyTransform": "%key%2"}, {"a2": 1}),
        ({"type": "transform", "dictionary": {"a": ["1", "2"], "b": []}, "keyTransform": "%item%", "itemTransform": "%key%"}, {"1": "a", "2": "a"}),
        ({"type": "transform", "dictionary": {"a": 1}}, {"a": 1}),
        ({"type": "transform", "dictionary": []}, []),
        (
            {
                "type": "transform",
                "dictionary": {"a": [1, 2]},
                "keyName": "name",
                "itemName": "list",
                "itemTransform": {"type": "transform", "dictionary": "%list%", "itemTransform": ["%name%", "%item%"]},
            },
            {"a": [["a", 1], ["a", 2]]},
        ),
        ("@transform(%hosts%, %item%:ascii)", ["a:1:ascii", "b:1:ascii"]),
    ],
    "process": [
        ({"type": "process", "initialValue": "", "dictionary": ["a", "b", "c"], "transform": "%item%%value%"}, "cba"),
        ({"type": "process", "initialValue": 0, "dictionary": {"a": 3, "b": 4}, "transform": "@add(%value%,%item%)"}, 7),
        ({"type": "process", "initialValue": "a", "dictionary": [], "transform": "@fail(oops)"}, "a"),
        (
            {
                "type": "process",
                "initialValue": [],
                "dictionary": ["x", "y"],
                "keyName": "k",
                "itemName": "i",
                "valueName": "v",
                "transform": {"type": "merge", "params": ["%v%", ["%i%", "%k%"]]},
            },
            ["x", 0, "y", 1],
        ),
    ],
    "foreach": [
        ({"type": "foreach", "from": ["a", "b"], "use": ["%item%1"]}, ["a1", "b1"]),
        ({"type": "foreach", "from": ["a", "b"], "top": 1}, ["a"]),
        ({"type": "foreach", "from": ["a", "b"], "top": "@int(0)"}, []),
        ({"type": "foreach", "from": {}, "top": 1}, {}),
        ({"type": "foreach", "from": [1, 2, 3], "where": "@less(@int(1),%item%)", "use": {"@str(%key%)": "%item%"}}, {"1": 2, "2": 3}),
        ({"type": "foreach", "from": {"a": "b", "d": "c"}, "key": "k", "item": "v", "where": "@less(%v%,%k%)"}, {"d": "c"}),
        ({"type": "foreach", "from": {"a": "b"}, "use": ["%key%%item%", "%item%%key%"]}, ["ab", "ba"]),
        ({"type": "foreach", "from": {}, "use": [1], "noMatchResult": []}, []),
        ({"type": "foreach", "from": [1], "where": False, "noMatchResult": "%on%"}, True),
        ({"type": "foreach", "from": {"a": "b"}, "use": [], "noMatchResult": {}}, []),
        ({"type": "foreach", "from": [1, 2], "use": {"k": "%item%"}}, {"k": 2}),
        ({"type": "foreach", "from": [1, 2, 3, 4], "where": "@equals(@mod(%item%,@int(2)),@int(0))", "top": 1}, [2]),
    ],
    # The first two values are those of facebook/mcrouter's own test.
    "hash": [("@hash(abcd)", 6660178300034425268), ("@hash(@int(2313))", -4996987850411076878)],
    "weightedHash": [
        ({"type": "weightedHash", "dictionary": {"a": 0.0, "b": 1.0}, "key": 5}, "b"),
        ({"type": "weightedHash", "dictionary": {"a": 1, "b": -0.001}, "key": "x"}, "a"),
        ({"type": "weightedHash", "dictionary": {"é": 1}, "key": "x"}, "é"),
    ],
    "import": [
        ("@import(cities)", ["New York", "Washington"]),
        ("@import(far)", [["New York", "Washington"]]),
        ("@import(none,@int(5))", 5),
        ("@import(broken,5)", "5"),
        ("@import(cities,@fail(oops))", ["New York", "Washington"]),
    ],
    "isLocalIp": [
        ("@isLocalIp(127.0.0.1)", True),
        ("@isLocalIp(192.0.2.1)", False),
        ("@isLocalIp(2001:db8::1)", False),
        ("@isLocalIp(blah)", False),
        ("@isLocalIp(0.0.0.0)", False),
        ("@isLocalIp(224.0.0.1)", False),
    ],
}  # fmt: skip


def test_each_built_in_has_its_cases():
    assert CASES.keys() == BUILTINS.keys()


@pytest.mark.parametrize(("text", "value"), list(itertools.chain(*CASES.values())))
def test_a_built_in(text, value):
    made = value_of(json.dumps({"it": text}))
    assert json.dumps(made) == json.dumps({"it": value})


def test_a_seed_gives_the_order_of_the_gnu_library():
    """As a program of std::shuffle and std::minstd_rand, built with g++ 12, has it."""
    for seed, expected in (
        (0, [3, 4, 1, 2, 0]),
        (1, [5, 7, 1, 4, 0, 2, 6, 9, 8, 3]),
        (7, [1, 2, 0, 3]),
        (7, [2, 7, 3, 1, 0, 4, 5, 9, 10, 6, 8]),
        (12345, [1, 10, 3, 0, 9, 4, 2, 7, 5, 8, 6]),
        (2**32 - 1, [2, 3, 1, 0]),
        (5, []),
    ):
        assert shuffled(range(len(expected)), seed) == expected
    assert shuffled(range(50000), 7)[:5] == [17717, 35642, 17118, 7149, 12313]


@pytest.mark.parametrize("size", [46341, 46342])
def test_more_items_than_the_root_of_the_random_numbers_are_shuffled_one_by_one(size):
    state, expected = 7, list(range(size))
    for at in range(1, size):
        state = state * 48271 % (2**31 - 1)
        place = (state - 1) // ((2**31 - 3) // (at + 1))
        assert place <= at, "one that is to be drawn again: choose another seed"
        expected[at], expected[place] = expected[place], expected[at]
    assert shuffled(range(size), 7) == expected


def test_spooky_hash_of_every_size():
    """The author's own values (TestSpookyV2): of the bytes 128, 129, ..., as many as the size says, the first 32 bits."""
    data = bytes((number + 128) % 256 for number in range(512))
    for size, expected in (
        (0, 0x6BF50919), (1, 0x70DE1D26), (2, 0xA2B37298), (3, 0x35BC5FBF), (4, 0x8223B279), (5, 0x5BCB315E), (8, 0xEE193982),
        (15, 0x83EC01F9), (16, 0xF274736C), (17, 0x7E9AC0DF), (31, 0x027BCA7C), (32, 0xE5CFC8B6), (63, 0x09C1AFB4),
        (64, 0x069C8BB7), (510, 0x82046F8E), (511, 0xCC1C8250),
    ):  # fmt: skip
        assert hash64(data[:size]) & 0xFFFFFFFF == expected


def test_weights_share_the_keys_out():
    loop = {
        "type": "transform",
        "dictionary": "@range(@int(1),@int(2000))",
        "itemTransform": {"type": "weightedHash", "dictionary": {"a": 0.1, "b": 0.2, "c": 0.7}, "key": "%item%"},
    }
    chosen = value_of(json.dumps({"it": loop}))["it"]
    assert 150 < chosen.count("a") < 250
    assert 350 < chosen.count("b") < 450
    assert 1300 < chosen.count("c") < 1500


def test_a_shuffle_without_a_seed_keeps_the_items():
    made = value_of('{"it": "@shuffle(@range(@int(1),@int(50)))"}')["it"]
    assert sorted(made) == list(range(1, 51))


def weighted(weight):
    """The choice between two names, of which one has this weight."""
    return value_of(json.dumps({"it": {"type": "weightedHash", "dictionary": {"a": weight, "b": 1}, "key": "x"}}))


@pytest.mark.parametrize("weight", [-0.01, -0.001, 0, 1, 2**63 - 1024, float(2**62)])
def test_a_weight_may_be(weight):
    assert weighted(weight)["it"] in ("a", "b")


@pytest.mark.parametrize("weight", [-0.0101, -1, 2**63, 2**64, "1", None, [1]])
def test_a_weight_may_not_be(weight):
    with pytest.raises(ConfigError, match=r"the weight of 'a' is .*; give a number from 0 to 1"):
        weighted(weight)


@pytest.mark.parametrize(("items", "values"), [(0, 9), (1, 11), (50, 109)])
def test_a_range_counts_its_items_and_itself_before_it_is_made(monkeypatch, items, values):
    """1 for each of the calls @range, @int and @int; 1 for each item, before and after it is made; the lists."""
    text = f'["@range(@int(1),@int({items}))"]'
    monkeypatch.setattr(limits, "MAX_MADE", values)
    assert value_of(text) == [list(range(1, items + 1))]
    monkeypatch.setattr(limits, "MAX_MADE", values - 1)
    with pytest.raises(ConfigError, match="the macros make more than"):
        value_of(text)


class FakeSocket:
    """Records what it is bound to."""

    bound = []

    def __init__(self, family, kind):
        self.family, self.kind = family, kind

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def bind(self, address):
        self.bound.append((self.family, self.kind, address))


@pytest.mark.parametrize(("ip", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_an_address_is_local_if_a_socket_can_be_bound_to_any_port_of_it(monkeypatch, ip, family):
    monkeypatch.setattr(socket, "socket", FakeSocket)
    monkeypatch.setattr(FakeSocket, "bound", [])
    assert value_of(json.dumps([f"@isLocalIp({ip})"])) == [True]
    assert FakeSocket.bound == [(family, socket.SOCK_DGRAM, (ip, 0))]


@pytest.mark.parametrize(("byte", "number"), [(0, 0), (127, 127), (128, -128), (255, -1)])
def test_the_fnv_hash_takes_bytes_as_signed_numbers(byte, number):
    """As folly::hash::fnv64_buf: FNV-1, whose start and prime these are."""
    start, prime, mask = 14695981039346656037, 1099511628211, 2**64 - 1
    assert hashes._fnv(b"") == start
    assert hashes._fnv(bytes([byte])) == (start * prime & mask) ^ number & mask
    twice = hashes._fnv(bytes([byte, 65]))
    assert twice == (hashes._fnv(bytes([byte])) * prime & mask) ^ 65
