"""Names to addresses, off the loop: getaddrinfo blocks, so threads ask and the loop is told.

A few threads (`Resolvers`) work off one queue of names, and end when it is empty. A thread that cannot be started (a
limit on processes) costs no name: the others ask for it, or it is tried again a little later.

A numeric address or a socket's path needs no asking. A name is asked again when its time is up; while DNS fails the
last good address stays. Of several addresses the first that takes a connection is used, so that a family that does
not answer (an IPv6 address without a route, say) does no harm.
"""

import collections
import contextlib
import ipaddress
import socket
import threading
import time
from typing import Any, Callable, Deque, Optional, Set, Tuple

from ..logs import get_logger
from .loop import PollGroup, Timer

logger = get_logger(__name__)

Address = Tuple[int, Any]
_RETRY = 1.0  # seconds until a name that has never resolved is asked again, or a thread is started that could not be
_THREADS = 4  # that ask at the same time


def known_address(host: str, port: int, path: str) -> Optional[Address]:
    """The (family, sockaddr) of what needs no resolving, else None."""
    if path:
        return socket.AF_UNIX, path
    with contextlib.suppress(ValueError):
        version = ipaddress.ip_address(host).version
        return (socket.AF_INET6 if version == 6 else socket.AF_INET), (host, port)
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
        self._threads: Set[threading.Thread] = set()
        self._timer: Optional[Timer] = None
        self._stopped = False
        self._refused = False  # a thread could not be started; told once, until one is

    def ask(self, resolver: "Resolver") -> None:
        """Has a name looked up in a thread, in turn; in the loop's thread."""
        with self._lock:
            self._waiting.append(resolver)
        self._start_thread()

    def stop(self) -> None:
        """Looks up no other name; in the loop's thread."""
        self._stopped = True
        with self._lock:
            self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def join(self, seconds: float) -> None:
        """After `stop`: waits for the threads, which nothing can end while they wait for DNS."""
        until = time.monotonic() + seconds
        for thread in list(self._threads):
            thread.join(max(0.0, until - time.monotonic()))

    def _start_thread(self) -> None:
        """Starts one more thread, if there is work for it."""
        with self._lock:
            if self._stopped or not self._waiting or len(self._threads) >= _THREADS:
                return
            thread = threading.Thread(target=self._work, name="resolve", daemon=True)
            self._threads.add(thread)
        try:
            thread.start()
        except (RuntimeError, OSError, MemoryError) as error:
            with self._lock:
                self._threads.discard(thread)
            self._not_started(error)
        else:
            self._refused = False

    def _not_started(self, error: BaseException) -> None:
        if not self._refused:
            logger.error("cannot start a thread that resolves names: %s; trying again", error)
        self._refused = True
        if self._timer is None:
            self._timer = self.loop.call_later(_RETRY, self._again)

    def _again(self) -> None:
        self._timer = None
        self._start_thread()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads.discard(threading.current_thread())
                    return
                resolver = self._waiting.popleft()
            resolver.look_up()


class Resolver:
    """Keeps one name resolved; `found` is called in the loop with each answer."""

    def __init__(
        self, threads: Resolvers, host: str, port: int, ttl: float, timeout: float, found: Callable[[Address], None]
    ) -> None:
        self._threads, self._loop = threads, threads.loop
        self._host, self._port = host, port
        self._ttl, self._timeout = ttl, timeout
        self._found = found
        self._resolved = False
        self._stopped = False
        self._timer: Optional[Timer] = None

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
            self._loop.call_soon_threadsafe(lambda: self._failed(reason))
        else:
            self._loop.call_soon_threadsafe(lambda: self._answered(answer))

    def _answered(self, answer: Address) -> None:
        if not self._stopped:
            self._resolved = True
            self._timer = self._loop.call_later(self._ttl, self.start)
            self._found(answer)

    def _failed(self, reason: str) -> None:
        if self._stopped:
            return
        kept = "keeping its last address" if self._resolved else "trying again"
        logger.warning("host %s: its name does not resolve: %s; %s", self._host, reason, kept)
        self._timer = self._loop.call_later(self._ttl if self._resolved else _RETRY, self.start)
