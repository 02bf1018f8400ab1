"""Lines off the common way: what is forwarded, what is answered at once, what closes; and that memcached does the same.

Each row is (line, what `read_line` makes of it). The second half of the file asks a real memcached every row, and lines
that hypothesis draws.
"""

import re
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcrouter.proto import outcomes as o
from mcrouter.proto.commands import BY_NAME, COMMANDS
from mcrouter.proto.lines import BAD_FORMAT, ERROR, MAX_LINE, Line, may_be_long, read_line
from mcrouter.proto.requests import CLOSE
from tests.support.processes import Memcached

from .feeding import ClientFeed, cut, request
from .streams import NUMBERS, ODD_KEYS, SIZES, VERBS

ALL = o.ANSWERS + o.HOST_ERRORS + o.OUR_ERRORS
LONG, TOO_LONG = b"k" * 250, b"k" * 251
BAD_DELETE = b"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"
BAD_DELTA = b"CLIENT_ERROR invalid numeric delta argument\r\n"
BAD_EXPTIME = b"CLIENT_ERROR invalid exptime argument\r\n"


def to(wire, size=-1, mute=b""):
    """Forwarded so."""
    return Line(BY_NAME[wire.split()[0].decode()].number, wire + b"\r\n", size, mute)


def says(answer):
    """Answered so."""
    return Line(-1, answer=answer)


TOO_MANY = b"CLIENT_ERROR options flags too long\r\n"
ZEROS = b"0" * 1900
GETS = to(b"get" + b" a" * 9000)
HIDDEN, CLOSES = says(b""), Line(-1, closes=True)

