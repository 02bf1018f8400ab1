"""Health checks: one prober a host, on a connection of its own.

A visit asks `version` and wants a VERSION line within the timeout. So a host that accepts connections and does not
answer is found, and one that was given up (timeouts, a refused connect) is found when it is back.

    healthy:    a visit every interval
    unhealthy:  visits soon after one another at first, then less and less often, down to one an interval
    flapping:   each time that it goes down soon after it came back, it must pass one visit more before it is trusted

A host that keeps a journal has more to hear on its way back (recovery.py).
"""

from typing import Callable, Optional

from ..loop import Timer
from ..poller import IN, OUT, READ_ON
from .host import Host
from .reason import Reason
from .recovery import BadAnswer, Dialogue, Pause, Question, Rejoin, rejoin
from .socket import HostSocket, SocketState

_JITTER = 0.1  # of a pause, so that many routers do not ask at once
_SOON = 1 / 32  # of the interval: the first pause once the host is unhealthy; each next one is twice as long
_STEADY = 6  # intervals that a host must stay up to be trusted again
_MOST_VISITS = 8  # that are asked of the worst
_READ = 65536  # bytes
_MOST = 1 << 18  # bytes; no answer that a probe asks for is longer


def first_pause(interval: float, soon: float) -> float:
    """Seconds from when a host becomes unhealthy to its first probe, where the settings say `soon` (0: nothing)."""
    return soon or interval * _SOON


class Damper:
    """How far a host is to be trusted that goes and comes."""

    def __init__(self, interval: float) -> None:
        self._steady = _STEADY * interval
        self._up_since = float("-inf")
        self._flaps = 0
        self._passed = 0

    def went_down(self, now: float) -> None:
        """It is unhealthy, at `now` in seconds."""
        self._flaps = 0 if now - self._up_since > self._steady else min(self._flaps + 1, _MOST_VISITS - 1)
        self._passed = 0

    def passed(self) -> bool:
        """It has answered once more; whether that is enough."""
        self._passed += 1
        return self._passed > self._flaps

    def failed(self) -> None:
        """It has not answered: what it did before does not count."""
        self._passed = 0

    def came_up(self, now: float) -> None:
        """It is healthy again."""
        self._up_since = now


