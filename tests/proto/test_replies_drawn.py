"""Properties of the reply cutter: however a stream of legal replies is cut into reads, it gives exactly those replies.

Whatever else a host sends ends in ProtocolError or in waiting for more.
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcrouter.proto import outcomes as o
from mcrouter.proto.replies import ProtocolError, split_reply, value_blocks
from mcrouter.proto.request import GET
from mcrouter.proto.runs import reply_patterns

from .feeding import WARM_REPLIES, HostFeed, Reply, bytewise, cut, request, split
from .streams import CUTS, DATA

QUICK = settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
KEYS = st.sampled_from([b"a", b"b", b"END", b"STORED", b"NOT_STORED", b"VALUE", b"k" * 250])
ODD_KEYS = st.one_of(KEYS, st.sampled_from([b"a\rb", b"\t", b"\x7f", b"\xff"]))
FAILURES = st.sampled_from(
    [(b"ERROR\r\n", o.ERROR), (b"CLIENT_ERROR bad data chunk\r\n", o.CLIENT_ERROR), (b"SERVER_ERROR out of memory\r\n", o.SERVER_ERROR)]
)
CACHES = st.sampled_from(["cold", "warm"])


def patterns(name):
    """Patterns for all small values from the beginning, or none yet."""
    return WARM_REPLIES if name == "warm" else reply_patterns()


@st.composite
def several(draw):
    """(request, its reply): a get of several keys, some found, or an error."""
    verb = draw(st.sampled_from([b"get", b"gets", b"gat 0", b"gats 0"]))
    keys = draw(st.lists(ODD_KEYS, min_size=1, max_size=8))
    cas = b" 7" if b"s" in verb else b""
    asked = b"%b %b\r\n" % (verb, b" ".join(keys))
    if draw(st.integers(0, 9)) == 0:
        line, outcome = draw(FAILURES)
        return asked, Reply(line, outcome, 0, 0)
    found = [key for key in keys if draw(st.booleans())]
    reply = b"".join(block(key, draw(DATA), cas) for key in found) + b"END\r\n"
    outcome = o.VALUE if len(found) == len(keys) else o.PARTIAL if found else o.MISS
    return asked, Reply(reply, outcome, len(found), len(keys) - len(found))


def block(key, data, cas=b""):
    """A VALUE block."""
    return b"VALUE %b 0 %d%b\r\n%b\r\n" % (key, len(data), cas, data)


@st.composite
def single_get(draw):
    """(command, one reply) of a get that may travel in a run."""
    key = draw(KEYS)
    asked = b"get %b\r\n" % key
    choice = draw(st.integers(0, 9))
    if choice == 0:
        line, outcome = draw(FAILURES)
        return asked, Reply(line, outcome, 0, 0)
    if choice < 4:
        return asked, Reply(b"END\r\n", o.MISS, 0, 1)
    return asked, Reply(block(key, draw(DATA)) + b"END\r\n", o.VALUE, 1, 0)


@st.composite
def single_set(draw):
    """(command, one reply) of a set that may travel in a run."""
    data = draw(DATA)
    stored = st.sampled_from([(b"STORED\r\n", o.STORED)] * 4 + [(b"NOT_STORED\r\n", o.NOT_STORED)])
    return b"set %b 0 0 %d\r\n%b\r\n" % (draw(KEYS), len(data), data), Reply(*draw(st.one_of(stored, stored, FAILURES)), 0, 0)


@st.composite
def run(draw):
    """(run, its reply)."""
    commands = draw(st.sampled_from([single_get(), single_set(), st.one_of(single_get(), single_set())]))
    pairs = draw(st.lists(commands, min_size=1, max_size=20))
    replies = [reply for _, reply in pairs]
    whole = Reply(b"".join(reply.data for reply in replies), b"".join(reply.outcomes for reply in replies),
                  sum(reply.values for reply in replies), sum(reply.misses for reply in replies))  # fmt: skip
    return b"".join(asked for asked, _ in pairs), whole


@st.composite
def others(draw):
    """(request, its reply) of the commands with a line, a meta value or lines."""
    data, line = draw(DATA), draw(FAILURES)
    rows = [
        (b"delete a\r\n", (b"DELETED\r\n", o.DELETED)), (b"delete a\r\n", (b"NOT_FOUND\r\n", o.NOT_FOUND)),
        (b"incr a 1\r\n", (b"12\r\n", o.NUMBER)), (b"touch a 1\r\n", (b"TOUCHED\r\n", o.TOUCHED)), (b"touch a 1\r\n", line),
        (b"cas a 0 0 1 5\r\nx\r\n", (b"EXISTS\r\n", o.EXISTS)), (b"version\r\n", (b"VERSION 1\r\n", o.TEXT)),
        (b"mg a v f k\r\n", (b"VA %d f5 ka\r\n%b\r\n" % (len(data), data), o.VALUE, 1)), (b"mg a v\r\n", (b"EN\r\n", o.MISS, 0, 1)),
        (b"mg a\r\n", (b"HD s5\r\n", o.HEADER, 1)), (b"ms a 1\r\nx\r\n", (b"NS\r\n", o.NOT_STORED)), (b"md a\r\n", (b"HD\r\n", o.HEADER)),
        (b"ma a v\r\n", (b"VA 2\r\n12\r\n", o.VALUE)), (b"me a\r\n", (b"EN\r\n", o.MISS)), (b"mn\r\n", (b"MN\r\n", o.HEADER)),
        (b"stats\r\n", (b"STAT a END\r\n" * draw(st.integers(0, 5)) + b"END\r\n", o.TEXT)), (b"stats reset\r\n", (b"RESET\r\n", o.OK)),
        (b"mg a v\r\n", line), (b"stats\r\n", line),
    ]  # fmt: skip
    asked, reply = draw(st.sampled_from(rows))
    return asked, Reply(*(*reply, 0, 0)[:4])


EXCHANGES = st.lists(st.one_of(several(), run(), run(), others()), min_size=1, max_size=6)


@QUICK
@given(EXCHANGES, CUTS, CACHES)
def test_reads_change_nothing(exchanges, cuts, cache):
    requests = [request(asked) for asked, _ in exchanges]
    expected = [reply for _, reply in exchanges]
    data = b"".join(reply.data for reply in expected)
    assert cut(requests, split(data, cuts), patterns(cache)) == expected
    assert cut(requests, [data], patterns(cache)) == expected


@settings(QUICK, max_examples=100)
@given(EXCHANGES)
def test_bytewise_reads_change_nothing(exchanges):
    requests = [request(asked) for asked, _ in exchanges]
    data = b"".join(reply.data for _, reply in exchanges)
    assert cut(requests, bytewise(data)) == [reply for _, reply in exchanges]


@QUICK
@given(run())
def test_a_split_run_is_its_single_replies(exchange):
    asked, reply = exchange
    made = request(asked)
    parts = split_reply(reply.data, made.commands, reply.outcomes)
    assert b"".join(parts) == reply.data
    singles = cut([request(command) for command in made.split()], [reply.data])
    assert [single.data for single in singles] == parts
    assert b"".join(single.outcomes for single in singles) == reply.outcomes


@QUICK
@given(several())
def test_value_blocks_are_the_whole_reply(exchange):
    asked, reply = exchange
    blocks = list(value_blocks(reply.data))
    assert len(blocks) == reply.values
    if reply.outcomes in o.ANSWERS:
        assert b"".join(text for _, text in blocks) + b"END\r\n" == reply.data
        keys = iter(request(asked).keys())
        assert all(key in keys for key, _ in blocks)


def feed_garbage(requests, pieces):
    """What was accepted, and that only ProtocolError escapes."""
    feed = HostFeed(requests)
    try:
        for piece in pieces:
            feed.received(piece)
    except ProtocolError:
        pass
    return feed


@QUICK
@given(EXCHANGES, st.lists(st.one_of(st.binary(max_size=40), DATA), max_size=8))
def test_garbage(exchanges, pieces):
    feed_garbage([request(asked) for asked, _ in exchanges], pieces)


@QUICK
@given(EXCHANGES, CUTS, st.integers(0, 1 << 16), st.integers(0, 255))
def test_a_damaged_stream(exchanges, cuts, place, byte):
    """One byte is another: only ProtocolError escapes, and what came before the damage is as it was."""
    expected = [reply for _, reply in exchanges]
    data = bytearray(b"".join(reply.data for reply in expected))
    place %= len(data)
    data[place] = byte
    feed = feed_garbage([request(asked) for asked, _ in exchanges], split(bytes(data), cuts))
    end = 0
    for got, reply in zip(feed.replies, expected):
        end += len(reply.data)
        assert end > place or got == reply
    for got in feed.replies:
        assert len(got.data.rstrip(b"\n")) < len(got.data)


@QUICK
@given(EXCHANGES, EXCHANGES)
def test_replies_of_others(asked, given_):
    """Replies to other requests: each is refused, or it could be the reply as well."""
    requests = [request(command) for command, _ in asked]
    feed = feed_garbage(requests, [b"".join(reply.data for _, reply in given_)])
    for made, got in zip(requests, feed.replies):
        if len(made.commands) == 1 and made.commands[0] == GET and got.outcomes == o.VALUE:
            assert [key for key, _ in value_blocks(got.data)] == made.keys()
