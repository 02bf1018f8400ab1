"""ModifyExptimeRoute: the table of its docstring."""

import pytest

from mcrouter.config import ConfigError

from .script import MISS, STORED, Host, request
from .world import World

NOW = 1_700_000_000  # the world's


def world(options, **host):
    """One host behind the route."""
    route = {"type": "ModifyExptimeRoute", "target": "PoolRoute|A", **options}
    return World({"pools": {"A": {"servers": ["h:1"]}}, "route": route}, {"h:1": Host("h:1", **host)})


def exptime_of(world):
    """The exptime of the set that the host got."""
    (data,) = world.asked()["h:1"]
    return int(data.split(b" ")[3])


SET, MIN = {"exptime": 100, "action": "set"}, {"exptime": 100, "action": "min"}
CHANGES = [
    (SET, 0, 100),
    (SET, 5, 100),
    (SET, 500, 100),
    (SET, -1, 100),
    ({"exptime": 100}, 5, 100),
    ({"exptime": 0}, 5, 0),
    ({"exptime": -1}, 5, -1),
    (MIN, 0, 100),
    (MIN, 5, 5),
    (MIN, 100, 100),
    (MIN, 101, 100),
    (MIN, NOW + 50, NOW + 50),
    ({"exptime": 0, "action": "min"}, 500, 500),
    ({"exptime": 0, "action": "min"}, 0, 0),
    ({"exptime": -1, "action": "min"}, 5, -1),
]


@pytest.mark.parametrize(("options", "exptime", "expected"), CHANGES)
def test_exptime(options, exptime, expected):
    changed = world(options)
    assert changed.answer(b"set a 0 %d 1\r\nx\r\n" % exptime) == STORED
    assert exptime_of(changed) == expected


def test_of_a_later_point_in_time_it_is_the_earlier():
    changed = world(MIN)
    changed.answer(b"set a 0 %d 1\r\nx\r\n" % (NOW + 500))
    assert exptime_of(changed) in (100, NOW + 100)


COMMANDS = [
    (b"add a 0 5 1\r\nx\r\n", b"add a 0 100 1\r\nx\r\n"),
    (b"cas a 0 5 1 9\r\nx\r\n", b"cas a 0 100 1 9\r\nx\r\n"),
    (b"touch a 5\r\n", b"touch a 100\r\n"),
    (b"gat 5 a b\r\n", b"gat 100 a b\r\n"),
    (b"ms a 1 T5\r\nx\r\n", b"ms a 1 T100\r\nx\r\n"),
    (b"ms a 1\r\nx\r\n", b"ms a 1 T100\r\nx\r\n"),
    (b"mg a T5\r\n", b"mg a T100\r\n"),
    (b"mg a v\r\n", b"mg a v\r\n"),
    (b"get a\r\n", b"get a\r\n"),
    (b"incr a 1\r\n", b"incr a 1\r\n"),
    (b"delete a\r\n", b"delete a\r\n"),
    (b"md a T5\r\n", b"md a T5\r\n"),
]


@pytest.mark.parametrize(("data", "expected"), COMMANDS)
def test_commands(data, expected):
    changed = world(SET)
    changed.answer(data)
    assert changed.asked() == {"h:1": [expected]}


@pytest.mark.parametrize("verb", [b"get", b"gets", b"delete", b"md", b"incr", b"me"])
def test_it_has_no_part_in_what_has_no_exptime(verb):
    assert "ModifyExptimeRoute" not in world(SET).handles(verb)
    assert "ModifyExptimeRoute" in world(SET).handles(b"set")
    assert "ModifyExptimeRoute" not in world({"exptime": 0, "action": "min"}).handles(b"set")


def test_failures_pass():
    failing = world(SET, holds=True)
    sink = failing.ask(b"set a 0 5 1\r\nx\r\n")
    failing.hosts["h:1"].fail()
    assert sink.got == failing.hosts["h:1"].failure()


def test_with_an_ordered_pool():
    seed = World({"orderedPool": ["h:1"], "route": {"type": "ModifyExptimeRoute", **SET}})
    assert seed.answer(b"get a\r\n") == MISS
    seed.answer(b"touch a 5\r\n")
    assert seed.asked() == {"h:1": [b"get a\r\n", b"touch a 100\r\n"]}
    assert seed.route(b"set").describe(request(b"set a 0 5 1\r\nx\r\n"))[0] == "exptime 100"


OF = "of ModifyExptimeRoute is invalid"
ERRORS = [
    ({}, "ModifyExptimeRoute without exptime; add exptime"),
    ({"exptime": 1, "action": "max"}, f"action {OF}; write one of set, min"),
]


@pytest.mark.parametrize(("options", "message"), ERRORS)
def test_errors(options, message):
    with pytest.raises(ConfigError) as error:
        world(options)
    assert error.value.message == message


@pytest.mark.parametrize("exptime", ["5", 1.5, True, 2**31])
def test_exptimes_that_will_not_do(exptime):
    with pytest.raises(ConfigError) as error:
        world({"exptime": exptime})
    assert error.value.message.startswith(f"exptime {OF}; write a whole number from -")
