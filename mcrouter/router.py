"""The composition root: makes engine, routes and metrics from a config and settings. The only module that knows all
packages.

Router ── n = 1 ──► Worker, in this thread
    └──── n > 1 ──► Supervisor ──► a process for each Worker
Worker: event loop + hosts (with prober and resolver) + routes + frontend; it counts in its own row of cells
"""

import contextlib
import gc
import itertools
import logging
import os
import re
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from . import __version__
from .config import Config, Options, Vocabulary, load_file
from .config import load_config as parse_config
from .counters.cells import clear_gauges, local_cells, shared_cells
from .counters.layout import Layout, NoRoom
from .counters.reader import CounterReader
from .errors import RouterError
from .proto.commands import COMMANDS
from .routes.handles import HANDLES, ORDERED_POOL_HANDLES
from .server.config_watcher import ConfigState
from .server.listeners import ListenError, SocketFiles, open_listeners, real_address
from .server.policy import at_once, freeze_gc, in_portions
from .server.takeover import Inheritance
from .server.worker import Worker
from .settings import Settings
from .stats import About
from .system.clock import unix_time
from .system.deferred import before, importing, own, standard
from .system.host_id import host_id
from .system.logs import get_logger, lines_dropped

if TYPE_CHECKING:
    import json

    from . import client
    from .client import Client
    from .engine.clients import call
    from .metrics import exposition, process, server
    from .metrics import page as health
    from .routes import build
    from .server import supervisor, worker_process
    from .stats import summary
    from .status import facts, history, page
else:
    client, call = own("client"), own("engine.clients.call")
    supervisor, worker_process = own("server.supervisor"), own("server.worker_process")
    server, exposition = own("metrics.server"), own("metrics.exposition")
    before("stats.servers", "status.look")
    process, build, summary = own("metrics.process"), own("routes.build"), own("stats.summary")
    health, history, facts, page = own("metrics.page"), own("status.history"), own("status.facts"), own("status.page")
    json = standard("json")

logger = get_logger(__name__)
# Without this handler Python would print warnings to stderr in a program that has not set up logging.
logging.getLogger(__package__).addHandler(logging.NullHandler())

VOCABULARY = Vocabulary(
    ordered_pool_form=ORDERED_POOL_HANDLES,
    handles=HANDLES,
    commands=tuple(command.name for command in COMMANDS),
    ignored=("lease-get", "lease-set", "metaget", "exec", "admin", "flushre"),
)
"""The names that a config may use."""


_SPARE_HOSTS = 256  # room for hosts that reloads add, besides as many again as in the config; unused room costs nothing
_PATIENCE = 60.0  # seconds that a reload may take
_LOOK = 0.5  # seconds between checks whether the event loop still exists, during a reload
_FIRST_CLIENT = 0.5  # seconds that the modules which a start does not need wait for the first client
_FIRST_ANSWER = 0.02  # seconds that they wait for its answer
_STALLED = 5.0  # seconds without a tick after which an event loop counts as stalled
_HEALTH_PATIENCE, _HEALTH_LOOK = 1.0, 0.02  # seconds that /healthz waits for a stalled loop, and between two checks
_ELSEWHERE = (
    "the router serves in the process that this one was forked from; connect to its addresses, or make another router"
)
_STOPPED = "the router has been stopped; make another one"


def describe(config: Config) -> str:
    """Returns the hosts, and the route of each command, for --validate-config."""
    lines = [f"{config.source}: {len(config.hosts)} hosts: " + ", ".join(host.text for host in config.hosts)]
    by_route: Dict[str, List[str]] = {}
    narrowed = build.Specialised(config)
    for command in COMMANDS:
        route = config.routes[narrowed.real(config.route, command)].type
        by_route.setdefault(route, []).append(command.name)
    lines += [f"{route}: {', '.join(commands)}" for route, commands in by_route.items()]
    return "\n".join(lines)


