"""What the event loops of one router tell each other about a host: whether one of them has writes that it has missed.

Each event loop has a cell for that in its own row of the shared counters, and waits for no other. A host that one of
them does not read is not read by the others either, 20 ms later at most, and all of them read it again when no journal
has anything left.
"""

from functools import partial
from typing import TYPE_CHECKING, Optional, Sequence

from ..loop import PollGroup, Timer

if TYPE_CHECKING:
    from .host import Host
    from .tally import Cells

_LOOK = 0.02  # seconds


class Peers:
    """Looks at the others' rows for this event loop's hosts."""

    def __init__(self, loop: PollGroup, rows: "Sequence[Cells]") -> None:
        self._loop = loop
        self._rows = rows
        self._hosts: Sequence[Host] = ()
        self._timer: Optional[Timer] = None

    def watch(self, hosts: "Sequence[Host]") -> None:
        """Looks at these hosts from here on, and at no others."""
        self._hosts = hosts
        for host in hosts:
            host.all_clean = partial(self._is_clean, host.tally.dirty)
        if self._timer is None and hosts:
            self._look()

    def _is_clean(self, cell: int) -> bool:
        return not any(row[cell] for row in self._rows)

    def stop(self) -> None:
        """Looks no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._loop.call_later(_LOOK, self._look)
        for host in self._hosts:
            if host.healthy and not host.all_clean():
                host.stop_reads("another event loop has writes that it has missed")
