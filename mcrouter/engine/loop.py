"""The event loop: one visible loop, its poller and its clock injected.

A tick:  poll -> handlers of the ready descriptors -> what is due (timers) -> calls of the last tick
         -> flush hosts, flush clients (one write a socket and tick) until nothing is dirty -> close what was closed.

The process may be paused (SIGSTOP, a suspended machine, a CPU quota), or be busy for long. That time is not counted
against hosts: the loop's clock stands still meanwhile, and what has arrived is read before any timer fires.

All that an event loop does happens in its thread. Other threads use `call_soon_threadsafe`, and nothing else.
"""

import collections
import heapq
import itertools
import os
import random
import threading
import time
from typing import TYPE_CHECKING, Callable, Deque, Dict, List, Optional, Protocol, Tuple

from ..system.logs import get_logger
from .poller import make_poller
from .wakeup import Wakeup

if TYPE_CHECKING:
    from .poller import Poller

    class Flushed(Protocol):
        """A connection that collects what it writes until the end of the tick."""

        def flush(self) -> None:
            """Writes what the tick has collected."""

logger = get_logger(__name__)

# Bytes that are taken and given back at once: glibc then keeps what is freed up to twice as much (mallopt(3), dynamic
# mmap threshold). Without it every read of a large value is new memory: 3 page faults and a brk for each 50 KB.
_COMES_AND_GOES = 4 << 20
_PAUSE = 0.1  # seconds; a tick that comes later than that after it was due comes after a pause
_TELL = 1.0  # seconds; a pause that is worth a line of the log
_TURNS = 4  # of a client in one tick
_LOOKS = 16  # at what has arrived in a pause: a poll tells of 1023 descriptors


class Timer:
    """A pending call. `cancel()` costs nothing: the heap drops the timer when it is due."""

    __slots__ = ("call",)

    def __init__(self, call: Optional[Callable[[], None]]) -> None:
        self.call = call

    def cancel(self) -> None:
        """Makes sure that the call does not happen."""
        self.call = None


