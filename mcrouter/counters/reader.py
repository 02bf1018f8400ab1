"""The one reader of counters: adds the rows of all event loops up into named figures. It formats nothing.

    figure            over the event loops
    counter           the sum; an event loop that has died has left its counts in its row
    gauge             the sum; the cells of an event loop that has died are cleared
    state of a host   asked of the event loops that run: what all of them agree on, else DIVIDED

A host is given by its slot in the layout, a command by its index. What is read may be a moment older for one event loop
than for another; a histogram is read once, so that its buckets and its total agree.

With one event loop this runs beside the request path, on the same interpreter, and most cells are empty: so cells are
read as slices, which C code adds up, and a block of zeros is looked at only once.
"""

from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..proto.results import RESULTS
from .layout import STRIDE, SUM, Cells, Layout

HEALTHY, UNHEALTHY, REJOINING, DIVIDED, UNKNOWN = STATES = ("healthy", "unhealthy", "rejoining", "divided", "unknown")
"""The states of a host. REJOINING: it gets writes, and is not read yet. UNKNOWN: no event loop runs."""
CONNECTION_STATES = ("new", "up", "closed", "down")
"""The states of an event loop's connections to a host, by facebook/mcrouter's names."""

_NO = [RESULTS.index(name) for name in ("notstored", "exists", "notfound")]


class Histogram(NamedTuple):
    """Times: how many in each bucket of BUCKETS_MS and above (not cumulative), and their sum in milliseconds."""

    counts: Tuple[float, ...]
    sum: float

    @property
    def total(self) -> float:
        """The number of all times."""
        return sum(self.counts)


class ByCommand(NamedTuple):
    """The number of requests by command, and the sum of their milliseconds."""

    counts: List[float]
    ms: float


class ObservedState(NamedTuple):
    """A state of STATES, since when (Unix time), and the number of the reason (engine.hosts.reason), 0 if nothing is
    wrong; the reason comes from the event loop that has changed its state last."""

    state: str
    since: float
    reason: int


