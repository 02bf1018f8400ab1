"""Hosts: what a policy sends to, over lanes, and whether it can be relied on."""

import logging
from typing import Any, Callable, Optional

from ..proto import outcomes as o
from ..proto.runs import ReplyStretches
from .bulk import BulkLanes
from .connection import Address, State
from .lane import Lane
from .loop import PollGroup, Timer
from .tally import Tally

logger = logging.getLogger(__name__)

_SWEEPS = 20  # a timeout is noticed at most 1/20 of it late


class Host:
    """One upstream host as a policy's destination.

    `healthy` is what policies look at; `on_health` is called with the host whenever it changes. `address` is the
    (family, sockaddr) to connect to, None while it is not resolved.
    """

    def __init__(
        self,
        name: str,
        loop: PollGroup,
        tally: Tally,
        stretches: ReplyStretches,
        lanes: int = 2,
        timeout: float = 1.0,
        buffer_size: int = 1 << 20,
        timeouts_until_tko: int = 3,
        on_health: Callable[["Host"], None] = lambda host: None,
    ) -> None:
        self.name = name
        self.loop = loop
        self.tally = tally
        self.timeout = timeout
        self.buffer_size = buffer_size
        self.timeouts_until_tko = timeouts_until_tko
        self.on_health = on_health
        self.on_down: Optional[Callable[[], None]] = None  # the prober's wish to know
        self.healthy = True
        self.timeouts = 0  # in a row
        self.address: Optional[Address] = None
        self.stretches = stretches
        self.bulk = BulkLanes(self)
        self.lanes = [Lane(self, stretches) for _ in range(lanes)]
        self._sweeper: Optional[Timer] = None
        tally.cells[tally.healthy] = 1

    def send(self, request: Any, sink: Any, since: Optional[float] = None) -> None:
        """Asks the host; `sink.on_reply(reply, outcomes)` is called exactly once, later or at once.

        The timeout counts from `since`, else from now. What is sent again goes into lanes that are as good as empty,
        so that their oldest entry is still their first.
        """
        if request.bulk is not None:
            self.bulk.send(request, sink)
            return
        lane = self.lanes[request.client.lane]
        if not lane.out:
            lane.out_began()
        lane.out.append(request.data)
        lane.inflight.append((request, sink, self.loop.now if since is None else since))
        if len(request.kinds) > 1:
            lane.runs += 1
        if lane.unsent:
            lane.stall(request.client)

    def connect(self) -> None:
        """Opens the lanes that are down, ahead of need."""
        for lane in self.lanes:
            lane.connect()

    def moved(self, address: Address) -> None:
        """The name resolves to another address: new requests go there, those in flight are still answered."""
        if address == self.address:
            return
        known, self.address = self.address, address
        for lane in self.lanes:
            if known is not None and lane.state is State.UP:
                lane.retire()
            elif self.healthy:
                lane.connect()

    def mark_down(self, why: str) -> None:
        """Takes the host out of the policies' sight and gives up what it has not answered."""
        if not self.healthy:
            return
        self.healthy = False
        self.tally.cells[self.tally.healthy] = 0
        logger.warning("host %s is unhealthy: %s", self.name, why)
        self.on_health(self)
        if self.on_down is not None:
            self.on_down()
        for lane in self.lanes:
            lane.close(o.LOST, why)
        self.bulk.close(why)

    def mark_up(self) -> None:
        """The host is back."""
        self.timeouts = 0
        self.healthy = True
        self.tally.cells[self.tally.healthy] = 1
        logger.info("host %s is healthy", self.name)
        for lane in self.lanes:
            lane.failures = 0
        self.on_health(self)
        self.connect()

    def close(self) -> None:
        """Ends all lanes; what is in flight fails."""
        for lane in self.lanes:
            lane.close(o.LOST, "the router is stopping")
        self.bulk.close("the router is stopping")
        if self._sweeper is not None:
            self._sweeper.cancel()

    def expect(self) -> None:
        """Makes sure that somebody looks for requests that are due while any are in flight."""
        if self._sweeper is None:
            self._sweeper = self.loop.call_later(self.timeout / _SWEEPS, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        due = self.loop.now - self.timeout
        for lane in self.lanes:
            lane.expire(due)
        for _ in range(self.bulk.expire(due)):
            self.timed_out()
        if self.bulk.busy or any(lane.inflight for lane in self.lanes):
            self.expect()

    def timed_out(self) -> None:
        """Counts one more request without an answer."""
        self.timeouts += 1
        if self.timeouts >= self.timeouts_until_tko:
            self.mark_down(f"{self.timeouts} timeouts in a row")
