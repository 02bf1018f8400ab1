"""KeySplitRoute: the table of its docstring. The own replica is the host id modulo their number."""

import pytest

from mcrouter.config import ConfigError
from mcrouter.proto import outcomes as o

from .script import DELETED, MISS, NOT_FOUND, SERVER_ERROR, STORED, Host, Sink, block, hit, request
from .world import World

SET = b"set a 0 0 1\r\nx\r\n"
POOLS = {"A": {"servers": ["h:1"]}}


def world(host_id=0, replicas=3, all_sync=False, **options):
    """A host behind the route."""
    host = {name: options.pop(name) for name in ("values", "says", "holds") if name in options}
    route = {
        "type": "KeySplitRoute",
        "destination": "PoolRoute|A",
        "replicas": replicas,
        "all_sync": all_sync,
        **options,
    }
    return World({"pools": POOLS, "route": route}, {"h:1": Host("h:1", **host)}, host_id=host_id)


ALL, FIRST = {"all_sync": True}, {"first_hit": True}
# host id, options, command; the keys that the host is asked for, in order
ASKED = [
    (0, {}, b"get a\r\n", "a"),
    (1, {}, b"get a\r\n", "a::1"),
    (3, {}, b"get a\r\n", "a"),
    (5, {}, b"get a\r\n", "a::2"),
    (1, {}, b"get a b\r\n", "a::1 b::1"),
    (0, FIRST, b"get a\r\n", "a a::1 a::2"),
    (1, FIRST, b"get a\r\n", "a a::1 a::2"),
    (1, FIRST, b"gets a\r\n", "a::1"),
    (1, {}, SET, "a::1"),
    (0, ALL, SET, "a::1 a::2 a"),
    (1, ALL, SET, "a a::2 a::1"),
    (1, ALL, b"ms a 1\r\nx\r\n", "a a::2 a::1"),
    (1, ALL, b"get a\r\n", "a::1"),
    (1, ALL, b"add a 0 0 1\r\nx\r\n", "a::1"),
    (0, {}, b"delete a\r\n", "a::1 a::2 a"),
    (1, {}, b"delete a\r\n", "a a::2 a::1"),
    (1, {}, b"md a\r\n", "a a::2 a::1"),
    (1, ALL, b"incr a 1\r\n", "a::1"),
    (1, FIRST, b"touch a 5\r\n", "a::1"),
    (1, FIRST, b"mg a v\r\n", "a::1"),
]


@pytest.mark.parametrize(("host_id", "options", "data", "keys"), ASKED)
def test_which_names_are_asked(host_id, options, data, keys):
    split = world(host_id, **options)
    split.answer(data)
    assert b" ".join(key for asked in split.asked()["h:1"] for key in request(asked).keys()).decode() == keys


def test_the_client_sees_its_own_key():
    split = world(1, values={b"a::1": b"1", b"b::1": b"2"})
    assert split.answer(b"get b c a\r\n") == (block(b"b", b"2") + block(b"a", b"1") + b"END\r\n", o.PARTIAL)
    split = world(0, values={b"a::2": b"1"}, **FIRST)
    assert split.answer(b"get a\r\n") == hit(b"a", b"1")


def test_of_several_keys_each_has_its_first_hit():
    split = world(0, values={b"a::2": b"1", b"b": b"2"}, **FIRST)
    assert split.answer(b"get a b c\r\n") == (block(b"a", b"1") + block(b"b", b"2") + b"END\r\n", o.PARTIAL)


def test_keys_that_come_out_as_one_are_asked_for_apart():
    long = b"k" * 246
    split = world(1, values={b"a::1": b"1", long: b"2"})
    assert split.answer(b"get a %b\r\n" % long) == (block(b"a", b"1") + block(long, b"2") + b"END\r\n", o.VALUE)


def test_the_answer_is_that_for_the_own_name():
    says = {b"delete a\r\n": SERVER_ERROR, b"delete a::1\r\n": DELETED, b"delete a::2\r\n": NOT_FOUND}
    assert [world(own, says=says).answer(b"delete a\r\n") for own in range(3)] == [SERVER_ERROR, DELETED, NOT_FOUND]


