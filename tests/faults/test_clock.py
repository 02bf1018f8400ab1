"""The bench's clock: what a backend is about to do, however slowly, is not late; what a fault holds back is."""

import time

import pytest

from tests.faults.backend import DEADLINE, Store
from tests.faults.bench import RIGHT, Bench, is_error

TIMEOUT_MS = 40


class SlowStore(Store):
    """Takes several times the time limit for each answer, as on a machine that is busy."""

    def answer(self, words, data):
        time.sleep(3 * TIMEOUT_MS / 1000)
        return super().answer(words, data)


@pytest.fixture
def bench():
    with Bench(timeout_ms=TIMEOUT_MS) as bench:
        yield bench


def test_a_slow_backend_is_not_late(bench):
    backend = bench.backends[0]
    backend.store = SlowStore(backend.store.values)
    client, _ = bench.pairs[0]
    assert client.send(b"get another\r\n").answer() == RIGHT[b"another"]


def test_a_backend_that_holds_an_answer_back_is_late(bench):
    fault = bench.backends[0].fault(b"another", "late")
    client, _ = bench.pairs[0]
    assert is_error(client.send(b"get another\r\n").answer())
    fault.go.set()


def test_time_that_is_held_passes_by_word_alone(bench):
    fault = bench.backends[0].fault(b"another", "late")
    client, _ = bench.pairs[0]
    bench.clock.hold()
    client.send(b"get another\r\n")
    assert fault.arrived.wait(DEADLINE)
    assert client.is_silent(3 * TIMEOUT_MS / 1000)
    bench.let_pass(2 * TIMEOUT_MS / 1000)
    assert is_error(client.answer())
    fault.go.set()