class PollGroup:
    """An event loop. `now` is the clock in seconds (monotonic, pauses of the process left out), read once a tick.

    `handlers` maps descriptors to functions of the event mask. `dirty_hosts` and `dirty_clients` are the connections
    whose `flush()` is due at the end of the tick; each appends itself only once.
    """

    def __init__(self, poller: "Optional[Poller]" = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.poller = poller if poller is not None else make_poller()
        self.clock = clock
        self.chance = random.Random()  # not the program's, which may count on what it draws; nor another event loop's
        self.now = clock()
        self.handlers: Dict[int, Callable[[int], None]] = {}
        self.dirty_hosts: List[Flushed] = []
        self.dirty_clients: List[Flushed] = []
        self._ready: List[Callable[[], None]] = []
        self._closing: List[int] = []
        self._timers: List[Tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._calls: Deque[Callable[[], None]] = collections.deque()
        self._paused = 0.0  # seconds of pauses so far
        self._stopping = False
        self.wakeup = Wakeup()
        self.poller.add_listener(self.wakeup.fd)
        self.handlers[self.wakeup.fd] = self._woken
        self.thread = 0
        """The identity of the thread that runs the loop; 0 while none does."""

    def watch(self, fd: int, handler: Callable[[int], None]) -> None:
        """Registers a connection's descriptor, by its edges."""
        self.poller.add_stream(fd)
        self.handlers[fd] = handler

    def watch_listener(self, fd: int, handler: Callable[[int], None]) -> None:
        """Registers a listening descriptor, by its level."""
        self.poller.add_listener(fd)
        self.handlers[fd] = handler

    def unwatch(self, fd: int) -> None:
        """Stops reporting a descriptor that stays open."""
        self.poller.remove(fd)
        self.handlers[fd] = _ignore

    def close_later(self, fd: int) -> None:
        """Closes a descriptor at the end of the tick; its events until then go nowhere."""
        self.handlers[fd] = _ignore
        self._closing.append(fd)

    def call_soon(self, call: Callable[[], None]) -> None:
        """Calls at the start of the next tick, without waiting for I/O."""
        self._ready.append(call)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Calls once that many seconds from now have gone by."""
        timer = Timer(call)
        heapq.heappush(self._timers, (self.now + seconds, next(self._order), timer))
        return timer

    def call_soon_threadsafe(self, call: Callable[[], None]) -> bool:
        """Calls in the loop's thread; may be called from any thread and from a signal handler. Returns False when the
        loop has been closed: then the call may never happen. Else it happens, at the latest when the loop is closed."""
        self._calls.append(call)
        return self.wakeup.wake()

    def stop(self) -> None:
        """Ends `run` after the current tick."""
        self._stopping = True

    def run(self) -> None:
        """Runs ticks until `stop`."""
        bytes(_COMES_AND_GOES)
        self._stopping = False
        self.now = self.clock() - self._paused
        self.thread = threading.get_ident()
        while not self._stopping:
            self.tick()
        self.thread = 0

    def tick(self) -> None:
        """Runs one round; waits for events or the next timer, whichever comes first."""
        patience = self._patience()
        due = self.now + patience
        events = self.poller.poll(patience)
        self.now = self.clock() - self._paused
        is_late = patience >= 0 and self.now > due + _PAUSE
        if is_late:
            self._leave_out(self.now - due - _PAUSE)
        self._handle(events)
        if is_late:
            self._read_all()
        if self._timers and self._timers[0][0] <= self.now:
            self._fire()
        if self._ready:
            ready, self._ready = self._ready, []
            for call in ready:
                self._guarded(call)
        self.flush()
        if self._closing:
            self._close()

    def _handle(self, events: List[Tuple[int, int]]) -> None:
        handlers = self.handlers
        for fd, mask in events:
            try:
                handlers[fd](mask)
            except Exception:  # a bug of ours must not take the others' connections down
                logger.exception("unexpected error; closing the connection")
                self._abandon(handlers.get(fd))

    def _leave_out(self, seconds: float) -> None:
        """Leaves out of the clock that the process had no turn, or was busy, for so long."""
        self._paused += seconds
        self.now -= seconds
        if seconds >= _TELL:
            logger.warning("the process had no turn for %.1f s; that time is not counted against hosts", seconds)

    def _read_all(self) -> None:
        """Reads what has arrived in a pause, before anything is found to be late."""
        for _ in range(_LOOKS):
            events = self.poller.poll(0)
            if not events:
                break
            self._handle(events)

    def flush(self) -> None:
        """Writes what the tick has collected: first to hosts, then to clients, until nothing is left, or a few times.
        The rest goes with the next tick: a client whose requests are answered at once has more of them each time."""
        for _ in range(_TURNS):
            if not (self.dirty_hosts or self.dirty_clients):
                break
            hosts, self.dirty_hosts = self.dirty_hosts, []
            for connection in hosts:
                try:  # _guarded() in place: a call less for each
                    connection.flush()
                except Exception:
                    logger.exception("unexpected error; closing the connection")
                    self._abandon(connection.flush)
            if self.dirty_clients:
                clients, self.dirty_clients = self.dirty_clients, []
                for client in clients:
                    self._guarded(client.flush)

    def close(self) -> None:
        """Closes the loop's own descriptors; call it when `run` has ended."""
        self._close()
        self.wakeup.close()
        self._call_all()  # those that came after the last tick
        self.poller.close()

    def _patience(self) -> float:
        """Returns the seconds that the poll may wait; negative: for ever. A cancelled timer ends it once, in vain."""
        if self._ready or self.dirty_hosts or self.dirty_clients:
            return 0.0
        if not self._timers:
            return -1.0
        return max(0.0, self._timers[0][0] - self.now)

    def _fire(self) -> None:
        while self._timers and self._timers[0][0] <= self.now:
            call = heapq.heappop(self._timers)[2].call
            if call is not None:
                self._guarded(call)

    def _woken(self, _mask: int) -> None:
        self.wakeup.clear()
        self._call_all()

    def _call_all(self) -> None:
        while self._calls:
            self._guarded(self._calls.popleft())

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            logger.exception("unexpected error in %r", call)
            self._abandon(call)

    def _abandon(self, call: object) -> None:
        """Aborts the object that `call` is a method of, if it can be aborted, after a bug in it: a connection closes as
        if its peer had gone. Else its peer would wait for ever."""
        abort = getattr(getattr(call, "__self__", None), "abort", None)
        if abort is not None and abort != call:
            self._guarded(abort)

    def _close(self) -> None:
        closing, self._closing = self._closing, []
        for fd in closing:
            self.handlers.pop(fd, None)
            try:
                self.poller.remove(fd)
            except (OSError, KeyError, ValueError):
                pass  # it was not watched any more
            os.close(fd)


def _ignore(_mask: int) -> None:
    """Ignores events of a descriptor that is about to be closed."""
