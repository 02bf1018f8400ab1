"""RateLimitRoute: the tables of its docstring. A token more a second, after the clock was moved."""

import pytest

from mcrouter.config import ConfigError
from mcrouter.proto import outcomes as o

from .script import DELETED, MISS, NOT_FOUND, NOT_STORED, STORED, Host, Sink, block, hit, request
from .world import World

HIT = hit(b"a", b"1")
FALLBACK = hit(b"a", b"2")
SET = b"set a 0 0 1\r\nx\r\n"
ALL = {"gets_rate": 1, "sets_rate": 1, "deletes_rate": 1}


def world(rates, fallback=None):
    """A host behind the limit, and one to fall back to."""
    says = {b"delete a\r\n": DELETED, b"md a\r\n": (b"HD\r\n", o.HEADER), b"ms a 1\r\nx\r\n": (b"HD\r\n", o.HEADER)}
    says.update({verb + b" a 0 0 1\r\nx\r\n": STORED for verb in (b"add", b"append")})
    hosts = {"h:1": Host("h:1", {b"a": b"1", b"b": b"1", b"c": b"1"}, says=says), "f:1": Host("f:1", {b"a": b"2"})}
    route = {"type": "RateLimitRoute", "target": "PoolRoute|A", "rates": rates}
    route.update({"fallback": fallback} if fallback else {})
    return World({"pools": {"A": {"servers": ["h:1"]}, "F": {"servers": ["f:1"]}}, "route": route}, hosts)


LIMITED = [
    ("gets", b"get a\r\n", MISS),
    ("gets", b"gets a\r\n", MISS),
    ("gets", b"gat 5 a\r\n", MISS),
    ("gets", b"mg a v\r\n", (b"EN\r\n", o.MISS)),
    ("sets", SET, NOT_STORED),
    ("sets", b"add a 0 0 1\r\nx\r\n", NOT_STORED),
    ("sets", b"append a 0 0 1\r\nx\r\n", NOT_STORED),
    ("sets", b"cas a 0 0 1 5\r\nx\r\n", NOT_STORED),
    ("sets", b"ms a 1\r\nx\r\n", (b"NS\r\n", o.NOT_STORED)),
    ("deletes", b"delete a\r\n", NOT_FOUND),
    ("deletes", b"md a\r\n", (b"NF\r\n", o.NOT_FOUND)),
]


@pytest.mark.parametrize(("group", "data", "refused"), LIMITED)
def test_over_the_limit(group, data, refused):
    limited = world({f"{group}_rate": 1})
    for _ in range(2):  # each second
        assert limited.answer(data) != refused
        assert limited.answer(data) == refused
        assert limited.asked() == {"h:1": [data]}
        limited.pass_time(1.0)


@pytest.mark.parametrize("data", [b"incr a 1\r\n", b"touch a 5\r\n", b"ma a\r\n"])
def test_others_pass(data):
    limited = world(ALL)
    for _ in range(5):
        limited.answer(data)
    assert limited.asked() == {"h:1": [data] * 5}
    assert "RateLimitRoute" not in limited.handles(data.split()[0])


def test_without_a_rate_it_has_no_part():
    limited = world({"gets_rate": 1})
    assert "RateLimitRoute" in limited.handles(b"get")
    assert "RateLimitRoute" not in limited.handles(b"set")
    assert "RateLimitRoute" not in world({}).handles(b"get")


def passed(limited, data, times):
    """How many of so many requests came through."""
    for _ in range(times):
        limited.answer(data)
    return len(limited.asked().get("h:1", ()))


BURSTS = [
    ({"gets_rate": 3}, 3),
    ({"gets_rate": 3, "gets_burst": 5}, 5),
    ({"gets_rate": 3, "gets_burst": 1}, 1),
    ({"gets_rate": 0.5}, 1),
    ({"gets_rate": 2.5}, 2),
    ({"gets_rate": 3, "sets_burst": 1}, 3),
]


@pytest.mark.parametrize(("rates", "expected"), BURSTS)
def test_burst(rates, expected):
    assert passed(world(rates), b"get a\r\n", 9) == expected


def test_rate():
    limited = world({"gets_rate": 2, "gets_burst": 4})
    assert passed(limited, b"get a\r\n", 9) == 4
    limited.pass_time(1.0)
    assert passed(limited, b"get a\r\n", 9) == 2
    limited.pass_time(100.0)
    assert passed(limited, b"get a\r\n", 9) == 4


def test_all_commands_of_a_group_count_together():
    limited = world({"gets_rate": 2, "sets_rate": 1})
    for data in (b"get a\r\n", SET, b"mg a v\r\n", b"gets a\r\n", b"add a 0 0 1\r\nx\r\n"):
        limited.answer(data)
    assert limited.asked() == {"h:1": [b"get a\r\n", SET, b"mg a v\r\n"]}


