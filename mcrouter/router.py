"""The composition root: a config and settings become engine, routes and metrics. The only file that knows all rooms.

Router ── n = 1 ──► Shard, in this thread
    └──── n > 1 ──► Supervisor ──► a process each: Shard
Shard: poll group + hosts (with prober and resolver) + routes + frontend, counting into its own row of cells
"""

import logging
import os
import signal
import socket
import threading
import time
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from . import __version__
from .config import Config, HostAddress, RouteOptions, Vocabulary
from .config import load_config as parse_config
from .engine.frontend import Frontend
from .engine.health import Prober
from .engine.listeners import ListenError, open_listeners
from .engine.loop import PollGroup
from .engine.peers import Peers
from .engine.rejoin import IGNORE, REPLAY, Journal
from .engine.resolver import Resolver, known_address
from .engine.tally import Tally
from .engine.upstream import Host
from .metrics.counters import Layout, clear_gauges, local_cells, shared_cells
from .metrics.table import BUCKETS_MS
from .proto.commands import COMMANDS
from .proto.runs import reply_stretches
from .routes.base import Pool
from .routes.build import NAMES, SELECTOR, build, choice
from .routes.local import LocalRoute
from .settings import Settings

logger = logging.getLogger(__name__)

VOCABULARY = Vocabulary(
    routes={name: RouteOptions(policies=name == SELECTOR) for name in NAMES},
    commands=tuple(command.name for command in COMMANDS),
)
"""What a config may name."""


class RouterError(Exception):
    """The router cannot run; the message says why, in one line."""


def describe(config: Config) -> str:
    """What would be routed where, for --validate-config."""
    lines = [f"{config.source}: {len(config.hosts)} hosts: " + ", ".join(host.text for host in config.hosts)]
    by_route: Dict[str, List[str]] = {}
    for command in COMMANDS:
        by_route.setdefault(choice(config.route, command), []).append(command.name)
    lines += [f"{route}: {', '.join(commands)}" for route, commands in by_route.items()]
    return "\n".join(lines)


def rejoin_mode(config: Config) -> str:
    """What is done about writes that a host has missed: what the config says, else replay where several hosts are to
    have the same values."""
    if config.on_rejoin:
        return config.on_rejoin
    if len(config.hosts) == 1:
        return IGNORE
    routes = {choice(config.route, command) for command in COMMANDS}
    return REPLAY if any(route.startswith("All") for route in routes) else IGNORE


