"""The pool of connections to a host that each carry a single large value (streaming.py).

So many may be at work at once (_MOST). The others wait in a queue; meanwhile those whose clients do not do their part
are ended, the sooner the more wait. Some that have done their work are kept open for the next large value.
"""

import collections
from typing import TYPE_CHECKING, Callable, Deque, Dict, List

from ....proto import outcomes as o
from ....proto import results as r
from .streaming import StreamingConnection

if TYPE_CHECKING:
    from ....proto.request import Request
    from ....proto.seams import Sink
    from ...seams import ConnectedHost

_MOST = 32  # connections of a host that are at work at once; a host has so many connections, and no more
_PATIENCE = 1.0  # seconds, at the most, for a client that does not do its part while others wait
_IDLE_MOST = 4  # connections of a host that are kept for the next


class StreamingPool:
    """A host's streaming connections: those at work, in `busy`, and a few idle ones."""

    def __init__(self, host: "ConnectedHost") -> None:
        self._host = host
        self.busy: Dict[StreamingConnection, None] = {}  # in the order in which they began
        self._idle: List[StreamingConnection] = []
        self._queue: Deque[Callable[[], None]] = collections.deque()  # calls of those that wait for others

    def send(self, request: "Request", sink: "Sink") -> None:
        """Asks the host for something that is too large for the connections that clients share."""
        host = self._host
        if not request.large_value.may_start():
            host.tally.record_skipped(request.commands, r.LOCAL_ERROR)
            sink.on_reply(b"SERVER_ERROR mcrouter: too large to be sent again\r\n", o.UNAVAILABLE)
        elif host.address is None:
            why = "its name does not resolve"
            host.tally.record_skipped(request.commands, r.CONNECT_ERROR)
            sink.on_reply(host.style.failure(host.name, o.UNAVAILABLE, why), o.UNAVAILABLE)
        else:
            connection = self._idle.pop() if self._idle else StreamingConnection(host)
            request.large_value.connections.append(connection)
            connection.start(request, sink)

    def has_room(self) -> bool:
        """Returns whether one more may be at work. If not, one that only its own client holds up is ended."""
        if sum(connection.is_at_work() for connection in self.busy) < _MOST:
            return True
        self._make_room()
        return False

    def wait_for_room(self, begin: Callable[[], None]) -> None:
        """Calls `begin`, which tries again, when another has done its work."""
        self._queue.append(begin)

    def _make_room(self) -> None:
        """Ends those whose clients do not do their part: the more others wait, the sooner."""
        patience = min(self._host.timeout, _PATIENCE) * _MOST / (_MOST + len(self._queue))
        due = self._host.loop.now - patience
        stalled = [connection for connection in self.busy if connection.is_stalled_since(due)]
        for connection in stalled[: len(self._queue) + 1]:
            connection.give_up("its client does not go on, and others wait")

    def _start_queued(self) -> None:
        while self._queue and self.has_room():
            self._queue.popleft()()

    def _one_is_free(self) -> None:
        if self._queue:
            self._host.loop.call_soon(self._start_queued)

    def put_back(self, connection: StreamingConnection) -> None:
        """Takes back a connection that has done its work."""
        self._one_is_free()
        self.busy.pop(connection, None)
        if len(self._idle) < _IDLE_MOST:
            self._idle.append(connection)
        else:
            connection.close()

    def remove(self, connection: StreamingConnection) -> None:
        """Forgets a connection that is closed."""
        self._one_is_free()
        self.busy.pop(connection, None)
        if connection in self._idle:
            self._idle.remove(connection)

    def expire(self, due: float) -> int:
        """Fails those that the host has let wait since `due`; returns how many."""
        if self._queue:
            self._make_room()
        # What waits for others has the time in which they would be found to stall, and then its own.
        queued_since = due - self._host.timeout
        for connection in [connection for connection in self.busy if connection.is_queued_since(queued_since)]:
            connection.refuse("too many large values are on their way")
        late = [connection for connection in self.busy if connection.is_due(due)]
        for connection in late:
            connection.fail(o.TIMEOUT, f"no reply within {self._host.timeout * 1000:.0f} ms")
        return len(late)

    def close(self, why: str) -> None:
        """Closes them all; what is under way fails."""
        for connection in [*self.busy, *self._idle]:
            connection.fail(o.LOST, why)
