"""`/status.json`: all facts as one map. Times are in Unix seconds, rates per second, latencies in ms; null: unknown."""

import os
from typing import TYPE_CHECKING, Any, Dict, Mapping

from .. import __version__
from ..config import Config, digest
from ..config.state import ConfigState
from ..system.clock import unix_time
from ..system.deferred import own
from .history import INTERVAL, History

if TYPE_CHECKING:
    from ..explain import graph
else:
    graph = own("explain.graph")

_MOST_ROUTES = 300  # a config with more routes is not shown as a tree
_MOST_LINES = 400


class StatusFacts:
    """The facts about a router. `about` has those that do not change: name, started, listen, metrics, loops."""

    def __init__(self, history: History, config_state: ConfigState, about: Mapping[str, Any]) -> None:
        self._history = history
        self._config_state, self._about = config_state, about
        self._drawn: Any = (None, "", "")  # a config, its tree and its digest

    def all(self, config: Config) -> Dict[str, Any]:
        """Returns all facts of now."""
        history, counters = self._history, self._history.counters
        with history.lock:
            history.look_at_states()
            return {
                "version": __version__,
                **self._about,
                "now": unix_time(),
                "pid": os.getpid(),
                "clients": {
                    "open": counters.clients(),
                    "accepted": counters.clients_accepted(),
                    "requests_per_second": history.client_rate(),
                },
                "config": self._config(config),
                "window": history.window(),
                "interval": INTERVAL,
                "hosts": [self._host(slot, name) for slot, name in sorted(counters.layout.hosts, key=_order(config))],
                "changes": [
                    {"at": one.at, "host": one.host, "from": one.before, "to": one.after, "why": one.why or None}
                    for one in history.changes
                ],
                "routes": self._routes(config),
            }

    def _config(self, config: Config) -> Dict[str, Any]:
        known = self._config_state
        return {
            "file": os.path.abspath(config.source) if os.path.isfile(config.source) else "",
            "digest": self._described(config)[1],
            "since": known.since,
            "failures": known.failures,
            "last_error": {"at": known.last_attempt, "text": known.error} if known.error else None,
        }

    def _host(self, slot: int, name: str) -> Dict[str, Any]:
        history = self._history
        counters, layout = history.counters, history.counters.layout
        totals, now = history.host_now(slot, name)
        course = history.courses[name]
        series = history.series(name)
        return {
            "host": name,
            "state": course.state,
            "since": course.since or None,
            "why": course.why or None,
            "connections": counters.connections(slot),
            "missed_writes": int(counters.total(layout.missed[slot])),
            "journal_keys": int(counters.total(layout.journal[slot])),
            "requests": int(totals.requests),
            "errors": int(totals.errors),
            "requests_per_second": now.rate,
            **{field: getattr(now, field) for field in ("error_rate", "hit_rate", "p50", "p95", "p99")},
            "history": {"requests_per_second": series.pop("rate"), **series},
        }

    def _routes(self, config: Config) -> str:
        """Returns the routes of every command as text."""
        return str(self._described(config)[0])

    def _described(self, config: Config) -> Any:
        """Returns the tree of a config and its digest, which are made once for each config."""
        if self._drawn[0] is not config:
            self._drawn = (config, _tree(config), digest(config))
        return self._drawn[1:]


def _order(config: Config) -> Any:
    """Returns a sort key that puts hosts in the order of the config."""
    places = {host.text: place for place, host in enumerate(config.hosts)}
    return lambda host: places.get(host[1], len(places))


def _tree(config: Config) -> str:
    if len(config.routes) > _MOST_ROUTES + len(config.hosts):
        return f"{len(config.routes)} routes are too many to show here; mcrouter graph shows them"
    try:
        lines = graph.Graph(config).text().splitlines()
    except RecursionError:
        return "the config nests routes too deeply to show them"
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"... and {len(lines) - _MOST_LINES} more lines; mcrouter graph shows them"]
    return "\n".join(lines)
