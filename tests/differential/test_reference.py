"""The corpus, the drawn streams and the comparison are sound: two memcacheds cannot be told apart by them, two that differ can."""

import itertools
import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.differential.compare import alike, same
from tests.differential.harness import split, talk
from tests.differential.load import CASES, unescape
from tests.differential.streams import STREAMS
from tests.support.processes import Memcached

DRAWN = int(os.environ.get("REFERENCE_CASES", "300"))
NUMBER = itertools.count()


@pytest.fixture(scope="module")
def pair():
    """The ports of two memcacheds that have been told the same."""
    hosts = [Memcached("-m", "256").start() for _ in range(2)]
    yield [host.port for host in hosts]
    for host in hosts:
        host.stop()


def compare(pair, data, cuts):
    answers = [talk(port, split(data, cuts)) for port in pair]
    assert alike(*answers, data), (data[:1000], answers)


def test_the_corpus_is_there():
    assert len(CASES) > 800
    assert len({(case.group, case.name) for case in CASES}) == len(CASES)
    assert not [case for case in CASES if not case.data]
    assert unescape(r"<ab*2>\x20<\r\n*1>\0") == b"abab \r\n\0"


@pytest.mark.parametrize("group", sorted({case.group for case in CASES} - {"flush"}))
def test_a_group(pair, group):
    for case in CASES:
        if case.group == group:
            data = case.stream(b"%d:" % next(NUMBER))
            compare(pair, data, [])
            if len(data) < 1500:
                compare(pair, data, range(len(data)))


@settings(max_examples=DRAWN, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(STREAMS)
def test_drawn_streams(pair, stream):
    data, cuts = stream
    compare(pair, data.replace(b"@", b"%d:" % next(NUMBER)), cuts)


def test_flushes(pair):
    for case in CASES:
        if case.group == "flush":
            compare(pair, case.stream(b"%d:" % next(NUMBER)), [])


LONG = b"get " + b"k" * 251 + b"\r\n"
ERROR = b"CLIENT_ERROR bad command line format\r\n"


@pytest.mark.parametrize(
    ("ours", "memcached", "data", "expected"),
    [
        (b"STORED\r\n", b"STORED\r\n", b"x", True),
        (b"STORED\r\n", b"STORED\r\nEND\r\n", b"x", False),
        (b"VALUE a 0 1 7\r\n", b"VALUE a 0 1 9\r\n", b"x", True),
        (b"VALUE a 0 1 7\r\nVALUE b 0 1 8\r\n", b"VALUE a 0 1 9\r\nVALUE b 0 1 9\r\n", b"x", False),
        (b"HD t100\r\n", b"HD t99\r\n", b"x", True),
        (b"HD t100\r\n", b"HD t-1\r\n", b"x", False),
        (b"STORED\r\n", b"", b"set a 0 0 9\r\nx", True),  # it ends inside a data block
        (b"", b"STORED\r\n", b"set a 0 0 9\r\nx", False),  # only memcached may lose any
        (b"STORED\r\n", b"EXISTS\r\n", b"set a 0 0 9\r\nx", False),
        (b"END\r\n" + ERROR + b"MN\r\n", ERROR + b"MN\r\n", LONG, True),
        (ERROR + b"MN\r\n", b"END\r\n" + ERROR + b"MN\r\n", LONG, False),
        (b"END\r\n" + ERROR + b"MN\r\n", ERROR + b"MN\r\n", b"x", False),
        (b"END\r\n" + ERROR + b"MN\r\n", ERROR + b"END\r\n", LONG, False),
        (b"", b"ERROR\r\n", b"x" * 3000 + b"\n", True),
        (b"", b"ERROR\r\n", b"x" * 2000 + b"\n", False),
        (ERROR + b"END\r\n" + ERROR, ERROR, LONG, True),
        (ERROR + b"END\r\n" + ERROR + b"MN\r\n", ERROR, LONG, False),
    ],
)
def test_what_counts_as_the_same(ours, memcached, data, expected):
    assert same(ours, memcached, data) is expected
