"""The writing half of a connection to a host: what a tick has collected leaves in one write.

    out ──(flush: one write a tick)──► unsent ──(when the kernel has room)──► host

A host that reads slowly holds up the clients that ask it, and no others: each waits once enough has piled up.
"""

from typing import TYPE_CHECKING

from ....proto import outcomes as o
from ...poller import GONE
from .in_flight import InFlight
from .meta_check import MetaCheck
from .socket import SocketState

if TYPE_CHECKING:
    from ....proto.seams import HostSource


class HostOutbox(InFlight):
    """A connection as a thing that sends requests."""

    __slots__ = ("meta", "unsent")

    def reset(self) -> None:
        """Forgets all that was to be sent."""
        super().reset()
        self.unsent = b""  # what the kernel did not take yet
        self.meta = MetaCheck(self)

    def connect(self) -> None:
        """Starts to connect, where that is of use."""
        raise NotImplementedError

    def is_open(self) -> bool:
        """Returns whether it is connected."""
        return self.state is SocketState.OPEN

    def close(self, code: bytes, why: str) -> None:
        """Ends the connection; all that is in flight fails."""
        raise NotImplementedError

    def out_began(self) -> None:
        """Called before the first request of a tick is put into `out`: it is flushed at the tick's end."""
        self.loop.dirty_hosts.append(self)

    def flush(self) -> None:
        """Writes what the tick has collected, in one piece."""
        if self.state is not SocketState.OPEN:
            self._flush_unopened()
            return
        if self.unsent:
            return  # the kernel is full; its edge leads to `on_writable`
        out, self.out = self.meta.split(self.out)
        if not out:
            return
        self.host.expect()
        try:
            self.unsent = self.wire.write(out)
        except OSError as error:
            self._read_last_words(error.strerror or "write failed")
            return
        if self.unsent:
            self.loop.poller.want_write(self.wire.fd, True)

    def _read_last_words(self, why: str) -> None:
        """Reads what is left of a connection that takes nothing more, and restarts it: a host may refuse a request, and
        close, before it has read all of it."""
        inflight = self.inflight
        self.ready(GONE)
        if self.inflight is inflight:
            self.restart(why)

    def _flush_unopened(self) -> None:
        self.host.expect()
        if self.state is SocketState.CLOSED:
            if self.host.reachable:
                self.connect()
            else:
                self.close(o.UNAVAILABLE, "it is unhealthy")

    def on_writable(self) -> None:
        """Writes on: the kernel can take more."""
        self.loop.poller.want_write(self.wire.fd, False)
        self.out.insert(0, self.unsent)
        self.meta.barrier += 1
        self.unsent = b""
        self.flush()
        if not self.unsent and self.waiters:
            waiters, self.waiters = self.waiters, []
            for client in waiters:
                client.resume()

    def stall(self, client: "HostSource") -> None:
        """Has a client wait that asks a host which reads slowly, once enough has piled up."""
        if self.is_full() and client not in self.waiters:
            self.waiters.append(client)
            client.pause()

    def is_full(self) -> bool:
        """Returns whether the host reads so slowly that enough waits to be sent."""
        return len(self.unsent) + sum(map(len, self.out)) > self.host.buffer_size
