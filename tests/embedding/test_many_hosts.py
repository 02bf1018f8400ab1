"""A start and a reload cost as much as there are hosts, not their square: calls and looks are counted, not timed."""

import json
import sys

import pytest

from mcrouter import Settings, load_config
from mcrouter.counters.cells import local_cells
from mcrouter.counters.layout import Layout
from mcrouter.engine.hosts.reason import Reason
from mcrouter.proto.commands import COMMANDS
from mcrouter.server.worker import Worker

FEW, TIMES = 150, 4


def config(count, by_health=False):
    """A pool of so many hosts, of which a key's own is asked, or the first that is healthy."""
    servers = [f"127.0.{number // 200}.{number % 200 + 1}:1" for number in range(count)]
    by_key = {"pools": {"A": {"servers": servers}}, "route": "PoolRoute|A"}
    return load_config(json.dumps({"orderedPool": servers, "route": "DefaultRoute"} if by_health else by_key))


def calls(do, *args):
    """What Python is called for meanwhile."""
    count = 0

    def seen(_frame, event, _arg):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        do(*args)
    finally:
        sys.setprofile(None)
    return count


def made(count, by_health=False):
    """An event loop before so many hosts."""
    loaded = config(count, by_health)
    layout = Layout([command.name for command in COMMANDS], [host.text for host in loaded.hosts])
    return Worker(loaded, Settings(), layout, [local_cells(layout)])


def reload(worker):
    """Puts the same config in the place of its own."""
    done = []
    worker.prepare(load_config(worker._policy.config.text), done.append)
    while not done:
        worker.loop.tick()
    assert done == [None]
    worker.commit(lambda: done.append(True))
    while len(done) < 2:
        worker.loop.tick()


def is_linear(work):
    """Whether so many times the hosts are no more than so many times the work, and a little."""
    few, many = work(FEW), work(FEW * TIMES)
    return many < few * TIMES * 1.1


def test_a_start():
    def start(count):
        workers = []
        work = calls(lambda: workers.append(made(count)))
        workers[0]._close()
        return work

    assert is_linear(start)


def test_what_is_done_between_two_requests():
    def take_over(count):
        worker = made(count)
        work = calls(worker._take_over)
        worker._close()
        return work

    assert is_linear(take_over)


def test_the_same_when_all_hosts_are_away():
    def take_over(count):
        worker = made(count, by_health=True)
        looks = 0
        for host in worker._policy.hosts.values():
            host.healthy = False
        (pool,) = {id(pool): pool for pools in worker._policy._pools.values() for pool in pools}.values()

        class Hosts(list):
            def __iter__(self):
                nonlocal looks
                looks += len(self)
                return super().__iter__()

        pool.hosts = Hosts(pool.hosts)
        worker._take_over()
        worker._close()
        return looks

    assert 0 < take_over(FEW) <= 4 * FEW


def test_hosts_that_go_one_after_the_other():
    def go(count):
        worker = made(count)
        work = calls(lambda: [host.mark_down(Reason.TIMEOUTS, "a test says so") for host in worker._policy.hosts.values()])
        worker._close()
        return work

    assert is_linear(go)


def test_a_reload_works():
    worker = made(FEW)
    before = dict(worker._policy.hosts)
    next(iter(before.values())).mark_down(Reason.TIMEOUTS, "a test says so")
    reload(worker)
    assert worker._policy.hosts == before
    worker._close()


def test_places_for_counters():
    def place(count):
        names = [f"host{number}" for number in range(count)]
        layout, looks = Layout([], names), 0

        class Names(list):
            def __iter__(self):
                nonlocal looks
                looks += len(self)
                return super().__iter__()

        layout.place(Names(names))
        return looks

    assert place(FEW) <= 4 * FEW


def test_hosts_are_connected_to_in_portions():
    worker = made(FEW)
    now, connected = [worker.loop.clock()], []

    def clock():
        now[0] += 0.0005
        return now[0]

    worker._connect_host = connected.append
    worker.loop.clock = clock
    portions = []
    while len(connected) < FEW:
        before = len(connected)
        worker.loop.tick()
        portions.append(len(connected) - before)
    assert max(portions) <= 10 and connected == list(worker._policy.hosts.values())
    worker._close()


def test_a_host_that_a_reload_took_away_meanwhile_is_not_connected_to():
    worker = made(FEW)
    gone = worker._policy.hosts.popitem()[1]
    gone.connect = lambda: pytest.fail("it has gone")
    worker._connect_host(gone)
    worker._close()


def test_writes_wait_for_no_host_that_a_reload_took_away():
    worker = made(FEW)
    worker._policy.config = worker._policy.config._replace(on_rejoin="replay")
    worker._take_over()
    policy, gone = worker._policy, worker._policy.hosts.popitem()[1]
    gone.mark_down(Reason.TIMEOUTS, "a test says so")
    assert gone.journal is not None and not policy.has_host_down()
    one = next(iter(policy.hosts.values()))
    one.mark_down(Reason.TIMEOUTS, "a test says so")
    assert policy.has_host_down()
    one.mark_up()
    assert not policy.has_host_down()
    worker._close()
