"""A host's counters: cells of the event loop's flat array."""

from bisect import bisect_left
from typing import Iterable, List, Sequence, Tuple, Union

from ...proto import outcomes as o
from ...proto import results as r
from ...proto.request import GET, SET
from .reason import Reason
from .state import HostState

Cells = Union[List[float], "memoryview[float]"]
"""A row of cells: what one event loop counts in."""
SOFT_TKO, HARD_TKO = 1, 2  # how a host is down ("taken out", in facebook/mcrouter's words): HARD refuses connections


class Tally:
    """One host's counters, by cell number.

    `bounds` are the upper bounds of a histogram's buckets in milliseconds; behind its last bucket a histogram has the
    sum of milliseconds. By command: `direct` has requests whose answer a client got as it came, so that one event
    counts for both, and `upstream` has all others; `errors` has those that failed, `refused` those that got an error
    line or a 'no', `unsent` those that failed before anything was sent. `results` are by result (proto.results).
    `health` are the cells of the host's state, `rejoin` those of what it has missed, and of how that was made up for
    (recovery.py). `request_errors` has the answers to clients that were errors.
    """

    __slots__ = ("bounds", "by_command", "by_result", "cells", "connections", "deleted", "direct", "dirty", "errors",
                 "failures", "flushed", "healthy", "hits", "journal", "missed", "misses", "recovering",
                 "request_errors", "sum", "tko", "turned", "unsent", "upstream", "why")  # fmt: skip

    def __init__(
        self,
        cells: Cells,
        bounds: Sequence[float],
        upstream: Sequence[int],
        direct: Sequence[int],
        errors: Sequence[int],
        refused: Sequence[int],
        unsent: Sequence[int],
        results: Sequence[int],
        hits: int,
        misses: int,
        connections: int,
        health: Sequence[int],
        rejoin: Sequence[int],
        request_errors: int,
    ) -> None:
        self.cells = cells
        self.bounds = bounds
        self.sum = len(bounds) + 1
        self.upstream, self.direct, self.errors = upstream, direct, errors
        self.hits, self.misses = hits, misses
        self.by_command, self.unsent, self.by_result = refused, unsent, results
        self.connections, self.request_errors = connections, request_errors
        self.healthy, self.tko, self.failures, self.recovering, self.turned, self.why = health
        self.missed, self.deleted, self.flushed, self.journal, self.dirty = rejoin

    def answered(self, commands: bytes, ms: float, blocks: Sequence[int]) -> None:
        """Counts a request or run that took so many milliseconds, in `upstream` or `direct`."""
        for kind, count in _counted(commands):
            self._add(blocks[kind], ms, count)

    def count_single(self, ms: float, direct: Sequence[int], upstream: Sequence[int]) -> None:
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

    def refused(self, commands: bytes, outcomes: bytes) -> int:
        """Counts the commands of a run that got a 'no' or an error line; returns how many got an error line."""
        return self._refused(commands, outcomes) if outcomes.translate(None, r.EXPECTED) else 0

    def _refused(self, commands: bytes, outcomes: bytes) -> int:
        cells, failed = self.cells, 0
        for kind, outcome in zip(commands, outcomes):
            if outcome not in r.EXPECTED:
                cells[self.by_command[kind]] += 1
                cells[self.by_result[r.OF_ANSWER[outcome]]] += 1
                if outcome not in o.ANSWERS:
                    cells[self.errors[kind]] += 1
                    failed += 1
        return failed

    def failed(self, commands: bytes, result: int) -> None:
        """Counts a request or run that has got no answer."""
        cells, by_command = self.cells, [self.errors]
        if result in r.NEVER_SENT:
            by_command.append(self.unsent)
        for counts in by_command:
            for kind in commands:
                cells[counts[kind]] += 1
        self.record_skipped(commands, result)

    def record_skipped(self, commands: bytes, result: int = r.TKO) -> None:
        """Counts a request or run by its result alone; without one, it was not sent because the host is not healthy."""
        self.cells[self.by_result[result]] += len(commands)

    def set_state(self, state: HostState, at: float) -> None:
        """Shows the host's state, since `at` (Unix time)."""
        cells = self.cells
        cells[self.healthy] = int(state is HostState.HEALTHY)
        cells[self.recovering] = int(state is HostState.RECOVERING)
        cells[self.turned] = at

    def set_reason(self, kind: Reason) -> None:
        """Shows why the host is not read."""
        self.cells[self.why] = int(kind)

    def count_recovery(self, deleted: int, flushed: int) -> None:
        """Counts what it took to let the host be read again."""
        self.cells[self.deleted] += deleted
        self.cells[self.flushed] += flushed

    def set_journal_size(self, keys: int) -> None:
        """Shows how many keys the journal has."""
        self.cells[self.journal] = keys


def _counted(commands: bytes) -> Iterable[Tuple[int, int]]:
    if len(commands) == 1:
        return ((commands[0], 1),)
    return [(kind, commands.count(kind)) for kind in set(commands)]
