"""Counters are flat arrays of numbers; an event adds to a cell: `cells[i] += n`.

`Layout` says which cell counts what. An event loop has a row of cells of its own, so that no two writers share a cell
and nothing needs a lock; whoever reads adds the rows up. One event loop's row is a list. Rows of several event loops
lie in memory that all processes share, made before the fork, so they outlive an event loop that dies: its successor
goes on in its row.

    row:  request[c] ...  | clients, events, config  | slot of a host | slot of a host ...
    slot: upstream[c] ...  direct[c] ...  errors[c] ...  hits misses ... | gauges, cleared at event loop start

A request that one host answers and whose answer is the client's as it came is counted once, in `direct`, for both ends:
requests are `request` and `direct` over all hosts, a host's are `upstream` and `direct`.

    histogram block (STRIDE cells):  one count a bucket, not cumulative | count above the last | sum of milliseconds
"""

import functools
import mmap
from bisect import bisect_left
from collections.abc import Sequence
from typing import Union

from ..proto.results import RESULTS
from .table import BUCKETS_MS

EVENTS = ("dev_null_requests", "asynclog_requests")
"""What routes count by name, as facebook/mcrouter's `stats` has them."""

INF = len(BUCKETS_MS)
"""Where in a histogram block what is slower than the last bucket is counted."""
SUM = INF + 1
"""Where in a histogram block the milliseconds are summed up."""
STRIDE = SUM + 1
"""Cells of a histogram block."""

Cells = Union[list[float], "memoryview[float]"]
"""A row: what one event loop counts in."""

_CELL = 8  # bytes of a C double, which counts exactly up to 2**53
_CACHE_LINE = 64 // _CELL  # cells; rows begin on a line of their own, so that event loops do not slow each other down

bucket = functools.partial(bisect_left, BUCKETS_MS)
"""bucket(ms) -> where in a histogram block a time is counted; a bucket's bound belongs to it. C code, no frame."""


class NoRoom(Exception):
    """There are more hosts than the rows, which processes share, have room for."""


class Layout:
    """Which cell counts what, for the commands and hosts of a router. A command is given by index, a host by its slot.

    Hosts may come and go (`place`): one that stays keeps its slot, and so its counts.
    """

    def __init__(self, commands: Sequence[str], hosts: Sequence[str], spare: int = 0) -> None:
        self.commands = tuple(commands)
        for names in (self.commands, hosts):
            if len(set(names)) != len(names):
                raise ValueError(f"a name is here twice: {names}")  # two series of one name: no valid page
        self.size = 0
        self.gauges: list[int] = []
        """All cells that say how things are, not what happened."""
        self.request = self._take(len(commands), STRIDE)
        """By command: the histogram of requests answered to clients, without those in `direct`."""
        (self.client_connections_total,) = self._take(1)
        """Clients accepted."""
        (self.client_connections,) = self._gauge()
        """Gauge: clients connected."""
        (self.request_errors,) = self._take(1)
        """Requests whose answer to the client was an error."""
        self.events = dict(zip(EVENTS, self._take(len(EVENTS))))
        """By name: how often it happened."""
        self.config_failures, self.config_last_attempt, self.config_last_success = self._take(3)
        """Of the config file: how often it was refused; Unix times. The router itself writes them, in the first row."""
        (self.log_lines_dropped,) = self._take(1)
        """Lines of the log that the event loop's processes have dropped."""
        (self.pid,) = self._gauge()
        """Gauge: the event loop's process."""
        (self.beat,) = self._gauge()
        """Gauge: when the event loop last ran, in seconds of the monotonic clock; processes share that."""
        self.upstream: list[Sequence[int]] = []
        """By host, then command: the histogram of requests that the host has answered, without those in `direct`."""
        self.direct: list[Sequence[int]] = []
        """By host, then command: the histogram of requests whose answer by this host was the client's."""
        self.errors: list[Sequence[int]] = []
        """By host, then command: those that failed."""
        self.refused: list[Sequence[int]] = []
        """By host, then command: those that it answered with an error line or, but for a get, with a 'no'."""
        self.unsent: list[Sequence[int]] = []
        """By host, then command: those that failed before anything was sent."""
        self.results: list[Sequence[int]] = []
        """By host, then result (proto.results): how many ended so."""
        self.hits: list[int] = []
        """By host: keys asked for and had."""
        self.misses: list[int] = []
        """By host: keys asked for and not had."""
        self.missed: list[int] = []
        """By host: writes that it has missed, or whose outcome is not known."""
        self.deleted: list[int] = []
        """By host: keys deleted for that before it was read again."""
        self.flushed: list[int] = []
        """By host: how often it was flushed for that."""
        self.dirty: list[int] = []
        """By host: 1 while the event loop has writes that it has missed; outlives the event loop."""
        self.healthy: list[int] = []
        """Gauge, by host: 1 when the event loop finds it healthy, else 0."""
        self.tko: list[int] = []
        """Gauge, by host: 0 while it is relied on; 1 given up for timeouts or probes, 2 as it takes no connections."""
        self.failures: list[int] = []
        """Gauge, by host: failures in a row of one that is given up."""
        self.returning: list[int] = []
        """Gauge, by host: 1 while it takes writes and is not read."""
        self.turned: list[int] = []
        """Gauge, by host: when the event loop last found it in another state than before, in Unix time."""
        self.why: list[int] = []
        """Gauge, by host: why it is not read (engine.hosts.why)."""
        self._states = (self.healthy, self.tko, self.failures, self.returning, self.turned, self.why)
        self.connections: list[int] = []
        """Gauge, by host: connections open to it."""
        self.journal: list[int] = []
        """Gauge, by host: keys to be deleted before it is read again."""
        self.names: list[str] = []
        """By slot: the host that has it, or nothing."""
        self._slots: list[range] = []
        self._free: list[int] = []
        for _ in range(len(hosts) + spare):
            self._add_slot()
        self.place(hosts)

    @property
    def hosts(self) -> list[tuple[int, str]]:
        """(slot, name) of each host."""
        return [(slot, name) for slot, name in enumerate(self.names) if name]

    @property
    def placement(self) -> tuple[list[str], list[int]]:
        """Who has which slot, for another process's layout of the same size, or to go back to."""
        return list(self.names), list(self._free)

    @placement.setter
    def placement(self, placement: tuple[list[str], list[int]]) -> None:
        self.names, self._free = list(placement[0]), list(placement[1])

    def place(self, hosts: Sequence[str]) -> list[int]:
        """Gives each of these hosts a slot, and takes it from all others; the slots that are new to their hosts.

        A slot that was given up longest ago is given first. Raises NoRoom.
        """
        known = {name: slot for slot, name in self.hosts}
        new = [name for name in hosts if name not in known]
        staying = set(hosts)
        gone = [slot for name, slot in known.items() if name not in staying]
        if len(new) > len(self._free):
            raise NoRoom(f"room for {len(self._free)} new hosts, and there are {len(new)}")
        for slot in gone:
            self.names[slot] = ""
        given, self._free = self._free[: len(new)], self._free[len(new) :] + gone
        for slot, name in zip(given, new):
            self.names[slot] = name
        return given

    def grow(self, hosts: Sequence[str]) -> int:
        """Makes room for these hosts; by how many cells the rows must grow."""
        size = self.size
        for _ in range(len(set(hosts) - set(self.names)) - len(self._free)):
            self._add_slot()
        return self.size - size

    def clear(self, cells: Cells, slot: int) -> None:
        """A slot gets another host: nothing has been counted."""
        for i in self._slots[slot]:
            cells[i] = 0

    def requests(self, command: int) -> tuple[int, ...]:
        """The blocks that together count a command's requests."""
        return (self.request[command], *(blocks[command] for blocks in self.direct))

    def upstream_requests(self, host: int, command: int) -> tuple[int, ...]:
        """The blocks that together count what a host was asked."""
        return (self.upstream[host][command], self.direct[host][command])

    def health(self, host: int) -> tuple[int, ...]:
        """The cells about whether a host is relied on."""
        return tuple(cells[host] for cells in self._states)

    def rejoin(self, host: int) -> tuple[int, ...]:
        """The cells about what a host has missed."""
        return tuple(cells[host] for cells in (self.missed, self.deleted, self.flushed, self.journal, self.dirty))

    def _add_slot(self) -> None:
        first = self.size
        self.upstream.append(self._take(len(self.commands), STRIDE))
        self.direct.append(self._take(len(self.commands), STRIDE))
        for by_command in (self.errors, self.refused, self.unsent):
            by_command.append(self._take(len(self.commands)))
        self.results.append(self._take(len(RESULTS)))
        for counters in (self.hits, self.misses, self.missed, self.deleted, self.flushed, self.dirty):
            counters += self._take(1)
        for gauges in (*self._states, self.connections, self.journal):
            gauges += self._gauge()
        self._slots.append(range(first, self.size))
        self._free.append(len(self.names))
        self.names.append("")

    def _gauge(self) -> Sequence[int]:
        taken = self._take(1)
        self.gauges += taken
        return taken

    def _take(self, count: int, stride: int = 1) -> Sequence[int]:
        start = self.size
        self.size += count * stride
        return range(start, self.size, stride)