class Router:
    """A router that serves once: `serve` in this thread or `start` in a new one; `stop` ends it. As a context manager
    it starts and stops.

    `addresses`: the addresses that it listens on. `metrics_address`: the address of its metrics (None: there are none).
    Both are known after `bind` and `start`, and within `with`. Several routers may run in one process; each has its own
    hosts, counters and threads.
    """

    def __init__(
        self, config: Config, settings: Optional[Settings] = None, inheritance: Optional[Inheritance] = None
    ) -> None:
        settings = settings or Settings()
        self._started = unix_time()
        self._inheritance = inheritance or Inheritance()
        self.config = config
        self.settings = settings
        self.addresses: List[str] = []
        self.metrics_address: Optional[str] = None
        self._count = settings.server_event_loops
        spare = _SPARE_HOSTS + len(config.hosts) if self._count > 1 else 0
        self._layout = Layout([command.name for command in COMMANDS], [host.text for host in config.hosts], spare)
        self._reloading = threading.Lock()
        self._shared = shared_cells(self._layout, self._count) if self._count > 1 else None
        self._rows: List[Any] = list(self._shared.rows) if self._shared else [local_cells(self._layout)]
        self._counters = CounterReader(self._layout, self._rows)
        self.config_state = ConfigState()
        self.config_state.on_change = self._tell_config_state
        self._tell_config_state()
        self.command_args = ""
        """The command line that `stats` shows."""
        self._by_address: Dict[str, List[socket.socket]] = {}
        self._listeners: List[List[socket.socket]] = []  # by event loop
        self._files = SocketFiles()
        self._server: Any = None
        self._history: Any = None
        self._facts_of: Any = None
        self._worker: Optional[Worker] = None
        self._supervisor: Any = None
        self._thread: Optional[threading.Thread] = None
        self._stop_asked: Optional[float] = None
        self._serving = threading.Event()
        self._has_begun = False
        self._process = 0  # the process that serves
        self._ended = False
        self._callers = itertools.count()
        self.owns_process = False
        """Whether nothing else runs in this process, as on the command line. Then `serve`, in the main thread, wakes up
        for signals whose handlers the caller has set, and long-lived objects are hidden from the garbage collector."""

    def bind(self) -> None:
        """Opens the listening sockets and the metrics port; raises RouterError. `start` and `serve` call this."""
        if self._listeners:
            return
        if self._ended:
            raise RouterError(_STOPPED)
        if self.settings.metrics_listen_addr is not None:
            self._bind_metrics()
        try:
            self._by_address = open_listeners(self.settings.listen, self._count, self._inheritance.listen)
        except ListenError as error:
            if self._server is not None:
                self._server.stop()
            raise RouterError(str(error)) from None
        self._files = SocketFiles(self.settings.listen)
        self.addresses = [real_address(address, self._by_address[address.text][0]) for address in self.settings.listen]
        count, opened = self._count, self._by_address.values()
        self._listeners = [[sock for socks in opened for sock in socks[worker::count]] for worker in range(count)]

    def _bind_metrics(self) -> None:
        address = self.settings.metrics_listen_addr
        assert address is not None
        fd = address.fd if self._inheritance.metrics is None else self._inheritance.metrics
        try:
            where: Any = (address.host, address.port) if fd < 0 else socket.socket(fileno=fd)
            self._history = history.History(self._counters)
            pages = {"/": self._status_page, "/status.json": self._status, "/metrics": self._metrics,
                     "/healthz": self._health}  # fmt: skip
            self._server = server.MetricsServer(where, pages, pulse=server.Pulse(history.INTERVAL, self._history.look))
        except OSError as error:
            why = f"{error.strerror or error}; give --metrics-listen-addr another address, or off"
            raise RouterError(f"cannot listen on {address.text} for metrics: {why}") from None
        host, port = self._server.address[:2]
        self.metrics_address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def serve(self) -> None:
        """Serves in this thread until `stop`, which may be called before; raises RouterError if it cannot listen."""
        if self._has_begun:
            raise RouterError(_STOPPED)
        self._has_begun = True
        self._process = os.getpid()
        try:
            if self._stop_asked is None:
                self.bind()
                if self._count == 1:
                    self._serve_alone()
                else:
                    self._serve_workers()
        finally:
            if self.owns_process:
                signal.set_wakeup_fd(-1)
            self._close()

    def _close(self) -> None:
        self._ended = True
        if self._server is not None:
            self._server.stop()
        for sock in itertools.chain(*self._listeners):
            sock.close()
        self._listeners = []
        self._files.remove()
        if self._shared is not None:
            self._rows.clear()
            self._shared.close()

    def start(self) -> None:
        """Starts to serve in a new thread, and returns when it serves. Raises RouterError if it cannot listen."""
        self.bind()
        failures: List[BaseException] = []

        def run() -> None:
            try:
                self.serve()
            except BaseException as error:
                if self._serving.is_set():
                    raise
                failures.append(error)
            finally:
                self._serving.set()

        self._thread = threading.Thread(target=run, name="mcrouter", daemon=True)
        self._thread.start()
        self._serving.wait()
        if failures:
            raise failures[0]

    def stop(self, drain: float = 5.0) -> None:
        """Ends the router; waits at most `drain` seconds for the answers of in-flight requests.

        May be called from any thread, or from a signal handler; waits for the thread of `start`. Has no effect when
        called again, or in a forked child.
        """
        self._stop_asked = drain
        if self._is_elsewhere():
            return
        if self._worker is not None:
            self._worker.stop(drain)
        if self._supervisor is not None:
            self._supervisor.stop(drain)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        elif not self._has_begun:
            self._close()

    def _is_elsewhere(self) -> bool:
        """Returns whether this process was forked from the one that serves. A fork copies no threads, so it has no
        event loop."""
        return self._process not in (0, os.getpid())

    def client(self) -> "Client":
        """Returns a client without a socket, which uses the same routes; any number of threads may share it.

        Raises RouterError with several event loops: these are other processes, which listen on `addresses`.
        """
        if self._count > 1:
            raise RouterError("a client without a socket needs server_event_loops=1; connect to the router's addresses")
        connection = next(self._callers) % self.settings.upstream_connections
        return client.Client(lambda data: self._ask(data, connection))

    def _ask(self, data: bytes, connection: int) -> bytes:
        if self._is_elsewhere():
            raise RouterError(_ELSEWHERE)
        worker = self._worker
        try:
            if worker is not None:
                return call.ask(worker.frontend, connection, data)
        except call.Ended:
            pass
        raise RouterError("the router does not serve; ask between start() and stop()")

    def stats(self) -> Dict[str, Any]:
        """Returns counters, and the health of the hosts (stats/summary.py). May be called from any thread, while the
        router serves."""
        return summary.summary(self._counters, self._started)

    def inheritance(self) -> Dict[str, Any]:
        """Returns what a successor inherits: an Inheritance without its link."""
        return {
            "listen": {text: [sock.fileno() for sock in socks] for text, socks in self._by_address.items()},
            "metrics": None if self._server is None else self._server.fileno(),
            "away": self._counters.hosts_with_missed_writes(),
        }

    def no_forks(self) -> Any:
        """Waits until the router serves; returns a lock. While it is held, no process of an event loop is forked, which
        would inherit all open descriptors. Must be called from another thread."""
        self._serving.wait(_PATIENCE)
        return contextlib.nullcontext() if self._supervisor is None else self._supervisor.lock

    def hand_over(self, link: socket.socket) -> None:
        """Passes all clients to the successor over `link`, then ends `serve`. Must be called from another thread."""
        self._files = SocketFiles()  # the files of unix sockets stay: the successor listens there
        if self._server is not None:
            self._server.stop()
        if self._supervisor is not None:
            self._supervisor.leave(link.fileno())
            link.close()
        elif self._worker is not None:
            self._worker.hand_over(link)

    def reload(self, config: Config) -> None:
        """Puts another config into effect between two requests. Hosts in both configs keep their connections.

        Raises ValueError if that fails; then the previous config stays in effect. Raises RouterError if the router has
        been stopped. May be called from any thread but that of the event loop.
        """
        if self._is_elsewhere():
            raise RouterError(_ELSEWHERE)
        with self._reloading:
            if self._supervisor is not None:
                self._reload_workers(config)
            elif self._worker is not None:
                self._reload_alone(self._worker, config)
            else:
                self._make_room(config)
            self.config = config

    def _make_room(self, config: Config) -> None:
        """Makes counters for new hosts; raises ValueError if there is no room."""
        if self._shared is None:
            self._rows[0].extend([0] * self._layout.grow([host.text for host in config.hosts]))
        try:
            new = self._layout.place([host.text for host in config.hosts])
        except NoRoom as error:
            raise ValueError(f"{error}; restart the router (SIGUSR2)") from None
        for slot in new:
            for row in self._rows:
                self._layout.clear(row, slot)

    def _reload_workers(self, config: Config) -> None:
        before = self._layout.placement

        def settle() -> None:
            self.config = config

        try:
            self._make_room(config)
            self._supervisor.agree(worker_process.reload_messages(config, self._layout.placement), settle)
        except ValueError:
            self._layout.placement = before
            raise

    def _reload_alone(self, worker: Worker, config: Config) -> None:
        failures: List[Exception] = []
        done = threading.Event()

        before = self._layout.placement

        def change() -> None:
            try:
                self._make_room(config)
            except Exception as error:
                prepared(error)
            else:
                worker.prepare(config, prepared)

        def prepared(error: Optional[Exception]) -> None:
            if error is None:
                # Before the commit, so that the event loop can free the previous config in portions.
                self.config = config
                worker.commit(done.set)
            else:
                self._layout.placement = before
                failures.append(error)
                done.set()

        if not worker.loop.call_soon_threadsafe(change):
            raise RouterError(_STOPPED)
        patience = time.monotonic() + _PATIENCE
        while not done.wait(_LOOK):
            if worker.loop.wakeup.closed:
                raise RouterError(_STOPPED)
            if time.monotonic() > patience:
                raise ValueError("the event loop does not answer")
        if failures:
            raise failures[0]

    def __enter__(self) -> "Router":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve_alone(self) -> None:
        with self._reloading:
            self._worker = self._make_worker()
        if self._server is not None:
            self._server.start()
        if self._stop_asked is not None:
            self._worker.stop(self._stop_asked)
        if self.owns_process:
            signal.set_wakeup_fd(self._worker.loop.wakeup.write_fd, warn_on_full_buffer=False)
        if self._inheritance.link is not None:
            self._worker.take_clients(socket.socket(fileno=os.dup(self._inheritance.link)))
        self._inherited()
        self._import_rest(self._worker)
        self._worker.run(self._listeners[0])

    def _import_rest(self, worker: Worker, number: int = 0) -> None:
        """Has all that was deferred imported, once the first client has had time to be answered, or when none comes."""
        loop, accepted = worker.loop, self._layout.client_connections_total
        at_last = loop.clock() + _FIRST_CLIENT

        def look() -> None:
            if loop.clock() < at_last and not self._rows[number][accepted]:
                loop.call_later(_FIRST_ANSWER, look)
            else:
                loop.call_later(_FIRST_ANSWER, begin)

        def begin() -> None:
            in_portions(loop, importing(), done, contextlib.nullcontext())

        def done(_result: Any, _error: Optional[Exception]) -> None:
            if self.owns_process or self._count > 1:
                freeze_gc()  # without a collection, which would hold the tick up: there is hardly any garbage
                gc.enable()

        look()

    def _make_worker(self, number: int = 0) -> Worker:
        about = About(self._started, self.command_args, os.getppid() if self._count > 1 else None)
        keeps = self.owns_process or self._count > 1
        return Worker(
            self.config, self.settings, self._layout, self._rows, number, self._inheritance.away, about, keeps
        )

    def _tell_config_state(self) -> None:
        """Writes the state of the config into shared cells, from which all event loops answer `stats`."""
        state, layout = self.config_state, self._layout
        for row in self._rows[:1]:  # there is no row when the router has ended
            row[layout.config_failures] = state.failures
            row[layout.config_last_attempt] = state.last_attempt
            row[layout.config_last_success] = state.since

    def _inherited(self) -> None:
        """Tells the predecessor that this process serves, then drops what was inherited."""
        self._inheritance.ready()
        if self._inheritance.link is not None:
            os.close(self._inheritance.link)
        self._inheritance = Inheritance()
        self._serving.set()

    def _serve_workers(self) -> None:
        self._supervisor = supervisor.Supervisor(
            self._count, self._run_worker, lambda number: clear_gauges(self._layout, self._rows[number])
        )
        if self._server is not None:
            self._server.start()
        if self._stop_asked is not None:
            self._supervisor.stop(self._stop_asked)
        if self.owns_process:
            signal.set_wakeup_fd(self._supervisor.wakeup.write_fd, warn_on_full_buffer=False)
        self._supervisor.serve(self._started_workers)

    def _started_workers(self) -> None:
        """Imports what the supervisor, and the processes that it will fork later, may need; the others import that for
        themselves."""
        self._inherited()
        at_once(importing())
        if self.owns_process:
            gc.enable()

    def _run_worker(self, number: int, lifeline: int, channel: Any) -> None:
        """Runs in the process of an event loop until that ends."""
        if self._server is not None:
            self._server.close_in_child()
        for other, listeners in enumerate(self._listeners):
            if other != number:
                for sock in listeners:
                    sock.close()
        worker = self._make_worker(number)
        if self._inheritance.link is not None:
            worker.take_clients(socket.socket(fileno=self._inheritance.link))
        for number_of_parent in (signal.SIGHUP, signal.SIGUSR2):
            signal.signal(number_of_parent, signal.SIG_IGN)
        signal.set_wakeup_fd(worker.loop.wakeup.write_fd, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: worker.stop(self._stop_asked or 5.0))
        supervisor.heed_signals()
        if self._stop_asked is not None:  # `stop` was called before the fork
            worker.stop(self._stop_asked)
        worker_process.Child(worker, self._layout, channel)
        worker.loop.watch_listener(lifeline, lambda _mask: worker.loop.stop())
        gc.disable()  # until all is imported
        self._import_rest(worker, number)
        worker.run(self._listeners[number])

    def _metrics(self) -> Tuple[int, str, bytes]:
        pids = [os.getpid(), *(self._supervisor.pids if self._supervisor else ())]
        dropped = self._counters.total(self._layout.log_lines_dropped)
        if self._count > 1:  # this process has no row of its own
            dropped += lines_dropped()
        told = {**self.config_state.facts(), "log_lines_dropped_total": dropped}
        families = exposition.collect(self._counters, __version__, process.process_facts(pids), told)
        return 200, exposition.CONTENT_TYPE, exposition.render(families, self.settings.metrics_namespace)

    def _status_page(self) -> Tuple[int, str, bytes]:
        return 200, "text/html; charset=utf-8", page.page(self._facts()).encode()

    def _status(self) -> Tuple[int, str, bytes]:
        return 200, "application/json", json.dumps(self._facts(), indent=1).encode()

    def _facts(self) -> Dict[str, Any]:
        if self._facts_of is None:
            about = {
                "name": self.settings.router_name,
                "started": self._started,
                "listen": self.addresses,
                "metrics": self.metrics_address,
                "loops": self._count,
            }
            self._facts_of = facts.StatusFacts(self._history, self.config_state, about)
        found: Dict[str, Any] = self._facts_of.all(self.config)
        return found

    def _health(self) -> Tuple[int, str, bytes]:
        patience = time.monotonic() + _HEALTH_PATIENCE  # after a pause of the process, its loops need a moment
        while True:
            now = time.monotonic()
            stalled = self._counters.stalled_loops(now - _STALLED)
            if not stalled or now >= patience:
                return health.health_page(self._counters.healthy_hosts(), stalled)
            time.sleep(_HEALTH_LOOK)


