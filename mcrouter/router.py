"""The public API: a config and settings become a running router.

Router ── n = 1 ──► server/processes/single.py: an event loop in this thread
    └──── n > 1 ──► server/processes/several.py: a supervisor, and a process for each event loop
Each event loop (server/worker.py) has its own hosts, routes and clients, and its own row of counters (counters/).
"""

import contextlib
import itertools
import logging
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from .config import Config
from .config.state import ConfigState
from .counters.cells import clear_gauges, local_cells, shared_cells
from .counters.layout import Layout
from .counters.reader import CounterReader
from .errors import RouterError
from .proto.commands import COMMANDS
from .server.configs.reloading import STOPPED, HostSlots
from .server.listeners import ListenError, SocketFiles, open_listeners, real_address
from .server.pages import Pages
from .server.processes.serving import Serving, Start
from .server.processes.single import SingleLoop
from .server.processes.takeover import Inheritance
from .server.worker import Worker
from .settings import Settings
from .stats import About
from .system.clock import unix_time
from .system.deferred import before, own

if TYPE_CHECKING:
    from . import client
    from .client import Client
    from .engine.clients import call
    from .server.processes import several
    from .spool import directory
    from .stats import summary
else:
    client, call = own("client"), own("engine.clients.call")
    several, summary = own("server.processes.several"), own("stats.summary")
    before("spool")
    directory = own("spool.directory")

# Without this handler Python would print warnings to stderr in a program that has not set up logging.
logging.getLogger(__package__).addHandler(logging.NullHandler())

