"""ShadowRoute: the tables of its docstring, by itself and in a PoolRoute."""

import pytest

from mcrouter.config import ConfigError
from mcrouter.hashing.spooky import hash32
from mcrouter.proto import outcomes as o
from mcrouter.routes.shadow import MOST_COPIES

from .script import MISS, SERVER_ERROR, STORED, Host, Sink, block, hit, request
from .world import World

GET, SET = b"get a\r\n", b"set a 0 0 1\r\nx\r\n"
HIT = hit(b"a", b"1")
SHADOW = {"target": "PoolRoute|S"}
POOLS = {"A": {"servers": ["h:1"]}, "S": {"servers": ["s:1"]}, "T": {"servers": ["t:1"]}}


def world(*shadows, route=None, **host):
    """A host, and others to which requests are copied."""
    shape = {"type": "ShadowRoute", "children": ["PoolRoute|A"], "shadows": list(shadows)}
    hosts = {"h:1": Host("h:1", {b"a": b"1", b"b": b"1"}, **host), "s:1": Host("s:1", {b"a": b"2"})}
    return World({"pools": POOLS, "route": route or shape}, hosts)


def fraction(key):
    """Where a key hashes to, in [0, 1]."""
    return hash32(key, 0) / 0xFFFFFFFF


def around(key):
    """A range with just about this key in it."""
    return [max(0.0, fraction(key) - 1e-6), min(1.0, fraction(key) + 1e-6)]


ALL = 0xFFFFFFFF
PLACE = hash32(b"a", 0)
ENDS = [  # a range with an end at the hash of the key, or next to it, and whether the key is copied
    ((PLACE + 1e-4) / ALL, 1, True), ((PLACE + 1 + 1e-4) / ALL, 1, False),
    (0, (PLACE + 1e-4) / ALL, True), (0, (PLACE - 1 + 1e-4) / ALL, False),
    ((PLACE + 1 - 1e-4) / ALL, 1, True), (0, (PLACE - 1e-4) / ALL, False),
]  # fmt: skip


@pytest.mark.parametrize(("low", "high", "copied"), ENDS)
def test_the_ends_of_a_key_fraction_range(low, high, copied):
    shadowed = world({**SHADOW, "key_fraction_range": [low, high]})
    shadowed.answer(GET)
    assert ("s:1" in shadowed.asked()) is copied


ANSWERS = [(GET, HIT, HIT), (GET, MISS, HIT), (GET, SERVER_ERROR, HIT), (SET, STORED, SERVER_ERROR)]


@pytest.mark.parametrize(("data", "child", "target"), ANSWERS)
def test_the_childs_answer_is_the_answer(data, child, target):
    shadowed = world(SHADOW)
    shadowed.hosts["h:1"].says[data] = child
    shadowed.hosts["s:1"].says[data] = target
    assert shadowed.answer(data) == child
    assert shadowed.asked() == {"h:1": [data], "s:1": [data]}


def test_nobody_waits_for_the_copy():
    shadowed = world(SHADOW)
    shadowed.hosts["s:1"].holds = True
    assert shadowed.answer(GET) == HIT
    shadowed.hosts["s:1"].fail()
    shadowed.set_health("s:1", False)
    assert shadowed.answer(GET) == HIT


def test_the_childs_failures_pass():
    shadowed = world(SHADOW, holds=True)
    sink = shadowed.ask(GET)
    shadowed.hosts["h:1"].fail()
    assert sink.got == shadowed.hosts["h:1"].failure()
    shadowed.set_health("h:1", False)
    assert shadowed.answer(SET)[1] == o.TKO
    assert shadowed.asked() == {"h:1": [GET], "s:1": [GET, SET]}


def test_several_shadows():
    shadowed = world(SHADOW, {"target": "PoolRoute|T"})
    shadowed.answer(SET)
    assert shadowed.asked() == {"h:1": [SET], "s:1": [SET], "t:1": [SET]}


