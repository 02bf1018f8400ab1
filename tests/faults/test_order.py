"""What clients write one after another reaches every host in that order, however slow a host is about it: by default."""

import pytest

from mcrouter import Settings
from tests.faults.bench import Bench
from tests.faults.client import Client
from tests.support.processes import DEADLINE, until

LANES = Settings().upstream_connections


def overtakes(backend, line):
    """Waits for what nothing would hold up if there were more connections."""
    if LANES > 1:
        until(lambda: backend.seen[line])


@pytest.fixture
def bench():
    with Bench(2, LANES, "", timeout_ms=5000) as bench:
        yield bench


def hold(backend, client):
    """The other host's answer is enough for a client, while this one does nothing more on the client's connection."""
    fault = backend.fault(b"held", "late")
    assert client.send(b"set held 0 0 1\r\n0\r\n").answer() == b"STORED\r\n"
    assert fault.arrived.wait(DEADLINE)
    return fault


def test_a_write_is_not_overtaken_at_a_host_that_is_slow(bench):
    """It must not be left with what was written before."""
    slow = bench.backends[1]
    with Client(bench.port) as one, Client(bench.port) as other:
        fault = hold(slow, one)
        assert one.send(b"set k 0 0 5\r\nfirst\r\n").answer() == b"STORED\r\n"
        assert other.send(b"set k 0 0 6\r\nsecond\r\n").answer() == b"STORED\r\n"
        overtakes(slow, b"set k 0 0 6")
        fault.go.set()
        until(lambda: slow.seen[b"set k 0 0 5"] and slow.seen[b"set k 0 0 6"])
        until(lambda: slow.store.values[b"k"] == b"second")


def test_who_reads_sees_what_another_was_told_is_stored(bench):
    """Also from a host that is not the one that has said so."""
    slow = bench.backends[0]  # the one that is read
    slow.store.values[b"k"] = b"old"
    with Client(bench.port) as writer, Client(bench.port) as reader:
        fault = hold(slow, writer)
        assert writer.send(b"set k 0 0 3\r\nnew\r\n").answer() == b"STORED\r\n"
        reader.send(b"get k\r\n")
        overtakes(slow, b"get k")
        fault.go.set()
        assert reader.answer() == b"VALUE k 0 3\r\nnew\r\nEND\r\n"