_SPARE_HOSTS = 256  # room for hosts that reloads add, besides as many again as in the config; unused room costs nothing
_PATIENCE = 60.0  # seconds that a restart waits for the router to serve
_ELSEWHERE = (
    "the router serves in the process that this one was forked from; connect to its addresses, or make another router"
)
_SERVES = "the router serves already; make another one"


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
        self.config = config
        self.settings = settings = settings or Settings()
        self.addresses: List[str] = []
        self.metrics_address: Optional[str] = None
        self.command_args = ""
        """The command line that `stats` shows."""
        self.owns_process = False
        """Whether nothing else runs in this process, as on the command line. Then `serve`, in the main thread, wakes up
        for signals whose handlers the caller has set, and long-lived objects are hidden from the garbage collector."""
        self._started = unix_time()
        self._inheritance = inheritance or Inheritance()
        self._count = settings.server_event_loops
        spare = _SPARE_HOSTS + len(config.hosts) if self._count > 1 else 0
        self._layout = Layout([command.name for command in COMMANDS], [host.text for host in config.hosts], spare)
        self._shared = shared_cells(self._layout, self._count) if self._count > 1 else None
        self._rows: List[Any] = list(self._shared.rows) if self._shared else [local_cells(self._layout)]
        self._slots = HostSlots(self._layout, self._rows, can_grow=self._shared is None)
        self._counters = CounterReader(self._layout, self._rows)
        self.config_state = ConfigState(self._note_config_state)
        self._pages = Pages(
            self._counters, settings, self.config_state, lambda: self.config, self._pids, self._about
        )
        self._by_address: Dict[str, List[socket.socket]] = {}
        self._files = SocketFiles()
        self._reloading = threading.Lock()
        self._serving: Optional[Serving] = None
        self._is_serving = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self._stop_asked: Optional[float] = None
        self._process = 0  # the process that serves
        self._ended = False
        self._callers = itertools.count()

    # life -----------------------------------------------------------------------------------------------------------

    def bind(self) -> None:
        """Opens the listening sockets and the metrics port; raises RouterError. `start` and `serve` call this."""
        if self._by_address:
            return
        if self._ended:
            raise RouterError(STOPPED)
        self._check_async_dir()
        metrics = self.settings.metrics_listen_addr
        if metrics is not None:
            self.metrics_address = self._pages.listen(metrics, self._inheritance.metrics)
        try:
            self._by_address = open_listeners(self.settings.listen, self._count, self._inheritance.listen)
        except ListenError as error:
            self._pages.stop()
            raise RouterError(str(error)) from None
        self._files = SocketFiles(self.settings.listen)
        self.addresses = [real_address(address, self._by_address[address.text][0]) for address in self.settings.listen]

    def _check_async_dir(self) -> None:
        path = self.settings.async_dir
        if path and not self.settings.asynclog_disable:
            try:
                directory.check_directory(path)
            except OSError as error:
                why = f"{error.filename}: {error.strerror}; name a folder that this process can write to"
                raise RouterError(f"cannot use --async-dir {path}: {why}") from None

    def serve(self) -> None:
        """Serves in this thread until `stop`, which may be called before; raises RouterError if it cannot listen."""
        self._check_unused()
        self._process = os.getpid()
        try:
            if self._stop_asked is None:
                self.bind()
                self._serve()
        finally:
            if self.owns_process:
                signal.set_wakeup_fd(-1)
            self._close()

    def _serve(self) -> None:
        with self._reloading:
            self._serving = serving = self._make_serving()
        self._pages.start()
        if self._stop_asked is not None:
            serving.stop(self._stop_asked)
        serving.serve()

    def start(self) -> None:
        """Starts to serve in a new thread, and returns when it serves. Raises RouterError if it cannot listen."""
        self._check_unused()
        self.bind()
        failures: List[BaseException] = []

        def run() -> None:
            try:
                self.serve()
            except BaseException as error:
                if self._is_serving.is_set():
                    raise
                failures.append(error)
            finally:
                self._is_serving.set()

        self._thread = threading.Thread(target=run, name="mcrouter", daemon=True)
        self._thread.start()
        self._is_serving.wait()
        if failures:
            raise failures[0]

    def _check_unused(self) -> None:
        if self._process:
            raise RouterError(STOPPED if self._ended else _SERVES)

    def stop(self, drain: float = 5.0) -> None:
        """Ends the router; waits at most `drain` seconds for the answers of in-flight requests.

        May be called from any thread, or from a signal handler; waits for the thread of `start`. Has no effect when
        called again, or in a forked child.
        """
        self._stop_asked = drain
        if self._is_elsewhere():
            return
        if self._serving is not None:
            self._serving.stop(drain)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        elif not self._process:
            self._close()

    def _close(self) -> None:
        self._ended = True
        self._pages.stop()
        for sock in itertools.chain(*self._by_address.values()):
            sock.close()
        self._by_address = {}
        self._files.remove()
        if self._shared is not None:
            self._rows.clear()
            self._shared.close()

    def __enter__(self) -> "Router":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # use ------------------------------------------------------------------------------------------------------------

    def client(self) -> "Client":
        """Returns a client without a socket, which uses the same routes; any number of threads may share it.

        Raises RouterError with several event loops: these are other processes, which listen on `addresses`.
        """
        if self._count > 1:
            raise RouterError("a client without a socket needs server_event_loops=1; connect to the router's addresses")
        number = next(self._callers) % self.settings.upstream_connections
        return client.Client(lambda data: self._ask(data, number))

    def _ask(self, data: bytes, connection_number: int) -> bytes:
        if self._is_elsewhere():
            raise RouterError(_ELSEWHERE)
        worker = self._worker
        try:
            if worker is not None:
                return call.ask(worker.frontend, connection_number, data)
        except call.Ended:
            pass
        raise RouterError("the router does not serve; ask between start() and stop()")

    def stats(self) -> Dict[str, Any]:
        """Returns counters, and the health of the hosts (stats/summary.py). May be called from any thread, while the
        router serves."""
        return summary.summary(self._counters, self._started)

    def reload(self, config: Config) -> None:
        """Puts another config into effect between two requests. Hosts in both configs keep their connections.

        Raises ValueError if that fails; then the previous config stays in effect. Raises RouterError if the router has
        been stopped. May be called from any thread but that of the event loop.
        """
        if self._is_elsewhere():
            raise RouterError(_ELSEWHERE)
        with self._reloading:
            if self._serving is not None:
                self._serving.reload(config)
            else:
                self._slots.make_room(config)
            self.config = config

    # restart (server/processes/takeover.py) -----------------------------------------------------------------------

    def inheritance(self) -> Dict[str, Any]:
        """Returns what a successor inherits: an Inheritance without its link."""
        return {
            "listen": {text: [sock.fileno() for sock in socks] for text, socks in self._by_address.items()},
            "metrics": self._pages.fileno(),
            "away": self._counters.hosts_with_missed_writes(),
        }

    def no_forks(self) -> Any:
        """Waits until the router serves; returns a lock. While it is held, no process of an event loop is forked, which
        would inherit all open descriptors. Must be called from another thread."""
        self._is_serving.wait(_PATIENCE)
        return contextlib.nullcontext() if self._serving is None else self._serving.no_forks()

    def hand_over(self, link: socket.socket) -> None:
        """Passes all clients to the successor over `link`, then ends `serve`. Must be called from another thread."""
        self._files = SocketFiles()  # the files of unix sockets stay: the successor listens there
        self._pages.stop()
        if self._serving is not None:
            self._serving.hand_over(link)

    # parts ----------------------------------------------------------------------------------------------------------

    def _make_serving(self) -> Serving:
        count, opened = self._count, self._by_address.values()
        start = Start(
            self._make_worker,
            [[sock for socks in opened for sock in socks[number::count]] for number in range(count)],
            lambda: self._inheritance,
            self._slots,
            self._pages,
            self.owns_process,
            lambda number: bool(self._rows[number][self._layout.client_connections_total]),
            self._set_config,
            self._on_serving,
            lambda: self._stop_asked,
        )
        if count == 1:
            return SingleLoop(start)
        processes: Serving = several.LoopProcesses(
            start, lambda number: clear_gauges(self._layout, self._rows[number])
        )
        return processes

    def _make_worker(self, number: int = 0) -> Worker:
        about = About(self._started, self.command_args, os.getppid() if self._count > 1 else None)
        owns_process = self.owns_process or self._count > 1
        return Worker(
            self.config, self.settings, self._layout, self._rows, number, self._inheritance.away, about, owns_process
        )

    def _set_config(self, config: Config) -> None:
        self.config = config

    def _on_serving(self) -> None:
        self._inheritance.release()
        self._inheritance = Inheritance()
        self._is_serving.set()

    def _note_config_state(self, state: ConfigState) -> None:
        """Writes the state of the config into shared cells, from which all event loops answer `stats`."""
        layout = self._layout
        for row in self._rows[:1]:  # there is no row when the router has ended
            row[layout.config_failures] = state.failures
            row[layout.config_last_attempt] = state.last_attempt
            row[layout.config_last_success] = state.since

    @property
    def _worker(self) -> Optional[Worker]:
        """The event loop, if it runs in this process."""
        return None if self._serving is None else self._serving.worker

    def _pids(self) -> List[int]:
        return [] if self._serving is None else self._serving.pids

    def _is_elsewhere(self) -> bool:
        """Returns whether this process was forked from the one that serves. A fork copies no threads, so it has no
        event loop."""
        return self._process not in (0, os.getpid())

    def _about(self) -> Dict[str, Any]:
        """Returns the facts of the status page that do not change."""
        return {
            "name": self.settings.router_name,
            "started": self._started,
            "listen": self.addresses,
            "metrics": self.metrics_address,
            "loops": self._count,
        }
