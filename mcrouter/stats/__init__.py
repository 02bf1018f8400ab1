"""The router's own `stats`, with facebook/mcrouter's groups, names and formats, so that tools for that also work here.

    about.py         what an event loop tells of itself
    table.py         the one table of statistics: name, groups, how it is computed
    facts.py         the counters of all event loops, added up for one answer, in portions
    servers.py       the states and results of each host, and of all
    server_lines.py  the lines of `stats servers` and `stats suspect_servers`
    window.py        rates: how fast totals grow
    summary.py       the result of `Router.stats()`

The requests under way are not among the counters; they are those of the event loop that answers.
"""

from typing import TYPE_CHECKING, Callable, Dict, Iterator, List, Optional

from ..counters.reader import CounterReader
from ..system.clock import unix_time
from ..system.deferred import before, own
from .about import About, Portion, RequestLoad
from .window import Window

if TYPE_CHECKING:
    from . import facts, server_lines, table
    from .facts import StatsFacts
else:
    before("metrics")
    facts, server_lines, table = own("stats.facts"), own("stats.server_lines"), own("stats.table")

__all__ = ["About", "RequestLoad", "Statistics"]

_TABLE = 500  # microseconds that the values of the table cost


class Statistics:
    """Answers `stats` from the counters of all event loops; `load()` returns what is under way in this one."""

    def __init__(
        self,
        counters: CounterReader,
        about: About,
        load: Callable[[], RequestLoad],
        clock: Callable[[], float] = unix_time,
    ) -> None:
        self._counters = counters
        self._about = about
        self._load = load
        self._clock = clock
        self._totals, self._latencies = Window(about.started), Window(about.started)
        self._lists: Dict[str, Callable[["StatsFacts"], Iterator[Portion]]] = {
            "version": lambda look: iter([(0, [("mcrouter-version", look.version)])]),
            "servers": lambda look: server_lines.server_lines(look, self._latencies),
            "suspect_servers": lambda look: server_lines.suspect_lines(look),
        }

    def answer(self, words: List[str]) -> Optional[Iterator[Portion]]:
        """Returns the portions of the group named by the words after `stats`; None if there is no such group."""
        name = " ".join(words)
        look = facts.StatsFacts(self._counters, self._about, self._load, self._clock(), self._totals)
        if name in self._lists:
            return self._lists[name](look)
        return self._table(name, look) if name in table.NAMED else None

    def _table(self, name: str, look: "StatsFacts") -> Iterator[Portion]:
        yield from look.add_up()
        group = table.NAMED[name]
        yield _TABLE, [(stat.name, _text(stat.value(look))) for stat in table.STATS if stat.groups & group]
        if not name:
            for cost, part in facts.portions(look.servers):
                yield cost, [(f"host:{server.name}", server.health) for server in part]


def _text(value: object) -> str:
    """Formats a value: floats with C's `%g`, as in facebook/mcrouter; texts without line ends."""
    return f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())
