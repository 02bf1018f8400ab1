"""The supervisor of event loops in processes, over a system that the test plays: when it starts them, again, and ends them."""

import os
import signal
import types

import pytest

from mcrouter.server.processes import supervisor as workers


class System:
    """In the place of the modules that the supervisor calls: processes and time are the test's."""

    def __init__(self, lives, ends=True):
        self.now, self.lives, self.ends = 100.0, list(lives), ends
        self.born, self.alive, self.dead, self.signals, self.count = [], {}, {}, [], 1000
        self.on_wait = lambda: None
        self.time = types.SimpleNamespace(monotonic=lambda: self.now)
        self.os = types.SimpleNamespace(**{name: getattr(os, name) for name in dir(os) if name != "pidfd_open"})
        self.os.fork, self.os.waitpid, self.os.kill = self.fork, self.waitpid, self.kill
        self.select = types.SimpleNamespace(POLLIN=1, poll=lambda: self)

    def fork(self):
        self.count += 1
        self.born.append(round(self.now - 100.0, 6))
        self.alive[self.count] = self.now + (self.lives.pop(0) if self.lives else 1e9)
        return self.count

    def waitpid(self, pid, flags):
        assert flags in (0, os.WNOHANG)
        if flags == 0:
            self.pass_to(self.alive.get(pid, self.now))
        self.pass_to(self.now)
        return (pid, self.dead.pop(pid)) if pid in self.dead else (0, 0)

    def kill(self, pid, number):
        self.signals.append((round(self.now - 100.0, 6), pid, number))
        if number == signal.SIGKILL or self.ends:
            self.alive[pid] = self.now

    def register(self, fd, mask):
        """Of a poll object."""

    def poll(self, ms):
        self.on_wait()
        if ms is None:
            raise AssertionError("it waits for ever")
        self.pass_to(self.now + ms / 1000)
        return []

    def pass_to(self, moment):
        self.now = max(self.now, moment)
        for pid, end in list(self.alive.items()):
            if end <= self.now:
                del self.alive[pid]
                self.dead[pid] = 1 << 8


@pytest.fixture
def system(monkeypatch):
    def make(lives, **kwargs):
        made = System(lives, **kwargs)
        for name in ("os", "time", "select"):
            monkeypatch.setattr(workers, name, getattr(made, name))
        return made

    return make


def serve(system, count, seconds, grace=5.0):
    """Runs a supervisor that is told to stop after so many seconds; which event loops have died, in order."""
    deaths = []
    supervisor = workers.Supervisor(count, None, deaths.append)

    def on_wait():
        if system.now >= 100.0 + seconds:
            supervisor.stop(grace)

    system.on_wait = on_wait
    supervisor.serve()
    return deaths


def near(times):
    """The supervisor looks ten times a second where there is no pidfd."""
    return [pytest.approx(time, abs=0.15 * (place + 1)) for place, time in enumerate(times)]


def test_one_that_dies_is_replaced_at_once_and_one_that_dies_again_and_again_later_and_later(system):
    world = system([1.0] * 10)
    serve(world, 1, 40.0)
    pauses = [later - earlier - 1.0 for earlier, later in zip(world.born, world.born[1:])]
    assert pauses == [pytest.approx(pause, abs=0.25) for pause in (0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0)]


def test_one_that_has_lived_long_is_replaced_at_once(system):
    world = system([1.0, 1.0, 1.0, 10.5, 1.0, 1.0])
    serve(world, 1, 20.0)
    lives = [1.0, 1.0, 1.0, 10.5, 1.0]
    pauses = [later - earlier - life for earlier, later, life in zip(world.born, world.born[1:], lives)]
    assert pauses == [pytest.approx(pause, abs=0.25) for pause in (0.0, 0.2, 0.4, 0.0, 0.0)]


def test_each_is_replaced_by_itself_and_its_end_is_told_once(system):
    world = system([3.0, 1e9, 5.0])
    deaths = serve(world, 3, 10.0)
    assert world.born == [0.0, 0.0, 0.0, *near([3.0]), *near([5.0])]
    assert deaths == [0, 2, 0, 1, 2]  # the last three when it stops


def test_they_are_asked_to_end_and_killed_when_they_do_not(system):
    world = system([], ends=False)
    deaths = serve(world, 2, 1.0, grace=3.0)
    asked = [(pid, number) for _, pid, number in world.signals]
    assert asked == [(1001, signal.SIGTERM), (1002, signal.SIGTERM), (1001, signal.SIGKILL), (1002, signal.SIGKILL)]
    assert world.signals[2][0] - world.signals[0][0] == pytest.approx(4.0, abs=0.2)
    assert deaths == [0, 1] and not world.alive


def test_those_that_end_when_they_are_asked_are_not_killed(system):
    world, before = system([]), os.listdir("/dev/fd")
    assert serve(world, 2, 1.0) == [0, 1]
    assert [number for _, _, number in world.signals] == [signal.SIGTERM] * 2
    assert set(os.listdir("/dev/fd")) <= set(before)


@pytest.mark.parametrize(("lives", "message"), [([0.5], "ended by exit 1; replacing it in 0.0 s"), ([0.5, 0.5], "ended by exit 1; replacing it in 0.2 s")])
def test_the_log_says_when_one_is_replaced(system, caplog, lives, message):
    serve(system(lives), 1, 3.0)
    assert message in caplog.records[-1].getMessage() and len(caplog.records) == len(lives)
