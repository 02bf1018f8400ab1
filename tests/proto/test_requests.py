"""Client bytes to requests: every wire case whole, byte by byte and with bytes after it, under every plan."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.client.parser import RunPlan
from mcrouter.proto.request import GET, SET
from mcrouter.proto.runs import MAX_RUN, request_patterns

from .feeding import PLANS, WARM_REQUESTS, ClientFeed, Command, as_commands, bytewise, parse, request

ALL = o.EVERYTHING
LONG = b"k" * 250
END_OF_VALUE = b"7\r\nEND\r\nVALUE a 0 1\r\nx\r\nset b 0 0 1\r\n"


def same(*names_and_data):
    """Commands that are forwarded as they came."""
    return [Command(name, data) for name, data in names_and_data]


def one(name):
    """A table row's expectation: one command, forwarded as it came."""
    return lambda data: [Command(name, data)]


# (what the client sends, what becomes of it: commands, or a function of the bytes that gives them)
BAD_CHUNK = Command("answer", b"CLIENT_ERROR bad data chunk\r\n")
BAD_FORMAT = Command("answer", b"CLIENT_ERROR bad command line format\r\n")

CASES = {
    "get": (b"get a\r\n", one("get")),
    "get longest key": (b"get %b\r\n" % LONG, one("get")),
    "get odd key": (b"get \xff\xc3=END\r\n", one("get")),
    "get control key": (b"get a\x01\x7f\tb\r\n", one("get")),
    "get key with CR": (b"get a\rb\r\n", one("get")),
    "get two": (b"get a b\r\n", one("get")),
    "get many": (b"get" + b" key" * 300 + b"\r\n", one("get")),
    "gets": (b"gets a\r\n", one("gets")),
    "gets two": (b"gets a b\r\n", one("gets")),
    "gat": (b"gat 10 a b\r\n", one("gat")),
    "gats": (b"gats -1 a\r\n", one("gats")),
    "bget": (b"bget a\r\n", same(("get", b"get a\r\n"))),
    "get spaces": (b"  get  a   b \r\n", same(("get", b"get a b\r\n"))),
    "get LF": (b"get a\n", same(("get", b"get a\r\n"))),
    "get CR CR LF": (b"get a\r\r\n", same(("get", b"get a\r\r\n"))),
    "get NUL": (b"get a\0b c\r\n", same(("get", b"get a\r\n"))),
    "get nothing": (b"get\r\n", [Command("answer", b"ERROR\r\n")]),
    "get long key": (b"get %bk\r\n" % LONG, [Command("answer", b"CLIENT_ERROR bad command line format\r\n")]),
    "set": (b"set a 0 0 3\r\nabc\r\n", one("set")),
    "set nothing": (b"set a 0 0 0\r\n\r\n", one("set")),
    "set tricky value": (b"set a 0 0 %d\r\n%b\r\n" % (len(END_OF_VALUE), END_OF_VALUE), one("set")),
    "set LF": (b"set a 0 0 1\nx\r\n", same(("set", b"set a 0 0 1\r\nx\r\n"))),
    "set plain numbers": (b"set a +01 -5 +1x\r\n", [Command("close", b"CLIENT_ERROR bad command line format\r\n")]),
    "set plainer numbers": (b"set a +01 -05 +1\r\nx\r\n", same(("set", b"set a 1 -5 1\r\nx\r\n"))),
    "set huge flags": (b"set a 4294967295 0 1\r\nx\r\n", one("set")),
    "set bad chunk": (b"set a 0 0 3\r\nabcde", [BAD_CHUNK]),
    "set bad chunk noreply": (b"set a 0 0 3 noreply\r\nabcde", [Command("answer", b"")]),
    "ms bad chunk quiet": (b"ms a 3 q\r\nabcdeversion\r\n", [BAD_CHUNK, Command("version", b"version\r\n")]),
    "set bad chunk of lines": (b"set a 0 0 3\r\nabc\n\nversion\r\n", [BAD_CHUNK, Command("version", b"version\r\n")]),
    "set noreply": (b"set a 0 0 1 noreply\r\nx\r\n", [Command("set", b"set a 0 0 1\r\nx\r\n", ALL)]),
    "set other sixth word": (b"set a 0 0 1 foo\r\nx\r\n", same(("set", b"set a 0 0 1\r\nx\r\n"))),
    "set minus one": (b"set a 0 0 -1\r\n", [Command("close", b"CLIENT_ERROR bad command line format\r\n")]),
    "set minus one noreply": (b"set a 0 0 -1 noreply\r\n", [Command("close", b"")]),
    "refused, length 0": (b"set a x 0 0\r\n\r\nversion\r\n", [BAD_FORMAT, Command("version", b"version\r\n")]),
    "refused, data like commands": (b"set a x 0 25\r\nflush_all\r\nset b 0 0 1\r\nx\r\nget a\r\n", [BAD_FORMAT, Command("get", b"get a\r\n")]),
    "refused, nothing said": (b"set a x 0 11 noreply\r\nflush_all\r\n\r\nget a\r\n", [Command("answer", b""), Command("get", b"get a\r\n")]),
    "refused twice": (b"set a x 0 1\r\nx\r\nms a 2 !\r\n\r\n\r\nget a\r\nget b\r\n", [BAD_FORMAT, Command("answer", b"CLIENT_ERROR invalid flag\r\n"), Command("get", b"get a\r\n"), Command("get", b"get b\r\n")]),
    "refused, cut by NUL": (b"ms a\0b 9\r\n", [Command("close", b"CLIENT_ERROR bad command line format\r\n")]),
    "refused, two words too many": (b"cas a 0 0 7 1 2 3\r\nversion\r\nget a\r\n", [Command("answer", b"ERROR\r\n"), Command("get", b"get a\r\n")]),
    "add": (b"add a 0 0 1\r\nx\r\n", one("add")),
    "replace": (b"replace a 0 0 1\r\nx\r\n", one("replace")),
    "append": (b"append a 0 0 1\r\nx\r\n", one("append")),
    "prepend": (b"prepend a 0 0 1\r\nx\r\n", one("prepend")),
    "cas": (b"cas a 0 0 1 18446744073709551615\r\nx\r\n", one("cas")),
    "cas noreply": (b"cas a 0 0 1 7 noreply\r\nx\r\n", [Command("cas", b"cas a 0 0 1 7\r\nx\r\n", ALL)]),
    "delete": (b"delete a\r\n", one("delete")),
    "delete of noreply": (b"delete noreply\r\n", one("delete")),
    "delete 0": (b"delete a 0\r\n", same(("delete", b"delete a\r\n"))),
    "delete noreply": (b"delete a noreply\r\n", [Command("delete", b"delete a\r\n", ALL)]),
    "incr": (b"incr a 5\r\n", one("incr")),
    "incr most": (b"incr a 18446744073709551615\r\n", one("incr")),
    "decr": (b"decr a 5\r\n", one("decr")),
    "decr noreply": (b"decr a 5 noreply\r\n", [Command("decr", b"decr a 5\r\n", ALL)]),
    "touch": (b"touch a -1\r\n", one("touch")),
    "mg": (b"mg a v k\r\n", one("mg")),
    "mg quiet": (b"mg a v q\r\n", [Command("mg", b"mg a v\r\n", o.MISS)]),
    "ms": (b"ms a 2 c\r\nab\r\n", one("ms")),
    "ms quiet": (b"ms a 2 q\r\nab\r\n", [Command("ms", b"ms a 2\r\nab\r\n", o.HEADER)]),
    "ms nothing": (b"ms a 0\r\n\r\n", one("ms")),
    "md quiet": (b"md a q\r\n", [Command("md", b"md a\r\n", o.HEADER)]),
    "ma quiet": (b"ma a v q\r\n", [Command("ma", b"ma a v\r\n", o.HEADER + o.VALUE)]),
    "mn": (b"mn\r\n", one("mn")),
    "me": (b"me a\r\n", one("me")),
    "flush_all": (b"flush_all\r\n", one("flush_all")),
    "flush_all noreply": (b"flush_all 10 noreply\r\n", [Command("flush_all", b"flush_all 10\r\n", ALL)]),
    "version": (b"version foo\r\n", same(("version", b"version\r\n"))),
    "verbosity": (b"verbosity 1\r\n", one("verbosity")),
    "stats": (b"stats\r\n", one("stats")),
    "stats words": (b"stats items\r\n", one("stats")),
    "shutdown": (b"shutdown\r\n", [Command("answer", b"ERROR: shutdown not enabled\r\n")]),
    "nothing": (b"\r\n", [Command("answer", b"ERROR\r\n")]),
    "LF": (b"\n", [Command("answer", b"ERROR\r\n")]),
    "NUL": (b"\0\r\n", [Command("answer", b"ERROR\r\n")]),
    "unknown": (b"nonsense a\r\n", [Command("answer", b"ERROR\r\n")]),
    "upper case": (b"GET a\r\n", [Command("answer", b"ERROR\r\n")]),
    "quit": (b"quit\r\n", [Command("close", b"")]),
    "HTTP": (b"POST / HTTP/1.1\r\n", [Command("close", b"")]),
    "run of gets": (b"get a\r\nget b\r\nget a\r\n",
                    same(("get", b"get a\r\n"), ("get", b"get b\r\n"), ("get", b"get a\r\n"))),
    "run of sets": (b"set a 0 0 1\r\nx\r\nset b 1 2 2\r\n\r\n\r\n",
                    same(("set", b"set a 0 0 1\r\nx\r\n"), ("set", b"set b 1 2 2\r\n\r\n\r\n"))),
    "run of both": (b"get a\r\nset b 0 0 1\r\nx\r\nget get\r\nset set 0 0 0\r\n\r\n",
                    same(("get", b"get a\r\n"), ("set", b"set b 0 0 1\r\nx\r\n"), ("get", b"get get\r\n"),
                         ("set", b"set set 0 0 0\r\n\r\n"))),
    "run broken by a bad chunk": (b"set a 0 0 1\r\nx\r\nset b 0 0 1\r\nxyzget a\r\n",
                                  same(("set", b"set a 0 0 1\r\nx\r\n"), ("answer", b"CLIENT_ERROR bad data chunk\r\n"),
                                       ("get", b"get a\r\n"))),
    "run broken by noreply": (b"set a 0 0 1\r\nx\r\nset b 0 0 1 noreply\r\nx\r\nset c 0 0 1\r\nx\r\n",
                              [Command("set", b"set a 0 0 1\r\nx\r\n"), Command("set", b"set b 0 0 1\r\nx\r\n", ALL),
                               Command("set", b"set c 0 0 1\r\nx\r\n")]),
    "run broken by an error": (b"get a\r\nget\r\nget b\r\n",
                               [Command("get", b"get a\r\n"), Command("answer", b"ERROR\r\n"),
                                Command("get", b"get b\r\n")]),
}  # fmt: skip
TAILS = {"": [], "get x": [], "version\r\nse": [Command("version", b"version\r\n")]}


