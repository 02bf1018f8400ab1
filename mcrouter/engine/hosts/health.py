"""The health of a host: its state (state.py), and what is logged, counted and told to others when the state changes."""

from typing import TYPE_CHECKING, Any, Callable, Optional

from ...system.clock import unix_time
from ...system.logs import get_logger
from .reason import Reason
from .recovery import Rejoin
from .state import MAY_SEND, HostEvent, HostState, state_after
from .tally import HARD_TKO, SOFT_TKO, Tally

if TYPE_CHECKING:
    from ..seams import HostProber

logger = get_logger(__name__)


class HostHealth:
    """What a host may be relied on for. `Host` derives from it.

    `healthy`, `reachable` and `recovering` follow from `state` and are set together with it; routes read `healthy` for
    each request, so it is a plain attribute. `on_health` is called with the host after each change of state.
    """

    def __init__(
        self, name: str, tally: Tally, timeouts_until_tko: int, on_health: "Callable[[Any], None]"
    ) -> None:
        self.name = name
        self.tally = tally
        self.timeouts = 0  # in a row
        self.timeouts_until_tko = timeouts_until_tko
        self.on_health = on_health
        self.prober: Optional[HostProber] = None
        self.refuses_connections = False  # whether it is down because no connection to it could be opened
        self._set_state(HostState.HEALTHY)
        tally.set_state(self.state, unix_time())

    def _set_state(self, state: HostState) -> None:
        """Changes the state, and all that follows from it; nothing else does."""
        may_send = MAY_SEND[state]
        self.state = state
        self.healthy = may_send.reads
        self.reachable = may_send.writes or may_send.background  # else there are no connections to it but probes'
        self.recovering = state is HostState.RECOVERING

    def _move(self, event: HostEvent) -> bool:
        """Moves to the state that follows the event; returns whether that is another. Raises BadTransition."""
        following = state_after(self.state, event)
        if following is self.state:
            return False
        self._set_state(following)
        self.tally.set_state(following, unix_time())
        return True

    def mark_down(self, reason: Reason, why: str) -> None:
        """Takes the host out of the policies' sight, and fails what it has not answered; `why` is for the log.

        A host that is down already is found to be down once more: that is counted, and not logged.
        """
        state, refuses = self.state, reason is Reason.REFUSES  # a host that takes connections may only be slow
        self.refuses_connections = refuses or (self.refuses_connections and state is HostState.DOWN)
        self._count_failure(refuses)
        self.tally.set_reason(reason)
        if not self._move(HostEvent.FAILED):
            return
        logger.warning("host %s is unhealthy: %s", self.name, why)
        self._on_change()
        if self.prober is not None and state is HostState.HEALTHY:  # else the recovery failed: the pauses go on growing
            self.prober.went_down()
        self.fail_requests(why)

    def _count_failure(self, refuses: bool) -> None:
        tally, cells = self.tally, self.tally.cells
        cells[tally.tko] = max(cells[tally.tko], HARD_TKO if refuses else SOFT_TKO)
        cells[tally.failures] += max(1, self.timeouts) if self.reachable else 1

    def mark_up(self, done: Optional[Rejoin] = None) -> None:
        """Lets clients use the host again; `done` is what its recovery took, None when it keeps no journal."""
        self._move(HostEvent.RECOVERED)
        logger.info("host %s is healthy%s", self.name, "" if done is None else f": {done}")
        self.tally.cells[self.tally.tko] = self.tally.cells[self.tally.failures] = 0
        if done is not None:
            self.tally.count_recovery(done.deleted, done.flushed)
        self.tally.set_reason(Reason.NOTHING)
        self._on_change()
        self._start_afresh()

    def stop_reads(self, why: str) -> None:
        """Takes the host out of the reads until its journal is made up for; `why` is for the log."""
        if self._move(HostEvent.WRITE_UNCERTAIN):
            logger.warning("host %s is not read: %s", self.name, why)
            self.tally.set_reason(Reason.UNSURE)
            self._on_change()
            if self.prober is not None:
                self.prober.hurry()

    def begin_recovery(self) -> None:
        """Sends the host all writes from here on: it has answered a probe. Reads wait for `mark_up`."""
        if self._move(HostEvent.PROBE_ANSWERED):
            self.tally.set_reason(Reason.MISSED)
            self._start_afresh()

    def timed_out(self) -> None:
        """Counts one more request without an answer."""
        self.timeouts += 1
        if self.timeouts >= self.timeouts_until_tko:
            self.mark_down(Reason.TIMEOUTS, f"{self.timeouts} timeouts in a row")

    def _on_change(self) -> None:
        if not self.healthy:
            self.reads_stopped()
        self.on_health(self)

    def _start_afresh(self) -> None:
        self.timeouts = 0
        self.reconnect()

    def fail_requests(self, why: str) -> None:
        """Closes all connections: what the host has not answered fails."""
        raise NotImplementedError

    def reconnect(self) -> None:
        """Connects at once, whatever the attempts before came to."""
        raise NotImplementedError

    def reads_stopped(self) -> None:
        """Notes for the other event loops that this one may not read the host."""
        raise NotImplementedError
