"""`--demo`: a router before embedded hosts, with a list of things to try, and commands that make hosts fail.

Modules: `tour` is the text that is shown, `console` the commands that can be typed.
"""

import contextlib
import os
import signal
import sys
from typing import Any, List

from ..server.configs.reading import load_config
from ..server.processes.takeover import VARIABLE
from ..settings import Settings, SettingsError, invalid_value, whole
from ..testing import DemoHost
from ..testing.cluster import sample_config
from .console import Console, listen
from .tour import taken_over, tour

_MOST = 64  # hosts: each is a thread of this process


class Demo:
    """`count` hosts that run within a `with`. Raises SettingsError if `count` is not a valid number of hosts.

    `config` is the sample policy over these hosts. `show` must be called when the router listens.
    """

    def __init__(self, count: str, settings: Settings) -> None:
        try:
            number = whole(1, _MOST, "hosts")(count)
        except ValueError as error:
            raise SettingsError(invalid_value("--demo", count, error)) from None
        self.hosts = [DemoHost() for _ in range(number)]
        for host in self.hosts:
            host.start()
        self.config = load_config(sample_config([host.address for host in self.hosts]), "demo", settings)
        self._follows = VARIABLE in os.environ

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts:
            host.stop()

    def show(self, router: Any) -> None:
        """Prints the tour, and runs the commands that are typed from now on."""
        if self._follows:
            _say(taken_over(self.hosts))
            return
        _say(tour(router.addresses, router.metrics_address, self.hosts))
        listen(Console(self.hosts, router.settings, _end), _say)


def _end() -> None:
    """Ends the process by a signal to itself, so that there is only one way to end."""
    os.kill(os.getpid(), signal.SIGTERM)


def _say(lines: List[str]) -> None:
    """Prints lines to standard output, if it is open. Bypasses Python's buffers, whose content would be written again
    by every forked process."""
    if sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):
            os.write(sys.stdout.fileno(), "".join(f"{line}\n" for line in lines).encode())
