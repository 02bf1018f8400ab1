"""NullRoute, DevNullRoute and ErrorRoute: the default reply of every command."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.commands import ADMIN, COMMANDS
from mcrouter.routes.null import default_reply

from .samples import DATA, STORES
from .script import MISS, NOT_FOUND, NOT_STORED, STORED, request
from .world import World

DEFAULTS = {
    **dict.fromkeys(("get", "gets", "gat", "gats"), MISS),
    **dict.fromkeys((*STORES, "cas"), NOT_STORED),
    **dict.fromkeys(("delete", "incr", "decr", "touch"), NOT_FOUND),
    "mg": (b"EN\r\n", o.MISS),
    "me": (b"EN\r\n", o.MISS),
    "ms": (b"NS\r\n", o.NOT_STORED),
    "md": (b"NF\r\n", o.NOT_FOUND),
    "ma": (b"NF\r\n", o.NOT_FOUND),
}


def test_the_table_has_every_command():
    assert list(DATA) == [command.name for command in COMMANDS if command.kind != ADMIN]
    assert set(DEFAULTS) == set(DATA)


@pytest.mark.parametrize("route", ["NullRoute", "DevNullRoute", "DevNull"])
@pytest.mark.parametrize("name", DATA)
def test_defaults(route, name):
    world = World({"pools": {}, "route": route})
    assert world.answer(DATA[name]) == DEFAULTS[name]
    assert world.counted == ([] if route == "NullRoute" else ["dev_null_requests"])


def test_commands_about_no_key():
    admin = [command.number for command in COMMANDS if command.kind == ADMIN]
    assert {default_reply(number) for number in admin} == {(b"ERROR\r\n", o.ERROR)}


ECHOES = [
    (b"mg k v O12 k\r\n", b"EN O12 kk\r\n"),
    (b"mg azc= k b v\r\n", b"EN kazc= b\r\n"),
    (b"mg azc= b v O1\r\n", b"EN O1\r\n"),
    (b"mg azc= O1 k b v\r\n", b"EN O1 kazc= b\r\n"),
    (b"md azc= kx b O1\r\n", b"NF kazc= b O1\r\n"),
    (b"md k kx\r\n", b"NF kk\r\n"),
    (b"mg k s t v f\r\n", b"EN\r\n"),
    (b"ms k 1 O7 F3 T0\r\nx\r\n", b"NS O7\r\n"),
    (b"ms k 1 k\r\nk\r\n", b"NS kk\r\n"),
    (b"md k O7 k\r\n", b"NF O7 kk\r\n"),
    (b"ma k k O7 D3\r\n", b"NF kk O7\r\n"),
    (b"me azc= b\r\n", b"EN\r\n"),
]


@pytest.mark.parametrize(("data", "expected"), ECHOES)
def test_meta_commands_get_back_their_opaque_and_key(data, expected):
    assert request(data).shown(*World({"pools": {}, "route": "NullRoute"}).answer(data)) == expected


@pytest.mark.parametrize("route", ["NullRoute", "DevNullRoute"])
def test_runs(route):
    """With an orderedPool, where runs get this far."""
    world = World({"orderedPool": ["a"], "route": route})
    assert world.answer(b"get a\r\nget b\r\n") == (b"END\r\n" * 2, o.MISS * 2)
    assert world.answer(b"set a 0 0 1\r\nx\r\nget b\r\n") == (b"NOT_STORED\r\nEND\r\n", o.NOT_STORED + o.MISS)
    assert world.counted == ([] if route == "NullRoute" else ["dev_null_requests"] * 4)


def test_a_get_of_several():
    assert World({"pools": {}, "route": "NullRoute"}).answer(b"get a b c\r\n") == MISS


ERRORS = [
    ("ErrorRoute", b"SERVER_ERROR local error\r\n"),
    ("ErrorRoute|out of office", b"SERVER_ERROR out of office\r\n"),
    ("ErrorRoute|a|b", b"SERVER_ERROR a|b\r\n"),
    ({"type": "ErrorRoute", "response": "x"}, b"SERVER_ERROR x\r\n"),
    ({"type": "ErrorRoute", "response": "x\r\nEND\r\n"}, b"SERVER_ERROR x END\r\n"),
    ({"type": "ErrorRoute", "response": "é"}, "SERVER_ERROR é\r\n".encode()),
    ({"type": "ErrorRoute", "response": "x", "result": "local_error", "enable_logging": True}, b"SERVER_ERROR x\r\n"),
]


@pytest.mark.parametrize(("route", "line"), ERRORS)
def test_error(route, line):
    world = World({"pools": {}, "route": route})
    for data in (*DATA.values(), b"get a b\r\n"):
        assert world.answer(data) == (line, o.LOCAL)


def test_an_error_in_a_run():
    world = World({"orderedPool": ["a"], "route": "ErrorRoute|x"})
    assert world.answer(b"get a\r\nget b\r\n") == (b"SERVER_ERROR x\r\n" * 2, o.LOCAL * 2)


def test_others_fail_over_from_an_error():
    world = World({"pools": {"A": {"servers": ["a:1"]}}, "route": {"type": "AllFastestRoute", "children": ["ErrorRoute", "PoolRoute|A"]}})
    assert world.answer(DATA["set"]) == STORED
