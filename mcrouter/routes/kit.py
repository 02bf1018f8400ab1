"""What routes need of the world: hosts, clocks, chance. They get it when they are made, so that tests can script it."""

import random
import time
from typing import Any, Callable, Dict, List, Mapping, Optional

from ..proto.styles import MEMCACHED, Memcached

Later = Callable[[float, Callable[[], None]], Any]


class Kit:
    """What handles are made with.

    `hosts` are the destinations by their texts, `local` the LocalRoute, `now()` a steady clock and `wall()` Unix time
    in seconds, `later(seconds, call)` calls later and gives something to `cancel()`, `host_id` is this machine's number
    for handles that choose by it, `spool` takes deletes that could not be delivered (None: there is no async log),
    `count(name)` counts an event for `stats`. `seed`: the config is the seed's. `pools` are collected for whoever
    watches the hosts' health, `copies` are what ShadowRoutes have under way.
    """

    def __init__(
        self,
        hosts: Mapping[str, Any],
        local: Any,
        now: Callable[[], float] = time.monotonic,
        later: Optional[Later] = None,
        wall: Callable[[], float] = time.time,
        host_id: int = 0,
        spool: Any = None,
        count: Callable[[str], None] = lambda name: None,
        chance: Optional[random.Random] = None,
        seed: bool = True,
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
        self.seed = seed
        self.flush_all = flush_all
        self.invalid_to_default = invalid_to_default
        self.only_gets = only_gets
        self.style = style
        self.pools: List[Any] = []
        self.keeps_prefixes = False  # whether hosts of this config may see routing prefixes
        self.copies: Dict[Any, Any] = {}  # by the route that a ShadowRoute copies to, those under way
        self._later = later

    def later(self, seconds: float, call: Callable[[], None]) -> Any:
        """Calls in so many seconds."""
        assert self._later is not None
        return self._later(seconds, call)
