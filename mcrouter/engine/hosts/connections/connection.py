"""The connection to a host that clients share, from its opening to its end.

A host has a fixed number of them; each client rides one, so that its reads see its writes. It is built in layers:

    socket.py        opening and closing               in_flight.py     what is in flight, and its timeouts
    outbox.py        writing                           reply_memory.py  replies for which there is no room
    inbox.py         reading, and giving out replies   meta_check.py    whether the host speaks the meta protocol

A connection that fails is opened again: at once when the host has answered since, else after a pause that doubles.
"""

import random
from typing import TYPE_CHECKING, Optional

from ....proto import outcomes as o
from ....proto import results as r
from ....system.logs import get_logger
from ...loop import Timer
from ..reason import Reason
from .inbox import HostInbox
from .socket import SocketState

if TYPE_CHECKING:
    from ...seams import ConnectedHost

logger = get_logger(__name__)

_BACKOFF_FIRST, _BACKOFF_MOST = 0.05, 2.0  # seconds between attempts to connect


class HostConnection(HostInbox):
    """One connection to a host."""

    __slots__ = ("_next_attempt",)

    def __init__(self, host: "ConnectedHost") -> None:
        super().__init__(host)
        self._next_attempt: Optional[Timer] = None
        self.reset()

    def connect(self) -> None:
        """Starts to connect, unless that is under way or done, or the last failure is too fresh."""
        address = self.host.address
        if self.state is not SocketState.CLOSED or self._next_attempt is not None or address is None:
            return
        if self.failures:
            self._next_attempt = self.loop.call_later(backoff(self.failures, self.loop.chance), self._connect_now)
        else:
            self._connect_now()

    def _connect_now(self) -> None:
        self._next_attempt = None
        assert self.host.address is not None, "a host that has an address keeps one"
        self.open(self.host.address, self.host.connect_timeout)

    def connected(self) -> None:
        """Sends what has waited for the connection."""
        self.host.tally.cells[self.host.tally.connections] += 1
        self.meta.connected()
        self.flush()

    def refused(self, why: str) -> None:
        """Marks the host down: a refused connection is news about the host, not just about this connection."""
        self.host.mark_down(Reason.REFUSES, why)  # first: a request that fails over must not get here again
        self.close(o.UNAVAILABLE, why)

    def restart(self, why: str) -> None:
        """Closes the connection, which is broken or out of step, and opens it again; `why` is for the log."""
        if self.inflight:
            logger.warning("host %s: connection lost with %d requests in flight: %s", self.host.name,
                           len(self.inflight), why)  # fmt: skip
        else:
            logger.debug("host %s: connection lost: %s", self.host.name, why)
        self.close(o.LOST, why)
        if self.host.reachable:
            self.connect()
            self.failures += 1  # until a reply comes: a host that hangs up at once is not asked in a loop

    def abort(self) -> None:
        """Starts over, after a bug of this program."""
        self.restart("internal error")

    def change_address(self) -> None:
        """Connects to the host's new address; what is in flight fails over or fails."""
        self.close(o.LOST, "its address changed")
        self.connect()

    def close(self, code: bytes, why: str) -> None:
        """Ends the connection; everything in flight fails with `code`, or as never sent."""
        result = r.REMOTE_ERROR
        if self.state is SocketState.OPEN:
            self.host.tally.cells[self.host.tally.connections] -= 1
        else:
            code, result = o.UNAVAILABLE, self._why_unsent()
        if self._next_attempt is not None:
            self._next_attempt.cancel()
            self._next_attempt = None
        self._close_socket()
        entries, waiters, followers = list(self.inflight)[self.expired :], self.waiters, self.followers
        self.inflight.clear()  # a loop over it ends
        self.end_skip()
        self.reset()
        for request, sink, _since in entries:
            self.fail_one(request, sink, code, why, result)
        for client in waiters:
            client.resume()
        for _client, call in followers:
            call()

    def _close_socket(self) -> None:
        """Closes the socket. Where writes are in flight, the host may do them yet: also those that have timed out."""
        if all(request.reads_only() for request, _sink, _since in self.inflight):
            self.disconnect()
            return
        for place, (request, sink, _since) in enumerate(self.inflight):
            counted = place < self.expired and self.host.may_be_done_elsewhere(request, sink)
            self.host.write_uncertain(request, counted)
        self.host.linger(self)

    def _why_unsent(self) -> int:
        """Returns the result of what waits for a connection that does not come."""
        if self.late:
            return r.CONNECT_TIMEOUT
        return r.TKO if self.state is SocketState.CLOSED and not self.host.reachable else r.CONNECT_ERROR


def backoff(failures: int, chance: random.Random) -> float:
    """Returns the seconds to wait after so many failed attempts: doubling, with jitter so that routers do not march in
    step."""
    return min(_BACKOFF_MOST, _BACKOFF_FIRST * (1 << min(failures, 10))) * chance.uniform(0.5, 1.0)