def clear_gauges(layout: Layout, cells: Cells) -> None:
    """An event loop starts, or has died: it has no connections and knows no healthy host. What it has counted stays."""
    for i in layout.gauges:
        cells[i] = 0


def observe(cells: Cells, block: int, ms: float, count: int = 1) -> None:
    """Counts `count` events of `ms` each in the histogram at `block`. The request path writes the same out in line."""
    cells[block + bucket(ms)] += count
    cells[block + SUM] += ms * count


def healthy_hosts(layout: Layout, rows: Sequence[Cells]) -> int:
    """How many hosts every event loop finds healthy."""
    if not rows:
        return 0
    return sum(all(cells[layout.healthy[slot]] for cells in rows) for slot, _ in layout.hosts)


def stalled_loops(layout: Layout, rows: Sequence[Cells], since: float) -> int:
    """How many event loops have not run since then (monotonic)."""
    return sum(cells[layout.beat] < since for cells in rows)


def local_cells(layout: Layout) -> list[float]:
    """The row of a single event loop: a list is the cheapest to index, ints (all but the sums) the cheapest to add."""
    return [0] * layout.size


class SharedCells:
    """The rows of several event loops in anonymous memory that processes forked later share."""

    def __init__(self, size: int, rows: int) -> None:
        stride = -(-size // _CACHE_LINE) * _CACHE_LINE
        self._map = mmap.mmap(-1, stride * rows * _CELL)  # on Unix: MAP_SHARED
        raw = memoryview(self._map)
        cells = raw.cast("d")
        self.rows: list[Cells] = [cells[start : start + size] for start in range(0, stride * rows, stride)]
        """A row an event loop."""
        self._views = [*self.rows, cells, raw]

    def close(self) -> None:
        """Gives the memory back; who still counts gets a ValueError. Again does nothing."""
        self.rows = []
        for view in self._views:
            if isinstance(view, memoryview):
                view.release()
        self._views = []
        try:
            self._map.close()
        except BufferError:
            pass  # somebody holds a slice of a row: the memory goes with it


def shared_cells(layout: Layout, rows: int) -> SharedCells:
    """A row for each of so many processes; to be made before they are forked."""
    return SharedCells(layout.size, rows)
