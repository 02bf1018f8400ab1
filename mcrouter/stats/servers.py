"""The states and results of each host from the counters of all event loops, by facebook/mcrouter's names."""

from collections import Counter
from operator import add
from typing import Dict, Iterable, List, NamedTuple

from ..counters.reader import CONNECTION_STATES, CounterReader
from ..proto.commands import ARITHMETIC, COMMANDS, DELETE, WRITE
from ..proto.results import RESULTS

_STORES = [command.number for command in COMMANDS if command.kind in (WRITE, ARITHMETIC)]
_DELETES = [command.number for command in COMMANDS if command.kind == DELETE]
_TOUCHES = [command.number for command in COMMANDS if command.name == "touch"]
_TOLD = (
    "deleted", "touched", "found", "notfound", "notstored", "stored", "exists", "timeout", "connect_timeout",
    "connect_error", "tko", "remote_error", "local_error", "client_error",
)  # fmt: skip


class Server(NamedTuple):
    """A host over all running event loops. `states`: the number of event loops by the state of their connections.

    By command: `answered` and `refused`, `errors` of all kinds, and `unsent` among these. `results`: in the order of
    RESULTS.
    """

    name: str
    states: Dict[str, int]
    tko: int
    failures: int
    healthy: bool
    answered: List[float]
    ms: float
    direct: List[float]
    direct_ms: float
    refused: List[float]
    errors: List[float]
    unsent: List[float]
    results: List[float]
    hits: float
    misses: float

    @property
    def health(self) -> str:
        """The health of the host as a word."""
        return "healthy" if self.healthy else "unhealthy"

    def told(self) -> Dict[str, int]:
        """Returns how often the host gave each result, by facebook/mcrouter's names."""
        by_name = dict(zip(RESULTS, self.results))
        by_name["notfound"] += self.misses
        by_name.update(
            found=self.hits,
            stored=self._done(_STORES),
            deleted=self._done(_DELETES),
            touched=self._done(_TOUCHES),
        )
        return {name: int(by_name[name]) for name in _TOLD}

    def _done(self, commands: Iterable[int]) -> float:
        return sum(max(0.0, self.answered[i] - self.refused[i]) for i in commands)


class Sums:
    """What the hosts add up to. Fields as those of a Server; `states` and `tko` count hosts, `pending` and `inflight`
    requests in the event loop that answers."""

    def __init__(self) -> None:
        self.answered, self.errors, self.unsent, self.direct = ([0.0] * len(COMMANDS) for _ in range(4))
        self.results = [0.0] * len(RESULTS)
        self.direct_ms = self.hits = self.misses = 0.0
        self.states: Dict[str, int] = dict.fromkeys(CONNECTION_STATES, 0)
        self.tko: Dict[int, int] = Counter()
        self.pending = self.inflight = 0

    def add(self, server: Server) -> None:
        """Adds the answers to clients; also of a host that the config has no more, while no other host has its slot."""
        self.direct = list(map(add, self.direct, server.direct))
        self.direct_ms += server.direct_ms
        self.hits += server.hits
        self.misses += server.misses

    def add_host(self, server: Server, _timeout: float, pending: int, inflight: int) -> None:
        """Adds the other facts of a host."""
        self.answered = list(map(add, self.answered, server.answered))
        self.errors = list(map(add, self.errors, server.errors))
        self.unsent = list(map(add, self.unsent, server.unsent))
        self.results = list(map(add, self.results, server.results))
        for state, count in server.states.items():
            self.states[state] += count
        self.tko[server.tko] += 1
        self.pending += pending
        self.inflight += inflight


def server_of(counters: CounterReader, slot: int, name: str) -> Server:
    """Returns the host in a slot."""
    layout = counters.layout
    asked = counters.by_command([layout.upstream[slot]])
    direct = counters.by_command([layout.direct[slot]])
    return Server(
        name,
        counters.connection_states(slot),
        counters.tko(slot),
        counters.failures(slot),
        counters.is_healthy(slot),
        list(map(add, asked.counts, direct.counts)),
        asked.ms + direct.ms,
        direct.counts,
        direct.ms,
        counters.totals(layout.refused[slot]),
        counters.totals(layout.errors[slot]),
        counters.totals(layout.unsent[slot]),
        counters.totals(layout.results[slot]),
        counters.total(layout.hits[slot]),
        counters.total(layout.misses[slot]),
    )
