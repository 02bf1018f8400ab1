"""The counters of all event loops, added up for one answer. Only the sums that the answer needs are computed."""

import os
from functools import cached_property
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .. import __version__
from ..metrics.counters import Layout
from ..metrics.process import Usage, usage
from ..proto.commands import COMMANDS
from ..proto.results import ERRORS, RESULTS
from .servers import Server, servers, timed
from .window import Growth, Window

_NAMES = {"flush_all": "flushall"}
OPERATIONS = tuple(_NAMES.get(command.name, command.name.replace("-", "_")) for command in COMMANDS)
"""The commands by facebook/mcrouter's names, in the order of the table of commands."""

_MAIN = ("get", "set", "delete", "lease_get", "lease_set")
_RESULT_NAMES = {"timeout": "data_timeout"}  # data_timeout: the name for all timeouts together
RESULT_NAMES = tuple(_RESULT_NAMES.get(RESULTS[i], RESULTS[i]) for i in ERRORS)
"""The results that are errors, by the names in facebook/mcrouter's `result_...`."""


class About(NamedTuple):
    """Facts that do not change while the router runs: the time of its start (Unix time), its command line, and the pid
    of the process that supervises those of the event loops."""

    started: float
    command_args: str = ""
    supervisor: Optional[int] = None


class Load(NamedTuple):
    """The requests under way in the event loop that answers.

    `processing`: requests of clients. `waiting`: clients whose next requests wait. `hosts`: by host its timeout in
    seconds, the requests that wait to be sent, and those that wait for an answer.
    """

    processing: int
    waiting: int
    hosts: Mapping[str, Tuple[float, int, int]]

    @property
    def pending(self) -> int:
        """The requests that wait to be sent to any host."""
        return sum(pending for _, pending, _ in self.hosts.values())

    @property
    def inflight(self) -> int:
        """The requests that wait for an answer of any host."""
        return sum(inflight for _, _, inflight in self.hosts.values())


class Facts:
    """The facts for one answer; `now` is Unix time."""

    version = f"{__version__} mcrouter"

    def __init__(
        self,
        layout: Layout,
        rows: Sequence[Any],
        about: About,
        load: Callable[[], Load],
        now: float,
        window: Window,
    ) -> None:
        self._layout, self._rows = layout, rows
        self._load = load
        self._window = window
        self.about = about
        self.now = now

    def total(self, cell: int) -> int:
        """Returns the sum of a cell over all event loops."""
        return int(sum(row[cell] for row in self._rows))

    def cell(self, name: str) -> int:
        """Returns the sum of the layout's cell of this name over all event loops."""
        return self.total(getattr(self._layout, name))

    def sum_of(self, name: str) -> int:
        """Returns the sum of all the layout's cells of this name over all event loops."""
        return sum(map(self.total, getattr(self._layout, name)))

    def event(self, name: str) -> int:
        """Returns how often an event has happened."""
        return self.total(self._layout.events[name])

    def count(self, name: str) -> int:
        """Returns one of the totals."""
        return int(self.totals[name])

    def rate(self, name: str) -> float:
        """Returns the growth per second of one of the totals."""
        return self._growth.rate(name)

    @cached_property
    def load(self) -> Load:
        """The requests under way in this event loop."""
        return self._load()

    @property
    def event_loops(self) -> int:
        """The number of event loops."""
        return len(self._rows)

    @cached_property
    def usage(self) -> Usage:
        """The CPU time and memory of the router's processes."""
        pids = {int(row[self._layout.pid]) for row in self._rows} | {self.about.supervisor or os.getpid()}
        return usage(pids - {0})

    @cached_property
    def servers(self) -> List[Server]:
        """The hosts."""
        return servers(self._layout, self._rows)

    @cached_property
    def states(self) -> Dict[str, int]:
        """How many hosts are new, up, closed and down; a host counts once for each event loop."""
        states = ["new", "up", "closed", "down"]
        return {state: sum(server.states[state] for server in self.servers) for state in states}

    def suspects(self, *tko: int) -> int:
        """Returns how many hosts are in one of these TKO states."""
        return sum(server.tko in tko for server in self.servers)

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
        direct, direct_ms = timed(self._rows, self._layout.direct)
        other, other_ms = timed(self._rows, [self._layout.request])
        for i, name in enumerate(OPERATIONS):
            errors = sum(server.errors[i] for server in self.servers)
            unsent = sum(server.unsent[i] for server in self.servers)
            totals[f"cmd_{name}"] = direct[i] + other[i]
            totals[f"cmd_{name}_out"] = sum(server.answered[i] for server in self.servers)
            totals[f"cmd_{name}_remote_error"] = errors - unsent
            totals[f"cmd_{name}_local_error"] = unsent
        for ending in ("", "_out"):
            rest = [totals[f"cmd_{name}{ending}"] for name in OPERATIONS if name not in _MAIN]
            totals[f"cmd_other{ending}"] = sum(rest)
        for i, name in zip(ERRORS, RESULT_NAMES):
            totals[f"result_{name}"] = sum(server.results[i] for server in self.servers)
        totals["result_error"] = sum(totals[f"result_{name}"] for name in RESULT_NAMES)
        replied, failed = sum(direct) + sum(other), self.cell("request_errors")
        totals.update(request_sent=replied, request_replied=replied, request_error=failed)
        totals.update(request_success=replied - failed, request_ms=direct_ms + other_ms)
        totals["destination_requests_sum"] = sum(sum(server.answered) for server in self.servers)
        return totals
