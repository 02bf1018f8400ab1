"""The data of a refused store: swallowed to the byte, whatever the reads are, and never held."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mcrouter.proto.request import ANSWERED, CLOSE
from mcrouter.proto.styles import STYLES

from .feeding import PLANS, ClientFeed, Command, bytewise, parse, split

BAD_FORMAT = b"CLIENT_ERROR bad command line format\r\n"
LONG = b"k" * 251
# Lines that are refused, `%d` where the length stands; whether something is answered.
REFUSED = [
    (b"set %b 0 0 %%d" % LONG, BAD_FORMAT), (b"set %b 0 0 %%d noreply" % LONG, b""), (b"set a x 0 %d", BAD_FORMAT), (b"set a 0 x %d", BAD_FORMAT),
    (b"set a -1 0 %d", BAD_FORMAT), (b"set a 4294967296 0 %d", BAD_FORMAT), (b"set a 0 0 %d 1 2", b"ERROR\r\n"), (b"set a 0 0 %d noreply x", b"ERROR\r\n"),
    (b"add a x 0 %d", BAD_FORMAT), (b"replace a x 0 %d noreply", b""), (b"append a x 0 %d", BAD_FORMAT), (b"prepend a x 0 %d", BAD_FORMAT),
    (b"cas a 0 0 %d", b"ERROR\r\n"), (b"cas a 0 0 %d x", BAD_FORMAT), (b"cas a 0 0 %d -1 noreply", b""), (b"cas a 0 0 %d 1 2 3", b"ERROR\r\n"),
    (b"ms %b %%d" % LONG, BAD_FORMAT), (b"ms a %d !", b"CLIENT_ERROR invalid flag\r\n"), (b"ms a %d Tabc q", b"CLIENT_ERROR bad token in command line format\r\n"),
    (b"ms a %d k k", b"CLIENT_ERROR duplicate flag\r\n"), (b"ms a %d MZ", b"CLIENT_ERROR invalid mode for ms M token\r\n"),
    (b"ms a %%d%b" % (b" v" * 17), b"CLIENT_ERROR options flags too long\r\n"), (b"ms !!! %d b", b"CLIENT_ERROR error decoding key\r\n"),
]  # fmt: skip
# Refused, and it cannot be told how much data follows.
UNREADABLE = [
    (b"set", b"ERROR\r\n"), (b"set a", b"ERROR\r\n"), (b"set a 0 0", b"ERROR\r\n"), (b"set a 0 0 noreply", b""), (b"set a x 0 +3", BAD_FORMAT),
    (b"set a 0 0 -1", BAD_FORMAT), (b"set a 0 0 3x", BAD_FORMAT), (b"set a 0 0 3x noreply", b""), (b"set a 0 0 2147483646", BAD_FORMAT),
    (b"set a 0 0 4294967299", BAD_FORMAT), (b"set a 0 0 99999999999999999999999999", BAD_FORMAT), (b"cas a 0 0", b"ERROR\r\n"), (b"ms", b"ERROR\r\n"),
    (b"ms a", BAD_FORMAT), (b"ms a\0b 9", BAD_FORMAT), (b"ms a x", BAD_FORMAT), (b"ms a S3", BAD_FORMAT), (b"ms a -1 q", BAD_FORMAT), (b"set a 0 0\0 3", b"ERROR\r\n"),
]  # fmt: skip
DATA = [b"", b"x", b"flush_all\r\n", b"get b\r\nset b 0 0 1\r\nx\r\n", b"\r\n\r\n", b"set a x 0 100\r\n"]
AFTER = b"get b\r\nget c\r\n"
NEXT = [Command("get", b"get b\r\n"), Command("get", b"get c\r\n")]


@pytest.mark.parametrize(("line", "answer"), REFUSED)
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("plan", [PLANS[0], PLANS[-1]], ids=str)
def test_it_is_swallowed_however_it_is_cut(line, answer, data, plan):
    stream = line % len(data) + b"\r\n" + data + b"\r\n" + AFTER
    expected = [Command("answer", answer), *NEXT]
    assert parse([stream], plan) == (expected, b"")
    assert parse(bytewise(stream), plan) == (expected, b"")
    for at in range(1, len(stream)):
        assert parse([stream[:at], stream[at:]], plan) == (expected, b"")


@pytest.mark.parametrize(("line", "answer"), UNREADABLE)
def test_where_no_length_can_be_read_the_connection_is_closed(line, answer):
    for pieces in ([line + b"\r\nflush_all\r\n"], bytewise(line + b"\r\nflush_all\r\n")):
        assert parse(pieces) == ([Command("close", answer)], b"")


def test_whatever_ends_it_is_swallowed():
    """As memcached 1.6.45 does: two bytes behind the data, whatever they are."""
    assert parse([b"set a x 0 3\r\nabcdeget b\r\n"]) == ([Command("answer", BAD_FORMAT), NEXT[0]], b"")


def test_none_of_it_is_held():
    """Two gigabytes are passed over, read by read."""
    feed, piece = ClientFeed(), b"get b\r\n" * 1000
    feed.received(b"set a x 0 2147483645\r\n")
    left = 2147483647
    while left > len(piece):
        feed.received(piece)
        left -= len(piece)
        assert not feed.rest() and not feed.parser.at_boundary()
    feed.received(piece[:left] + b"get b\r\n")
    assert [made.commands for made in feed.requests][:1] == [ANSWERED] and feed.requests[1].data == b"get b\r\n"
    assert feed.parser.at_boundary() and len(feed.requests) == 2


def test_at_a_boundary_unless_something_is_swallowed():
    feed = ClientFeed()
    for data, boundary in ((b"get", True), (b" b\r\n", True), (b"set a 0 0 3\r\nab", True), (b"c\r\n", True), (b"set a x 0 3\r\n", False),
                           (b"abc\r", False), (b"\n", True), (b"x" * 2049, True)):  # fmt: skip
        feed.received(data)
        assert feed.parser.at_boundary() is boundary


def test_a_block_with_a_wrong_end_is_dropped_and_no_more():
    bad = b"CLIENT_ERROR bad data chunk\r\n"
    for line, answer in ((b"set a 0 0 3", bad), (b"set a 0 0 3 noreply", b""), (b"cas a 0 0 3 1", bad), (b"ms a 3", bad), (b"ms a 3 q", bad)):
        stream = line + b"\r\nabcde" + AFTER
        for at in range(1, len(stream)):
            assert parse([stream[:at], stream[at:]], PLANS[-1]) == ([Command("answer", answer), *NEXT], b"")


def test_the_style_of_mcrouter():
    """Its parser gives up at what it does not know, but a bad key it only refuses: then the data is swallowed."""
    for line, expected in ((b"set a x 0 9\r\n", [CLOSE]), (b"set %b 0 0 9\r\n" % LONG, [ANSWERED]), (b"set a 0 0 1\r\nxyz", [CLOSE]), (b"set a 0 0 x\r\n", [CLOSE]),
                           (b"ms %b 9\r\n" % LONG, [ANSWERED])):  # fmt: skip
        feed = ClientFeed()
        feed.parser._style = STYLES["mcrouter"]
        feed.received(line)
        assert [made.commands for made in feed.requests] == expected
        assert feed.parser.at_boundary() is (expected == [CLOSE])


QUICK = settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
STORES = st.tuples(st.sampled_from(REFUSED), st.binary(max_size=30) | st.sampled_from(DATA)).map(
    lambda drawn: (drawn[0][0] % len(drawn[1]) + b"\r\n" + drawn[1] + b"\r\n", Command("answer", drawn[0][1]))
)
GETS = st.sampled_from([(b"get b\r\n", NEXT[0]), (b"version\r\n", Command("version", b"version\r\n"))])


@QUICK
@given(st.lists(STORES | GETS, max_size=6), st.lists(st.integers(0, 1 << 12), max_size=6), st.sampled_from(PLANS))
@example([(b"ms a 1 !\r\n\n\r\n", Command("answer", b"CLIENT_ERROR invalid flag\r\n"))], [12], PLANS[0])
def test_nothing_of_it_is_ever_a_command(drawn, cuts, plan):
    stream = b"".join(data for data, _ in drawn)
    assert parse(split(stream, cuts), plan) == ([command for _, command in drawn], b"")