# options of a shadow, the keys of a get, and those that are copied
KEYS = [
    ({}, b"a b c", b"a b c"),
    ({"key_fraction_range": [0, 1]}, b"a b c", b"a b c"),
    ({"key_fraction_range": around(b"a")}, b"a b c", b"a"),
    ({"key_fraction_range": around(b"c")}, b"a b c", b"c"),
    ({"key_fraction_range": around(b"c")}, b"c|#|x b", b"c|#|x"),
    ({"key_fraction_range": sorted([fraction(b"a"), fraction(b"b")])}, b"x a", None),
    ({"key_fraction_range": [0, 0]}, b"a b", b""),
    ({"key_fraction_range_rv": "v"}, b"a b", b""),
    ({"key_fraction_range_rv": "v", "key_fraction_range": around(b"a")}, b"a b", b"a"),
    ({"keys_to_shadow": ["b", "c"]}, b"a b c", b"b c"),
    ({"keys_to_shadow": ["b"], "key_fraction_range": around(b"a")}, b"a b", b"b"),
    ({"keys_to_shadow": ["b"]}, b"b|#|x a", b"b|#|x"),
    ({"keys_to_shadow": []}, b"a b", b"a b"),
    ({"requests_fraction": 1.0}, b"a b", b"a b"),
    ({"requests_fraction": 0}, b"a b", b""),
    ({"index_range": [0, 1]}, b"a b", b"a b"),
    ({"index_range": [1, 2]}, b"a b", b""),
]


@pytest.mark.parametrize(("options", "keys", "copied"), KEYS)
def test_which_keys_are_copied(options, keys, copied):
    low, high = options.get("key_fraction_range", (0, 1))
    if copied is None:
        copied = b" ".join(key for key in keys.split() if low <= fraction(key) <= high)
    shadowed = world({**SHADOW, **options})
    shadowed.answer(b"get " + keys + b"\r\n")
    asked = shadowed.asked()
    assert asked.pop("h:1") == [b"get " + keys + b"\r\n"]
    assert asked == ({"s:1": [b"get " + copied + b"\r\n"]} if copied else {})


SINGLES = [SET.replace(b"a", b"b"), b"delete b\r\n", b"incr b 1\r\n", b"gat 5 b\r\n", b"md b\r\n", b"md Yg== b\r\n"]


@pytest.mark.parametrize("data", SINGLES)
def test_every_command_with_the_key(data):
    shadowed = world({**SHADOW, "keys_to_shadow": ["b"]})
    shadowed.answer(data)
    shadowed.answer(data.replace(b"b", b"c", 1).replace(b"Yg", b"Yw"))
    assert shadowed.asked()["s:1"] == [data]


def test_requests_fraction():
    shadowed = world({**SHADOW, "requests_fraction": 0.3})
    for _ in range(1000):
        shadowed.answer(GET)
    assert 200 < len(shadowed.asked()["s:1"]) < 400


def test_of_a_run_just_what_qualifies_is_copied():
    shadows = [{"target": "s:1", "keys_to_shadow": ["b"]}]
    route = {"type": "ShadowRoute", "children": "h:1", "shadows": shadows}
    hosts = {"h:1": Host("h:1", {b"a": b"1", b"b": b"1"})}
    seed = World({"orderedPool": ["h:1", "s:1"], "route": route}, hosts)
    setb = SET.replace(b"a", b"b")
    assert seed.built.plan == (True, True, True)
    assert seed.answer(GET + setb + b"get b\r\n")[1] == o.VALUE + o.STORED + o.VALUE
    assert seed.answer(GET + setb)[1] == o.VALUE + o.STORED
    assert seed.asked() == {"h:1": [GET + setb + b"get b\r\n", GET + setb], "s:1": [setb + b"get b\r\n", setb]}


def test_only_so_many_copies_are_under_way():
    shadowed = world(SHADOW, {"target": "PoolRoute|T"})
    shadow = shadowed.hosts["s:1"]
    shadow.holds = True
    for _ in range(MOST_COPIES + 5):
        assert shadowed.answer(GET) == HIT
    assert len(shadow.asked) == MOST_COPIES
    assert len(shadowed.hosts["t:1"].asked) == MOST_COPIES + 5
    shadow.answer()
    shadow.fail()
    for _ in range(5):
        shadowed.answer(SET)
    assert len(shadow.asked) == MOST_COPIES + 2


def test_a_large_value_is_not_copied():
    shadowed = world(SHADOW)
    large = request(SET)
    large.large_value = object()
    shadowed.route(b"set").start(large, Sink())
    assert shadowed.asked() == {"h:1": [SET]}