class Prober(HostSocket):
    """Visits one host in turns and tells it what came of it; `interval` is in seconds, and so are `soon`, the first
    pause once it is unhealthy, and `most`, the longest (0: as above)."""

    __slots__ = ("_answer", "_damper", "_dialogue", "_due", "_grows", "_host", "_interval", "_most", "_pause",
                 "_question", "_soon", "_unsent")  # fmt: skip

    def __init__(self, host: Host, interval: float, soon: float = 0.0, most: float = 0.0) -> None:
        super().__init__(host.loop)
        self._host = host
        self._interval = interval
        self._soon = first_pause(interval, soon)
        self._most = most or max(interval, soon)
        self._pause = interval
        self._grows = False  # whether the next pause is longer than this one: the host is known to be away
        self._damper = Damper(interval)
        self._due: Optional[Timer] = None  # the next visit, or the end of patience in this one
        self._dialogue: Optional[Dialogue] = None  # the visit under way
        self._question: Optional[Question] = None  # what it waits to be answered
        self._answer = b""
        self._unsent = b""

    def start(self) -> None:
        """Begins; the first visit is due at once."""
        self._host.prober = self
        self._wait(0.0, self._visit)

    def stop(self) -> None:
        """Ends, and closes the connection."""
        self._host.prober = None
        self._end()
        if self._due is not None:
            self._due.cancel()
        self.disconnect()

    def abort(self) -> None:
        """After a bug of ours: start over."""
        self._failed(Reason.BUG, "internal error")

    def _wait(self, seconds: float, call: Callable[[], None]) -> None:
        """One thing at a time is due."""
        if self._due is not None:
            self._due.cancel()
        self._due = self.loop.call_later(seconds, call)

    def hurry(self) -> None:
        """The host is to be visited now, if it is not already."""
        if self._dialogue is None:
            self._wait(0.0, self._visit)

    def went_down(self) -> None:
        """The host has become unhealthy, by whatever sign."""
        self._damper.went_down(self.loop.now)
        self._pause, self._grows = self._soon, True
        if self._dialogue is None:
            self._rest()

    def _visit(self) -> None:
        self._dialogue = self._talk()
        self._next_step(None)

    def _talk(self) -> Dialogue:
        """What is said on a visit."""
        answer = yield Question(b"version\r\n")
        if not answer.startswith(b"VERSION "):
            raise BadAnswer(f"probe answered with {answer[:40]!r}")
        host = self._host
        if host.healthy or not (host.recovering or self._damper.passed()):
            return
        done: Optional[Rejoin] = None
        if host.journal is not None:
            host.begin_recovery()
            done = yield from rejoin(host)
        self._damper.came_up(self.loop.now)
        host.mark_up(done)

    def _next_step(self, answer: Optional[bytes]) -> None:
        """Says what comes next, now that the host has said `answer`."""
        assert self._dialogue is not None
        self._question = None
        try:
            step = self._dialogue.send(answer)
        except StopIteration:
            self._passed()
            return
        except BadAnswer as error:
            self._failed(Reason.WRONG, str(error))
            return
        if isinstance(step, Pause):
            self._wait(step.seconds, lambda: self._next_step(None))
        else:
            self._ask(step)

    def _ask(self, question: Question) -> None:
        self._question, self._answer, self._unsent = question, b"", question.data
        self._patience()
        if self.state is SocketState.UP:
            self._send()
        else:
            assert self._host.address is not None, "a prober is started when the name has resolved"
            self.open(self._host.address, self._host.connect_timeout)

    def _send(self) -> None:
        try:
            self._unsent = self.wire.write([self._unsent])
        except OSError as error:
            self._failed(Reason.SILENT, f"no probe: {error.strerror}")
            return
        if self._unsent:
            self.loop.poller.want_write(self.wire.fd, True)

    def _patience(self) -> None:
        self._wait(self._host.timeout, self._too_late)

    def connected(self) -> None:
        """Asks what the connection was opened for."""
        if self._question is not None:
            self._patience()
            self._send()

    def refused(self, why: str) -> None:
        """Nobody there."""
        self._failed(Reason.REFUSES, why)

    def ready(self, mask: int) -> None:
        """The poller's report."""
        if mask & OUT and self._unsent:
            self.loop.poller.want_write(self.wire.fd, False)
            self._send()
        if mask & (IN | READ_ON) and self.state is SocketState.UP:
            self._receive(mask)

    def _receive(self, mask: int) -> None:
        """Takes what has come. An answer that comes with the connection's end is as good as any; what follows it is
        asked on a new connection."""
        ended = self._read(mask)
        if ended:
            self.disconnect()
        if self._question is not None and self._question.is_answered(self._answer):
            self._next_step(self._answer)
        elif ended and self._question is not None:
            self._failed(Reason.SILENT, "probe connection closed")

    def _read(self, mask: int) -> bool:
        """Reads what there is, up to the end of a connection that is said to be at it; whether that was reached. Of a
        host that says more than anything that it is asked, no more than that: the visit ends in its time."""
        try:
            while len(self._answer) < _MOST:
                data, drained = self.wire.read(_READ, mask)
                if data is not None:
                    self._answer += data
                if drained or not data:
                    return data == b""
        except OSError:
            return True
        return True

    def _too_late(self) -> None:
        self._failed(Reason.SILENT, f"probe not answered within {self._host.timeout * 1000:.0f} ms")

    def _passed(self) -> None:
        self._end()
        self._again()

    def _failed(self, kind: Reason, why: str) -> None:
        self._end()
        self.disconnect()
        self._damper.failed()
        grows = self._grows
        self._host.mark_down(kind, why)
        if grows:
            self._again()
        else:  # it was healthy, or taken out of the reads in the midst of it
            self._pause, self._grows = self._soon, True
            self._rest()

    def _end(self) -> None:
        if self._dialogue is not None:
            self._dialogue.close()
        self._dialogue = self._question = None
        self._unsent = b""

    def _again(self) -> None:
        self._grows = not self._host.healthy
        self._pause = min(self._most, 2 * self._pause) if self._grows else self._interval
        self._rest()

    def _rest(self) -> None:
        self._wait(self._pause * self.loop.chance.uniform(1 - _JITTER, 1.0), self._visit)
