"""Serves with several event loops, a process for each (supervisor.py)."""

import gc
import signal
import socket
from typing import Any, Callable, List

from ...config import Config
from ...system.deferred import importing
from ..late_imports import import_rest
from ..portions import at_once
from .channel import Channel
from .serving import Serving, Start
from .supervisor import Supervisor, unblock_signals
from .worker_process import WorkerProcess, reload_messages

_DRAIN = 5.0  # seconds, if the supervisor does not say how long an event loop may drain


class LoopProcesses(Serving):
    """The event loops of a router, each of which the supervisor in this process has forked."""

    def __init__(self, start: Start, on_exit: Callable[[int], None]) -> None:
        """`on_exit(number)` is called when the process of an event loop has ended."""
        self._start = start
        self._supervisor = Supervisor(len(start.listeners), self._run_worker, on_exit)

    @property
    def pids(self) -> List[int]:
        """The processes of the event loops."""
        return self._supervisor.pids

    def no_forks(self) -> Any:
        """Returns the supervisor's lock."""
        return self._supervisor.lock

    def serve(self) -> None:
        """Supervises the processes in this thread."""
        if self._start.owns_process:
            signal.set_wakeup_fd(self._supervisor.wakeup.write_fd, warn_on_full_buffer=False)
        self._supervisor.serve(self._started)

    def stop(self, drain: float) -> None:
        """Ends all processes, and `serve`."""
        self._supervisor.stop(drain)

    def hand_over(self, link: socket.socket) -> None:
        """Has all processes pass their clients to the successor."""
        self._supervisor.hand_over(link.fileno())
        link.close()

    def reload(self, config: Config) -> None:
        """Has all processes agree on another config."""
        slots = self._start.slots
        before = slots.layout.placement
        try:
            slots.make_room(config)
            messages = reload_messages(config, slots.layout.placement)
            self._supervisor.agree(messages, lambda: self._start.set_config(config))
        except ValueError:
            slots.layout.placement = before
            raise

    def _started(self) -> None:
        """Imports what the supervisor, and the processes that it forks later, may need; the first processes import that
        for themselves."""
        self._start.on_serving()
        at_once(importing())
        if self._start.owns_process:
            gc.enable()

    def _run_worker(self, number: int, lifeline: int, channel: Channel) -> None:
        """Runs in the process of an event loop until that ends."""
        start = self._start
        start.pages.close_in_child()
        for other, listeners in enumerate(start.listeners):
            if other != number:
                for sock in listeners:
                    sock.close()
        worker = start.make_worker(number)
        link = start.inheritance().link
        if link is not None:
            worker.take_clients(socket.socket(fileno=link))
        for number_of_parent in (signal.SIGHUP, signal.SIGUSR2):
            signal.signal(number_of_parent, signal.SIG_IGN)
        signal.set_wakeup_fd(worker.loop.wakeup.write_fd, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: worker.stop(start.stop_asked() or _DRAIN))
        unblock_signals()
        asked = start.stop_asked()
        if asked is not None:  # `stop` was called before the fork
            worker.stop(asked)
        WorkerProcess(worker, start.slots.layout, channel)
        worker.loop.watch_listener(lifeline, lambda _mask: worker.loop.stop())
        gc.disable()  # until all is imported
        import_rest(worker.loop, lambda: start.has_had_client(number), owns_process=True)
        worker.run(start.listeners[number])
