"""Where a host's events are counted: cells of the poll group's flat array."""

from bisect import bisect_left
from typing import Any, Iterable, Sequence, Tuple

from ..proto import outcomes as o
from ..proto.requests import GET, SET


class Tally:
    """One host's counters, by cell number.

    `bounds` are the upper bounds of a histogram's buckets in milliseconds; behind its last bucket a histogram has the
    sum of milliseconds. By command: `upstream` has what other requests of ours asked this host, `direct` what was
    answered to a client as it came, so that one event counts for both; `errors` what failed. `rejoin` are the cells of
    what the host has missed, and of how that was made up for (rejoin.py).
    """

    __slots__ = ("bounds", "cells", "connections", "deleted", "direct", "dirty", "errors", "flushed", "healthy", "hits",
                 "journal", "missed", "misses", "sum", "upstream")  # fmt: skip

    def __init__(
        self,
        cells: Any,
        bounds: Sequence[float],
        upstream: Sequence[int],
        direct: Sequence[int],
        errors: Sequence[int],
        hits: int,
        misses: int,
        connections: int,
        healthy: int,
        rejoin: Sequence[int],
    ) -> None:
        self.cells = cells
        self.bounds = bounds
        self.sum = len(bounds) + 1
        self.upstream, self.direct, self.errors = upstream, direct, errors
        self.hits, self.misses = hits, misses
        self.connections, self.healthy = connections, healthy
        self.missed, self.deleted, self.flushed, self.journal, self.dirty = rejoin

    def answered(self, kinds: bytes, ms: float, blocks: Sequence[int]) -> None:
        """Counts a request or run that took so many milliseconds, in `upstream` or `direct`."""
        for kind, count in _counted(kinds):
            self._add(blocks[kind], ms, count)

    def lone(self, ms: float, direct: Sequence[int], upstream: Sequence[int]) -> None:
        """Counts gets and sets that were sent, and answered, at the same time: hits, misses and what was stored."""
        for counts, blocks in ((direct, self.direct), (upstream, self.upstream)):
            hits, misses, stored = counts
            if hits or misses:
                self._add(blocks[GET], ms, hits + misses)
                self.looked_up(hits, misses)
            if stored:
                self._add(blocks[SET], ms, stored)

    def _add(self, block: int, ms: float, count: int) -> None:
        cells = self.cells
        cells[block + bisect_left(self.bounds, ms)] += count
        cells[block + self.sum] += ms * count

    def looked_up(self, hits: int, misses: int) -> None:
        """Counts keys that gets asked for."""
        if hits:
            self.cells[self.hits] += hits
        if misses:
            self.cells[self.misses] += misses

    def refused(self, kinds: bytes, outcomes: bytes) -> None:
        """Counts the commands of a run that ended in an error line."""
        if outcomes.translate(None, o.ANSWERS):
            for kind, outcome in zip(kinds, outcomes):
                if outcome not in o.ANSWERS:
                    self.cells[self.errors[kind]] += 1

    def made_up(self, deleted: int, flushed: int) -> None:
        """Counts what it took to let the host be read again."""
        self.cells[self.deleted] += deleted
        self.cells[self.flushed] += flushed

    def keeps(self, keys: int) -> None:
        """How many keys the journal has."""
        self.cells[self.journal] = keys


def _counted(kinds: bytes) -> Iterable[Tuple[int, int]]:
    if len(kinds) == 1:
        return ((kinds[0], 1),)
    return [(kind, kinds.count(kind)) for kind in set(kinds)]
