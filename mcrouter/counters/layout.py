"""Which cell counts what: counters are flat arrays of numbers, and an event adds to a cell, `cells[i] += n`.

Each event loop has a row of cells of its own (cells.py); the reader adds the rows up (reader.py).

    row:  request[c] ...  | clients, events, config  | slot of a host | slot of a host ...
    slot: upstream[c] ...  direct[c] ...  errors[c] ...  hits misses ... | gauges, cleared at event loop start

A request that one host answers and whose answer is the client's as it came is counted once, in `direct`, for both ends:
requests are `request` and `direct` over all hosts, a host's are `upstream` and `direct`.

    histogram block (STRIDE cells):  one count a bucket, not cumulative | count above the last | sum of milliseconds
"""

import functools
from bisect import bisect_left
from collections.abc import Sequence
from typing import List, Union

from ..proto.results import RESULTS

Cells = Union[List[float], "memoryview[float]"]
"""A row of cells: what one event loop counts in (cells.py)."""
BUCKETS_MS = (
    0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 10.0, 25.0, 30.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0,
    400.0, 500.0, 700.0, 1000.0, 2000.0, 3000.0, 5000.0,
)  # fmt: skip
"""Upper bounds (inclusive) of the duration histograms, in milliseconds."""

EVENTS = ("dev_null_requests", "asynclog_requests")
"""What routes count by name, as facebook/mcrouter's `stats` has them."""

INF = len(BUCKETS_MS)
"""The cell of a histogram block that counts what is slower than the last bucket."""
SUM = INF + 1
"""The cell of a histogram block that has the sum of the milliseconds."""
STRIDE = SUM + 1
"""Cells of a histogram block."""

bucket = functools.partial(bisect_left, BUCKETS_MS)
"""bucket(ms) -> the cell of a histogram block that counts a time; a bucket's bound belongs to it. C code, no frame."""


class NoRoom(Exception):
    """Raised if there are more hosts than there is room for in the rows, which processes share."""


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
        """All cells that tell how things are, not what has happened."""
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
        """How often a new config was refused, and Unix times. The router itself writes them, in the first row."""
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
        """By host, then command: requests that failed."""
        self.refused: list[Sequence[int]] = []
        """By host, then command: requests answered with an error line or, but for a get, with a 'no'."""
        self.unsent: list[Sequence[int]] = []
        """By host, then command: requests that failed before anything was sent."""
        self.results: list[Sequence[int]] = []
        """By host, then result (proto.results): requests that ended so."""
        self.hits: list[int] = []
        """By host: keys asked for and found."""
        self.misses: list[int] = []
        """By host: keys asked for and not found."""
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
        """Gauge, by host: 0 while it is relied on; 1: given up for timeouts or probes; 2: it refuses connections."""
        self.failures: list[int] = []
        """Gauge, by host: failures in a row of a host that is given up."""
        self.returning: list[int] = []
        """Gauge, by host: 1 while it gets writes and no reads."""
        self.turned: list[int] = []
        """Gauge, by host: when the event loop last found it in another state than before, in Unix time."""
        self.why: list[int] = []
        """Gauge, by host: why it is not read (engine.hosts.reason)."""
        self._states = (self.healthy, self.tko, self.failures, self.returning, self.turned, self.why)
        self.connections: list[int] = []
        """Gauge, by host: connections open to it."""
        self.journal: list[int] = []
        """Gauge, by host: keys to be deleted before it is read again."""
        self.names: list[str] = []
        """By slot: the host that has it, or an empty text."""
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
        """Which host has which slot: for the layout of another process, of the same size, or to go back to."""
        return list(self.names), list(self._free)

    @placement.setter
    def placement(self, placement: tuple[list[str], list[int]]) -> None:
        self.names, self._free = list(placement[0]), list(placement[1])

    def place(self, hosts: Sequence[str]) -> list[int]:
        """Gives each of these hosts a slot, and takes the slots of all others; returns the slots given anew.

        The slot that was given up longest ago is given first. Raises NoRoom.
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
        """Makes room for these hosts; returns by how many cells the rows must grow."""
        size = self.size
        for _ in range(len(set(hosts) - set(self.names)) - len(self._free)):
            self._add_slot()
        return self.size - size

    def clear(self, cells: Cells, slot: int) -> None:
        """Clears the cells of a slot, which another host gets."""
        for i in self._slots[slot]:
            cells[i] = 0

    def requests(self, command: int) -> tuple[int, ...]:
        """Returns the blocks that together count a command's requests."""
        return (self.request[command], *(blocks[command] for blocks in self.direct))

    def upstream_requests(self, host: int, command: int) -> tuple[int, ...]:
        """Returns the blocks that together count what a host was asked."""
        return (self.upstream[host][command], self.direct[host][command])

    def health(self, host: int) -> tuple[int, ...]:
        """Returns the cells that tell whether a host is relied on."""
        return tuple(cells[host] for cells in self._states)

    def rejoin(self, host: int) -> tuple[int, ...]:
        """Returns the cells about writes that a host has missed."""
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