class CounterReader:
    """Reads the counters in `rows`, one row for each event loop; an event loop that does not run has no pid in its row.

    `rows` is emptied when the router ends: then all sums are 0.
    """

    def __init__(self, layout: Layout, rows: Sequence[Cells]) -> None:
        self.layout = layout
        self._rows = rows

    # sums -----------------------------------------------------------------------------------------------------------

    def total(self, cell: int) -> float:
        """Returns the sum of a cell over all event loops."""
        return sum(row[cell] for row in self._rows)

    def totals(self, cells: Sequence[int]) -> List[float]:
        """Returns the sum of each of these adjacent cells over all event loops."""
        return [sum(column) for column in zip(*(row[cells[0] : cells[-1] + 1] for row in self._rows))]

    def sum_of(self, cells: Sequence[int]) -> float:
        """Returns the sum of all of these adjacent cells over all event loops."""
        return sum(sum(row[cells[0] : cells[-1] + 1]) for row in self._rows)

    def clients(self) -> int:
        """Returns the number of clients that are connected."""
        return int(self.total(self.layout.client_connections))

    def clients_accepted(self) -> int:
        """Returns the number of clients ever accepted."""
        return int(self.total(self.layout.client_connections_total))

    def connections(self, slot: int) -> int:
        """Returns the number of connections to a host."""
        return int(self.total(self.layout.connections[slot]))

    # event loops ----------------------------------------------------------------------------------------------------

    @property
    def loops(self) -> int:
        """The number of event loops."""
        return len(self._rows)

    def pids(self) -> Set[int]:
        """Returns the processes of the event loops that run."""
        return {int(row[self.layout.pid]) for row in self._running()}

    def stalled_loops(self, since: float) -> int:
        """Returns how many event loops have not run since then (monotonic time)."""
        return sum(row[self.layout.beat] < since for row in self._rows)

    def _running(self) -> List[Cells]:
        pid = self.layout.pid
        return [row for row in self._rows if row[pid]]

    # requests -------------------------------------------------------------------------------------------------------

    def requests(self, command: int) -> Optional[Histogram]:
        """Returns the times of client requests; None if there were none."""
        return self._histogram(self.layout.requests(command))

    def host_requests(self, slot: int, command: int) -> Optional[Histogram]:
        """Returns the times of a host's requests; None if there were none."""
        return self._histogram(self.layout.upstream_requests(slot, command))

    def client_requests(self) -> ByCommand:
        """Returns the client requests that were answered."""
        return self.by_command([self.layout.request, *self.layout.direct])

    def client_requests_in_all(self) -> float:
        """Returns the number of client requests that were answered, of all commands. Cheaper than by command."""
        return sum(self._durations((self.layout.request, *self.layout.direct)))

    def host_durations(self, slot: int) -> Tuple[float, ...]:
        """Returns the number of a host's answers in each bucket, of all commands."""
        return self._durations((self.layout.upstream[slot], self.layout.direct[slot]))

    def host_errors(self, slot: int) -> float:
        """Returns the number of a host's requests that failed, answered or not."""
        return self.sum_of(self.layout.errors[slot])

    def host_unanswered(self, slot: int) -> float:
        """Returns the number of a host's requests that failed without an answer. An answer that is an error line counts
        as an error and as refused; one that is a 'no', as refused alone."""
        refused, results = self.sum_of(self.layout.refused[slot]), self.layout.results[slot]
        answered_no = sum(self.total(results[result]) for result in _NO)
        return max(0.0, self.host_errors(slot) - (refused - answered_no))

    def by_command(self, tables: Sequence[Sequence[int]]) -> ByCommand:
        """Returns the requests in these histograms, each table of which has one for each command."""
        counts, ms = [0.0] * len(self.layout.commands), 0.0
        for blocks in tables:
            for row in self._rows:
                if any(row[blocks[0] : blocks[-1] + STRIDE]):
                    for command, block in enumerate(blocks):
                        counts[command] += sum(row[block : block + SUM])
                        ms += row[block + SUM]
        return ByCommand(counts, ms)

    def _histogram(self, blocks: Sequence[int]) -> Optional[Histogram]:
        slices = [row[block : block + STRIDE] for row in self._rows for block in blocks]
        if not any(map(any, slices)):
            return None
        cells = [sum(column) for column in zip(*slices)]
        histogram = Histogram(tuple(cells[:SUM]), cells[SUM])
        return histogram if histogram.total else None

    def _durations(self, tables: Sequence[Sequence[int]]) -> Tuple[float, ...]:
        found = [0.0] * SUM
        for blocks in tables:
            for row in self._rows:
                cells = row[blocks[0] : blocks[-1] + STRIDE]
                if any(cells):  # 2 us for an empty block
                    for bucket in range(SUM):
                        found[bucket] += sum(cells[bucket::STRIDE])
        return tuple(found)

    # hosts ----------------------------------------------------------------------------------------------------------

    def healthy_hosts(self) -> int:
        """Returns how many hosts every event loop finds healthy; one that does not run finds none so."""
        if not self._rows:
            return 0
        healthy = self.layout.healthy
        return sum(all(row[healthy[slot]] for row in self._rows) for slot, _ in self.layout.hosts)

    def is_healthy(self, slot: int) -> bool:
        """Returns whether all event loops that run find a host healthy."""
        cell = self.layout.healthy[slot]
        return all(row[cell] for row in self._running())

    def hosts_with_missed_writes(self) -> List[str]:
        """Returns the hosts that an event loop knows to have missed writes."""
        dirty = self.layout.dirty
        return [name for slot, name in self.layout.hosts if any(row[dirty[slot]] for row in self._rows)]

    def tko(self, slot: int) -> int:
        """Returns how far a host is given up by the event loop that trusts it least (engine.hosts.host)."""
        return int(max((row[self.layout.tko[slot]] for row in self._running()), default=0))

    def failures(self, slot: int) -> int:
        """Returns the failures in a row of a host that is given up."""
        return int(sum(row[self.layout.failures[slot]] for row in self._running()))

    def host_state(self, slot: int) -> ObservedState:
        """Returns the state of a host."""
        layout, running = self.layout, self._running()
        if not running:
            return ObservedState(UNKNOWN, 0.0, 0)
        found = {self._found(row, slot) for row in running}
        turned, reasons = layout.turned[slot], layout.why[slot]
        _, reason = max((row[turned], row[reasons]) if row[reasons] else (0.0, 0) for row in running)
        state = found.pop() if len(found) == 1 else DIVIDED
        return ObservedState(state, max(row[turned] for row in running), int(reason))

    def _found(self, row: Cells, slot: int) -> str:
        if row[self.layout.healthy[slot]]:
            return HEALTHY
        return REJOINING if row[self.layout.returning[slot]] else UNHEALTHY

    def connection_states(self, slot: int) -> Dict[str, int]:
        """Returns the number of event loops by the state of their connections to a host (CONNECTION_STATES)."""
        states = dict.fromkeys(CONNECTION_STATES, 0)
        for row in self._running():
            states[self._connection_state(row, slot)] += 1
        return states

    def _connection_state(self, row: Cells, slot: int) -> str:
        layout = self.layout
        if row[layout.connections[slot]]:
            return "up"
        if not row[layout.healthy[slot]]:
            return "down"
        used = CounterReader(layout, [row]).by_command((layout.upstream[slot], layout.direct[slot]))
        return "closed" if any(used.counts) else "new"
