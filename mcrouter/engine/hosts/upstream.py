"""Hosts: what a policy sends to, over lanes, and whether it can be relied on."""

from typing import Any, Callable, Dict, Iterable, Optional, Set, Tuple

from ...logs import get_logger
from ...proto import gate
from ...proto import outcomes as o
from ...proto import results as r
from ...proto.background import background
from ...proto.runs import Sizes
from ...proto.styles import MEMCACHED, Memcached
from ...steady import unix_time
from ..clients.memory import Memory
from ..loop import PollGroup, Timer
from .bulk import BulkLanes
from .connection import Address, Connection, State
from .lane import Lane
from .lingering import Lingering
from .meta_check import MS, NOT_SPOKEN
from .rejoin import Journal, Rejoin
from .tally import Tally
from .why import Why

logger = get_logger(__name__)


class _Nobody:
    """The sink of what nobody waits for."""

    def on_reply(self, _reply: Any, _outcomes: bytes) -> None:
        """Drops it."""


NOBODY = _Nobody()

SOFT_TKO, HARD_TKO = 1, 2  # how a host is given up ("taken out", in facebook/mcrouter's words)
_SWEEPS = 20  # a timeout is noticed at most 1/20 of it late


class Host:
    """One upstream host as a policy's destination.

    `healthy` is what policies look at; `on_health` is called whenever it changes. `address` is the
    (family, sockaddr) to connect to, None while it is not resolved.
    """

    def __init__(
        self,
        name: str,
        loop: PollGroup,
        tally: Tally,
        stretches: Sizes,
        memory: Memory,
        lanes: int = 2,
        timeout: float = 1.0,
        buffer_size: int = 1 << 20,
        timeouts_until_tko: int = 3,
        on_health: "Callable[[Host], None]" = lambda host: None,
        style: Memcached = MEMCACHED,
    ) -> None:
        self.name = name
        self.loop = loop
        self.tally = tally
        self.timeout = timeout  # for a reply, in seconds
        self.connect_timeout = timeout
        self.buffer_size = buffer_size
        self.timeouts_until_tko = timeouts_until_tko
        self.on_health = on_health
        self.style = style
        self.hard = False  # it was given up because it could not be connected to
        self.prober: Any = None
        self.journal: Optional[Journal] = None  # of one that must not come back with stale values
        self.returning = False  # it takes writes, and no reads: rejoin.py
        self._before: Dict[Any, Any] = {}  # the last write in flight when it last missed one
        self.lingering: Set[Lingering] = set()  # connections given up, whose writes it may yet do
        self.all_clean: Callable[[], bool] = lambda: True  # whether no event loop has anything in its journal
        self.healthy = True
        self.timeouts = 0  # in a row
        self.address: Optional[Address] = None
        self.stretches = stretches
        self.memory = memory
        self.bulk = BulkLanes(self)
        self.lanes = [Lane(self, stretches) for _ in range(lanes)]
        self._sweeper: Optional[Timer] = None
        tally.turns(True, False, unix_time())

    def send(self, request: Any, sink: Any, since: Optional[float] = None) -> None:
        """Asks the host; `sink.on_reply(reply, outcomes)` is called exactly once, later or at once.

        All that a route has made goes through the gate here; what a client has sent has passed it in the parser.

        The timeout counts from `since`, else from now. What is sent again goes into lanes that are as good as empty,
        so that their oldest entry is still their first.
        """
        origin = request.origin
        if origin is not None and request.data is not origin.data:
            refusal = gate.refusal(request)
            if refusal:
                self._refuse(request, sink, refusal, o.LOCAL)
                return
        if request.bulk is not None:
            self.bulk.send(request, sink)
            return
        client = request.client
        lane = self.lanes[client.lane]
        if request.kinds[0] == MS and not lane.meta.admits():
            self._miss(request, sink, NOT_SPOKEN)
            return
        if client.is_background and lane.unsent and lane.is_full():
            self._miss(request, sink, "it does not take what it is sent")
            return
        if not lane.out:
            lane.out_began()
        lane.out.append(request.data)
        lane.inflight.append((request, sink, self.loop.now if since is None else since))
        if len(request.kinds) > 1:
            lane.runs += 1
        if lane.unsent:
            lane.stall(client)

    def _miss(self, request: Any, sink: Any, why: str) -> None:
        """Does not send what others may get: a write is one that this host misses."""
        self.never_sent(request, sink)
        self._refuse(request, sink, self.style.failure(self.name, o.UNAVAILABLE, why), o.UNAVAILABLE)

    def _refuse(self, request: Any, sink: Any, reply: bytes, code: bytes) -> None:
        """Does not send it."""
        count = len(request.kinds)
        self.tally.spared(request.kinds, r.LOCAL_ERROR)
        sink.on_reply(reply * count, code * count)

    def spared(self, request: Any) -> None:
        """Policy would have asked it, had it been healthy. It is told of a write that it misses."""
        self.tally.spared(request.kinds)
        if self.journal is not None and not request.reads_only():
            self.missed(request)

    def load(self) -> Tuple[int, int]:
        """Requests of this event loop that wait to be sent, and those that wait for their answers."""
        loads = [lane.load() for lane in self.lanes]
        return sum(pending for pending, _ in loads), sum(inflight for _, inflight in loads) + len(self.bulk.busy)

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
            elif self.reachable:
                lane.connect()

    # health -------------------------------------------------------------------------------------------------------

    @property
    def reachable(self) -> bool:
        """Whether anything may be sent to it."""
        return self.healthy or self.returning

    def mark_down(self, kind: Why, why: str) -> None:
        """Takes the host out of the policies' sight and gives up what it has not answered; `why` is for the log."""
        hard = kind is Why.REFUSES  # else it may be no more than slow
        self.hard = hard or (self.hard and not self.reachable)
        self._count_failure(hard)
        self.tally.because(kind)
        if not self.reachable:
            return
        logger.warning("host %s is unhealthy: %s", self.name, why)
        was_healthy = self.healthy  # else the way back failed: the pauses between visits go on growing
        self._turn(healthy=False, returning=False)
        if self.prober is not None and was_healthy:
            self.prober.went_down()
        for lane in self.lanes:
            lane.close(o.LOST, why)
        self.bulk.close(why)

    def _count_failure(self, hard: bool) -> None:
        tally, cells = self.tally, self.tally.cells
        cells[tally.tko] = max(cells[tally.tko], HARD_TKO if hard else SOFT_TKO)
        cells[tally.failures] += max(1, self.timeouts) if self.reachable else 1

    def mark_up(self, done: Optional[Rejoin] = None) -> None:
        """The host is back; `done` is what that took."""
        logger.info("host %s is healthy%s", self.name, "" if done is None else f": {done}")
        self.tally.cells[self.tally.tko] = self.tally.cells[self.tally.failures] = 0
        if done is not None:
            self.tally.made_up(done.deleted, done.flushed)
        self.tally.because(Why.NOTHING)
        self._turn(healthy=True, returning=False)
        self._revive()

    def _turn(self, healthy: bool, returning: bool) -> None:
        self.healthy, self.returning = healthy, returning
        self.tally.turns(healthy, returning, unix_time())
        if self.journal is not None and not healthy:
            self.clean(False)
        self.on_health(self)

    def _revive(self) -> None:
        self.timeouts = 0
        for lane in self.lanes:
            lane.failures = 0
        self.connect()

    # what it misses -----------------------------------------------------------------------------------------------

    def missed(self, request: Any) -> None:
        """Policy would have sent this to the host if it were healthy. One that is returning gets it."""
        if self.returning and request.bulk is None:
            self.send(background(request), NOBODY)
        else:
            self._note(request)

    def unsure(self, request: Any, again: bool = False) -> None:
        """The host may have done this or not. It is not read before that is settled. `again`: it was told before."""
        if self.journal is not None and not request.reads_only():
            self._note(request, again)
            self.suspect("the outcome of a write is not known")

    def never_sent(self, request: Any, sink: Any) -> None:
        """The host has not been sent this, and will not be. Where others have it, or will, it has missed a write; else
        the client is told that it failed, and there is nothing to make up for."""
        if self.may_be_done_elsewhere(request, sink):
            self.unsure(request)

    @staticmethod
    def may_be_done_elsewhere(request: Any, sink: Any) -> bool:
        """Whether other hosts have a request, or will; else its client is told that it failed, and knows no better."""
        return sink not in (request, request.bulk) or bool(request.goes_on())

    def _note(self, request: Any, again: bool = False) -> None:
        assert self.journal is not None
        self.journal.note(request)
        lanes: Iterable[Any] = (*self.lanes, *self.bulk.busy)
        for lane in lanes:
            entry = lane.last_write()
            if entry is not None:
                self._before[lane] = entry
        if not again:
            self.tally.cells[self.tally.missed] += len(request.kinds)
        self.clean(False)

    def linger(self, connection: Connection) -> None:
        """Gives up a connection that has writes in flight. What they do is waited for before the host is read."""
        sock = connection.let_go() if self.journal is not None else None
        if sock is None:
            connection.hang_up()
        else:
            self.lingering.add(Lingering(self.loop, sock, self.lingering.discard))

    def is_settled(self) -> bool:
        """Whether nothing that it was sent before a write that it has missed may still be done: an older value must not
        be stored after its key was deleted. A connection that owes the answer to a write for too long is given up, so
        that it comes to an end."""
        for lane in self.lanes:
            if lane.owes_writes():
                lane.lost("a write was not answered in time")
        self._before = {lane: entry for lane, entry in self._before.items() if lane.has_in_flight(entry)}
        return not (self._before or self.lingering)

    def suspect(self, why: str) -> None:
        """Takes the host out of the reads until its journal is made up for."""
        if self.healthy:
            logger.warning("host %s is not read: %s", self.name, why)
            self.tally.because(Why.UNSURE)
            self._turn(healthy=False, returning=True)
            if self.prober is not None:
                self.prober.hurry()

    def take_writes(self) -> None:
        """The host has answered a probe: from here on it misses nothing."""
        if not self.returning:
            self.returning = True
            self.tally.because(Why.MISSED)
            self.tally.turns(False, True, unix_time())
            self._revive()

    def clean(self, is_clean: bool) -> None:
        """Whether this event loop has nothing in its journal and sends it all writes, for the others to see."""
        self.tally.cells[self.tally.dirty] = int(not is_clean)

    def close(self) -> None:
        """Ends all lanes; what is in flight fails."""
        self.journal = None
        for lane in self.lanes:
            lane.close(o.LOST, "the router is stopping")
        self.bulk.close("the router is stopping")
        for connection in list(self.lingering):
            connection.end()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def retire(self) -> None:
        """No policy has it any more: it ends when it has answered what it was asked."""
        self.journal = None
        if self.bulk.busy or any(lane.inflight for lane in self.lanes):
            self.loop.call_later(self.timeout / _SWEEPS, self.retire)
        else:
            self.healthy = self.returning = False
            self.close()

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
            self.mark_down(Why.TIMEOUTS, f"{self.timeouts} timeouts in a row")