@pytest.mark.parametrize("plan", PLANS, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_three_ways(name, plan):
    data, expected = CASES[name]
    if callable(expected):
        expected = expected(data)
    closes = expected[-1].name == "close"
    assert parse([data], plan) == (expected, b"")
    assert parse(bytewise(data), plan) == (expected, b"")
    for tail, more in TAILS.items():
        rest = b"" if closes else tail.encode().rpartition(b"\n")[2]
        for pieces in ([data + tail.encode()], bytewise(data + tail.encode())):
            assert parse(pieces, plan) == (expected + (more if not closes else []), rest)


@pytest.mark.parametrize("data", [data for data, expected in CASES.values() if callable(expected)])
def test_common_bytes_are_passed_as_they_are(data):
    """No copy where the read holds one command alone."""
    made = request(data)
    assert made.data == data and made.rendering is None


KEYS = {
    b"get a\r\n": [b"a"],
    b"get a b a\r\n": [b"a", b"b", b"a"],
    b"get a\tb c\x0b\r\n": [b"a\tb", b"c\x0b"],
    b"get a\rb \r\r\n": [b"a\rb", b"\r"],
    b"gets a b\r\n": [b"a", b"b"],
    b"gat 0 a b\r\n": [b"a", b"b"],
    b"gats 0 a\tb\r\n": [b"a\tb"],
    b"set a 0 0 3\r\nget\r\n": [b"a"],
    b"set a\tb 0 0 1\r\nx\r\n": [b"a\tb"],
    b"ms a 3\r\nget\r\n": [b"a"],
    b"cas a 0 0 1 5\r\nx\r\n": [b"a"],
    b"delete a\r\n": [b"a"],
    b"delete a\x0c\r\n": [b"a\x0c"],
    b"incr a 1\r\n": [b"a"],
    b"touch a 1\r\n": [b"a"],
    b"mg a v\r\n": [b"a"],
    b"mn\r\n": [],
    b"version\r\n": [],
    b"stats items\r\n": [],
    b"flush_all 10\r\n": [],
    b"verbosity 1\r\n": [],
}


@pytest.mark.parametrize("data", KEYS)
def test_keys(data):
    assert request(data).keys() == KEYS[data]
    assert request(data).names() == KEYS[data]


def test_keys_of_a_long_get_among_others():
    feed = ClientFeed()
    feed.received(b"get%b\r\nget a\r\n" % (b" key" * 5000))
    assert [len(made.keys()) for made in feed.requests] == [5000, 1]
    assert list(feed.requests[0].lines()[1])[-1] == b"get key\r\n"


def test_names_of_a_run():
    assert request(b"get a\r\nset b 0 0 1\r\nx\r\nget a\r\n").names() == [b"a", b"b", b"a"]


@pytest.mark.parametrize(("data", "reads"), [
    (b"get a\r\nget b\r\n", True), (b"gets a\r\n", True), (b"mg a\r\n", True), (b"get a\r\nset b 0 0 0\r\n\r\n", False),
    (b"gat 0 a\r\n", False), (b"incr a 1\r\n", False), (b"delete a\r\n", False),
])  # fmt: skip
def test_reads_only(data, reads):
    assert request(data).reads_only() is reads


# (plan, the kinds of each request that comes of get get set set get)
MIXED = b"get a\r\nget b\r\nset c 0 0 1\r\nx\r\nset d 0 0 2\r\nxy\r\nget e\r\n"
RUNS = [
    (RunPlan(), ["get", "get", "set", "set", "get"]),
    (RunPlan(gets=True), ["get get", "set", "set", "get"]),
    (RunPlan(sets=True), ["get", "get", "set set", "get"]),
    (RunPlan(True, True), ["get get", "set set", "get"]),
    (RunPlan(True, True, True), ["get get set set get"]),
]


@pytest.mark.parametrize(("plan", "expected"), RUNS)
@pytest.mark.parametrize("patterns", [WARM_REQUESTS, request_patterns()], ids=["warm", "cold"])
def test_plans(plan, expected, patterns):
    feed = ClientFeed(plan, patterns=patterns)
    feed.received(MIXED)
    assert [" ".join({GET: "get", SET: "set"}[kind] for kind in made.commands) for made in feed.requests] == expected
    assert b"".join(made.data for made in feed.requests) == MIXED
    for made in feed.requests:
        if len(made.commands) > 1:
            assert len(made.expected) == len(made.commands)


@pytest.mark.parametrize("room", [1, 2, 3, 63, 64])
@pytest.mark.parametrize("plan", PLANS, ids=str)
@pytest.mark.parametrize("unit", [b"get a\r\n", b"set a 0 0 3\r\nabc\r\n", b"get a\r\nset a 0 0 3\r\nabc\r\n"])
def test_room_is_respected(unit, plan, room):
    data = unit * 70
    for patterns in (WARM_REQUESTS, request_patterns()):
        feed = ClientFeed(plan, room, patterns)
        feed.received(data)
        assert max(len(made.commands) for made in feed.requests) <= min(room, MAX_RUN)
        assert b"".join(made.data for made in feed.requests) == data
    assert as_commands(feed.requests) == parse([data])[0]


def test_a_run_is_filled():
    feed = ClientFeed(PLANS[-1])
    feed.received(b"get a\r\nset a 0 0 3\r\nabc\r\n" * 64)
    assert [len(made.commands) for made in feed.requests] == [64, 64]


MEGABYTE = 1 << 20
WORST = {
    "gets, lines of their own": b"get a\r\n" * 1_500_000,
    "one value": b"set a 0 0 10485760\r\n" + b"\n" * (10 * MEGABYTE) + b"\r\n",
    "one slow value": b"set a 0 0 10485760 noreply\r\n" + b"\n" * (10 * MEGABYTE) + b"\r\n",
    "lines as long as may be": (b"x" * 2046 + b"\r\n") * 5120,
    "gets of many keys": (b"get" + b" k" * 500_000 + b"\r\n") * 10,
    "gets of many keys, ended by LF": (b"get" + b" k" * 500_000 + b"\n") * 10,
    "gets that never end": b"get" + b" k" * 5_000_000,
    "a line that never ends": b"x" * (10 * MEGABYTE),
    "empty lines": b"\n" * 200_000,
    "values with a bad end": (b"set a 0 0 65536\r\n" + b"x" * 65538) * 160,
}


@pytest.mark.parametrize("name", WORST)
@pytest.mark.parametrize("size", [4096, 65536])
def test_cost_is_linear(name, size):
    """What is looked at in vain is at most a few times what came, and nobody looks more often than there is reason."""
    data = WORST[name]
    feed = ClientFeed(PLANS[-1])
    for at in range(0, len(data), size):
        feed.received(data[at : at + size])
    reads = len(data) // size + 1
    assert feed.calls <= len(feed.requests) + reads + 1
    assert feed.offered <= 2 * len(data) + size


def test_a_long_line_byte_by_byte_is_looked_at_twice():
    """Up to 2048 bytes a line is looked at with each read; from there on only when it may have ended."""
    feed = ClientFeed()
    line = b"get" + b" k" * 20_000 + b"\r\n"
    for piece in bytewise(line):
        feed.received(piece)
    assert feed.calls <= 2048 + 3
    assert as_commands(feed.requests) == [Command("get", line)]


@pytest.mark.parametrize(("data", "may_be", "reads"), [
    (b"get a\r\n", True, True), (b"gets a b\r\n", True, True), (b"mg a v\r\n", True, True), (b"mg a N30\r\n", False, True),
    (b"mg a v R30\r\n", False, True), (b"mg N30 v\r\n", True, True), (b"set a 0 0 1\r\nx\r\n", False, False), (b"incr a 1\r\n", False, False),
    (b"delete a\r\n", False, False), (b"get a\r\nget b\r\n", True, True), (b"get a\r\nset b 0 0 1\r\nx\r\n", False, False),
])  # fmt: skip
def test_what_may_be_asked_twice_and_what_only_reads(data, may_be, reads):
    made = request(data)
    assert (made.repeatable(), made.reads_only()) == (may_be, reads)
