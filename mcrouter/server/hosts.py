"""Makes the hosts of an event loop, as the settings want them, and adapts them to each config: timeouts, journals."""

from typing import Any, Callable, Iterable

from ..config import Config, HostAddress
from ..counters.layout import BUCKETS_MS, Layout
from ..engine.clients.memory import Memory
from ..engine.hosts.host import Host
from ..engine.hosts.journal import IGNORE, REPLAY, Journal
from ..engine.hosts.resolver import known_address
from ..engine.hosts.tally import Tally
from ..engine.loop import PollGroup
from ..proto.runs import reply_patterns
from ..proto.styles import STYLES
from ..settings import Settings


def rejoin_mode(config: Config) -> str:
    """Returns what is done about writes that a host has missed: what the config says, else REPLAY where several hosts
    are to have the same values."""
    if config.on_rejoin:
        return config.on_rejoin
    if len(config.hosts) == 1:
        return IGNORE
    return REPLAY if any(spec.type.startswith("All") for spec in config.routes) else IGNORE


class HostMaker:
    """Makes the hosts of one event loop, which count in its row of cells; `loops` is the number of event loops.

    `on_health(host)` is called when a host has become healthy, or is so no more.
    """

    def __init__(
        self,
        loop: PollGroup,
        layout: Layout,
        cells: Any,
        loops: int,
        settings: Settings,
        memory: Memory,
        on_health: Callable[[Host], None],
    ) -> None:
        self._loop, self._layout, self._cells, self._loops = loop, layout, cells, loops
        self._settings, self._memory, self._on_health = settings, memory, on_health
        self._patterns = reply_patterns()

    def make(self, address: HostAddress, slot: int) -> Host:
        """Makes a host that counts in this slot of the layout."""
        settings = self._settings
        host = Host(
            address.text,
            self._loop,
            self._tally(slot),
            self._patterns,
            self._memory,
            connections=settings.upstream_connections,
            timeout=settings.timeout_ms / 1000,
            buffer_size=settings.buffer_size,
            timeouts_until_tko=settings.timeouts_until_tko,
            on_health=self._on_health,
            style=STYLES[settings.error_style],
        )
        host.address = known_address(address.host, address.port, address.path)
        return host

    def _tally(self, slot: int) -> Tally:
        layout = self._layout
        return Tally(
            self._cells,
            BUCKETS_MS,
            layout.upstream[slot],
            layout.direct[slot],
            layout.errors[slot],
            layout.refused[slot],
            layout.unsent[slot],
            layout.results[slot],
            layout.hits[slot],
            layout.misses[slot],
            layout.connections[slot],
            layout.health(slot),
            layout.rejoin(slot),
            layout.request_errors,
        )

    def adapt(self, hosts: Iterable[Host], config: Config) -> None:
        """Gives each host the timeouts of its pools, else those of the flag, and the journal that the config wants."""
        mode, ms = rejoin_mode(config), self._settings.timeout_ms
        for host in hosts:
            told = config.timeouts.get(host.name)
            host.timeout = ((told.reply if told else 0) or ms) / 1000
            host.connect_timeout = ((told.connect or told.reply if told else 0) or ms) / 1000
            self._adapt_journal(host, mode, config.journal_keys)

    def _adapt_journal(self, host: Host, mode: str, keys: int) -> None:
        if mode == IGNORE:
            host.journal = None
            host.clean(True)
            return
        if host.journal is None or host.journal.mode != mode:
            host.journal = Journal(mode, host.tally.set_journal_size)
            if self._cells[host.tally.dirty] or not host.healthy:
                host.journal.overflow()
        host.journal.limit = keys // self._loops
