"""The supervisor: forks a process for each event loop, replaces one that exits, and ends them all.

The supervisor keeps every listening socket open, so that the successor of a process that has exited serves the
connections that wait for it. A process notices by a pipe that its supervisor has gone, and ends too.
"""

import contextlib
import os
import select
import signal
import threading
import time
import warnings
from typing import Any, Callable, Iterable, List, Optional

from ...engine.wakeup import Wakeup
from ...system.logs import flush_stderr, get_logger
from .channel import Channel, channel

logger = get_logger(__name__)

_PAUSE_FIRST, _PAUSE_MOST = 0.05, 5.0  # seconds before a process that has exited is replaced
_LONG_RUN = 10.0  # seconds; a process that has run so long is replaced at once
_POLL = 0.1  # seconds between checks where the kernel has no pidfd

_PATIENCE = 60.0  # seconds that an event loop may take to answer

# (number, descriptor that ends when the supervisor has gone, channel to the supervisor)
RunWorker = Callable[[int, int, Channel], None]

_BLOCKED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2)  # while a process is forked, and until it has handlers


def unblock_signals() -> None:
    """Delivers the signals that were blocked while this process was forked. Must be called once it has its own
    handlers: in a forked child Python forgets the signals that come earlier, and the supervisor's handlers do not fit
    it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)


class LoopProcess:
    """The process of an event loop, as its supervisor sees it; `pid` is 0 while there is none."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid = 0
        self.pidfd = -1
        self.channel: Optional[Channel] = None
        self.forked_at = 0.0
        self.quick_exits = 0  # in a row
        self.due = 0.0  # when to fork it again


