"""Counters as flat arrays: an event is `cells[i] += n`, whatever it counts.

`Layout` says which cell is what. With one shard the cells are a plain list, the cheapest thing to index; with several
each shard has its row in memory that all processes share, so that a shard's counts outlive it.
"""

import mmap
from typing import Any, List, MutableSequence, Sequence

from .table import BUCKETS_MS

STRIDE = len(BUCKETS_MS) + 2
"""Cells of a histogram: one a bucket (not cumulative), one beyond the last bound, then the sum in milliseconds."""


class Layout:
    """Cell numbers for these commands and hosts.

    `request[command]` and `upstream[host][command]` are the first cells of histograms; `errors[host][command]`,
    `hits[host]`, `misses[host]` and `client_connections_total` are counters; `healthy[host]`, `connections[host]` and
    `client_connections` are gauges of the shard.
    """

    def __init__(self, commands: Sequence[str], hosts: Sequence[str]) -> None:
        self.commands, self.hosts = tuple(commands), tuple(hosts)
        self.size = 0
        self.request = [self._take(STRIDE) for _ in commands]
        self.upstream = [[self._take(STRIDE) for _ in commands] for _ in hosts]
        self.errors = [[self._take() for _ in commands] for _ in hosts]
        self.hits = [self._take() for _ in hosts]
        self.misses = [self._take() for _ in hosts]
        self.client_connections_total = self._take()
        self.healthy = [self._take() for _ in hosts]
        self.connections = [self._take() for _ in hosts]
        self.client_connections = self._take()

    def _take(self, cells: int = 1) -> int:
        first, self.size = self.size, self.size + cells
        return first


def clear_gauges(layout: Layout, cells: MutableSequence[float]) -> None:
    """For a shard that starts: what its predecessor had open is not open any more; its counts stay."""
    for cell in (*layout.healthy, *layout.connections, layout.client_connections):
        cells[cell] = 0


def local_cells(layout: Layout) -> List[float]:
    """Cells for a single shard."""
    return [0] * layout.size


class SharedCells:
    """Rows of cells, one a shard, in memory that forked processes share."""

    def __init__(self, layout: Layout, shards: int) -> None:
        self._memory = mmap.mmap(-1, max(1, layout.size) * 8 * shards)
        self._whole = memoryview(self._memory)
        self._cells = self._whole.cast("d")
        self.rows: List[Any] = [self._cells[i * layout.size : (i + 1) * layout.size] for i in range(shards)]

    def close(self) -> None:
        """Gives the memory back; the rows must not be used any more."""
        for view in (*self.rows, self._cells, self._whole):
            view.release()
        self._memory.close()


def shared_cells(layout: Layout, shards: int) -> SharedCells:
    """Cells for several shards; call it before they are forked."""
    return SharedCells(layout, shards)
