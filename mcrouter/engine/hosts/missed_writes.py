"""What a host misses: writes that it was not sent, or that it may have done or not, and what must be over before they
can be made up for (recovery.py)."""

from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Optional, Set, Union

from ...proto.background import background
from ..loop import PollGroup
from .connections.lingering import Lingering
from .connections.socket import HostSocket
from .health import HostHealth
from .journal import Journal
from .tally import Tally

if TYPE_CHECKING:
    from ...proto.reply import Reply
    from ...proto.request import Request
    from ...proto.seams import Sink
    from .connections.connection import HostConnection
    from .connections.streaming import StreamingConnection
    from .connections.streaming_pool import StreamingPool

    Connection = Union[HostConnection, StreamingConnection]


class _Discard:
    """The sink of replies that no client waits for."""

    def on_reply(self, reply: "Reply", outcomes: bytes) -> None:
        """Drops a reply."""


DISCARD = _Discard()


class MissedWrites(HostHealth):
    """A host as a thing that must not be read while it may have an older value than others. `Host` derives from it.

    `journal` is None where the config says that this does not matter: then nothing is recorded.
    """

    loop: PollGroup
    connections: "List[HostConnection]"
    streaming: "StreamingPool"

    def __init__(
        self, name: str, tally: Tally, timeouts_until_tko: int, on_health: Callable[[Any], None]
    ) -> None:
        super().__init__(name, tally, timeouts_until_tko, on_health)
        self.journal: Optional[Journal] = None
        self.all_clean: Callable[[], bool] = lambda: True  # whether no event loop has anything in its journal
        self.lingering: Set[Lingering] = set()  # closed connections whose writes the host may yet do
        # By connection: the last write in flight when the host last missed one.
        self._before: Dict[Connection, object] = {}

    def send(self, request: "Request", sink: "Sink", since: Optional[float] = None) -> None:
        """Asks the host; see Host."""
        raise NotImplementedError

    def record_missed_write(self, request: "Request") -> None:
        """Records a write that the host would have got if it were healthy. One that is recovering gets it now."""
        if self.recovering and request.large_value is None:
            self.send(background(request), DISCARD)
        else:
            self._note(request)

    def write_uncertain(self, request: "Request", counted: bool = False) -> None:
        """Records a write that the host may have done or not; it is not read before that is settled. `counted`: it has
        been recorded before."""
        if self.journal is not None and not request.reads_only():
            self._note(request, counted)
            self.stop_reads("the outcome of a write is not known")

    def never_sent(self, request: "Request", sink: "Sink") -> None:
        """Records a write that the host will not be sent, where other hosts have it, or will. Else its client is told
        that it failed, and there is nothing to make up for."""
        if self.may_be_done_elsewhere(request, sink):
            self.write_uncertain(request)

    @staticmethod
    def may_be_done_elsewhere(request: Any, sink: "Sink") -> bool:
        """Returns whether other hosts have a request, or will; else its client is told that it failed."""
        return sink not in (request, request.large_value) or bool(request.may_ask_another_host())

    def _note(self, request: "Request", counted: bool = False) -> None:
        assert self.journal is not None
        self.journal.note(request)
        connections: Iterable[Connection] = (*self.connections, *self.streaming.busy)
        for connection in connections:
            entry = connection.last_write()
            if entry is not None:
                self._before[connection] = entry
        if not counted:
            self.tally.cells[self.tally.missed] += len(request.commands)
        self.clean(False)

    def linger(self, connection: HostSocket) -> None:
        """Closes a connection that has writes in flight. The host is not read before they are done, or never will be
        (lingering.py)."""
        wire = connection.release() if self.journal is not None else None
        if wire is None:
            connection.disconnect()
        else:
            self.lingering.add(Lingering(self.loop, wire, self.lingering.discard))

    def is_settled(self) -> bool:
        """Returns whether nothing that the host was sent before a write that it has missed may still be done: an older
        value must not be stored after its key was deleted. A connection on which a write has timed out is closed, so
        that this comes to an end."""
        for connection in self.connections:
            if connection.has_late_write():
                connection.restart("a write was not answered in time")
        self._before = {
            connection: entry for connection, entry in self._before.items() if connection.has_in_flight(entry)
        }
        return not (self._before or self.lingering)

    def reads_stopped(self) -> None:
        """Notes for the other event loops that this one may not read the host."""
        if self.journal is not None:
            self.clean(False)

    def clean(self, is_clean: bool) -> None:
        """Shows the other event loops whether this one has an empty journal, and sends the host all writes."""
        self.tally.cells[self.tally.dirty] = int(not is_clean)
