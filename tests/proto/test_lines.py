"""Lines off the common way: what is forwarded, what is answered at once, what closes; and that memcached does the same.

Each row is (line, what `read_line` makes of it). The second half of the file asks a real memcached every row, and lines
that hypothesis draws.
"""

import base64
import re
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcrouter.proto import outcomes as o
from mcrouter.proto.client.lines import BAD_FORMAT, ERROR, MAX_LINE, Line, may_be_long, read_line
from mcrouter.proto.client.rendering import Rendering
from mcrouter.proto.commands import BY_NAME, BY_VERB, COMMANDS, META_STORE, STORE, STORE_CAS
from mcrouter.proto.request import CLOSE
from tests.differential.differences import known
from tests.support.processes import Memcached

from .feeding import ClientFeed, cut, request
from .streams import NUMBERS, ODD_KEYS, SIZES, VERBS

ALL = o.EVERYTHING
LONG, TOO_LONG = b"k" * 250, b"k" * 251
BAD_DELETE = b"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"
BAD_DELTA = b"CLIENT_ERROR invalid numeric delta argument\r\n"
BAD_EXPTIME = b"CLIENT_ERROR invalid exptime argument\r\n"


def to(wire, size=-1, hidden=b"", key=b"", before=b""):
    """Forwarded so."""
    rendering = Rendering(hidden, key, before) if hidden or key else None
    return Line(BY_NAME[wire.split()[0].decode()].number, wire + b"\r\n", size, rendering)


def says(answer, size=-1):
    """Answered so; `size` bytes of data and their end are swallowed."""
    return Line(-1, answer=answer, size=size)


def ends(answer):
    """Answered so, and closed: how much data follows is not said."""
    return Line(-1, answer=answer, closes=True)


DUPLICATE = b"CLIENT_ERROR duplicate flag\r\n"
INVALID = b"CLIENT_ERROR invalid flag\r\n"
BAD_FLAG = b"CLIENT_ERROR invalid or duplicate flag\r\n"
BAD_TOKEN = b"CLIENT_ERROR bad token in command line format\r\n"
BAD_KEY = b"CLIENT_ERROR error decoding key\r\n"
BAD_LENGTH = b"CLIENT_ERROR incorrect length for M token\r\n"
BAD_MODE = b"CLIENT_ERROR invalid mode for ms M token\r\n"
BAD_OPAQUE = b"CLIENT_ERROR opaque token too long\r\n"
TOO_MANY = b"CLIENT_ERROR options flags too long\r\n"
ZEROS = b"0" * 1900
GETS = to(b"get" + b" a" * 9000)
HIDDEN, CLOSES = says(b""), Line(-1, closes=True)

