"""Counters that a test moves by hand, under a clock of its own."""

from typing import Any, Dict, List

from mcrouter.counters.cells import local_cells, observe
from mcrouter.counters.layout import Layout
from mcrouter.counters.reader import CounterReader
from mcrouter.proto.commands import BY_NAME, COMMANDS
from mcrouter.status.history import History

START = 1_000_000.0  # Unix time


class World:
    """Hosts over so many event loops, which all run and find them healthy."""

    def __init__(self, hosts: List[str], loops: int = 1) -> None:
        self.layout = Layout([command.name for command in COMMANDS], hosts, spare=4)
        self.rows: List[Any] = [local_cells(self.layout) for _ in range(loops)]
        self.now = 100.0
        for number, row in enumerate(self.rows):
            row[self.layout.pid] = number + 1
        for host in hosts:
            self.turn(host, healthy=1)
        self.history = History(CounterReader(self.layout, self.rows), lambda: self.now, lambda: START + self.now)

    def slot(self, host: str) -> int:
        """Where it is."""
        return {name: slot for slot, name in self.layout.hosts}[host]

    def asked(self, host: str, ms: float, count: int = 1, command: str = "get", direct: bool = True, loop: int = 0) -> None:
        """So many answers."""
        blocks = (self.layout.direct if direct else self.layout.upstream)[self.slot(host)]
        observe(self.rows[loop], blocks[BY_NAME[command].number], ms, count)

    def count(self, host: str, **cells: int) -> None:
        """Adds to cells of the first loop: hits, misses, errors ..."""
        row, slot = self.rows[0], self.slot(host)
        for name, count in cells.items():
            cell = getattr(self.layout, name)[slot]
            row[cell if isinstance(cell, int) else cell[0]] += count

    def turn(self, host: str, healthy: int = 0, returning: int = 0, at: float = 100.0, loop: Any = None, why: int = 0) -> None:
        """It is found in another state, by one loop or all."""
        slot, layout = self.slot(host), self.layout
        for row in self.rows if loop is None else [self.rows[loop]]:
            row[layout.why[slot]] = why
            row[layout.healthy[slot]], row[layout.returning[slot]], row[layout.turned[slot]] = healthy, returning, START + at

    def look(self, seconds: float = 5.0) -> None:
        """Time goes by, and a point is taken."""
        self.now += seconds
        self.history.look()

    def points(self, host: str) -> Dict[str, List[Any]]:
        """Its history."""
        return self.history.series(host)
