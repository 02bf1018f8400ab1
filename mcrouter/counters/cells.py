"""The rows of cells that event loops count in.

One event loop's row is a list. The rows of several event loops lie in memory that all processes share, made before the
fork; so they outlive an event loop that dies, and its successor goes on in its row. No two event loops write to one
cell, so nothing needs a lock.
"""

import mmap
from typing import List

from .layout import SUM, Cells, Layout, bucket

_CELL = 8  # bytes of a C double, which counts exactly up to 2**53
_CACHE_LINE = 64 // _CELL  # cells; each row begins on a line of its own: event loops then do not slow each other down


def local_cells(layout: Layout) -> List[float]:
    """Returns the row of a single event loop. A list is the cheapest to index, and ints the cheapest to add (all cells
    but the sums of milliseconds hold ints)."""
    return [0] * layout.size


class SharedCells:
    """The rows of several event loops, in anonymous memory that processes forked later share."""

    def __init__(self, size: int, rows: int) -> None:
        stride = -(-size // _CACHE_LINE) * _CACHE_LINE
        self._map = mmap.mmap(-1, stride * rows * _CELL)  # on Unix: MAP_SHARED
        raw = memoryview(self._map)
        cells = raw.cast("d")
        self.rows: List[Cells] = [cells[start : start + size] for start in range(0, stride * rows, stride)]
        """A row for each event loop."""
        self._views = [*self.rows, cells, raw]

    def close(self) -> None:
        """Gives the memory back; counting in a row raises ValueError from then on. Has no effect when called again."""
        self.rows = []
        for view in self._views:
            if isinstance(view, memoryview):
                view.release()
        self._views = []
        try:
            self._map.close()
        except BufferError:
            pass  # a slice of a row is still in use: the memory goes with it


def shared_cells(layout: Layout, rows: int) -> SharedCells:
    """Returns a row for each of so many processes; must be called before they are forked."""
    return SharedCells(layout.size, rows)


def clear_gauges(layout: Layout, cells: Cells) -> None:
    """Clears the gauges of an event loop that starts, or that has died: it has no connections and knows no healthy
    host. What it has counted stays."""
    for i in layout.gauges:
        cells[i] = 0


def observe(cells: Cells, block: int, ms: float, count: int = 1) -> None:
    """Counts `count` events of `ms` each in the histogram at `block`. The request path has the same, in line."""
    cells[block + bucket(ms)] += count
    cells[block + SUM] += ms * count
