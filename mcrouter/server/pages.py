"""The pages of the metrics port: which path shows what.

    /             the status page (status/page.py)       /metrics   for Prometheus (metrics/exposition.py)
    /status.json  the same facts (status/facts.py)       /healthz   whether the router is of use (metrics/page.py)
"""

import os
import socket
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from .. import __version__
from ..config import Config
from ..config.state import ConfigState
from ..counters.reader import CounterReader
from ..errors import RouterError
from ..settings import Address, Settings
from ..system.deferred import before, own, standard
from ..system.logs import lines_dropped

if TYPE_CHECKING:
    import json

    from ..metrics import exposition, process, server
    from ..metrics import page as health
    from ..status import facts, history, page
else:
    server, exposition = own("metrics.server"), own("metrics.exposition")
    before("stats.servers", "status.look")
    process, health = own("metrics.process"), own("metrics.page")
    history, facts, page = own("status.history"), own("status.facts"), own("status.page")
    json = standard("json")

_STALLED = 5.0  # seconds without a tick after which an event loop counts as stalled
_HEALTH_PATIENCE, _HEALTH_LOOK = 1.0, 0.02  # seconds that /healthz waits for a stalled loop, and between two checks

Page = Tuple[int, str, bytes]
"""Status, content type, body (metrics/page.py)."""


class Pages:
    """Makes the pages of a router, and serves them in a thread of their own if there is a port for them.

    `config()` returns the config in effect, `pids()` the processes of the event loops besides this one, `about()` the
    facts of the status page that do not change.
    """

    def __init__(
        self,
        counters: CounterReader,
        settings: Settings,
        config_state: ConfigState,
        config: Callable[[], Config],
        pids: Callable[[], List[int]],
        about: Callable[[], Dict[str, Any]],
    ) -> None:
        self._counters, self._settings, self._config_state = counters, settings, config_state
        self._config, self._pids, self._about = config, pids, about
        self._server: Any = None
        self._facts: Any = None
        self.history: Any = None
        """The last minutes (status/history.py), once there is a port."""

    # the port -------------------------------------------------------------------------------------------------------

    def listen(self, address: Address, inherited: Optional[int]) -> str:
        """Opens the port, or takes an inherited descriptor; returns the address with its real port. Raises
        RouterError."""
        fd = address.fd if inherited is None else inherited
        paths = {"/": self.status_page, "/status.json": self.status, "/metrics": self.metrics, "/healthz": self.health}
        try:
            where: Any = (address.host, address.port) if fd < 0 else socket.socket(fileno=fd)
            self.history = history.History(self._counters)
            pulse = server.Pulse(history.INTERVAL, self.history.look)
            self._server = server.MetricsServer(where, paths, pulse=pulse)
        except OSError as error:
            why = f"{error.strerror or error}; give --metrics-listen-addr another address, or off"
            raise RouterError(f"cannot listen on {address.text} for metrics: {why}") from None
        host, port = self._server.address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def start(self) -> None:
        """Starts to serve the pages."""
        if self._server is not None:
            self._server.start()

    def stop(self) -> None:
        """Closes the port. Has no effect when called again."""
        if self._server is not None:
            self._server.stop()

    def close_in_child(self) -> None:
        """Closes the port in a forked child."""
        if self._server is not None:
            self._server.close_in_child()

    def fileno(self) -> Optional[int]:
        """Returns the listening descriptor; None if there is no port."""
        return None if self._server is None else int(self._server.fileno())

    # the pages ------------------------------------------------------------------------------------------------------

    def metrics(self) -> Page:
        """Returns /metrics."""
        dropped = self._counters.total(self._counters.layout.log_lines_dropped)
        if self._counters.loops > 1:  # this process has no row of its own
            dropped += lines_dropped()
        told = {**self._config_state.facts(), "log_lines_dropped_total": dropped}
        used = process.process_facts([os.getpid(), *self._pids()])
        families = exposition.collect(self._counters, __version__, used, told)
        return 200, exposition.CONTENT_TYPE, exposition.render(families, self._settings.metrics_namespace)

    def status_page(self) -> Page:
        """Returns the status page."""
        return 200, "text/html; charset=utf-8", page.page(self._status_facts()).encode()

    def status(self) -> Page:
        """Returns /status.json."""
        return 200, "application/json", json.dumps(self._status_facts(), indent=1).encode()

    def health(self) -> Page:
        """Returns /healthz. After a pause of the process, its event loops need a moment; so it waits for them."""
        patience = time.monotonic() + _HEALTH_PATIENCE
        while True:
            now = time.monotonic()
            stalled = self._counters.stalled_loops(now - _STALLED)
            if not stalled or now >= patience:
                found: Page = health.health_page(self._counters.healthy_hosts(), stalled)
                return found
            time.sleep(_HEALTH_LOOK)

    def _status_facts(self) -> Dict[str, Any]:
        if self._facts is None:
            self._facts = facts.StatusFacts(self.history, self._config_state, self._about())
        found: Dict[str, Any] = self._facts.all(self._config())
        return found
