"""What the counters become: figures, points, states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcrouter.engine.hosts.reason import WORDS, Reason
from mcrouter.metrics.table import BUCKETS_MS
from mcrouter.status.figures import Figures, Totals, figures, percentile
from mcrouter.status.history import POINTS, Change, state
from tests.status.world import START, World

A, B = "a:1", "b:1"


def spread(**counts):
    """Counts by bucket: `b3=5` is five in the fourth."""
    return tuple(counts.get(f"b{index}", 0) for index in range(len(BUCKETS_MS) + 1))


PERCENTILES = [
    (spread(), 0.5, None),
    (spread(b0=1), 0.5, 0.05),
    (spread(b0=100), 0.99, 0.099),
    (spread(b4=10), 0.5, 0.75),  # evenly between 0.5 and 1
    (spread(b0=50, b4=50), 0.5, 0.1),
    (spread(b0=50, b4=50), 0.51, 0.51),
    (spread(b0=99, b26=1), 0.99, 0.1),
    (spread(b0=98, b26=2), 0.99, 4000.0),
    (spread(b27=5), 0.5, 5000.0),  # above the last bound
]


@pytest.mark.parametrize(("times", "part", "expected"), PERCENTILES)
def test_a_percentile(times, part, expected):
    assert percentile(times, part) == (None if expected is None else pytest.approx(expected))


@given(st.lists(st.integers(0, 1000), min_size=28, max_size=28))
def test_percentiles_rise_and_stay_within_their_buckets(times):
    found = [percentile(times, part) for part in (0.01, 0.5, 0.95, 0.99, 1.0)]
    if not any(times):
        assert found == [None] * 5
        return
    assert found == sorted(found)
    last = max(index for index, count in enumerate(times) if count)
    assert found[-1] == pytest.approx(BUCKETS_MS[min(last, len(BUCKETS_MS) - 1)])


def test_nothing_asked_is_nothing_to_be_said():
    assert figures(Totals(), 5.0) == Figures(0.0, None, None, None, None, None)


def test_figures_of_a_span():
    span = Totals(spread(b0=90), unanswered=10, errors=15, hits=60, misses=20)
    assert figures(span, 5.0)[:3] == (20.0, 0.15, 0.75)


def test_points_are_what_came_between_two_looks():
    world = World([A, B], loops=2)
    world.asked(A, 0.25, 10)
    world.asked(A, 0.25, 10, command="set", direct=False, loop=1)
    world.count(A, hits=6, misses=2)
    world.look()
    world.look()
    world.asked(A, 600, 5)
    world.look(10.0)
    points = world.points(A)
    assert points["rate"] == [4.0, 0.0, 0.5]
    assert points["hit_rate"] == [0.75, None, None]
    assert points["p50"] == [pytest.approx(0.25), None, pytest.approx(600.0)]
    assert points["error_rate"] == [0.0, None, 0.0]
    assert world.points(B)["rate"] == [0.0, 0.0, 0.0]


def test_requests_without_an_answer_are_asked_too():
    world = World([A])
    world.asked(A, 0.2, 6)
    world.count(A, errors=3, refused=1)  # one of them was answered, with an error line
    world.look()
    assert world.points(A)["rate"] == [8 / 5]
    assert world.points(A)["error_rate"] == [3 / 8]


def test_the_last_minutes_are_kept_and_no_more():
    world = World([A])
    for number in range(POINTS + 10):
        world.asked(A, 1, number)
        world.look()
    rates = world.points(A)["rate"]
    assert (len(rates), rates[0], rates[-1]) == (POINTS, 10 / 5, (POINTS + 9) / 5)


def test_now_is_the_last_half_a_minute():
    world = World([A])
    world.asked(A, 1, 1000)
    for _ in range(10):
        world.look()
    world.now += 2
    world.asked(A, 1, 54)
    assert world.history.host_now(world.slot(A), A)[1].rate == 54 / 27
    assert world.history.window() == 27.0
    assert world.history.client_rate() == 54 / 27


def test_hosts_come_and_go_and_their_counters_begin_anew():
    world = World([A, B])
    world.asked(A, 1, 100)
    world.look()
    for slot in world.layout.place([B, "c:1"]):
        world.layout.clear(world.rows[0], slot)
    world.turn("c:1", healthy=1, at=106)
    world.asked("c:1", 1, 10)
    world.look()
    assert set(world.history.courses) == {B, "c:1"}
    for slot in world.layout.place([A, B]):
        world.layout.clear(world.rows[0], slot)
    world.turn(A, healthy=1, at=111)
    world.look()
    world.asked(A, 1, 20)
    world.look()
    assert world.points(A)["rate"] == [0.0, 4.0]
    assert world.points(B)["rate"] == [0.0] * 4


def test_a_counter_that_has_begun_anew_is_counted_from_nothing():
    world = World([A])
    world.asked(A, 1, 100)
    world.look()
    world.layout.clear(world.rows[0], world.slot(A))
    world.asked(A, 1, 5)
    world.look()
    assert world.points(A)["rate"] == [20.0, 1.0]


STATES = [  # (healthy, returning) of each loop
    ([(1, 0), (1, 0)], "healthy"),
    ([(0, 0), (0, 0)], "unhealthy"),
    ([(0, 1), (0, 1)], "rejoining"),
    ([(1, 0), (0, 0)], "divided"),
    ([(0, 1), (0, 0)], "divided"),
]


@pytest.mark.parametrize(("found", "expected"), STATES)
def test_a_state(found, expected):
    world = World([A], loops=2)
    for loop, (healthy, returning) in enumerate(found):
        world.turn(A, healthy, returning, at=100.0 + loop, loop=loop)
    assert state(world.layout, world.rows, world.slot(A)) == (expected, START + 101, "")


def test_what_is_wrong_is_what_the_loop_says_that_turned_last():
    world = World([A], loops=3)
    world.turn(A, at=100.0, loop=0, why=Reason.TIMEOUTS)
    world.turn(A, at=101.0, loop=1, why=Reason.REFUSES)
    world.turn(A, healthy=1, at=102.0, loop=2)
    assert state(world.layout, world.rows, world.slot(A)) == ("divided", START + 102, "connections to it cannot be opened")


def test_each_reason_has_its_words():
    assert list(WORDS) == list(Reason) and len(set(WORDS.values())) == len(Reason)


def test_a_loop_that_does_not_run_finds_nothing():
    world = World([A], loops=2)
    world.turn(A, healthy=0, loop=1)
    world.rows[1][world.layout.pid] = 0
    assert state(world.layout, world.rows, world.slot(A))[0] == "healthy"
    world.rows[0][world.layout.pid] = 0
    assert state(world.layout, world.rows, world.slot(A)) == ("unknown", 0.0, "")


def test_changes_have_the_time_at_which_they_happened():
    world = World([A, B])
    world.look()
    world.turn(A, healthy=0, at=107, why=Reason.SILENT)
    world.look()
    world.turn(A, returning=1, at=111, why=Reason.MISSED)
    world.history.look_at_states()
    world.turn(A, healthy=1, at=112)
    world.look()
    world.turn(B, healthy=1, at=119)  # there and back between two looks
    world.look()
    assert list(world.history.changes) == [
        Change(START + 107, A, "healthy", "unhealthy", "it does not answer probes"),
        Change(START + 111, A, "unhealthy", "rejoining", "it has missed writes"),
        Change(START + 112, A, "rejoining", "healthy", ""),
        Change(START + 119, B, "unhealthy", "healthy", ""),
    ]
