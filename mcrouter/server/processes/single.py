"""Serves with one event loop, in the thread that calls `serve`."""

import os
import signal
import socket

from ...config import Config
from ..configs.reloading import reload_worker
from ..late_imports import import_rest
from .serving import Serving, Start


class SingleLoop(Serving):
    """The only event loop of a router."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self.worker = self._worker = start.make_worker(0)

    def serve(self) -> None:
        """Serves in this thread."""
        start, worker = self._start, self._worker
        if start.owns_process:
            signal.set_wakeup_fd(worker.loop.wakeup.write_fd, warn_on_full_buffer=False)
        link = start.inheritance().link
        if link is not None:
            worker.take_clients(socket.socket(fileno=os.dup(link)))
        start.on_serving()
        import_rest(worker.loop, lambda: start.has_had_client(0), start.owns_process)
        worker.run(start.listeners[0])

    def stop(self, drain: float) -> None:
        """Ends `serve`."""
        self._worker.stop(drain)

    def hand_over(self, link: socket.socket) -> None:
        """Passes all clients to the successor."""
        self._worker.hand_over(link)

    def reload(self, config: Config) -> None:
        """Puts another config into effect."""
        reload_worker(self._worker, self._start.slots, config, self._start.set_config)