def reading_options(settings: Settings) -> Options:
    """Returns the options for reading configs under these settings."""
    _, region, cluster, _ = settings.route_prefix.split("/")
    params = {
        "default-route": settings.route_prefix,
        "default-region": region,
        "default-cluster": cluster,
        "router-name": settings.router_name,
        "service-name": settings.router_name,
        "num-proxies": settings.server_event_loops,
        "hostid": str(host_id()),
        **settings.config_params,
    }
    return Options(settings.route_prefix, params, bool(settings.config_params))


def load_config(
    text_or_path: "str | bytes | os.PathLike[str]", source: str = "config", settings: Optional[Settings] = None
) -> Config:
    """Returns a config from its text (the YAML subset or JSON) or its file. `source` is the name of a text in errors.

    An os.PathLike is a path; so is a str of one line without braces, which cannot be a config. Raises ConfigError.
    """
    options = reading_options(settings or Settings())
    if isinstance(text_or_path, os.PathLike):
        return load_file(os.fspath(text_or_path), VOCABULARY, options)
    if isinstance(text_or_path, str) and text_or_path.strip() and not re.search(r"[\n{}]", text_or_path):
        return load_file(text_or_path, VOCABULARY, options)
    return parse_config(text_or_path, source, VOCABULARY, options)
