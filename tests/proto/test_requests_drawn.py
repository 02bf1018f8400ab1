"""Properties of the request parser on drawn streams: neither reads nor runs change what a client has said."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mcrouter.proto.client.lines import MAX_LINE
from mcrouter.proto.client.parser import RunPlan
from mcrouter.proto.request import SET
from mcrouter.proto.runs import request_patterns

from .feeding import PLANS, WARM_REQUESTS, ClientFeed, as_commands, bytewise, parse, split
from .streams import CUTS, RUNS, STREAMS

QUICK = settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
ROOMS = st.sampled_from([1, 2, 3, 5, 64])
CACHES = st.sampled_from(["cold", "warm"])


def patterns(name):
    """Patterns for all small values from the beginning, or none yet."""
    return WARM_REQUESTS if name == "warm" else request_patterns()


def agree(got, expected, data):
    """Whether both are the same; as in memcached, a line too long closes only where its end is not there when it is
    looked at."""
    if got == expected:
        return True
    *before, last = got[0]
    too_long = max(map(len, data.split(b"\n"))) > MAX_LINE - 1
    return too_long and last.name == "close" and before == expected[0][: len(before)]


@QUICK
@given(STREAMS, CUTS, st.sampled_from(PLANS), ROOMS, CACHES)
@example(b"get a\r\nset a 0 0 1\r\nx", [3, 20], PLANS[-1], 64, "warm")
@example(b"set a 0 0 3 noreply\r\nab", [1], PLANS[0], 64, "warm")
def test_reads_change_nothing(data, cuts, plan, room, cache):
    """Whatever the reads and runs are, the commands are those of single commands read at once; nothing escapes."""
    expected = parse([data])
    assert agree(parse(split(data, cuts), plan, room, patterns(cache)), expected, data)
    assert parse([data], plan, room, patterns(cache)) == expected


@settings(QUICK, max_examples=100)
@given(STREAMS, st.sampled_from(PLANS))
def test_bytewise_reads_change_nothing(data, plan):
    assert agree(parse(bytewise(data), plan), parse([data]), data)


@QUICK
@given(RUNS, CUTS, st.sampled_from(PLANS), ROOMS, CACHES)
def test_runs_change_no_bytes(data, cuts, plan, room, cache):
    """Bytes, kinds and words of runs, put together, are those of the single commands; no run is longer than `room`."""
    feed, single = ClientFeed(plan, room, patterns(cache)), ClientFeed()
    for piece in split(data, cuts):
        feed.received(piece)
    single.received(data)
    assert b"".join(made.data for made in feed.requests) == data
    assert b"".join(made.commands for made in feed.requests) == b"".join(made.commands for made in single.requests)
    assert all(len(made.commands) <= room for made in feed.requests)
    words = [word for made in feed.requests for word in named(made)]
    assert words == [named(made)[0] for made in single.requests]
    keys = [key for made in feed.requests for key in made.names()]
    assert keys == [key for made in single.requests for key in made.keys()]


def named(made):
    """What each command's reply names, `None` for a set; a set's word must not be any key's."""
    words = made.expected if len(made.commands) > 1 else [made.keys()[0]]
    assert len(words) == len(made.commands)
    return [None if kind == SET else word for kind, word in zip(made.commands, words)]


@QUICK
@given(RUNS)
def test_a_run_is_as_long_as_it_can_be(data):
    """All that travels together and has come in one read is one request."""
    feed = ClientFeed(RunPlan(True, True, True))
    feed.received(data)
    assert len(feed.requests) == 1


@QUICK
@given(st.lists(st.binary(max_size=300), max_size=10))
def test_garbage(pieces):
    feed = ClientFeed(PLANS[-1])
    for piece in pieces:
        feed.received(piece)
    as_commands(feed.requests)
