"""The counters of all event loops, added up for one answer.

The counters of hosts are added up first, in portions (`add_up`): there may be thousands of hosts.
"""

import os
from functools import cached_property
from typing import Callable, Dict, Iterator, List, Sequence, Tuple, TypeVar

from .. import __version__
from ..counters.reader import CounterReader
from ..metrics.process import Usage, usage
from ..proto.commands import COMMANDS
from ..proto.results import ERRORS, RESULTS
from .about import About, Portion, RequestLoad
from .servers import Server, Sums, server_of
from .window import Growth, Window

_NAMES = {"flush_all": "flushall"}
OPERATIONS = tuple(_NAMES.get(command.name, command.name.replace("-", "_")) for command in COMMANDS)
"""The commands by facebook/mcrouter's names, in the order of the table of commands."""

_MAIN = ("get", "set", "delete", "lease_get", "lease_set")
_RESULT_NAMES = {"timeout": "data_timeout"}  # data_timeout: the name for all timeouts together
RESULT_NAMES = tuple(_RESULT_NAMES.get(RESULTS[i], RESULTS[i]) for i in ERRORS)
"""The results that are errors, by the names in facebook/mcrouter's `result_...`."""


_PORTION = 1000  # microseconds
_ROW = 60  # microseconds that a host's counters in one event loop cost at most; 20 if it has done nothing

_T = TypeVar("_T")


def portions(things: Sequence[_T], cost: int = 10) -> Iterator[Tuple[int, Sequence[_T]]]:
    """Cuts work on many things, each of which costs so many microseconds; yields the cost of each portion, and its
    things."""
    step = max(1, _PORTION // cost)
    for start in range(0, len(things), step):
        part = things[start : start + step]
        yield len(part) * cost, part


class StatsFacts:
    """The facts of one moment; `now` is Unix time. The facts by host are there once `add_up` has ended."""

    version = f"{__version__} mcrouter"

    def __init__(
        self,
        counters: CounterReader,
        about: About,
        load: Callable[[], RequestLoad],
        now: float,
        window: Window,
    ) -> None:
        self._counters = counters
        self._load = load
        self._window = window
        self.about = about
        self.now = now
        self.servers: List[Server] = []
        self.sums = Sums()

    def add_up(self) -> Iterator[Portion]:
        """Adds up the facts by host, in portions. A host that a reload removes meanwhile is left out."""
        counters, layout = self._counters, self._counters.layout
        for cost, part in portions(list(enumerate(layout.names)), _ROW * counters.loops):
            for slot, name in part:
                server = server_of(counters, slot, name)
                self.sums.add(server)
                if name and name == layout.names[slot]:
                    self.servers.append(server)
                    self.sums.add_host(server, *self.load.of_host(name))
            yield cost, []

    def cell(self, name: str) -> int:
        """Returns the sum of the layout's cell of this name over all event loops."""
        return int(self._counters.total(getattr(self._counters.layout, name)))

    def event(self, name: str) -> int:
        """Returns how often an event has happened."""
        return int(self._counters.total(self._counters.layout.events[name]))

    def count(self, name: str) -> int:
        """Returns one of the totals."""
        return int(self.totals[name])

    def rate(self, name: str) -> float:
        """Returns the growth per second of one of the totals."""
        return self._growth.rate(name)

    @cached_property
    def load(self) -> RequestLoad:
        """The requests under way in this event loop."""
        return self._load()

    @property
    def event_loops(self) -> int:
        """The number of event loops."""
        return self._counters.loops

    @cached_property
    def usage(self) -> Usage:
        """The CPU time and memory of the router's processes."""
        return usage(self._counters.pids() | {self.about.supervisor or os.getpid()})

    def latency_us(self) -> int:
        """Returns the mean latency of the recent client requests, in microseconds."""
        requests = self._growth.of("request_replied")
        return round(1000 * self._growth.of("request_ms") / requests) if requests else 0

    @cached_property
    def _growth(self) -> Growth:
        return self._window.growth(self.now, self.totals)

    @cached_property
    def totals(self) -> Dict[str, float]:
        """All totals since the start, by facebook/mcrouter's names without `_count`."""
        totals: Dict[str, float] = {}
        sums = self.sums
        other, other_ms = self._counters.by_command([self._counters.layout.request])
        for i, name in enumerate(OPERATIONS):
            totals[f"cmd_{name}"] = sums.direct[i] + other[i]
            totals[f"cmd_{name}_out"] = sums.answered[i]
            totals[f"cmd_{name}_remote_error"] = sums.errors[i] - sums.unsent[i]
            totals[f"cmd_{name}_local_error"] = sums.unsent[i]
        for ending in ("", "_out"):
            rest = [totals[f"cmd_{name}{ending}"] for name in OPERATIONS if name not in _MAIN]
            totals[f"cmd_other{ending}"] = sum(rest)
        for i, name in zip(ERRORS, RESULT_NAMES):
            totals[f"result_{name}"] = sums.results[i]
        totals["result_error"] = sum(totals[f"result_{name}"] for name in RESULT_NAMES)
        replied, failed = sum(sums.direct) + sum(other), self.cell("request_errors")
        totals.update(request_sent=replied, request_replied=replied, request_error=failed)
        totals.update(request_success=replied - failed, request_ms=sums.direct_ms + other_ms)
        totals["destination_requests_sum"] = sum(sums.answered)
        return totals
