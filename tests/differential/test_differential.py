"""A client must not be able to tell the router before one memcached from that memcached.

CASES in the environment sets how many streams are drawn: 2,000 here, 20,000 and more in the nightly form.
"""

import itertools
import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.differential.compare import same
from tests.differential.corpus import CORPUS
from tests.differential.harness import split, talk
from tests.differential.streams import STREAMS
from tests.support.processes import Memcached, RouterProcess, config

CASES = int(os.environ.get("CASES", "2000"))
NUMBER = itertools.count()


@pytest.fixture(scope="module")
def ports():
    """(the router's, the other memcached's)."""
    behind, beside = Memcached("-m", "256").start(), Memcached("-m", "256").start()
    router = RouterProcess(config([f"127.0.0.1:{behind.port}"], "DefaultRoute"), "-r", "10000")
    yield router.port, beside.port
    router.stop()
    behind.stop()
    beside.stop()


def compare(ports, data, cuts):
    """Fails on a difference that stays: what memcached does with a long line depends on how the bytes arrive."""
    differences = []
    while len(differences) < 3:
        stream = data.replace(b"@", b"%d:" % next(NUMBER))
        ours, theirs = (talk(port, split(stream, cuts)) for port in ports)
        if same(ours, theirs, stream):
            return
        differences.append(f"sent {stream[:600]!r}\nrouter    {ours[-600:]!r}\nmemcached {theirs[-600:]!r}")
    raise AssertionError(differences[0])


@pytest.mark.parametrize("data", CORPUS)
def test_corpus(ports, data):
    compare(ports, data, [])
    if len(data) < 3000:
        compare(ports, data, range(len(data)))


@settings(max_examples=CASES, deadline=None, phases=[Phase.explicit, Phase.generate],
          database=None, derandomize=CASES <= 2000,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(STREAMS)
def test_drawn_streams(ports, stream):
    compare(ports, *stream)