# Flags of meta commands.
META = [
    *[(b"ms a 3 " + flag, to(b"ms a 3 " + plain, 3)) for flag, plain in (
        (b"T5", b"T5"), (b"T+5", b"T5"), (b"T-1", b"T-1"), (b"T\t05\tx", b"T5"), (b"T99999999999", b"T1215752191"), (b"F+1", b"F1"),
        (b"F4294967295", b"F4294967295"), (b"F-18446744073709551615", b"F1"), (b"C0", b"C0"), (b"C+18446744073709551615", b"C18446744073709551615"),
        (b"N0", b"N0"), (b"R5", b"R5"), (b"D5", b"D5"), (b"J-0", b"J0"), (b"Ix", b"I"), (b"k1", b"k"), (b"c v t f h l u s", b"c v t f h l u s"),
        (b"MS", b"MS"), (b"ME", b"ME"), (b"MA", b"MA"), (b"MP", b"MP"), (b"MR", b"MR"), (b"O", b"O"), (b"O" + b"x" * 31, b"O" + b"x" * 31), (b"Lx P", b"Lx P"))],
    *[(b"ms a 3 " + flag, says(BAD_TOKEN, 3)) for flag in (
        b"Tabc", b"T", b"T5x", b"Cx", b"C", b"C-1", b"C18446744073709551616", b"N", b"Nx", b"R", b"T9223372036854775808", b"M Tx", b"MZ Tx", b"Tx F", b"F Tx")],
    *[(b"ms a 3 " + flag, says(BAD_FORMAT, 3)) for flag in (b"F", b"Fx", b"F-1", b"F1x", b"Fx O" + b"x" * 32)],
    *[(b"ms a 3 " + flag, says(INVALID, 3)) for flag in (
        b"z", b"!", b"E5", b"S3", b"x", b"1", b"A", b"\x01", b"{", b"~", b"@", b"_", b"=", b"T 5", b"k z k", b"Tx z", b"q !")],
    *[(b"ms a 3 " + flag, says(DUPLICATE, 3)) for flag in (b"k k", b"T1 T2", b"q q", b"I Ix", b"\x7f", b"\xff", b"Oa Ob", b"Tx k k")],
    *[(b"ms a 3 " + flag, says(BAD_LENGTH, 3)) for flag in (b"M", b"Mset", b"Madd", b"Tx M")],
    *[(b"ms a 3 " + flag, says(BAD_MODE, 3)) for flag in (b"MZ", b"Ms", b"Ma", b"M\xff", b"MZ O" + b"x" * 32)],
    *[(b"ms a 3 " + flag, says(BAD_OPAQUE, 3)) for flag in (b"O" + b"x" * 32, b"q k O" + b"x" * 200)],
    (b"ms a 3 D", says(b"CLIENT_ERROR invalid numeric delta value\r\n", 3)), (b"ms a 3 J-1", says(b"CLIENT_ERROR invalid numeric initial value\r\n", 3)),
    *[(b"ms %b 3 b" % key, says(BAD_KEY, 3)) for key in (b"Zm9", b"Z===", b"====", b"A===", b"foo")],
    # A base64 key is never repeated by a host, and is sent as memcached writes it.
    (b"mg Zm9v b v", to(b"mg Zm9v b v")), (b"mg Zh== b", to(b"mg Zg== b")), (b"mg Zm9v k v b", to(b"mg Zm9v v b", key=b" kZm9v b")),
    (b"mg Zm9v O1 kx b t q", to(b"mg Zm9v O1 b t", hidden=o.MISS, key=b" kZm9v b", before=b"O")),
    (b"ms Zm9= 1 b c k", to(b"ms Zm8= 1 b c", 1, key=b" kZm8= b", before=b"bc")), (b"ms Zm9v 1 bx", to(b"ms Zm9v 1 b", 1)),
    (b"md Zm9v k b q", to(b"md Zm9v b", hidden=o.HEADER, key=b" kZm9v b")), (b"ma bnVt N0 b k v", to(b"ma bnVt N0 b v", key=b" kbnVt b", before=b"Nb")),
    (b"mg Zm9v b k k", says(DUPLICATE)), (b"mg Zm9v z b k k", says(INVALID)), (b"md Zm9v b k k", says(BAD_FLAG)), (b"ma Zm9v b b", says(BAD_FLAG)),
    (b"mg Zm9 b k", says(BAD_KEY)), (b"mg Zm9 b Tx", says(BAD_TOKEN)), (b"md foo b", says(BAD_FLAG)), (b"ma foo b", says(BAD_FLAG)),
    (b"mg a z", to(b"mg a z")), (b"mg a Tx !", to(b"mg a Tx !")), (b"md a Cx", to(b"md a Cx")),
    (b"me", says(BAD_FORMAT)), (b"me ", says(BAD_FORMAT)), (b"me\0a", says(BAD_FORMAT)), (b"me Zm9v b", to(b"me Zm9v b")), (b"me foo b", says(BAD_FORMAT)),
    (b"me Zg== b", to(b"me Zg== b")),
]  # fmt: skip

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
    (b"set", ends(ERROR)), (b"set a 0 0", ends(ERROR)), (b"set a 0 0 1", to(b"set a 0 0 1", 1)),
    (b"set a 0 0 1 noreply", to(b"set a 0 0 1", 1, ALL)), (b"set a 0 0 1 foo", to(b"set a 0 0 1", 1)),
    (b"set a 0 0 1 foo noreply", says(ERROR, 1)), (b"set a 0 0 noreply", ends(b"")), (b"set a +1 +1 +1", to(b"set a 1 1 1", 1)),
    (b"set a 1x 0 1", says(BAD_FORMAT, 1)), (b"set a 0 1x 1", says(BAD_FORMAT, 1)), (b"set a 0 0 1x", ends(BAD_FORMAT)),
    (b"set a 0 0 -1", ends(BAD_FORMAT)), (b"set a 0 0 x noreply", ends(b"")), (b"set a -1 0 1", says(BAD_FORMAT, 1)),
    (b"set a x 0 3 noreply", says(b"", 3)), (b"set a x 0 003", says(BAD_FORMAT, 3)), (b"set a x 0 +3", ends(BAD_FORMAT)), (b"set a x 0 \t3", ends(BAD_FORMAT)),
    (b"set a x 0 2147483645", says(BAD_FORMAT, 2147483645)), (b"set a 0 0 3\0 noreply", to(b"set a 0 0 3", 3)), (b"set a 0 0\0 3", ends(ERROR)),
    (b"set a b c 3 d e f g", says(ERROR, 3)), (b"set a b c d 3 e f g", ends(ERROR)), (b"set a b c 0 3", says(BAD_FORMAT, 0)), (b"set a 0 0 0 1 2 3", says(ERROR, 0)),
    (b"set a 4294967295 0 0", to(b"set a 4294967295 0 0", 0)),
    (b"set a 0 0 2147483645", to(b"set a 0 0 2147483645", 2147483645)), (b"set a 0 0 2147483646", ends(BAD_FORMAT)),
    (b"set %b 0 0 1" % TOO_LONG, says(BAD_FORMAT, 1)), (b"set %b 0 0 1 noreply" % TOO_LONG, says(b"", 1)),
    (b"set a 0 \t1 1", to(b"set a 0 1 1", 1)), (b"set a 0 99999999999999999999 1", says(BAD_FORMAT, 1)), (b"set a 0 99999999999 1", to(b"set a 0 1215752191 1", 1)),
    (b"add a 0 0 1", to(b"add a 0 0 1", 1)), (b"replace a 0 0 1", to(b"replace a 0 0 1", 1)),
    (b"append a 0 0 1", to(b"append a 0 0 1", 1)), (b"prepend a 0 0 1", to(b"prepend a 0 0 1", 1)),
    (b"cas a 0 0 1", says(ERROR, 1)), (b"cas a 0 0 1 5", to(b"cas a 0 0 1 5", 1)), (b"cas a 0 0 1 x", says(BAD_FORMAT, 1)),
    (b"cas a 0 0 1 5 noreply", to(b"cas a 0 0 1 5", 1, ALL)), (b"cas a 0 0 1 -1", says(BAD_FORMAT, 1)),
    (b"delete", says(ERROR)), (b"delete a", to(b"delete a")), (b"delete a 0", to(b"delete a")), (b"delete a 1", says(BAD_DELETE)),
    (b"delete a noreply", to(b"delete a", hidden=ALL)), (b"delete a 0 noreply", to(b"delete a", hidden=ALL)),
    (b"delete noreply", to(b"delete noreply")), (b"delete a 1 noreply", HIDDEN), (b"delete a 00", says(BAD_DELETE)),
    (b"delete a 0 0", says(BAD_DELETE)), (b"delete a 0 0 0", says(ERROR)), (b"delete %b" % TOO_LONG, says(BAD_FORMAT)),
    (b"incr a", says(ERROR)), (b"incr a 1", to(b"incr a 1")), (b"incr a x", says(BAD_DELTA)), (b"incr a -1", says(BAD_DELTA)),
    (b"incr a 007", to(b"incr a 7")), (b"decr a 1 noreply", to(b"decr a 1", hidden=ALL)), (b"decr a 1 foo", to(b"decr a 1")),
    (b"incr a 18446744073709551615", to(b"incr a 18446744073709551615")), (b"incr a 18446744073709551616", says(BAD_DELTA)),
    (b"incr a x noreply", HIDDEN), (b"incr a noreply", HIDDEN), (b"incr a 1 2 3", says(ERROR)),
    (b"touch a", says(ERROR)), (b"touch a -1", to(b"touch a -1")), (b"touch a x", says(BAD_EXPTIME)),
    (b"touch a 0 noreply", to(b"touch a 0", hidden=ALL)), (b"touch %b 0" % TOO_LONG, says(BAD_FORMAT)),
    (b"flush_all", to(b"flush_all")), (b"flush_all noreply", to(b"flush_all", hidden=ALL)), (b"flush_all 0 0 0", says(ERROR)),
    (b"flush_all 3600", to(b"flush_all 3600")), (b"flush_all 3600 noreply", to(b"flush_all 3600", hidden=ALL)),
    (b"flush_all x", says(BAD_EXPTIME)), (b"flush_all x noreply", HIDDEN),
    (b"verbosity", says(ERROR)), (b"verbosity 0", to(b"verbosity 0")), (b"verbosity x", says(BAD_FORMAT)),
    (b"verbosity 0 noreply", to(b"verbosity 0", hidden=ALL)), (b"verbosity noreply", HIDDEN),
    (b"version", to(b"version")), (b"version foo", to(b"version")), (b"shutdown", says(b"ERROR: shutdown not enabled\r\n")),
    (b"stats", to(b"stats")), (b"stats  items", to(b"stats items")), (b"stats noreply", to(b"stats noreply")),
    (b"quit", CLOSES), (b"quit foo", CLOSES), (b"POST / HTTP/1.1", CLOSES), (b"GET / HTTP/1.1", CLOSES), (b"Host: a", says(ERROR)),
    (b"get / HTTP/1.1", to(b"get / HTTP/1.1")),
    (b"mg", says(ERROR)), (b"mg a", to(b"mg a")), (b"mg a v q", to(b"mg a v", hidden=o.MISS)), (b"mg a q", to(b"mg a", hidden=o.MISS)),
    (b"mg a q q", says(DUPLICATE)), (b"mg a v  k", to(b"mg a v k")),
    (b"mg q q", to(b"mg q", hidden=o.MISS)), (b"md a q", to(b"md a", hidden=o.HEADER)), (b"ma a q v", to(b"ma a v", hidden=o.HEADER + o.VALUE)),
    (b"ms", ends(ERROR)), (b"ms a", ends(BAD_FORMAT)), (b"ms a x", ends(BAD_FORMAT)), (b"ms a -1", ends(BAD_FORMAT)), (b"ms a\0b 9", ends(BAD_FORMAT)),
    (b"ms a 1", to(b"ms a 1", 1)), (b"ms a +1 T0", to(b"ms a 1 T0", 1)), (b"ms a 1 q", to(b"ms a 1", 1, o.HEADER)),
    (b"ms a S1", ends(BAD_FORMAT)), (b"ms %b 1" % TOO_LONG, says(BAD_FORMAT, 1)), (b"ms a 2147483646", ends(BAD_FORMAT)),
    (b"mn", to(b"mn")), (b"mn a b", to(b"mn")), (b"me a", to(b"me a")), (b"stats detail x y", to(b"stats detail x y")),
    # The key is looked at before the number of words.
    *[(b"%b %b" % (verb, TOO_LONG), says(BAD_FORMAT)) for verb in (b"mg", b"md", b"ma", b"me")],
    *[(b"%b %b" % (verb, LONG), to(b"%b %b" % (verb, LONG))) for verb in (b"mg", b"md", b"ma", b"me")],
    (b"ms a 1 Oq", to(b"ms a 1 Oq", 1)),
    (b"me Zh== bx", to(b"me Zg== bx")), (b"ms Zh== 1 bx", to(b"ms Zg== 1 b", 1)), (b"ms %b 1" % LONG, to(b"ms %b 1" % LONG, 1)),
    *[(b"%b %b%b" % (verb, TOO_LONG, b" v" * 20), says(BAD_FORMAT)) for verb in (b"mg", b"md", b"ma", b"me")],
    (b"ms %b 1%b" % (TOO_LONG, b" v" * 20), says(BAD_FORMAT, 1)), (b"ms a x%b" % (b" v" * 20), ends(TOO_MANY)),
    *META,
    (b"ms a 1%b" % (b" v" * 17), says(TOO_MANY, 1)), (b"md a%b" % (b" v" * 18), says(TOO_MANY)),
    # Numbers may have any number of leading zeros.
    (b"incr a %b7" % ZEROS, to(b"incr a 7")), (b"incr a -%b" % ZEROS, to(b"incr a 0")), (b"touch a +%b7" % ZEROS, to(b"touch a 7")),
    (b"set a %b3 %b2 %b1" % (ZEROS[:600], ZEROS[:600], ZEROS[:600]), to(b"set a 3 2 1", 1)), (b"ms a %b1" % ZEROS, to(b"ms a 1", 1)),
    (b"incr a %b" % (b"1" * 2000), says(BAD_DELTA)), (b"gat %b a" % (b"1" * 2000), says(BAD_EXPTIME)),
    (b"verbosity %b" % ZEROS, to(b"verbosity 0")), (b"incr a %b7" % (ZEROS * 8), to(b"incr a 7")),
    # Where no sign belongs a minus goes round at 2**64, unless what it comes to would have one too.
    (b"incr a -0", to(b"incr a 0")), (b"incr a -18446744073709551615", to(b"incr a 1")), (b"decr a -18446744073709551616", says(BAD_DELTA)),
    (b"incr a -9223372036854775809", to(b"incr a 9223372036854775807")), (b"incr a -9223372036854775808", says(BAD_DELTA)),
    (b"set a -18446744073709551615 0 1", to(b"set a 1 0 1", 1)), (b"set a -9223372036854775808 0 1", says(BAD_FORMAT, 1)),
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
    (b"set a 0 0 4294967297", ends(BAD_FORMAT)), (b"set a 0 0 99999999999", ends(BAD_FORMAT)), (b"set a 4294967296 0 1", says(BAD_FORMAT, 1)),
    (b"set a 18446744073709551615 0 1", says(BAD_FORMAT, 1)), (b"cas a 0 0 -4294967295 1", ends(BAD_FORMAT)), (b"ms a 4294967297", ends(BAD_FORMAT)),
    (b"ms a 1 F4294967296", says(BAD_FORMAT, 1)), (b"ms a 1 b", says(BAD_KEY, 1)), (b"ms Zm!9v 1 b", says(BAD_KEY, 1)), (b"ms Zg==Zm9v 1 b", says(BAD_KEY, 1)),
    (b"mg Zm9v! b", says(BAD_KEY)), (b"md Zm9v! b", says(BAD_FLAG)), (b"ma Zm=v b", says(BAD_FLAG)), (b"me Zm9v! b", says(BAD_FORMAT)),
    *[(b"me %b b" % base64.b64encode(b"a%bb" % byte), says(BAD_FORMAT)) for byte in (b"\0", b"\n", b"\r", b" ", b"\x7f")],
    (b"gat 0" + b" a" * 1021, to(b"gat 0" + b" a" * 1021)), (b"gat 0" + b" a" * 1022, CLOSES), (b"stats " + b"x" * 2042, CLOSES),
    (b"mg a O" + b"x" * 2043, CLOSES), (b"ms a 1 P" + b"x" * 2041, CLOSES), (b"ms a 1 O" + b"x" * 2041, says(BAD_OPAQUE, 1)), (b"me a " + b"x" * 2050, CLOSES),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), LINES + REFUSED)
