"""Host bytes to replies: every reply's shape whole, byte by byte and with bytes after it; what cannot be is refused."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.commands import COMMANDS
from mcrouter.proto.host.reply_cutter import value_ahead
from mcrouter.proto.replies import ProtocolError, split_reply, value_blocks
from mcrouter.proto.runs import reply_patterns

from .feeding import WARM_REPLIES, HostFeed, Reply, Watched, bytewise, cut, request

TRICKY = b"END\r\nVALUE a 0 1\r\nx\r\nSTORED\r\n"
LONG = b"k" * 250


def value(key, data=b"x", cas=b""):
    """A VALUE block."""
    return b"VALUE %b 5 %d%b\r\n%b\r\n" % (key, len(data), cas, data)


A, B, END = value(b"a"), value(b"b"), b"END\r\n"
# (request, reply, outcomes, values, misses)
CASES = [
    (b"get a\r\n", A + END, o.VALUE, 1, 0),
    (b"get a\r\n", END, o.MISS, 0, 1),
    (b"get a\r\n", value(b"a", b"") + END, o.VALUE, 1, 0),
    (b"get a\r\n", value(b"a", TRICKY) + END, o.VALUE, 1, 0),
    (b"get a\r\n", value(b"a", b"v" * 100_000) + END, o.VALUE, 1, 0),
    (b"get %b\r\n" % LONG, value(LONG) + END, o.VALUE, 1, 0),
    (b"get END\r\n", value(b"END") + END, o.VALUE, 1, 0),
    (b"get END\r\n", END, o.MISS, 0, 1),
    (b"get a\rb\r\n", value(b"a\rb") + END, o.VALUE, 1, 0),
    (b"get \r\r\n", value(b"\r") + END, o.VALUE, 1, 0),
    (b"get a\tb\x0b\r\n", value(b"a\tb\x0b") + END, o.VALUE, 1, 0),
    (b"get a\x01\xff\x7f\r\n", value(b"a\x01\xff\x7f") + END, o.VALUE, 1, 0),
    (b"get a\r\n", b"ERROR\r\n", o.ERROR, 0, 0),
    (b"get a\r\n", b"ERROR out of memory\r\n", o.ERROR, 0, 0),
    (b"get a\r\n", b"CLIENT_ERROR line too long\r\n", o.CLIENT_ERROR, 0, 0),
    (b"get a\r\n", b"SERVER_ERROR out of memory writing get response\r\n", o.SERVER_ERROR, 0, 0),
    (b"get a b\r\n", A + B + END, o.VALUE, 2, 0),
    (b"get a b\r\n", A + END, o.PARTIAL, 1, 1),
    (b"get a b\r\n", B + END, o.PARTIAL, 1, 1),
    (b"get a b\r\n", END, o.MISS, 0, 2),
    (b"get a b a\r\n", A + B + A + END, o.VALUE, 3, 0),
    (b"get a b a\r\n", A + A + END, o.PARTIAL, 2, 1),
    (b"get a b c\r\n", A + value(b"c", TRICKY) + END, o.PARTIAL, 2, 1),
    (b"get a b c\r\n", A + B + value(b"c") + END, o.VALUE, 3, 0),
    (b"get a b c\r\n", A + B + value(b"c", b"xy") + END, o.VALUE, 3, 0),
    (b"get a b c\r\n", A + b"VALUE b 10 1\r\nx\r\n" + value(b"c") + END, o.VALUE, 3, 0),
    (b"get a b\r\n", value(b"a", b"\r\nVALUE b 5 1\r\nx\r\nEND\r\n") + B + END, o.VALUE, 2, 0),
    (b"get a b\r\n", value(b"a", b"\r\nVALUE b 5 23\r\n") + value(b"b", TRICKY[:16]) + END, o.VALUE, 2, 0),
    (b"get" + b" a" * 3000 + b"\r\n", A * 3000 + END, o.VALUE, 3000, 0),
    (b"get a b\r\n", b"SERVER_ERROR busy\r\n", o.SERVER_ERROR, 0, 0),
    (b"gets a\r\n", value(b"a", b"x", b" 18446744073709551615") + END, o.VALUE, 1, 0),
    (b"gets a b\r\n", value(b"b", b"x", b" 1") + END, o.PARTIAL, 1, 1),
    (b"gets a b\r\n", value(b"a", b"x", b" 7") + value(b"b", b"y", b" 8") + END, o.VALUE, 2, 0),
    (b"gat 0 a b\r\n", A + B + END, o.VALUE, 2, 0),
    (b"gat 0 a b\r\n", END, o.MISS, 0, 2),
    (b"gats 0 a\r\n", value(b"a", b"x", b" 1") + END, o.VALUE, 1, 0),
    (b"set a 0 0 1\r\nx\r\n", b"STORED\r\n", o.STORED, 0, 0),
    (b"set a 0 0 1\r\nx\r\n", b"NOT_STORED\r\n", o.NOT_STORED, 0, 0),
    (b"set a 0 0 1\r\nx\r\n", b"SERVER_ERROR object too large for cache\r\n", o.SERVER_ERROR, 0, 0),
    (b"add a 0 0 1\r\nx\r\n", b"NOT_STORED\r\n", o.NOT_STORED, 0, 0),
    (b"cas a 0 0 1 5\r\nx\r\n", b"EXISTS\r\n", o.EXISTS, 0, 0),
    (b"cas a 0 0 1 5\r\nx\r\n", b"NOT_FOUND\r\n", o.NOT_FOUND, 0, 0),
    (b"delete a\r\n", b"DELETED\r\n", o.DELETED, 0, 0),
    (b"delete a\r\n", b"NOT_FOUND\r\n", o.NOT_FOUND, 0, 0),
    (b"incr a 1\r\n", b"18446744073709551615\r\n", o.NUMBER, 0, 0),
    (b"decr a 1\r\n", b"0\r\n", o.NUMBER, 0, 0),
    (b"incr a 1\r\n", b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n", o.CLIENT_ERROR, 0, 0),
    (b"touch a 1\r\n", b"TOUCHED\r\n", o.TOUCHED, 0, 0),
    (b"touch a 1\r\n", b"NOT_FOUND\r\n", o.NOT_FOUND, 0, 0),
    (b"mg a v\r\n", b"VA 1\r\nx\r\n", o.VALUE, 1, 0),
    (b"mg a v k f\r\n", b"VA %d ka f5\r\n%b\r\n" % (len(TRICKY), TRICKY), o.VALUE, 1, 0),
    (b"mg a v\r\n", b"VA 0\r\n\r\n", o.VALUE, 1, 0),
    (b"mg a\r\n", b"HD\r\n", o.HEADER, 1, 0),
    (b"mg a k\r\n", b"HD ka\r\n", o.HEADER, 1, 0),
    (b"mg a\r\n", b"EN\r\n", o.MISS, 0, 1),
    (b"ms a 1\r\nx\r\n", b"HD\r\n", o.HEADER, 0, 0),
    (b"ms a 1 k\r\nx\r\n", b"NS ka\r\n", o.NOT_STORED, 0, 0),
    (b"ms a 1\r\nx\r\n", b"EX\r\n", o.EXISTS, 0, 0),
    (b"ms a 1\r\nx\r\n", b"NF\r\n", o.NOT_FOUND, 0, 0),
    (b"md a O1\r\n", b"HD O1\r\n", o.HEADER, 0, 0),
    (b"md a\r\n", b"NF\r\n", o.NOT_FOUND, 0, 0),
    (b"ma a\r\n", b"HD\r\n", o.HEADER, 0, 0),
    (b"ma a v\r\n", b"VA 2 N0\r\n11\r\n", o.VALUE, 0, 0),
    (b"ma a\r\n", b"NF\r\n", o.NOT_FOUND, 0, 0),
    (b"mn\r\n", b"MN\r\n", o.HEADER, 0, 0),
    (b"me a\r\n", b"ME a exp=-1 la=5 cas=1 fetch=no cls=1 size=60\r\n", o.HEADER, 0, 0),
    (b"me a\r\n", b"EN\r\n", o.MISS, 0, 0),
    (b"me a\r\n", b"ME YQ== exp=-1 la=5 cas=1 fetch=no cls=1 size=60\r\n", o.HEADER, 0, 0),
    (b"mg a k\r\n", b"HD kYQ== b\r\n", o.HEADER, 1, 0),
    (b"mg a k v O1\r\n", b"VA 1 kYQ== b O1\r\nx\r\n", o.VALUE, 1, 0),
    (b"me a\r\n", b"CLIENT_ERROR bad command line format\r\n", o.CLIENT_ERROR, 0, 0),
    (b"flush_all\r\n", b"OK\r\n", o.OK, 0, 0),
    (b"verbosity 1\r\n", b"OK\r\n", o.OK, 0, 0),
    (b"version\r\n", b"VERSION 1.6.18\r\n", o.TEXT, 0, 0),
    (b"stats\r\n", b"STAT pid 1\r\nSTAT version 1.6.18\r\nEND\r\n", o.TEXT, 0, 0),
    (b"stats\r\n", END, o.TEXT, 0, 0),
    (b"stats reset\r\n", b"RESET\r\n", o.OK, 0, 0),
    (b"stats detail on\r\n", b"OK\r\n", o.OK, 0, 0),
    (b"stats detail foo\r\n", b"CLIENT_ERROR usage: stats detail on|off|dump\r\n", o.CLIENT_ERROR, 0, 0),
    (b"stats " + b"x" * 300 + b"\r\n", b"STAT a b\r\n" * 3000 + END, o.TEXT, 0, 0),
    # runs
    (b"get a\r\nget b\r\n", A + END + B + END, o.VALUE * 2, 2, 0),
    (b"get a\r\nget b\r\n", END + value(b"b", TRICKY) + END, o.MISS + o.VALUE, 1, 1),
    (b"get a\r\nget b\r\n", END + END, o.MISS * 2, 0, 2),
    (b"get END\r\nget END\r\nget END\r\n", END + value(b"END", b"END") + END + END, o.MISS + o.VALUE + o.MISS, 1, 2),
    (b"get a\r\nget STORED\r\n", A + END + END, o.VALUE + o.MISS, 1, 1),
    (b"get a\r\nget b\r\n", b"SERVER_ERROR busy\r\n" + B + END, o.SERVER_ERROR + o.VALUE, 1, 0),
    (b"set a 0 0 1\r\nx\r\nset b 0 0 1\r\nx\r\n", b"STORED\r\n" * 2, o.STORED * 2, 0, 0),
    (b"set a 0 0 1\r\nx\r\nset b 0 0 1\r\nx\r\n", b"NOT_STORED\r\nSTORED\r\n", o.NOT_STORED + o.STORED, 0, 0),
    (b"set a 0 0 1\r\nx\r\nset b 0 0 1\r\nx\r\n", b"STORED\r\nSERVER_ERROR out of memory storing object\r\n",
     o.STORED + o.SERVER_ERROR, 0, 0),
    (b"get a\r\nset b 0 0 1\r\nx\r\nget STORED\r\nget b\r\n", A + END + b"STORED\r\n" + END + B + END,
     o.VALUE + o.STORED + o.MISS + o.VALUE, 2, 1),
    (b"get a\r\n" * 64, (A + END) * 64, o.VALUE * 64, 64, 0),
    (b"get a\r\n" * 64, (A + END + END) * 32, (o.VALUE + o.MISS) * 32, 32, 32),
]  # fmt: skip
TAILS = [(b"", b""), (b"get t\r\n", b"VALUE t 0 3\r\nab"), (b"get t\r\n", b"VALUE t 0 1\r\nx\r\nEN"), (b"set t 0 0 0\r\n\r\n", b"STOR")]
REPLY_CACHES = {"warm": lambda: WARM_REPLIES, "cold": reply_patterns}


@pytest.mark.parametrize("cache", REPLY_CACHES)
@pytest.mark.parametrize(("asked", "reply", "outcomes", "values", "misses"), CASES)
def test_three_ways(asked, reply, outcomes, values, misses, cache):
    expected = [Reply(reply, outcomes, values, misses)]
    patterns = REPLY_CACHES[cache]()
    for next_asked, tail in TAILS:
        requests = [request(asked), *([request(next_asked)] if tail else [])]
        assert cut(requests, [reply + tail], patterns) == expected
        if len(reply) < 5000:
            assert cut(requests, bytewise(reply + tail), patterns) == expected


@pytest.mark.parametrize(("asked", "reply", "outcomes", "values", "misses"), CASES)
def test_twice_in_a_row(asked, reply, outcomes, values, misses):
    """Nothing of one reply stays for the next."""
    assert cut([request(asked)] * 2, [reply + reply]) == [Reply(reply, outcomes, values, misses)] * 2


@pytest.mark.parametrize(("asked", "reply", "outcomes"), [case[:3] for case in CASES if len(case[2]) > 1])
def test_split_reply(asked, reply, outcomes):
    """The parts are the replies that the single commands get."""
    run = request(asked)
    parts = split_reply(reply, run.commands, outcomes)
    singles = cut([request(command) for command in run.split()], [reply])
    assert [(part, outcomes[i : i + 1]) for i, part in enumerate(parts)] == [single[:2] for single in singles]


def test_value_blocks():
    reply = A + value(b"a\rb", TRICKY, b" 7") + B
    assert list(value_blocks(reply + END)) == [(b"a", A), (b"a\rb", value(b"a\rb", TRICKY, b" 7")), (b"b", B)]
    assert list(value_blocks(END)) == []


ILLEGAL = [
    (b"get a\r\n", B + END),
    (b"get a\r\n", A + A + END),
    (b"get a\r\n", b"STORED\r\n"),
    (b"get STORED\r\n", b"STORED\r\n"),
    (b"get a\r\n", b"END \r\n"),
    (b"get a\r\n", b"END\n"),
    (b"get a\r\n", b"VALUE a 5 1\r\nxyz"),
    (b"get a\r\n", b"VALUE a 5 x\r\n"),
    (b"get a\r\n", b"VALUE a 5\r\n"),
    (b"get a\r\n", b"VALUE a 5 -1\r\n"),
    (b"get a\r\n", b"VALUE a 5 1 2 3\r\nx\r\nEND\r\n"),
    (b"get a\r\n", b"VALUE a 5 1\nx\r\nEND\r\n"),
    (b"get a\r\n", b"VALUE a 5 99999999999\r\n"),
    (b"get a\r\n", b"VALUE %bk 5 1\r\nx\r\nEND\r\n" % LONG),
    (b"get a\r\n", A + b"SERVER_ERROR out of memory\r\n"),
    (b"get a\r\n", b"\r\n"),
    (b"get a\r\n", b"ERRORS\r\n"),
    (b"get a\r\n", b"SERVER_ERROR busy\n"),
    (b"get a\r\n", b"x" * 9000),
    (b"get a b\r\n", B + A + END),
    (b"get a b\r\n", A + A + END),
    (b"get a b\r\n", A + B + A + END),
    (b"get a b\r\n", value(b"c") + END),
    (b"get a b\r\n", A * 100),
    (b"get a b\r\n", A + b"VALUE b 5 %b\r\n" % (b"9" * 5000)),
    (b"get a b\r\n", A + b"VALUE b 5 %b\r\n" % (b"9" * 200)),
    (b"get a b\r\n", A + b"VALUE b +5 1\r\nx\r\nEND\r\n"),
    (b"get a b\r\n", A + b"VALUE b 5 1_0\r\n0123456789\r\nEND\r\n"),
    (b"get a b\r\n", A + b"VALUE b 5 1\r\nxyEND\r\n"),
    (b"get a b a\r\n", A + value(b"c") + A + END),
    (b"get a b a\r\n", A + A + A + END),
    (b"get a b a\r\n", value(b"xa") + B + A + END),
    (b"set a 0 0 1\r\nx\r\n", b"DELETED\r\n"),
    (b"set a 0 0 1\r\nx\r\n", END),
    (b"set a 0 0 1\r\nx\r\n", b"STORED\n"),
    (b"set a 0 0 1\r\nx\r\n", b"HD\r\n"),
    (b"set a 0 0 1\r\nx\r\n", b"5\r\n"),
    (b"set a 0 0 1\r\nx\r\n", A + END),
    (b"delete a\r\n", b"STORED\r\n"),
    (b"incr a 1\r\n", b"DELETED\r\n"),
    (b"incr a 1\r\n", b"-1\r\n"),
    (b"incr a 1\r\n", b"12\n"),
    (b"incr a 1\r\n", b"\r\n"),
    (b"incr a 1\r\n", b"VA 1\r\n1\r\n"),
    (b"touch a 1\r\n", b"OK\r\n"),
    (b"mg a v\r\n", A + END),
    (b"mg a v\r\n", b"VA x\r\n"),
    (b"mg a v\r\n", b"VA 1\r\nxyz"),
    (b"mg a v\r\n", b"HDx\r\n"),
    (b"mg a v\r\n", b"HD k\n"),
    (b"ms a 1\r\nx\r\n", b"HD\rx\r\n"),
    (b"mg a v\r\n", b"MN\n"),
    (b"ms a 1\r\nx\r\n", b"VA 1\r\nx\r\n"),
    (b"mn\r\n", b"NF\r\n"),
    (b"flush_all\r\n", b"VERSION 1\r\n"),
    (b"version\r\n", b"VERSION 1\n"),
    (b"version\r\n", b"OK\r\n"),
    (b"stats\r\n", b"STAT a 1\r\nSTORED\r\n"),
    (b"stats\r\n", b"x" * 9000),
    (b"get a\r\nget b\r\n", B + END + A + END),
    (b"get a\r\nget b\r\n", A + END + b"STORED\r\n"),
    (b"get a\r\nget STORED\r\n", A + END + b"STORED\r\n"),
    (b"get a\r\nget NOT_STORED\r\n", A + END + b"NOT_STORED\r\n"),
    (b"get a\r\nget b\r\n", A + B + END),
    (b"get a\r\nget b\r\n", A + END + b"VALUE b 5 %b\r\n" % (b"9" * 200)),
    (b"get a\r\nget b\r\n", A + END + b"VALUE b x 1\r\nx\r\nEND\r\n"),
    (b"get a\r\nget b\r\n", A + END + B + b"SERVER_ERROR busy\r\n"),
    (b"get a\r\nset b 0 0 1\r\nx\r\n", A + END + END),
    (b"get a\r\nset b 0 0 1\r\nx\r\n", A + END + value(b"STORED") + END),
]


@pytest.mark.parametrize(("asked", "reply"), ILLEGAL)
@pytest.mark.parametrize("cache", REPLY_CACHES)
def test_illegal_replies(asked, reply, cache):
    for pieces in ([reply], bytewise(reply)):
        with pytest.raises(ProtocolError):
            cut([request(asked)], pieces, REPLY_CACHES[cache]())


def test_a_value_too_many_is_found_before_it_is_all_there():
    with pytest.raises(ProtocolError, match="more values than keys"):
        cut([request(b"get a\r\n")], [A + b"VALUE a 0 100000\r\n" + b"x" * 20_000])


def test_the_value_that_a_reply_begins_with():
    assert value_ahead(b"VALUE a 0 5\r\nab", request(b"get a\r\n")) == (len(b"VALUE a 0 5\r\n") + 5, b"\r\nEND\r\n")
    assert value_ahead(b"VA 5 f0\r\nab", request(b"mg a v f\r\n")) == (len(b"VA 5 f0\r\n") + 5, b"\r\n")
    for reply, asked in ((END, b"get a\r\n"), (b"EN\r\n", b"mg a v\r\n"), (b"STORED\r\n", b"set a 0 0 1\r\nx\r\n"), (b"VAL", b"get a\r\n")):
        assert value_ahead(reply, request(asked)) == (0, b"")
    with pytest.raises(ProtocolError):
        value_ahead(b"VALUE b 0 5\r\nab", request(b"get a\r\n"))


def test_a_reply_without_a_request():
    with pytest.raises(ProtocolError):
        cut([request(b"get a\r\n")], [END + END])


MEGABYTE = 1 << 20
WORST = {
    "one value": (b"get a\r\n", value(b"a", b"\n" * (10 * MEGABYTE)) + END),
    "one meta value": (b"mg a v\r\n", b"VA %d\r\n%b\r\n" % (10 * MEGABYTE, b"\n" * (10 * MEGABYTE))),
    "many values": (b"get" + b" a" * 100_000 + b"\r\n", value(b"a", b"x" * 80) * 100_000 + END),
    "many lines": (b"stats\r\n", b"STAT a 1\r\n" * 200_000 + END),
    "long run": (b"get a\r\n" * 64, (value(b"a", b"x" * 160_000) + END) * 64),
}


@pytest.mark.parametrize("name", WORST)
@pytest.mark.parametrize("size", [1000, 65536])
def test_cost_is_linear(name, size):
    """What was verified is not looked at again, nor a value of which a part is missing."""
    asked, reply = WORST[name]
    feed = HostFeed([request(asked)])
    cutter = feed.stream._cutter
    offered = []
    feed.stream._cutter = Watched(cutter, lambda data, at, request: offered.append(len(data) - at) or cutter.cut(data, at, request))
    for at in range(0, len(reply), size):
        feed.received(reply[at : at + size])
    assert [made.data for made in feed.replies] == [reply]
    assert sum(offered) <= 3 * len(reply)


def test_every_command_has_a_case():
    """No command of the table is left out here (`quit` and `shutdown` have no reply of a host)."""
    verbs = {asked.split()[0].decode() for asked, *_ in CASES}
    assert verbs == {command.name for command in COMMANDS} - {"quit", "shutdown", "append", "prepend", "replace"}