LINES = [
    (b"", says(ERROR)), (b" ", says(ERROR)), (b"\0get a", says(ERROR)), (b"a", says(ERROR)), (b"m a", says(ERROR)),
    (b"get", says(ERROR)), (b"get a", to(b"get a")), (b"  get   a  b ", to(b"get a b")), (b"get a\0b", to(b"get a")),
    (b"get a\tb", to(b"get a\tb")), (b"get a\r", to(b"get a\r")), (b"get\ta", says(ERROR)), (b"bget a", to(b"get a")),
    (b"GET a", says(ERROR)), (b"get %b" % LONG, to(b"get %b" % LONG)), (b"get %b" % TOO_LONG, says(BAD_FORMAT)),
    (b"get a %b" % TOO_LONG, says(BAD_FORMAT)), (b"gets", says(ERROR)), (b"gets a noreply", to(b"gets a noreply")),
    (b"get" + b" a" * 3000, to(b"get" + b" a" * 3000)),
    (b"gat", says(ERROR)), (b"gat 0", says(b"END\r\n")), (b"gat x", says(BAD_EXPTIME)), (b"gat x a", says(BAD_EXPTIME)),
    (b"gat 007 a b", to(b"gat 7 a b")), (b"gats -1 a", to(b"gats -1 a")), (b"gat 0 %b" % TOO_LONG, says(BAD_FORMAT)),
    (b"gat 4294967297 a", to(b"gat 1 a")),
    (b"set", says(ERROR)), (b"set a 0 0", says(ERROR)), (b"set a 0 0 1", to(b"set a 0 0 1", 1)),
    (b"set a 0 0 1 noreply", to(b"set a 0 0 1", 1, ALL)), (b"set a 0 0 1 foo", to(b"set a 0 0 1", 1)),
    (b"set a 0 0 1 foo noreply", says(ERROR)), (b"set a 0 0 noreply", HIDDEN), (b"set a +1 +1 +1", to(b"set a 1 1 1", 1)),
    (b"set a 1x 0 1", says(BAD_FORMAT)), (b"set a 0 1x 1", says(BAD_FORMAT)), (b"set a 0 0 1x", says(BAD_FORMAT)),
    (b"set a 0 0 -1", says(BAD_FORMAT)), (b"set a 0 0 x noreply", HIDDEN), (b"set a -1 0 1", says(BAD_FORMAT)),
    (b"set a 4294967295 0 0", to(b"set a 4294967295 0 0", 0)), (b"set a 0 0 4294967297", to(b"set a 0 0 1", 1)),
    (b"set a 0 0 2147483645", to(b"set a 0 0 2147483645", 2147483645)), (b"set a 0 0 2147483646", says(BAD_FORMAT)),
    (b"set %b 0 0 1" % TOO_LONG, says(BAD_FORMAT)), (b"set %b 0 0 1 noreply" % TOO_LONG, HIDDEN),
    (b"set a 0 \t1 1", to(b"set a 0 1 1", 1)), (b"set a 0 99999999999999999999 1", says(BAD_FORMAT)),
    (b"add a 0 0 1", to(b"add a 0 0 1", 1)), (b"replace a 0 0 1", to(b"replace a 0 0 1", 1)),
    (b"append a 0 0 1", to(b"append a 0 0 1", 1)), (b"prepend a 0 0 1", to(b"prepend a 0 0 1", 1)),
    (b"cas a 0 0 1", says(ERROR)), (b"cas a 0 0 1 5", to(b"cas a 0 0 1 5", 1)), (b"cas a 0 0 1 x", says(BAD_FORMAT)),
    (b"cas a 0 0 1 5 noreply", to(b"cas a 0 0 1 5", 1, ALL)), (b"cas a 0 0 1 -1", says(BAD_FORMAT)),
    (b"delete", says(ERROR)), (b"delete a", to(b"delete a")), (b"delete a 0", to(b"delete a")), (b"delete a 1", says(BAD_DELETE)),
    (b"delete a noreply", to(b"delete a", mute=ALL)), (b"delete a 0 noreply", to(b"delete a", mute=ALL)),
    (b"delete noreply", to(b"delete noreply")), (b"delete a 1 noreply", HIDDEN), (b"delete a 00", says(BAD_DELETE)),
    (b"delete a 0 0", says(BAD_DELETE)), (b"delete a 0 0 0", says(ERROR)), (b"delete %b" % TOO_LONG, says(BAD_FORMAT)),
    (b"incr a", says(ERROR)), (b"incr a 1", to(b"incr a 1")), (b"incr a x", says(BAD_DELTA)), (b"incr a -1", says(BAD_DELTA)),
    (b"incr a 007", to(b"incr a 7")), (b"decr a 1 noreply", to(b"decr a 1", mute=ALL)), (b"decr a 1 foo", to(b"decr a 1")),
    (b"incr a 18446744073709551615", to(b"incr a 18446744073709551615")), (b"incr a 18446744073709551616", says(BAD_DELTA)),
    (b"incr a x noreply", HIDDEN), (b"incr a noreply", HIDDEN), (b"incr a 1 2 3", says(ERROR)),
    (b"touch a", says(ERROR)), (b"touch a -1", to(b"touch a -1")), (b"touch a x", says(BAD_EXPTIME)),
    (b"touch a 0 noreply", to(b"touch a 0", mute=ALL)), (b"touch %b 0" % TOO_LONG, says(BAD_FORMAT)),
    (b"flush_all", to(b"flush_all")), (b"flush_all noreply", to(b"flush_all", mute=ALL)), (b"flush_all 0 0 0", says(ERROR)),
    (b"flush_all 3600", to(b"flush_all 3600")), (b"flush_all 3600 noreply", to(b"flush_all 3600", mute=ALL)),
    (b"flush_all x", says(BAD_EXPTIME)), (b"flush_all x noreply", HIDDEN),
    (b"verbosity", says(ERROR)), (b"verbosity 0", to(b"verbosity 0")), (b"verbosity x", says(BAD_FORMAT)),
    (b"verbosity 0 noreply", to(b"verbosity 0", mute=ALL)), (b"verbosity noreply", HIDDEN),
    (b"version", to(b"version")), (b"version foo", to(b"version")), (b"shutdown", says(b"ERROR: shutdown not enabled\r\n")),
    (b"stats", to(b"stats")), (b"stats  items", to(b"stats items")), (b"stats noreply", to(b"stats noreply")),
    (b"quit", CLOSES), (b"quit foo", CLOSES), (b"POST / HTTP/1.1", CLOSES), (b"GET / HTTP/1.1", CLOSES), (b"Host: a", says(ERROR)),
    (b"get / HTTP/1.1", to(b"get / HTTP/1.1")),
    (b"mg", says(ERROR)), (b"mg a", to(b"mg a")), (b"mg a v q", to(b"mg a v", mute=o.MISS)), (b"mg a q", to(b"mg a", mute=o.MISS)),
    (b"mg a q q", to(b"mg a q q")), (b"mg a v  k", to(b"mg a v k")),
    (b"mg q q", to(b"mg q", mute=o.MISS)), (b"md a q", to(b"md a", mute=o.HEADER)), (b"ma a q v", to(b"ma a v", mute=o.HEADER + o.VALUE)),
    (b"ms", says(ERROR)), (b"ms a", says(BAD_FORMAT)), (b"ms a x", says(BAD_FORMAT)), (b"ms a -1", says(BAD_FORMAT)),
    (b"ms a 1", to(b"ms a 1", 1)), (b"ms a +1 T0", to(b"ms a 1 T0", 1)), (b"ms a 1 q", to(b"ms a 1", 1, o.HEADER)),
    (b"ms a S1", says(BAD_FORMAT)), (b"ms %b 1" % TOO_LONG, says(BAD_FORMAT)), (b"ms a 2147483646", says(BAD_FORMAT)),
    (b"mn", to(b"mn")), (b"mn a b", to(b"mn")), (b"me a", to(b"me a")), (b"stats detail x y", to(b"stats detail x y")),
    # The key is looked at before the number of words.
    *[(b"%b %b" % (verb, TOO_LONG), says(BAD_FORMAT)) for verb in (b"mg", b"md", b"ma", b"me")],
    *[(b"%b %b%b" % (verb, TOO_LONG, b" v" * 20), says(BAD_FORMAT)) for verb in (b"mg", b"md", b"ma", b"me")],
    (b"ms %b 1%b" % (TOO_LONG, b" v" * 20), says(BAD_FORMAT)), (b"ms a x%b" % (b" v" * 20), says(TOO_MANY)),
    (b"ms a 1%b" % (b" v" * 17), says(TOO_MANY)), (b"md a%b" % (b" v" * 18), says(TOO_MANY)),
    # Numbers may have any number of leading zeros.
    (b"incr a %b7" % ZEROS, to(b"incr a 7")), (b"incr a -%b" % ZEROS, to(b"incr a 0")), (b"touch a +%b7" % ZEROS, to(b"touch a 7")),
    (b"set a %b3 %b2 %b1" % (ZEROS[:600], ZEROS[:600], ZEROS[:600]), to(b"set a 3 2 1", 1)), (b"ms a %b1" % ZEROS, to(b"ms a 1", 1)),
    (b"incr a %b" % (b"1" * 2000), says(BAD_DELTA)), (b"gat %b a" % (b"1" * 2000), says(BAD_EXPTIME)),
    (b"verbosity %b" % ZEROS, to(b"verbosity 0")), (b"incr a %b7" % (ZEROS * 8), to(b"incr a 7")),
    # Where no sign belongs a minus goes round at 2**64, unless what it comes to would have one too.
    (b"incr a -0", to(b"incr a 0")), (b"incr a -18446744073709551615", to(b"incr a 1")), (b"decr a -18446744073709551616", says(BAD_DELTA)),
    (b"incr a -9223372036854775809", to(b"incr a 9223372036854775807")), (b"incr a -9223372036854775808", says(BAD_DELTA)),
    (b"set a -18446744073709551615 0 1", to(b"set a 1 0 1", 1)), (b"set a -9223372036854775808 0 1", says(BAD_FORMAT)),
    (b"cas a 0 0 1 -18446744073709551614", to(b"cas a 0 0 1 2", 1)), (b"verbosity -18446744073709551614", to(b"verbosity 2")),
    # Of a line that is to be HTTP the last of its first 23 words counts, and a verb that begins like none of memcached's.
    *[(b"POST%b HTTP/1.1" % (b" x" * words), CLOSES) for words in (0, 1, 20, 21)],
    *[(b"POST%b HTTP/1.1" % (b" x" * words), says(ERROR)) for words in (22, 23, 40)],
    (b"POST%b HTTP/1.1 a b" % (b" x" * 21), CLOSES), (b"POST / HTTP/1.1 x", says(ERROR)), (b"POST / http/1.1", says(ERROR)),
    *[(verb + b" / HTTP/1.1", says(ERROR)) for verb in (b"aa", b"cc", b"dd", b"gg", b"ii", b"ss", b"tt", b"mx")],
    *[(verb + b" / HTTP/1.1", CLOSES) for verb in (b"bb", b"ee", b"host:", b"mmm", b"qq", b"vv", b"HTTP/1.0", b"GE")],
    # No read of memcached's brings more than 16384 bytes.
    (b"x" * 16382, says(ERROR)), (b"x" * 16383, CLOSES), (b" " * 16382, says(ERROR)), (b" " * 16383, CLOSES),
    (b"set a 0 0 1" + b" " * 16371, to(b"set a 0 0 1", 1)), (b"set a 0 0 1" + b" " * 16372, CLOSES), (b" " * 100 + b"get" + b" a" * 9000, GETS),
]  # fmt: skip

