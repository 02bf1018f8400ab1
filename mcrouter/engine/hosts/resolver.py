"""Names to addresses, off the loop: getaddrinfo blocks, so threads ask and the loop is told.

Threads (`Resolvers`) work off two queues, and end when there is nothing for them: first the names that are new or
were answered in time, then those that hung when they were last asked. A lookup hangs when it has taken a second or two
(two looks of the loop, a second apart). Of each event loop there are at the most

    4   threads at work on lookups that do not hang (_THREADS): one that hangs is replaced
    4   lookups that hang before a name that hung last time is asked again (_HANGING)
    16  threads (_MOST)

So names whose DNS server does not answer keep others waiting only while 16 of them are asked for the first time; each
lookup that fails lets another name have its turn, and later on such names hold 4 threads at the most. A thread that
cannot be started (a limit on processes) costs no name: the others ask for it, or it is tried again a second later.

A numeric address or a socket's path needs no asking. A name is asked again when its time is up; while DNS fails the
last good address stays. Of several addresses the first that takes a connection is used, so that a family that does
not answer (an IPv6 address without a route, say) does no harm.
"""

import collections
import contextlib
import socket
import threading
import time
from typing import Callable, Deque, Dict, Optional

from ...system.logs import get_logger
from ..loop import PollGroup, Timer
from .connections.socket import Address

logger = get_logger(__name__)

_RETRY = 1.0  # seconds until a name that has never resolved is asked again
_LOOK = 1.0  # seconds between looks at the lookups under way
_HANGS = 2  # looks after which a lookup hangs
_THREADS, _HANGING, _MOST = 4, 4, 16  # see above


def known_address(host: str, port: int, path: str) -> Optional[Address]:
    """The (family, sockaddr) of what needs no resolving, else None."""
    if path:
        return socket.AF_UNIX, path
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError, ValueError):  # ValueError: not ASCII, or a NUL
            socket.inet_pton(family, host.partition("%")[0] if family == socket.AF_INET6 else host)
            return family, (host, port)
    return None


def ask(host: str, port: int, timeout: float) -> Address:
    """Resolves (blocking); of several addresses the first that connects within the timeout (seconds), else the first.

    Raises OSError when the name does not resolve.
    """
    found = [(family, where) for family, _, _, _, where in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)]
    for family, where in found if len(found) > 1 else ():
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout)
            sock.connect(where)
            return family, where
    return found[0]