class Shard:
    """One poll group with everything that it serves clients with."""

    def __init__(
        self, config: Config, settings: Settings, layout: Layout, rows: Sequence[Any], number: int = 0
    ) -> None:
        self._layout, self._rows, self._cells = layout, rows, rows[number]
        self._started = time.time()
        clear_gauges(layout, self._cells)
        self.loop = PollGroup()
        self._drain_until: Optional[float] = None
        stretches = reply_stretches()
        self.hosts = [self._host(config, settings, index, stretches) for index in range(len(config.hosts))]
        self.pool = Pool(self.hosts)
        self._watchers = [self._watch(host, address, settings) for host, address in zip(self.hosts, config.hosts)]
        self.frontend = Frontend(
            self.loop,
            self._cells,
            BUCKETS_MS,
            layout.request,
            layout.client_connections,
            layout.client_connections_total,
            settings.upstream_connections,
            settings.buffer_size,
        )
        self.frontend.route(*build(config.route, self.pool, LocalRoute(__version__, self._stats)))
        self._peers = Peers(self.loop, rows)
        if len(rows) > 1:
            self._peers.watch([host for host in self.hosts if host.journal is not None])
        for host in self.hosts:
            if host.journal:
                host.mark_down("an event loop ended that knew which writes it has missed")

    def _host(self, config: Config, settings: Settings, index: int, stretches: Any) -> Host:
        layout = self._layout
        tally = Tally(
            self._cells,
            BUCKETS_MS,
            layout.upstream[index],
            layout.direct[index],
            layout.errors[index],
            layout.hits[index],
            layout.misses[index],
            layout.connections[index],
            layout.healthy[index],
            layout.rejoin(index),
        )
        host = Host(
            config.hosts[index].text,
            self.loop,
            tally,
            stretches,
            lanes=settings.upstream_connections,
            timeout=settings.timeout_ms / 1000,
            buffer_size=settings.buffer_size,
            timeouts_until_tko=settings.timeouts_until_tko,
            on_health=self._on_health,
        )
        mode = rejoin_mode(config)
        if mode != IGNORE:
            host.journal = Journal(mode, config.journal_keys // len(self._rows), tally.keeps)
            if self._cells[tally.dirty]:
                host.journal.overflow()
        return host

    def _on_health(self, _host: Host) -> None:
        self.pool.refresh()
        self.frontend.find_direct(bool(self.pool.away))

    def _watch(self, host: Host, address: HostAddress, settings: Settings) -> List[Any]:
        """Has the host's name resolved and its health probed."""
        prober = Prober(host, settings.healthcheck_interval)
        known = known_address(address.host, address.port, address.path)
        if known is not None:
            host.moved(known)
            prober.start()
            return [prober]

        def found(where: Tuple[int, Any]) -> None:
            first = host.address is None
            host.moved(where)
            if first:
                prober.start()

        resolver = Resolver(self.loop, address.host, address.port, settings.dns_cache_ttl, host.timeout, found)
        resolver.start()
        return [prober, resolver]

    def run(self, listeners: Iterable[socket.socket]) -> None:
        """Serves until `stop`."""
        for sock in listeners:
            self.frontend.listen(sock)
        self.loop.call_soon(self._connect)  # once the clock is read: connecting has a deadline
        try:
            self.loop.run()
        finally:
            self._close()

    def _connect(self) -> None:
        for host in self.hosts:
            host.connect()

    def stop(self, drain: float) -> None:
        """Stops accepting, answers what is in flight for at most `drain` seconds, ends. Safe from anywhere."""
        self.loop.call_soon_threadsafe(lambda: self._drain(drain))

    def _drain(self, seconds: float) -> None:
        if self._drain_until is None:
            self._drain_until = self.loop.now + seconds
            self.frontend.on_empty = self.loop.stop
            self.frontend.drain()
            self.loop.call_later(seconds, self.loop.stop)

    def _close(self) -> None:
        for watchers in self._watchers:
            for watcher in watchers:
                watcher.stop()
        self._peers.stop()
        self.frontend.close()
        for host in self.hosts:
            host.close()
        self.loop.close()

    def _stats(self) -> Iterable[Tuple[str, object]]:
        """The router's own `stats`, over all shards."""
        layout, rows = self._layout, self._rows

        def total(cell: int) -> int:
            return int(sum(row[cell] for row in rows))

        yield from (("pid", os.getpid()), ("uptime", int(time.time() - self._started)), ("time", int(time.time())))
        yield from (("version", f"{__version__} mcrouter"), ("curr_connections", total(layout.client_connections)))
        yield "total_connections", total(layout.client_connections_total)
        for command in COMMANDS:
            blocks = layout.requests(command.number)
            count = sum(total(first + bucket) for first in blocks for bucket in range(len(BUCKETS_MS) + 1))
            yield f"cmd_{command.name}", count
        yield "get_hits", sum(map(total, layout.hits))
        yield "get_misses", sum(map(total, layout.misses))
        for host in self.hosts:
            yield f"host:{host.name}", "healthy" if host.healthy else "unhealthy"


class Router:
    """The router: `bind`, then `serve` in this thread or `start` one; `stop` ends it.

    `addresses` are where it listens and `metrics_address` where it shows its metrics (None: nowhere), known after
    `bind`. Raises RouterError when it cannot listen.
    """

    def __init__(self, config: Config, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.addresses: List[str] = []
        self.metrics_address: Optional[str] = None
        self._layout = Layout([command.name for command in COMMANDS], [host.text for host in config.hosts])
        self._count = settings.server_event_loops
        self._shared = shared_cells(self._layout, self._count) if self._count > 1 else None
        self._rows = self._shared.rows if self._shared else [local_cells(self._layout)]
        self._listeners: List[List[socket.socket]] = []
        self._server: Any = None
        self._shard: Optional[Shard] = None
        self._supervisor: Any = None
        self._thread: Optional[threading.Thread] = None
        self._stop_asked: Optional[float] = None

    def bind(self) -> None:
        """Opens the listening sockets and the metrics port; raises RouterError."""
        if self._listeners:
            return
        if self.settings.metrics_listen_addr is not None:
            self._bind_metrics()
        try:
            self._listeners, self.addresses = open_listeners(self.settings.listen, self._count)
        except ListenError as error:
            if self._server is not None:
                self._server.stop()
            raise RouterError(str(error)) from None

    def _bind_metrics(self) -> None:
        from .metrics.server import MetricsServer

        address = self.settings.metrics_listen_addr
        assert address is not None
        try:
            self._server = MetricsServer(
                (address.host, address.port), {"/metrics": self._metrics, "/healthz": self._health}
            )
        except OSError as error:
            raise RouterError(f"cannot listen on {address.text} for metrics: {error.strerror}") from None
        host, port = self._server.address[:2]
        self.metrics_address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def serve(self) -> None:
        """Serves in this thread until `stop`; raises RouterError when it cannot listen."""
        self.bind()
        try:
            if self._count == 1:
                self._serve_alone()
            else:
                self._serve_shards()
        finally:
            if self._server is not None:
                self._server.stop()
            self._close_listeners()
            if self._shared is not None:
                self._rows = []
                self._shared.close()

    def start(self) -> None:
        """Serves in a thread of its own."""
        self.bind()
        self._thread = threading.Thread(target=self.serve, name="mcrouter", daemon=True)
        self._thread.start()

    def stop(self, drain: float = 5.0) -> None:
        """Ends `serve`: in-flight requests are answered, for at most `drain` seconds. From any thread or a signal."""
        self._stop_asked = drain
        if self._shard is not None:
            self._shard.stop(drain)
        if self._supervisor is not None:
            self._supervisor.stop(drain)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> "Router":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve_alone(self) -> None:
        import gc

        self._shard = Shard(self.config, self.settings, self._layout, self._rows)
        if self._server is not None:
            self._server.start()
        if self._stop_asked is not None:
            self._shard.stop(self._stop_asked)
        gc.collect()
        gc.freeze()  # what lives from the start is not looked at again by every collection
        listeners, self._listeners = self._listeners, []
        self._shard.run(listeners[0])

    def _serve_shards(self) -> None:
        from .engine.shards import Supervisor

        self._supervisor = Supervisor(
            self._count, self._be_shard, lambda number: clear_gauges(self._layout, self._rows[number])
        )
        if self._server is not None:
            self._server.start()
        if self._stop_asked is not None:
            self._supervisor.stop(self._stop_asked)
        self._supervisor.serve()

    def _be_shard(self, number: int, lifeline: int) -> None:
        """The life of a shard's process."""
        import gc

        if self._server is not None:
            self._server.close_in_child()
        for other, listeners in enumerate(self._listeners):
            if other != number:
                for sock in listeners:
                    sock.close()
        shard = Shard(self.config, self.settings, self._layout, self._rows, number)
        signal.signal(signal.SIGTERM, lambda *_: shard.stop(self._stop_asked or 5.0))
        shard.loop.watch_listener(lifeline, lambda _mask: shard.loop.stop())
        gc.collect()
        gc.freeze()
        shard.run(self._listeners[number])

    def _close_listeners(self) -> None:
        for listeners in self._listeners:
            for sock in listeners:
                sock.close()
        self._listeners = []

    def _metrics(self) -> Tuple[int, str, bytes]:
        from .metrics.exposition import CONTENT_TYPE, collect, render
        from .metrics.process import process_facts

        pids = [os.getpid(), *(self._supervisor.pids if self._supervisor else ())]
        families = collect(self._layout, self._rows, __version__, process_facts(pids))
        return 200, CONTENT_TYPE, render(families)

    def _health(self) -> Tuple[int, str, bytes]:
        from .metrics.server import health_page

        return health_page(sum(all(row[cell] for row in self._rows) for cell in self._layout.healthy))


def load_config(text: "str | bytes", source: str = "config") -> Config:
    """A config from its text (the YAML subset or JSON); `source` is what errors call it. Raises ConfigError."""
    return parse_config(text, source, VOCABULARY)
