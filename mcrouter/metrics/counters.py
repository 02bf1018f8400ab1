"""Counters are flat arrays of numbers; an event adds to a cell: `cells[i] += n`.

`Layout` says which cell counts what. A shard has a row of cells of its own, so that no two writers share a cell and
nothing needs a lock; whoever reads adds the rows up. One shard's row is a list. Rows of several shards lie in memory
that all processes share, made before the fork, so they outlive a shard that dies: its successor goes on in its row.

    row:  request[c] ...  | upstream[h][c] ...  direct[h][c] ...  errors[h][c] ... | hits[h] ... accepted | gauges
          histogram blocks  histogram blocks                      counters          counters      cleared at shard start

A request that one host answers and whose answer is the client's as it came is counted once, in `direct`, for both ends:
requests are `request` and `direct` over all hosts, a host's are `upstream` and `direct`.

    histogram block (STRIDE cells):  one count a bucket, not cumulative | count above the last | sum of milliseconds
"""

import functools
import mmap
from bisect import bisect_left
from collections.abc import Sequence
from typing import Union

from .table import BUCKETS_MS

INF = len(BUCKETS_MS)
"""Where in a histogram block what is slower than the last bucket is counted."""
SUM = INF + 1
"""Where in a histogram block the milliseconds are summed up."""
STRIDE = SUM + 1
"""Cells of a histogram block."""

Cells = Union[list[float], "memoryview[float]"]
"""A row: what one shard counts in."""

_CELL = 8  # bytes of a C double, which counts exactly up to 2**53
_CACHE_LINE = 64 // _CELL  # cells; rows begin on a line of their own, so that shards do not slow each other down

bucket = functools.partial(bisect_left, BUCKETS_MS)
"""bucket(ms) -> where in a histogram block a time is counted; a bucket's bound belongs to it. C code, no frame."""


class Layout:
    """Which cell counts what, for the commands and hosts of one configuration. Command and host are given by index."""

    def __init__(self, commands: Sequence[str], hosts: Sequence[str]) -> None:
        self.commands, self.hosts = tuple(commands), tuple(hosts)
        for names in (self.commands, self.hosts):
            if len(set(names)) != len(names):
                raise ValueError(f"a name is here twice: {names}")  # two series of one name: no valid page
        self.size = 0
        self.request = self._take(len(commands), STRIDE)
        """By command: the histogram of requests answered to clients, without those in `direct`."""
        self.upstream = tuple(self._take(len(commands), STRIDE) for _ in hosts)
        """By host, then command: the histogram of requests that the host has answered, without those in `direct`."""
        self.direct = tuple(self._take(len(commands), STRIDE) for _ in hosts)
        """By host, then command: the histogram of requests whose answer by this host was the client's."""
        self.errors = tuple(self._take(len(commands)) for _ in hosts)
        """By host, then command: those that failed."""
        self.hits = self._take(len(hosts))
        """By host: keys asked for and had."""
        self.misses = self._take(len(hosts))
        """By host: keys asked for and not had."""
        self.missed = self._take(len(hosts))
        """By host: writes that it has missed, or whose outcome is not known."""
        self.deleted = self._take(len(hosts))
        """By host: keys deleted for that before it was read again."""
        self.flushed = self._take(len(hosts))
        """By host: how often it was flushed for that."""
        self.dirty = self._take(len(hosts))
        """By host: 1 while the shard has writes that it has missed; outlives the shard."""
        (self.client_connections_total,) = self._take(1)
        """Clients accepted."""
        first_gauge = self.size
        (self.client_connections,) = self._take(1)
        """Gauge: clients connected."""
        self.healthy = self._take(len(hosts))
        """Gauge, by host: 1 when the shard finds it healthy, else 0."""
        self.connections = self._take(len(hosts))
        """Gauge, by host: connections open to it."""
        self.journal = self._take(len(hosts))
        """Gauge, by host: keys to be deleted before it is read again."""
        self.gauges = range(first_gauge, self.size)
        """All cells that say how things are, not what happened."""

    def requests(self, command: int) -> tuple[int, ...]:
        """The blocks that together count a command's requests."""
        return (self.request[command], *(blocks[command] for blocks in self.direct))

    def upstream_requests(self, host: int, command: int) -> tuple[int, ...]:
        """The blocks that together count what a host was asked."""
        return (self.upstream[host][command], self.direct[host][command])

    def rejoin(self, host: int) -> tuple[int, ...]:
        """The cells about what a host has missed."""
        return tuple(cells[host] for cells in (self.missed, self.deleted, self.flushed, self.journal, self.dirty))

    def _take(self, count: int, stride: int = 1) -> tuple[int, ...]:
        start = self.size
        self.size += count * stride
        return tuple(range(start, self.size, stride))


def clear_gauges(layout: Layout, cells: Cells) -> None:
    """A shard starts, or has died: it has no connections and knows no healthy host. What it has counted stays."""
    for i in layout.gauges:
        cells[i] = 0


def observe(cells: Cells, block: int, ms: float, count: int = 1) -> None:
    """Counts `count` events of `ms` each in the histogram at `block`. The request path writes the same out in line."""
    cells[block + bucket(ms)] += count
    cells[block + SUM] += ms * count


def healthy_hosts(layout: Layout, shards: Sequence[Cells]) -> int:
    """How many hosts every shard finds healthy."""
    return sum(all(cells[i] for cells in shards) for i in layout.healthy) if shards else 0


def local_cells(layout: Layout) -> list[float]:
    """The row of a single shard: a list is the cheapest to index, ints (all but the sums) the cheapest to add."""
    return [0] * layout.size


class SharedCells:
    """The rows of several shards in anonymous memory that processes forked later share."""

    def __init__(self, size: int, shards: int) -> None:
        stride = -(-size // _CACHE_LINE) * _CACHE_LINE
        self._map = mmap.mmap(-1, stride * shards * _CELL)  # on Unix: MAP_SHARED
        raw = memoryview(self._map)
        cells = raw.cast("d")
        self.rows: list[Cells] = [cells[start : start + size] for start in range(0, stride * shards, stride)]
        """A row a shard."""
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


def shared_cells(layout: Layout, shards: int) -> SharedCells:
    """Rows for `shards` processes; to be made before they are forked."""
    return SharedCells(layout.size, shards)
