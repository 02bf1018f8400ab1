"""Who is avoided, for how long, and how a host that goes and comes must earn its trust."""

import json
import time

import pytest

from mcrouter import Router, Settings, load_config
from mcrouter.engine.hosts.probes import Damper
from mcrouter.engine.hosts.reason import Reason
from mcrouter.testing import DemoHost
from tests.support.processes import until

from .hosts import LineHost, client, router

INTERVAL = 10.0


def comes_back(damper, now):
    """How many visits it takes a host that has gone down at `now`."""
    damper.went_down(now)
    visits = 1
    while not damper.passed():
        visits += 1
    damper.came_up(now)
    return visits


def test_a_steady_host_is_back_with_one_answer():
    damper = Damper(INTERVAL)
    assert [comes_back(damper, now) for now in (0.0, 1000.0, 2000.0)] == [1, 1, 1]


def test_a_flapping_host_must_answer_more_each_time_until_it_was_steady():
    damper = Damper(INTERVAL)
    assert [comes_back(damper, float(now)) for now in range(12)] == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8]
    assert comes_back(damper, 1000.0) == 1


def test_a_visit_that_fails_starts_the_count_again():
    damper = Damper(INTERVAL)
    comes_back(damper, 0.0)
    damper.went_down(1.0)
    assert not damper.passed()
    damper.failed()
    assert not damper.passed()
    assert damper.passed()


def test_a_host_whose_answers_all_come_too_late_is_avoided_after_so_many_timeouts():
    def late(_line):
        time.sleep(0.6)
        return b"END\r\n"

    settings = {"timeout_ms": 400, "timeouts_until_tko": 4}
    with LineHost(late) as host, router(host, **settings) as served, client(served) as wire:
        answers = [wire.send(b"get a\r\n").read_until(b"\r\n") for _ in range(5)]
    assert [b"no reply within 400 ms" in answer for answer in answers] == [True] * 4 + [False]
    assert answers[4] == b"SERVER_ERROR mcrouter: no healthy upstream\r\n"


@pytest.mark.parametrize("route", ["MissFailoverRoute", {"type": "FailoverRoute", "children": ["PoolRoute|A", "PoolRoute|B"]}])
def test_when_no_host_is_left_those_that_are_away_are_probed_while_clients_ask(route):
    """The next probe by the clock is 31 s away; a rolling restart must not wait for it."""
    with DemoHost() as one, DemoHost() as two:
        text = {"pools": {"A": {"servers": [one.address]}, "B": {"servers": [two.address]}}, "route": route}
        if isinstance(route, str):
            text = {"orderedPool": [one.address, two.address], "route": route}
        quiet = {"listen": "tcp://127.0.0.1:0", "metrics_listen_addr": "off", "healthcheck_interval": 1000.0}
        with Router(load_config(json.dumps(text)), Settings(**quiet)) as served, client(served) as wire:

            def answers():
                return wire.send(b"get k\r\n").read_until(b"\r\n") == b"END\r\n"

            until(answers)
            one.stop()
            until(answers)
            one.start()
            two.stop()
            until(answers)


def test_a_host_that_fails_on_its_way_back_is_tried_less_and_less_often():
    """It answers `version`, and not what is asked of it before it is read: a reason to wait longer, not to start over."""
    text = json.dumps({"orderedPool": ["127.0.0.1:1", "127.0.0.1:2"], "route": "AllSyncRoute"})
    worker = Router(load_config(text), Settings(listen="tcp://127.0.0.1:0"))._make_worker()
    try:
        host = worker._policy.hosts["127.0.0.1:1"]
        host.mark_down(Reason.SILENT, "it does not answer")
        pauses = []
        for _ in range(10):
            host.begin_recovery()
            host.prober._failed(Reason.WRONG, "flush_all answered with an error")
            pauses.append(host.prober._pause)
        assert pauses == [0.625, 1.25, 2.5, 5.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0]
    finally:
        worker._close()


def test_each_reason_has_a_number_of_its_own():
    assert sorted(Reason.__members__.values()) == list(range(len(Reason.__members__)))
