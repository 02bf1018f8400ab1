"""A reload: puts another config into effect between two requests of each event loop.

    1. The hosts of the new config get slots for their counters (`HostSlots`).
    2. Each event loop makes the new policy beside the one in effect (`Worker.prepare`), in portions.
    3. If all could, each of them puts it into effect (`Worker.commit`); else none does, and the slots are given back.

With several event loops the supervisor passes the config on to their processes (worker_process.py), and step 3 is its
agreement with them (supervisor.py).
"""

import threading
import time
from typing import Any, Callable, List, Optional

from ...config import Config
from ...counters.layout import Layout, NoRoom
from ...errors import RouterError
from ..worker import Worker

STOPPED = "the router has been stopped; make another one"
_PATIENCE = 60.0  # seconds that a reload may take
_LOOK = 0.5  # seconds between checks whether the event loop still exists

SetConfig = Callable[[Config], None]


class HostSlots:
    """Gives the hosts of a config their slots in the counters. `can_grow`: whether the only row may get more cells."""

    def __init__(self, layout: Layout, rows: List[Any], can_grow: bool) -> None:
        self.layout, self._rows, self._can_grow = layout, rows, can_grow

    def make_room(self, config: Config) -> None:
        """Makes counters for new hosts; raises ValueError if there is no room."""
        hosts = [host.text for host in config.hosts]
        if self._can_grow:
            self._rows[0].extend([0] * self.layout.grow(hosts))
        try:
            new = self.layout.place(hosts)
        except NoRoom as error:
            raise ValueError(f"{error}; restart the router (SIGUSR2)") from None
        for slot in new:
            for row in self._rows:
                self.layout.clear(row, slot)


def reload_worker(worker: Worker, slots: HostSlots, config: Config, set_config: SetConfig) -> None:
    """Reloads an event loop of this process, from another thread.

    `set_config` is called before the config takes effect, so that the event loop can free the previous one in portions.
    Raises the error of making the policy, ValueError if the event loop does not answer, and RouterError if it has
    ended.
    """
    failures: List[Exception] = []
    done = threading.Event()
    before = slots.layout.placement

    def change() -> None:
        try:
            slots.make_room(config)
        except Exception as error:
            prepared(error)
        else:
            worker.prepare(config, prepared)

    def prepared(error: Optional[Exception]) -> None:
        if error is None:
            set_config(config)
            worker.commit(done.set)
        else:
            slots.layout.placement = before
            failures.append(error)
            done.set()

    if not worker.loop.call_soon_threadsafe(change):
        raise RouterError(STOPPED)
    _wait(worker, done)
    if failures:
        raise failures[0]


def _wait(worker: Worker, done: threading.Event) -> None:
    patience = time.monotonic() + _PATIENCE
    while not done.wait(_LOOK):
        if worker.loop.wakeup.closed:
            raise RouterError(STOPPED)
        if time.monotonic() > patience:
            raise ValueError("the event loop does not answer")
