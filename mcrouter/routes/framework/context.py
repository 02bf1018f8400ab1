"""What routes need from outside: hosts, clocks, randomness. It is passed in, so that tests can script it."""

import random
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol

from ...proto.seams import Cancellable, DestinationHost, Later
from ...proto.styles import MEMCACHED, STYLES, Memcached
from .base import Route
from .pool import Pool


class DeleteLog(Protocol):
    """The async log: keeps deletes that could not be delivered."""

    def add(self, host: str, port: int, key: bytes, pool: str = "") -> bool:
        """Writes a delete to the log; returns whether the log has taken it."""


class PolicySettings(Protocol):
    """The settings of the router that routes depend on."""

    @property
    def enable_flush_cmd(self) -> bool:
        """Whether flush_all goes to all hosts of the pools."""

    @property
    def send_invalid_route_to_default(self) -> bool:
        """Whether keys with the routing prefix of no route take the default route."""

    @property
    def allow_only_gets(self) -> bool:
        """Whether all commands that change anything are refused."""

    @property
    def error_style(self) -> str:
        """The name of the style of error lines (proto/styles.py)."""


def policy_options(settings: PolicySettings) -> Dict[str, Any]:
    """Returns the arguments of RouteContext that the settings of the router give."""
    return {
        "flush_all": settings.enable_flush_cmd,
        "invalid_to_default": settings.send_invalid_route_to_default,
        "only_gets": settings.allow_only_gets,
        "style": STYLES[settings.error_style],
    }


class Copies:
    """The number of copies under way to one target of a ShadowRoute."""

    def __init__(self) -> None:
        self.count = 0


class RouteContext:
    """The surroundings that routes are made with.

    `hosts`: the destinations by the texts that name them in the config. `local`: the LocalRoute. `now()`: a steady
    clock; `wall()`: Unix time, in seconds. `later(seconds, call)`: calls later, and returns an object with `cancel()`.
    `host_id`: this machine's number, for routes that choose by it. `spool`: takes deletes that could not be delivered
    (None: there is no async log). `count(name)`: counts an event for `stats`. `ordered_pool_form`: the config has an
    `orderedPool`. `pools`: filled by the routes; the watcher of the hosts' health refreshes them. `copies`: the copies
    that the ShadowRoutes have under way.
    """

    def __init__(
        self,
        hosts: Mapping[str, DestinationHost],
        local: Route,
        now: Callable[[], float] = time.monotonic,
        later: Optional[Later] = None,
        wall: Callable[[], float] = time.time,
        host_id: int = 0,
        spool: Optional[DeleteLog] = None,
        count: Callable[[str], None] = lambda name: None,
        chance: Optional[random.Random] = None,
        ordered_pool_form: bool = True,
        flush_all: bool = False,
        invalid_to_default: bool = False,
        only_gets: bool = False,
        style: Memcached = MEMCACHED,
    ) -> None:
        self.hosts = hosts
        self.local = local
        self.now = now
        self.wall = wall
        self.host_id = host_id
        self.spool = spool
        self.count = count
        self.chance = chance or random.Random()
        self.ordered_pool_form = ordered_pool_form
        self.flush_all = flush_all
        self.invalid_to_default = invalid_to_default
        self.only_gets = only_gets
        self.style = style
        self.pools: List[Pool] = []
        self.keeps_prefixes = False  # whether some hosts of this config see routing prefixes
        self.copies: Dict[Route, Copies] = {}  # by the target of a ShadowRoute: the copies under way to it
        self._later = later

    def later(self, seconds: float, call: Callable[[], None]) -> Cancellable:
        """Calls `call` after so many seconds."""
        assert self._later is not None
        return self._later(seconds, call)
