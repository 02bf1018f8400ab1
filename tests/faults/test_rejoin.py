"""What a rejoin may cost: a key that was stored is a miss, in these cases and no other. An old value is never read.

A host that may have missed a write deletes its key before it is read again. So the key is at no host once each of them
has deleted it, and it is a miss while the hosts that have it do not answer. test_sequences.py has no misses but these.
"""

import pytest

from tests.faults.backend import DEADLINE
from tests.faults.bench import TIMEOUT_MS, Bench
from tests.support.processes import until

MISS = b"END\r\n"


@pytest.fixture
def bench():
    with Bench(2, 2, "", "replay", healthcheck_interval=0.02) as bench:
        bench.clock.hold()
        yield bench
        bench.clock.run()


def found(text):
    """The answer to a get of k that finds this."""
    return b"VALUE k 0 %d\r\n%b\r\nEND\r\n" % (len(text), text)


def get(client):
    return client.send(b"get k\r\n").answer()


def store(client, text):
    """Stores a value of k, as the client is told."""
    assert client.send(b"set k 0 0 %d\r\n%b\r\n" % (len(text), text)).answer() == b"STORED\r\n"


def read_hosts(bench):
    """The places of the hosts that are read."""
    hosts = bench.router.stats()["hosts"]
    return [at for at, backend in enumerate(bench.backends) if hosts[f"127.0.0.1:{backend.port}"]["healthy"]]


def pass_the_time_limit(bench, *faults, then_read):
    """What these faults hold back is given up, and done when their hosts go on. `then_read` are the hosts that are read
    in between."""
    for fault in faults:
        assert fault.arrived.wait(DEADLINE)
    bench.let_pass(2 * TIMEOUT_MS / 1000)
    until(lambda: read_hosts(bench) == then_read)
    for fault in faults:
        fault.go.set()
    bench.clock.run()
    until(lambda: read_hosts(bench) == [0, 1])
    bench.clock.hold()


def test_a_key_is_a_miss_when_neither_host_knows_which_of_two_writes_was_the_last(bench):
    """Each client has its answer from the host that has not lost its write."""
    first, second = bench.backends
    (one, _), (other, _) = bench.pairs  # each on a connection of its own
    faults = first.fault(b"k", "late"), second.fault(b"k", "late", spare=1)
    store(one, b"1")
    assert faults[0].arrived.wait(DEADLINE)
    store(other, b"2")
    pass_the_time_limit(bench, *faults, then_read=[])
    assert get(one) == get(other) == MISS
    assert [backend.seen[b"delete k"] for backend in bench.backends] == [1, 1]
    store(one, b"3")
    until(lambda: get(other) == found(b"3"))


def test_a_key_is_a_miss_while_the_only_host_that_has_it_does_not_answer(bench):
    """As MissFailoverRoute has it: a miss that a host has given is worth more than an error."""
    first, second = bench.backends
    client, _ = bench.pairs[0]
    fault = first.fault(b"k", "late")
    store(client, b"1")
    pass_the_time_limit(bench, fault, then_read=[1])
    assert [backend.seen[b"delete k"] for backend in bench.backends] == [1, 0]
    second.fault(b"k", "cut")
    assert get(client) == MISS
    bench.clock.run()
    until(lambda: get(client) == found(b"1"))


@pytest.mark.parametrize("troubled", [0, 1])
def test_a_key_is_no_miss_when_one_host_alone_is_in_trouble(bench, troubled):
    """However often: the other has done all writes."""
    client, _ = bench.pairs[0]
    for text in (b"1", b"2", b"3"):
        fault = bench.backends[troubled].fault(b"k", "late")
        store(client, text)
        pass_the_time_limit(bench, fault, then_read=[1 - troubled])
        assert get(client) == found(text)
    assert bench.backends[troubled].seen[b"delete k"] == 3
