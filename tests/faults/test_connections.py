"""Connections and hosts that hang for longer than one reply: what the router owes to whom, and that it recovers."""

import pytest

from tests.faults.backend import DEADLINE
from tests.faults.bench import PATIENCE, RIGHT, TIMEOUT_MS, Bench, is_error, timed
from tests.support.processes import until

LATE = f"no reply within {TIMEOUT_MS} ms".encode()


def get(client, key):
    return client.send(b"get %b\r\n" % key).answer()


def is_right(client, key=b"another"):
    """Whether the answer is; if not it is one error."""
    answer = get(client, key)
    assert answer == RIGHT[key] or is_error(answer), answer
    return answer == RIGHT[key]


def test_a_host_of_which_the_only_connection_hangs_serves_again():
    with Bench(timeouts_until_tko=3) as bench:
        fault = bench.backends[0].fault(b"hangs", "stall", 0)
        victim, innocent = bench.pairs[0]
        assert LATE in get(victim, b"hangs")
        until(lambda: is_right(victim), "a fresh connection")
        until(lambda: is_right(innocent, b"innocent"), "a fresh connection")
        assert not fault.go.is_set()


def test_late_replies_to_many_requests_are_all_dropped():
    with Bench() as bench:
        fault = bench.backends[0].fault(b"late", "late", 3)
        victim, _ = bench.pairs[0]
        for turn in range(4):
            assert LATE in get(victim, b"late" if turn == 0 else b"innocent")
        victim.send(b"get another\r\n")
        fault.go.set()
        assert victim.answer() == RIGHT[b"another"]
        assert get(victim, b"innocent") == RIGHT[b"innocent"]


def test_a_host_that_does_not_read_holds_up_nobody_for_long():
    with Bench(connections=2, buffer_size=65536, timeouts_until_tko=3) as bench:
        fault = bench.backends[0].fault(b"deaf", "stall", 0)
        (victim, innocent), (other, _) = bench.pairs
        victim.send(b"get deaf\r\n")
        assert fault.arrived.wait(DEADLINE)
        with timed(bench) as took:
            for _ in range(200):  # more than the sockets take
                innocent.send(b"set large 0 0 60000\r\n" + b"v" * 60000 + b"\r\n")
        assert took() < PATIENCE
        assert is_error(victim.answer())
        for client in (other, victim):
            until(lambda c=client: is_right(c))
        answers = {innocent.answer() for _ in range(200)} - {b"STORED\r\n"}
        assert all(map(is_error, answers)), answers
        assert is_right(innocent)


LARGE = b"0123456789" * 30_000
WHOLE = b"VALUE large 0 300000\r\n" + LARGE + b"\r\nEND\r\n"
PLACES = [0, 10, 22, 23, 5000, 65536, 299_000, 300_022, 300_024, 300_026, 300_029]


@pytest.mark.parametrize("kind", ["cut", "reset", "late", "stall"])
@pytest.mark.parametrize("spare", [0, 1])  # a large value is asked for again when it has turned out to be one
def test_a_large_value_is_whole_or_not_there(kind, spare):
    with Bench(buffer_size=4096, timeout_ms=50) as bench:
        backend = bench.backends[0]
        backend.store.values[b"large"] = LARGE
        for at in PLACES:
            backend.fault(b"large", kind, at, spare=spare)
            with bench.client() as client:
                with timed(bench) as took:
                    answer = client.send(b"get large\r\n").answer()
                assert took() < PATIENCE
                backend.release()
                if answer == WHOLE or is_error(answer):
                    until(lambda c=client: is_right(c))
                else:
                    assert WHOLE.startswith(answer), (at, answer[:100])
                    assert client.read_to_close() == b"", at


def test_a_read_that_is_tried_again_has_no_more_time_than_any_other():
    with Bench() as bench:
        fault = bench.backends[0].fault(b"hangs", "stall", 0, times=2)
        victim, _ = bench.pairs[0]
        with timed(bench) as took:
            victim.send(b"get hangs\r\n")
            assert not fault.go.wait(TIMEOUT_MS / 1000 * 0.8)
            fault.go.set()
            fault.go = type(fault.go)()
            assert is_error(victim.answer())
        assert took() < PATIENCE
        fault.go.set()


def test_health_of_a_host_that_comes_and_goes_is_told_by_no_wrong_answer():
    with Bench(2, 2, "MissFailoverRoute", healthcheck_interval=0.01) as bench:
        first = bench.backends[0]
        for turn in range(30):
            first.fault(b"innocent", "refuse" if turn % 2 else "cut", turn)
            for pair in bench.pairs:
                for client in pair:
                    client.send(b"get innocent another\r\nget another\r\nget innocent\r\n")
            for pair in bench.pairs:
                for client in pair:
                    answers = [client.answer() for _ in range(3)]
                    both = RIGHT[b"innocent"][:-5] + RIGHT[b"another"]
                    assert answers == [both, RIGHT[b"another"], RIGHT[b"innocent"]]
            first.release()
            first.listen()
