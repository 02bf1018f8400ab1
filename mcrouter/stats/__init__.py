"""The router's own `stats`: groups, names and forms as facebook/mcrouter has them, so that what reads those reads ours.

    table.py         every statistic once: name, groups, how it is computed
    facts.py         what the counters of all event loops say, added up for one answer, in portions
    servers.py       of each host, and of all: states and results
    server_lines.py  the lines of `stats servers` and `stats suspect_servers`
    window.py        rates: how fast totals have grown
    summary.py       what `Router.stats()` gives

What the counters cannot say of the other event loops is said of the one that answers: the requests under way.
"""

from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from ..metrics.counters import Layout
from ..steady import unix_time
from .facts import About, Facts, Load, Portion, portions
from .server_lines import server_lines, suspect_lines
from .table import NAMED, STATS
from .window import Window

__all__ = ["About", "Load", "Statistics"]

_TABLE = 500  # microseconds that the values of the table cost


class Statistics:
    """Answers `stats` over the counters `rows` of all event loops; `load` says what is under way in this one."""

    def __init__(
        self,
        layout: Layout,
        rows: Sequence[Any],
        about: About,
        load: Callable[[], Load],
        clock: Callable[[], float] = unix_time,
    ) -> None:
        self._layout, self._rows = layout, rows
        self._about = about
        self._load = load
        self._clock = clock
        self._totals, self._latencies = Window(about.started), Window(about.started)
        self._lists: Dict[str, Callable[[Facts], Iterator[Portion]]] = {
            "version": lambda facts: iter([(0, [("mcrouter-version", facts.version)])]),
            "servers": lambda facts: server_lines(facts, self._latencies),
            "suspect_servers": suspect_lines,
        }

    def answer(self, words: List[str]) -> Optional[Iterator[Portion]]:
        """The portions of the group that the words behind `stats` name; None if there is no such group."""
        name = " ".join(words)
        facts = Facts(self._layout, self._rows, self._about, self._load, self._clock(), self._totals)
        if name in self._lists:
            return self._lists[name](facts)
        return self._table(name, facts) if name in NAMED else None

    def _table(self, name: str, facts: Facts) -> Iterator[Portion]:
        yield from facts.add_up()
        yield _TABLE, [(stat.name, _text(stat.value(facts))) for stat in STATS if stat.groups & NAMED[name]]
        if not name:
            for cost, part in portions(facts.servers):
                yield cost, [(f"host:{server.name}", server.health) for server in part]


def _text(value: object) -> str:
    """Rates and seconds in C's `%g`, as facebook/mcrouter writes them; in a line of text no line ends."""
    return f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())