# Where memcached's own answer is not given, but refused, or the connection closed.
REFUSED = [
    (b"stats cachedump 1 1", says(ERROR)), (b"stats cachedump", says(ERROR)), (b"stats  sizes_enable x", says(ERROR)),
    (b"stats sizes_disable", says(ERROR)), (b"shutdown graceful", says(b"ERROR: shutdown not enabled\r\n")),
    (b"gat 0" + b" a" * 1021, to(b"gat 0" + b" a" * 1021)), (b"gat 0" + b" a" * 1022, CLOSES), (b"stats " + b"x" * 2042, CLOSES),
    (b"mg a O" + b"x" * 2043, CLOSES), (b"ms a 1 O" + b"x" * 2041, CLOSES), (b"me a " + b"x" * 2050, CLOSES),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), LINES + REFUSED)
def test_read_line(line, expected):
    assert read_line(line) == expected


@pytest.mark.parametrize(("line", "expected"), [row for row in LINES if row[1].kind >= 0])
def test_what_is_forwarded_reads_the_same_again(line, expected):
    """No flag of `noreply` is left, and every number is plain."""
    again = read_line(expected.wire[:-2])
    assert again == expected._replace(mute=again.mute) and again.mute in (b"", expected.mute)
    assert not expected.mute or not again.mute


