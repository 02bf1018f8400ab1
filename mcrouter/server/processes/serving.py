"""What serves the clients of a router: one event loop in this thread (single.py), or a process for each of several
event loops (several.py). Both have the interface of `Serving`, and begin with the same `Start`."""

import contextlib
import socket
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Sequence

from ...config import Config
from ..worker import Worker

if TYPE_CHECKING:
    from ..configs.reloading import HostSlots
    from ..pages import Pages
    from .takeover import Inheritance


class Start:
    """What a router has when it begins to serve.

    `make_worker(number)` makes an event loop; `listeners` are, by event loop, the sockets that it accepts clients from.
    `inheritance()` returns what the predecessor has left, until clients are served. `has_had_client(number)` tells
    whether an event loop has accepted a client.
    `set_config(config)` notes a config that is about to take effect, `on_serving()` that clients are served.
    `stop_asked()` returns the seconds of `Router.stop` once that has been called, else None.
    """

    def __init__(
        self,
        make_worker: Callable[[int], Worker],
        listeners: Sequence[Sequence[socket.socket]],
        inheritance: "Callable[[], Inheritance]",
        slots: "HostSlots",
        pages: "Pages",
        owns_process: bool,
        has_had_client: Callable[[int], bool],
        set_config: Callable[[Config], None],
        on_serving: Callable[[], None],
        stop_asked: Callable[[], Optional[float]],
    ) -> None:
        self.make_worker, self.listeners, self.inheritance = make_worker, listeners, inheritance
        self.slots, self.pages, self.owns_process = slots, pages, owns_process
        self.has_had_client = has_had_client
        self.set_config, self.on_serving, self.stop_asked = set_config, on_serving, stop_asked


class Serving:
    """Base class of what serves."""

    worker: Optional[Worker] = None
    """The event loop, if it runs in this process."""

    @property
    def pids(self) -> List[int]:
        """The processes of the event loops, besides this one."""
        return []

    def no_forks(self) -> Any:
        """Returns a lock; while it is held, no process of an event loop is forked."""
        return contextlib.nullcontext()

    def serve(self) -> None:
        """Serves until `stop`, or until all clients have been handed over."""
        raise NotImplementedError

    def stop(self, drain: float) -> None:
        """Ends `serve` once what is in flight is answered, at most so many seconds later. Safe in a signal handler and
        from any thread."""
        raise NotImplementedError

    def hand_over(self, link: socket.socket) -> None:
        """Passes all clients to the successor over `link`, then ends `serve`. Must be called from another thread."""
        raise NotImplementedError

    def reload(self, config: Config) -> None:
        """Puts another config into effect (reloading.py). Raises ValueError, or RouterError after the end. Must be
        called from another thread."""
        raise NotImplementedError