def test_read_line(line, expected):
    assert read_line(line) == expected


@pytest.mark.parametrize(("line", "expected"), [row for row in LINES if row[1].kind >= 0])
def test_what_is_forwarded_reads_the_same_again(line, expected):
    """No flag of `noreply` is left, and every number is plain."""
    again = read_line(expected.wire[:-2])
    assert again == expected._replace(rendering=None)


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
    assert [made.commands for made in feed.requests] == [CLOSE] * closes


def test_every_command_has_a_line():
    assert {COMMANDS[row[1].kind].name for row in LINES if row[1].kind >= 0} == set(BY_NAME) - {"quit", "shutdown"}


# A real memcached ------------------------------------------------------------------------------------------------

ASIDE = re.compile(rb"^(STAT \S+|VERSION|ME \S+) .*?(?=\r\n)|(?<= c)\d+(?=[ \r])", re.M)  # what differs from one time to the next


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


def is_store(line):
    """Whether data would follow."""
    verb = line.partition(b"\0")[0].split()[:1]
    return len(line) <= 16382 and verb != [] and BY_VERB.get(verb[0], BY_VERB[b"get"]).request in (STORE, STORE_CAS, META_STORE)


def agrees(port, line):
    """Holds memcached's answer to the line against what `read_line` says, and against that to what it forwards."""
    read = read_line(line)
    if read.size > 1 << 20 or known(line + b"\r\n"):
        return
    body = b"x" * read.size + b"\r\n" if read.size >= 0 else b""
    theirs, hung_up = ask(port, line + b"\r\n" + body)
    stores = read.kind < 0 and is_store(line)
    assert hung_up is (read.closes and not stores)
    if hung_up:
        return
    if read.kind < 0:
        assert theirs == read.answer or (stores and body and theirs == read.answer + ERROR)  # it may take data for commands
        return
    wire = read.wire + body
    ours, _ = ask(port, wire)
    (reply,) = cut([request(wire)], [ours])
    shown = read.rendering.shown(reply.data, reply.outcomes) if read.rendering else reply.data
    assert ASIDE.sub(rb"\1", theirs) == ASIDE.sub(rb"\1", shown)


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