def test_nobody_waits_for_the_others():
    split = world(1, holds=True, **ALL)
    sink, host = split.ask(SET), split.hosts["h:1"]
    host.fail()
    host.fail()
    assert sink.got is None
    host.answer()
    assert sink.got == STORED


HIT = hit(b"a", b"1")
FIRST_HITS = [
    ([HIT, None, None], HIT, 1),
    ([MISS, HIT, None], HIT, 2),
    (["fail", MISS, HIT], HIT, 3),
    ([MISS, MISS, MISS], MISS, 3),
    (["fail", SERVER_ERROR, MISS], MISS, 3),
    ([MISS, MISS, SERVER_ERROR], SERVER_ERROR, 3),
]


@pytest.mark.parametrize(("answers", "expected", "after"), FIRST_HITS)
def test_the_first_hit_is_the_answer(answers, expected, after):
    split = world(holds=True, **FIRST)
    host, sink = split.hosts["h:1"], split.ask(b"get a\r\n")
    for place, name in enumerate((b"a", b"a::1", b"a::2")):
        answer = answers[place] or MISS
        if answer == "fail":
            host.fail()
        else:
            host.says[b"get %b\r\n" % name] = hit(name, b"1") if answer == HIT else answer
            host.answer()
        assert (sink.got is not None) == (place + 1 >= after)
    assert sink.got == expected


def test_failures_pass():
    split = world(1, holds=True)
    sink = split.ask(b"get a\r\n")
    split.hosts["h:1"].fail()
    assert sink.got == split.hosts["h:1"].failure()
    split.set_health("h:1", False)
    assert split.answer(b"delete a\r\n")[1] == o.TKO


@pytest.mark.parametrize("data", [b"get %b\r\n", b"delete %b\r\n", b"set %b 0 0 1\r\nx\r\n"])
@pytest.mark.parametrize("options", [{}, {**ALL, **FIRST}])
def test_a_key_that_is_too_long_has_one_name(data, options):
    long = data % (b"k" * 246)
    split = world(1, **options)
    split.answer(long)
    assert split.asked() == {"h:1": [long]}
    split.answer(data % (b"k" * 245))
    assert b"::" in split.asked()["h:1"][-1]


def test_a_large_value_comes_from_its_own_name():
    split = world(1, values={b"a::1": b"1"}, **FIRST)
    large, sink = request(b"get a\r\n"), Sink()
    large.large_value = object()
    split.route(b"get").start(large, sink)
    assert sink.got == HIT


def test_with_an_ordered_pool():
    route = {"type": "KeySplitRoute", "replicas": 2, "all_sync": False}
    seed = World({"orderedPool": ["h:1"], "route": route}, host_id=1)
    seed.answer(b"get a\r\n")
    seed.answer(b"version\r\n")
    assert seed.asked() == {"h:1": [b"get a::1\r\n", b"version\r\n"]}
    remarks = [seed.route(b"get").describe(request(data))[0] for data in (b"get a\r\n", b"delete a\r\n")]
    assert remarks == ["as replica 1 of 2", "as replica 1 of 2, and as the others"]


OF = "of KeySplitRoute is invalid; write"
ERRORS = [
    ({"replicas": 1}, f"replicas {OF} a whole number from 2 to 1"),
    ({"replicas": 1001}, f"replicas {OF} a whole number from 2 to 1"),
    ({"all_sync": 1}, f"all_sync {OF} true or false"),
    ({"first_hit": "yes"}, f"first_hit {OF} true or false"),
]


@pytest.mark.parametrize(("options", "message"), ERRORS)
def test_errors(options, message):
    with pytest.raises(ConfigError) as error:
        world(**options)
    assert error.value.message.startswith(message)


@pytest.mark.parametrize("missing", ["destination", "replicas", "all_sync"])
def test_what_is_missing(missing):
    route = {"type": "KeySplitRoute", "destination": "PoolRoute|A", "replicas": 2, "all_sync": True}
    del route[missing]
    with pytest.raises(ConfigError) as error:
        World({"pools": POOLS, "route": route})
    assert error.value.message == f"KeySplitRoute without {missing}; add {missing}"
