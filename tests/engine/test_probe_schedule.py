"""When a host is probed next, and how many probes it must pass: by a clock and by chance that the test holds."""

from types import SimpleNamespace

import pytest

from mcrouter.engine.hosts.connections.socket import SocketState
from mcrouter.engine.hosts.probes import Damper, Prober, first_pause
from mcrouter.engine.hosts.reason import Reason
from mcrouter.engine.poller import IN

from .scripted import ScriptedStream, ScriptedWorld

INTERVAL = 32.0  # seconds: the first pause of a host that is down is one
VERSION = b"VERSION 1.6\r\n"


def test_the_first_pause_is_what_the_settings_say_or_a_part_of_the_interval():
    assert (first_pause(32.0, 0), first_pause(32.0, 5.0)) == (1.0, 5.0)


# flaps -----------------------------------------------------------------------------------------------------------------


def passes(damper):
    """How many probes it takes from here on."""
    return next(count for count in range(1, 100) if damper.passed())


def flap(damper, now, up_for):
    """The host goes down, comes up, and stays so for so long; returns how many probes that took, and the time."""
    damper.went_down(now)
    count = passes(damper)
    damper.came_up(now)
    return count, now + up_for


def test_a_host_that_goes_down_for_the_first_time_needs_one_probe():
    damper = Damper(INTERVAL)
    damper.went_down(5.0)
    assert passes(damper) == 1


def test_each_time_that_it_goes_down_soon_it_needs_one_more_up_to_eight():
    damper, now, counts = Damper(INTERVAL), 0.0, []
    for _ in range(12):
        count, now = flap(damper, now, up_for=6 * INTERVAL)
        counts.append(count)
    assert counts == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8]


def test_after_six_intervals_of_health_it_is_trusted_again():
    damper, now = Damper(INTERVAL), 0.0
    for _ in range(3):
        count, now = flap(damper, now, up_for=6 * INTERVAL)
    assert count == 3
    assert flap(damper, now + 1.0, 0.0)[0] == 1


def test_probes_that_it_passed_before_it_failed_one_do_not_count():
    damper, now = Damper(INTERVAL), 0.0
    for _ in range(2):
        _, now = flap(damper, now, up_for=1.0)
    damper.went_down(now)
    assert not damper.passed() and not damper.passed()
    damper.failed()
    assert passes(damper) == 3


# pauses ----------------------------------------------------------------------------------------------------------------


class Scene:
    """A prober; `waits` are the pauses that it has begun, without its timeouts, and `due` is what happens after the last."""

    def __init__(self, world, **given):
        self.world, self.host, self.loop = world, world.host, world.loop
        self.waits, self.timeouts, self.cancelled = [], [], 0
        self.host.prober.stop()
        self.loop.call_later = self._call_later
        self.loop.chance = SimpleNamespace(uniform=lambda least, most: self._drawn(least, most))
        self.prober = Prober(self.host, INTERVAL, **given)
        self.prober.start()

    def _drawn(self, least, most):
        assert (round(least, 6), most) == (0.9, 1.0)
        return most

    def _call_later(self, seconds, call):
        timer = SimpleNamespace(cancel=lambda: setattr(self, "cancelled", self.cancelled + 1))
        if getattr(call, "__func__", None) is Prober._probe:
            self.waits.append(seconds)
            self.due = call
        elif getattr(call, "__func__", None) is Prober._too_late:
            self.timeouts.append(seconds)
            self.late = call
        return timer

    def probed(self, *reads):
        """The next probe is due and is answered so; without an answer it is late."""
        wire = ScriptedStream()
        self.prober.disconnect()
        self.prober.wire, self.prober.state = wire, SocketState.OPEN
        self.due()
        if reads:
            wire.reads = list(reads)
            self.prober.ready(IN)
        else:
            self.late()
        return self.waits[-1]


@pytest.fixture
def scene():
    """Makes a prober with these settings."""
    with ScriptedWorld() as world:
        made = []

        def make(**given):
            made.append(Scene(world, **given))
            return made[-1]

        yield make
        for one in made:
            one.prober.stop()


def test_a_healthy_host_is_probed_at_once_and_then_once_an_interval(scene):
    one = scene()
    assert one.waits == [0.0]
    assert [one.probed(VERSION) for _ in range(3)] == [INTERVAL] * 3
    assert set(one.timeouts) == {one.host.timeout}


def test_a_host_that_is_down_is_probed_soon_and_then_less_and_less_often(scene):
    one = scene()
    assert [one.probed() for _ in range(8)] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 32.0, 32.0]


def test_the_settings_may_name_the_first_pause_and_the_longest(scene):
    one = scene(soon=3.0, most=10.0)
    assert [one.probed() for _ in range(5)] == [3.0, 6.0, 10.0, 10.0, 10.0]


def test_a_first_pause_that_is_longer_than_the_interval_is_the_longest_too(scene):
    one = scene(soon=50.0)
    assert [one.probed() for _ in range(3)] == [50.0, 50.0, 50.0]


def test_a_host_that_comes_back_is_probed_once_an_interval_again(scene):
    one = scene()
    for _ in range(4):
        one.probed()
    assert one.probed(VERSION) == INTERVAL
    assert one.host.healthy
    assert one.probed() == 1.0


def test_a_host_that_flaps_is_probed_less_and_less_often_until_it_has_passed_enough(scene):
    one = scene()
    one.probed()
    one.probed(VERSION)
    assert one.host.healthy
    assert one.probed() == 1.0
    assert (one.probed(VERSION), one.host.healthy) == (2.0, False)
    assert (one.probed(VERSION), one.host.healthy) == (INTERVAL, True)


def test_a_host_that_goes_down_between_two_probes_is_probed_soon(scene):
    one = scene()
    one.probed(VERSION)
    one.host.mark_down(Reason.TIMEOUTS, "a test")
    assert one.waits[-1] == 1.0
    assert one.probed() == 2.0


def test_a_host_that_goes_down_during_a_probe_is_probed_soon_after_it(scene):
    one = scene()
    one.probed(VERSION)
    one.prober.disconnect()
    one.prober.wire, one.prober.state = ScriptedStream(), SocketState.OPEN
    one.due()
    count = len(one.waits)
    one.host.mark_down(Reason.TIMEOUTS, "a test")
    assert len(one.waits) == count
    one.prober.wire.reads = [VERSION]
    one.prober.ready(IN)
    assert one.host.healthy
    assert one.waits[-1] == INTERVAL


def test_a_probe_may_be_hurried_unless_one_is_under_way(scene):
    one = scene()
    one.probed(VERSION)
    one.prober.hurry()
    assert one.waits[-1] == 0.0
    one.prober.disconnect()
    one.prober.wire, one.prober.state = ScriptedStream(), SocketState.OPEN
    one.due()
    count = len(one.waits)
    one.prober.hurry()
    assert len(one.waits) == count
    one.late()


def test_a_bug_fails_the_probe(scene, caplog):
    one = scene()
    one.prober.abort()
    assert not one.host.healthy
    assert "internal error" in caplog.text


def test_a_prober_that_is_stopped_does_nothing_more(scene):
    one = scene()
    one.probed(VERSION)
    before = one.cancelled
    one.prober.stop()
    assert (one.host.prober, one.cancelled, one.prober.state) == (None, before + 1, SocketState.CLOSED)
