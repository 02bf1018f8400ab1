"""The gate: what may go to a host, and that all that the parser makes may."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcrouter.proto.client.lines import MAX_LINE, read_line
from mcrouter.proto.commands import BY_NAME, COMMANDS
from mcrouter.proto.host.gate import CLOSED, refusal
from mcrouter.proto.request import COMMAND_BYTE, GET, SET, Request
from mcrouter.proto.rewriting import delete_of, get_of, gets_of, rekeyed, store_of, touch_of, ttl_of
from tests.differential.streams import STREAMS as ODD_STREAMS

from .feeding import PLANS, ClientFeed, request, split
from .streams import CUTS, STREAMS

LONG, TOO_LONG = b"k" * 250, b"k" * 251


def of(data, large_value=None):
    """A request as a route might make it."""
    made = Request(None, COMMAND_BYTE[BY_NAME[data.split()[0].decode()].number], data)
    made.large_value = large_value
    return made


PASSES = [
    b"get a\r\n", b"get %b\r\n" % LONG, b"get a b a\r\n", b"get" + b" k" * 5000 + b"\r\n", b"get a\tb\r\n", b"get a\rb\r\n", b"gets a b\r\n",
    b"gat 0 a\r\n", b"gat -1 a b\r\n", b"set a 0 0 0\r\n\r\n", b"set a 0 0 4\r\n\r\n\r\n\r\n", b"set a 4294967295 -1 1\r\nx\r\n", b"set a 007 0 003\r\nabc\r\n",
    b"cas a 0 0 1 18446744073709551615\r\nx\r\n", b"delete a\r\n", b"incr a 007\r\n", b"touch a -1\r\n", b"mg a\r\n", b"mg a v k\r\n", b"mg a T1\r\n",
    b"mg a !\r\n", b"ms a 1 T5\r\nx\r\n", b"ms Zm9v 1 b\r\nx\r\n", b"ms a 0" + b" " + b" ".join([b"T1", b"c", b"k", b"F1", b"I", b"v", b"s", b"t"]) + b"\r\n\r\n",
    b"md a\r\n", b"ma a N0 D5\r\n", b"me a\r\n", b"mn\r\n", b"version\r\n", b"stats items\r\n", b"flush_all\r\n", b"flush_all 5\r\n", b"verbosity 1\r\n",
    b"stats " + b"x" * (MAX_LINE - 7) + b"\r\n",
]  # fmt: skip
CLOSES = [
    b"get\r\n", b"get \r\n", b"get a\n", b"get a", b"get  a\r\n", b"get a \r\n", b" get a\r\n", b"get %b\r\n" % TOO_LONG, b"get a %b\r\n" % TOO_LONG,
    b"get a\r\nget b\r\n", b"get a\nflush_all\r\n", b"get a\0b\r\n", b"gat x a\r\n", b"gat 0\r\n",
    b"set a 0 0 3\r\nabcd\r\n", b"set a 0 0 3\r\nab\r\n", b"set a 0 0 3\r\nabcde", b"set a 0 0 3\r\nabc\r\nmn\r\n", b"set a 0 0 3\r\n", b"set a b 0 0 3\r\nabc\r\n",
    b"set a 1 0 0 3\r\n\r\n", b"set %b 0 0 1\r\nx\r\n" % TOO_LONG, b"set a 4294967296 0 1\r\nx\r\n", b"set a 0 0 +1\r\nx\r\n", b"set a 0 0 1 noreply\r\nx\r\n",
    b"set a 0 0 2147483646\r\n", b"set a\0 0 0 1\r\nx\r\n", b"cas a 0 0 1\r\nx\r\n", b"delete a b\r\n", b"delete a noreply\r\n", b"delete\r\n",
    b"touch a b 5\r\n", b"touch a 5 10\r\n", b"touch a x\r\n", b"incr a -1\r\n", b"mg\r\n", b"mg a q\r\n", b"mg a v v\r\n", b"mg Zm9v b k\r\n", b"mg foo b\r\n",
    b"mg a O%b\r\n" % (b"x" * 2050), b"mg %b v\r\n" % TOO_LONG, b"mg a" + b" v" * 19 + b"\r\n", b"ms a 1\r\nxy\r\n", b"ms a 1 !\r\nx\r\n", b"ms a 1 Tabc\r\nx\r\n",
    b"ms a 1 T1 T2\r\nx\r\n", b"ms a 1 T+1\r\nx\r\n", b"ms a 1 MZ\r\nx\r\n", b"ms a 1 q\r\nx\r\n", b"ms a\r\n", b"ms a x\r\n", b"ms %b 1 b\r\nx\r\n" % base64.b64encode(b"k" * 188),
    b"ms a 1%b\r\nx\r\n" % (b" v" * 17), b"ms Zh== 1 b\r\nx\r\n", b"me\r\n", b"me DQo= b\r\n", b"stats cachedump 1 1\r\n", b"stats %b\r\n" % (b"x" * MAX_LINE),
    b"flush_all noreply\r\n", b"version x\r\n",
]  # fmt: skip


@pytest.mark.parametrize("data", PASSES)
def test_what_passes(data):
    assert refusal(of(data)) == b""


@pytest.mark.parametrize("data", CLOSES)
def test_what_does_not(data):
    assert refusal(of(data)) == CLOSED


def test_every_command_passes_in_some_form():
    assert {data.split()[0].decode() for data in PASSES} | {"gats", "add", "replace", "append", "prepend", "decr", "shutdown", "quit"} == set(BY_NAME)


def test_the_command_must_be_the_one():
    for kind in range(len(COMMANDS)):
        for data in (b"get a\r\n", b"set a 0 0 1\r\nx\r\n", b"delete a\r\n", b"mg a\r\n"):
            passes = COMMANDS[kind].verb == data.split()[0]
            assert (refusal(Request(None, COMMAND_BYTE[kind], data)) == b"") is passes


def test_a_large_value_is_not_there_yet():
    assert refusal(of(b"set a 0 0 5000000\r\n", 5000002)) == b""
    assert refusal(of(b"ms a 5000000 T1\r\n", 5000002)) == b""
    assert refusal(of(b"get a\r\n", object())) == b""
    assert refusal(of(b"set a 0 0 5000000\r\nx", 5000002)) == CLOSED
    assert refusal(of(b"ms a 5000000 !\r\n", 5000002)) == CLOSED


def test_a_memoryview():
    data = b"set a 0 0 20000\r\n" + b"x" * 20000 + b"\r\n"
    assert refusal(Request(None, COMMAND_BYTE[SET], memoryview(data))) == b""
    assert refusal(Request(None, COMMAND_BYTE[SET], memoryview(data)[:-1])) == CLOSED


RUN = bytes([GET, SET, GET])


@pytest.mark.parametrize(
    ("data", "passes"),
    [
        (b"get a\r\nset b 0 0 1\r\nx\r\nget c\r\n", True),
        (b"get a\r\nset b 0 0 1\r\nxy\r\nget c\r\n", False),
        (b"get a\r\nset b 0 0 1\r\nx\r\nget c\r\nflush_all\r\n", False),
        (b"get a\r\nset b 0 0 1\r\nx\r\nget c", False),
        (b"get a\r\nset b 0 0 1\r\nx\r\n", False),
        (b"get a\r\nset b 0 0 x\r\nx\r\nget c\r\n", False),
        (b"get a\r\nset b 0 0 100\r\nx\r\nget c\r\n", False),
        (b"get a\r\nget b\r\nget c\r\n", False),
        (b"", False),
    ],
)
def test_runs_are_looked_at_command_by_command(data, passes):
    assert refusal(Request(None, RUN, data, [b"a", b"STORED\r", b"c"])) == (b"" if passes else CLOSED)


SMUGGLED = b"x\r\nflush_all\r\nset b 0 0 1\r\nx\r\n"


@pytest.mark.parametrize("key", [SMUGGLED, b"a b", b"a\nb", b"a\0b", b"", TOO_LONG, b"a\r\n", b" ", b"a b 1", b"b 0 0 1\r\nx"])
def test_a_key_that_cannot_be_one(key):
    """As a route might take it from base64."""
    origin = request(b"mg " + base64.b64encode(b"a") + b" b\r\n")
    made = [get_of(origin, key), delete_of(origin, key), touch_of(origin, key, 5), store_of(origin, "set", key, 0, 0, b"x"),
            store_of(origin, "add", key, 0, 0, b"x"), rekeyed(request(b"get a\r\n"), lambda _: key), rekeyed(request(b"set a 0 0 1\r\nx\r\n"), lambda _: key)]  # fmt: skip
    assert [refusal(each) for each in made] == [CLOSED] * len(made)
    if b" " not in key:
        assert refusal(gets_of(origin, key)) == refusal(ttl_of(origin, key)) == CLOSED


QUICK = settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


def all_pass(data, cuts, plan):
    feed = ClientFeed(plan)
    for piece in split(data, cuts):
        feed.received(piece)
    for made in feed.requests:
        if made.commands[0] >= len(COMMANDS):
            continue
        assert refusal(made) == b"", made.data
        line = bytes(made.data).split(b"\n", 1)[0][:-1]
        again = read_line(line)
        assert again.rendering is None and read_line(again.wire[:-2]) == again
        if made.key is None and len(made.commands) == 1:
            rekeying = rekeyed(made, lambda key: key) if made.keys() else made
            assert refusal(rekeying) == b"" and rekeying.data == made.data


@QUICK
@given(STREAMS, CUTS, st.sampled_from(PLANS))
def test_all_that_the_parser_makes_passes(data, cuts, plan):
    all_pass(data, cuts, plan)


@QUICK
@given(ODD_STREAMS, st.sampled_from(PLANS))
def test_all_that_it_makes_of_odd_streams_passes(stream, plan):
    all_pass(stream[0].replace(b"@", b"00000000"), stream[1], plan)
