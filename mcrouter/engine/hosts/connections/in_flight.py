"""What a connection to a host has in flight: which request each reply belongs to, and when a request has timed out.

    send ──► out ──(flush: one write a tick)──► host
      └────► inflight: (request, sink, since) ... ◄──(replies, in order)── host

Example: clients 7 and 9 ask in one tick. out = [a7, b9], inflight = [a7, b9]; one write. The host's answers arrive as
one read `A7 B9`: the stream (proto/host/stream.py) says where A7 ends, and the head of inflight is its request.

The timeout is the same for all requests, so inflight is its own timer: only its head can be due. A request that timed
out stays in its place (`expired` counts such): its late reply is cut off and dropped, never given to the next.
"""

import collections
from itertools import islice
from typing import TYPE_CHECKING, Any, Callable, Deque, Iterator, List, Optional, Tuple

from ....proto import outcomes as o
from ....proto import results as r
from ....proto.guard import guarded
from .socket import HostSocket, SocketState

if TYPE_CHECKING:
    from ....proto.request import Request
    from ....proto.seams import HostSource, Sink
    from ...seams import ConnectedHost, Entry


class InFlight(HostSocket):
    """A connection as two queues: requests to be sent, and requests without a reply."""

    __slots__ = ("expired", "flooded", "followers", "host", "inflight", "out", "runs", "timeouts", "waiters")

    def __init__(self, host: "ConnectedHost") -> None:
        super().__init__(host.loop)
        self.host = host

    def reset(self) -> None:
        """Forgets all requests: what the connection has when it is new."""
        self.out: List[bytes] = []  # requests that leave with the tick: the last entries of inflight
        self.inflight: Deque[Entry] = collections.deque()  # another one only when the connection has been closed
        self.expired = 0  # entries at the head of inflight that have timed out
        self.runs = 0  # entries that are runs
        self.timeouts = 0  # requests that timed out since the host last sent anything
        self.flooded = float("-inf")  # when a read was last as long as could be
        self.waiters: List[HostSource] = []  # clients that wait until the host reads on
        self.followers: List[Tuple[HostSource, Callable[[], None]]] = []  # see `when_done`

    def restart(self, why: str) -> None:
        """Closes the connection, which is of no use any more, and opens it again; `why` is for the log."""
        raise NotImplementedError

    def end_skip(self) -> None:
        """Lets the client go on whose reply was being skipped (reply_memory.py)."""
        raise NotImplementedError

    def load(self) -> Tuple[int, int]:
        """Returns how many requests wait to be sent, and how many wait for their replies."""
        alive = len(self.inflight) - self.expired
        pending = min(len(self.out), alive) if self.state is SocketState.OPEN else alive
        return pending, alive - pending

    # timeouts and failures ----------------------------------------------------------------------------------------

    def expire(self, due: float) -> None:
        """Fails the requests that were sent at `due` or before. A connection on which too many time out is restarted:
        the host's other connections may be well."""
        inflight = self.inflight
        while self.expired < len(inflight) and self.inflight is inflight and inflight[self.expired][2] <= due:
            request, sink, _since = inflight[self.expired]
            self._expire_first(request, sink)
            if self.flooded <= due:  # else replies are on their way, and only those of others come first
                self.timeouts += 1
                self.host.timed_out()
        if self.state is not SocketState.OPEN:
            return
        if self.timeouts >= self.host.timeouts_until_tko:
            self.restart(f"{self.timeouts} timeouts in a row")
        elif self.timeouts and self.waiters:
            self.restart("it does not read what it is sent")

    def _expire_first(self, request: "Request", sink: "Sink") -> None:
        """Fails the first request that has not timed out yet."""
        if self.state is SocketState.OPEN:
            self.expired += 1
        else:  # it was not sent, and is not sent later: it would overtake newer writes
            self.inflight.popleft()
            self.runs -= len(request.commands) > 1
            del self.out[0]
        self.end_skip()  # the reply that is skipped is that of the first request
        if self.host.may_be_done_elsewhere(request, sink):
            self.host.write_uncertain(request)
        self.fail_one(request, sink, o.TIMEOUT, f"no reply within {self.host.timeout * 1000:.0f} ms", r.TIMEOUT)

    def fail_one(self, request: Any, sink: Any, code: bytes, why: str, result: int) -> None:
        """Gives a sink the failure of its request, which is not in flight any more; `result` is for the counters."""
        count = len(request.commands)
        self.host.tally.failed(request.commands, result)
        text = self.host.style.failure(self.host.name, code, why)
        if sink is request:
            guarded(request, request.on_failure, self.host, text * count, code * count)
        else:
            guarded(request, sink.on_reply, text * count, code * count)

    # writes that are not done yet ---------------------------------------------------------------------------------

    def last_write(self) -> "Optional[Entry]":
        """Returns the last write in flight."""
        return next((entry for entry in reversed(self.inflight) if not entry[0].reads_only()), None)

    def has_in_flight(self, write: object) -> bool:
        """Returns whether what `last_write` has returned is still there."""
        return any(entry is write for entry in self.inflight)

    def has_late_write(self) -> bool:
        """Returns whether a write that has timed out may yet be done."""
        late = islice(self.inflight, self.expired)
        return any(not request.reads_only() for request, _sink, _since in late)

    def has_write_of(self, client: "HostSource") -> bool:
        """Returns whether a write of this client is yet to be done here, whichever host has answered it."""
        owner = client.owner
        return any(
            request.client is not None and request.client.owner is owner and not request.reads_only()
            for request, _sink, _since in self.inflight
        )

    def writers(self) -> Iterator[object]:
        """Yields the clients for which a write is under way; one that has timed out counts as missed."""
        for request, _sink, _since in islice(self.inflight, self.expired, None):
            if request.client is not None and not request.reads_only():
                yield request.client.owner

    def when_done(self, client: "HostSource", call: Callable[[], None]) -> None:
        """Calls once the host has done all that this client has written here, or never will; at once where it has."""
        if self.has_write_of(client):
            self.followers.append((client, call))
        else:
            call()

    def call_followers(self) -> None:
        """Makes the calls of `when_done` that are due."""
        waiting, self.followers = self.followers, []
        for client, call in waiting:
            self.when_done(client, call)