POOL = {"A": {"servers": ["a:1", "b:1", "c:1"]}, "S": {"servers": ["s:1"]}}
RANGES = [(None, "abc"), ([0, 0], ""), ([0, 1], "a"), ([0, 2], "ab"), ([1, 3], "bc"), ([2, 9], "c"), ([5, 9], "")]
LISTED = {"type": "ShadowRoute", "children": "Pool|A"}
SHAPES = [{"type": "PoolRoute", "pool": "A"}, {"type": "HashRoute", "children": LISTED}]


@pytest.mark.parametrize(("index_range", "copied"), RANGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_index_range(shape, index_range, copied):
    shadows = [{**SHADOW, **({"index_range": index_range} if index_range else {})}]
    route = {**shape, "shadows": shadows} if "pool" in shape else {**shape, "children": {**LISTED, "shadows": shadows}}
    shadowed = World({"pools": POOL, "route": route})
    keys = [b"k%d" % number for number in range(50)]
    for key in keys:
        shadowed.answer(b"delete %b\r\n" % key)
    asked = shadowed.asked()
    expected = [data for name in copied for data in asked[f"{name}:1"]]
    assert sorted(asked.get("s:1", [])) == sorted(expected)
    assert sum(map(len, asked.values())) == 50 + len(expected)


def test_the_copies_of_all_servers_count_together():
    route = {"type": "PoolRoute", "pool": "A", "shadows": [SHADOW]}
    shadowed = World({"pools": POOL, "route": route})
    shadowed.hosts["s:1"].holds = True
    for number in range(MOST_COPIES + 50):
        shadowed.answer(b"delete k%d\r\n" % number)
    assert len(shadowed.hosts["s:1"].asked) == MOST_COPIES


def test_without_shadows_it_has_no_part():
    assert "ShadowRoute" not in world().handles(b"get")
    assert "ShadowRoute" not in world({**SHADOW, "index_range": [1, 1]}).handles(b"get")
    assert "ShadowRoute" in world(SHADOW).handles(b"get")


def test_a_get_of_several_keys_is_answered_whole():
    assert world(SHADOW).answer(b"get b a\r\n") == (block(b"b", b"1") + block(b"a", b"1") + b"END\r\n", o.VALUE)


def test_description():
    route = {"type": "ShadowRoute", "children": "h:1", "shadows": [{"target": "s:1", "keys_to_shadow": ["b"]}]}
    seed = World({"orderedPool": ["h:1", "s:1"], "route": route})
    ways = [seed.route(b"get").describe(request(data))[1] for data in (GET, b"get b\r\n")]
    assert [[when for when, _ in way] for way in ways] == [
        ["asked"],
        ["asked", "asked; its answer is dropped"],
    ]


OF = "of shadows is invalid;"
ERRORS = [
    ({}, "shadows without target; add target"),
    ({**SHADOW, "index_range": [1, 0]}, f"index_range {OF} write a list of two numbers, the smaller first"),
    ({**SHADOW, "key_fraction_range": 1}, f"key_fraction_range {OF} write a list of two numbers, the smaller first"),
    ({**SHADOW, "key_fraction_range": [0, 2]}, f"key_fraction_range {OF} write a number from 0 to 1"),
    ({**SHADOW, "keys_to_shadow": "a"}, f"keys_to_shadow {OF} write a list of texts"),
    ({**SHADOW, "requests_fraction": 2}, f"requests_fraction {OF} write a number from 0 to 1"),
    ({**SHADOW, "key_fraction_range_rv": 1}, f"key_fraction_range_rv {OF} write a text, in quotes"),
]


@pytest.mark.parametrize(("shadow", "message"), ERRORS)
def test_errors(shadow, message):
    with pytest.raises(ConfigError) as error:
        world(shadow)
    assert error.value.message == message


@pytest.mark.parametrize(("children", "count"), [("Pool|A", 3), ("", 0)])
def test_several_children_where_there_is_a_place_for_one(children, count):
    with pytest.raises(ConfigError) as error:
        World({"pools": POOL, "route": {"type": "ShadowRoute", "children": children, "shadows": [SHADOW]}})
    assert error.value.message == (
        f"ShadowRoute with {count} children is {count} routes, but only one route fits here; give it one child, or write "
        "it where a list of routes is allowed"
    )