class Supervisor:
    """Runs `count` event loops; `run` is called in each child process, and its return ends the child.

    `on_exit` is called with the number of an event loop whose process has ended. `lock` is held while a process is
    forked, and while the event loops agree on something.
    """

    def __init__(self, count: int, run: RunWorker, on_exit: Callable[[int], None] = lambda number: None) -> None:
        self._run = run
        self._on_exit = on_exit
        self._loops = [LoopProcess(number) for number in range(count)]
        self._lifeline_in, self._lifeline_out = os.pipe()
        self.wakeup = Wakeup()
        self.lock = threading.Lock()
        self._handing_over = False  # a process that exits is not replaced
        self._stopping = False
        self._grace = 5.0

    @property
    def pids(self) -> List[int]:
        """The processes of the event loops that run."""
        return [loop.pid for loop in self._loops if loop.pid]

    def stop(self, grace: float) -> None:
        """Ends `serve`: event loops are asked to drain, and killed after `grace` seconds. Safe in a signal handler."""
        self._grace = grace
        self._stopping = True
        self.wakeup.wake()

    def agree(self, proposal: Iterable[Any], settle: Callable[[], None]) -> None:
        """Has all event loops prepare `proposal`, whose last message they answer; then has all of them commit to it,
        or abort if one of them cannot.

        `settle` is called before another process may be forked. Raises ValueError with the reason. May be called from
        any thread.
        """
        with self.lock:
            told: List[LoopProcess] = []
            for message in proposal:
                told = self._tell(message)
            complaints = [answer for answer in map(self._answer, told) if answer]
            self._tell(("abort",) if complaints else ("commit",))
            if complaints:
                raise ValueError(complaints[0])
            settle()

    def hand_over(self, fd: int) -> None:
        """Has all event loops pass their clients on over `fd`; `serve` returns when they have ended. May be called from
        any thread."""
        with self.lock:
            self._handing_over = True
            self._tell(("hand_over",), fd)

    def _tell(self, message: Any, fd: Optional[int] = None) -> List[LoopProcess]:
        """Sends a message to all processes; returns those that have got it. The others have ended, or will."""
        told = []
        for loop in self._loops:
            if loop.channel is not None:
                with contextlib.suppress(OSError):
                    loop.channel.send(message, fd)
                    told.append(loop)
        return told

    def _answer(self, loop: LoopProcess) -> str:
        """Returns the complaint of a process; empty if there is none, or if the process has ended: its successor is
        forked with what is agreed."""
        assert loop.channel is not None
        try:
            return str(loop.channel.receive()[0])
        except EOFError:
            return ""
        except OSError as error:
            return f"event loop {loop.number} does not answer: {error}"

    def serve(self, started: Callable[[], None] = lambda: None) -> None:
        """Starts the event loops, calls `started`, and keeps them going until `stop`."""
        try:
            self._start_due()
            started()
            while not (self._stopping or (self._handing_over and not self.pids)):
                self._start_due()
                self._wait(self._next_due())
                self._reap()
        finally:
            self._end()

    def _start_due(self) -> None:
        if self._handing_over:
            return
        now = time.monotonic()
        for loop in self._loops:
            if not loop.pid and loop.due <= now:
                with self.lock:
                    self._fork(loop)

    def _next_due(self) -> float:
        waits = [loop.due - time.monotonic() for loop in self._loops if not (loop.pid or self._handing_over)]
        return max(0.0, min(waits)) if waits else -1.0

    def _fork(self, loop: LoopProcess) -> None:
        ours, its = channel(_PATIENCE)
        with warnings.catch_warnings():
            # The metrics thread of the supervisor does not exist in the child, which runs nothing of it.
            warnings.simplefilter("ignore", DeprecationWarning)
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
            pid = os.fork()
        if not pid:
            ours.close()
            self._run_child(loop, its)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        its.close()
        loop.channel = ours
        loop.pid, loop.forked_at = pid, time.monotonic()
        loop.pidfd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        logger.debug("event loop %d is process %d", loop.number, pid)

    def _run_child(self, loop: LoopProcess, supervisor: Channel) -> None:
        """Runs an event loop in the child; never returns."""
        code = 1
        try:
            os.close(self._lifeline_out)
            for other in self._loops:
                if other.channel is not None:
                    other.channel.close()
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ^C is the supervisor's business
            self._run(loop.number, self._lifeline_in, supervisor)
            code = 0
        except BaseException:
            logger.exception("unexpected error in event loop %d; it ends", loop.number)
        finally:
            flush_stderr()
            os._exit(code)

    def _wait(self, seconds: float) -> None:
        """Waits until a process ends, `stop` is called, or the time is up. Less than 0: without an end."""
        poll = select.poll()
        poll.register(self.wakeup.fd, select.POLLIN)
        without_pidfd = False
        for loop in self._loops:
            if loop.pidfd >= 0:
                poll.register(loop.pidfd, select.POLLIN)
            without_pidfd = without_pidfd or (loop.pid != 0 and loop.pidfd < 0)
        if without_pidfd:
            seconds = _POLL if seconds < 0 else min(seconds, _POLL)
        poll.poll(None if seconds < 0 else seconds * 1000 + 1)
        self.wakeup.clear()

    def _reap(self) -> None:
        for loop in self._loops:
            if not loop.pid:
                continue
            pid, status = os.waitpid(loop.pid, os.WNOHANG)
            if pid:
                self._record_exit(loop, status)

    def _record_exit(self, loop: LoopProcess, status: int) -> None:
        ran = time.monotonic() - loop.forked_at
        loop.quick_exits = 0 if ran > _LONG_RUN else loop.quick_exits + 1
        pause = 0.0 if loop.quick_exits < 2 else min(_PAUSE_MOST, _PAUSE_FIRST * 2 ** min(loop.quick_exits, 10))
        loop.due = time.monotonic() + pause
        if not (self._stopping or self._handing_over):
            how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
            logger.error(
                "event loop %d (process %d) ended by %s; replacing it in %.1f s", loop.number, loop.pid, how, pause
            )
        if loop.pidfd >= 0:
            os.close(loop.pidfd)
        if loop.channel is not None:
            loop.channel.close()
        loop.pid, loop.pidfd, loop.channel = 0, -1, None
        self._on_exit(loop.number)

    def _end(self) -> None:
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + self._grace + 1.0
        while self.pids and time.monotonic() < deadline:
            self._wait(max(0.0, deadline - time.monotonic()))
            self._reap()
        self._signal(signal.SIGKILL)
        for loop in self._loops:
            if loop.pid:
                self._record_exit(loop, os.waitpid(loop.pid, 0)[1])
        os.close(self._lifeline_in)
        os.close(self._lifeline_out)
        self.wakeup.close()

    def _signal(self, number: int) -> None:
        for pid in self.pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
