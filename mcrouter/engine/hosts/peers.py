"""What the event loops of one router tell each other about a host: whether one of them has writes that it has missed.

Each event loop has a cell for that in its own row of the shared counters, and waits for no other. A host that one of
them does not read is not read by the others either, 20 ms later at most, and all of them read it again when no journal
has anything left.
"""

from typing import Any, Optional, Sequence

from ..loop import PollGroup, Timer

_LOOK = 0.02  # seconds


class Peers:
    """Looks at the others' rows for this event loop's hosts."""

    def __init__(self, loop: PollGroup, rows: Sequence[Any]) -> None:
        self._loop = loop
        self._rows = rows
        self._hosts: Sequence[Any] = ()
        self._timer: Optional[Timer] = None

    def watch(self, hosts: Sequence[Any]) -> None:
        """Looks at these hosts from here on, and at no others."""
        self._hosts = hosts
        for host in hosts:
            host.all_clean = lambda cell=host.tally.dirty: not any(row[cell] for row in self._rows)
        if self._timer is None and hosts:
            self._look()

    def stop(self) -> None:
        """Looks no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._loop.call_later(_LOOK, self._look)
        for host in self._hosts:
            if host.healthy and not host.all_clean():
                host.stop_reads("another event loop has writes that it has missed")
