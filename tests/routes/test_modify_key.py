"""ModifyKeyRoute: the table of its docstring."""

import pytest

from mcrouter.config import ConfigError
from mcrouter.proto import outcomes as o

from .script import DELETED, MISS, SERVER_ERROR, STORED, Host, block, hit, request
from .world import World

PREFIXES = {"set_routing_prefix": "/a/b/"}


def world(options, server="h:1", **host):
    """One host behind the route."""
    route = {"type": "ModifyKeyRoute", "target": "PoolRoute|A", **options}
    return World({"pools": {"A": {"servers": [server]}}, "route": route}, {server: Host(server, **host)})


def key_of(world):
    """The key that the host was asked for."""
    return request(world.asked()["h:1"][0]).keys()[0]


FOO = {"ensure_key_prefix": "foo"}
CHANGES = [
    ({}, b"a", b"a"),
    (FOO, b"a", b"fooa"),
    (FOO, b"fooa", b"fooa"),
    (FOO, b"foo", b"foo"),
    (FOO, b"fo", b"foofo"),
    ({"set_key_suffix": "z"}, b"a", b"az"),
    ({"set_key_suffix": "z"}, b"az", b"azz"),
    ({**FOO, "set_key_suffix": "z"}, b"fooa", b"fooaz"),
    ({**FOO, "set_key_suffix": "z"}, b"a", b"fooaz"),
    ({**FOO, "modify_inplace": True}, b"bara", b"fooa"),
    ({**FOO, "modify_inplace": True}, b"bar", b"foo"),
    ({**FOO, "modify_inplace": True}, b"fooa", b"fooa"),
    ({**FOO, "modify_inplace": True}, b"ba", b"fooba"),
    ({"replace_key_prefix": "bar"}, b"bara", b"a"),
    ({"replace_key_prefix": "bar"}, b"a", b"a"),
    ({**FOO, "replace_key_prefix": "bar"}, b"bara", b"fooa"),
    ({**FOO, "replace_key_prefix": "bar"}, b"fooa", b"fooa"),
    ({**FOO, "replace_key_prefix": "bar"}, b"a", b"fooa"),
    ({**FOO, "replace_key_prefix": ""}, b"fooa", b"foofooa"),
    ({"ensure_key_prefix": "é"}, b"a", "éa".encode()),
    (PREFIXES, b"a", b"a"),
]


@pytest.mark.parametrize(("options", "key", "expected"), CHANGES)
def test_the_host_sees_the_changed_key_and_the_client_its_own(options, key, expected):
    changed = world(options, values={expected: b"1"})
    assert changed.answer(b"get %b\r\n" % key) == hit(key, b"1")
    assert key_of(changed) == expected
    assert changed.answer(b"set %b 0 0 1\r\nx\r\n" % key) == STORED
    assert key_of(changed) == expected


SEES = [
    (PREFIXES, b"a", b"/a/b/a"),
    ({**PREFIXES, **FOO}, b"fooa", b"/a/b/fooa"),
    ({**PREFIXES, **FOO}, b"/x/y/a", b"/a/b/fooa"),
    (FOO, b"/x/y/a", b"/x/y/fooa"),
    ({"set_routing_prefix": ""}, b"/x/y/a", b"a"),
    ({"set_key_suffix": "z"}, b"/x/y/a", b"/x/y/az"),
]


@pytest.mark.parametrize(("options", "key", "expected"), SEES)
def test_a_host_that_sees_routing_prefixes(options, key, expected):
    route = {"type": "ModifyKeyRoute", "target": "PoolRoute|A", **options}
    pools = {"A": {"servers": ["h:1"], "keep_routing_prefix": True}}
    changed = World({"pools": pools, "routes": {"/././": route, "/x/y/": route}})
    assert changed.answer(b"delete %b\r\n" % key) == STORED
    assert key_of(changed) == expected


COMMANDS = [
    (b"delete a\r\n", b"delete fooa\r\n"),
    (b"incr a 1\r\n", b"incr fooa 1\r\n"),
    (b"touch a 5\r\n", b"touch fooa 5\r\n"),
    (b"gat 5 a\r\n", b"gat 5 fooa\r\n"),
    (b"cas a 0 0 1 9\r\nx\r\n", b"cas fooa 0 0 1 9\r\nx\r\n"),
    (b"mg a v\r\n", b"mg fooa v\r\n"),
    (b"ms a 1\r\nx\r\n", b"ms fooa 1\r\nx\r\n"),
    (b"md a\r\n", b"md fooa\r\n"),
    (b"md YQ== b\r\n", b"md Zm9vYQ== b\r\n"),
]


@pytest.mark.parametrize(("data", "expected"), COMMANDS)
def test_every_command_with_a_key(data, expected):
    changed = world(FOO)
    changed.answer(data)
    assert changed.asked() == {"h:1": [expected]}


