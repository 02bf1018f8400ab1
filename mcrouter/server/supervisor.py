"""Event loops as processes: a supervisor that forks them, replaces one that dies, and ends them all.

The supervisor keeps every listening socket open, so that connections waiting for an event loop that died are served by
its successor. An event loop notices by a pipe that its supervisor has gone, and ends too.
"""

import contextlib
import os
import select
import signal
import threading
import time
import warnings
from typing import Any, Callable, Iterable, List, Optional

from ..engine.wakeup import Wakeup
from ..system.logs import flush_stderr, get_logger
from .channel import Channel, channel

logger = get_logger(__name__)

_PAUSE_FIRST, _PAUSE_MOST = 0.05, 5.0  # seconds before an event loop that died is replaced
_LIVED_LONG = 10.0  # seconds after which a death is not held against the next one
_POLL = 0.1  # seconds between looks where the kernel has no pidfd

_PATIENCE = 60.0  # seconds that an event loop may take to answer

# (number, descriptor that ends when the supervisor has gone, channel to the supervisor)
RunWorker = Callable[[int, int, Channel], None]


_HELD_BACK = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2)


def heed_signals() -> None:
    """Lets an event loop have the signals that were held back while it was born: in a forked child, Python forgets
    those that come before it is ready, and the supervisor's handlers are not the event loop's. To be called once it has
    its own."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD_BACK)


class _WorkerProcess:
    def __init__(self, number: int) -> None:
        self.number = number
        self.pid = 0
        self.pidfd = -1
        self.channel: Optional[Channel] = None
        self.born = 0.0
        self.deaths = 0  # quick ones, in a row
        self.due = 0.0  # when to start it again


class Supervisor:
    """Runs `count` event loops; `run` is called in each child process and its return ends the child.

    `on_death` is called with the number of an event loop that has ended.
    """

    def __init__(self, count: int, run: RunWorker, on_death: Callable[[int], None] = lambda number: None) -> None:
        self._run = run
        self._on_death = on_death
        self._workers = [_WorkerProcess(number) for number in range(count)]
        self._lifeline_in, self._lifeline_out = os.pipe()
        self.wakeup = Wakeup()
        self.lock = threading.Lock()  # no event loop is born while the others change their minds
        self._leaving = False  # who ends now is not replaced
        self._stopping = False
        self._grace = 5.0

    @property
    def pids(self) -> List[int]:
        """The processes of the event loops that run."""
        return [worker.pid for worker in self._workers if worker.pid]

    def stop(self, grace: float) -> None:
        """Ends `serve`: event loops are asked to drain, and killed after `grace` seconds. Safe in a signal handler."""
        self._grace = grace
        self._stopping = True
        self.wakeup.wake()

    def agree(self, proposal: Iterable[Any], settle: Callable[[], None]) -> None:
        """Has all event loops prepare `proposal`, whose last message they answer; then commit to it, or, when one of
        them cannot, all of them abort.

        `settle` is called before a new event loop may be born. Raises ValueError with the reason. From any thread.
        """
        with self.lock:
            told: List[_WorkerProcess] = []
            for message in proposal:
                told = self._tell(message)
            complaints = [answer for answer in map(self._answer, told) if answer]
            self._tell(("abort",) if complaints else ("commit",))
            if complaints:
                raise ValueError(complaints[0])
            settle()

    def leave(self, fd: int) -> None:
        """Has all event loops pass their clients on over `fd`; `serve` returns when they have ended. From any
        thread."""
        with self.lock:
            self._leaving = True
            self._tell(("hand_over",), fd)

    def _tell(self, message: Any, fd: Optional[int] = None) -> List[_WorkerProcess]:
        """Those that have got it; who has not is dead, or will be for it."""
        told = []
        for worker in self._workers:
            if worker.channel is not None:
                with contextlib.suppress(OSError):
                    worker.channel.send(message, fd)
                    told.append(worker)
        return told

    def _answer(self, worker: _WorkerProcess) -> str:
        """What it says; nothing when it has died: its successor will know what is agreed."""
        assert worker.channel is not None
        try:
            return str(worker.channel.receive()[0])
        except EOFError:
            return ""
        except OSError as error:
            return f"event loop {worker.number} does not answer: {error}"

    def serve(self, started: Callable[[], None] = lambda: None) -> None:
        """Starts the event loops, calls `started`, and keeps them going until `stop`."""
        try:
            self._start_due()
            started()
            while not (self._stopping or (self._leaving and not self.pids)):
                self._start_due()
                self._wait(self._next_due())
                self._reap()
        finally:
            self._end()

    def _start_due(self) -> None:
        if self._leaving:
            return
        now = time.monotonic()
        for worker in self._workers:
            if not worker.pid and worker.due <= now:
                with self.lock:
                    self._fork(worker)

    def _next_due(self) -> float:
        waits = [worker.due - time.monotonic() for worker in self._workers if not (worker.pid or self._leaving)]
        return max(0.0, min(waits)) if waits else -1.0

    def _fork(self, worker: _WorkerProcess) -> None:
        ours, its = channel(_PATIENCE)
        with warnings.catch_warnings():
            # The metrics thread of the supervisor does not exist in the child, which runs nothing of it.
            warnings.simplefilter("ignore", DeprecationWarning)
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)
            pid = os.fork()
        if not pid:
            ours.close()
            self._run_child(worker, its)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        its.close()
        worker.channel = ours
        worker.pid, worker.born = pid, time.monotonic()
        worker.pidfd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        logger.debug("event loop %d is process %d", worker.number, pid)

    def _run_child(self, worker: _WorkerProcess, supervisor: Channel) -> None:
        """The child's life; never returns."""
        code = 1
        try:
            os.close(self._lifeline_out)
            for other in self._workers:
                if other.channel is not None:
                    other.channel.close()
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ^C is the supervisor's business
            self._run(worker.number, self._lifeline_in, supervisor)
            code = 0
        except BaseException:
            logger.exception("unexpected error in event loop %d; it ends", worker.number)
        finally:
            flush_stderr()
            os._exit(code)

    def _wait(self, seconds: float) -> None:
        """Until an event loop ends, `stop` is called, or the time is up."""
        poll = select.poll()
        poll.register(self.wakeup.fd, select.POLLIN)
        blind = False
        for worker in self._workers:
            if worker.pidfd >= 0:
                poll.register(worker.pidfd, select.POLLIN)
            blind = blind or (worker.pid != 0 and worker.pidfd < 0)
        if blind:
            seconds = _POLL if seconds < 0 else min(seconds, _POLL)
        poll.poll(None if seconds < 0 else seconds * 1000 + 1)
        self.wakeup.clear()

    def _reap(self) -> None:
        for worker in self._workers:
            if not worker.pid:
                continue
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                self._on_exit(worker, status)

    def _on_exit(self, worker: _WorkerProcess, status: int) -> None:
        lived = time.monotonic() - worker.born
        worker.deaths = 0 if lived > _LIVED_LONG else worker.deaths + 1
        pause = 0.0 if worker.deaths < 2 else min(_PAUSE_MOST, _PAUSE_FIRST * 2 ** min(worker.deaths, 10))
        worker.due = time.monotonic() + pause
        if not (self._stopping or self._leaving):
            how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
            logger.error(
                "event loop %d (process %d) ended by %s; replacing it in %.1f s", worker.number, worker.pid, how, pause
            )
        if worker.pidfd >= 0:
            os.close(worker.pidfd)
        if worker.channel is not None:
            worker.channel.close()
        worker.pid, worker.pidfd, worker.channel = 0, -1, None
        self._on_death(worker.number)

    def _end(self) -> None:
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + self._grace + 1.0
        while self.pids and time.monotonic() < deadline:
            self._wait(max(0.0, deadline - time.monotonic()))
            self._reap()
        self._signal(signal.SIGKILL)
        for worker in self._workers:
            if worker.pid:
                self._on_exit(worker, os.waitpid(worker.pid, 0)[1])
        os.close(self._lifeline_in)
        os.close(self._lifeline_out)
        self.wakeup.close()

    def _signal(self, number: int) -> None:
        for pid in self.pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
