"""A client must not be able to tell the router before one memcached from that memcached.

CASES in the environment sets how many streams are drawn: 2,000 here, 20,000 and more in the nightly form; SEED, which.
"""

import contextlib
import itertools
import os
import re
from typing import List, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.differential import lossless
from tests.differential.corpus import CORPUS
from tests.differential.differences import DIFFERENCES, known
from tests.differential.harness import split, talk
from tests.differential.load import CASES
from tests.differential.streams import STREAMS
from tests.support.processes import Memcached, RouterProcess, config
from tests.support.relay import Anywhere, relays

DRAWN = int(os.environ.get("CASES", "2000"))
RELAYED = DRAWN // 10  # streams drawn for the test through relays, which are slower
SEED = os.environ.get("SEED", "")
A_SOCKETFUL = 1 << 16
NUMBER = itertools.count()
GROUPS = sorted({case.group for case in CASES} - {"flush"})


@contextlib.contextmanager
def started():
    """The ports of a router before a memcached, and of another memcached."""
    behind, beside = Memcached("-m", "256").start(), Memcached("-m", "256").start()
    router = RouterProcess(config([f"127.0.0.1:{behind.port}"], "DefaultRoute"), "-r", "10000")
    yield router.port, beside.port
    router.stop()
    behind.stop()
    beside.stop()


@contextlib.contextmanager
def started_behind_relays():
    """The same; relays cut what passes between client and router, and between router and memcached."""
    behind, beside = Memcached("-m", "256").start(), Memcached("-m", "256").start()
    with relays([behind.port], lambda _: Anywhere(f"{SEED}/to the host")) as (host,):
        router = RouterProcess(config([f"127.0.0.1:{host.port}"], "DefaultRoute"), "-r", "10000")
        with relays([router.port], lambda _: Anywhere(f"{SEED}/to the router")) as (client,):
            yield client.port, beside.port
        router.stop()
    behind.stop()
    beside.stop()


@pytest.fixture(scope="module")
def ports():
    with started() as pair:
        yield pair


@pytest.fixture(scope="module")
def relayed_ports():
    with started_behind_relays() as pair:
        yield pair


class Asked(NamedTuple):
    """A stream with keys of its own, what the router says to it, what a memcached may say, whether it has to close."""

    stream: bytes
    ours: bytes
    theirs: List[bytes]
    closes: bool

    def same(self):
        return any(lossless.equal(self.ours, answer) for answer in self.theirs)


def ask(ports, data, cuts, patiently=False, follows=True):
    stream = data.replace(b"@", b"%08d" % next(NUMBER))  # whole groups of base64, for keys that are read so
    way = lossless.course(stream, follows)
    theirs = lossless.talk(ports[1], way, cuts)
    if patiently:
        ours = lossless.talk(ports[0], lossless.course(stream, False), cuts)[0]
        return Asked(stream, ours, theirs, way.closes)
    return Asked(stream, talk(ports[0], split(stream, cuts), not way.closes), theirs, way.closes)


def compare(ports, data, cuts):
    if known(data.replace(b"@", b"%08d" % 0)):  # the two may even take different bytes for commands: it must get through
        talk(ports[0], split(data.replace(b"@", b"%08d" % next(NUMBER)), cuts))
        for port in ports:  # it may have changed keys that cases share, on one side alone
            talk(port, [b"flush_all\r\n"])
        return
    asked = ask(ports, data, cuts)
    may_close = asked.closes or len(asked.theirs) > 1
    if not asked.same() and may_close and len(asked.theirs[0]) > A_SOCKETFUL:
        asked = ask(ports, data, cuts, True)  # it closed on bytes that it had not read: a reset may take what was sent
    if not asked.same():
        said = {"sent": asked.stream, "cut at": cuts, "the router says": asked.ours, "memcached may say": asked.theirs}
        raise AssertionError("\n".join(f"{name}: {brief(what)}" for name, what in said.items()))


def brief(what):
    """As it is, but what is repeated often is said once."""
    return re.sub(r"(.{1,12}?)\1{9,}", lambda match: f"<{match[1]}*{len(match[0]) // len(match[1])}>", repr(what))


def compare_split(ports, data):
    """At once, byte by byte, and with something behind it, to see whether the connection is open."""
    compare(ports, data, [])
    compare(ports, data + b"mn\r\n", [])
    if len(data) < 1500:
        compare(ports, data, range(len(data)))


@pytest.mark.parametrize("data", CORPUS)
def test_corpus(ports, data):
    compare_split(ports, data)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_of_cases(ports, group):
    for case in CASES:
        if case.group == group:
            compare_split(ports, case.data)


def test_flushes():
    with started() as pair:  # a flush acts on whatever comes after it
        for case in CASES:
            if case.group == "flush":
                compare_split(pair, case.data)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.where.pattern.decode()[:20])
def test_a_known_difference_is_one(ports, difference):
    for example in difference.examples:
        asked = ask(ports, example, [], follows=False)
        assert not asked.same(), asked.ours[-300:]
        assert difference.where.search(asked.stream)


def seeded(test):
    return seed(int(SEED))(test) if SEED else test


def drawn(count):
    return settings(max_examples=count, deadline=None, database=None, derandomize=not SEED and DRAWN <= 2000,
                    phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip


@seeded
@drawn(DRAWN)
@given(STREAMS)
def test_drawn_streams(ports, stream):
    compare(ports, *stream)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_of_cases_through_relays(relayed_ports, group):
    for case in CASES:
        if case.group == group:
            for _ in range(3 if len(case.data) < 1500 else 1):  # the cuts are others each time
                compare(relayed_ports, case.data + b"mn\r\n", [])


@seeded
@drawn(RELAYED)
@given(STREAMS)
def test_drawn_streams_through_relays(relayed_ports, stream):
    compare(relayed_ports, *stream)
