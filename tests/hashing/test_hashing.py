"""Every hash function equals its origin's, moves few keys, and gives each place its share."""

import os
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcrouter.hashing import HASHES, make_chooser, routing_key
from mcrouter.hashing.furc import furc_hash
from mcrouter.hashing.keys import KEY_HASHES
from mcrouter.hashing.memory import Remembering
from mcrouter.hashing.murmur import hash64a
from mcrouter.hashing.spooky import hash32

from .vectors import VECTORS, digest, keys, names

KEYS = keys()
CASES = int(os.environ.get("CASES", "100"))


@pytest.mark.parametrize(("function", "count", "options", "expected", "first"), VECTORS)
def test_ten_thousand_keys(function, count, options, expected, first):
    places = list(map(make_chooser(function, names(function, count), options), KEYS))
    assert places[:8] == first
    assert digest(places) == expected


def test_crc32():
    """facebook/mcrouter's published vector."""
    assert make_chooser("Crc32", [""] * 100, {})(b"sample") == 7


def test_murmur():
    """Of a text of every length modulo 8, as the origin's C code has them."""
    assert [hash64a(b"abcdefghi"[:n], 4193360111) % 1000003 for n in range(10)] == MURMUR


MURMUR = [125839, 61236, 726603, 394946, 826596, 588517, 30086, 493282, 852703, 367404]


@pytest.mark.parametrize("count", [1, 2, 10, 100])
def test_weighted_ch3_with_full_weights_is_ch3(count):
    """A weight of 1 refuses one hash of 2**32."""
    choose = make_chooser("WeightedCh3", [""] * count, {"weights": [1.0] * count})
    assert [choose(key) for key in KEYS[:2000]] == [furc_hash(key, count) for key in KEYS[:2000]]


def test_weighted_ch3_tries_again_with_a_digit():
    """The rule of the origin (lib/WeightedCh3HashFunc.cpp), written out."""
    weights = [0.1, 0.9, 0.5, 0.0, 1.0]
    choose = make_chooser("WeightedCh3", [""] * 5, {"weights": weights})
    for key in KEYS[:1000]:
        salted = key
        for number in range(32):
            place = furc_hash(salted, 5)
            if hash32(salted, 0xFACE2014) < int(weights[place] * 0xFFFFFFFF):
                break
            salted = key + "".join(reversed(str(number))).encode()
        assert choose(key) == place
    assert 3 not in map(choose, KEYS)


def test_a_missing_weight_is_a_half():
    picks = [make_chooser("WeightedCh3", [""] * 3, {"weights": weights}) for weights in ([1, 1], [1, 1, 0.5])]
    assert [picks[0](key) for key in KEYS[:500]] == [picks[1](key) for key in KEYS[:500]]


def test_shares_follow_the_weights():
    counts = Counter(map(make_chooser("WeightedRendezvous", ["a", "b"], {"weights": {"a": 1, "b": 3}}), KEYS))
    assert 0.23 < counts[0] / len(KEYS) < 0.27
    counts = Counter(map(make_chooser("ketama", ["a:1", "b:1"], {"weights": [1, 3]}), KEYS))
    assert 0.20 < counts[0] / len(KEYS) < 0.30


@pytest.mark.parametrize("function", ["Ch3", "Rendezvous", "WeightedRendezvous", "ketama", "plain-ketama"])
@pytest.mark.parametrize("count", [2, 10])
def test_one_more_place_moves_its_share_of_the_keys(function, count):
    """1 / (n + 1) of them, and only to the new place; ketama's shares are less even."""
    all_names = [f"10.0.0.{i}:11211" for i in range(count + 1)]
    before = list(map(make_chooser(function, all_names[:-1], {}), KEYS))
    after = list(map(make_chooser(function, all_names, {}), KEYS))
    moved = [now for then, now in zip(before, after) if then != now]
    tolerance = 0.35 if "ketama" in function else 0.1
    assert abs(len(moved) / len(KEYS) * (count + 1) - 1) < tolerance
    assert set(moved) == {count}


SHARDS = [(b"a:0:x", 0), (b"a:2:x", 2), (b"a:02:", 2), (b":1:", 1)]


@pytest.mark.parametrize(("key", "place"), SHARDS)
def test_a_shard_in_the_key(key, place):
    assert make_chooser("ConstShard", [""] * 3, {})(key) == place


@pytest.mark.parametrize("key", [b"a:3:x", b"a:x1:y", b"a:1", b"a::x", b"a", b"a:99999999999999999999999:x"])
def test_no_shard_in_the_key(key):
    assert make_chooser("ConstShard", [""] * 3, {})(key) == furc_hash(key, 3)


@pytest.mark.parametrize(
    ("key", "hashed"), [(b"a|#|b", b"a"), (b"a", b"a"), (b"|#|a", b""), (b"a|#|b|#|c", b"a"), (b"a|#b", b"a|#b")]
)
def test_a_hash_stop(key, hashed):
    assert routing_key(key) == hashed
    assert make_chooser("Ch3", [""] * 10, {})(key) == furc_hash(hashed, 10)


def test_salt_is_appended_to_what_is_hashed():
    assert make_chooser("Ch3", [""] * 10, {}, "s")(b"a|#|b") == furc_hash(b"as", 10)


WRONG = [
    ("WeightedCh3", 2, {"weights": [2]}, "a weight of WeightedCh3 is not from 0 to 1; write a number such as 0.5"),
    ("WeightedCh3", 1, {"weights": [1, 1]}, "2 weights for 1 places; give one for each"),
    ("ketama", 1, {"weights": [0.5]}, "a weight is not a whole number above 0; write 1, 2, 3 ..."),
    ("modula", 1, {"key_hash": "x"}, f"unknown key_hash 'x'; write one of {', '.join(KEY_HASHES)}"),
    ("Ch3", (1 << 23) + 1, {}, "Ch3 cannot handle 8388609 places; use at most 8388608"),
]


@pytest.mark.parametrize(("function", "count", "options", "message"), WRONG)
def test_wrong_options(function, count, options, message):
    with pytest.raises(ValueError) as caught:
        make_chooser(function, [""] * count, options)
    assert str(caught.value) == message


@settings(max_examples=CASES, deadline=None)
@given(st.sampled_from(list(HASHES)), st.integers(1, 50), st.binary(max_size=250))
def test_a_place_is_one_of_them_and_stays(function, count, key):
    places = [f"h{i}:1" for i in range(count)]
    choose = make_chooser(function, places, {})
    assert 0 <= choose(key) < count
    assert choose(key) == make_chooser(function, places, {})(key)


def test_what_is_remembered_is_bounded():
    asked = []
    memory = Remembering(lambda key: asked.append(key) or len(key), most=2)
    assert [memory.choose(key) for key in (b"a", b"bb", b"a", b"ccc", b"a", b"dd", b"ee", b"a")] == [1, 2, 1, 3, 1, 2, 2, 1]
    assert asked == [b"a", b"bb", b"ccc", b"dd", b"ee"]