class Resolvers:
    """The threads that ask for the names of one event loop, and the names that wait for them."""

    def __init__(self, loop: PollGroup) -> None:
        self.loop = loop
        self._lock = threading.Lock()
        self._waiting: Deque[Resolver] = collections.deque()
        self._hung: Deque[Resolver] = collections.deque()  # wait too, and hung last time
        self._under_way: Dict[threading.Thread, Resolver] = {}
        self._timer: Optional[Timer] = None
        self._stopped = False
        self._refused = False  # a thread could not be started; told once, until one is

    def ask(self, resolver: "Resolver") -> None:
        """Has a name looked up in a thread, in turn; in the loop's thread."""
        with self._lock:
            (self._hung if resolver.hung else self._waiting).append(resolver)
        self._start_threads()

    def stop(self) -> None:
        """Looks up no other name; in the loop's thread."""
        self._stopped = True
        with self._lock:
            self._waiting.clear()
            self._hung.clear()
        if self._timer is not None:
            self._timer.cancel()

    def join(self, seconds: float) -> None:
        """After `stop`: waits for the threads, which nothing can end while they wait for DNS."""
        until = time.monotonic() + seconds
        for thread in list(self._under_way):
            thread.join(max(0.0, until - time.monotonic()))

    def _start_threads(self) -> None:
        """Starts the threads that there is work for. While there is any, the loop looks at it."""
        while self._start_thread():
            pass
        if self._timer is None and not self._stopped and (self._under_way or self._waiting or self._hung):
            self._timer = self.loop.call_later(_LOOK, self._look)

    def _start_thread(self) -> bool:
        with self._lock:
            resolver = self._take()
            if resolver is None:
                return False
            thread = threading.Thread(target=self._work, name="resolve", daemon=True)
            self._under_way[thread] = resolver
        try:
            thread.start()
        except (RuntimeError, OSError, MemoryError) as error:
            with self._lock:
                del self._under_way[thread]
                (self._hung if resolver.hung else self._waiting).appendleft(resolver)
            if not self._refused:
                logger.error("cannot start a thread that resolves names: %s; trying again", error)
            self._refused = True
            return False
        self._refused = False
        return True

    def _look(self) -> None:
        """Notices which lookups hang."""
        self._timer = None
        with self._lock:
            for resolver in self._under_way.values():
                resolver.looks += 1
        self._start_threads()

    def _take(self) -> "Optional[Resolver]":
        """The next name for one thread more than are at work; None if none may be asked now. Under the lock."""
        count = len(self._under_way)
        hanging = sum(resolver.hangs() for resolver in self._under_way.values())
        if self._stopped or count >= _MOST:
            return None
        if self._waiting and count - hanging < _THREADS:
            resolver = self._waiting.popleft()
        elif self._hung and hanging < _HANGING:
            resolver = self._hung.popleft()
        else:
            return None
        resolver.looks = 0
        return resolver

    def _work(self) -> None:
        thread = threading.current_thread()
        while thread in self._under_way:
            resolver = self._under_way[thread]
            resolver.look_up()
            with self._lock:
                resolver.hung = resolver.looks >= _HANGS
                del self._under_way[thread]
                following = self._take()
                if following is not None:
                    self._under_way[thread] = following


class Resolver:
    """Keeps one name resolved. `found` is called in the loop with each address, `failed` with the reason each time that
    the name does not resolve and never has: the host has no address, and is down.

    A reason is logged when it is another than before, not with each lookup.
    """

    def __init__(
        self,
        threads: Resolvers,
        host: str,
        port: int,
        ttl: float,
        timeout: float,
        found: Callable[[Address], None],
        failed: Callable[[str], None],
    ) -> None:
        self._threads, self._loop = threads, threads.loop
        self._host, self._port = host, port
        self._ttl, self._timeout = ttl, timeout
        self._found, self._failed = found, failed
        self._resolved = False
        self._reason = ""  # why it does not resolve, as it was logged last
        self._stopped = False
        self._timer: Optional[Timer] = None
        self.hung = False  # when it was last asked
        self.looks = 0  # that the loop has had at it since it was asked

    def hangs(self) -> bool:
        """Returns whether its lookup, which is under way, must be expected to hang."""
        return self.hung or self.looks >= _HANGS

    def start(self) -> None:
        """Asks now, and again whenever the answer has become old."""
        self._threads.ask(self)

    def stop(self) -> None:
        """Asks no more; an answer under way is dropped."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def look_up(self) -> None:
        """Resolves the name and tells the loop; in a thread of its own. An unexpected error is one of the name's."""
        if self._stopped:
            return
        try:
            answer = ask(self._host, self._port, self._timeout)
        except Exception as error:
            reason = str(error)
            self._loop.call_soon_threadsafe(lambda: self._on_failure(reason))
        else:
            self._loop.call_soon_threadsafe(lambda: self._on_answer(answer))

    def _on_answer(self, answer: Address) -> None:
        if self._stopped:
            return
        if self._reason:
            logger.info("host %s: its name resolves again", self._host)
            self._reason = ""
        self._resolved = True
        self._timer = self._loop.call_later(self._ttl, self.start)
        self._found(answer)

    def _on_failure(self, reason: str) -> None:
        if self._stopped:
            return
        if reason != self._reason:
            kept = "keeping its last address" if self._resolved else "trying again"
            logger.warning("host %s: its name does not resolve: %s; %s", self._host, reason, kept)
            self._reason = reason
        self._timer = self._loop.call_later(self._ttl if self._resolved else _RETRY, self.start)
        if not self._resolved:
            self._failed(reason)
