"""A connection that hangs while its host is well: its clients are answered in time, and served again before long."""

from tests.faults.backend import DEADLINE
from tests.faults.bench import RIGHT, Bench, is_error
from tests.support.processes import until


def test_a_read_sent_on_to_a_host_that_hangs_too_has_what_is_left_of_its_time():
    with Bench(2, timeout_ms=600) as bench:
        first, second = (backend.fault(b"hangs", "stall", 0) for backend in bench.backends)
        victim, innocent = bench.pairs[0]
        bench.clock.hold()
        victim.send(b"get hangs\r\n")
        assert first.arrived.wait(DEADLINE)
        bench.let_pass(0.5)
        bench.backends[0].refuse()
        first.go.set()
        assert second.arrived.wait(DEADLINE)
        bench.let_pass(0.2)  # more than what is left, and less than what a new request has
        answer = victim.answer()
        assert is_error(answer) and b"no reply within 600 ms" in answer, answer
        second.go.set()
        bench.clock.run()
        until(lambda: innocent.send(b"get another\r\n").answer() == RIGHT[b"another"], "the other host to serve again")


def test_a_connection_that_hangs_is_replaced_though_the_host_answers_on_another():
    with Bench(connections=2, timeouts_until_tko=3) as bench:
        bench.backends[0].fault(b"hangs", "stall", 0)
        (victim, _), (other, _) = bench.pairs
        victim.send(b"get hangs\r\n")

        def is_served():
            assert other.send(b"get another\r\n").answer() == RIGHT[b"another"]
            return victim.send(b"get another\r\n").answer() == RIGHT[b"another"]

        assert is_error(victim.answer())
        for _ in range(10):
            if is_served():
                return
        raise AssertionError("ten timeouts, and the connection is still asked")


def test_a_client_whose_large_value_stops_is_answered_in_time():
    with Bench(buffer_size=4096, timeouts_until_tko=3) as bench:
        bench.backends[0].store.values[b"large"] = b"v" * 300_000
        bench.backends[0].fault(b"large", "stall", 100_000)
        victim, _ = bench.pairs[0]
        assert is_error(victim.send(b"get large\r\n").answer())
        answer = victim.send(b"get another\r\n").answer()
        assert answer == RIGHT[b"another"] or is_error(answer), answer
