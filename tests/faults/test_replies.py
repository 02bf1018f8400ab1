"""Every fault at every byte of the replies to requests of several shapes, before one host and before two.

The client gets the right answer or exactly one SERVER_ERROR line, within the timeout and a little, its connection is in
step afterwards, and so it is with another client whose request was in flight on the same upstream connection.
"""

import pytest

from tests.faults.bench import SHAPES, Bench, every, show

QUICK = ("cut", "reset", "garbage", "twice")  # answered at once
SLOW = ("drip", "stall", "late", "mute")  # take their time: as many as possible at once
ROUTES = {"DefaultRoute": 1, "MissFailoverRoute": 2, "AllFastestRoute": 2, "": 2}  # to how many hosts; "": the sample
MANY = 90  # lanes, to wait for many timeouts at a time
AMPLE = 5000  # ms, where nothing has to time out: a busy machine's backend is slow, and that is no fault


@pytest.fixture(scope="module", autouse=True)
def waits():
    yield
    show()


@pytest.mark.parametrize("route, connections", [*((route, 1) for route in ROUTES), ("DefaultRoute", 2)])
@pytest.mark.parametrize("kind", QUICK)
def test_a_reply_is_spoilt_at_every_byte(kind, route, connections):
    with Bench(ROUTES[route], connections, route, timeout_ms=AMPLE) as bench:
        bench.run(every([kind]))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", SLOW)
def test_a_reply_stops_at_every_byte(kind, route):
    with Bench(ROUTES[route], MANY, route) as bench:
        bench.run(every([kind]))


@pytest.mark.parametrize("route", ["DefaultRoute", "MissFailoverRoute"])
@pytest.mark.parametrize("kind", ["cut", "garbage"])
def test_a_reply_is_spoilt_twice_at_every_byte(kind, route):
    with Bench(ROUTES[route], 1, route) as bench:
        bench.run(every([kind], times=[2]))


@pytest.mark.parametrize("route", ["DefaultRoute", "MissFailoverRoute"])
def test_a_host_goes_at_every_byte(route):
    with Bench(ROUTES[route], 1, route, healthcheck_interval=0.005) as bench:
        bench.run(every(["refuse"], [shape for shape in SHAPES if shape.name in ("get", "mg", "set")]))


def test_a_write_is_spoilt_at_every_byte_before_a_host_that_must_not_be_stale():
    with Bench(2, 1, "", "replay", healthcheck_interval=0.02) as bench:
        bench.run(every(["cut"], [shape for shape in SHAPES if shape.name in ("set", "incr")]))
