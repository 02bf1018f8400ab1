"""The fake kernel: system calls on the ends of pipes, a virtual clock, and the scheduler that lets actors act.

An actor has `can_act()`, `act()` (True when it did something) and `is_over()`. Pipes, hosts' connections and clients
are actors. Between any two instructions of the router that touch the network, others may have acted: see `meanwhile`.
"""

import errno
import heapq
import random
import zlib
from typing import Any, Callable, Dict, List, Optional, Tuple

from .pipes import End, Pipe
from .system_calls import BASE

_TRIES = 4  # actors that are drawn before a step comes to nothing
_STEP = 2e-5  # seconds that a step takes at most


class Kernel:
    """What a run's engine runs on. `chance` decides everything; `now` is the time in seconds."""

    def __init__(self, seed: int, trace: Optional[Callable[[str], None]] = None) -> None:
        self.chance = random.Random(seed)
        self.now = 1000.0
        self.limit = float("inf")  # when a run has taken too long
        self.idle_checks = False  # nothing will ever happen again, or the limit is reached
        self.steps = 0
        self.digest = 0
        self.descriptors: Dict[int, Any] = {}
        self.ready: List[Any] = []  # ends and listeners with an edge that is not reported yet
        self.actors: List[Any] = []
        self.hosts: Dict[Any, Any] = {}  # by (address, port)
        self.capacities = (300, 5000)  # bytes; the range that pipes draw theirs from
        self._concurrent = self.chance.choice([0, 0.05, 0.3])
        self._pruned = 0
        self._later: List[Tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._trace = trace

    def trace(self, what: str, *args: Any) -> None:
        """Writes a line of the trace, when there is one."""
        if self._trace is not None:
            self._trace("%.6f %s %s" % (self.now, what, " ".join(map(str, args))))

    # the scheduler ------------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Lets an actor act, by chance."""
        self._take_time()
        return any(self.actors and self.chance.choice(self.actors).act() for _ in range(_TRIES))

    def any_step(self) -> bool:
        """Lets an actor act; False when none can."""
        if self.step():
            return True
        able = [actor for actor in self.actors if actor.can_act()]
        if not able:
            return False
        self.chance.choice(able).act()
        self._take_time()
        return True

    def _take_time(self) -> None:
        self.steps += 1
        self.now += self.chance.random() * _STEP
        while self._later and self._later[0][0] <= self.now:
            heapq.heappop(self._later)[2]()

    def meanwhile(self) -> None:
        """What others do while the router is in the middle of something."""
        if self._concurrent and self.chance.random() < self._concurrent:
            for _ in range(self.chance.choice([1, 1, 4, 20])):
                self.step()

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Calls at that time."""
        self._order += 1
        heapq.heappush(self._later, (when, self._order, call))

    def wait(self, end: Optional[float]) -> bool:
        """Lets time go by while no actor can act: to the next call, or to `end`. False when that is the end."""
        if self._later and (end is None or self._later[0][0] < end):
            self.now = max(self.now, self._later[0][0])
            self._take_time()
            return True
        if end is None:
            self.idle_checks = True
        else:
            self.now = end + 1e-6
            self.idle_checks = self.idle_checks or self.now > self.limit
        return False

    def prune(self) -> None:
        """Forgets the actors that are over."""
        if len(self.actors) > 2 * self._pruned + 20:
            self.actors = [actor for actor in self.actors if not actor.is_over()]
            self._pruned = len(self.actors)

    # connections --------------------------------------------------------------------------------------------------

    def free_descriptor(self) -> int:
        """The lowest that is free, as a kernel gives them."""
        fd = BASE
        while fd in self.descriptors:
            fd += 1
        return fd

    def pipe(self, capacity: int = 0) -> Pipe:
        """A new one, of that many bytes or of as many as chance wants."""
        pipe = Pipe(self, capacity or self.chance.randint(*self.capacities))
        self.actors.append(pipe)
        return pipe

    def open(self, incoming: Pipe, outgoing: Pipe, peer: Any) -> End:
        """The router's end of a connection to that actor."""
        end = End(self.free_descriptor(), incoming, outgoing, peer)
        self.descriptors[end.fd] = end
        return end

    def connect(self, where: Any) -> End:
        """What connect(2) begins."""
        end: End = self.hosts[where].begin_connection()
        self.trace("connect", end.fd, where)
        return end

    def raise_edge(self, end: Any) -> None:
        """Something has changed at an end."""
        if end.registered and not end.queued and not end.closed:
            end.queued = True
            self.ready.append(end)

    def forget_edge(self, end: Any) -> None:
        """Takes back what is not reported yet."""
        if end.queued:
            end.queued = False
            self.ready = [other for other in self.ready if other is not end]

    def was_read(self, pipe: Pipe) -> None:
        """The other side has taken something out of a pipe: the router may write again."""
        end = pipe.writer
        if end is not None and end.wants_room and not pipe.is_mostly_full():
            end.wants_room = False
            self.raise_edge(end)

    def reset(self, end: End) -> None:
        """The other side has reset the connection."""
        if not end.closed:
            end.reset = True
            end.incoming.clear()
            self.raise_edge(end)

    # system calls -------------------------------------------------------------------------------------------------

    def read(self, fd: int, size: int) -> bytes:
        """read(2)."""
        self.meanwhile()
        end = self.descriptors[fd]
        end.asked = size
        if end.reset:
            end.reset, end.incoming.eof, end.connected = False, True, True
            self.trace("read", fd, "RESET")
            raise ConnectionResetError(errno.ECONNRESET, "reset")
        incoming = end.incoming
        if incoming.buffer:
            data = bytes(incoming.buffer[:size])
            del incoming.buffer[:size]
            self.digest = zlib.crc32(data, self.digest ^ fd)
            self.trace("read", fd, f"{len(data)} of {size}", data[:40], "..", data[-20:])
            self.meanwhile()
            return data
        if incoming.eof:
            self.trace("read", fd, "END")
            return b""
        self.trace("read", fd, "EAGAIN")
        raise BlockingIOError(errno.EAGAIN, "again")

    def write(self, fd: int, data: Any) -> int:
        """write(2)."""
        self.meanwhile()
        end = self.descriptors[fd]
        if end.reset or end.shut:
            raise BrokenPipeError(errno.EPIPE, "broken")
        if end.peer.dead:
            self.reset(end)
            return len(data)
        sent = min(end.outgoing.room(), len(data))
        if sent < len(data):
            end.wants_room = True
        if not sent and len(data):
            self.trace("write", fd, "EAGAIN")
            raise BlockingIOError(errno.EAGAIN, "again")
        end.outgoing.wire += data[:sent]
        self.digest = zlib.crc32(data[:sent], self.digest ^ fd)
        self.trace("write", fd, f"{sent} of {len(data)}", bytes(data[:40]))
        self.meanwhile()
        return sent

    def writev(self, fd: int, pieces: List[Any]) -> int:
        """writev(2)."""
        return self.write(fd, b"".join(pieces))

    def close(self, fd: int) -> None:
        """close(2). What is not read yet makes it a reset, as TCP has it: what was sent may be lost."""
        end = self.descriptors.pop(fd)
        end.closed = True
        self.trace("close", fd)
        self.forget_edge(end)
        if end.is_level:
            return
        end.incoming.reader = end.outgoing.writer = None
        end.outgoing.fin = True
        if end.incoming.buffer or end.incoming.wire:
            end.outgoing.wire.clear()
            if self.chance.random() < 0.5:
                end.outgoing.buffer.clear()
        end.incoming.abandon()
