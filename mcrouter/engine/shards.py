"""Shards as processes: a supervisor that forks them, replaces one that dies, and ends them all.

The supervisor keeps every listening socket open, so that connections waiting for a shard that died are served by its
successor. A shard notices by a pipe that its supervisor has gone, and ends too.
"""

import contextlib
import os
import select
import signal
import threading
import time
import warnings
from typing import Any, Callable, Iterable, List, Optional

from ..logs import flush_stderr, get_logger
from .channel import Channel, channel
from .wakeup import Wakeup

logger = get_logger(__name__)

_PAUSE_FIRST, _PAUSE_MOST = 0.05, 5.0  # seconds before a shard that died is replaced
_LIVED_LONG = 10.0  # seconds after which a death is not held against the next one
_POLL = 0.1  # seconds between looks where the kernel has no pidfd

_PATIENCE = 60.0  # seconds that a shard may take to answer

# (number, descriptor that ends when the supervisor has gone, channel to the supervisor)
RunShard = Callable[[int, int, Channel], None]


_HELD_BACK = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2)


def heed_signals() -> None:
    """Lets a shard have the signals that were held back while it was born: in a forked child, Python forgets those that
    come before it is ready, and the supervisor's handlers are not the shard's. To be called once it has its own."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD_BACK)


class _Shard:
    def __init__(self, number: int) -> None:
        self.number = number
        self.pid = 0
        self.pidfd = -1
        self.channel: Optional[Channel] = None
        self.born = 0.0
        self.deaths = 0  # quick ones, in a row
        self.due = 0.0  # when to start it again


class Supervisor:
    """Runs `count` shards; `run` is called in each child process and its return ends the child.

    `on_death` is called with the number of a shard that has ended.
    """

    def __init__(self, count: int, run: RunShard, on_death: Callable[[int], None] = lambda number: None) -> None:
        self._run = run
        self._on_death = on_death
        self._shards = [_Shard(number) for number in range(count)]
        self._lifeline_in, self._lifeline_out = os.pipe()
        self.wakeup = Wakeup()
        self.lock = threading.Lock()  # no shard is born while the others change their minds
        self._leaving = False  # who ends now is not replaced
        self._stopping = False
        self._grace = 5.0

    @property
    def pids(self) -> List[int]:
        """The processes of the shards that run."""
        return [shard.pid for shard in self._shards if shard.pid]

    def stop(self, grace: float) -> None:
        """Ends `serve`: shards are asked to drain, and killed after `grace` seconds. Safe in a signal handler."""
        self._grace = grace
        self._stopping = True
        self.wakeup.wake()

    def agree(self, proposal: Iterable[Any], settle: Callable[[], None]) -> None:
        """Has all shards prepare `proposal`, whose last message they answer; then commit to it, or, when one of them
        cannot, all of them abort.

        `settle` is called before a new shard may be born. Raises ValueError with the reason. From any thread.
        """
        with self.lock:
            told: List[_Shard] = []
            for message in proposal:
                told = self._tell(message)
            complaints = [answer for answer in map(self._answer, told) if answer]
            self._tell(("abort",) if complaints else ("commit",))
            if complaints:
                raise ValueError(complaints[0])
            settle()

    def leave(self, fd: int) -> None:
        """Has all shards pass their clients on over `fd`; `serve` returns when they have ended. From any thread."""
        with self.lock:
            self._leaving = True
            self._tell(("hand_over",), fd)

    def _tell(self, message: Any, fd: Optional[int] = None) -> List[_Shard]:
        """Those that have got it; who has not is dead, or will be for it."""
        told = []
        for shard in self._shards:
            if shard.channel is not None:
                with contextlib.suppress(OSError):
                    shard.channel.send(message, fd)
                    told.append(shard)
        return told

    def _answer(self, shard: _Shard) -> str:
        """What it says; nothing when it has died: its successor will know what is agreed."""
        assert shard.channel is not None
        try:
            return str(shard.channel.receive()[0])
        except EOFError:
            return ""
        except OSError as error:
            return f"shard {shard.number} does not answer: {error}"

    def serve(self, started: Callable[[], None] = lambda: None) -> None:
        """Starts the shards, calls `started`, and keeps them going until `stop`."""
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
        for shard in self._shards:
            if not shard.pid and shard.due <= now:
                with self.lock:
                    self._fork(shard)

    def _next_due(self) -> float:
        waits = [shard.due - time.monotonic() for shard in self._shards if not (shard.pid or self._leaving)]
        return max(0.0, min(waits)) if waits else -1.0

    def _fork(self, shard: _Shard) -> None:
        ours, its = channel(_PATIENCE)
        with warnings.catch_warnings():
            # The metrics thread of the supervisor does not exist in the child, which runs nothing of it.
            warnings.simplefilter("ignore", DeprecationWarning)
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)
            pid = os.fork()
        if not pid:
            ours.close()
            self._be(shard, its)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        its.close()
        shard.channel = ours
        shard.pid, shard.born = pid, time.monotonic()
        shard.pidfd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        logger.debug("shard %d is process %d", shard.number, pid)

    def _be(self, shard: _Shard, supervisor: Channel) -> None:
        """The child's life; never returns."""
        code = 1
        try:
            os.close(self._lifeline_out)
            for other in self._shards:
                if other.channel is not None:
                    other.channel.close()
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ^C is the supervisor's business
            self._run(shard.number, self._lifeline_in, supervisor)
            code = 0
        except BaseException:
            logger.exception("unexpected error in shard %d; it ends", shard.number)
        finally:
            flush_stderr()
            os._exit(code)

    def _wait(self, seconds: float) -> None:
        """Until a shard ends, `stop` is called, or the time is up."""
        poll = select.poll()
        poll.register(self.wakeup.fd, select.POLLIN)
        blind = False
        for shard in self._shards:
            if shard.pidfd >= 0:
                poll.register(shard.pidfd, select.POLLIN)
            blind = blind or (shard.pid != 0 and shard.pidfd < 0)
        if blind:
            seconds = _POLL if seconds < 0 else min(seconds, _POLL)
        poll.poll(None if seconds < 0 else seconds * 1000 + 1)
        self.wakeup.clear()

    def _reap(self) -> None:
        for shard in self._shards:
            if not shard.pid:
                continue
            pid, status = os.waitpid(shard.pid, os.WNOHANG)
            if pid:
                self._buried(shard, status)

    def _buried(self, shard: _Shard, status: int) -> None:
        lived = time.monotonic() - shard.born
        shard.deaths = 0 if lived > _LIVED_LONG else shard.deaths + 1
        pause = 0.0 if shard.deaths < 2 else min(_PAUSE_MOST, _PAUSE_FIRST * 2 ** min(shard.deaths, 10))
        shard.due = time.monotonic() + pause
        if not (self._stopping or self._leaving):
            how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
            logger.error(
                "shard %d (process %d) ended by %s; replacing it in %.1f s", shard.number, shard.pid, how, pause
            )
        if shard.pidfd >= 0:
            os.close(shard.pidfd)
        if shard.channel is not None:
            shard.channel.close()
        shard.pid, shard.pidfd, shard.channel = 0, -1, None
        self._on_death(shard.number)

    def _end(self) -> None:
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + self._grace + 1.0
        while self.pids and time.monotonic() < deadline:
            self._wait(max(0.0, deadline - time.monotonic()))
            self._reap()
        self._signal(signal.SIGKILL)
        for shard in self._shards:
            if shard.pid:
                self._buried(shard, os.waitpid(shard.pid, 0)[1])
        os.close(self._lifeline_in)
        os.close(self._lifeline_out)
        self.wakeup.close()

    def _signal(self, number: int) -> None:
        for pid in self.pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
