"""The poller: edge-triggered epoll where it exists, `selectors` elsewhere.

Why edge-triggered. A descriptor is registered once, for reading and writing, and never changed again: no epoll_ctl on
the way of a request. The price is a rule for each reader: after an edge, it reads until nothing is left (stream.py says
how it knows), or remembers that there is more and reads again when it wants.

Spurious EPOLLOUT does not occur: the kernel raises it only after a write came back short or with EAGAIN.

Stale descriptors. Within one batch of events a handler may close a descriptor, and an accept may open another with the
same number, so that a later event of the batch would reach the wrong owner. Hence descriptors are closed only at the
end of a tick (`PollGroup.close_later`).

Listeners are level-triggered: accepting may stop early (fairness, no descriptors left) and the next poll says so again.
"""

import select
import selectors
from typing import TYPE_CHECKING, List, Protocol, Tuple

HAS_EPOLL = hasattr(select, "epoll")

# epoll(7)'s bits, spelled out so that the fallback can speak them too.
IN, PRI, OUT, ERR, HUP, RDHUP, EDGE = 0x001, 0x002, 0x004, 0x008, 0x010, 0x2000, 1 << 31
BOTH = IN | OUT
GONE = ERR | HUP | RDHUP
READ_ON = GONE | PRI  # with these, a short read does not prove that nothing is left (stream.py)

Events = List[Tuple[int, int]]

if TYPE_CHECKING:

    class Poller(Protocol):
        """What an event loop polls with."""

        def poll(self, timeout: float, /) -> Events:
            """Returns (descriptor, mask) pairs; a negative timeout waits for ever."""

        def add_stream(self, fd: int) -> None:
            """Watches a connection."""

        def add_listener(self, fd: int) -> None:
            """Watches a listening socket or a wake-up pipe."""

        def want_write(self, fd: int, wanted: bool) -> None:
            """Says whether the descriptor is to be reported when it can be written to."""

        def remove(self, fd: int) -> None:
            """Forgets a descriptor that is about to be closed."""

        def close(self) -> None:
            """Closes the poller."""


class EpollPoller:
    """epoll(7): `poll(seconds)` returns (descriptor, mask) pairs."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.poll = self._epoll.poll

    def add_stream(self, fd: int) -> None:
        """Watches a connection, once and for all, by its edges."""
        self._epoll.register(fd, IN | OUT | PRI | RDHUP | EDGE)

    def add_listener(self, fd: int) -> None:
        """Watches a listening socket or a wake-up pipe by its level."""
        self._epoll.register(fd, IN)

    def want_write(self, fd: int, wanted: bool) -> None:
        """Does nothing: the edge comes by itself."""

    def remove(self, fd: int) -> None:
        """Forgets a descriptor that is about to be closed."""
        self._epoll.unregister(fd)

    def close(self) -> None:
        """Closes the epoll descriptor."""
        self._epoll.close()


class SelectorPoller:
    """The same over `selectors`, where there is no epoll: level-triggered, so writing is watched only when wanted."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def poll(self, timeout: float = -1) -> Events:
        """Returns (descriptor, mask) pairs; a negative timeout waits for ever."""
        ready = self._selector.select(None if timeout < 0 else timeout)
        return [(key.fd, self._mask(mask)) for key, mask in ready]

    @staticmethod
    def _mask(mask: int) -> int:
        return (IN if mask & selectors.EVENT_READ else 0) | (OUT if mask & selectors.EVENT_WRITE else 0)

    def add_stream(self, fd: int) -> None:
        """Watches a connection for reading."""
        self._selector.register(fd, selectors.EVENT_READ)

    def add_listener(self, fd: int) -> None:
        """Watches a listening socket or a wake-up pipe."""
        self._selector.register(fd, selectors.EVENT_READ)

    def want_write(self, fd: int, wanted: bool) -> None:
        """Says whether the descriptor is to be reported when it can be written to."""
        key = self._selector.get_map()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if wanted else 0)
        if key[fd].events != events:
            self._selector.modify(fd, events)

    def remove(self, fd: int) -> None:
        """Forgets a descriptor that is about to be closed."""
        self._selector.unregister(fd)

    def close(self) -> None:
        """Closes the selector."""
        self._selector.close()


def make_poller() -> "Poller":
    """Returns the best poller of this platform."""
    return EpollPoller() if HAS_EPOLL else SelectorPoller()
