"""Health checks: one prober a host, on a connection of its own.

A probe asks `version` and expects a VERSION line within the timeout. So a host that accepts connections and does not
answer is found, and so is one that was down (timeouts, a refused connection) and is back.

    healthy:    a probe every interval
    down:       probes soon after one another at first, then less and less often, down to one an interval
    flapping:   each time that a host goes down soon after it came back, it must pass one probe more to be healthy again

A host that keeps a journal is asked more before it is healthy again (recovery.py).
"""

from typing import Callable, Optional

from ..loop import Timer
from ..poller import IN, OUT, READ_ON
from .connections.socket import HostSocket, SocketState
from .host import Host
from .reason import Reason
from .recovery import BadAnswer, Dialogue, Pause, Question, Rejoin, rejoin

_JITTER = 0.1  # of a pause, so that many routers do not ask at once
_SOON = 1 / 32  # of the interval: the first pause once the host is down; each next one is twice as long
_STEADY = 6  # intervals that a host must stay healthy to be trusted again
_MOST_PROBES = 8  # that must be passed in a row, at the most
_READ = 65536  # bytes
_MOST = 1 << 18  # bytes; no answer that a probe asks for is longer


def first_pause(interval: float, soon: float) -> float:
    """Returns the seconds from when a host goes down to its first probe, where the settings say `soon` (0: nothing)."""
    return soon or interval * _SOON


class Damper:
    """How many probes a host must pass that goes down again and again. Times are in seconds."""

    def __init__(self, interval: float) -> None:
        self._steady = _STEADY * interval
        self._up_since = float("-inf")
        self._flaps = 0
        self._passed = 0

    def went_down(self, now: float) -> None:
        """Notes that the host goes down."""
        self._flaps = 0 if now - self._up_since > self._steady else min(self._flaps + 1, _MOST_PROBES - 1)
        self._passed = 0

    def passed(self) -> bool:
        """Notes that the host has passed a probe; returns whether that is enough."""
        self._passed += 1
        return self._passed > self._flaps

    def failed(self) -> None:
        """Notes that the host has failed a probe: those that it passed before do not count."""
        self._passed = 0

    def came_up(self, now: float) -> None:
        """Notes that the host is healthy again."""
        self._up_since = now


class Prober(HostSocket):
    """Probes one host again and again, and moves it from state to state. `interval` is in seconds, and so are `soon`,
    the first pause once it is down, and `most`, the longest (0: as above)."""

    __slots__ = ("_answer", "_damper", "_dialogue", "_due", "_grows", "_host", "_interval", "_most", "_pause",
                 "_question", "_soon", "_unsent")  # fmt: skip

    def __init__(self, host: Host, interval: float, soon: float = 0.0, most: float = 0.0) -> None:
        super().__init__(host.loop)
        self._host = host
        self._interval = interval
        self._soon = first_pause(interval, soon)
        self._most = most or max(interval, soon)
        self._pause = interval
        self._grows = False  # whether the next pause is longer than this one: the host is known to be down
        self._damper = Damper(interval)
        self._due: Optional[Timer] = None  # the next probe, or the timeout of this one
        self._dialogue: Optional[Dialogue[None]] = None  # the probe under way
        self._question: Optional[Question] = None  # what it waits to be answered
        self._answer = b""
        self._unsent = b""

    def start(self) -> None:
        """Begins; the first probe is due at once."""
        self._host.prober = self
        self._wait(0.0, self._probe)

    def stop(self) -> None:
        """Ends, and closes the connection."""
        self._host.prober = None
        self._end()
        if self._due is not None:
            self._due.cancel()
        self.disconnect()

    def abort(self) -> None:
        """Starts over, after a bug of this program."""
        self._failed(Reason.BUG, "internal error")

    def _wait(self, seconds: float, call: Callable[[], None]) -> None:
        """Calls after so many seconds, instead of what was due before."""
        if self._due is not None:
            self._due.cancel()
        self._due = self.loop.call_later(seconds, call)

    def hurry(self) -> None:
        """Probes the host now, unless a probe is under way."""
        if self._dialogue is None:
            self._wait(0.0, self._probe)

    def went_down(self) -> None:
        """Called when the host has gone down, for whatever reason."""
        self._damper.went_down(self.loop.now)
        self._pause, self._grows = self._soon, True
        if self._dialogue is None:
            self._wait_for_next()

    def _probe(self) -> None:
        self._dialogue = self._talk()
        self._next_step(None)

    def _talk(self) -> Dialogue[None]:
        """The dialogue of a probe."""
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
        """Goes on with the dialogue, now that the host has answered."""
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
        self._start_timeout()
        if self.state is SocketState.OPEN:
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

    def _start_timeout(self) -> None:
        self._wait(self._host.timeout, self._too_late)

    def connected(self) -> None:
        """Asks the question that the connection was opened for."""
        if self._question is not None:
            self._start_timeout()
            self._send()

    def refused(self, why: str) -> None:
        """Fails the probe."""
        self._failed(Reason.REFUSES, why)

    def ready(self, mask: int) -> None:
        """Takes the poller's report."""
        if mask & OUT and self._unsent:
            self.loop.poller.want_write(self.wire.fd, False)
            self._send()
        if mask & (IN | READ_ON) and self.state is SocketState.OPEN:
            self._receive(mask)

    def _receive(self, mask: int) -> None:
        """Takes what has come. An answer that comes with the connection's end counts; the next question is asked on a
        new connection."""
        ended = self._read(mask)
        if ended:
            self.disconnect()
        if self._question is not None and self._question.is_answered(self._answer):
            self._next_step(self._answer)
        elif ended and self._question is not None:
            self._failed(Reason.SILENT, "probe connection closed")

    def _read(self, mask: int) -> bool:
        """Reads until nothing is left, or the answer is longer than any can be; returns whether the connection has
        ended, or is of no use any more."""
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
        self._schedule()

    def _failed(self, kind: Reason, why: str) -> None:
        self._end()
        self.disconnect()
        self._damper.failed()
        grows = self._grows
        self._host.mark_down(kind, why)
        if grows:
            self._schedule()
        else:  # it was healthy, or taken out of the reads in the midst of it
            self._pause, self._grows = self._soon, True
            self._wait_for_next()

    def _end(self) -> None:
        if self._dialogue is not None:
            self._dialogue.close()
        self._dialogue = self._question = None
        self._unsent = b""

    def _schedule(self) -> None:
        self._grows = not self._host.healthy
        self._pause = min(self._most, 2 * self._pause) if self._grows else self._interval
        self._wait_for_next()

    def _wait_for_next(self) -> None:
        self._wait(self._pause * self.loop.chance.uniform(1 - _JITTER, 1.0), self._probe)