def test_fallback():
    limited = world({"gets_rate": 1, "sets_rate": 1}, "PoolRoute|F")
    assert [limited.answer(b"get a\r\n") for _ in range(3)] == [HIT, FALLBACK, FALLBACK]
    assert [limited.answer(SET) for _ in range(2)] == [STORED, STORED]
    assert limited.asked() == {"h:1": [b"get a\r\n", SET], "f:1": [b"get a\r\n", b"get a\r\n", SET]}


def test_the_targets_failures_pass():
    limited = world(ALL, "PoolRoute|F")
    limited.set_health("h:1", False)
    assert limited.answer(b"get a\r\n") == (b"SERVER_ERROR mcrouter: h:1: it is unhealthy\r\n", o.TKO)


def test_each_key_of_a_get_counts():
    limited = world({"gets_rate": 2})
    assert limited.answer(b"get a b c\r\n") == (block(b"a", b"1") + block(b"b", b"1") + b"END\r\n", o.PARTIAL)
    assert limited.answer(b"get a b c\r\n") == MISS
    assert limited.asked() == {"h:1": [b"get a b\r\n"]}
    limited.pass_time(1.0)
    assert limited.answer(b"get c a\r\n") == (block(b"c", b"1") + block(b"a", b"1") + b"END\r\n", o.VALUE)
    assert limited.asked() == {"h:1": [b"get c a\r\n"]}


def test_keys_over_the_limit_fall_back():
    limited = world({"gets_rate": 1}, "PoolRoute|F")
    assert limited.answer(b"get b a\r\n") == (block(b"b", b"1") + block(b"a", b"2") + b"END\r\n", o.VALUE)


def test_each_command_of_a_run_counts():
    limited = world({"gets_rate": 2, "sets_rate": 1}, "PoolRoute|F")
    run = b"get a\r\n" + SET + b"get a\r\n" + SET + b"get a\r\n"
    assert limited.answer(run) == (HIT[0] + STORED[0] + HIT[0] + STORED[0] + FALLBACK[0], o.VALUE + b"SVSV")
    assert limited.asked() == {"h:1": [b"get a\r\n" + SET + b"get a\r\n"], "f:1": [SET + b"get a\r\n"]}
    limited.pass_time(9.0)
    assert limited.answer(b"get a\r\nget b\r\n")[1] == o.VALUE * 2
    assert limited.asked() == {"h:1": [b"get a\r\nget b\r\n"]}


def test_a_large_value_is_counted_once():
    limited = world({"gets_rate": 1})
    assert limited.answer(b"get a\r\n") == HIT
    again = request(b"get a\r\n")
    again.large_value = object()
    assert limited.answer(b"get a\r\n") == MISS
    sink = Sink()
    limited.route(b"get").start(again, sink)
    assert sink.got == HIT


def test_with_an_ordered_pool():
    seed = World({"orderedPool": ["h:1"], "route": {"type": "RateLimitRoute", "rates": {"sets_rate": 1}}})
    assert [seed.answer(SET) for _ in range(2)] == [STORED, NOT_STORED]


def test_a_pool_with_rates():
    route = {"type": "PoolRoute", "pool": "A", "rates": {"sets_rate": 1}}
    pool = World({"pools": {"A": {"servers": ["a:1", "b:1"]}}, "route": route})
    assert [pool.answer(SET) for _ in range(2)] == [STORED, NOT_STORED]


RATES = "gets_rate, gets_burst, sets_rate, sets_burst, deletes_rate, deletes_burst"
ERRORS = [
    (1, f"rates of RateLimitRoute is invalid; write a map with {RATES}"),
    ({"rate": 1}, f"rates of RateLimitRoute is invalid; 'rate' is not a known key; write a map with {RATES}"),
    ({"gets_rate": 0}, "rates of RateLimitRoute is invalid; gets_rate is invalid; write a number above 0"),
    ({"gets_rate": True}, "rates of RateLimitRoute is invalid; gets_rate is invalid; write a number above 0"),
    ({"sets_burst": "1"}, "rates of RateLimitRoute is invalid; sets_burst is invalid; write a number above 0"),
]


@pytest.mark.parametrize(("rates", "message"), ERRORS)
def test_errors(rates, message):
    with pytest.raises(ConfigError) as error:
        world(rates)
    assert error.value.message == message


@pytest.mark.parametrize(("missing", "route"), [("target", {"rates": {}}), ("rates", {"target": "PoolRoute|A"})])
def test_what_is_missing(missing, route):
    with pytest.raises(ConfigError) as error:
        World({"pools": {"A": {"servers": ["h:1"]}}, "route": {"type": "RateLimitRoute", **route}})
    assert error.value.message == f"RateLimitRoute without {missing}; add {missing}"
