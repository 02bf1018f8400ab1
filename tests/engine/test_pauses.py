"""The process is paused (SIGSTOP, a suspended machine): that time is not counted against hosts."""

import os

import pytest

from mcrouter.engine.loop import PollGroup
from mcrouter.engine.poller import make_poller


class Paused:
    """A poller and its clock; a poll takes what time the test says, and has what has arrived meanwhile."""

    def __init__(self):
        self.now, self.takes = 1000.0, []
        self._poller = make_poller()

    def __getattr__(self, name):
        return getattr(self._poller, name)

    def poll(self, patience):
        self.now += self.takes.pop(0) if self.takes else max(0.0, patience)
        return self._poller.poll(0)


@pytest.fixture
def paused():
    world = Paused()
    loop = PollGroup(world, lambda: world.now)
    yield world, loop
    loop.close()


def test_the_time_of_a_pause_brings_no_timer_nearer(paused):
    world, loop = paused
    fired = []
    loop.call_later(1.0, lambda: fired.append("due"))
    loop.call_later(1.5, lambda: fired.append("not due"))
    world.takes = [0.4, 100.0]  # the second poll was to take 0.6 s
    loop.tick()
    assert fired == []
    loop.tick()
    assert fired == ["due"]
    loop.tick()
    assert fired == ["due", "not due"] and loop.now == pytest.approx(1001.5)


def test_a_busy_loop_has_its_timers_all_the_same(paused):
    world, loop = paused
    fired = []
    loop.call_later(1.0, lambda: fired.append(True))
    for _ in range(40):
        loop.call_soon(lambda: None)
        world.takes = [5.0]
        loop.tick()
    assert fired


def test_what_has_arrived_in_a_pause_is_read_before_anything_is_late(paused):
    world, loop = paused
    said = []
    pipes = [os.pipe() for _ in range(3)]
    for number, (out, into) in enumerate(pipes):
        os.set_blocking(out, False)
        loop.watch_listener(out, lambda _mask, out=out, number=number: said.append((number, os.read(out, 9))))
        os.write(into, b"x")
    loop.call_later(0.0, lambda: said.append("timer"))
    world.takes = [50.0]
    loop.tick()
    loop.tick()
    assert said[:3] == [(0, b"x"), (1, b"x"), (2, b"x")] and "timer" in said
    for pair in pipes:
        for fd in pair:
            os.close(fd)