@pytest.mark.parametrize(("start", "may"), [
    (b"get ", True), (b"gets a", True), (b"get", False), (b"gat 0 a", False), (b"set ", False), (b" " * 100 + b"get a", True),
    (b" " * 101 + b"get a", False), (b"x" * 200, False),
])  # fmt: skip
def test_may_be_long(start, may):
    assert may_be_long(start) is may


@pytest.mark.parametrize(("start", "closes"), [
    (b"x" * MAX_LINE, False), (b"x" * (MAX_LINE + 1), True), (b"set " + b"k" * MAX_LINE, True), (b"get " + b"k" * MAX_LINE, False),
    (b"get " + b"k " * (1 << 19), True), (b"get " + b"k " * (1 << 18), False), (b" " * 101 + b"get " + b"k " * MAX_LINE, True),
])  # fmt: skip
def test_a_line_too_long_closes(start, closes):
    feed = ClientFeed()
    feed.received(start)
    assert [made.kinds for made in feed.requests] == [CLOSE] * closes


def test_every_command_has_a_line():
    assert {COMMANDS[row[1].kind].name for row in LINES if row[1].kind >= 0} == set(BY_NAME) - {"quit", "shutdown"}


# A real memcached ------------------------------------------------------------------------------------------------

ASIDE = re.compile(rb"^(STAT \S+|VERSION|ME \S+) .*?\r\n", re.M)  # what differs from one time to the next


@pytest.fixture(scope="module")
def port():
    memcached = Memcached().start()
    yield memcached.port
    memcached.stop()


def until(sock, mark):
    """(everything answered before `mark`, whether it hung up instead)."""
    got = b""
    while not got.endswith(mark):
        try:
            more = sock.recv(65536)
        except ConnectionError:  # it hung up on bytes that it had not read
            more = b""
        if not more:
            return got, True
        got += more
    return got[: -len(mark)], False


def ask(port, data):
    """(what an empty memcached answers, whether it hung up); a line that has a known answer marks the end."""
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(b"flush_all\r\n")
        until(sock, b"OK\r\n")
        sock.sendall(data + b"stats detail foo\r\n")
        return until(sock, b"CLIENT_ERROR usage: stats detail on|off|dump\r\n")


def agrees(port, line):
    """Holds memcached's answer to the line against what `read_line` says, and against that to what it forwards."""
    read = read_line(line)
    if read.size > 1 << 20:
        return
    body = b"x" * read.size + b"\r\n" if read.size >= 0 else b""
    theirs, hung_up = ask(port, line + b"\r\n" + body)
    assert hung_up is read.closes
    if hung_up:
        return
    if read.kind < 0:
        assert theirs == read.answer
        return
    wire = read.wire + body
    ours, _ = ask(port, wire)
    (reply,) = cut([request(wire)], [ours])
    shown = b"" if reply.outcomes in read.mute else reply.data
    assert ASIDE.sub(rb"\1\r\n", theirs) == ASIDE.sub(rb"\1\r\n", shown)


@pytest.mark.parametrize("line", [line for line, _ in LINES])
def test_memcached_does_the_same(port, line):
    agrees(port, line)


@st.composite
def drawn_lines(draw):
    """A verb and words that may suit it."""
    verb = draw(VERBS)
    count = draw(st.integers(0, 5))
    words = [draw(st.one_of(ODD_KEYS, NUMBERS, st.just(b"noreply"))) for _ in range(count)]
    if verb in (b"set", b"add", b"append", b"cas", b"ms") and draw(st.booleans()):
        words = [draw(ODD_KEYS), draw(NUMBERS), draw(NUMBERS), draw(SIZES), *words[:2]]
        if verb == b"ms":
            del words[1:3]
    return draw(st.sampled_from([b" ", b" ", b"  "])).join([verb, *words]) + draw(st.sampled_from([b"", b"", b" noreply", b" q", b" "]))


@settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn_lines())
def test_memcached_does_the_same_with_drawn_lines(port, line):
    agrees(port, line)