ANSWERS = [MISS, SERVER_ERROR, DELETED]


@pytest.mark.parametrize("answer", ANSWERS)
def test_other_answers_pass(answer):
    assert world(FOO, says={b"delete fooa\r\n": answer}).answer(b"delete a\r\n") == answer


def test_failures_pass():
    failing = world(FOO, holds=True)
    sink = failing.ask(b"get a\r\n")
    failing.hosts["h:1"].fail()
    assert sink.got == failing.hosts["h:1"].failure()
    failing.set_health("h:1", False)
    assert failing.answer(b"get a\r\n") == (b"SERVER_ERROR mcrouter: h:1: it is unhealthy\r\n", o.TKO)


def test_a_get_of_several_keys_is_one():
    changed = world(FOO, values={b"fooa": b"1", b"foob": b"2"})
    assert changed.answer(b"get b foox a\r\n") == (block(b"b", b"2") + block(b"a", b"1") + b"END\r\n", o.PARTIAL)
    assert changed.asked() == {"h:1": [b"get foob foox fooa\r\n"]}


def test_two_keys_that_become_one_are_asked_for_apart():
    changed = world(FOO, values={b"fooa": b"1"})
    assert changed.answer(b"get a fooa\r\n") == (block(b"a", b"1") + block(b"fooa", b"1") + b"END\r\n", o.VALUE)
    assert changed.asked() == {"h:1": [b"get fooa\r\n", b"get fooa\r\n"]}


def wrong(reason):
    """The answer to a key that cannot be changed."""
    return b"SERVER_ERROR ModifyKeyRoute: invalid key: %b\r\n" % reason, o.LOCAL


INVALID = [
    (FOO, b"get %b\r\n" % (b"k" * 248), wrong(b"too long")),
    (FOO, b"set %b 0 0 1\r\nx\r\n" % (b"k" * 248), wrong(b"too long")),
    (FOO, b"get a %b\r\n" % (b"k" * 248), wrong(b"too long")),
    ({"replace_key_prefix": "a"}, b"get a\r\n", wrong(b"missing")),
]


@pytest.mark.parametrize(("options", "data", "expected"), INVALID)
def test_an_invalid_key_is_asked_nowhere(options, data, expected):
    changed = world(options)
    assert changed.answer(data) == expected
    assert changed.asked() == {}


def test_the_longest_key():
    assert world(FOO).answer(b"get %b\r\n" % (b"k" * 247)) == MISS


def test_without_a_change_it_has_no_part():
    assert "ModifyKeyRoute" not in world({}).handles(b"get")
    assert "ModifyKeyRoute" in world(PREFIXES).handles(b"get")


def test_with_an_ordered_pool_the_target_may_be_the_default():
    seed = World({"orderedPool": ["h:1"], "route": {"type": "ModifyKeyRoute", **FOO}})
    seed.answer(b"get a\r\n")
    seed.answer(b"flush_all\r\n")
    assert seed.asked() == {"h:1": [b"get fooa\r\n", b"flush_all\r\n"]}


BLANK = "is invalid; write at most 250 bytes without blanks and control characters"
ERRORS = [
    ({"target": None}, "a route is nothing; write a route's name, or a map with its type"),
    ({"ensure_key_prefix": "a b"}, f"ensure_key_prefix of ModifyKeyRoute {BLANK}"),
    ({"ensure_key_prefix": 1}, "ensure_key_prefix of ModifyKeyRoute is invalid; write a text, in quotes"),
    ({"replace_key_prefix": "\n"}, f"replace_key_prefix of ModifyKeyRoute {BLANK}"),
    ({"set_key_suffix": "a" * 251}, f"set_key_suffix of ModifyKeyRoute {BLANK}"),
    (
        {"set_routing_prefix": "a"},
        "set_routing_prefix of ModifyKeyRoute is invalid; write it as /region/cluster/, or empty for none",
    ),
    ({"modify_inplace": 1}, "modify_inplace of ModifyKeyRoute is invalid; write true or false"),
]


@pytest.mark.parametrize(("options", "message"), ERRORS)
def test_errors(options, message):
    with pytest.raises(ConfigError) as error:
        world(options)
    assert error.value.message == message


def test_without_a_target():
    with pytest.raises(ConfigError) as error:
        World({"pools": {"A": {"servers": ["h:1"]}}, "route": {"type": "ModifyKeyRoute"}})
    assert error.value.message == "ModifyKeyRoute without target; add target"


def test_description():
    seed = World({"orderedPool": ["h:1"], "route": {"type": "ModifyKeyRoute", **FOO}})
    assert seed.route(b"get").describe(request(b"get a\r\n"))[0] == "as fooa"
