"""A probe, system call by system call: how its question is written and its answer read."""

import pytest

from mcrouter.engine.hosts.connections.socket import SocketState
from mcrouter.engine.hosts.probes import _MOST, _READ, Prober
from mcrouter.engine.hosts.state import HostState
from mcrouter.engine.poller import ERR, HUP, IN, OUT, PRI, RDHUP

from .scripted import ScriptedStream, ScriptedWorld

ASKED, VERSION = b"version\r\n", b"VERSION 1.6\r\n"


class Scene:
    """A prober whose connection is open, and which is due."""

    def __init__(self, world):
        self.host, self.world = world.host, world
        self.host.prober.stop()
        self.prober = Prober(world.host, 1000.0)
        self.prober.start()
        self.wire = ScriptedStream()
        self.prober.wire, self.prober.state = self.wire, SocketState.OPEN

    def probe(self):
        self.prober._probe()
        return self

    def has_passed(self):
        return self.host.healthy and self.prober._dialogue is None


@pytest.fixture
def scene():
    with ScriptedWorld() as world:
        made = Scene(world)
        yield made
        made.prober.stop()


@pytest.mark.parametrize(
    ("mask", "reads", "count"),
    [
        (IN, [VERSION], 1),
        (IN | OUT, [VERSION], 1),
        (IN | RDHUP, [VERSION], 2),
        (IN | HUP, [VERSION], 2),
        (IN | ERR, [VERSION], 2),
        (IN | PRI, [VERSION], 2),
        (PRI, [VERSION], 2),
        (IN, [b"VERSION ".ljust(_READ, b"x"), b"\r\n"], 2),
        (IN, [(b"VERSION " + b"x" * _READ)[: _READ - 2] + b"\r\n"], 2),
    ],
)
def test_the_reads_that_an_answer_takes(scene, mask, reads, count):
    scene.probe().wire.reads = reads
    scene.prober.ready(mask)
    assert scene.has_passed() and scene.wire.asked == [_READ] * count
    assert scene.wire.sent == [ASKED] and not scene.world.wanted


def test_a_report_that_nothing_came_of_is_no_answer(scene):
    scene.probe().prober.ready(IN)
    assert scene.wire.asked == [_READ] and not scene.has_passed() and scene.host.healthy
    scene.prober.ready(OUT)
    assert scene.wire.asked == [_READ]


def test_an_answer_in_parts_is_put_together(scene):
    scene.probe()
    for part in (b"VERSION", b" 1.6\r", b"\n"):
        assert not scene.has_passed()
        scene.wire.reads = [part]
        scene.prober.ready(IN)
    assert scene.has_passed()


def test_a_question_that_is_taken_in_part_is_sent_on(scene):
    scene.wire.room = [3, 0]
    scene.probe()
    assert scene.wire.sent == [ASKED[:3]] and scene.world.wanted == [True]
    scene.prober.ready(OUT)
    assert scene.wire.sent[1:] == [b""]
    scene.prober.ready(OUT)
    assert scene.wire.sent[2:] == [ASKED[3:]] and scene.world.wanted == [True, False, True, False]
    scene.prober.ready(OUT)
    assert len(scene.wire.sent) == 3 and not scene.wire.asked


@pytest.mark.parametrize(("reads", "why"), [
    ([b""], "probe connection closed"), ([OSError(104, "reset")], "probe connection closed"), ([b"ERROR\r\n"], "probe answered with b'ERROR"),
    ([b"x" * _READ] * (_MOST // _READ), "probe connection closed"),
])  # fmt: skip
def test_what_is_no_version_fails_the_probe(scene, caplog, reads, why):
    scene.probe().wire.reads = reads
    scene.prober.ready(IN | RDHUP)
    assert scene.host.state is HostState.DOWN and scene.wire.fd == -1
    assert f"is unhealthy: {why}" in caplog.text
    assert len(scene.wire.asked) <= _MOST // _READ + 1


def test_a_question_that_cannot_be_sent_fails_the_probe(scene, caplog):
    scene.wire.room = [BrokenPipeError(32, "Broken pipe")]
    scene.probe()
    assert scene.host.state is HostState.DOWN and "is unhealthy: no probe: Broken pipe" in caplog.text


def test_what_a_host_says_between_two_probes_is_no_answer_to_the_next(scene):
    scene.probe().wire.reads = [VERSION]
    scene.prober.ready(IN)
    scene.wire.reads = [b"nonsense\r\n"]
    scene.prober.ready(IN)
    assert scene.host.healthy
    scene.probe().wire.reads = [VERSION]
    scene.prober.ready(IN)
    assert scene.has_passed()
